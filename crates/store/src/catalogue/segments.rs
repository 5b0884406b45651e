//! Live segments of the pack index, and the publication of a commit.

use bitdust_model::PackId;
use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::SEGMENTS_MAX;
use bitdust_model::manifest::{BlobRef, PackRecord, SnapshotRecord};
use rusqlite::{OptionalExtension, Transaction, params};

use super::error::refuse_when_full;
use super::groups::Moves;
use super::heads::{OwnHead, insert_head};
use super::id::SegmentId;
use super::pack_rows::{PackState, expect_number};
use super::packs::{after_number, page_limit, raise_state, records_page};
use super::snapshots::insert_snapshot;
use super::{Catalogue, CatalogueError};
use crate::row::{BlobsRow, blob, decode_row, encode_row, from_column, to_column};

/// A segment of the pack index that the newest manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSegment {
    /// Its number here.
    pub segment: SegmentId,
    /// Where its pieces lie.
    pub blobs: Vec<BlobRef>,
    /// Packs it describes.
    pub packs: u64,
}

/// A segment that a commit adds to the index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSegment {
    /// Where its pieces lie.
    pub blobs: Vec<BlobRef>,
    /// Live segments that were merged into it; their packs move there.
    pub replaced: Vec<SegmentId>,
    /// Packs that become known with it.
    pub packs: Vec<PackId>,
}

/// What a commit makes public, recorded in one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The new segment, when there is one.
    pub segment: Option<NewSegment>,
    /// Snapshots that came with the commit.
    pub snapshots: Vec<SnapshotRecord>,
    /// The head that was published.
    pub head: Option<OwnHead>,
    /// The packs of its lists.
    pub lists: Vec<PackId>,
}

/// What a publication changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The new segment's number, when there is one.
    pub segment: Option<SegmentId>,
    /// How packs moved.
    pub moved: Vec<GroupChange>,
}

impl Catalogue {
    /// Live segments, oldest first.
    pub fn segments(&self) -> Result<Vec<LiveSegment>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT s.id, s.blobs, (SELECT count(*) FROM packs p WHERE p.segment = s.id)
                 FROM segments s ORDER BY s.id",
            )?;
            let rows = statement.query_and_then([], |row| {
                Ok(LiveSegment {
                    segment: SegmentId(from_column("segment", row.get(0)?)?),
                    blobs: decode_row::<BlobsRow>(blob(row, 1)?)?.0,
                    packs: from_column("row count", row.get(2)?)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Packs of a live segment in pages, for merging. A page fits into one encoded segment.
    pub fn segment_packs(
        &self,
        segment: SegmentId,
        after: Option<PackId>,
    ) -> Result<Vec<PackRecord>, CatalogueError> {
        let segment = to_column("segment", segment.0)?;
        self.read(|connection| {
            let after = after_number(connection, after)?;
            records_page(
                connection,
                "SELECT p.id, p.record, c.chunks, p.random, p.mask FROM packs p JOIN pack_chunks c ON c.pack = p.id
                 WHERE p.segment = ?1 AND p.id > ?2 ORDER BY p.id LIMIT ?3",
                params![segment, after, page_limit()],
            )
        })
    }

    /// Marks packs as described by a published segment.
    pub fn mark_published(
        &self,
        segment: SegmentId,
        packs: Vec<PackId>,
    ) -> Result<Vec<GroupChange>, CatalogueError> {
        self.write_durably(move |transaction| {
            let mut moves = Moves::default();
            mark(transaction, segment, &packs, &mut moves)?;
            Ok(moves.changes())
        })
    }

    /// Records a whole commit in one durable transaction: what its head names is published, whatever
    /// became of it meanwhile.
    /// At most `SEGMENTS_MAX` segments are live.
    pub fn publish(&self, publication: Publication) -> Result<Published, CatalogueError> {
        self.write_durably(move |transaction| {
            let mut moves = Moves::default();
            let Publication {
                segment,
                snapshots,
                head,
                lists,
            } = publication;
            let segment = match segment {
                Some(NewSegment {
                    blobs,
                    replaced,
                    packs,
                }) => {
                    let segment = replace(transaction, &replaced, blobs)?;
                    mark(transaction, segment, &packs, &mut moves)?;
                    Some(segment)
                }
                None => None,
            };
            let listed = head.as_ref().map(|head| head.sequence);
            for snapshot in snapshots {
                insert_snapshot(transaction, snapshot, listed)?;
            }
            if let Some(head) = head {
                insert_head(
                    transaction,
                    &OwnHead {
                        published: true,
                        ..head
                    },
                )?;
            }
            moves.publish_lists(transaction, &lists)?;
            Ok(Published {
                segment,
                moved: moves.changes(),
            })
        })
    }
}

pub(super) fn insert_segment(
    transaction: &Transaction<'_>,
    blobs: Vec<BlobRef>,
) -> Result<SegmentId, CatalogueError> {
    refuse_when_full(
        transaction,
        "segments",
        "SELECT count(*) FROM segments",
        SEGMENTS_MAX,
    )?;
    transaction.execute(
        "INSERT INTO segments (blobs) VALUES (?1)",
        [encode_row(&BlobsRow(blobs))?],
    )?;
    Ok(SegmentId(from_column(
        "segment",
        transaction.last_insert_rowid(),
    )?))
}

fn replace(
    transaction: &Transaction<'_>,
    replaced: &[SegmentId],
    blobs: Vec<BlobRef>,
) -> Result<SegmentId, CatalogueError> {
    for segment in replaced {
        let removed = transaction.execute(
            "DELETE FROM segments WHERE id = ?1",
            [to_column("segment", segment.0)?],
        )?;
        if removed == 0 {
            return Err(CatalogueError::UnknownSegment { segment: *segment });
        }
    }
    let merged = insert_segment(transaction, blobs)?;
    for segment in replaced {
        transaction.execute(
            "UPDATE packs SET segment = ?2 WHERE segment = ?1",
            params![
                to_column("segment", segment.0)?,
                to_column("segment", merged.0)?
            ],
        )?;
    }
    Ok(merged)
}

fn mark(
    transaction: &Transaction<'_>,
    segment: SegmentId,
    packs: &[PackId],
    moves: &mut Moves,
) -> Result<(), CatalogueError> {
    let number = to_column("segment", segment.0)?;
    transaction
        .prepare_cached("SELECT 1 FROM segments WHERE id = ?1")?
        .query_row([number], |_| Ok(()))
        .optional()?
        .ok_or(CatalogueError::UnknownSegment { segment })?;
    for pack in packs {
        let pack = expect_number(transaction, *pack)?;
        moves.of(transaction, pack, || {
            raise_state(transaction, pack, PackState::Published)
        })?;
        transaction
            .prepare_cached("UPDATE packs SET segment = ?2 WHERE id = ?1")?
            .execute(params![pack, number])?;
    }
    Ok(())
}
