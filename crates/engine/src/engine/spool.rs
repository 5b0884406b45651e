//! The spool: shards that wait on the disk for a supplier, and their way back into memory.

use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, PackId, Position};

use super::entries::Pack;
use super::{Engine, Step, Task};
use crate::fsm::{name, pack, transfer, unspool};
use crate::io::Output;
use crate::transition::{Machine, Subject};

impl Engine {
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
                unspool::Action::Remove { pack, position } => {
                    self.emit(Output::RemoveSpooled {
                        pack,
                        position,
                        device,
                    });
                }
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

    /// A spooled shard can never be sent: it is owed, and those behind it must not wait for it.
    pub(super) fn spooled_damaged(&mut self, pack: PackId, position: Position, device: DeviceId) {
        if self.holder_at(position) == Some(device) {
            self.tasks
                .push_back(Task::Transfer(pack, position, transfer::Event::Lost));
        }
        let event = unspool::Event::Damaged { pack, position };
        self.tasks.push_back(Task::Unspool(device, event));
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
}
