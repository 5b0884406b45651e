//! Versions of folders.

use std::collections::BTreeMap;

use bitdust_model::limits::SNAPSHOTS_MAX;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::versions::oldest_first;
use bitdust_model::{Sequence, SnapshotId, UnixMillis};
use rusqlite::{Transaction, params};

use super::error::refuse_when_full;
use super::{Catalogue, CatalogueError};
use crate::row::{SnapshotRow, blob, decode_row, encode_row, from_column, to_column};

impl Catalogue {
    /// All snapshots, oldest first, as a reader sees them whose clock shows `now`
    /// ([`oldest_first`]).
    pub fn snapshots(&self, now: UnixMillis) -> Result<Vec<SnapshotRecord>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT record FROM snapshots ORDER BY ordinal, snapshot")?;
            let rows = statement
                .query_and_then([], |row| Ok(decode_row::<SnapshotRow>(blob(row, 0)?)?.0))?;
            let records: Result<_, CatalogueError> = rows.collect();
            records.map(|records| oldest_first(records, now))
        })
    }

    /// For each snapshot of this device the first head that lists it, where that is known.
    pub fn listed_since(&self) -> Result<BTreeMap<SnapshotId, Sequence>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT snapshot, head FROM snapshots WHERE head IS NOT NULL")?;
            let rows = statement.query_and_then([], |row| {
                let head = from_column("sequence", row.get::<_, i64>(1)?)?;
                Ok((SnapshotId(row.get(0)?), Sequence(head)))
            })?;
            rows.collect()
        })
    }

    /// One snapshot.
    pub fn snapshot(&self, snapshot: SnapshotId) -> Result<Option<SnapshotRecord>, CatalogueError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT record FROM snapshots WHERE snapshot = ?1")?;
            let mut rows = statement.query([snapshot.0])?;
            match rows.next()? {
                Some(row) => Ok(Some(decode_row::<SnapshotRow>(blob(row, 0)?)?.0)),
                None => Ok(None),
            }
        })
    }
}

/// Adds a snapshot; one with its id is replaced, and stays listed since the head that first did. At most
/// `SNAPSHOTS_MAX`.
pub(super) fn insert_snapshot(
    transaction: &Transaction<'_>,
    record: SnapshotRecord,
    head: Option<Sequence>,
) -> Result<(), CatalogueError> {
    let (snapshot, folder) = (record.snapshot.0, record.folder.0);
    let order = to_column("order", record.order)?;
    let bytes = encode_row(&SnapshotRow(record))?;
    let head = head.map(|head| to_column("sequence", head.0)).transpose()?;
    transaction
        .prepare_cached(
            "INSERT INTO snapshots (snapshot, folder, ordinal, record, head) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (snapshot) DO UPDATE SET folder = excluded.folder, ordinal = excluded.ordinal,
             record = excluded.record, head = coalesce(head, excluded.head)",
        )?
        .execute(params![snapshot, folder, order, bytes, head])?;
    // One more than allowed is one too many: the transaction is rolled back.
    refuse_when_full(
        transaction,
        "snapshots",
        "SELECT count(*) FROM snapshots",
        SNAPSHOTS_MAX + 1,
    )
}
