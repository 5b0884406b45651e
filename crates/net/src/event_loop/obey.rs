//! What the event loop does on commands of the client.

use std::sync::Arc;

use bitdust_model::{DeviceId, limits};
use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

use super::{Dial, EventLoop};
use crate::address;
use crate::bulk::BulkClient;
use crate::client::Command;
use crate::error::NetError;
use crate::lifeline::DirectStream;
use crate::notice::WorkerId;
use crate::peers::Waiter;
use crate::reply::QueryReply;
use crate::request::Ask;
use crate::streams::{OpenError, StreamKind};
use crate::tasks::{Order, Worker};

impl EventLoop {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Listening { reply } => answer(reply, self.all_addresses()),
            Command::Peers { reply } => answer(
                reply,
                self.peers
                    .values()
                    .filter_map(|state| state.up.clone())
                    .collect(),
            ),
            Command::Dial {
                device,
                addresses,
                reply,
            } => self.dial_device(device, addresses, Waiter::Known(reply)),
            Command::DialAddress {
                address,
                peer,
                reply,
            } => self.dial_place(address, peer, Waiter::Unknown(reply)),
            Command::Disconnect { device, reply } => {
                self.disconnect(device);
                answer(reply, ());
            }
            Command::Request { device, ask } => self.request(device, ask),
            Command::Bulk { device, reply } => self.open_bulk(device, reply),
            Command::PutRecord { record, reply } => {
                self.dht
                    .put(&mut self.swarm.behaviour_mut().kad, &record, reply)
            }
            Command::GetRecord { key, reply } => {
                self.dht
                    .get(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::StartProviding { key, reply } => {
                self.dht
                    .start_providing(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::Providers { key, reply } => {
                self.dht
                    .providers(&mut self.swarm.behaviour_mut().kad, key, reply)
            }
            Command::Bootstrap { reply } => self
                .dht
                .bootstrap(&mut self.swarm.behaviour_mut().kad, reply),
            Command::Shutdown => {}
        }
    }

    fn dial_device(&mut self, device: DeviceId, addresses: Vec<Multiaddr>, waiter: Waiter) {
        match address::peer_of(&device) {
            Ok(peer) if peer == self.me => waiter.settle(Err(itself())),
            Ok(peer) => self.dial_peer(peer, addresses, waiter),
            Err(error) => waiter.settle(Err(error)),
        }
    }

    fn dial_place(&mut self, address: Multiaddr, peer: Option<PeerId>, waiter: Waiter) {
        if peer == Some(self.me) {
            return waiter.settle(Err(itself()));
        }
        if let Some(peer) = peer {
            return self.dial_peer(peer, vec![address], waiter);
        }
        if let Err(error) = self.check_scope(&address) {
            return waiter.settle(Err(error));
        }
        self.dial(DialOpts::unknown_peer_id().address(address).build(), waiter);
    }

    /// A peer that is connected but has not said Hello is dialed all the same: the connection
    /// may be one of several that it began and be dropped in a moment.
    fn dial_peer(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, waiter: Waiter) {
        let (admitted, outside): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .partition(|address| self.check_scope(address).is_ok());
        if let Some(state) = self.peers.get(&peer) {
            if state.up.is_some() || admitted.is_empty() {
                return self.wait_for(peer, waiter);
            }
            self.hold(peer);
        }
        if let (true, Some(address)) = (admitted.is_empty(), outside.first()) {
            return waiter.settle(Err(NetError::OutOfScope {
                address: address.to_string(),
            }));
        }
        let options = DialOpts::peer_id(peer).condition(PeerCondition::Always);
        if !admitted.is_empty() {
            return self.dial(options.addresses(admitted).build(), waiter);
        }
        let knows = self
            .swarm
            .behaviour_mut()
            .kad
            .kbucket(peer)
            .is_some_and(|bucket| {
                bucket
                    .iter()
                    .any(|entry| *entry.node.key.preimage() == peer)
            });
        if knows {
            return self.dial(options.build(), waiter);
        }
        if self.lookups.contains_key(&peer)
            || self.dht.look_up(&mut self.swarm.behaviour_mut().kad, peer)
        {
            self.lookups.entry(peer).or_default().push(waiter);
        } else {
            waiter.settle(Err(NetError::Busy));
        }
    }

    /// Dials with what the DHT has found for a peer.
    pub(super) fn dial_found(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        for waiter in self.lookups.remove(&peer).unwrap_or_default() {
            match address::device_of(&peer) {
                _ if self.peers.contains_key(&peer) || !addresses.is_empty() => {
                    self.dial_peer(peer, addresses.to_vec(), waiter)
                }
                Some(device) => waiter.settle(Err(NetError::Unreachable {
                    device,
                    reason: "nobody knows an address".to_owned(),
                })),
                None => waiter.settle(Err(NetError::NoPeers)),
            }
        }
    }

    fn dial(&mut self, options: DialOpts, waiter: Waiter) {
        let connection = options.connection_id();
        let peer = options.get_peer_id();
        match self.swarm.dial(options) {
            Ok(()) => drop(self.dials.insert(connection, Dial { peer, waiter })),
            Err(error) => self.dial_failed(peer, waiter, &error),
        }
    }

    /// A peer that cannot be dialed may have dialed this node.
    pub(super) fn dial_failed(&mut self, peer: Option<PeerId>, waiter: Waiter, error: &DialError) {
        match peer {
            Some(peer) if self.peers.contains_key(&peer) => self.wait_for(peer, waiter),
            _ => waiter.settle(Err(dial_error(peer, error))),
        }
    }

    /// Waits until a connected peer is up.
    pub(super) fn wait_for(&mut self, peer: PeerId, waiter: Waiter) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.wait(waiter);
        }
        self.hold(peer);
    }

    /// Keeps a connection: at least one control stream is held open on it. Until the peer is
    /// up each connection may be the one on which it answers.
    fn hold(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        state.pinned = true;
        let wanted = match state.up {
            Some(_) => 1,
            None => limits::CONTROL_STREAMS_MAX,
        };
        if state.pool.streams() < wanted {
            self.open_worker(peer);
        }
        self.settle(peer);
    }

    /// Tells those who wait for the peer that it is up, also those whose dial is still under
    /// way. The news of it comes first.
    pub(super) fn settle(&mut self, peer: PeerId) {
        if self.news_of(peer).is_some() {
            return;
        }
        let Some(state) = self.peers.get_mut(&peer).filter(|state| state.is_up()) else {
            return;
        };
        let dials = self.dials.extract_if(|_, dial| dial.peer == Some(peer));
        for (_, Dial { waiter, .. }) in dials {
            state.pinned = true;
            state.wait(waiter);
        }
        state.settle();
    }

    fn disconnect(&mut self, device: DeviceId) {
        let Ok(peer) = address::peer_of(&device) else {
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            state.pinned = false;
        }
        let _was_connected = self.swarm.disconnect_peer_id(peer);
    }

    fn request(&mut self, device: DeviceId, ask: Ask) {
        let peer = match address::peer_of(&device) {
            Ok(peer) => peer,
            Err(error) => return answer(ask.reply, Err(error)),
        };
        let Some(state) = self.peers.get_mut(&peer) else {
            return answer(ask.reply, Err(not_connected(device)));
        };
        if state.pool.take(ask) {
            self.open_worker(peer);
        }
    }

    fn open_worker(&mut self, peer: PeerId) {
        let addresses = self.addresses_for(&peer);
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let worker = self.next_worker;
        self.next_worker = WorkerId(worker.0.wrapping_add(1));
        let (asks, received) = mpsc::channel(1);
        state.pool.add(worker, asks);
        let device = state.device;
        let stream = self.open_stream(peer, StreamKind::Control);
        let (local, notices) = (Arc::clone(&self.local), self.notice_sender.clone());
        self.tasks.spawn(
            Worker {
                local,
                peer,
                device,
                worker,
                addresses,
                stream,
                asks: received,
                notices,
            }
            .run(),
        );
    }

    fn open_bulk(&mut self, device: DeviceId, reply: QueryReply<BulkClient>) {
        let peer = match address::peer_of(&device) {
            Ok(peer) => peer,
            Err(error) => return answer(reply, Err(error)),
        };
        if !self.peers.contains_key(&peer) {
            return answer(reply, Err(not_connected(device)));
        }
        let addresses = self.addresses_for(&peer);
        let stream = self.open_stream(peer, StreamKind::Bulk);
        let (local, notices) = (Arc::clone(&self.local), self.notice_sender.clone());
        self.tasks.spawn(
            Order {
                local,
                peer,
                device,
                addresses,
                stream,
                notices,
            }
            .run(reply),
        );
    }

    fn open_stream(
        &mut self,
        peer: PeerId,
        kind: StreamKind,
    ) -> oneshot::Receiver<Result<DirectStream, OpenError>> {
        let (reply, stream) = oneshot::channel();
        self.swarm.behaviour_mut().streams.open(peer, kind, reply);
        stream
    }

    fn check_scope(&self, address: &Multiaddr) -> Result<(), NetError> {
        if address::admits(self.scope, address) {
            return Ok(());
        }
        Err(NetError::OutOfScope {
            address: address.to_string(),
        })
    }
}

/// What a dial that failed means for whoever wanted it.
fn dial_error(peer: Option<PeerId>, error: &DialError) -> NetError {
    match peer.as_ref().and_then(address::device_of) {
        Some(device) => NetError::Unreachable {
            device,
            reason: error.to_string(),
        },
        None => NetError::Silent {
            address: place_of(error),
            reason: error.to_string(),
        },
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the error is foreign; few of its variants name a place"
)]
fn place_of(error: &DialError) -> String {
    match error {
        DialError::Transport(tried) => tried
            .first()
            .map_or_else(String::new, |(address, _)| address.to_string()),
        DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => {
            address.to_string()
        }
        _ => "the address".to_owned(),
    }
}

fn not_connected(device: DeviceId) -> NetError {
    NetError::Unreachable {
        device,
        reason: "it is not connected".to_owned(),
    }
}

fn itself() -> NetError {
    NetError::BadRequest {
        reason: "this is the node itself".to_owned(),
    }
}

fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    // Whoever no longer waits for the answer does not need it.
    drop(reply.send(value));
}
