//! What suppliers are owed: shards that wait on the disk, or that are made anew, and their way into
//! memory.

use bitdust_model::{DeviceId, PackId, Position};

use super::entries::Pack;
use super::{Engine, Step, Task};
use crate::fsm::{name, pack, transfer, unspool};
use crate::io::{Output, OwedFact};
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn step_unspool(&mut self, device: DeviceId, event: unspool::Event) {
        let random = self.draw(Machine::Unspool, Subject::Device(device));
        let moment = self.moment(random);
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let position = self.position_of(device);
        let set = self.set.as_ref().map(|set| set.set);
        let supply = unspool::Supply {
            is_ready: supplier.is_ready(),
            is_owed: set
                .zip(position)
                .is_some_and(|(set, position)| self.ledger.is_owed(set, position)),
        };
        let mut out = Vec::new();
        let subject = Subject::Device(device);
        let step = Step::of(Machine::Unspool, subject, &supplier.unspool, &event);
        let was_at_work = supplier.unspool.is_at_work();
        let state = unspool::step(supplier.unspool, event, &moment, supply, &mut out);
        // Jobs wait for those who are being given what they lack.
        self.jobs_due |= was_at_work != state.is_at_work();
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        let place = self
            .suppliers
            .get_mut(&device)
            .expect("it was there a few lines ago");
        place.unspool = state;
        for action in out {
            match action {
                unspool::Action::Load => self.emit(Output::LoadSpool { device }),
                unspool::Action::Remake => {
                    let reachable = self.reachable();
                    self.emit(Output::RemakeShard { device, reachable });
                }
                // The transfer sends it: it was told of it together with this machine.
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
    pub(super) fn spool_loaded(&mut self, owed: OwedFact) {
        self.at_hand(owed, unspool::Event::Loaded, transfer::Event::Loaded);
    }

    /// An owed shard was made anew.
    pub(super) fn shard_remade(&mut self, owed: OwedFact) {
        self.at_hand(owed, unspool::Event::Remade, transfer::Event::Remade);
    }

    /// A shard is in memory for a supplier that waited for it.
    fn at_hand(&mut self, owed: OwedFact, told: unspool::Event, event: transfer::Event) {
        let OwedFact {
            pack,
            kind,
            position,
            device,
            confirmed,
            is_committed,
        } = owed;
        self.tasks.push_back(Task::Unspool(device, told));
        if !self.may_receive(device) {
            // Suspect meanwhile: it is given nothing before it has proved something.
            self.emit(Output::ReleaseShard { pack, position });
            let event = unspool::Event::SendFailed;
            return self.tasks.push_back(Task::Unspool(device, event));
        }
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.unspooling = Some((pack, position));
        }
        if self.holder_at(position) != Some(device) {
            // Of a set that is not the current one: nobody counts it, but the shard is sent.
            self.send(pack, position, device);
            return;
        }
        if !self.packs.contains_key(&pack) {
            // The ledger has it: followed again from here until it rests.
            let positions = self.set.as_ref().map_or(0, |set| set.holders.len());
            let mut transfers = vec![transfer::State::Owed; positions];
            for position in confirmed.positions() {
                if let Some(transfer) = transfers.get_mut(usize::from(position.0)) {
                    *transfer = transfer::State::Confirmed;
                }
            }
            let state = if is_committed {
                pack::State::Committed { held: false }
            } else {
                pack::State::Placing { held: false }
            };
            let followed = Pack {
                kind,
                job: None,
                state,
                transfers,
            };
            self.packs.insert(pack, followed);
        }
        self.tasks.push_back(Task::Transfer(pack, position, event));
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

    /// Whether a shard that is being sent was made anew.
    pub(super) fn is_remade(&self, pack: PackId, position: Position) -> bool {
        let followed = self.packs.get(&pack);
        let transfer = followed.and_then(|pack| pack.transfers.get(usize::from(position.0)));
        let source = transfer::Source::Remade;
        transfer.is_some_and(
            |state| matches!(state, transfer::State::Sending { source: of, .. } if *of == source),
        )
    }

    /// A send was answered: if it was of the shard from the spool, the next may come.
    pub(super) fn tell_unspool(
        &mut self,
        pack: PackId,
        position: Position,
        device: DeviceId,
        event: unspool::Event,
    ) {
        if event == unspool::Event::SendFailed {
            // Also of a supplier that is not known any more.
            self.emit(Output::ReleaseShard { pack, position });
        }
        if let Some(supplier) = self.suppliers.get_mut(&device)
            && supplier.unspooling == Some((pack, position))
        {
            supplier.unspooling = None;
            self.tasks.push_back(Task::Unspool(device, event));
        }
    }
}
