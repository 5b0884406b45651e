//! The one place that owns tokio: drives the engine with source, store, net and the CPU pool.
//!
//! It decides nothing: what to do next comes from the engine, what people want comes
//! through `api`. One home has one node; whoever finds the home held attaches to it.

mod back;
mod backup;
mod cache;
mod calls;
mod commit;
mod config;
mod context;
mod courier;
mod error;
mod facade;
mod fetch;
mod job;
mod local;
mod open;
mod reader;
mod records;
mod recovery;
mod restore;
mod restoring;
mod runtime;
mod scan;
mod serve;
mod settings;
mod status;
mod suppliers;
mod task;
mod text;
mod trace;
mod verify;
mod words;

pub use error::NodeError;
pub use facade::{
    Connection, InitOptions, Initialised, RecoverOptions, Recovered, connect, daemon, init, recover,
};
pub use settings::{Scope, Settings, Unlock};
