//! Heads: the newest signed pointer to all that a device has, and what suppliers say of it.

use serde::{Deserialize, Serialize};

use crate::codec::Versioned;
use crate::deletion::TombstoneRef;
use crate::document::{Document, Signed};
use crate::id::{DeviceId, HeadHash, IdentityId, SetId, WriterId};
use crate::limits;
use crate::locator::Certificate;
use crate::manifest::{BlobRef, PackRef};
use crate::set::{SetRecord, SetVersion};
use crate::unit::{Epoch, Sequence, UnixMillis};

/// The newest pointer to all that a device has. Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The identity.
    pub owner: IdentityId,
    /// The device, and so the lane.
    pub lane: DeviceId,
    /// Which catalogue wrote it: two in one lane are two machines with the same keys.
    pub writer: WriterId,
    /// Generation of the secrets in use.
    pub epoch: Epoch,
    /// Place in the lane, from 1.
    pub sequence: Sequence,
    /// Hash of the head before it; zero for the first.
    pub previous: HeadHash,
    /// The set in which all lists lie, and whose quorum counts for this head.
    pub home: SetId,
    /// The versions of the sets this head relies on; at most `SETS_MAX`.
    pub sets: Vec<SetVersion>,
    /// The newest tombstone of the lane.
    pub tombstone: Option<TombstoneRef>,
    /// The pack of the commit.
    pub commit: PackRef,
    /// The manifest inside it.
    pub manifest: BlobRef,
    /// When it was written, by the device's clock.
    pub written_at: UnixMillis,
}

impl Versioned for Head {
    const KIND: &'static str = "head";
    const VERSION: u8 = 2;
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
    /// The version of the lane's home set that the supplier knows.
    pub set_version: Sequence,
    /// Whether the supplier has kept account of the lane's lists without a gap since it has them.
    pub are_lists_complete: bool,
    /// Days for which the supplier itself has run; `None` where it does not count them.
    pub own_days: Option<u32>,
    /// When it came, by the supplier's clock.
    pub received_at: UnixMillis,
}

impl Versioned for HeadReceipt {
    const KIND: &'static str = "head receipt";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = 512;
}
impl Document for HeadReceipt {}

/// A head with what is needed to believe it, as suppliers keep and serve them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadBundle {
    /// The head.
    pub head: Signed<Head>,
    /// Set records, newest versions; at most `SETS_MAX`.
    pub sets: Vec<Signed<SetRecord>>,
    /// That the lane's device belongs to the identity.
    pub certificate: Signed<Certificate>,
}

/// All that a supplier keeps of the heads of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHeads {
    /// The newest head of each branch, the one that was kept first in front; at most `TIPS_MAX`.
    pub tips: Vec<HeadBundle>,
    /// Whether it has kept account of the lane's lists without a gap since it has them.
    pub are_lists_complete: bool,
}
