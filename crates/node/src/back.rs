//! What tasks bring back into the loop.

use std::sync::Arc;

use bitdust_api::view::VerifyView;
use bitdust_api::{Answer, ApiError};
use bitdust_engine::{FetchId, Input, JobId, SetFact};
use bitdust_model::locator::{Invitation, Offer};
use bitdust_model::manifest::{PackRecord, SetRecord};
use bitdust_model::status::Problems;
use bitdust_model::{DeviceId, ErrorCode, FolderId, Position};
use bitdust_source::{FolderWatch, WatchError};
use bitdust_store::catalogue::ConfirmedShard;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::fetch::{FetchRequest, Piece, Plain};
use crate::scan::Scanned;

/// A pack whose shards are in memory until the engine releases it.
pub(crate) struct Flight {
    /// The pack's record, in the catalogue already.
    pub(crate) record: Arc<PackRecord>,
    /// Masked shards by position.
    pub(crate) shards: Vec<Bytes>,
    /// Its place among the packs in flight; free again when the flight is dropped.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// A message of a task to the loop.
pub(crate) enum Back {
    /// For the engine, verbatim.
    Input(Input),
    /// A pack was sealed and recorded.
    Sealed {
        /// The job.
        job: JobId,
        /// Its shards.
        flight: Box<Flight>,
    },
    /// The walk of a backup is over.
    Scanned {
        /// The job.
        job: JobId,
        /// New versions, or why not.
        result: Result<Box<Scanned>, ErrorCode>,
    },
    /// A spooled shard was loaded.
    SpoolLoaded {
        /// The pack's record.
        record: Box<PackRecord>,
        /// The position.
        position: Position,
        /// The shard.
        shard: Bytes,
        /// What the engine is told once it is in memory.
        input: Input,
    },
    /// A job wants a piece of the network's data.
    FetchWanted(Box<FetchRequest>),
    /// A position's ranges came.
    Pieces {
        /// The fetch.
        fetch: FetchId,
        /// The position.
        position: Position,
        /// Whether they are the union of all ranges.
        whole: bool,
        /// The pieces.
        pieces: Vec<Piece>,
    },
    /// A fetch was put together, or not.
    Assembled {
        /// The fetch.
        fetch: FetchId,
        /// Plain chunks.
        chunks: Option<Plain>,
    },
    /// A peer's question that waits for the engine; the loop numbers it.
    Asked(Box<crate::serve::Question>),
    /// A set was recorded.
    SetRecorded {
        /// As signed.
        record: SetRecord,
        /// As the engine knows it.
        fact: SetFact,
    },
    /// Recovery found something.
    Recovery(Box<crate::recovery::Found>),
    /// A test restore has its result.
    Verified {
        /// The job.
        job: JobId,
        /// The result.
        view: VerifyView,
    },
    /// A search for offers ended.
    Offers(Vec<Offer>),
    /// The piece to check is chosen.
    Check {
        /// The supplier.
        device: DeviceId,
        /// The piece.
        shard: Box<ConfirmedShard>,
        /// Picks the range.
        pick: u64,
    },
    /// The writing half of a restore is over.
    Restored {
        /// The job.
        job: JobId,
        /// What could not be restored, or why nothing could.
        result: Result<Problems, ErrorCode>,
    },
    /// The system watches a folder, or says why not.
    WatchOpened {
        /// The folder.
        folder: FolderId,
        /// The watch.
        opened: Result<FolderWatch, WatchError>,
    },
    /// A friend was made and recorded.
    FriendMade {
        /// Their invitation.
        invitation: Box<Invitation>,
        /// Who waits for the answer.
        reply: oneshot::Sender<Result<Answer, ApiError>>,
    },
}
