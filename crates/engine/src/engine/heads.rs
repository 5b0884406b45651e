//! The newest head, from its draft to the catalogue.

use std::collections::BTreeSet;

use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::HEADS_COUNTED_MAX;
use bitdust_model::{DeviceId, PositionMask, Sequence};

use super::{Engine, Step, Task};
use crate::fsm::{backup, head, name, set_up};
use crate::io::Output;
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn step_head(&mut self, event: head::Event) {
        let random = self.draw(Machine::Head, Subject::Node);
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return;
        };
        let (trusted, connected) = self.trusted_holders();
        let online = self.with_lists(&connected);
        let passed_over = self.passed_over(&connected);
        let holders = head::Holders {
            trusted: &trusted,
            online: &online,
            connected: &connected,
            passed_over: &passed_over,
            code,
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Head, Subject::Node, &self.head, &event);
        let before = std::mem::take(&mut self.head);
        self.head = head::step(before, event, &self.moment(random), &holders, &mut out);
        self.noted(
            step,
            name(&self.head),
            !out.is_empty(),
            self.head.deadline(),
        );
        self.jobs_due = true;
        for action in out {
            match action {
                head::Action::Put { device, sequence } => {
                    self.emit(Output::PutHead { device, sequence });
                }
                head::Action::Keep { sequence } => {
                    self.tell_backups(backup::Event::HeadKept { sequence });
                }
                head::Action::Record { sequence } => {
                    self.emit(Output::RecordCommit { sequence });
                }
                head::Action::PassOver { device } => self.pass_over([device]),
                head::Action::Fail { code } => {
                    self.tell_backups(backup::Event::HeadRefused { code });
                }
            }
        }
    }

    /// Of holders that are there, those that may be given the newest head: they have all lists that
    /// others who are there have, unless nobody has. A head without its lists would hide what came
    /// before; without its own, it is given to nobody at all.
    fn with_lists(&self, online: &BTreeSet<DeviceId>) -> BTreeSet<DeviceId> {
        let Some(set) = self.set.as_ref().map(|set| set.set) else {
            return online.clone();
        };
        let with_lists = self.ledger.with_lists_of(set, self.reachable());
        let has_lists = |device: &&DeviceId| {
            self.position_of(**device)
                .is_some_and(|position| with_lists.has(position))
        };
        let holders: BTreeSet<_> = online.iter().filter(has_lists).copied().collect();
        if holders.is_empty() {
            return online.clone();
        }
        holders
    }

    /// Those of some suppliers that did not answer in time when they were last waited for.
    fn passed_over(&self, of: &BTreeSet<DeviceId>) -> BTreeSet<DeviceId> {
        let is_passed_over = |device: &&DeviceId| {
            let supplier = self.suppliers.get(*device);
            supplier.is_some_and(|supplier| supplier.is_passed_over)
        };
        of.iter().filter(is_passed_over).copied().collect()
    }

    /// Whether holders that are there have been given the newest head and may still answer.
    pub(super) fn is_head_moving(&self) -> bool {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return false;
        };
        let (trusted, connected) = self.trusted_holders();
        let online = self.with_lists(&connected);
        let passed_over = self.passed_over(&connected);
        self.head.is_moving(&head::Holders {
            trusted: &trusted,
            online: &online,
            connected: &connected,
            passed_over: &passed_over,
            code,
        })
    }

    /// A holder signed for a head.
    pub(super) fn head_kept_by(&mut self, device: DeviceId, sequence: Sequence) {
        if Some(sequence) >= self.head_recorded && self.kept.len() <= HEADS_COUNTED_MAX {
            self.kept.entry(sequence).or_default().insert(device);
        }
        self.answered(device);
        self.note_spread();
        self.settled_due = true;
        self.tasks
            .push_back(Task::Head(head::Event::Kept { device, sequence }));
    }

    /// Positions whose holders signed for the newest published head, are trusted, and have all
    /// lists that it leads to: whoever lacks one leads nowhere.
    pub(super) fn head_positions(&self) -> PositionMask {
        self.positions_leading_to(self.head_recorded, false)
    }

    /// The same of a head that the catalogue may know as published already, if there is one.
    pub(super) fn next_head_positions(&self) -> Option<PositionMask> {
        let next = self.head.being_recorded()?;
        Some(self.positions_leading_to(Some(next), true))
    }

    fn positions_leading_to(&self, head: Option<Sequence>, all: bool) -> PositionMask {
        let kept = head.and_then(|head| self.kept.get(&head));
        let kept = kept.into_iter().flatten();
        let trusted = kept.filter(|device| self.is_trusted(**device));
        let positions = trusted.filter_map(|device| self.position_of(*device));
        let Some(set) = self.set.as_ref().map(|set| set.set) else {
            return PositionMask::default();
        };
        let with_lists = self.ledger.with_all_lists(set, all);
        positions
            .filter(|position| with_lists.has(*position))
            .collect()
    }

    /// The newest head may be settled now: then everybody is to know.
    pub(super) fn note_settled(&mut self) {
        let (Some(head), Some(set)) = (self.head_recorded, &self.set) else {
            return;
        };
        let quorum = set.code.metadata_quorum();
        if self.settled >= Some(head)
            || self.head_positions().count() < quorum
            || !self
                .ledger
                .is_settled(set.set, set.code, self.trusted_positions())
        {
            return;
        }
        self.settled = Some(head);
        self.tasks
            .push_back(Task::SetUp(set_up::Event::LaneChanged));
    }

    /// The catalogue knows a published head.
    pub(super) fn commit_recorded(&mut self, sequence: Sequence, moved: &[GroupChange]) {
        moved.iter().for_each(|change| self.ledger.apply(change));
        self.head_recorded = self.head_recorded.max(Some(sequence));
        self.kept.retain(|of, _| Some(*of) >= self.head_recorded);
        self.settled_due = true;
        self.tasks
            .push_back(Task::Head(head::Event::Recorded { sequence }));
        self.tell_backups(backup::Event::CommitRecorded { sequence });
        self.tasks
            .push_back(Task::SetUp(set_up::Event::LaneChanged));
    }
}
