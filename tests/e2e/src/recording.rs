//! What a node's engine was told and what it decided, as the node wrote it down (`--trace`).

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use bitdust_engine::trace::TraceLine;

/// Whole lines of a trace; the last may be in the making.
pub fn read_trace(trace: &Path) -> Result<Vec<TraceLine>> {
    let mut reader = BufReader::new(File::open(trace)?);
    let mut lines = vec![];
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
        lines.push(serde_json::from_str(&line).with_context(|| line.clone())?);
        line.clear();
    }
    Ok(lines)
}
