//! A shard that a supplier is owed, in memory, and what came of making one anew.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use bitdust_model::manifest::PackRecord;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position};

/// A shard that was spooled or made anew.
pub(crate) struct OwedShard {
    /// The pack's record.
    pub(crate) record: Box<PackRecord>,
    /// Whether the pack is committed.
    pub(crate) is_committed: bool,
    pub(crate) position: Position,
    /// Its masked bytes.
    pub(crate) shard: Bytes,
    /// Whom it is for.
    pub(crate) device: DeviceId,
}

/// What came of making an owed shard anew.
pub(crate) struct Remade {
    /// Whom it is for.
    pub(crate) device: DeviceId,
    /// Packs of which it is owed its shard too, and that come before others are looked for.
    pub(crate) batch: VecDeque<PackId>,
    pub(crate) outcome: RemadeOutcome,
    /// The next one is made when it goes.
    pub(crate) turn: OwnedSemaphorePermit,
}

/// Whether it was made.
pub(crate) enum RemadeOutcome {
    /// It is in memory.
    Shard(OwedShard),
    /// Nothing is owed but what is at hand.
    Nothing,
    /// It could not be made.
    Failed(ErrorCode),
}
