//! Packs and their shards on the way to the suppliers.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::limits::{GROUPS_MAX, PACKS_TRACKED_MAX};
use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, SetId};

use super::entries::{Job, Pack, Resting, Work};
use super::{Engine, Step, Task};
use crate::fsm::{name, pack, supplier_link, transfer, unspool};
use crate::io::{JobId, Output, PackFact, SetFact};
use crate::rules::known_at;
use crate::safety::Quorum;
use crate::timer::WakeReason;
use crate::transition::{Machine, Subject};

/// Packs of a job that are followed although they rest, until those who lack a shard have it.
const PACKS_FOLLOWED: usize = 512;

impl Engine {
    /// Follows a pack of an earlier run, if it can still become known. One that is neither
    /// confirmed nor spooled often enough is not continued: its contents are not known, so
    /// the next backup seals them anew. Says whether it is followed.
    pub(super) fn continue_pack(&mut self, fact: &PackFact) -> bool {
        let Some(set) = self.sets.get(fact.set) else {
            return false;
        };
        let code = set.code;
        let mut transfers = vec![transfer::State::Owed; set.positions.len()];
        for (positions, state) in [
            (&fact.spooled, transfer::State::Spooled),
            (&fact.confirmed, transfer::State::Confirmed),
        ] {
            for position in positions {
                let is_held = set.holder_at(*position).is_some();
                if let Some(transfer) = transfers.get_mut(usize::from(position.0))
                    && is_held
                {
                    *transfer = state;
                }
            }
        }
        let pack = Pack {
            set: fact.set,
            kind: fact.kind,
            job: None,
            state: pack::State::Placing { held: false },
            transfers,
        };
        let within_reach = self.confirmed(&pack) + self.spooled(&pack);
        if within_reach < known_at(fact.kind, code) || self.packs.len() >= PACKS_TRACKED_MAX {
            return false;
        }
        self.packs.insert(fact.pack, pack);
        self.packs_due.insert(fact.pack);
        true
    }

    /// A pack was sealed: its shards begin their way, to those who are given new ones. What the others
    /// lack is owed to them.
    pub(super) fn add_pack(&mut self, job: JobId, pack: PackId, set: SetId, kind: PackKind) {
        let Some(places) = self.sets.get(set).map(|set| &set.positions) else {
            return;
        };
        let begins: Vec<_> = places.iter().map(|it| it.receiver().is_some()).collect();
        let first = |begins: &bool| {
            if *begins {
                transfer::State::Queued
            } else {
                transfer::State::Owed
            }
        };
        let followed = Pack {
            set,
            kind,
            job: Some(job),
            state: pack::State::Placing { held: true },
            transfers: begins.iter().map(first).collect(),
        };
        self.note_sealed(job, kind);
        self.packs.insert(pack, followed);
        for (position, _) in (0..)
            .map(Position)
            .zip(begins)
            .filter(|(_, begins)| *begins)
        {
            let event = transfer::Event::Begin;
            self.tasks.push_back(Task::Transfer(pack, position, event));
        }
        self.packs_due.insert(pack);
        self.jobs_due = true;
    }

    /// Who holds a position of a pack that is followed: in the pack's own set.
    pub(super) fn holder_of(&self, pack: PackId, position: Position) -> Option<DeviceId> {
        let set = self.packs.get(&pack)?.set;
        self.sets.holder_at(set, position)
    }

    /// Whether a shard of a pack that is followed is for this device.
    pub(super) fn is_for(&self, device: DeviceId, pack: PackId, position: Position) -> bool {
        self.holder_of(pack, position) == Some(device)
    }

    pub(super) fn step_transfer(
        &mut self,
        pack: PackId,
        position: Position,
        event: transfer::Event,
    ) {
        let random = self.draw(Machine::Transfer, Subject::Shard(pack, position));
        let Some(device) = self.holder_of(pack, position) else {
            return;
        };
        let Some(followed) = self.packs.get(&pack) else {
            return;
        };
        let Some(&before) = followed.transfers.get(usize::from(position.0)) else {
            return;
        };
        let mut out = Vec::new();
        let subject = Subject::Shard(pack, position);
        let step = Step::of(Machine::Transfer, subject, &before, &event);
        let way = transfer::Way {
            is_ready: self.is_ready(device),
            is_committed: followed.state.is_committed(),
        };
        let state = transfer::step(before, event, &self.moment(random), way, &mut out);
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        let place = self
            .packs
            .get_mut(&pack)
            .expect("it was there a few lines ago");
        place.transfers[usize::from(position.0)] = state;
        let is_owed = |state| matches!(state, transfer::State::Owed);
        if is_owed(state) && !is_owed(before) {
            self.tell_owed(Some(device));
        }
        self.packs_due.insert(pack);
        self.jobs_due = true;
        for action in out {
            match action {
                transfer::Action::Send => self.send(pack, position, device),
                transfer::Action::Spool => self.emit(Output::SpoolShard { pack, position }),
                transfer::Action::TellLink { code } => self.tell_link(device, code),
            }
        }
    }

    /// Somebody is owed a shard that lies nowhere here.
    fn tell_owed(&mut self, device: Option<DeviceId>) {
        if let Some(device) = device {
            self.tasks
                .push_back(Task::Unspool(device, unspool::Event::ShardOwed));
        }
    }

    /// A pack is committed: what the spool did not take need not be kept in memory any more.
    fn tell_committed(&mut self, pack: PackId) {
        let followed = self.packs.get(&pack);
        let transfers = followed.map(|pack| &pack.transfers).into_iter().flatten();
        let is_held = |transfer| matches!(transfer, &transfer::State::Held { .. });
        for (position, transfer) in (0..).map(Position).zip(transfers) {
            if is_held(transfer) {
                let event = transfer::Event::Committed;
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
        }
    }

    /// What nobody has, and lies at most in the spool, may be given now: the pack is committed, or
    /// not in memory any more.
    fn tell_all_owed(&mut self, pack: PackId) {
        let transfers = self.packs.get(&pack).map(|pack| pack.transfers.clone());
        for (position, transfer) in (0..).map(Position).zip(transfers.into_iter().flatten()) {
            if matches!(transfer, transfer::State::Owed | transfer::State::Spooled) {
                self.tell_owed(self.holder_of(pack, position));
            }
        }
    }

    pub(super) fn send(&mut self, pack: PackId, position: Position, device: DeviceId) {
        let job = self.packs.get(&pack).and_then(|followed| followed.job);
        self.emit(Output::SendShard {
            job,
            pack,
            position,
            device,
        });
    }

    /// A supplier refused for want of space or contract.
    pub(super) fn tell_link(&mut self, device: DeviceId, code: ErrorCode) {
        let event = if code == ErrorCode::NoContract {
            supplier_link::Event::ContractUnknown
        } else {
            supplier_link::Event::SpaceUsedUp
        };
        self.tasks.push_back(Task::Link(device, event));
    }

    /// Tells every shard for a supplier that it came or went.
    pub(super) fn tell_transfers(&mut self, device: DeviceId, event: transfer::Event) {
        let places = self.sets.places_of(device);
        let places: BTreeMap<_, _> = places.map(|(set, position)| (set.set, position)).collect();
        for (&pack, followed) in &self.packs {
            let Some(&position) = places.get(&followed.set) else {
                continue;
            };
            let state = followed.transfers.get(usize::from(position.0));
            if state.is_some_and(|state| !state.is_kept()) {
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
        }
    }

    /// Tells a pack how its shards stand.
    pub(super) fn count_shards(&mut self, pack: PackId) {
        let Some(followed) = self.packs.get(&pack) else {
            return;
        };
        let confirmations = pack::Confirmations {
            confirmed: self.confirmed(followed),
            kept: followed.transfers.iter().all(|transfer| transfer.is_kept()),
            resting: followed.transfers.iter().all(|it| it.is_at_rest())
                && self.may_leave(followed),
            complete: self.is_complete(followed),
        };
        self.tasks.push_back(Task::Pack(
            pack,
            pack::Event::ConfirmationsChanged { confirmations },
        ));
    }

    /// Whether everybody who holds a position of its set confirmed a pack.
    fn is_complete(&self, pack: &Pack) -> bool {
        let confirmed = pack.confirmed();
        let set = self.sets.get(pack.set);
        let mut holders = set.into_iter().flat_map(SetFact::holders);
        holders.all(|(position, _)| confirmed.has(position))
    }

    pub(super) fn step_pack(&mut self, pack: PackId, event: pack::Event) {
        let random = self.draw(Machine::Pack, Subject::Pack(pack));
        let Some(followed) = self.packs.get(&pack) else {
            return;
        };
        let (before, kind) = (followed.state, followed.kind);
        let Some(code) = self.sets.get(followed.set).map(|set| set.code) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Pack, Subject::Pack(pack), &before, &event);
        let recorded = event == pack::Event::Recorded;
        let refused = event == pack::Event::NotRecorded;
        let state = pack::step(before, event, &self.moment(random), kind, code, &mut out);
        if let Some(followed) = self.packs.get_mut(&pack) {
            followed.state = state;
        }
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        for action in out {
            match action {
                pack::Action::Commit => self.emit(Output::CommitPack { pack }),
                pack::Action::Release => self.emit(Output::ReleasePack { pack }),
            }
        }
        if recorded || before.is_held() != state.is_held() {
            self.tell_all_owed(pack);
        }
        if recorded {
            self.tell_committed(pack);
        }
        if recorded || refused {
            // What was counted before it was asked may not hold any more.
            self.packs_due.insert(pack);
            self.jobs_due = true;
        }
        if state == pack::State::Settled {
            self.forget_pack(pack);
        }
    }

    /// The job that waits for it, while it runs: where packs of it rest.
    fn left_of(&self, pack: &Pack) -> Option<&BTreeSet<Resting>> {
        match &self.jobs.get(&pack.job?)?.work {
            Work::Backup { left, .. } => Some(left),
            Work::Restore(_) | Work::Recovery(_) => None,
        }
    }

    /// Whether nothing waits for a pack that rests but what the ledger knows.
    fn may_leave(&self, pack: &Pack) -> bool {
        let Some(left) = self.left_of(pack) else {
            return true;
        };
        let is_done = match self.quorum_of(pack) {
            Quorum::Reached | Quorum::Enough { moving: false } => true,
            // Whoever catches up slowly: so many are followed, and no more.
            Quorum::Enough { moving: true } => self.packs.len() > PACKS_FOLLOWED,
            Quorum::Short { .. } | Quorum::Lost => false,
        };
        is_done && left.len() < GROUPS_MAX
    }

    /// Notes for its job where a pack is confirmed that is followed no more.
    fn leave(&mut self, pack: &Pack) {
        let resting = Resting {
            set: pack.set,
            kind: pack.kind,
            confirmed: pack.confirmed(),
        };
        let job = pack.job.and_then(|job| self.jobs.get_mut(&job));
        if let Some(Job {
            work: Work::Backup { left, .. },
            ..
        }) = job
        {
            left.insert(resting);
        }
    }

    /// Nobody waits any more for the packs of a job: the ledger has what is owed of them.
    pub(super) fn leave_packs(&mut self, job: JobId) {
        let left = self.packs.iter().filter(|(_, pack)| pack.job == Some(job));
        self.packs_due.extend(left.map(|(pack, _)| *pack));
    }

    /// From here on the ledger alone has it. Those to whom a shard is owed are to get it.
    fn forget_pack(&mut self, pack: PackId) {
        let Some(followed) = self.packs.remove(&pack) else {
            return;
        };
        self.leave(&followed);
        self.timers.set(
            WakeReason {
                machine: Machine::Pack,
                subject: Subject::Pack(pack),
            },
            None,
        );
        for (index, transfer) in followed.transfers.iter().enumerate() {
            let position = Position(u8::try_from(index).expect("a set has at most 30 positions"));
            if !matches!(transfer, transfer::State::Confirmed) {
                self.tell_owed(self.sets.holder_at(followed.set, position));
            }
            let subject = Subject::Shard(pack, position);
            self.timers.set(
                WakeReason {
                    machine: Machine::Transfer,
                    subject,
                },
                None,
            );
        }
        self.jobs_due = true;
    }
}
