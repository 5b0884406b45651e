//! Folders under protection: added, changed, let go, and backed up when somebody asks.
//!
//! What is asked is done by tasks, one after the other in the order in which it was asked, as
//! disks are waited for. The loop then tells the engine, which so never knows of what the
//! catalogue has not taken.

pub(super) mod work;

use bitdust_api::ApiError;
use bitdust_api::history::Happening;
use bitdust_engine::{FolderFact, Input, JobId};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, Severity};
use tokio::sync::oneshot;

use super::Backup;
use crate::shared::answer::Reported;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::folder_outcome::FolderOutcome;
use crate::shared::job::Begun;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::text::escape;
use crate::shared::words;
use work::CommandWork;
pub(crate) use work::FolderCommand;

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
        let work = CommandWork {
            catalogue: self.context.catalogue.clone(),
            device: self.context.device,
            schedule: self.schedule,
            is_daemon: self.is_daemon,
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
    pub(crate) fn schedule_all(&self, driver: &mut Driver, reply: oneshot::Sender<Reported>) {
        if self.is_daemon {
            self.command(driver, FolderCommand::ScheduleAll, reply);
        } else {
            drop(reply.send(Ok(bitdust_api::Answer::Done)));
        }
    }

    /// The catalogue has what was asked: tells the engine and people. Gives what it is answered
    /// with.
    ///
    /// # Errors
    /// If a backup runs already that somebody asked for.
    pub(crate) fn command_done(
        &mut self,
        driver: &mut Driver,
        outcome: FolderOutcome,
    ) -> Result<FolderAnswer, ApiError> {
        match outcome {
            FolderOutcome::Added { record, schedule } => {
                let (folder, path) = (record.folder, escape(&record.path));
                self.remember_folder(record);
                let message = format!("{path} is backed up from now on");
                driver.notice(Severity::Note, Happening::FolderAdded { path }, message);
                tell_schedules(driver, schedule);
                Ok(FolderAnswer::Folder(folder))
            }
            FolderOutcome::Changed {
                record,
                has_new_excludes,
                schedule,
            } => {
                let folder = record.folder;
                self.remember_folder(record);
                if has_new_excludes {
                    // The watch goes by the patterns: it is opened anew.
                    driver.tell(Input::FolderForgotten { folder });
                }
                tell_schedules(driver, schedule);
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
            FolderOutcome::Chosen { folders, schedules } => {
                tell_schedules(driver, schedules);
                let begun = self.begin_backup(driver, folders)?;
                Ok(FolderAnswer::Job(begun))
            }
            FolderOutcome::Scheduled { facts } => {
                tell_schedules(driver, facts);
                Ok(FolderAnswer::Done)
            }
        }
    }

    /// Folders are in the catalogue that it had forgotten.
    pub(crate) fn folders_came_back(&mut self, driver: &mut Driver, folders: Vec<FolderRecord>) {
        if folders.is_empty() {
            return;
        }
        for record in folders {
            let path = escape(&record.path);
            self.remember_folder(record);
            let message = format!("{path} is backed up again");
            driver.notice(Severity::Note, Happening::FolderAdded { path }, message);
        }
        // Nobody waits for the answer.
        let (reply, _) = oneshot::channel();
        self.schedule_all(driver, reply);
    }

    /// A folder that waited to be restored is here again, by the catalogue.
    pub(crate) fn folder_restored(&self, driver: &mut Driver, path: &[u8]) {
        let path = escape(path);
        let message = format!("{path} is backed up again");
        driver.notice(Severity::Note, Happening::FolderAdded { path }, message);
        // Nobody waits for the answer.
        let (reply, _) = oneshot::channel();
        self.schedule_all(driver, reply);
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
            is_scheduled: false,
        });
        Ok(self.begin(job, folders, false))
    }

    /// Whether a backup runs that somebody asked for.
    fn is_asked_for(&self) -> bool {
        self.jobs.values().any(|job| !job.is_scheduled)
    }

    /// The engine begins a backup by itself.
    pub(crate) fn begin_scheduled(
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
            is_scheduled: true,
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

/// Tells the engine when folders are due.
fn tell_schedules(driver: &mut Driver, facts: impl IntoIterator<Item = FolderFact>) {
    for fact in facts {
        driver.tell(Input::FolderScheduled { fact });
    }
}

fn backup_runs() -> ApiError {
    let message = "a backup is running already; wait until it is done";
    ApiError::new(ErrorCode::Busy, message)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use bitdust_api::view::Schedule;
    use bitdust_engine::Output;
    use bitdust_model::limits;

    use super::*;
    use crate::backup::testing::{asked, backup, take_in};
    use crate::shared::driver::Ended;
    use crate::shared::testing::TestHome;

    #[tokio::test]
    async fn commands_on_one_folder_are_done_in_their_order() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, true);
        let path = home.folder("letters");
        let added = asked(&backup, &mut home, add(&path));
        let changed = asked(&backup, &mut home, change(&path));
        let removed = asked(&backup, &mut home, remove(&path));
        let again = asked(&backup, &mut home, change(&path));
        assert!(home.told().is_empty(), "the catalogue has nothing yet");

        let Ok(FolderAnswer::Folder(folder)) = take_in(&mut backup, &mut home, added).await else {
            panic!("it is added");
        };
        assert_eq!(home.context.catalogue.folders().expect("read").len(), 1);
        let told = home.told();
        assert!(matches!(&told[..], [Input::FolderScheduled { fact }] if fact.folder == folder));
        assert!(take_in(&mut backup, &mut home, changed).await.is_ok());
        let forgotten = Input::FolderForgotten { folder };
        let told = home.told();
        assert!(matches!(&told[..], [first, Input::FolderScheduled { .. }] if *first == forgotten));
        let record = backup.folder_record(folder).expect("it is there");
        assert_eq!(record.excludes, ["*.tmp"]);
        assert!(take_in(&mut backup, &mut home, removed).await.is_ok());
        assert_eq!(home.told(), [forgotten]);
        let missing = take_in(&mut backup, &mut home, again).await.err();
        assert_eq!(missing.map(|error| error.code), Some(ErrorCode::NotFound));
        assert!(backup.folder_record(folder).is_none());
        assert_eq!(home.notices().len(), 2);
    }

    #[tokio::test]
    async fn a_path_that_hangs_keeps_nothing_back_but_what_is_asked_about_folders() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, true);
        let path = home.folder("letters");
        let added = asked(&backup, &mut home, add(&path));
        let added = take_in(&mut backup, &mut home, added).await;
        let Ok(FolderAnswer::Folder(folder)) = added else {
            panic!("it is added");
        };
        home.told();

        let (disk, hangs) = sync_channel::<()>(1);
        home.driver.in_turn(async move {
            let _answer = blocking(move || hangs.recv()).await;
            None
        });
        let removed = asked(&backup, &mut home, remove(&path));
        home.driver.answer(async {});
        let ended = home.driver.task_ended().await;
        assert!(matches!(ended, Ended::Answer(Ok(()))), "a question");
        let output = Output::BackUp {
            folders: vec![folder],
        };
        let completion = Completion::of(&output, &home.context.task_events);
        let completion = completion.expect("it is answered");
        let begun = backup.begin_scheduled(&mut home.driver, completion, vec![folder]);
        assert_eq!(backup.jobs[&begun.id].folders.len(), 1, "by itself");
        home.told();

        drop(disk);
        let ended = home.driver.task_ended().await;
        assert!(matches!(ended, Ended::Command(Ok(None))));
        assert!(take_in(&mut backup, &mut home, removed).await.is_ok());
        assert_eq!(home.told(), [Input::FolderForgotten { folder }]);
    }

    #[tokio::test]
    async fn what_can_not_wait_changes_nothing() {
        let mut home = TestHome::new().await;
        let backup = backup(&home, true);
        let path = home.folder("letters");
        home.driver.in_turn(std::future::pending());
        let mut waiting = Vec::new();
        for _ in 0..limits::COMMANDS_WAITING_MAX {
            waiting.push(asked(&backup, &mut home, add(&path)));
        }
        assert!(!home.driver.can_wait_its_turn());
        let refused = asked(&backup, &mut home, add(&path))
            .await
            .expect("at once");
        assert_eq!(refused.err().map(|error| error.code), Some(ErrorCode::Busy));
        for answer in &mut waiting {
            assert!(answer.try_recv().is_err(), "it waits");
        }
    }

    #[tokio::test]
    async fn a_folder_is_found_by_each_of_its_names() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, false);
        let path = home.folder("letters");
        let link = format!("{path}-link");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        let added = asked(&backup, &mut home, add(&link));
        let added = take_in(&mut backup, &mut home, added).await;
        let Ok(FolderAnswer::Folder(folder)) = added else {
            panic!("it is added");
        };
        for name in [&path, &link, &folder.to_hex()] {
            let changed = asked(&backup, &mut home, change(name));
            let changed = take_in(&mut backup, &mut home, changed).await;
            assert!(
                matches!(changed, Ok(FolderAnswer::Folder(found)) if found == folder),
                "{name}"
            );
        }
    }

    fn add(path: &str) -> FolderCommand {
        FolderCommand::Add {
            path: path.to_owned(),
            excludes: Vec::new(),
            crosses_mounts: false,
        }
    }

    fn change(folder: &str) -> FolderCommand {
        FolderCommand::Change {
            folder: folder.to_owned(),
            excludes: vec!["*.tmp".to_owned()],
            crosses_mounts: false,
            schedule: Schedule::Manual,
        }
    }

    fn remove(folder: &str) -> FolderCommand {
        let folder = folder.to_owned();
        FolderCommand::Remove { folder }
    }
}
