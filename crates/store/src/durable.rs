//! Files that survive a power cut: written aside, synced, renamed, the folder synced.
//!
//! Nothing here is readable by other users of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bitdust_model::ErrorCode;

/// What stands in the name of a file that is not finished.
const TEMPORARY_MARK: &str = ".tmp-";

/// Replaces a file so that after a crash either the old or the new content is there, whole:
/// writes beside it, syncs, renames, syncs the folder. The file is private (mode 0600).
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_parts_durably(path, &[bytes])
}

/// Removes a file, if it is there, so that it is gone after a crash too.
pub fn remove_durably(path: &Path) -> io::Result<()> {
    remove_if_there(path)?;
    sync_dir(parent_of(path))
}

/// [`write_durably`] for content that lies in several pieces.
pub(crate) fn write_parts_durably(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let outcome = write_synced(&temporary, parts).and_then(|()| fs::rename(&temporary, path));
    if outcome.is_err() {
        // The first error is the one to report; a leftover is swept at the next start.
        drop(fs::remove_file(&temporary));
    }
    outcome?;
    sync_dir(parent_of(path))
}

/// Writes and syncs a private file in place; for names nobody relies on yet.
pub(crate) fn write_synced(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = private_file()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(
        "{TEMPORARY_MARK}{}",
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    Ok(path.with_file_name(temporary))
}

/// Removes what interrupted [`write_durably`] calls left in a folder.
pub(crate) fn sweep_temporaries(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_temporary(&entry.file_name().to_string_lossy()) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether a name is one that [`write_durably`] gives to unfinished files.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.rsplit_once(TEMPORARY_MARK).is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Options that make new files private.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a private folder (mode 0700) unless it is there; its parent must exist.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => sync_dir(parent_of(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Syncs a folder, so that names made or removed in it survive a power cut. Systems other
/// than Unix order such changes themselves and cannot open folders.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// The folder of a file; the current one for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Removes a file; says whether it was there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a folder with all that is in it.
pub(crate) fn remove_folder_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads a whole file of at most `bytes_max` bytes; `None` when it does not exist. A longer
/// one is refused before anything is allocated for it.
pub(crate) fn read_bounded(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it has {length} bytes, at most {bytes_max} are allowed"),
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // The file may have grown since its length was taken; never read past the limit.
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// The code of a failed disk operation: full, or failed.
#[must_use]
pub fn code_of(error: &io::Error) -> ErrorCode {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the kinds of the standard library are many and grow"
    )]
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ErrorCode::DiskFull
        }
        _ => ErrorCode::DiskFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_whole_private_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("keys");
        write_durably(&path, b"first, and longer").expect("written");
        write_durably(&path, b"second").expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"second");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path)
                .expect("its metadata")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("folder");
        fs::create_dir(&path).expect("a folder in the way");
        fs::write(path.join("inside"), b"x").expect("so that it cannot be replaced");
        assert!(write_durably(&path, b"bytes").is_err());
        assert!(path.join("inside").exists());
        assert_eq!(
            fs::read_dir(dir.path()).expect("listed").count(),
            1,
            "the temporary file is gone"
        );
    }

    #[test]
    fn only_unfinished_files_are_swept() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["keys", "keys.tmp-3", "notes.tmp-x", ".tmp-", "a.tmp-12"] {
            fs::write(dir.path().join(name), b"").expect("written");
        }
        sweep_temporaries(dir.path()).expect("swept");
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .expect("listed")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        left.sort();
        assert_eq!(left, [".tmp-", "keys", "notes.tmp-x"]);
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("file");
        fs::write(&path, b"12345").expect("written");
        assert!(read_bounded(&path, 4).is_err());
        assert_eq!(
            read_bounded(&path, 5).expect("read"),
            Some(b"12345".to_vec())
        );
        assert_eq!(
            read_bounded(&dir.path().join("none"), 5).expect("read"),
            None
        );
    }
}
