//! Versions of folders.

use bitdust_model::limits::SNAPSHOTS_MAX;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::versions::oldest_first;
use bitdust_model::{SnapshotId, UnixMillis};
use rusqlite::{Transaction, params};

use super::error::refuse_when_full;
use super::{Catalogue, CatalogueError};
use crate::row::{SnapshotRow, blob, decode_row, encode_row, to_column};

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

/// Adds a snapshot; one with its id is replaced. At most `SNAPSHOTS_MAX`.
pub(super) fn insert_snapshot(
    transaction: &Transaction<'_>,
    record: SnapshotRecord,
) -> Result<(), CatalogueError> {
    let (snapshot, folder) = (record.snapshot.0, record.folder.0);
    let order = to_column("order", record.order)?;
    let bytes = encode_row(&SnapshotRow(record))?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO snapshots (snapshot, folder, ordinal, record) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![snapshot, folder, order, bytes])?;
    // One more than allowed is one too many: the transaction is rolled back.
    refuse_when_full(
        transaction,
        "snapshots",
        "SELECT count(*) FROM snapshots",
        SNAPSHOTS_MAX + 1,
    )
}
