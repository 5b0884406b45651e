//! The engine and its stories know no clock, file, socket, thread or chance.
//!
//! The linter bans single functions there; this rule bans whole modules, by any
//! spelling. It is what makes a run of the simulator replay from its seed.

use crate::code::Spot;
use crate::tree::RustFile;

/// Modules that reach outside.
const MODULES: [&str; 6] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
];
/// Crates that bring time, chance or IO.
const CRATES: [&str; 5] = ["tokio", "rand", "getrandom", "futures", "fastrand"];
/// Types whose value or order differs from run to run.
const TYPES: [&str; 5] = ["Instant", "SystemTime", "HashMap", "HashSet", "RandomState"];
/// Where the rule holds; test modules of crates are free, stories are not.
const PURE_CRATES: [&str; 2] = ["crates/engine/src/", "crates/sim/src/"];
const STORIES: &str = "tests/sim/";
/// A story may read which seed to replay.
const FREE_FOR_STORIES: &str = "std::env";

/// Impure paths in pure places.
#[must_use]
pub fn impure(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files {
        let path = &rust.file.path;
        let is_story = path.starts_with(STORIES);
        let is_pure_crate = PURE_CRATES.iter().any(|start| path.starts_with(start));
        for spot in &rust.code.paths {
            let is_test = rust.is_test || spot.is_test;
            let applies = is_story || (is_pure_crate && !is_test);
            if applies && reaches_outside(spot) && !(is_story && spot.is_below(FREE_FOR_STORIES)) {
                offences.push(format!("{path}:{} {} is not pure", spot.line, spot.path));
            }
        }
    }
    offences
}

fn reaches_outside(spot: &Spot) -> bool {
    MODULES.iter().any(|module| spot.is_below(module))
        || CRATES
            .iter()
            .any(|name| spot.path.starts_with(&format!("{name}::")))
        || spot
            .path
            .split("::")
            .any(|segment| TYPES.contains(&segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn the_engine_and_the_stories_reach_nothing_outside() {
        assert_clean("purity", &impure(&tree::real_rust()));
    }

    #[test]
    fn an_impure_path_is_caught() {
        let engine = "crates/engine/src/a.rs";
        let story = "tests/sim/tests/a.rs";
        let rows = [
            (engine, "use std::{fs, collections::BTreeMap};", 1),
            (engine, "fn a() { std::net::TcpStream::connect(b); }", 1),
            (engine, "use std::time::{Duration, Instant, SystemTime};", 2),
            (engine, "use std::collections::HashMap;", 1),
            (engine, "fn a() -> u8 { rand::random() }", 1),
            (engine, "#[tokio::main] async fn a() {}", 1),
            (engine, "fn rand(seed: u64) { let tokio = 1; }", 0),
            (engine, "#[cfg(test)] mod tests { use std::fs; }", 0),
            (engine, "use std::env;", 1),
            (story, "#[test] fn a() { std::time::Instant::now(); }", 1),
            (story, "#[test] fn a() { std::env::var(b); }", 0),
            ("crates/store/src/a.rs", "use std::fs;", 0),
        ];
        for (path, text, expected) in rows {
            let files = tree::rust_files(&[File::new(path, text)]).expect("the twin is Rust");
            let offences = impure(&files);
            assert_eq!(offences.len(), expected, "{path}: {text}: {offences:?}");
        }
    }
}
