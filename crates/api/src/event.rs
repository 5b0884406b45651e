//! What the node tells without being asked.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::ErrorCode;
use bitdust_model::status::{Problem, Progress, Protection};

use crate::history::HistoryLine;
use crate::job::{JobId, JobPhase};
use crate::view::{StatusView, VerifyView};

pub use crate::job::JobOutcome;

/// Something happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A job moved on; at most four a second and job.
    Progress {
        /// The job.
        job: JobId,
        /// Its counts.
        progress: Progress,
        /// What it is doing or waiting for.
        doing: JobPhase,
        /// The same as a short phrase.
        phase: String,
        /// Bytes of files a second over the last seconds; none before that was measured.
        bytes_per_second: Option<u64>,
        /// Seconds that the rest will take; none where that cannot be said.
        remaining_seconds: Option<u64>,
    },
    /// Something that people see has changed: all of it, at most four times a second.
    Status {
        /// It.
        status: Box<StatusView>,
    },
    /// A job ended.
    Ended {
        /// The job.
        job: JobId,
        /// How, and with what.
        report: Box<JobReport>,
    },
    /// A new line of the history.
    Notice {
        /// It.
        line: HistoryLine,
    },
}

/// What is to be known of a job and is no problem: there is nothing to be done about each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// It was read by a plain user, to whom the system does not show attributes that only root
    /// may see (`trusted.*`): where there are any, they are not in the backup.
    RootAttributesUnseen,
}

/// The end of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobReport {
    /// How it ended.
    pub outcome: JobOutcome,
    /// Its counts.
    pub progress: Progress,
    /// New snapshots, or the one restored, as full hexadecimal ids.
    pub snapshots: Vec<String>,
    /// What could not be protected or restored, in full up to a limit.
    pub problems: Vec<Problem>,
    /// How many more problems there were.
    pub problems_unlisted: u64,
    /// What is to be known besides.
    pub remarks: Vec<Remark>,
    /// Bytes of new chunks before compression (backup).
    pub new_bytes: u64,
    /// Bytes of sealed packs sent for them, before coding (backup).
    pub packed_bytes: u64,
    /// The error that ended it, where it failed.
    pub error: Option<ErrorCode>,
    /// The same for people.
    pub message: Option<String>,
    /// The result of a test restore.
    pub verified: Option<VerifyView>,
    /// How well everything that is published is kept at the end of a backup that made a version, or
    /// found nothing to do.
    pub protection: Option<Protection>,
    /// Names of suppliers who do not have all of it yet.
    pub owed: Vec<String>,
}
