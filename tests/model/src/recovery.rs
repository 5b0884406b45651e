//! What a recovery finds that hears some devices and no other: a function of the state, not a step.

use crate::protocol::{Change, Protocol, count};
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
        self.telling(state).hear(heard)
    }

    /// Who tells what.
    pub(crate) fn telling(&self, state: &State) -> Telling {
        let [first, second] = &state.versions;
        let former = if second.reaches_former {
            first.lists.kept
        } else {
            Devices::MAX
        };
        Telling {
            heads: [first.head.kept, second.head.kept],
            lists: [
                [first.lists.kept, Devices::MAX],
                [second.lists.kept, former],
            ],
            counted: self.counted(state, Devices::MAX),
            with_new_set: self.with_new_set(state),
            old_members: self.old_members(),
            new_members: self.new_members(),
            k: self.code.k(),
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

    /// Who has the record of the new version of the set: it comes with the contract of the new device,
    /// and with each head that names it.
    fn with_new_set(&self, state: &State) -> Devices {
        let is_told = match self.change {
            Change::None | Change::SecondSet => false,
            Change::Replace => state.set >= SetStage::Recorded,
        };
        if !is_told {
            return 0;
        }
        let by_heads = state
            .versions
            .iter()
            .filter(|version| version.names_new_set);
        let with_record = by_heads
            .fold(self.new_members() & !self.old_members(), |with, version| {
                with | version.head.kept
            });
        with_record & self.with_anything(state)
    }

    pub(crate) fn with_anything(&self, state: &State) -> Devices {
        let versions = state.versions.iter();
        versions.fold(state.with_head(), |with, version| {
            with | version.data.kept | version.lists.kept
        })
    }
}

/// Who tells what in a state, so that each group that may answer is asked by a few bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    /// Who keeps the head of each version.
    heads: [Devices; 2],
    /// Who keeps the lists to which each leads: its own, and those before if it leads to them.
    lists: [[Devices; 2]; 2],
    /// Whose answer counts.
    counted: Devices,
    /// Who has the record of the new set.
    with_new_set: Devices,
    old_members: Devices,
    new_members: Devices,
    k: u8,
}

impl Telling {
    /// What somebody learns of these devices.
    pub(crate) fn hear(&self, heard: Devices) -> Answers {
        let is_told = |index: &usize| self.heads[*index] & heard != 0;
        let has_lists = |index: &usize| self.lists[*index].iter().all(|with| with & heard != 0);
        let is_readable = |index: &usize| is_told(index) && has_lists(index);
        let newest = |index: Option<usize>| index.map_or(0, number);
        let counted = self.counted & heard;
        Answers {
            found: newest([1, 0].into_iter().find(is_readable)),
            told: newest([1, 0].into_iter().find(is_told)),
            are_k_of_old: count(counted & self.old_members) >= self.k,
            are_k_of_new: count(counted & self.new_members) >= self.k,
            know_new_set: self.with_new_set & heard != 0,
        }
    }
}

/// Versions are counted from 1 on where 0 means none.
#[must_use]
pub(crate) const fn number(index: usize) -> u8 {
    // There are two.
    if index == 0 { 1 } else { 2 }
}
