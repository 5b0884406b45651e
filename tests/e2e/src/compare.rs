//! `rsync` as a witness of whether two folders are the same.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What `rsync` would change to make `copy` the same as `source`: bytes by checksum, modes,
/// modification times to the nanosecond, links, and what should not be there. Nothing where
/// the two are the same.
pub fn differences(source: &Path, copy: &Path) -> Result<String> {
    compare("-nrlptc", source, copy)
}

/// The same for all that `rsync` can compare: owners, groups, devices, further names, ACLs and
/// extended attributes too. Only root sees all of it.
pub fn all_differences(source: &Path, copy: &Path) -> Result<String> {
    compare("-nrlptgoDHAXc", source, copy)
}

fn compare(what: &str, source: &Path, copy: &Path) -> Result<String> {
    let mut command = Command::new("rsync");
    command.args([what, "--modify-window=-1", "--delete", "--itemize-changes"]);
    for folder in [source, copy] {
        ensure!(folder.is_dir(), "{} is no folder", folder.display());
        let mut folder = folder.as_os_str().to_owned();
        folder.push("/");
        command.arg(folder);
    }
    let output = command.output().context("rsync cannot be run")?;
    ensure!(
        output.status.success(),
        "rsync: {} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
