//! Folders that are backed up by themselves: their watches, their schedules, whose turn it is.

use bitdust_model::limits::FOLDERS_MAX;
use bitdust_model::{ErrorCode, FolderId, Schedule};

use super::entries::{Folder, Work};
use super::{Engine, Step, Task};
use crate::fsm::{fetch, folder_watch, name, schedule};
use crate::io::{FolderFact, JobId, Output};
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn schedule_folder(&mut self, fact: &FolderFact) {
        if self.folders.len() >= FOLDERS_MAX && !self.folders.contains_key(&fact.folder) {
            return;
        }
        let folder = self.folders.entry(fact.folder).or_insert(Folder {
            rule: fact.schedule,
            watch: folder_watch::State::default(),
            schedule: schedule::State::default(),
        });
        folder.rule = fact.schedule;
        let watch = match fact.schedule {
            Schedule::OnChange => folder_watch::Event::Begin,
            Schedule::Manual | Schedule::Every { .. } => folder_watch::Event::End,
        };
        let scheduled = schedule::Event::Scheduled {
            backed_up_ago_ms: fact.backed_up_ago_ms,
        };
        self.tasks.push_back(Task::Watch(fact.folder, watch));
        self.tasks.push_back(Task::Schedule(fact.folder, scheduled));
    }

    pub(super) fn forget_folder(&mut self, folder: FolderId) {
        self.step_watch(folder, folder_watch::Event::End);
        self.folders.remove(&folder);
        self.timers.set(reason(Machine::FolderWatch, folder), None);
        self.timers.set(reason(Machine::Schedule, folder), None);
    }

    pub(super) fn resumed(&mut self) {
        self.pace.forget();
        for &fetch in self.fetches.keys() {
            self.tasks
                .push_back(Task::Fetch(fetch, fetch::Event::Resumed));
        }
        for &folder in self.folders.keys() {
            let event = schedule::Event::Resumed;
            self.tasks.push_back(Task::Schedule(folder, event));
        }
    }

    /// A backup of these folders begins, whoever asked for it.
    pub(super) fn folders_begin(&mut self, folders: &[FolderId]) {
        for &folder in folders {
            let event = schedule::Event::Began;
            self.tasks.push_back(Task::Schedule(folder, event));
        }
    }

    /// The backup of a job is over. A folder that could not be read was not backed up, however the
    /// others went.
    pub(super) fn folders_end(&mut self, job: JobId, failure: Option<ErrorCode>) {
        let Some(Work::Backup {
            folders, unread, ..
        }) = self.jobs.get(&job).map(|job| &job.work)
        else {
            return;
        };
        for &folder in folders {
            let unreadable = unread.contains(&folder).then_some(ErrorCode::Unreadable);
            let event = match failure.or(unreadable) {
                Some(code) => schedule::Event::Failed { code },
                None => schedule::Event::Ended,
            };
            self.tasks.push_back(Task::Schedule(folder, event));
        }
        self.folders_due = true;
    }

    /// A backup that was due could not begin.
    pub(super) fn folders_failed(&mut self, folders: &[FolderId], code: ErrorCode) {
        for &folder in folders {
            let event = schedule::Event::Failed { code };
            self.tasks.push_back(Task::Schedule(folder, event));
        }
        self.folders_due = true;
    }

    /// Folders that are due are backed up together, when no other backup runs or waits.
    pub(super) fn count_folders(&mut self) {
        if self.has_backup() {
            return;
        }
        for (&folder, entry) in &self.folders {
            if matches!(entry.schedule, schedule::State::Due { .. }) {
                let event = schedule::Event::TurnCame;
                self.tasks.push_back(Task::Schedule(folder, event));
            }
        }
    }

    pub(super) fn step_watch(&mut self, folder: FolderId, event: folder_watch::Event) {
        let random = self.draw(Machine::FolderWatch, Subject::Folder(folder));
        let Some(before) = self.folders.get(&folder).map(|entry| entry.watch) else {
            return;
        };
        let mut out = Vec::new();
        let subject = Subject::Folder(folder);
        let step = Step::of(Machine::FolderWatch, subject, &before, &event);
        let after = folder_watch::step(before, event, &self.moment(random), &mut out);
        if let Some(entry) = self.folders.get_mut(&folder) {
            entry.watch = after;
        }
        self.noted(step, name(&after), !out.is_empty(), after.deadline());
        for action in out {
            match action {
                folder_watch::Action::Watch => self.emit(Output::WatchFolder { folder }),
                folder_watch::Action::Unwatch => self.emit(Output::UnwatchFolder { folder }),
                folder_watch::Action::Tell => {
                    let event = schedule::Event::ChangeSeen;
                    self.tasks.push_back(Task::Schedule(folder, event));
                }
            }
        }
    }

    pub(super) fn step_schedule(&mut self, folder: FolderId, event: schedule::Event) {
        let random = self.draw(Machine::Schedule, Subject::Folder(folder));
        let Some((rule, before)) = self
            .folders
            .get(&folder)
            .map(|entry| (entry.rule, entry.schedule))
        else {
            return;
        };
        let mut out = Vec::new();
        let subject = Subject::Folder(folder);
        let step = Step::of(Machine::Schedule, subject, &before, &event);
        let after = schedule::step(before, event, &self.moment(random), rule, &mut out);
        if let Some(entry) = self.folders.get_mut(&folder) {
            entry.schedule = after;
        }
        self.noted(step, name(&after), !out.is_empty(), after.deadline());
        self.folders_due |= matches!(after, schedule::State::Due { .. });
        for action in out {
            match action {
                schedule::Action::BackUp => self.folders_starting.push(folder),
            }
        }
    }

    /// One job for all folders whose turn came together.
    pub(super) fn start_folders(&mut self) {
        let folders = std::mem::take(&mut self.folders_starting);
        if !folders.is_empty() {
            self.emit(Output::BackUp { folders });
        }
    }
}

const fn reason(machine: Machine, folder: FolderId) -> crate::timer::WakeReason {
    crate::timer::WakeReason {
        machine,
        subject: Subject::Folder(folder),
    }
}
