//! Why the catalogue refused or failed.

use bitdust_model::{DecodeError, ErrorCode, FolderId, PackId, Position};

use rusqlite::Connection;

use super::id::SegmentId;
use crate::database::DatabaseError;
use crate::row::count;

/// Why the catalogue did not do what was asked; nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The database failed or refused.
    #[error("the catalogue: {0}")]
    Database(#[from] DatabaseError),
    /// The folder is not under protection.
    #[error("folder {folder} is not in the catalogue")]
    UnknownFolder {
        /// Which.
        folder: FolderId,
    },
    /// The pack was never recorded, or was dropped.
    #[error("pack {pack} is not in the catalogue")]
    UnknownPack {
        /// Which.
        pack: PackId,
    },
    /// The pack has fewer shards.
    #[error("pack {pack} has no position {position}")]
    NoPosition {
        /// Which pack.
        pack: PackId,
        /// The position that was named.
        position: Position,
    },
    /// The pack's description contradicts itself.
    #[error("pack {pack} cannot be recorded: {reason}")]
    BadPack {
        /// Which.
        pack: PackId,
        /// What is wrong.
        reason: &'static str,
    },
    /// The pack is recorded with other shards or chunks.
    #[error("pack {pack} is in the catalogue with other contents")]
    OtherPack {
        /// Which.
        pack: PackId,
    },
    /// The segment is not live.
    #[error("segment {segment:?} is not in the catalogue")]
    UnknownSegment {
        /// Which.
        segment: SegmentId,
    },
    /// An older version than the one that is kept.
    #[error("{what} is older than the one in the catalogue")]
    Stale {
        /// What.
        what: &'static str,
    },
    /// A table is full.
    #[error("the catalogue holds {count_max} {what}, more are not possible")]
    TooMany {
        /// What.
        what: &'static str,
        /// How many there may be.
        count_max: usize,
    },
}

impl CatalogueError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Database(error) => error.code(),
            Self::UnknownFolder { .. } | Self::UnknownPack { .. } | Self::UnknownSegment { .. } => {
                ErrorCode::NotFound
            }
            Self::NoPosition { .. } | Self::BadPack { .. } => ErrorCode::BadRequest,
            Self::TooMany { .. } => ErrorCode::TooMany,
            Self::OtherPack { .. } => ErrorCode::Corrupt,
            Self::Stale { .. } => ErrorCode::Stale,
        }
    }
}

impl CatalogueError {
    /// Whether the file itself is broken, or holds what this program never wrote.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) => error.is_damage() || is_impossible(error),
            Self::UnknownFolder { .. }
            | Self::UnknownPack { .. }
            | Self::NoPosition { .. }
            | Self::BadPack { .. }
            | Self::OtherPack { .. }
            | Self::UnknownSegment { .. }
            | Self::Stale { .. }
            | Self::TooMany { .. } => false,
        }
    }
}

/// Whether a row holds what this program never wrote. What another version wrote is no damage.
fn is_impossible(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::Damaged(DecodeError::Version { .. } | DecodeError::Unreleased { .. }) => {
            false
        }
        DatabaseError::Damaged(_) | DatabaseError::Impossible { .. } => true,
        DatabaseError::Sqlite(error) => matches!(
            error,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ),
        DatabaseError::Unusable { .. }
        | DatabaseError::Migrate(_)
        | DatabaseError::OutOfRange { .. }
        | DatabaseError::Broken { .. }
        | DatabaseError::TooLong { .. }
        | DatabaseError::WriterGone => false,
    }
}

impl From<rusqlite::Error> for CatalogueError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Refuses a further row when a table has its fill.
pub(super) fn refuse_when_full(
    connection: &Connection,
    what: &'static str,
    count_sql: &str,
    count_max: usize,
) -> Result<(), CatalogueError> {
    if count(connection, count_sql)? >= count_max {
        return Err(CatalogueError::TooMany { what, count_max });
    }
    Ok(())
}
