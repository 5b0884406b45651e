//! The catalogue made anew from heads and manifests.

use tracing::debug;

use bitdust_engine::JobId;
use bitdust_model::ErrorCode;
use bitdust_model::head::HeadBundle;

use crate::shared::context::Context;
use crate::shared::head_lists::load_head;
use crate::shared::recovery_found::Rebuilt;

/// Reads what the heads name into the catalogue.
pub(super) async fn rebuild(
    context: &Context,
    job: JobId,
    heads: &[HeadBundle],
) -> Result<Rebuilt, ErrorCode> {
    let mut rebuilt = Rebuilt::default();
    for bundle in heads {
        let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
        rebuilt.newest = rebuilt.newest.max(Some(head.written_at));
        match load_head(context, job, &head).await {
            Ok(lost) => {
                rebuilt.missing += lost;
                rebuilt.read += 1;
            }
            Err(code) => {
                debug!(code = code.name(), "A manifest could not be read");
                rebuilt.missing += 1;
            }
        }
    }
    Ok(rebuilt)
}
