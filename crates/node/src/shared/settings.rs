//! What a home is opened with: flags over what the home remembers over defaults.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How far a node reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole internet.
    #[default]
    Internet,
    /// The local network.
    Lan,
    /// This machine only; everything a person sees says practice.
    Loopback,
}

impl Scope {
    /// The name in configuration and on screens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Lan => "lan",
            Self::Loopback => "loopback",
        }
    }
}

/// What opens the keys of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlock {
    /// Nothing was given: keyring and file homes open by themselves, others say what they need.
    None,
    /// A passphrase, from a file or a question.
    Passphrase(String),
}

/// Flags of a command that concern the home. `None` and empty mean: as the home remembers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The home's folder.
    pub home: PathBuf,
    /// Name of the network.
    pub network: Option<String>,
    /// How far the node reaches.
    pub scope: Option<Scope>,
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses of nodes to start from, with or without `/p2p/`.
    pub bootstrap: Vec<String>,
    /// Addresses confirmed by hand.
    pub external: Vec<String>,
    /// What opens the keys.
    pub unlock: Unlock,
    /// Where the engine's inputs and outputs are recorded.
    pub trace: Option<PathBuf>,
}

impl Settings {
    /// Settings for a home with nothing else said.
    #[must_use]
    pub fn of_home(home: PathBuf) -> Self {
        Self {
            home,
            network: None,
            scope: None,
            listen: Vec::new(),
            bootstrap: Vec::new(),
            external: Vec::new(),
            unlock: Unlock::None,
            trace: None,
        }
    }

    /// The home where none is named: the platform's folder for a program's data.
    #[must_use]
    pub fn default_home() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "bitdust")
            .map(|folders| folders.data_dir().to_owned())
    }
}
