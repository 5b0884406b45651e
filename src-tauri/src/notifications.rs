//! What a person is told who is not looking at the window: notifications of the system.

use tauri::{AppHandle, Manager as _};
use tauri_plugin_notification::NotificationExt as _;
use tracing::warn;

use crate::window;

/// A notification, unless they are looking at the window already.
pub(crate) fn notify(app: &AppHandle, message: &str) {
    let window = app.get_webview_window(window::MAIN);
    let is_seen = window.is_some_and(|window| {
        window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false)
    });
    if is_seen {
        return;
    }
    say(app, message);
}

/// A notification of the system.
pub(crate) fn say(app: &AppHandle, message: &str) {
    let notification = app.notification().builder();
    if let Err(error) = notification.title("BitDust").body(message).show() {
        warn!(%error, "The system shows no notifications");
    }
}
