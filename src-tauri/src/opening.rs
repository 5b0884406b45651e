//! From the start of the program to a window that shows something: the window appears when its
//! page has drawn how things stand, so that nobody looks at an empty one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bitdust_model::intervals::PAGE_PATIENCE;
use tauri::{AppHandle, Manager as _};
use tracing::info;

use crate::window;

/// How far the opening is.
pub(crate) struct Opening {
    started: Instant,
    is_hidden: bool,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    is_ready: bool,
    is_shown: bool,
    invitation: Option<String>,
}

impl Opening {
    /// Begins; a hidden window is only shown when somebody asks for it.
    pub(crate) fn new(started: Instant, is_hidden: bool) -> Self {
        Self {
            started,
            is_hidden,
            progress: Mutex::default(),
        }
    }

    /// Keeps an invitation for a page that does not listen yet. Gives it back if it does.
    pub(crate) fn keep(&self, invitation: String) -> Option<String> {
        let mut progress = self.lock();
        if progress.is_ready {
            return Some(invitation);
        }
        progress.invitation = Some(invitation);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the window in time, whatever its page does.
pub(crate) fn begin(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PAGE_PATIENCE).await;
        show_once(&app);
    });
}

/// The page has drawn how things stand. Gives the invitation that waits for it.
pub(crate) fn ready(app: &AppHandle) -> Option<String> {
    let opening = app.state::<Opening>();
    let invitation = {
        let mut progress = opening.lock();
        if !progress.is_ready {
            let milliseconds = opening.started.elapsed().as_millis();
            info!(milliseconds, "The window is ready");
        }
        progress.is_ready = true;
        progress.invitation.take()
    };
    show_once(app);
    invitation
}

fn show_once(app: &AppHandle) {
    let opening = app.state::<Opening>();
    let was_shown = std::mem::replace(&mut opening.lock().is_shown, true);
    if !was_shown && !opening.is_hidden {
        window::show(app);
    }
}
