//! The part of the stream behaviour that knows all connections: chooses the one on which a
//! stream is opened, and refuses those that are not wanted.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::handler::{Accepted, Handler, HandlerEvent, OpenStream};
use super::protocol::Names;
use super::stream::{InboundStream, OpenError, StreamKind, StreamReply, refuse};
use crate::address;
use crate::config::{Protocols, Scope};

/// Our stream behaviour.
pub(crate) struct Behaviour {
    names: Names,
    scope: Scope,
    /// Direct connections by peer, oldest first.
    direct: BTreeMap<PeerId, Vec<Direct>>,
    queue: VecDeque<ToSwarm<InboundStream, OpenStream>>,
}

impl Behaviour {
    pub(crate) fn new(protocols: &Protocols, scope: Scope) -> Self {
        Self {
            names: Names::of(protocols),
            scope,
            direct: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Opens a stream on the newest direct connection that the peer keeps, as far as is known.
    pub(crate) fn open(&mut self, peer: PeerId, kind: StreamKind, reply: StreamReply) {
        let connections = self.direct.get(&peer).map_or(&[][..], Vec::as_slice);
        let kept = connections.iter().rfind(|direct| direct.is_kept);
        let Some(Direct { connection, .. }) = kept.or(connections.last()) else {
            refuse(reply, OpenError::NotConnected);
            return;
        };
        let event = OpenStream { kind, reply };
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(*connection),
            event,
        });
    }

    fn admit(&self, peer: PeerId) -> Result<Handler, ConnectionDenied> {
        if address::device_of(&peer).is_none() {
            return Err(ConnectionDenied::new(DenyReason::Keyless));
        }
        Ok(Handler::new(self.names.clone()))
    }

    fn mark_kept(&mut self, peer: PeerId, connection: ConnectionId) {
        let mut connections = self.direct.get_mut(&peer).into_iter().flatten();
        if let Some(direct) = connections.find(|direct| direct.connection == connection) {
            direct.is_kept = true;
        }
    }
}

/// A direct connection.
struct Direct {
    connection: ConnectionId,
    /// Whether the peer is known to have kept it among those of its dial.
    is_kept: bool,
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = InboundStream;

    fn handle_pending_inbound_connection(
        &mut self,
        _id: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if !address::admits(self.scope, remote) {
            return Err(ConnectionDenied::new(DenyReason::OutOfScope));
        }
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _id: ConnectionId,
        peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(peer)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _id: ConnectionId,
        peer: PeerId,
        _address: &Multiaddr,
        _role: Endpoint,
        _port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(peer)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the swarm's many events only two matter here"
    )]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) if !event.endpoint.is_relayed() => {
                self.direct.entry(event.peer_id).or_default().push(Direct {
                    connection: event.connection_id,
                    is_kept: event.endpoint.is_dialer(),
                });
            }
            FromSwarm::ConnectionClosed(ConnectionClosed {
                peer_id,
                connection_id,
                ..
            }) => {
                let Some(connections) = self.direct.get_mut(&peer_id) else {
                    return;
                };
                connections.retain(|direct| direct.connection != connection_id);
                if connections.is_empty() {
                    self.direct.remove(&peer_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.mark_kept(peer, connection);
        let HandlerEvent::Accepted(Accepted {
            kind,
            stream,
            permit,
        }) = event
        else {
            return;
        };
        self.queue.push_back(ToSwarm::GenerateEvent(InboundStream {
            peer,
            connection,
            kind,
            stream,
            permit,
        }));
    }

    fn poll(
        &mut self,
        _context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.queue.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}

/// Why a connection is not wanted.
#[derive(Debug, thiserror::Error)]
enum DenyReason {
    #[error("the connection comes from outside of the scope")]
    OutOfScope,
    #[error("the peer id carries no Ed25519 key")]
    Keyless,
}
