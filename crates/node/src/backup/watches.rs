//! Folders that are backed up by themselves: their schedules, kept in the catalogue, and the
//! watches that the engine asks for.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use bitdust_api::view::Schedule;
use bitdust_engine::{FolderFact, Input, Plan};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, limits};
use bitdust_source::{Excludes, FolderWatch, Noticed, WatchError};
use bitdust_store::Catalogue;
use bitdust_store::CatalogueError;

use super::Backup;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::Back;

/// The watches of a node, and the way their notices come in.
pub(crate) struct Watches {
    tell: SyncSender<(FolderId, Noticed)>,
    open: BTreeMap<FolderId, FolderWatch>,
    /// Why folders are not watched that should be.
    problems: BTreeMap<FolderId, WatchError>,
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

    /// Why folders are not watched that should be, in words.
    pub(super) fn problems(&self) -> BTreeMap<FolderId, String> {
        let problems = self.problems.iter();
        problems
            .map(|(folder, error)| (*folder, error.to_string()))
            .collect()
    }
}

impl Backup {
    /// What the engine must know of folders; none where this node runs for one command.
    pub(crate) fn watch_folder(
        &self,
        driver: &mut Driver,
        completion: Completion,
        folder: FolderId,
    ) {
        let record = self.folder_record(folder);
        let home = self.home_dir.clone();
        let tell = self.watches.tell.clone();
        driver.spawn(async move {
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
        driver: &mut Driver,
        completion: Completion,
        folder: FolderId,
        opened: Result<FolderWatch, WatchError>,
    ) {
        match opened {
            Ok(watch) => {
                self.watches.open.insert(folder, watch);
                self.watches.problems.remove(&folder);
                driver.tell(completion.done(Input::FolderWatched { folder }));
            }
            Err(error) => {
                let before = self.watches.problems.insert(folder, error.clone());
                if before.as_ref() != Some(&error) && error != WatchError::Away {
                    self.notice_watch(driver, folder, &error);
                }
                // The engine asks why only to try again; people are told by the notice.
                driver.tell(completion.failed(ErrorCode::Unreadable));
            }
        }
    }

    fn notice_watch(&self, driver: &mut Driver, folder: FolderId, error: &WatchError) {
        let Some(record) = self.folder_record(folder) else {
            return;
        };
        let path = crate::shared::text::escape(&record.path);
        let message = format!("{path}: {error}");
        let happening = bitdust_api::history::Happening::WatchLimited {
            path,
            reason: error.to_string(),
        };
        driver.notice(bitdust_model::Severity::Warning, happening, message);
    }

    /// A folder is watched no more.
    pub(crate) fn unwatch_folder(&mut self, driver: &mut Driver, folder: FolderId) {
        // Closing a watch of many folders takes a while.
        let watch = self.watches.open.remove(&folder);
        self.watches.problems.remove(&folder);
        driver.spawn(async move {
            let _closed = blocking(move || drop(watch)).await;
        });
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

pub(super) fn folder_fact(
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
pub(super) fn keep_schedule(
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
