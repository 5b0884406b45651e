//! The part of the stream behaviour that lives with one connection.
//!
//! No more streams are accepted than may be served, and none outlives the connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bitdust_model::limits;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamUpgradeError, SubstreamProtocol,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::direct::DirectStream;
use super::protocol::{Name, Names};
use super::stream::{OpenError, StreamKind, StreamReply, refuse};

/// The part of the behaviour that lives with one connection.
pub(crate) struct Handler {
    names: Names,
    opening: VecDeque<OpenStream>,
    accepted: VecDeque<Accepted>,
    serving: Arc<Semaphore>,
    /// Whether the peer said something since the behaviour was told.
    peer_spoke: bool,
    /// Tells the streams of the connection that it is being closed.
    closed: CancellationToken,
}

impl Handler {
    pub(super) fn new(names: Names) -> Self {
        let serving = Arc::new(Semaphore::new(limits::STREAMS_PER_PEER_MAX));
        Self {
            names,
            opening: VecDeque::new(),
            accepted: VecDeque::new(),
            serving,
            peer_spoke: false,
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
    type FromBehaviour = OpenStream;
    type ToBehaviour = HandlerEvent;
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
    ) -> Poll<ConnectionHandlerEvent<Name, StreamReply, HandlerEvent>> {
        if let Some(accepted) = self.accepted.pop_front() {
            let event = HandlerEvent::Accepted(accepted);
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if std::mem::take(&mut self.peer_spoke) {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(
                HandlerEvent::PeerSpoke,
            ));
        }
        let Some(OpenStream { kind, reply }) = self.opening.pop_front() else {
            return Poll::Pending;
        };
        let protocol = SubstreamProtocol::new(self.names.name(kind), reply);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn poll_close(&mut self, _context: &mut Context<'_>) -> Poll<Option<HandlerEvent>> {
        self.closed.cancel();
        Poll::Ready(None)
    }

    fn on_behaviour_event(&mut self, event: OpenStream) {
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
            ConnectionEvent::RemoteProtocolsChange(_) => self.peer_spoke = true,
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
pub(crate) struct OpenStream {
    pub(super) kind: StreamKind,
    pub(super) reply: StreamReply,
}

/// What the part of a connection tells the behaviour.
#[derive(Debug)]
pub(crate) enum HandlerEvent {
    /// The peer said something.
    PeerSpoke,
    /// The peer opened a stream.
    Accepted(Accepted),
}

/// A stream that the peer opened.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(super) kind: StreamKind,
    pub(super) stream: DirectStream,
    pub(super) permit: OwnedSemaphorePermit,
}
