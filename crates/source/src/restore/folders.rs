//! Folders: made open to their owner, and closed to what they were at the end.

use std::cmp::Reverse;
use std::os::fd::{AsFd, OwnedFd};

use bitdust_model::limits;
use bitdust_model::tree::Meta;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use crate::failure::FileError;
use crate::folder::{FolderHandle, identity_of, meta_of};
use crate::relative::RelativePath;
use crate::restore::metadata::set_mode;
use crate::restore::waiting::{LastTouch, WaitingFolder};
use crate::restore::{Conflict, Placed, RestoreError, RestoreTarget, metadata, place};

/// What the owner needs to put things into a folder.
const OWNER_BITS: u32 = 0o700;

impl RestoreTarget {
    /// Makes a folder, or takes the one that is there; the empty path is the target itself.
    /// Its metadata waits for the end. A link or file in its place is replaced only if the
    /// options say so.
    pub fn create_folder(&mut self, path: &RelativePath, meta: &Meta) -> Placed {
        let created = if path.is_root() {
            Ok(Placed::Done)
        } else {
            self.try_create_folder(path, meta)
        };
        match created {
            Ok(placed) => {
                if path.is_root() {
                    self.wait_for_end(path, LastTouch::Meta(meta.clone()), None);
                }
                placed
            }
            Err(error) => {
                self.fail(path, &error);
                Placed::Failed
            }
        }
    }

    /// Gives folders their owner, permissions and times, the deepest first, as everything
    /// in them is done. Called by [`RestoreTarget::finish`] too.
    pub fn finish_folders(&mut self) {
        self.flush();
        self.latest_folder = None;
        let mut folders = std::mem::take(&mut self.waiting_folders);
        folders.sort_by_cached_key(|folder| Reverse(folder.path.depth()));
        for WaitingFolder { path, last, .. } in folders {
            let handle = match self.root.descend(&path) {
                Ok(handle) => handle,
                Err(error) => {
                    self.fail(&path, &error.into());
                    continue;
                }
            };
            match last {
                LastTouch::Meta(meta) if metadata::is_fixed_so(handle.as_fd(), &meta) => {}
                LastTouch::Meta(meta) => {
                    let applied = self.apply_open(handle.as_fd(), &meta, true);
                    let identity = handle.stat().map(|stat| identity_of(&stat));
                    self.wait_for_flags(&path, applied.flags, identity);
                    self.note_applied(&path, applied);
                }
                LastTouch::Mode(mode) => {
                    if let Err(errno) = set_mode(handle.as_fd(), mode) {
                        self.fail(&path, &RestoreError::of("closing the folder again", errno));
                    }
                }
            }
        }
    }

    /// The folder in which a thing is to be placed; made with those above it if it lacks.
    pub(super) fn place_of(&mut self, path: &RelativePath) -> Result<FolderHandle, RestoreError> {
        if path.is_root() {
            return Err(RestoreError::Occupied {
                occupant: "the target itself",
            });
        }
        let parent = path.parent();
        if parent.is_root() {
            return Ok(self.root.clone());
        }
        if let Some((latest, folder)) = &self.latest_folder
            && *latest == parent
        {
            return Ok(folder.clone());
        }
        let folder = match self.root.descend(&parent) {
            Ok(folder) => folder,
            Err(FileError::Vanished) => self.make_missing(&parent)?,
            Err(error) => return Err(error.into()),
        };
        self.latest_folder = Some((parent, folder.clone()));
        Ok(folder)
    }

    /// Makes what lacks of a path, name by name.
    fn make_missing(&mut self, path: &RelativePath) -> Result<FolderHandle, RestoreError> {
        let mut folder = self.root.clone();
        let mut made = RelativePath::root();
        for name in path.components() {
            match mkdirat(&folder, name, Mode::from_raw_mode(0o777)) {
                Ok(()) => {
                    self.report.folders_made += 1;
                    self.journal.made(&folder, &made, name);
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(RestoreError::of("making a folder", errno)),
            }
            folder = folder.descend(&RelativePath::root().join(name)?)?;
            made = made.join(name)?;
        }
        Ok(folder)
    }

    fn try_create_folder(
        &mut self,
        path: &RelativePath,
        meta: &Meta,
    ) -> Result<Placed, RestoreError> {
        let parent = self.place_of(path)?;
        let name = path.name();
        let private = Mode::from_raw_mode(OWNER_BITS);
        let failed = |errno: Errno| RestoreError::of("making the folder", errno);
        let placed = match mkdirat(&parent, name, private) {
            Ok(()) => {
                self.journal.made(&parent, &path.parent(), name);
                Placed::Done
            }
            Err(Errno::EXIST) => {
                let stat = parent.stat_of(name).map_err(failed)?;
                if place::is_folder(&stat) {
                    Placed::Kept
                } else if self.options.conflict == Conflict::Replace {
                    unlinkat(&parent, name, AtFlags::empty()).map_err(failed)?;
                    mkdirat(&parent, name, private).map_err(failed)?;
                    Placed::Done
                } else {
                    return Err(place::occupied(&stat));
                }
            }
            Err(errno) => return Err(failed(errno)),
        };
        let (folder, before) = self.open_up(&parent, name)?;
        let is_made = placed == Placed::Done;
        self.report.folders_made += u64::from(is_made);
        if !is_made {
            self.remove_leftovers(path, &folder);
        }
        self.latest_folder = Some((path.clone(), folder));
        if is_made || self.options.conflict == Conflict::Replace {
            self.wait_for_end(path, LastTouch::Meta(meta.clone()), before);
        } else if let Some(mode) = before {
            self.wait_for_end(path, LastTouch::Mode(mode), before);
        }
        Ok(placed)
    }

    /// Opens a folder, and makes it writable first if it is ours and is not. Gives the mode
    /// it had if that was changed.
    fn open_up(
        &self,
        parent: &FolderHandle,
        name: &[u8],
    ) -> Result<(FolderHandle, Option<u32>), RestoreError> {
        let failed = |errno: Errno| RestoreError::of("opening the folder", errno);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle: OwnedFd = openat(parent, name, flags, Mode::empty()).map_err(failed)?;
        let stat: Stat = fstat(&handle).map_err(failed)?;
        let mode = meta_of(&stat).mode;
        let is_closed = mode & OWNER_BITS != OWNER_BITS && stat.st_uid == self.user;
        if is_closed {
            set_mode(handle.as_fd(), mode | OWNER_BITS).map_err(failed)?;
        }
        let folder = FolderHandle::from(handle).child(b".").map_err(failed)?;
        Ok((folder, is_closed.then_some(mode)))
    }

    /// Gives folders that were there and had to be opened the permissions they had.
    pub(super) fn close_opened_folders(&mut self) {
        let mut folders = std::mem::take(&mut self.waiting_folders);
        folders.sort_by_cached_key(|folder| Reverse(folder.path.depth()));
        for WaitingFolder { path, before, .. } in folders {
            if let (Some(mode), Ok(handle)) = (before, self.root.descend(&path))
                && let Err(errno) = set_mode(handle.as_fd(), mode)
            {
                self.fail(&path, &RestoreError::of("closing the folder again", errno));
            }
        }
    }

    fn wait_for_end(&mut self, path: &RelativePath, last: LastTouch, before: Option<u32>) {
        if self.waiting_folders.len() >= limits::RESTORE_FOLDERS_MAX {
            let error = RestoreError::TooMany {
                what: "folders whose permissions and times wait for the end",
                max: limits::RESTORE_FOLDERS_MAX,
            };
            return self.fail(path, &error);
        }
        self.waiting_folders.push(WaitingFolder {
            path: path.clone(),
            last,
            before,
        });
    }
}
