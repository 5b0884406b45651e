//! Our stream behaviour: opens control and bulk streams on a direct connection of a peer,
//! never on a relayed one, and delivers those that peers open.
//!
//! Whoever dials tries several addresses at once, keeps the first connection that is there and
//! drops the others, which this side may have taken for established already. Therefore streams
//! are opened on connections that this side dialed or on which the peer was heard.
//!
//! It also refuses connections that come from outside of the scope, and peers whose id is
//! not an Ed25519 key. No stream is served beyond `STREAMS_PER_PEER_MAX` of a connection.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bitdust_model::limits;
use futures::future;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId,
    FromSwarm, NetworkBehaviour, NotifyHandler, Stream, StreamProtocol, StreamUpgradeError,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use crate::address;
use crate::config::{Protocols, Scope};
use crate::lifeline::DirectStream;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Control,
    Bulk,
}

/// A stream that a peer opened.
#[derive(Debug)]
pub(crate) struct InboundStream {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) kind: StreamKind,
    pub(crate) stream: DirectStream,
    /// Counts the stream as served until it is dropped.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// Why no stream could be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// There is no direct connection.
    NotConnected,
    /// The peer does not speak the protocol.
    Unsupported,
    /// The connection failed or is too busy.
    Failed,
}

/// Where an opened stream goes.
pub(crate) type StreamReply = oneshot::Sender<Result<DirectStream, OpenError>>;

/// Our stream behaviour.
pub(crate) struct Behaviour {
    names: Names,
    scope: Scope,
    /// Direct connections by peer, oldest first.
    direct: BTreeMap<PeerId, Vec<Direct>>,
    queue: VecDeque<ToSwarm<InboundStream, Open>>,
}

impl Behaviour {
    pub(crate) fn new(protocols: &Protocols, scope: Scope) -> Self {
        let names = Names {
            control: protocols.control.clone(),
            bulk: protocols.bulk.clone(),
        };
        Self {
            names,
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
        let event = Open { kind, reply };
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(*connection),
            event,
        });
    }

    fn admit(&self, peer: PeerId) -> Result<Handler, ConnectionDenied> {
        if address::device_of(&peer).is_none() {
            return Err(ConnectionDenied::new(Unwelcome::Keyless));
        }
        Ok(Handler::new(self.names.clone()))
    }

    fn keeps(&mut self, peer: PeerId, connection: ConnectionId) {
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
            return Err(ConnectionDenied::new(Unwelcome::OutOfScope));
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
        self.keeps(peer, connection);
        let Told::Accepted(Accepted {
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

/// The part of the behaviour that lives with one connection.
pub(crate) struct Handler {
    names: Names,
    opening: VecDeque<Open>,
    accepted: VecDeque<Accepted>,
    serving: Arc<Semaphore>,
    /// Whether the peer said something since the behaviour was told.
    is_heard: bool,
    /// Tells the streams of the connection that it is being closed.
    closed: CancellationToken,
}

impl Handler {
    fn new(names: Names) -> Self {
        let serving = Arc::new(Semaphore::new(limits::STREAMS_PER_PEER_MAX));
        Self {
            names,
            opening: VecDeque::new(),
            accepted: VecDeque::new(),
            serving,
            is_heard: false,
            closed: CancellationToken::new(),
        }
    }

    fn accept(&mut self, kind: StreamKind, stream: Stream) {
        // Without a permit the stream is dropped, which resets it.
        if let Ok(permit) = Arc::clone(&self.serving).try_acquire_owned() {
            let stream = DirectStream::new(stream, &self.closed);
            self.accepted.push_back(Accepted {
                kind,
                stream,
                permit,
            });
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Told;
    type InboundProtocol = Names;
    type OutboundProtocol = Name;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = StreamReply;

    fn listen_protocol(&self) -> SubstreamProtocol<Names> {
        SubstreamProtocol::new(self.names.clone(), ())
    }

    fn poll(
        &mut self,
        _context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Name, StreamReply, Told>> {
        if let Some(accepted) = self.accepted.pop_front() {
            let told = Told::Accepted(accepted);
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(told));
        }
        if std::mem::take(&mut self.is_heard) {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Told::Heard));
        }
        let Some(Open { kind, reply }) = self.opening.pop_front() else {
            return Poll::Pending;
        };
        let protocol = SubstreamProtocol::new(Name(self.names.name(kind)), reply);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn poll_close(&mut self, _context: &mut Context<'_>) -> Poll<Option<Told>> {
        self.closed.cancel();
        Poll::Ready(None)
    }

    fn on_behaviour_event(&mut self, event: Open) {
        if self.opening.len() < limits::STREAMS_PER_CONNECTION_MAX {
            self.opening.push_back(event);
        } else {
            refuse(event.reply, OpenError::Failed);
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the connection's many events only four matter here"
    )]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Names, Name, (), StreamReply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (kind, stream),
                ..
            }) => self.accept(kind, stream),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol,
                info,
            }) => {
                // Whoever no longer waits for the stream does not need it.
                drop(info.send(Ok(DirectStream::new(protocol, &self.closed))));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => match error {
                StreamUpgradeError::NegotiationFailed => refuse(info, OpenError::Unsupported),
                StreamUpgradeError::Timeout | StreamUpgradeError::Io(_) => {
                    refuse(info, OpenError::Failed)
                }
                StreamUpgradeError::Apply(never) => match never {},
            },
            // It has answered on this very connection what it speaks.
            ConnectionEvent::RemoteProtocolsChange(_) => self.is_heard = true,
            _ => {}
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

/// A stream to be opened.
#[derive(Debug)]
pub(crate) struct Open {
    kind: StreamKind,
    reply: StreamReply,
}

/// What is told of a connection.
#[derive(Debug)]
pub(crate) enum Told {
    /// The peer said something.
    Heard,
    /// The peer opened a stream.
    Accepted(Accepted),
}

/// A stream that the peer opened.
#[derive(Debug)]
pub(crate) struct Accepted {
    kind: StreamKind,
    stream: DirectStream,
    permit: OwnedSemaphorePermit,
}

/// The names of both protocols, for streams that come in.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    control: StreamProtocol,
    bulk: StreamProtocol,
}

impl Names {
    fn name(&self, kind: StreamKind) -> StreamProtocol {
        match kind {
            StreamKind::Control => self.control.clone(),
            StreamKind::Bulk => self.bulk.clone(),
        }
    }
}

impl UpgradeInfo for Names {
    type Info = StreamProtocol;
    type InfoIter = std::array::IntoIter<StreamProtocol, 2>;

    fn protocol_info(&self) -> Self::InfoIter {
        [self.control.clone(), self.bulk.clone()].into_iter()
    }
}

impl InboundUpgrade<Stream> for Names {
    type Output = (StreamKind, Stream);
    type Error = Infallible;
    type Future = future::Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        let kind = if chosen == self.bulk {
            StreamKind::Bulk
        } else {
            StreamKind::Control
        };
        future::ready(Ok((kind, stream)))
    }
}

/// The name of one protocol, for a stream that goes out.
#[derive(Debug, Clone)]
pub(crate) struct Name(StreamProtocol);

impl UpgradeInfo for Name {
    type Info = StreamProtocol;
    type InfoIter = std::iter::Once<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(self.0.clone())
    }
}

impl OutboundUpgrade<Stream> for Name {
    type Output = Stream;
    type Error = Infallible;
    type Future = future::Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _chosen: StreamProtocol) -> Self::Future {
        future::ready(Ok(stream))
    }
}

/// Why a connection is not wanted.
#[derive(Debug, thiserror::Error)]
enum Unwelcome {
    #[error("the connection comes from outside of the scope")]
    OutOfScope,
    #[error("the peer id carries no Ed25519 key")]
    Keyless,
}

fn refuse(reply: StreamReply, error: OpenError) {
    // Whoever no longer waits for the stream does not need the reason either.
    drop(reply.send(Err(error)));
}
