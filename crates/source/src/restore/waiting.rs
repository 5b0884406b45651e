//! What waits for the end of a restore: flags that forbid every change, metadata of folders.

use std::collections::BTreeMap;

use bitdust_model::tree::Meta;

use crate::flags::Flags;
use crate::relative::RelativePath;

/// What waits for its flags, by its path.
#[derive(Debug, Default)]
pub(super) struct WaitingFlags {
    pub(super) things: BTreeMap<RelativePath, Waiting>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) flags: Flags,
    /// Device and number of the thing.
    pub(super) identity: (u64, u64),
}

/// A folder that gets its metadata at the end.
#[derive(Debug)]
pub(super) struct WaitingFolder {
    pub(super) path: RelativePath,
    pub(super) last: LastTouch,
    /// The mode of one that was there and had to be opened.
    pub(super) before: Option<u32>,
}

#[derive(Debug)]
pub(super) enum LastTouch {
    /// It was restored and gets all that belongs to it.
    Meta(Meta),
    /// It was there and stays as it was: only its permissions had to be opened.
    Mode(u32),
}
