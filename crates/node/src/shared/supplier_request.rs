//! What is asked of a supplier on a bulk stream.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use bitdust_engine::FetchId;
use bitdust_model::manifest::{PackRecord, PackRef};
use bitdust_model::shard::StoreHeader;
use bitdust_model::{ErrorCode, Position};

use crate::shared::context::Context;
use crate::shared::job::Counters;

/// One request, with the bytes it carries.
pub(crate) enum SupplierRequest {
    /// Bring a shard; brings a `Receipt` back.
    Store {
        /// The pack.
        record: Arc<PackRecord>,
        /// Which shard.
        position: Position,
        /// Its masked bytes.
        shard: Bytes,
        /// Where to count.
        counters: Option<Arc<Counters>>,
    },
    /// Get ranges of a shard; brings `Pieces` back.
    Fetch {
        fetch: FetchId,
        pack: Arc<PackRef>,
        /// Which shard.
        position: Position,
        /// Which ranges of it.
        ranges: Vec<Range<u64>>,
        /// Its sender is dropped when the fetch is over: other suppliers were faster, or nobody wants
        /// it any more.
        until_over: watch::Receiver<()>,
        /// Where to count.
        counters: Option<Arc<Counters>>,
    },
    /// Get a random range of a shard and check its proof; tells `CheckPassed`.
    Check {
        pack: Box<PackRef>,
        /// Which shard.
        position: Position,
        /// Picks the range.
        pick: u64,
    },
}

/// The header of a pack whose shards have so many bytes.
pub(crate) fn store_header(
    context: &Context,
    pack: &PackRef,
    bytes: usize,
) -> Result<StoreHeader, ErrorCode> {
    Ok(StoreHeader {
        owner: context.identity,
        lane: context.device,
        epoch: pack.epoch,
        set: pack.set,
        pack: pack.pack,
        kind: pack.kind,
        k: pack.k,
        code_version: pack.code_version,
        pack_bytes: pack.pack_bytes,
        shard_bytes: u32::try_from(bytes).map_err(|_| ErrorCode::Internal)?,
        shards: pack.shards.clone(),
    })
}
