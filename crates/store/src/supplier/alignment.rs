//! Bringing the database and the files of documents in line at a start: after the database was lost
//! the files fill it, and one that came before them fills the files.

use bitdust_model::contract::Contract;
use bitdust_model::document::Signed;
use bitdust_model::head::Head;
use bitdust_model::limits::HEADS_PER_LANE_FILE_MAX;
use bitdust_model::locator::{DhtRecord, Fence};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, DhtKey, HeadHash, IdentityId, UnixMillis, decode};
use rusqlite::{Connection, Transaction, params};

use super::documents::{DocumentFiles, Found, KeptHead, LaneFile};
use super::swept::Swept;
use super::{ShardError, ShardStore};
use crate::row::{SignedRow, blob, decode_signed, encode_signed, from_column, to_column};

/// An identity, and a lane or key of it.
type Place = ([u8; 32], [u8; 32]);

impl ShardStore {
    /// Enters what only files have, and writes the files that are missing. Of the same version a file is
    /// believed, whose hash says that it is whole. Of lanes of which a newer head was entered, account is kept
    /// again when their device puts its head. What cannot be read or written stays as it is, and is counted:
    /// it keeps nobody from the rest.
    pub(super) fn align_documents(&self, swept: &mut Swept) -> Result<(), ShardError> {
        let documents = &self.shared.documents;
        let (found, damaged) = documents.read_all();
        swept.documents_damaged += damaged;
        swept.lanes_entered += self.write(move |transaction| {
            let mut entered = 0;
            for file in &found {
                match file {
                    Found::Lane(file) => entered += u64::from(enter_lane(transaction, file)?),
                    Found::Record(identity, record) => {
                        let inner: DhtRecord = decode(&record.record.bytes)?;
                        transaction.execute(
                            "INSERT INTO deposits (identity, dht_key, sequence, record) VALUES (?1, ?2, ?3, ?4)
                             ON CONFLICT (identity, dht_key) DO UPDATE
                             SET sequence = excluded.sequence, record = excluded.record WHERE excluded.sequence >= sequence",
                            params![
                                identity.0,
                                record.key.0,
                                to_column("sequence", inner.sequence.0)?,
                                encode_signed(&record.record)?
                            ],
                        )?;
                    }
                }
            }
            Ok(entered)
        })?;
        for (identity, lane) in self.places("SELECT identity, lane FROM contracts UNION SELECT identity, lane FROM heads UNION SELECT identity, lane FROM fences")? {
            let (identity, lane) = (IdentityId(identity), DeviceId(lane));
            let noted = self.read(|connection| note_lane(documents, connection, identity, lane));
            count_failed(swept, identity, noted);
        }
        for (identity, key) in self.places("SELECT identity, dht_key FROM deposits")? {
            let (identity, key) = (IdentityId(identity), DhtKey(key));
            let noted = self.read(|connection| note_record(documents, connection, identity, key));
            count_failed(swept, identity, noted);
        }
        Ok(())
    }

    /// The places that a query finds.
    fn places(&self, sql: &str) -> Result<Vec<Place>, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// What of one customer could not be brought in line.
fn count_failed(swept: &mut Swept, identity: IdentityId, noted: Result<(), ShardError>) {
    if let Err(error) = noted {
        tracing::warn!(%identity, code = ?error.code(), "A kept document could not be brought in line");
        swept.documents_damaged += 1;
    }
}

/// Whether its newest head was not known.
fn enter_lane(transaction: &Transaction<'_>, file: &LaneFile) -> Result<bool, ShardError> {
    let (identity, lane) = (file.identity, file.lane);
    if let Some((signed, acceptance)) = &file.contract {
        let contract: Contract = decode(&signed.bytes)?;
        // It was written with the row, or after it was renewed.
        transaction.execute(
            "INSERT OR REPLACE INTO contracts (identity, lane, bytes, contract, acceptance) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                identity.0,
                lane.0,
                to_column("byte count", contract.bytes.0)?,
                encode_signed(signed)?,
                encode_signed(acceptance)?
            ],
        )?;
    }
    if let Some(signed) = &file.fence {
        let fence: Fence = decode(&signed.bytes)?;
        transaction.execute(
            "INSERT INTO fences (identity, lane, last, fence) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (identity, lane) DO UPDATE SET last = excluded.last, fence = excluded.fence
             WHERE excluded.last <= last",
            params![
                identity.0,
                lane.0,
                to_column("sequence", fence.last.sequence.0)?,
                encode_signed(signed)?
            ],
        )?;
    }
    for signed in &file.sets {
        let set: SetRecord = decode(&signed.bytes)?;
        transaction.execute(
            "INSERT INTO set_records (identity, lane, set_id, version, record) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (identity, lane, set_id) DO UPDATE
             SET version = excluded.version, record = excluded.record WHERE excluded.version >= version",
            params![
                identity.0,
                lane.0,
                set.set.0,
                to_column("version", set.version.0)?,
                encode_signed(signed)?
            ],
        )?;
    }
    let mut is_news = false;
    for kept in &file.heads {
        is_news |= enter_head(transaction, identity, lane, kept)?;
    }
    if is_news {
        transaction.execute(
            "INSERT OR IGNORE INTO incomplete (identity, lane) VALUES (?1, ?2)",
            [identity.0, lane.0],
        )?;
    }
    Ok(is_news)
}

/// Says whether it is newer than all that were known.
fn enter_head(
    transaction: &Transaction<'_>,
    identity: IdentityId,
    lane: DeviceId,
    kept: &KeptHead,
) -> Result<bool, ShardError> {
    let head: Head = decode(&kept.head.bytes)?;
    let sequence = to_column("sequence", head.sequence.0)?;
    let is_known: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM heads WHERE identity = ?1 AND lane = ?2 AND sequence >= ?3)",
        params![identity.0, lane.0, sequence],
        |row| row.get(0),
    )?;
    transaction.execute(
        "INSERT OR REPLACE INTO heads (identity, lane, sequence, hash, received_at, head, certificate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            identity.0,
            lane.0,
            sequence,
            kept.hash.0,
            to_column("time", kept.received_at.0)?,
            encode_signed(&kept.head)?,
            encode_signed(&kept.certificate)?
        ],
    )?;
    Ok(!is_known)
}

/// Writes what a transaction makes of a lane into its file, as a part of it: before anybody is told that it
/// is kept, it is in both, and the file never goes back. A head that came into the file alone is
/// entered by the next start.
pub(super) fn note_lane(
    documents: &DocumentFiles,
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<(), ShardError> {
    let file = lane_file(connection, identity, lane)?;
    documents.store(&documents.lane(identity, lane), &file)
}

/// The same for a record that its owner left here.
pub(super) fn note_record(
    documents: &DocumentFiles,
    connection: &Connection,
    identity: IdentityId,
    key: DhtKey,
) -> Result<(), ShardError> {
    match record_of(connection, identity, key)? {
        Some(record) => documents.store(&documents.record(identity, key), &SignedRow(record)),
        None => Ok(()),
    }
}

fn lane_file(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<LaneFile, ShardError> {
    let place = [identity.0, lane.0];
    let mut statement = connection.prepare_cached(
        "SELECT contract, acceptance FROM contracts WHERE identity = ?1 AND lane = ?2",
    )?;
    let mut rows = statement.query(place)?;
    let contract = match rows.next()? {
        Some(row) => Some((decode_signed(blob(row, 0)?)?, decode_signed(blob(row, 1)?)?)),
        None => None,
    };
    let mut statement =
        connection.prepare_cached("SELECT fence FROM fences WHERE identity = ?1 AND lane = ?2")?;
    let mut rows = statement.query(place)?;
    let fence = match rows.next()? {
        Some(row) => Some(decode_signed(blob(row, 0)?)?),
        None => None,
    };
    Ok(LaneFile {
        identity,
        lane,
        contract,
        heads: heads_of(connection, identity, lane)?,
        sets: sets_of(connection, identity, lane)?,
        fence,
    })
}

/// The newest heads of a lane, and the newest that counts of one that is closed.
fn heads_of(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Vec<KeptHead>, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT head, hash, certificate, received_at FROM heads WHERE identity = ?1 AND lane = ?2 AND (
             sequence IN (SELECT sequence FROM heads WHERE identity = ?1 AND lane = ?2
                          ORDER BY sequence DESC LIMIT ?3)
             OR sequence = (SELECT max(h.sequence) FROM heads h JOIN fences f ON f.identity = h.identity AND f.lane = h.lane
                            WHERE h.identity = ?1 AND h.lane = ?2 AND h.sequence <= f.last)
         ) ORDER BY sequence",
    )?;
    let most = to_column("count", HEADS_PER_LANE_FILE_MAX as u64)?;
    let rows = statement.query_and_then(params![identity.0, lane.0, most], |row| {
        Ok(KeptHead {
            head: decode_signed(blob(row, 0)?)?,
            hash: HeadHash(row.get(1)?),
            certificate: decode_signed(blob(row, 2)?)?,
            received_at: UnixMillis(from_column("time", row.get(3)?)?),
        })
    })?;
    rows.collect()
}

fn record_of(
    connection: &Connection,
    identity: IdentityId,
    key: DhtKey,
) -> Result<Option<Signed<DhtRecord>>, ShardError> {
    let mut statement = connection
        .prepare_cached("SELECT record FROM deposits WHERE identity = ?1 AND dht_key = ?2")?;
    let mut rows = statement.query([identity.0, key.0])?;
    match rows.next()? {
        Some(row) => Ok(Some(decode_signed(blob(row, 0)?)?)),
        None => Ok(None),
    }
}

/// The set records of a lane.
pub(super) fn sets_of(
    connection: &Connection,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Vec<Signed<SetRecord>>, ShardError> {
    let mut statement = connection.prepare_cached(
        "SELECT record FROM set_records WHERE identity = ?1 AND lane = ?2 ORDER BY set_id",
    )?;
    statement
        .query_and_then([identity.0, lane.0], |row| {
            Ok(decode_signed(blob(row, 0)?)?)
        })?
        .collect()
}
