//! Finding an identity again from its phrase: records, heads, manifests, and the new device's
//! own entry in the root record.
//!
//! The root key lives in memory for as long as the recovery runs and signs two things: the
//! root record with this device in it, and fences for machines that are gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{debug, info};

use bitdust_crypto::{EpochSecrets, LocatorKey, RootSecrets, verify_by, verify_certificate};
use bitdust_engine::{Input, JobId, SupplierFact};
use bitdust_model::codec::Versioned;
use bitdust_model::locator::{Certificate, KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::manifest::{
    BlobRef, Head, HeadBundle, Manifest, PackRef, SetRecord, SnapshotRecord,
};
use bitdust_model::message::Body;
use bitdust_model::{
    DeviceId, DhtKey, Document, Epoch, ErrorCode, Sequence, Signed, decode, encode, limits,
};
use bitdust_pipeline::index::{read_manifest, read_segment, read_snapshot_page};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::Introduction;
use serde::{Deserialize, Serialize};

use crate::backup::commit::OWN_PACK;
use crate::backup::refusal;
use crate::home::facade::Recovered;
use crate::restore::reader::fetch;
use crate::runtime::Node;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::error::NodeError;
use crate::shared::task::blocking;
use crate::shared::task_event::Back;
use crate::suppliers::records::{KeptRoot, ROOT_KEY, signed_bytes};

/// Where set records of other devices of the identity are kept.
pub(crate) const FOREIGN_SETS_KEY: &str = "foreign_sets";

/// Set records of other devices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ForeignSets {
    /// As their devices signed them.
    pub(crate) sets: Vec<Signed<SetRecord>>,
}

impl Versioned for ForeignSets {
    const KIND: &'static str = "set records of other devices";
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// A recovery under way.
pub(crate) struct Recovery {
    /// The keys of the phrase.
    pub(crate) root: Arc<RootSecrets>,
    /// Whether the old machines will never write again.
    pub(crate) old_machine_gone: bool,
    /// Who waits for the result.
    pub(crate) reply: Option<oneshot::Sender<Result<Recovered, NodeError>>>,
    /// The newest root record found.
    pub(crate) record: Option<RootRecord>,
    /// Where suppliers can be reached.
    pub(crate) contacts: Vec<Introduction>,
    /// Heads that were heard.
    pub(crate) heads: BTreeMap<(DeviceId, Sequence), HeadBundle>,
    /// What is told in the end.
    pub(crate) result: Option<Recovered>,
}

/// Something recovery found.
pub(crate) enum Found {
    /// Root and lane records.
    Lanes {
        /// The job.
        job: JobId,
        /// The root record.
        root: Box<RootRecord>,
        /// Lane records, verified.
        lanes: Vec<LaneRecord>,
    },
    /// A supplier's heads, verified.
    Heads {
        /// The job.
        job: JobId,
        /// The supplier.
        device: DeviceId,
        /// Newest head of each lane.
        heads: Vec<(Head, HeadBundle)>,
        /// Their set records.
        sets: Vec<(SetRecord, Signed<SetRecord>)>,
    },
    /// The catalogue is rebuilt.
    Rebuilt {
        /// The job.
        job: JobId,
        /// Packs that could not be had.
        missing: u64,
        /// What is told.
        result: Box<Recovered>,
    },
}

impl Node {
    /// Looks for root and lane records, in the DHT and at connected peers.
    pub(crate) fn seek_lanes(&mut self, completion: Completion, job: JobId) {
        let Some(recovery) = &self.recovery else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let (context, root) = (self.context.clone(), recovery.root.clone());
        self.tasks.spawn(async move {
            let Some((root, lanes)) = seek(&context, &root).await else {
                return completion.tell(Ok(Input::LanesMissing { job })).await;
            };
            let root = Box::new(root);
            found(completion, Found::Lanes { job, root, lanes }).await;
        });
    }

    /// Asks a supplier for its heads.
    pub(crate) fn ask_heads(&mut self, completion: Completion, job: JobId, device: DeviceId) {
        let Some(record) = self
            .recovery
            .as_ref()
            .and_then(|recovery| recovery.record.clone())
        else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let context = self.context.clone();
        self.tasks.spawn(async move {
            match context.net.request(device, Body::HeadsAsk).await {
                Ok(Body::Heads(bundles)) => {
                    let (heads, sets) = believe(&context, &record, bundles);
                    let heads = Found::Heads {
                        job,
                        device,
                        heads,
                        sets,
                    };
                    found(completion, heads).await;
                }
                Ok(answer) => completion.tell(Err(refusal(&answer))).await,
                Err(error) => completion.tell(Err(error.code())).await,
            }
        });
    }

    /// Loads manifests and indexes of the chosen heads.
    pub(crate) fn rebuild_catalogue(
        &mut self,
        completion: Completion,
        job: JobId,
        lanes: &[(DeviceId, Sequence)],
        confirmed: u32,
        of: u32,
    ) {
        let Some(recovery) = &self.recovery else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let heads = lanes
            .iter()
            .filter_map(|lane| recovery.heads.get(lane).cloned())
            .collect();
        let rebuild = Rebuild {
            job,
            heads,
            root: recovery.root.clone(),
            record: recovery.record.clone(),
            old_machine_gone: recovery.old_machine_gone,
            suppliers: recovery.contacts.clone(),
            nickname: self.config.nickname.clone(),
            confirmed,
            of,
        };
        let context = self.context.clone();
        self.tasks.spawn(async move {
            match rebuild.run(&context).await {
                Ok((missing, result)) => {
                    let rebuilt = Found::Rebuilt {
                        job,
                        missing,
                        result: Box::new(result),
                    };
                    found(completion, rebuilt).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// Takes in what recovery found, and tells the engine.
    pub(crate) fn recovery_moved(&mut self, completion: Completion, found: Found) {
        match found {
            Found::Lanes { job, root, lanes } => self.lanes_found(completion, job, *root, lanes),
            Found::Heads {
                job,
                device,
                heads,
                sets,
            } => {
                for (set, _) in &sets {
                    let is_newer = self
                        .sets
                        .get(&set.set)
                        .is_none_or(|known| known.version < set.version);
                    if is_newer {
                        self.sets.insert(set.set, set.clone());
                    }
                }
                let mut lanes = Vec::with_capacity(heads.len());
                for (head, bundle) in heads {
                    lanes.push((head.lane, head.sequence));
                    if let Some(recovery) = &mut self.recovery {
                        recovery.heads.insert((head.lane, head.sequence), bundle);
                    }
                }
                self.tell(completion.done(Input::HeadsHeard { job, device, lanes }));
            }
            Found::Rebuilt {
                job,
                missing,
                result,
            } => {
                if let Some(recovery) = &mut self.recovery {
                    recovery.result = Some(*result);
                }
                self.tell(completion.done(Input::CatalogueRebuilt { job, missing }));
            }
        }
    }

    fn lanes_found(
        &mut self,
        completion: Completion,
        job: JobId,
        root: RootRecord,
        lanes: Vec<LaneRecord>,
    ) {
        let mut contacts: BTreeMap<DeviceId, Introduction> = BTreeMap::new();
        let mut k = 1;
        for lane in &lanes {
            for signed in &lane.sets {
                if let Ok(set) = verify_by(signed, &lane.lane.0) {
                    k = k.max(set.k);
                    self.sets.entry(set.set).or_insert(set);
                }
            }
            for contact in &lane.suppliers {
                self.contacts
                    .entry(contact.device)
                    .or_insert_with(|| contact.addresses.clone());
                contacts.insert(
                    contact.device,
                    known_supplier(contact.device, contact.identity, &contact.addresses),
                );
            }
        }
        let suppliers = contacts
            .values()
            .map(|contact| SupplierFact {
                device: contact.device,
                identity: contact.identity,
                friend: false,
                contract: None,
                proved_ago_ms: None,
                doubted: false,
            })
            .collect();
        if let Some(recovery) = &mut self.recovery {
            recovery.record = Some(root);
            recovery.contacts = contacts.into_values().collect();
        }
        self.tell(completion.done(Input::LanesFound { job, suppliers, k }));
    }

    /// The recovery ended: whoever waits is told.
    pub(crate) fn recovery_ended(&mut self, failure: Option<ErrorCode>) {
        let Some(mut recovery) = self.recovery.take() else {
            return;
        };
        let result = match (failure, recovery.result.take()) {
            (None, Some(result)) => Ok(result),
            (failure, _) => Err(recovery_error(failure.unwrap_or(ErrorCode::Internal))),
        };
        if let Some(reply) = recovery.reply.take() {
            // Whoever asked may have given up.
            drop(reply.send(result));
        }
    }
}

/// Brings the loop what was found.
async fn found(completion: Completion, found: Found) {
    let found = Box::new(found);
    completion
        .bring(|completion| Back::Recovery { completion, found })
        .await;
}

fn recovery_error(code: ErrorCode) -> NodeError {
    let is_lost = matches!(
        code,
        ErrorCode::NotFound | ErrorCode::Unreachable | ErrorCode::TimedOut
    );
    let is_short = matches!(code, ErrorCode::TooFewShards | ErrorCode::TooFewSuppliers);
    let message = if is_lost {
        "no trace of this identity was found; nothing was changed. Check the words, and give the address \
         of a node of the network with --bootstrap, best that of a friend who keeps your data"
    } else if is_short {
        "your suppliers are known, but too few of them can be reached to read the list of files; \
         nothing was changed; try again when more are online"
    } else {
        crate::shared::words::failure(code)
    };
    NodeError::new(code, message)
}

/// Whoever keeps data of this identity is taken as a friend: the new device asks them first.
fn known_supplier(
    device: DeviceId,
    identity: bitdust_model::IdentityId,
    addresses: &[String],
) -> Introduction {
    Introduction {
        device,
        identity,
        friend: true,
        addresses: addresses.to_vec(),
        seen: None,
    }
}

/// Finds the newest root record, and the lane records of the devices it names.
async fn seek(context: &Context, root: &RootSecrets) -> Option<(RootRecord, Vec<LaneRecord>)> {
    let mut newest: Option<(Epoch, RootRecord)> = None;
    for epoch in 0.. {
        let secrets = root.epoch(Epoch(epoch));
        let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
            .map(|slot| LocatorKey::root(&secrets, slot))
            .collect();
        let found: Option<RootRecord> =
            gather(context, &keys, &root.identity().0, |record: &RootRecord| {
                record.sequence
            })
            .await;
        let Some(record) = found else {
            break;
        };
        let reached = record.epoch;
        newest = Some((Epoch(epoch), record));
        if reached <= Epoch(epoch) {
            break;
        }
    }
    let (epoch, record) = newest?;
    info!("Found the identity's record");
    let secrets = root.epoch(epoch);
    let mut lanes = Vec::new();
    let devices = record.devices.iter();
    let mut sought: Vec<DeviceId> = devices
        .filter_map(|signed| own_certificate(root, signed))
        .map(|certificate| certificate.device)
        .collect();
    for _ in 0..LANE_LOOKS {
        let mut missed = Vec::new();
        for device in sought {
            match lane_of(context, &secrets, device).await {
                Some(lane) => lanes.push(lane),
                None => missed.push(device),
            }
        }
        sought = missed;
    }
    if !sought.is_empty() {
        debug!(count = sought.len(), "Machines without a lane record");
    }
    // The root record alone leads to nobody: all of it is looked for again.
    (!lanes.is_empty()).then_some((record, lanes))
}

/// Times a lane record is looked for: one query may miss it between its death and its next
/// publication, or on a busy machine.
const LANE_LOOKS: u32 = 2;

async fn lane_of(
    context: &Context,
    secrets: &EpochSecrets,
    device: DeviceId,
) -> Option<LaneRecord> {
    let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::lane(secrets, device, slot))
        .collect();
    gather(context, &keys, &device.0, |lane: &LaneRecord| lane.sequence).await
}

fn own_certificate(root: &RootSecrets, signed: &Signed<Certificate>) -> Option<Certificate> {
    verify_certificate(signed)
        .ok()
        .filter(|certificate| certificate.identity == root.identity())
}

/// How long the DHT may take to know better than connected peers.
const DHT_PATIENCE: Duration = Duration::from_secs(3);

/// What connected peers keep under the keys.
async fn located(context: &Context, keys: &[DhtKey]) -> Vec<KeyedRecord> {
    let peers = context.net.peers().await.unwrap_or_default();
    let asked = peers.into_iter().map(|peer| {
        context
            .net
            .request(peer.device, Body::Locate(keys.to_vec()))
    });
    let mut records = Vec::new();
    for answer in futures::future::join_all(asked).await {
        if let Ok(Body::Located(found)) = answer {
            records.extend(found.into_iter().take(limits::LOCATE_KEYS_MAX));
        }
    }
    records
}

/// The newest believable document under any of the keys: from the DHT, and from connected
/// peers, who may keep it for us.
async fn gather<T: Document>(
    context: &Context,
    keys: &[LocatorKey],
    signer: &[u8; 32],
    number: impl Fn(&T) -> Sequence,
) -> Option<T> {
    let ids: Vec<_> = keys.iter().map(LocatorKey::dht_key).collect();
    let mut records = located(context, &ids).await;
    // Peers that keep the records answer at once; the DHT may have newer ones, but a query
    // that meets many dead nodes takes long.
    let patience = if records.is_empty() {
        context.policy.request_timeout
    } else {
        DHT_PATIENCE
    };
    let looks = ids.iter().map(|key| {
        let look = tokio::time::timeout(patience, context.net.get_record(*key));
        async move {
            look.await
                .ok()
                .and_then(Result::ok)
                .flatten()
                .map(|record| KeyedRecord { key: *key, record })
        }
    });
    records.extend(futures::future::join_all(looks).await.into_iter().flatten());
    let mut newest: Option<T> = None;
    for record in records {
        let Some(key) = keys.iter().find(|key| key.dht_key() == record.key) else {
            continue;
        };
        let Ok(plain) = key.open(&record.record, &context.network) else {
            continue;
        };
        let Ok(signed) = postcard::from_bytes::<Signed<T>>(&plain) else {
            continue;
        };
        let Ok(document) = verify_by(&signed, signer) else {
            continue;
        };
        if newest
            .as_ref()
            .is_none_or(|known| number(known) < number(&document))
        {
            newest = Some(document);
        }
    }
    newest
}

/// Keeps only heads that a device of the identity signed, and that no fence closes.
#[expect(clippy::type_complexity, reason = "two lists of pairs, used once")]
fn believe(
    context: &Context,
    record: &RootRecord,
    bundles: Vec<HeadBundle>,
) -> (Vec<(Head, HeadBundle)>, Vec<(SetRecord, Signed<SetRecord>)>) {
    let devices: Vec<DeviceId> = record
        .devices
        .iter()
        .filter_map(|signed| verify_certificate(signed).ok())
        .filter(|certificate| certificate.identity == context.identity)
        .map(|certificate| certificate.device)
        .collect();
    let fences: Vec<_> = record
        .fences
        .iter()
        .filter_map(|signed| verify_by(signed, &context.identity.0).ok())
        .collect();
    let mut heads = Vec::new();
    let mut sets = Vec::new();
    for bundle in bundles.into_iter().take(limits::DEVICES_MAX) {
        let Ok(head) = bitdust_crypto::verify(&bundle.head) else {
            continue;
        };
        let is_fenced = fences
            .iter()
            .any(|fence| fence.lane == head.lane && fence.last < head.sequence);
        let is_ours = head.owner == context.identity
            && bundle.head.signer == head.lane.0
            && devices.contains(&head.lane);
        if !is_ours || is_fenced {
            continue;
        }
        for signed in &bundle.sets {
            if let Ok(set) = verify_by(signed, &head.lane.0) {
                sets.push((set, signed.clone()));
            }
        }
        heads.push((head, bundle));
    }
    (heads, sets)
}

/// What a rebuild works with.
struct Rebuild {
    job: JobId,
    heads: Vec<HeadBundle>,
    root: Arc<RootSecrets>,
    record: Option<RootRecord>,
    old_machine_gone: bool,
    suppliers: Vec<Introduction>,
    nickname: String,
    confirmed: u32,
    of: u32,
}

impl Rebuild {
    async fn run(self, context: &Context) -> Result<(u64, Recovered), ErrorCode> {
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
        let versions = blocking({
            let context = context.clone();
            move || -> Result<(u64, u64), ErrorCode> {
                let all = context
                    .catalogue
                    .snapshots()
                    .map_err(|error| error.code())?
                    .len() as u64;
                let files = crate::restore::verify::newest(&context)?
                    .iter()
                    .map(|snapshot| snapshot.files)
                    .sum();
                Ok((all, files))
            }
        })
        .await??;
        let result = Recovered {
            identity: context.identity.to_hex(),
            nickname,
            device: context.device.to_hex(),
            newest,
            confirmed: self.confirmed,
            of: self.of,
            snapshots: versions.0,
            files: versions.1,
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
        let records = crate::suppliers::records::locators(context).await?;
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
                    .chain([Body::Deposit(records.clone())]);
                tell_supplier(context, device, bodies.collect())
            });
        // The suppliers keep the records and publish them; the DHT need not be waited for long.
        let put = records.iter().map(|record| async {
            let putting = context.net.put_record(record.clone());
            let put = tokio::time::timeout(DHT_PATIENCE, putting).await;
            if let Ok(Err(error)) = put {
                debug!(%error, "A record could not be put");
            }
        });
        futures::join!(
            futures::future::join_all(told),
            futures::future::join_all(put)
        );
        Ok(nickname)
    }
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

/// The signed root record of a new identity, as it is kept.
pub(crate) fn first_root(
    root: &RootSecrets,
    certificate: &Signed<Certificate>,
    nickname: &str,
) -> Result<KeptRoot, ErrorCode> {
    let record = RootRecord {
        identity: root.identity(),
        epoch: Epoch(0),
        sequence: Sequence(1),
        nickname: nickname.to_owned(),
        devices: vec![certificate.clone()],
        fences: Vec::new(),
    };
    let signed = root.signing().sign(&record);
    signed_bytes(&signed)?;
    Ok(KeptRoot {
        sequence: record.sequence,
        record: signed,
    })
}

/// Set records of other devices that a recovery left in the catalogue.
pub(crate) fn foreign_sets(context: &Context) -> Result<Vec<SetRecord>, ErrorCode> {
    let Some(bytes) = context
        .catalogue
        .get_meta(FOREIGN_SETS_KEY)
        .map_err(|error| error.code())?
    else {
        return Ok(Vec::new());
    };
    let kept: ForeignSets = decode(&bytes).map_err(|_| ErrorCode::Internal)?;
    Ok(kept
        .sets
        .iter()
        .filter_map(|signed| bitdust_crypto::verify(signed).ok())
        .collect())
}
