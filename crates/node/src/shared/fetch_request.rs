//! Chunks that a job wants of the network's data, what comes of shards for them, and what they are
//! in the end.

use bytes::Bytes;
use tokio::sync::oneshot;

use bitdust_engine::JobId;
use bitdust_model::manifest::{BlobRef, PackRef};
use bitdust_model::{ErrorCode, PositionMask};

use crate::shared::buffers::Lent;

/// Bytes of a shard from an offset on, proved against the shard's id and unmasked.
#[derive(Debug, Clone)]
pub(crate) struct RangeBytes {
    /// Offset in the shard.
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
}

/// The pieces of a fetch, one behind the other: plain chunks, or the pack as it was sealed.
#[derive(Debug)]
pub(crate) struct Plain {
    bytes: Lent,
    ends: Vec<usize>,
}

impl Plain {
    /// Chunks that end at these places of `bytes`.
    pub(crate) const fn new(bytes: Lent, ends: Vec<usize>) -> Self {
        Self { bytes, ends }
    }

    /// Each chunk, in the order in which they were asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let chunk = self.bytes.as_ref().get(start..end).unwrap_or_default();
            start = end;
            chunk
        })
    }

    /// The last chunk.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        self.iter().last()
    }
}

/// What is wanted of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WantedPart {
    /// Chunks, by offset.
    Chunks(Vec<BlobRef>),
    /// All of it as it was sealed, from these positions before others.
    Sealed(PositionMask),
}

/// The number under which is fetched what belongs to no job: packs of which a shard is made anew, lists of
/// the own lane.
pub(crate) const NO_JOB: JobId = JobId(0);

/// A request of a job for a part of a pack.
pub(crate) struct FetchRequest {
    pub(crate) job: JobId,
    pub(crate) pack: PackRef,
    pub(crate) wanted: WantedPart,
    /// Where the pieces go, in the order in which they are wanted.
    pub(crate) reply: oneshot::Sender<Result<Plain, ErrorCode>>,
}
