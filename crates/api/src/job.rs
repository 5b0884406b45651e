//! A job: its name, what it is for, what it does meanwhile, and how it ends.
//!
//! Calls begin jobs, events and the history tell of them, views show them; so this knows none
//! of those.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::UnixMillis;
use bitdust_model::status::Progress;

/// Names a job for as long as the node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct JobId(pub u64);

/// A job that runs or waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobView {
    /// Its number.
    pub id: JobId,
    /// What it is for.
    pub task: JobTask,
    /// What it does or waits for.
    pub phase: JobPhase,
    /// How far it is.
    pub progress: Progress,
    /// Since when it runs.
    pub started_at: UnixMillis,
    /// Bytes of files a second over the last seconds; none before that was measured.
    pub bytes_per_second: Option<u64>,
    /// Seconds that the rest will take; none where that cannot be said.
    pub remaining_seconds: Option<u64>,
    /// The file or folder in work, where there is one.
    pub current: Option<String>,
}

/// What a job is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobTask {
    /// A backup of these folders.
    Backup {
        /// Their paths.
        folders: Vec<String>,
        /// Whether the schedule or a change began it.
        is_scheduled: bool,
    },
    /// A restore.
    Restore {
        /// The version by id.
        snapshot: String,
        /// The path inside the version; empty: all of it.
        path: String,
        /// The folder written into.
        to: String,
        /// What happens with files that are there and differ.
        conflict: Conflict,
    },
    /// A test restore.
    Verify {
        /// How many files.
        sample: u32,
    },
    /// An identity is brought back.
    Recovery,
}

/// What a job does or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobPhase {
    /// It has not begun.
    Waiting,
    /// Too few suppliers have signed.
    WaitingForSuppliers {
        /// Signed and usable.
        have: u8,
        /// Needed to begin.
        need: u8,
    },
    /// Walking, reading, sealing and sending.
    Reading,
    /// Nothing is read: pieces for suppliers that are away fill the room they may take here.
    WaitingForSpool,
    /// Nothing is read: the disk of this machine is full, or takes nothing for another reason.
    WaitingForDisk,
    /// Nothing is read: a supplier takes no pieces at the moment.
    WaitingForSupplier {
        /// Its nickname and fingerprint.
        name: String,
    },
    /// All is read; pieces are on their way.
    Sending,
    /// So few suppliers are there that no version can be made.
    WaitingForConfirmations {
        /// Confirmations of the weakest piece.
        confirmed: u8,
        /// Confirmations it needs.
        need: u8,
        /// Names of those who are away.
        away: Vec<String>,
    },
    /// Storing the lists of files.
    WritingLists,
    /// Giving the new version to the suppliers.
    Publishing,
    /// Looking for the identity's records.
    Seeking,
    /// Asking suppliers for the newest version.
    AskingHeads,
    /// Loading the lists of files.
    LoadingLists,
    /// Fetching and writing files.
    Fetching,
    /// Waiting for suppliers that have what is needed.
    WaitingForPieces,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// All of it is done.
    Complete,
    /// Done, but for the problems listed.
    Partial,
    /// Not done; nothing that was safe before is less safe now.
    Failed,
    /// Stopped by a person.
    Cancelled,
}

/// What to do with files that are there and differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The restored file takes the place of the one that is there.
    #[default]
    Replace,
    /// The one that is there stays; the restored one gets a name of its own.
    KeepBoth,
    /// The one that is there stays; the other is not restored.
    Skip,
}
