//! Folders that are backed up by themselves: their schedules, kept in the catalogue, and the
//! watches that the engine asks for.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use bitdust_api::view::{FolderState, Schedule};
use bitdust_engine::{FolderFact, FolderView, FolderWork, Input, JobId, Plan};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, UnixMillis, limits};
use bitdust_source::{Excludes, FolderWatch, Noticed, WatchError};
use bitdust_store::Catalogue;
use bitdust_store::CatalogueError;

use crate::runtime::Node;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::job::JobKind;
use crate::shared::task::blocking;
use crate::shared::task_event::Back;

/// A clock that differs by more from the steady one means that the machine slept.
const SLEPT: Duration = Duration::from_secs(60);

/// The watches of a node, and the way their notices come in.
pub(crate) struct Watches {
    tell: SyncSender<(FolderId, Noticed)>,
    open: BTreeMap<FolderId, FolderWatch>,
    /// Why folders are not watched that should be.
    pub(crate) problems: BTreeMap<FolderId, WatchError>,
}

impl Watches {
    /// No watches yet; notices go back into the loop.
    pub(crate) fn new(context: &Context) -> Self {
        let (tell, told) = sync_channel::<(FolderId, Noticed)>(limits::WATCH_NOTICES_MAX);
        let back = context.back.clone();
        // Ends when the last watch and this struct are gone, or the loop is.
        tokio::task::spawn_blocking(move || {
            while let Ok((folder, noticed)) = told.recv() {
                let input = match noticed {
                    Noticed::Changed | Noticed::Lost => Input::FolderChanged { folder },
                    Noticed::Gone => Input::FolderGone { folder },
                };
                if back.blocking_send(Back::Input(input)).is_err() {
                    return;
                }
            }
        });
        Self {
            tell,
            open: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }
}

/// Tells a sleep from the difference of two clocks: one counts it, the other does not.
pub(crate) struct SleepClock {
    steady: Instant,
    wall: SystemTime,
}

impl SleepClock {
    pub(crate) fn start() -> Self {
        Self {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Whether the machine slept since the last question. A wall clock that is set counts as a
    /// sleep: looking through folders once too often loses nothing.
    pub(crate) fn has_slept(&mut self) -> bool {
        let before = std::mem::replace(self, Self::start());
        let wall = self.wall.duration_since(before.wall).unwrap_or_default();
        wall.saturating_sub(self.steady.duration_since(before.steady)) > SLEPT
    }
}

impl Node {
    /// What the engine must know of folders; none where this node runs for one command.
    pub(crate) fn watch_folder(&mut self, completion: Completion, folder: FolderId) {
        let record = self.folder_record(folder);
        let (tell, home) = (
            self.watches.tell.clone(),
            self.home.paths().dir().to_path_buf(),
        );
        self.tasks.spawn(async move {
            let opened = blocking(move || open_watch(record, &home, folder, tell)).await;
            let opened = opened.unwrap_or_else(|code| {
                Err(WatchError::Failed {
                    reason: code.name().to_owned(),
                })
            });
            let watches = |completion| Back::WatchOpened {
                completion,
                folder,
                opened,
            };
            completion.bring(watches).await;
        });
    }

    /// The system watches, or says why not.
    pub(crate) fn watch_opened(
        &mut self,
        completion: Completion,
        folder: FolderId,
        opened: Result<FolderWatch, WatchError>,
    ) {
        match opened {
            Ok(watch) => {
                self.watches.open.insert(folder, watch);
                self.watches.problems.remove(&folder);
                self.tell(completion.done(Input::FolderWatched { folder }));
            }
            Err(error) => {
                let before = self.watches.problems.insert(folder, error.clone());
                if before.as_ref() != Some(&error) && error != WatchError::Away {
                    self.notice_watch(folder, &error);
                }
                // The engine asks why only to try again; people are told by the notice.
                self.tell(completion.failed(ErrorCode::Unreadable));
            }
        }
    }

    fn notice_watch(&mut self, folder: FolderId, error: &WatchError) {
        let Some(record) = self.folder_record(folder) else {
            return;
        };
        let path = crate::shared::text::escape(&record.path);
        let message = format!("{path}: {error}");
        let happening = bitdust_api::history::Happening::WatchLimited {
            path,
            reason: error.to_string(),
        };
        self.notice(bitdust_model::Severity::Warning, happening, message);
    }

    pub(crate) fn unwatch_folder(&mut self, folder: FolderId) {
        // Closing a watch of many folders takes a while.
        let watch = self.watches.open.remove(&folder);
        self.watches.problems.remove(&folder);
        self.tasks.spawn(async move {
            let _closed = blocking(move || drop(watch)).await;
        });
    }

    /// The engine begins a backup by itself.
    pub(crate) fn back_up(&mut self, completion: Completion, wanted: Vec<FolderId>) {
        let known = match self.context.catalogue.folders() {
            Ok(known) => known,
            Err(error) => return self.tell(completion.failed(error.code())),
        };
        let folders = known
            .into_iter()
            .filter(|folder| wanted.contains(&folder.folder))
            .collect();
        let kind = JobKind::Backup {
            folders,
            by_itself: true,
        };
        self.begin(kind, |job: JobId| {
            completion.done(Input::BackupAsked {
                job,
                folders: wanted,
                by_itself: true,
            })
        });
    }

    fn folder_record(&self, folder: FolderId) -> Option<FolderRecord> {
        let folders = self.context.catalogue.folders().ok()?;
        folders.into_iter().find(|record| record.folder == folder)
    }

    /// Tells the engine when a folder is to be backed up, where this node does that by itself.
    pub(crate) fn plan_folder(&mut self, folder: FolderId) -> Result<(), CatalogueError> {
        if !self.acts_by_itself {
            return Ok(());
        }
        let default = self.config.schedule;
        let fact = folder_fact(&self.context.catalogue, folder, default)?;
        self.tell(Input::FolderPlanned { fact });
        Ok(())
    }

    /// What happens with a folder by itself, for people.
    pub(crate) fn folder_state(
        &self,
        folder: &FolderRecord,
        view: Option<&FolderView>,
    ) -> (FolderState, Option<UnixMillis>) {
        let now = wall_clock();
        let after =
            |span: Duration| UnixMillis(now.0 + u64::try_from(span.as_millis()).unwrap_or(0));
        let is_there = Path::new(std::ffi::OsStr::from_bytes(&folder.path)).is_dir();
        let (state, next) = match view.map(|view| view.work) {
            Some(FolderWork::Running) => (FolderState::BackingUp, None),
            Some(FolderWork::Resting { due_in }) => (FolderState::Quiet, Some(after(due_in))),
            Some(FolderWork::Changed { due_in }) => {
                let due_at = after(due_in);
                (FolderState::Changed { due_at }, Some(due_at))
            }
            Some(FolderWork::Retrying { retry_in, code }) => {
                let retry_at = after(retry_in);
                let state = FolderState::Failed {
                    retry_at,
                    error: code,
                };
                (state, Some(retry_at))
            }
            Some(FolderWork::Manual) | None => (self.state_by_jobs(folder.folder), None),
        };
        if is_there {
            (state, next)
        } else {
            (FolderState::Away, next)
        }
    }

    fn state_by_jobs(&self, folder: FolderId) -> FolderState {
        let runs = self.jobs.values().any(|job| match &job.kind {
            JobKind::Backup { folders, .. } => folders.iter().any(|it| it.folder == folder),
            JobKind::Restore(_) | JobKind::Verify { .. } | JobKind::Recover => false,
        });
        if runs {
            FolderState::BackingUp
        } else {
            FolderState::Quiet
        }
    }
}

/// The folders of a home as the engine must know them at its start.
pub(crate) fn folder_facts(
    catalogue: &Catalogue,
    default: Schedule,
) -> Result<Vec<FolderFact>, CatalogueError> {
    let folders = catalogue.folders()?;
    folders
        .iter()
        .map(|record| folder_fact(catalogue, record.folder, default))
        .collect()
}

fn folder_fact(
    catalogue: &Catalogue,
    folder: FolderId,
    default: Schedule,
) -> Result<FolderFact, CatalogueError> {
    let newest = catalogue
        .snapshots()?
        .into_iter()
        .filter(|snapshot| snapshot.folder == folder)
        .map(|snapshot| snapshot.taken_at)
        .max();
    let now = wall_clock();
    Ok(FolderFact {
        folder,
        plan: plan(schedule_of(catalogue, folder)?.unwrap_or(default)),
        backed_up_ago_ms: newest.map(|at| now.0.saturating_sub(at.0)),
    })
}

const fn plan(schedule: Schedule) -> Plan {
    match schedule {
        Schedule::OnChange => Plan::OnChange,
        Schedule::Every { minutes } => Plan::Every { minutes },
        Schedule::Manual => Plan::Manual,
    }
}

/// The schedule a person chose for a folder, where they did.
pub(crate) fn schedule_of(
    catalogue: &Catalogue,
    folder: FolderId,
) -> Result<Option<Schedule>, CatalogueError> {
    let kept = catalogue.get_meta(&schedule_key(folder))?;
    Ok(kept.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Keeps the schedule of a folder.
pub(crate) fn keep_schedule(
    catalogue: &Catalogue,
    folder: FolderId,
    schedule: Schedule,
) -> Result<(), CatalogueError> {
    let text = serde_json::to_vec(&schedule).unwrap_or_default();
    catalogue.set_meta(&schedule_key(folder), &text)
}

fn schedule_key(folder: FolderId) -> String {
    format!("schedule/{}", folder.to_hex())
}

fn open_watch(
    record: Option<FolderRecord>,
    home: &Path,
    folder: FolderId,
    tell: SyncSender<(FolderId, Noticed)>,
) -> Result<FolderWatch, WatchError> {
    let record = record.ok_or(WatchError::Away)?;
    let excludes = Excludes::new(&record.excludes).map_err(|error| WatchError::Failed {
        reason: error.to_string(),
    })?;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(&record.path));
    let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_path_buf());
    FolderWatch::start(&path, excludes, &home, folder, tell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_told_from_waking_hours() {
        let mut clock = SleepClock::start();
        assert!(!clock.has_slept());
        let hour = Duration::from_secs(3_600);
        clock.wall = SystemTime::now() - hour;
        assert!(
            clock.has_slept(),
            "an hour passed that the steady clock did not count"
        );
        assert!(!clock.has_slept(), "it is told once");
        clock.wall = SystemTime::now() + hour;
        assert!(!clock.has_slept(), "a clock that was set back is no sleep");
    }
}
