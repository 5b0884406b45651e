//! What a recovery finds on its way, and what it gives in the end.

use bitdust_api::host::MissedVersion;
use bitdust_engine::{JobId, ListsRead};
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::locator::{LaneRecord, RootRecord};
use bitdust_model::manifest::{FolderRecord, FriendRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, Signed, UnixMillis};

/// What could not be had of the lists of a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MissingLists {
    /// Parts of the index: files that lie in those packs cannot be found.
    pub(crate) index: u64,
    /// Pages of older versions.
    pub(crate) older: u64,
}

/// What a machine leaves to one that takes its place, by its newest version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left {
    /// Folders it protected, with their schedules.
    pub(crate) folders: Vec<FolderRecord>,
    /// Friends, the newest first.
    pub(crate) friends: Vec<FriendRecord>,
    /// When that version was written, by its clock.
    pub(crate) written_at: UnixMillis,
}

/// What recovery found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// The identity in full.
    pub identity: String,
    /// The nickname.
    pub nickname: String,
    /// The new device in full.
    pub device: String,
    /// Whether it only restores: as that was asked for, or as the identity has as many machines as it can.
    pub is_restore_only: bool,
    /// The newest version that was found.
    #[serde(flatten)]
    pub newest: NewestFound,
    /// Versions found.
    pub snapshots: u64,
    /// Files in the newest version of each folder.
    pub files: u64,
    /// Folders that are taken over, and are backed up from this machine once they were restored.
    pub folders: u64,
}

/// The newest version that a recovery found, and what it knows of newer ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct NewestFound {
    /// When it was written, by the old machine's clock; `None` where nothing was ever backed up.
    pub newest: Option<UnixMillis>,
    /// Its number among the versions of its machine.
    pub number: Option<u64>,
    /// Suppliers that told exactly this one; of several machines the fewest.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
    /// A newer one exists with suppliers who did not answer.
    pub newer: Option<MissedVersion>,
    /// A newer one was told, and its lists could not be had.
    pub unread: Option<MissedVersion>,
    /// Parts of the index that could not be had: files in there cannot be restored for now.
    pub index_missing: u64,
    /// Pages of older versions that could not be had: those are not listed.
    pub older_missing: u64,
    /// Whether so many told a version that no other can be newer but those named here.
    pub is_sure: bool,
}

/// Something recovery found.
pub(crate) enum Found {
    /// The root record.
    Root {
        job: JobId,
        /// It.
        root: Box<RootRecord>,
        /// Lane records that were found beside it, verified.
        lanes: Vec<LaneRecord>,
    },
    /// Lane records.
    Lanes {
        job: JobId,
        /// Those that were found, verified.
        lanes: Vec<LaneRecord>,
        /// Devices without one.
        missing: Vec<DeviceId>,
    },
    /// A supplier's heads, verified.
    Heads {
        job: JobId,
        /// The supplier.
        device: DeviceId,
        /// Newest head of each lane.
        heads: Vec<(Head, HeadBundle)>,
        /// Their set records.
        sets: Vec<(SetRecord, Signed<SetRecord>)>,
    },
    /// What could be had of a head is in the catalogue.
    Rebuilt {
        job: JobId,
        /// How much that was.
        lists: ListsRead,
        /// What of it is taken over incomplete.
        missing: MissingLists,
        /// What its machine leaves, where it is taken over.
        left: Option<Box<Left>>,
    },
    /// This device is entered into the root record.
    Entered {
        job: JobId,
        /// What is told.
        result: Box<Recovered>,
    },
}
