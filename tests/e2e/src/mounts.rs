//! File systems of a test's own, where nobody else sees them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::somebody::is_root;

const UNSHARED: &str = "BITDUST_TEST_UNSHARED";

/// Whether the test that asks may mount now. Otherwise it is over: it was run again, and passed,
/// where it may mount what nobody else sees; or nobody but root may, and that was said.
pub fn may_mount(test: &str) -> Result<bool> {
    if std::env::var_os(UNSHARED).is_some() {
        return Ok(true);
    }
    if !is_root()? {
        eprintln!("not tried: only root can mount file systems");
        return Ok(false);
    }
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .env(UNSHARED, OsString::from("1"))
        .output()
        .context("unshare (util-linux) is needed for this test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
    let has_run = said.contains("1 passed");
    ensure!(output.status.success() && has_run, "{}", output.status);
    Ok(false)
}

/// A file system in memory that is there until this goes.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts it on a folder, with options as `size=48m`.
    pub fn tmpfs(place: PathBuf, options: &str) -> Result<Self> {
        let words = ["-t", "tmpfs", "-o", options, "none"];
        let done = Command::new("mount").args(words).arg(&place).status()?;
        ensure!(done.success(), "mount: {done}");
        Ok(Self(place))
    }

    /// The folder it is mounted on.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !done.is_ok_and(|done| done.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}
