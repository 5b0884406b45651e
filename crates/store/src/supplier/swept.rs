//! The report of a start: what was not in line after whatever happened before.

/// What a start found and put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Shards whose file is gone since the last start.
    pub missing: u64,
    /// Shards whose file has another length than it should.
    pub damaged: u64,
    /// Shards whose missing file is back.
    pub returned: u64,
    /// Finished files that had no row yet and have one now.
    pub adopted: u64,
    /// Deletes that were completed.
    pub graced: u64,
    /// Files that belonged to nothing.
    pub removed: u64,
    /// Files with a header of another version of this program; they stay.
    pub of_other_versions: u64,
    /// Whether the database was damaged: it was put aside, and made anew from the files.
    pub is_replaced: bool,
    /// Whether the folder of shards is away: nothing is known of any shard.
    pub is_away: bool,
    /// Whether nothing could be opened: everything is refused until the next start.
    pub is_shut: bool,
    /// Lanes of which a file had a newer head than the database.
    pub lanes_entered: u64,
    /// Files of documents that are damaged; what the database has of them is written anew.
    pub documents_damaged: u64,
    /// Half-received shards that were too old or too many.
    pub parts_removed: u64,
}
