//! The own lane: what suppliers keep of it, and whether it may be written.

use bitdust_model::ledger::GroupChange;
use bitdust_model::{DeviceId, ErrorCode, Sequence};

use super::entries::{Membership, Work};
use super::{Engine, Step, Task};
use crate::fsm::{backup, head, lane, name, tip};
use crate::io::{JobId, Output, SetFact, TipFact};
use crate::rules::{ToldHead, lane_stand};
use crate::transition::{Machine, Subject};

impl Engine {
    /// A supplier told the newest head of this lane that it keeps.
    pub(super) fn tip_told(&mut self, device: DeviceId, tip: TipFact) {
        let newest = match tip {
            TipFact::Nothing => None,
            TipFact::Known { sequence } | TipFact::Unknown { sequence } => Some(sequence),
        };
        let is_known = !matches!(tip, TipFact::Unknown { .. });
        let is_less = is_known && self.keeps_no_more_than(device, newest);
        let told = match tip {
            TipFact::Unknown { .. } => ToldHead::Unknown,
            TipFact::Nothing | TipFact::Known { .. } if is_less => ToldHead::Less,
            TipFact::Nothing => ToldHead::Nothing,
            TipFact::Known { .. } => ToldHead::Known,
        };
        if self.suppliers.contains_key(&device) {
            self.heard.insert(device, told);
        }
        self.lane_due = true;
        self.answered(device);
        let told = tip::Event::Told {
            is_known,
            is_unlisted: self.unlisted.contains(&device),
        };
        self.tasks.push_back(Task::Tip(device, told));
    }

    /// What a supplier signed for and does not tell any more it has lost: it is given that again, and
    /// counts for nothing that it does not keep. Says whether there is such a thing.
    fn keeps_no_more_than(&mut self, device: DeviceId, newest: Option<Sequence>) -> bool {
        let mut is_less = false;
        for (sequence, keepers) in &mut self.kept {
            is_less |= Some(*sequence) > newest && keepers.remove(&device);
        }
        if is_less {
            self.settled_due = true;
            self.jobs_due = true;
            let event = head::Event::HolderEmptied { device };
            self.tasks.push_back(Task::Head(event));
        }
        is_less
    }

    pub(super) fn step_tip(&mut self, device: DeviceId, event: tip::Event) {
        let random = self.draw(Machine::Tip, Subject::Device(device));
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Tip, Subject::Device(device), &supplier.tip, &event);
        let tip = tip::step(supplier.tip, event, &self.moment(random), &mut out);
        self.noted(step, name(&tip), !out.is_empty(), tip.deadline());
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.tip = tip;
        }
        for action in out {
            match action {
                tip::Action::Ask => self.emit(Output::AskTip { device }),
                tip::Action::Count => self.lane_due = true,
                tip::Action::List => self.emit(Output::ListShards {
                    device,
                    pick: random,
                }),
                tip::Action::Serve => self.serve_owed(device),
            }
        }
        self.jobs_due = true;
        if tip.is_open() {
            self.tasks
                .push_back(Task::Head(head::Event::HoldersChanged));
        }
    }

    /// Tells the lane what was told by now of those who keep its heads.
    pub(super) fn count_lane(&mut self) {
        let Some(home) = self.sets.home() else {
            return;
        };
        let active = home.active();
        let holders = home.counted().map(|(_, holder)| holder);
        let holders: Vec<_> = holders.collect();
        let told = holders.iter().filter_map(|holder| self.heard.get(holder));
        let told: Vec<_> = told.copied().collect();
        // Where too few are active nothing settles, and all of them are asked.
        let quorum = home.quorum().map_or(0, usize::from);
        let stand = lane_stand(&told, usize::from(active.count()), quorum);
        let is_awaited = self.is_lane_awaited();
        self.tasks
            .push_back(Task::Lane(lane::Event::Counted { stand, is_awaited }));
    }

    /// Whether somebody who keeps heads of the lane may tell of them at any moment.
    fn is_lane_awaited(&self) -> bool {
        let holders = self.sets.home().into_iter().flat_map(SetFact::counted);
        let mut suppliers = holders.filter_map(|(_, holder)| self.suppliers.get(&holder));
        suppliers.any(|supplier| supplier.tip.is_awaited() || supplier.link.is_coming())
    }

    /// Whether a backup is not begun yet: it may be made from a list that suppliers know better.
    pub(super) fn may_lane_move(&self) -> bool {
        self.lane.is_catching_up() || (self.lane.is_listening() && self.is_lane_awaited())
    }

    pub(super) fn step_lane(&mut self, event: lane::Event) {
        let random = self.draw(Machine::Lane, Subject::Node);
        let mut out = Vec::new();
        let step = Step::of(Machine::Lane, Subject::Node, &self.lane, &event);
        self.lane = lane::step(self.lane, event, &self.moment(random), &mut out);
        self.jobs_due = true;
        self.noted(
            step,
            name(&self.lane),
            !out.is_empty(),
            self.lane.deadline(),
        );
        for action in out {
            match action {
                lane::Action::Open => self
                    .tasks
                    .push_back(Task::Head(head::Event::HoldersChanged)),
                lane::Action::Stop => self.stop_running(ErrorCode::Stale),
                lane::Action::CatchUp => self.catch_up(),
                lane::Action::AskAgain => self.ask_all_again(),
            }
        }
    }

    fn catch_up(&mut self) {
        // The lists of a head that is being sealed are made from what is about to be replaced: it ends first.
        self.is_catch_up_due = !self.sealing.is_empty();
        if self.is_catch_up_due {
            return;
        }
        let ahead = self.heard.iter();
        let ahead = ahead.filter(|(_, told)| **told == ToldHead::Unknown);
        let devices = ahead.map(|(device, _)| *device).collect();
        let has_written = self.has_written;
        self.emit(Output::CatchUp {
            devices,
            has_written,
        });
    }

    /// The head of a backup is sealed, or could not be. Says whether anything was lost meanwhile.
    pub(super) fn sealing_ended(&mut self, job: JobId) -> bool {
        let has_lost = self.sealing.remove(&job) == Some(true);
        if self.sealing.is_empty() && self.is_catch_up_due {
            self.catch_up();
        }
        has_lost
    }

    /// What suppliers keep of the lane is in the catalogue: what was known of heads before is over.
    pub(super) fn caught_up(
        &mut self,
        sequence: Sequence,
        moved: &[GroupChange],
        unlisted: Vec<DeviceId>,
    ) {
        moved.iter().for_each(|change| self.ledger.apply(change));
        self.unlisted = unlisted.into_iter().collect();
        self.head_recorded = self.head_recorded.max(Some(sequence));
        // Also for a draft that had the same number.
        self.kept.clear();
        self.settled_due = true;
        self.tasks
            .push_back(Task::Head(head::Event::CaughtUp { sequence }));
        self.tasks.push_back(Task::Lane(lane::Event::CaughtUp));
    }

    /// What suppliers keep of the lane could not be taken in, or not as a whole.
    pub(super) fn still_behind(&mut self, code: ErrorCode, moved: &[GroupChange]) {
        moved.iter().for_each(|change| self.ledger.apply(change));
        let is_final = code == ErrorCode::Forked;
        if is_final {
            self.stop_backups(code);
        }
        self.tasks
            .push_back(Task::Lane(lane::Event::NotCaughtUp { is_final }));
    }

    fn ask_all_again(&mut self) {
        self.heard.retain(|_, told| *told != ToldHead::Unknown);
        for &device in self.suppliers.keys() {
            self.tasks
                .push_back(Task::Tip(device, tip::Event::CaughtUp));
        }
    }

    /// The catalogue knows which shards a supplier has.
    pub(super) fn shards_listed(
        &mut self,
        device: DeviceId,
        is_proved: bool,
        moved: &[GroupChange],
    ) {
        moved.iter().for_each(|change| self.ledger.apply(change));
        self.unlisted.remove(&device);
        self.settled_due = true;
        self.jobs_due = true;
        if is_proved {
            self.refresh(device);
        }
        self.tasks
            .push_back(Task::Head(head::Event::ListsKept { device }));
        self.tasks.push_back(Task::Tip(device, tip::Event::Listed));
    }

    /// Ends the backup that runs; others wait for their turn.
    fn stop_running(&mut self, code: ErrorCode) {
        self.jobs_due = true;
        for (&job, entry) in &self.jobs {
            if let Work::Backup { state, .. } = &entry.work
                && *state != backup::State::Queued
            {
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::Stop { code }));
            }
        }
    }

    /// Ends every backup: nothing more is written.
    pub(super) fn stop_backups(&mut self, code: ErrorCode) {
        self.jobs_due = true;
        for (&job, entry) in &self.jobs {
            if matches!(entry.work, Work::Backup { .. }) {
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::Stop { code }));
            }
        }
    }

    /// Why no backup may be made now, if it may not.
    pub(super) fn refusal(&self) -> Option<ErrorCode> {
        let closed = match self.membership {
            Membership::Member => None,
            Membership::Reader => Some(ErrorCode::RestoreOnly),
            Membership::Replaced => Some(ErrorCode::Fenced),
        };
        if closed.is_some() {
            closed
        } else if self.is_catalogue_damaged {
            Some(ErrorCode::CatalogueDamaged)
        } else if self.lane.is_behind() {
            Some(ErrorCode::Forked)
        } else {
            None
        }
    }

    /// Whether it is known what a supplier keeps of the lane.
    pub(super) fn has_told(&self, device: DeviceId) -> bool {
        let supplier = self.suppliers.get(&device);
        supplier.is_some_and(|supplier| supplier.tip.is_open())
    }

    /// Whether a supplier may be given a head: it was asked what it keeps since it is there.
    pub(super) fn may_be_given_heads(&self, device: DeviceId) -> bool {
        self.lane.is_open() && self.membership != Membership::Replaced && self.has_told(device)
    }
}
