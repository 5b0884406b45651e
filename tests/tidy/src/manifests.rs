//! Every package inherits the lints, and the lock file is part of the tree.

use toml::{Table, Value};

use crate::tree::File;

/// Keys of `[package]` that come from the workspace and nowhere else.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
/// Features that packages of ours have: descriptions of types for the window, and the window's
/// files inside the program.
const FEATURES: [(&str, &str); 2] = [
    ("crates/model/Cargo.toml", "typescript"),
    ("src-tauri/Cargo.toml", "custom-protocol"),
];

/// Manifests that do not inherit lints or the common keys, or are not TOML.
#[must_use]
pub fn unruly(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.name() == "Cargo.toml") {
        let Ok(manifest) = file.text.parse::<Table>() else {
            offences.push(format!("{} is not TOML", file.path));
            continue;
        };
        let Some(package) = manifest.get("package") else {
            continue; // the root of the workspace
        };
        if !inherits(manifest.get("lints")) {
            offences.push(format!("{} does not inherit the lints", file.path));
        }
        for key in INHERITED.iter().filter(|key| !inherits(package.get(key))) {
            offences.push(format!("{} does not inherit {key}", file.path));
        }
    }
    offences
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

/// Features of our packages that are not known here. A rule is never put back by a switch in
/// what is shipped, not even by one that is off: old rules live in tests and in the simulator.
#[must_use]
pub fn switches(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.name() == "Cargo.toml") {
        let manifest = file.text.parse::<Table>().unwrap_or_default();
        let features = manifest.get("features").and_then(Value::as_table);
        for feature in features.into_iter().flat_map(Table::keys) {
            if !FEATURES.contains(&(file.path.as_str(), feature)) {
                offences.push(format!("{} has a feature {feature}", file.path));
            }
        }
    }
    offences
}

/// Says what is wrong with the lock file, if anything.
#[must_use]
pub fn lock_offences(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    if !files.iter().any(|file| file.path == "Cargo.lock") {
        offences.push("Cargo.lock is missing".to_owned());
    }
    let ignores = files.iter().filter(|file| file.name() == ".gitignore");
    for file in ignores {
        if file
            .text
            .lines()
            .any(|line| line.trim().ends_with("Cargo.lock"))
        {
            offences.push(format!("{} keeps Cargo.lock out of the tree", file.path));
        }
    }
    offences
}

/// Bans of the root's `clippy.toml` that the engine's, which replaces it, lacks.
#[must_use]
pub fn unrepeated_bans(root: &str, engine: &str) -> Vec<String> {
    let engine = banned_paths(engine);
    let mut offences = banned_paths(root);
    offences.retain(|path| !engine.contains(path));
    offences
}

fn banned_paths(text: &str) -> Vec<String> {
    let table: Table = text.parse().unwrap_or_default();
    let lists = ["disallowed-methods", "disallowed-types"].map(|key| table.get(key));
    let entries = lists
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten();
    let paths = entries.filter_map(|entry| entry.get("path").and_then(Value::as_str));
    paths.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree};

    const GOOD: &str = "[package]\nname = \"x\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\
        [lints]\nworkspace = true\n";

    #[test]
    fn every_package_inherits_from_the_workspace() {
        assert_clean("manifests", &unruly(&tree::real()));
    }

    #[test]
    fn what_is_shipped_has_no_switches() {
        assert_clean("features", &switches(&tree::real()));
    }

    #[test]
    fn a_switch_is_caught() {
        let check = |path: &str, expected: usize| {
            let text = format!("{GOOD}[features]\ncustom-protocol = []\n");
            let offences = switches(&[File::new(path, &text)]);
            assert_eq!(offences.len(), expected, "{offences:?}");
        };
        check("src-tauri/Cargo.toml", 0);
        check("crates/x/Cargo.toml", 1);
    }

    #[test]
    fn the_lock_file_is_part_of_the_tree() {
        assert_clean("lock file", &lock_offences(&tree::real()));
    }

    #[test]
    fn the_engine_repeats_the_bans_of_the_root() -> anyhow::Result<()> {
        let read = |path: &str| std::fs::read_to_string(tree::root().join(path));
        let (root, engine) = (read("clippy.toml")?, read("crates/engine/clippy.toml")?);
        assert!(!banned_paths(&root).is_empty(), "the root bans something");
        assert_clean("bans of the engine", &unrepeated_bans(&root, &engine));
        Ok(())
    }

    #[test]
    fn a_ban_that_is_not_repeated_is_caught() {
        let root = "disallowed-methods = [{ path = \"a::b\" }, { path = \"a::c\" }]";
        let engine = "disallowed-methods = [{ path = \"a::b\" }]";
        assert!(unrepeated_bans(root, root).is_empty(), "repeated");
        assert_eq!(unrepeated_bans(root, engine), ["a::c"], "forgotten");
    }

    #[test]
    fn a_package_with_rules_of_its_own_is_caught() {
        check(GOOD, 0);
        check("[workspace]\nmembers = []", 0);
        check("[package", 1);
        check(
            &GOOD.replace(
                "[lints]\nworkspace = true",
                "[lints.clippy]\ntodo = \"allow\"",
            ),
            1,
        );
        check(
            &GOOD.replace("edition.workspace = true", "edition = \"2018\""),
            1,
        );
    }

    #[test]
    fn a_missing_or_ignored_lock_file_is_caught() {
        let lock = File::new("Cargo.lock", "");
        assert_eq!(lock_offences(&[]).len(), 1, "missing");
        assert!(
            lock_offences(std::slice::from_ref(&lock)).is_empty(),
            "there"
        );
        assert_eq!(
            lock_offences(&[lock, File::new(".gitignore", "/target\n/Cargo.lock")]).len(),
            1,
            "ignored"
        );
    }

    fn check(text: &str, expected: usize) {
        let offences = unruly(&[File::new("crates/x/Cargo.toml", text)]);
        assert_eq!(offences.len(), expected, "{offences:?}");
    }
}
