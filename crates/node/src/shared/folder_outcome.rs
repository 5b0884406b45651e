//! What a command about folders did, on its way from the task that did it to the loop.

use bitdust_engine::FolderFact;
use bitdust_model::manifest::FolderRecord;

/// What was done. The catalogue has it; the engine and people are still to be told.
pub(crate) enum FolderOutcome {
    /// A folder is under protection.
    Added {
        /// Its rules.
        record: FolderRecord,
        /// When it is backed up; `None` where this node does not do that by itself.
        schedule: Option<FolderFact>,
    },
    /// A folder has other rules, or another schedule.
    Changed {
        /// Its rules.
        record: FolderRecord,
        /// Whether other things are excluded than before.
        has_new_excludes: bool,
        /// When it is backed up; `None` where this node does not do that by itself.
        schedule: Option<FolderFact>,
    },
    /// A folder is under protection no more.
    Removed {
        /// As it was.
        record: FolderRecord,
    },
    /// These are the folders that a backup is asked for.
    Chosen {
        /// In the order in which they were named, or added where none was.
        folders: Vec<FolderRecord>,
        /// When those of them are backed up from now on that waited to be restored.
        schedules: Vec<FolderFact>,
    },
    /// Folders without a schedule of their own have another one.
    Scheduled {
        /// All folders.
        facts: Vec<FolderFact>,
    },
}
