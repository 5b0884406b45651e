//! What host and node tell, handed to the window and the tray.

use bitdust_api::{Event, HostEvent};
use bitdust_node::Host;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::broadcast::error::RecvError;
use tracing::debug;

use crate::tray;

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
