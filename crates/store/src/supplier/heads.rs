//! Heads of customers' lanes, with the set records they rely on.
//!
//! Heads of a lane only go forward, and each follows the one before: a lane that was written
//! by two is noticed here, at every supplier that saw both.

use bitdust_model::document::Signed;
use bitdust_model::head::{Head, HeadBundle, LaneHeads};
use bitdust_model::intervals::HEADS_KEPT;
use bitdust_model::limits::{DEVICES_MAX, HEADS_PER_LANE_MAX, SETS_MAX};
use bitdust_model::set::SetRecord;
use bitdust_model::{
    DecodeError, DeviceId, HeadHash, IdentityId, UnixMillis, codec::Versioned, decode,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::alignment::{note_lane, sets_of};
use super::fences::last_of;
use super::{ShardError, ShardStore};
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

struct HeadRow {
    head: Head,
    hash: HeadHash,
    sequence: i64,
    encoded: Vec<u8>,
    certificate: Vec<u8>,
    received_at: UnixMillis,
}

struct SetRow {
    set: [u8; 32],
    version: i64,
    encoded: Vec<u8>,
}

impl ShardStore {
    /// Keeps a verified head whose hash is `hash`, and its set records in their newest
    /// versions. The newest head again is no error.
    ///
    /// Refuses a head that is older than the newest, another one with its number, and one
    /// that follows it but names another head before it (`Stale`); one behind a fence; and
    /// more than `DEVICES_MAX` lanes of an identity. Heads are kept for `HEADS_KEPT`.
    pub fn put_head(
        &self,
        bundle: &HeadBundle,
        hash: HeadHash,
        now: UnixMillis,
    ) -> Result<(), ShardError> {
        let head: Head = decode(&bundle.head.bytes)?;
        let sets = set_rows(&head, &bundle.sets)?;
        let sequence = to_column("sequence", head.sequence.0)?;
        let row = HeadRow {
            head,
            hash,
            sequence,
            encoded: encode_signed(&bundle.head)?,
            certificate: encode_signed(&bundle.certificate)?,
            received_at: now,
        };
        let documents = self.shared.documents.clone();
        self.write(move |transaction| {
            insert_head(transaction, &row)?;
            insert_sets(transaction, &row.head, &sets)?;
            transaction.execute(
                "DELETE FROM incomplete WHERE identity = ?1 AND lane = ?2",
                [row.head.owner.0, row.head.lane.0],
            )?;
            prune(transaction, &row)?;
            note_lane(&documents, transaction, row.head.owner, row.head.lane)
        })
    }

    /// Whether account was kept of a lane without a gap since its newest head came.
    pub fn is_complete(&self, identity: IdentityId, lane: DeviceId) -> Result<bool, ShardError> {
        self.read(|connection| is_complete(connection, identity, lane))
    }

    /// The newest head of a lane.
    pub fn newest_head(
        &self,
        identity: IdentityId,
        lane: DeviceId,
    ) -> Result<Option<Head>, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT head FROM heads WHERE identity = ?1 AND lane = ?2
                 ORDER BY sequence DESC LIMIT 1",
            )?;
            let mut rows = statement.query([identity.0, lane.0])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let signed: Signed<Head> = decode_signed(blob(row, 0)?)?;
            Ok(Some(decode(&signed.bytes)?))
        })
    }

    /// The newest head of each lane of an identity with its set records, of a closed lane the
    /// newest that counts; in the order of lanes, from the one after `after`.
    pub fn heads(
        &self,
        identity: IdentityId,
        after: Option<DeviceId>,
    ) -> Result<Vec<LaneHeads>, ShardError> {
        let after: &[u8] = after.as_ref().map_or(&[], |lane| lane.as_bytes());
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT h.lane, h.head, h.certificate FROM heads h WHERE h.identity = ?1 AND h.lane > ?2 AND h.sequence = (
                     SELECT max(n.sequence) FROM heads n
                     LEFT JOIN fences f ON f.identity = n.identity AND f.lane = n.lane
                     WHERE n.identity = h.identity AND n.lane = h.lane AND (f.last IS NULL OR n.sequence <= f.last)
                 ) ORDER BY h.lane",
            )?;
            let rows = statement.query_and_then(params![identity.0, after], |row| {
                let lane = DeviceId(row.get(0)?);
                let newest = HeadBundle {
                    head: decode_signed(blob(row, 1)?)?,
                    sets: sets_of(connection, identity, lane)?,
                    certificate: decode_signed(blob(row, 2)?)?,
                };
                Ok(LaneHeads {
                    tips: vec![newest],
                    are_lists_complete: is_complete(connection, identity, lane)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn set_rows(head: &Head, records: &[Signed<SetRecord>]) -> Result<Vec<SetRow>, ShardError> {
    if records.len() > SETS_MAX {
        return Err(ShardError::TooMany {
            what: "sets of one lane",
            count_max: SETS_MAX,
        });
    }
    let mut rows = Vec::new();
    for signed in records {
        let record: SetRecord = decode(&signed.bytes)?;
        if record.owner != head.owner || record.lane != head.lane {
            return Err(DecodeError::Malformed {
                kind: SetRecord::KIND,
            }
            .into());
        }
        let version = to_column("version", record.version.0)?;
        rows.push(SetRow {
            set: record.set.0,
            version,
            encoded: encode_signed(signed)?,
        });
    }
    Ok(rows)
}

fn insert_head(transaction: &Transaction<'_>, row: &HeadRow) -> Result<(), ShardError> {
    let head = &row.head;
    let stale = || ShardError::Stale { lane: head.lane };
    if last_of(transaction, head.owner, head.lane)?.is_some_and(|last| head.sequence > last) {
        return Err(ShardError::Fenced { lane: head.lane });
    }
    match newest_of(transaction, head.owner, head.lane)? {
        Some((newest, _)) if row.sequence < newest => return Err(stale()),
        Some((newest, hash)) if row.sequence == newest => {
            return if hash == row.hash {
                Ok(())
            } else {
                Err(stale())
            };
        }
        Some((newest, hash)) if row.sequence == newest + 1 && head.previous != hash => {
            return Err(stale());
        }
        Some(_) => {}
        None => refuse_further_lane(transaction, head.owner)?,
    }
    transaction.execute(
        "INSERT INTO heads (identity, lane, sequence, hash, received_at, head, certificate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            head.owner.0,
            head.lane.0,
            row.sequence,
            row.hash.0,
            to_column("time", row.received_at.0)?,
            row.encoded,
            row.certificate,
        ],
    )?;
    Ok(())
}

fn is_complete(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<bool, ShardError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM incomplete WHERE identity = ?1 AND lane = ?2")?;
    Ok(!statement.exists([identity.0, lane.0])?)
}

fn newest_of(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Option<(i64, HeadHash)>, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, hash FROM heads WHERE identity = ?1 AND lane = ?2 ORDER BY sequence DESC LIMIT 1",
    )?;
    let newest = statement.query_row([identity.0, lane.0], |row| {
        Ok((row.get(0)?, HeadHash(row.get(1)?)))
    });
    Ok(newest.optional()?)
}

fn refuse_further_lane(
    transaction: &Transaction<'_>,
    identity: IdentityId,
) -> Result<(), ShardError> {
    let lanes: i64 = transaction.query_row(
        "SELECT count(DISTINCT lane) FROM heads WHERE identity = ?1",
        [identity.0],
        |row| row.get(0),
    )?;
    if from_column::<usize>("row count", lanes)? >= DEVICES_MAX {
        return Err(ShardError::TooMany {
            what: "lanes of one identity",
            count_max: DEVICES_MAX,
        });
    }
    Ok(())
}

/// Takes newer versions in and forgets sets that the head no longer brings.
fn insert_sets(
    transaction: &Transaction<'_>,
    head: &Head,
    sets: &[SetRow],
) -> Result<(), ShardError> {
    let mut known = transaction
        .prepare_cached("SELECT set_id FROM set_records WHERE identity = ?1 AND lane = ?2")?;
    let known = known
        .query_map([head.owner.0, head.lane.0], |row| row.get(0))?
        .collect::<Result<Vec<[u8; 32]>, _>>()?;
    for gone in known
        .iter()
        .filter(|known| sets.iter().all(|set| set.set != **known))
    {
        transaction
            .prepare_cached(
                "DELETE FROM set_records WHERE identity = ?1 AND lane = ?2 AND set_id = ?3",
            )?
            .execute([&head.owner.0, &head.lane.0, gone])?;
    }
    for set in sets {
        transaction
            .prepare_cached(
                "INSERT INTO set_records (identity, lane, set_id, version, record) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (identity, lane, set_id) DO UPDATE
                 SET version = excluded.version, record = excluded.record WHERE excluded.version > version",
            )?
            .execute(params![head.owner.0, head.lane.0, set.set, set.version, set.encoded])?;
    }
    Ok(())
}

fn prune(transaction: &Transaction<'_>, row: &HeadRow) -> Result<(), ShardError> {
    let head = &row.head;
    let kept_ms = u64::try_from(HEADS_KEPT.as_millis()).unwrap_or(u64::MAX);
    let expired = to_column("time", row.received_at.0.saturating_sub(kept_ms))?;
    transaction.execute(
        "DELETE FROM heads WHERE identity = ?1 AND lane = ?2 AND sequence < ?3 AND received_at < ?4",
        params![head.owner.0, head.lane.0, row.sequence, expired],
    )?;
    transaction.execute(
        "DELETE FROM heads WHERE identity = ?1 AND lane = ?2 AND sequence NOT IN (
             SELECT sequence FROM heads WHERE identity = ?1 AND lane = ?2 ORDER BY sequence DESC LIMIT ?3)",
        params![head.owner.0, head.lane.0, to_column("count", HEADS_PER_LANE_MAX as u64)?],
    )?;
    Ok(())
}
