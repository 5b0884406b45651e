//! The one folder that each machine of this world has.

use bitdust_engine::FolderFact;
use bitdust_model::{FolderId, Schedule};

/// Its id.
pub(crate) const FOLDER: FolderId = FolderId([0; 32]);

/// The folder under a schedule, as an engine knows it. No schedule of this world counts from the
/// newest version.
pub(crate) const fn folder_fact(schedule: Schedule) -> FolderFact {
    FolderFact {
        folder: FOLDER,
        schedule,
        backed_up_ago_ms: None,
    }
}
