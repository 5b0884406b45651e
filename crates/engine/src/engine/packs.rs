//! Packs and their shards on the way to the suppliers, and the head that names them.

use bitdust_model::limits::PACKS_TRACKED_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, Sequence};

use super::entries::{Pack, PackGroup};
use super::{Engine, Step, Task};
use crate::fsm::{backup, head, name, pack, supplier_link, transfer, unspool};
use crate::io::{JobId, Output, PackFact};
use crate::rules::{known_at, settled_at};
use crate::timer::WakeReason;
use crate::transition::{Machine, Subject};

impl Engine {
    /// Follows a pack of an earlier run, if it can still become known. One that is neither
    /// confirmed nor spooled often enough is not continued: its contents are not known, so
    /// the next backup seals them anew. Says whether it is followed.
    pub(super) fn continue_pack(&mut self, fact: &PackFact) -> bool {
        let Some(set) = &self.set else {
            return false;
        };
        let mut transfers = vec![transfer::State::Owed; set.holders.len()];
        for (positions, state) in [
            (&fact.spooled, transfer::State::Spooled),
            (&fact.confirmed, transfer::State::Confirmed),
        ] {
            for position in positions {
                if let Some(transfer) = transfers.get_mut(usize::from(position.0)) {
                    *transfer = state;
                }
            }
        }
        let pack = Pack {
            kind: fact.kind,
            job: None,
            state: pack::State::Placing { held: false },
            transfers,
        };
        let within_reach = self.confirmed(&pack) + self.spooled(&pack);
        if within_reach < known_at(fact.kind, set.code) || self.packs.len() >= PACKS_TRACKED_MAX {
            return false;
        }
        self.packs.insert(fact.pack, pack);
        self.packs_due.insert(fact.pack);
        true
    }

    /// A pack was sealed: all its shards begin their way.
    pub(super) fn add_pack(&mut self, job: JobId, pack: PackId, kind: PackKind) {
        let Some(set) = &self.set else {
            return;
        };
        let positions = set.code.n();
        let followed = Pack {
            kind,
            job: Some(job),
            state: pack::State::Placing { held: true },
            transfers: vec![transfer::State::Queued; usize::from(positions)],
        };
        self.note_sealed(job, kind);
        self.packs.insert(pack, followed);
        for position in 0..positions {
            let event = transfer::Event::Begin;
            self.tasks
                .push_back(Task::Transfer(pack, Position(position), event));
        }
        self.packs_due.insert(pack);
        self.jobs_due = true;
    }

    pub(super) fn step_transfer(
        &mut self,
        pack: PackId,
        position: Position,
        event: transfer::Event,
    ) {
        let random = self.draw(Machine::Transfer, Subject::Shard(pack, position));
        let Some(device) = self.holder_at(position) else {
            return;
        };
        let Some(followed) = self.packs.get(&pack) else {
            return;
        };
        let Some(&state) = followed.transfers.get(usize::from(position.0)) else {
            return;
        };
        let mut out = Vec::new();
        let subject = Subject::Shard(pack, position);
        let step = Step::of(Machine::Transfer, subject, &state, &event);
        let ready = self.is_ready(device);
        let state = transfer::step(state, event, &self.moment(random), ready, &mut out);
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        let place = self
            .packs
            .get_mut(&pack)
            .expect("it was there a few lines ago");
        place.transfers[usize::from(position.0)] = state;
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

    fn send(&mut self, pack: PackId, position: Position, device: DeviceId) {
        let job = self.packs.get(&pack).and_then(|followed| followed.job);
        self.emit(Output::SendShard {
            job,
            pack,
            position,
            device,
        });
    }

    /// A supplier refused for want of space or contract.
    fn tell_link(&mut self, device: DeviceId, code: ErrorCode) {
        let event = if code == ErrorCode::NoContract {
            supplier_link::Event::ContractUnknown
        } else {
            supplier_link::Event::SpaceUsedUp
        };
        self.tasks.push_back(Task::Link(device, event));
    }

    /// Tells every shard for a supplier that it came or went.
    pub(super) fn tell_transfers(&mut self, device: DeviceId, event: transfer::Event) {
        let Some(position) = self.position_of(device) else {
            return;
        };
        for (&pack, followed) in &self.packs {
            let state = followed.transfers.get(usize::from(position.0));
            if state.is_some_and(|state| !state.is_kept()) {
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
        }
    }

    pub(super) fn step_unspool(&mut self, device: DeviceId, event: unspool::Event) {
        let random = self.draw(Machine::Unspool, Subject::Device(device));
        let moment = self.moment(random);
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let mut out = Vec::new();
        let subject = Subject::Device(device);
        let step = Step::of(Machine::Unspool, subject, &supplier.unspool, &event);
        let state = unspool::step(
            supplier.unspool,
            event,
            &moment,
            supplier.is_ready(),
            &mut out,
        );
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        let place = self
            .suppliers
            .get_mut(&device)
            .expect("it was there a few lines ago");
        place.unspool = state;
        for action in out {
            match action {
                unspool::Action::Load => self.emit(Output::LoadSpool { device }),
                // The transfer sends it: it was told of the load together with this machine.
                unspool::Action::Send => {}
            }
        }
    }

    /// A spooled shard is in memory.
    pub(super) fn spool_loaded(
        &mut self,
        pack: PackId,
        kind: PackKind,
        position: Position,
        device: DeviceId,
    ) {
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.unspooling = Some((pack, position));
        }
        self.tasks
            .push_back(Task::Unspool(device, unspool::Event::Loaded));
        if self.holder_at(position) != Some(device) {
            // Of a set that is not the current one: nobody counts it, but the shard is sent.
            self.send(pack, position, device);
            return;
        }
        if !self.packs.contains_key(&pack) {
            // Settled, or not continued at the start: followed again from here.
            let positions = self.set.as_ref().map_or(0, |set| set.holders.len());
            let followed = Pack {
                kind,
                job: None,
                state: pack::State::Placing { held: false },
                transfers: vec![transfer::State::Owed; positions],
            };
            self.packs.insert(pack, followed);
        }
        self.tasks
            .push_back(Task::Transfer(pack, position, transfer::Event::Loaded));
    }

    /// A send was answered: if it was of the shard from the spool, the next may come.
    pub(super) fn tell_unspool(
        &mut self,
        pack: PackId,
        position: Position,
        device: DeviceId,
        event: unspool::Event,
    ) {
        if let Some(supplier) = self.suppliers.get_mut(&device)
            && supplier.unspooling == Some((pack, position))
        {
            supplier.unspooling = None;
            self.tasks.push_back(Task::Unspool(device, event));
        }
    }

    /// Tells a pack how its shards stand.
    pub(super) fn count_shards(&mut self, pack: PackId) {
        let Some(followed) = self.packs.get(&pack) else {
            return;
        };
        let standing = pack::Standing {
            confirmed: self.confirmed(followed),
            kept: followed.transfers.iter().all(|transfer| transfer.is_kept()),
            complete: followed
                .transfers
                .iter()
                .all(|transfer| matches!(transfer, transfer::State::Confirmed)),
        };
        self.tasks
            .push_back(Task::Pack(pack, pack::Event::Stood { standing }));
    }

    pub(super) fn step_pack(&mut self, pack: PackId, event: pack::Event) {
        let random = self.draw(Machine::Pack, Subject::Pack(pack));
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return;
        };
        let Some((before, kind)) = self
            .packs
            .get(&pack)
            .map(|followed| (followed.state, followed.kind))
        else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Pack, Subject::Pack(pack), &before, &event);
        let recorded = event == pack::Event::Recorded;
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
        if recorded {
            self.packs_due.insert(pack);
            self.jobs_due = true;
        }
        if state == pack::State::Settled {
            self.forget_pack(pack);
        }
    }

    /// Every position signed: from here on its count follows from the doubts alone.
    fn forget_pack(&mut self, pack: PackId) {
        let Some(followed) = self.packs.remove(&pack) else {
            return;
        };
        self.timers.set(
            WakeReason {
                machine: Machine::Pack,
                subject: Subject::Pack(pack),
            },
            None,
        );
        for index in 0..followed.transfers.len() {
            let position = Position(u8::try_from(index).expect("a set has at most 30 positions"));
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

    /// Positions of a pack confirmed by holders that are not doubted.
    pub(crate) fn confirmed(&self, pack: &Pack) -> u8 {
        self.count_positions(pack, |transfer| {
            matches!(transfer, transfer::State::Confirmed)
        })
    }

    /// The most confirmations that the weakest unsettled commit pack can still get.
    pub(super) fn lists_within_reach(&self) -> u8 {
        let lists = self
            .packs
            .values()
            .filter(|pack| PackGroup::Lists.has(pack.kind));
        let reach = lists.map(|pack| {
            let owed = |transfer: &transfer::State| !matches!(transfer, transfer::State::Owed);
            self.count_positions(pack, owed)
        });
        reach.min().unwrap_or(0)
    }

    /// Positions that wait in the spool for holders that are not doubted.
    fn spooled(&self, pack: &Pack) -> u8 {
        self.count_positions(pack, |transfer| {
            matches!(
                transfer,
                transfer::State::Spooled | transfer::State::Sending { spooled: true, .. }
            )
        })
    }

    /// The supplier that most packs in memory wait for.
    #[must_use]
    pub fn held_up_by(&self) -> Option<DeviceId> {
        let holders = &self.set.as_ref()?.holders;
        let mut waiting = vec![0_usize; holders.len()];
        for pack in self.packs.values().filter(|pack| pack.state.is_held()) {
            let kept = pack.transfers.iter().map(|transfer| transfer.is_kept());
            for (count, is_kept) in waiting.iter_mut().zip(kept) {
                *count += usize::from(!is_kept);
            }
        }
        let most = (0..holders.len()).max_by_key(|&at| (waiting[at], std::cmp::Reverse(at)))?;
        (waiting[most] > 0).then(|| holders[most])
    }

    fn count_positions(&self, pack: &Pack, is_counted: impl Fn(&transfer::State) -> bool) -> u8 {
        let holders = self.set.iter().flat_map(|set| &set.holders);
        let counted = pack
            .transfers
            .iter()
            .zip(holders)
            .filter(|(transfer, holder)| is_counted(transfer) && self.is_trusted(**holder));
        u8::try_from(counted.count()).expect("a set has at most 30 positions")
    }

    /// How one pack stands against what a backup needs of it.
    fn standing_of(&self, pack: &Pack) -> backup::Standing {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return backup::Standing::Enough;
        };
        let need = settled_at(pack.kind, code);
        let confirmed = self.confirmed(pack);
        if confirmed >= need {
            // What is sealed next describes only packs that the catalogue knows as committed.
            return match pack.state {
                pack::State::Committed { .. } | pack::State::Settled => backup::Standing::Enough,
                pack::State::Placing { .. }
                | pack::State::Committing { .. }
                | pack::State::Uncommitted { .. } => backup::Standing::Short {
                    confirmed,
                    need,
                    moving: true,
                },
            };
        }
        let moving = self.count_positions(pack, |transfer| transfer.is_moving());
        backup::Standing::Short {
            confirmed,
            need,
            moving: confirmed + moving >= need,
        }
    }

    /// The weakest of a job's packs of a group; with `None`, of all packs of that group.
    /// Settled packs have every position but the doubted ones.
    pub(super) fn standing(&self, job: Option<JobId>, group: PackGroup) -> backup::Standing {
        let mut weakest = self.standing_of_settled(group);
        for pack in self.packs.values() {
            if group.has(pack.kind) && (job.is_none() || pack.job == job) {
                weakest = weaker(weakest, self.standing_of(pack));
            }
        }
        weakest
    }

    fn standing_of_settled(&self, group: PackGroup) -> backup::Standing {
        let Some(set) = &self.set else {
            return backup::Standing::Enough;
        };
        let trusted = set
            .holders
            .iter()
            .filter(|device| self.is_trusted(**device))
            .count();
        let confirmed = u8::try_from(trusted).expect("a set has at most 30 positions");
        let kinds = match group {
            PackGroup::Contents => &[PackKind::Data, PackKind::Tree][..],
            PackGroup::Lists => &[PackKind::Commit][..],
        };
        let need = kinds
            .iter()
            .map(|kind| settled_at(*kind, set.code))
            .max()
            .unwrap_or(0);
        if confirmed >= need {
            return backup::Standing::Enough;
        }
        backup::Standing::Short {
            confirmed,
            need,
            moving: false,
        }
    }

    /// Confirmations of the weakest data pack that counts for what was published, by fresh
    /// and trusted holders.
    pub(crate) fn weakest_fresh(&self) -> u8 {
        let Some(set) = &self.set else {
            return 0;
        };
        let is_fresh = |device: &DeviceId| {
            self.suppliers
                .get(device)
                .is_some_and(|supplier| supplier.is_fresh(self.now))
        };
        let fresh = set.holders.iter().filter(|device| is_fresh(device)).count();
        let mut weakest = fresh;
        for pack in self.packs.values() {
            let is_running = pack.job.is_some_and(|job| self.jobs.contains_key(&job));
            if pack.kind != PackKind::Data || is_running {
                continue;
            }
            let confirmed = pack
                .transfers
                .iter()
                .zip(&set.holders)
                .filter(|(state, device)| {
                    matches!(state, transfer::State::Confirmed) && is_fresh(device)
                });
            weakest = weakest.min(confirmed.count());
        }
        u8::try_from(weakest).expect("a set has at most 30 positions")
    }

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

    /// The catalogue knows a published head.
    pub(super) fn commit_recorded(&mut self, sequence: Sequence) {
        self.head_recorded = self.head_recorded.max(Some(sequence));
        self.tasks
            .push_back(Task::Head(head::Event::Recorded { sequence }));
        self.tell_backups(backup::Event::CommitRecorded { sequence });
        self.tasks
            .push_back(Task::SetUp(crate::fsm::set_up::Event::RecordsChanged));
    }
}

fn weaker(left: backup::Standing, right: backup::Standing) -> backup::Standing {
    match (left, right) {
        (backup::Standing::Enough, standing) | (standing, backup::Standing::Enough) => standing,
        (
            backup::Standing::Short {
                confirmed: some,
                need,
                moving,
            },
            backup::Standing::Short {
                confirmed: other,
                need: other_need,
                moving: other_moving,
            },
        ) => {
            let moving = moving && other_moving;
            // The one that lacks more is what people are told.
            if need.saturating_sub(some) >= other_need.saturating_sub(other) {
                backup::Standing::Short {
                    confirmed: some,
                    need,
                    moving,
                }
            } else {
                backup::Standing::Short {
                    confirmed: other,
                    need: other_need,
                    moving,
                }
            }
        }
    }
}
