//! What the engine asks for while a backup runs: scanning, sending, spooling, committing.

pub(crate) mod commit;
pub(crate) mod estimate;
pub(crate) mod file_cache;
pub(crate) mod packer;
pub(crate) mod scan;
pub(crate) mod watches;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tracing::{debug, info, warn};

use bitdust_engine::{Input, JobId, ReceiptFact, VersionFact};
use bitdust_model::manifest::{HeadBundle, PackRecord, SnapshotRecord};
use bitdust_model::message::Body;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, FolderId, PackId, Position, Sequence};
use bitdust_store::SpoolError;

use crate::backup::commit::CommitRequest;
use crate::backup::scan::{ScanRequest, Scanned};
use crate::runtime::{Loaded, Node};
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::disk_space::write_anyway;
use crate::shared::job::JobKind;
use crate::shared::task::blocking;
use crate::shared::task_event::{Back, Flight};
use crate::suppliers::worker::{Errand, Load, store_header};

/// How long a backup waits for the DHT to take the records of its head; suppliers have them.
const DHT_PATIENCE: Duration = Duration::from_secs(10);

impl Node {
    /// Starts the walk of a backup on a blocking thread.
    pub(crate) fn start_scan(&mut self, completion: Completion, id: JobId) {
        let (Some(job), Some(set)) = (self.jobs.get(&id), self.set.clone()) else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let JobKind::Backup { folders, .. } = &job.kind else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        let request = ScanRequest {
            job: id,
            folders: folders.clone(),
            set,
            counters: job.counters.clone(),
            permits: job.permits.clone(),
            home: self.home_place,
        };
        let context = self.context.clone();
        let runtime = Handle::current();
        self.tasks.spawn(async move {
            let result = blocking(move || scan::scan(&context, request, runtime))
                .await
                .and_then(|result| result);
            let scanned = |completion| Back::Scanned {
                completion,
                job: id,
                result: result.map(Box::new),
            };
            completion.bring(scanned).await;
        });
    }

    /// The walk is over.
    pub(crate) fn scanned(
        &mut self,
        completion: Completion,
        id: JobId,
        result: Result<Box<Scanned>, ErrorCode>,
    ) {
        let input = match result {
            Ok(scanned) => {
                let versions = self.versions(&scanned.snapshots);
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.snapshots = scanned.snapshots;
                    job.problems = scanned.problems;
                }
                completion.done(Input::ScanFinished { job: id, versions })
            }
            Err(code) => completion.failed(code),
        };
        self.tell(input);
    }

    /// Whether each version differs from the newest one of its folder.
    fn versions(&self, found: &[SnapshotRecord]) -> Vec<VersionFact> {
        // Where the catalogue cannot say, all are new.
        let known = self.context.catalogue.snapshots().unwrap_or_default();
        let is_changed = |new: &SnapshotRecord| {
            let newest = known
                .iter()
                .filter(|old| old.folder == new.folder && old.device == new.device)
                .max_by_key(|old| old.taken_at);
            newest.is_none_or(|old| {
                (&old.root, &old.pages, old.problems) != (&new.root, &new.pages, new.problems)
            })
        };
        found
            .iter()
            .map(|new| VersionFact {
                folder: new.folder,
                is_changed: is_changed(new),
            })
            .collect()
    }

    /// A pack is sealed and recorded; its shards stay in memory until the engine is done.
    pub(crate) fn sealed(&mut self, job: JobId, flight: Flight) {
        let pack = flight.record.pack.pack;
        let kind = flight.record.pack.kind;
        let shard_bytes = ByteCount(flight.shards.first().map_or(0, |shard| shard.len() as u64));
        debug!(%pack, ?kind, "Sealed a pack");
        self.flights.insert(pack, flight);
        self.tell(Input::PackSealed {
            job,
            pack,
            kind,
            shard_bytes,
        });
    }

    /// Sends a shard from memory or from the spool.
    pub(crate) fn send_shard(
        &mut self,
        completion: Completion,
        job: Option<JobId>,
        (pack, position): (PackId, Position),
        device: DeviceId,
    ) {
        let Some((record, shard)) = self.shard_at_hand(pack, position) else {
            return self.tell(completion.failed(ErrorCode::NotFound));
        };
        let job = job.and_then(|job| self.jobs.get(&job));
        let load = Load::Store {
            record,
            position,
            shard,
            counters: job.map(|job| job.counters.clone()),
        };
        self.send_courier(device, Errand { load, completion });
    }

    /// Receipts are recorded: one input for all that came together.
    pub(crate) fn receipts_came(&mut self, came: Vec<(Completion, ReceiptFact)>) {
        if came.is_empty() {
            return;
        }
        let mut receipts = Vec::with_capacity(came.len());
        for (completion, receipt) in came {
            self.shard_left_memory(receipt.pack, receipt.position);
            completion.done_with_others();
            receipts.push(receipt);
        }
        self.tell(Input::ShardsStored { receipts });
    }

    fn shard_at_hand(&self, pack: PackId, position: Position) -> Option<(Arc<PackRecord>, Bytes)> {
        if let Some(loaded) = self.loaded.get(&(pack, position)) {
            return Some((loaded.record.clone(), loaded.shard.clone()));
        }
        let flight = self.flights.get(&pack)?;
        let shard = flight.shards.get(usize::from(position.0))?;
        Some((flight.record.clone(), shard.clone()))
    }

    fn backup_counters(&self) -> Option<Arc<crate::shared::job::Counters>> {
        let backup = self
            .jobs
            .values()
            .find(|job| matches!(job.kind, JobKind::Backup { .. }))?;
        Some(backup.counters.clone())
    }

    /// A receipt is recorded: a copy in the spool has done its service.
    pub(crate) fn shard_left_memory(&mut self, pack: PackId, position: Position) {
        if self.loaded.remove(&(pack, position)).is_none() {
            return;
        }
        let spool = self.context.spool.clone();
        self.tasks.spawn(async move {
            match blocking(move || spool.remove(pack, position)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => debug!(%pack, %error, "A spooled shard stays a while longer"),
                Err(code) => {
                    debug!(%pack, code = code.name(), "A spooled shard stays a while longer")
                }
            }
        });
    }

    /// Puts a shard into the spool.
    pub(crate) fn spool_shard(&mut self, completion: Completion, pack: PackId, position: Position) {
        let spooled = Input::ShardSpooled { pack, position };
        if self.loaded.remove(&(pack, position)).is_some() {
            return self.tell(completion.done(spooled));
        }
        let Some((record, shard)) = self.shard_at_hand(pack, position) else {
            return self.tell(completion.failed(ErrorCode::NotFound));
        };
        let header = match store_header(&self.context, &record.pack, position, shard.len()) {
            Ok(header) => header,
            Err(code) => return self.tell(completion.failed(code)),
        };
        let header = self.context.secrets.device.signing().sign(&header);
        let spool = self.context.spool.clone();
        self.start(completion, async move {
            blocking(move || spool.put(pack, position, &header, &shard))
                .await?
                .map_err(|error| error.code())?;
            Ok(spooled)
        });
    }

    /// Loads the next spooled shard of a supplier.
    pub(crate) fn load_spool(&mut self, completion: Completion, device: DeviceId) {
        let Some(set) = self.set.clone() else {
            return self.tell(completion.done(Input::SpoolEmpty { device }));
        };
        let context = self.context.clone();
        let busy: Vec<(PackId, Position)> = self.loaded.keys().copied().collect();
        self.tasks.spawn(async move {
            let found = blocking(move || next_spooled(&context, &set, device, &busy)).await;
            match found.and_then(|found| found) {
                Ok(Some(Spooled {
                    record,
                    position,
                    shard,
                })) => {
                    let loaded = |completion| Back::SpoolLoaded {
                        completion,
                        record,
                        position,
                        shard,
                        device,
                    };
                    completion.bring(loaded).await;
                }
                Ok(None) => completion.tell(Ok(Input::SpoolEmpty { device })).await,
                Err(code) => {
                    info!(code = code.name(), "The spool cannot be read");
                    completion.tell(Err(code)).await;
                }
            }
        });
    }

    /// A shard from the spool is in memory.
    pub(crate) fn spool_loaded(
        &mut self,
        completion: Completion,
        record: Box<PackRecord>,
        position: Position,
        shard: Bytes,
        device: DeviceId,
    ) {
        let (pack, kind) = (record.pack.pack, record.pack.kind);
        let record = Arc::from(record);
        self.loaded
            .insert((pack, position), Loaded { record, shard });
        self.tell(completion.done(Input::SpoolLoaded {
            pack,
            kind,
            position,
            device,
        }));
    }

    /// Makes a pack's chunks known.
    pub(crate) fn commit_pack(&mut self, completion: Completion, pack: PackId) {
        let catalogue = self.context.catalogue.clone();
        let counters = self.backup_counters();
        self.start(completion, async move {
            let commit = || {
                let worker = catalogue.clone();
                async move {
                    blocking(move || worker.commit_pack(pack))
                        .await?
                        .map_err(|error| error.code())
                }
            };
            write_anyway(counters.as_deref(), commit).await?;
            Ok(Input::PackCommitted { pack })
        });
    }

    /// Frees a pack's memory and its place among those in flight.
    pub(crate) fn release_pack(&mut self, pack: PackId) {
        self.flights.remove(&pack);
    }

    /// Seals index, manifest and head on a blocking thread.
    pub(crate) fn seal_metadata(
        &mut self,
        completion: Completion,
        id: JobId,
        folders: &[FolderId],
    ) {
        let (Some(job), Some(set)) = (self.jobs.get_mut(&id), self.set.clone()) else {
            return self.tell(completion.failed(ErrorCode::Internal));
        };
        job.snapshots
            .retain(|version| folders.contains(&version.folder));
        let request = CommitRequest {
            job: id,
            snapshots: job.snapshots.clone(),
            set,
            counters: job.counters.clone(),
            permits: job.permits.clone(),
            label: self.config.nickname.clone(),
        };
        let context = self.context.clone();
        let runtime = Handle::current();
        self.start(completion, async move {
            let sealed = blocking(move || commit::seal_commit(&context, request, &runtime)).await;
            let sequence = sealed.and_then(|result| result)?;
            Ok(Input::MetadataSealed { job: id, sequence })
        });
    }

    /// Gives a head, its set records and the sealed records to a supplier.
    pub(crate) fn put_head(
        &mut self,
        completion: Completion,
        device: DeviceId,
        sequence: Sequence,
    ) {
        let context = self.context.clone();
        self.start(completion, async move {
            let given = give_head(&context, device, sequence).await;
            given.map(|()| Input::HeadKept { device, sequence })
        });
    }

    /// Tells the catalogue that a head is published, and the DHT where it is.
    pub(crate) fn record_commit(&mut self, completion: Completion, sequence: Sequence) {
        let context = self.context.clone();
        let offer = self.own_offer();
        let counters = self.backup_counters();
        self.start(completion, async move {
            let record = || {
                let worker = context.clone();
                async move { blocking(move || commit::record_commit(&worker, sequence)).await? }
            };
            write_anyway(counters.as_deref(), record).await?;
            // Suppliers keep the records and publish them too; the DHT is told at once so that a
            // recovery finds this head and not the one before.
            let told = crate::suppliers::records::publish(&context, offer);
            match tokio::time::timeout(DHT_PATIENCE, told).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    debug!(code = error.name(), "The DHT was not told of the new head")
                }
                Err(_) => debug!("The DHT takes long to be told of the new head"),
            }
            Ok(Input::CommitRecorded { sequence })
        });
    }
}

/// A shard from the spool.
struct Spooled {
    record: Box<PackRecord>,
    position: Position,
    shard: Bytes,
}

/// Finds the next shard in the spool that a supplier should have.
fn next_spooled(
    context: &Context,
    set: &bitdust_engine::SetFact,
    device: DeviceId,
    busy: &[(PackId, Position)],
) -> Result<Option<Spooled>, ErrorCode> {
    for entry in context.spool.list() {
        let key = (entry.pack, entry.position);
        let is_theirs = set.holders.get(usize::from(entry.position.0)) == Some(&device);
        if !is_theirs || busy.contains(&key) {
            continue;
        }
        let record = context
            .catalogue
            .pack_record(entry.pack)
            .map_err(|error| error.code())?;
        let Some(record) = record.filter(|record| record.pack.set == set.set) else {
            // Nobody will ask for it: its pack was forgotten.
            context
                .spool
                .remove(entry.pack, entry.position)
                .map_err(|error| error.code())?;
            continue;
        };
        let shard = match context.spool.read(entry.pack, entry.position) {
            Ok(shard) => shard,
            // It was stored, and so removed, since the list was made.
            Err(SpoolError::NotFound { .. }) => continue,
            Err(error @ SpoolError::Corrupt { .. }) => {
                // It can never be sent; those behind it must not wait for it.
                warn!(%error, "Removed a damaged shard from the spool");
                context
                    .spool
                    .remove(entry.pack, entry.position)
                    .map_err(|error| error.code())?;
                continue;
            }
            Err(error) => return Err(error.code()),
        };
        return Ok(Some(Spooled {
            record: Box::new(record),
            position: entry.position,
            shard: Bytes::from(shard.bytes),
        }));
    }
    Ok(None)
}

/// Head first, then the records that lead to it.
async fn give_head(
    context: &Context,
    device: DeviceId,
    sequence: Sequence,
) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    let bundle = blocking(move || {
        let head = catalogue
            .newest_head()?
            .filter(|head| head.sequence == sequence);
        let sets = catalogue
            .sets()?
            .into_iter()
            .map(|set| set.record)
            .collect();
        Ok::<_, bitdust_store::CatalogueError>(head.map(|head| HeadBundle {
            head: head.head,
            sets,
        }))
    })
    .await?
    .map_err(|error| error.code())?
    .ok_or(ErrorCode::NotFound)?;
    let hash = bitdust_crypto::head_hash(&bundle.head);
    let answer = context
        .net
        .request(device, Body::HeadPut(bundle))
        .await
        .map_err(|error| error.code())?;
    let Body::HeadKept(receipt) = answer else {
        return Err(refusal(&answer));
    };
    let receipt =
        bitdust_crypto::verify_by(&receipt, &device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if receipt.head != hash || receipt.sequence != sequence || receipt.lane != context.device {
        return Err(ErrorCode::NotAuthentic);
    }
    let records = crate::suppliers::records::locators(context).await?;
    let answer = context
        .net
        .request(device, Body::Deposit(records))
        .await
        .map_err(|error| error.code())?;
    if answer == Body::Done {
        Ok(())
    } else {
        Err(refusal(&answer))
    }
}

/// The code of an answer that is not the one hoped for.
pub(crate) const fn refusal(body: &Body) -> ErrorCode {
    if let Body::Refused(refusal) = body {
        refusal.code
    } else {
        ErrorCode::Malformed
    }
}
