//! What the event loop does on events of its tasks.

use std::time::Instant;

use bitdust_model::limits;
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::pending_event::PendingEvent;
use super::state::{EventLoop, distinct};
use crate::address;
use crate::error::NetError;
use crate::event::{NetEvent, PeerUp};
use crate::peers::PeerState;
use crate::session::Greeting;
use crate::task_event::{TaskEvent, WorkerId};

impl EventLoop {
    pub(super) fn on_task_event(&mut self, event: TaskEvent) {
        match event {
            TaskEvent::Greeted {
                peer,
                connection,
                greeting,
                delivered,
            } => self.on_greeted(peer, connection, &greeting, delivered),
            TaskEvent::WorkerIdle { peer, worker } => {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.pool.idle(worker, Instant::now());
                }
            }
            TaskEvent::WorkerGone {
                peer,
                worker,
                error,
            } => self.on_worker_gone(peer, worker, error),
            TaskEvent::Offended {
                peer,
                connection,
                error,
            } => {
                warn!(%peer, %error, "A peer is disconnected for what it sent");
                self.close(peer, connection);
            }
        }
    }

    fn on_greeted(
        &mut self,
        peer: PeerId,
        connection: Option<ConnectionId>,
        greeting: &Greeting,
        delivered: oneshot::Sender<()>,
    ) {
        let scope = self.scope;
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        if state.up.is_some() {
            return self.acknowledge_when_delivered(peer, delivered);
        }
        let admits = |address: &libp2p::Multiaddr| address::admits(scope, address);
        let up = peer_up_of(state, peer, connection, greeting, admits);
        state.up = Some(up.clone());
        self.outbox.push_back(PendingEvent {
            event: NetEvent::PeerUp(Box::new(up)),
            delivered: vec![delivered],
        });
        self.settle(peer);
    }

    fn on_worker_gone(&mut self, peer: PeerId, worker: WorkerId, error: Option<NetError>) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let why = error
            .clone()
            .unwrap_or_else(|| NetError::interrupted("the control stream has ended"));
        state.pool.gone(worker, &why);
        if state.up.is_none() && state.pool.streams() == 0 {
            state.fail(&why);
        }
        match error {
            Some(
                error @ (NetError::NotBelieved { .. }
                | NetError::Malformed { .. }
                | NetError::Incompatible { .. }),
            ) => {
                warn!(%peer, %error, "A peer is disconnected for what it sent");
                self.close(peer, None);
            }
            Some(error) => debug!(%peer, %error, "A control stream has ended"),
            None => {}
        }
    }

    fn close(&mut self, peer: PeerId, connection: Option<ConnectionId>) {
        match connection {
            Some(connection) => {
                self.swarm.close_connection(connection);
            }
            None => {
                let _was_connected = self.swarm.disconnect_peer_id(peer);
            }
        }
    }
}

/// Who a peer is and where it can be reached, from what it said and how it is connected.
fn peer_up_of(
    state: &PeerState,
    peer: PeerId,
    connection: Option<ConnectionId>,
    greeting: &Greeting,
    admits: impl Fn(&libp2p::Multiaddr) -> bool,
) -> PeerUp {
    let newest = state
        .connections
        .iter()
        .next_back()
        .map(|(_, connection)| connection);
    let carrying = connection
        .and_then(|id| state.connections.get(&id))
        .or(newest);
    let path = carrying.map_or(address::Path::Tcp, |connection| {
        address::path_of(&connection.remote)
    });
    let dialed = state
        .connections
        .values()
        .filter(|connection| connection.dialed)
        .map(|connection| connection.remote.clone());
    let said = greeting
        .addresses
        .iter()
        .filter_map(|text| match address::parse(text) {
            Ok((address, named)) if named.is_none_or(|named| named == peer) => Some(address),
            Ok(_) | Err(_) => None,
        });
    let mut addresses = distinct(
        dialed
            .chain(said.filter(admits))
            .map(|address| address::with_peer(&address, peer)),
    );
    addresses.truncate(limits::ADDRESSES_MAX);
    PeerUp {
        device: state.device,
        identity: greeting.identity,
        certificate: greeting.certificate.clone(),
        signed_certificate: greeting.signed.clone(),
        addresses,
        path,
    }
}
