//! Commands about folders, and the half of them that waits for disks: paths are resolved, the
//! catalogue is read and written. All work here blocks.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bitdust_api::ApiError;
use bitdust_api::view::{SCHEDULE_MINUTES, Schedule};
use bitdust_crypto::random;
use bitdust_engine::FolderFact;
use bitdust_model::manifest::{FolderRecord, Retention};
use bitdust_model::{DeviceId, ErrorCode, FolderId};
use bitdust_source::Excludes;
use bitdust_store::Catalogue;

use crate::backup::watches::{folder_fact, folder_facts};
use crate::shared::answer::catalogue_error;
use crate::shared::folder_outcome::FolderOutcome;
use crate::shared::folder_schedule::{awaits_restore, end_waiting, schedule_setting};
use crate::shared::text::unescape;

/// What is asked about folders.
pub(crate) enum FolderCommand {
    /// Put a folder under protection.
    Add {
        path: String,
        /// What is left out.
        excludes: Vec<String>,
        /// Whether other file systems in it are part of it.
        crosses_mounts: bool,
    },
    /// Give a folder other rules.
    Change {
        /// Which.
        folder: String,
        /// What is left out.
        excludes: Vec<String>,
        /// Whether other file systems in it are part of it.
        crosses_mounts: bool,
        /// When it is backed up.
        schedule: Schedule,
    },
    /// Back a folder up no more.
    Remove {
        /// Which.
        folder: String,
    },
    /// Back folders up now.
    Backup {
        /// Which; none: all.
        folders: Vec<String>,
    },
    /// Schedule all folders by another schedule for those without one of their own.
    ScheduleAll,
}

/// What the work is done with.
pub(super) struct CommandWork {
    pub(super) catalogue: Catalogue,
    pub(super) device: DeviceId,
    /// When folders are backed up that have no schedule of their own.
    pub(super) schedule: Schedule,
    /// Whether folders are backed up without being asked.
    pub(super) is_daemon: bool,
}

impl CommandWork {
    /// Does it. What is given is in the catalogue.
    pub(super) fn run(&self, command: FolderCommand) -> Result<FolderOutcome, ApiError> {
        match command {
            FolderCommand::Add {
                path,
                excludes,
                crosses_mounts,
            } => self.add(&path, excludes, crosses_mounts),
            FolderCommand::Change {
                folder,
                excludes,
                crosses_mounts,
                schedule,
            } => self.change(&folder, excludes, crosses_mounts, schedule),
            FolderCommand::Remove { folder } => self.remove(&folder),
            FolderCommand::Backup { folders } => self.choose(&folders),
            FolderCommand::ScheduleAll => {
                let facts = folder_facts(&self.catalogue, self.device, self.schedule);
                let facts = facts.map_err(catalogue_error)?;
                Ok(FolderOutcome::Scheduled { facts })
            }
        }
    }

    fn add(
        &self,
        path: &str,
        excludes: Vec<String>,
        crosses_mounts: bool,
    ) -> Result<FolderOutcome, ApiError> {
        let absolute = existing_folder(path)?;
        check_excludes(&excludes)?;
        let bytes = absolute.as_os_str().as_bytes();
        let known = self.folders()?;
        let known = known.iter().find(|folder| folder.path == bytes);
        let record = FolderRecord {
            folder: known.map_or_else(|| FolderId(random()), |known| known.folder),
            path: bytes.to_vec(),
            excludes,
            crosses_mounts,
            schedule: None,
            retention: Retention::KeepAll,
        };
        let kept = self.catalogue.add_folder(record.clone());
        kept.map_err(catalogue_error)?;
        end_waiting(&self.catalogue, record.folder).map_err(catalogue_error)?;
        let schedule = self.next_schedule(record.folder, self.schedule);
        Ok(FolderOutcome::Added { record, schedule })
    }

    fn change(
        &self,
        name: &str,
        excludes: Vec<String>,
        crosses_mounts: bool,
        schedule: Schedule,
    ) -> Result<FolderOutcome, ApiError> {
        check_excludes(&excludes)?;
        if let Schedule::Every { minutes } = schedule
            && !SCHEDULE_MINUTES.contains(&minutes)
        {
            let message = format!("{minutes} minutes are no schedule: 5 to 10080 are possible");
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let mut record = find(&self.folders()?, name)?;
        let has_new_excludes = record.excludes != excludes;
        record.excludes = excludes;
        record.crosses_mounts = crosses_mounts;
        let setting = schedule_setting(record.folder, schedule);
        let kept = self.catalogue.change_folder(record.clone(), vec![setting]);
        kept.map_err(catalogue_error)?;
        let schedule = self.next_schedule(record.folder, schedule);
        Ok(FolderOutcome::Changed {
            record,
            has_new_excludes,
            schedule,
        })
    }

    fn remove(&self, name: &str) -> Result<FolderOutcome, ApiError> {
        let record = find(&self.folders()?, name)?;
        let removed = self.catalogue.remove_folder(record.folder);
        removed.map_err(catalogue_error)?;
        Ok(FolderOutcome::Removed { record })
    }

    fn choose(&self, names: &[String]) -> Result<FolderOutcome, ApiError> {
        let all = self.folders()?;
        if all.is_empty() {
            let message =
                "no folder is under protection yet; add one with `bitdust folder add DIR`";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let folders = if names.is_empty() {
            self.without_waiting(all)?
        } else {
            let named = names.iter().map(|name| find(&all, name));
            named.collect::<Result<_, _>>()?
        };
        let mut schedules = Vec::new();
        for folder in &folders {
            // Whoever names it wants what is there now.
            if end_waiting(&self.catalogue, folder.folder).map_err(catalogue_error)? {
                schedules.extend(self.next_schedule(folder.folder, self.schedule));
            }
        }
        Ok(FolderOutcome::Chosen { folders, schedules })
    }

    /// Folders that do not wait to be restored.
    fn without_waiting(&self, all: Vec<FolderRecord>) -> Result<Vec<FolderRecord>, ApiError> {
        let mut folders = Vec::new();
        for folder in all {
            if !awaits_restore(&self.catalogue, folder.folder).map_err(catalogue_error)? {
                folders.push(folder);
            }
        }
        if folders.is_empty() {
            let message = "all folders wait to be restored, so that nothing was backed up; restore them to where they \
                           were, or name those that are to be backed up as they are now";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        Ok(folders)
    }

    /// When a folder that the catalogue has taken is backed up. Where it cannot say when that was
    /// done last the folder is taken for a new one: under protection in any case.
    fn next_schedule(&self, folder: FolderId, chosen: Schedule) -> Option<FolderFact> {
        let known = folder_fact(&self.catalogue, self.device, folder, self.schedule);
        let new = FolderFact {
            folder,
            schedule: chosen,
            backed_up_ago_ms: None,
        };
        self.is_daemon.then(|| known.unwrap_or(new))
    }

    fn folders(&self) -> Result<Vec<FolderRecord>, ApiError> {
        self.catalogue.folders().map_err(catalogue_error)
    }
}

/// The folder that a person names: by its id, by its path, or by another path that leads there.
fn find(folders: &[FolderRecord], name: &str) -> Result<FolderRecord, ApiError> {
    let path = unescape(name);
    let known = folders
        .iter()
        .find(|folder| folder.path == path || folder.folder.to_hex() == name);
    // Only a path that is not known as it is needs a look at its disk, which may hang.
    let led_to = || {
        let absolute = std::fs::canonicalize(Path::new(OsStr::from_bytes(&path))).ok()?;
        let bytes = absolute.as_os_str().as_bytes();
        folders.iter().find(|folder| folder.path == bytes)
    };
    known.or_else(led_to).cloned().ok_or_else(|| {
        let message =
            format!("{name} is not under protection; `bitdust folder list` shows what is");
        ApiError::new(ErrorCode::NotFound, message)
    })
}

/// The folder that a text names, absolute and without links.
pub(in crate::backup) fn existing_folder(path: &str) -> Result<PathBuf, ApiError> {
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
pub(in crate::backup) fn check_excludes(patterns: &[String]) -> Result<Excludes, ApiError> {
    Excludes::new(patterns).map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))
}
