//! What is stored where: packs, sets, index segments, snapshots, the manifest and the head.

use serde::{Deserialize, Serialize};

use crate::code::CodeVersion;
use crate::codec::Versioned;
use crate::document::{Document, Signed};
use crate::id::{
    ChunkId, DeviceId, FolderId, HeadHash, IdentityId, PackId, SetId, ShardId, SnapshotId,
};
use crate::limits;
use crate::tree::Meta;
use crate::unit::{Epoch, Position, Sequence, UnixMillis};

/// What a pack carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PackKind {
    /// Contents of files; coded k of n.
    Data,
    /// Tree pages, chunk lists and small contents; k = 1, a full copy at each supplier.
    Tree,
    /// Index segments and the manifest of one commit; k = 1.
    Commit,
}

/// One chunk in a pack, in the order of the pack. Its offset is the header's length plus the
/// stored bytes of those before it; its nonce counter is its place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRecord {
    /// The chunk.
    pub chunk: ChunkId,
    /// Sealed length in bytes, authentication tag included.
    pub stored_bytes: u32,
    /// Plain length in bytes.
    pub raw_bytes: u32,
    /// Whether the plain bytes were compressed with zstd before sealing.
    pub compressed: bool,
}

/// Enough to fetch and open a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackRef {
    /// The pack.
    pub pack: PackId,
    /// What it carries.
    pub kind: PackKind,
    /// Generation of the secrets that sealed it.
    pub epoch: Epoch,
    /// The set that holds it.
    pub set: SetId,
    /// Shards that give it back.
    pub k: u8,
    /// The matrix.
    pub code_version: CodeVersion,
    /// Length in bytes before it is cut into shards, padding included.
    pub pack_bytes: u32,
    /// Ids of the masked shards by position.
    pub shards: Vec<ShardId>,
}

/// A pack and all that is in it: one line of the pack index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackRecord {
    /// How to fetch it.
    pub pack: PackRef,
    /// Its chunks in order.
    pub chunks: Vec<ChunkRecord>,
}

/// A part of the pack index; one metadata chunk in a commit pack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Packs that became known with this segment.
    pub packs: Vec<PackRecord>,
}

impl Versioned for Segment {
    const KIND: &'static str = "index segment";
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}

/// The sealed list at the end of each pack, from which indexes can be rebuilt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// The pack's chunks in order.
    pub chunks: Vec<ChunkRecord>,
}

impl Versioned for Trailer {
    const KIND: &'static str = "pack trailer";
    const BYTES_MAX: usize = 4 * limits::MIB;
}

/// In a manifest, a blob of the manifest's own pack names no pack: its id is made of the
/// manifest.
pub const OWN_PACK: PackId = PackId([0; 32]);

/// One chunk inside one pack, addressed without any index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// The pack.
    pub pack: PackId,
    /// Byte offset of the sealed chunk in the pack.
    pub offset: u32,
    /// Nonce counter of the chunk.
    pub counter: u32,
    /// The chunk with its lengths.
    pub record: ChunkRecord,
}

/// A folder as the device protects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRecord {
    /// Stable id.
    pub folder: FolderId,
    /// Where it lies on the device, raw bytes.
    pub path: Vec<u8>,
    /// Exclude patterns in gitignore syntax.
    pub excludes: Vec<String>,
    /// Whether file systems mounted inside of it belong to it.
    pub crosses_mounts: bool,
}

/// One version of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRecord {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Which folder.
    pub folder: FolderId,
    /// Where the folder lay, raw bytes.
    pub path: Vec<u8>,
    /// Which device took it.
    pub device: DeviceId,
    /// When its walk began, by that device's clock.
    pub taken_at: UnixMillis,
    /// Metadata of the folder itself.
    pub root: Meta,
    /// Pages of the folder's listing.
    pub pages: Vec<ChunkId>,
    /// Regular files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Things that could not be protected.
    pub problems: u64,
}

/// Snapshots for which a manifest has no room; one metadata chunk in a commit pack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPage {
    /// Snapshots, oldest first.
    pub snapshots: Vec<SnapshotRecord>,
}

impl Versioned for SnapshotPage {
    const KIND: &'static str = "snapshot page";
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}

/// All that a device has: the plain content of the last chunk of a commit. How it is read, its
/// earlier version too, is in `older`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The lane.
    pub lane: DeviceId,
    /// The commit's number in the lane.
    pub sequence: Sequence,
    /// A name for the machine, for people.
    pub device_label: String,
    /// Folders under protection.
    pub folders: Vec<FolderRecord>,
    /// Pages of the older live snapshots, oldest first.
    pub older: Vec<BlobRef>,
    /// The newest live snapshots, oldest first; with the older ones at most `SNAPSHOTS_MAX`.
    pub snapshots: Vec<SnapshotRecord>,
    /// Live segments of the pack index, oldest first; at most `SEGMENTS_MAX`.
    pub segments: Vec<Vec<BlobRef>>,
    /// The commit packs in which those pages and segments lie, the manifest's own excepted.
    pub packs: Vec<PackRef>,
}

/// Who keeps a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// The person.
    pub identity: IdentityId,
    /// The machine.
    pub device: DeviceId,
}

/// One position of a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRecord {
    /// Who keeps it now.
    pub current: Option<Holder>,
    /// Who kept it before, until the current holder has the whole list.
    pub previous: Option<Holder>,
    /// Whether the current holder has confirmed everything the position owes.
    pub full: bool,
}

/// An ordered list of suppliers with a fixed k. Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRecord {
    /// The set.
    pub set: SetId,
    /// The identity it belongs to.
    pub owner: IdentityId,
    /// The device that writes it.
    pub lane: DeviceId,
    /// Grows with each change.
    pub version: Sequence,
    /// Shards that give a data pack back.
    pub k: u8,
    /// The positions; their number is n.
    pub positions: Vec<PositionRecord>,
}

impl Versioned for SetRecord {
    const KIND: &'static str = "set record";
    const BYTES_MAX: usize = 8 * limits::KIB;
}
impl Document for SetRecord {}

/// The newest pointer to all that a device has. Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The identity.
    pub owner: IdentityId,
    /// The device, and so the lane.
    pub lane: DeviceId,
    /// Generation of the secrets in use.
    pub epoch: Epoch,
    /// Place in the lane, from 1.
    pub sequence: Sequence,
    /// Hash of the head before it; zero for the first.
    pub previous: HeadHash,
    /// Versions of the set records this head relies on.
    pub sets: Vec<(SetId, Sequence)>,
    /// Newest tombstone this device has seen (none yet: zero).
    pub tombstones_seen: Sequence,
    /// The pack of the commit.
    pub commit: PackRef,
    /// The manifest inside it.
    pub manifest: BlobRef,
    /// When it was written, by the device's clock.
    pub written_at: UnixMillis,
}

impl Versioned for Head {
    const KIND: &'static str = "head";
    const BYTES_MAX: usize = 4 * limits::KIB;
}
impl Document for Head {}

/// A supplier's word that it keeps a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadReceipt {
    /// Who keeps it.
    pub supplier: DeviceId,
    /// The lane.
    pub lane: DeviceId,
    /// Its place in the lane.
    pub sequence: Sequence,
    /// The head's hash.
    pub head: HeadHash,
    /// When it came, by the supplier's clock.
    pub received_at: UnixMillis,
}

impl Versioned for HeadReceipt {
    const KIND: &'static str = "head receipt";
    const BYTES_MAX: usize = 512;
}
impl Document for HeadReceipt {}

/// A head with the set records it relies on, as suppliers keep and serve them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadBundle {
    /// The head.
    pub head: Signed<Head>,
    /// Set records, newest versions.
    pub sets: Vec<Signed<SetRecord>>,
}

/// What a supplier is told about a shard before its bytes; kept beside it, returned verbatim.
/// Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHeader {
    /// Whose it is.
    pub owner: IdentityId,
    /// The device that wrote the pack.
    pub lane: DeviceId,
    /// Generation of the secrets.
    pub epoch: Epoch,
    /// The set.
    pub set: SetId,
    /// Which shard of the pack.
    pub position: Position,
    /// The pack.
    pub pack: PackId,
    /// What the pack carries.
    pub kind: PackKind,
    /// Shards that give the pack back.
    pub k: u8,
    /// The matrix.
    pub code_version: CodeVersion,
    /// Length of the pack in bytes.
    pub pack_bytes: u32,
    /// The shard.
    pub shard: ShardId,
    /// Its length in bytes.
    pub shard_bytes: u32,
}

impl Versioned for StoreHeader {
    const KIND: &'static str = "store header";
    const BYTES_MAX: usize = 512;
}
impl Document for StoreHeader {}

/// A supplier's word that a shard is durable with it. Signed by the supplier's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who keeps it.
    pub supplier: DeviceId,
    /// Whose it is.
    pub owner: IdentityId,
    /// The lane that wrote it.
    pub lane: DeviceId,
    /// The pack.
    pub pack: PackId,
    /// Which shard of the pack.
    pub position: Position,
    /// The shard.
    pub shard: ShardId,
    /// Its length in bytes.
    pub shard_bytes: u32,
    /// When it was made durable, by the supplier's clock.
    pub stored_at: UnixMillis,
}

impl Versioned for Receipt {
    const KIND: &'static str = "receipt";
    const BYTES_MAX: usize = 512;
}
impl Document for Receipt {}
