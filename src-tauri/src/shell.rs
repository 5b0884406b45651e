//! What belongs to the desktop around the window: one instance, links, closing to the tray,
//! and an orderly end.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bitdust_node::Host;
use tauri::{
    App, AppHandle, Builder, Emitter as _, Manager as _, RunEvent, Window, WindowEvent, Wry,
};
use tauri_plugin_deep_link::DeepLinkExt as _;
use tauri_plugin_window_state::StateFlags;
use tracing::{debug, warn};

use crate::arguments::{Arguments, LINK_SCHEME};
use crate::opening::Opening;
use crate::tray::Tray;
use crate::{commands, notifications, opening, smoke, telling, tray, window};

/// What links to invitations begin with.
const INVITATION_LINK: &str = "bitdust://invite/";
/// The event by which the window hears of an invitation.
const INVITATION_EVENT: &str = "bitdust-invitation";

/// Opens the window and stays until the program is to end.
pub(crate) fn run(arguments: Arguments, started: Instant) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let settings = arguments.settings.clone();
    // Within the application's runtime, which outlives everything that is spawned in it.
    let host = tauri::async_runtime::block_on(async { Host::start(settings, version) });
    let (smoke_test, link) = (arguments.smoke_test, arguments.link);
    let opening = Opening::new(started, arguments.hidden || smoke_test);
    let managed = host.clone();
    let app = with_plugins(Builder::default())
        .manage(host)
        .manage(opening)
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::host,
            commands::pick_folder,
            commands::open_folder,
            commands::save_kit,
            commands::copy,
            commands::autostart,
            commands::set_autostart,
            commands::ready,
            commands::name_tray,
            commands::notify,
        ])
        .on_window_event(window_event)
        .setup(move |app| {
            set_up(app, link.as_deref())?;
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

/// Adds the parts of a desktop that others wrote. That there is one instance comes first: a
/// second start must not get further.
fn with_plugins(builder: Builder<Wry>) -> Builder<Wry> {
    // Whether the window is shown is decided at each start anew.
    let kept = StateFlags::all() - StateFlags::VISIBLE;
    builder
        .plugin(tauri_plugin_single_instance::init(|app, words, _| {
            window::show(app);
            if let Some(link) = words.iter().find(|it| it.starts_with(LINK_SCHEME)) {
                invited(app, link);
            }
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(kept)
                .build(),
        )
        .plugin(
            tauri_plugin_autostart::Builder::new()
                .app_name("BitDust")
                .arg("--hidden")
                .build(),
        )
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
}

fn set_up(app: &mut App, link: Option<&str>) -> Result<(), Box<dyn std::error::Error>> {
    let handle = app.handle().clone();
    telling::begin(handle.clone(), app.state::<Host>().inner());
    if let Err(error) = tray::build(&handle) {
        warn!(%error, "There is no place beside the clock");
    }
    // Packages do it where they are installed.
    #[cfg(any(target_os = "linux", windows))]
    if (cfg!(debug_assertions) || std::env::var_os("APPIMAGE").is_some())
        && let Err(error) = app.deep_link().register_all()
    {
        debug!(%error, "Links are not registered");
    }
    // macOS tells links by an event; elsewhere they are words of a start.
    let opened = handle.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            invited(&opened, url.as_str());
        }
    });
    if let Some(link) = link {
        invited(&handle, link);
    }
    opening::begin(handle);
    Ok(())
}

/// A link to an invitation was opened: the window takes it from here.
fn invited(app: &AppHandle, url: &str) {
    let Some(code) = url.strip_prefix(INVITATION_LINK) else {
        return;
    };
    let code = code.trim_end_matches('/').to_owned();
    let Some(code) = app.state::<Opening>().keep(code) else {
        return;
    };
    window::show(app);
    if let Err(error) = app.emit(INVITATION_EVENT, code) {
        warn!(%error, "The window did not hear of an invitation");
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
        notifications::say(app, &tray.hiding());
    }
}
