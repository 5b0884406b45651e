//! Heads of customers' lanes, with the set records they rely on.
//!
//! Heads of a lane only go forward, and each follows the one before: by its own word, by those between
//! that travel with it, or by the word of a quorum. A lane that was written by two, or by one that
//! forgot what it wrote, is noticed here, and nothing of it is overwritten.

use std::collections::BTreeSet;

use bitdust_model::document::Signed;
use bitdust_model::head::{Head, HeadBundle, LaneHeads};
use bitdust_model::intervals::HEADS_KEPT;
use bitdust_model::limits::{DEVICES_MAX, HEADS_BETWEEN_MAX, HEADS_PER_LANE_MAX, SETS_MAX};
use bitdust_model::locator::Certificate;
use bitdust_model::set::SetRecord;
use bitdust_model::{
    DecodeError, DeviceId, HeadHash, IdentityId, Sequence, UnixMillis, codec::Versioned, decode,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::alignment::{note_lane, sets_of};
use super::fences::last_of;
use super::{ShardError, ShardStore};
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

/// What links a head to one that was kept before it; all of it verified.
#[derive(Debug, Clone, Default)]
pub struct HeadChain {
    /// Heads between the two with their hashes, oldest first; at most `HEADS_BETWEEN_MAX`.
    pub between: Vec<(Signed<Head>, HeadHash)>,
    /// Who signed for the first of these, or for the one before it, where that one is not kept here.
    pub vouchers: Option<Vouchers>,
}

/// Who keeps a head.
#[derive(Debug, Clone)]
pub struct Vouchers {
    /// The head.
    pub head: HeadHash,
    /// Its place in the lane.
    pub sequence: Sequence,
    /// Who signed for it.
    pub by: BTreeSet<DeviceId>,
}

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
    /// Keeps a verified head whose hash is `hash` with those that lead to it, and its set records in
    /// their newest versions. The newest head again is no error.
    ///
    /// Refuses a head that was kept before the newest (`Stale`); one that neither follows the newest nor
    /// is linked to it (`Forked`); one behind a fence; and more than `DEVICES_MAX` lanes of an identity.
    /// The first head of a lane may be any. Heads are kept for `HEADS_KEPT`.
    pub fn put_head(
        &self,
        bundle: &HeadBundle,
        hash: HeadHash,
        chain: &HeadChain,
        now: UnixMillis,
    ) -> Result<(), ShardError> {
        if chain.between.len() > HEADS_BETWEEN_MAX {
            return Err(ShardError::TooMany {
                what: "heads before one",
                count_max: HEADS_BETWEEN_MAX,
            });
        }
        let row = |signed: &Signed<Head>, hash| head_row(signed, hash, &bundle.certificate, now);
        let between = chain.between.iter();
        let before = between
            .map(|(signed, hash)| row(signed, *hash))
            .collect::<Result<Vec<_>, _>>()?;
        let row = row(&bundle.head, hash)?;
        let sets = set_rows(&row.head, &bundle.sets)?;
        let (documents, vouchers) = (self.shared.documents.clone(), chain.vouchers.clone());
        self.write(move |transaction| {
            insert_head(transaction, &row, &before, vouchers.as_ref())?;
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

    /// The newest head of each lane of an identity whose lists lie here, with its set records: one that was
    /// kept on the way to another leads nowhere. Where none has lists it is the newest of all; of a closed
    /// lane only those that count are looked at. In the order of lanes, from the one after `after`.
    pub fn heads(
        &self,
        identity: IdentityId,
        after: Option<DeviceId>,
    ) -> Result<Vec<LaneHeads>, ShardError> {
        let after: &[u8] = after.as_ref().map_or(&[], |lane| lane.as_bytes());
        self.read(|connection| {
            let mut lanes = connection.prepare_cached(
                "SELECT DISTINCT lane FROM heads WHERE identity = ?1 AND lane > ?2 ORDER BY lane",
            )?;
            let lanes = lanes.query_map(params![identity.0, after], |row| row.get(0))?;
            let lanes = lanes.collect::<Result<Vec<[u8; 32]>, _>>()?;
            let heads = lanes
                .into_iter()
                .map(|lane| lane_heads(connection, identity, DeviceId(lane)));
            let heads = heads.collect::<Result<Vec<_>, _>>()?;
            Ok(heads.into_iter().flatten().collect())
        })
    }
}

/// What is told of a lane; `None`: nothing of it counts.
fn lane_heads(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Option<LaneHeads>, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT head, certificate FROM heads WHERE identity = ?1 AND lane = ?2
         AND sequence <= coalesce((SELECT last FROM fences WHERE identity = ?1 AND lane = ?2), sequence)
         ORDER BY sequence DESC",
    )?;
    let mut rows = statement.query([identity.0, lane.0])?;
    let mut told = None;
    while let Some(row) = rows.next()? {
        let signed: Signed<Head> = decode_signed(blob(row, 0)?)?;
        let head: Head = decode(&signed.bytes)?;
        let has_lists = has_pack(connection, &head)?;
        if told.is_none() || has_lists {
            told = Some((signed, decode_signed(blob(row, 1)?)?));
        }
        if has_lists {
            break;
        }
    }
    let Some((head, certificate)) = told else {
        return Ok(None);
    };
    let newest = HeadBundle {
        head,
        sets: sets_of(connection, identity, lane)?,
        certificate,
    };
    Ok(Some(LaneHeads {
        tips: vec![newest],
        are_lists_complete: is_complete(connection, identity, lane)?,
    }))
}

/// Whether a shard of the pack that a head leads to lies here.
fn has_pack(connection: &Connection, head: &Head) -> Result<bool, ShardError> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM shards WHERE identity = ?1 AND pack = ?2 AND state = 0")?;
    Ok(statement.exists([head.owner.0, head.commit.pack.0])?)
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

fn head_row(
    signed: &Signed<Head>,
    hash: HeadHash,
    certificate: &Signed<Certificate>,
    received_at: UnixMillis,
) -> Result<HeadRow, ShardError> {
    let head: Head = decode(&signed.bytes)?;
    Ok(HeadRow {
        hash,
        sequence: to_column("sequence", head.sequence.0)?,
        head,
        encoded: encode_signed(signed)?,
        certificate: encode_signed(certificate)?,
        received_at,
    })
}

fn insert_head(
    transaction: &Transaction<'_>,
    row: &HeadRow,
    before: &[HeadRow],
    vouchers: Option<&Vouchers>,
) -> Result<(), ShardError> {
    let head = &row.head;
    if last_of(transaction, head.owner, head.lane)?.is_some_and(|last| head.sequence > last) {
        return Err(ShardError::Fenced { lane: head.lane });
    }
    let Some((newest, hash)) = newest_of(transaction, head.owner, head.lane)? else {
        refuse_further_lane(transaction, head.owner)?;
        return insert_row(transaction, row);
    };
    if hash == row.hash {
        return Ok(());
    }
    let forked = || ShardError::Forked { lane: head.lane };
    if row.sequence <= newest {
        let is_known = is_kept(transaction, row)?;
        let stale = ShardError::Stale { lane: head.lane };
        return Err(if is_known { stale } else { forked() });
    }
    let mut rows: Vec<&HeadRow> = before.iter().chain([row]).collect();
    let is_linked = rows
        .windows(2)
        .all(|pair| pair[1].head.previous == pair[0].hash && pair[1].sequence > pair[0].sequence);
    if !is_linked {
        return Err(forked());
    }
    if let Some(next) = rows.iter().position(|row| row.head.previous == hash) {
        rows.drain(..next);
    } else {
        let first = rows[0];
        let vouchers = vouchers.ok_or_else(forked)?;
        let vouched = to_column("sequence", vouchers.sequence.0)?;
        let is_before = vouchers.head == first.head.previous && vouched < first.sequence;
        let is_first = vouchers.head == first.hash && vouched == first.sequence;
        let is_newer = newest < vouched && (is_before || is_first);
        if !is_newer || !is_quorum(transaction, head, &vouchers.by)? {
            return Err(forked());
        }
    }
    rows.into_iter()
        .try_for_each(|row| insert_row(transaction, row))
}

/// Whether so many of the active holders of a head's home set, as it is known here, signed for a head that
/// it is settled; or all of them but one, who is then the one that is to be brought forward.
fn is_quorum(
    connection: &Connection,
    head: &Head,
    by: &BTreeSet<DeviceId>,
) -> Result<bool, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT record FROM set_records WHERE identity = ?1 AND lane = ?2 AND set_id = ?3",
    )?;
    let mut rows = statement.query([head.owner.0, head.lane.0, head.home.0])?;
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    let signed: Signed<SetRecord> = decode_signed(blob(row, 0)?)?;
    let set: SetRecord = decode(&signed.bytes)?;
    let active: BTreeSet<DeviceId> = set.active().collect();
    let signed = active.intersection(by).count();
    let others = active.len().saturating_sub(1);
    let is_enough = |quorum: usize| signed >= quorum.min(others) && signed > 0;
    Ok(set.quorum().is_some_and(is_enough))
}

fn is_kept(connection: &Connection, row: &HeadRow) -> Result<bool, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM heads WHERE identity = ?1 AND lane = ?2 AND sequence = ?3 AND hash = ?4",
    )?;
    let head = &row.head;
    Ok(statement.exists(params![head.owner.0, head.lane.0, row.sequence, row.hash.0])?)
}

fn insert_row(transaction: &Transaction<'_>, row: &HeadRow) -> Result<(), ShardError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO heads (identity, lane, sequence, hash, received_at, head, certificate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        row.head.owner.0,
        row.head.lane.0,
        row.sequence,
        row.hash.0,
        to_column("time", row.received_at.0)?,
        row.encoded,
        row.certificate,
    ])?;
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
