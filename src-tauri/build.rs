//! Lets Tauri write down which of our commands the window may call.

const COMMANDS: &[&str] = &[
    "call",
    "host",
    "pick_folder",
    "open_folder",
    "save_kit",
    "copy",
    "autostart",
    "set_autostart",
    "ready",
    "name_tray",
    "notify",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    tauri_build::try_build(attributes).expect("the configuration is part of the sources");
}
