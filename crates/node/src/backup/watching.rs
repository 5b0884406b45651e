//! The watches that the engine asks for: opened, closed, and what people are told of them.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use bitdust_api::history::Happening;
use bitdust_engine::Input;
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, Severity};
use bitdust_source::{Excludes, FolderWatch, Noticed, WatchError};

use super::Backup;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::text::escape;

impl Backup {
    /// Has the system watch a folder.
    pub(crate) fn watch_folder(
        &self,
        driver: &mut Driver,
        completion: Completion,
        folder: FolderId,
    ) {
        let record = self.folder_record(folder).cloned();
        let home = self.home_dir.clone();
        let tell = self.watches.tell.clone();
        driver.spawn(async move {
            let opened = blocking(move || open_watch(record, &home, folder, tell)).await;
            let opened = opened.unwrap_or_else(|code| {
                Err(WatchError::Failed {
                    reason: code.name().to_owned(),
                })
            });
            let watches = |completion| TaskEvent::WatchOpened {
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
        let path = escape(&record.path);
        let message = format!("{path}: {error}");
        let happening = Happening::WatchLimited {
            path,
            reason: error.to_string(),
        };
        driver.notice(Severity::Warning, happening, message);
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
