//! The history that people read: what happened, when, and how loud it was.
//!
//! A line carries its facts in a [`Happening`], so that every front end says it in its own
//! language, and a sentence for those that have none.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::{ErrorCode, Severity, UnixMillis};

use crate::job::JobOutcome;

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HistoryLine {
    /// Its number; newer lines have higher ones.
    pub number: u64,
    /// When, by the own clock.
    pub at: UnixMillis,
    /// How loud.
    pub severity: Severity,
    /// What happened, for machines.
    pub happening: Happening,
    /// What happened, for people.
    pub message: String,
}

/// A page of the history, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HistoryView {
    /// The lines.
    pub lines: Vec<HistoryLine>,
    /// Whether older ones follow.
    pub more: bool,
    /// Lines that fit the question, as far as they were counted.
    pub count: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// The node started.
    Started,
    /// A backup ended.
    BackupEnded {
        /// How.
        outcome: JobOutcome,
        /// Files looked at.
        files: u64,
        /// Bytes of new chunks.
        new_bytes: u64,
        /// Things that could not be protected.
        problems: u64,
        /// Why, where it failed.
        error: Option<ErrorCode>,
    },
    /// A restore ended.
    RestoreEnded {
        /// How.
        outcome: JobOutcome,
        /// Files written or found the same.
        files: u64,
        /// Things that could not be restored.
        problems: u64,
        /// Why, where it failed.
        error: Option<ErrorCode>,
    },
    /// A test restore ended.
    VerifyEnded {
        /// How.
        outcome: JobOutcome,
        /// Files that came back whole.
        files: u64,
        /// Files that did not.
        failed: u64,
        /// Why, where it failed.
        error: Option<ErrorCode>,
    },
    /// A folder came under protection.
    FolderAdded {
        /// Where it lies.
        path: String,
    },
    /// A folder was taken from protection; its stored versions stay.
    FolderRemoved {
        /// Where it lay.
        path: String,
    },
    /// A folder cannot be watched in full; it is looked through every hour instead.
    WatchLimited {
        /// Where it lies.
        path: String,
        /// Why.
        reason: String,
    },
    /// Somebody signed to keep data.
    SupplierSigned {
        /// Nickname and fingerprint.
        name: String,
        /// Bytes agreed.
        bytes: u64,
    },
    /// Somebody lost a part of what it confirmed, and does not count until it has proved that it keeps
    /// the rest. Lines of older programs call it `supplier_doubted` or `supplier_condemned`.
    #[serde(alias = "supplier_doubted", alias = "supplier_condemned")]
    SupplierSuspect {
        /// Nickname and fingerprint.
        name: String,
    },
    /// Somebody can prove nothing of what it confirmed.
    SupplierEmptied {
        /// Nickname and fingerprint.
        name: String,
    },
    /// Somebody gave a whole row of proofs of what it keeps, and counts again.
    SupplierTrusted {
        /// Nickname and fingerprint.
        name: String,
    },
    /// This computer had forgotten versions that suppliers keep, and knows them again.
    CaughtUp {
        /// How many.
        versions: u64,
    },
    /// Somebody became a friend.
    FriendMade {
        /// Nickname and fingerprint.
        name: String,
    },
    /// The space offered to others was changed.
    OfferChanged {
        /// Bytes.
        bytes: u64,
    },
    /// The list of friends could not be read; they may still find this node.
    FriendsNotRead,
    /// The list of what is kept for others was damaged, and was made anew from what lies on the disk.
    KeptListRebuilt {
        /// Pieces that it has now.
        pieces: u64,
    },
    /// Files of what is kept for others are gone or have another length.
    KeptPiecesLost {
        /// So many.
        pieces: u64,
    },
    /// The folder of what is kept for others is not there.
    KeptFolderAway,
    /// What is kept for others could not be opened.
    KeptShut,
    /// A part of the program failed by a defect.
    Defect,
    /// Anything else; the message says it.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_an_older_program_kept_is_read() {
        for kind in ["supplier_doubted", "supplier_condemned"] {
            let kept = format!(r#"{{ "kind": "{kind}", "name": "bob" }}"#);
            let read: Happening = serde_json::from_str(&kept).expect("it is known");
            let name = "bob".to_owned();
            assert_eq!(read, Happening::SupplierSuspect { name });
        }
    }
}
