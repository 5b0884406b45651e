//! `strace` as a witness of which files a program opens.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::machine::{Order, Reply};

/// Runs a command under `strace` and gives the regular files below `folder` that it opened,
/// as paths relative to it. Paths have to be plain text. Directories are not in it.
pub fn opened_files(
    order: Order<'_>,
    folder: &Path,
    log: &Path,
) -> Result<(Reply, BTreeSet<PathBuf>)> {
    let log_text = log.to_str().context("the path of the log is no text")?;
    let calls = "trace=open,openat,openat2,creat";
    // -y shows the path of every descriptor, so that openat below a folder is seen as well.
    let reply = order
        .through(&[
            "strace", "-f", "-y", "-s", "4096", "-e", calls, "-o", log_text,
        ])
        .run()?;
    let text = std::fs::read_to_string(log)?;
    let below = |path: &Path| path.strip_prefix(folder).map(Path::to_owned).ok();
    let opened = text.lines().filter_map(opened_path);
    let files = opened
        .filter(|path| !path.is_dir())
        .filter_map(|path| below(&path))
        .collect();
    Ok((reply, files))
}

/// The path that a line of `strace -y` says was opened: the one of the new descriptor.
fn opened_path(line: &str) -> Option<PathBuf> {
    let (_, result) = line.rsplit_once(" = ")?;
    let (_, path) = result.trim_end().strip_suffix('>')?.split_once('<')?;
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_descriptor_names_the_file() {
        let check = |line: &str, path: Option<&str>| {
            assert_eq!(opened_path(line).as_deref(), path.map(Path::new), "{line}");
        };
        check(
            r#"12 openat(5</t/a>, "b", O_RDONLY|O_CLOEXEC) = 7</t/a/b>"#,
            Some("/t/a/b"),
        );
        check(
            r#"12 openat(AT_FDCWD</t>, "/x", O_RDONLY) = -1 ENOENT (No such file)"#,
            None,
        );
        check(r"12 <... openat resumed>) = 9</t/c d>", Some("/t/c d"));
        check("12 +++ exited with 0 +++", None);
    }
}
