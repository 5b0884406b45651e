//! The catalogue made anew from heads and manifests.

use tracing::debug;

use bitdust_engine::{JobId, ListsRead};
use bitdust_model::ErrorCode;
use bitdust_model::head::HeadBundle;

use crate::shared::context::Context;
use crate::shared::head_lists::load_head;

/// Reads what a head names into the catalogue. Unless a part is enough its versions are listed only where
/// all indexes can be had: of others no file could be restored.
pub(super) async fn rebuild(
    context: &Context,
    job: JobId,
    bundle: &HeadBundle,
    partly: bool,
) -> Result<ListsRead, ErrorCode> {
    let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
    match load_head(context, job, &head, partly).await {
        Ok(missing) if missing.index > 0 => Ok(ListsRead::Partly),
        Ok(_) => Ok(ListsRead::Whole),
        Err(code) => {
            debug!(
                sequence = head.sequence.0,
                code = code.name(),
                "A manifest could not be read"
            );
            Ok(ListsRead::Nothing)
        }
    }
}
