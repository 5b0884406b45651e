//! What concerns the node as a whole: its start, its records, who is connected, its disk.

use bitdust_model::DeviceId;
use bitdust_model::limits::CONNECTIONS_MAX;
use bitdust_model::manifest::PackKind;

use crate::engine::entries::{Membership, Work};
use crate::engine::sets::Sets;
use crate::engine::{Engine, Task};
use crate::fsm::{
    contact, deposits, disk, fetch, head, holder_set, recovery, set_up, supplier_link,
    supplier_search, tip,
};
use crate::io::{Facts, Input};
use crate::ledger::Ledger;

impl Engine {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_network(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::Wake => self.wake(),
            Input::Started { facts, seed } => self.start(&facts, seed),
            Input::Listening => self.tasks.push_back(Task::SetUp(set_up::Event::Listening)),
            Input::RecordsPublished => {
                self.tasks.push_back(Task::SetUp(set_up::Event::Published));
                self.tasks
                    .push_back(Task::Search(supplier_search::Event::Reached));
                self.tasks
                    .push_back(Task::Deposits(deposits::Event::Reached));
            }
            Input::PublishFailed { .. } => {
                self.tasks.push_back(Task::SetUp(set_up::Event::Failed));
            }
            Input::PeerUp { device, .. } => self.peer_up(device),
            Input::PeerDown { device } => {
                self.online.remove(&device);
                self.pace.gone(device);
                // What only it had is asked of nobody any more.
                self.tasks
                    .push_back(Task::Head(head::Event::HoldersChanged));
                self.tasks.push_back(Task::Tip(device, tip::Event::Gone));
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Lost));
                self.tasks
                    .push_back(Task::Contact(device, contact::Event::Lost));
            }
            Input::ContactRemembered { device } => {
                self.tasks
                    .push_back(Task::Contact(device, contact::Event::Recorded));
            }
            Input::ContactNotRemembered { device, .. } => {
                self.tasks
                    .push_back(Task::Contact(device, contact::Event::NotRecorded));
            }
            Input::Dialed { device } => self.dialed(device),
            Input::DialFailed { device, .. } => self.dial_failed(device),
            Input::DiskFull => self.tasks.push_back(Task::Disk(disk::Event::NoSpace)),
            Input::NoWriteWaits => self.tasks.push_back(Task::Disk(disk::Event::NoneWaits)),
            Input::WritesWait => self.tasks.push_back(Task::Disk(disk::Event::SomeWait)),
            other => return Some(other),
        }
        None
    }

    /// The first input: takes up what the last run left.
    fn start(&mut self, facts: &Facts, seed: [u8; 32]) {
        if self.own.is_some() {
            return;
        }
        self.seed = seed;
        self.own = Some((facts.device, facts.identity));
        self.membership = Membership::of(facts);
        self.code_wanted = facts.code_wanted;
        self.suppliers_wanted = facts.suppliers_wanted;
        self.contract_bytes = facts.contract_bytes;
        self.offered = facts.offered;
        self.head_recorded = facts.head;
        self.settled = facts.settled;
        self.unlisted = facts.unlisted.iter().copied().collect();
        if let Some(sequence) = facts.head {
            let keepers = facts.head_keepers.iter().copied().collect();
            self.kept.insert(sequence, keepers);
        }
        self.ledger = Ledger::of(&facts.groups);
        for supplier in &facts.suppliers {
            self.add_supplier(supplier);
        }
        // Condemnations count before packs are looked at.
        while let Some(task) = self.tasks.pop_front() {
            self.run(task);
        }
        for customer in &facts.customers {
            self.add_customer(customer);
        }
        self.kept_for = facts.kept_for.iter().copied().collect();
        self.sets = Sets::of(&facts.sets, facts.home);
        if self.sets.home().is_some() {
            self.tasks
                .push_back(Task::HolderSet(holder_set::Event::Recorded));
        }
        // A draft whose commit pack can never be placed must never be given out; which commit
        // pack is the draft's is not known here, so any lost one ends it. The next backup
        // makes a new head with a larger number.
        let mut is_draft_sound = true;
        for pack in &facts.packs {
            let is_followed = self.continue_pack(pack);
            is_draft_sound &= is_followed || pack.kind != PackKind::Commit;
        }
        if let Some(sequence) = facts.head {
            self.tasks
                .push_back(Task::Head(head::Event::Known { sequence }));
        }
        let draft = facts.head_draft.filter(|draft| Some(*draft) > facts.head);
        if let Some(sequence) = draft.filter(|_| is_draft_sound) {
            self.tasks
                .push_back(Task::Head(head::Event::Signed { sequence }));
        }
        for folder in &facts.folders {
            self.schedule_folder(folder);
        }
        self.jobs_due = true;
        self.settled_due = true;
    }

    fn peer_up(&mut self, device: DeviceId) {
        self.dialing.remove(&device);
        if self.online.len() >= CONNECTIONS_MAX as usize {
            return;
        }
        self.online.insert(device);
        self.tasks
            .push_back(Task::Link(device, supplier_link::Event::Connected));
        self.tasks
            .push_back(Task::Contact(device, contact::Event::Hello));
        for &fetch in self.fetches.keys() {
            self.tasks
                .push_back(Task::Fetch(fetch, fetch::Event::PeerUp { device }));
        }
        self.tell_recoveries(&recovery::Event::PeerUp { device });
    }

    /// A dial is over. One whose connection was not taken up, or ended before it was told, has
    /// failed.
    fn dialed(&mut self, device: DeviceId) {
        if self.online.contains(&device) {
            self.dialing.remove(&device);
        } else {
            self.dial_failed(device);
        }
    }

    fn dial_failed(&mut self, device: DeviceId) {
        self.dialing.remove(&device);
        self.tasks
            .push_back(Task::Link(device, supplier_link::Event::DialFailed));
        self.tell_recoveries(&recovery::Event::DialFailed { device });
    }

    fn tell_recoveries(&mut self, event: &recovery::Event) {
        for (&job, entry) in &self.jobs {
            if matches!(entry.work, Work::Recovery(_)) {
                self.tasks.push_back(Task::Recovery(job, event.clone()));
            }
        }
    }
}
