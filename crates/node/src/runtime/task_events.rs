//! Which wing hears what tasks bring back.

use bitdust_engine::Input;
use bitdust_model::{DeviceId, limits};

use super::Node;
use super::perform::misrouted;
use crate::shared::completion::Completion;
use crate::shared::task_event::TaskEvent;

// Every event is in exactly one of these groups, or for the engine as it is, and whoever takes a
// group names the others: one that is new is routed before anything compiles.
macro_rules! from_backup {
    () => {
        TaskEvent::Sealed { .. }
            | TaskEvent::Scanned { .. }
            | TaskEvent::Receipt { .. }
            | TaskEvent::SpoolLoaded { .. }
            | TaskEvent::Remade { .. }
            | TaskEvent::WatchOpened { .. }
            | TaskEvent::FolderCommand { .. }
    };
}

macro_rules! from_restore {
    () => {
        TaskEvent::FetchWanted(_)
            | TaskEvent::Pieces { .. }
            | TaskEvent::Assembled { .. }
            | TaskEvent::Recovery { .. }
            | TaskEvent::Verified { .. }
            | TaskEvent::Restored { .. }
            | TaskEvent::RestoreFound { .. }
            | TaskEvent::LookUpEnded { .. }
    };
}

/// What somebody who looks at the node waits for; nothing has moved by it.
macro_rules! answers_people {
    () => {
        TaskEvent::StatusBuilt(_) | TaskEvent::StatusFound { .. }
    };
}

macro_rules! from_others {
    () => {
        TaskEvent::Dialed { .. }
            | TaskEvent::SetRecorded { .. }
            | TaskEvent::Offers { .. }
            | TaskEvent::Check { .. }
            | TaskEvent::LaneTaken { .. }
            | TaskEvent::Withdrawn { .. }
            | TaskEvent::Trusted { .. }
            | TaskEvent::Befriended { .. }
            | TaskEvent::FriendMade { .. }
            | TaskEvent::Asked(_)
            | TaskEvent::ContractKept { .. }
    };
}

impl Node {
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
        if !matches!(event, answers_people!()) {
            self.front.something_moved();
        }
        match event {
            TaskEvent::Input(input) => {
                if let Input::ContractSigned { device, bytes } = &input {
                    let driver = &mut self.driver;
                    self.suppliers.contract_signed(driver, *device, *bytes);
                }
                self.driver.tell(input);
            }
            from_backup!() => self.bring_to_backup(event),
            from_restore!() => self.bring_to_restore(event),
            from_others!() => self.bring_to_others(event),
            answers_people!() => self.bring_status(event),
        }
    }

    fn bring_status(&mut self, event: TaskEvent) {
        let awaited = self.awaited();
        match event {
            TaskEvent::StatusBuilt(status) => {
                self.front.status_built(status, &awaited);
            }
            TaskEvent::StatusFound { status, reply } => {
                let status = status.map(|mut status| {
                    self.front.refresh(&mut status, &awaited);
                    status
                });
                TaskEvent::StatusFound { status, reply }.answer_status();
            }
            TaskEvent::Input(_) | from_backup!() | from_restore!() | from_others!() => {
                misrouted("not for a status");
            }
        }
    }

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
            TaskEvent::SpoolLoaded { completion, owed } => {
                backup.spool_loaded(driver, completion, owed);
            }
            TaskEvent::Remade { completion, remade } => backup.remade(driver, completion, remade),
            TaskEvent::WatchOpened {
                completion,
                folder,
                opened,
            } => backup.watch_opened(driver, completion, folder, opened),
            TaskEvent::FolderCommand { outcome, reply } => {
                let done = backup.command_done(driver, *outcome);
                self.answer_with_folder(done, reply);
            }
            from_restore!() | from_others!() | answers_people!() | TaskEvent::Input(_) => {
                misrouted("not for a backup")
            }
        }
    }

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
                pieces,
            } => restore.pieces_came(driver, completion, fetch, position, pieces),
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
            } => {
                if let Some(path) = restore.restored(driver, completion, job, result) {
                    self.backup.folder_restored(driver, &path);
                }
            }
            TaskEvent::RestoreFound { request, reply } => {
                let begun = restore.restore_found(driver, request);
                let answer = begun.map(|begun| self.job_began(begun));
                self.settle();
                // A front end that left does not wait for its answer.
                drop(reply.send(answer));
            }
            TaskEvent::LookUpEnded { job } => restore.look_up_ended(driver, job),
            from_backup!() | from_others!() | answers_people!() | TaskEvent::Input(_) => {
                misrouted("not for a restore")
            }
        }
    }

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
            TaskEvent::Withdrawn {
                completion,
                device,
                code,
                withdrawn,
            } => suppliers.shards_withdrawn(driver, completion, device, code, withdrawn),
            TaskEvent::LaneTaken { completion, taken } => {
                let folders = suppliers.lane_taken(driver, completion, *taken);
                self.backup.folders_came_back(driver, folders);
            }
            TaskEvent::Trusted { completion, device } => {
                suppliers.supplier_trusted(driver, completion, device);
            }
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
            from_backup!() | from_restore!() | answers_people!() | TaskEvent::Input(_) => {
                misrouted("not for others")
            }
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
