//! What the writer may do, and does, in the order that its disk keeps: record the intent, give it out,
//! record the fact, tell people.

use bitdust_engine::{known_at, published_at};
use bitdust_model::Code;
use bitdust_model::manifest::PackKind;

use crate::protocol::{Change, Protocol, bit, count};
use crate::recovery::number;
use crate::rules::Rule;
use crate::state::{Devices, Placed, SetStage, Stage, State, Version};

impl Protocol {
    /// Whether the version may be begun: the one before it is published, or its job has ended.
    pub(crate) fn may_begin(&self, state: &State, index: usize) -> bool {
        let is_next = index == 0 || {
            let former = &state.versions[index - 1];
            let has_ended = former.stage == Stage::Sent && !former.in_memory;
            former.stage == Stage::Published || has_ended
        };
        state.versions[index].stage == Stage::Unmade && is_next
    }

    /// Seals the contents, and records that as intent.
    pub(crate) fn begin(&self, state: &mut State, index: usize) {
        let confirmed = self.shards(state.versions[0].data.told);
        let need = known_at(PackKind::Data, self.code);
        let is_known = if self.has(Rule::KnownAtK) {
            confirmed >= need
        } else {
            confirmed > need
        };
        let is_second = index > 0;
        let is_forgotten = is_second && state.marks.dropped;
        state.marks.resealed |= is_second && !is_known && !is_forgotten && confirmed >= need;
        let names_new_set = state.set >= SetStage::Recorded;
        let version = &mut state.versions[index];
        version.stage = Stage::Sealed;
        version.in_memory = true;
        version.names_former = is_second && is_known && !is_forgotten;
        version.omits_former = is_forgotten;
        version.names_new_set = names_new_set;
    }

    /// To whom shards of a version can be sent now.
    pub(crate) fn may_take_data(&self, state: &State, index: usize) -> Devices {
        let version = &state.versions[index];
        if version.stage == Stage::Unmade {
            return 0;
        }
        let at_hand = version.data.kept & self.present(state);
        let is_remade = version.stage >= Stage::Listed && self.is_k_of_shards(at_hand);
        let sources = if version.in_memory || is_remade {
            self.everybody()
        } else {
            self.with_successor(version.data.spooled)
        };
        self.open(state) & self.keepers_of_data(state, index) & sources & !version.data.told
    }

    /// To whom lists can be sent: those who have the shards that they can get.
    pub(crate) fn may_take_lists(&self, state: &State, index: usize) -> Devices {
        let version = &state.versions[index];
        if version.stage < Stage::Listed {
            return 0;
        }
        let is_copied = version.lists.kept & self.present(state) != 0;
        let sources = if version.in_memory || is_copied {
            self.everybody()
        } else {
            self.with_successor(version.lists.spooled)
        };
        self.open(state) & self.keepers_of_lists(state, index) & sources & !version.lists.told
    }

    /// What lies in the spool for device 0 is as good for the one that takes its place.
    fn with_successor(&self, devices: Devices) -> Devices {
        devices | (devices & 1) << self.code.n()
    }

    /// Whether the contents have enough confirmations that lists may name them.
    pub(crate) fn may_list(&self, state: &State, index: usize) -> bool {
        state.versions[index].stage == Stage::Sealed && self.has_enough_data(state, index)
    }

    /// Commits the contents, seals the lists, and records the head as a draft.
    pub(crate) fn list(&self, state: &mut State, index: usize) {
        let need = known_at(PackKind::Tree, self.code);
        // Lists in another set than the former ones are whole.
        let is_same_set = !self.is_homeless(state, index);
        let reaches_former = index > 0 && is_same_set && count(self.lists_at_hand(state)) >= need;
        let version = &mut state.versions[index];
        version.stage = Stage::Listed;
        version.in_memory = true;
        version.reaches_former = reaches_former;
    }

    /// Who has the lists of the first version, so that the second may lead on to them.
    fn lists_at_hand(&self, state: &State) -> Devices {
        let told = state.versions[0].lists.told;
        if self.has(Rule::OldListsAreAtHand) {
            told & self.present(state)
        } else {
            told
        }
    }

    /// Whether older lists to which a version leads are with nobody who is there: then they are
    /// sealed anew with its own, before its head is given out, or with the next version.
    fn has_lost_sight(&self, state: &State, index: usize) -> bool {
        self.has(Rule::OldListsAreAtHand)
            && state.versions[index].reaches_former
            && self.lists_at_hand(state) == 0
    }

    /// Whether the head may be given out: what it leads to can be had again.
    pub(crate) fn may_send(&self, state: &State, index: usize) -> bool {
        let with_lists = self.with_lists(state, index);
        state.versions[index].stage == Stage::Listed
            && self.has_enough_data(state, index)
            && self.has_enough_copies(state, index, with_lists)
    }

    /// Holders whose receipts say that they have all lists that a head leads to.
    pub(crate) fn with_lists(&self, state: &State, index: usize) -> Devices {
        let all = self.has(Rule::ListsOfOldCount);
        let lists = state.lists_of(index).filter(|of| all || *of == index);
        lists.fold(Devices::MAX, |with, of| {
            with & state.versions[of].lists.told
        })
    }

    /// Whom the newest head may be given: those with its lists.
    pub(crate) fn may_take_head(&self, state: &State) -> Devices {
        let Some(index) = state.newest_sent() else {
            return 0;
        };
        let head = state.versions[index].head;
        let keepers = self.keepers_of_lists(state, index) & self.with_lists(state, index);
        self.open(state) & keepers & !head.kept & !head.told
    }

    /// Whose receipt for a head can come: of those who keep it.
    pub(crate) fn may_tell(&self, state: &State, index: usize) -> Devices {
        let head = state.versions[index].head;
        self.open(state) & head.kept & !head.told & self.with_lists(state, index)
    }

    /// Holders that count for a head.
    pub(crate) fn count_for(&self, state: &State, index: usize) -> Devices {
        state.versions[index].head.told & self.with_lists(state, index)
    }

    /// Whether the version is published once that is recorded.
    pub(crate) fn may_publish(&self, state: &State, index: usize) -> bool {
        state.versions[index].stage == Stage::Sent
            && self.has_enough_data(state, index)
            && self.has_enough_copies(state, index, self.count_for(state, index))
    }

    fn has_enough_data(&self, state: &State, index: usize) -> bool {
        let (kind, code) = (PackKind::Data, self.code);
        let need = if self.has(Rule::PublishedByThoseThere) {
            published_at(kind, code, code.n())
        } else {
            code.settled_at()
        };
        let mut packs = state.data_of(index);
        packs.all(|of| self.shards(state.versions[of].data.told) >= need)
    }

    fn has_enough_copies(&self, state: &State, index: usize, with: Devices) -> bool {
        if !self.has(Rule::PublishedByThoseThere) {
            return self.has_quorum(state, index, with);
        }
        let keepers = self.keepers_of_lists(state, index);
        let there = count((with | self.present(state)) & keepers);
        count(with & keepers) >= published_at(PackKind::Commit, self.code, there)
    }

    /// Whether these are a quorum of every set version that governs a head.
    fn has_quorum(&self, state: &State, index: usize, with: Devices) -> bool {
        let mut sets = self.quorums_of(state, index).into_iter().flatten();
        sets.all(|members| self.is_quorum(state, with, members))
    }

    fn is_quorum(&self, state: &State, with: Devices, members: Devices) -> bool {
        let active = if self.has(Rule::ActiveIsSigned) {
            members
        } else {
            members & self.present(state)
        };
        // Nothing settles while there are fewer than k.
        let code = Code::new(self.code.k(), count(active));
        code.is_ok_and(|code| count(with & active) >= code.metadata_quorum())
    }

    /// Whether people may be told that a version is settled.
    pub(crate) fn may_settle(&self, state: &State, index: usize) -> bool {
        let version = &state.versions[index];
        let is_of_newest_set = match self.change {
            Change::None | Change::SecondSet => true,
            Change::Replace => version.names_new_set || state.set < SetStage::InForce,
        };
        version.stage == Stage::Published
            && state.newest_settled() < number(index)
            && is_of_newest_set
            && self.has_quorum(state, index, self.count_for(state, index))
            && self.is_data_settled(state, index)
    }

    /// People are told that a version is settled. Which older ones were is of interest only where
    /// something may be lost: else all that is published is owed.
    pub(crate) fn settle(&self, state: &mut State, index: usize) {
        if self.budget.losses == 0 {
            state.settled = 0;
        }
        state.settled |= 1 << index;
    }

    fn is_data_settled(&self, state: &State, index: usize) -> bool {
        let is_settled = |of: usize| {
            let keepers = match self.change {
                Change::None | Change::SecondSet => [Some(self.keepers_of_data(state, of)), None],
                Change::Replace => self.quorums_of(state, index),
            };
            let told = state.versions[of].data.told;
            let mut sets = keepers.into_iter().flatten();
            sets.all(|members| self.shards(told & members) >= self.code.settled_at())
        };
        state.data_of(index).all(is_settled)
    }

    /// Whether the writer may call the new version of the set in force.
    pub(crate) fn may_enforce(&self, state: &State) -> bool {
        let is_held = |index: &usize| {
            let version = &state.versions[*index];
            let counted = self.count_for(state, *index);
            let sets = [self.old_members(), self.new_members()];
            version.names_new_set
                && version.stage >= Stage::Sent
                && sets
                    .into_iter()
                    .all(|set| self.is_quorum(state, counted, set))
        };
        self.change == Change::Replace
            && state.set == SetStage::Recorded
            && (!self.has(Rule::SetNeedsItsHead) || [0, 1].iter().any(is_held))
    }

    /// Whether the former holder may let go: its successor has the shards of all that is published.
    pub(crate) fn may_release(&self, state: &State) -> bool {
        let successor = bit(self.code.n());
        let has_shard = |index: usize| {
            let version = &state.versions[index];
            version.stage < Stage::Listed || version.data.told & successor != 0
        };
        self.change == Change::Replace && state.set == SetStage::InForce && (0..2).all(has_shard)
    }

    /// What a running job has for those who are away lies in the spool. That it does not lie there
    /// yet is no other case: then they go, or the job is begun, after the crash that this is for.
    pub(crate) fn spool(&self, state: &mut State) {
        for index in 0..2 {
            let data = self.keepers_of_data(state, index) & state.away;
            let lists = self.keepers_of_lists(state, index) & state.away;
            let version = &mut state.versions[index];
            if version.in_memory {
                version.data.spooled |= data & !version.data.told;
            }
            if version.in_memory && version.stage >= Stage::Listed {
                version.lists.spooled |= lists & !version.lists.told;
            }
        }
    }

    /// A device gets what it is owed of a version and can be given.
    pub(crate) fn place(&self, state: &mut State, device: u8, index: usize) {
        let data = self.may_take_data(state, index) & bit(device);
        let lists = self.may_take_lists(state, index) & bit(device);
        let version = &mut state.versions[index];
        version.data.place(data);
        version.lists.place(lists);
    }

    /// Asks a device what it has: what it does not tell is withdrawn.
    pub(crate) fn ask(state: &mut State, device: u8) {
        let others = !bit(device);
        state.unasked &= others;
        for version in &mut state.versions {
            for placed in [&mut version.data, &mut version.lists, &mut version.head] {
                placed.told &= placed.kept | others;
            }
        }
    }

    /// Ends a job whose head was never given out. What is committed stays.
    pub(crate) fn fail_version(version: &mut Version) {
        if version.stage == Stage::Sealed {
            *version = Version::default();
        } else {
            version.stage = Stage::Sealed;
            version.in_memory = false;
            version.reaches_former = false;
            version.lists = Placed::default();
        }
    }

    /// Whether a job waits for somebody who is away although enough are there: nothing is left to be
    /// done, and no version is made. What is nowhere any more is another matter.
    #[must_use]
    pub(crate) fn is_blocked(&self, state: &State) -> bool {
        let Some(index) = (0..2).find(|index| self.is_running(state, *index)) else {
            return false;
        };
        let keepers = self.keepers_of_lists(state, index) & self.keepers_of_data(state, index);
        let enough = self.is_k_of_shards(self.present(state) & keepers);
        let mut packs = state.data_of(index);
        let is_whole = packs.all(|of| {
            let version = &state.versions[of];
            let may_come = if version.in_memory {
                self.present(state)
            } else {
                0
            };
            self.is_k_of_shards(version.data.told | may_come)
        });
        let is_idle = state.unasked & self.present(state) == 0
            && self.may_take_head(state) == 0
            && (0..2).all(|of| {
                self.may_take_data(state, of) | self.may_take_lists(state, of) == 0
                    && self.may_tell(state, of) == 0
            });
        let goes_on = self.may_list(state, index)
            || self.may_send(state, index)
            || self.may_publish(state, index)
            || self.has_lost_sight(state, index);
        enough && is_whole && is_idle && !goes_on
    }

    fn is_running(&self, state: &State, index: usize) -> bool {
        let version = &state.versions[index];
        version.in_memory && version.stage > Stage::Unmade && version.stage < Stage::Published
    }
}
