//! The lines of the local socket: one JSON object each, answered by the same number.

use serde::{Deserialize, Serialize};

use crate::call::{Answer, ApiError, Call};
use crate::event::Event;

/// Longest line in bytes.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// From the front end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLine {
    /// Chosen by the front end, repeated in the answer.
    pub id: u64,
    /// What is asked.
    pub call: Call,
}

/// From the node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NodeLine {
    /// The answer to a call.
    Answer {
        /// The call's number.
        id: u64,
        /// What it gave.
        result: Result<Answer, ApiError>,
    },
    /// An event.
    Event {
        /// What happened.
        notice: Event,
    },
}
