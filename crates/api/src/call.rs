//! What a front end may ask, and what it gets.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::{ErrorCode, Schedule, Severity};

use crate::history::HistoryView;
use crate::view::{
    ContractView, DeviceView, EstimateView, FileVersionView, FolderView, FoundView, ListingView,
    PreviewView, SettingView, SnapshotView, StatusView, SupplierView,
};

pub use crate::job::{Conflict, JobId};

/// A request to the node. Paths are text; bytes that are no UTF-8 are percent-escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, strum::EnumDiscriminants)]
#[serde(tag = "call", rename_all = "snake_case")]
#[strum_discriminants(name(CallName), doc = "Names a call without its request.")]
#[strum_discriminants(derive(strum::EnumIter, strum::IntoStaticStr))]
#[strum_discriminants(strum(serialize_all = "snake_case"))]
pub enum Call {
    /// Health in a sentence, then figures. Answered by `Status`.
    Status,
    /// All settings, or one. Answered by `Settings`.
    SettingsGet {
        /// One key, or all.
        key: Option<String>,
    },
    /// Changes a setting. Answered by `Done`.
    SettingsSet {
        /// The key.
        key: String,
        /// The value as text.
        value: String,
    },
    /// Space shared with others, in bytes; zero ends the offer. Answered by `Done`.
    Offer {
        /// Bytes of shards that others may store here.
        bytes: u64,
    },
    /// A new invitation. Answered by `Invitation`.
    Invite,
    /// Accepts an invitation. Answered by `Supplier`.
    Accept {
        /// The invitation's text.
        code: String,
    },
    /// Suppliers and how they do. Answered by `Suppliers`.
    SupplierList,
    /// Looks for so many suppliers in all. Answered by `Done`; events follow.
    SupplierHire {
        /// The number of suppliers wanted in the end.
        count: u8,
    },
    /// Ends the contract with a supplier. Answered by `Done`.
    SupplierFire {
        /// Its device id or a prefix of it.
        device: String,
    },
    /// Those whose data is kept here. Answered by `Customers`.
    CustomerList,
    /// Puts a folder under protection. Answered by `Folder`.
    FolderAdd {
        /// The folder.
        path: String,
        /// Exclude patterns in gitignore syntax.
        excludes: Vec<String>,
        /// Whether file systems mounted inside of it belong to it.
        crosses_mounts: bool,
    },
    /// How much a folder would be before it is added: a walk that reads no contents. Answered by
    /// `Estimate`.
    FolderEstimate {
        /// The folder.
        path: String,
        /// Exclude patterns in gitignore syntax.
        excludes: Vec<String>,
        /// Whether file systems mounted inside of it belong to it.
        crosses_mounts: bool,
    },
    /// Changes what belongs to a folder and when it is backed up. Answered by `Folder`.
    FolderChange {
        /// Path or id.
        folder: String,
        /// Exclude patterns in gitignore syntax.
        excludes: Vec<String>,
        /// Whether file systems mounted inside of it belong to it.
        crosses_mounts: bool,
        /// When it is backed up without being asked.
        schedule: Schedule,
    },
    /// Folders under protection. Answered by `Folders`.
    FolderList,
    /// Takes a folder from protection; its stored versions stay. Answered by `Done`.
    FolderRemove {
        /// Path or id.
        folder: String,
    },
    /// One backup now. Answered by `Job`.
    Backup {
        /// Folders by path or id; all when empty.
        folders: Vec<String>,
    },
    /// Versions. Answered by `Snapshots`.
    Snapshots,
    /// What is in a version. Answered by `Listing`, paged.
    List {
        /// `SNAPSHOT[:PATH]`: an id or a prefix of it, a time, or `latest`.
        target: String,
        /// Continue after this name.
        after: Option<String>,
    },
    /// Names in versions that contain a text, newest version first. Answered by `Found`, at most
    /// `limits::FOUND_MAX` lines.
    Search {
        /// A part of the name; letter case does not matter.
        text: String,
        /// One version by id, or all.
        snapshot: Option<String>,
    },
    /// The versions of one file or folder, newest first; such that did not change are one.
    /// Answered by `FileVersions`.
    FileVersions {
        /// `SNAPSHOT:PATH`.
        target: String,
    },
    /// The beginning of a file, to be shown. Answered by `Preview`.
    Preview {
        /// `SNAPSHOT:PATH`.
        target: String,
    },
    /// Brings files back. Answered by `Job`.
    Restore {
        /// `SNAPSHOT[:PATH]`.
        target: String,
        /// Paths below the target; all of it when empty.
        #[serde(default)]
        only: Vec<String>,
        /// The folder to write into; none: back where it was.
        to: Option<String>,
        /// What to do with files that are there and differ.
        conflict: Conflict,
    },
    /// A real test restore of some files, compared. Answered by `Job`.
    Verify {
        /// How many random files.
        sample: u32,
    },
    /// What happened, newest first. Answered by `History`, paged.
    History {
        /// Continue before this line; none: from the newest.
        before: Option<u64>,
        /// Only lines that are at least so loud.
        severity: Option<Severity>,
        /// Only lines that contain this text.
        text: Option<String>,
    },
    /// Compares 24 words with the identity of this home, and remembers that they were right.
    /// Answered by `PhraseIsRight`.
    PhraseCheck {
        /// The words as they were typed.
        phrase: String,
    },
    /// Devices of the identity. Answered by `Devices`.
    DeviceList,
    /// Stops a job. Answered by `Done`.
    Cancel {
        /// The job.
        job: JobId,
    },
    /// Stops the node. Answered by `Done`.
    Shutdown,
}

/// What a call gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, strum::EnumDiscriminants)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
#[strum_discriminants(name(AnswerName), doc = "Names an answer without its value.")]
#[strum_discriminants(derive(strum::EnumIter, strum::IntoStaticStr))]
#[strum_discriminants(strum(serialize_all = "snake_case"))]
pub enum Answer {
    /// It is done.
    Done,
    /// A job was started; events tell how it goes.
    Job(JobId),
    /// See [`Call::Status`].
    Status(Box<StatusView>),
    /// See [`Call::SettingsGet`].
    Settings(Vec<SettingView>),
    /// An invitation's text.
    Invitation(String),
    /// One supplier.
    Supplier(SupplierView),
    /// Suppliers.
    Suppliers(Vec<SupplierView>),
    /// Customers.
    Customers(Vec<ContractView>),
    /// One folder.
    Folder(FolderView),
    /// Folders.
    Folders(Vec<FolderView>),
    /// Versions, oldest first.
    Snapshots(Vec<SnapshotView>),
    /// A page of a listing.
    Listing(ListingView),
    /// Devices.
    Devices(Vec<DeviceView>),
    /// See [`Call::FolderEstimate`].
    Estimate(EstimateView),
    /// See [`Call::Search`].
    Found(Vec<FoundView>),
    /// See [`Call::FileVersions`].
    FileVersions(Vec<FileVersionView>),
    /// See [`Call::Preview`].
    Preview(PreviewView),
    /// See [`Call::History`].
    History(HistoryView),
    /// See [`Call::PhraseCheck`].
    PhraseIsRight(bool),
}

impl CallName {
    /// What a call of this name is answered by.
    #[must_use]
    pub const fn answer(self) -> AnswerName {
        match self {
            Self::Status => AnswerName::Status,
            Self::SettingsGet => AnswerName::Settings,
            Self::SettingsSet
            | Self::Offer
            | Self::SupplierHire
            | Self::SupplierFire
            | Self::FolderRemove
            | Self::Cancel
            | Self::Shutdown => AnswerName::Done,
            Self::Invite => AnswerName::Invitation,
            Self::Accept => AnswerName::Supplier,
            Self::SupplierList => AnswerName::Suppliers,
            Self::CustomerList => AnswerName::Customers,
            Self::FolderAdd | Self::FolderChange => AnswerName::Folder,
            Self::FolderEstimate => AnswerName::Estimate,
            Self::FolderList => AnswerName::Folders,
            Self::Backup | Self::Restore | Self::Verify => AnswerName::Job,
            Self::Snapshots => AnswerName::Snapshots,
            Self::List => AnswerName::Listing,
            Self::Search => AnswerName::Found,
            Self::FileVersions => AnswerName::FileVersions,
            Self::Preview => AnswerName::Preview,
            Self::History => AnswerName::History,
            Self::PhraseCheck => AnswerName::PhraseIsRight,
            Self::DeviceList => AnswerName::Devices,
        }
    }
}

/// Why a call failed: what happened, what is safe, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// For machines.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

impl ApiError {
    /// An error of this code with this sentence.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
