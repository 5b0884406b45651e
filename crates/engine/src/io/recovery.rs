//! What a recovery is told of lanes and heads.

use bitdust_model::{DeviceId, HeadRef, Sequence};

/// What the record of a lane says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LaneFact {
    /// The lane.
    pub lane: DeviceId,
    /// Whom it names: the holders of its home set, and further suppliers.
    pub suppliers: Vec<DeviceId>,
    /// Shards that give a data pack of its home set back; 1 where it has none yet.
    pub k: u8,
    /// Whether it says that a head was published.
    pub has_published: bool,
    /// Its newest published head, unless a fence closes the lane before it: that is looked for.
    pub named: Option<Sequence>,
}

/// A head that a supplier told; the node keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeadFact {
    /// Its lane.
    pub lane: DeviceId,
    /// Which it is.
    pub head: HeadRef,
    /// The home set of its lane, where the record of that came with it.
    pub home: Option<HomeFact>,
}

/// Who keeps the lists of a lane.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HomeFact {
    /// The version of the set.
    pub version: Sequence,
    /// Shards that give a data pack back.
    pub k: u8,
    /// Who holds its active positions.
    pub holders: Vec<DeviceId>,
}

/// A head of a lane, and who told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToldVersion {
    /// The lane.
    pub lane: DeviceId,
    /// Which head.
    pub head: HeadRef,
    /// Holders of the lane's home set that told exactly this one.
    pub confirmed: u32,
    /// All of its holders.
    pub of: u32,
}

/// A head whose lists a recovery wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WantedHead {
    /// The lane.
    pub lane: DeviceId,
    /// Which head.
    pub head: HeadRef,
    /// Whether a part of its lists is better than none: otherwise nothing of it is listed unless all
    /// indexes can be had.
    pub partly: bool,
}

/// How much of the lists of a head could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ListsRead {
    /// Its manifest and all indexes.
    Whole,
    /// Its manifest, and not all of them.
    Partly,
    /// Not even the manifest.
    Nothing,
}

/// What a recovery takes over, and what it knows of beyond that.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecoveryFound {
    /// Of each lane the newest head whose lists could be read.
    pub taken: Vec<ToldVersion>,
    /// Of each lane the newest head that was told, where its lists could not be had.
    pub unread: Vec<ToldVersion>,
    /// Heads that records name and that nobody told, the newest of each lane.
    pub unheard: Vec<(DeviceId, Sequence)>,
    /// Whether so many told each lane that nothing newer of it can have settled.
    pub is_sure: bool,
}
