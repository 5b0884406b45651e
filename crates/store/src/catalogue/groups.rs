//! Committed packs counted by what confirms them, and what moves between such groups.
//!
//! Every transaction that changes which positions of a committed pack count tells what moved. The
//! sum of all that was told, in any order, is what `groups` counts.

use std::collections::BTreeMap;

use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::{ByteCount, PackId, Position, PositionMask, SetId};
use rusqlite::{Connection, Row, Transaction, params};

use super::pack_rows::{kind_from_column, number_of};
use super::{Catalogue, CatalogueError};
use crate::row::from_column;

/// Where a shard may be owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwedPlace {
    /// Of packs of this set.
    pub set: SetId,
    /// At this position of it.
    pub position: Position,
    /// Positions of the set whose shards can be had.
    pub reachable: PositionMask,
}

impl Catalogue {
    /// The committed packs of a set by what confirms them.
    pub fn groups(&self, set: SetId) -> Result<Vec<GroupTotal>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT set_id, kind, state, mask, count(*), sum(pack_bytes) FROM packs
                 WHERE set_id = ?1 AND state > 0 GROUP BY kind, state, mask",
            )?;
            let rows = statement.query_and_then([set.0], |row| {
                Ok(GroupTotal {
                    group: group_from(row)?,
                    packs: from_column("row count", row.get(4)?)?,
                    bytes: ByteCount(from_column("byte count", row.get(5)?)?),
                })
            })?;
            rows.collect()
        })
    }

    /// Committed packs that are not confirmed at one of these places, at most so many of all together:
    /// first those of which enough confirmed shards can be reached, then others; of these the ones with the
    /// fewest confirmations first, and then the oldest.
    pub fn owed(&self, places: &[OwedPlace], count: usize) -> Result<Vec<PackId>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, mask, confirmed, k FROM packs
                 WHERE set_id = ?1 AND state > 0 AND mask & ?2 = 0 AND ?3 < positions",
            )?;
            let mut owed = Vec::new();
            for place in places {
                let bit = PositionMask::default().with(place.position).0;
                let mut rows = statement.query(params![place.set.0, bit, place.position.0])?;
                while let Some(row) = rows.next()? {
                    let there = PositionMask(row.get(1)?).and(place.reachable).count();
                    let is_short = there < row.get(3)?;
                    owed.push((is_short, row.get::<_, u8>(2)?, row.get::<_, i64>(0)?));
                }
            }
            owed.sort_unstable();
            let mut id = connection.prepare_cached("SELECT pack FROM packs WHERE id = ?1")?;
            let numbers = owed.into_iter().take(count);
            let packs = numbers.map(|(_, _, number)| id.query_row([number], |row| row.get(0)));
            packs.map(|pack| Ok(PackId(pack?))).collect()
        })
    }
}

/// The group of a row of {set, kind, state, mask}.
fn group_from(row: &Row<'_>) -> Result<Group, CatalogueError> {
    Ok(Group {
        set: SetId(row.get(0)?),
        kind: kind_from_column(row.get(1)?)?,
        is_published: row.get::<_, i64>(2)? > 1,
        confirmed: PositionMask(row.get(3)?),
    })
}

/// The group of the pack of a number and its bytes; `None` while it is not committed.
fn place_of(
    connection: &Connection,
    number: i64,
) -> Result<Option<(Group, ByteCount)>, CatalogueError> {
    let mut statement = connection.prepare_cached(
        "SELECT set_id, kind, state, mask, pack_bytes FROM packs WHERE id = ?1 AND state > 0",
    )?;
    let mut rows = statement.query([number])?;
    match rows.next()? {
        Some(row) => {
            let bytes = ByteCount(from_column("byte count", row.get(4)?)?);
            Ok(Some((group_from(row)?, bytes)))
        }
        None => Ok(None),
    }
}

/// What moved in a transaction.
#[derive(Debug, Default)]
pub(super) struct Moves {
    moved: BTreeMap<(Option<Group>, Group), (u64, ByteCount)>,
}

impl Moves {
    /// Does something to the pack of a number, and notes where that moves it.
    pub(super) fn of(
        &mut self,
        transaction: &Transaction<'_>,
        number: i64,
        work: impl FnOnce() -> Result<(), CatalogueError>,
    ) -> Result<(), CatalogueError> {
        let before = place_of(transaction, number)?;
        work()?;
        if let Some((to, bytes)) = place_of(transaction, number)? {
            self.note(before.map(|(group, _)| group), to, 1, bytes);
        }
        Ok(())
    }

    /// Publishes the packs of a head's lists.
    pub(super) fn publish_lists(
        &mut self,
        transaction: &Transaction<'_>,
        lists: &[PackId],
    ) -> Result<(), CatalogueError> {
        for list in lists {
            let Some(number) = number_of(transaction, *list)? else {
                continue;
            };
            self.of(transaction, number, || {
                transaction
                    .prepare_cached("UPDATE packs SET state = 2 WHERE id = ?1 AND state = 1")?
                    .execute([number])?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn note(&mut self, from: Option<Group>, to: Group, packs: u64, bytes: ByteCount) {
        if from == Some(to) {
            return;
        }
        let (sum, sum_bytes) = self.moved.entry((from, to)).or_default();
        *sum += packs;
        *sum_bytes += bytes;
    }

    /// All of it.
    pub(super) fn changes(self) -> Vec<GroupChange> {
        let change = |((from, to), (packs, bytes))| GroupChange {
            from,
            to,
            packs,
            bytes,
        };
        self.moved.into_iter().map(change).collect()
    }
}
