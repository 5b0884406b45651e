//! What a head leads to, read from those who keep it.

use tracing::debug;

use bitdust_engine::JobId;
use bitdust_model::ErrorCode;
use bitdust_model::head::Head;
use bitdust_model::manifest::{BlobRef, Manifest, OWN_PACK, PackRef, SnapshotRecord};
use bitdust_pipeline::index::{read_manifest, read_segment, read_snapshot_page};

use crate::shared::context::Context;
use crate::shared::fetching::fetch_chunks;
use crate::shared::task::blocking;

/// What could not be had of the lists of a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MissingLists {
    /// Parts of the index: files that lie in those packs cannot be found.
    pub(crate) index: u64,
    /// Pages of older versions.
    pub(crate) older: u64,
}

/// Reads the manifest of a head and all it names into the catalogue. Unless a part is enough, its versions
/// are left out where a part of the index is missing. Fails where the manifest cannot be had.
pub(crate) async fn load_head(
    context: &Context,
    job: JobId,
    head: &Head,
    partly: bool,
) -> Result<MissingLists, ErrorCode> {
    let manifest = read_manifest_of(context, job, head).await?;
    let mut packs = manifest.packs.clone();
    packs.push(head.commit.clone());
    let catalogue = context.catalogue.clone();
    let refs = packs.clone();
    blocking(move || catalogue.import_pack_refs(refs))
        .await?
        .map_err(|error| error.code())?;
    let mut missing = MissingLists::default();
    for blob in manifest.segments.into_iter().flatten() {
        if let Err(code) = load_segment(context, job, &packs, &head.commit, blob).await {
            debug!(code = code.name(), "A part of the index could not be had");
            missing.index += 1;
            if !partly {
                return Ok(missing);
            }
        }
    }
    // The newest first: what cannot be had of the older ones takes nothing from them.
    import_snapshots(context, manifest.snapshots).await?;
    for blob in manifest.older {
        let read = load_piece(context, job, &packs, &head.commit, blob).await;
        let page = read.and_then(|raw| read_snapshot_page(&raw).map_err(|_| ErrorCode::Corrupt));
        match page {
            Ok(page) => import_snapshots(context, page.snapshots).await?,
            Err(code) => {
                debug!(code = code.name(), "A page of versions could not be had");
                missing.older += 1;
            }
        }
    }
    Ok(missing)
}

async fn read_manifest_of(
    context: &Context,
    job: JobId,
    head: &Head,
) -> Result<Manifest, ErrorCode> {
    let chunks = fetch_chunks(context, job, head.commit.clone(), vec![head.manifest]).await?;
    let raw = chunks.last().ok_or(ErrorCode::Internal)?;
    read_manifest(raw).map_err(|_| ErrorCode::Corrupt)
}

async fn import_snapshots(
    context: &Context,
    snapshots: Vec<SnapshotRecord>,
) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    blocking(move || catalogue.import_snapshots(snapshots))
        .await?
        .map_err(|error| error.code())
}

async fn load_segment(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    blob: BlobRef,
) -> Result<(), ErrorCode> {
    let raw = load_piece(context, job, packs, own, blob).await?;
    let segment = read_segment(&raw).map_err(|_| ErrorCode::Corrupt)?;
    let catalogue = context.catalogue.clone();
    blocking(move || catalogue.import_segment(segment))
        .await?
        .map_err(|error| error.code())?;
    Ok(())
}

/// Fetches a chunk that a manifest names by its place; `own` is the pack of the manifest.
async fn load_piece(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    mut blob: BlobRef,
) -> Result<Vec<u8>, ErrorCode> {
    if blob.pack == OWN_PACK {
        blob.pack = own.pack;
    }
    let pack = packs
        .iter()
        .find(|pack| pack.pack == blob.pack)
        .ok_or(ErrorCode::NotFound)?;
    let chunks = fetch_chunks(context, job, pack.clone(), vec![blob]).await?;
    let chunk = chunks.last().ok_or(ErrorCode::Internal)?;
    Ok(chunk.to_vec())
}
