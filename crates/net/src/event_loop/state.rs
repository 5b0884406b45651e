//! The state of the event loop: the swarm, the peers, and what is under way.
//!
//! It has one owner, the loop; the files beside this one each handle one kind of event.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bitdust_model::limits;
use libp2p::swarm::{ConnectionId, Swarm};
use libp2p::{Multiaddr, PeerId, kad};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::pending_event::{PendingEvent, acknowledge, peer_that_is_up};
use crate::address;
use crate::behaviour::Behaviour;
use crate::command::Command;
use crate::config::Scope;
use crate::dht::Dht;
use crate::event::NetEvent;
use crate::local::Local;
use crate::peers::{PeerState, Waiter};
use crate::task_event::{TaskEvent, WorkerId};

/// Owns the swarm; nothing happens on the network unless it runs.
pub struct EventLoop {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) me: PeerId,
    pub(super) scope: Scope,
    pub(super) kad_protocol: libp2p::StreamProtocol,
    pub(super) kad_server: Option<bool>,
    pub(super) local: Arc<Local>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) task_events: mpsc::Receiver<TaskEvent>,
    /// Cloned into the tasks of the streams.
    pub(super) task_event_sender: mpsc::Sender<TaskEvent>,
    pub(super) events: mpsc::Sender<NetEvent>,
    pub(super) outbox: VecDeque<PendingEvent>,
    pub(super) peers: BTreeMap<PeerId, PeerState>,
    pub(super) dials: HashMap<ConnectionId, Dial>,
    /// Dials that wait for addresses from the DHT.
    pub(super) lookups: BTreeMap<PeerId, Vec<Waiter>>,
    pub(super) dht: Dht,
    pub(super) next_worker: WorkerId,
    pub(super) tasks: JoinSet<()>,
}

/// A dial that is under way.
pub(super) struct Dial {
    pub(super) peer: Option<PeerId>,
    pub(super) waiter: Waiter,
}

impl EventLoop {
    /// A node serves the DHT while others can reach it; a relayed address does not count.
    pub(super) fn update_kad_mode(&mut self) {
        let is_reachable = self
            .swarm
            .external_addresses()
            .any(|address| !address::is_relayed(address));
        let serves = self.kad_server.unwrap_or(is_reachable);
        let mode = if serves {
            kad::Mode::Server
        } else {
            kad::Mode::Client
        };
        self.swarm.behaviour_mut().kad.set_mode(Some(mode));
    }

    /// All addresses of this node, for its own eyes.
    pub(super) fn all_addresses(&self) -> Vec<String> {
        let listeners = self
            .swarm
            .listeners()
            .chain(self.swarm.external_addresses());
        distinct(listeners.map(|address| address::with_peer(address, self.me)))
    }

    /// The addresses that a peer is told. Those of the local network are nobody's business
    /// who is not in it.
    pub(super) fn addresses_for(&self, peer: &PeerId) -> Vec<String> {
        let is_near = self.peers.get(peer).is_some_and(|state| {
            state
                .connections
                .values()
                .any(|connection| address::is_local(&connection.remote))
        });
        let told = |address: &&Multiaddr| address::may_be_told(self.scope, is_near, address);
        let listeners = self.swarm.listeners().filter(told);
        let all = self.swarm.external_addresses().chain(listeners);
        let mut addresses = distinct(all.map(|address| address::with_peer(address, self.me)));
        addresses.truncate(limits::ADDRESSES_MAX);
        addresses
    }

    pub(super) fn emit(&mut self, event: NetEvent) {
        self.outbox.push_back(PendingEvent {
            event,
            delivered: Vec::new(),
        });
    }

    /// The news that a peer is up, as long as it is on its way to the node.
    pub(super) fn pending_peer_up(&mut self, peer: PeerId) -> Option<&mut PendingEvent> {
        let mut pending = self.outbox.iter_mut().rev();
        pending.find(|pending| peer_that_is_up(&pending.event) == Some(peer))
    }

    pub(super) fn acknowledge_when_delivered(
        &mut self,
        peer: PeerId,
        delivered: oneshot::Sender<()>,
    ) {
        match self.pending_peer_up(peer) {
            Some(pending) => pending.delivered.push(delivered),
            None => acknowledge(delivered),
        }
    }
}

pub(super) fn distinct(addresses: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for address in addresses {
        if !seen.contains(&address) {
            seen.push(address);
        }
    }
    seen
}
