//! What a commit will tell the catalogue once its head is published.

use bitdust_engine::DraftFact;
use bitdust_model::codec::Versioned;
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{BlobRef, SnapshotRecord};
use bitdust_model::{ErrorCode, PackId, Sequence, decode, limits};
use bitdust_store::catalogue::{NewSegment, Publication, SegmentId};
use bitdust_store::{Catalogue, CatalogueError};
use serde::{Deserialize, Serialize};

use crate::shared::context::Context;

/// Where the draft of a commit is kept until the head is published.
pub(super) const DRAFT_KEY: &str = "commit_draft";

/// What will be told to the catalogue once the head is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CommitDraft {
    pub(super) sequence: Sequence,
    pub(super) snapshots: Vec<SnapshotRecord>,
    pub(super) replaced: Vec<u64>,
    pub(super) segment: Vec<BlobRef>,
    /// Packs that become known with the segment.
    pub(super) packs: Vec<PackId>,
    /// Packs of its own lists.
    pub(super) lists: Vec<PackId>,
}

impl Versioned for CommitDraft {
    const KIND: &'static str = "commit draft";
    const VERSION: u8 = 3;
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// The head that was signed and may still be published, with the packs of its lists: none where
/// one of them is not known any more, or nobody knows which they are.
pub(crate) fn draft_of(catalogue: &Catalogue) -> Result<Option<DraftFact>, CatalogueError> {
    let Some(head) = catalogue.draft()? else {
        return Ok(None);
    };
    let mut lists = kept_draft(catalogue, head.sequence)?.map_or(Vec::new(), |draft| draft.lists);
    for pack in lists.clone() {
        if catalogue.pack_ref(pack)?.is_none() {
            lists.clear();
        }
    }
    Ok(Some(DraftFact {
        sequence: head.sequence,
        lists,
    }))
}

fn kept_draft(
    catalogue: &Catalogue,
    sequence: Sequence,
) -> Result<Option<CommitDraft>, CatalogueError> {
    let bytes = catalogue.get_meta(DRAFT_KEY)?;
    let draft: Option<CommitDraft> = bytes.and_then(|bytes| decode(&bytes).ok());
    Ok(draft.filter(|draft| draft.sequence == sequence))
}

/// Tells the catalogue that the head with this number is published; gives how that moves packs. What
/// it knows already is no error and moves nothing.
pub(super) fn record_commit(
    context: &Context,
    sequence: Sequence,
) -> Result<Vec<GroupChange>, ErrorCode> {
    record(&context.catalogue, sequence).map_err(|error| error.code())
}

fn record(catalogue: &Catalogue, sequence: Sequence) -> Result<Vec<GroupChange>, CatalogueError> {
    let newest = catalogue.newest_published_head()?;
    if newest.is_some_and(|head| head.sequence >= sequence) {
        return Ok(Vec::new());
    }
    let head = catalogue.newest_head()?;
    let head = head.filter(|head| head.sequence == sequence);
    let (Some(head), Some(draft)) = (head, kept_draft(catalogue, sequence)?) else {
        catalogue.mark_head_published(sequence)?;
        return Ok(Vec::new());
    };
    let segment = NewSegment {
        blobs: draft.segment,
        replaced: draft.replaced.into_iter().map(SegmentId).collect(),
        packs: draft.packs,
    };
    // All of it at once: what was done in part could not be done again.
    let published = catalogue.publish(Publication {
        segment: (!segment.blobs.is_empty()).then_some(segment),
        head: Some(head),
        lists: draft.lists,
        snapshots: draft.snapshots,
    })?;
    Ok(published.moved)
}
