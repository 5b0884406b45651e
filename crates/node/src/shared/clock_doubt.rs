//! Whether the clock of this machine can be right, by what others signed.
//!
//! Suppliers write into each receipt for a head when it came, by their clocks
//! ([`bitdust_model::witness`]).

use bitdust_model::UnixMillis;
use bitdust_model::intervals::CLOCK_EARLIEST;
use bitdust_model::witness::{Witnessed, believed};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::OwnHead;

use crate::shared::context::Context;

/// Whether the own clock, which shows `now`, is surely wrong.
pub(crate) fn is_clock_wrong(context: &Context, now: UnixMillis) -> Result<bool, CatalogueError> {
    if now < CLOCK_EARLIEST {
        return Ok(true);
    }
    let Some(head) = context.catalogue.newest_published_head()? else {
        return Ok(false);
    };
    let Some(received) = witnessed(context, &head)? else {
        return Ok(false);
    };
    let written = bitdust_crypto::verify(&head.head).map(|head| head.written_at);
    Ok(received.contradicts(now, written.unwrap_or_default()))
}

/// When a head was written, as far as that can be believed.
pub(crate) fn believed_time(
    context: &Context,
    head: &OwnHead,
) -> Result<UnixMillis, CatalogueError> {
    let written = bitdust_crypto::verify(&head.head).map(|head| head.written_at);
    let written = written.unwrap_or_default();
    Ok(believed(written, witnessed(context, head)?))
}

fn witnessed(context: &Context, head: &OwnHead) -> Result<Option<Witnessed>, CatalogueError> {
    let receipts = context.catalogue.head_receipts(head.sequence)?;
    let receipts = receipts.iter().filter_map(|signed| {
        let receipt = bitdust_crypto::verify(signed).ok()?;
        (receipt.head == head.hash).then_some(receipt.received_at)
    });
    Ok(Witnessed::of(receipts.collect()))
}
