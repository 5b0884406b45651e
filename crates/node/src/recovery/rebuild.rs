//! The catalogue made anew from heads and manifests.

use tracing::debug;

use bitdust_engine::{JobId, ListsRead};
use bitdust_model::ErrorCode;
use bitdust_model::head::HeadBundle;

use crate::shared::context::Context;
use crate::shared::head_lists::{HeadLists, load_head};
use crate::shared::recovery_found::MissingLists;

/// Reads what a head names into the catalogue. Unless a part is enough its versions are listed only where
/// all indexes can be had: of others no file could be restored. Gives what is missing, too.
pub(super) async fn rebuild(
    context: &Context,
    job: JobId,
    bundle: &HeadBundle,
    partly: bool,
) -> Result<(ListsRead, MissingLists), ErrorCode> {
    let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
    match load_head(context, job, &head, partly).await? {
        HeadLists::Read(missing) if missing.index > 0 => Ok((ListsRead::Partly, missing)),
        HeadLists::Read(missing) => Ok((ListsRead::Whole, missing)),
        HeadLists::Unread(code) => {
            debug!(
                sequence = head.sequence.0,
                code = code.name(),
                "A manifest could not be read"
            );
            Ok((ListsRead::Nothing, MissingLists::default()))
        }
    }
}
