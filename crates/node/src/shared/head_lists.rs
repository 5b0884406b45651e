//! What a head leads to, read from those who keep it.

use tracing::debug;

use bitdust_engine::JobId;
use bitdust_model::ErrorCode;
use bitdust_model::head::Head;
use bitdust_model::manifest::{BlobRef, Manifest, OWN_PACK, PackRef, Segment, SnapshotRecord};
use bitdust_pipeline::index::{read_manifest, read_segment, read_snapshot_page};
use bitdust_store::{Catalogue, CatalogueError, DatabaseError};

use crate::shared::context::Context;
use crate::shared::fetching::fetch_chunks;
use crate::shared::recovery_found::{Left, MissingLists};
use crate::shared::task::blocking;

/// What became of the lists of a head.
pub(crate) enum HeadLists {
    /// They are in the catalogue, but for these; beside them what is listed of the machine itself.
    Read(MissingLists, Box<Left>),
    /// Not even the manifest could be had.
    Unread(ErrorCode),
}

/// Reads the manifest of a head and all it names into the catalogue. Unless a part is enough, its versions
/// are left out where a part of the index is missing. Fails where this machine's own disk does: that says
/// nothing about suppliers.
pub(crate) async fn load_head(
    context: &Context,
    job: JobId,
    head: &Head,
    partly: bool,
) -> Result<HeadLists, ErrorCode> {
    let manifest = match read_manifest_of(context, job, head).await {
        Ok(manifest) => manifest,
        Err(code) => return Ok(HeadLists::Unread(code)),
    };
    let mut packs = manifest.packs.clone();
    packs.push(head.commit.clone());
    let refs = packs.clone();
    if let Err(code) = import(context, move |catalogue| catalogue.import_pack_refs(refs)).await? {
        return Ok(HeadLists::Unread(code));
    }
    let left = Box::new(Left {
        folders: manifest.folders,
        friends: manifest.friends,
        written_at: head.written_at,
    });
    let mut missing = MissingLists::default();
    for blob in manifest.segments.into_iter().flatten() {
        if let Err(code) = load_segment(context, job, &packs, &head.commit, blob).await? {
            debug!(code = code.name(), "A part of the index could not be had");
            missing.index += 1;
            if !partly {
                return Ok(HeadLists::Read(missing, left));
            }
        }
    }
    // The newest first: what cannot be had of the older ones takes nothing from them.
    if let Err(code) = import_snapshots(context, manifest.snapshots).await? {
        return Ok(HeadLists::Unread(code));
    }
    for blob in manifest.older {
        if let Err(code) = load_page(context, job, &packs, &head.commit, blob).await? {
            debug!(code = code.name(), "A page of versions could not be had");
            missing.older += 1;
        }
    }
    Ok(HeadLists::Read(missing, left))
}

/// Reads the manifest of a head.
pub(crate) async fn read_manifest_of(
    context: &Context,
    job: JobId,
    head: &Head,
) -> Result<Manifest, ErrorCode> {
    let chunks = fetch_chunks(context, job, head.commit.clone(), vec![head.manifest]).await?;
    let raw = chunks.last().ok_or(ErrorCode::Internal)?;
    read_manifest(raw).map_err(|_| ErrorCode::Corrupt)
}

/// Takes something into the catalogue; says inside why it does not fit, and outside why the disk failed.
async fn import<T: Send + 'static>(
    context: &Context,
    write: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
) -> Result<Result<T, ErrorCode>, ErrorCode> {
    let catalogue = context.catalogue.clone();
    match blocking(move || write(&catalogue)).await? {
        Ok(done) => Ok(Ok(done)),
        Err(CatalogueError::Database(
            error @ (DatabaseError::OutOfRange { .. } | DatabaseError::TooLong { .. }),
        )) => Ok(Err(error.code())),
        Err(CatalogueError::Database(error)) => Err(error.code()),
        Err(error) => Ok(Err(error.code())),
    }
}

async fn import_snapshots(
    context: &Context,
    snapshots: Vec<SnapshotRecord>,
) -> Result<Result<(), ErrorCode>, ErrorCode> {
    import(context, move |catalogue| {
        catalogue.import_snapshots(snapshots)
    })
    .await
}

async fn load_page(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    blob: BlobRef,
) -> Result<Result<(), ErrorCode>, ErrorCode> {
    match read_page_at(context, job, packs, own, blob).await {
        Ok(snapshots) => import_snapshots(context, snapshots).await,
        Err(code) => Ok(Err(code)),
    }
}

/// Reads a page of older versions that a manifest names by its place; `own` is the pack of the manifest.
pub(crate) async fn read_page_at(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    blob: BlobRef,
) -> Result<Vec<SnapshotRecord>, ErrorCode> {
    let raw = load_piece(context, job, packs, own, blob).await?;
    let page = read_snapshot_page(&raw).map_err(|_| ErrorCode::Corrupt)?;
    Ok(page.snapshots)
}

/// Reads a piece of the index in the same way.
pub(crate) async fn read_segment_at(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    blob: BlobRef,
) -> Result<Segment, ErrorCode> {
    let raw = load_piece(context, job, packs, own, blob).await?;
    read_segment(&raw).map_err(|_| ErrorCode::Corrupt)
}

async fn load_segment(
    context: &Context,
    job: JobId,
    packs: &[PackRef],
    own: &PackRef,
    blob: BlobRef,
) -> Result<Result<(), ErrorCode>, ErrorCode> {
    match read_segment_at(context, job, packs, own, blob).await {
        Ok(segment) => {
            let import = import(context, move |catalogue| catalogue.import_segment(segment));
            Ok(import.await?.map(|_| ()))
        }
        Err(code) => Ok(Err(code)),
    }
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
