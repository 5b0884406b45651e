//! The sets of this device: who holds which position of which, and which one governs heads.
//!
//! It keeps what it was told and answers look-ups; whom the engine trusts, and who is there, it does not
//! know. A position is named together with its set, and a device may hold one in several.

use std::collections::BTreeMap;

use bitdust_model::limits::SETS_MAX;
use bitdust_model::{DeviceId, Position, SetId};

use crate::io::{SetFact, set_for_new_packs};

/// All sets of a device.
#[derive(Debug, Default)]
pub(super) struct Sets {
    known: BTreeMap<SetId, SetFact>,
    home: Option<SetId>,
}

impl Sets {
    /// The sets of a start, of each the newest version. One whose positions are not as many as its code
    /// has is none.
    pub(super) fn of(told: &[SetFact], home: Option<SetId>) -> Self {
        let mut sets = Self::default();
        for set in told {
            let known = sets.known.get(&set.set);
            let is_newer = known.is_none_or(|known| known.version < set.version);
            let has_room = known.is_some() || sets.known.len() < SETS_MAX;
            if is_newer && has_room && is_whole(set) {
                sets.known.insert(set.set, set.clone());
            }
        }
        sets.home = home.filter(|home| sets.known.contains_key(home));
        sets
    }

    /// The first set was formed: it is the home set. Says whether there was none.
    pub(super) fn form(&mut self, set: SetFact) -> bool {
        if self.home.is_some() || self.known.len() >= SETS_MAX || !is_whole(&set) {
            return false;
        }
        self.home = Some(set.set);
        self.known.insert(set.set, set);
        true
    }

    /// The set in which all lists lie, and which governs heads.
    pub(super) fn home(&self) -> Option<&SetFact> {
        self.get(self.home?)
    }

    /// The set that new packs are coded for.
    pub(super) fn for_new_packs(&self) -> Option<&SetFact> {
        set_for_new_packs(self.all(), self.home)
    }

    /// A set.
    pub(super) fn get(&self, set: SetId) -> Option<&SetFact> {
        self.known.get(&set)
    }

    /// All of them, by their ids.
    pub(super) fn all(&self) -> impl Iterator<Item = &SetFact> {
        self.known.values()
    }

    /// Who holds a position of a set.
    pub(super) fn holder_at(&self, set: SetId, position: Position) -> Option<DeviceId> {
        self.get(set)?.holder_at(position)
    }

    /// Whoever holds a position of this number, in any set.
    pub(super) fn holders_at(&self, position: Position) -> impl Iterator<Item = DeviceId> {
        self.all().filter_map(move |set| set.holder_at(position))
    }

    /// The positions that a device holds, with their sets.
    pub(super) fn places_of(&self, device: DeviceId) -> impl Iterator<Item = (&SetFact, Position)> {
        self.all()
            .filter_map(move |set| Some((set, set.position_of(device)?)))
    }

    /// Whether what a device confirms counts in some set.
    pub(super) fn is_counted(&self, device: DeviceId) -> bool {
        self.places_of(device)
            .any(|(set, position)| set.position(position).counts())
    }
}

/// Whether a set has as many positions as its code.
fn is_whole(set: &SetFact) -> bool {
    set.positions.len() == usize::from(set.code.n())
}

#[cfg(test)]
mod tests {
    use bitdust_model::set::PositionState;
    use bitdust_model::{Code, PositionMask, Sequence};

    use super::*;
    use crate::io::PositionFact;

    const HOME: SetId = SetId([1; 32]);
    const OLD: SetId = SetId([2; 32]);

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    /// A set of 2 of 4 whose positions stand like that, held by these devices.
    fn set(id: SetId, places: [(PositionState, u8); 4]) -> SetFact {
        let place = |(state, number)| PositionFact {
            state,
            holder: Some(device(number)),
        };
        SetFact {
            set: id,
            version: Sequence(1),
            code: Code::new(2, 4).expect("a code"),
            positions: places.map(place).to_vec(),
        }
    }

    fn mixed() -> SetFact {
        use PositionState::{Active, Filling, Inactive, Vacant};
        set(
            HOME,
            [(Active, 1), (Filling, 2), (Inactive, 3), (Vacant, 4)],
        )
    }

    fn full(id: SetId, first: u8) -> SetFact {
        let holders = (first..first + 4).map(device);
        SetFact::formed(id, Code::new(2, 4).expect("a code"), holders)
    }

    #[test]
    fn a_vacant_position_is_held_by_nobody_and_only_active_ones_count() {
        let set = mixed();
        let held: Vec<_> = (0..5).map(|at| set.holder_at(Position(at))).collect();
        let holders = [Some(1), Some(2), Some(3), None, None];
        assert_eq!(held, holders.map(|it| it.map(device)));
        assert_eq!(set.position_of(device(3)), Some(Position(2)));
        assert_eq!(set.position_of(device(4)), None);
        assert_eq!(set.active(), PositionMask(0b0001));
        let receivers: Vec<_> = set.positions.iter().map(|it| it.receiver()).collect();
        let given = [Some(1), Some(2), None, None];
        assert_eq!(receivers, given.map(|it| it.map(device)));
        let nobody = PositionFact {
            state: PositionState::Active,
            holder: None,
        };
        assert!(!nobody.counts(), "nobody confirms anything");
    }

    #[test]
    fn the_quorum_is_of_the_active_ones() {
        use PositionState::{Active, Inactive};
        let of = |states: [PositionState; 4]| {
            let places = [1, 2, 3, 4].map(|number| (states[usize::from(number) - 1], number));
            set(HOME, places).quorum()
        };
        assert_eq!(of([Active; 4]), Some(3));
        assert_eq!(of([Active, Active, Active, Inactive]), Some(2));
        assert_eq!(of([Active, Active, Inactive, Inactive]), Some(2));
        assert_eq!(of([Active, Inactive, Inactive, Inactive]), None);
    }

    #[test]
    fn a_device_has_a_place_in_each_of_its_sets() {
        let sets = Sets::of(&[full(OLD, 3), mixed()], Some(HOME));
        let places = |number| -> Vec<_> {
            let places = sets.places_of(device(number));
            places
                .map(|(set, position)| (set.set, position.0))
                .collect()
        };
        assert_eq!(places(3), [(HOME, 2), (OLD, 0)]);
        assert_eq!(places(6), [(OLD, 3)]);
        assert_eq!(places(4), [(OLD, 1)], "vacant in the other");
        assert!(sets.is_counted(device(3)), "inactive in one of them");
        assert!(!sets.is_counted(device(2)), "it is being filled");
        assert_eq!(sets.holder_at(OLD, Position(0)), Some(device(3)));
        assert_eq!(sets.holder_at(HOME, Position(3)), None);
        let third: Vec<_> = sets.holders_at(Position(2)).collect();
        assert_eq!(third, [device(3), device(5)]);
    }

    #[test]
    fn new_packs_go_to_the_home_set_and_a_set_is_formed_once() {
        let mut sets = Sets::of(&[full(OLD, 3), mixed()], Some(HOME));
        let told = |set: Option<&SetFact>| set.map(|set| set.set);
        assert_eq!(told(sets.home()), Some(HOME));
        assert_eq!(told(sets.for_new_packs()), Some(HOME));
        assert!(!sets.form(full(SetId([3; 32]), 1)));
        let mut none = Sets::of(&[full(OLD, 3)], Some(HOME));
        assert_eq!(told(none.home()), None, "it is not there");
        assert!(none.form(full(HOME, 1)));
        assert_eq!(told(none.home()), Some(HOME));
        assert_eq!(none.all().count(), 2);
    }

    #[test]
    fn of_two_versions_the_newer_one_holds_and_no_more_than_fit() {
        let newer = SetFact {
            version: Sequence(2),
            ..full(HOME, 1)
        };
        for told in [[newer.clone(), mixed()], [mixed(), newer.clone()]] {
            let sets = Sets::of(&told, Some(HOME));
            assert_eq!(sets.home(), Some(&newer));
        }
        let mut short = full(OLD, 1);
        short.positions.pop();
        assert!(Sets::of(&[short], None).get(OLD).is_none());
        let many: Vec<_> = (1..=20).map(|it| full(SetId([it; 32]), 1)).collect();
        assert_eq!(Sets::of(&many, None).all().count(), SETS_MAX);
    }
}
