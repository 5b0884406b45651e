//! What suppliers are owed: shards that wait on the disk, or that are made anew, and their way into
//! memory.

use bitdust_model::{DeviceId, PackId, Position};

use super::entries::Pack;
use super::{Engine, Step, Task};
use crate::fsm::{name, pack, transfer, unspool};
use crate::io::{DebtFact, Output, OwedFact, SetFact};
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn step_unspool(&mut self, device: DeviceId, event: unspool::Event) {
        let random = self.draw(Machine::Unspool, Subject::Device(device));
        let moment = self.moment(random);
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let supply = unspool::Supply {
            is_ready: supplier.is_ready() && supplier.tip.is_open(),
            is_owed: self.lacks_something(device),
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
                    let debts = self.debts(device);
                    self.emit(Output::RemakeShard { device, debts });
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

    /// Whether a supplier lacks its shard of some committed pack, in any set.
    fn lacks_something(&self, device: DeviceId) -> bool {
        let mut places = self.sets.places_of(device);
        places.any(|(set, position)| self.ledger.is_owed(set.set, position))
    }

    /// Where a supplier may be owed shards: its place in each set, whether or not it counts there.
    fn debts(&self, device: DeviceId) -> Vec<DebtFact> {
        let debt = |(set, position): (&SetFact, Position)| DebtFact {
            set: set.set,
            position,
            reachable: self.reachable(set),
        };
        self.sets.places_of(device).map(debt).collect()
    }

    /// A spooled shard is in memory.
    pub(super) fn spool_loaded(&mut self, owed: OwedFact) {
        self.at_hand(&owed, unspool::Event::Loaded, transfer::Event::Loaded);
    }

    /// An owed shard was made anew.
    pub(super) fn shard_remade(&mut self, owed: OwedFact) {
        self.at_hand(&owed, unspool::Event::Remade, transfer::Event::Remade);
    }

    /// A shard is in memory for a supplier that waited for it.
    fn at_hand(&mut self, owed: &OwedFact, told: unspool::Event, event: transfer::Event) {
        let OwedFact {
            pack,
            set,
            position,
            device,
            ..
        } = *owed;
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
        let Some(set) = self
            .sets
            .get(set)
            .filter(|set| set.holder_at(position) == Some(device))
        else {
            // Of a set or a place that it does not hold: nobody counts it, but the shard is sent.
            self.send(pack, position, device);
            return;
        };
        // Where the ledger alone has it, it is followed again from here until it rests.
        let positions = set.positions.len();
        let followed = self.packs.entry(pack);
        followed.or_insert_with(|| followed_again(owed, positions));
        self.tasks.push_back(Task::Transfer(pack, position, event));
    }

    /// A shard lies in the spool: whoever it is for may be given it. Of a pack that is not followed any
    /// more nobody here knows the set.
    pub(super) fn tell_spooled(&mut self, pack: PackId, position: Position) {
        let holders: Vec<_> = match self.holder_of(pack, position) {
            Some(device) => vec![device],
            None => self.sets.holders_at(position).collect(),
        };
        for device in holders {
            let event = unspool::Event::ShardSpooled;
            self.tasks.push_back(Task::Unspool(device, event));
        }
    }

    /// A spooled shard can never be sent: it is owed, and those behind it must not wait for it.
    pub(super) fn spooled_damaged(&mut self, pack: PackId, position: Position, device: DeviceId) {
        if self.is_for(device, pack, position) {
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

/// A pack of a set of so many positions, of which somebody is owed a shard that is in memory now.
fn followed_again(owed: &OwedFact, positions: usize) -> Pack {
    let mut transfers = vec![transfer::State::Owed; positions];
    for position in owed.confirmed.positions() {
        if let Some(transfer) = transfers.get_mut(usize::from(position.0)) {
            *transfer = transfer::State::Confirmed;
        }
    }
    let state = if owed.is_committed {
        pack::State::Committed { held: false }
    } else {
        pack::State::Placing { held: false }
    };
    Pack {
        set: owed.set,
        kind: owed.kind,
        job: None,
        state,
        transfers,
    }
}
