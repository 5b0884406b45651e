//! When a folder is backed up by itself, as the catalogue keeps it.

use bitdust_api::view::Schedule;
use bitdust_model::FolderId;
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
