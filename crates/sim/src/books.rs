//! The world's own books: what truly happened, independent of what engines believe.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_engine::{JobId, SetFact};
use bitdust_model::manifest::{PackKind, SnapshotRecord};
use bitdust_model::{
    DeviceId, IdentityId, PackId, Position, Sequence, SnapshotId, Tick, UnixMillis,
};

use crate::id::{HeadKey, NodeId, PackKey};

/// A pack as it was sealed.
#[derive(Debug, Clone)]
pub(crate) struct PackEntry {
    pub(crate) kind: PackKind,
    pub(crate) job: JobId,
    /// The set that it was coded for, as it is now.
    pub(crate) set: SetFact,
    pub(crate) chunks: BTreeSet<u64>,
    /// Receipts that reached the owner and were not taken back.
    pub(crate) receipts: BTreeMap<Position, DeviceId>,
}

impl PackEntry {
    /// Who gave a receipt for it, of those who count in its set.
    pub(crate) fn counted(&self) -> impl Iterator<Item = DeviceId> {
        let counted = self.set.counted();
        let receipted = counted.filter(|(position, by)| self.receipts.get(position) == Some(by));
        receipted.map(|(_, by)| by)
    }
}

/// A head as it was signed.
#[derive(Debug, Clone)]
pub(crate) struct HeadEntry {
    pub(crate) snapshot: BTreeSet<u64>,
    /// Packs of contents and trees that the snapshot relies on.
    pub(crate) packs: BTreeSet<PackId>,
    /// Tree packs that the snapshot leads to.
    pub(crate) trees: BTreeSet<PackId>,
    /// The one of them with the pages that never change.
    pub(crate) still: Option<PackId>,
    pub(crate) commit: PackId,
    /// Suppliers whose word on it reached the owner.
    pub(crate) kept: BTreeSet<DeviceId>,
    pub(crate) recorded: bool,
    /// When it was signed, by the clock of its machine.
    pub(crate) written_at: UnixMillis,
    /// When it came to those who gave their word, by their clocks.
    pub(crate) received_at: BTreeMap<DeviceId, UnixMillis>,
    /// All versions of its machine.
    pub(crate) versions: Vec<SnapshotRecord>,
}

/// A record in the DHT.
#[derive(Debug, Clone)]
pub(crate) struct LaneEntry {
    pub(crate) suppliers: Vec<DeviceId>,
    pub(crate) k: u8,
    /// The newest head that is published.
    pub(crate) head: Sequence,
    pub(crate) published_at: Tick,
}

/// All books.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) packs: BTreeMap<PackKey, PackEntry>,
    pub(crate) heads: BTreeMap<HeadKey, HeadEntry>,
    /// Customer and supplier: the supplier lost something and has not proved that it keeps the rest.
    pub(crate) suspect: BTreeSet<(NodeId, DeviceId)>,
    /// Customer and supplier: the last receipt or proof.
    pub(crate) proofs: BTreeMap<(NodeId, DeviceId), Tick>,
    /// Machines that have forgotten versions that they published, and the newest of these.
    pub(crate) laid_back: BTreeMap<NodeId, Sequence>,
    /// Versions in the order in which they were made, with their machines.
    pub(crate) made: Vec<(NodeId, SnapshotId)>,
    /// The DHT, by person and lane.
    pub(crate) lanes: BTreeMap<(IdentityId, DeviceId), LaneEntry>,
}

impl Books {
    /// Receipts for a pack from suppliers that are not suspect to its owner.
    pub(crate) fn trusted_receipts(&self, owner: NodeId, pack: PackId) -> usize {
        let Some(entry) = self.packs.get(&(owner, pack)) else {
            return 0;
        };
        let counted = entry.counted();
        counted
            .filter(|device| !self.suspect.contains(&(owner, *device)))
            .count()
    }

    /// Receipts for a pack from anybody who counts in its set.
    pub(crate) fn receipts(&self, owner: NodeId, pack: PackId) -> usize {
        self.packs
            .get(&(owner, pack))
            .map_or(0, |entry| entry.counted().count())
    }
}
