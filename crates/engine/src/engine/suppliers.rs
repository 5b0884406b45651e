//! Suppliers: links, checks, the search for more, and the set they form.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::limits::SUPPLIERS_MAX;
use bitdust_model::{DeviceId, ErrorCode, Tick};

use super::entries::{Membership, Supplier};
use super::{Engine, Step, Task};
use crate::fsm::supplier_link::Role;
use crate::fsm::{
    check, head, holder_set, lane, name, set_up, supplier_link, supplier_search, tip, unspool,
};
use crate::io::{OfferFact, Output, SetFact, SupplierFact};
use crate::timer::WakeReason;
use crate::transition::{Machine, Subject};

impl Engine {
    /// Learns of a supplier that the catalogue knows; its link begins when the node listens.
    pub(super) fn add_supplier(&mut self, fact: &SupplierFact) {
        if self.know_supplier(fact) && self.listening {
            self.start_link(fact.device);
        }
    }

    /// Learns of a supplier; one that is known keeps its machines. Says whether it is new.
    fn know_supplier(&mut self, fact: &SupplierFact) -> bool {
        if let Some(known) = self.suppliers.get_mut(&fact.device) {
            known.friend |= fact.friend;
            let is_dropped = matches!(known.link, supplier_link::State::Dropped { .. });
            if !is_dropped {
                return false;
            }
        } else if self.suppliers.len() >= SUPPLIERS_MAX {
            return false;
        }
        let proved_ago = fact.proved_ago_ms.map(Duration::from_millis);
        let left = proved_ago.and_then(|ago| self.policy.receipt_counts_for.checked_sub(ago));
        let supplier = Supplier {
            identity: fact.identity,
            friend: fact.friend,
            contract: fact.contract,
            link: supplier_link::State::default(),
            check: check::State::default(),
            tip: tip::State::default(),
            lost: BTreeSet::new(),
            telling: BTreeSet::new(),
            unspool: unspool::State::default(),
            unspooling: None,
            fresh_until: left.map(|left| self.now + left),
            is_passed_over: false,
        };
        self.set_freshness(fact.device, supplier.fresh_until);
        self.suppliers.insert(fact.device, supplier);
        if let Some(emptied) = fact.suspect {
            let missed_ago = fact.missed_ago_ms.map(Duration::from_millis);
            let event = check::Event::Distrusted {
                emptied,
                missed_ago,
            };
            self.tasks.push_back(Task::Check(fact.device, event));
        } else if fact.contract.is_some() {
            let event = check::Event::Contracted { proved_ago };
            self.tasks.push_back(Task::Check(fact.device, event));
        }
        self.census_due = true;
        true
    }

    /// Takes a stranger as a supplier; nothing is said to it before the catalogue was told.
    fn adopt(&mut self, offer: OfferFact) {
        let fact = SupplierFact {
            device: offer.device,
            identity: offer.identity,
            friend: false,
            contract: None,
            proved_ago_ms: None,
            suspect: None,
            missed_ago_ms: None,
        };
        let device = offer.device;
        self.emit(Output::AdoptSupplier { offer });
        self.tasks
            .push_back(Task::Link(device, supplier_link::Event::Adopt));
        self.know_supplier(&fact);
    }

    /// The catalogue was told of a stranger.
    pub(super) fn adopted(&mut self, device: DeviceId) {
        if self.listening {
            self.start_link(device);
        }
    }

    /// The node is in the network: everybody may be dialed.
    pub(super) fn go_online(&mut self) {
        self.listening = true;
        self.census_due = true;
        self.tasks.push_back(Task::Lane(lane::Event::Began));
        let devices: Vec<_> = self.suppliers.keys().copied().collect();
        for device in devices {
            self.start_link(device);
        }
    }

    fn start_link(&mut self, device: DeviceId) {
        let contract = self
            .suppliers
            .get(&device)
            .is_some_and(|supplier| supplier.contract.is_some());
        let online = self.online.contains(&device);
        self.tasks.push_back(Task::Link(
            device,
            supplier_link::Event::Start { contract, online },
        ));
    }

    pub(super) fn step_link(&mut self, device: DeviceId, event: supplier_link::Event) {
        let random = self.draw(Machine::SupplierLink, Subject::Device(device));
        let moment = self.moment(random);
        let Some(supplier) = self.suppliers.get(&device) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(
            Machine::SupplierLink,
            Subject::Device(device),
            &supplier.link,
            &event,
        );
        let had_contract = supplier.link.has_contract();
        let role = self.role_of(supplier);
        let link = supplier_link::step(supplier.link, event, &moment, role, &mut out);
        self.noted(step, name(&link), !out.is_empty(), link.deadline());
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.link = link;
        }
        self.census_due = true;
        self.jobs_due = true;
        if link.has_contract() && !had_contract {
            let event = check::Event::Contracted { proved_ago: None };
            self.tasks.push_back(Task::Check(device, event));
        }
        for action in out {
            self.do_link(device, action);
        }
    }

    fn role_of(&self, supplier: &Supplier) -> Role {
        if self.membership == Membership::Reader {
            Role::Source
        } else if supplier.friend {
            Role::Friend
        } else {
            Role::Stranger
        }
    }

    fn do_link(&mut self, device: DeviceId, action: supplier_link::Action) {
        match action {
            supplier_link::Action::Dial => {
                if self.dial(device) {
                    self.tasks
                        .push_back(Task::Link(device, supplier_link::Event::Connected));
                }
            }
            supplier_link::Action::Propose => {
                self.emit(Output::Propose {
                    device,
                    bytes: self.contract_bytes,
                });
            }
            supplier_link::Action::Ready => {
                self.answered(device);
                self.tasks.push_back(Task::Tip(device, tip::Event::Online));
                self.tasks
                    .push_back(Task::Check(device, check::Event::Online));
                if self.is_trusted(device) {
                    self.tasks
                        .push_back(Task::Head(head::Event::HolderOnline { device }));
                }
                self.serve(device);
            }
            supplier_link::Action::Away => self.serve_no_more(device),
            supplier_link::Action::Forget => {
                self.suppliers.remove(&device);
                self.heard.remove(&device);
                self.set_freshness(device, None);
                for machine in [
                    Machine::SupplierLink,
                    Machine::Check,
                    Machine::Tip,
                    Machine::Unspool,
                ] {
                    self.timers.set(
                        WakeReason {
                            machine,
                            subject: Subject::Device(device),
                        },
                        None,
                    );
                }
            }
        }
    }

    /// A proof or a receipt came: it counts for a while.
    pub(super) fn refresh(&mut self, device: DeviceId) {
        let until = self.now + self.policy.receipt_counts_for;
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.fresh_until = Some(until);
            self.set_freshness(device, Some(until));
        }
        self.answered(device);
    }

    /// A supplier gave a sign of life: the next version waits for it again.
    pub(super) fn answered(&mut self, device: DeviceId) {
        if let Some(supplier) = self.suppliers.get_mut(&device) {
            supplier.is_passed_over = false;
        }
    }

    /// A supplier that does not answer at all is not waited for before it does.
    pub(super) fn note_failure(&mut self, device: DeviceId, code: ErrorCode) {
        if code == ErrorCode::TimedOut {
            self.pass_over([device]);
        }
    }

    /// A version is made without suppliers that did not answer in time.
    pub(super) fn pass_over(&mut self, devices: impl IntoIterator<Item = DeviceId>) {
        for device in devices {
            if let Some(supplier) = self.suppliers.get_mut(&device) {
                supplier.is_passed_over = true;
            }
        }
    }

    /// Wakes the node when a confirmation ends, so that what it shows is never too good.
    fn set_freshness(&mut self, device: DeviceId, until: Option<Tick>) {
        let reason = WakeReason {
            machine: Machine::HolderSet,
            subject: Subject::Device(device),
        };
        self.timers.set(reason, until);
    }

    pub(super) fn step_search(&mut self, event: supplier_search::Event) {
        let random = self.draw(Machine::SupplierSearch, Subject::Node);
        let devices: BTreeSet<_> = self
            .suppliers
            .keys()
            .copied()
            .chain(self.own.map(|(device, _)| device))
            .collect();
        let identities: BTreeSet<_> = self
            .suppliers
            .values()
            .map(|supplier| supplier.identity)
            .chain(self.own.map(|(_, identity)| identity))
            .collect();
        let fit = supplier_search::Fit {
            bytes: self.contract_bytes,
            devices: &devices,
            identities: &identities,
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::SupplierSearch, Subject::Node, &self.search, &event);
        let moment = self.moment(random);
        self.search = supplier_search::step(self.search, event, &moment, &fit, &mut out);
        self.noted(
            step,
            name(&self.search),
            !out.is_empty(),
            self.search.deadline(),
        );
        for action in out {
            match action {
                supplier_search::Action::Search { slot } => {
                    self.emit(Output::SearchOffers { slot });
                }
                supplier_search::Action::Adopt { offer } => self.adopt(offer),
            }
        }
    }

    pub(super) fn step_holder_set(&mut self, event: holder_set::Event) {
        let random = self.draw(Machine::HolderSet, Subject::Node);
        let mut out = Vec::new();
        let step = Step::of(Machine::HolderSet, Subject::Node, &self.holder_set, &event);
        let moment = self.moment(random);
        self.holder_set = holder_set::step(self.holder_set, event, &moment, &mut out);
        let (to, deadline) = (name(&self.holder_set), self.holder_set.deadline());
        self.noted(step, to, !out.is_empty(), deadline);
        for action in out {
            match action {
                holder_set::Action::Record { code, holders } => {
                    self.emit(Output::RecordSet { code, holders });
                }
                holder_set::Action::Count => self.census_due = true,
            }
        }
    }

    /// A set was recorded: jobs may begin and everybody must find its holders.
    pub(super) fn adopt_set(&mut self, set: SetFact) {
        if !self.sets.form(set) {
            return;
        }
        self.jobs_due = true;
        self.lane_due = true;
        self.tasks
            .push_back(Task::HolderSet(holder_set::Event::Recorded));
        self.tasks
            .push_back(Task::SetUp(set_up::Event::LaneChanged));
    }

    /// Tells search and set how many suppliers there are.
    pub(super) fn count_suppliers(&mut self) {
        if !self.listening {
            return;
        }
        let mut hired = BTreeSet::new();
        let mut candidates = Vec::new();
        let mut friends_open = false;
        for (&device, supplier) in &self.suppliers {
            // One that lost everything twice needs somebody in its place.
            if supplier.check.emptied() > 1 {
                continue;
            }
            let contracted = supplier.link.has_contract();
            if contracted || supplier.link.is_pending() {
                hired.insert(supplier.identity);
            }
            friends_open |= supplier.friend && supplier.link.is_open();
            if contracted && !supplier.is_suspect() {
                candidates.push(holder_set::Candidate {
                    stranger: !supplier.friend,
                    device,
                    identity: supplier.identity,
                });
            }
        }
        let hired = u8::try_from(hired.len()).unwrap_or(u8::MAX);
        let wanted = match self.suppliers_wanted {
            0 => 0,
            wanted => wanted.max(self.code_wanted.map_or(0, bitdust_model::Code::n)),
        };
        let count = wanted.saturating_sub(hired);
        self.tasks
            .push_back(Task::Search(supplier_search::Event::Missing { count }));
        if self.sets.home().is_none() {
            let census = holder_set::Census {
                candidates,
                backup_waits: self.has_backup(),
                friends_open,
                wanted: self.suppliers_wanted,
                code_wanted: self.code_wanted,
            };
            self.tasks
                .push_back(Task::HolderSet(holder_set::Event::Counted { census }));
        }
    }

    /// Whether a supplier may be sent shards now.
    pub(crate) fn is_ready(&self, device: DeviceId) -> bool {
        self.suppliers.get(&device).is_some_and(Supplier::is_ready)
    }

    /// Holders that count in a set and are not suspect, and those of them that are connected with a
    /// contract.
    pub(crate) fn trusted_holders(
        &self,
        set: &SetFact,
    ) -> (BTreeSet<DeviceId>, BTreeSet<DeviceId>) {
        let holders = set.counted().map(|(_, device)| device);
        let trusted: BTreeSet<_> = holders.filter(|device| self.is_trusted(*device)).collect();
        let is_online = |device: &DeviceId| {
            let supplier = self.suppliers.get(device);
            self.online.contains(device)
                && supplier.is_some_and(|supplier| supplier.link.has_contract())
        };
        let online = trusted.iter().copied().filter(is_online).collect();
        (trusted, online)
    }
}
