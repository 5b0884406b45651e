//! States that need not be met, as another stands for them: it can do all that they can, its promises
//! are no smaller, and recoveries find no more in it. And states that need not be told apart.
//!
//! `tests/reduced.rs` looks at whole worlds without any of this and finds for each of their states the
//! one that stands for it.

use std::ops::Range;

use crate::protocol::{Change, Protocol, bit, count};
use crate::rules::Rule;
use crate::state::{Devices, SetStage, Stage, State};

impl Protocol {
    /// The devices that differ in nothing but their numbers. Where the set stays these are all of it;
    /// else the first one's place is taken, and it is unlike the others.
    pub(crate) fn alike(&self) -> Range<usize> {
        let first = match self.change {
            Change::None => 0,
            Change::Replace | Change::SecondSet => 1,
        };
        first..usize::from(self.code.n())
    }

    /// Puts the state that stands for a state in its place.
    pub(crate) fn stand_in(&self, state: &mut State) {
        self.settle_at_once(state);
        self.take_known_late_head(state);
        state.away &= !self.idle(state);
        self.forget_spool(state);
    }

    /// People are told that a version is settled as soon as it is. That changes nothing that anybody
    /// does, and more is promised from then on.
    fn settle_at_once(&self, state: &mut State) {
        for index in 0..2 {
            if self.may_settle(state, index) {
                self.settle(state, index);
            }
        }
    }

    /// A head under way to somebody who has it meanwhile may as well have come: it changes nothing when
    /// it comes, nor does anything if it does not.
    fn take_known_late_head(&self, state: &mut State) {
        if !state.late_second && self.has(Rule::SentIsKept) {
            state.late &= !state.versions[0].head.kept;
        }
    }

    /// Devices that have nothing and are given nothing: the new one before the new set is recorded,
    /// and the one that was let go. Such a one need not go away: whatever the others do meanwhile they
    /// can do as well while it is there, and where it is to be away later it can go then.
    pub(crate) fn idle(&self, state: &State) -> Devices {
        match (self.change, state.set) {
            (Change::None, _) => 0,
            (Change::Replace | Change::SecondSet, SetStage::Old) => bit(self.code.n()),
            (Change::Replace, SetStage::Released) => bit(0),
            (Change::Replace, SetStage::Recorded | SetStage::InForce) | (Change::SecondSet, _) => 0,
        }
    }

    /// What lies in the spool is of use only while it cannot be had otherwise: where so many keep it
    /// that enough of them will be there whatever happens, it is made again from what they have.
    fn forget_spool(&self, state: &mut State) {
        if !self.has(Rule::SentIsKept) || !self.has(Rule::StartKeepsPublished) {
            return;
        }
        let losses = self.budget.losses - state.losses;
        let (lost, missed) = if self.has_no_trip_left(state) {
            (state.away, 0)
        } else {
            (0, self.budget.away)
        };
        let may_be_let_go = match self.change {
            Change::Replace => bit(0),
            Change::None | Change::SecondSet => 0,
        };
        // Whoever is let go has given its shards to its successor, which may lose them or be away.
        let is_succeeded = self.budget.losses == 0 && lost & bit(self.code.n()) == 0;
        let may_lose_shards = if is_succeeded { 0 } else { may_be_let_go };
        for version in &mut state.versions {
            // Contents whose head was not given out may be committed anew, and are made from
            // others' shards only then.
            let shards = self.shards(version.data.kept & !(lost | may_lose_shards));
            if version.stage >= Stage::Sent && shards >= self.code.k() + missed + losses {
                version.data.spooled = 0;
            }
            // Lists are copied as long as there are any; those of a job that fails are forgotten.
            if count(version.lists.kept & !(lost | may_be_let_go)) > missed + losses {
                version.lists.spooled = 0;
            }
        }
    }

    pub(crate) fn has_no_trip_left(&self, state: &State) -> bool {
        self.budget.trips != u8::MAX && state.trips >= self.budget.trips
    }
}
