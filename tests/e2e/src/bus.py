#!/usr/bin/python3
"""What a desktop offers on the session bus, for tests.

bus.py serve              a place for icons beside the clock, and one for notifications; prints
                          what comes there as lines of JSON
bus.py look NAME PATH     prints the icon's picture, by the name it has in the sources, and its
                          menu as one line of JSON
bus.py choose NAME PATH ID   chooses an entry of the menu
"""

import json
import sys
from pathlib import Path

import gi

gi.require_version("GdkPixbuf", "2.0")
gi.require_version("Gio", "2.0")
from gi.repository import GdkPixbuf, Gio, GLib  # noqa: E402

WATCHER = "org.kde.StatusNotifierWatcher"
NOTIFICATIONS = "org.freedesktop.Notifications"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PATIENCE_MILLISECONDS = 10_000
PICTURES = Path(__file__).parents[3] / "src-tauri/icons"

INTERFACES = Gio.DBusNodeInfo.new_for_xml(f"""
<node>
  <interface name="{WATCHER}">
    <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
    <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
    <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
    <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
    <property name="ProtocolVersion" type="i" access="read"/>
  </interface>
  <interface name="{NOTIFICATIONS}">
    <method name="Notify">
      <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
      <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
      <arg type="a{{sv}}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/>
    </method>
    <method name="CloseNotification"><arg type="u" direction="in"/></method>
    <method name="GetCapabilities"><arg type="as" direction="out"/></method>
    <method name="GetServerInformation">
      <arg type="s" direction="out"/><arg type="s" direction="out"/>
      <arg type="s" direction="out"/><arg type="s" direction="out"/>
    </method>
  </interface>
</node>
""")


class Desktop:
    def __init__(self):
        self.items = []
        self.shown = 0
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        for interface, path in ((WATCHER, "/StatusNotifierWatcher"), (NOTIFICATIONS, "/org/freedesktop/Notifications")):
            info = INTERFACES.lookup_interface(interface)
            self.bus.register_object(path, info, self.call, self.property, None)
            Gio.bus_own_name_on_connection(self.bus, interface, Gio.BusNameOwnerFlags.NONE, None, None)

    def call(self, _bus, sender, _path, _interface, method, arguments, invocation):
        answer = None
        if method == "RegisterStatusNotifierItem":
            (named,) = arguments.unpack()
            name, path = (sender, named) if named.startswith("/") else (named, "/StatusNotifierItem")
            self.items.append(name + path)
            tell(kind="icon", name=name, path=path)
        elif method == "Notify":
            _, _, _, title, body, *_ = arguments.unpack()
            self.shown += 1
            tell(kind="notification", title=title, body=body)
            answer = GLib.Variant("(u)", (self.shown,))
        elif method == "GetCapabilities":
            answer = GLib.Variant("(as)", (["body"],))
        elif method == "GetServerInformation":
            answer = GLib.Variant("(ssss)", ("tests", "BitDust", "1", "1.2"))
        invocation.return_value(answer)

    def property(self, _bus, _sender, _path, _interface, name):
        if name == "RegisteredStatusNotifierItems":
            return GLib.Variant("as", self.items)
        if name == "IsStatusNotifierHostRegistered":
            return GLib.Variant("b", True)
        return GLib.Variant("i", 0)


def tell(**event):
    print(json.dumps(event), flush=True)


def ask(name, path, interface, method, arguments):
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    flags = Gio.DBusCallFlags.NONE
    return bus.call_sync(name, path, interface, method, arguments, None, flags, PATIENCE_MILLISECONDS, None).unpack()


def menu_of(name, path):
    arguments = GLib.Variant("(ss)", (ITEM, "Menu"))
    return ask(name, path, "org.freedesktop.DBus.Properties", "Get", arguments)[0]


def entries(layout):
    number, properties, children = layout
    found = [{"id": number, "label": properties["label"].replace("_", "")}] if "label" in properties else []
    return found + [entry for child in children for entry in entries(child)]


def pixels(picture):
    return GdkPixbuf.Pixbuf.new_from_file(str(picture)).get_pixels()


def named(icon):
    """The picture of which an icon is a copy; none where it was replaced before it was read."""
    try:
        shown = pixels(icon)
    except GLib.Error:
        return None
    return next((it.stem for it in PICTURES.glob("tray*.png") if pixels(it) == shown), None)


def look(name, path):
    arguments = GLib.Variant("(ss)", (ITEM, "IconName"))
    (icon,) = ask(name, path, "org.freedesktop.DBus.Properties", "Get", arguments)
    layout = ask(name, menu_of(name, path), MENU, "GetLayout", GLib.Variant("(iias)", (0, -1, [])))[1]
    tell(picture=named(icon), entries=entries(layout))


def choose(name, path, entry):
    arguments = GLib.Variant("(isvu)", (int(entry), "clicked", GLib.Variant("i", 0), 0))
    ask(name, menu_of(name, path), MENU, "Event", arguments)
    tell(chosen=entry)


def serve():
    desktop = Desktop()
    tell(kind="ready")
    GLib.MainLoop().run()
    return desktop


{"serve": serve, "look": look, "choose": choose}[sys.argv[1]](*sys.argv[2:])
