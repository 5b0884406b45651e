//! Bulk streams: shards over few long-lived streams, many requests side by side, each
//! refused or admitted before its bytes flow.
//!
//! A customer asks with a signed packet; the supplier answers Go, or refuses before any byte
//! is sent. A range comes with its proof and never with more bytes than the proof can have.

mod check;
mod client;
mod client_driver;
mod frame;
mod frames;
mod server;
mod server_driver;
mod writer;

pub use client::{BulkClient, FetchedRange};
pub(crate) use client_driver::open as open_client;
#[cfg(test)]
pub(crate) use frame::{Frame, RequestId};
#[cfg(test)]
pub(crate) use frames::Frames;
pub use server::{BulkRequest, BulkServer, IncomingStore, OutgoingFetch};
pub(crate) use server_driver::open as open_server;
