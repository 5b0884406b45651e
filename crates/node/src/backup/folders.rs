//! Folders under protection: added, changed, let go, and backed up when somebody asks.
//!
//! What is asked is done by tasks, one after the other in the order in which it was asked, as
//! disks are waited for. The loop then tells the engine, which so never knows of what the
//! catalogue has not taken.

pub(super) mod work;

use bitdust_api::ApiError;
use bitdust_api::history::Happening;
use bitdust_engine::{Input, JobId};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, Severity};
use tokio::sync::oneshot;

use super::Backup;
use crate::shared::answer::Reported;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::folder_outcome::{FolderOutcome, NextPlan};
use crate::shared::job::Begun;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::text::escape;
use crate::shared::words;
pub(crate) use work::FolderCommand;
use work::FolderWork;

/// What a command is answered with.
pub(crate) enum FolderAnswer {
    /// With how the folder stands now.
    Folder(FolderId),
    /// With the job that began.
    Job(Begun),
    /// That it is done.
    Done,
}

impl Backup {
    /// Has a command done, after those that were given before.
    pub(crate) fn command(
        &self,
        driver: &mut Driver,
        command: FolderCommand,
        reply: oneshot::Sender<Reported>,
    ) {
        let is_backup = matches!(command, FolderCommand::Backup { .. });
        if is_backup && self.is_asked_for() {
            // A front end that left does not wait for its answer.
            return drop(reply.send(Err(backup_runs())));
        }
        if let Err(error) = check_turn(driver) {
            return drop(reply.send(Err(error)));
        }
        let work = FolderWork {
            catalogue: self.context.catalogue.clone(),
            schedule: self.schedule,
            by_itself: self.by_itself,
        };
        driver.in_turn(async move {
            let done = blocking(move || work.run(command)).await;
            let defect = |code| Err(ApiError::new(code, words::failure(code)));
            match done.unwrap_or_else(defect) {
                Ok(outcome) => {
                    let outcome = Box::new(outcome);
                    Some(Box::new(TaskEvent::FolderCommand { outcome, reply }))
                }
                Err(error) => {
                    drop(reply.send(Err(error)));
                    None
                }
            }
        });
    }

    /// Folders without a schedule of their own have another one now. See
    /// [`check_turn`] first.
    pub(crate) fn plan_all(&self, driver: &mut Driver, reply: oneshot::Sender<Reported>) {
        if self.by_itself {
            self.command(driver, FolderCommand::PlanAll, reply);
        } else {
            drop(reply.send(Ok(bitdust_api::Answer::Done)));
        }
    }

    /// The catalogue has what was asked: tells the engine and people. Gives what it is answered
    /// with.
    ///
    /// # Errors
    /// If a backup runs already that somebody asked for, or the catalogue cannot say when the
    /// folder is due.
    pub(crate) fn command_done(
        &mut self,
        driver: &mut Driver,
        outcome: FolderOutcome,
    ) -> Result<FolderAnswer, ApiError> {
        match outcome {
            FolderOutcome::Added { record, plan } => {
                let (folder, path) = (record.folder, escape(&record.path));
                self.remember_folder(record);
                let message = format!("{path} is backed up from now on");
                driver.notice(Severity::Note, Happening::FolderAdded { path }, message);
                tell_plan(driver, plan)?;
                Ok(FolderAnswer::Folder(folder))
            }
            FolderOutcome::Changed {
                record,
                has_new_excludes,
                plan,
            } => {
                let folder = record.folder;
                self.remember_folder(record);
                if has_new_excludes {
                    // The watch goes by the patterns: it is opened anew.
                    driver.tell(Input::FolderForgotten { folder });
                }
                tell_plan(driver, plan)?;
                Ok(FolderAnswer::Folder(folder))
            }
            FolderOutcome::Removed { record } => {
                let (folder, path) = (record.folder, escape(&record.path));
                self.folders.retain(|known| known.folder != folder);
                driver.tell(Input::FolderForgotten { folder });
                let message = format!("{path} is backed up no more; its stored versions stay");
                driver.notice(Severity::Note, Happening::FolderRemoved { path }, message);
                Ok(FolderAnswer::Done)
            }
            FolderOutcome::Chosen { folders } => {
                let begun = self.begin_backup(driver, folders)?;
                Ok(FolderAnswer::Job(begun))
            }
            FolderOutcome::Planned { plans } => {
                for fact in plans {
                    driver.tell(Input::FolderPlanned { fact });
                }
                Ok(FolderAnswer::Done)
            }
        }
    }

    /// Begins a backup that somebody asks for.
    fn begin_backup(
        &mut self,
        driver: &mut Driver,
        folders: Vec<FolderRecord>,
    ) -> Result<Begun, ApiError> {
        if self.is_asked_for() {
            return Err(backup_runs());
        }
        let ids = folders.iter().map(|folder| folder.folder).collect();
        let job = JobId(driver.number());
        driver.tell(Input::BackupAsked {
            job,
            folders: ids,
            by_itself: false,
        });
        Ok(self.begin(job, folders, false))
    }

    /// Whether a backup runs that somebody asked for.
    fn is_asked_for(&self) -> bool {
        self.jobs.values().any(|job| !job.by_itself)
    }

    /// The engine begins a backup by itself.
    pub(crate) fn begin_by_itself(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        wanted: Vec<FolderId>,
    ) -> Begun {
        let folders = self.folders.iter();
        let folders = folders
            .filter(|folder| wanted.contains(&folder.folder))
            .cloned()
            .collect();
        let job = JobId(driver.number());
        driver.tell(completion.done(Input::BackupAsked {
            job,
            folders: wanted,
            by_itself: true,
        }));
        self.begin(job, folders, true)
    }

    /// The rules of a folder.
    pub(super) fn folder_record(&self, folder: FolderId) -> Option<&FolderRecord> {
        self.folders.iter().find(|record| record.folder == folder)
    }

    fn remember_folder(&mut self, record: FolderRecord) {
        let mut known = self.folders.iter_mut();
        match known.find(|known| known.folder == record.folder) {
            Some(known) => *known = record,
            None => self.folders.push(record),
        }
    }
}

/// Whether something more can be asked about folders, for what must not be refused once it has
/// begun to take effect.
///
/// # Errors
/// If too much waits already.
pub(crate) fn check_turn(driver: &Driver) -> Result<(), ApiError> {
    if driver.can_wait_its_turn() {
        return Ok(());
    }
    let message = "too much is asked about folders already; nothing was changed, try again in a \
                   moment";
    Err(ApiError::new(ErrorCode::Busy, message))
}

/// Tells the engine when a folder is due.
fn tell_plan(driver: &mut Driver, plan: NextPlan) -> Result<(), ApiError> {
    if let Some(fact) = plan? {
        driver.tell(Input::FolderPlanned { fact });
    }
    Ok(())
}

fn backup_runs() -> ApiError {
    let message = "a backup is running already; wait until it is done";
    ApiError::new(ErrorCode::Busy, message)
}
