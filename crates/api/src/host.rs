//! What a front end that lives long asks before there is a node, and beside it: making an
//! identity, bringing one back, opening a locked home, a practice network.
//!
//! The host of a home is in one state at a time; [`HostView`] says which, and why.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::UnixMillis;

use crate::call::ApiError;
use crate::event::Event;
use crate::job::JobPhase;

/// A request to the host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, strum::EnumDiscriminants)]
#[serde(tag = "call", rename_all = "snake_case")]
#[strum_discriminants(
    name(HostCallName),
    doc = "Names a call to the host without its request."
)]
#[strum_discriminants(derive(strum::EnumIter, strum::IntoStaticStr))]
#[strum_discriminants(strum(serialize_all = "snake_case"))]
pub enum HostCall {
    /// Where the host stands. Answered by `Host`.
    State,
    /// A new identity in this home; the node starts. Answered by `Created`.
    Create {
        /// The nickname.
        nickname: String,
        /// How the keys rest.
        guard: GuardChoice,
    },
    /// Whether three of the words, by their places, are those of the identity that was made
    /// since the start. Answered by `WordsAreRight`.
    ConfirmWords {
        /// Places from 1 to 24 with the words typed for them.
        words: Vec<(u8, String)>,
    },
    /// Brings an identity back into this home; the node starts. Answered by `Recovered`; the
    /// state tells how it goes.
    Recover {
        /// The 24 words as they were typed.
        phrase: String,
        /// The address or invitation of any live node of the network.
        way_in: String,
        /// What this machine becomes.
        recover_as: RecoverAs,
        /// How the keys rest.
        guard: GuardChoice,
    },
    /// Opens a home that is locked with a passphrase; the node starts. Answered by `Host`.
    Unlock {
        /// The passphrase.
        passphrase: String,
    },
    /// Tries to start the node again after it failed. Answered by `Host`.
    Retry,
    /// Goes to the practice network of this computer: an identity of its own and some
    /// suppliers, made when they are not there. Answered by `Host`.
    PracticeStart,
    /// Goes back to the real home. Answered by `Host`.
    PracticeStop,
    /// Forgets the practice network and all it stored; goes back to the real home. Answered by
    /// `Host`.
    PracticeForget,
    /// Takes one supplier of the practice network away, or brings it back. Answered by `Host`.
    PracticeSupplier {
        /// Its number, from 1.
        number: u8,
        /// Whether it shall run.
        runs: bool,
    },
}

/// What a recovered machine becomes, beside the machines that the identity had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecoverAs {
    /// It takes the place of those before it: they will never write again, and their lanes are closed.
    Successor,
    /// It is one more: those before it may go on.
    Another,
    /// It only restores: nobody is told of it, and nothing is backed up from it.
    Reader,
}

/// How the keys of a home rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GuardChoice {
    /// In the keyring of the system.
    Keyring,
    /// Under a passphrase that is asked at every start.
    Passphrase {
        /// It.
        passphrase: String,
    },
    /// In a file that only this user may read; weaker, and never chosen silently.
    File,
}

/// What the host answers.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS, strum::EnumDiscriminants)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
#[strum_discriminants(
    name(HostAnswerName),
    doc = "Names an answer of the host without its value."
)]
#[strum_discriminants(derive(strum::EnumIter, strum::IntoStaticStr))]
#[strum_discriminants(strum(serialize_all = "snake_case"))]
pub enum HostAnswer {
    /// Where the host stands now.
    Host(HostView),
    /// A new identity.
    Created(CreatedView),
    /// Whether the words were right.
    WordsAreRight(bool),
    /// What a recovery found.
    Recovered(RecoveredView),
}

impl HostCallName {
    /// What a call of this name is answered by.
    #[must_use]
    pub const fn answer(self) -> HostAnswerName {
        match self {
            Self::State
            | Self::Unlock
            | Self::Retry
            | Self::PracticeStart
            | Self::PracticeStop
            | Self::PracticeForget
            | Self::PracticeSupplier => HostAnswerName::Host,
            Self::Create => HostAnswerName::Created,
            Self::ConfirmWords => HostAnswerName::WordsAreRight,
            Self::Recover => HostAnswerName::Recovered,
        }
    }
}

/// A new identity. The words are shown once and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CreatedView {
    /// The 24 words.
    pub words: Vec<String>,
    /// The identity in full.
    pub identity: String,
    /// Its fingerprint: the first characters, as shown beside the nickname.
    pub fingerprint: String,
}

/// What a recovery found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecoveredView {
    /// The identity in full.
    pub identity: String,
    /// The nickname.
    pub nickname: String,
    /// Whether this machine only restores: as that was asked for, or as the identity has as many machines as it can.
    pub is_restore_only: bool,
    /// When the newest version that was found was written, by the old machine's clock.
    pub newest: Option<UnixMillis>,
    /// Its number among the versions of its machine.
    pub number: Option<u64>,
    /// Suppliers that told exactly this one; of several machines the fewest.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
    /// A newer version that exists with suppliers who did not answer.
    pub newer: Option<MissedVersion>,
    /// A newer version that was told, and whose lists could not be had.
    pub unread: Option<MissedVersion>,
    /// Parts of the index that could not be had: files in there cannot be restored for now.
    pub index_missing: u64,
    /// Pages of older versions that could not be had: those are not listed.
    pub older_missing: u64,
    /// Whether so many told a version that no other can be newer but those named here.
    pub is_sure: bool,
    /// Versions found.
    pub snapshots: u64,
    /// Files in the newest version of each folder.
    pub files: u64,
    /// Folders that are taken over, and are backed up from this machine once they were restored.
    pub folders: u64,
}

/// A version that a recovery knows of and could not take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MissedVersion {
    /// Its number among the versions of its machine.
    pub number: u64,
    /// When it was written, by that machine's clock; `None` where nobody told it.
    pub written_at: Option<UnixMillis>,
    /// Whether another machine wrote it than the newest version that was found.
    pub is_of_another: bool,
}

/// Where the host stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HostView {
    /// The state.
    pub state: HostState,
    /// The home's folder.
    pub home: String,
    /// Whether keys can rest in a keyring here.
    pub has_keyring: bool,
    /// The practice network, while it is used.
    pub practice: Option<PracticeView>,
    /// Whether a practice network lies on this computer.
    pub has_practice: bool,
    /// The program's version.
    pub version: String,
}

/// States of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HostState {
    /// The home has no identity yet.
    Absent,
    /// The home is locked with a passphrase.
    Locked,
    /// The node is starting.
    Starting,
    /// An identity is being brought back.
    Recovering {
        /// What is going on.
        phase: JobPhase,
    },
    /// The node runs in this process.
    Running,
    /// Another process holds the home and answers.
    Attached,
    /// The node could not start, or ended by a defect.
    Failed {
        /// Why.
        error: ApiError,
    },
}

/// The practice network of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PracticeView {
    /// Its suppliers.
    pub suppliers: Vec<PracticeSupplierView>,
}

/// A supplier of the practice network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PracticeSupplierView {
    /// Its number, from 1.
    pub number: u8,
    /// Its nickname.
    pub name: String,
    /// Its machine in full.
    pub device: String,
    /// Whether it runs.
    pub runs: bool,
}

/// What the host tells without being asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum HostEvent {
    /// The host changed its state.
    Host {
        /// Where it stands now.
        view: HostView,
    },
    /// The node told something.
    Node {
        /// It.
        event: Event,
    },
}
