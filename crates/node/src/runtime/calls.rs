//! Which wing answers which call of a front end. Commands are done at once, those about folders in
//! their turn; questions are answered from a task, by the catalogue and by what the wings know when
//! it begins.

use bitdust_api::{Answer, ApiError, Call};
use bitdust_engine::{Input, JobId};
use bitdust_model::{DeviceId, ErrorCode};
use bitdust_source::WalkOptions;
use bitdust_store::catalogue::HistoryQuestion;
use tokio::sync::oneshot;

use super::Node;
use super::questions::Known;
use crate::backup::folders::{FolderAnswer, FolderCommand, check_turn};
use crate::front::history;
use crate::front::local::PendingCall;
use crate::front::status::{self, Seen};
use crate::shared::answer::Reported;
use crate::shared::context::Context;
use crate::shared::folder_outcome::FolderOutcome;
use crate::shared::job::Begun;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::words;

// Every call is the status, a setting, or in exactly one of these groups, and whoever answers a group
// names the others: one that is new is routed before anything compiles.
macro_rules! questions {
    () => {
        Call::SupplierList
            | Call::CustomerList
            | Call::FolderList
            | Call::Snapshots
            | Call::History { .. }
            | Call::DeviceList
    };
}

macro_rules! for_wings {
    () => {
        Call::List { .. }
            | Call::Restore { .. }
            | Call::Invite
            | Call::Accept { .. }
            | Call::FolderEstimate { .. }
            | Call::Search { .. }
            | Call::FileVersions { .. }
            | Call::Preview { .. }
    };
}

macro_rules! for_folders {
    () => {
        Call::FolderAdd { .. }
            | Call::FolderChange { .. }
            | Call::FolderRemove { .. }
            | Call::Backup { .. }
    };
}

macro_rules! commands {
    () => {
        Call::SettingsGet { .. }
            | Call::Offer { .. }
            | Call::SupplierHire { .. }
            | Call::SupplierFire { .. }
            | Call::Verify { .. }
            | Call::PhraseCheck { .. }
            | Call::Cancel { .. }
            | Call::Shutdown
    };
}

/// Each has its own way.
macro_rules! alone {
    () => {
        Call::Status | Call::SettingsSet { .. }
    };
}

fn catalogue_is_damaged() -> ApiError {
    let code = ErrorCode::CatalogueDamaged;
    ApiError::new(code, words::failure(code))
}

fn only_restores() -> ApiError {
    let code = ErrorCode::RestoreOnly;
    ApiError::new(code, words::failure(code))
}

/// Whether a call has the catalogue written into, and so what leads to it told to others.
const fn writes(call: &Call) -> bool {
    match call {
        for_folders!()
        | Call::Invite
        | Call::Accept { .. }
        | Call::SupplierHire { .. }
        | Call::SupplierFire { .. } => true,
        questions!()
        | alone!()
        | Call::List { .. }
        | Call::Restore { .. }
        | Call::FolderEstimate { .. }
        | Call::Search { .. }
        | Call::FileVersions { .. }
        | Call::Preview { .. }
        | Call::SettingsGet { .. }
        | Call::Offer { .. }
        | Call::Verify { .. }
        | Call::PhraseCheck { .. }
        | Call::Cancel { .. }
        | Call::Shutdown => false,
    }
}

/// Whether a call has this machine keep things for others, or look for those who keep its own.
fn offers(call: &Call) -> bool {
    match call {
        Call::Offer { bytes } => *bytes > 0,
        Call::SettingsSet { key, value } => {
            ["offer", "suppliers"].contains(&key.as_str()) && value != "0"
        }
        questions!()
        | for_folders!()
        | for_wings!()
        | Call::Status
        | Call::SettingsGet { .. }
        | Call::SupplierHire { .. }
        | Call::SupplierFire { .. }
        | Call::Verify { .. }
        | Call::PhraseCheck { .. }
        | Call::Cancel { .. }
        | Call::Shutdown => false,
    }
}

type CallReply = oneshot::Sender<Reported>;

impl Node {
    /// Answers a call, now or from a task.
    pub(super) fn answer(&mut self, pending: PendingCall) {
        let PendingCall { call, reply } = pending;
        if self.context.catalogue.is_damaged() && writes(&call) {
            return drop(reply.send(Err(catalogue_is_damaged())));
        }
        if self.is_restore_only && (writes(&call) || offers(&call)) {
            return drop(reply.send(Err(only_restores())));
        }
        match call {
            Call::Status => self.answer_with_status(reply),
            Call::SettingsSet { key, value } => self.set_setting(&key, &value, reply),
            questions!() => self.answer_question(call, reply),
            for_wings!() => self.answer_from_wing(call, reply),
            for_folders!() => self.command_folders(call, reply),
            commands!() => {
                let answer = self.command(call);
                // It has taken effect before it is answered.
                self.settle();
                // A front end that left does not wait for its answer.
                drop(reply.send(answer));
            }
        }
    }

    fn command(&mut self, call: Call) -> Reported {
        let driver = &mut self.driver;
        match call {
            Call::SettingsGet { key } => Ok(Answer::Settings(self.home.settings(key.as_deref())?)),
            Call::Offer { bytes } => {
                self.change_setting("offer", &bytes.to_string())?;
                Ok(Answer::Done)
            }
            Call::SupplierHire { count } => {
                self.change_setting("suppliers", &count.to_string())?;
                Ok(Answer::Done)
            }
            Call::SupplierFire { .. } => Err(not_yet("releasing a supplier")),
            Call::Verify { sample } => {
                let begun = self.restore.begin_verify(driver, sample);
                Ok(self.job_began(begun))
            }
            Call::PhraseCheck { phrase } => {
                let identity = self.context.identity;
                let is_right = self.home.check_phrase(driver, identity, &phrase)?;
                Ok(Answer::PhraseIsRight(is_right))
            }
            Call::Cancel { job } => self.cancel(JobId(job.0)),
            Call::Shutdown => {
                self.is_stopping = true;
                Ok(Answer::Done)
            }
            alone!() | questions!() | for_wings!() | for_folders!() => Err(elsewhere()),
        }
    }

    /// Shows a job that began, and gives its number.
    pub(super) fn job_began(&mut self, begun: Begun) -> Answer {
        let id = bitdust_api::JobId(begun.id.0);
        self.front.job_began(begun);
        self.checkup.job_began();
        Answer::Job(id)
    }

    fn set_setting(&mut self, key: &str, value: &str, reply: CallReply) {
        if self.context.catalogue.is_damaged() && ["suppliers", "code", "schedule"].contains(&key) {
            return drop(reply.send(Err(catalogue_is_damaged())));
        }
        // With another schedule folders are scheduled anew, in their turn: where that could not wait
        // nothing is changed.
        if key == "schedule"
            && let Err(error) = check_turn(&self.driver)
        {
            return drop(reply.send(Err(error)));
        }
        let changed = self.change_setting(key, value);
        // It has taken effect before it is answered.
        self.settle();
        match changed {
            // Also where it is the same as before: what was said by then may have failed half-way.
            Ok(()) if key == "schedule" => self.backup.schedule_all(&mut self.driver, reply),
            Ok(()) => drop(reply.send(Ok(Answer::Done))),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn change_setting(&mut self, key: &str, value: &str) -> Result<(), ApiError> {
        let config = self.home.set(&mut self.driver, key, value)?;
        self.suppliers.configure(config);
        self.service.configure(config);
        self.backup.configure(config);
        Ok(())
    }

    fn cancel(&mut self, job: JobId) -> Reported {
        if self.front.cancel(job)? {
            self.backup.stop(job);
            self.driver.tell(Input::CancelAsked { job });
        }
        Ok(Answer::Done)
    }

    /// Answers from a task with what the catalogue says, and with what the wings know when there is
    /// a place for it.
    fn answer_later(
        &mut self,
        reply: CallReply,
        find: impl FnOnce(&Context, &Seen) -> Reported + Send + 'static,
    ) {
        let context = self.context.clone();
        self.questions.ask(move |known: Known| async move {
            let seen = known.seen;
            known.written.wait().await;
            let found = blocking(move || find(&context, &seen)).await;
            let defect = |code| Err(ApiError::new(code, words::failure(code)));
            // A front end that left does not wait for its answer.
            drop(reply.send(found.unwrap_or_else(defect)));
        });
        self.begin_questions();
    }

    /// Begins the questions for which there is a place.
    pub(super) fn begin_questions(&mut self) {
        while let Some(begin) = self.questions.next(&self.driver) {
            let known = Known {
                seen: self.seen(),
                written: self.front.written(),
            };
            self.driver.answer(begin(known));
        }
    }

    /// Answers with a status; jobs and lines of the history are those of the moment it is given, not
    /// of the one in which it was looked up.
    fn answer_with_status(&mut self, reply: CallReply) {
        if !self.questions.can_wait() {
            return drop(reply.send(Err(busy())));
        }
        let context = self.context.clone();
        self.questions.ask(move |known: Known| async move {
            let (worker, seen) = (context.clone(), known.seen);
            known.written.wait().await;
            let found = blocking(move || status::status(&worker, &seen)).await;
            let found = found.unwrap_or_else(|code| Err(ApiError::new(code, words::failure(code))));
            let status = found.map(Box::new);
            let found = TaskEvent::StatusFound { status, reply };
            if let Err(error) = context.task_events.send(found).await {
                // The loop has ended; whoever asked is answered all the same.
                error.0.answer_status();
            }
        });
        self.begin_questions();
    }

    fn answer_question(&mut self, call: Call, reply: CallReply) {
        if !self.questions.can_wait() {
            return drop(reply.send(Err(busy())));
        }
        self.answer_later(reply, move |context, seen| question(context, seen, call));
    }

    /// Answers with a supplier that was recorded.
    pub(super) fn answer_with_supplier(&mut self, device: DeviceId, reply: CallReply) {
        self.answer_later(reply, move |context, seen| {
            status::supplier_view(context, seen, device).map(Answer::Supplier)
        });
    }

    fn command_folders(&mut self, call: Call, reply: CallReply) {
        let command = match call {
            Call::FolderAdd {
                path,
                excludes,
                crosses_mounts,
            } => FolderCommand::Add {
                path,
                excludes,
                crosses_mounts,
            },
            Call::FolderChange {
                folder,
                excludes,
                crosses_mounts,
                schedule,
            } => FolderCommand::Change {
                folder,
                excludes,
                crosses_mounts,
                schedule,
            },
            Call::FolderRemove { folder } => FolderCommand::Remove { folder },
            Call::Backup { folders } => FolderCommand::Backup { folders },
            alone!() | questions!() | for_wings!() | commands!() => {
                return drop(reply.send(Err(elsewhere())));
            }
        };
        self.backup.command(&mut self.driver, command, reply);
    }

    /// Answers a command about folders that was done.
    pub(super) fn answer_with_folder(
        &mut self,
        done: Result<FolderAnswer, ApiError>,
        reply: CallReply,
    ) {
        let answer = match done {
            Ok(FolderAnswer::Folder(folder)) => {
                // The engine schedules it, and people are told, before it is answered.
                self.settle();
                return self.answer_later(reply, move |context, seen| {
                    status::folder_view(context, seen, folder).map(Answer::Folder)
                });
            }
            Ok(FolderAnswer::Job(begun)) => Ok(self.job_began(begun)),
            Ok(FolderAnswer::Done) => Ok(Answer::Done),
            Err(error) => Err(error),
        };
        self.settle();
        drop(reply.send(answer));
    }

    /// Something was done while the node ends: people are told what the catalogue has, and nothing
    /// more is begun.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is left has done nothing yet, or people learn of it at the next start"
    )]
    pub(super) fn part_with(&mut self, event: TaskEvent) {
        match event {
            TaskEvent::FolderCommand { outcome, reply } => self.part_with_folder(*outcome, reply),
            TaskEvent::Befriended {
                device,
                identity,
                nickname,
                reply,
            } => {
                let driver = &mut self.driver;
                let suppliers = &mut self.suppliers;
                suppliers.friend_recorded(driver, device, identity, nickname, reply);
            }
            TaskEvent::FriendMade { invitation, .. } => {
                self.suppliers.friend_made(&mut self.driver, &invitation);
            }
            other => other.answer_status(),
        }
        self.tell_notices();
    }

    fn part_with_folder(&mut self, outcome: FolderOutcome, reply: CallReply) {
        if matches!(outcome, FolderOutcome::Chosen { .. }) {
            return;
        }
        let done = self.backup.command_done(&mut self.driver, outcome);
        // How a folder stands is not looked up any more; whoever asked learns that the node stopped.
        if let Ok(FolderAnswer::Done) = done {
            drop(reply.send(Ok(Answer::Done)));
        }
    }

    fn answer_from_wing(&mut self, call: Call, reply: CallReply) {
        let (driver, restore) = (&mut self.driver, &mut self.restore);
        match call {
            Call::List { target, after } => restore.list(driver, target, after, reply),
            Call::Restore {
                target,
                only,
                to,
                conflict,
            } => restore.ask_restore(driver, target, only, to, conflict, reply),
            Call::Invite => self.suppliers.invite(driver, reply),
            Call::Accept { code } => self.suppliers.accept_invitation(driver, &code, reply),
            Call::FolderEstimate {
                path,
                excludes,
                crosses_mounts,
            } => {
                let options = WalkOptions { crosses_mounts };
                let backup = &self.backup;
                backup.estimate_folder(driver, path, excludes, options, reply);
            }
            Call::Search { text, snapshot } => restore.search(driver, &text, snapshot, reply),
            Call::FileVersions { target } => restore.file_versions(driver, target, reply),
            Call::Preview { target } => restore.preview(driver, target, reply),
            alone!() | questions!() | for_folders!() | commands!() => {
                drop(reply.send(Err(elsewhere())));
            }
        }
    }
}

fn question(context: &Context, seen: &Seen, call: Call) -> Reported {
    match call {
        Call::SupplierList => Ok(Answer::Suppliers(status::supplier_views(context, seen)?)),
        Call::CustomerList => Ok(Answer::Customers(status::customer_views(seen))),
        Call::FolderList => Ok(Answer::Folders(status::folder_views(context, seen)?)),
        Call::Snapshots => Ok(Answer::Snapshots(status::snapshot_views(context, seen)?)),
        Call::DeviceList => Ok(Answer::Devices(status::device_views(context)?)),
        Call::History {
            before,
            severity,
            text,
        } => {
            let question = HistoryQuestion {
                before,
                severity,
                text,
            };
            Ok(Answer::History(history::page(
                &context.catalogue,
                &question,
            )?))
        }
        alone!() | for_wings!() | for_folders!() | commands!() => Err(elsewhere()),
    }
}

/// A defect of the routes.
fn elsewhere() -> ApiError {
    ApiError::new(ErrorCode::Internal, "answered elsewhere")
}

fn busy() -> ApiError {
    let message = "too much is being looked up already; try again in a moment";
    ApiError::new(ErrorCode::Busy, message)
}

fn not_yet(what: &str) -> ApiError {
    ApiError::new(
        ErrorCode::NotYet,
        format!("{what} belongs to a later release; nothing was changed"),
    )
}
