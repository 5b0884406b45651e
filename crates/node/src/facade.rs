//! The doors for front ends: make a home, recover one, hold or join one.

use std::path::PathBuf;

use bitdust_api::{Answer, ApiError, Call, Event};
use bitdust_model::{ErrorCode, UnixMillis};

use crate::error::NodeError;
use crate::settings::Settings;

/// How a new home is made.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// The nickname.
    pub nickname: String,
    /// `keyring`, `passphrase` (with [`crate::Unlock::Passphrase`]) or `file`.
    pub guard: String,
}

/// A home that was made.
#[derive(Debug, Clone)]
pub struct Initialised {
    /// The 24 words, shown once and never kept.
    pub words: Vec<String>,
    /// The identity in full.
    pub identity: String,
    /// The device in full.
    pub device: String,
}

/// How a home is recovered.
#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// The 24 words as they were typed.
    pub phrase: String,
    /// As in [`InitOptions`].
    pub guard: String,
    /// Whether the old machines will never write again: their lanes are closed.
    pub old_machine_gone: bool,
}

/// What recovery found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// The identity in full.
    pub identity: String,
    /// The nickname.
    pub nickname: String,
    /// The new device in full.
    pub device: String,
    /// When the newest head was written, by the old machine's clock.
    pub newest: Option<UnixMillis>,
    /// Suppliers that confirmed it.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
    /// Versions found.
    pub snapshots: u64,
    /// Files in the newest version of each folder.
    pub files: u64,
}

/// Makes a new identity in a new home. Refuses a home that has one.
pub fn init(settings: &Settings, options: &InitOptions) -> Result<Initialised, NodeError> {
    let _ = (settings, options);
    Err(NodeError::new(ErrorCode::NotYet, "init is not there yet"))
}

/// Recovers an identity into a new home from the phrase and one way into the network.
/// `progress` gets short phrases of what is going on.
pub async fn recover(settings: &Settings, options: &RecoverOptions, progress: impl Fn(&str) + Send) -> Result<Recovered, NodeError> {
    let _ = (settings, options, &progress);
    Err(NodeError::new(ErrorCode::NotYet, "recover is not there yet"))
}

/// Holds the home until a signal or `Call::Shutdown`. `ready` is called with the addresses
/// once the node listens and serves the local socket.
pub async fn daemon(settings: &Settings, ready: impl FnOnce(&[String]) + Send) -> Result<(), NodeError> {
    let _ = (settings, ready);
    Err(NodeError::new(ErrorCode::NotYet, "daemon is not there yet"))
}

/// A way to a node: one that runs in another process, or one held for this command alone.
pub struct Connection {
    socket: Option<PathBuf>,
}

/// Joins the node that holds the home, or holds it for the duration of this connection.
pub async fn connect(settings: &Settings) -> Result<Connection, NodeError> {
    let _ = settings;
    Err(NodeError::new(ErrorCode::NotYet, "connect is not there yet"))
}

impl Connection {
    /// Whether another process holds the home.
    #[must_use]
    pub const fn is_attached(&self) -> bool {
        self.socket.is_some()
    }

    /// One call, one answer.
    pub async fn call(&mut self, call: Call) -> Result<Answer, ApiError> {
        let _ = call;
        Err(ApiError::new(ErrorCode::NotYet, "not there yet"))
    }

    /// The next event; `None` when the node is gone.
    pub async fn event(&mut self) -> Option<Event> {
        None
    }

    /// Leaves; a node held for this connection is stopped in order.
    pub async fn close(self) -> Result<(), NodeError> {
        Ok(())
    }
}
