//! Reading one file: changes, disappearances and exchanges while it is done.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use bitdust_model::ErrorCode;
use bitdust_source::{FileError, FileReader, FolderHandle, Stamp, open_file};

use crate::support::{Outcome, make_fifo, path, set_times, write};

const NAME: &[u8] = b"file";

#[test]
fn a_file_that_stands_still_is_read_and_its_access_time_stays() -> Outcome {
    let root = folder_with_file(b"0123456789")?;
    let mut reader = open(root.path())?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    assert_eq!(bytes, b"0123456789");
    let meta = reader.meta()?;
    let stamp = reader.finish()?;
    assert_eq!(
        (stamp.size_bytes, stamp.mtime_seconds, stamp.mtime_nanos),
        (10, 1_000_000_000, 5)
    );
    assert_eq!((meta.mtime_seconds, meta.mtime_nanos), (1_000_000_000, 5));
    let metadata = fs::metadata(root.path().join("file"))?;
    assert_eq!(
        (metadata.atime(), metadata.atime_nsec()),
        (1_000_000_000, 5),
        "reading left no trace"
    );
    Ok(())
}

#[test]
fn a_file_that_changes_between_two_reads_is_found_out() -> Outcome {
    let check = |what: &str, change: &dyn Fn(&Path)| -> Outcome {
        let root = folder_with_file(b"0123456789")?;
        let mut reader = open(root.path())?;
        reader.read_exact(&mut [0; 5])?;
        change(&root.path().join("file"));
        reader.read_to_end(&mut Vec::new())?;
        let changed = reader.finish().expect_err(what);
        assert_eq!(changed.before.size_bytes, 10, "{what}");
        assert_eq!(changed.into_problem(b"x".to_vec()).code, ErrorCode::Changed);
        Ok(())
    };
    check("appended to", &|file| append(file, b"more"))?;
    check("rewritten at the same length", &|file| {
        write_over(file, b"ABCDEFGHIJ")
    })?;
    check("cut short", &|file| write(file, b"0123456"))?;
    check("rewritten with its old time set again", &|file| {
        write_over(file, b"ABCDEFGHIJ");
        set_times(file, 1_000_000_000, 5);
    })?;
    check("given other permissions", &|file| {
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).expect("it is ours");
    })?;
    check("removed", &|file| {
        fs::remove_file(file).expect("it is ours")
    })
}

#[test]
fn a_file_that_was_not_read_to_its_end_does_not_finish() -> Outcome {
    let root = folder_with_file(b"0123456789")?;
    let mut reader = open(root.path())?;
    reader.read_exact(&mut [0; 9])?;
    assert_eq!(
        reader
            .finish()
            .expect_err("one byte was not read")
            .bytes_read,
        9
    );
    Ok(())
}

#[test]
fn a_file_taken_again_after_a_change_is_fine() -> Outcome {
    let root = folder_with_file(b"0123456789")?;
    let first = open(root.path())?;
    append(&root.path().join("file"), b"more");
    first.finish().expect_err("it changed");
    let mut again = open(root.path())?;
    let mut bytes = Vec::new();
    again.read_to_end(&mut bytes)?;
    assert_eq!(again.finish()?.size_bytes, 14);
    assert_eq!(bytes, b"0123456789more");
    Ok(())
}

#[test]
fn a_file_that_vanished_is_told_from_one_that_cannot_be_read() -> Outcome {
    let root = folder_with_file(b"x")?;
    fs::remove_file(root.path().join("file"))?;
    let error = open(root.path()).expect_err("it is gone");
    assert_eq!(error, FileError::Vanished);
    assert_eq!(
        error.into_problem(b"file".to_vec()).code,
        ErrorCode::NotFound
    );
    Ok(())
}

#[test]
fn what_was_exchanged_for_a_file_is_refused_at_once() -> Outcome {
    let check = |found: &'static str, exchange: &dyn Fn(&Path)| -> Outcome {
        let root = folder_with_file(b"x")?;
        let file = root.path().join("file");
        fs::remove_file(&file)?;
        exchange(&file);
        let error = open_in_time(root.path());
        assert_eq!(
            error,
            Some(FileError::OtherKind {
                wanted: "a file",
                found
            })
        );
        Ok(())
    };
    check("a named pipe", &make_fifo)?;
    check("a folder", &|file| {
        fs::create_dir(file).expect("its place is free")
    })?;
    check("a symbolic link", &|file| {
        symlink("/etc/passwd", file).expect("its place is free")
    })?;
    check("a socket or a device", &|file| {
        // The socket stays in the folder when nobody listens to it any more.
        drop(UnixListener::bind(file).expect("its place is free"));
    })
}

#[test]
fn another_file_in_its_place_is_read_as_the_other_file() -> Outcome {
    let root = folder_with_file(b"old")?;
    let folder = FolderHandle::open(root.path())?;
    let seen = open(root.path())?.stamp();
    assert!(open_file(&folder, NAME, &seen)?.is_as_expected());
    write(&root.path().join("new"), b"newer");
    fs::rename(root.path().join("new"), root.path().join("file"))?;
    let mut reader = open_file(&folder, NAME, &seen)?;
    assert!(!reader.is_as_expected());
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    assert_eq!(
        (bytes.as_slice(), reader.finish()?.size_bytes),
        (&b"newer"[..], 5)
    );
    Ok(())
}

#[test]
fn a_file_is_not_reached_through_links_above_it() -> Outcome {
    let root = tempfile::tempdir()?;
    fs::create_dir(root.path().join("real"))?;
    write(&root.path().join("real/file"), b"x");
    symlink("real", root.path().join("link"))?;
    let folder = FolderHandle::open(root.path())?;
    open_file(&folder.descend(&path("real"))?, NAME, &Stamp::default())?;
    let error = folder
        .descend(&path("link"))
        .expect_err("a link is refused");
    assert_eq!(
        error,
        FileError::OtherKind {
            wanted: "a folder",
            found: "a link or a file"
        }
    );
    for name in [&b".."[..], b"real/file", b""] {
        let error = open_file(&folder, name, &Stamp::default()).expect_err("no name of a file");
        assert_eq!(error.code(), ErrorCode::BadPath);
    }
    Ok(())
}

/// A folder with a file `file` that was last written in 2001.
fn folder_with_file(bytes: &[u8]) -> std::io::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    write(&root.path().join("file"), bytes);
    set_times(&root.path().join("file"), 1_000_000_000, 5);
    Ok(root)
}

fn open(root: &Path) -> Result<FileReader, FileError> {
    open_file(&FolderHandle::open(root)?, NAME, &Stamp::default())
}

/// Opens on a thread of its own, so that waiting for a pipe fails the test, not the run.
fn open_in_time(root: &Path) -> Option<FileError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let root = root.to_path_buf();
    std::thread::spawn(move || sender.send(open(&root).err()));
    receiver
        .recv_timeout(Duration::from_secs(30))
        .expect("opening must not wait")
}

fn append(file: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(file)
        .expect("it is ours");
    file.write_all(bytes).expect("there is space");
}

fn write_over(file: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(file)
        .expect("it is ours");
    file.seek(SeekFrom::Start(0)).expect("a file can be sought");
    file.write_all(bytes).expect("there is space");
}
