//! The newest head, from its draft to the catalogue.

use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::HEADS_COUNTED_MAX;
use bitdust_model::{DeviceId, Sequence};

use super::{Engine, Step, Task};
use crate::fsm::{backup, head, name, set_up};
use crate::io::Output;
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn step_head(&mut self, event: head::Event) {
        let random = self.draw(Machine::Head, Subject::Node);
        let (trusted, online) = self.trusted_holders();
        let quorum = self
            .set
            .as_ref()
            .map_or(u8::MAX, |set| set.code.metadata_quorum());
        let holders = head::Holders {
            trusted: &trusted,
            online: &online,
            quorum,
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
                head::Action::Fail { code } => {
                    self.tell_backups(backup::Event::HeadRefused { code });
                }
            }
        }
    }

    /// A holder signed for a head.
    pub(super) fn head_kept_by(&mut self, device: DeviceId, sequence: Sequence) {
        if Some(sequence) >= self.head_recorded && self.kept.len() <= HEADS_COUNTED_MAX {
            self.kept.entry(sequence).or_default().insert(device);
        }
        self.tasks
            .push_back(Task::Head(head::Event::Kept { device, sequence }));
    }

    /// The catalogue knows a published head.
    pub(super) fn commit_recorded(&mut self, sequence: Sequence, moved: &[GroupChange]) {
        moved.iter().for_each(|change| self.ledger.apply(change));
        self.head_recorded = self.head_recorded.max(Some(sequence));
        self.kept.retain(|of, _| Some(*of) >= self.head_recorded);
        self.tasks
            .push_back(Task::Head(head::Event::Recorded { sequence }));
        self.tell_backups(backup::Event::CommitRecorded { sequence });
        self.tasks
            .push_back(Task::SetUp(set_up::Event::LaneChanged));
    }
}
