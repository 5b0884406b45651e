//! What lies in folders after a crash, as `rsync` and `grep` see it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

/// Files of `copy` that also are in `source` and have other contents there. Temporary files
/// of an interrupted restore have names that no source has.
pub fn half_files(source: &Path, copy: &Path) -> Result<String> {
    let mut command = Command::new("rsync");
    command.args(["-nrc", "--existing", "--itemize-changes"]);
    for folder in [source, copy] {
        let mut folder = folder.as_os_str().to_owned();
        folder.push("/");
        command.arg(folder);
    }
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "rsync: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Files below a folder in which a text stands, or in whose path it stands; one a line.
pub fn found_below(text: &str, folder: &Path) -> Result<String> {
    let inside = Command::new("grep")
        .args(["-rlaF", "--", text])
        .arg(folder)
        .output()?;
    let code = inside.status.code();
    ensure!(
        code == Some(0) || code == Some(1),
        "grep: {}",
        String::from_utf8_lossy(&inside.stderr)
    );
    let pattern = format!("*{text}*");
    let named = Command::new("find")
        .arg(folder)
        .args(["-name", &pattern])
        .output()?;
    ensure!(
        named.status.success(),
        "find: {}",
        String::from_utf8_lossy(&named.stderr)
    );
    Ok([inside.stdout, named.stdout]
        .map(|lines| String::from_utf8_lossy(&lines).into_owned())
        .concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cut_short_is_a_half_file_and_a_missing_one_is_not() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
        for folder in [&source, &copy] {
            std::fs::create_dir_all(folder.join("inner"))?;
            std::fs::write(folder.join("inner/whole"), "whole")?;
        }
        std::fs::write(source.join("inner/missing"), "missing")?;
        std::fs::write(source.join("inner/half"), "both halves")?;
        std::fs::write(copy.join("inner/.bitdust-0123456789abcdef.part"), "both")?;
        assert_eq!(half_files(&source, &copy)?, "");
        std::fs::write(copy.join("inner/half"), "both")?;
        assert!(half_files(&source, &copy)?.contains("inner/half"));
        Ok(())
    }

    #[test]
    fn a_text_is_found_in_contents_and_in_names() -> Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(
            folder.path().join("plain"),
            [b"\0\xff", &b"canary"[..]].concat(),
        )?;
        assert_eq!(found_below("canary", folder.path())?.lines().count(), 1);
        std::fs::write(folder.path().join("a canary sings"), "")?;
        assert_eq!(found_below("canary", folder.path())?.lines().count(), 2);
        assert_eq!(found_below("cat", folder.path())?, "");
        Ok(())
    }
}
