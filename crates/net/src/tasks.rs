//! The tasks that drive streams, one for each.
//!
//! Each begins with a Hello and ends with its stream; what the event loop has to know of it is
//! told in task events.

mod bulk;
mod control;
mod hello;
mod inbound;

pub(crate) use bulk::BulkTask;
pub(crate) use control::ControlTask;
pub(crate) use inbound::InboundTask;
