//! The pack index: a log of segments, a delta with each commit, merged geometrically.
//!
//! A segment lies in commit packs as one or more chunks, each an encoded `Segment` shorter
//! than a chunk may be. Merging rewrites the newest segments into one whenever the one before
//! is less than twice as long; so there are never more than `SEGMENTS_MAX`, and a record is
//! rewritten a number of times that grows with the logarithm of the index.
//!
//! What comes from outside is believed only within its bounds: a record that passed
//! [`read_segment`] can be planned with and allocated for.

use bitdust_model::codec::Versioned;
use bitdust_model::limits::{
    CHUNK_BYTES_MAX, EXCLUDES_MAX, FOLDERS_MAX, FRIENDS_MAX, PACK_BYTES_MAX, SEGMENT_PACKS_MAX,
    SEGMENTS_MAX, SNAPSHOTS_INLINE_BYTES_MAX, SNAPSHOTS_MAX, SUPPLIERS_PER_SET_MAX,
};
use bitdust_model::manifest::{
    BlobRef, Manifest, PackRecord, PackRef, Segment, SnapshotPage, SnapshotRecord,
};
use bitdust_model::{Code, DecodeError, PackId, decode};

use crate::pack::layout::FOOTER_BYTES;
use crate::pack::open::check_chunks;
use crate::pages::PageBuffer;

/// Why a segment or manifest is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The bytes are no segment or manifest.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// More of something than there may be.
    #[error("{count} {what}, at most {count_max} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        count_max: usize,
    },
    /// A record describes a pack that cannot be.
    #[error("the record of pack {pack} contradicts itself: {part}")]
    BadPack {
        /// Which pack.
        pack: PackId,
        /// What is wrong.
        part: &'static str,
    },
}

/// Gives the encoded pieces of one segment while its records come in.
pub struct SegmentWriter {
    piece: PageBuffer,
}

impl SegmentWriter {
    /// A segment without records.
    #[must_use]
    pub const fn new() -> Self {
        // One byte behind the packs says that none has grown.
        let piece = PageBuffer::new(Segment::VERSION, CHUNK_BYTES_MAX - 1, SEGMENT_PACKS_MAX);
        Self { piece }
    }

    /// Adds a record; gives an encoded `Segment` when one is complete without it.
    ///
    /// # Panics
    /// If the record has more chunks than a pack may have.
    pub fn push(&mut self, record: &PackRecord) -> Option<Vec<u8>> {
        let piece = self.piece.push(record, false);
        let piece = piece.expect("a record of a pack within its limits is short");
        piece.map(with_none_grown)
    }

    /// Ends the segment; gives the last piece, if there were records at all.
    #[must_use]
    pub fn finish(self) -> Option<Vec<u8>> {
        self.piece.finish().map(with_none_grown)
    }
}

/// Ends a piece with an empty list of packs that have grown.
fn with_none_grown(mut piece: Vec<u8>) -> Vec<u8> {
    piece.push(0);
    piece
}

impl Default for SegmentWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// Snapshots as a manifest and its pages hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged {
    /// Encoded `SnapshotPage`s of the older ones, oldest first.
    pub pages: Vec<Vec<u8>>,
    /// The newest, which the manifest holds itself, oldest first.
    pub inline: Vec<SnapshotRecord>,
}

/// Parts snapshots, oldest first, into those that a manifest holds itself and pages of the
/// others.
///
/// # Panics
/// If a snapshot alone is longer than a chunk, which the catalogue does not take.
#[must_use]
pub fn page_snapshots(mut snapshots: Vec<SnapshotRecord>) -> Paged {
    let mut room = SNAPSHOTS_INLINE_BYTES_MAX;
    let fits = |snapshot: &&SnapshotRecord| match room.checked_sub(encoded_bytes(snapshot)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let newest = snapshots.iter().rev().take_while(fits).count();
    let inline = snapshots.split_off(snapshots.len() - newest);
    let mut page = PageBuffer::new(SnapshotPage::VERSION, CHUNK_BYTES_MAX, SNAPSHOTS_MAX);
    let mut pages: Vec<_> = snapshots
        .iter()
        .filter_map(|snapshot| {
            page.push(snapshot, false)
                .expect("a snapshot of the catalogue is shorter than a chunk")
        })
        .collect();
    pages.extend(page.finish());
    Paged { pages, inline }
}

/// How many of the newest live segments to merge with a new one. `existing` are the sizes of
/// the live segments, oldest first, `new` is that of the new one, in the same unit (bytes or
/// chunks). Afterwards at most `SEGMENTS_MAX` are live.
#[must_use]
pub fn plan_segments(existing: &[u64], new: u64) -> usize {
    let mut gathered = new.max(1);
    let mut merged = 0;
    for &size in existing.iter().rev() {
        let live = existing.len() - merged + 1;
        if size / 2 >= gathered && live <= SEGMENTS_MAX {
            break;
        }
        gathered = gathered.saturating_add(size);
        merged += 1;
    }
    merged
}

/// Reads a piece of a segment and checks the bounds of every record.
pub fn read_segment(bytes: &[u8]) -> Result<Segment, IndexError> {
    let segment: Segment = decode(bytes)?;
    check_count("packs in a segment", segment.packs.len(), SEGMENT_PACKS_MAX)?;
    for record in &segment.packs {
        check_record(record)?;
    }
    check_count(
        "packs that have grown",
        segment.grown.len(),
        SEGMENT_PACKS_MAX,
    )?;
    for grown in &segment.grown {
        let positions = usize::from(grown.first.0) + grown.shards.len();
        if positions > SUPPLIERS_PER_SET_MAX {
            return Err(IndexError::BadPack {
                pack: grown.pack,
                part: "its number of shards",
            });
        }
    }
    Ok(segment)
}

/// Reads a page of snapshots and checks its bounds.
pub fn read_snapshot_page(bytes: &[u8]) -> Result<SnapshotPage, IndexError> {
    let page: SnapshotPage = decode(bytes)?;
    check_count("snapshots in a page", page.snapshots.len(), SNAPSHOTS_MAX)?;
    Ok(page)
}

/// Reads a manifest and checks its bounds.
pub fn read_manifest(bytes: &[u8]) -> Result<Manifest, IndexError> {
    let manifest: Manifest = decode(bytes)?;
    check_count("folders", manifest.folders.len(), FOLDERS_MAX)?;
    check_count("snapshots", manifest.snapshots.len(), SNAPSHOTS_MAX)?;
    check_count("segments", manifest.segments.len(), SEGMENTS_MAX)?;
    for folder in &manifest.folders {
        check_count("exclude patterns", folder.excludes.len(), EXCLUDES_MAX)?;
    }
    for pack in &manifest.packs {
        check_pack(pack)?;
    }
    check_count("friends", manifest.friends.len(), FRIENDS_MAX)?;
    check_count("pages of snapshots", manifest.older.len(), SNAPSHOTS_MAX)?;
    check_count(
        "pages of tombstones",
        manifest.tombstones.len(),
        SNAPSHOTS_MAX,
    )?;
    let pages = manifest.older.iter().chain(&manifest.tombstones);
    for blob in manifest.segments.iter().flatten().chain(pages) {
        check_blob(blob)?;
    }
    Ok(manifest)
}

/// Checks that a pack can be as its reference says.
pub fn check_pack(pack: &PackRef) -> Result<(), IndexError> {
    let refused = |part| {
        Err(IndexError::BadPack {
            pack: pack.pack,
            part,
        })
    };
    let shards = pack.shards.len();
    let Ok(n) = u8::try_from(shards) else {
        return refused("its number of shards");
    };
    if shards > SUPPLIERS_PER_SET_MAX || Code::new(pack.k, n).is_err() {
        return refused("its code");
    }
    if pack.pack_bytes as usize > PACK_BYTES_MAX {
        return refused("its length");
    }
    Ok(())
}

/// Checks that a chunk can lie where its reference says.
pub fn check_blob(blob: &BlobRef) -> Result<(), IndexError> {
    let end = u64::from(blob.offset) + u64::from(blob.record.stored_bytes);
    if check_chunks(&[blob.record]).is_err() || end > PACK_BYTES_MAX as u64 {
        return Err(IndexError::BadPack {
            pack: blob.pack,
            part: "the place of a chunk",
        });
    }
    Ok(())
}

fn check_record(record: &PackRecord) -> Result<(), IndexError> {
    check_pack(&record.pack)?;
    match check_chunks(&record.chunks) {
        Ok(end) if end + FOOTER_BYTES <= record.pack.pack_bytes as usize => Ok(()),
        Ok(_) | Err(_) => Err(IndexError::BadPack {
            pack: record.pack.pack,
            part: "its list of chunks",
        }),
    }
}

fn encoded_bytes(snapshot: &SnapshotRecord) -> usize {
    postcard::to_stdvec(snapshot)
        .expect("plain data always serialises")
        .len()
}

const fn check_count(what: &'static str, count: usize, count_max: usize) -> Result<(), IndexError> {
    if count > count_max {
        return Err(IndexError::TooMany {
            what,
            count,
            count_max,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
