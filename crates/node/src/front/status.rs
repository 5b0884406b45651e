//! View models for front ends, from the catalogue and the engine's view.

use std::collections::BTreeMap;

use bitdust_api::ApiError;
use bitdust_api::view::{
    ContractView, DeviceView, Doubt, FolderView, HeadView, SnapshotView, StatusView, SupplierView,
};
use bitdust_engine::EngineView;
use bitdust_model::manifest::{PackKind, SnapshotRecord};
use bitdust_model::status::Protection;
use bitdust_model::{ByteCount, Code, DeviceId, ErrorCode};

use crate::runtime::Node;
use crate::runtime::calls::catalogue_error;
use crate::shared::text::escape;
use crate::suppliers::records::{KeptRoot, ROOT_KEY};

/// Lines of the history in the status; the rest is paged.
const NOTICES_SHOWN: usize = 20;

/// Bytes of packs before and after they are spread.
#[derive(Debug, Default)]
struct Sums {
    sealed: u64,
    coded: u64,
    kept: u64,
}

#[derive(Debug, Default)]
struct Stored {
    contents: Sums,
    metadata: Sums,
}

impl Node {
    /// Everything at once.
    pub(crate) fn status(&self) -> Result<StatusView, ApiError> {
        let engine = self.engine.view();
        let folders = self.folder_views()?;
        let suppliers = self.supplier_views()?;
        let head = self.head_view(&engine)?;
        let stored = self.stored()?;
        let files: u64 = folders.iter().map(|folder| folder.files).sum();
        let used = self
            .context
            .shards
            .usage_total()
            .map_err(|error| ApiError::new(error.code(), error.to_string()))?;
        let spooled = self
            .context
            .spool
            .list()
            .iter()
            .fold(ByteCount(0), |sum, entry| sum + entry.bytes);
        let held_up_by = self.held_up_by();
        Ok(StatusView {
            sentence: self.sentence(&engine, &folders),
            protection: engine.protection,
            nickname: self.config.nickname.clone(),
            identity: self.context.identity.to_hex(),
            device: self.context.device.to_hex(),
            network: self.config.network.clone(),
            scope: self.config.scope.name().to_owned(),
            keys: self.guard.to_owned(),
            phrase_confirmed: self.config.phrase_confirmed,
            code: self
                .set
                .as_ref()
                .map(|set| set.code)
                .or(self.config.code)
                .or_else(|| Code::default_for(suppliers.len())),
            folders,
            suppliers,
            head,
            offered_bytes: self.config.offer.0,
            used_by_others_bytes: used.bytes.0,
            packed_bytes: stored.contents.sealed,
            coded_bytes: stored.contents.coded,
            kept_bytes: stored.contents.kept,
            metadata_bytes: stored.metadata.sealed,
            metadata_kept_bytes: stored.metadata.kept,
            metadata_bytes_per_file: stored.metadata.sealed.checked_div(files),
            spooled_bytes: spooled.0,
            listening: self.listening.clone(),
            peers: u32::try_from(self.peers.len()).unwrap_or(u32::MAX),
            machines: machines(&engine),
            jobs: self
                .jobs
                .iter()
                .map(|(id, job)| job.view(bitdust_api::JobId(id.0), held_up_by.as_deref()))
                .collect(),
            notices: self.notices.iter().take(NOTICES_SHOWN).cloned().collect(),
            disk_free_bytes: self.home.paths().free_space().ok().map(|free| free.0),
            survival: None,
            last_verify: self.last_verify()?,
        })
    }

    fn sentence(&self, engine: &EngineView, folders: &[FolderView]) -> String {
        let practice = if self.config.scope == crate::Scope::Loopback {
            " (practice)"
        } else {
            ""
        };
        let text = match (&engine.protection, folders.len()) {
            (_, 0) => "Nothing is protected yet: add a folder.".to_owned(),
            (Protection::Nothing, _) => "Nothing is stored yet: run a backup.".to_owned(),
            (Protection::Stored { confirmed, needed }, _) => format!(
                "Stored, but more suppliers are needed: {confirmed} of {needed} have confirmed lately."
            ),
            (Protection::Safe, 1) => "Your folder is stored safely with your suppliers.".to_owned(),
            (Protection::Safe, count) => {
                format!("All {count} folders are stored safely with your suppliers.")
            }
        };
        format!("{text}{practice}")
    }

    fn head_view(&self, engine: &EngineView) -> Result<Option<HeadView>, ApiError> {
        let Some(head) = self
            .context
            .catalogue
            .newest_published_head()
            .map_err(catalogue_error)?
        else {
            return Ok(None);
        };
        let written = bitdust_crypto::verify(&head.head)
            .map(|head| head.written_at)
            .unwrap_or_default();
        Ok(Some(HeadView {
            sequence: head.sequence.0,
            written_at: written,
            confirmed: u32::try_from(
                engine
                    .suppliers
                    .iter()
                    .filter(|supplier| supplier.confirmed)
                    .count(),
            )
            .unwrap_or(0),
            of: self.set.as_ref().map_or(0, |set| u32::from(set.code.n())),
        }))
    }

    /// What contents and metadata amount to.
    fn stored(&self) -> Result<Stored, ApiError> {
        let totals = self
            .context
            .catalogue
            .pack_totals()
            .map_err(catalogue_error)?;
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

    /// Folders under protection.
    pub(crate) fn folder_views(&self) -> Result<Vec<FolderView>, ApiError> {
        let mut newest: BTreeMap<_, SnapshotRecord> = BTreeMap::new();
        for snapshot in self
            .context
            .catalogue
            .snapshots()
            .map_err(catalogue_error)?
        {
            let is_newer = newest
                .get(&snapshot.folder)
                .is_none_or(|known| known.taken_at <= snapshot.taken_at);
            if is_newer {
                newest.insert(snapshot.folder, snapshot);
            }
        }
        let engine = self.engine.view();
        let protection = engine.protection;
        let folders = self.context.catalogue.folders().map_err(catalogue_error)?;
        folders
            .into_iter()
            .map(|folder| {
                let latest = newest.get(&folder.folder);
                let own = engine.folders.iter().find(|it| it.folder == folder.folder);
                let (state, next_backup) = self.folder_state(&folder, own);
                let schedule =
                    crate::backup::watches::schedule_of(&self.context.catalogue, folder.folder)
                        .map_err(catalogue_error)?
                        .unwrap_or(self.config.schedule);
                let watch_problem = self.watches.problems.get(&folder.folder);
                Ok(FolderView {
                    id: folder.folder.to_hex(),
                    path: escape(&folder.path),
                    excludes: folder.excludes,
                    crosses_mounts: folder.crosses_mounts,
                    protection: if latest.is_some() {
                        protection
                    } else {
                        Protection::Nothing
                    },
                    last_backup: latest.map(|latest| latest.taken_at),
                    files: latest.map_or(0, |latest| latest.files),
                    bytes: latest.map_or(0, |latest| latest.bytes),
                    problems: latest.map_or(0, |latest| latest.problems),
                    schedule,
                    state,
                    next_backup,
                    watch_problem: watch_problem.map(ToString::to_string),
                    unprotected: self.unprotected(folder.folder)?,
                })
            })
            .collect()
    }

    /// Who keeps data of this device.
    pub(crate) fn supplier_views(&self) -> Result<Vec<SupplierView>, ApiError> {
        let engine = self.engine.view();
        let known = self
            .context
            .catalogue
            .suppliers()
            .map_err(catalogue_error)?;
        known
            .into_iter()
            .map(|supplier| {
                let view = engine
                    .suppliers
                    .iter()
                    .find(|view| view.device == supplier.device);
                let kept = self
                    .context
                    .catalogue
                    .supplier_bytes(supplier.device)
                    .map_err(catalogue_error)?;
                let doubt = supplier.doubted.then_some(Doubt::FailedProof);
                Ok(SupplierView {
                    device: supplier.device.to_hex(),
                    identity: supplier.identity.to_hex(),
                    name: self.supplier_name(supplier.device),
                    friend: supplier.friend,
                    state: view.map_or("unknown", |view| view.link).to_owned(),
                    online: view.is_some_and(|view| view.online),
                    path: self
                        .peers
                        .get(&supplier.device)
                        .map(|peer| path_name(peer.path).to_owned()),
                    confirmed: view.is_some_and(|view| view.confirmed),
                    position: view
                        .and_then(|view| view.position)
                        .map(|position| position.0),
                    contract_bytes: supplier.bytes.0,
                    kept_bytes: kept.0,
                    last_seen: supplier.last_seen,
                    last_proof: supplier.last_proof,
                    doubt,
                })
            })
            .collect()
    }

    /// What a person sees beside a fingerprint.
    pub(crate) fn supplier_name(&self, device: DeviceId) -> String {
        let nickname = self
            .peers
            .get(&device)
            .map(|peer| peer.nickname.clone())
            .or_else(|| {
                let friends = self.context.catalogue.friends().ok()?;
                friends
                    .into_iter()
                    .find(|friend| friend.device == device)
                    .map(|friend| friend.nickname)
            })
            .filter(|nickname| !nickname.is_empty())
            .unwrap_or_else(|| "somebody".to_owned());
        format!("{nickname} · {}", device.fingerprint())
    }

    /// Whose data is kept here.
    pub(crate) fn customer_views(&self) -> Vec<ContractView> {
        let engine = self.engine.view();
        engine
            .customers
            .iter()
            .map(|customer| ContractView {
                identity: customer.identity.to_hex(),
                name: self.supplier_name(customer.lane),
                device: customer.lane.to_hex(),
                contract_bytes: customer.contract.0,
                used_bytes: customer.used.0,
                online: self.peers.contains_key(&customer.lane),
            })
            .collect()
    }

    /// Versions, oldest first.
    pub(crate) fn snapshot_views(&self) -> Result<Vec<SnapshotView>, ApiError> {
        let mut snapshots = self
            .context
            .catalogue
            .snapshots()
            .map_err(catalogue_error)?;
        snapshots.sort_by_key(|snapshot| snapshot.taken_at);
        Ok(snapshots
            .into_iter()
            .map(|snapshot| SnapshotView {
                id: snapshot.snapshot.to_hex(),
                path: escape(&snapshot.path),
                device: snapshot.device.to_hex(),
                taken_at: snapshot.taken_at,
                files: snapshot.files,
                bytes: snapshot.bytes,
                problems: snapshot.problems,
            })
            .collect())
    }

    /// Devices of the identity, by the root record.
    pub(crate) fn device_views(&self) -> Result<Vec<DeviceView>, ApiError> {
        let broken = || {
            ApiError::new(
                ErrorCode::Internal,
                "the identity's record in this home is damaged",
            )
        };
        let Some(bytes) = self
            .context
            .catalogue
            .get_meta(ROOT_KEY)
            .map_err(catalogue_error)?
        else {
            return Ok(Vec::new());
        };
        let kept: KeptRoot = bitdust_model::decode(&bytes).map_err(|_| broken())?;
        let root = bitdust_crypto::verify(&kept.record).map_err(|_| broken())?;
        let fences: Vec<DeviceId> = root
            .fences
            .iter()
            .filter_map(|fence| bitdust_crypto::verify(fence).ok())
            .map(|fence| fence.lane)
            .collect();
        Ok(root
            .devices
            .iter()
            .filter_map(|signed| bitdust_crypto::verify_certificate(signed).ok())
            .map(|certificate| DeviceView {
                device: certificate.device.to_hex(),
                since: certificate.issued_at,
                this: certificate.device == self.context.device,
                fenced: fences.contains(&certificate.device),
            })
            .collect())
    }
}

const fn path_name(path: bitdust_net::Path) -> &'static str {
    match path {
        bitdust_net::Path::Tcp => "tcp",
        bitdust_net::Path::Quic => "quic",
    }
}

fn machines(engine: &EngineView) -> Vec<(String, String)> {
    let mut machines = vec![
        ("set-up".to_owned(), engine.set_up.to_owned()),
        (
            "supplier search".to_owned(),
            engine.supplier_search.to_owned(),
        ),
        ("set".to_owned(), engine.holder_set.to_owned()),
        ("head".to_owned(), engine.head.to_owned()),
    ];
    for supplier in &engine.suppliers {
        machines.push((
            format!("supplier link {}", supplier.device),
            supplier.link.to_owned(),
        ));
        machines.push((
            format!("check {}", supplier.device),
            supplier.check.to_owned(),
        ));
    }
    for folder in &engine.folders {
        machines.push((
            format!("folder watch {}", folder.folder),
            folder.watch.to_owned(),
        ));
        machines.push((
            format!("schedule {}", folder.folder),
            folder.schedule.to_owned(),
        ));
    }
    for job in &engine.jobs {
        machines.push((format!("{} {}", job.kind, job.job.0), job.state.to_owned()));
    }
    machines
}
