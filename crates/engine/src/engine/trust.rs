//! Trust in suppliers: what becomes of one that did not give what it confirmed.

use bitdust_model::limits::LOSSES_WAITING_MAX;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position};

use super::entries::{Pack, Supplier};
use super::{Engine, Step, Task};
use crate::fsm::{check, head, name, transfer, unspool};
use crate::io::Output;
use crate::transition::{Machine, Subject};

impl Engine {
    /// A supplier gave no proof of a shard that it confirmed.
    pub(super) fn not_proved(
        &mut self,
        device: DeviceId,
        shard: (PackId, Position),
        code: ErrorCode,
    ) {
        if is_loss(code) {
            self.lose_shard(device, shard, code, true);
        } else {
            if code == ErrorCode::NoContract {
                self.tell_link(device, code);
            }
            self.tasks
                .push_back(Task::Check(device, check::Event::Failed));
        }
    }

    /// A supplier did not give a part of a shard: a loss, if it had confirmed it. It may have been
    /// excused for that before, or never got it.
    pub(super) fn not_given(
        &mut self,
        device: DeviceId,
        shard: (PackId, Position),
        code: ErrorCode,
    ) {
        if is_loss(code) {
            let is_certain = self.is_confirmed(device, shard);
            self.lose_shard(device, shard, code, is_certain);
        }
    }

    /// Whether a shard is followed and confirmed by this holder.
    fn is_confirmed(&self, device: DeviceId, (pack, position): (PackId, Position)) -> bool {
        let followed = self.packs.get(&pack);
        let transfer = followed.and_then(|pack| pack.transfers.get(usize::from(position.0)));
        self.is_for(device, pack, position) && matches!(transfer, Some(transfer::State::Confirmed))
    }

    fn lose_shard(
        &mut self,
        device: DeviceId,
        shard: (PackId, Position),
        code: ErrorCode,
        is_certain: bool,
    ) {
        let Some(supplier) = self.suppliers.get_mut(&device) else {
            return;
        };
        if supplier.lost.len() < LOSSES_WAITING_MAX {
            supplier.lost.insert(shard);
        }
        if is_certain {
            self.tell_withdrawn(device, shard);
        }
        let event = check::Event::Lost { code, is_certain };
        self.tasks.push_back(Task::Check(device, event));
    }

    /// A shard is not confirmed any more, where its pack is followed.
    fn tell_withdrawn(&mut self, device: DeviceId, (pack, position): (PackId, Position)) {
        if self.is_for(device, pack, position) {
            let event = transfer::Event::Withdrawn;
            self.tasks.push_back(Task::Transfer(pack, position, event));
        }
    }

    /// The catalogue took back what a supplier had confirmed.
    pub(super) fn withdrawn(&mut self, device: DeviceId, shards: &[(PackId, Position)], all: bool) {
        let Some(supplier) = self.suppliers.get_mut(&device) else {
            return;
        };
        supplier.telling.clear();
        let more = !supplier.lost.is_empty();
        for shard in shards {
            self.tell_withdrawn(device, *shard);
        }
        if all {
            let place = |(pack, followed): (&PackId, &Pack)| {
                let set = self.sets.get(followed.set)?;
                Some((*pack, set.position_of(device)?))
            };
            let followed: Vec<_> = self.packs.iter().filter_map(place).collect();
            for shard in followed {
                self.tell_withdrawn(device, shard);
            }
            for keepers in self.kept.values_mut() {
                keepers.remove(&device);
            }
            let event = head::Event::HolderEmptied { device };
            self.tasks.push_back(Task::Head(event));
        }
        let withdrawn = shards.len();
        let event = check::Event::Recorded { withdrawn, more };
        self.tasks.push_back(Task::Check(device, event));
        self.jobs_due = true;
        self.settled_due = true;
    }

    /// The catalogue was not told what is lost.
    pub(super) fn not_withdrawn(&mut self, device: DeviceId) {
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            let room = LOSSES_WAITING_MAX.saturating_sub(supplier.lost.len());
            let telling = std::mem::take(&mut supplier.telling);
            supplier.lost.extend(telling.into_iter().take(room));
        }
        self.tasks
            .push_back(Task::Check(device, check::Event::NotRecorded));
    }

    pub(super) fn step_check(&mut self, device: DeviceId, event: check::Event) {
        let random = self.draw(Machine::Check, Subject::Device(device));
        let moment = self.moment(random);
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(
            Machine::Check,
            Subject::Device(device),
            &supplier.check,
            &event,
        );
        let online = supplier.link.has_contract() && self.online.contains(&device);
        let check = check::step(supplier.check, event, &moment, online, &mut out);
        self.noted(step, name(&check), !out.is_empty(), check.deadline());
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.check = check;
        }
        for action in out {
            self.do_check(device, action);
        }
    }

    fn do_check(&mut self, device: DeviceId, action: check::Action) {
        match action {
            check::Action::Check { pick, turn } => {
                self.emit(Output::CheckSupplier { device, pick, turn });
            }
            check::Action::Refresh => self.refresh(device),
            check::Action::Suspect => self.suspect(device),
            check::Action::Withdraw { code, all, again } => {
                self.withdraw(device, code, all, again);
            }
            check::Action::Feed => self.serve(device),
            check::Action::Starve => self.serve_no_more(device),
            check::Action::Clear => self.emit(Output::TrustSupplier { device }),
            check::Action::Trust => self.trust(device),
        }
    }

    fn withdraw(&mut self, device: DeviceId, code: ErrorCode, all: bool, again: bool) {
        let Some(supplier) = self.suppliers.get_mut(&device) else {
            return;
        };
        let lost = std::mem::take(&mut supplier.lost);
        if all {
            return self.emit(Output::WithdrawAll {
                device,
                code,
                again,
            });
        }
        let shards: Vec<_> = lost.iter().copied().collect();
        supplier.telling = lost;
        let is_suspect = supplier.is_suspect();
        self.emit(Output::WithdrawShards {
            device,
            shards,
            code,
            is_suspect,
        });
    }

    /// Nothing that a supplier confirmed counts until it has proved what it keeps.
    fn suspect(&mut self, device: DeviceId) {
        self.serve_no_more(device);
        self.change_trust(device);
    }

    /// What a supplier confirmed counts again, and it gets what it is owed.
    fn trust(&mut self, device: DeviceId) {
        self.change_trust(device);
        if self.suppliers.get(&device).is_some_and(Supplier::is_ready) {
            self.tasks
                .push_back(Task::Head(head::Event::HolderOnline { device }));
        }
        self.serve(device);
    }

    fn change_trust(&mut self, device: DeviceId) {
        self.tasks
            .push_back(Task::Head(head::Event::HoldersChanged));
        if self.sets.is_counted(device) {
            self.packs_due.extend(self.packs.keys().copied());
        }
        self.census_due = true;
        self.jobs_due = true;
        self.settled_due = true;
    }

    /// A supplier may be given what it is owed, if it is there.
    pub(super) fn serve(&mut self, device: DeviceId) {
        if !self.is_ready(device) {
            return;
        }
        self.tell_transfers(device, transfer::Event::SupplierReady);
        self.serve_owed(device);
    }

    /// A supplier is given what it is owed, once it has told what it keeps of the lane (P20).
    pub(super) fn serve_owed(&mut self, device: DeviceId) {
        if self.is_ready(device) && self.has_told(device) {
            for event in [unspool::Event::Ready, unspool::Event::ShardOwed] {
                self.tasks.push_back(Task::Unspool(device, event));
            }
        }
    }

    /// A supplier is given nothing more.
    pub(super) fn serve_no_more(&mut self, device: DeviceId) {
        self.tell_transfers(device, transfer::Event::SupplierGone);
        self.tasks
            .push_back(Task::Unspool(device, unspool::Event::Gone));
    }

    /// Whether a supplier's confirmations count.
    pub(crate) fn is_trusted(&self, device: DeviceId) -> bool {
        self.suppliers
            .get(&device)
            .is_none_or(|supplier| !supplier.is_suspect())
    }

    /// Whether a supplier may be given shards, as far as trust goes.
    pub(super) fn may_receive(&self, device: DeviceId) -> bool {
        self.suppliers
            .get(&device)
            .is_none_or(|supplier| supplier.check.may_receive())
    }

    /// Whether somebody is suspect and there, and may soon count again.
    pub(super) fn is_hopeful(&self, device: DeviceId) -> bool {
        let supplier = self.suppliers.get(&device);
        let may_return = supplier.is_some_and(|it| it.is_suspect() && it.check.emptied() == 0);
        may_return && self.online.contains(&device)
    }
}

/// Wrong bytes and missing bytes are proof of loss.
const fn is_loss(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Corrupt | ErrorCode::NotFound)
}
