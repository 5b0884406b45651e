//! Which machine hears of which input.
//!
//! `family` names every input, so a new one does not compile before it has a home; each
//! family's route then tells the machines.

use bitdust_model::limits::CONNECTIONS_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, ErrorCode};

use super::entries::Work;
use super::{Engine, Task};
use crate::fsm::{
    backup, check, customer_link, deposits, fetch, folder_watch, head, holder_set, pack, recovery,
    restore, set_up, supplier_link, supplier_search, transfer, unspool,
};
use crate::io::{Facts, Input, ReceiptFact};

/// Inputs that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Network,
    Suppliers,
    Folders,
    Backup,
    Shards,
    Restore,
    Recovery,
    Customers,
}

#[rustfmt::skip] // a family a paragraph
const fn family(input: &Input) -> Family {
    match input {
        Input::Wake | Input::Started { .. } | Input::Listening | Input::RecordsPublished
        | Input::PublishFailed { .. } | Input::PeerUp { .. } | Input::PeerDown { .. }
        | Input::Dialed { .. } | Input::DialFailed { .. } => Family::Network,
        Input::SuppliersWanted { .. } | Input::CodeWanted { .. } | Input::FriendMade { .. }
        | Input::OffersFound { .. } | Input::SearchFailed { .. }
        | Input::SupplierAdopted { .. } | Input::AdoptFailed { .. }
        | Input::ContractSigned { .. } | Input::ContractRefused { .. }
        | Input::SetRecorded { .. } | Input::SetNotRecorded { .. } | Input::CheckPassed { .. }
        | Input::CheckFailed { .. } | Input::CheckEmpty { .. } | Input::DoubtRecorded { .. }
        | Input::DoubtNotRecorded { .. } => Family::Suppliers,
        Input::FolderPlanned { .. } | Input::FolderForgotten { .. }
        | Input::FolderWatched { .. } | Input::FolderUnwatchable { .. }
        | Input::FolderChanged { .. } | Input::FolderGone { .. } | Input::Resumed => Family::Folders,
        Input::BackupAsked { .. } | Input::BackupNotBegun { .. } | Input::CancelAsked { .. }
        | Input::PackSealed { .. } | Input::ScanFinished { .. }
        | Input::ScanFailed { .. } | Input::PackCommitted { .. }
        | Input::PackNotCommitted { .. } | Input::MetadataSealed { .. }
        | Input::MetadataFailed { .. } | Input::HeadKept { .. } | Input::HeadRefused { .. }
        | Input::CommitRecorded { .. } | Input::CommitNotRecorded { .. } => Family::Backup,
        Input::ShardsStored { .. } | Input::SendFailed { .. } | Input::ShardSpooled { .. }
        | Input::SpoolFailed { .. } | Input::SpoolLoaded { .. } | Input::SpoolEmpty { .. }
        | Input::SpoolUnreadable { .. } => Family::Shards,
        Input::RestoreAsked { .. } | Input::FetchWanted { .. } | Input::RangeFetched { .. }
        | Input::RangeFailed { .. } | Input::FetchDecoded { .. } | Input::DecodeFailed { .. }
        | Input::RestoreWritten { .. } | Input::RestoreFailed { .. }
        | Input::LookUpEnded { .. } => Family::Restore,
        Input::RecoverAsked { .. } | Input::LanesFound { .. } | Input::LanesMissing { .. }
        | Input::SeekFailed { .. } | Input::HeadsHeard { .. } | Input::HeadsFailed { .. }
        | Input::CatalogueRebuilt { .. } | Input::RebuildFailed { .. } => Family::Recovery,
        Input::OfferChanged { .. } | Input::ContractProposed { .. }
        | Input::ContractRecorded { .. } | Input::ContractNotRecorded { .. }
        | Input::StoreAsked { .. } | Input::ShardKept { .. } | Input::StoreAborted { .. }
        | Input::AccessAsked { .. } | Input::BytesReleased { .. } | Input::DepositsPublished
        | Input::DepositsFailed { .. } => Family::Customers,
    }
}

impl Engine {
    /// Gives an input to the machines it concerns.
    pub(super) fn route(&mut self, input: Input) {
        let left = match family(&input) {
            Family::Network => self.route_network(input),
            Family::Suppliers => self.route_suppliers(input),
            Family::Folders => self.route_folders(input),
            Family::Backup => self.route_backup(input),
            Family::Shards => self.route_shards(input),
            Family::Restore => self.route_restore(input),
            Family::Recovery => self.route_recovery(input),
            Family::Customers => self.route_customers(input),
        };
        debug_assert!(
            left.is_none(),
            "a family without a route for its input: {left:?}"
        );
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_network(&mut self, input: Input) -> Option<Input> {
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
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Lost));
            }
            Input::Dialed { device } => self.dialed(device),
            Input::DialFailed { device } => self.dial_failed(device),
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
        self.code_wanted = facts.code_wanted;
        self.suppliers_wanted = facts.suppliers_wanted;
        self.contract_bytes = facts.contract_bytes;
        self.offered = facts.offered;
        self.head_recorded = facts.head;
        for supplier in &facts.suppliers {
            self.add_supplier(supplier);
        }
        // Doubts count before packs are looked at.
        while let Some(task) = self.tasks.pop_front() {
            self.run(task);
        }
        for customer in &facts.customers {
            self.add_customer(customer);
        }
        if let Some(set) = &facts.set {
            self.set = Some(set.clone());
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
            self.plan_folder(folder);
        }
        self.jobs_due = true;
    }

    fn peer_up(&mut self, device: DeviceId) {
        self.dialing.remove(&device);
        if self.online.len() >= CONNECTIONS_MAX as usize {
            return;
        }
        self.online.insert(device);
        self.tasks
            .push_back(Task::Link(device, supplier_link::Event::Connected));
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

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_suppliers(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::SuppliersWanted { count } => {
                self.suppliers_wanted = count;
                self.census_due = true;
                self.jobs_due = true;
            }
            Input::CodeWanted { code } => {
                self.code_wanted = code;
                self.census_due = true;
                self.jobs_due = true;
            }
            Input::FriendMade { supplier } => self.add_supplier(&supplier),
            Input::OffersFound { offers } => {
                let event = supplier_search::Event::OffersFound { offers };
                self.tasks.push_back(Task::Search(event));
            }
            Input::SearchFailed { .. } => {
                self.tasks
                    .push_back(Task::Search(supplier_search::Event::Failed));
            }
            // One whom the catalogue did not take is entered with its contract.
            Input::SupplierAdopted { device } | Input::AdoptFailed { device, .. } => {
                self.adopted(device);
            }
            Input::ContractSigned { device, bytes } => {
                if let Some(supplier) = self.suppliers.get_mut(&device) {
                    supplier.contract = Some(bytes);
                }
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Signed));
            }
            Input::ContractRefused { device, code } => {
                self.tasks
                    .push_back(Task::Link(device, supplier_link::Event::Refused { code }));
            }
            Input::SetRecorded { set } => self.adopt_set(set),
            Input::SetNotRecorded { .. } => {
                self.tasks
                    .push_back(Task::HolderSet(holder_set::Event::NotRecorded));
            }
            Input::CheckPassed { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Passed));
            }
            Input::CheckFailed { device, code } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Failed { code }));
            }
            Input::CheckEmpty { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Empty));
            }
            Input::DoubtRecorded { device } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::Recorded));
            }
            Input::DoubtNotRecorded { device, .. } => {
                self.tasks
                    .push_back(Task::Check(device, check::Event::NotRecorded));
            }
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_folders(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::FolderPlanned { fact } => self.plan_folder(&fact),
            Input::FolderForgotten { folder } => self.forget_folder(folder),
            Input::FolderWatched { folder } => {
                self.tasks
                    .push_back(Task::Watch(folder, folder_watch::Event::Watched));
            }
            Input::FolderUnwatchable { folder } => {
                self.tasks
                    .push_back(Task::Watch(folder, folder_watch::Event::Unwatchable));
            }
            Input::FolderChanged { folder } => {
                self.tasks
                    .push_back(Task::Watch(folder, folder_watch::Event::Changed));
            }
            Input::FolderGone { folder } => {
                self.tasks
                    .push_back(Task::Watch(folder, folder_watch::Event::Gone));
            }
            Input::Resumed => self.resumed(),
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_backup(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::BackupAsked {
                job,
                folders,
                by_itself,
            } => self.ask_backup(job, folders, by_itself),
            Input::BackupNotBegun { folders, code } => self.folders_failed(&folders, code),
            Input::CancelAsked { job } => self.cancel(job),
            Input::PackSealed {
                job, pack, kind, ..
            } => self.add_pack(job, pack, kind),
            Input::ScanFinished { job, versions } => self.scan_finished(job, &versions),
            Input::ScanFailed { job, code } => {
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::ScanFailed { code }));
            }
            Input::PackCommitted { pack } => {
                self.tasks
                    .push_back(Task::Pack(pack, pack::Event::Recorded));
            }
            Input::PackNotCommitted { pack, .. } => {
                self.tasks
                    .push_back(Task::Pack(pack, pack::Event::NotRecorded));
            }
            Input::MetadataSealed { job, sequence } => self.metadata_sealed(job, sequence),
            Input::MetadataFailed { job, code } => {
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::MetadataFailed { code }));
            }
            Input::HeadKept { device, sequence } => {
                self.tasks
                    .push_back(Task::Head(head::Event::Kept { device, sequence }));
            }
            Input::HeadRefused {
                device,
                sequence,
                code,
            } => {
                let event = head::Event::Declined {
                    device,
                    sequence,
                    code,
                };
                self.tasks.push_back(Task::Head(event));
                if code == ErrorCode::NoContract {
                    let event = supplier_link::Event::ContractUnknown;
                    self.tasks.push_back(Task::Link(device, event));
                }
            }
            Input::CommitRecorded { sequence } => self.commit_recorded(sequence),
            Input::CommitNotRecorded { sequence, .. } => {
                self.tasks
                    .push_back(Task::Head(head::Event::NotRecorded { sequence }));
            }
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_shards(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::ShardsStored { receipts } => {
                for receipt in receipts {
                    self.shard_stored(receipt);
                }
            }
            Input::SendFailed {
                pack,
                position,
                device,
                code,
            } => {
                self.tell_unspool(pack, position, device, unspool::Event::SendFailed);
                let event = transfer::Event::SendFailed { code };
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
            Input::ShardSpooled { pack, position } => {
                self.tasks
                    .push_back(Task::Transfer(pack, position, transfer::Event::Spooled));
                if let Some(device) = self.holder_at(position) {
                    self.tasks
                        .push_back(Task::Unspool(device, unspool::Event::ShardSpooled));
                }
            }
            Input::SpoolFailed {
                pack,
                position,
                code,
            } => {
                let event = transfer::Event::SpoolFailed { code };
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
            Input::SpoolLoaded {
                pack,
                kind,
                position,
                device,
            } => {
                self.spool_loaded(pack, kind, position, device);
            }
            Input::SpoolEmpty { device } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::NothingLeft));
            }
            Input::SpoolUnreadable { device, .. } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::LoadFailed));
            }
            other => return Some(other),
        }
        None
    }

    /// A receipt: it confirms the shard and proves that the supplier is well.
    fn shard_stored(&mut self, receipt: ReceiptFact) {
        let ReceiptFact {
            pack,
            position,
            device,
        } = receipt;
        self.refresh(device);
        self.tell_unspool(pack, position, device, unspool::Event::Sent);
        // A receipt of somebody else than the holder confirms nothing.
        if self.holder_at(position) == Some(device) {
            self.tasks
                .push_back(Task::Transfer(pack, position, transfer::Event::Stored));
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_restore(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::RestoreAsked { job } => self.ask_restore(job),
            Input::FetchWanted {
                fetch,
                job,
                k,
                direct,
                places,
                ..
            } => {
                self.want_fetch(fetch, job, fetch::Plan { k, direct, places });
            }
            Input::RangeFetched { fetch, position } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::RangeFetched { position }));
            }
            Input::RangeFailed {
                fetch,
                position,
                device,
                code,
            } => {
                let event = fetch::Event::RangeFailed {
                    position,
                    device,
                    code,
                };
                self.tasks.push_back(Task::Fetch(fetch, event));
                // Wrong bytes are proof of loss, whoever asked for them.
                if code == ErrorCode::Corrupt {
                    let event = check::Event::Failed { code };
                    self.tasks.push_back(Task::Check(device, event));
                }
            }
            Input::FetchDecoded { fetch } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::Decoded));
            }
            Input::DecodeFailed { fetch } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::DecodeFailed));
            }
            Input::RestoreWritten { job, .. } => {
                self.tasks
                    .push_back(Task::Restore(job, restore::Event::Written));
            }
            Input::RestoreFailed { job, code } => {
                self.tasks
                    .push_back(Task::Restore(job, restore::Event::Failed { code }));
            }
            Input::LookUpEnded { job } => self.drop_fetches(job),
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_recovery(&mut self, input: Input) -> Option<Input> {
        let (job, event) = match input {
            Input::RecoverAsked { job } => {
                self.ask_recovery(job);
                return None;
            }
            Input::LanesFound { job, suppliers, k } => {
                let suppliers = suppliers
                    .into_iter()
                    .map(|supplier| supplier.device)
                    .collect();
                (job, recovery::Event::LanesFound { suppliers, k })
            }
            Input::LanesMissing { job } => (job, recovery::Event::LanesMissing),
            Input::SeekFailed { job, code } => (job, recovery::Event::SeekFailed { code }),
            Input::HeadsHeard { job, device, lanes } => {
                (job, recovery::Event::HeadsHeard { device, lanes })
            }
            Input::HeadsFailed { job, device } => (job, recovery::Event::HeadsFailed { device }),
            Input::CatalogueRebuilt { job, .. } => (job, recovery::Event::Rebuilt),
            Input::RebuildFailed { job, code } => (job, recovery::Event::RebuildFailed { code }),
            other => return Some(other),
        };
        self.tasks.push_back(Task::Recovery(job, event));
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_customers(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::OfferChanged { bytes } => {
                self.offered = bytes;
                self.tasks
                    .push_back(Task::SetUp(set_up::Event::OfferChanged));
            }
            Input::ContractProposed {
                ask,
                identity,
                lane,
                bytes,
                ..
            } => {
                self.propose(ask, identity, lane, bytes);
            }
            Input::ContractRecorded { ask } => {
                self.end_ask(ask, customer_link::Event::Recorded { ask });
            }
            Input::ContractNotRecorded { ask, .. } => {
                self.end_ask(ask, customer_link::Event::NotRecorded { ask });
            }
            Input::StoreAsked {
                ask,
                identity,
                lane,
                bytes,
            } => {
                self.ask_store(ask, identity, lane, bytes);
            }
            Input::ShardKept { ask } => {
                self.end_ask(ask, customer_link::Event::ShardKept { ask });
            }
            Input::StoreAborted { ask } => {
                self.end_ask(ask, customer_link::Event::StoreAborted { ask });
            }
            Input::AccessAsked {
                ask,
                identity,
                device,
                access,
            } => {
                self.ask_access(ask, identity, device, access);
            }
            Input::BytesReleased { lane, bytes } => self.release(lane, bytes),
            Input::DepositsPublished => {
                self.tasks
                    .push_back(Task::Deposits(deposits::Event::Published));
            }
            Input::DepositsFailed { .. } => {
                self.tasks
                    .push_back(Task::Deposits(deposits::Event::Failed));
            }
            other => return Some(other),
        }
        None
    }
}
