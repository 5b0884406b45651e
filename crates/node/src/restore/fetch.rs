//! One wanted piece of the network's data: some chunks of one pack, put together from ranges
//! of shards as the engine directs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use bitdust_crypto::{EpochSecrets, PackCipher, TAG_BYTES};
use bitdust_engine::{FetchId, JobId};
use bitdust_model::manifest::{BlobRef, PackRef};
use bitdust_model::{ErrorCode, Position};
use bitdust_pipeline::erasure::ErasureError;
use bitdust_pipeline::pack::open::{OpenError, open_chunk_within};
use bitdust_pipeline::{Gathered, plan};

use crate::shared::buffers::{Buffers, Lent};

/// Bytes of a shard from an offset on, proved against the shard's id and unmasked.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Offset in the shard.
    pub(crate) offset: u64,
    /// The bytes.
    pub(crate) bytes: Bytes,
}

/// The plain chunks of a fetch, one behind the other.
#[derive(Debug)]
pub(crate) struct Plain {
    bytes: Lent,
    ends: Vec<usize>,
}

impl Plain {
    /// Each chunk, in the order in which they were asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let chunk = self.bytes.as_ref().get(start..end).unwrap_or_default();
            start = end;
            chunk
        })
    }

    /// The last chunk.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        self.iter().last()
    }
}

/// A request of a job for chunks of a pack.
pub(crate) struct FetchRequest {
    /// Names it.
    pub(crate) fetch: FetchId,
    /// The job.
    pub(crate) job: JobId,
    /// The pack.
    pub(crate) pack: PackRef,
    /// Wanted chunks, by offset.
    pub(crate) blobs: Vec<BlobRef>,
    /// Where the plain chunks go, in the order of `blobs`.
    pub(crate) reply: oneshot::Sender<Result<Plain, ErrorCode>>,
}

/// A request that is being worked on.
pub(crate) struct FetchState {
    /// What is wanted.
    pub(crate) request: FetchRequest,
    /// Ranges of the data shards that hold it.
    pub(crate) own: BTreeMap<Position, Vec<Range<u64>>>,
    /// The union of those ranges.
    pub(crate) union: Vec<Range<u64>>,
    /// Pieces that came for `own`.
    pub(crate) direct: BTreeMap<Position, Vec<Piece>>,
    /// Pieces that came for `union`.
    pub(crate) whole: BTreeMap<Position, Vec<Piece>>,
}

impl FetchState {
    /// Plans the ranges of a request.
    pub(crate) fn new(request: FetchRequest) -> Self {
        let wanted: Vec<(u32, u32)> = request
            .blobs
            .iter()
            .map(|blob| (blob.offset, blob.record.stored_bytes))
            .collect();
        let mut own: BTreeMap<Position, Vec<Range<u64>>> = BTreeMap::new();
        for (position, range) in
            plan::shard_ranges(request.pack.k, request.pack.pack_bytes, &wanted)
        {
            own.entry(position).or_default().push(range);
        }
        if request.pack.k == 1 && request.pack.shards.len() > 1 {
            own = spread_copies(&request.pack, own);
        }
        let union = plan::union(own.values().flatten().cloned());
        Self {
            request,
            own,
            union,
            direct: BTreeMap::new(),
            whole: BTreeMap::new(),
        }
    }

    /// The ranges to ask of a position.
    pub(crate) fn ranges(&self, position: Position, whole: bool) -> Vec<Range<u64>> {
        if whole {
            self.union.clone()
        } else {
            self.own.get(&position).cloned().unwrap_or_default()
        }
    }

    /// Takes what is needed to decode from these positions.
    pub(crate) fn take_pieces(&mut self, positions: &[Position]) -> BTreeMap<Position, Vec<Piece>> {
        let all_whole = positions
            .iter()
            .all(|position| self.whole.contains_key(position));
        let from = if all_whole { &self.whole } else { &self.direct };
        positions
            .iter()
            .filter_map(|position| Some((*position, from.get(position)?.clone())))
            .collect()
    }
}

/// Copies are equal: which one is asked first depends on the pack, so that the load spreads.
fn spread_copies(
    pack: &PackRef,
    own: BTreeMap<Position, Vec<Range<u64>>>,
) -> BTreeMap<Position, Vec<Range<u64>>> {
    let copies = u8::try_from(pack.shards.len()).unwrap_or(u8::MAX);
    let first = Position(pack.pack.0[0] % copies);
    BTreeMap::from([(first, plan::union(own.into_values().flatten()))])
}

/// Why pieces did not give the chunks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssembleError {
    /// The pieces do not cover what was asked.
    #[error("the pieces do not cover what is wanted: {0}")]
    Incomplete(#[from] ErasureError),
    /// A chunk did not open.
    #[error("the pieces do not give the pack's chunks: {0}")]
    Corrupt(#[from] OpenError),
}

/// Puts pieces together and opens the wanted chunks, in the order of the request.
pub(crate) fn assemble(
    secrets: &EpochSecrets,
    pack: &PackRef,
    blobs: &[BlobRef],
    pieces: BTreeMap<Position, Vec<Piece>>,
    buffers: &Arc<Buffers>,
) -> Result<Plain, AssembleError> {
    let mut gathered = Gathered::new(pack.k, pack.pack_bytes)?;
    for (position, list) in pieces {
        for piece in list {
            gathered.insert(position, piece.offset, piece.bytes)?;
        }
    }
    let cipher = PackCipher::new(secrets, pack.kind, pack.pack);
    let raw_bytes: usize = blobs
        .iter()
        .map(|blob| blob.record.raw_bytes as usize)
        .sum();
    let mut bytes = buffers.take(raw_bytes + TAG_BYTES);
    bytes.clear();
    let mut ends = Vec::with_capacity(blobs.len());
    for blob in blobs {
        let start = bytes.len();
        gathered.read_into(blob.offset, blob.record.stored_bytes, &mut bytes)?;
        open_chunk_within(&cipher, secrets, blob, &mut bytes, start)?;
        ends.push(bytes.len());
    }
    Ok(Plain {
        bytes: Lent::new(bytes, buffers.clone()),
        ends,
    })
}
