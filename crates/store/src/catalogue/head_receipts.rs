//! Which supplier signed for which head of the own lane.
//!
//! They go with their head, and all of a supplier go when all that it confirmed is taken back.

use bitdust_model::document::Signed;
use bitdust_model::head::HeadReceipt;
use bitdust_model::{DeviceId, Sequence, decode};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Catalogue, CatalogueError};
use crate::database::DatabaseError;
use crate::row::{blob, decode_signed, encode_signed, from_column, to_column};

/// Under which the newest head is noted that was settled.
const SETTLED_KEY: &str = "settled_head";

impl Catalogue {
    /// Records that a supplier keeps a head. What one says of a head that is not kept here counts for
    /// nothing.
    pub fn put_head_receipt(
        &self,
        supplier: DeviceId,
        sequence: Sequence,
        receipt: &Signed<HeadReceipt>,
    ) -> Result<(), CatalogueError> {
        let plain: HeadReceipt = decode(&receipt.bytes).map_err(DatabaseError::Damaged)?;
        let receipt = encode_signed(receipt)?;
        let sequence = to_column("sequence", sequence.0)?;
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO head_receipts (sequence, device, receipt)
                 SELECT sequence, ?2, ?3 FROM own_heads WHERE sequence = ?1 AND hash = ?4",
                params![sequence, supplier.0, receipt, plain.head.0],
            )?;
            Ok(())
        })
    }

    /// Who signed for a head.
    pub fn head_keepers(&self, sequence: Sequence) -> Result<Vec<DeviceId>, CatalogueError> {
        let sequence = to_column("sequence", sequence.0)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT device FROM head_receipts WHERE sequence = ?1 ORDER BY device",
            )?;
            let rows = statement.query_map([sequence], |row| row.get(0).map(DeviceId))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest head for which a supplier signed.
    pub fn last_kept_by(&self, supplier: DeviceId) -> Result<Option<Sequence>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT max(sequence) FROM head_receipts WHERE device = ?1")?;
            let newest: Option<i64> = statement.query_row([supplier.0], |row| row.get(0))?;
            let newest = newest.map(|newest| from_column("sequence", newest));
            Ok(newest.transpose()?.map(Sequence))
        })
    }

    /// The newest head for which a supplier signed and of which it confirmed every list in own sets; of those of
    /// which that can be said.
    pub fn last_kept_with_lists(
        &self,
        supplier: DeviceId,
    ) -> Result<Option<Sequence>, CatalogueError> {
        self.read(|connection| {
            // The kinds of packs that are lists; what is sealed alone belongs to no head yet.
            let lacking: Option<i64> = connection
                .prepare_cached(
                    "SELECT min(p.id) FROM packs p WHERE p.set_id IN (SELECT set_id FROM own_sets)
                     AND p.kind IN (1, 2) AND p.state > 0
                     AND NOT EXISTS (SELECT 1 FROM confirmations c JOIN holders h ON h.id = c.holder
                                     WHERE c.pack = p.id AND h.device = ?1)",
                )?
                .query_row([supplier.0], |row| row.get(0))?;
            let newest: Option<i64> = connection
                .prepare_cached(
                    "SELECT max(r.sequence) FROM head_receipts r JOIN own_heads o ON o.sequence = r.sequence
                     WHERE r.device = ?1 AND o.newest_pack < ?2",
                )?
                .query_row(params![supplier.0, lacking.unwrap_or(i64::MAX)], |row| row.get(0))?;
            let newest = newest.map(|newest| from_column("sequence", newest));
            Ok(newest.transpose()?.map(Sequence))
        })
    }

    /// Takes back durably what a supplier signed of heads after one, or of all: it does not keep them any more.
    pub fn keeps_no_more_than(
        &self,
        supplier: DeviceId,
        newest: Option<Sequence>,
    ) -> Result<(), CatalogueError> {
        let newest = newest.map_or(Ok(0), |newest| to_column("sequence", newest.0))?;
        self.write_durably(move |transaction| {
            transaction.execute(
                "DELETE FROM head_receipts WHERE device = ?1 AND sequence > ?2",
                params![supplier.0, newest],
            )?;
            Ok(())
        })
    }

    /// The newest head before another for which at least so many signed.
    pub fn last_kept_by_many(
        &self,
        before: Sequence,
        count_min: usize,
    ) -> Result<Option<Sequence>, CatalogueError> {
        let before = to_column("sequence", before.0)?;
        let count_min = to_column("count", count_min as u64)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sequence FROM head_receipts WHERE sequence < ?1
                 GROUP BY sequence HAVING count(*) >= ?2 ORDER BY sequence DESC LIMIT 1",
            )?;
            let newest = statement.query_row([before, count_min], |row| row.get::<_, i64>(0));
            let newest = newest.optional()?;
            let newest = newest.map(|newest| from_column("sequence", newest));
            Ok(newest.transpose()?.map(Sequence))
        })
    }

    /// What suppliers signed for a head.
    pub fn head_receipts(
        &self,
        sequence: Sequence,
    ) -> Result<Vec<Signed<HeadReceipt>>, CatalogueError> {
        let sequence = to_column("sequence", sequence.0)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT receipt FROM head_receipts WHERE sequence = ?1 ORDER BY device",
            )?;
            let rows = statement.query_and_then([sequence], |row| {
                Ok::<_, CatalogueError>(decode_signed(blob(row, 0)?)?)
            })?;
            rows.collect()
        })
    }

    /// Notes durably that a head is settled. Gives the newest that is, this one or another.
    pub fn note_settled(&self, sequence: Sequence) -> Result<Sequence, CatalogueError> {
        let newest = self.settled()?.max(Some(sequence)).unwrap_or(sequence);
        if newest == sequence {
            self.set_meta(SETTLED_KEY, &sequence.0.to_le_bytes())?;
        }
        Ok(newest)
    }

    /// The newest head that was settled; whether its packs still are is another question.
    pub fn settled(&self) -> Result<Option<Sequence>, CatalogueError> {
        let kept = self.get_meta(SETTLED_KEY)?;
        let bytes = kept.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map(|bytes| Sequence(u64::from_le_bytes(bytes))))
    }
}

/// Takes back what a supplier said of heads.
pub(super) fn unconfirm_heads(
    connection: &Connection,
    supplier: DeviceId,
) -> Result<(), CatalogueError> {
    connection.execute("DELETE FROM head_receipts WHERE device = ?1", [supplier.0])?;
    Ok(())
}

/// Forgets what was said of heads that are not kept any more.
pub(super) fn forget_old_receipts(connection: &Connection) -> Result<(), CatalogueError> {
    connection.execute(
        "DELETE FROM head_receipts WHERE sequence NOT IN (SELECT sequence FROM own_heads)",
        [],
    )?;
    Ok(())
}
