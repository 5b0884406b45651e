//! The sets of this device, as this wing needs them: for whom packs are coded, and who holds what.

use bitdust_engine::{Facts, SetFact, set_for_new_packs};
use bitdust_model::{DeviceId, Position, SetId};

/// All sets of this device.
#[derive(Debug, Default, Clone)]
pub(crate) struct OwnSets {
    sets: Vec<SetFact>,
    home: Option<SetId>,
}

impl OwnSets {
    /// The sets of a start.
    pub(crate) fn of(facts: &Facts) -> Self {
        Self {
            sets: facts.sets.clone(),
            home: facts.home,
        }
    }

    /// The first set was formed. One that comes after it does not become the home set by that.
    pub(super) fn form(&mut self, set: SetFact) {
        if self.home.is_none() {
            self.home = Some(set.set);
            self.sets.push(set);
        }
    }

    /// The set that new packs are coded for.
    pub(super) fn for_new_packs(&self) -> Option<&SetFact> {
        set_for_new_packs(&self.sets, self.home)
    }

    /// Whether there is none yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// One of them.
    pub(super) fn get(&self, set: SetId) -> Option<&SetFact> {
        self.sets.iter().find(|known| known.set == set)
    }

    /// Whether a device holds a position of this number in some set.
    pub(super) fn has_at(&self, device: DeviceId, position: Position) -> bool {
        let holds = |set: &SetFact| set.holder_at(position) == Some(device);
        self.sets.iter().any(holds)
    }
}
