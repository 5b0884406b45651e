//! The newest published version as suppliers have it: its lists are fetched and read into a catalogue of
//! their own, as a recovery would do. What only the own catalogue knows is not in there.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use bitdust_engine::JobId;
use bitdust_model::head::Head;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::{DeviceId, ErrorCode, HeadHash, Sequence};
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_store::catalogue::ScratchCatalogue;

use crate::restore::versions::newest_of_each;
use crate::shared::context::Context;
use crate::shared::head_lists::{HeadLists, load_head};
use crate::shared::lane_heads::ask_tip;
use crate::shared::task::blocking;

/// What somebody would find who has nothing but the keys.
pub(super) struct PublishedVersion {
    /// As the own context, with what was found in place of the catalogue.
    pub(super) context: Context,
    /// Its place in the lane.
    pub(super) sequence: Sequence,
    /// Parts of its lists that could not be had.
    pub(super) missing: u64,
    /// Whether a supplier tells of it.
    pub(super) is_told: bool,
    /// Goes with the rest.
    _scratch: ScratchCatalogue,
}

impl PublishedVersion {
    /// Fetches the lists of the newest published head; `None` where there is none. Fails where its
    /// manifest cannot be had.
    pub(super) async fn fetch(context: &Context, job: JobId) -> Result<Option<Self>, ErrorCode> {
        let (catalogue, folder) = (context.catalogue.clone(), context.scratch.clone());
        let header_bytes = u32::try_from(HEADER_BYTES).map_err(|_| ErrorCode::Internal)?;
        let opened = blocking(move || {
            let Some(published) = catalogue.newest_published_head()? else {
                return Ok(None);
            };
            let scratch = ScratchCatalogue::create(&folder, header_bytes)?;
            Ok(Some((published, scratch)))
        });
        let opened: Result<_, bitdust_store::CatalogueError> = opened.await?;
        let Some((published, scratch)) = opened.map_err(|error| error.code())? else {
            return Ok(None);
        };
        let own = Context {
            catalogue: scratch.catalogue().clone(),
            ..context.clone()
        };
        let head: Head = bitdust_crypto::verify_by(&published.head, &context.device.0)
            .map_err(|_| ErrorCode::NotAuthentic)?;
        let missing = match load_head(&own, job, &head, true).await? {
            HeadLists::Read(missing, _) => missing,
            HeadLists::Unread(code) => return Err(code),
        };
        // By now those are there who hold its lists.
        let is_told = is_told(context, (published.sequence, published.hash)).await;
        Ok(Some(Self {
            context: own,
            sequence: published.sequence,
            missing: missing.index + missing.older,
            is_told,
            _scratch: scratch,
        }))
    }

    /// The newest version of each folder.
    pub(super) fn newest_of_each(&self) -> Result<Vec<SnapshotRecord>, ErrorCode> {
        newest_of_each(&self.context)
    }
}

/// Whether a supplier that is there tells this head of the own lane, or one after it.
async fn is_told(context: &Context, head: (Sequence, HeadHash)) -> bool {
    let peers = context.net.peers().await.unwrap_or_default();
    let devices = peers.into_iter().map(|peer| peer.device);
    let asked: FuturesUnordered<_> = devices.map(|device| tells(context, device, head)).collect();
    let mut told = asked.filter(|tells| std::future::ready(*tells));
    let first = tokio::time::timeout(context.policy.request_timeout, told.next()).await;
    matches!(first, Ok(Some(_)))
}

async fn tells(
    context: &Context,
    device: DeviceId,
    (sequence, hash): (Sequence, HeadHash),
) -> bool {
    let Ok(Some(told)) = ask_tip(context, device).await else {
        return false;
    };
    if told.0 <= sequence {
        return told == (sequence, hash);
    }
    // Another one in its place is of somebody else who writes with the same keys.
    let catalogue = context.catalogue.clone();
    let own = blocking(move || catalogue.head(told.0)).await;
    matches!(own, Ok(Ok(Some(own))) if own.hash == told.1)
}
