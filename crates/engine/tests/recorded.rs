//! Runs of real nodes, recorded once and played again: the same inputs give the same outputs.
//!
//! Each file of `tests/fixtures/traces` is a run as `--trace` wrote it, behind a line with the
//! clocks of its home. Idle wake-ups are left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bitdust_engine::trace::{Coverage, TraceLine, replay};
use bitdust_model::Policy;
use serde_json::json;

/// A run as it was recorded.
struct Recording {
    name: String,
    policy: Policy,
    lines: Vec<TraceLine>,
}

#[expect(clippy::disallowed_methods, reason = "a test that reads its fixtures")]
fn recordings() -> Vec<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/traces");
    let entries = std::fs::read_dir(folder).expect("the recordings are there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable file");
            let (policy, lines) = text.split_once('\n').expect("clocks come first");
            let line = |line| serde_json::from_str(line).expect("a line");
            Recording {
                name: path.display().to_string(),
                policy: serde_json::from_str(policy).expect("clocks"),
                lines: lines.lines().map(line).collect(),
            }
        })
        .collect()
}

#[test]
fn recorded_runs_play_again() {
    let mut coverage = Coverage::default();
    for recording in recordings() {
        match replay(recording.policy, &recording.lines) {
            Ok(steps) => coverage.transitions.extend(steps.transitions),
            Err(divergence) => panic!("{}: {divergence}", recording.name),
        }
    }
    let kinds = coverage.transitions.len();
    assert!(kinds > 100, "only {kinds} kinds of steps are recorded");
}

#[test]
fn a_recording_with_another_outcome_does_not() {
    for mut recording in recordings() {
        let mut lines = recording.lines.iter_mut().rev();
        let spoken = lines.find(|line| !line.outputs.is_empty());
        let spoken = spoken.expect("an engine that asks for something");
        spoken.outputs.pop();
        let played = replay(recording.policy, &recording.lines);
        assert!(played.is_err(), "{}", recording.name);
    }
}

/// Answers of shards whose supplier is or was away, each of which was asked for by itself.
const OF_A_SHARD: [&str; 4] = ["SendFailed", "ShardSpooled", "SpoolFailed", "SpoolLoaded"];

/// With what an engine was entered for each pack that it saw committed, from the first input that
/// names the pack to that one. Receipts name several, and come in batches.
fn entries(recording: &Recording) -> Vec<Vec<String>> {
    let (mut open, mut committed) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for TraceLine { input, .. } in &recording.lines {
        let input = json!(input);
        let Some((name, of)) = input.as_object().and_then(|input| input.iter().next()) else {
            continue;
        };
        if of["pack"].is_null() {
            continue;
        }
        let pack = of["pack"].to_string();
        open.entry(pack.clone()).or_default().push(name.clone());
        if name == "PackCommitted" {
            committed.extend(open.remove(&pack));
        }
    }
    committed
}

/// More than that would slow down a backup of many packs: it is the only thing of which there is
/// one for each of them.
#[test]
fn a_pack_enters_the_engine_when_it_is_sealed_and_when_it_is_committed() {
    let mut undisturbed = 0;
    for recording in recordings() {
        for mut entered in entries(&recording) {
            let all = entered.len();
            entered.retain(|name| !OF_A_SHARD.contains(&name.as_str()));
            undisturbed += usize::from(entered.len() == all);
            let name = &recording.name;
            assert_eq!(entered, ["PackSealed", "PackCommitted"], "{name}");
        }
    }
    assert!(undisturbed > 10, "{undisturbed} packs met no trouble");
}
