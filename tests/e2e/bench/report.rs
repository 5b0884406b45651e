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
    /// What it is measured beside, as the heads of the columns say; bars are of the first.
    pub(crate) peers: &'static [&'static str],
    /// One measure each.
    pub(crate) rows: Vec<Row>,
}

/// The one peer that a title names.
pub(crate) const ONE_PEER: &[&str] = &["peer"];

/// A measure, perhaps beside those of peers.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    ours: Figure,
    peers: Vec<Figure>,
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
            peers: Vec::new(),
            bar: None,
        }
    }

    /// The same, beside what the next peer took.
    pub(crate) fn beside(mut self, peer: Figure) -> Self {
        self.peers.push(peer);
        self
    }

    /// The same, held against a bar.
    pub(crate) const fn against(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    /// Ours by that of a peer.
    fn ratio(&self, peer: usize) -> Option<f64> {
        let peer = self.peers.get(peer)?.median;
        (peer > 0.0).then(|| self.ours.median / peer)
    }

    /// Whether the bar is reached, where there is one.
    fn is_reached(&self) -> Option<bool> {
        match self.bar? {
            Bar::AtMost(most) => Some(self.ours.median <= most),
            Bar::AtLeast(least) => Some(self.ours.median >= least),
            Bar::TimesPeer(times) => self.ratio(0).map(|ratio| ratio <= times),
        }
    }

    fn cells(&self, peers: usize) -> Vec<String> {
        let figures = (0..peers).map(|peer| self.peers.get(peer).map(Figure::to_string));
        let ratios = (0..peers).map(|peer| self.ratio(peer).map(short));
        let mut cells = vec![
            self.what.clone(),
            self.unit.to_owned(),
            self.ours.to_string(),
        ];
        cells.extend(figures.chain(ratios).map(Option::unwrap_or_default));
        cells.push(self.bar.map(|bar| bar.to_string()).unwrap_or_default());
        cells
    }

    fn json(&self, names: &[&str]) -> Value {
        let peers = names.iter().zip(&self.peers).enumerate();
        let peers: Vec<Value> = peers
            .map(|(at, (name, figure))| {
                json!({
                    "name": name,
                    "median": figure.median,
                    "least": figure.least,
                    "ratio": self.ratio(at),
                })
            })
            .collect();
        json!({
            "what": self.what,
            "unit": self.unit,
            "ours": self.ours.median,
            "ours_least": self.ours.least,
            "peers": peers,
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
        let peers = self.peers.iter();
        let ratios = peers.clone().map(|peer| format!("BitDust / {peer}"));
        let mut heads: Vec<String> = ["measure", "unit", "BitDust"].map(str::to_owned).into();
        heads.extend(peers.map(|&peer| peer.to_owned()).chain(ratios));
        heads.push("bar".to_owned());
        let mut lines = format!("## {}\n\n| {} |\n", self.title, heads.join(" | "));
        lines += &format!("|{}\n", "---|".repeat(heads.len()));
        for row in &self.rows {
            lines += &format!("| {} |\n", row.cells(self.peers.len()).join(" | "));
        }
        lines
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| row.json(self.peers)).collect();
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
