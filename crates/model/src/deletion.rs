//! Deletion: which packs of a lane nobody needs any more, and how much a device may delete.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::document::Document;
use crate::error::ErrorCode;
use crate::id::{DeviceId, IdentityId, PackId, TombstoneHash};
use crate::limits;
use crate::unit::{ByteCount, Sequence, UnixMillis};

/// Packs that no version needs any more. Tombstones of a lane form a chain; its head names the
/// newest. Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The identity.
    pub owner: IdentityId,
    /// The lane whose packs they are.
    pub lane: DeviceId,
    /// Its place among the tombstones of the lane, from 1.
    pub number: Sequence,
    /// Hash of the tombstone before it; zero for the first.
    pub previous: TombstoneHash,
    /// At most `DELETE_IDS_MAX`.
    pub packs: Vec<PackId>,
    /// When, by the device's clock.
    pub written_at: UnixMillis,
}

impl Versioned for Tombstone {
    const KIND: &'static str = "tombstone";
    const BYTES_MAX: usize = limits::DELETE_IDS_MAX * 32 + 256;
}
impl Document for Tombstone {}

/// A tombstone by its place and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TombstoneRef {
    /// Its place among the tombstones of the lane.
    pub number: Sequence,
    /// Its hash.
    pub hash: TombstoneHash,
}

/// What became of a pack that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deletion {
    /// It is in the grace reserve, or was not here.
    Done,
    /// It is deleted later: a device may not delete more at once.
    Waits {
        /// After so many own days of the supplier.
        days: u16,
    },
    /// It is kept.
    Refused {
        /// Why.
        code: ErrorCode,
    },
}

/// Leave to delete more than a device may by itself. Signed by the root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionGrant {
    /// The identity.
    pub identity: IdentityId,
    /// The lane whose packs may be deleted.
    pub lane: DeviceId,
    /// Up to this tombstone.
    pub last: Sequence,
    /// At most so many bytes of shards at each supplier.
    pub bytes: ByteCount,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for DeletionGrant {
    const KIND: &'static str = "deletion grant";
    const BYTES_MAX: usize = 256;
}
impl Document for DeletionGrant {}

/// What was deleted is wanted back. Signed by the root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeletion {
    /// The identity.
    pub identity: IdentityId,
    /// The lane whose packs are wanted back.
    pub lane: DeviceId,
    /// Those of this tombstone and all after it.
    pub first: Sequence,
    /// When, by the issuer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for Undeletion {
    const KIND: &'static str = "undeletion";
    const BYTES_MAX: usize = 256;
}
impl Document for Undeletion {}
