//! The steps, as the search takes them.

use crate::packed::Packed;
use crate::protocol::{Change, Protocol, bit, count, each};
use crate::rules::Rule;
use crate::state::{SetStage, Stage, State};

/// One step. Versions are numbered from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The writer seals contents.
    Begin(usize),
    /// A device gets what it is owed of a version and can be given, its shard and lists, and the
    /// receipts are recorded.
    Place(u8, usize),
    /// The contents are committed, the lists sealed, the head drafted.
    List(usize),
    /// It is recorded that the head may be given out.
    Send(usize),
    /// A device gets the newest head.
    PutHead(u8),
    /// Its receipt is recorded.
    Tell(u8, usize),
    /// The version is recorded as published.
    Publish(usize),
    /// People are told that it is settled.
    Settle(usize),
    /// The job ends without a version.
    Fail(usize),
    /// The record of the new set, or of its new version, is signed and recorded.
    RecordSet,
    /// The new version of the set is recorded as in force.
    Enforce,
    /// The former holder is let go.
    Release,
    /// A device goes away.
    Leave(u8),
    /// A device comes back; who lost nothing answers at once what it has.
    ComeBack(u8),
    /// A device is asked for its tip.
    Ask(u8),
    /// A device loses everything.
    Lose(u8),
    /// The writer crashes and starts; the newest head is under way to a device, or to nobody.
    Crash(Option<u8>),
    /// What was under way arrives.
    TakeLateHead(u8),
}

impl Protocol {
    fn push_of_version(&self, state: &State, index: usize, actions: &mut Vec<Action>) {
        let stage = state.versions[index].stage;
        let steps = [
            (self.may_begin(state, index), Action::Begin(index)),
            (self.may_list(state, index), Action::List(index)),
            (self.may_send(state, index), Action::Send(index)),
            (self.may_publish(state, index), Action::Publish(index)),
            (
                !self.is_reduced && self.may_settle(state, index),
                Action::Settle(index),
            ),
            (
                stage > Stage::Unmade && stage < Stage::Sent,
                Action::Fail(index),
            ),
        ];
        let steps = steps.into_iter().filter(|(may, _)| *may);
        actions.extend(steps.map(|(_, action)| action));
        let data = self.may_take_data(state, index);
        let lists = self.may_take_lists(state, index);
        actions.extend(each(data | lists).map(|device| Action::Place(device, index)));
        let told = each(self.may_tell(state, index));
        actions.extend(told.map(|device| Action::Tell(device, index)));
    }

    fn push_of_set(&self, state: &State, actions: &mut Vec<Action>) {
        let may_record = self.change != Change::None && state.set == SetStage::Old;
        let steps = [
            (may_record, Action::RecordSet),
            (self.may_enforce(state), Action::Enforce),
            (self.may_release(state), Action::Release),
        ];
        let steps = steps.into_iter().filter(|(may, _)| *may);
        actions.extend(steps.map(|(_, action)| action));
    }

    fn push_of_devices(&self, state: &State, actions: &mut Vec<Action>) {
        let present = self.present(state);
        let takes_head = self.may_take_head(state);
        actions.extend(each(takes_head).map(Action::PutHead));
        actions.extend(each(state.unasked & present).map(Action::Ask));
        actions.extend(each(state.late & present).map(Action::TakeLateHead));
        actions.extend(each(state.away).map(Action::ComeBack));
        if !self.has_no_trip_left(state) && count(state.away) < self.budget.away {
            let stays = if self.is_reduced { self.idle(state) } else { 0 };
            actions.extend(each(present & !stays).map(Action::Leave));
        }
        if state.losses < self.budget.losses {
            actions.extend(each(self.with_anything(state)).map(Action::Lose));
        }
        actions.push(Action::Crash(None));
        // A newest head that comes late comes like any other, unless its number is given away.
        let is_newest = state.newest_sent() == Some(1) && self.has(Rule::SentIsKept);
        let may_be_late = state.late == 0 && !is_newest;
        let late = each(if may_be_late { takes_head } else { 0 });
        actions.extend(late.map(|device| Action::Crash(Some(device))));
    }

    fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Begin(index) => self.begin(state, index),
            Action::Place(device, index) => self.place(state, device, index),
            Action::List(index) => self.list(state, index),
            Action::Send(index) => state.versions[index].stage = Stage::Sent,
            Action::PutHead(device) => {
                if let Some(index) = state.newest_sent() {
                    self.put_head(state, device, index);
                }
            }
            Action::Tell(device, index) => self.tell(state, device, index),
            Action::Publish(index) => {
                state.versions[index].stage = Stage::Published;
                state.versions[index].in_memory = false;
            }
            Action::Settle(index) => self.settle(state, index),
            Action::Fail(index) => Self::fail_version(&mut state.versions[index]),
            Action::RecordSet => state.set = SetStage::Recorded,
            Action::Enforce => state.set = SetStage::InForce,
            Action::Release => {
                Self::release(state);
                state.set = SetStage::Released;
            }
            Action::Leave(device) => self.leave(state, device),
            Action::ComeBack(device) => state.away &= !bit(device),
            Action::Ask(device) => Self::ask(state, device),
            Action::Lose(device) => Self::lose(state, device),
            Action::Crash(late) => self.crash(state, late),
            Action::TakeLateHead(device) => self.take_late_head(state, device),
        }
    }
}

impl Protocol {
    /// The steps that can be taken.
    pub(crate) fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for index in 0..self.budget.versions {
            self.push_of_version(state, index, actions);
        }
        self.push_of_set(state, actions);
        self.push_of_devices(state, actions);
    }

    /// Where a step leads.
    pub(crate) fn next_state(&self, state: &State, action: Action) -> State {
        let mut next = *state;
        self.apply(&mut next, action);
        self.spool(&mut next);
        if self.is_reduced {
            self.stand_in(&mut next);
        }
        next
    }

    /// A state as it is kept, with those devices in order that differ in nothing but their numbers.
    pub(crate) fn packed(&self, state: &State) -> Packed {
        let alike = if self.is_reduced { self.alike() } else { 0..0 };
        Packed::new(state, alike)
    }
}
