//! What the event loop does on events of the swarm.

use bitdust_model::limits;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, kad, ping};
use tracing::debug;

use super::state::EventLoop;
use crate::address;
use crate::behaviour::BehaviourEvent;
use crate::config::Scope;
use crate::dht::FoundPeer;
use crate::error::NetError;
use crate::event::NetEvent;
use crate::peers::{Connection, PeerState};

impl EventLoop {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the swarm's events are foreign and non-exhaustive; the rest are logs"
    )]
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.on_connected(peer_id, connection_id, &endpoint),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                num_established,
                cause,
                ..
            } => {
                debug!(peer = %peer_id, ?cause, "Connection closed");
                self.on_disconnected(peer_id, connection_id, num_established == 0);
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                if let Some(dial) = self.dials.remove(&connection_id) {
                    self.dial_failed(peer_id, dial.waiter, &error);
                }
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.swarm.remove_external_address(&address);
                self.update_kad_mode();
            }
            SwarmEvent::ExternalAddrConfirmed { .. } | SwarmEvent::ExternalAddrExpired { .. } => {
                self.update_kad_mode()
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                debug!(%error, "An incoming connection failed")
            }
            SwarmEvent::ListenerError { error, .. } => {
                debug!(%error, "A listener reports an error")
            }
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(event) => self.on_identify_event(event),
            BehaviourEvent::Ping(event) => self.on_ping_event(&event),
            BehaviourEvent::Kad(event) => self.on_kad_event(event),
            BehaviourEvent::Streams(inbound) => self.serve_stream(inbound),
        }
    }

    /// Addresses of the scopes without strangers count as confirmed.
    fn on_listening(&mut self, address: Multiaddr) {
        let text = address::with_peer(&address, self.me);
        debug!(address = text, "Listening");
        let is_confirmed = match self.scope {
            Scope::Loopback => true,
            Scope::Lan => address::is_credible(Scope::Lan, &address),
            Scope::Internet => false,
        };
        if is_confirmed {
            self.swarm.add_external_address(address);
            self.update_kad_mode();
        }
        self.emit(NetEvent::Listening { address: text });
    }

    fn on_connected(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(device) = address::device_of(&peer) else {
            return;
        };
        let state = self
            .peers
            .entry(peer)
            .or_insert_with(|| PeerState::new(device));
        let remote = endpoint.get_remote_address().clone();
        state.connections.insert(
            connection,
            Connection {
                remote,
                dialed: endpoint.is_dialer(),
                pings_failed: 0,
            },
        );
        if let Some(dial) = self.dials.remove(&connection) {
            self.wait_for(peer, dial.waiter);
        }
    }

    fn on_disconnected(&mut self, peer: PeerId, connection: ConnectionId, was_last: bool) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        state.connections.remove(&connection);
        if !was_last {
            return;
        }
        state.fail(&NetError::interrupted("the connection was closed"));
        let was_up = state.up.is_some();
        let device = state.device;
        self.peers.remove(&peer);
        if was_up {
            self.emit(NetEvent::PeerDown { device });
        }
    }

    fn on_identify_event(&mut self, event: identify::Event) {
        match event {
            identify::Event::Received { peer_id, info, .. } => {
                self.learn_addresses(peer_id, &info);
                self.on_identified(peer_id);
            }
            identify::Event::Error { peer_id, .. } => self.on_identified(peer_id),
            identify::Event::Sent { .. } | identify::Event::Pushed { .. } => {}
        }
    }

    fn on_identified(&mut self, peer: PeerId) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.identified = true;
            self.settle(peer);
        }
    }

    /// Enters a node that serves the DHT into the routing table, and forgets addresses that
    /// it no longer has.
    fn learn_addresses(&mut self, peer: PeerId, info: &identify::Info) {
        let serves = info.protocols.contains(&self.kad_protocol);
        let credible = info
            .listen_addrs
            .iter()
            .filter(|address| address::is_credible(self.scope, address));
        let addresses: Vec<_> = credible.take(limits::ADDRESSES_MAX).cloned().collect();
        let kad = &mut self.swarm.behaviour_mut().kad;
        if !serves || addresses.is_empty() {
            kad.remove_peer(&peer);
            return;
        }
        let known: Vec<Multiaddr> = kad
            .kbucket(peer)
            .and_then(|bucket| {
                bucket
                    .iter()
                    .find(|entry| *entry.node.key.preimage() == peer)
                    .map(|entry| entry.node.value.iter().cloned().collect())
            })
            .unwrap_or_default();
        for address in &addresses {
            kad.add_address(&peer, address.clone());
        }
        for address in known.iter().filter(|address| !addresses.contains(address)) {
            kad.remove_address(&peer, address);
        }
    }

    /// A peer that answers no ping is gone, though the system has not noticed yet.
    fn on_ping_event(&mut self, event: &ping::Event) {
        let Some(state) = self.peers.get_mut(&event.peer) else {
            return;
        };
        let Some(connection) = state.connections.get_mut(&event.connection) else {
            return;
        };
        match &event.result {
            Ok(_) | Err(ping::Failure::Unsupported) => connection.pings_failed = 0,
            Err(ping::Failure::Timeout | ping::Failure::Other { .. }) => {
                connection.pings_failed += 1
            }
        }
        if connection.pings_failed >= PINGS_FAILED_MAX {
            debug!(peer = %event.peer, "A connection answers no ping and is closed");
            self.swarm.close_connection(event.connection);
        }
    }

    fn on_kad_event(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest { request } => self.on_kad_request(request),
            kad::Event::OutboundQueryProgressed {
                id, result, step, ..
            } => {
                let found =
                    self.dht
                        .progress(&mut self.swarm.behaviour_mut().kad, id, result, step.last);
                if let Some(FoundPeer { peer, addresses }) = found {
                    self.dial_found(peer, &addresses);
                }
            }
            kad::Event::RoutingUpdated { .. }
            | kad::Event::UnroutablePeer { .. }
            | kad::Event::RoutablePeer { .. } => {}
            kad::Event::PendingRoutablePeer { .. } | kad::Event::ModeChanged { .. } => {}
        }
    }

    fn on_kad_request(&mut self, request: kad::InboundRequest) {
        let kad = &mut self.swarm.behaviour_mut().kad;
        let taken = match request {
            kad::InboundRequest::PutRecord {
                source,
                record: Some(record),
                ..
            } => (source, self.dht.store_record(kad, record)),
            kad::InboundRequest::AddProvider {
                record: Some(record),
            } => (record.provider, self.dht.store_provider(kad, record)),
            kad::InboundRequest::PutRecord { record: None, .. }
            | kad::InboundRequest::AddProvider { record: None } => return,
            kad::InboundRequest::FindNode { .. }
            | kad::InboundRequest::GetProvider { .. }
            | kad::InboundRequest::GetRecord { .. } => return,
        };
        if let (source, Err(error)) = taken {
            debug!(%source, %error, "A record for the DHT was refused");
        }
    }
}

/// Pings that may fail in a row before a connection is taken for dead.
const PINGS_FAILED_MAX: u32 = 2;
