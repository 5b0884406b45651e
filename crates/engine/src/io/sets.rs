//! Sets as the node tells them: who holds which position, and whether that counts.
//!
//! Nothing here decides what follows from it; the engine keeps them in its `Sets`.

use serde::{Deserialize, Serialize};

use bitdust_model::set::PositionState;
use bitdust_model::{Code, DeviceId, Position, PositionMask, Sequence, SetId};

/// A position of a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionFact {
    /// Whether it counts.
    pub state: PositionState,
    /// Who keeps it; `None` where it is vacant.
    pub holder: Option<DeviceId>,
}

impl PositionFact {
    /// A position that counts.
    #[must_use]
    pub const fn active(holder: DeviceId) -> Self {
        Self {
            state: PositionState::Active,
            holder: Some(holder),
        }
    }

    /// Who keeps it now.
    #[must_use]
    pub const fn keeper(self) -> Option<DeviceId> {
        match self.state {
            PositionState::Vacant => None,
            PositionState::Filling | PositionState::Active | PositionState::Inactive => self.holder,
        }
    }

    /// Whether what its holder confirms counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        match self.state {
            PositionState::Active => self.holder.is_some(),
            PositionState::Vacant | PositionState::Filling | PositionState::Inactive => false,
        }
    }

    /// Who is given its shard of a pack as soon as that is sealed. Whoever is inactive gets it once it is
    /// there, out of what is owed.
    #[must_use]
    pub const fn receiver(self) -> Option<DeviceId> {
        match self.state {
            PositionState::Filling | PositionState::Active => self.holder,
            PositionState::Vacant | PositionState::Inactive => None,
        }
    }
}

/// A set of this device, as its newest record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetFact {
    /// The set.
    pub set: SetId,
    /// The version of the record.
    pub version: Sequence,
    /// Its code for data packs.
    pub code: Code,
    /// Its positions, as many as the code's n.
    pub positions: Vec<PositionFact>,
}

impl SetFact {
    /// A set as it is formed: somebody holds each position, and all of them count.
    #[must_use]
    pub fn formed(set: SetId, code: Code, holders: impl IntoIterator<Item = DeviceId>) -> Self {
        Self {
            set,
            version: Sequence(1),
            code,
            positions: holders.into_iter().map(PositionFact::active).collect(),
        }
    }

    /// The position that somebody holds, whether or not it counts.
    #[must_use]
    pub fn position_of(&self, device: DeviceId) -> Option<Position> {
        let mut holders = self.holders();
        let (position, _) = holders.find(|(_, holder)| *holder == device)?;
        Some(position)
    }

    /// A position; a vacant one where there is none of that number.
    #[must_use]
    pub fn position(&self, position: Position) -> PositionFact {
        let place = self.positions.get(usize::from(position.0));
        place.copied().unwrap_or_default()
    }

    /// Who holds a position, whether or not it counts.
    #[must_use]
    pub fn holder_at(&self, position: Position) -> Option<DeviceId> {
        self.position(position).keeper()
    }

    /// Positions that somebody holds, and who, in order.
    pub fn holders(&self) -> impl Iterator<Item = (Position, DeviceId)> {
        let positions = (0..).map(Position).zip(&self.positions);
        positions.filter_map(|(position, place)| Some((position, place.keeper()?)))
    }

    /// Positions that count, and who holds them, in order.
    pub fn counted(&self) -> impl Iterator<Item = (Position, DeviceId)> {
        self.holders()
            .filter(move |(position, _)| self.position(*position).counts())
    }

    /// Positions that count.
    #[must_use]
    pub fn active(&self) -> PositionMask {
        self.counted().map(|(position, _)| position).collect()
    }

    /// Suppliers that must hold a head and its lists before it counts as settled; `None`: nothing settles,
    /// since fewer than k positions count.
    #[must_use]
    pub fn quorum(&self) -> Option<u8> {
        self.code.metadata_quorum_of(self.active().count())
    }
}

/// Which of the sets of a device new packs are coded for: the home set, where the lists lie.
#[must_use]
pub fn set_for_new_packs<'a>(
    sets: impl IntoIterator<Item = &'a SetFact>,
    home: Option<SetId>,
) -> Option<&'a SetFact> {
    let home = home?;
    sets.into_iter().find(|set| set.set == home)
}

/// A place at which a supplier may be owed shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtFact {
    /// The set.
    pub set: SetId,
    /// Its position there.
    pub position: Position,
    /// Positions of the set whose holders are there and trusted.
    pub reachable: PositionMask,
}
