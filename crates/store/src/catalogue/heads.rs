//! The own lane: heads that this device signed, and its set records.
//!
//! A head is recorded before it is shown to anyone and marked when it is published. A number
//! of the lane is never given to two heads: that would be a fork.

use bitdust_model::document::Signed;
use bitdust_model::head::Head;
use bitdust_model::limits::{OWN_HEADS_MAX, SETS_MAX};
use bitdust_model::set::SetRecord;
use bitdust_model::{HeadHash, Sequence, SetId, decode};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::confirmations::place_holders;
use super::error::refuse_when_full;
use super::head_receipts::forget_old_receipts;
use super::{Catalogue, CatalogueError};
use crate::database::DatabaseError;
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

/// Under which the newest head is noted that was abandoned.
pub(super) const ABANDONED_KEY: &str = "abandoned_draft";

/// A head of the own lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnHead {
    /// Its place in the lane.
    pub sequence: Sequence,
    /// Its hash.
    pub hash: HeadHash,
    /// The head as it was signed.
    pub head: Signed<Head>,
    /// Whether enough suppliers keep it; until then it is a draft that some may have seen.
    pub published: bool,
}

/// A set record of this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSet {
    /// The set.
    pub set: SetId,
    /// Its version.
    pub version: Sequence,
    /// The record as it was signed.
    pub record: Signed<SetRecord>,
}

impl Catalogue {
    /// Records a head durably. The same head again is no error; another head with its number,
    /// or one older than the newest, is refused as stale. The newest `OWN_HEADS_MAX` are
    /// kept.
    pub fn put_head(&self, head: OwnHead) -> Result<(), CatalogueError> {
        self.write_durably(move |transaction| insert_head(transaction, &head))
    }

    /// Marks a recorded head as published.
    pub fn mark_head_published(&self, sequence: Sequence) -> Result<(), CatalogueError> {
        let sequence = to_column("sequence", sequence.0)?;
        self.write_durably(move |transaction| {
            transaction.execute(
                "UPDATE own_heads SET published = 1 WHERE sequence = ?1",
                [sequence],
            )?;
            Ok(())
        })
    }

    /// The newest head, if it may still be published.
    pub fn draft(&self) -> Result<Option<OwnHead>, CatalogueError> {
        let newest = self.newest_head()?;
        let abandoned = self.get_meta(ABANDONED_KEY)?;
        let abandoned = abandoned.and_then(|bytes| bytes.try_into().ok());
        let abandoned = abandoned.map(|bytes| Sequence(u64::from_le_bytes(bytes)));
        Ok(newest.filter(|head| !head.published && Some(head.sequence) > abandoned))
    }

    /// Notes durably that a head, and none before it, is never to be published that is not yet. Its
    /// number stays taken: whether somebody was given it is not known after a power cut.
    pub fn abandon_draft(&self, sequence: Sequence) -> Result<(), CatalogueError> {
        self.set_meta(ABANDONED_KEY, &sequence.0.to_le_bytes())
    }

    /// The newest head, published or not.
    pub fn newest_head(&self) -> Result<Option<OwnHead>, CatalogueError> {
        self.read(|connection| {
            one_head(connection, "SELECT sequence, hash, published, head FROM own_heads ORDER BY sequence DESC LIMIT 1")
        })
    }

    /// The head with a number, while it is kept.
    pub fn head(&self, sequence: Sequence) -> Result<Option<OwnHead>, CatalogueError> {
        let sequence = to_column("sequence", sequence.0)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sequence, hash, published, head FROM own_heads WHERE sequence = ?1",
            )?;
            let mut rows = statement.query([sequence])?;
            rows.next()?.map(head_from_row).transpose()
        })
    }

    /// Heads between two numbers, neither of them included, oldest first and at most so many.
    pub fn heads_between(
        &self,
        after: Sequence,
        before: Sequence,
        count_max: usize,
    ) -> Result<Vec<OwnHead>, CatalogueError> {
        let after = to_column("sequence", after.0)?;
        let before = to_column("sequence", before.0)?;
        let count_max = to_column("count", count_max as u64)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sequence, hash, published, head FROM own_heads WHERE sequence > ?1 AND sequence < ?2
                 ORDER BY sequence LIMIT ?3",
            )?;
            let rows = statement.query_and_then([after, before, count_max], head_from_row)?;
            rows.collect()
        })
    }

    /// Whether every head between two numbers, neither of them included, is kept.
    pub fn has_heads_between(
        &self,
        after: Sequence,
        before: Sequence,
    ) -> Result<bool, CatalogueError> {
        let wanted = before.0.saturating_sub(after.0).saturating_sub(1);
        let after = to_column("sequence", after.0)?;
        let before = to_column("sequence", before.0)?;
        self.read(|connection| {
            let count: i64 = connection
                .prepare_cached(
                    "SELECT count(*) FROM own_heads WHERE sequence > ?1 AND sequence < ?2",
                )?
                .query_row([after, before], |row| row.get(0))?;
            let count: u64 = from_column("row count", count)?;
            Ok(count == wanted)
        })
    }

    /// Whether nothing is in the catalogue that somebody could miss.
    pub fn is_unused(&self) -> Result<bool, CatalogueError> {
        self.read(|connection| {
            let unused = "SELECT NOT EXISTS (SELECT 1 FROM own_heads) AND NOT EXISTS (SELECT 1 FROM own_sets)
                 AND NOT EXISTS (SELECT 1 FROM suppliers) AND NOT EXISTS (SELECT 1 FROM friends)
                 AND NOT EXISTS (SELECT 1 FROM folders)";
            Ok(connection.query_row(unused, [], |row| row.get(0))?)
        })
    }

    /// The newest head known to be published.
    pub fn newest_published_head(&self) -> Result<Option<OwnHead>, CatalogueError> {
        self.read(|connection| {
            one_head(
                connection,
                "SELECT sequence, hash, published, head FROM own_heads WHERE published = 1
                 ORDER BY sequence DESC LIMIT 1",
            )
        })
    }

    /// Records a set record durably. An older version than the one that is kept, or another
    /// record of the same version, is refused as stale.
    pub fn put_set(&self, set: OwnSet) -> Result<(), CatalogueError> {
        let plain: SetRecord = decode(&set.record.bytes).map_err(DatabaseError::Damaged)?;
        let record = encode_signed(&set.record)?;
        let version = to_column("version", set.version.0)?;
        self.write_durably(move |transaction| {
            let kept: Option<(i64, Vec<u8>)> = transaction
                .query_row("SELECT version, record FROM own_sets WHERE set_id = ?1", [set.set.0], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            match kept {
                Some((kept, _)) if kept > version => return Err(CatalogueError::Stale { what: "set record" }),
                Some((kept, bytes)) if kept == version && bytes != record => {
                    return Err(CatalogueError::Stale { what: "set record" });
                }
                Some(_) => {}
                None => refuse_when_full(transaction, "sets", "SELECT count(*) FROM own_sets", SETS_MAX)?,
            }
            transaction.execute(
                "INSERT INTO own_sets (set_id, version, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (set_id) DO UPDATE SET version = excluded.version, record = excluded.record",
                params![set.set.0, version, record],
            )?;
            place_holders(transaction, &plain)
        })
    }

    /// All set records, newest versions, in the order in which the sets were made.
    pub fn sets(&self) -> Result<Vec<OwnSet>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT set_id, version, record FROM own_sets ORDER BY rowid")?;
            let rows = statement.query_and_then([], |row| {
                Ok(OwnSet {
                    set: SetId(row.get(0)?),
                    version: Sequence(from_column("version", row.get(1)?)?),
                    record: decode_signed(blob(row, 2)?)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// Inserts a head or marks it; see [`Catalogue::put_head`].
pub(super) fn insert_head(
    transaction: &Transaction<'_>,
    head: &OwnHead,
) -> Result<(), CatalogueError> {
    let stale = || CatalogueError::Stale { what: "head" };
    let sequence = to_column("sequence", head.sequence.0)?;
    let newest: Option<(i64, [u8; 32])> = transaction
        .query_row(
            "SELECT sequence, hash FROM own_heads ORDER BY sequence DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some((newest, hash)) = newest {
        if sequence < newest {
            return Err(stale());
        }
        if sequence == newest && hash != head.hash.0 {
            return Err(stale());
        }
    }
    transaction.execute(
        "INSERT INTO own_heads (sequence, hash, published, head, newest_pack)
         VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(id), 0) FROM packs))
         ON CONFLICT (sequence) DO UPDATE SET published = max(published, excluded.published)",
        params![
            sequence,
            head.hash.0,
            head.published,
            encode_signed(&head.head)?
        ],
    )?;
    let kept = to_column("count", OWN_HEADS_MAX as u64)?;
    transaction.execute(
        "DELETE FROM own_heads WHERE sequence NOT IN (SELECT sequence FROM own_heads ORDER BY sequence DESC LIMIT ?1)
         AND sequence < (SELECT max(sequence) FROM own_heads WHERE published = 1)",
        [kept],
    )?;
    forget_old_receipts(transaction)
}

fn one_head(connection: &Connection, sql: &str) -> Result<Option<OwnHead>, CatalogueError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok(Some(head_from_row(row)?)),
        None => Ok(None),
    }
}

fn head_from_row(row: &Row<'_>) -> Result<OwnHead, CatalogueError> {
    Ok(OwnHead {
        sequence: Sequence(from_column("sequence", row.get(0)?)?),
        hash: HeadHash(row.get(1)?),
        published: row.get(2)?,
        head: decode_signed(blob(row, 3)?)?,
    })
}
