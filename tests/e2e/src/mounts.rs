//! File systems of a test's own, where nobody else sees them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::somebody::is_root;
use crate::unshared::{is_unshared, test_again};

/// Whether the test that asks may mount now. Otherwise it is over: it was run again, and passed,
/// where it may mount what nobody else sees; or nobody but root may, and that was said.
pub fn may_mount(test: &str) -> Result<bool> {
    if is_unshared() {
        return Ok(true);
    }
    if !is_root()? {
        eprintln!("not tried: only root can mount file systems");
        return Ok(false);
    }
    test_again(test, &["--mount", "--propagation", "private"])?;
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
