//! Which supplier confirmed which shard, and what follows from it.
//!
//! A confirmation is one supplier's word for one position. Which positions of a pack count as
//! confirmed, those of their current holders, is kept beside it and changes in the same transaction.

use bitdust_model::document::Signed;
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::PackRef;
use bitdust_model::set::{PositionState, SetRecord};
use bitdust_model::shard::Receipt;
use bitdust_model::{ByteCount, DeviceId, PackId, Position, ShardId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::groups::Moves;
use super::head_receipts::unconfirm_heads;
use super::pack_rows::{expect_number, number_of, ref_of, shard_bytes};
use super::{Catalogue, CatalogueError};
use crate::row::{decode_signed, encode_signed, from_column, to_column};

/// One confirmed shard of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Which shard of the pack.
    pub position: Position,
    /// Who keeps it.
    pub supplier: DeviceId,
    /// When it was confirmed, by our clock.
    pub at: UnixMillis,
    /// The supplier's receipt; `None` when it was confirmed by a listing or a proof.
    pub receipt: Option<Signed<Receipt>>,
}

/// A shard that a supplier says it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedShard {
    /// The pack.
    pub pack: PackRef,
    /// Which shard of it.
    pub position: Position,
    /// The shard.
    pub shard: ShardId,
    /// Its length in bytes.
    pub shard_bytes: u32,
}

/// Confirmations that were taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Of which shards.
    pub shards: Vec<(PackId, Position)>,
    /// How that moves committed packs.
    pub moved: Vec<GroupChange>,
    /// Whether the supplier was not suspect before and is now.
    pub is_first: bool,
}

impl Catalogue {
    /// Records that a supplier keeps a shard. Others may have confirmed the same position. Gives
    /// how that moves a committed pack.
    pub fn confirm_shard(
        &self,
        pack: PackId,
        position: Position,
        supplier: DeviceId,
        receipt: Option<&Signed<Receipt>>,
        at: UnixMillis,
    ) -> Result<Option<GroupChange>, CatalogueError> {
        let receipt = receipt.map(encode_signed).transpose()?;
        let at = to_column("time", at.0)?;
        self.write(move |transaction| {
            let number = expect_number(transaction, pack)?;
            if usize::from(position.0) >= ref_of(transaction, number)?.shards.len() {
                return Err(CatalogueError::NoPosition { pack, position });
            }
            let holder = make_holder(transaction, supplier)?;
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO confirmations (pack, position, holder, confirmed_at, receipt)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![number, position.0, holder, at, receipt])?;
            if receipt.is_some() {
                transaction
                    .prepare_cached(
                        "UPDATE suppliers SET last_proof = max(coalesce(last_proof, 0), ?2)
                         WHERE device = ?1",
                    )?
                    .execute(params![supplier.0, at])?;
            }
            let mut moves = Moves::default();
            moves.of(transaction, number, || recount(transaction, number))?;
            Ok(moves.changes().pop())
        })
    }

    /// Takes back that a supplier keeps shards, and remembers that it is suspect: where it had
    /// confirmed one of them, or in any case.
    pub fn withdraw_shards(
        &self,
        supplier: DeviceId,
        shards: Vec<(PackId, Position)>,
        in_any_case: bool,
    ) -> Result<Withdrawn, CatalogueError> {
        self.write_durably(move |transaction| {
            let (mut withdrawn, mut moves) = (Vec::new(), Moves::default());
            let holder = holder_of(transaction, supplier)?;
            for (pack, position) in shards {
                let number = number_of(transaction, pack)?;
                let (Some(holder), Some(number)) = (holder, number) else {
                    continue;
                };
                let was_there = withdraw(transaction, (number, position, holder), &mut moves)?;
                if was_there {
                    withdrawn.push((pack, position));
                }
            }
            let mut changed = 0;
            if in_any_case || !withdrawn.is_empty() {
                changed = transaction.execute(
                    "UPDATE suppliers SET suspect = 1 WHERE device = ?1 AND suspect = 0",
                    [supplier.0],
                )?;
            }
            Ok(Withdrawn {
                shards: withdrawn,
                moved: moves.changes(),
                is_first: changed > 0,
            })
        })
    }

    /// Takes back all that a supplier confirmed, of heads too, and remembers that. Gives the packs
    /// that this moves.
    pub fn withdraw_all(&self, supplier: DeviceId) -> Result<Vec<GroupChange>, CatalogueError> {
        self.write_durably(move |transaction| {
            transaction.execute(
                "UPDATE suppliers SET suspect = max(suspect, 1) + 1 WHERE device = ?1",
                [supplier.0],
            )?;
            unconfirm(transaction, supplier)
        })
    }

    /// Who confirmed what of a pack, by position.
    pub fn confirmations(&self, pack: PackId) -> Result<Vec<Confirmation>, CatalogueError> {
        self.read(|connection| match number_of(connection, pack)? {
            Some(number) => confirmations_of(connection, number),
            None => Ok(Vec::new()),
        })
    }

    /// One of the shards that a supplier confirmed: `pick` gets their number and chooses one of them,
    /// counted from zero in the order of their packs.
    pub fn confirmed_shard(
        &self,
        supplier: DeviceId,
        pick: impl FnOnce(u64) -> Option<u64>,
    ) -> Result<Option<ConfirmedShard>, CatalogueError> {
        self.read(|connection| {
            let Some(holder) = holder_of(connection, supplier)? else {
                return Ok(None);
            };
            let count: i64 = connection
                .prepare_cached("SELECT count(*) FROM confirmations WHERE holder = ?1")?
                .query_row([holder], |row| row.get(0))?;
            let Some(skip) = pick(from_column("row count", count)?) else {
                return Ok(None);
            };
            let (number, position): (i64, u8) = connection
                .prepare_cached(
                    "SELECT pack, position FROM confirmations WHERE holder = ?1
                     ORDER BY pack, position LIMIT 1 OFFSET ?2",
                )?
                .query_row(params![holder, to_column("offset", skip)?], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let pack = ref_of(connection, number)?;
            let Some(shard) = pack.shards.get(usize::from(position)).copied() else {
                return Err(CatalogueError::NoPosition {
                    pack: pack.pack,
                    position: Position(position),
                });
            };
            let shard_bytes = shard_bytes(&pack);
            Ok(Some(ConfirmedShard {
                pack,
                position: Position(position),
                shard,
                shard_bytes,
            }))
        })
    }

    /// Bytes of shards that a supplier confirmed.
    pub fn supplier_bytes(&self, supplier: DeviceId) -> Result<ByteCount, CatalogueError> {
        self.read(|connection| {
            let bytes: i64 = connection
                .prepare_cached(
                    "SELECT coalesce(sum(p.shard_bytes), 0) FROM confirmations c
                     JOIN holders h ON h.id = c.holder JOIN packs p ON p.id = c.pack
                     WHERE h.device = ?1",
                )?
                .query_row([supplier.0], |row| row.get(0))?;
            Ok(ByteCount(from_column("byte count", bytes)?))
        })
    }
}

/// Who confirmed what of the pack of a number, by position.
pub(super) fn confirmations_of(
    connection: &Connection,
    number: i64,
) -> Result<Vec<Confirmation>, CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.position, h.device, c.confirmed_at, c.receipt FROM confirmations c
         JOIN holders h ON h.id = c.holder WHERE c.pack = ?1 ORDER BY c.position",
    )?;
    let rows = statement.query_and_then([number], |row| {
        let receipt: Option<Vec<u8>> = row.get(3)?;
        Ok(Confirmation {
            position: Position(row.get(0)?),
            supplier: DeviceId(row.get(1)?),
            at: UnixMillis(from_column("time", row.get(2)?)?),
            receipt: receipt.as_deref().map(decode_signed).transpose()?,
        })
    })?;
    rows.collect()
}

/// Brings the counts of packs in line with their confirmations. Those are in the mask that the holder of
/// a position in its set gave; a set that is not of this device takes them of anybody. Of these the
/// ones are counted whose positions count. Not a view: SQLite would read all confirmations for each pack.
macro_rules! recount {
    () => {
        "UPDATE packs SET (confirmed, mask) = (
             SELECT coalesce(sum(counts), 0), coalesce(sum(1 << position), 0) FROM (
                 SELECT DISTINCT c.position, coalesce((
                     SELECT s.counts FROM positions s
                     WHERE s.set_id = packs.set_id AND s.position = c.position), 1) AS counts
                 FROM confirmations c WHERE c.pack = packs.id AND (
                     EXISTS (SELECT 1 FROM positions s WHERE s.set_id = packs.set_id
                             AND s.position = c.position AND s.holder = c.holder)
                     OR NOT EXISTS (SELECT 1 FROM own_sets o WHERE o.set_id = packs.set_id))))"
    };
}

/// Brings a pack's counts in line with its confirmations.
pub(super) fn recount(transaction: &Transaction<'_>, number: i64) -> Result<(), CatalogueError> {
    transaction
        .prepare_cached(concat!(recount!(), " WHERE id = ?1"))?
        .execute([number])?;
    Ok(())
}

/// Enters who holds the positions of a set now and whether that counts, and counts its packs anew where
/// that changed.
pub(super) fn place_holders(
    transaction: &Transaction<'_>,
    record: &SetRecord,
) -> Result<(), CatalogueError> {
    let mut wanted = Vec::new();
    for (position, place) in (0_i64..).zip(&record.positions) {
        let counts = match place.state {
            PositionState::Vacant => continue,
            PositionState::Filling | PositionState::Inactive => false,
            PositionState::Active => true,
        };
        if let Some(holder) = place.current {
            wanted.push((position, make_holder(transaction, holder.device)?, counts));
        }
    }
    let known = transaction
        .prepare_cached(
            "SELECT position, holder, counts FROM positions WHERE set_id = ?1 ORDER BY position",
        )?
        .query_map([record.set.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<Vec<(i64, i64, bool)>, _>>()?;
    if known == wanted {
        return Ok(());
    }
    transaction.execute("DELETE FROM positions WHERE set_id = ?1", [record.set.0])?;
    for (position, holder, counts) in wanted {
        transaction.execute(
            "INSERT INTO positions (set_id, position, holder, counts) VALUES (?1, ?2, ?3, ?4)",
            params![record.set.0, position, holder, counts],
        )?;
    }
    for of_set in [
        concat!(recount!(), " WHERE set_id = ?1 AND state > 0"),
        concat!(recount!(), " WHERE set_id = ?1 AND state = 0"),
    ] {
        transaction.execute(of_set, [record.set.0])?;
    }
    Ok(())
}

/// Takes back one confirmation; says whether there was one.
fn withdraw(
    transaction: &Transaction<'_>,
    (number, position, holder): (i64, Position, i64),
    moves: &mut Moves,
) -> Result<bool, CatalogueError> {
    let mut was_there = false;
    moves.of(transaction, number, || {
        let removed = transaction
            .prepare_cached(
                "DELETE FROM confirmations WHERE pack = ?1 AND position = ?2 AND holder = ?3",
            )?
            .execute(params![number, position.0, holder])?;
        was_there = removed > 0;
        recount(transaction, number)
    })?;
    Ok(was_there)
}

/// Takes back all that a supplier confirmed.
fn unconfirm(
    transaction: &Transaction<'_>,
    supplier: DeviceId,
) -> Result<Vec<GroupChange>, CatalogueError> {
    let mut moves = Moves::default();
    unconfirm_heads(transaction, supplier)?;
    let Some(holder) = holder_of(transaction, supplier)? else {
        return Ok(moves.changes());
    };
    let packs = transaction
        .prepare_cached("SELECT DISTINCT pack FROM confirmations WHERE holder = ?1")?
        .query_map([holder], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    transaction.execute("DELETE FROM confirmations WHERE holder = ?1", [holder])?;
    for pack in packs {
        moves.of(transaction, pack, || recount(transaction, pack))?;
    }
    Ok(moves.changes())
}

pub(super) fn holder_of(
    connection: &Connection,
    device: DeviceId,
) -> Result<Option<i64>, CatalogueError> {
    let mut statement = connection.prepare_cached("SELECT id FROM holders WHERE device = ?1")?;
    Ok(statement
        .query_row([device.0], |row| row.get(0))
        .optional()?)
}

pub(super) fn make_holder(
    transaction: &Transaction<'_>,
    device: DeviceId,
) -> Result<i64, CatalogueError> {
    if let Some(holder) = holder_of(transaction, device)? {
        return Ok(holder);
    }
    transaction.execute("INSERT INTO holders (device) VALUES (?1)", [device.0])?;
    Ok(transaction.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use bitdust_model::SetId;

    use crate::Catalogue;

    /// A pack's count reads the pack's own confirmations and no others.
    #[test]
    fn counts_are_looked_up_by_the_pack() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("catalogue.db");
        drop(Catalogue::open(&path, 40).expect("opened"));
        let connection = rusqlite::Connection::open(&path).expect("opened");
        for (end, key) in [
            (" WHERE id = ?1", 1_i64.into()),
            (
                " WHERE set_id = ?1 AND state > 0",
                SetId([1; 32]).0.to_vec().into(),
            ),
            (
                " WHERE set_id = ?1 AND state = 0",
                SetId([1; 32]).0.to_vec().into(),
            ),
        ] {
            let sql = format!("EXPLAIN QUERY PLAN {}{end}", recount!());
            let mut statement = connection.prepare(&sql).expect("it is right");
            let key: rusqlite::types::Value = key;
            let rows = statement.query_map([key], |row| row.get::<_, String>(3));
            let steps: Vec<String> = rows
                .expect("planned")
                .map(|step| step.expect("a step"))
                .collect();
            let is_search = |step: &String| step.starts_with("SEARCH c USING PRIMARY KEY (pack=?)");
            assert!(steps.iter().any(is_search), "{steps:#?}");
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN c")),
                "{steps:#?}"
            );
            let packs = steps.iter().find(|step| step.contains(" packs"));
            assert!(
                packs.is_some_and(|step| !step.ends_with("SCAN packs")),
                "by an index: {steps:#?}"
            );
        }
    }
}
