//! The catalogue made anew from heads and manifests.

use tracing::debug;

use bitdust_engine::{JobId, ListsRead};
use bitdust_model::ErrorCode;
use bitdust_model::head::HeadBundle;

use crate::shared::context::Context;
use crate::shared::head_lists::{HeadLists, load_head};
use crate::shared::recovery_found::{Left, MissingLists};

/// What was read of a head.
pub(super) struct Rebuilt {
    pub(super) lists: ListsRead,
    pub(super) missing: MissingLists,
    /// What its machine leaves.
    pub(super) left: Option<Box<Left>>,
}

/// Reads what a head names into the catalogue. Unless a part is enough its versions are listed only where
/// all indexes can be had: of others no file could be restored.
pub(super) async fn rebuild(
    context: &Context,
    job: JobId,
    bundle: &HeadBundle,
    partly: bool,
) -> Result<Rebuilt, ErrorCode> {
    let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
    match load_head(context, job, &head, partly).await? {
        HeadLists::Read(missing, left) => Ok(Rebuilt {
            lists: if missing.index > 0 {
                ListsRead::Partly
            } else {
                ListsRead::Whole
            },
            missing,
            left: Some(left),
        }),
        HeadLists::Unread(code) => {
            debug!(
                sequence = head.sequence.0,
                code = code.name(),
                "A manifest could not be read"
            );
            Ok(Rebuilt {
                lists: ListsRead::Nothing,
                missing: MissingLists::default(),
                left: None,
            })
        }
    }
}
