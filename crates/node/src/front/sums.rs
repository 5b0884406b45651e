//! What is stored, in bytes.

use bitdust_api::ApiError;
use bitdust_model::ByteCount;
use bitdust_model::manifest::PackKind;
use bitdust_store::{Catalogue, Spool};

use crate::shared::answer::catalogue_error;

/// Bytes of packs before and after they are spread.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) sealed: u64,
    pub(super) coded: u64,
    pub(super) kept: u64,
}

#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) contents: Sums,
    pub(super) metadata: Sums,
}

/// What contents and metadata amount to.
pub(super) fn stored(catalogue: &Catalogue) -> Result<Stored, ApiError> {
    let totals = catalogue.pack_totals().map_err(catalogue_error)?;
    let mut stored = Stored::default();
    for total in totals {
        let sum = match total.kind {
            PackKind::Data => &mut stored.contents,
            PackKind::Tree | PackKind::Commit => &mut stored.metadata,
        };
        sum.sealed += total.sealed.0;
        sum.coded += total.coded.0;
        sum.kept += total.kept.0;
    }
    Ok(stored)
}

/// What waits for suppliers that are away.
pub(super) fn spooled(spool: &Spool) -> ByteCount {
    let waiting = spool.list();
    waiting
        .iter()
        .fold(ByteCount(0), |sum, entry| sum + entry.bytes)
}
