//! What a desktop offers on the session bus: a place beside the clock and notifications. A
//! script plays the desktop; what the application sends there is what a person would see.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::process::Process;
use crate::window::Desktop;

/// How long something may take to come over the bus.
const SOON: Duration = Duration::from_secs(30);

/// A place for icons and notifications on a desktop.
pub struct Bus<'a> {
    desktop: &'a Desktop,
    script: Process,
    notifications: RefCell<Vec<String>>,
    icon: RefCell<Option<Icon>>,
}

/// An icon beside the clock, as the bus names it.
#[derive(Debug, Clone)]
struct Icon {
    name: String,
    path: String,
}

/// What an icon shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The name that its picture has in the sources, such as `tray-attention`.
    pub picture: String,
    /// Entries of its menu, with their numbers.
    pub entries: Vec<(u64, String)>,
}

impl<'a> Bus<'a> {
    /// Offers it, before the application starts.
    pub fn offer(desktop: &'a Desktop) -> Result<Self> {
        let script = desktop.spawn(script(&["serve"]))?;
        let ready = script.line(Instant::now() + SOON)?;
        ensure!(
            ready.as_deref().is_some_and(|line| line.contains("ready")),
            "no desktop on the bus: {ready:?}"
        );
        Ok(Self {
            desktop,
            script,
            notifications: RefCell::default(),
            icon: RefCell::default(),
        })
    }

    /// Waits for a notification that contains a text; gives all that came up to it, from the
    /// start. One that must not have come is looked for in them: none is missing.
    pub fn notifications_until(&self, text: &str) -> Result<Vec<String>> {
        self.notifications_until_again(text, 1)
    }

    /// The same, until the text has come so many times.
    pub fn notifications_until_again(&self, text: &str, times: usize) -> Result<Vec<String>> {
        let until = Instant::now() + SOON;
        loop {
            let came = self.notifications.borrow().clone();
            let mut fitting = (0..).zip(&came).filter(|(_, it)| it.contains(text));
            if let Some((at, _)) = fitting.nth(times - 1) {
                return Ok(came[..=at].to_vec());
            }
            self.take(until)
                .with_context(|| format!("no notification with {text:?}"))?;
        }
    }

    /// What the icon shows now; waits for the icon.
    pub fn look(&self) -> Result<Shown> {
        let icon = self.icon()?;
        let shown = self.ask(&["look", &icon.name, &icon.path])?;
        let entries = shown["entries"].as_array().context("no menu")?;
        let entries = entries.iter().filter_map(|entry| {
            let label = entry["label"].as_str()?.to_owned();
            Some((entry["id"].as_u64()?, label))
        });
        Ok(Shown {
            picture: shown["picture"].as_str().unwrap_or_default().to_owned(),
            entries: entries.collect(),
        })
    }

    /// Chooses an entry of the icon's menu.
    pub fn choose(&self, label: &str) -> Result<()> {
        let shown = self.look()?;
        let entry = shown.entries.iter().find(|(_, it)| it == label);
        let (id, _) = entry.with_context(|| format!("{label:?} is not in {shown:?}"))?;
        let icon = self.icon()?;
        self.ask(&["choose", &icon.name, &icon.path, &id.to_string()])
            .map(drop)
    }

    /// The application has ended; the next one brings an icon of its own.
    pub fn forget_icon(&self) {
        *self.icon.borrow_mut() = None;
    }

    fn icon(&self) -> Result<Icon> {
        let until = Instant::now() + SOON;
        loop {
            if let Some(icon) = self.icon.borrow().clone() {
                return Ok(icon);
            }
            self.take(until).context("no icon beside the clock")?;
        }
    }

    /// Takes the next event of the bus.
    fn take(&self, until: Instant) -> Result<()> {
        let line = self.script.line(until)?.context("the bus has gone")?;
        let event: Value = serde_json::from_str(&line)?;
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        match event["kind"].as_str() {
            Some("notification") => self.notifications.borrow_mut().push(text("body")),
            Some("icon") => {
                *self.icon.borrow_mut() = Some(Icon {
                    name: text("name"),
                    path: text("path"),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let asked = self.desktop.spawn(script(arguments))?;
        let line = asked.line(Instant::now() + SOON)?;
        let line = line.with_context(|| format!("{arguments:?} has no answer"))?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn script(arguments: &[&str]) -> Command {
    // The system's own, which has the libraries of the bus.
    let mut python = Command::new("/usr/bin/python3");
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bus.py"));
    python.args(arguments);
    python
}
