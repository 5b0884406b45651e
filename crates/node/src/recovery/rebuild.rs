//! The catalogue made anew from heads and manifests, and this device's entry in the root record.

use std::sync::Arc;

use tracing::debug;

use bitdust_crypto::RootSecrets;
use bitdust_engine::JobId;
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{Fence, RootRecord};
use bitdust_model::manifest::{BlobRef, Head, HeadBundle, Manifest, PackRef, SnapshotRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, Signed, encode, limits};
use bitdust_pipeline::index::{read_manifest, read_segment, read_snapshot_page};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::Introduction;

use super::found::Recovered;
use super::root::{FOREIGN_SETS_KEY, ForeignSets};
use crate::backup::commit::OWN_PACK;
use crate::restore::reader::fetch;
use crate::restore::versions::newest_of_each;
use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;
use crate::suppliers::records::{self, KeptRoot, ROOT_KEY};

/// What a rebuild works with.
pub(super) struct Rebuild {
    pub(super) job: JobId,
    pub(super) heads: Vec<HeadBundle>,
    pub(super) root: Arc<RootSecrets>,
    pub(super) record: Option<RootRecord>,
    pub(super) old_machine_gone: bool,
    pub(super) suppliers: Vec<Introduction>,
    pub(super) nickname: String,
    pub(super) confirmed: u32,
    pub(super) of: u32,
}

impl Rebuild {
    /// Reads what the heads name into the catalogue; gives the number of pieces that could not
    /// be had, and what is told in the end.
    pub(super) async fn run(self, context: &Context) -> Result<(u64, Recovered), ErrorCode> {
        let mut missing = 0;
        let mut newest = None;
        let mut sets = ForeignSets::default();
        let mut read = 0;
        for bundle in &self.heads {
            let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
            newest = newest.max(Some(head.written_at));
            sets.sets.extend(bundle.sets.iter().cloned());
            match load_head(context, self.job, &head).await {
                Ok(lost) => {
                    missing += lost;
                    read += 1;
                }
                Err(code) => {
                    debug!(code = code.name(), "A manifest could not be read");
                    missing += 1;
                }
            }
        }
        if read == 0 && !self.heads.is_empty() {
            return Err(ErrorCode::TooFewShards);
        }
        let (catalogue, suppliers) = (context.catalogue.clone(), self.suppliers.clone());
        blocking(move || {
            catalogue.set_meta(FOREIGN_SETS_KEY, &encode(&sets))?;
            suppliers
                .into_iter()
                .try_for_each(|supplier| catalogue.introduce_supplier(supplier))
        })
        .await?
        .map_err(|error: CatalogueError| error.code())?;
        let nickname = self.enter_device(context).await?;
        let worker = context.clone();
        let (snapshots, files) = blocking(move || count_versions(&worker)).await??;
        let result = Recovered {
            identity: context.identity.to_hex(),
            nickname,
            device: context.device.to_hex(),
            newest,
            confirmed: self.confirmed,
            of: self.of,
            snapshots,
            files,
        };
        Ok((missing, result))
    }

    /// Enters this device into the root record, closes lanes of machines that are gone, and
    /// tells the network and the suppliers.
    async fn enter_device(&self, context: &Context) -> Result<String, ErrorCode> {
        let mut record = self.record.clone().ok_or(ErrorCode::Internal)?;
        let mut fences = Vec::new();
        if self.old_machine_gone {
            for bundle in &self.heads {
                let head =
                    bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
                fences.push(self.root.fence(head.lane, head.sequence, wall_clock()));
            }
        }
        record.sequence = record.sequence.next();
        record.devices.push(context.secrets.certificate.clone());
        let excess = record.devices.len().saturating_sub(limits::DEVICES_MAX);
        record.devices.drain(..excess);
        record.fences.extend(fences.iter().cloned());
        let excess = record.fences.len().saturating_sub(limits::DEVICES_MAX);
        record.fences.drain(..excess);
        let nickname = if self.nickname.is_empty() {
            record.nickname.clone()
        } else {
            self.nickname.clone()
        };
        let kept = KeptRoot {
            sequence: record.sequence,
            record: self.root.signing().sign(&record),
        };
        let catalogue = context.catalogue.clone();
        let bytes = encode(&kept);
        blocking(move || catalogue.set_meta(ROOT_KEY, &bytes))
            .await?
            .map_err(|error| error.code())?;
        self.tell_network(context, &fences).await?;
        Ok(nickname)
    }

    /// Puts the new records into the DHT and gives them to suppliers, with the fences.
    async fn tell_network(
        &self,
        context: &Context,
        fences: &[Signed<Fence>],
    ) -> Result<(), ErrorCode> {
        let located = records::locators(context).await?;
        let connected: Vec<DeviceId> = context
            .net
            .peers()
            .await
            .unwrap_or_default()
            .into_iter()
            .map(|peer| peer.device)
            .collect();
        let suppliers = self.suppliers.iter().map(|supplier| supplier.device);
        let told = suppliers
            .filter(|device| connected.contains(device))
            .map(|device| {
                let bodies = fences
                    .iter()
                    .cloned()
                    .map(Body::FencePut)
                    .chain([Body::Deposit(located.clone())]);
                tell_supplier(context, device, bodies.collect())
            });
        // The suppliers keep the records and publish them; the DHT need not be waited for long.
        let put = located.iter().map(|record| async {
            let putting = context.net.put_record(record.clone());
            let put = tokio::time::timeout(RECORDS_PATIENCE, putting).await;
            if let Ok(Err(error)) = put {
                debug!(%error, "A record could not be put");
            }
        });
        futures::join!(
            futures::future::join_all(told),
            futures::future::join_all(put)
        );
        Ok(())
    }
}

/// All versions, and the files of the newest of each folder.
fn count_versions(context: &Context) -> Result<(u64, u64), ErrorCode> {
    let all = context.catalogue.snapshots();
    let all = all.map_err(|error| error.code())?.len() as u64;
    let newest = newest_of_each(context)?;
    Ok((all, newest.iter().map(|snapshot| snapshot.files).sum()))
}

async fn tell_supplier(context: &Context, device: DeviceId, bodies: Vec<Body>) {
    for body in bodies {
        if let Err(error) = context.net.request(device, body).await {
            debug!(%error, "A supplier was not told of this device");
        }
    }
}

/// Reads the manifest of a head and all it names into the catalogue; gives the number of
/// pieces that could not be had.
async fn load_head(context: &Context, job: JobId, head: &Head) -> Result<u64, ErrorCode> {
    let chunks = fetch(context, job, head.commit.clone(), vec![head.manifest]).await?;
    let raw = chunks.last().ok_or(ErrorCode::Internal)?;
    let manifest: Manifest = read_manifest(raw).map_err(|_| ErrorCode::Corrupt)?;
    let mut packs = manifest.packs.clone();
    packs.push(head.commit.clone());
    let catalogue = context.catalogue.clone();
    let refs = packs.clone();
    blocking(move || catalogue.import_pack_refs(refs))
        .await?
        .map_err(|error| error.code())?;
    let mut missing = 0;
    for blob in manifest.segments.into_iter().flatten() {
        if let Err(code) = load_segment(context, job, &packs, &head.commit, blob).await {
            debug!(code = code.name(), "A part of the index could not be had");
            missing += 1;
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
                missing += 1;
            }
        }
    }
    Ok(missing)
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
    let chunks = fetch(context, job, pack.clone(), vec![blob]).await?;
    let chunk = chunks.last().ok_or(ErrorCode::Internal)?;
    Ok(chunk.to_vec())
}
