//! Service packets: everything one node says to another, in one closed enum.
//!
//! A packet is signed by the sender's device, names its addressee, and carries the
//! addressee's fresh challenge of this stream and a growing sequence number, so that it can
//! be neither replayed nor redirected.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::document::{Document, Signed};
use crate::error::ErrorCode;
use crate::id::{ContractId, DeviceId, DhtKey, IdentityId, PackId, SetId, ShardId};
use crate::limits;
use crate::locator::{Certificate, Contact, Fence, KeyedRecord};
use crate::manifest::{HeadBundle, HeadReceipt, Receipt, StoreHeader};
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
    Store(Signed<StoreHeader>),
    /// The shard is durable.
    Stored(Signed<Receipt>),
    /// A range of a shard, please. (bulk) Answered by `Fetched`, then data with its proof.
    Fetch(Fetch),
    /// The header of the shard whose range follows.
    Fetched {
        /// What the shard is, as its owner signed it.
        header: Signed<StoreHeader>,
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
        /// At most `LIST_ENTRIES_MAX` headers.
        headers: Vec<Signed<StoreHeader>>,
        /// Whether more follow.
        more: bool,
    },
    /// Delete packs of the sender's own lane; answered by `Deleted` or `Refused`.
    Delete {
        /// The packs.
        packs: Vec<PackId>,
    },
    /// Deleted into the grace reserve.
    Deleted {
        /// Bytes that were released.
        bytes: ByteCount,
    },
    /// Keep this head and its set records; answered by `HeadKept` or `Refused`.
    HeadPut(HeadBundle),
    /// The head is durable.
    HeadKept(Signed<HeadReceipt>),
    /// The newest heads of an identity, please; answered by `Heads`.
    HeadsAsk,
    /// The newest head of each lane of the asking identity.
    Heads(Vec<HeadBundle>),
    /// Keep these records and publish them while the contract lives; answered by `Done`.
    Deposit(Vec<KeyedRecord>),
    /// Does anybody's record lie here under these keys? Answered by `Located`.
    Locate(Vec<DhtKey>),
    /// Records kept for customers under the keys asked for.
    Located(Vec<KeyedRecord>),
    /// A lane of mine is closed; answered by `Done`.
    FencePut(Signed<Fence>),
}

/// Opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The sender's certificate.
    pub certificate: Signed<Certificate>,
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

/// So many bytes, until then, on these terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The person whose data it is.
    pub customer: IdentityId,
    /// The device that writes.
    pub lane: DeviceId,
    /// The person who keeps it.
    pub supplier_identity: IdentityId,
    /// The machine that keeps it.
    pub supplier: DeviceId,
    /// Bytes of shards that may be stored.
    pub bytes: ByteCount,
    /// Days on which the supplier is itself well, without the customer, before it may end.
    pub patience_days: u16,
    /// When it was proposed, by the customer's clock.
    pub proposed_at: UnixMillis,
    /// Makes two contracts of the same moment differ.
    pub nonce: [u8; 16],
}

impl Versioned for Contract {
    const KIND: &'static str = "contract";
    const BYTES_MAX: usize = 512;
}
impl Document for Contract {}

/// The supplier's signature under a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractAcceptance {
    /// The contract.
    pub contract: ContractId,
    /// The machine that keeps the data.
    pub supplier: DeviceId,
    /// When, by the supplier's clock.
    pub accepted_at: UnixMillis,
}

impl Versioned for ContractAcceptance {
    const KIND: &'static str = "contract acceptance";
    const BYTES_MAX: usize = 256;
}
impl Document for ContractAcceptance {}

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
