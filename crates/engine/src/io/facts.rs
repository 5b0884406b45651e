//! What the node knows and tells the engine: at its start, and as parts of inputs.

use serde::{Deserialize, Serialize};

use bitdust_model::ledger::{GroupChange, GroupTotal};
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, FolderId, IdentityId, PackId, Position, PositionMask, Schedule,
    Sequence, SetId,
};

use super::sets::SetFact;

/// What the node knows about a supplier when the engine starts, or learns by an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierFact {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Whether it came by invitation.
    pub friend: bool,
    /// Bytes of the contract in force, if there is one.
    pub contract: Option<ByteCount>,
    /// Milliseconds since it last proved that it keeps data; `None`: never. Counted by the
    /// own clock at the time of this fact.
    pub proved_ago_ms: Option<u64>,
    /// Whether it lost something and has not proved since that it keeps the rest: how often all that
    /// it had confirmed was taken back.
    #[serde(default)]
    pub suspect: Option<u8>,
    /// Milliseconds since it last gave no proof, counted as `proved_ago_ms` is.
    #[serde(default)]
    pub missed_ago_ms: Option<u64>,
}

/// What the node knows about a customer when the engine starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerFact {
    /// The person.
    pub identity: IdentityId,
    /// The device that writes.
    pub lane: DeviceId,
    /// Bytes agreed.
    pub contract: ByteCount,
    /// Bytes used, restart-safe.
    pub used: ByteCount,
}

/// A pack that was sealed before the engine started and is not committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackFact {
    /// The pack.
    pub pack: PackId,
    /// The set that it was coded for.
    pub set: SetId,
    /// What it carries.
    pub kind: PackKind,
    /// Positions whose present holders' receipts are recorded, each once.
    pub confirmed: Vec<Position>,
    /// Positions whose shards lie in the spool.
    pub spooled: Vec<Position>,
}

/// A folder under protection, as far as the engine cares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderFact {
    /// The folder.
    pub folder: FolderId,
    /// When it is backed up without being asked.
    pub schedule: Schedule,
    /// Milliseconds since its newest version; `None`: there is none. Counted by the own clock
    /// at the time of this fact.
    pub backed_up_ago_ms: Option<u64>,
}

/// A version of a folder that a walk found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionFact {
    /// The folder.
    pub folder: FolderId,
    /// Whether it differs from the newest one, also where that is not known.
    pub is_changed: bool,
}

/// Everything the engine must know at its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// This machine.
    pub device: DeviceId,
    /// This person.
    pub identity: IdentityId,
    /// Whether nobody was told of this machine: then it writes nothing, and asks nobody for space.
    #[serde(default)]
    pub is_restore_only: bool,
    /// Whether a recovery closed the lane of this machine: nobody takes anything more of it.
    #[serde(default)]
    pub is_replaced: bool,
    /// A code a person chose for new sets.
    pub code_wanted: Option<Code>,
    /// Suppliers a person asked for; zero: take friends only.
    pub suppliers_wanted: u8,
    /// Bytes to ask of each supplier.
    pub contract_bytes: ByteCount,
    /// Suppliers with their contracts.
    pub suppliers: Vec<SupplierFact>,
    /// The sets of this device, at most `SETS_MAX`.
    pub sets: Vec<SetFact>,
    /// Which of them is the home set, once there is one: there all lists lie, and it governs heads.
    pub home: Option<SetId>,
    /// Customers with their contracts.
    pub customers: Vec<CustomerFact>,
    /// People of whom something lies here, whether or not a contract with them is known.
    #[serde(default)]
    pub kept_for: Vec<IdentityId>,
    /// Bytes offered to others.
    pub offered: ByteCount,
    /// Packs that are sealed and not committed, and go on.
    pub packs: Vec<PackFact>,
    /// The committed packs of these sets, by what confirms them.
    pub groups: Vec<GroupTotal>,
    /// Folders that are backed up by themselves; none where the node runs for one command.
    pub folders: Vec<FolderFact>,
    /// A head that was signed and may or may not have been published.
    pub head_draft: Option<Sequence>,
    /// The newest head known to be published.
    pub head: Option<Sequence>,
    /// Who signed for that head.
    pub head_keepers: Vec<DeviceId>,
    /// The newest head known to have been settled.
    pub settled: Option<Sequence>,
    /// Suppliers of whom it is to be asked which shards they have: the catalogue was taken in anew from what
    /// suppliers keep, and they were not there.
    #[serde(default)]
    pub unlisted: Vec<DeviceId>,
}

/// An offer of space that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferFact {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Space not yet promised.
    pub free: ByteCount,
}

/// How a shard can be fetched: who may have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceFact {
    /// The position.
    pub position: Position,
    /// Whom to ask, in this order.
    pub holders: Vec<DeviceId>,
}

/// A supplier's signature for a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFact {
    /// The pack.
    pub pack: PackId,
    /// The position.
    pub position: Position,
    /// Who keeps it.
    pub device: DeviceId,
    /// How that moves the pack, where it is committed.
    pub moved: Option<GroupChange>,
}

/// A shard in memory that a supplier is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedFact {
    /// The pack.
    pub pack: PackId,
    /// The set that it was coded for.
    pub set: SetId,
    /// What it carries.
    pub kind: PackKind,
    /// The position.
    pub position: Position,
    /// To whom it is owed.
    pub device: DeviceId,
    /// Positions of the pack that are confirmed.
    pub confirmed: PositionMask,
    /// Whether the catalogue knows the pack as committed.
    pub is_committed: bool,
}

/// The newest head of this device's own lane that a supplier keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TipFact {
    /// It keeps none.
    Nothing,
    /// One that the catalogue has, or that is older than all it has.
    Known {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// One that the catalogue does not have: another machine with the same keys wrote it, or this one did
    /// and forgot.
    Unknown {
        /// Its place in the lane.
        sequence: Sequence,
    },
}

/// What a customer wants of its supplier besides storing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::EnumIter,
)]
pub enum Access {
    /// Read shards or listings or heads: any device of the identity may.
    Read,
    /// Leave a head, records or a fence: the writing device of a contract may.
    Write,
    /// Delete packs of its own lane.
    Delete,
}

/// Which of the own records are put into the DHT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecordScope {
    /// Those of the lane, which change with each head.
    Lane,
    /// All: those of the identity, addresses and offer too.
    All,
}

/// A head that a supplier gave, whose signature is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedHead {
    /// Whose it says it is.
    pub owner: IdentityId,
    /// The lane it says it belongs to.
    pub lane: DeviceId,
    /// Who signed it.
    pub signer: DeviceId,
    /// Its place in the lane.
    pub sequence: Sequence,
}

/// What tasks of a job may wait for, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// That a pack in memory is with its suppliers or in the spool.
    Pack,
    /// That the catalogue can be written.
    Disk,
}
