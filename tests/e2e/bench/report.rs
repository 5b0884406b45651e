//! Rows of measures, as a table for people and as JSON for programs.

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

/// A measure beside that of a peer.
#[derive(Debug)]
pub(crate) struct Row {
    /// What it is.
    pub(crate) what: String,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Ours; the median where it was measured several times.
    pub(crate) ours: f64,
    /// The peer's, where there is one.
    pub(crate) peer: Option<f64>,
    /// The value that ours has to reach, for the reader.
    pub(crate) bar: Option<f64>,
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
            let cells = [
                row.what.clone(),
                row.unit.to_owned(),
                figure(Some(row.ours)),
                figure(row.peer),
                figure(row.ratio()),
                figure(row.bar),
            ];
            lines += &format!("| {} |\n", cells.join(" | "));
        }
        lines
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "what": row.what,
                "unit": row.unit,
                "ours": row.ours,
                "peer": row.peer,
                "ratio": row.ratio(),
                "bar": row.bar,
            })
        });
        json!({ "title": self.title, "rows": rows.collect::<Vec<_>>() })
    }
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.peer
            .filter(|peer| *peer > 0.0)
            .map(|peer| self.ours / peer)
    }
}

/// The middle of some measures.
pub(crate) fn median(mut measures: Vec<f64>) -> f64 {
    measures.sort_by(f64::total_cmp);
    measures
        .get(measures.len() / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}
