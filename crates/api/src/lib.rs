//! The contract with any front end: calls, view models, events and errors.
//!
//! It owns no behaviour: a front end sends a [`Call`] and gets an [`Answer`]; what goes on
//! meanwhile comes as [`Event`]s. Both travel as JSON lines over the home's local socket.

pub mod call;
pub mod event;
pub mod history;
pub mod host;
mod job;
pub mod view;
pub mod wire;

pub use call::{Answer, AnswerName, ApiError, Call, CallName, JobId};
pub use event::{Event, JobOutcome, JobReport, Remark};
pub use host::{HostAnswer, HostCall, HostEvent, HostState, HostView};
