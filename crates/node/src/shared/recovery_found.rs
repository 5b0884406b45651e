//! What a recovery finds on its way, and what it gives in the end.

use bitdust_engine::JobId;
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::locator::{LaneRecord, RootRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, Signed, UnixMillis};

/// What recovery found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// The identity in full.
    pub identity: String,
    /// The nickname.
    pub nickname: String,
    /// The new device in full.
    pub device: String,
    /// When the newest head was written, by the old machine's clock.
    pub newest: Option<UnixMillis>,
    /// Suppliers that confirmed it.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
    /// A newer version exists with suppliers who did not answer.
    pub newer: bool,
    /// Versions found.
    pub snapshots: u64,
    /// Files in the newest version of each folder.
    pub files: u64,
}

/// What could be had of some heads.
#[derive(Default)]
pub(crate) struct Rebuilt {
    /// Heads whose manifest could be read.
    pub(crate) read: u32,
    /// Pieces that could not be had.
    pub(crate) missing: u64,
    /// When the newest of the heads was written.
    pub(crate) newest: Option<UnixMillis>,
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
    /// What could be had is in the catalogue.
    Rebuilt {
        job: JobId,
        /// What it was.
        rebuilt: Box<Rebuilt>,
    },
    /// This device is entered into the root record.
    Entered {
        job: JobId,
        /// What is told.
        result: Box<Recovered>,
    },
}
