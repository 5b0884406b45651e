//! What a recovery finds on its way, and what it gives in the end.

use bitdust_engine::JobId;
use bitdust_model::locator::{LaneRecord, RootRecord};
use bitdust_model::manifest::{Head, HeadBundle, SetRecord};
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
    /// Versions found.
    pub snapshots: u64,
    /// Files in the newest version of each folder.
    pub files: u64,
}

/// Something recovery found.
pub(crate) enum Found {
    /// Root and lane records.
    Lanes {
        /// The job.
        job: JobId,
        /// The root record.
        root: Box<RootRecord>,
        /// Lane records, verified.
        lanes: Vec<LaneRecord>,
    },
    /// A supplier's heads, verified.
    Heads {
        /// The job.
        job: JobId,
        /// The supplier.
        device: DeviceId,
        /// Newest head of each lane.
        heads: Vec<(Head, HeadBundle)>,
        /// Their set records.
        sets: Vec<(SetRecord, Signed<SetRecord>)>,
    },
    /// The catalogue is rebuilt.
    Rebuilt {
        /// The job.
        job: JobId,
        /// Packs that could not be had.
        missing: u64,
        /// What is told.
        result: Box<Recovered>,
    },
}
