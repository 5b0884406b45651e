//! Customers: whose data is kept here, and how much of it.

use bitdust_model::limits::CUSTOMERS_MAX;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, IdentityId};

use super::entries::Customer;
use super::{Engine, Step, Task};
use crate::fsm::{customer_link, name, set_up};
use crate::io::{Access, AskId, CustomerFact, Output};
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn add_customer(&mut self, fact: &CustomerFact) {
        if self.customers.len() >= CUSTOMERS_MAX {
            return;
        }
        let event = customer_link::Event::Known {
            agreed: fact.contract,
            used: fact.used,
        };
        self.step_customer(fact.lane, fact.identity, event);
    }

    /// Bytes agreed with all customers.
    pub(crate) fn promised(&self) -> ByteCount {
        self.promised_to(|_| true)
    }

    fn promised_to(&self, is_counted: impl Fn(DeviceId) -> bool) -> ByteCount {
        let mut sum = ByteCount(0);
        for (&lane, customer) in &self.customers {
            if is_counted(lane) {
                sum += customer.link.promised();
            }
        }
        sum
    }

    pub(super) fn propose(
        &mut self,
        ask: AskId,
        identity: IdentityId,
        lane: DeviceId,
        bytes: ByteCount,
    ) {
        if !self.customers.contains_key(&lane) && self.customers.len() >= CUSTOMERS_MAX {
            self.emit(Output::Refuse {
                ask,
                code: ErrorCode::QuotaExceeded,
            });
            return;
        }
        let room = self
            .offered
            .saturating_sub(self.promised_to(|other| other != lane));
        self.asks.insert(ask, lane);
        let event = customer_link::Event::Proposed { ask, bytes, room };
        self.step_customer(lane, identity, event);
    }

    pub(super) fn ask_store(
        &mut self,
        ask: AskId,
        identity: IdentityId,
        lane: DeviceId,
        bytes: ByteCount,
    ) {
        self.asks.insert(ask, lane);
        self.step_customer(
            lane,
            identity,
            customer_link::Event::StoreAsked { ask, bytes },
        );
    }

    /// What began with a question is done, or not.
    pub(super) fn end_ask(&mut self, ask: AskId, event: customer_link::Event) {
        let Some(lane) = self.asks.remove(&ask) else {
            return;
        };
        let Some(identity) = self.customers.get(&lane).map(|customer| customer.identity) else {
            return;
        };
        self.step_customer(lane, identity, event);
    }

    pub(super) fn ask_access(
        &mut self,
        ask: AskId,
        identity: IdentityId,
        device: DeviceId,
        access: Access,
    ) {
        // What lies here is its owner's to read, even where the contract was lost.
        let kin = self.kept_for.contains(&identity)
            || self
                .customers
                .values()
                .any(|customer| customer.identity == identity && customer.link.account().is_some());
        self.asks.insert(ask, device);
        let event = customer_link::Event::AccessAsked { ask, access, kin };
        self.step_customer(device, identity, event);
    }

    /// One step of a lane's machine. A lane that belongs to somebody else than who asks is,
    /// for the asker, a lane without a contract.
    fn step_customer(&mut self, lane: DeviceId, identity: IdentityId, event: customer_link::Event) {
        let known = self
            .customers
            .get(&lane)
            .filter(|customer| customer.identity == identity);
        let is_foreign = known.is_none() && self.customers.contains_key(&lane);
        let before = known.map_or_else(Default::default, |customer| customer.link.clone());
        let mut out = Vec::new();
        let subject = Subject::Device(lane);
        let step = Step::of(Machine::CustomerLink, subject, &before, &event);
        let link = customer_link::step(before, event, &mut out);
        self.noted(step, name(&link), !out.is_empty(), None);
        if is_foreign {
            // What it may not do is refused below.
        } else if link == customer_link::State::Unsigned {
            self.customers.remove(&lane);
        } else {
            self.customers.insert(lane, Customer { identity, link });
        }
        for action in out {
            match action {
                customer_link::Action::Accept { ask } if is_foreign => {
                    self.asks.remove(&ask);
                    self.emit(Output::Refuse {
                        ask,
                        code: ErrorCode::NotAllowed,
                    });
                }
                customer_link::Action::Accept { ask } => {
                    self.emit(Output::AcceptContract { ask });
                }
                // The offer says how much is free.
                customer_link::Action::TakeEffect { .. } => {
                    self.tasks
                        .push_back(Task::SetUp(set_up::Event::RecordsChanged));
                }
                customer_link::Action::AcceptStore { ask } => {
                    self.emit(Output::AcceptStore { ask });
                }
                customer_link::Action::Allow { ask } => self.emit(Output::AllowAccess { ask }),
                customer_link::Action::Refuse { ask, code } => {
                    self.asks.remove(&ask);
                    self.emit(Output::Refuse { ask, code });
                }
            }
        }
    }
}
