//! One wanted piece of the network's data: some chunks of one pack, put together from ranges
//! of shards as the engine directs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::watch;

use bitdust_crypto::{EpochSecrets, PackCipher, TAG_BYTES};
use bitdust_model::Position;
use bitdust_model::manifest::PackRef;
use bitdust_pipeline::erasure::ErasureError;
use bitdust_pipeline::pack::open::{OpenError, open_chunk_within};
use bitdust_pipeline::{Gathered, plan};

use crate::shared::buffers::{Buffers, Lent};
use crate::shared::fetch_request::{FetchRequest, Plain, RangeBytes, WantedPart};

/// A request that is being worked on.
pub(crate) struct FetchState {
    /// What is wanted.
    pub(crate) request: FetchRequest,
    /// Ranges of the data shards that hold it.
    pub(crate) own: BTreeMap<Position, Vec<Range<u64>>>,
    /// The union of those ranges.
    pub(crate) union: Vec<Range<u64>>,
    /// What came of each shard.
    pieces: BTreeMap<Position, Vec<RangeBytes>>,
    /// Ends with this fetch: then what it asked for is wanted no longer.
    over: watch::Sender<()>,
}

impl FetchState {
    /// Plans the ranges of a request.
    pub(crate) fn new(request: FetchRequest) -> Self {
        let wanted: Vec<(u32, u32)> = match &request.wanted {
            WantedPart::Chunks(blobs) => blobs
                .iter()
                .map(|blob| (blob.offset, blob.record.stored_bytes))
                .collect(),
            WantedPart::Sealed(_) => vec![(0, request.pack.pack_bytes)],
        };
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
        if let WantedPart::Sealed(_) = request.wanted {
            // All positions are as good as each other.
            own.clear();
        }
        Self {
            request,
            own,
            union,
            pieces: BTreeMap::new(),
            over: watch::Sender::new(()),
        }
    }

    /// What tells its requests that the fetch is over: nothing more comes from it then.
    pub(crate) fn until_over(&self) -> watch::Receiver<()> {
        self.over.subscribe()
    }

    /// The ranges to ask of a position: what is here of it is not asked for again.
    pub(crate) fn ranges(&self, position: Position, whole: bool) -> Vec<Range<u64>> {
        let own = || self.own.get(&position).cloned().unwrap_or_default();
        let wanted = if whole { self.union.clone() } else { own() };
        let pieces = self.pieces.get(&position).into_iter().flatten();
        let here = plan::union(pieces.map(|piece| {
            let end = piece.offset + piece.bytes.len() as u64;
            piece.offset..end
        }));
        plan::without(&wanted, &here)
    }

    /// Keeps what came of a shard.
    pub(crate) fn keep(&mut self, position: Position, pieces: Vec<RangeBytes>) {
        self.pieces.entry(position).or_default().extend(pieces);
    }

    /// What is here of these positions.
    pub(crate) fn pieces(&self, positions: &[Position]) -> BTreeMap<Position, Vec<RangeBytes>> {
        let pieces = positions.iter().filter_map(|position| {
            let pieces = self.pieces.get(position)?;
            Some((*position, pieces.clone()))
        });
        pieces.collect()
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

/// Puts pieces together and opens the wanted chunks, in the order of the request; or gives the pack
/// as it was sealed.
pub(crate) fn assemble(
    secrets: &EpochSecrets,
    pack: &PackRef,
    wanted: &WantedPart,
    pieces: BTreeMap<Position, Vec<RangeBytes>>,
    buffers: &Arc<Buffers>,
) -> Result<Plain, AssembleError> {
    let mut gathered = Gathered::new(pack.k, pack.pack_bytes)?;
    for (position, list) in pieces {
        for piece in list {
            gathered.insert(position, piece.offset, piece.bytes)?;
        }
    }
    let blobs = match wanted {
        WantedPart::Chunks(blobs) => blobs,
        WantedPart::Sealed(_) => {
            let mut bytes = buffers.take(pack.pack_bytes as usize);
            bytes.clear();
            gathered.read_into(0, pack.pack_bytes, &mut bytes)?;
            let ends = vec![bytes.len()];
            return Ok(Plain::new(Lent::new(bytes, buffers.clone()), ends));
        }
    };
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
    Ok(Plain::new(Lent::new(bytes, buffers.clone()), ends))
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::{BlobRef, ChunkRecord};
    use bitdust_model::{ChunkId, ShardId};
    use bytes::Bytes;
    use tokio::sync::oneshot;

    use bitdust_engine::JobId;

    use super::*;
    use crate::shared::testing::pack_ref;

    const KIB: u32 = 1024;

    fn ranges(ranges: impl IntoIterator<Item = Range<u32>>) -> Vec<Range<u64>> {
        let wide = |range: Range<u32>| u64::from(range.start)..u64::from(range.end);
        ranges.into_iter().map(wide).collect()
    }

    fn piece(range: &Range<u64>) -> RangeBytes {
        let length = usize::try_from(range.end - range.start).expect("a short range");
        RangeBytes {
            offset: range.start,
            bytes: Bytes::from(vec![0; length]),
        }
    }

    /// A chunk that ends one shard of two and begins the next.
    fn state() -> FetchState {
        let pack = PackRef {
            k: 2,
            pack_bytes: 1024 * KIB,
            shards: vec![ShardId([6; 32]); 3],
            ..pack_ref()
        };
        let record = ChunkRecord {
            chunk: ChunkId([1; 32]),
            stored_bytes: 192 * KIB,
            raw_bytes: 192 * KIB,
            compressed: false,
        };
        let chunk = BlobRef {
            pack: pack.pack,
            offset: 384 * KIB,
            counter: 0,
            record,
        };
        FetchState::new(FetchRequest {
            job: JobId(1),
            pack,
            wanted: WantedPart::Chunks(vec![chunk]),
            reply: oneshot::channel().0,
        })
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "these are lists of ranges")]
    fn what_is_here_of_a_shard_is_not_asked_for_again() {
        let mut state = state();
        let own = ranges([384 * KIB..512 * KIB]);
        assert_eq!(state.ranges(Position(0), false), own);
        let union = ranges([0..64 * KIB, 384 * KIB..512 * KIB]);
        assert_eq!(state.ranges(Position(0), true), union);
        state.keep(Position(0), own.iter().map(piece).collect());
        let rest = ranges([0..64 * KIB]);
        assert_eq!(state.ranges(Position(0), true), rest);
        assert_eq!(state.ranges(Position(2), true), union, "nothing of it came");
        state.keep(Position(0), rest.iter().map(piece).collect());
        assert_eq!(state.ranges(Position(0), true), []);
        let here = state.pieces(&[Position(0), Position(2)]);
        assert_eq!(here.len(), 1);
        assert_eq!(
            here[&Position(0)].len(),
            2,
            "it is still here for both ways"
        );
    }
}
