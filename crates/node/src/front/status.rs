//! View models for front ends, from the catalogue and from what the wings saw.
//!
//! Made on a blocking thread: the catalogue and the folders themselves are looked at, and a disk
//! that hangs must not stop the loop.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use bitdust_api::ApiError;
use bitdust_api::view::{
    ContractView, DeviceView, FolderState, FolderView, HeadView, ReachView, SnapshotView,
    StatusView, SupplierView,
};
use bitdust_engine::{EngineView, FolderWork, Surroundings, overall};
use bitdust_model::manifest::{FolderRecord, SnapshotRecord};
use bitdust_model::status::Protection;
use bitdust_model::{Code, DeviceId, ErrorCode, FolderId, UnixMillis};
use bitdust_store::HomePaths;

use crate::backup::BackupSeen;
use crate::front::FrontSeen;
use crate::front::damage::forget;
use crate::front::remembered::{last_verify, unprotected};
use crate::front::sums::{spooled, stored};
use crate::front::verdict;
use crate::front::versions::Keepers;
use crate::shared::answer::{catalogue_error, or_nothing};
use crate::shared::clock_doubt::is_clock_wrong;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::folder_schedule::{awaits_restore, schedule_of};
use crate::shared::foreign_lanes::foreign_certificates;
use crate::shared::records::{KeptRoot, ROOT_KEY};
use crate::shared::settings::Scope;
use crate::shared::text::escape;
use crate::suppliers::SuppliersSeen;

/// What the loop knew at one moment.
pub(crate) struct Seen {
    pub(crate) engine: EngineView,
    pub(crate) backup: BackupSeen,
    pub(crate) suppliers: SuppliersSeen,
    /// Jobs and history.
    pub(crate) front: FrontSeen,
    pub(crate) home: HomeSeen,
}

/// What people see of a home itself.
pub(crate) struct HomeSeen {
    /// The settings.
    pub(crate) config: Config,
    /// What guards the keys.
    pub(crate) guard: &'static str,
    /// Where the home lies.
    pub(crate) paths: HomePaths,
}

/// Everything at once.
pub(crate) fn status(context: &Context, seen: &Seen) -> Result<StatusView, ApiError> {
    let (engine, config) = (&seen.engine, &seen.home.config);
    let catalogue = &context.catalogue;
    let folders = or_nothing(catalogue, folder_views(context, seen))?;
    let suppliers = or_nothing(catalogue, supplier_views(context, seen))?;
    let head = or_nothing(catalogue, head_view(context, seen))?;
    let stored = or_nothing(catalogue, stored(catalogue))?;
    let files: u64 = folders.iter().map(|folder| folder.files).sum();
    // A disk that refuses what is kept for others hides nothing of the own.
    let used = context.shards.usage_total().unwrap_or_default();
    let mut view = StatusView {
        sentence: String::new(),
        verdict: verdict::unknown(),
        is_clock_wrong: clock_is_wrong(context)?,
        is_restore_only: engine.is_restore_only,
        is_replaced: engine.is_replaced,
        is_behind: engine.is_behind,
        is_catching_up: engine.is_catching_up,
        protection: protection(&folders),
        enough: engine.enough,
        nickname: config.nickname.clone(),
        identity: context.identity.to_hex(),
        device: context.device.to_hex(),
        network: config.network.clone(),
        scope: config.scope.name().to_owned(),
        keys: seen.home.guard.to_owned(),
        phrase_confirmed: config.phrase_confirmed,
        code: code(seen, suppliers.len()),
        folders,
        suppliers,
        head,
        reach: engine.reach.map(|reach| ReachView {
            online: u32::from(reach.online),
            spare: reach.spare.map(u32::from),
        }),
        offered_bytes: config.offer.0,
        used_by_others_bytes: used.bytes.0,
        packed_bytes: stored.contents.sealed,
        coded_bytes: stored.contents.coded,
        kept_bytes: stored.contents.kept,
        metadata_bytes: stored.metadata.sealed,
        metadata_kept_bytes: stored.metadata.kept,
        metadata_bytes_per_file: stored.metadata.sealed.checked_div(files),
        spooled_bytes: spooled(&context.spool).0,
        listening: seen.suppliers.listening.clone(),
        peers: u32::try_from(seen.suppliers.peers.count()).unwrap_or(u32::MAX),
        machines: machines(engine),
        jobs: seen.front.jobs.clone(),
        notices: seen.front.notices.clone(),
        disk_free_bytes: seen.home.paths.free_space().ok().map(|free| free.0),
        survival: None,
        last_verify: or_nothing(catalogue, last_verify(catalogue))?,
    };
    // Also where that was met by these questions only.
    if catalogue.is_damaged() {
        forget(&mut view);
    }
    verdict::judge(&mut view);
    Ok(view)
}

fn clock_is_wrong(context: &Context) -> Result<bool, ApiError> {
    let found = is_clock_wrong(context, wall_clock());
    or_nothing(&context.catalogue, found).map_err(catalogue_error)
}

/// The code of new packs, or the one that there would be.
fn code(seen: &Seen, suppliers: usize) -> Option<Code> {
    let set = seen.backup.set.as_ref();
    let of_set = set.map(|set| set.code);
    of_set
        .or(seen.home.config.code)
        .or_else(|| Code::default_for(suppliers))
}

fn protection(folders: &[FolderView]) -> Protection {
    let all: Vec<_> = folders.iter().map(|folder| folder.protection).collect();
    overall(&all)
}

fn head_view(context: &Context, seen: &Seen) -> Result<Option<HeadView>, ApiError> {
    // The newest that is known here may not be the newest there is.
    if seen.engine.is_behind || seen.engine.is_catching_up {
        return Ok(None);
    }
    let Some(head) = context
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
        confirmed: u32::from(seen.engine.head_kept),
        of: seen
            .backup
            .set
            .as_ref()
            .map_or(0, |set| u32::from(set.code.n())),
    }))
}

/// Folders under protection.
pub(crate) fn folder_views(context: &Context, seen: &Seen) -> Result<Vec<FolderView>, ApiError> {
    let mut newest: BTreeMap<_, SnapshotRecord> = BTreeMap::new();
    let mut own = BTreeSet::new();
    for snapshot in context
        .catalogue
        .snapshots(wall_clock())
        .map_err(catalogue_error)?
    {
        if snapshot.device == context.device {
            own.insert(snapshot.folder);
        }
        newest.insert(snapshot.folder, snapshot);
    }
    let engine = &seen.engine;
    let protection = engine.protection;
    let folders = context.catalogue.folders().map_err(catalogue_error)?;
    let views: Result<_, ApiError> = folders
        .into_iter()
        .map(|folder| {
            let latest = newest.get(&folder.folder);
            let (state, next_backup) = folder_state(context, seen, &folder)?;
            let schedule = schedule_of(&context.catalogue, folder.folder)
                .map_err(catalogue_error)?
                .unwrap_or(seen.home.config.schedule);
            let watch_problem = seen.backup.watch_problems.get(&folder.folder);
            Ok(FolderView {
                id: folder.folder.to_hex(),
                path: escape(&folder.path),
                excludes: folder.excludes,
                crosses_mounts: folder.crosses_mounts,
                verdict: verdict::unknown_folder(),
                // How those of other machines are kept is not known here.
                protection: if own.contains(&folder.folder) {
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
                watch_problem: watch_problem.cloned(),
                unprotected: unprotected(&context.catalogue, folder.folder)?,
            })
        })
        .collect();
    let mut views: Vec<FolderView> = views?;
    if context.catalogue.is_damaged() {
        for view in &mut views {
            view.protection = Protection::Unknown;
        }
    }
    judge_folders(&mut views, seen);
    Ok(views)
}

fn judge_folders(folders: &mut [FolderView], seen: &Seen) {
    let (config, jobs) = (&seen.home.config, &seen.front.jobs);
    let around = Surroundings {
        is_practice: config.scope == Scope::Loopback,
        words_checked: config.phrase_confirmed,
        ..verdict::surroundings(seen.engine.enough, jobs)
    };
    verdict::judge_folders(folders, jobs, &around);
}

/// One folder under protection.
pub(crate) fn folder_view(
    context: &Context,
    seen: &Seen,
    folder: FolderId,
) -> Result<FolderView, ApiError> {
    let views = folder_views(context, seen)?;
    let view = views.into_iter().find(|view| view.id == folder.to_hex());
    view.ok_or_else(|| ApiError::new(ErrorCode::Internal, "the folder was not recorded"))
}

/// What happens with a folder by itself, for people.
fn folder_state(
    context: &Context,
    seen: &Seen,
    folder: &FolderRecord,
) -> Result<(FolderState, Option<UnixMillis>), ApiError> {
    if awaits_restore(&context.catalogue, folder.folder).map_err(catalogue_error)? {
        return Ok((FolderState::AwaitsRestore, None));
    }
    let mut by_engine = seen.engine.folders.iter();
    let by_engine = by_engine.find(|it| it.folder == folder.folder);
    let now = wall_clock();
    let after = |span: Duration| UnixMillis(now.0 + u64::try_from(span.as_millis()).unwrap_or(0));
    let is_there = Path::new(std::ffi::OsStr::from_bytes(&folder.path)).is_dir();
    let (state, next) = match by_engine.map(|it| it.work) {
        Some(FolderWork::Running) => (FolderState::BackingUp, None),
        Some(FolderWork::Resting { due_in }) => (FolderState::Quiet, Some(after(due_in))),
        Some(FolderWork::Changed { due_in }) => {
            let due_at = after(due_in);
            (FolderState::Changed { due_at }, Some(due_at))
        }
        Some(FolderWork::Retrying { retry_in, code }) => {
            let retry_at = after(retry_in);
            let state = FolderState::Failed {
                retry_at,
                error: code,
            };
            (state, Some(retry_at))
        }
        Some(FolderWork::Manual) | None if seen.backup.in_work.contains(&folder.folder) => {
            (FolderState::BackingUp, None)
        }
        Some(FolderWork::Manual) | None => (FolderState::Quiet, None),
    };
    let state = if is_there { state } else { FolderState::Away };
    Ok((state, next))
}

/// Who keeps data of this device.
pub(crate) fn supplier_views(
    context: &Context,
    seen: &Seen,
) -> Result<Vec<SupplierView>, ApiError> {
    let (engine, peers) = (&seen.engine, &seen.suppliers.peers);
    let known = context.catalogue.suppliers().map_err(catalogue_error)?;
    known
        .into_iter()
        .map(|supplier| {
            let view = engine
                .suppliers
                .iter()
                .find(|view| view.device == supplier.device);
            let kept = context
                .catalogue
                .supplier_bytes(supplier.device)
                .map_err(catalogue_error)?;
            Ok(SupplierView {
                device: supplier.device.to_hex(),
                identity: supplier.identity.to_hex(),
                name: peers.name_of(supplier.device),
                friend: supplier.friend,
                state: view.map_or("unknown", |view| view.link).to_owned(),
                online: view.is_some_and(|view| view.online),
                path: peers
                    .path(supplier.device)
                    .map(|path| path_name(path).to_owned()),
                confirmed: view.is_some_and(|view| view.confirmed),
                position: view
                    .and_then(|view| view.position)
                    .map(|position| position.0),
                contract_bytes: supplier.bytes.0,
                kept_bytes: kept.0,
                last_seen: supplier.last_seen,
                last_proof: supplier.last_proof,
                is_suspect: view.map_or(supplier.suspect.is_some(), |view| view.suspect),
                is_owed: view.is_some_and(|view| view.owed),
            })
        })
        .collect()
}

/// One supplier.
pub(crate) fn supplier_view(
    context: &Context,
    seen: &Seen,
    device: DeviceId,
) -> Result<SupplierView, ApiError> {
    let views = supplier_views(context, seen)?;
    let view = views
        .into_iter()
        .find(|view| view.device == device.to_hex());
    view.ok_or_else(|| ApiError::new(ErrorCode::Internal, "the friend was not recorded"))
}

/// Whose data is kept here.
pub(crate) fn customer_views(seen: &Seen) -> Vec<ContractView> {
    let peers = &seen.suppliers.peers;
    seen.engine
        .customers
        .iter()
        .map(|customer| ContractView {
            identity: customer.identity.to_hex(),
            name: peers.name_of(customer.lane),
            device: customer.lane.to_hex(),
            contract_bytes: customer.contract.0,
            used_bytes: customer.used.0,
            online: peers.is_connected(customer.lane),
        })
        .collect()
}

/// Versions, oldest first.
pub(crate) fn snapshot_views(
    context: &Context,
    seen: &Seen,
) -> Result<Vec<SnapshotView>, ApiError> {
    let now = wall_clock();
    let snapshots = context.catalogue.snapshots(now).map_err(catalogue_error)?;
    let set = seen.backup.set.as_ref();
    let keepers = Keepers::of(context, &seen.engine, set).map_err(catalogue_error)?;
    Ok(snapshots
        .into_iter()
        .map(|snapshot| SnapshotView {
            id: snapshot.snapshot.to_hex(),
            path: escape(&snapshot.path),
            device: snapshot.device.to_hex(),
            taken_at: snapshot.taken_at,
            is_clock_suspect: snapshot.is_time_suspect(now),
            files: snapshot.files,
            bytes: snapshot.bytes,
            problems: snapshot.problems,
            kept: keepers
                .as_ref()
                .and_then(|keepers| keepers.kept(snapshot.snapshot, snapshot.device)),
        })
        .collect())
}

/// Devices of the identity, by the root record.
pub(crate) fn device_views(context: &Context) -> Result<Vec<DeviceView>, ApiError> {
    let broken = || {
        ApiError::new(
            ErrorCode::Internal,
            "the identity's record in this home is damaged",
        )
    };
    let Some(bytes) = context
        .catalogue
        .get_meta(ROOT_KEY)
        .map_err(catalogue_error)?
    else {
        return Ok(Vec::new());
    };
    let kept: KeptRoot = bitdust_model::decode(&bytes).map_err(|_| broken())?;
    let root = bitdust_crypto::verify(&kept.record).map_err(|_| broken())?;
    let own = bitdust_crypto::verify_certificate(&context.secrets.certificate).ok();
    let mut certificates = foreign_certificates(context)
        .map_err(|code| ApiError::new(code, "the catalogue is damaged"))?;
    certificates.extend(own);
    let view = |device: DeviceId, fenced| {
        let mut certificates = certificates.iter();
        DeviceView {
            device: device.to_hex(),
            since: certificates
                .find(|certificate| certificate.device == device)
                .map(|certificate| certificate.issued_at),
            this: device == context.device,
            fenced,
        }
    };
    let closed = root.fences.iter().map(|fence| view(fence.lane, true));
    let open = root.devices.iter().map(|device| view(*device, false));
    Ok(closed.chain(open).collect())
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
        ("lane".to_owned(), engine.lane.to_owned()),
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
        machines.push((format!("tip {}", supplier.device), supplier.tip.to_owned()));
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
