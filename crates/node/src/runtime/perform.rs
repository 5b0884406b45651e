//! Which wing does what the engine asks for.

use bitdust_engine::{Input, Output};
use bitdust_model::{DeviceId, ErrorCode};

use tracing::error;

use super::Node;
use crate::front::jobs::Kept;
use crate::shared::completion::Completion;
use crate::shared::supplier_request::SupplierRequest;
use crate::suppliers::worker::PendingSupplierRequest;
use crate::suppliers::{LostShards, RecordUpdate};

// Every output is in exactly one of these groups, and whoever takes a group names the others: one
// that is new is routed before anything compiles.
/// What suppliers are asked and given of the own lane.
macro_rules! of_lane {
    () => {
        Output::AskTip { .. }
            | Output::CatchUp { .. }
            | Output::ListShards { .. }
            | Output::PutHead { .. }
    };
}

macro_rules! for_suppliers {
    () => {
        Output::PublishRecords { .. }
            | Output::RememberContact { .. }
            | Output::Dial { .. }
            | Output::SearchOffers { .. }
            | Output::AdoptSupplier { .. }
            | Output::Propose { .. }
            | Output::RecordSet { .. }
            | Output::CheckSupplier { .. }
            | Output::WithdrawShards { .. }
            | Output::WithdrawAll { .. }
            | Output::TrustSupplier { .. }
            | of_lane!()
    };
}

macro_rules! for_backup {
    () => {
        Output::WatchFolder { .. }
            | Output::BackUp { .. }
            | Output::StartScan { .. }
            | Output::SendShard { .. }
            | Output::SpoolShard { .. }
            | Output::LoadSpool { .. }
            | Output::RemakeShard { .. }
            | Output::RemoveSpooled { .. }
            | Output::CommitPack { .. }
            | Output::SealMetadata { .. }
            | Output::RecordCommit { .. }
    };
}

macro_rules! to_bring_back {
    () => {
        Output::StartRestore { .. }
            | Output::FetchRange { .. }
            | Output::Decode { .. }
            | Output::SeekRoot { .. }
            | Output::SeekLanes { .. }
            | Output::AskHeads { .. }
            | Output::RebuildCatalogue { .. }
            | Output::EnterDevice { .. }
    };
}

macro_rules! for_others {
    () => {
        Output::RetryWrites
            | Output::AcceptContract { .. }
            | Output::AcceptStore { .. }
            | Output::AllowAccess { .. }
            | Output::PublishDeposits
    };
}

/// What only tells or frees something.
macro_rules! notes {
    () => {
        Output::UnwatchFolder { .. }
            | Output::ReleasePack { .. }
            | Output::ReleaseShard { .. }
            | Output::GiveUpFetch { .. }
            | Output::Refuse { .. }
            | Output::JobMoved { .. }
            | Output::JobEnded { .. }
    };
}

impl Node {
    /// Performs what the engine asked for.
    pub(super) fn perform(&mut self, output: Output) {
        match Completion::of(&output, &self.context.task_events) {
            Some(completion) => self.begin(output, completion),
            None => self.take_note(output),
        }
    }

    /// Begins an effect; whoever ends it answers.
    fn begin(&mut self, output: Output, completion: Completion) {
        match output {
            for_suppliers!() => self.begin_with_suppliers(output, completion),
            for_backup!() => self.begin_for_backup(output, completion),
            to_bring_back!() => self.begin_to_bring_back(output, completion),
            for_others!() => self.begin_for_others(output, completion),
            notes!() => {
                completion.done_with_others();
                misrouted((&output).into());
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

    fn begin_with_suppliers(&mut self, output: Output, completion: Completion) {
        let (driver, suppliers) = (&mut self.driver, &mut self.suppliers);
        match output {
            Output::PublishRecords { scope, settled } => {
                let update = RecordUpdate {
                    scope,
                    settled,
                    free: self.service.free_space(),
                };
                suppliers.publish_records(driver, completion, update);
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
            Output::CheckSupplier { device, pick, turn } => {
                suppliers.check_supplier(driver, completion, device, pick, turn);
            }
            Output::WithdrawShards {
                device,
                shards,
                code,
                is_suspect,
            } => {
                let lost = LostShards {
                    shards,
                    is_suspect,
                    code,
                };
                suppliers.withdraw_shards(driver, completion, device, lost);
            }
            Output::WithdrawAll { device, again, .. } => {
                suppliers.withdraw_all(driver, completion, device, again);
            }
            Output::TrustSupplier { device } => {
                suppliers.trust_supplier(driver, completion, device);
            }
            of_lane!() => self.begin_with_lane(output, completion),
            for_backup!() | to_bring_back!() | for_others!() | notes!() => {
                misrouted((&output).into())
            }
        }
    }

    /// What suppliers keep of the own lane is asked, taken in, or given.
    fn begin_with_lane(&mut self, output: Output, completion: Completion) {
        let (driver, suppliers) = (&mut self.driver, &mut self.suppliers);
        if let Output::AskTip { device } = output {
            suppliers.ask_tip(driver, completion, device);
        } else if let Output::CatchUp {
            devices,
            has_written,
        } = output
        {
            suppliers.catch_up(driver, completion, devices, has_written);
        } else if let Output::ListShards { device, pick } = output {
            suppliers.list_shards(driver, completion, device, pick);
        } else if let Output::PutHead { device, sequence } = output {
            suppliers.put_head(driver, completion, device, sequence);
        } else {
            misrouted((&output).into());
        }
    }

    fn begin_for_backup(&mut self, output: Output, completion: Completion) {
        let (driver, backup) = (&mut self.driver, &mut self.backup);
        match output {
            Output::WatchFolder { folder } => backup.watch_folder(driver, completion, folder),
            Output::BackUp { folders } => {
                let begun = backup.begin_scheduled(driver, completion, folders);
                self.front.job_began(begun);
            }
            Output::StartScan { job, at_hand } => {
                backup.start_scan(driver, completion, job, at_hand);
            }
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
            Output::RemoveSpooled {
                pack,
                position,
                device,
            } => backup.remove_spooled(driver, completion, pack, position, device),
            Output::RemakeShard { device, debts } => {
                backup.remake_shard(driver, completion, device, debts);
            }
            Output::CommitPack { pack } => backup.commit_pack(driver, completion, pack),
            Output::SealMetadata {
                job,
                folders,
                at_hand,
            } => {
                backup.seal_metadata(driver, completion, (job, at_hand), &folders);
            }
            Output::RecordCommit { sequence } => {
                backup.record_commit(driver, completion, sequence);
            }
            for_suppliers!() | to_bring_back!() | for_others!() | notes!() => {
                misrouted((&output).into())
            }
        }
    }

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
            Output::SeekRoot { job } => self.recovery.seek_root(driver, completion, job),
            Output::SeekLanes { job, devices } => {
                self.recovery.seek_lanes(driver, completion, job, devices);
            }
            Output::AskHeads { job, device } => {
                self.recovery.ask_heads(driver, completion, job, device);
            }
            Output::RebuildCatalogue { job, wanted } => {
                self.recovery
                    .rebuild_catalogue(driver, completion, job, wanted);
            }
            Output::EnterDevice { job, found } => {
                self.recovery.enter_device(driver, completion, job, &found);
            }
            for_suppliers!() | for_backup!() | for_others!() | notes!() => {
                misrouted((&output).into())
            }
        }
    }

    fn begin_for_others(&mut self, output: Output, completion: Completion) {
        let (driver, service) = (&mut self.driver, &mut self.service);
        match output {
            Output::RetryWrites => self.retry_writes(completion),
            Output::AcceptContract { ask } => service.accept_contract(driver, completion, ask),
            Output::AcceptStore { ask } => service.accept_store(driver, completion, ask),
            Output::AllowAccess { ask } => service.allow_access(driver, completion, ask),
            Output::PublishDeposits => service.publish_deposits(driver, completion),
            for_suppliers!() | for_backup!() | to_bring_back!() | notes!() => {
                misrouted((&output).into())
            }
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
                let request = PendingSupplierRequest {
                    request,
                    completion,
                };
                self.suppliers.request(driver, device, request);
            }
            None => driver.tell(completion.failed(ErrorCode::Cancelled)),
        }
    }

    /// How well everything is kept now.
    fn kept(&self) -> Kept {
        let view = self.engine.view();
        let owed = view.suppliers.iter().filter(|supplier| supplier.owed);
        Kept {
            protection: view.protection,
            owed: owed
                .map(|supplier| self.suppliers.name_of(supplier.device))
                .collect(),
        }
    }

    /// Does what nobody waits for.
    fn take_note(&mut self, output: Output) {
        let driver = &mut self.driver;
        match output {
            Output::UnwatchFolder { folder } => self.backup.unwatch_folder(driver, folder),
            Output::ReleasePack { pack } => self.backup.release_pack(pack),
            Output::ReleaseShard { pack, position } => self.backup.release_shard(pack, position),
            Output::GiveUpFetch { fetch, code } => self.restore.give_up_fetch(fetch, code),
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
                    let kept = self.kept();
                    self.front.job_ended(job, failure, unchanged, end, kept);
                }
                if self.front.is_idle() {
                    self.context.buffers.clear();
                }
            }
            for_suppliers!() | for_backup!() | to_bring_back!() | for_others!() => {
                misrouted((&output).into())
            }
        }
    }
}

/// A defect of the routes: nobody does it. What is asked for is answered by a failure.
pub(super) fn misrouted(what: &str) {
    debug_assert!(false, "misrouted: {what}");
    error!(what, "Nobody does this");
}
