//! The event loop: owns the swarm and the tasks of all streams.
//!
//! It waits in one place and acts elsewhere; nothing in it waits for the node. While the
//! node does not take events, no further ones are made.

mod commands;
mod dialing;
mod pending_event;
mod start;
mod state;
mod streams;
mod swarm_events;
mod task_events;

use std::time::Instant;

use bitdust_model::intervals::{CLOSE_PATIENCE, SWEEP_EVERY_MIN};
use bitdust_model::limits;
use futures::StreamExt;
use libp2p::PeerId;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

use crate::command::Command;
use crate::dht::Dht;

use pending_event::{PendingEvent, acknowledge, peer_that_is_up};

pub use start::start;
#[cfg(test)]
pub(crate) use start::start_with;
pub use state::EventLoop;

impl EventLoop {
    /// Runs until the last client is gone, [`crate::Client::shutdown`] is called, or nobody takes
    /// the events any more. All connections and streams end with it.
    pub async fn run(mut self) {
        let mut sweep = interval(self.local.policy.request_timeout.max(SWEEP_EVERY_MIN));
        let events = self.events.clone();
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_pending = !self.outbox.is_empty();
            let may_go_on = self.outbox.len() < limits::NET_QUEUE_MAX;
            tokio::select! {
                permit = events.reserve(), if has_pending => {
                    let Ok(permit) = permit else {
                        break;
                    };
                    if let Some(PendingEvent { event, delivered }) = self.outbox.pop_front() {
                        let peer = peer_that_is_up(&event);
                        permit.send(event);
                        delivered.into_iter().for_each(acknowledge);
                        if let Some(peer) = peer {
                            self.settle(peer);
                        }
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Shutdown) | None => break,
                    Some(command) => self.handle_command(command),
                },
                Some(event) = self.task_events.recv(), if may_go_on => self.on_task_event(event),
                event = self.swarm.select_next_some(), if may_go_on => self.on_swarm_event(event),
                Some(ended) = self.tasks.join_next() => log_panic(ended),
                _ = sweep.tick() => self.sweep(),
            }
        }
        self.tasks.shutdown().await;
        self.close_connections().await;
    }

    /// Ends all connections in order, so that no peer counts this node among its connections
    /// until a time-out.
    async fn close_connections(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // One that has gone meanwhile is what is wanted.
            let _gone = self.swarm.disconnect_peer_id(peer);
        }
        let closing = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(CLOSE_PATIENCE, closing).await.is_err() {
            debug!("Some connections were left to their time-outs");
        }
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        let idle_max = self.local.policy.request_timeout;
        for state in self.peers.values_mut() {
            state.pool.sweep(now, idle_max, state.pinned);
        }
        Dht::sweep(&mut self.swarm.behaviour_mut().kad);
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        warn!(%error, "The task of a stream panicked");
    }
}
