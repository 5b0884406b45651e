//! Sets: who keeps which position, and how that changes.

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::codec::Versioned;
use crate::document::Document;
use crate::id::{DeviceId, IdentityId, MandateHash, SetHash, SetId};
use crate::limits;
use crate::unit::{Sequence, UnixMillis};

/// Who keeps a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// The person.
    pub identity: IdentityId,
    /// The machine.
    pub device: DeviceId,
}

/// Whether a position counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PositionState {
    /// Nobody keeps it.
    #[default]
    Vacant,
    /// Its holder is being given what the position owes: former holders are asked too.
    Filling,
    /// Its holder counts in every quorum.
    Active,
    /// Its holder has not been seen for long and counts in no quorum until it returns.
    Inactive,
}

/// One position of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRecord {
    /// Whether it counts.
    pub state: PositionState,
    /// The version of the set since which that is so.
    pub since: Sequence,
    /// Who keeps it now.
    pub current: Option<Holder>,
    /// Who kept it before, the last one first, until the current holder has the whole list; at
    /// most `FORMER_HOLDERS_MAX`.
    pub former: Vec<Holder>,
}

/// An ordered list of suppliers with a fixed k. Signed by the device of the lane, or by a repairer
/// under its mandate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRecord {
    /// The set.
    pub set: SetId,
    /// The identity it belongs to.
    pub owner: IdentityId,
    /// The device that writes it.
    pub lane: DeviceId,
    /// Grows by one with each change.
    pub version: Sequence,
    /// Hash of the version before; zero for the first.
    pub previous: SetHash,
    /// Shards that give a data pack back.
    pub k: u8,
    /// The positions; their number is n.
    pub positions: Vec<PositionRecord>,
    /// The mandate under which a repairer signed this; `None`: the device of the lane did.
    pub mandate: Option<MandateHash>,
}

impl SetRecord {
    /// Machines that hold active positions: those that count in quorums.
    pub fn active(&self) -> impl Iterator<Item = DeviceId> {
        let active = self.positions.iter();
        let active = active.filter(|position| position.state == PositionState::Active);
        active.filter_map(|position| position.current.map(|holder| holder.device))
    }

    /// How many of the active holders must keep a head before it is settled: W = max(a - k + 1, a / 2 + 1)
    /// with `a` active ones. `None` where fewer than k are active: nothing settles then.
    #[must_use]
    pub fn quorum(&self) -> Option<usize> {
        let positions = u8::try_from(self.positions.len()).ok()?;
        let active = u8::try_from(self.active().count()).ok()?;
        let code = Code::new(self.k, positions).ok()?;
        code.metadata_quorum_of(active).map(usize::from)
    }
}

impl Versioned for SetRecord {
    const KIND: &'static str = "set record";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = 16 * limits::KIB;
}
impl Document for SetRecord {}

/// One version of a set, named so that no other can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetVersion {
    /// The set.
    pub set: SetId,
    /// Which version.
    pub version: Sequence,
    /// Hash of its record.
    pub hash: SetHash,
}

/// Leave to repair a set without its owner: to make shards again and give positions to others.
/// Signed by the device of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// The identity whose set it is.
    pub owner: IdentityId,
    /// The device that writes it.
    pub lane: DeviceId,
    /// The set.
    pub set: SetId,
    /// Who may repair it.
    pub repairer: Holder,
    /// Pairs of epoch (4 bytes, little-endian) and secret of the set (32 bytes), in a box that is
    /// sealed to the repairer: they unmask shards and open nothing.
    pub secrets: Vec<u8>,
    /// When, by the signer's clock.
    pub issued_at: UnixMillis,
}

impl Versioned for Mandate {
    const KIND: &'static str = "mandate";
    const BYTES_MAX: usize = 64 * limits::KIB;
}
impl Document for Mandate {}
