//! The ways to the tests, `.ci/run` and `make test`, on a machine of stand-ins.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::machine::Machine;

const WORKSPACE: &str =
    "--workspace --lib --bins --tests --features bitdust-desktop/custom-protocol";
const FEATURES: &str = "--features bitdust-desktop/custom-protocol";
/// Whose ignored tests belong to `make test-long`.
const FULL: &str = "package(bitdust-e2e-tests) | package(bitdust-protocol-model)";

#[test]
fn ci_runs_every_part_once() -> Result<()> {
    let machine = machine_with_cargo("if read -r; then exit 9; fi")?;
    let run = machine.run_script("tree/.ci/run")?;
    assert!(
        run.done,
        "standard input is empty, and nothing failed: {run:?}"
    );
    let expected = [
        "npm ci --no-audit --no-fund".to_owned(),
        "cargo fetch --locked".to_owned(),
        "npm run build".to_owned(),
        "npm run check".to_owned(),
        "npm test".to_owned(),
        "npm run e2e".to_owned(),
        "cargo fmt --all --check".to_owned(),
        format!("cargo clippy --workspace --all-targets {FEATURES} --locked -- -D warnings"),
        format!("cargo test --no-run {WORKSPACE} --locked"),
        "cargo nextest --version".to_owned(),
        format!("cargo nextest run --workspace {FEATURES} --locked --profile ci"),
        format!("cargo test --workspace --doc --quiet {FEATURES} --locked"),
        "installer/package.sh dev".to_owned(),
        "installer/test-package.sh dev".to_owned(),
    ];
    let mut calls = run.calls.clone();
    // Whatever comes again changes nothing: the window is built and crates are fetched once.
    let mut seen = std::collections::BTreeSet::new();
    calls.retain(|call| seen.insert(call.clone()));
    assert_eq!(calls, expected, "cheap checks come first");
    let builds = run.calls.iter().filter(|call| *call == "npm run build");
    assert_eq!(
        builds.count(),
        1,
        "a window built anew is a program built anew"
    );
    for part in ["fetch", "test-ui", "test-rust", "test-package"] {
        let line = format!(" s {part}\n");
        assert!(run.text.contains(&line), "where the time goes: {run:?}");
    }
    Ok(())
}

#[test]
fn the_long_tests_are_all_tests_at_full_size() -> Result<()> {
    let machine = machine_with_cargo("")?;
    machine.write("tree/long", "cd \"${0%/*}\" && exec make test-long")?;
    let run = machine.run_script("tree/long")?;
    assert!(run.done, "{run:?}");
    let long =
        |rest: &str| format!("cargo nextest run --workspace {FEATURES} --profile long {rest}");
    for call in [
        "npm run e2e".to_owned(),
        long(&format!("--run-ignored all -E {FULL}")),
        long(&format!("-E not ({FULL})")),
        format!("cargo test --workspace --doc --quiet {FEATURES}"),
        "installer/package.sh release".to_owned(),
        "installer/test-package.sh release".to_owned(),
    ] {
        assert!(run.calls.contains(&call), "{call}: {run:?}");
    }
    // The window's feature is unknown to a part of the workspace: cargo refuses it there.
    for call in run.calls.iter().filter(|call| call.contains(FEATURES)) {
        assert!(call.contains(" --workspace "), "{call}");
    }
    Ok(())
}

#[test]
fn a_run_that_fails_says_where_the_time_went() -> Result<()> {
    let machine = machine_with_cargo("case $1 in clippy) exit 1 ;; esac")?;
    let run = machine.run_script("tree/.ci/run")?;
    assert!(!run.done);
    assert!(run.text.contains(" s test-ui\n"), "{run:?}");
    Ok(())
}

#[test]
fn ci_begins_with_empty_caches_of_its_own() -> Result<()> {
    let machine = machine_with_cargo(
        "echo \"crates in $CARGO_HOME, built in $CARGO_TARGET_DIR\"
        case $1 in fetch) ls \"$CARGO_HOME\"; touch \"$CARGO_HOME/crate\" ;; esac",
    )?;
    machine.lend("ls")?;
    let kept = machine.path("home/.cache/bitdust");
    machine.write("home/.cache/bitdust/ci/cargo/from-last-time", "")?;
    machine.write("home/.cache/bitdust/ci/npm/from-last-time", "")?;
    machine.write("home/.cache/bitdust/target/from-last-time", "")?;
    let run = machine.run_script("tree/.ci/run")?;
    assert!(run.done, "{run:?}");
    let line = format!(
        "crates in {}, built in {}",
        kept.join("ci/cargo").display(),
        kept.join("target").display()
    );
    assert!(run.text.contains(&line), "{run:?}");
    assert!(!run.text.contains("from-last-time"), "{run:?}");
    assert!(!kept.join("ci/npm/from-last-time").exists(), "emptied");
    assert!(kept.join("ci/cargo/crate").exists(), "what came is used");
    assert!(kept.join("target/from-last-time").exists(), "builds stay");
    Ok(())
}

#[test]
fn ci_builds_where_it_built_before_and_touches_only_what_has_changed() -> Result<()> {
    let machine = machine_with_cargo("")?;
    machine.write("tree/same", "same")?;
    machine.write("tree/changed", "before")?;
    machine.write("tree/.git/config", "")?;
    assert!(machine.run_script("tree/.ci/run")?.done);
    let built = machine.path("home/.cache/bitdust/tree");
    let time = |name: &str| fs::metadata(built.join(name))?.modified();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["same", "changed", "gone"] {
        fs::File::create_new(built.join(name))
            .or_else(|_| fs::File::options().append(true).open(built.join(name)))?
            .set_modified(old)?;
    }
    // The next clone: all files are new, whatever is in them.
    machine.write("tree/same", "same")?;
    machine.write("tree/changed", "afterw")?;
    assert!(machine.run_script("tree/.ci/run")?.done);
    assert_eq!(time("same")?, old, "its time says that it is the same");
    assert!(time("changed")? > old, "its time says that it has changed");
    assert_eq!(fs::read_to_string(built.join("changed"))?, "afterw");
    assert!(!built.join("gone").exists(), "what the clone lacks is gone");
    assert!(!built.join(".git").exists());
    Ok(())
}

#[test]
fn a_failing_step_fails_the_run() -> Result<()> {
    for step in [
        "fetch",
        "fmt",
        "clippy",
        "'test --no-run'",
        "'nextest run'",
        "'test --workspace --doc'",
    ] {
        let machine = machine_with_cargo(&format!("case \"$*\" in {step}*) exit 1 ;; esac"))?;
        assert!(!machine.run_script("tree/.ci/run")?.done, "{step} failed");
    }
    Ok(())
}

#[test]
fn without_nextest_cargo_runs_the_tests() -> Result<()> {
    let machine = machine_with_cargo("case $1 in nextest) exit 101 ;; esac")?;
    let run = machine.run_script("tree/.ci/run")?;
    assert!(run.done, "{run:?}");
    let expected = format!("cargo test {WORKSPACE} --locked");
    assert!(run.calls.contains(&expected), "{run:?}");
    Ok(())
}

fn machine_with_cargo(body: &str) -> Result<Machine> {
    let machine = Machine::ready()?;
    machine.lend("make")?;
    machine.lend("sh")?;
    machine.lend("touch")?;
    machine.lend("date")?;
    machine.remove(&["rsync"])?;
    machine.lend("rsync")?;
    machine.lend("find")?;
    machine.write("tree/ui/package.json", "{}")?;
    machine.write("tree/ui/package-lock.json", "{}")?;
    machine.command("node", "echo v22.20.0")?;
    machine.stand_in(
        "npm",
        "case $* in ci*) mkdir -p node_modules ;; 'run build') mkdir -p dist && touch dist/index.html ;; esac",
    )?;
    machine.stand_in("cargo", body)?;
    machine.command("debootstrap", "")?;
    machine.stand_in_script("installer/package.sh")?;
    machine.stand_in_script("installer/test-package.sh")?;
    Ok(machine)
}
