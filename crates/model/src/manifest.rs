//! What is stored where: packs, index segments, snapshots, and the manifest of all of it.

use serde::{Deserialize, Serialize};

use crate::code::CodeVersion;
use crate::codec::Versioned;
use crate::id::{ChunkId, DeviceId, FolderId, IdentityId, PackId, SetId, ShardId, SnapshotId};
use crate::intervals::CLOCKS_DIFFER_MAX;
use crate::limits;
use crate::tree::Meta;
use crate::unit::{Epoch, Position, PositionMask, Sequence, UnixMillis};

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
    /// The random bytes in its header: with them, the same chunks make the same pack again.
    pub random: [u8; 32],
    /// Positions whose holders had confirmed their shards when this was written.
    pub confirmed: PositionMask,
    /// Its chunks in order.
    pub chunks: Vec<ChunkRecord>,
}

/// Shards that a pack got when its set grew: their ids follow those that its reference names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrownPack {
    /// The pack, which an older segment describes.
    pub pack: PackId,
    /// The first position that was added.
    pub first: Position,
    /// Ids of the masked shards from that position on.
    pub shards: Vec<ShardId>,
}

/// A part of the pack index; one metadata chunk in a commit pack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Packs that became known with this segment.
    pub packs: Vec<PackRecord>,
    /// Packs of older segments that have more shards since.
    pub grown: Vec<GrownPack>,
}

impl Versioned for Segment {
    const KIND: &'static str = "index segment";
    const VERSION: u8 = 2;
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
    /// When it is backed up by itself; `None`: as the device does it usually.
    pub schedule: Option<FolderSchedule>,
    /// Which of its versions are kept.
    pub retention: Retention,
}

/// When a folder is backed up by itself, as documents carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderSchedule {
    /// Soon after something in it changed.
    OnChange,
    /// So often.
    Every {
        /// Minutes.
        minutes: u32,
    },
    /// Only when it is asked for.
    Manual,
}

/// Which versions of a folder are kept. Rules that thin them come with their numbers behind this
/// one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retention {
    /// All.
    #[default]
    KeepAll,
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
    /// One more than the largest of all versions of the identity that the device knew: its own
    /// newest is the one with the largest, whatever clocks say.
    pub order: u64,
    /// When its walk began, by that device's clock.
    pub taken_at: UnixMillis,
    /// Whether the device had reason to doubt that clock.
    pub is_clock_suspect: bool,
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

impl SnapshotRecord {
    /// Whether its time says nothing: the device doubted it, or it lies in the future of who reads it.
    #[must_use]
    pub fn is_time_suspect(&self, now: UnixMillis) -> bool {
        self.is_clock_suspect || self.taken_at > now.later_by(CLOCKS_DIFFER_MAX)
    }
}

/// Snapshots for which a manifest has no room; one metadata chunk in a commit pack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPage {
    /// Snapshots, oldest first.
    pub snapshots: Vec<SnapshotRecord>,
}

impl Versioned for SnapshotPage {
    const KIND: &'static str = "snapshot page";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}

/// A person whose machine is a friend's, with ways to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendRecord {
    /// The person.
    pub identity: IdentityId,
    /// The machine.
    pub device: DeviceId,
    /// What they are called here.
    pub nickname: String,
    /// Multiaddresses in text form.
    pub addresses: Vec<String>,
}

/// All that a device has: the plain content of the last chunk of a commit.
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
    /// Friends, the newest first; at most `FRIENDS_MAX`.
    pub friends: Vec<FriendRecord>,
    /// Chunks with the tombstones that holders may still ask for, oldest first.
    pub tombstones: Vec<BlobRef>,
}

impl Versioned for Manifest {
    const KIND: &'static str = "manifest";
    const VERSION: u8 = 3;
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;
}
