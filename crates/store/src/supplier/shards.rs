//! The rows of shards: whose they are, where they belong, whether their files are whole.

use bitdust_model::limits::LIST_ENTRIES_MAX;
use bitdust_model::shard::{ShardHeader, SignedHeader};
use bitdust_model::{
    ByteCount, DecodeError, DeviceId, IdentityId, PackId, Position, SetId, ShardId, UnixMillis,
};
use rusqlite::{Connection, OptionalExtension, Params, Transaction, params};

use super::{ShardError, ShardStore};
use crate::row::{blob, decode_header, from_column, read_header, to_column};

/// Some of a lane's shards, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardListing {
    /// Their positions, and the headers of their packs as the owner signed them.
    pub headers: Vec<(Position, SignedHeader)>,
    /// Whether more follow.
    pub more: bool,
}

/// What an identity takes here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Whole shards.
    pub shards: u64,
    /// Their bytes.
    pub bytes: ByteCount,
    /// Bytes of deleted shards whose grace has not ended.
    pub graced: ByteCount,
}

/// Whether a shard's file is what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileState {
    /// As far as is known.
    Whole,
    /// It is not there; it may come back with a disk.
    Missing,
    /// It was read and did not match its hash.
    Damaged,
}

impl FileState {
    pub(super) fn to_column(self) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Missing => 1,
            Self::Damaged => 2,
        }
    }

    /// A number nobody wrote is taken for damage, the state that claims least.
    pub(super) fn from_column(column: i64) -> Self {
        match column {
            0 => Self::Whole,
            1 => Self::Missing,
            _ => Self::Damaged,
        }
    }
}

/// A shard to be entered.
pub(super) struct ShardRow {
    pub(super) header: ShardHeader,
    /// The signed header as rows and files hold it.
    pub(super) encoded: Vec<u8>,
}

/// A shard that is entered.
pub(super) struct Kept {
    pub(super) header: ShardHeader,
    pub(super) stored_at: UnixMillis,
    pub(super) is_whole: bool,
}

impl ShardStore {
    /// When a whole shard was stored; `None` when it is not here.
    pub fn stored_at(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<Option<UnixMillis>, ShardError> {
        let kept = self.read(|connection| kept_shard(connection, identity, shard))?;
        Ok(kept.filter(|kept| kept.is_whole).map(|kept| kept.stored_at))
    }

    /// The header of a shard whose file is here, also when a part of it is damaged: the rest
    /// can still be read.
    pub fn header(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<Option<SignedHeader>, ShardError> {
        self.read(|connection| {
            one_header(
                connection,
                "SELECT header FROM shards WHERE identity = ?1 AND shard = ?2 AND state <> 1",
                params![identity.0, shard.0],
            )
        })
    }

    /// Like [`header`](Self::header), by place.
    pub fn find(
        &self,
        identity: IdentityId,
        set: SetId,
        pack: PackId,
        position: Position,
    ) -> Result<Option<SignedHeader>, ShardError> {
        self.read(|connection| {
            one_header(
                connection,
                "SELECT header FROM shards
                 WHERE identity = ?1 AND set_id = ?2 AND pack = ?3 AND position = ?4 AND state <> 1",
                params![identity.0, set.0, pack.0, position.0],
            )
        })
    }

    /// Whole shards of a lane in the order of their ids, from the one after `after`; at most
    /// `limit`, and at most `LIST_ENTRIES_MAX`.
    pub fn list(
        &self,
        identity: IdentityId,
        lane: DeviceId,
        after: Option<ShardId>,
        limit: usize,
    ) -> Result<ShardListing, ShardError> {
        let limit = limit.min(LIST_ENTRIES_MAX);
        let after: &[u8] = after.as_ref().map_or(&[], |shard| shard.as_bytes());
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT header, position FROM shards WHERE identity = ?1 AND lane = ?2 AND shard > ?3 AND state = 0
                 ORDER BY shard LIMIT ?4",
            )?;
            let one_more = to_column("limit", limit as u64 + 1)?;
            let rows = statement.query_and_then(params![identity.0, lane.0, after, one_more], |row| {
                Ok((Position(row.get(1)?), decode_header(blob(row, 0)?)?))
            })?;
            let mut headers = rows.collect::<Result<Vec<_>, ShardError>>()?;
            let more = headers.len() > limit;
            headers.truncate(limit);
            Ok(ShardListing { headers, more })
        })
    }

    /// What an identity takes here, all its lanes together.
    pub fn usage(&self, identity: IdentityId) -> Result<Usage, ShardError> {
        self.read(|connection| sum_usage(connection, "WHERE identity = ?1", params![identity.0]))
    }

    /// What one lane of an identity takes here.
    pub fn usage_of_lane(&self, identity: IdentityId, lane: DeviceId) -> Result<Usage, ShardError> {
        self.read(|connection| {
            sum_usage(
                connection,
                "WHERE identity = ?1 AND lane = ?2",
                params![identity.0, lane.0],
            )
        })
    }

    /// What all take together.
    pub fn usage_total(&self) -> Result<Usage, ShardError> {
        self.read(|connection| sum_usage(connection, "", []))
    }

    /// Enters a shard whose file is durable. Entering it again repairs its row.
    pub(super) fn insert_shard(
        &self,
        row: ShardRow,
        stored_at: UnixMillis,
    ) -> Result<(), ShardError> {
        self.write(move |transaction| insert(transaction, &row, stored_at))
    }

    /// Remembers that a shard's file is gone.
    pub(super) fn mark_missing(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<(), ShardError> {
        tracing::warn!(%identity, %shard, "A shard's file is missing");
        self.write(move |transaction| set_state(transaction, identity, shard, FileState::Missing))
    }

    /// Remembers that a shard's file does not match its hash.
    pub(super) fn mark_damaged(
        &self,
        identity: IdentityId,
        shard: ShardId,
    ) -> Result<(), ShardError> {
        tracing::warn!(%identity, %shard, "A shard's file is damaged");
        self.write(move |transaction| set_state(transaction, identity, shard, FileState::Damaged))
    }
}

/// Enters a whole shard, in place of any row of its id and of any shard that was lost at its
/// place.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    row: &ShardRow,
    stored_at: UnixMillis,
) -> Result<(), ShardError> {
    let header = &row.header;
    let (identity, shard) = (header.owner.0, header.shard.0);
    transaction
        .prepare_cached("DELETE FROM shards WHERE identity = ?1 AND shard = ?2")?
        .execute(params![identity, shard])?;
    transaction
        .prepare_cached(
            "DELETE FROM shards WHERE identity = ?1 AND set_id = ?2 AND pack = ?3 AND position = ?4 AND state <> 0",
        )?
        .execute(params![identity, header.set.0, header.pack.0, header.position.0])?;
    if kept_at_place(
        transaction,
        header.owner,
        header.set,
        header.pack,
        header.position,
    )?
    .is_some()
    {
        return Err(ShardError::Conflict {
            shard: header.shard,
        });
    }
    transaction
        .prepare_cached(
            "INSERT INTO shards
             (identity, shard, lane, set_id, pack, position, shard_bytes, stored_at, state, header)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)",
        )?
        .execute(params![
            identity,
            shard,
            header.lane.0,
            header.set.0,
            header.pack.0,
            header.position.0,
            header.shard_bytes,
            to_column("time", stored_at.0)?,
            row.encoded,
        ])?;
    Ok(())
}

/// Changes what is known of a shard's file.
pub(super) fn set_state(
    transaction: &Transaction<'_>,
    identity: IdentityId,
    shard: ShardId,
    state: FileState,
) -> Result<(), ShardError> {
    transaction
        .prepare_cached("UPDATE shards SET state = ?3 WHERE identity = ?1 AND shard = ?2")?
        .execute(params![identity.0, shard.0, state.to_column()])?;
    Ok(())
}

/// The row of a shard.
pub(super) fn kept_shard(
    connection: &Connection,
    identity: IdentityId,
    shard: ShardId,
) -> Result<Option<Kept>, ShardError> {
    one_kept(
        connection,
        "SELECT header, stored_at, state, position FROM shards WHERE identity = ?1 AND shard = ?2",
        params![identity.0, shard.0],
    )
}

/// The row of the shard at a place.
pub(super) fn kept_at_place(
    connection: &Connection,
    identity: IdentityId,
    set: SetId,
    pack: PackId,
    position: Position,
) -> Result<Option<Kept>, ShardError> {
    one_kept(
        connection,
        "SELECT header, stored_at, state, position FROM shards
         WHERE identity = ?1 AND set_id = ?2 AND pack = ?3 AND position = ?4",
        params![identity.0, set.0, pack.0, position.0],
    )
}

fn one_kept(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Option<Kept>, ShardError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let header = read_header(&decode_header(blob(row, 0)?)?)?;
    let header = header.at(Position(row.get(3)?));
    Ok(Some(Kept {
        // A row is entered with the position of its shard.
        header: header.ok_or(DecodeError::Malformed {
            kind: "row of a shard",
        })?,
        stored_at: UnixMillis(from_column("time", row.get(1)?)?),
        is_whole: row.get::<_, i64>(2)? == FileState::Whole.to_column(),
    }))
}

fn one_header(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Option<SignedHeader>, ShardError> {
    let mut statement = connection.prepare_cached(sql)?;
    let header: Option<Vec<u8>> = statement
        .query_row(parameters, |row| row.get(0))
        .optional()?;
    Ok(header.as_deref().map(decode_header).transpose()?)
}

fn sum_usage(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> Result<Usage, ShardError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT coalesce(sum(shards), 0), coalesce(sum(bytes), 0), coalesce(sum(graced_bytes), 0)
         FROM usage {condition}"
    ))?;
    let (shards, bytes, graced): (i64, i64, i64) = statement.query_row(parameters, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(Usage {
        shards: from_column("shard count", shards)?,
        bytes: ByteCount(from_column("byte count", bytes)?),
        graced: ByteCount(from_column("byte count", graced)?),
    })
}
