//! Folders under protection: added, changed, let go, and backed up when somebody asks.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bitdust_api::ApiError;
use bitdust_api::history::Happening;
use bitdust_api::view::{SCHEDULE_MINUTES, Schedule};
use bitdust_crypto::random;
use bitdust_engine::{Input, JobId};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{ErrorCode, FolderId, Severity};
use bitdust_source::Excludes;

use super::Backup;
use super::watches::{folder_fact, keep_schedule};
use crate::shared::answer::catalogue_error;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::job::Begun;
use crate::shared::text::{escape, unescape};

impl Backup {
    /// Puts a folder under protection; gives it.
    pub(crate) fn add_folder(
        &self,
        driver: &mut Driver,
        path: &str,
        excludes: Vec<String>,
        crosses_mounts: bool,
    ) -> Result<FolderId, ApiError> {
        let absolute = existing_folder(path)?;
        check_excludes(&excludes)?;
        let known = self.context.catalogue.folders().map_err(catalogue_error)?;
        let bytes = absolute.as_os_str().as_bytes();
        let folder = known
            .iter()
            .find(|folder| folder.path == bytes)
            .map_or_else(|| FolderId(random()), |known| known.folder);
        let record = FolderRecord {
            folder,
            path: bytes.to_vec(),
            excludes,
            crosses_mounts,
        };
        self.context
            .catalogue
            .add_folder(record)
            .map_err(catalogue_error)?;
        let path = escape(bytes);
        let message = format!("{path} is backed up from now on");
        driver.notice(Severity::Note, Happening::FolderAdded { path }, message);
        self.plan_folder(driver, folder)?;
        Ok(folder)
    }

    /// Changes the rules of a folder; gives it.
    pub(crate) fn change_folder(
        &self,
        driver: &mut Driver,
        name: &str,
        excludes: Vec<String>,
        crosses_mounts: bool,
        schedule: Schedule,
    ) -> Result<FolderId, ApiError> {
        check_excludes(&excludes)?;
        if let Schedule::Every { minutes } = schedule
            && !SCHEDULE_MINUTES.contains(&minutes)
        {
            let message = format!("{minutes} minutes are no schedule: 5 to 10080 are possible");
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let mut folder = self.find_folder(name)?;
        let id = folder.folder;
        let catalogue = self.context.catalogue.clone();
        keep_schedule(&catalogue, id, schedule).map_err(catalogue_error)?;
        let has_new_rules = folder.excludes != excludes;
        folder.excludes = excludes;
        folder.crosses_mounts = crosses_mounts;
        catalogue.add_folder(folder).map_err(catalogue_error)?;
        if has_new_rules {
            // The watch goes by the patterns: it is opened anew.
            driver.tell(Input::FolderForgotten { folder: id });
        }
        self.plan_folder(driver, id)?;
        Ok(id)
    }

    /// Backs a folder up no more.
    pub(crate) fn remove_folder(&self, driver: &mut Driver, name: &str) -> Result<(), ApiError> {
        let folder = self.find_folder(name)?;
        self.context
            .catalogue
            .remove_folder(folder.folder)
            .map_err(catalogue_error)?;
        driver.tell(Input::FolderForgotten {
            folder: folder.folder,
        });
        let path = escape(&folder.path);
        let message = format!("{path} is backed up no more; its stored versions stay");
        driver.notice(Severity::Note, Happening::FolderRemoved { path }, message);
        Ok(())
    }

    fn find_folder(&self, name: &str) -> Result<FolderRecord, ApiError> {
        let folders = self.context.catalogue.folders().map_err(catalogue_error)?;
        let path = unescape(name);
        let absolute = std::fs::canonicalize(Path::new(std::ffi::OsStr::from_bytes(&path))).ok();
        folders
            .into_iter()
            .find(|folder| {
                folder.path == path
                    || folder.folder.to_hex() == name
                    || absolute
                        .as_ref()
                        .is_some_and(|absolute| absolute.as_os_str().as_bytes() == folder.path)
            })
            .ok_or_else(|| {
                ApiError::new(
                    ErrorCode::NotFound,
                    format!("{name} is not under protection; `bitdust folder list` shows what is"),
                )
            })
    }

    /// Begins a backup that somebody asks for, of all folders where none is named.
    pub(crate) fn begin_backup(
        &mut self,
        driver: &mut Driver,
        names: &[String],
    ) -> Result<Begun, ApiError> {
        if self.jobs.values().any(|job| !job.by_itself) {
            return Err(ApiError::new(
                ErrorCode::Busy,
                "a backup is running already; wait until it is done",
            ));
        }
        let folders = if names.is_empty() {
            self.context.catalogue.folders().map_err(catalogue_error)?
        } else {
            names
                .iter()
                .map(|name| self.find_folder(name))
                .collect::<Result<_, _>>()?
        };
        if folders.is_empty() {
            let message =
                "no folder is under protection yet; add one with `bitdust folder add DIR`";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
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

    /// The engine begins a backup by itself.
    pub(crate) fn begin_by_itself(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        wanted: Vec<FolderId>,
    ) -> Option<Begun> {
        let known = match self.context.catalogue.folders() {
            Ok(known) => known,
            Err(error) => {
                driver.tell(completion.failed(error.code()));
                return None;
            }
        };
        let folders = known.into_iter();
        let folders = folders
            .filter(|folder| wanted.contains(&folder.folder))
            .collect();
        let job = JobId(driver.number());
        driver.tell(completion.done(Input::BackupAsked {
            job,
            folders: wanted,
            by_itself: true,
        }));
        Some(self.begin(job, folders, true))
    }

    /// The rules of a folder.
    pub(super) fn folder_record(&self, folder: FolderId) -> Option<FolderRecord> {
        let folders = self.context.catalogue.folders().ok()?;
        folders.into_iter().find(|record| record.folder == folder)
    }

    /// All folders without a schedule of their own have another one now.
    pub(crate) fn plan_all(&self, driver: &mut Driver) -> Result<(), ApiError> {
        for folder in self.context.catalogue.folders().map_err(catalogue_error)? {
            self.plan_folder(driver, folder.folder)?;
        }
        Ok(())
    }

    /// Tells the engine when a folder is to be backed up, where this node does that by itself.
    fn plan_folder(&self, driver: &mut Driver, folder: FolderId) -> Result<(), ApiError> {
        if !self.by_itself {
            return Ok(());
        }
        let fact = folder_fact(&self.context.catalogue, folder, self.schedule);
        let fact = fact.map_err(catalogue_error)?;
        driver.tell(Input::FolderPlanned { fact });
        Ok(())
    }
}

/// The folder that a text names, absolute and without links.
pub(super) fn existing_folder(path: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(OsString::from_vec(unescape(path)));
    let cannot = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", path.display());
        ApiError::new(ErrorCode::Unreadable, message)
    };
    let absolute = std::fs::canonicalize(&path).map_err(cannot)?;
    if absolute.is_dir() {
        Ok(absolute)
    } else {
        let message = format!("{} is not a folder", path.display());
        Err(ApiError::new(ErrorCode::BadRequest, message))
    }
}

/// The rules that patterns make.
pub(super) fn check_excludes(patterns: &[String]) -> Result<Excludes, ApiError> {
    Excludes::new(patterns).map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))
}
