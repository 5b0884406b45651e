//! The tasks that drive streams, one for each.
//!
//! Each begins with a Hello and ends with its stream; what the event loop has to know of it is
//! told in task events.

mod attendant;
mod bulk;
mod control;
mod hello;

pub(crate) use attendant::Attendant;
pub(crate) use bulk::Order;
pub(crate) use control::Worker;
