//! What is checked: a code, what may go wrong, and which rules are in force.

use bitdust_model::Code;

use crate::rules::{Rule, Rules};
use crate::state::{Devices, SetStage, State};

/// What becomes of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    None,
    /// A new version of it, in which a new device takes the place of device 0.
    Replace,
    /// A second set is begun, of the same devices but with a new one instead of device 0.
    SecondSet,
}

/// How much may go wrong, besides any number of crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Versions that are made: 1 or 2.
    pub versions: usize,
    /// Holders that are away at one time.
    pub away: u8,
    /// How often holders go away in all; `u8::MAX`: as often as they like.
    pub trips: u8,
    /// Holders that lose everything that they keep.
    pub losses: u8,
}

/// One world to check.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// The code of the set.
    pub code: Code,
    /// What becomes of the set.
    pub change: Change,
    /// What may go wrong.
    pub budget: Budget,
    /// Which rules are in force.
    pub rules: Rules,
    /// Whether states are left out for which another stands.
    pub is_reduced: bool,
}

impl Protocol {
    /// Whether a rule is in force.
    #[must_use]
    pub fn has(&self, rule: Rule) -> bool {
        self.rules.has(rule)
    }

    /// Members of the first version of the set, or of the first set.
    #[must_use]
    pub const fn old_members(&self) -> Devices {
        (1 << self.code.n()) - 1
    }

    /// Members of the new version of the set, or of the second set.
    #[must_use]
    pub const fn new_members(&self) -> Devices {
        self.old_members() << 1
    }

    /// Every device there is.
    #[must_use]
    pub fn everybody(&self) -> Devices {
        match self.change {
            Change::None => self.old_members(),
            Change::Replace | Change::SecondSet => self.old_members() | self.new_members(),
        }
    }

    /// Who is connected.
    #[must_use]
    pub fn present(&self, state: &State) -> Devices {
        self.everybody() & !state.away
    }

    /// To whom something may be sent: who is connected, and was asked for its tip.
    #[must_use]
    pub fn open(&self, state: &State) -> Devices {
        let present = self.present(state);
        if self.has(Rule::ReturnerIsAsked) {
            present & !state.unasked
        } else {
            present
        }
    }

    /// Who is to keep the shards of a version.
    #[must_use]
    pub fn keepers_of_data(&self, state: &State, index: usize) -> Devices {
        match self.change {
            Change::None => self.old_members(),
            Change::Replace => self.members(state),
            Change::SecondSet if state.versions[index].names_new_set => self.new_members(),
            Change::SecondSet => self.old_members(),
        }
    }

    /// Who is to keep the lists and the head of a version.
    #[must_use]
    pub fn keepers_of_lists(&self, state: &State, index: usize) -> Devices {
        match self.change {
            Change::None => self.old_members(),
            Change::Replace => self.members(state),
            Change::SecondSet if self.is_homeless(state, index) => self.new_members(),
            Change::SecondSet => self.old_members(),
        }
    }

    /// Sets, each by its members, of which a version needs a quorum.
    #[must_use]
    pub fn quorums_of(&self, state: &State, index: usize) -> [Option<Devices>; 2] {
        match (self.change, state.set) {
            (Change::None, _) | (Change::Replace, SetStage::Old) => {
                [Some(self.old_members()), None]
            }
            (Change::Replace, SetStage::Recorded) => {
                let names_new_set = state.versions[index].names_new_set;
                [
                    Some(self.old_members()),
                    names_new_set.then(|| self.new_members()),
                ]
            }
            (Change::Replace, SetStage::InForce | SetStage::Released) => {
                [Some(self.new_members()), None]
            }
            (Change::SecondSet, _) => [Some(self.keepers_of_lists(state, index)), None],
        }
    }

    /// How many different shards some devices have: the new device has that of device 0.
    #[must_use]
    pub fn shards(&self, devices: Devices) -> u8 {
        let folded = devices | (devices >> self.code.n());
        count(folded & self.old_members())
    }

    /// Whether the shards of these give a pack back.
    pub(crate) fn is_k_of_shards(&self, devices: Devices) -> bool {
        self.shards(devices) >= self.code.k()
    }

    /// Whether heads go to the set of the newest packs, and this one's is the second set.
    pub(crate) fn is_homeless(&self, state: &State, index: usize) -> bool {
        state.versions[index].names_new_set && !self.has(Rule::OneHomeSet)
    }

    fn members(&self, state: &State) -> Devices {
        match state.set {
            SetStage::Old => self.old_members(),
            SetStage::Recorded => self.old_members() | self.new_members(),
            SetStage::InForce | SetStage::Released => self.new_members(),
        }
    }
}

/// How many devices there are.
#[must_use]
pub(crate) fn count(devices: Devices) -> u8 {
    // At most 8.
    u8::try_from(devices.count_ones()).unwrap_or(u8::MAX)
}

/// A device alone.
#[must_use]
pub(crate) const fn bit(device: u8) -> Devices {
    1 << device
}

/// Devices one by one, by their numbers.
pub(crate) fn each(devices: Devices) -> impl Iterator<Item = u8> {
    (0..8).filter(move |device| devices & bit(*device) != 0)
}
