//! The loop: select → apply → perform.
//!
//! Only `select` awaits. `apply` is synchronous: it hands the engine what happened and
//! performs what the engine asks for by starting bounded tasks, each of which comes back
//! with one message. The loop owns all state; nothing is shared behind a lock.

pub(crate) mod calls;
pub(crate) mod start;
pub(crate) mod trace;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use bitdust_api::Event;
use bitdust_api::history::{Happening, HistoryLine};
use bitdust_engine::trace::TraceLine;
use bitdust_engine::{AskId, Engine, FetchId, Input, JobId, Output, SetFact};
use bitdust_model::manifest::{PackRecord, SetRecord};
use bitdust_model::{
    ByteCount, DeviceId, ErrorCode, IdentityId, PackId, Position, SetId, Severity, Tick, limits,
};
use bitdust_net::NetEvent;
use bitdust_store::Home;

use crate::backup::watches::{SleepClock, Watches};
use crate::front::local::PendingCall;
use crate::recovery::Recovery;
use crate::restore::fetch::FetchState;
use crate::runtime::trace::Trace;
use crate::service::Question;
use crate::shared::completion::Completion;
use crate::shared::config::Config;
use crate::shared::context::Context;
use crate::shared::job::{Job, JobKind};
use crate::shared::task_event::{Back, Flight};
use crate::suppliers::worker::{self, Errand};

/// How long the network may take to end its connections.
const PARTING_PATIENCE: Duration = Duration::from_secs(2);

/// At most so often is progress told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// How often the loop wakes when nothing is due, to see whether the machine slept.
const IDLE_EVERY: Duration = Duration::from_secs(60);

/// A peer that is connected now.
pub(crate) struct PeerState {
    /// The person.
    pub(crate) identity: IdentityId,
    /// What they call themselves.
    pub(crate) nickname: String,
    /// How they are reached.
    pub(crate) path: bitdust_net::Path,
}

/// A spooled shard on its way.
pub(crate) struct Loaded {
    /// Its pack.
    pub(crate) record: Arc<PackRecord>,
    /// Its bytes.
    pub(crate) shard: Bytes,
}

/// A line of the history, kept for `status`.
pub(crate) type Notices = VecDeque<HistoryLine>;

/// Lines of the history that `status` shows.
pub(crate) const NOTICES_MAX: usize = 50;

/// What the engine is told next. What happens while its outputs are performed waits here.
#[derive(Default)]
pub(crate) struct Inputs {
    waiting: VecDeque<Input>,
    is_performing: bool,
}

/// The node of one home.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) started: Instant,
    pub(crate) trace: Option<Trace>,
    pub(crate) context: Context,
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) guard: &'static str,
    pub(crate) inbox: Inbox,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) network_loop: tokio::task::JoinHandle<()>,
    pub(crate) couriers: BTreeMap<DeviceId, mpsc::Sender<Errand>>,
    pub(crate) peers: BTreeMap<DeviceId, PeerState>,
    /// Where peers may be reached.
    pub(crate) contacts: BTreeMap<DeviceId, Vec<String>>,
    /// Bytes promised by lane.
    pub(crate) customers: BTreeMap<DeviceId, ByteCount>,
    pub(crate) friends: BTreeSet<IdentityId>,
    /// The home's own folder, which is never backed up.
    pub(crate) home_place: Option<(u64, u64)>,
    pub(crate) listening: Vec<String>,
    pub(crate) set: Option<SetFact>,
    pub(crate) sets: BTreeMap<SetId, SetRecord>,
    pub(crate) flights: BTreeMap<PackId, Flight>,
    pub(crate) loaded: BTreeMap<(PackId, Position), Loaded>,
    pub(crate) fetches: BTreeMap<FetchId, FetchState>,
    pub(crate) questions: BTreeMap<AskId, Question>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    /// Numbers under which look-ups fetch.
    pub(crate) lookups: BTreeSet<JobId>,
    pub(crate) inputs: Inputs,
    pub(crate) recovery: Option<Recovery>,
    pub(crate) notices: Notices,
    pub(crate) next_number: u64,
    pub(crate) progress_told: Instant,
    /// Something that people see may have changed since it was told.
    pub(crate) status_due: bool,
    pub(crate) watches: Watches,
    pub(crate) sleep_clock: SleepClock,
    /// Whether folders are backed up without being asked: not for the time of one command.
    pub(crate) acts_by_itself: bool,
    pub(crate) is_stopping: bool,
}

/// Where everything comes from.
pub(crate) struct Inbox {
    /// The network.
    pub(crate) net: mpsc::Receiver<NetEvent>,
    /// Tasks.
    pub(crate) back: mpsc::Receiver<Back>,
    /// Front ends.
    pub(crate) calls: mpsc::Receiver<PendingCall>,
    /// The wish to stop.
    pub(crate) stop: oneshot::Receiver<()>,
}

/// One thing that happened.
enum Step {
    Net(NetEvent),
    Back(Vec<Back>),
    Call(PendingCall),
    Time,
    TaskEnded(Result<(), tokio::task::JoinError>),
    Stop,
}

impl Node {
    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.is_stopping {
            let step = self.select().await;
            self.apply(step);
            self.tell_progress();
        }
        self.shut_down().await;
    }

    async fn select(&mut self) -> Step {
        let deadline = self.deadline();
        let inbox = &mut self.inbox;
        let mut back = Vec::new();
        tokio::select! {
            biased;
            stop = &mut inbox.stop => {
                drop(stop);
                Step::Stop
            }
            _ = inbox.back.recv_many(&mut back, limits::RECEIPTS_AT_ONCE_MAX) => Step::Back(back),
            event = inbox.net.recv() => event.map_or(Step::Stop, Step::Net),
            Some(call) = inbox.calls.recv() => Step::Call(call),
            Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => Step::TaskEnded(ended),
            () = tokio::time::sleep_until(deadline.into()) => Step::Time,
        }
    }

    fn apply(&mut self, step: Step) {
        self.status_due = true;
        match step {
            Step::Net(event) => self.apply_net(event),
            Step::Back(back) => self.apply_all(back),
            Step::Call(call) => self.answer(call),
            Step::Time => {
                if self.sleep_clock.has_slept() {
                    info!("The machine slept");
                    self.tell(Input::Resumed);
                }
                self.tell(Input::Wake);
            }
            Step::TaskEnded(Ok(())) => {}
            Step::TaskEnded(Err(error)) => self.task_failed(&error),
            Step::Stop => self.is_stopping = true,
        }
    }

    /// Milliseconds since the start.
    pub(crate) fn now(&self) -> Tick {
        Tick(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Gives the engine an input and performs all it asks for. One that arises while that is
    /// done comes after it.
    pub(crate) fn tell(&mut self, input: Input) {
        self.inputs.waiting.push_back(input);
        if self.inputs.is_performing {
            return;
        }
        self.inputs.is_performing = true;
        while let Some(input) = self.inputs.waiting.pop_front() {
            self.handle(input);
        }
        self.inputs.is_performing = false;
    }

    fn handle(&mut self, input: Input) {
        let at = self.now();
        let mut outputs = Vec::new();
        let recorded = self.trace.is_some().then(|| input.clone());
        self.engine.handle(input, at);
        while let Some(output) = self.engine.poll() {
            outputs.push(output);
        }
        if let (Some(trace), Some(input)) = (&mut self.trace, recorded) {
            let line = TraceLine {
                at,
                input,
                outputs: outputs.clone(),
            };
            if let Err(error) = trace.record(&line) {
                warn!(%error, "The trace cannot be written any more");
                self.trace = None;
            }
        }
        for output in outputs {
            self.perform(output);
        }
    }

    fn deadline(&self) -> Instant {
        let engine = self
            .engine
            .wake_at()
            .map(|(tick, _)| self.started + Duration::from_millis(tick.0));
        let idle = Instant::now() + IDLE_EVERY;
        let wake = engine.unwrap_or(idle).min(idle);
        // Where nobody listens nothing is told, and a moment to tell it would never be over.
        if self.is_watched() && (self.status_due || !self.jobs.is_empty()) {
            wake.min(self.progress_told + PROGRESS_EVERY)
        } else {
            wake
        }
    }

    pub(crate) fn apply_net(&mut self, event: NetEvent) {
        match event {
            NetEvent::Listening { address } => self.listens(address),
            NetEvent::PeerUp(peer) => {
                let state = PeerState {
                    identity: peer.identity,
                    nickname: peer.certificate.nickname.clone(),
                    path: peer.path,
                };
                debug!(device = %peer.device, path = ?peer.path, "Peer up");
                self.peers.insert(peer.device, state);
                self.remember_peer(&peer);
                self.tell(Input::PeerUp {
                    device: peer.device,
                    identity: peer.identity,
                });
            }
            NetEvent::PeerDown { device } => {
                debug!(%device, "Peer down");
                self.peers.remove(&device);
                self.couriers.remove(&device);
                self.tell(Input::PeerDown { device });
            }
            NetEvent::Request { from, body, reply } => self.requested(from, body, reply),
            NetEvent::Bulk { from, server } => {
                let context = self.context.clone();
                self.tasks
                    .spawn(crate::service::listen(context, from, server));
            }
        }
    }

    fn listens(&mut self, address: String) {
        if !self.listening.contains(&address) && self.listening.len() < limits::ADDRESSES_MAX {
            info!("Listening on a further address");
            self.listening.push(address);
        }
    }

    /// What tasks brought, in order; receipts that came one behind the other at once.
    fn apply_all(&mut self, back: Vec<Back>) {
        let mut receipts = Vec::new();
        for back in back {
            if let Back::Receipt {
                completion,
                receipt,
            } = back
            {
                receipts.push((completion, receipt));
                continue;
            }
            self.receipts_came(std::mem::take(&mut receipts));
            self.apply_back(back);
        }
        self.receipts_came(receipts);
    }

    fn apply_back(&mut self, back: Back) {
        match back {
            Back::Input(input) => self.tell_with_effects(input),
            Back::Sealed { job, flight } => self.sealed(job, *flight),
            Back::Scanned {
                completion,
                job,
                result,
            } => self.scanned(completion, job, result),
            Back::Receipt {
                completion,
                receipt,
            } => self.receipts_came(vec![(completion, receipt)]),
            Back::Dialed { completion, device } => self.dialed(completion, device),
            Back::SpoolLoaded {
                completion,
                record,
                position,
                shard,
                device,
            } => self.spool_loaded(completion, record, position, shard, device),
            Back::FetchWanted(request) => self.fetch_wanted(*request),
            Back::Pieces {
                completion,
                fetch,
                position,
                whole,
                pieces,
            } => self.pieces_came(completion, fetch, position, whole, pieces),
            Back::Assembled {
                completion,
                fetch,
                chunks,
            } => self.assembled(completion, fetch, chunks),
            Back::Asked(question) => self.asked(*question),
            Back::SetRecorded {
                completion,
                record,
                fact,
            } => self.set_recorded(completion, record, fact),
            Back::Recovery { completion, found } => self.recovery_moved(completion, *found),
            Back::Offers { completion, offers } => self.offers_found(completion, offers),
            Back::Check {
                completion,
                device,
                shard,
                pick,
            } => self.check_piece(completion, device, *shard, pick),
            Back::Restored {
                completion,
                job,
                result,
            } => self.restored(completion, job, result),
            Back::ContractKept {
                completion,
                ask,
                lane,
                bytes,
            } => self.contract_kept(completion, ask, lane, bytes),
            Back::LookUpEnded { job } => self.look_up_ended(job),
            Back::FriendMade { invitation, reply } => self.friend_made(&invitation, reply),
            Back::WatchOpened {
                completion,
                folder,
                opened,
            } => self.watch_opened(completion, folder, opened),
            Back::Verified { job, view } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.verified = Some(view);
                }
            }
        }
    }

    /// Inputs of tasks that also end something the loop keeps.
    fn tell_with_effects(&mut self, input: Input) {
        if let Input::ContractSigned { device, bytes } = &input {
            let happening = Happening::SupplierSigned {
                name: self.supplier_name(*device),
                bytes: bytes.0,
            };
            let message = format!("{} keeps data for you now", self.supplier_name(*device));
            self.notice(Severity::Note, happening, message);
        }
        if let Input::CheckPassed { device } = &input {
            self.checked(*device, true);
        }
        if let Input::CheckFailed { device, .. } = &input {
            self.checked(*device, false);
        }
        self.tell(input);
    }

    /// Hands an errand to the courier of a supplier, hiring one if there is none. One that has
    /// too much to do takes no more.
    pub(crate) fn send_courier(&mut self, device: DeviceId, errand: Errand) {
        let courier = self.couriers.entry(device).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(limits::COURIER_QUEUE_MAX);
            self.tasks
                .spawn(worker::run(self.context.clone(), device, receiver));
            sender
        });
        if let Err(error) = courier.try_send(errand) {
            let errand = error.into_inner();
            self.tell(errand.completion.failed(ErrorCode::Busy));
        }
    }

    /// Starts a task that does what the engine asked for and says how it went.
    pub(crate) fn start(
        &mut self,
        completion: Completion,
        task: impl Future<Output = Result<Input, ErrorCode>> + Send + 'static,
    ) {
        self.tasks
            .spawn(async move { completion.tell(task.await).await });
    }

    /// A fresh number for jobs, fetches and questions.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Sends an event to all front ends; none may be listening.
    pub(crate) fn emit(&self, event: Event) {
        drop(self.events.send(event));
    }

    /// Whether a front end listens.
    fn is_watched(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// The name of the supplier that most packs wait for.
    pub(crate) fn held_up_by(&self) -> Option<String> {
        let device = self.engine.held_up_by()?;
        Some(self.supplier_name(device))
    }

    fn tell_progress(&mut self) {
        let is_due = !self.jobs.is_empty() || self.status_due;
        if !is_due || !self.is_watched() || self.progress_told.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.progress_told = Instant::now();
        let mut events = Vec::new();
        let held_up_by = self.held_up_by();
        for (id, job) in &mut self.jobs {
            job.observe();
            let view = job.view(bitdust_api::JobId(id.0), held_up_by.as_deref());
            events.push(Event::Progress {
                job: view.id,
                progress: view.progress,
                phase: crate::shared::words::phase(&view.phase),
                doing: view.phase,
                bytes_per_second: view.bytes_per_second,
                remaining_seconds: view.remaining_seconds,
            });
        }
        events.into_iter().for_each(|event| self.emit(event));
        self.status_due = false;
        match self.status() {
            Ok(status) => self.emit(Event::Status {
                status: Box::new(status),
            }),
            Err(error) => debug!(%error, "The status cannot be told"),
        }
    }

    /// A job ended: its report goes to the front ends.
    pub(crate) fn end_job(&mut self, id: JobId, failure: Option<ErrorCode>, unchanged: bool) {
        // Whoever waits for what the job wanted is told so by a reply that never comes.
        self.fetches.retain(|_, state| state.request.job != id);
        let Some(mut job) = self.jobs.remove(&id) else {
            return;
        };
        job.permits.close();
        if self.jobs.is_empty() {
            self.context.buffers.clear();
        }
        let kind = job.kind.clone();
        let is_recovery = matches!(kind, JobKind::Recover);
        if unchanged {
            job.snapshots.clear();
        }
        let report = job.report(failure);
        self.remember_end(&kind, &report);
        if !unchanged {
            self.notice_end(&kind, &report);
        }
        self.emit(Event::Ended {
            job: bitdust_api::JobId(id.0),
            report: Box::new(report),
        });
        if is_recovery {
            self.recovery_ended(failure);
        }
    }

    fn task_failed(&mut self, error: &tokio::task::JoinError) {
        if error.is_panic() {
            warn!(%error, "A task ended in a defect");
            self.notice(
                Severity::Problem,
                Happening::Defect,
                "a part of the program failed; please report it; your data is as safe as before",
            );
        }
    }

    /// Ends everything in order: no new work, tasks cancelled, databases closed.
    async fn shut_down(mut self) {
        for job in self.jobs.values() {
            job.counters.interrupt();
            job.permits.close();
        }
        self.inbox.back.close();
        self.couriers.clear();
        self.questions.clear();
        self.tasks.shutdown().await;
        self.context.net.shutdown().await;
        let parted = tokio::time::timeout(PARTING_PATIENCE, &mut self.network_loop).await;
        if parted.is_err() {
            self.network_loop.abort();
        }
        drop(self.home);
    }

    /// Performs what the engine asked for.
    fn perform(&mut self, output: Output) {
        match Completion::of(&output, &self.context.back) {
            Some(completion) => self.do_deed(output, completion),
            None => self.take_note(output),
        }
    }

    /// Begins a deed; whoever ends it answers.
    fn do_deed(&mut self, output: Output, completion: Completion) {
        match output {
            Output::PublishRecords => self.publish_records(completion),
            Output::Dial { device } => self.dial(completion, device),
            Output::SearchOffers { slot } => self.search_offers(completion, slot),
            Output::AdoptSupplier { offer } => self.adopt_supplier(completion, &offer),
            Output::Propose { device, bytes } => self.propose(completion, device, bytes),
            Output::RecordSet { code, holders } => self.record_set(completion, code, holders),
            Output::CheckSupplier { device, pick } => self.check_supplier(completion, device, pick),
            Output::DoubtSupplier {
                device,
                code,
                again,
            } => self.doubt_supplier(completion, device, code, again),
            Output::WatchFolder { folder } => self.watch_folder(completion, folder),
            Output::BackUp { folders } => self.back_up(completion, folders),
            Output::StartScan { job } => self.start_scan(completion, job),
            Output::SendShard {
                job,
                pack,
                position,
                device,
            } => self.send_shard(completion, job, (pack, position), device),
            Output::SpoolShard { pack, position } => self.spool_shard(completion, pack, position),
            Output::LoadSpool { device } => self.load_spool(completion, device),
            Output::CommitPack { pack } => self.commit_pack(completion, pack),
            Output::SealMetadata { job, folders } => self.seal_metadata(completion, job, &folders),
            Output::PutHead { device, sequence } => self.put_head(completion, device, sequence),
            Output::RecordCommit { sequence } => self.record_commit(completion, sequence),
            Output::StartRestore { job } => self.start_restore(completion, job),
            Output::FetchRange {
                fetch,
                position,
                device,
                whole,
            } => self.fetch_range(completion, fetch, position, device, whole),
            Output::Decode { fetch, positions } => self.decode(completion, fetch, &positions),
            Output::SeekLanes { job } => self.seek_lanes(completion, job),
            Output::AskHeads { job, device } => self.ask_heads(completion, job, device),
            Output::RebuildCatalogue {
                job,
                lanes,
                confirmed,
                of,
            } => self.rebuild_catalogue(completion, job, &lanes, confirmed, of),
            Output::AcceptContract { ask } => self.accept_contract(completion, ask),
            Output::AcceptStore { ask } => self.accept_store(completion, ask),
            Output::PublishDeposits => self.publish_deposits(completion),
            Output::UnwatchFolder { .. }
            | Output::ReleasePack { .. }
            | Output::GiveUpFetch { .. }
            | Output::AllowAccess { .. }
            | Output::Refuse { .. }
            | Output::JobMoved { .. }
            | Output::JobEnded { .. } => {
                completion.done_with_others();
                debug_assert!(false, "what only tells has no answer");
            }
        }
    }

    /// Does what nobody waits for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`do_deed` is the exhaustive match"
    )]
    fn take_note(&mut self, output: Output) {
        match output {
            Output::UnwatchFolder { folder } => self.unwatch_folder(folder),
            Output::ReleasePack { pack } => self.release_pack(pack),
            Output::GiveUpFetch { fetch } => self.give_up_fetch(fetch),
            Output::AllowAccess { ask } => self.allow_access(ask),
            Output::Refuse { ask, code } => self.refuse(ask, code),
            Output::JobMoved { job, phase } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.phase = Some(phase);
                }
            }
            Output::JobEnded {
                job,
                failure,
                unchanged,
            } => self.end_job(job, failure, unchanged),
            output => debug_assert!(false, "nobody does {output:?}"),
        }
    }
}
