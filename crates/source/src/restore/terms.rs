//! How a tree is written back, what becomes of each thing, and why one cannot be restored.

use bitdust_model::ErrorCode;
use bitdust_model::status::Problems;
use rustix::io::Errno;

use crate::failure::{FileError, code_of};
use crate::relative::BadPath;

/// What happens where something else already has the name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflict {
    /// A file or link of other contents is replaced; a folder never is.
    #[default]
    Replace,
    /// What is there stays; what is restored gets a name beside it, `report (restored).txt`.
    KeepBoth,
    /// What is there stays; nothing is restored in its place.
    Skip,
}

/// When restored files are forced to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Up to `RESTORE_BATCH_MAX` files, or files of `RESTORE_BATCH_BYTES` together, are synced
    /// at once before they get their names.
    #[default]
    Batches,
    /// Each file is synced before it gets its name.
    EachFile,
    /// Never: after a power cut a file may have its name, size and time but not its bytes.
    Never,
}

/// How a tree is written back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// What happens to things that are there already.
    pub conflict: Conflict,
    /// When files are forced to the disk.
    pub durability: Durability,
}

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Placed {
    /// It is in its place.
    Done,
    /// It is complete and gets its name with its batch, at
    /// [`RestoreTarget::flush`](super::RestoreTarget::flush) at last.
    Waiting,
    /// What is there stays.
    Kept,
    /// It cannot be restored; the report says why.
    Failed,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Files in their places, hard links included.
    pub files_written: u64,
    /// Files, links and others that were there already and stayed.
    pub kept: u64,
    /// Folders that were made.
    pub folders_made: u64,
    /// Links, pipes, sockets and devices in their places.
    pub others_made: u64,
    /// Things that belong to who restored them and not to their former owner, which only
    /// root can change. They also lost their set-user and set-group bits.
    pub owners_not_set: u64,
    /// Left behind by an earlier run and removed.
    pub leftovers_removed: u64,
    /// What could not be restored, or not in full.
    pub problems: Problems,
}

/// Why something cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The way to it, or what is there, cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its name or target cannot exist here.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// Its place is taken by something that is not replaced.
    #[error("{occupant} stands in its place and is not replaced")]
    Occupied {
        /// What is there.
        occupant: &'static str,
    },
    /// Not all of its bytes were written.
    #[error("{missing} of {size} bytes are missing")]
    Incomplete {
        /// Bytes that are missing.
        missing: u64,
        /// Bytes the file has.
        size: u64,
    },
    /// A write reached beyond the end of the file.
    #[error("{length} bytes at {offset} do not fit into {size} bytes")]
    OutOfRange {
        /// Where the write began.
        offset: u64,
        /// How long it was.
        length: u64,
        /// Bytes the file has.
        size: u64,
    },
    /// The system refused or failed.
    #[error("{doing} failed: {errno}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system answered.
        errno: Errno,
    },
    /// Only root can make such a thing.
    #[error("only root can restore {what}")]
    OnlyRoot {
        /// What it is.
        what: &'static str,
    },
    /// A thing of this kind is made by another call.
    #[error("{what} is not restored this way")]
    WrongKind {
        /// What it is.
        what: &'static str,
    },
    /// There is more of something than can be held.
    #[error("{what}: more than {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

impl RestoreError {
    pub(crate) const fn of(doing: &'static str, errno: Errno) -> Self {
        Self::System { doing, errno }
    }

    /// The code for machines.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::File(FileError::System { errno, .. }) | Self::System { errno, .. } => {
                code_of(*errno, ErrorCode::NotAllowed)
            }
            Self::File(FileError::Path(_) | FileError::OtherKind { .. })
            | Self::Path(_)
            | Self::Occupied { .. } => ErrorCode::BadPath,
            Self::File(error @ (FileError::Vanished | FileError::TooMany { .. })) => error.code(),
            Self::Incomplete { .. } => ErrorCode::Interrupted,
            Self::OutOfRange { .. } => ErrorCode::Corrupt,
            Self::OnlyRoot { .. } => ErrorCode::NotAllowed,
            Self::WrongKind { .. } => ErrorCode::BadRequest,
            Self::TooMany { .. } => ErrorCode::BadRequest,
        }
    }
}
