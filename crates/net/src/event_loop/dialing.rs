//! Dials, and those who wait until a peer is up.
//!
//! Whoever waits is answered once: when the peer is up and the news of it is told, or when
//! there is no way to it.

use bitdust_model::{DeviceId, limits};
use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use super::state::{Dial, EventLoop};
use crate::address;
use crate::error::NetError;
use crate::peers::Waiter;

impl EventLoop {
    pub(super) fn dial_device(
        &mut self,
        device: DeviceId,
        addresses: Vec<Multiaddr>,
        waiter: Waiter,
    ) {
        match address::peer_of(&device) {
            Ok(peer) if peer == self.me => waiter.settle(Err(itself())),
            Ok(peer) => self.dial_peer(peer, addresses, waiter),
            Err(error) => waiter.settle(Err(error)),
        }
    }

    pub(super) fn dial_place(&mut self, address: Multiaddr, peer: Option<PeerId>, waiter: Waiter) {
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
            self.keep_connected(peer);
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
        self.swarm.behaviour_mut().reluctance.want(connection);
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
        self.keep_connected(peer);
    }

    /// Keeps a connection: at least one control stream is held open on it. Until the peer is
    /// up each connection may be the one on which it answers.
    fn keep_connected(&mut self, peer: PeerId) {
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
        if self.pending_peer_up(peer).is_some() {
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

fn itself() -> NetError {
    NetError::BadRequest {
        reason: "this is the node itself".to_owned(),
    }
}
