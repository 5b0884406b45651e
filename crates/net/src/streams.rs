//! Our stream behaviour: opens control and bulk streams on a direct connection of a peer,
//! never on a relayed one, and delivers those that peers open.
//!
//! Whoever dials tries several addresses at once, keeps the first connection that is there and
//! drops the others, which this side may have taken for established already. Therefore streams
//! are opened on connections that this side dialed or on which the peer spoke.
//!
//! It also refuses connections that come from outside of the scope, and peers whose id is
//! not an Ed25519 key. No stream is served beyond `STREAMS_PER_PEER_MAX` of a connection.

mod behaviour;
mod direct;
mod handler;
mod protocol;
mod stream;

pub(crate) use behaviour::Behaviour;
pub(crate) use direct::DirectStream;
#[cfg(test)]
pub(crate) use stream::StreamReply;
pub(crate) use stream::{InboundStream, OpenError, StreamKind};
