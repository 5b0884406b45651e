//! Records of customers that this node publishes while their owners are away. It cannot read
//! them; it keeps the newest of each key.

use bitdust_model::limits::{DATABASE_PAGE_MAX, DEPOSITS_PER_CUSTOMER_MAX};
use bitdust_model::locator::{DhtRecord, KeyedRecord, is_newer};
use bitdust_model::{DhtKey, IdentityId, Sequence, decode};
use rusqlite::{Row, Transaction, params};

use super::alignment::note_record;
use super::{ShardError, ShardStore};
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

impl ShardStore {
    /// Keeps a verified record for a customer, if it is newer ([`is_newer`]) than the one that is kept; gives that
    /// one where it stays and is another. At most `DEPOSITS_PER_CUSTOMER_MAX` keys of one
    /// customer.
    pub fn put_deposit(
        &self,
        identity: IdentityId,
        record: &KeyedRecord,
    ) -> Result<Option<KeyedRecord>, ShardError> {
        let inner: DhtRecord = decode(&record.record.bytes)?;
        let sequence = to_column("sequence", inner.sequence.0)?;
        let (key, bytes) = (record.key, encode_signed(&record.record)?);
        let offered = record.record.clone();
        let documents = self.shared.documents.clone();
        self.write(move |transaction| {
            let kept = kept(transaction, identity, key)?;
            let stays = kept.filter(|(number, _)| !is_newer(inner.sequence, *number));
            if let Some((_, record)) = stays {
                let is_same = record.record == offered;
                return Ok((!is_same).then_some(record));
            }
            transaction.execute(
                "INSERT OR REPLACE INTO deposits (identity, dht_key, sequence, record) VALUES (?1, ?2, ?3, ?4)",
                params![identity.0, key.0, sequence, bytes],
            )?;
            let keys: i64 = transaction
                .query_row("SELECT count(*) FROM deposits WHERE identity = ?1", [identity.0], |row| row.get(0))?;
            // One more than allowed is one too many: the transaction is rolled back.
            if from_column::<usize>("row count", keys)? > DEPOSITS_PER_CUSTOMER_MAX {
                return Err(ShardError::TooMany {
                    what: "records of one customer",
                    count_max: DEPOSITS_PER_CUSTOMER_MAX,
                });
            }
            note_record(&documents, transaction, identity, key)?;
            Ok(None)
        })
    }

    /// The newest record under a key, whoever left it.
    pub fn deposit(&self, key: DhtKey) -> Result<Option<KeyedRecord>, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT dht_key, record FROM deposits WHERE dht_key = ?1 ORDER BY sequence DESC LIMIT 1",
            )?;
            let mut rows = statement.query([key.0])?;
            match rows.next()? {
                Some(row) => Ok(Some(record_from_row(row)?)),
                None => Ok(None),
            }
        })
    }

    /// The newest record of each key in the order of keys, from the one after `after`; at
    /// most `limit`, and at most `DATABASE_PAGE_MAX`.
    pub fn deposits(
        &self,
        after: Option<DhtKey>,
        limit: usize,
    ) -> Result<Vec<KeyedRecord>, ShardError> {
        let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
        let limit = to_column("limit", limit.min(DATABASE_PAGE_MAX) as u64)?;
        self.read(|connection| {
            // With max() SQLite takes the other columns from the row that has it.
            let mut statement = connection.prepare_cached(
                "SELECT dht_key, record, max(sequence) FROM deposits WHERE dht_key > ?1
                 GROUP BY dht_key ORDER BY dht_key LIMIT ?2",
            )?;
            statement
                .query_and_then(params![after, limit], record_from_row)?
                .collect()
        })
    }
}

/// What a customer left under a key, with its number.
fn kept(
    transaction: &Transaction<'_>,
    identity: IdentityId,
    key: DhtKey,
) -> Result<Option<(Sequence, KeyedRecord)>, ShardError> {
    let mut statement = transaction.prepare_cached(
        "SELECT dht_key, record, sequence FROM deposits WHERE identity = ?1 AND dht_key = ?2",
    )?;
    let mut rows = statement.query([identity.0, key.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let sequence = from_column("sequence", row.get::<_, i64>(2)?)?;
    Ok(Some((Sequence(sequence), record_from_row(row)?)))
}

fn record_from_row(row: &Row<'_>) -> Result<KeyedRecord, ShardError> {
    Ok(KeyedRecord {
        key: DhtKey(row.get(0)?),
        record: decode_signed(blob(row, 1)?)?,
    })
}
