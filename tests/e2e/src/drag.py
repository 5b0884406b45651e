#!/usr/bin/python3
"""Drags a folder onto a point of the screen, as a file manager does.

Usage: drag.py FOLDER X Y. Prints "dropped" when the other program has taken it and "refused"
when nobody has. The pointer moves in steps, as toolkits look at the way and not at its end.
"""

import subprocess
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

STEPS = 12
STEP_MILLISECONDS = 80
SETTLE_MILLISECONDS = 400
# Right of the application's window.
LEFT, TOP, WIDTH, HEIGHT = 1130, 20, 140, 90


class Source:
    """A small window with a folder in it."""

    def __init__(self, folder, target):
        self.folder = folder
        self.target = target
        self.step = 0
        self.result = "refused"
        self.window = Gtk.Window(title="drag source")
        self.window.set_default_size(WIDTH, HEIGHT)
        handle = Gtk.EventBox()
        handle.add(Gtk.Label(label="folder"))
        self.window.add(handle)
        handle.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
        handle.drag_source_add_uri_targets()
        handle.connect("drag-data-get", self.give)
        handle.connect("drag-end", self.end)
        self.window.show_all()
        self.window.move(LEFT, TOP)
        GLib.timeout_add(SETTLE_MILLISECONDS, self.press)

    def give(self, _widget, _context, data, _info, _time):
        data.set_uris([GLib.filename_to_uri(self.folder, None)])
        self.result = "dropped"

    def press(self):
        self.pointer(LEFT + WIDTH // 2, TOP + HEIGHT // 2)
        xdotool("mousedown", "1")
        GLib.timeout_add(STEP_MILLISECONDS, self.move)
        return False

    def move(self):
        self.step += 1
        part = self.step / STEPS
        start = (LEFT + WIDTH // 2, TOP + HEIGHT // 2)
        self.pointer(*(round(a + (b - a) * part) for a, b in zip(start, self.target)))
        if self.step < STEPS:
            return True
        GLib.timeout_add(SETTLE_MILLISECONDS, self.release)
        return False

    def release(self):
        self.pointer(self.target[0] + 2, self.target[1] + 2)
        xdotool("mouseup", "1")
        return False

    def end(self, _widget, _context):
        print(self.result, flush=True)
        Gtk.main_quit()

    @staticmethod
    def pointer(x, y):
        xdotool("mousemove", str(x), str(y))


def xdotool(*words):
    subprocess.run(["xdotool", *words], check=True)


def main():
    folder, x, y = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    source = Source(folder, (x, y))
    Gtk.main()
    return 0 if source.result == "dropped" else 1


sys.exit(main())
