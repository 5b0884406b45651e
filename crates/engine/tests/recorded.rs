//! Runs of real nodes, recorded once and played again: the same inputs give the same outputs.
//!
//! Each file of `tests/fixtures/traces` is a run as `--trace` wrote it, behind a line with the
//! clocks of its home. Idle wake-ups are left out.

use std::path::PathBuf;

use bitdust_engine::trace::{Coverage, TraceLine, replay};
use bitdust_model::Policy;

/// A run.
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
            Recording {
                name: path.display().to_string(),
                policy: serde_json::from_str(policy).expect("clocks"),
                lines: lines
                    .lines()
                    .map(|line| serde_json::from_str(line).expect("a line of a trace"))
                    .collect(),
            }
        })
        .collect()
}

#[test]
fn recorded_runs_play_again() {
    let mut coverage = Coverage::default();
    for Recording {
        name,
        policy,
        lines,
    } in recordings()
    {
        match replay(policy, &lines) {
            Ok(steps) => coverage.transitions.extend(steps.transitions),
            Err(divergence) => panic!("{name}: {divergence}"),
        }
    }
    let kinds = coverage.transitions.len();
    assert!(kinds > 100, "only {kinds} kinds of steps are recorded");
}

#[test]
fn a_recording_with_another_outcome_does_not() {
    for Recording {
        name,
        policy,
        mut lines,
    } in recordings()
    {
        let spoken = lines.iter_mut().rev().find(|line| !line.outputs.is_empty());
        spoken
            .expect("an engine that asks for something")
            .outputs
            .pop();
        assert!(replay(policy, &lines).is_err(), "{name}");
    }
}
