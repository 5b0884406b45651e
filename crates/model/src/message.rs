//! Service packets: everything one node says to another, in one closed enum.
//!
//! A packet is signed by the sender's device, names its addressee, and carries the
//! addressee's fresh challenge of this stream and a growing sequence number, so that it can
//! be neither replayed nor redirected.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::contract::{Contract, ContractAcceptance};
use crate::deletion::{Deletion, DeletionGrant, Tombstone};
use crate::document::{Document, Signed};
use crate::error::ErrorCode;
use crate::head::{Head, HeadBundle, HeadReceipt, LaneHeads};
use crate::id::{DeviceId, DhtKey, PackId, SetId, ShardId};
use crate::limits;
use crate::locator::{Certificate, Contact, Fence, KeyedRecord};
use crate::shard::{Receipt, SignedHeader};
use crate::unit::{ByteCount, Position, Sequence, UnixMillis};

/// What a stream's acceptor and opener each send first: 16 fresh random bytes that the
/// other side must repeat in every packet.
pub type Challenge = [u8; 16];

/// One service message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Sender.
    pub from: DeviceId,
    /// Addressee.
    pub to: DeviceId,
    /// The addressee's challenge of this stream.
    pub challenge: Challenge,
    /// Grows by at least one with each packet of a direction of a stream.
    pub sequence: Sequence,
    /// When it was sent, by the sender's clock; shown, never judged.
    pub sent_at: UnixMillis,
    /// What it says.
    pub body: Body,
}

impl Versioned for Packet {
    const KIND: &'static str = "packet";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::PACKET_BYTES_MAX;
}
impl Document for Packet {}

/// A packet as it travels.
pub type SignedPacket = Signed<Packet>;

/// What a packet says. Requests and answers alternate on a control stream; on a bulk stream
/// `Store` and `Fetch` are pipelined, their answers come in any order and name the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Body {
    /// Opens a session; answered by `Hello`.
    Hello(Hello),
    /// The request was refused.
    Refused(Refusal),
    /// Done; nothing to add.
    Done,
    /// Is there space for strangers, and how much? Answered by `SpaceFree`.
    SpaceAsk,
    /// Space not yet promised.
    SpaceFree(ByteCount),
    /// The bearer of an invitation becomes a friend; answered by `Done` or `Refused`.
    Befriend {
        /// The invitation's token.
        token: [u8; 16],
        /// How to reach the bearer.
        contact: Contact,
        /// The bearer's nickname.
        nickname: String,
    },
    /// A contract the customer has signed; answered by `ContractSigned` or `Refused`.
    Propose(Signed<Contract>),
    /// The supplier's signature under it.
    ContractSigned(Signed<ContractAcceptance>),
    /// May this shard be stored? (bulk) Answered by `Go` frames, then `Stored` or `Refused`.
    Store {
        /// What its pack is.
        header: SignedHeader,
        /// Which shard of it.
        position: Position,
    },
    /// The shard is durable.
    Stored(Signed<Receipt>),
    /// A range of a shard, please. (bulk) Answered by `Fetched`, then data with its proof.
    Fetch(Fetch),
    /// The header of the shard whose range follows.
    Fetched {
        /// What the shard's pack is, as its owner signed it.
        header: SignedHeader,
        /// First byte that follows, a multiple of 64 KiB.
        offset: u64,
        /// Bytes that follow, proof not counted.
        length: u64,
    },
    /// Which shards of mine are here? Answered by `Listing`.
    List {
        /// Only shards written by this lane.
        lane: DeviceId,
        /// Continue after this shard.
        after: Option<ShardId>,
    },
    /// Some of the shards, in the order of their ids.
    Listing {
        /// At most `LIST_ENTRIES_MAX`, each with the position that is kept here.
        headers: Vec<(Position, SignedHeader)>,
        /// Whether more follow.
        more: bool,
    },
    /// Delete packs of the sender's own lane; answered by `Deleted` or `Refused`.
    Delete {
        /// Names the packs; a head that the supplier keeps must have it.
        tombstone: Signed<Tombstone>,
        /// Leave to delete more than a device may by itself.
        grant: Option<Signed<DeletionGrant>>,
    },
    /// What became of each pack of the tombstone, in its order.
    Deleted {
        /// At most `DELETE_IDS_MAX`.
        packs: Vec<Deletion>,
        /// Bytes that were released into the grace reserve.
        bytes: ByteCount,
    },
    /// Keep this head and its set records; answered by `HeadKept` or `Refused`.
    HeadPut {
        /// The head.
        bundle: Box<HeadBundle>,
        /// The heads between it and the newest that the supplier is thought to know, oldest first;
        /// at most `HEADS_BETWEEN_MAX`.
        between: Vec<Signed<Head>>,
        /// Where there are too many of those: receipts of a quorum for the head before it.
        receipts: Vec<Signed<HeadReceipt>>,
    },
    /// The head is durable.
    HeadKept(Signed<HeadReceipt>),
    /// The newest heads of an identity, please; answered by `Heads`.
    HeadsAsk {
        /// Continue after this lane.
        after: Option<DeviceId>,
    },
    /// The newest heads of some lanes of the asking identity, in the order of the lanes.
    Heads {
        /// What is kept of each.
        lanes: Vec<LaneHeads>,
        /// Whether more follow.
        more: bool,
    },
    /// Keep these records and publish them while the contract lives; answered by `Located`.
    Deposit(Vec<KeyedRecord>),
    /// Does anybody's record lie here under these keys? Answered by `Located`.
    Locate(Vec<DhtKey>),
    /// Records kept for customers under the keys asked for; after a deposit those that are kept instead, as they
    /// are not older.
    Located(Vec<KeyedRecord>),
    /// A lane of mine is closed; answered by `Done`.
    FencePut(Signed<Fence>),
    /// The sender says who it is, where its `Hello` did not; answered by `Done` or `Refused`.
    Identify(Signed<Certificate>),
}

/// Opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The sender's certificate; without it only the device is known.
    pub certificate: Option<Signed<Certificate>>,
    /// Name of the network.
    pub network: String,
    /// Where the sender listens.
    pub addresses: Vec<String>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For machines.
    pub code: ErrorCode,
    /// Milliseconds after which it may be tried again, where that can help.
    pub retry_after_ms: Option<u32>,
}

/// Which range of which shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// Which shard.
    pub target: FetchTarget,
    /// First byte wanted; rounded down to 64 KiB by the supplier.
    pub offset: u64,
    /// Bytes wanted; the end is rounded up to 64 KiB or the shard's end.
    pub length: u64,
}

/// A shard by its id or by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchTarget {
    /// By id.
    Shard(ShardId),
    /// By place, for packs whose shard ids the reader does not know yet.
    Place {
        /// The set.
        set: SetId,
        /// The pack.
        pack: PackId,
        /// The position.
        position: Position,
    },
}
