//! What tasks bring back into the loop.

use std::sync::Arc;

use bitdust_api::view::{StatusView, VerifyView};
use bitdust_api::{Answer, ApiError};
use bitdust_engine::{AskId, FetchId, Input, JobId, ReceiptFact, SetFact, VersionFact};
use bitdust_model::locator::{Invitation, Offer};
use bitdust_model::manifest::{PackRecord, SnapshotRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::status::Problems;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, FolderId, IdentityId, Position};
use bitdust_net::Reply;
use bitdust_source::{FolderWatch, WatchError};
use bitdust_store::catalogue::{ConfirmedShard, Withdrawn};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::shared::completion::Completion;
use crate::shared::fetch_request::{FetchRequest, Plain, RangeBytes};
use crate::shared::folder_outcome::FolderOutcome;
use crate::shared::lane_taken::LaneTaken;
use crate::shared::owed_shard::{OwedShard, Remade};
use crate::shared::restore_request::{RestoreRequest, Written};

/// A pack whose shards are in memory until the engine releases it.
pub(crate) struct PackInFlight {
    /// The pack's record, in the catalogue already.
    pub(crate) record: Arc<PackRecord>,
    /// Masked shards by position.
    pub(crate) shards: Vec<Bytes>,
    /// Its place among the packs in flight; free again when the flight is dropped.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// What a walk gave.
pub(crate) struct Scanned {
    /// One version a folder.
    pub(crate) snapshots: Vec<SnapshotRecord>,
    /// What could not be protected.
    pub(crate) problems: Problems,
    /// Which of the versions differ from the newest ones.
    pub(crate) versions: Vec<VersionFact>,
}

/// A message of a task to the loop.
pub(crate) enum TaskEvent {
    /// For the engine, verbatim.
    Input(Input),
    /// A pack was sealed and recorded.
    Sealed {
        job: JobId,
        /// Its shards.
        flight: Box<PackInFlight>,
    },
    /// The walk of a backup is over.
    Scanned {
        /// What is answered.
        completion: Completion,
        job: JobId,
        /// New versions, or why not.
        result: Result<Box<Scanned>, ErrorCode>,
    },
    /// A supplier signed for a shard, and the catalogue knows.
    Receipt {
        /// What is answered.
        completion: Completion,
        /// For which.
        receipt: ReceiptFact,
    },
    /// A peer is connected.
    Dialed {
        /// What is answered.
        completion: Completion,
        /// The peer.
        device: DeviceId,
    },
    /// A spooled shard was loaded.
    SpoolLoaded {
        /// What is answered.
        completion: Completion,
        /// It.
        owed: OwedShard,
    },
    /// An owed shard was made anew, or not.
    Remade {
        /// What is answered.
        completion: Completion,
        /// What came of it.
        remade: Remade,
    },
    /// A job wants a piece of the network's data.
    FetchWanted(Box<FetchRequest>),
    /// A position's ranges came.
    Pieces {
        /// What is answered.
        completion: Completion,
        fetch: FetchId,
        position: Position,
        pieces: Vec<RangeBytes>,
    },
    /// A fetch was put together, or not.
    Assembled {
        /// What is answered.
        completion: Completion,
        fetch: FetchId,
        /// Plain chunks, or why not.
        chunks: Result<Plain, ErrorCode>,
    },
    /// A peer's question that waits for the engine; the loop numbers it.
    Asked(Box<crate::shared::question::Question>),
    /// A set was recorded.
    SetRecorded {
        /// What is answered.
        completion: Completion,
        /// As signed.
        record: SetRecord,
        /// As the engine knows it.
        fact: SetFact,
    },
    /// Recovery found something.
    Recovery {
        /// What is answered.
        completion: Completion,
        /// It.
        found: Box<crate::shared::recovery_found::Found>,
    },
    /// A test restore has its result.
    Verified {
        job: JobId,
        /// The result.
        view: VerifyView,
    },
    /// A search for offers ended.
    Offers {
        /// What is answered.
        completion: Completion,
        /// What it found.
        offers: Vec<Offer>,
    },
    /// The catalogue took back confirmations of a supplier.
    Withdrawn {
        /// What is answered.
        completion: Completion,
        device: DeviceId,
        /// Why.
        code: ErrorCode,
        withdrawn: Withdrawn,
    },
    /// The catalogue knows that a supplier counts again.
    Trusted {
        /// What is answered.
        completion: Completion,
        device: DeviceId,
    },
    /// What suppliers keep of the own lane was taken in, or not.
    LaneTaken {
        /// What is answered.
        completion: Completion,
        /// What came of it.
        taken: Box<LaneTaken>,
    },
    /// The piece to check is chosen.
    Check {
        /// What is answered.
        completion: Completion,
        /// The supplier.
        device: DeviceId,
        /// The piece.
        shard: Box<ConfirmedShard>,
        /// Picks the range.
        pick: u64,
    },
    /// The writing half of a restore is over.
    Restored {
        /// What is answered.
        completion: Completion,
        job: JobId,
        /// What could not be restored, or why nothing could.
        result: Result<Written, ErrorCode>,
    },
    /// The system watches a folder, or says why not.
    WatchOpened {
        /// What is answered.
        completion: Completion,
        folder: FolderId,
        /// The watch.
        opened: Result<FolderWatch, WatchError>,
    },
    /// A contract with a customer is recorded.
    ContractKept {
        /// What is answered.
        completion: Completion,
        /// The question it began with.
        ask: AskId,
        /// The device that writes.
        lane: DeviceId,
        /// Bytes agreed.
        bytes: ByteCount,
    },
    /// What somebody wants to bring back was found, or not.
    RestoreFound {
        /// What is to be brought back.
        request: Result<Box<RestoreRequest>, ApiError>,
        /// Who waits for the answer.
        reply: oneshot::Sender<Result<Answer, ApiError>>,
    },
    /// Somebody looked something up and needs nothing more.
    LookUpEnded {
        /// The number of its fetches.
        job: JobId,
    },
    /// The catalogue has what somebody commanded about folders.
    FolderCommand {
        /// What was done.
        outcome: Box<FolderOutcome>,
        /// Who waits for the answer.
        reply: oneshot::Sender<Result<Answer, ApiError>>,
    },
    /// A status was put together, or could not be.
    StatusBuilt(Result<Box<StatusView>, ApiError>),
    /// A status that somebody asked for was put together, or could not be.
    StatusFound {
        status: Result<Box<StatusView>, ApiError>,
        /// Who waits for it.
        reply: oneshot::Sender<Result<Answer, ApiError>>,
    },
    /// Somebody showed a token of ours and is recorded as a friend.
    Befriended {
        /// Their device.
        device: DeviceId,
        /// They.
        identity: IdentityId,
        /// What they are called.
        nickname: String,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A friend was made and recorded.
    FriendMade {
        /// Their invitation.
        invitation: Box<Invitation>,
        /// Who waits for the answer.
        reply: oneshot::Sender<Result<Answer, ApiError>>,
    },
}

impl TaskEvent {
    /// Gives a status that was found to whoever asked for it.
    pub(crate) fn answer_status(self) {
        if let Self::StatusFound { status, reply } = self {
            // A front end that left does not wait for its answer.
            drop(reply.send(status.map(Answer::Status)));
        }
    }
}
