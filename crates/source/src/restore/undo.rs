//! Taking a restore back: what it made is remembered in a file without a name and removed
//! again, the latest first. What it replaced stays replaced, and what somebody has changed
//! since stays as it is.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, unlinkat};

use crate::relative::RelativePath;
use crate::restore::journal::Trace;
use crate::restore::{RestoreTarget, place};

/// What a restore that was taken back left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undone {
    /// Files, links and folders that were removed again.
    pub removed: u64,
    /// Things that were made and stay: changed since, or not removable.
    pub stayed: u64,
}

impl RestoreTarget {
    /// Takes the restore back instead of finishing it: removes what it made, unless it was
    /// changed since, and closes folders that it opened.
    #[must_use]
    pub fn undo(mut self) -> Undone {
        // Files under way have no name yet and go by themselves.
        self.batch.clear();
        self.latest_folder = None;
        let journal = std::mem::take(&mut self.journal);
        let mut undone = Undone {
            removed: 0,
            stayed: journal.unwritten,
        };
        match journal.backwards() {
            Ok(mut records) => {
                while let Ok(Some((path, trace))) = records.next() {
                    if self.take_back(&path, trace) {
                        undone.removed += 1;
                    } else {
                        undone.stayed += 1;
                    }
                }
                undone.stayed += u64::from(records.end > 0);
            }
            Err(_) => undone.stayed += 1,
        }
        self.close_opened_folders();
        self.remove_made_root();
        undone
    }

    fn take_back(&self, path: &RelativePath, trace: Trace) -> bool {
        let Ok(folder) = self.root.descend(&path.parent()) else {
            return false;
        };
        let Ok(stat) = folder.stat_of(path.name()) else {
            // Somebody was faster.
            return true;
        };
        if place::is_folder(&stat) {
            // Never with something in it.
            return unlinkat(&folder, path.name(), AtFlags::REMOVEDIR).is_ok();
        }
        Trace::of(&stat) == trace && unlinkat(&folder, path.name(), AtFlags::empty()).is_ok()
    }

    /// The target itself and folders above it, if they were made for it and are empty.
    fn remove_made_root(&self) {
        let Some(first) = &self.first_made else {
            return;
        };
        let mut path = Path::new(std::ffi::OsStr::from_bytes(&self.root_path));
        // One that is not empty stays, and those above it.
        while path.starts_with(first) && std::fs::remove_dir(path).is_ok() {
            let Some(parent) = path.parent() else {
                return;
            };
            path = parent;
        }
    }
}
