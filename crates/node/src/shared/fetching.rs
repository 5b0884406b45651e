//! Having parts of packs fetched by the loop.

use tokio::sync::oneshot;

use bitdust_engine::JobId;
use bitdust_model::manifest::{BlobRef, PackRef};
use bitdust_model::{ErrorCode, PositionMask};

use crate::shared::context::Context;
use crate::shared::fetch_request::{FetchRequest, NO_JOB, Plain, WantedPart};
use crate::shared::task_event::TaskEvent;

/// Fetches chunks of one pack through the loop.
pub(crate) async fn fetch_chunks(
    context: &Context,
    job: JobId,
    pack: PackRef,
    blobs: Vec<BlobRef>,
) -> Result<Plain, ErrorCode> {
    fetch(context, job, pack, WantedPart::Chunks(blobs)).await
}

/// Fetches a pack as it was sealed through the loop, for a shard that is made anew.
pub(crate) async fn fetch_sealed(
    context: &Context,
    pack: PackRef,
    confirmed: PositionMask,
) -> Result<Plain, ErrorCode> {
    fetch(context, NO_JOB, pack, WantedPart::Sealed(confirmed)).await
}

async fn fetch(
    context: &Context,
    job: JobId,
    pack: PackRef,
    wanted: WantedPart,
) -> Result<Plain, ErrorCode> {
    let (reply, result) = oneshot::channel();
    let request = FetchRequest {
        job,
        pack,
        wanted,
        reply,
    };
    context
        .task_events
        .send(TaskEvent::FetchWanted(Box::new(request)))
        .await
        .map_err(|_| ErrorCode::Cancelled)?;
    result.await.map_err(|_| ErrorCode::Cancelled)?
}
