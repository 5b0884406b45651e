//! Why the shard store refused or failed.

use std::io;
use std::path::{Path, PathBuf};

use bitdust_model::{DecodeError, DeviceId, ErrorCode, ShardId};

use crate::database::DatabaseError;
use crate::durable;

/// What systems say of a sector that cannot be read: EIO; on Windows ERROR_CRC.
const LOST_SECTOR: i32 = if cfg!(windows) { 23 } else { 5 };

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// The database failed or refused.
    #[error("the supplier database: {0}")]
    Database(#[from] DatabaseError),
    /// A file could not be read or written.
    #[error("{} failed: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store could not be opened when the program started.
    #[error("what is kept for others could not be opened")]
    Shut,
    /// The folder of all shards is not there: nothing can be said of any.
    #[error("{} is not there; its disk may be away", path.display())]
    FolderAway {
        /// The folder.
        path: PathBuf,
    },
    /// The bytes are not those of the shard; what came in is thrown away, what was kept is
    /// marked as damaged.
    #[error("shard {shard} does not match its hash")]
    Corrupt {
        /// Which.
        shard: ShardId,
    },
    /// Fewer bytes came than the header announced; they are kept for another try.
    #[error("shard {shard} has {bytes} of {shard_bytes} bytes")]
    Incomplete {
        /// Which.
        shard: ShardId,
        /// Bytes that came.
        bytes: u64,
        /// Bytes announced.
        shard_bytes: u32,
    },
    /// More bytes came than the header announced; the last piece was not taken.
    #[error("shard {shard} has more than the {shard_bytes} bytes announced")]
    TooManyBytes {
        /// Which.
        shard: ShardId,
        /// Bytes announced.
        shard_bytes: u32,
    },
    /// The header announces what no shard can be.
    #[error("shard {shard} cannot have {shard_bytes} bytes")]
    BadLength {
        /// Which.
        shard: ShardId,
        /// The length announced.
        shard_bytes: u32,
    },
    /// The same shard is being written or moved by another stream.
    #[error("shard {shard} is being stored already")]
    Busy {
        /// Which.
        shard: ShardId,
    },
    /// Another shard is kept at its place, or it is kept for another place.
    #[error("shard {shard} contradicts what is kept at its place")]
    Conflict {
        /// Which.
        shard: ShardId,
    },
    /// The shard is not here.
    #[error("shard {shard} is not kept here")]
    NotFound {
        /// Which.
        shard: ShardId,
    },
    /// The range is empty or begins behind the shard's end.
    #[error("shard {shard} has no bytes at {offset}")]
    BadRange {
        /// Which.
        shard: ShardId,
        /// Where the range begins.
        offset: u64,
    },
    /// The reader of a range went away.
    #[error("the bytes of a shard could not be passed on: {0}")]
    Output(io::Error),
    /// The lane is closed.
    #[error("lane {lane} was closed by its owner")]
    Fenced {
        /// Which.
        lane: DeviceId,
    },
    /// A head is one of those before the newest that is kept.
    #[error("a newer head of lane {lane} is kept already")]
    Stale {
        /// Which lane.
        lane: DeviceId,
    },
    /// A head does not follow the newest one that is kept.
    #[error("the head of lane {lane} does not follow the newest one kept")]
    Forked {
        /// Which lane.
        lane: DeviceId,
    },
    /// A document that was said to be verified cannot be read.
    #[error("a document to be kept cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// A table is full.
    #[error("{count_max} {what} are kept, more are not possible")]
    TooMany {
        /// What.
        what: &'static str,
        /// How many there may be.
        count_max: usize,
    },
}

impl ShardError {
    /// What could not be read of a shard: where its disk says that these very bytes are lost, it is
    /// damaged, and anything else says nothing of it.
    pub(super) fn unreadable(shard: ShardId, path: &Path, error: io::Error) -> Self {
        if is_lost(&error) {
            return Self::Corrupt { shard };
        }
        Self::disk(path)(error)
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Database(error) => error.code(),
            Self::Disk { source, .. } => durable::code_of(source),
            Self::FolderAway { .. } => ErrorCode::DiskFailed,
            Self::Shut => ErrorCode::Busy,
            Self::Corrupt { .. } => ErrorCode::Corrupt,
            Self::Incomplete { .. } | Self::Output(_) => ErrorCode::Interrupted,
            Self::TooManyBytes { .. } | Self::BadLength { .. } | Self::Malformed(_) => {
                ErrorCode::Malformed
            }
            Self::Busy { .. } => ErrorCode::Busy,
            Self::Conflict { .. } | Self::BadRange { .. } => ErrorCode::BadRequest,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::Fenced { .. } => ErrorCode::Fenced,
            Self::Stale { .. } => ErrorCode::Stale,
            Self::Forked { .. } => ErrorCode::Forked,
            Self::TooMany { .. } => ErrorCode::QuotaExceeded,
        }
    }

    /// Names the file of a failed operation.
    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk { path, source }
    }
}

impl From<rusqlite::Error> for ShardError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Whether bytes of a file are gone, and not the way to them.
pub(super) fn is_lost(error: &io::Error) -> bool {
    let is_lost_sector = error.raw_os_error() == Some(LOST_SECTOR);
    is_lost_sector || error.kind() == io::ErrorKind::UnexpectedEof
}
