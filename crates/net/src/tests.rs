//! Real nodes with real sockets on loopback, in one process. Nothing sleeps: every wait is
//! for an event, with a deadline.

mod bulk;
mod dht;
mod hello;
mod hostile;
pub(crate) mod support;
