//! The rows of packs: how they are found, and what their columns say.

use bitdust_model::PackId;
use bitdust_model::limits::SHARD_ALIGN;
use bitdust_model::manifest::{ChunkRecord, PackKind, PackRef, Trailer};
use rusqlite::{Connection, OptionalExtension};

use super::error::CatalogueError;
use crate::database::DatabaseError;
use crate::row::{PackRow, blob, decode_row};

/// How far a pack has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PackState {
    /// Recorded; its shards are on their way.
    Sealed,
    /// Enough suppliers confirmed it; its chunks are in the index.
    Committed,
    /// Described by a published segment.
    Published,
}

/// Bytes of each shard of a pack: the k-th part, rounded up to `SHARD_ALIGN`.
#[must_use]
pub fn shard_bytes(pack: &PackRef) -> u32 {
    let align = u32::try_from(SHARD_ALIGN).unwrap_or(u32::MAX);
    pack.pack_bytes
        .div_ceil(u32::from(pack.k.max(1)))
        .div_ceil(align)
        .saturating_mul(align)
}

/// The small number of a pack.
pub(super) fn number_of(
    connection: &Connection,
    pack: PackId,
) -> Result<Option<i64>, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT id FROM packs WHERE pack = ?1")?;
    Ok(statement.query_row([pack.0], |row| row.get(0)).optional()?)
}

/// The small number of a pack that must be there.
pub(super) fn expect_number(connection: &Connection, pack: PackId) -> Result<i64, CatalogueError> {
    number_of(connection, pack)?.ok_or(CatalogueError::UnknownPack { pack })
}

/// How to fetch the pack of a number.
pub(super) fn ref_of(connection: &Connection, number: i64) -> Result<PackRef, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT record FROM packs WHERE id = ?1")?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(decode_row::<PackRow>(blob(row, 0)?)?.0)
}

/// The chunks of the pack of a number, in order.
pub(super) fn chunks_of(
    connection: &Connection,
    number: i64,
) -> Result<Vec<ChunkRecord>, CatalogueError> {
    let mut statement =
        connection.prepare_cached("SELECT chunks FROM pack_chunks WHERE pack = ?1")?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(decode_row::<Trailer>(blob(row, 0)?)?.chunks)
}

/// How far the pack of a number has come.
pub(super) fn state_of(connection: &Connection, number: i64) -> Result<PackState, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT state FROM packs WHERE id = ?1")?;
    match statement.query_row([number], |row| row.get::<_, i64>(0))? {
        0 => Ok(PackState::Sealed),
        1 => Ok(PackState::Committed),
        2 => Ok(PackState::Published),
        other => Err(DatabaseError::Impossible {
            what: "pack state",
            value: other,
        }
        .into()),
    }
}

/// How far a pack has come, for a column.
pub(super) fn state_to_column(state: PackState) -> i64 {
    match state {
        PackState::Sealed => 0,
        PackState::Committed => 1,
        PackState::Published => 2,
    }
}

/// What a pack carries, as a column held it.
pub(super) fn kind_from_column(column: i64) -> Result<PackKind, DatabaseError> {
    match column {
        0 => Ok(PackKind::Data),
        1 => Ok(PackKind::Tree),
        2 => Ok(PackKind::Commit),
        other => Err(DatabaseError::Impossible {
            what: "pack kind",
            value: other,
        }),
    }
}

/// What a pack carries, for a column.
pub(super) fn kind_to_column(kind: PackKind) -> i64 {
    match kind {
        PackKind::Data => 0,
        PackKind::Tree => 1,
        PackKind::Commit => 2,
    }
}
