//! Packs counted together: what the catalogue knows of who keeps them, without naming each.
//!
//! Packs of one set and one kind that are confirmed at the same positions are as safe as each other.
//! The catalogue keeps the positions of each pack and tells what moves between groups; whoever adds
//! that up, in any order, knows the groups.

use serde::{Deserialize, Serialize};

use crate::id::SetId;
use crate::manifest::PackKind;
use crate::unit::{ByteCount, PositionMask};

/// Committed packs that are as safe as each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// Their set.
    pub set: SetId,
    /// What they carry.
    pub kind: PackKind,
    /// Whether a published head leads to them.
    pub is_published: bool,
    /// Positions whose present holders confirmed them.
    pub confirmed: PositionMask,
}

/// Holders that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtHand {
    /// The set.
    pub set: SetId,
    /// Their positions in it.
    pub positions: PositionMask,
}

impl AtHand {
    /// Nobody of no set.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            set: SetId([0; 32]),
            positions: PositionMask::default(),
        }
    }
}

/// What a group amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTotal {
    /// Which.
    pub group: Group,
    /// Packs in it.
    pub packs: u64,
    /// Their bytes as they were sealed, before coding or copying.
    pub bytes: ByteCount,
}

/// Packs that moved from one group to another, in one transaction of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupChange {
    /// Where they were; `None`: they were not committed.
    pub from: Option<Group>,
    /// Where they are.
    pub to: Group,
    /// How many.
    pub packs: u64,
    /// Their bytes as they were sealed.
    pub bytes: ByteCount,
}
