//! Temporary names beside the final ones, and the removal of those an earlier run left.
//!
//! A part that is being written is locked, so that a second restore into the same folder
//! does not take it for a leftover.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher, Hasher};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, openat, unlinkat};
use rustix::io::Errno;

use crate::failure::FileError;
use crate::folder::{FolderHandle, open_quietly};
use crate::relative::RelativePath;
use crate::restore::{RestoreError, RestoreTarget};

const PREFIX: &[u8] = b".bitdust-";
const SUFFIX: &[u8] = b".part";
const DIGITS: usize = 16;
/// Tries for a name of 64 random bits; a second one is hardly ever needed.
const TRIES_MAX: u32 = 16;

/// Whether a name has the shape of a temporary one.
pub(super) fn is_part_name(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A temporary name nobody else uses.
fn fresh_name() -> Vec<u8> {
    // The standard hasher is keyed with random bits of the system: two of them are enough to
    // stay clear of each other, and nothing secret hangs on it.
    let random = RandomState::new().build_hasher().finish();
    format!(".bitdust-{random:016x}.part").into_bytes()
}

/// Calls `make` with fresh names until one is free.
pub(super) fn with_fresh_name<T>(
    mut make: impl FnMut(&[u8]) -> Result<T, Errno>,
) -> Result<(Vec<u8>, T), Errno> {
    for _ in 0..TRIES_MAX {
        let name = fresh_name();
        match make(&name) {
            Ok(made) => return Ok((name, made)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}

/// Makes an empty, locked part in a folder.
pub(super) fn create(folder: &FolderHandle) -> Result<(Vec<u8>, File), Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (name, fd) = with_fresh_name(|name| openat(folder, name, flags, Mode::RUSR | Mode::WUSR))?;
    // Where locks are unknown, a second restore into this folder at the same time could
    // remove the part; then it lacks when it is to be renamed, and that is reported.
    let _unknown = flock(&fd, FlockOperation::NonBlockingLockExclusive);
    Ok((name, File::from(fd)))
}

/// Removes a temporary name; that it is gone already is as good.
pub(super) fn remove(folder: &FolderHandle, name: &[u8]) -> Result<(), Errno> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

impl RestoreTarget {
    /// Removes the parts in a folder that no running restore is writing.
    pub(super) fn remove_leftovers(&mut self, path: &RelativePath, folder: &FolderHandle) {
        let names = match part_names(folder) {
            Ok(names) => names,
            Err(error) => return self.fail(path, &error.into()),
        };
        for name in names {
            match remove_if_left(folder, &name) {
                Ok(true) => self.report.leftovers_removed += 1,
                Ok(false) => {}
                Err(errno) => {
                    let shown = path.join(&name).unwrap_or_else(|_| path.clone());
                    self.fail(
                        &shown,
                        &RestoreError::of("removing a file of an interrupted restore", errno),
                    );
                }
            }
        }
    }
}

fn part_names(folder: &FolderHandle) -> Result<Vec<Vec<u8>>, FileError> {
    let failed = |errno: Errno| FileError::of("listing the folder", errno);
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        if is_part_name(name) {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

/// Removes a part unless somebody has it locked; links and others of that name go too, as
/// restores give those temporary names as well. A folder of that name is somebody else's.
fn remove_if_left(folder: &FolderHandle, name: &[u8]) -> Result<bool, Errno> {
    let kind = match folder.stat_of(name) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(errno),
    };
    if kind == FileType::Directory {
        return Ok(false);
    }
    if kind == FileType::RegularFile {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let part = open_quietly(folder, name, flags)?;
        if flock(&part, FlockOperation::NonBlockingLockExclusive) == Err(Errno::AGAIN) {
            return Ok(false);
        }
    }
    remove(folder, name).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_made_here_are_taken_for_parts() {
        assert!(is_part_name(&fresh_name()));
        assert_ne!(fresh_name(), fresh_name());
        for name in [
            &b".bitdust-.part"[..],
            b".bitdust-123.part",
            b".bitdust-zzzzzzzzzzzzzzzz.part",
            b"x.part",
            b".bitdust-0123456789abcdef",
        ] {
            assert!(!is_part_name(name), "{name:?}");
        }
    }
}
