//! The one place that owns tokio: drives the engine with source, store, net and the CPU pool.
//!
//! It decides nothing: what to do next comes from the engine, what people want comes
//! through `api`. One home has one node; whoever finds the home held attaches to it.

mod backup;
mod front;
mod home;
mod recovery;
mod restore;
mod runtime;
mod service;
mod shared;
mod suppliers;

pub use home::environment::settle_environment;
pub use home::facade::{
    Connection, InitOptions, Initialised, RecoverOptions, connect, daemon, init, recover,
};
pub use home::host::Host;
pub use shared::error::NodeError;
pub use shared::recovery_found::{NewestFound, Recovered};
pub use shared::settings::{Scope, Settings, Unlock};
pub use shared::text::{path_of, text_of};
