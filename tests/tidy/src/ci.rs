//! The doors to the tests, `.ci/run` and `make test`, on a machine of stand-ins.

use anyhow::Result;

use crate::machine::Machine;

#[test]
fn ci_checks_form_first_and_builds_outside_of_the_clone() -> Result<()> {
    let machine = machine_with_cargo("echo \"$CARGO_TARGET_DIR\"; if read -r; then exit 9; fi")?;
    let run = machine.run_script("tree/.ci/run")?;
    assert!(
        run.done,
        "standard input is empty, and nothing failed: {run:?}"
    );
    let expected = [
        "npm ci --no-audit --no-fund",
        "npm run build",
        "npm run check",
        "npm test",
        "npm run e2e",
        "cargo fetch --locked",
        "cargo fmt --all --check",
        "cargo clippy --workspace --all-targets --locked -- -D warnings",
        "cargo nextest --version",
        "cargo nextest run --workspace --locked --profile ci",
        "cargo test --workspace --doc --quiet --locked",
        "npm run build",
        "installer/package.sh ",
        "installer/test-package.sh ",
    ];
    assert_eq!(
        run.calls, expected,
        "what is in the window first, as the program holds it; then cheap checks"
    );
    let target = machine.path("home/.cache/bitdust/target");
    assert!(run.text.contains(&*target.to_string_lossy()), "{run:?}");
    Ok(())
}

#[test]
fn a_failing_step_fails_the_run() -> Result<()> {
    for step in ["fmt", "clippy", "'nextest run'", "'test --workspace --doc'"] {
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
    let expected = "cargo test --workspace --lib --bins --tests --locked";
    assert!(run.calls.iter().any(|call| call == expected), "{run:?}");
    Ok(())
}

fn machine_with_cargo(body: &str) -> Result<Machine> {
    let machine = Machine::ready()?;
    machine.lend("make")?;
    machine.lend("sh")?;
    machine.lend("touch")?;
    machine.write("tree/ui/package.json", "{}")?;
    machine.write("tree/ui/package-lock.json", "{}")?;
    machine.command("node", "echo v22.20.0")?;
    machine.stand_in("npm", "mkdir -p node_modules")?;
    machine.stand_in("cargo", body)?;
    machine.command("debootstrap", "")?;
    machine.stand_in_script("installer/package.sh")?;
    machine.stand_in_script("installer/test-package.sh")?;
    Ok(machine)
}
