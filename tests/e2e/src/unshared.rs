//! Tests that run where they may change what belongs to the whole machine: the test is run again in
//! namespaces of its own, where nobody else sees what it does.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

const UNSHARED: &str = "BITDUST_TEST_UNSHARED";

/// Whether this process was run again.
#[must_use]
pub fn is_unshared() -> bool {
    std::env::var_os(UNSHARED).is_some()
}

/// Runs one test of this program again, in the namespaces that these options of `unshare` name; it has to
/// pass there.
pub fn test_again(test: &str, options: &[&str]) -> Result<()> {
    let output = again(&["--exact", test, "--nocapture"], options)?
        .output()
        .context("unshare (util-linux) is needed for this test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
    let has_run = said.contains("1 passed");
    ensure!(output.status.success() && has_run, "{}", output.status);
    Ok(())
}

/// This program with other arguments, to be run in such namespaces.
pub fn again(arguments: &[&str], options: &[&str]) -> Result<Command> {
    let mut command = Command::new("unshare");
    command.args(options).arg(std::env::current_exe()?);
    command.args(arguments).env(UNSHARED, "1");
    Ok(command)
}

/// Whether whoever runs this may have such namespaces.
pub fn may_unshare(options: &[&str]) -> Result<bool> {
    let tried = Command::new("unshare").args(options).arg("true").output();
    let tried = tried.context("unshare (util-linux) is needed for this test")?;
    Ok(tried.status.success())
}
