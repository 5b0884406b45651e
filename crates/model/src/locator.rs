//! Records in the DHT: signed, numbered, padded where they are sealed.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::document::{Document, Signed};
use crate::head_ref::HeadRef;
use crate::id::{DeviceId, DhtKey, IdentityId};
use crate::limits;
use crate::set::SetVersion;
use crate::unit::{ByteCount, Epoch, Sequence, UnixMillis};

/// What a record in the DHT is. The DHT key is
/// `BLAKE3("bitdust/dht/v1/" ‖ kind name ‖ 0x00 ‖ signer)`, for a nickname
/// `BLAKE3("bitdust/dht/v1/nickname" ‖ 0x00 ‖ slot ‖ name)`.
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
    strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum RecordKind {
    /// Sealed root record or lane record, signed by a blinded key that only the phrase gives.
    Locator,
    /// An offer of space, signed by the supplier's device.
    Offer,
    /// Addresses of a device, signed by it.
    Addresses,
    /// A claim on a nickname, signed by the device with its certificate inside.
    Nickname,
}

/// The outer form of every value in the DHT; signed by the key that its DHT key is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhtRecord {
    /// What it is.
    pub kind: RecordKind,
    /// Name of the network, so that records do not leak between networks.
    pub network: String,
    /// The newer of two has the larger number.
    pub sequence: Sequence,
    /// When it was written, by the writer's clock.
    pub written_at: UnixMillis,
    /// The body: sealed bytes for a locator, an encoded document for the others.
    pub body: Vec<u8>,
}

/// Whether a record of `candidate` replaces one of `known`: it must be larger, but not by
/// more than `SEQUENCE_JUMP_MAX`, so that nobody who once had the key can end the sequence.
#[must_use]
pub const fn is_newer(candidate: Sequence, known: Sequence) -> bool {
    candidate.0 > known.0 && candidate.0 - known.0 <= limits::SEQUENCE_JUMP_MAX
}

impl Versioned for DhtRecord {
    const KIND: &'static str = "DHT record";
    const BYTES_MAX: usize = limits::DHT_VALUE_BYTES_MAX;
}
impl Document for DhtRecord {}

/// A signed DHT record as it is put, found, deposited and located.
pub type SignedRecord = Signed<DhtRecord>;

/// A record under the key it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedRecord {
    /// Where it lies.
    pub key: DhtKey,
    /// The record.
    pub record: SignedRecord,
}

/// Certificate of a device, signed by the root key of its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The identity.
    pub identity: IdentityId,
    /// The device's Ed25519 public key.
    pub device: DeviceId,
    /// The device's X25519 public key.
    pub exchange: [u8; 32],
    /// Generation at which it was issued.
    pub epoch: Epoch,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
    /// The person's nickname when it was issued; a label, not a proof. Whoever is told the
    /// certificate sees it; recovered devices leave it empty.
    pub nickname: String,
}

impl Versioned for Certificate {
    const KIND: &'static str = "certificate";
    const BYTES_MAX: usize = 512;
}
impl Document for Certificate {}

/// Closes a lane after a sequence number. Signed by the root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The identity.
    pub identity: IdentityId,
    /// The lane that is closed.
    pub lane: DeviceId,
    /// The last head that counts; the place 0 with a hash of zeros where there is none.
    pub last: HeadRef,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for Fence {
    const KIND: &'static str = "fence";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = 256;
}
impl Document for Fence {}

/// The identity's own record: who its devices are. Signed by the root key, then sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRecord {
    /// The identity.
    pub identity: IdentityId,
    /// Newest generation of the secrets.
    pub epoch: Epoch,
    /// Grows with each change.
    pub sequence: Sequence,
    /// The nickname.
    pub nickname: String,
    /// Devices that write, oldest first. Their certificates travel with their records and heads.
    pub devices: Vec<DeviceId>,
    /// Closed lanes; with the devices at most `DEVICES_MAX`.
    pub fences: Vec<ClosedLane>,
}

impl Versioned for RootRecord {
    const KIND: &'static str = "root record";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::LOCATOR_PLAIN_BYTES_MAX - 112;
}
impl Document for RootRecord {}

/// A lane that has ended, as the root record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedLane {
    /// The lane.
    pub lane: DeviceId,
    /// The last head that counts.
    pub last: HeadRef,
}

/// The secrets of a new epoch for a device that goes on. Signed by the root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochGrant {
    /// The identity.
    pub identity: IdentityId,
    /// For whom.
    pub device: DeviceId,
    /// Which epoch.
    pub epoch: Epoch,
    /// Its secrets in a box that is sealed to the device.
    pub secrets: Vec<u8>,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for EpochGrant {
    const KIND: &'static str = "epoch grant";
    const BYTES_MAX: usize = 512;
}
impl Document for EpochGrant {}

/// How to reach a supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person.
    pub identity: IdentityId,
    /// The machine.
    pub device: DeviceId,
    /// Multiaddresses in text form.
    pub addresses: Vec<String>,
}

/// The set in which the lists of a lane lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeSet {
    /// Its newest version.
    pub version: SetVersion,
    /// Shards that give one of its data packs back.
    pub k: u8,
}

/// A device's own record: who keeps its data, and its newest heads. Signed by the device,
/// then sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRecord {
    /// The lane.
    pub lane: DeviceId,
    /// Grows with each change.
    pub sequence: Sequence,
    /// That the device belongs to the identity.
    pub certificate: Signed<Certificate>,
    /// Its home set, once there is one.
    pub home: Option<HomeSet>,
    /// The newest head that somebody keeps.
    pub published: Option<HeadRef>,
    /// The newest head that a quorum keeps.
    pub settled: Option<HeadRef>,
    /// The holders of the home set, in the order of positions, then further ones.
    pub suppliers: Vec<Contact>,
}

impl Versioned for LaneRecord {
    const KIND: &'static str = "lane record";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::LOCATOR_PLAIN_BYTES_MAX - 112;
}
impl Document for LaneRecord {}

/// A public offer of space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// How to reach the supplier.
    pub contact: Contact,
    /// Certificate of the offering device.
    pub certificate: Signed<Certificate>,
    /// Space not yet promised to anybody.
    pub free: ByteCount,
}

impl Versioned for Offer {
    const KIND: &'static str = "offer";
    const BYTES_MAX: usize = 6 * limits::KIB;
}
impl Document for Offer {}

/// Addresses of a device that wants to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// How to reach it.
    pub contact: Contact,
}

impl Versioned for Addresses {
    const KIND: &'static str = "addresses";
    const BYTES_MAX: usize = 6 * limits::KIB;
}
impl Document for Addresses {}

/// A claim on a nickname; several people may claim one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicknameClaim {
    /// The name as its owner writes it.
    pub nickname: String,
    /// Which of the keys of the name it lies under.
    pub slot: u8,
    /// Certificate of the claiming device.
    pub certificate: Signed<Certificate>,
}

impl Versioned for NicknameClaim {
    const KIND: &'static str = "nickname claim";
    const BYTES_MAX: usize = 2 * limits::KIB;
}
impl Document for NicknameClaim {}

/// An invitation: one short text, signed by the inviting device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Name of the network.
    pub network: String,
    /// Who invites, and how to reach them.
    pub contact: Contact,
    /// Their nickname.
    pub nickname: String,
    /// Certificate of the inviting device.
    pub certificate: Signed<Certificate>,
    /// A secret that makes the bearer a friend, once.
    pub token: [u8; 16],
}

impl Versioned for Invitation {
    const KIND: &'static str = "invitation";
    const BYTES_MAX: usize = limits::INVITATION_BYTES_MAX;
}
impl Document for Invitation {}
