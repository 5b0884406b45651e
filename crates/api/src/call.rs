//! What a front end may ask, and what it gets.

use serde::{Deserialize, Serialize};

use bitdust_model::ErrorCode;

use crate::view::{
    ContractView, DeviceView, FolderView, ListingView, SettingView, SnapshotView, StatusView,
    SupplierView, VerifyView,
};

/// Names a job for as long as the node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub u64);

/// A request to the node. Paths are text; bytes that are no UTF-8 are percent-escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
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
    /// Brings files back. Answered by `Job`.
    Restore {
        /// `SNAPSHOT[:PATH]`.
        target: String,
        /// The folder to write into.
        to: String,
        /// What to do with files that are there and differ.
        conflict: Conflict,
    },
    /// A real test restore of some files, compared. Answered by `Job`.
    Verify {
        /// How many random files.
        sample: u32,
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

/// What to do with files that are there and differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The restored file takes the place of the one that is there.
    #[default]
    Replace,
    /// The one that is there stays; the restored one gets a name of its own.
    KeepBoth,
    /// The one that is there stays; the other is not restored.
    Skip,
}

/// What a call gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
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
    /// The result of a test restore.
    Verified(VerifyView),
}

/// Why a call failed: what happened, what is safe, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
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
