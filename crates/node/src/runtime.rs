//! The loop: select → apply → perform.
//!
//! Only `select` awaits. `apply` is synchronous: it hands the engine what happened and has the
//! wings perform what the engine asks for by starting bounded tasks, each of which comes back
//! with one message. The loop knows which wing does what, and nothing of what is inside; what
//! tasks share with a wing are handles and counters.

mod calls;
mod checkup;
mod clock;
mod facts;
mod held_home;
pub(crate) mod keys;
mod perform;
mod questions;
pub(crate) mod start;
mod task_events;
#[cfg(test)]
mod tests;
mod trace;

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use bitdust_api::ApiError;
use bitdust_api::history::Happening;
use bitdust_engine::trace::TraceLine;
use bitdust_engine::{Engine, Input};
use bitdust_model::intervals::{IDLE_EVERY, PARTING_PATIENCE};
use bitdust_model::message::Body;
use bitdust_model::{Severity, limits};
use bitdust_net::NetEvent;

use crate::backup::Backup;
use crate::front::Front;
use crate::front::jobs::Awaited;
use crate::front::local::PendingCall;
use crate::front::status::{Seen, status};
use crate::recovery::Recovery;
use crate::restore::Restore;
use crate::runtime::checkup::Checkup;
use crate::runtime::clock::Clock;
use crate::runtime::held_home::HeldHome;
use crate::runtime::questions::{Known, Questions};
use crate::runtime::trace::Trace;
use crate::service::Service;
use crate::shared::context::Context;
use crate::shared::driver::{Driver, Ended};
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::words;
use crate::suppliers::Suppliers;

/// The node of one home.
pub(crate) struct Node {
    engine: Engine,
    clock: Clock,
    trace: Option<Trace>,
    context: Context,
    inbox: Inbox,
    network_loop: tokio::task::JoinHandle<()>,
    driver: Driver,
    home: HeldHome,
    backup: Backup,
    restore: Restore,
    recovery: Recovery,
    suppliers: Suppliers,
    service: Service,
    front: Front,
    /// Calls that are answered by what the wings know when their turn comes.
    questions: Questions<Known>,
    checkup: Checkup,
    is_stopping: bool,
    /// Nobody was told of this machine.
    is_restore_only: bool,
}

/// How long a node is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Until it is told to stop: folders are backed up by themselves.
    Long,
    /// For one command, which does what it was asked and nothing else.
    Short,
}

/// Where everything comes from.
struct Inbox {
    net: mpsc::Receiver<NetEvent>,
    tasks: mpsc::Receiver<TaskEvent>,
    calls: mpsc::Receiver<PendingCall>,
    stop: oneshot::Receiver<()>,
}

/// One thing that happened.
enum Step {
    Net(NetEvent),
    Tasks(Vec<TaskEvent>),
    Call(PendingCall),
    Time,
    Ended(Ended),
    Stop,
}

impl Node {
    /// Runs until it is told to stop.
    async fn run(mut self) {
        while !self.is_stopping {
            let step = self.select().await;
            self.apply(step);
            if !self.is_stopping {
                self.tell_progress();
            }
        }
        self.shut_down().await;
    }

    async fn select(&mut self) -> Step {
        let deadline = self.deadline();
        let inbox = &mut self.inbox;
        let mut events = Vec::new();
        tokio::select! {
            biased;
            stop = &mut inbox.stop => {
                drop(stop);
                Step::Stop
            }
            _ = inbox.tasks.recv_many(&mut events, limits::RECEIPTS_AT_ONCE_MAX) => Step::Tasks(events),
            event = inbox.net.recv() => event.map_or(Step::Stop, Step::Net),
            // Before calls, so that places among the answers are given out again.
            ended = self.driver.task_ended() => Step::Ended(ended),
            Some(call) = inbox.calls.recv() => Step::Call(call),
            () = tokio::time::sleep_until(deadline.into()) => Step::Time,
        }
    }

    fn apply(&mut self, step: Step) {
        self.count_sleep();
        self.check_catalogue();
        match step {
            Step::Net(event) => {
                self.front.something_moved();
                self.on_net_event(event);
            }
            Step::Tasks(events) => self.on_task_events(events),
            Step::Call(call) => {
                self.front.something_moved();
                self.answer(call);
            }
            Step::Time => {
                self.front.something_moved();
                self.driver.tell(Input::Wake);
            }
            Step::Ended(ended) => {
                self.ended(ended);
                self.begin_questions();
            }
            Step::Stop => self.is_stopping = true,
        }
        self.settle();
    }

    /// Lets everything that became due in a sleep become due before anything else happens: whoever asks
    /// for the status right after it must not hear what was true before.
    fn count_sleep(&mut self) {
        if !self.clock.has_slept() {
            return;
        }
        info!("The machine slept, or its clock was set forward");
        self.front.something_moved();
        self.driver.tell(Input::Resumed);
        self.driver.tell(Input::Wake);
        self.settle();
    }

    /// Looks after the catalogue: the engine hears of damage before anything else happens.
    fn check_catalogue(&mut self) {
        self.checkup
            .begin(&self.context, &mut self.driver, self.clock.now());
        if self.checkup.tell_damage(&self.context, &mut self.driver) {
            self.front.something_moved();
            self.settle();
        }
    }

    /// Gives the engine all that the wings have for it, in order, and people what they are told.
    fn settle(&mut self) {
        self.tell_notices();
        while let Some(input) = self.driver.next_input() {
            self.handle(input);
            self.tell_notices();
        }
    }

    fn tell_notices(&mut self) {
        while let Some(notice) = self.driver.next_notice() {
            self.front.tell(notice);
        }
    }

    /// Gives the engine an input and performs all it asks for.
    fn handle(&mut self, input: Input) {
        let at = self.clock.now();
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
            .map(|(tick, _)| self.clock.instant_of(tick));
        let wakes = [engine, self.front.wake_at()];
        let idle = Instant::now() + IDLE_EVERY;
        wakes.into_iter().flatten().fold(idle, Instant::min)
    }

    fn on_net_event(&mut self, event: NetEvent) {
        let driver = &mut self.driver;
        match event {
            NetEvent::Listening { address } => self.suppliers.listens(address),
            NetEvent::PeerUp(peer) => self.suppliers.peer_up(driver, &peer),
            NetEvent::PeerDown { device } => self.suppliers.peer_down(driver, device),
            NetEvent::Request { from, body, reply } if matches!(*body, Body::Befriend { .. }) => {
                self.suppliers.befriended(driver, from, *body, reply);
            }
            NetEvent::Request { from, body, reply } => {
                let is_friend = self.suppliers.is_friend(from.identity);
                self.service
                    .requested(driver, from, is_friend, *body, reply);
            }
            NetEvent::Bulk { from, server } => self.service.listen(driver, from, server),
        }
    }

    /// What people see, as it is now.
    fn seen(&self) -> Seen {
        Seen {
            engine: self.engine.view(),
            backup: self.backup.seen(),
            suppliers: self.suppliers.seen(),
            front: self.front.seen(&self.awaited()),
            home: self.home.seen(),
        }
    }

    /// For whom jobs may wait.
    fn awaited(&self) -> Awaited {
        let name = |device| self.suppliers.name_of(device);
        Awaited {
            held_up_by: self.engine.held_up_by().map(name),
            away: self.engine.away().into_iter().map(name).collect(),
        }
    }

    fn tell_progress(&mut self) {
        if !self.front.is_progress_due() {
            return;
        }
        let awaited = self.awaited();
        if !self.front.tell_progress(&awaited) {
            return;
        }
        let (context, seen) = (self.context.clone(), self.seen());
        let written = self.front.written();
        self.driver.answer_beside(async move {
            written.wait().await;
            let worker = context.clone();
            let built = blocking(move || status(&worker, &seen)).await;
            let built = built.unwrap_or_else(|code| Err(ApiError::new(code, words::failure(code))));
            // A loop that has ended tells nobody any more.
            drop(
                context
                    .task_events
                    .send(TaskEvent::StatusBuilt(built.map(Box::new)))
                    .await,
            );
        });
    }

    fn ended(&mut self, ended: Ended) {
        let ended = match ended {
            Ended::Task(ended) => {
                self.front.something_moved();
                ended
            }
            Ended::Answer(ended) => ended,
            Ended::Command(Ok(brought)) => {
                if let Some(event) = brought {
                    self.on_task_event(*event);
                }
                return;
            }
            Ended::Command(Err(error)) => Err(error),
        };
        if let Err(error) = ended
            && error.is_panic()
        {
            warn!(%error, "A task ended in a defect");
            self.driver.notice(
                Severity::Problem,
                Happening::Defect,
                "a part of the program failed; please report it; your data is as safe as before",
            );
        }
    }

    /// Ends everything in order: no new work, tasks cancelled, databases closed.
    async fn shut_down(mut self) {
        self.backup.shut_down();
        self.restore.shut_down();
        self.recovery.shut_down();
        self.checkup.shut_down();
        self.context.disk_space.close();
        self.inbox.tasks.close();
        self.suppliers.shut_down();
        self.service.shut_down();
        self.questions.clear();
        let brought = self.driver.shut_down(PARTING_PATIENCE).await;
        if let Some(event) = brought {
            self.part_with(*event);
        }
        while let Ok(event) = self.inbox.tasks.try_recv() {
            self.part_with(event);
        }
        self.context.net.shutdown().await;
        let parted = tokio::time::timeout(PARTING_PATIENCE, &mut self.network_loop).await;
        if parted.is_err() {
            self.network_loop.abort();
        }
        self.front.shut_down(PARTING_PATIENCE).await;
        drop(self.home);
    }
}
