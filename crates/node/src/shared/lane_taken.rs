//! What came of taking in the own lane anew.

use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{DeviceId, ErrorCode, Sequence};

/// What came of it.
pub(crate) struct LaneTaken {
    /// How packs moved, also where it failed.
    pub(crate) moved: Vec<GroupChange>,
    /// Folders that came under protection, also where it failed later.
    pub(crate) folders: Vec<FolderRecord>,
    /// What the catalogue goes on from, or why it does not.
    pub(crate) result: Result<TakenHead, ErrorCode>,
}

/// A head that the catalogue goes on from.
pub(crate) struct TakenHead {
    /// Its place in the lane.
    pub(crate) sequence: Sequence,
    /// Who is to be asked which shards they have.
    pub(crate) unlisted: Vec<DeviceId>,
    /// Versions that were not known here.
    pub(crate) versions: u64,
}
