//! The window and what belongs to the desktop around it: one instance, links, closing to the
//! tray, and an orderly end.

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use bitdust_node::Host;
use tauri::{
    App, AppHandle, Emitter as _, Manager as _, RunEvent, WebviewWindow, Window, WindowEvent,
};
use tauri_plugin_autostart::MacosLauncher;
use tauri_plugin_deep_link::DeepLinkExt as _;
use tracing::{debug, warn};

use crate::arguments::Arguments;
use crate::tray::Tray;
use crate::{commands, smoke, telling, tray};

/// The label of the only window.
pub(crate) const MAIN_WINDOW: &str = "main";
/// What links to invitations begin with.
const INVITATION_LINK: &str = "bitdust://invite/";
/// The event by which the window hears of an invitation.
const INVITATION_EVENT: &str = "bitdust-invitation";

/// Opens the window and stays until the program is to end.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let settings = arguments.settings.clone();
    // Within the application's runtime, which outlives everything that is spawned in it.
    let host = tauri::async_runtime::block_on(async { Host::start(settings, version) });
    let (is_hidden, smoke_test) = (arguments.hidden, arguments.smoke_test);
    let managed = host.clone();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            show_window(app);
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .plugin(tauri_plugin_autostart::init(
            MacosLauncher::LaunchAgent,
            Some(vec!["--hidden"]),
        ))
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .manage(host)
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::host,
            commands::pick_folder,
            commands::open_folder,
            commands::save_kit,
            commands::copy,
            commands::autostart,
            commands::set_autostart,
        ])
        .on_window_event(window_event)
        .setup(move |app| {
            set_up(app, is_hidden || smoke_test)?;
            if smoke_test {
                smoke::begin(app.handle().clone());
            }
            Ok(())
        })
        .build(tauri::generate_context!())?;
    let code = app.run_return(move |_, event| {
        if let RunEvent::Exit = event {
            tauri::async_runtime::block_on(managed.close());
        }
    });
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn set_up(app: &mut App, is_hidden: bool) -> Result<(), Box<dyn std::error::Error>> {
    let handle = app.handle().clone();
    telling::begin(handle.clone(), app.state::<Host>().inner());
    if let Err(error) = tray::build(&handle) {
        warn!(%error, "There is no place beside the clock");
    }
    #[cfg(any(target_os = "linux", all(debug_assertions, windows)))]
    if let Err(error) = app.deep_link().register_all() {
        debug!(%error, "Links are not registered; packages do that");
    }
    let opened = handle.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            invited(&opened, url.as_str());
        }
    });
    if !is_hidden {
        show_window(&handle);
    }
    Ok(())
}

/// A link to an invitation was opened: the window takes it from here.
fn invited(app: &AppHandle, url: &str) {
    let Some(code) = url.strip_prefix(INVITATION_LINK) else {
        return;
    };
    show_window(app);
    if let Err(error) = app.emit(INVITATION_EVENT, code.trim_end_matches('/')) {
        warn!(%error, "The window did not hear of an invitation");
    }
}

/// Shows the window, wherever it was.
pub(crate) fn show_window(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN_WINDOW) else {
        return;
    };
    let shown = |window: &WebviewWindow| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    };
    if let Err(error) = shown(&window) {
        warn!(%error, "The window cannot be shown");
    }
}

/// Closing the window ends nothing: the node goes on. People are told so once.
fn window_event(window: &Window, event: &WindowEvent) {
    let WindowEvent::CloseRequested { api, .. } = event else {
        return;
    };
    let app = window.app_handle();
    let Some(tray) = app.try_state::<Tray>() else {
        return;
    };
    api.prevent_close();
    if let Err(error) = window.hide() {
        warn!(%error, "The window cannot be hidden");
    }
    if !tray.told_of_hiding.swap(true, Ordering::Relaxed) {
        let sentence = "Your folders stay under protection while the window is closed. Start BitDust again to see it; Quit is in the menu of its icon.";
        telling::say(app, sentence);
    }
}
