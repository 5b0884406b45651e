//! libp2p behind a client, events and an event loop.
//!
//! It owns connections, streams, signed sessions and this node's part of the DHT. It decides
//! nothing: whom to dial, when to try again and what to answer is told to it. One invariant:
//! nothing reaches the node that a device of this network has not signed for this node.

mod address;
mod behaviour;
mod buffers;
mod bulk;
mod client;
mod command;
mod config;
mod dht;
mod error;
mod event;
mod event_loop;
mod handshake;
mod local;
mod peers;
mod pool;
mod reluctance;
mod reply;
mod request;
mod session;
mod streams;
mod task_event;
mod tasks;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

pub use address::Path;
pub use bulk::{BulkClient, BulkRequest, BulkServer, FetchedRange, IncomingStore, OutgoingFetch};
pub use client::Client;
pub use config::{NetConfig, Scope, is_network_name};
pub use error::NetError;
pub use event::{NetEvent, Peer, PeerUp};
pub use event_loop::{EventLoop, start};
pub use reply::Reply;
pub use session::SessionError;
pub use transport::Tls;
