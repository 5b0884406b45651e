//! The icon beside the clock, where the desktop has a place for it. Nothing relies on it: a
//! second start of the program shows the window as well.
//!
//! Clicks on the icon are not told on Linux, so everything is in its menu.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use bitdust_api::Call;
use bitdust_api::view::StatusView;
use bitdust_model::verdict::Level;
use bitdust_node::Host;
use serde::Deserialize;
use tauri::image::Image;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager as _, Wry};
use tracing::warn;

use crate::{notifications, window};

/// What the icon says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Mood {
    Quiet,
    Working,
    NeedsYou,
}

/// The icon with what it shows now.
pub(crate) struct Tray {
    icon: TrayIcon<Wry>,
    sentence: MenuItem<Wry>,
    open: MenuItem<Wry>,
    back_up: MenuItem<Wry>,
    quit: MenuItem<Wry>,
    hiding: Mutex<String>,
    mood: AtomicU8,
    /// Whether the window said the sentence in the person's language.
    is_named: AtomicBool,
    /// Whether people were told that closing the window ends nothing.
    pub(crate) told_of_hiding: AtomicBool,
}

/// What the icon says, in the person's language.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TrayWords {
    /// How things stand.
    sentence: String,
    /// The entry that shows the window.
    open: String,
    /// The entry that begins a backup.
    back_up: String,
    /// The entry that ends the program.
    quit: String,
    /// What is told when the window is closed for the first time.
    hiding: String,
}

impl Tray {
    /// What is told when the window is closed for the first time.
    pub(crate) fn hiding(&self) -> String {
        let hiding = self.hiding.lock();
        hiding.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Puts the icon up. A desktop without a place for it gives no error, and shows none.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<()> {
    let sentence = MenuItem::with_id(app, "sentence", "BitDust", false, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", "Open BitDust", true, None::<&str>)?;
    let back_up = MenuItem::with_id(app, "back_up", "Back up now", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let other_line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(
        app,
        &[&sentence, &line, &open, &back_up, &other_line, &quit],
    )?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(picture(Mood::Quiet))
        .tooltip("BitDust")
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    app.manage(Tray {
        icon,
        sentence,
        open,
        back_up,
        quit,
        hiding: Mutex::new(
            "Your folders stay under protection while the window is closed.".to_owned(),
        ),
        mood: AtomicU8::new(Mood::Quiet as u8),
        is_named: AtomicBool::new(false),
        told_of_hiding: AtomicBool::new(false),
    });
    Ok(())
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "open" => window::show(app),
        "back_up" => {
            let (app, host) = (app.clone(), app.state::<Host>().inner().clone());
            tauri::async_runtime::spawn(async move {
                // What comes of it is in the history, and a notification if it needs a person.
                let folders = Vec::new();
                if let Err(error) = host.call(Call::Backup { folders }).await {
                    warn!(%error, "The backup was not begun");
                    notifications::say(&app, &error.message);
                }
            });
        }
        "quit" => app.exit(0),
        _ => {}
    }
}

/// Shows how things stand.
pub(crate) fn show(app: &AppHandle, status: &StatusView) {
    let Some(tray) = app.try_state::<Tray>() else {
        return;
    };
    let mood = mood(status.verdict.first.level, !status.jobs.is_empty());
    if tray.mood.swap(mood as u8, Ordering::Relaxed) != mood as u8
        && let Err(error) = tray.icon.set_icon(Some(picture(mood)))
    {
        warn!(%error, "The icon cannot be changed");
    }
    if !tray.is_named.load(Ordering::Relaxed) {
        entitle(&tray, &status.sentence);
    }
}

/// What the icon says of a verdict: what needs somebody does so while the program works, too.
const fn mood(level: Level, is_working: bool) -> Mood {
    match level {
        Level::Bad | Level::Attention => Mood::NeedsYou,
        Level::Working => Mood::Working,
        Level::Good | Level::Plain => {
            if is_working {
                Mood::Working
            } else {
                Mood::Quiet
            }
        }
    }
}

/// How things stand, as the first line of the menu and beside the icon.
fn entitle(tray: &Tray, sentence: &str) {
    if let Err(error) = tray.sentence.set_text(sentence) {
        warn!(%error, "The menu cannot be changed");
    }
    if let Err(error) = tray.icon.set_tooltip(Some(sentence)) {
        warn!(%error, "The icon cannot be changed");
    }
}

/// Says it in the person's language.
pub(crate) fn name(app: &AppHandle, words: TrayWords) {
    let Some(tray) = app.try_state::<Tray>() else {
        return;
    };
    tray.is_named.store(true, Ordering::Relaxed);
    entitle(&tray, &words.sentence);
    for (item, text) in [
        (&tray.open, &words.open),
        (&tray.back_up, &words.back_up),
        (&tray.quit, &words.quit),
    ] {
        if let Err(error) = item.set_text(text) {
            warn!(%error, "The menu cannot be changed");
        }
    }
    *tray.hiding.lock().unwrap_or_else(PoisonError::into_inner) = words.hiding;
}

fn picture(mood: Mood) -> Image<'static> {
    match mood {
        Mood::Quiet => tauri::include_image!("icons/tray.png"),
        Mood::Working => tauri::include_image!("icons/tray-working.png"),
        Mood::NeedsYou => tauri::include_image!("icons/tray-attention.png"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_follows_the_verdict() {
        for (level, at_rest, at_work) in [
            (Level::Good, Mood::Quiet, Mood::Working),
            (Level::Plain, Mood::Quiet, Mood::Working),
            (Level::Working, Mood::Working, Mood::Working),
            (Level::Attention, Mood::NeedsYou, Mood::NeedsYou),
            (Level::Bad, Mood::NeedsYou, Mood::NeedsYou),
        ] {
            assert_eq!(mood(level, false), at_rest, "{level:?}");
            assert_eq!(mood(level, true), at_work, "{level:?}");
        }
    }
}
