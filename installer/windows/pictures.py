#!/usr/bin/env python3
"""Makes the pictures of the Windows installers from the icon, in the sizes that NSIS and WiX
ask for. Needs Pillow; run it in this folder when the icon has changed."""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
ICON = Image.open(HERE / "../../src-tauri/icons/icon.png").convert("RGBA")
PAPER = (251, 248, 241)
SHADE = (244, 238, 228)
COLOURS = 128


def picture(name, size, side, place, shade_width=0):
    """A sheet of paper with the icon at a place, and a shaded margin at its left."""
    sheet = Image.new("RGB", size, PAPER)
    if shade_width:
        sheet.paste(SHADE, (0, 0, shade_width, size[1]))
    icon = ICON.resize((side, side), Image.LANCZOS)
    sheet.paste(icon, place, icon)
    sheet.quantize(COLOURS).save(HERE / f"{name}.bmp")


picture("header", (150, 57), 41, (101, 8))
picture("sidebar", (164, 314), 84, (40, 60), 164)
picture("banner", (493, 58), 42, (443, 8))
picture("dialog", (493, 312), 84, (40, 60), 164)
