//! A stream that is asked for or that a peer opened, and why there may be none.

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::direct::DirectStream;

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

/// Tells whoever asked for a stream that there is none.
pub(super) fn refuse(reply: StreamReply, error: OpenError) {
    // Whoever no longer waits for the stream does not need the reason either.
    drop(reply.send(Err(error)));
}
