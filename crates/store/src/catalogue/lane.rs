//! The own lane as suppliers keep it, taken in by a catalogue that has forgotten a part of it, and whose
//! word is missing for what that brought.

use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{BlobRef, SnapshotRecord};
use bitdust_model::{DeviceId, PackId, Position, Sequence, ShardId, UnixMillis};
use rusqlite::{Connection, Transaction, params};

use super::confirmations::{holder_of, make_holder, recount};
use super::groups::Moves;
use super::heads::{ABANDONED_KEY, OwnHead, insert_head};
use super::id::SegmentId;
use super::meta::{get, set};
use super::pack_rows::{PackState, expect_number, number_of, ref_of, state_to_column};
use super::packs::raise_state;
use super::segments::insert_segment;
use super::snapshots::insert_snapshot;
use super::{Catalogue, CatalogueError};
use crate::row::to_column;

/// Under which those are noted who were not asked yet which shards they have.
const UNLISTED_KEY: &str = "unlisted";

/// A head of the own lane that the catalogue did not have, and what it leads to. The packs were imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenLane {
    /// The head as suppliers keep it.
    pub head: OwnHead,
    /// The newest head that was published here when they were compared.
    pub published: Option<Sequence>,
    /// The packs of its lists.
    pub lists: Vec<PackId>,
    /// The segments of its index, oldest first.
    pub segments: Vec<TakenSegment>,
    /// The versions that it lists.
    pub snapshots: Vec<SnapshotRecord>,
    /// Who is to be asked which shards they have.
    pub holders: Vec<DeviceId>,
}

/// A segment of an index that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenSegment {
    /// Where its pieces lie.
    pub blobs: Vec<BlobRef>,
    /// The packs that it describes.
    pub packs: Vec<PackId>,
}

/// A shard that a supplier says it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedShard {
    /// Its pack.
    pub pack: PackId,
    /// Its position.
    pub position: Position,
    /// The shard.
    pub shard: ShardId,
}

impl Catalogue {
    /// Goes on from a head that suppliers keep, as another writer, durably and in one piece: its index takes
    /// the place of the own one, and own heads that were never published are forgotten. What was published
    /// here and is in none of its segments is described again by the next commit. Gives how that moves packs.
    ///
    /// Refused as stale where a published head of this catalogue is as new, or was published meanwhile.
    pub fn take_lane(&self, lane: TakenLane) -> Result<Vec<GroupChange>, CatalogueError> {
        self.write_durably(move |transaction| {
            let mut moves = Moves::default();
            expect_published(transaction, lane.published)?;
            // Receipts too: the head that is taken may have the number of one of these.
            transaction.execute(
                "DELETE FROM head_receipts WHERE sequence IN
                 (SELECT sequence FROM own_heads WHERE published = 0)",
                [],
            )?;
            transaction.execute("DELETE FROM own_heads WHERE published = 0", [])?;
            transaction.execute("DELETE FROM meta WHERE key = ?1", [ABANDONED_KEY])?;
            let listed = lane.head.sequence;
            insert_head(
                transaction,
                &OwnHead {
                    published: true,
                    ..lane.head
                },
            )?;
            transaction.execute(
                "UPDATE packs SET segment = NULL WHERE segment IS NOT NULL",
                [],
            )?;
            transaction.execute("DELETE FROM segments", [])?;
            for segment in lane.segments {
                let number = insert_segment(transaction, segment.blobs)?;
                describe(transaction, number, &segment.packs, &mut moves)?;
            }
            moves.publish_lists(transaction, &lane.lists)?;
            describe_rest_again(transaction, &mut moves)?;
            for snapshot in lane.snapshots {
                insert_snapshot(transaction, snapshot, Some(listed))?;
            }
            transaction.execute(
                "UPDATE meta SET value = randomblob(16) WHERE key = 'writer'",
                [],
            )?;
            set(transaction, UNLISTED_KEY, &encode_devices(&lane.holders))?;
            Ok(moves.changes())
        })
    }

    /// Who was not asked yet which shards they have, since the lane was taken in.
    pub fn unlisted(&self) -> Result<Vec<DeviceId>, CatalogueError> {
        self.read(unlisted)
    }

    /// Of the shards that a supplier says it keeps, those that this catalogue knows under these ids, that are
    /// the supplier's to keep, and that it has not confirmed.
    pub fn not_confirmed(
        &self,
        supplier: DeviceId,
        listed: &[ListedShard],
    ) -> Result<Vec<(PackId, Position)>, CatalogueError> {
        self.read(|connection| {
            let mut missing = Vec::new();
            for shard in listed {
                if is_missing(connection, supplier, shard)? {
                    missing.push((shard.pack, shard.position));
                }
            }
            Ok(missing)
        })
    }

    /// Records durably that a supplier keeps shards of which it proved a sample. Gives how that moves packs.
    pub fn confirm_listed(
        &self,
        supplier: DeviceId,
        shards: Vec<(PackId, Position)>,
        at: UnixMillis,
    ) -> Result<Vec<GroupChange>, CatalogueError> {
        let at = to_column("time", at.0)?;
        self.write_durably(move |transaction| {
            let holder = make_holder(transaction, supplier)?;
            let mut moves = Moves::default();
            for (pack, position) in shards {
                let number = expect_number(transaction, pack)?;
                moves.of(transaction, number, || {
                    transaction
                        .prepare_cached(
                            "INSERT OR IGNORE INTO confirmations (pack, position, holder, confirmed_at, receipt)
                             VALUES (?1, ?2, ?3, ?4, NULL)",
                        )?
                        .execute(params![number, position.0, holder, at])?;
                    recount(transaction, number)
                })?;
            }
            Ok(moves.changes())
        })
    }

    /// Remembers durably that a supplier was asked which shards it has.
    pub fn note_listed(&self, supplier: DeviceId) -> Result<(), CatalogueError> {
        self.write_durably(move |transaction| {
            let mut devices = unlisted(transaction)?;
            devices.retain(|device| *device != supplier);
            set(transaction, UNLISTED_KEY, &encode_devices(&devices))
        })
    }
}

fn encode_devices(devices: &[DeviceId]) -> Vec<u8> {
    devices.iter().flat_map(|device| device.0).collect()
}

fn unlisted(connection: &Connection) -> Result<Vec<DeviceId>, CatalogueError> {
    let bytes = get(connection, UNLISTED_KEY)?.unwrap_or_default();
    let (devices, _) = bytes.as_chunks::<32>();
    Ok(devices.iter().copied().map(DeviceId).collect())
}

fn expect_published(
    connection: &Connection,
    expected: Option<Sequence>,
) -> Result<(), CatalogueError> {
    let newest: Option<i64> = connection.query_row(
        "SELECT max(sequence) FROM own_heads WHERE published = 1",
        [],
        |row| row.get(0),
    )?;
    let expected = expected.map(|head| to_column("sequence", head.0));
    if newest == expected.transpose()? {
        Ok(())
    } else {
        Err(CatalogueError::Stale { what: "head" })
    }
}

fn describe(
    transaction: &Transaction<'_>,
    segment: SegmentId,
    packs: &[PackId],
    moves: &mut Moves,
) -> Result<(), CatalogueError> {
    let segment = to_column("segment", segment.0)?;
    for pack in packs {
        let number = expect_number(transaction, *pack)?;
        moves.of(transaction, number, || {
            raise_state(transaction, number, PackState::Published)
        })?;
        transaction
            .prepare_cached("UPDATE packs SET segment = ?2 WHERE id = ?1")?
            .execute(params![number, segment])?;
    }
    Ok(())
}

/// Contents and trees that are published and in no segment are to be described by the next commit.
fn describe_rest_again(
    transaction: &Transaction<'_>,
    moves: &mut Moves,
) -> Result<(), CatalogueError> {
    let rest = transaction
        .prepare_cached(
            "SELECT id FROM packs WHERE state = ?1 AND segment IS NULL AND kind < 2
             AND set_id IN (SELECT set_id FROM own_sets)",
        )?
        .query_map([state_to_column(PackState::Published)], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    for number in rest {
        moves.of(transaction, number, || {
            transaction
                .prepare_cached("UPDATE packs SET state = ?2 WHERE id = ?1")?
                .execute(params![number, state_to_column(PackState::Committed)])?;
            Ok(())
        })?;
    }
    Ok(())
}

fn is_missing(
    connection: &Connection,
    supplier: DeviceId,
    listed: &ListedShard,
) -> Result<bool, CatalogueError> {
    let Some(number) = number_of(connection, listed.pack)? else {
        return Ok(false);
    };
    let known = ref_of(connection, number)?;
    if known.shards.get(usize::from(listed.position.0)) != Some(&listed.shard) {
        return Ok(false);
    }
    let Some(holder) = holder_of(connection, supplier)? else {
        return Ok(false);
    };
    let is_its = connection
        .prepare_cached(
            "SELECT 1 FROM positions WHERE set_id = ?1 AND position = ?2 AND holder = ?3",
        )?
        .exists(params![known.set.0, listed.position.0, holder])?;
    let is_confirmed = connection
        .prepare_cached(
            "SELECT 1 FROM confirmations WHERE pack = ?1 AND position = ?2 AND holder = ?3",
        )?
        .exists(params![number, listed.position.0, holder])?;
    Ok(is_its && !is_confirmed)
}
