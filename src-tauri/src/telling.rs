//! What host and node tell, handed to the window and the tray; and what the window's page has
//! to say to a person who is not looking at it, as a notification of the system.

use bitdust_api::{Event, HostEvent};
use bitdust_node::Host;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tauri_plugin_notification::NotificationExt as _;
use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, warn};

use crate::{tray, window};

/// The one event of the window.
const EVENT: &str = "bitdust";

/// Forwards until the host ends. The runtime of the application owns the task.
pub(crate) fn begin(app: AppHandle, host: &Host) {
    let mut events = host.events();
    tauri::async_runtime::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => tell(&app, &event),
                // Every status is whole: the next one makes up for those that were missed.
                Err(RecvError::Lagged(missed)) => debug!(missed, "The window is too slow"),
                Err(RecvError::Closed) => return,
            }
        }
    });
}

fn tell(app: &AppHandle, event: &HostEvent) {
    if let Err(error) = app.emit(EVENT, event) {
        debug!(%error, "The window does not listen");
    }
    if let HostEvent::Node {
        event: Event::Status { status },
    } = event
    {
        tray::show(app, status);
    }
}

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
