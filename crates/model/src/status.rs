//! What is said about jobs and safety, in the words of the design.

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::unit::ByteCount;

/// How well a folder, or everything, is kept.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Protection {
    /// It cannot be known: the list of what is stored is damaged or gone.
    Unknown,
    /// Nothing was backed up yet.
    Nothing,
    /// Some folders were not backed up yet; the others are safe.
    Partly {
        /// How many.
        missing: u32,
    },
    /// Stored, but more suppliers are needed before it can be called safe.
    Stored {
        /// Suppliers that hold fresh confirmations.
        confirmed: u8,
        /// Suppliers that are needed.
        needed: u8,
    },
    /// Confirmed above the repair threshold in distinct places.
    Safe,
}

/// Counts of a job that is under way or done.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Files looked at or written.
    pub files_done: u64,
    /// Files known so far; grows while the walk goes on.
    pub files_total: u64,
    /// Bytes read or written.
    pub bytes_done: ByteCount,
    /// Bytes known so far.
    pub bytes_total: ByteCount,
    /// Bytes of shards confirmed by suppliers, or fetched from them.
    pub bytes_moved: ByteCount,
}

/// A thing that could not be protected or restored.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where, as the system's raw bytes.
    pub path: Vec<u8>,
    /// Why, for machines.
    pub code: ErrorCode,
    /// Why, for people: what happened and what is safe.
    pub detail: String,
}

/// Problems of a job: the first ones in full, the rest counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// At most `PROBLEMS_LISTED_MAX`.
    pub listed: Vec<Problem>,
    /// How many more there were.
    pub unlisted: u64,
}

impl Problems {
    /// Adds a problem to the list, or to the count when the list is full.
    pub fn push(&mut self, problem: Problem) {
        if self.listed.len() < crate::limits::PROBLEMS_LISTED_MAX {
            self.listed.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// All problems, listed or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}
