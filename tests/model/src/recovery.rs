//! What a recovery finds that hears some devices and no other: a function of the state, not a step.

use crate::protocol::{Change, Protocol};
use crate::rules::Rule;
use crate::state::{Devices, LaneRecord, SetStage, State};

/// What a recovery finds and says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The newest version whose lists it can read, from 1 on; 0: none.
    pub found: u8,
    /// The newest version that something names which it read.
    pub named: u8,
    /// Whether it heard enough holders to believe that nothing newer has settled.
    pub heard_enough: bool,
    /// Whether it says that what it found is the newest.
    pub says_newest: bool,
}

/// What some devices tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// The newest version whose lists they have, from 1 on; 0: none.
    pub found: u8,
    /// The newest of which they have a head.
    pub told: u8,
    /// Whether k of the old set answered, of those that count.
    pub are_k_of_old: bool,
    /// Whether k of the new set did.
    pub are_k_of_new: bool,
    /// Whether one of them has the record of the new set.
    pub know_new_set: bool,
}

impl Protocol {
    /// What somebody finds who hears these devices, and reads this lane record or none.
    #[must_use]
    pub fn recover(&self, state: &State, heard: Devices, lane: Option<LaneRecord>) -> Verdict {
        self.judge(&self.hear(state, heard), lane)
    }

    /// What somebody learns of these devices.
    #[must_use]
    pub fn hear(&self, state: &State, heard: Devices) -> Answers {
        let is_told = |index: &usize| state.versions[*index].head.kept & heard != 0;
        let counted = self.counted(state, heard);
        Answers {
            found: self.newest_readable(state, heard),
            told: [1, 0].into_iter().find(is_told).map_or(0, number),
            are_k_of_old: self.is_k(counted & self.old_members()),
            are_k_of_new: self.is_k(counted & self.new_members()),
            know_new_set: self.knows_new_set(state, heard),
        }
    }

    /// What follows from answers, with this lane record or none.
    #[must_use]
    pub fn judge(&self, answers: &Answers, lane: Option<LaneRecord>) -> Verdict {
        let found = answers.found;
        let named = answers.told.max(lane.map_or(0, |lane| lane.published));
        let heard_enough = self.is_enough(answers, lane);
        let is_sure = lane.is_some() || answers.know_new_set;
        let says_newest =
            heard_enough && (!self.has(Rule::RecoveryIsModest) || (is_sure && named <= found));
        Verdict {
            found,
            named,
            heard_enough,
            says_newest,
        }
    }

    /// Every lane record that somebody may read now: what is so, and what was before.
    pub fn lane_records(&self, state: &State) -> impl Iterator<Item = Option<LaneRecord>> {
        let is_in_force = self.change == Change::Replace && state.set >= SetStage::InForce;
        let newest = state.newest_published().map_or(0, number);
        let records = (0..=newest).flat_map(move |published| {
            let sets = [false, true]
                .into_iter()
                .filter(move |new| is_in_force || !new);
            sets.map(move |new_set| Some(LaneRecord { new_set, published }))
        });
        std::iter::once(None).chain(records)
    }

    /// Holders among some devices that count when somebody recovers.
    #[must_use]
    pub fn counted(&self, state: &State, heard: Devices) -> Devices {
        if self.has(Rule::EmptyIsLost) {
            heard & state.with_head()
        } else {
            heard
        }
    }

    /// Whether enough holders of the newest set answered of which a reader knows that it is there.
    fn is_enough(&self, answers: &Answers, lane: Option<LaneRecord>) -> bool {
        let in_lane = lane.is_some_and(|lane| lane.new_set);
        if !in_lane && !answers.know_new_set {
            return answers.are_k_of_old;
        }
        // What is said to be in force is; otherwise it may be, or not.
        let is_in_force = in_lane || !self.has(Rule::SetNeedsItsHead);
        answers.are_k_of_new && (is_in_force || answers.are_k_of_old)
    }

    /// Whether one of these devices has the record of the new version of the set: it comes with the
    /// contract of the new device, and with each head that names it.
    fn knows_new_set(&self, state: &State, heard: Devices) -> bool {
        let is_told = match self.change {
            Change::None | Change::SecondSet => false,
            Change::Replace => state.set >= SetStage::Recorded,
        };
        let by_heads = state
            .versions
            .iter()
            .filter(|version| version.names_new_set);
        let with_record = by_heads
            .fold(self.new_members() & !self.old_members(), |with, version| {
                with | version.head.kept
            });
        is_told && heard & with_record & self.with_anything(state) != 0
    }

    pub(crate) fn with_anything(&self, state: &State) -> Devices {
        let versions = state.versions.iter();
        versions.fold(state.with_head(), |with, version| {
            with | version.data.kept | version.lists.kept
        })
    }

    fn newest_readable(&self, state: &State, heard: Devices) -> u8 {
        let is_readable = |index: &usize| {
            let keeps_list = |of: usize| state.versions[of].lists.kept & heard != 0;
            state.versions[*index].head.kept & heard != 0 && state.lists_of(*index).all(keeps_list)
        };
        [1, 0].into_iter().find(is_readable).map_or(0, number)
    }
}

/// Versions are counted from 1 on where 0 means none.
#[must_use]
pub(crate) const fn number(index: usize) -> u8 {
    // There are two.
    if index == 0 { 1 } else { 2 }
}
