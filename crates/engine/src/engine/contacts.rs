//! Contacts: where connected peers are reached, and that the catalogue knows.

use bitdust_model::DeviceId;
use bitdust_model::limits::CONTACTS_MAX;

use super::{Engine, Step};
use crate::fsm::{contact, name};
use crate::io::Output;
use crate::transition::{Machine, Subject};

impl Engine {
    /// One step of a peer's machine, which is kept until the peer is gone and the catalogue has
    /// answered.
    pub(super) fn step_contact(&mut self, device: DeviceId, event: contact::Event) {
        let known = self.contacts.get(&device).copied();
        if known.is_none() && self.contacts.len() >= CONTACTS_MAX {
            return;
        }
        let subject = Subject::Device(device);
        let random = self.draw(Machine::Contact, subject);
        let before = known.unwrap_or_default();
        let mut out = Vec::new();
        let step = Step::of(Machine::Contact, subject, &before, &event);
        let state = contact::step(before, event, &self.moment(random), &mut out);
        self.noted(step, name(&state), !out.is_empty(), state.deadline());
        if state == contact::State::Away {
            self.contacts.remove(&device);
        } else {
            self.contacts.insert(device, state);
        }
        for action in out {
            match action {
                contact::Action::Record => self.emit(Output::RememberContact { device }),
            }
        }
    }
}
