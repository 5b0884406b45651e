//! What a node's engine was told and what it decided, as the node wrote it down (`--trace`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
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

/// Answers of shards whose supplier is or was away, each of which was asked for by itself.
const OF_A_SHARD: [&str; 4] = ["SendFailed", "ShardSpooled", "SpoolFailed", "SpoolLoaded"];

/// Checks that a node's engine was entered for each pack when it was sealed and when it was
/// committed, and otherwise only for batches of receipts; gives the number of packs.
pub fn check_entries(lines: &[TraceLine]) -> Result<usize> {
    let (mut open, mut packs) = (BTreeMap::<String, Vec<String>>::new(), 0);
    for TraceLine { input, .. } in lines {
        let input = serde_json::to_value(input)?;
        let Some((name, of)) = input.as_object().and_then(|input| input.iter().next()) else {
            continue;
        };
        if of["pack"].is_null() || OF_A_SHARD.contains(&name.as_str()) {
            continue;
        }
        let pack = of["pack"].to_string();
        open.entry(pack.clone()).or_default().push(name.clone());
        if name == "PackCommitted" {
            let entered = open.remove(&pack).unwrap_or_default();
            ensure!(
                entered == ["PackSealed", "PackCommitted"],
                "{pack}: {entered:?}"
            );
            packs += 1;
        }
    }
    Ok(packs)
}
