//! The only window: its name, and how it comes before a person.

use tauri::{AppHandle, Manager as _, WebviewWindow};
use tracing::warn;

/// The label of the only window.
pub(crate) const MAIN: &str = "main";

/// Shows the window, wherever it was.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
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
