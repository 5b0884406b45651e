//! Tests that need file systems of their own. Each runs itself again where these are mounted,
//! seen by it alone.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bitdust_model::ErrorCode;
use bitdust_source::{FileStart, FileWanted, RestoreOptions, RestoreTarget};

use crate::support::{Outcome, codes, meta, path, ran_the_test};

const MOUNTED: &str = "BITDUST_TEST_MOUNTED";

/// Where the file systems are; nothing where the test has run again already. `script` mounts
/// them below `$1`.
pub(crate) fn where_mounted(
    test: &str,
    script: &str,
) -> Result<Option<PathBuf>, Box<dyn std::error::Error>> {
    if let Some(root) = std::env::var_os(MOUNTED) {
        return Ok(Some(PathBuf::from(root)));
    }
    let root = tempfile::tempdir()?;
    let script = format!("{script} && exec \"$2\" --exact \"$3\" --nocapture");
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--map-root-user", "--pid", "--fork"]);
    }
    let output = command
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(root.path())
        .arg(std::env::current_exe()?)
        .arg(test)
        .env(MOUNTED, root.path())
        .output()
        .map_err(|error| format!("unshare (util-linux) is needed for this test: {error}"))?;
    ran_the_test(&output);
    Ok(None)
}

#[test]
fn names_of_one_file_on_two_disks_come_back_as_one_file_on_each_and_that_is_said() -> Outcome {
    let script = "mkdir \"$1/disk\" && mount -t tmpfs none \"$1/disk\"";
    let test =
        "mounted::names_of_one_file_on_two_disks_come_back_as_one_file_on_each_and_that_is_said";
    let Some(root) = where_mounted(test, script)? else {
        return Ok(());
    };
    let report = restore_names(&root, &["a", "b", "disk/c", "disk/d"])?;
    let problems = report.problems.listed;
    let said: Vec<_> = problems
        .iter()
        .map(|problem| (as_path(&problem.path), problem.code))
        .collect();
    let apart = (root.join("disk/c"), ErrorCode::NotAllowed);
    assert_eq!(said, [apart], "{problems:?}");
    assert_eq!(report.files_written, 4);
    assert_eq!(names(&root, "a")?, 2, "a and b are one file");
    assert_eq!(names(&root, "disk/c")?, 2, "c and d are one file");
    for name in ["a", "b", "disk/c", "disk/d"] {
        assert_eq!(fs::read(root.join(name))?, BYTES, "{name}");
    }
    Ok(())
}

#[test]
fn a_file_of_more_names_than_the_disk_can_give_it_comes_back_as_several() -> Outcome {
    /// What ext4 gives to one file.
    const NAMES_MAX: u64 = 65_000;
    let script = "truncate -s 64M \"$1/image\" && mkfs.ext4 -q -N 1024 \"$1/image\" \
                  && mkdir \"$1/disk\" && mount -o loop \"$1/image\" \"$1/disk\"";
    let test = "mounted::a_file_of_more_names_than_the_disk_can_give_it_comes_back_as_several";
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tried: only root can mount a disk");
        return Ok(());
    }
    let Some(root) = where_mounted(test, script)? else {
        return Ok(());
    };
    let wanted: Vec<String> = (0..=NAMES_MAX)
        .map(|number| format!("disk/{number}"))
        .collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let report = restore_names(&root, &wanted)?;
    let codes = codes(&report);
    assert_eq!(codes, [ErrorCode::NotAllowed], "{:?}", report.problems);
    assert_eq!(report.files_written, NAMES_MAX + 1);
    assert_eq!(names(&root, "disk/0")?, NAMES_MAX);
    assert_eq!(fs::read(root.join(format!("disk/{NAMES_MAX}")))?, BYTES);
    Ok(())
}

const BYTES: &[u8] = b"one file";

/// Restores names of one file.
fn restore_names(
    root: &Path,
    names: &[&str],
) -> Result<bitdust_source::RestoreReport, Box<dyn std::error::Error>> {
    let mut target = RestoreTarget::open(root, RestoreOptions::default())?;
    let meta = meta(0o644, 5);
    for name in names {
        let wanted = FileWanted {
            size: BYTES.len() as u64,
            meta: &meta,
            is_sparse: false,
            link_group: Some(7),
        };
        let mut start = target.begin_file(&path(name), wanted);
        if let FileStart::Later = start {
            target.flush();
            start = target.begin_file(&path(name), wanted);
        }
        if let FileStart::Write(mut writer) = start {
            writer.write_at(0, BYTES)?;
            let _the_report_knows = target.finish_file(writer, &meta);
        }
    }
    Ok(target.finish())
}

fn names(root: &Path, name: &str) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(fs::metadata(root.join(name))?.nlink())
}

fn as_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
