//! A tree written back below one folder: never outside it, never half a file under its name.
//!
//! A file is written under a temporary name beside its place, filled in any order, synced,
//! given its metadata and renamed, in this order. Folders get their permissions and times
//! last, deepest first. No symbolic link is followed, whether it stood there before or came
//! with the tree. What cannot be restored becomes a problem of the report and the rest goes
//! on. A second run into the same place leaves finished files alone.

mod files;
mod flags;
mod folders;
mod journal;
mod links;
mod metadata;
mod others;
mod part;
mod place;
mod ranges;
mod terms;
mod undo;
mod waiting;
mod writer;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bitdust_model::ErrorCode;
use bitdust_model::status::Problem;
use bitdust_model::tree::{Meta, OwnerNames};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::accounts::{Accounts, OwnersHere};
use crate::failure::code_of;
use crate::folder::FolderHandle;
use crate::relative::RelativePath;
use crate::restore::journal::Journal;
use crate::restore::links::LinkGroups;
use crate::restore::metadata::{Applied, Owner};
use crate::restore::waiting::{WaitingFlags, WaitingFolder};

pub use crate::restore::files::FileWanted;
pub use crate::restore::terms::{
    Conflict, Durability, Placed, RestoreError, RestoreOptions, RestoreReport,
};
pub use crate::restore::undo::Undone;
pub use crate::restore::writer::FileWriter;

/// How a file begins.
#[derive(Debug)]
pub enum FileStart {
    /// Fill this, then give it to [`RestoreTarget::finish_file`].
    Write(FileWriter),
    /// What is there stays: it is the same, or the options say so.
    Kept,
    /// It has become a further name of a file that was restored before.
    Linked,
    /// It is a further name of a file that is being written: ask again after that file was
    /// finished and [`RestoreTarget::flush`] was called, or after it was given up.
    Later,
    /// It cannot be restored; the report says why.
    Failed,
}

/// The folder a tree is written back into.
///
/// Its calls take what comes in any order; folders above a thing that are not there yet are
/// made. Errors are collected in the report, so that no caller can lose one.
#[derive(Debug)]
pub struct RestoreTarget {
    root_path: Vec<u8>,
    root: FolderHandle,
    options: RestoreOptions,
    is_root_user: bool,
    owners: OwnersHere,
    user: u32,
    latest_folder: Option<(RelativePath, FolderHandle)>,
    waiting_folders: Vec<WaitingFolder>,
    waiting_flags: WaitingFlags,
    links: LinkGroups,
    links_are_full: bool,
    batch: Vec<(FileWriter, Applied)>,
    batch_bytes: u64,
    report: RestoreReport,
    journal: Journal,
    /// The uppermost folder that was made so that the target is there.
    first_made: Option<PathBuf>,
}

impl RestoreTarget {
    /// Opens the folder, making it if it is not there; it may be a symbolic link to one.
    /// Files an interrupted run left in it are removed.
    pub fn open(path: &Path, options: RestoreOptions) -> Result<Self, RestoreError> {
        let first_made = journal::first_missing(path);
        let made = std::fs::create_dir_all(path);
        if let Err(error) = made {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return Err(RestoreError::of("making the folder", errno));
        }
        let root = FolderHandle::open(path)?;
        let user = geteuid();
        let mut target = Self {
            root_path: path.as_os_str().as_bytes().to_vec(),
            root: root.clone(),
            options,
            is_root_user: user.is_root(),
            owners: OwnersHere::default(),
            user: user.as_raw(),
            latest_folder: None,
            waiting_folders: Vec::new(),
            waiting_flags: WaitingFlags::default(),
            links: LinkGroups::default(),
            links_are_full: false,
            batch: Vec::new(),
            batch_bytes: 0,
            report: RestoreReport::default(),
            journal: Journal::default(),
            first_made,
        };
        target.remove_leftovers(&RelativePath::root(), &root);
        Ok(target)
    }

    /// What was done so far.
    #[must_use]
    pub const fn report(&self) -> &RestoreReport {
        &self.report
    }

    /// Ends the restore: the last batch is placed, folders get their metadata, flags that
    /// forbid changes are set, and unless the options say never all of it is on the disk.
    #[must_use]
    pub fn finish(mut self) -> RestoreReport {
        self.flush();
        self.finish_folders();
        self.set_flags();
        self.sync_all();
        std::mem::take(&mut self.report)
    }

    /// Records a problem with the thing at `path` that a caller came upon.
    pub fn add_problem(&mut self, path: &RelativePath, code: ErrorCode, detail: String) {
        let path = path.below(&self.root_path);
        self.report.problems.push(Problem { path, code, detail });
    }

    fn fail(&mut self, path: &RelativePath, error: &RestoreError) {
        self.add_problem(path, error.code(), error.to_string());
    }

    /// Takes the account of metadata into the report.
    fn note_applied(&mut self, path: &RelativePath, applied: Applied) {
        self.report.owners_not_set += u64::from(!applied.is_owner_set);
        for shortfall in applied.shortfalls {
            self.add_problem(
                path,
                code_of(shortfall.errno, ErrorCode::NotAllowed),
                shortfall.to_string(),
            );
        }
    }

    fn sync_all(&mut self) {
        if self.options.durability == Durability::Never {
            return;
        }
        if let Err(errno) = rustix::fs::syncfs(&self.root) {
            self.fail(
                &RelativePath::root(),
                &RestoreError::of("forcing everything to the disk", errno),
            );
        }
    }

    /// Says what the owners in the tree are called; from now on they are those of that name here.
    pub fn name_owners(&mut self, names: &OwnerNames) {
        self.owners = OwnersHere::new(names, &Accounts::of_system());
    }

    fn owner_of(&self, meta: &Meta) -> Owner {
        let (user, group) = self.owners.of(meta);
        Owner {
            user,
            group,
            is_set_by_root: self.is_root_user,
        }
    }

    fn apply_open(&self, fd: std::os::fd::BorrowedFd<'_>, meta: &Meta, is_folder: bool) -> Applied {
        metadata::apply_open(fd, meta, is_folder, self.owner_of(meta))
    }
}
