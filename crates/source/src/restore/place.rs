//! What stands where something is to be restored, and what that means.

use bitdust_model::limits;
use bitdust_model::tree::Meta;
use rustix::fs::{FileType, RenameFlags, Stat, renameat, renameat_with};
use rustix::io::Errno;

use crate::folder::{FolderHandle, kind_name, meta_of};
use crate::restore::{Conflict, RestoreError};

/// Longest name the usual file systems take, in bytes.
const USUAL_NAME_BYTES_MAX: usize = 255;
/// Longest ending that counts as a file type and stays at the end of the name.
const ENDING_BYTES_MAX: usize = 16;

/// Where a thing goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Under this name: it is free, or what has it is replaced.
    Write(Vec<u8>),
    /// What is there under this name looks like what is to be restored.
    Same(Vec<u8>),
    /// What is there stays.
    Keep,
}

/// Chooses the name for a thing; `is_same` says whether what is there looks like it already.
pub(super) fn choose(
    folder: &FolderHandle,
    name: &[u8],
    conflict: Conflict,
    is_same: impl Fn(&[u8], &Stat) -> bool,
) -> Result<Choice, RestoreError> {
    for number in 0..limits::NAME_TRIES_MAX {
        let candidate = if number == 0 {
            name.to_vec()
        } else {
            beside(name, number)
        };
        let stat = match folder.stat_of(&candidate) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Choice::Write(candidate)),
            Err(errno) => return Err(RestoreError::of("looking at its place", errno)),
        };
        if is_same(&candidate, &stat) {
            return Ok(Choice::Same(candidate));
        }
        match conflict {
            Conflict::Replace if is_folder(&stat) => return Err(occupied(&stat)),
            Conflict::Replace => return Ok(Choice::Write(candidate)),
            Conflict::Skip => return Ok(Choice::Keep),
            Conflict::KeepBoth => {}
        }
    }
    Err(RestoreError::TooMany {
        what: "files of this name",
        max: limits::NAME_TRIES_MAX as usize,
    })
}

/// What became of a finished thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Published {
    /// It has this name, which nothing had before.
    New(Vec<u8>),
    /// It took the place of something.
    Instead,
    /// What came there meanwhile stays, and the temporary name is still there.
    Not,
}

/// Renames a finished thing to its final name in the same folder.
pub(super) fn publish(
    folder: &FolderHandle,
    part_name: &[u8],
    name: &[u8],
    conflict: Conflict,
) -> Result<Published, RestoreError> {
    let failed = |errno: Errno| match errno {
        Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => RestoreError::Occupied {
            occupant: "a folder",
        },
        errno => RestoreError::of("giving it its name", errno),
    };
    if conflict == Conflict::Replace {
        return match rename_if_free(folder, part_name, name) {
            Ok(()) => Ok(Published::New(name.to_vec())),
            Err(Errno::EXIST) => {
                renameat(folder, part_name, folder, name).map_err(failed)?;
                Ok(Published::Instead)
            }
            Err(errno) => Err(failed(errno)),
        };
    }
    for number in 0..limits::NAME_TRIES_MAX {
        let candidate = if number == 0 {
            name.to_vec()
        } else {
            beside(name, number)
        };
        match rename_if_free(folder, part_name, &candidate) {
            Ok(()) => return Ok(Published::New(candidate)),
            Err(Errno::EXIST) if conflict == Conflict::Skip => return Ok(Published::Not),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Err(RestoreError::TooMany {
        what: "files of this name",
        max: limits::NAME_TRIES_MAX as usize,
    })
}

/// Whether a file has the size and time of the one to be restored.
pub(super) fn looks_like_file(stat: &Stat, size: u64, meta: &Meta) -> bool {
    let present = meta_of(stat);
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && u64::try_from(stat.st_size) == Ok(size)
        && present.mtime_seconds == meta.mtime_seconds
        && present.mtime_nanos == meta.mtime_nanos
}

pub(super) fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

pub(super) fn occupied(stat: &Stat) -> RestoreError {
    RestoreError::Occupied {
        occupant: kind_name(stat),
    }
}

fn rename_if_free(folder: &FolderHandle, part_name: &[u8], name: &[u8]) -> Result<(), Errno> {
    match renameat_with(folder, part_name, folder, name, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag.
        Err(Errno::INVAL | Errno::NOSYS) => match folder.stat_of(name) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => renameat(folder, part_name, folder, name),
            Err(errno) => Err(errno),
        },
        other => other,
    }
}

/// The name for a thing beside one that has its name: `report (restored 2).txt`.
fn beside(name: &[u8], number: u32) -> Vec<u8> {
    let dot = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .filter(|at| *at > 0 && name.len() - at <= ENDING_BYTES_MAX);
    let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
    let mark = if number == 1 {
        " (restored)".to_owned()
    } else {
        format!(" (restored {number})")
    };
    let room = USUAL_NAME_BYTES_MAX - mark.len() - ending.len();
    [shorten(stem, room), mark.as_bytes(), ending].concat()
}

/// Cuts at most to `room` bytes, not within a character of UTF-8.
fn shorten(stem: &[u8], room: usize) -> &[u8] {
    if stem.len() <= room {
        return stem;
    }
    let mut end = room;
    while end > room - 3 && stem[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    &stem[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_beside_another_keeps_its_ending() {
        let check = |name: &str, number, shown: &str| {
            assert_eq!(
                String::from_utf8_lossy(&beside(name.as_bytes(), number)),
                shown
            );
        };
        check("report.txt", 1, "report (restored).txt");
        check("report.txt", 2, "report (restored 2).txt");
        check("archive.tar.gz", 1, "archive.tar (restored).gz");
        check(".profile", 1, ".profile (restored)");
        check("plain", 1, "plain (restored)");
        check(
            "a. long ending that is none",
            1,
            "a. long ending that is none (restored)",
        );
    }

    proptest! {
        #[test]
        fn a_name_beside_another_is_always_a_valid_one(name in prop::collection::vec(prop_oneof![Just(b'.'), 1_u8..], 1..300), number in 1_u32..2000) {
            let name: Vec<u8> = name.into_iter().map(|byte| if byte == b'/' { b'_' } else { byte }).collect();
            let made = beside(&name, number);
            prop_assert!(bitdust_model::tree::is_valid_name(&made));
            prop_assert!(made.len() <= USUAL_NAME_BYTES_MAX);
            prop_assert_ne!(made, name);
        }
    }
}
