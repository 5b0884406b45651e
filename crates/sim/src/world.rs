//! The world: machines, one queue of what is to come, one source of chance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitdust_engine::trace::{Coverage, apply, replay};
use bitdust_engine::{Engine, EngineView, Input, Random};
use bitdust_model::{DeviceId, IdentityId, Policy, Tick};

use crate::books::Books;
use crate::call::Call;
use crate::failure::{Failure, Steps};
use crate::id::NodeId;
use crate::node::Node;
use crate::sabotage::Sabotage;

/// Events handled before a run counts as one that never rests.
const EVENTS_MAX: u64 = 3_000_000;
/// Wake-ups of one machine at one moment before it counts as spinning.
const SPINS_MAX: u32 = 1_000;

/// How a world is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorldOptions {
    /// All chance of the world.
    pub seed: u64,
    /// Answers that get lost, in a hundred.
    pub loss_percent: u64,
}

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    Deliver {
        node: NodeId,
        boot: u64,
        input: Box<Input>,
    },
    Wake {
        node: NodeId,
        boot: u64,
    },
    Arrive(Call),
    Reply(Call, Result<(), bitdust_model::ErrorCode>),
    Dialed {
        from: NodeId,
        boot: u64,
        device: DeviceId,
    },
    Start(NodeId),
    Woken {
        node: NodeId,
        boot: u64,
    },
}

/// A network of machines in virtual time.
#[derive(Debug)]
pub struct World {
    pub(crate) options: WorldOptions,
    pub(crate) policy: Policy,
    pub(crate) now: Tick,
    pub(crate) random: Random,
    pub(crate) nodes: Vec<Node>,
    pub(crate) by_device: BTreeMap<DeviceId, NodeId>,
    queue: BTreeMap<(Tick, u64), Event>,
    counter: u64,
    /// Connected pairs, smaller first.
    pub(crate) connections: BTreeSet<(NodeId, NodeId)>,
    /// Pairs that cannot connect, smaller first.
    pub(crate) cuts: BTreeSet<(NodeId, NodeId)>,
    pub(crate) books: Books,
    pub(crate) steps: Steps,
    pub(crate) broken: Option<String>,
    spins: (Tick, u32),
    handled: u64,
    coverage: Coverage,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(options: WorldOptions) -> Self {
        Self {
            options,
            policy: Policy::default(),
            now: Tick(0),
            random: Random::from_number(options.seed),
            nodes: Vec::new(),
            by_device: BTreeMap::new(),
            queue: BTreeMap::new(),
            counter: 0,
            connections: BTreeSet::new(),
            cuts: BTreeSet::new(),
            books: Books::default(),
            steps: Steps::default(),
            broken: None,
            spins: (Tick(0), 0),
            handled: 0,
            coverage: Coverage::default(),
        }
    }

    /// Adds a machine of a person of its own; it starts with [`World::start`].
    pub fn add_node(&mut self) -> NodeId {
        let id = NodeId(self.nodes.len());
        let identity = IdentityId(self.fresh_bytes());
        self.add_device(id, identity)
    }

    /// Adds another machine of the person of `kin`.
    pub fn add_kin(&mut self, kin: NodeId) -> NodeId {
        let identity = self.nodes[kin.0].identity;
        self.add_device(NodeId(self.nodes.len()), identity)
    }

    fn add_device(&mut self, id: NodeId, identity: IdentityId) -> NodeId {
        let device = DeviceId(self.fresh_bytes());
        self.nodes.push(Node::new(device, identity));
        self.by_device.insert(device, id);
        id
    }

    /// Bytes that nothing else in this world has.
    pub(crate) fn fresh_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&self.random.next_word().to_le_bytes());
        }
        bytes
    }

    /// Now, in milliseconds since the world began.
    #[must_use]
    pub const fn now(&self) -> Tick {
        self.now
    }

    /// What a machine's status screen shows; `None` while it is down.
    #[must_use]
    pub fn view(&self, node: NodeId) -> Option<EngineView> {
        let node = &self.nodes[node.0];
        let mut view = node.engine.as_ref()?.view();
        view.protection = node.sabotage.bend_protection(view.protection);
        Some(view)
    }

    /// Every step that any machine took.
    #[must_use]
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    pub(crate) fn schedule(&mut self, wait: Duration, event: Event) {
        self.counter += 1;
        self.queue.insert((self.now + wait, self.counter), event);
    }

    /// Hands an input to a machine after some work of its own.
    pub(crate) fn deliver(&mut self, node: NodeId, wait: Duration, input: Input) {
        let boot = self.nodes[node.0].boot;
        self.schedule(
            wait,
            Event::Deliver {
                node,
                boot,
                input: Box::new(input),
            },
        );
    }

    /// A wait of some disk work.
    pub(crate) fn disk_time(&mut self) -> Duration {
        Duration::from_millis(1 + self.random.below(20))
    }

    /// A wait of one way through the network.
    pub(crate) fn latency(&mut self) -> Duration {
        Duration::from_millis(5 + self.random.below(200))
    }

    /// Runs until something holds; fails when it does not within `limit`.
    pub fn run_until(
        &mut self,
        what: &str,
        limit: Duration,
        is_reached: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        let end = self.now + limit;
        while !is_reached(self) {
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            if next.is_none_or(|at| at > end) {
                let jobs = self.jobs();
                return Err(self.failure(format!("not within {limit:?}: {what}; {jobs}")));
            }
            self.step()?;
        }
        Ok(())
    }

    /// What every machine is busy with, for a failure.
    fn jobs(&self) -> String {
        let mut text = String::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let view = node.engine.as_ref().map(Engine::view);
            for job in view.iter().flat_map(|view| &view.jobs) {
                let head = view.as_ref().map_or("", |view| view.head);
                text += &format!("node {index}: {} {}, head {head}; ", job.kind, job.state);
            }
        }
        text
    }

    /// Runs for a while.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.now + time;
        while self
            .queue
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= end)
        {
            self.step()?;
        }
        self.now = end;
        Ok(())
    }

    /// Fails with the story of the world unless something is true.
    pub fn expect(&self, is_true: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
        if is_true {
            Ok(())
        } else {
            Err(self.failure(format!("expected: {}", what())))
        }
    }

    fn step(&mut self) -> Result<(), Failure> {
        let Some(((at, _), event)) = self.queue.pop_first() else {
            return Ok(());
        };
        self.now = at;
        self.handled += 1;
        if self.handled > EVENTS_MAX {
            return Err(self.failure("the world never rests".to_owned()));
        }
        if let Some(wait) = self.sleeps_for(&event) {
            self.schedule(wait, event);
            return Ok(());
        }
        match event {
            Event::Deliver { node, boot, input } if self.nodes[node.0].boot == boot => {
                self.feed(node, *input);
            }
            Event::Wake { node, boot } if self.nodes[node.0].boot == boot => {
                let due = self.nodes[node.0]
                    .wake_at
                    .is_some_and(|wake_at| wake_at <= self.now);
                if due {
                    self.nodes[node.0].wake_at = None;
                    self.count_spin();
                    self.feed(node, Input::Wake);
                }
            }
            Event::Woken { node, boot } if self.nodes[node.0].boot == boot => self.woken(node),
            Event::Deliver { .. } | Event::Wake { .. } | Event::Woken { .. } => {}
            Event::Arrive(call) => self.arrive(call),
            Event::Reply(call, result) => self.replied(call, result),
            Event::Dialed { from, boot, device } => self.dialed(from, boot, device),
            Event::Start(node) => self.start_now(node),
        }
        match self.broken.take() {
            Some(message) => Err(self.failure(message)),
            None => Ok(()),
        }
    }

    fn count_spin(&mut self) {
        let (at, count) = self.spins;
        self.spins = if at == self.now {
            (at, count + 1)
        } else {
            (self.now, 1)
        };
        if self.spins.1 > SPINS_MAX {
            self.break_promise("a deadline that stays due: an engine spins".to_owned());
        }
    }

    pub(crate) fn break_promise(&mut self, message: String) {
        self.broken.get_or_insert(message);
    }

    fn failure(&self, message: String) -> Failure {
        Failure {
            seed: self.options.seed,
            at: self.now,
            message,
            steps: self.steps.to_vec(),
        }
    }

    /// One input for one engine, all that comes of it, and the look of the checker.
    pub(crate) fn feed(&mut self, id: NodeId, input: Input) {
        if self.nodes[id.0].engine.is_some() {
            self.note_withdrawn(id, &input);
            self.note_tip(id, &input);
        }
        let node = &mut self.nodes[id.0];
        let tick = node.tick(self.now);
        let Some(engine) = &mut node.engine else {
            return;
        };
        let line = apply(engine, input, tick);
        self.coverage.note(engine);
        for transition in engine.transitions() {
            self.steps
                .push(format!("{} ms, node {}: {transition}", self.now.0, id.0));
        }
        let mut outputs = line.outputs.clone();
        node.sabotage
            .bend(&line.input, &mut outputs, node.disk.home_set());
        node.inputs += 1;
        let crashes = node.crash_at == Some(node.inputs);
        node.trace.push(line);
        if crashes {
            // A stop in the middle: some of what was asked for was still done.
            node.crash_at = None;
            let done = self.random.below(outputs.len() as u64 + 1);
            outputs.truncate(usize::try_from(done).expect("below a length"));
        }
        for output in outputs {
            self.check_output(id, &output);
            if !self.is_withheld(id, &output) {
                self.do_output(id, output);
            }
        }
        if crashes {
            self.crash(id);
            self.schedule(Duration::from_secs(2), Event::Start(id));
            return;
        }
        self.check_node(id);
        self.plan_wake(id);
    }

    fn plan_wake(&mut self, id: NodeId) {
        let node = &mut self.nodes[id.0];
        let Some(engine) = &node.engine else {
            return;
        };
        let Some((tick, _)) = engine.wake_at() else {
            return;
        };
        let at = node.started_at + node.uncounted + Duration::from_millis(tick.0);
        if node
            .wake_at
            .is_some_and(|planned| planned <= at && planned >= self.now)
        {
            return;
        }
        node.wake_at = Some(at);
        let boot = node.boot;
        self.schedule(at.since(self.now), Event::Wake { node: id, boot });
    }

    /// Starts a machine now.
    pub(crate) fn start_now(&mut self, id: NodeId) {
        let seed = self.fresh_bytes();
        let (now, policy) = (self.now, self.policy_of(id));
        let node = &mut self.nodes[id.0];
        if node.dead || node.is_up() {
            return;
        }
        node.engine = Some(Engine::new(policy));
        node.boot += 1;
        node.started_at = now;
        node.inputs = 0;
        node.trace.clear();
        node.wake_at = None;
        node.uncounted = Duration::ZERO;
        let facts = Box::new(node.facts(now));
        self.feed(id, Input::Started { facts, seed });
        self.deliver(id, Duration::from_millis(50), Input::Listening);
    }

    /// By which a machine lives.
    fn policy_of(&self, id: NodeId) -> Policy {
        let mut policy = self.policy.clone();
        if self.nodes[id.0].sabotage == Sabotage::WaitsForTheLate {
            let forever = policy.restore_patience.saturating_mul(1_000);
            (policy.late_min, policy.late_first) = (forever, forever);
        }
        policy
    }

    /// Plays every running machine's trace back: a fresh engine must do the same.
    pub fn check_replay(&self) -> Result<(), Failure> {
        for (index, node) in self.nodes.iter().enumerate() {
            if let Err(divergence) = replay(self.policy_of(NodeId(index)), &node.trace) {
                return Err(self.failure(format!("node {index} does not replay: {divergence}")));
            }
        }
        Ok(())
    }
}
