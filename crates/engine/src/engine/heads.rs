//! The newest head, from its draft to the catalogue.

use std::collections::BTreeSet;

use bitdust_model::ledger::{AtHand, GroupChange};
use bitdust_model::limits::HEADS_COUNTED_MAX;
use bitdust_model::{Code, DeviceId, ErrorCode, PositionMask, Sequence};

use super::{Engine, Step, Task};
use crate::fsm::{backup, head, name, set_up, supplier_link, tip};
use crate::io::{Output, SetFact};
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn step_head(&mut self, event: head::Event) {
        let random = self.draw(Machine::Head, Subject::Node);
        let Some(home) = self.sets.home() else {
            return;
        };
        let stand = self.stand(home);
        let holders = stand.holders();
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

    /// How those who count in the home set stand to the newest head. Nobody else is given one: a head
    /// with whoever is being filled would say more than its lists.
    fn stand(&self, home: &SetFact) -> Stand {
        let (trusted, connected) = self.trusted_holders(home);
        Stand {
            open: self.open(&connected),
            is_behind: self.lane.is_behind() || self.lane.is_catching_up(),
            online: self.with_lists(&connected),
            passed_over: self.passed_over(&connected),
            trusted,
            connected,
            code: home.code,
            active: home.active().count(),
        }
    }

    /// Of holders that are there, those that may be given the newest head: they have all lists that
    /// others who are there have, unless nobody has. A head without its lists would hide what came
    /// before; without its own, it is given to nobody at all.
    fn with_lists(&self, online: &BTreeSet<DeviceId>) -> BTreeSet<DeviceId> {
        // Of the home set only: what lies in another one is no reason to keep a head from its holders,
        // though they count only with that too.
        let lists = self.sets.home().and_then(|home| {
            let with = self.ledger.with_lists_of(home.set, self.reachable(home));
            Some((home, with?))
        });
        let lists: Vec<_> = lists.into_iter().collect();
        let holders = online.iter().filter(|device| has_all(&lists, **device));
        let holders: BTreeSet<_> = holders.copied().collect();
        if holders.is_empty() {
            return online.clone();
        }
        holders
    }

    /// Of holders that are there, those that may be given a head at this moment.
    fn open(&self, online: &BTreeSet<DeviceId>) -> BTreeSet<DeviceId> {
        let open = online.iter().filter(|it| self.may_be_given_heads(**it));
        open.copied().collect()
    }

    /// Holders whose lists count as known, since they are there. Where none of them could take a list that
    /// is sealed anew, all that count do: it would only be sealed again each time.
    pub(super) fn lists_at_hand(&self) -> AtHand {
        let Some(home) = self.sets.home() else {
            return AtHand::nobody();
        };
        let there = self.reachable(home);
        let mut holders = home.counted();
        let may_take =
            holders.any(|(position, device)| there.has(position) && self.is_ready(device));
        let positions = if may_take {
            there
        } else {
            home.counted().map(|(position, _)| position).collect()
        };
        AtHand {
            set: home.set,
            positions,
        }
    }

    /// The sets in which some lists lie, and who has all of them there. They lie in the home set; where
    /// it was another one before, whoever lacks those leads nowhere.
    fn lists(
        &self,
        with: impl Fn(&SetFact) -> Option<PositionMask>,
    ) -> Vec<(&SetFact, PositionMask)> {
        let lists = self.sets.all().map(|set| Some((set, with(set)?)));
        lists.flatten().collect()
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
        let stand = self.sets.home().map(|home| self.stand(home));
        stand.is_some_and(|stand| self.head.is_moving(&stand.holders()))
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

    /// A holder did not keep a head.
    pub(super) fn head_refused(&mut self, device: DeviceId, sequence: Sequence, code: ErrorCode) {
        self.note_failure(device, code);
        let event = head::Event::Declined {
            device,
            sequence,
            code,
        };
        self.tasks.push_back(Task::Head(event));
        if code == ErrorCode::Forked {
            self.tasks.push_back(Task::Tip(device, tip::Event::Forked));
        }
        if code == ErrorCode::NoContract {
            let event = supplier_link::Event::ContractUnknown;
            self.tasks.push_back(Task::Link(device, event));
        }
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
        let Some(home) = self.sets.home() else {
            return PositionMask::default();
        };
        let lists = self.lists(|set| self.ledger.with_all_lists(set.set, all));
        let kept = head.and_then(|head| self.kept.get(&head));
        let leads_on = |device: &DeviceId| {
            let has_head = kept.is_some_and(|kept| kept.contains(device));
            has_head && self.is_trusted(*device) && has_all(&lists, *device)
        };
        let positions = home.counted().filter(|(_, device)| leads_on(device));
        positions.map(|(position, _)| position).collect()
    }

    /// The newest head may be settled now: then everybody is to know.
    pub(super) fn note_settled(&mut self) {
        let (Some(head), Some(home)) = (self.head_recorded, self.sets.home()) else {
            return;
        };
        if self.settled >= Some(head) {
            return;
        }
        let quorum = home.quorum();
        if quorum.is_none_or(|quorum| self.head_positions().count() < quorum) {
            return;
        }
        let mut sets = self.sets.all();
        let counts = |set| self.count(set, self.trusted_positions(set));
        if !sets.all(|set| self.ledger.is_settled(counts(set))) {
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

/// Those who count in the home set, as the machine of the head is told of them.
struct Stand {
    /// Trusted.
    trusted: BTreeSet<DeviceId>,
    /// And there.
    connected: BTreeSet<DeviceId>,
    /// Of whom it is known what they keep of the lane.
    open: BTreeSet<DeviceId>,
    /// Somebody keeps what is not known here.
    is_behind: bool,
    /// And may be given the head.
    online: BTreeSet<DeviceId>,
    /// There, and not waited for.
    passed_over: BTreeSet<DeviceId>,
    code: Code,
    /// How many positions are active.
    active: u8,
}

impl Stand {
    const fn holders(&self) -> head::Holders<'_> {
        head::Holders {
            trusted: &self.trusted,
            online: &self.online,
            open: &self.open,
            is_behind: self.is_behind,
            connected: &self.connected,
            passed_over: &self.passed_over,
            code: self.code,
            active: self.active,
        }
    }
}

/// Whether a device has all lists of each set in which some lie.
fn has_all(lists: &[(&SetFact, PositionMask)], device: DeviceId) -> bool {
    lists.iter().all(|(set, with)| {
        let position = set.position_of(device);
        position.is_some_and(|position| with.has(position))
    })
}
