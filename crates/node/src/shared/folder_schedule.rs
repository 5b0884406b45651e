//! When a folder is backed up by itself, as the catalogue keeps it.

use bitdust_api::view::Schedule;
use bitdust_model::FolderId;
use bitdust_model::manifest::{FolderRecord, FolderSchedule};
use bitdust_store::{Catalogue, CatalogueError};

/// The schedule a person chose for a folder, where they did.
pub(crate) fn schedule_of(
    catalogue: &Catalogue,
    folder: FolderId,
) -> Result<Option<Schedule>, CatalogueError> {
    let kept = catalogue.get_meta(&schedule_key(folder))?;
    Ok(kept.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// The setting that keeps the schedule of a folder.
pub(crate) fn schedule_setting(folder: FolderId, schedule: Schedule) -> (String, Vec<u8>) {
    let text = serde_json::to_vec(&schedule).unwrap_or_default();
    (schedule_key(folder), text)
}

fn schedule_key(folder: FolderId) -> String {
    format!("schedule/{}", folder.to_hex())
}

/// Puts a folder of a manifest under protection, which has its schedule inside, with further settings of it.
pub(crate) fn put_back(
    catalogue: &Catalogue,
    folder: &FolderRecord,
    mut settings: Vec<(String, Vec<u8>)>,
) -> Result<(), CatalogueError> {
    let chosen = folder.schedule.map(|schedule| match schedule {
        FolderSchedule::OnChange => Schedule::OnChange,
        FolderSchedule::Every { minutes } => Schedule::Every { minutes },
        FolderSchedule::Manual => Schedule::Manual,
    });
    settings.extend(chosen.map(|schedule| schedule_setting(folder.folder, schedule)));
    // The schedule is kept beside it.
    let record = FolderRecord {
        schedule: None,
        ..folder.clone()
    };
    catalogue.change_folder(record, settings)
}

/// Whether a folder was taken over from another machine and is not here yet: what is where it was, if
/// anything, is not to be taken for its newest version.
pub(crate) fn awaits_restore(
    catalogue: &Catalogue,
    folder: FolderId,
) -> Result<bool, CatalogueError> {
    let kept = catalogue.get_meta(&awaiting_key(folder))?;
    Ok(kept.is_some_and(|kept| kept == AWAITED))
}

/// The setting by which a folder waits to be restored.
pub(crate) fn awaiting_setting(folder: FolderId) -> (String, Vec<u8>) {
    (awaiting_key(folder), AWAITED.to_vec())
}

/// A folder waits no longer. Says whether it did.
pub(crate) fn end_waiting(catalogue: &Catalogue, folder: FolderId) -> Result<bool, CatalogueError> {
    let waited = awaits_restore(catalogue, folder)?;
    if waited {
        catalogue.set_meta(&awaiting_key(folder), HERE)?;
    }
    Ok(waited)
}

const AWAITED: &[u8] = &[1];
const HERE: &[u8] = &[0];

fn awaiting_key(folder: FolderId) -> String {
    format!("awaits_restore/{}", folder.to_hex())
}
