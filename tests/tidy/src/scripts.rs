//! Shell scripts are strict, pass shellcheck and can be run.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::assert_clean;
use crate::tree::{self, File};

#[test]
fn scripts_are_strict_and_can_be_run() -> Result<()> {
    assert_clean(
        "scripts",
        &careless(&tree::root(), &scripts(&tree::real()))?,
    );
    Ok(())
}

#[test]
fn scripts_pass_shellcheck() -> Result<()> {
    let found = scripts(&tree::real());
    assert!(!found.is_empty(), "there are scripts");
    assert_clean("shellcheck", &checked(&tree::root(), &found)?);
    Ok(())
}

#[test]
fn a_careless_script_is_caught() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = File::new("run", "#!/usr/bin/env bash\nrm -r $1\n");
    std::fs::write(folder.path().join("run"), &script.text)?;
    let found = scripts(&[script, File::new("a.md", "#!/bin/bash")]);
    assert_eq!(found.len(), 1, "known by its first line");
    assert_eq!(
        careless(folder.path(), &found)?.len(),
        2,
        "not strict, not executable"
    );
    assert_eq!(checked(folder.path(), &found)?.len(), 1, "an unquoted name");
    Ok(())
}

/// Files that a shell runs.
fn scripts(files: &[File]) -> Vec<File> {
    let is_script = |file: &&File| {
        let first = file.text.lines().next().unwrap_or_default();
        file.extension() != "md" && first.starts_with("#!") && first.ends_with("sh")
    };
    files.iter().filter(is_script).cloned().collect()
}

fn careless(root: &Path, scripts: &[File]) -> Result<Vec<String>> {
    let mut offences = Vec::new();
    for script in scripts {
        if !script
            .text
            .lines()
            .any(|line| line.starts_with("set -euo pipefail"))
        {
            offences.push(format!("{} has no set -euo pipefail", script.path));
        }
        let mode = std::fs::metadata(root.join(&script.path))?
            .permissions()
            .mode();
        if mode & 0o111 == 0 {
            offences.push(format!("{} is not executable", script.path));
        }
    }
    Ok(offences)
}

fn checked(root: &Path, scripts: &[File]) -> Result<Vec<String>> {
    let mut offences = Vec::new();
    for script in scripts {
        let output = Command::new("shellcheck")
            .arg(root.join(&script.path))
            .output()
            .context("shellcheck runs (installer/setup-dev.sh installs it)")?;
        if !output.status.success() {
            offences.push(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    Ok(offences)
}
