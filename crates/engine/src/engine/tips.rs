//! The own lane: what suppliers keep of it, and whether it may be written.

use bitdust_model::{DeviceId, ErrorCode, Sequence};

use super::entries::Work;
use super::{Engine, Step, Task};
use crate::fsm::{backup, head, lane, name, tip};
use crate::io::{Output, TipFact};
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
        self.tasks
            .push_back(Task::Tip(device, tip::Event::Told { is_known }));
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
            }
        }
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
        let mut suppliers = holders.iter().filter_map(|it| self.suppliers.get(it));
        let is_awaited =
            suppliers.any(|supplier| supplier.tip.is_awaited() || supplier.link.is_coming());
        self.tasks
            .push_back(Task::Lane(lane::Event::Counted { stand, is_awaited }));
    }

    pub(super) fn step_lane(&mut self, event: lane::Event) {
        let random = self.draw(Machine::Lane, Subject::Node);
        let mut out = Vec::new();
        let step = Step::of(Machine::Lane, Subject::Node, &self.lane, &event);
        self.lane = lane::step(self.lane, event, &self.moment(random), &mut out);
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
                lane::Action::Stop => self.stop_backups(ErrorCode::Forked),
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
        if self.is_catalogue_damaged {
            Some(ErrorCode::CatalogueDamaged)
        } else if self.lane.is_behind() {
            Some(ErrorCode::Forked)
        } else {
            None
        }
    }

    /// Whether a supplier may be given a head: it was asked what it keeps since it is there.
    pub(super) fn may_be_given_heads(&self, device: DeviceId) -> bool {
        let supplier = self.suppliers.get(&device);
        self.lane.is_open() && supplier.is_some_and(|supplier| supplier.tip.is_open())
    }
}
