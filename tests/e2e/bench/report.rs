//! Rows of measures, as a table for people and as JSON for programs.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

/// What one benchmark found.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was measured, in a line.
    pub(crate) title: &'static str,
    /// One measure each.
    pub(crate) rows: Vec<Row>,
}

/// A measure, perhaps beside that of a peer.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    ours: Figure,
    peer: Option<Figure>,
    bar: Option<Bar>,
}

/// What was measured, once or several times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// The middle one.
    median: f64,
    /// The smallest, where it was measured several times and is a cost.
    least: Option<f64>,
}

/// What a measure is held against, for the reader.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
    /// Not more than so many times the peer's.
    TimesPeer(f64),
}

impl Figure {
    /// Of a cost that was measured several times.
    pub(crate) fn of(measures: &[f64]) -> Self {
        let least = measures.iter().copied().min_by(f64::total_cmp);
        Self {
            median: median(measures),
            least: least.filter(|_| measures.len() > 1),
        }
    }

    /// Of something that was measured several times and is no cost.
    pub(crate) fn middle(measures: &[f64]) -> Self {
        Self::one(median(measures))
    }

    /// Of something that was measured once.
    pub(crate) const fn one(value: f64) -> Self {
        Self {
            median: value,
            least: None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.least {
            Some(least) => write!(f, "{} ({})", short(self.median), short(least)),
            None => f.write_str(&short(self.median)),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(value) => write!(f, "≤ {}", short(*value)),
            Self::AtLeast(value) => write!(f, "≥ {}", short(*value)),
            Self::TimesPeer(times) => write!(f, "≤ {} × peer", short(*times)),
        }
    }
}

impl Row {
    /// A row without a peer and without a bar.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, ours: Figure) -> Self {
        Self {
            what: what.into(),
            unit,
            ours,
            peer: None,
            bar: None,
        }
    }

    /// The same, beside what a peer took.
    pub(crate) const fn beside(mut self, peer: Figure) -> Self {
        self.peer = Some(peer);
        self
    }

    /// The same, held against a bar.
    pub(crate) const fn against(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    fn ratio(&self) -> Option<f64> {
        let peer = self.peer?.median;
        (peer > 0.0).then(|| self.ours.median / peer)
    }

    /// Whether the bar is reached, where there is one.
    fn is_reached(&self) -> Option<bool> {
        match self.bar? {
            Bar::AtMost(most) => Some(self.ours.median <= most),
            Bar::AtLeast(least) => Some(self.ours.median >= least),
            Bar::TimesPeer(times) => self.ratio().map(|ratio| ratio <= times),
        }
    }

    fn cells(&self) -> [String; 6] {
        let text = |figure: Option<Figure>| figure.map(|it| it.to_string()).unwrap_or_default();
        [
            self.what.clone(),
            self.unit.to_owned(),
            self.ours.to_string(),
            text(self.peer),
            self.ratio().map(short).unwrap_or_default(),
            self.bar.map(|bar| bar.to_string()).unwrap_or_default(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what,
            "unit": self.unit,
            "ours": self.ours.median,
            "ours_least": self.ours.least,
            "peer": self.peer.map(|it| it.median),
            "peer_least": self.peer.and_then(|it| it.least),
            "ratio": self.ratio(),
            "bar": self.bar.map(|bar| bar.to_string()),
            "bar_is_reached": self.is_reached(),
        })
    }
}

impl Report {
    /// Prints the table and writes it into a folder.
    pub(crate) fn publish(&self, folder: &Path, name: &str) -> Result<()> {
        let table = self.table();
        writeln!(std::io::stdout(), "{table}")?;
        std::fs::write(folder.join(format!("{name}.md")), table)?;
        let json = serde_json::to_string_pretty(&self.json())?;
        std::fs::write(folder.join(format!("{name}.json")), json)?;
        Ok(())
    }

    fn table(&self) -> String {
        let mut lines = format!("## {}\n\n", self.title);
        lines += "| measure | unit | BitDust | peer | BitDust / peer | bar |\n|---|---|---|---|---|---|\n";
        for row in &self.rows {
            lines += &format!("| {} |\n", row.cells().join(" | "));
        }
        lines
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({ "title": self.title, "rows": rows })
    }
}

/// The middle of some measures.
fn median(measures: &[f64]) -> f64 {
    let mut sorted = measures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn short(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
