//! Contracts: so many bytes, on these terms, signed by both sides.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::document::{Document, Signed};
use crate::id::{ContractId, DeviceId, IdentityId};
use crate::unit::{ByteCount, UnixMillis};

/// What the two sides are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContractKind {
    /// They know each other.
    Friend,
    /// They found each other in the network.
    Stranger,
    /// Both are devices of one identity.
    OwnDevice,
}

/// So many bytes, on these terms. Signed by the customer's device.
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
    /// What the two are to each other.
    pub kind: ContractKind,
    /// Bytes of shards that may be stored.
    pub bytes: ByteCount,
    /// Bytes beside those for what was deleted and can still be had back.
    pub reserve: ByteCount,
    /// Days for which it holds unless it is renewed; `None`: until one side ends it.
    pub term_days: Option<u16>,
    /// Own days of the supplier without a word of the customer's identity, after which it may end.
    pub patience_days: u16,
    /// That this lane takes the place of another one, whose contract this replaces.
    pub replaces: Option<Signed<Succession>>,
    /// When it was proposed, by the customer's clock.
    pub proposed_at: UnixMillis,
    /// Makes two contracts of the same moment differ.
    pub nonce: [u8; 16],
}

impl Versioned for Contract {
    const KIND: &'static str = "contract";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = 1_024;
}
impl Document for Contract {}

/// A lane takes the place of another one of its identity. Signed by the root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// The identity.
    pub identity: IdentityId,
    /// The lane that has ended.
    pub old: DeviceId,
    /// The lane that goes on with its contracts.
    pub new: DeviceId,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for Succession {
    const KIND: &'static str = "succession";
    const BYTES_MAX: usize = 256;
}
impl Document for Succession {}

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

/// A contract that both want to go on. Signed by each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractRenewal {
    /// The contract.
    pub contract: ContractId,
    /// Bytes of shards from now on.
    pub bytes: ByteCount,
    /// Counts the renewals of a contract, from 1.
    pub number: u32,
    /// When, by the signer's clock.
    pub renewed_at: UnixMillis,
}

impl Versioned for ContractRenewal {
    const KIND: &'static str = "contract renewal";
    const BYTES_MAX: usize = 256;
}
impl Document for ContractRenewal {}

/// One side will end a contract. Signed by that side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractNotice {
    /// The contract.
    pub contract: ContractId,
    /// Own days of the supplier for which it still serves what it keeps.
    pub days: u16,
    /// When, by the signer's clock.
    pub given_at: UnixMillis,
}

impl Versioned for ContractNotice {
    const KIND: &'static str = "contract notice";
    const BYTES_MAX: usize = 256;
}
impl Document for ContractNotice {}

/// A contract has ended. Signed by the side that ended it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractEnd {
    /// The contract.
    pub contract: ContractId,
    /// When, by the signer's clock.
    pub ended_at: UnixMillis,
}

impl Versioned for ContractEnd {
    const KIND: &'static str = "contract end";
    const BYTES_MAX: usize = 256;
}
impl Document for ContractEnd {}
