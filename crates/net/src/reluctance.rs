//! Nodes that could not be reached: they are not dialed again at once for each query of the DHT.
//!
//! Others go on telling of a node that is gone for as long as they have not noticed, and each query would
//! wait for it until its dial fails. What the node dials on purpose is never refused: that has waits of its
//! own. Where nobody at all is connected the fault may be here, and everybody may be dialed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bitdust_model::{Policy, limits};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

/// Who is not dialed for a while.
pub(crate) struct Behaviour {
    wait_min: Duration,
    wait_max: Duration,
    unreachable: BTreeMap<PeerId, Unreachable>,
    /// The dial that the node itself is about to begin.
    wanted: Option<ConnectionId>,
    connected: usize,
}

/// One that could not be reached.
#[derive(Debug, Clone, Copy)]
struct Unreachable {
    /// Not before.
    again_at: Instant,
    /// How long it was left alone the last time.
    waited: Duration,
}

/// Why a dial was refused.
#[derive(Debug, thiserror::Error)]
#[error("it could not be reached a short while ago")]
struct WasUnreachable;

impl Behaviour {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            wait_min: policy.request_timeout,
            wait_max: policy.redial_max.max(policy.request_timeout),
            unreachable: BTreeMap::new(),
            wanted: None,
            connected: 0,
        }
    }

    /// The node itself is about to dial: that is not refused.
    pub(crate) fn want(&mut self, connection: ConnectionId) {
        self.wanted = Some(connection);
    }

    /// A dial of a peer failed.
    fn failed(&mut self, peer: PeerId, now: Instant) {
        let waited = self.unreachable.get(&peer).map(|it| it.waited);
        let waited = waited.map_or(self.wait_min, |waited| {
            waited.saturating_mul(2).min(self.wait_max)
        });
        let again_at = now + waited;
        self.unreachable
            .insert(peer, Unreachable { again_at, waited });
        if self.unreachable.len() > limits::UNREACHABLE_MAX {
            let soonest = self.unreachable.iter().min_by_key(|(_, it)| it.again_at);
            if let Some(peer) = soonest.map(|(peer, _)| *peer) {
                self.unreachable.remove(&peer);
            }
        }
    }

    /// Whether a peer is left alone.
    fn refuses(&self, peer: &PeerId, now: Instant) -> bool {
        let unreachable = self.unreachable.get(peer);
        self.connected > 0 && unreachable.is_some_and(|it| now < it.again_at)
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _id: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        _addresses: &[Multiaddr],
        _role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let is_wanted = self.wanted == Some(id);
        let refuses = peer.is_some_and(|peer| self.refuses(&peer, Instant::now()));
        if refuses && !is_wanted {
            return Err(ConnectionDenied::new(WasUnreachable));
        }
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _id: ConnectionId,
        _peer: PeerId,
        _address: &Multiaddr,
        _role: Endpoint,
        _port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the swarm's many events three matter here"
    )]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(up) => {
                self.connected += 1;
                self.unreachable.remove(&up.peer_id);
            }
            FromSwarm::ConnectionClosed(down) => {
                self.connected = self.connected.saturating_sub(1);
                // One of several dials may have failed while it was there.
                self.unreachable.remove(&down.peer_id);
            }
            FromSwarm::DialFailure(failure) => {
                if let (Some(peer), DialError::Transport(_)) = (failure.peer_id, failure.error) {
                    self.failed(peer, Instant::now());
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        _id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        _context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reluctant() -> (Behaviour, PeerId, Instant) {
        let mut behaviour = Behaviour::new(&Policy::default());
        behaviour.connected = 1;
        (behaviour, PeerId::random(), Instant::now())
    }

    fn dials(behaviour: &mut Behaviour, id: ConnectionId, peer: PeerId) -> bool {
        let asked =
            behaviour.handle_pending_outbound_connection(id, Some(peer), &[], Endpoint::Dialer);
        asked.is_ok()
    }

    #[test]
    fn whoever_could_not_be_reached_is_left_alone_for_longer_each_time() {
        let (mut behaviour, peer, now) = reluctant();
        assert!(!behaviour.refuses(&peer, now));
        let policy = Policy::default();
        let mut wait = policy.request_timeout;
        for _ in 0..10 {
            behaviour.failed(peer, now);
            assert!(behaviour.refuses(&peer, now + wait - Duration::from_millis(1)));
            assert!(!behaviour.refuses(&peer, now + wait));
            wait = (wait * 2).min(policy.redial_max);
        }
        assert!(!behaviour.refuses(&PeerId::random(), now), "nobody else");
    }

    #[test]
    fn what_the_node_dials_itself_is_dialed() {
        let (mut behaviour, peer, now) = reluctant();
        behaviour.failed(peer, now);
        let [for_the_dht, own] = [1, 2].map(ConnectionId::new_unchecked);
        assert!(!dials(&mut behaviour, for_the_dht, peer));
        behaviour.want(own);
        assert!(dials(&mut behaviour, own, peer));
    }

    #[test]
    fn where_nobody_is_connected_everybody_may_be_dialed() {
        let (mut behaviour, peer, now) = reluctant();
        behaviour.failed(peer, now);
        behaviour.connected = 0;
        assert!(!behaviour.refuses(&peer, now));
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let (mut behaviour, peer, now) = reluctant();
        behaviour.failed(peer, now);
        for _ in 0..limits::UNREACHABLE_MAX {
            behaviour.failed(PeerId::random(), now + Duration::from_secs(1));
        }
        assert_eq!(behaviour.unreachable.len(), limits::UNREACHABLE_MAX);
        assert!(!behaviour.refuses(&peer, now), "the oldest goes");
    }
}
