//! Error codes: stable names for machines. Sentences for people are made at the front ends.

use serde::{Deserialize, Serialize};

/// What went wrong, as a stable code that crosses processes and front ends.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The peer cannot be reached now.
    Unreachable,
    /// The peer did not answer in time.
    TimedOut,
    /// The connection or stream broke in the middle.
    Interrupted,
    /// The peer is busy; it said when to come back.
    Busy,
    /// The space agreed or offered is used up.
    QuotaExceeded,
    /// There is no contract between the two.
    NoContract,
    /// The contract, record or document has expired.
    Expired,
    /// The signature, certificate or addressee is wrong.
    NotAuthentic,
    /// The sender may not do this.
    NotAllowed,
    /// The packet was seen before.
    Replayed,
    /// The thing asked for is not here.
    NotFound,
    /// The bytes do not match their id or proof.
    Corrupt,
    /// The message does not fit the protocol or its limits.
    Malformed,
    /// The other side speaks another version or network.
    Incompatible,
    /// The local disk is full.
    DiskFull,
    /// The local disk failed.
    DiskFailed,
    /// A head or record is older than what is known.
    Stale,
    /// A fence closed the lane.
    Fenced,
    /// There are not enough suppliers.
    TooFewSuppliers,
    /// Fewer than k shards can be had.
    TooFewShards,
    /// A file or folder cannot be read.
    Unreadable,
    /// A file changed while it was read, also when taken again.
    Changed,
    /// A name or path is not acceptable at the target.
    BadPath,
    /// The home is held by another process.
    HomeHeld,
    /// The person stopped it.
    Cancelled,
    /// The request makes no sense as given.
    BadRequest,
    /// It belongs to a later release.
    NotYet,
    /// A bug: report it.
    Internal,
    /// There is more of something than this program can keep.
    TooMany,
    /// The catalogue of this device is damaged.
    CatalogueDamaged,
    /// A head does not follow the newest one of its lane: another machine with the same keys wrote that,
    /// or this one did and has forgotten it.
    Forked,
    /// A recovery found an identity that has versions, or may have, and nobody who answered has one.
    VersionsMissing,
    /// This machine only restores: nobody was told of it, so that nobody would find what it writes.
    RestoreOnly,
}

impl ErrorCode {
    /// The stable name, for example `quota_exceeded`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether trying again later may help without anybody doing anything.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::TimedOut | Self::Interrupted | Self::Busy
        )
    }
}

/// How loud an event is.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A thing a person may like to know.
    Note,
    /// Something was skipped or delayed; nothing is lost.
    Warning,
    /// Something needs a person.
    Problem,
}
