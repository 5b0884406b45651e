//! From folders to suppliers: watches, the walk, packs in memory and in the spool, the commit.

pub(crate) mod commit;
pub(crate) mod commit_draft;
mod estimate;
mod file_cache;
pub(crate) mod folders;
pub(crate) mod own_sets;
mod packer;
mod publishing;
mod remaking;
pub(crate) mod scan;
mod spooling;
#[cfg(test)]
mod testing;
pub(crate) mod watches;
mod watching;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::debug;

use bitdust_api::ApiError;
use bitdust_api::view::{JobTask, Schedule};
use bitdust_engine::{DebtFact, Input, JobId, ReceiptFact, SetFact, VersionFact};
use bitdust_model::ledger::AtHand;
use bitdust_model::manifest::{FolderRecord, PackRecord, SnapshotRecord};
use bitdust_model::status::Problems;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, FolderId, PackId, Position, limits};

use crate::backup::own_sets::OwnSets;
use crate::backup::scan::ScanRequest;
use crate::backup::watches::Watches;
use crate::shared::answer::{catalogue_error, or_nothing};
use crate::shared::completion::Completion;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::job::{Begun, Counters, JobEnd, JobWork};
use crate::shared::supplier_request::SupplierRequest;
use crate::shared::task::blocking;
use crate::shared::task_event::{PackInFlight, Scanned, TaskEvent};
use crate::shared::text::escape;

/// Backups of a node.
pub(crate) struct Backup {
    context: Context,
    sets: OwnSets,
    jobs: BTreeMap<JobId, BackupJob>,
    /// Folders under protection in the order in which they were added, as the catalogue has them.
    folders: Vec<FolderRecord>,
    /// Packs whose shards are in memory.
    flights: BTreeMap<PackId, HeldPack>,
    /// Shards that were spooled or made anew, and are in memory.
    loaded: BTreeMap<(PackId, Position), Loaded>,
    /// Shards in the spool that are damaged and may still be there: they are passed over.
    unusable: BTreeSet<(PackId, Position)>,
    /// One owed shard is made anew at a time.
    remaking: Arc<Semaphore>,
    /// Who waits for that.
    remakes: VecDeque<Remake>,
    /// Packs of which suppliers are owed their shards, as far as the catalogue was asked.
    owed: BTreeMap<DeviceId, VecDeque<PackId>>,
    /// The job that sealed the newest head.
    sealing: Option<JobId>,
    watches: Watches,
    home_dir: PathBuf,
    /// The home's own folder, which is never backed up: its device and inode.
    home_place: Option<(u64, u64)>,
    /// What the manifest calls this device.
    label: String,
    /// When folders are backed up that have no schedule of their own.
    schedule: Schedule,
    /// Whether folders are backed up without being asked: not for the time of one command.
    is_daemon: bool,
}

/// A backup that runs or waits.
struct BackupJob {
    folders: Vec<FolderRecord>,
    /// Whether nobody asked for it.
    is_scheduled: bool,
    counters: Arc<Counters>,
    /// Room for packs in flight.
    permits: Arc<Semaphore>,
    /// New versions, once the walk is over.
    snapshots: Vec<SnapshotRecord>,
    /// What could not be protected.
    problems: Problems,
}

struct HeldPack {
    job: JobId,
    flight: PackInFlight,
}

/// A shard on its way that was spooled or made anew.
struct Loaded {
    record: Arc<PackRecord>,
    shard: Bytes,
}

/// An owed shard that waits for its turn to be made anew.
struct Remake {
    completion: Completion,
    /// Whom it is for.
    device: DeviceId,
    /// Where it may be owed one.
    debts: Vec<DebtFact>,
}

/// What people see of backups.
pub(crate) struct BackupSeen {
    /// Folders that a job reads or is to read.
    pub(crate) in_work: Vec<FolderId>,
    /// Why folders are not watched that should be.
    pub(crate) watch_problems: BTreeMap<FolderId, String>,
    /// The set that new packs are coded for.
    pub(crate) set: Option<SetFact>,
}

impl Backup {
    /// The backups of a home in a folder, with the folders under its protection; `is_daemon`:
    /// without being asked.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub(crate) fn open(
        context: Context,
        config: &Config,
        home_dir: PathBuf,
        sets: OwnSets,
        is_daemon: bool,
    ) -> Result<Self, ApiError> {
        let place = std::fs::metadata(&home_dir).ok();
        let folders = or_nothing(&context.catalogue, context.catalogue.folders());
        let folders = folders.map_err(catalogue_error)?;
        Ok(Self {
            watches: Watches::new(&context),
            context,
            sets,
            jobs: BTreeMap::new(),
            folders,
            flights: BTreeMap::new(),
            loaded: BTreeMap::new(),
            unusable: BTreeSet::new(),
            remaking: Arc::new(Semaphore::new(1)),
            remakes: VecDeque::new(),
            owed: BTreeMap::new(),
            sealing: None,
            home_dir,
            home_place: place.map(|place| (place.dev(), place.ino())),
            label: config.nickname.clone(),
            schedule: config.schedule,
            is_daemon,
        })
    }

    /// Settings changed. With another schedule see [`schedule_all`](Self::schedule_all).
    pub(crate) fn configure(&mut self, config: &Config) {
        self.label.clone_from(&config.nickname);
        self.schedule = config.schedule;
    }

    /// What people see.
    pub(crate) fn seen(&self) -> BackupSeen {
        let folders = self.jobs.values().flat_map(|job| &job.folders);
        BackupSeen {
            in_work: folders.map(|folder| folder.folder).collect(),
            watch_problems: self.watches.problems(),
            set: self.sets.for_new_packs().cloned(),
        }
    }

    /// A set is durable: from now on packs are coded for it.
    pub(crate) fn use_set(&mut self, driver: &mut Driver, completion: Completion, set: SetFact) {
        self.sets.form(set.clone());
        driver.tell(completion.done(Input::SetRecorded { set }));
    }

    fn begin(&mut self, id: JobId, folders: Vec<FolderRecord>, is_scheduled: bool) -> Begun {
        let task = JobTask::Backup {
            folders: folders.iter().map(|folder| escape(&folder.path)).collect(),
            is_scheduled,
        };
        let job = BackupJob {
            folders,
            is_scheduled,
            counters: Arc::default(),
            permits: Arc::new(Semaphore::new(limits::PACKS_IN_FLIGHT_MAX)),
            snapshots: Vec::new(),
            problems: Problems::default(),
        };
        let counters = job.counters.clone();
        self.jobs.insert(id, job);
        Begun { id, task, counters }
    }

    /// A job is to stop: what waits for a place among the packs in flight waits no longer.
    pub(crate) fn stop(&self, id: JobId) {
        if let Some(job) = self.jobs.get(&id) {
            job.permits.close();
        }
    }

    /// A job ended; gives what it did.
    pub(crate) fn end(&mut self, id: JobId) -> Option<JobEnd> {
        let job = self.jobs.remove(&id)?;
        job.permits.close();
        Some(JobEnd {
            counters: job.counters,
            problems: job.problems,
            work: JobWork::Backup {
                folders: job.folders,
                snapshots: job.snapshots,
            },
        })
    }

    /// Starts the walk of a backup on a blocking thread.
    pub(crate) fn start_scan(
        &self,
        driver: &mut Driver,
        completion: Completion,
        id: JobId,
        at_hand: AtHand,
    ) {
        let (Some(job), Some(set)) = (self.jobs.get(&id), self.sets.for_new_packs().cloned())
        else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        let request = ScanRequest {
            job: id,
            folders: job.folders.clone(),
            set,
            at_hand,
            counters: job.counters.clone(),
            permits: job.permits.clone(),
            home: self.home_place,
        };
        let context = self.context.clone();
        let runtime = Handle::current();
        driver.spawn(async move {
            let result = blocking(move || {
                let found = scan::scan(&context, request, runtime)?;
                let versions = versions(&context, &found.snapshots);
                Ok(Box::new(Scanned {
                    snapshots: found.snapshots,
                    problems: found.problems,
                    versions,
                }))
            });
            let result = result.await.and_then(|result| result);
            let scanned = |completion| TaskEvent::Scanned {
                completion,
                job: id,
                result,
            };
            completion.bring(scanned).await;
        });
    }

    /// The walk is over.
    pub(crate) fn scanned(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        id: JobId,
        result: Result<Box<Scanned>, ErrorCode>,
    ) {
        let input = match result {
            Ok(scanned) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.snapshots = scanned.snapshots;
                    job.problems = scanned.problems;
                }
                let versions = scanned.versions;
                completion.done(Input::ScanFinished { job: id, versions })
            }
            Err(code) => completion.failed(code),
        };
        driver.tell(input);
    }

    /// A pack is sealed and recorded; its shards stay in memory until the engine is done.
    pub(crate) fn sealed(&mut self, driver: &mut Driver, job: JobId, flight: PackInFlight) {
        let pack = flight.record.pack.pack;
        let (set, kind) = (flight.record.pack.set, flight.record.pack.kind);
        let shard_bytes = ByteCount(flight.shards.first().map_or(0, |shard| shard.len() as u64));
        debug!(%pack, ?kind, "Sealed a pack");
        self.flights.insert(pack, HeldPack { job, flight });
        driver.tell(Input::PackSealed {
            job,
            pack,
            set,
            kind,
            shard_bytes,
        });
    }

    /// A shard from memory or from the spool, to be stored at its supplier.
    pub(crate) fn shard_to_send(
        &self,
        job: Option<JobId>,
        pack: PackId,
        position: Position,
    ) -> Option<SupplierRequest> {
        let (record, shard) = self.shard_at_hand(pack, position)?;
        Some(SupplierRequest::Store {
            record,
            position,
            shard,
            counters: job.and_then(|job| self.counters(job)),
        })
    }

    /// Where a wait for the disk is shown: at its own job, else at the first, as that waits for it
    /// too. A pack may be of an earlier run, or its job stopped.
    fn shown_by(&self, own: Option<JobId>) -> Option<Arc<Counters>> {
        let own = own.and_then(|job| self.counters(job));
        own.or_else(|| Some(self.jobs.values().next()?.counters.clone()))
    }

    fn counters(&self, job: JobId) -> Option<Arc<Counters>> {
        Some(self.jobs.get(&job)?.counters.clone())
    }

    fn shard_at_hand(&self, pack: PackId, position: Position) -> Option<(Arc<PackRecord>, Bytes)> {
        if let Some(loaded) = self.loaded.get(&(pack, position)) {
            return Some((loaded.record.clone(), loaded.shard.clone()));
        }
        let flight = &self.flights.get(&pack)?.flight;
        let shard = flight.shards.get(usize::from(position.0))?;
        Some((flight.record.clone(), shard.clone()))
    }

    /// Receipts are recorded: one input for all that came together.
    pub(crate) fn receipts_came(
        &mut self,
        driver: &mut Driver,
        came: Vec<(Completion, ReceiptFact)>,
    ) {
        if came.is_empty() {
            return;
        }
        let mut receipts = Vec::with_capacity(came.len());
        for (completion, receipt) in came {
            self.shard_left_memory(driver, receipt.pack, receipt.position);
            completion.done_with_others();
            receipts.push(receipt);
        }
        driver.tell(Input::ShardsStored { receipts });
    }

    /// Makes a pack's chunks known.
    pub(crate) fn commit_pack(&self, driver: &mut Driver, completion: Completion, pack: PackId) {
        let catalogue = self.context.catalogue.clone();
        let space = self.context.disk_space.clone();
        let held = self.flights.get(&pack);
        let counters = self.shown_by(held.map(|held| held.job));
        driver.start(completion, async move {
            let commit = || {
                let worker = catalogue.clone();
                async move {
                    blocking(move || worker.commit_pack(pack))
                        .await?
                        .map_err(|error| error.code())
                }
            };
            let moved = space.write_anyway(counters.as_deref(), commit).await?;
            Ok(Input::PackCommitted { pack, moved })
        });
    }

    /// Frees a pack's memory and its place among those in flight.
    pub(crate) fn release_pack(&mut self, pack: PackId) {
        self.flights.remove(&pack);
    }

    /// The program ends: jobs stop, and what they did stays.
    pub(crate) fn shut_down(&self) {
        for job in self.jobs.values() {
            job.counters.interrupt();
            job.permits.close();
        }
    }
}

/// Whether each version differs from the newest one of its folder.
fn versions(context: &Context, found: &[SnapshotRecord]) -> Vec<VersionFact> {
    // Where the catalogue cannot say, all are new.
    let known = context
        .catalogue
        .snapshots(wall_clock())
        .unwrap_or_default();
    let is_changed = |new: &SnapshotRecord| {
        let newest = known
            .iter()
            .rfind(|old| old.folder == new.folder && old.device == new.device);
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

#[cfg(test)]
mod tests {
    use bitdust_engine::Output;
    use bitdust_model::{Code, DeviceId, SetId};

    use super::*;
    use crate::backup::folders::{FolderAnswer, FolderCommand};
    use crate::backup::testing::{asked, backup, take_in};
    use crate::shared::driver::Ended;
    use crate::shared::testing::TestHome;

    fn answer_to(home: &TestHome, output: &Output) -> Completion {
        Completion::of(output, &home.context.task_events).expect("it is answered")
    }

    fn add(path: &str) -> FolderCommand {
        FolderCommand::Add {
            path: path.to_owned(),
            excludes: Vec::new(),
            crosses_mounts: false,
        }
    }

    fn back_up(folders: &[String]) -> FolderCommand {
        let folders = folders.to_vec();
        FolderCommand::Backup { folders }
    }

    #[tokio::test]
    async fn one_backup_is_asked_for_at_a_time() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, false);
        let none = asked(&backup, &mut home, back_up(&[]));
        let refused = take_in(&mut backup, &mut home, none).await.err();
        assert_eq!(refused.map(|error| error.code), Some(ErrorCode::BadRequest));
        let path = home.folder("letters");
        let added = asked(&backup, &mut home, add(&path));
        let Ok(FolderAnswer::Folder(folder)) = take_in(&mut backup, &mut home, added).await else {
            panic!("it is there");
        };
        assert!(home.told().is_empty(), "nothing happens by itself");
        let begun = asked(&backup, &mut home, back_up(std::slice::from_ref(&path)));
        let second = asked(&backup, &mut home, back_up(&[]));
        let Ok(FolderAnswer::Job(begun)) = take_in(&mut backup, &mut home, begun).await else {
            panic!("it begins");
        };
        let job = begun.id;
        let told = Input::BackupAsked {
            job,
            folders: vec![folder],
            is_scheduled: false,
        };
        assert_eq!(home.told(), [told]);
        assert_eq!(backup.seen().in_work, [folder]);
        let third = asked(&backup, &mut home, back_up(&[path]));
        for late in [second, third] {
            let refused = take_in(&mut backup, &mut home, late).await.err();
            assert_eq!(refused.map(|error| error.code), Some(ErrorCode::Busy));
        }
        backup.stop(job);
        assert!(
            backup.jobs[&job].permits.is_closed(),
            "nobody waits for a place"
        );
        let counters = backup.counters(job).expect("it runs");
        for own in [None, Some(job), Some(JobId(job.0 + 1))] {
            let shown_by = backup.shown_by(own).expect("there is a job");
            assert!(Arc::ptr_eq(&shown_by, &counters), "{own:?}");
        }
        assert!(backup.end(job).is_some() && backup.end(job).is_none());
        assert!(backup.shown_by(Some(job)).is_none(), "nobody looks");
        assert!(backup.seen().in_work.is_empty());
    }

    #[tokio::test]
    async fn a_folder_is_scheduled_where_backups_run_by_themselves() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, true);
        let path = home.folder("letters");
        let added = asked(&backup, &mut home, add(&path));
        let Ok(FolderAnswer::Folder(folder)) = take_in(&mut backup, &mut home, added).await else {
            panic!("it is there");
        };
        let told = home.told();
        assert!(matches!(&told[..], [Input::FolderScheduled { fact }] if fact.folder == folder));
        assert_eq!(home.notices().len(), 1);
        backup.configure(&Config {
            schedule: Schedule::Manual,
            ..Config::default()
        });
        let scheduled = asked(&backup, &mut home, FolderCommand::ScheduleAll);
        assert!(take_in(&mut backup, &mut home, scheduled).await.is_ok());
        let told = home.told();
        assert!(
            matches!(&told[..], [Input::FolderScheduled { fact }] if fact.schedule == Schedule::Manual),
            "{told:?}"
        );
        let removed = FolderCommand::Remove { folder: path };
        let removed = asked(&backup, &mut home, removed);
        assert!(take_in(&mut backup, &mut home, removed).await.is_ok());
        assert_eq!(home.told(), [Input::FolderForgotten { folder }]);
    }

    #[tokio::test]
    async fn receipts_that_came_together_are_one_input() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, false);
        let pack = PackId([5; 32]);
        let came = |position| {
            let output = Output::SendShard {
                job: None,
                pack,
                position: Position(position),
                device: DeviceId([position; 32]),
            };
            let receipt = ReceiptFact {
                pack,
                position: Position(position),
                device: DeviceId([position; 32]),
                moved: None,
            };
            (answer_to(&home, &output), receipt)
        };
        let all = vec![came(0), came(1), came(2)];
        backup.receipts_came(&mut home.driver, all);
        let told = home.told();
        assert!(matches!(&told[..], [Input::ShardsStored { receipts }] if receipts.len() == 3));
        backup.receipts_came(&mut home.driver, Vec::new());
        assert!(home.told().is_empty(), "none came");
        assert!(home.events.try_recv().is_err(), "each is answered once");
    }

    /// What a task brings the loop about a pack, by its name; `None`: it is about the job.
    fn entry(event: &TaskEvent) -> Option<(PackId, &'static str)> {
        if let TaskEvent::Sealed { flight, .. } = event {
            return Some((flight.record.pack.pack, "sealed"));
        }
        if let TaskEvent::Input(Input::PackCommitted { pack, .. }) = event {
            return Some((*pack, "committed"));
        }
        let is_end = matches!(event, TaskEvent::Scanned { result: Ok(_), .. });
        assert!(is_end, "the loop is entered once more");
        None
    }

    /// Receipts are what it is entered for besides, once for all that lie in the queue together.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_pack_enters_the_loop_when_it_is_sealed_and_when_it_is_committed() {
        let mut home = TestHome::new().await;
        let mut backup = backup(&home, false);
        let code = Code::new(1, 2).expect("a code");
        let holders = [DeviceId([1; 32]), DeviceId([2; 32])];
        let set = SetFact::formed(SetId([1; 32]), code, holders);
        backup.sets.form(set);
        let path = home.folder("letters");
        let added = asked(&backup, &mut home, add(&path));
        let added = take_in(&mut backup, &mut home, added).await;
        assert!(added.is_ok(), "it is there");
        let begun = asked(&backup, &mut home, back_up(&[]));
        let Ok(FolderAnswer::Job(begun)) = take_in(&mut backup, &mut home, begun).await else {
            panic!("it begins");
        };
        let job = begun.id;
        home.told();
        let at_hand = AtHand::nobody();
        let scan = answer_to(&home, &Output::StartScan { job, at_hand });
        backup.start_scan(&mut home.driver, scan, job, at_hand);

        let mut entries: BTreeMap<PackId, Vec<&str>> = BTreeMap::new();
        let mut under_way = 1;
        while under_way > 0 {
            let event = home.events.recv().await.expect("the home is open");
            match entry(&event) {
                Some((pack, name)) => {
                    entries.entry(pack).or_default().push(name);
                    under_way -= usize::from(name == "committed");
                }
                None => under_way -= 1,
            }
            if let TaskEvent::Scanned {
                completion,
                job,
                result,
            } = event
            {
                backup.scanned(&mut home.driver, completion, job, result);
            } else if let TaskEvent::Sealed { job, flight } = event {
                let pack = flight.record.pack.pack;
                backup.sealed(&mut home.driver, job, *flight);
                let commit = answer_to(&home, &Output::CommitPack { pack });
                backup.commit_pack(&mut home.driver, commit, pack);
                under_way += 1;
            }
        }
        // The walk and the commits.
        for _ in 0..=entries.len() {
            let Ended::Task(ended) = home.driver.task_ended().await else {
                panic!("nobody asked for an answer");
            };
            ended.expect("a task that ends well");
        }
        assert!(home.events.try_recv().is_err(), "nothing is left");
        assert_eq!(home.told().len(), entries.len() + 1, "sealed, and walked");
        assert!(!entries.is_empty(), "something was sealed");
        for (pack, entered) in entries {
            assert_eq!(entered, ["sealed", "committed"], "{pack}");
        }
    }

    #[tokio::test]
    async fn what_is_not_at_hand_is_answered_as_failed() {
        let mut home = TestHome::new().await;
        let backup = backup(&home, false);
        let (pack, position) = (PackId([5; 32]), Position(0));
        assert!(backup.shard_to_send(None, pack, position).is_none());
        let output = Output::SpoolShard { pack, position };
        let completion = answer_to(&home, &output);
        backup.spool_shard(&mut home.driver, completion, pack, position);
        let failure = output.failure(ErrorCode::NotFound).expect("it may fail");
        assert_eq!(home.told(), [failure]);
        let device = DeviceId([1; 32]);
        let output = Output::LoadSpool { device };
        let completion = answer_to(&home, &output);
        backup.load_spool(&mut home.driver, completion, device);
        assert_eq!(
            home.told(),
            [Input::SpoolEmpty { device }],
            "there is no set"
        );
        let job = JobId(7);
        let at_hand = AtHand::nobody();
        let output = Output::StartScan { job, at_hand };
        let completion = answer_to(&home, &output);
        backup.start_scan(&mut home.driver, completion, job, at_hand);
        let failure = output.failure(ErrorCode::Internal).expect("it may fail");
        assert_eq!(home.told(), [failure]);
    }
}
