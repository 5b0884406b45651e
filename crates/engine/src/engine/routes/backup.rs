//! What concerns backups: the folders, the jobs with their packs and heads, the shards.

use bitdust_model::manifest::PackKind;

use crate::engine::{Engine, Task};
use crate::fsm::{backup, folder_watch, head, pack, transfer, unspool};
use crate::io::{Input, ReceiptFact};

impl Engine {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_folders(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::FolderScheduled { fact } => self.schedule_folder(&fact),
            Input::FolderForgotten { folder } => self.forget_folder(folder),
            Input::FolderWatched { folder } => {
                self.tasks
                    .push_back(Task::Watch(folder, folder_watch::Event::Watched));
            }
            Input::FolderUnwatchable { folder, .. } => {
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
            Input::CatalogueDamaged => self.catalogue_is_damaged(),
            Input::LaneClosed => self.lane_closed(),
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_backup(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::BackupAsked {
                job,
                folders,
                is_scheduled,
            } => self.ask_backup(job, folders, is_scheduled),
            Input::BackupNotBegun { folders, code } => self.folders_failed(&folders, code),
            Input::CancelAsked { job } => self.cancel(job),
            Input::PackSealed {
                job,
                pack,
                set,
                kind,
                ..
            } => self.add_pack(job, pack, set, kind),
            Input::ScanFinished { job, versions } => self.scan_finished(job, &versions),
            Input::ScanFailed { job, code } => {
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::ScanFailed { code }));
            }
            Input::PackCommitted { pack, moved } => {
                moved.iter().for_each(|change| self.ledger.apply(change));
                self.tasks
                    .push_back(Task::Pack(pack, pack::Event::Recorded));
            }
            Input::PackNotCommitted { pack, .. } => {
                self.tasks
                    .push_back(Task::Pack(pack, pack::Event::NotRecorded));
            }
            Input::MetadataSealed { job, sequence } => self.metadata_sealed(job, sequence),
            Input::MetadataFailed { job, code } => {
                // What was lost meanwhile is in no head.
                self.sealing_ended(job);
                self.tasks
                    .push_back(Task::Backup(job, backup::Event::MetadataFailed { code }));
            }
            Input::HeadKept { device, sequence } => self.head_kept_by(device, sequence),
            Input::HeadRefused {
                device,
                sequence,
                code,
            } => self.head_refused(device, sequence, code),
            Input::CommitRecorded { sequence, moved } => self.commit_recorded(sequence, &moved),
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
    pub(super) fn route_shards(&mut self, input: Input) -> Option<Input> {
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
                self.note_failure(device, code);
                self.tell_unspool(pack, position, device, unspool::Event::SendFailed);
                let event = transfer::Event::SendFailed { code };
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
            other => return self.route_spool(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    fn route_spool(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::ShardSpooled { pack, position } => {
                self.tasks
                    .push_back(Task::Transfer(pack, position, transfer::Event::Spooled));
                self.tell_spooled(pack, position);
            }
            Input::SpoolFailed {
                pack,
                position,
                code,
            } => {
                let event = transfer::Event::SpoolFailed { code };
                self.tasks.push_back(Task::Transfer(pack, position, event));
            }
            Input::SpoolLoaded(owed) => self.spool_loaded(owed),
            Input::ShardRemade(owed) => self.shard_remade(owed),
            Input::NothingOwed { device } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::NothingOwed));
            }
            Input::RemakeFailed { device, .. } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::RemakeFailed));
            }
            Input::SpoolEmpty { device } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::NothingLeft));
            }
            Input::SpooledDamaged {
                pack,
                position,
                device,
            } => self.spooled_damaged(pack, position, device),
            Input::SpooledRemoved { device } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::Removed));
            }
            Input::SpooledNotRemoved { device, .. } => {
                self.tasks
                    .push_back(Task::Unspool(device, unspool::Event::NotRemoved));
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
            moved,
        } = receipt;
        moved.iter().for_each(|change| self.ledger.apply(change));
        self.settled_due |= moved.is_some();
        if moved.is_some_and(|moved| moved.to.kind != PackKind::Data) {
            // Whoever has all lists may be given the head, also if it was too early before.
            self.tasks
                .push_back(Task::Head(head::Event::ListsKept { device }));
        }
        self.refresh(device);
        self.note_receipted(pack);
        self.note_spread();
        // Made anew and stored, and yet the ledger did not move: the next try is not at once, or it
        // would go on like that for ever.
        let event = if moved.is_none() && self.is_remade(pack, position) {
            unspool::Event::SendFailed
        } else {
            unspool::Event::Sent
        };
        self.tell_unspool(pack, position, device, event);
        // A receipt of somebody else than the holder confirms nothing.
        if self.is_for(device, pack, position) {
            self.tasks
                .push_back(Task::Transfer(pack, position, transfer::Event::Stored));
        }
    }
}
