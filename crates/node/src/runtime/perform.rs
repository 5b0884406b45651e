//! Which wing does what the engine asks for, and which hears what tasks bring back.

use bitdust_engine::{Input, Output};
use bitdust_model::{DeviceId, ErrorCode, limits};

use tracing::error;

use super::Node;
use crate::shared::completion::Completion;
use crate::shared::supplier_request::SupplierRequest;
use crate::shared::task_event::TaskEvent;
use crate::suppliers::worker::PendingRequest;

impl Node {
    /// Performs what the engine asked for.
    pub(super) fn perform(&mut self, output: Output) {
        match Completion::of(&output, &self.context.task_events) {
            Some(completion) => self.begin(output, completion),
            None => self.take_note(output),
        }
    }

    /// Begins a deed; whoever ends it answers.
    fn begin(&mut self, output: Output, completion: Completion) {
        match output {
            Output::RetryWrites => self.retry_writes(completion),
            Output::PublishRecords
            | Output::RememberContact { .. }
            | Output::Dial { .. }
            | Output::SearchOffers { .. }
            | Output::AdoptSupplier { .. }
            | Output::Propose { .. }
            | Output::RecordSet { .. }
            | Output::CheckSupplier { .. }
            | Output::DoubtSupplier { .. } => self.begin_with_suppliers(output, completion),
            Output::WatchFolder { .. }
            | Output::BackUp { .. }
            | Output::StartScan { .. }
            | Output::SendShard { .. }
            | Output::SpoolShard { .. }
            | Output::LoadSpool { .. }
            | Output::CommitPack { .. }
            | Output::SealMetadata { .. }
            | Output::PutHead { .. }
            | Output::RecordCommit { .. } => self.begin_for_backup(output, completion),
            Output::StartRestore { .. }
            | Output::FetchRange { .. }
            | Output::Decode { .. }
            | Output::SeekLanes { .. }
            | Output::AskHeads { .. }
            | Output::RebuildCatalogue { .. } => self.begin_to_bring_back(output, completion),
            Output::AcceptContract { .. }
            | Output::AcceptStore { .. }
            | Output::PublishDeposits => {
                self.begin_for_others(output, completion);
            }
            Output::UnwatchFolder { .. }
            | Output::ReleasePack { .. }
            | Output::GiveUpFetch { .. }
            | Output::AllowAccess { .. }
            | Output::Refuse { .. }
            | Output::JobMoved { .. }
            | Output::JobEnded { .. } => {
                completion.done_with_others();
                misrouted("what only tells has no answer");
            }
        }
    }

    /// Has tasks of all wings try again what found no room on the disk.
    fn retry_writes(&mut self, completion: Completion) {
        let told = if self.context.disk_space.try_again() {
            completion.failed(ErrorCode::DiskFull)
        } else {
            completion.done(Input::NoWriteWaits)
        };
        self.driver.tell(told);
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` is the exhaustive match"
    )]
    fn begin_with_suppliers(&mut self, output: Output, completion: Completion) {
        let (driver, suppliers) = (&mut self.driver, &mut self.suppliers);
        match output {
            Output::PublishRecords => {
                suppliers.publish_records(driver, completion, self.service.free_space());
            }
            Output::RememberContact { device } => {
                suppliers.remember_contact(driver, completion, device);
            }
            Output::Dial { device } => suppliers.dial(driver, completion, device),
            Output::SearchOffers { slot } => suppliers.search_offers(driver, completion, slot),
            Output::AdoptSupplier { offer } => {
                suppliers.adopt_supplier(driver, completion, &offer);
            }
            Output::Propose { device, bytes } => {
                suppliers.propose(driver, completion, device, bytes);
            }
            Output::RecordSet { code, holders } => {
                suppliers.record_set(driver, completion, code, holders);
            }
            Output::CheckSupplier { device, pick } => {
                suppliers.check_supplier(driver, completion, device, pick);
            }
            Output::DoubtSupplier {
                device,
                code,
                again,
            } => suppliers.doubt_supplier(driver, completion, device, code, again),
            output => misrouted((&output).into()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` is the exhaustive match"
    )]
    fn begin_for_backup(&mut self, output: Output, completion: Completion) {
        let (driver, backup) = (&mut self.driver, &mut self.backup);
        match output {
            Output::WatchFolder { folder } => backup.watch_folder(driver, completion, folder),
            Output::BackUp { folders } => {
                let begun = backup.begin_by_itself(driver, completion, folders);
                self.front.job_began(begun);
            }
            Output::StartScan { job } => backup.start_scan(driver, completion, job),
            Output::SendShard {
                job,
                pack,
                position,
                device,
            } => {
                let request = backup.shard_to_send(job, pack, position);
                self.ask_supplier(completion, device, request);
            }
            Output::SpoolShard { pack, position } => {
                backup.spool_shard(driver, completion, pack, position);
            }
            Output::LoadSpool { device } => backup.load_spool(driver, completion, device),
            Output::CommitPack { pack } => backup.commit_pack(driver, completion, pack),
            Output::SealMetadata { job, folders } => {
                backup.seal_metadata(driver, completion, job, &folders);
            }
            Output::PutHead { device, sequence } => {
                backup.put_head(driver, completion, device, sequence);
            }
            Output::RecordCommit { sequence } => {
                let offer = self.suppliers.own_offer(self.service.free_space());
                backup.record_commit(driver, completion, sequence, offer);
            }
            output => misrouted((&output).into()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` is the exhaustive match"
    )]
    fn begin_to_bring_back(&mut self, output: Output, completion: Completion) {
        let driver = &mut self.driver;
        match output {
            Output::StartRestore { job } => self.restore.start_restore(driver, completion, job),
            Output::FetchRange {
                fetch,
                position,
                device,
                whole,
            } => {
                let request = self.restore.range_to_ask(fetch, position, whole);
                self.ask_supplier(completion, device, request);
            }
            Output::Decode { fetch, positions } => {
                self.restore.decode(driver, completion, fetch, &positions);
            }
            Output::SeekLanes { job } => self.recovery.seek_lanes(driver, completion, job),
            Output::AskHeads { job, device } => {
                self.recovery.ask_heads(driver, completion, job, device);
            }
            Output::RebuildCatalogue {
                job,
                lanes,
                confirmed,
                of,
            } => {
                let recovery = &self.recovery;
                recovery.rebuild_catalogue(driver, completion, job, &lanes, confirmed, of);
            }
            output => misrouted((&output).into()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` is the exhaustive match"
    )]
    fn begin_for_others(&mut self, output: Output, completion: Completion) {
        let (driver, service) = (&mut self.driver, &mut self.service);
        match output {
            Output::AcceptContract { ask } => service.accept_contract(driver, completion, ask),
            Output::AcceptStore { ask } => service.accept_store(driver, completion, ask),
            Output::PublishDeposits => service.publish_deposits(driver, completion),
            output => misrouted((&output).into()),
        }
    }

    /// Asks a supplier for something; there may be nothing left to ask for.
    fn ask_supplier(
        &mut self,
        completion: Completion,
        device: DeviceId,
        request: Option<SupplierRequest>,
    ) {
        let driver = &mut self.driver;
        match request {
            Some(request) => {
                let request = PendingRequest {
                    request,
                    completion,
                };
                self.suppliers.request(driver, device, request);
            }
            None => driver.tell(completion.failed(ErrorCode::NotFound)),
        }
    }

    /// Does what nobody waits for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` is the exhaustive match"
    )]
    fn take_note(&mut self, output: Output) {
        let driver = &mut self.driver;
        match output {
            Output::UnwatchFolder { folder } => self.backup.unwatch_folder(driver, folder),
            Output::ReleasePack { pack } => self.backup.release_pack(pack),
            Output::GiveUpFetch { fetch } => self.restore.give_up_fetch(fetch),
            Output::AllowAccess { ask } => self.service.allow_access(driver, ask),
            Output::Refuse { ask, code } => self.service.refuse(driver, ask, code),
            Output::JobMoved { job, phase } => self.front.job_moved(job, phase),
            Output::JobEnded {
                job,
                failure,
                unchanged,
            } => {
                // What was said before the end comes before it.
                self.tell_notices();
                let restored = self.restore.end(job);
                let end = self.backup.end(job).or(restored);
                let end = end.or_else(|| self.recovery.end(job, failure));
                if let Some(end) = end {
                    self.front.job_ended(job, failure, unchanged, end);
                }
                if self.front.is_idle() {
                    self.context.buffers.clear();
                }
            }
            output => misrouted((&output).into()),
        }
    }

    /// What tasks brought, in order; receipts that came one behind the other at once.
    pub(super) fn on_task_events(&mut self, events: Vec<TaskEvent>) {
        let mut receipts = Vec::new();
        for event in events {
            if let TaskEvent::Receipt {
                completion,
                receipt,
            } = event
            {
                self.front.something_moved();
                receipts.push((completion, receipt));
                continue;
            }
            let before = std::mem::take(&mut receipts);
            self.backup.receipts_came(&mut self.driver, before);
            self.settle();
            self.on_task_event(event);
            self.settle();
        }
        self.backup.receipts_came(&mut self.driver, receipts);
    }

    pub(super) fn on_task_event(&mut self, event: TaskEvent) {
        if let TaskEvent::StatusBuilt(status) = event {
            let held_up_by = self.held_up_by();
            return self.front.status_built(status, held_up_by.as_deref());
        }
        if let TaskEvent::StatusFound { status, reply } = event {
            let held_up_by = self.held_up_by();
            let status = status.map(|mut status| {
                self.front.refresh(&mut status, held_up_by.as_deref());
                status
            });
            return TaskEvent::StatusFound { status, reply }.answer_status();
        }
        self.front.something_moved();
        match event {
            TaskEvent::Input(input) => {
                if let Input::ContractSigned { device, bytes } = &input {
                    let driver = &mut self.driver;
                    self.suppliers.contract_signed(driver, *device, *bytes);
                }
                self.driver.tell(input);
            }
            TaskEvent::Sealed { .. }
            | TaskEvent::Scanned { .. }
            | TaskEvent::Receipt { .. }
            | TaskEvent::SpoolLoaded { .. }
            | TaskEvent::WatchOpened { .. }
            | TaskEvent::FolderCommand { .. } => self.bring_to_backup(event),
            TaskEvent::FetchWanted(_)
            | TaskEvent::Pieces { .. }
            | TaskEvent::Assembled { .. }
            | TaskEvent::Recovery { .. }
            | TaskEvent::Verified { .. }
            | TaskEvent::Restored { .. }
            | TaskEvent::RestoreFound { .. }
            | TaskEvent::LookUpEnded { .. } => self.bring_to_restore(event),
            TaskEvent::Dialed { .. }
            | TaskEvent::SetRecorded { .. }
            | TaskEvent::Offers { .. }
            | TaskEvent::Check { .. }
            | TaskEvent::Befriended { .. }
            | TaskEvent::FriendMade { .. }
            | TaskEvent::Asked(_)
            | TaskEvent::ContractKept { .. }
            | TaskEvent::StatusBuilt(_)
            | TaskEvent::StatusFound { .. } => self.bring_to_others(event),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`on_task_event` is the exhaustive match"
    )]
    fn bring_to_backup(&mut self, event: TaskEvent) {
        let (driver, backup) = (&mut self.driver, &mut self.backup);
        match event {
            TaskEvent::Sealed { job, flight } => backup.sealed(driver, job, *flight),
            TaskEvent::Scanned {
                completion,
                job,
                result,
            } => backup.scanned(driver, completion, job, result),
            TaskEvent::Receipt {
                completion,
                receipt,
            } => backup.receipts_came(driver, vec![(completion, receipt)]),
            TaskEvent::SpoolLoaded {
                completion,
                record,
                position,
                shard,
                device,
            } => backup.spool_loaded(driver, completion, record, position, shard, device),
            TaskEvent::WatchOpened {
                completion,
                folder,
                opened,
            } => backup.watch_opened(driver, completion, folder, opened),
            TaskEvent::FolderCommand { outcome, reply } => {
                let done = backup.command_done(driver, *outcome);
                self.answer_with_folder(done, reply);
            }
            _ => misrouted("not for a backup"),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`on_task_event` is the exhaustive match"
    )]
    fn bring_to_restore(&mut self, event: TaskEvent) {
        let (driver, restore) = (&mut self.driver, &mut self.restore);
        match event {
            TaskEvent::FetchWanted(request) => {
                if let Some(set) = restore.set_of(&request) {
                    let places = self.suppliers.places(set);
                    restore.fetch_wanted(driver, *request, places);
                }
            }
            TaskEvent::Pieces {
                completion,
                fetch,
                position,
                whole,
                pieces,
            } => restore.pieces_came(driver, completion, fetch, position, whole, pieces),
            TaskEvent::Assembled {
                completion,
                fetch,
                chunks,
            } => restore.assembled(driver, completion, fetch, chunks),
            TaskEvent::Recovery { completion, found } => {
                let learnt = self.recovery.moved(driver, completion, *found);
                self.suppliers.learn_sets(learnt.sets);
                self.suppliers.learn_contacts(learnt.contacts);
            }
            TaskEvent::Verified { job, view } => restore.verified(job, view),
            TaskEvent::Restored {
                completion,
                job,
                result,
            } => restore.restored(driver, completion, job, result),
            TaskEvent::RestoreFound { request, reply } => {
                let begun = restore.restore_found(driver, request);
                let answer = begun.map(|begun| self.job_began(begun));
                self.settle();
                // A front end that left does not wait for its answer.
                drop(reply.send(answer));
            }
            TaskEvent::LookUpEnded { job } => restore.look_up_ended(driver, job),
            _ => misrouted("not for a restore"),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`on_task_event` is the exhaustive match"
    )]
    fn bring_to_others(&mut self, event: TaskEvent) {
        let (driver, suppliers) = (&mut self.driver, &mut self.suppliers);
        match event {
            TaskEvent::Dialed { completion, device } => self.dialed(completion, device),
            TaskEvent::SetRecorded {
                completion,
                record,
                fact,
            } => {
                suppliers.set_recorded(record);
                self.backup.use_set(driver, completion, fact);
            }
            TaskEvent::Offers { completion, offers } => {
                suppliers.offers_found(driver, completion, offers);
            }
            TaskEvent::Check {
                completion,
                device,
                shard,
                pick,
            } => suppliers.check_piece(driver, completion, device, *shard, pick),
            TaskEvent::Befriended {
                device,
                identity,
                nickname,
                reply,
            } => suppliers.friend_recorded(driver, device, identity, nickname, reply),
            TaskEvent::FriendMade { invitation, reply } => {
                suppliers.friend_made(driver, &invitation);
                self.settle();
                self.answer_with_supplier(invitation.contact.device, reply);
            }
            TaskEvent::Asked(question) => self.service.asked(driver, *question),
            TaskEvent::ContractKept {
                completion,
                ask,
                lane,
                bytes,
            } => self
                .service
                .contract_kept(driver, completion, ask, lane, bytes),
            _ => misrouted("not for others"),
        }
    }

    /// A dial has ended well: the peer's news is in the queue, or was told.
    fn dialed(&mut self, completion: Completion, device: DeviceId) {
        for _ in 0..limits::NET_QUEUE_MAX {
            if self.suppliers.is_connected(device) {
                break;
            }
            let Ok(event) = self.inbox.net.try_recv() else {
                break;
            };
            self.on_net_event(event);
        }
        self.suppliers.dialed(&mut self.driver, completion, device);
    }
}

/// A defect of this file: nobody does it. What is asked for is answered by a failure.
fn misrouted(what: &str) {
    debug_assert!(false, "misrouted: {what}");
    error!(what, "Nobody does this");
}
