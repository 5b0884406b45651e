//! The one place that owns tokio: drives the engine with source, store, net and the CPU pool.
//!
//! It decides nothing: what to do next comes from the engine, what people want comes
//! through `api`. One home has one node; whoever finds the home held attaches to it.

mod back;
mod backup;
mod bounded;
mod browse;
mod buffers;
mod cache;
mod calls;
mod commit;
mod completion;
mod config;
mod context;
mod courier;
mod door;
mod environment;
mod error;
mod estimate;
mod facade;
mod fetch;
mod history;
mod host;
mod job;
mod local;
mod lookup;
mod open;
mod packer;
mod plans;
mod practice;
mod rate;
mod reader;
mod records;
mod recovery;
mod remembered;
mod restore;
mod restoring;
mod room;
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

pub use environment::settle_environment;
pub use error::NodeError;
pub use facade::{
    Connection, InitOptions, Initialised, RecoverOptions, Recovered, connect, daemon, init, recover,
};
pub use host::Host;
pub use settings::{Scope, Settings, Unlock};
pub use text::{path_of, text_of};
