//! The engine: routes inputs to machines and turns what they want into outputs.
//!
//! It keeps the machines, their deadlines and the facts they share, and decides nothing
//! itself. One input, then `poll` to `None`, then `wake_at`.

mod clocks;
mod confirmations;
mod contacts;
mod customers;
mod entries;
mod fetches;
mod folders;
mod heads;
mod jobs;
mod packs;
mod routes;
mod sets;
mod spool;
mod suppliers;
mod tips;
mod trust;
mod views;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bitdust_model::limits::ENGINE_OUTPUTS_MAX;
use bitdust_model::{
    ByteCount, Code, DeviceId, FolderId, IdentityId, PackId, Policy, Position, Sequence, Tick,
};

use crate::fsm::{
    Moment, backup, check, contact, deposits, disk, fetch, folder_watch, head, holder_set, lane,
    pack, recovery, restore, schedule, set_up, supplier_link, supplier_search, tip, transfer,
    unspool,
};
use crate::io::{AskId, FetchId, Input, JobId, Output};
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::random::{Random, mix, mix_bytes};
use crate::rules::ToldHead;
use crate::timer::{Timers, WakeReason};
use crate::transition::{Machine, Subject, Transition};

use entries::{Customer, Fetch, Folder, Job, Membership, Pack, Supplier};
use sets::Sets;

/// All decisions of one node. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    /// All that is drawn at random follows from it.
    seed: [u8; 32],
    now: Tick,
    /// This machine and person, once started.
    own: Option<(DeviceId, IdentityId)>,
    listening: bool,
    online: BTreeSet<DeviceId>,
    dialing: BTreeSet<DeviceId>,
    /// Peers that are connected, or were until a moment ago.
    contacts: BTreeMap<DeviceId, contact::State>,

    set_up: set_up::State,
    deposits: deposits::State,
    disk: disk::State,
    search: supplier_search::State,
    suppliers: BTreeMap<DeviceId, Supplier>,
    suppliers_wanted: u8,
    code_wanted: Option<Code>,
    contract_bytes: ByteCount,

    holder_set: holder_set::State,
    sets: Sets,
    head: head::State,
    /// Whether the own lane may be written.
    lane: lane::State,
    /// What suppliers told of it in this run.
    heard: BTreeMap<DeviceId, ToldHead>,
    /// Of whom it is to be asked which shards they have.
    unlisted: BTreeSet<DeviceId>,
    head_recorded: Option<Sequence>,
    /// The newest head that was settled: any k of the holders that answer lead to it.
    settled: Option<Sequence>,
    /// Who signed for which head: for the newest that is published, and what came after it.
    kept: BTreeMap<Sequence, BTreeSet<DeviceId>>,
    /// Packs that are on their way.
    packs: BTreeMap<PackId, Pack>,
    /// All that are committed.
    ledger: Ledger,

    jobs: BTreeMap<JobId, Job>,
    /// Backups whose head is being sealed, and whether anything was lost since: also of those that
    /// ended meanwhile.
    sealing: BTreeMap<JobId, bool>,
    /// What suppliers keep of the lane is taken in once they are.
    is_catch_up_due: bool,
    /// Whether a head was signed in this run.
    has_written: bool,
    fetches: BTreeMap<FetchId, Fetch>,
    /// How fast these are answered.
    pace: Pace,
    folders: BTreeMap<FolderId, Folder>,
    /// Folders whose turn came with the last input.
    folders_starting: Vec<FolderId>,

    customers: BTreeMap<DeviceId, Customer>,
    /// People who had something here at the start.
    kept_for: BTreeSet<IdentityId>,
    asks: BTreeMap<AskId, DeviceId>,
    offered: ByteCount,
    membership: Membership,
    /// What the catalogue says is not believed any more.
    is_catalogue_damaged: bool,
    tasks: VecDeque<Task>,
    outputs: VecDeque<Output>,
    timers: Timers,
    transitions: Vec<Transition>,
    /// Who is hired, wanted or suspect changed.
    census_due: bool,
    /// Packs whose shards moved.
    packs_due: BTreeSet<PackId>,
    /// Something that jobs wait for moved.
    jobs_due: bool,
    /// Something that settles the newest head moved.
    settled_due: bool,
    /// Somebody told what it keeps of the own lane, or went.
    lane_due: bool,
    /// A folder became due, or a backup ended.
    folders_due: bool,
}

/// An event on its way to a machine.
#[derive(Debug)]
enum Task {
    SetUp(set_up::Event),
    Deposits(deposits::Event),
    Disk(disk::Event),
    Search(supplier_search::Event),
    Contact(DeviceId, contact::Event),
    Link(DeviceId, supplier_link::Event),
    Check(DeviceId, check::Event),
    Tip(DeviceId, tip::Event),
    Unspool(DeviceId, unspool::Event),
    HolderSet(holder_set::Event),
    Head(head::Event),
    Lane(lane::Event),
    Pack(PackId, pack::Event),
    Transfer(PackId, Position, transfer::Event),
    Backup(JobId, backup::Event),
    Restore(JobId, restore::Event),
    Recovery(JobId, recovery::Event),
    Fetch(FetchId, fetch::Event),
    Watch(FolderId, folder_watch::Event),
    Schedule(FolderId, schedule::Event),
}

impl Engine {
    /// An engine that knows nothing until [`Input::Started`].
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            seed: [0; 32],
            now: Tick(0),
            own: None,
            listening: false,
            online: BTreeSet::new(),
            dialing: BTreeSet::new(),
            contacts: BTreeMap::new(),
            set_up: set_up::State::default(),
            deposits: deposits::State::default(),
            disk: disk::State::default(),
            search: supplier_search::State::default(),
            suppliers: BTreeMap::new(),
            suppliers_wanted: 0,
            code_wanted: None,
            contract_bytes: ByteCount(0),
            holder_set: holder_set::State::default(),
            sets: Sets::default(),
            head: head::State::default(),
            lane: lane::State::default(),
            heard: BTreeMap::new(),
            unlisted: BTreeSet::new(),
            head_recorded: None,
            settled: None,
            kept: BTreeMap::new(),
            packs: BTreeMap::new(),
            ledger: Ledger::default(),
            jobs: BTreeMap::new(),
            sealing: BTreeMap::new(),
            is_catch_up_due: false,
            has_written: false,
            fetches: BTreeMap::new(),
            pace: Pace::default(),
            folders: BTreeMap::new(),
            folders_starting: Vec::new(),
            customers: BTreeMap::new(),
            kept_for: BTreeSet::new(),
            asks: BTreeMap::new(),
            offered: ByteCount(0),
            membership: Membership::default(),
            is_catalogue_damaged: false,
            tasks: VecDeque::new(),
            outputs: VecDeque::new(),
            timers: Timers::default(),
            transitions: Vec::new(),
            census_due: false,
            packs_due: BTreeSet::new(),
            jobs_due: false,
            settled_due: false,
            lane_due: false,
            folders_due: false,
        }
    }

    /// Takes one input. `now` never goes back.
    pub fn handle(&mut self, input: Input, now: Tick) {
        self.now = now.max(self.now);
        self.transitions.clear();
        self.route(input);
        loop {
            while let Some(task) = self.tasks.pop_front() {
                self.run(task);
            }
            self.maintain();
            if self.tasks.is_empty() {
                break;
            }
        }
    }

    /// The next thing to do, in order; `None` when there is nothing more for this input.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Wake`] at the latest, and what for.
    #[must_use]
    pub fn wake_at(&self) -> Option<(Tick, WakeReason)> {
        self.timers.next()
    }

    /// The steps that the last input caused, for logs and tests.
    #[must_use]
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::SetUp(event) => self.step_set_up(event),
            Task::Deposits(event) => self.step_deposits(event),
            Task::Disk(event) => self.step_disk(event),
            Task::Search(event) => self.step_search(event),
            Task::Contact(device, event) => self.step_contact(device, event),
            Task::Link(device, event) => self.step_link(device, event),
            Task::Check(device, event) => self.step_check(device, event),
            Task::Tip(device, event) => self.step_tip(device, event),
            Task::Unspool(device, event) => self.step_unspool(device, event),
            Task::HolderSet(event) => self.step_holder_set(event),
            Task::Head(event) => self.step_head(event),
            Task::Lane(event) => self.step_lane(event),
            Task::Pack(pack, event) => self.step_pack(pack, event),
            Task::Transfer(pack, position, event) => self.step_transfer(pack, position, event),
            Task::Backup(job, event) => self.step_backup(job, event),
            Task::Restore(job, event) => self.step_restore(job, event),
            Task::Recovery(job, event) => self.step_recovery(job, event),
            Task::Fetch(fetch, event) => self.step_fetch(fetch, event),
            Task::Watch(folder, event) => self.step_watch(folder, event),
            Task::Schedule(folder, event) => self.step_schedule(folder, event),
        }
    }

    /// What is cheap to look at after every input: counts that machines wait for.
    fn maintain(&mut self) {
        if std::mem::take(&mut self.census_due) {
            self.count_suppliers();
        }
        for pack in std::mem::take(&mut self.packs_due) {
            self.count_shards(pack);
        }
        if !self.tasks.is_empty() {
            return;
        }
        // Before jobs: none begins by a list of which it is just told that others know better.
        if std::mem::take(&mut self.lane_due) {
            self.count_lane();
            if !self.tasks.is_empty() {
                return;
            }
        }
        if std::mem::take(&mut self.jobs_due) {
            self.start_fetches();
            self.count_for_jobs();
        }
        if std::mem::take(&mut self.settled_due) {
            self.note_settled();
        }
        if std::mem::take(&mut self.folders_due) {
            self.count_folders();
        }
        if self.tasks.is_empty() {
            self.start_folders();
            self.tell_phases();
        }
    }

    /// Hands the event of a deadline to the machine that set it. A backup goes on by what is counted
    /// then.
    fn wake(&mut self) {
        for reason in self.timers.take_due(self.now) {
            self.jobs_due |= reason.machine == Machine::Backup;
            self.tasks.extend(task_of(reason));
        }
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
        debug_assert!(
            self.outputs.len() <= ENGINE_OUTPUTS_MAX,
            "outputs were not polled"
        );
    }

    /// Writes a step down, unless nothing came of it, and sets the machine's deadline.
    fn noted(&mut self, step: Step, to: &'static str, acted: bool, deadline: Option<Tick>) {
        let Step {
            machine,
            subject,
            from,
            event,
        } = step;
        self.timers.set(WakeReason { machine, subject }, deadline);
        if from != to || acted {
            self.transitions.push(Transition {
                machine,
                subject,
                from,
                event,
                to,
            });
        }
    }

    /// Connects to a peer unless that is done or under way; says whether it is connected.
    fn dial(&mut self, device: DeviceId) -> bool {
        if self.online.contains(&device) {
            return true;
        }
        if self.dialing.insert(device) {
            self.emit(Output::Dial { device });
        }
        false
    }

    /// The random word of a step: it follows from the seed, from whose step it is, and from the
    /// time, so that no machine shifts what another draws.
    fn draw(&self, machine: Machine, subject: Subject) -> u64 {
        let whose = subject.mix(mix_bytes(0, machine.name().as_bytes()));
        Random::for_occasion(self.seed, mix(whose, self.now.0)).next_word()
    }

    const fn moment(&self, random: u64) -> Moment<'_> {
        Moment {
            now: self.now,
            policy: &self.policy,
            random,
        }
    }

    fn step_set_up(&mut self, event: set_up::Event) {
        let random = self.draw(Machine::SetUp, Subject::Node);
        let mut out = Vec::new();
        let step = Step::of(Machine::SetUp, Subject::Node, &self.set_up, &event);
        self.set_up = set_up::step(self.set_up, event, &self.moment(random), &mut out);
        self.noted(
            step,
            crate::fsm::name(&self.set_up),
            !out.is_empty(),
            self.set_up.deadline(),
        );
        for action in out {
            match action {
                set_up::Action::Publish { scope } => self.emit(Output::PublishRecords {
                    scope,
                    settled: self.settled,
                }),
                set_up::Action::Online => self.go_online(),
            }
        }
    }

    fn step_deposits(&mut self, event: deposits::Event) {
        let random = self.draw(Machine::Deposits, Subject::Node);
        let mut out = Vec::new();
        let step = Step::of(Machine::Deposits, Subject::Node, &self.deposits, &event);
        let customers = !self.customers.is_empty();
        self.deposits = deposits::step(
            self.deposits,
            event,
            &self.moment(random),
            customers,
            &mut out,
        );
        let to = crate::fsm::name(&self.deposits);
        self.noted(step, to, !out.is_empty(), self.deposits.deadline());
        for action in out {
            match action {
                deposits::Action::Publish => self.emit(Output::PublishDeposits),
            }
        }
    }

    fn step_disk(&mut self, event: disk::Event) {
        let mut out = Vec::new();
        let step = Step::of(Machine::Disk, Subject::Node, &self.disk, &event);
        self.disk = disk::step(self.disk, event, self.now, &mut out);
        let to = crate::fsm::name(&self.disk);
        self.noted(step, to, !out.is_empty(), self.disk.deadline());
        for action in out {
            match action {
                disk::Action::Retry => self.emit(Output::RetryWrites),
            }
        }
    }
}

/// The event of a deadline, for the machine that set it.
fn task_of(WakeReason { machine, subject }: WakeReason) -> Option<Task> {
    Some(match (machine, subject) {
        (Machine::SetUp, _) => Task::SetUp(set_up::Event::Wake),
        (Machine::Deposits, _) => Task::Deposits(deposits::Event::Wake),
        (Machine::Disk, _) => Task::Disk(disk::Event::Wake),
        (Machine::SupplierSearch, _) => Task::Search(supplier_search::Event::Wake),
        (Machine::Head, _) => Task::Head(head::Event::Wake),
        (Machine::Lane, _) => Task::Lane(lane::Event::Wake),
        (Machine::Tip, Subject::Device(device)) => Task::Tip(device, tip::Event::Wake),
        (Machine::HolderSet, Subject::Node) => Task::HolderSet(holder_set::Event::Wake),
        (Machine::Pack, Subject::Pack(pack)) => Task::Pack(pack, pack::Event::Wake),
        (Machine::Contact, Subject::Device(device)) => Task::Contact(device, contact::Event::Wake),
        (Machine::SupplierLink, Subject::Device(device)) => {
            Task::Link(device, supplier_link::Event::Wake)
        }
        (Machine::Check, Subject::Device(device)) => Task::Check(device, check::Event::Wake),
        (Machine::Unspool, Subject::Device(device)) => Task::Unspool(device, unspool::Event::Wake),
        (Machine::Transfer, Subject::Shard(pack, position)) => {
            Task::Transfer(pack, position, transfer::Event::Wake)
        }
        (Machine::Recovery, Subject::Job(job)) => Task::Recovery(job, recovery::Event::Wake),
        (Machine::Fetch, Subject::Fetch(fetch)) => Task::Fetch(fetch, fetch::Event::Wake),
        (Machine::FolderWatch, Subject::Folder(folder)) => {
            Task::Watch(folder, folder_watch::Event::Wake)
        }
        (Machine::Schedule, Subject::Folder(folder)) => {
            Task::Schedule(folder, schedule::Event::Wake)
        }
        // A backup goes on by what is counted; the end of a confirmation wakes whoever shows it.
        (
            Machine::Contact
            | Machine::SupplierLink
            | Machine::Check
            | Machine::Tip
            | Machine::Unspool
            | Machine::Transfer
            | Machine::Recovery
            | Machine::Fetch
            | Machine::HolderSet
            | Machine::Pack
            | Machine::Backup
            | Machine::Restore
            | Machine::CustomerLink
            | Machine::FolderWatch
            | Machine::Schedule,
            _,
        ) => return None,
    })
}

/// The first half of a transition.
#[derive(Debug, Clone, Copy)]
struct Step {
    machine: Machine,
    subject: Subject,
    from: &'static str,
    event: &'static str,
}

impl Step {
    fn of<'a, S, E>(machine: Machine, subject: Subject, state: &'a S, event: &'a E) -> Self
    where
        &'a S: Into<&'static str>,
        &'a E: Into<&'static str>,
    {
        Self {
            machine,
            subject,
            from: state.into(),
            event: event.into(),
        }
    }
}
