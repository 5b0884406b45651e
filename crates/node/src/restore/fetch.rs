//! One wanted piece of the network's data: some chunks of one pack, put together from ranges
//! of shards as the engine directs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

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
    /// Pieces that came for `own`.
    pub(crate) direct: BTreeMap<Position, Vec<RangeBytes>>,
    /// Pieces that came for `union`.
    pub(crate) whole: BTreeMap<Position, Vec<RangeBytes>>,
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
    pub(crate) fn take_pieces(
        &mut self,
        positions: &[Position],
    ) -> BTreeMap<Position, Vec<RangeBytes>> {
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
