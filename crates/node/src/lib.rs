//! The one place that owns tokio: drives the engine with source, store, net and the CPU pool.
//!
//! It decides nothing: what to do next comes from the engine, what people want comes
//! through `api`. One home has one node; whoever finds the home held attaches to it.

mod error;
mod facade;
mod settings;

pub use error::NodeError;
pub use facade::{Connection, InitOptions, Initialised, RecoverOptions, Recovered, connect, daemon, init, recover};
pub use settings::{Scope, Settings, Unlock};
