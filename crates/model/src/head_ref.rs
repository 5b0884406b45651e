//! A head, named so that no other can be meant.

use serde::{Deserialize, Serialize};

use crate::id::HeadHash;
use crate::unit::Sequence;

/// A head by its place and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadRef {
    /// Its place in the lane.
    pub sequence: Sequence,
    /// Its hash.
    pub hash: HeadHash,
}
