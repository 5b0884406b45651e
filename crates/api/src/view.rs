//! View models: what a front end shows, ready to be shown.

use serde::{Deserialize, Serialize};

use bitdust_model::status::Protection;
use bitdust_model::{Code, Severity, UnixMillis};

/// Health in a sentence, then figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// One sentence for a person.
    pub sentence: String,
    /// How well everything is kept.
    pub protection: Protection,
    /// The nickname.
    pub nickname: String,
    /// The identity in full.
    pub identity: String,
    /// This device in full.
    pub device: String,
    /// Name of the network.
    pub network: String,
    /// `internet`, `lan` or `loopback`.
    pub scope: String,
    /// How the keys rest: `keyring`, `passphrase` or `file`.
    pub keys: String,
    /// Whether the words were asked back.
    pub phrase_confirmed: bool,
    /// The code of the current set, or the one the next set will have.
    pub code: Option<Code>,
    /// Folders under protection.
    pub folders: Vec<FolderView>,
    /// Suppliers.
    pub suppliers: Vec<SupplierView>,
    /// The newest head.
    pub head: Option<HeadView>,
    /// Space offered to others in bytes.
    pub offered_bytes: u64,
    /// Space used by others in bytes.
    pub used_by_others_bytes: u64,
    /// Sealed packs of contents, in bytes before coding.
    pub packed_bytes: u64,
    /// Sealed packs of metadata, in bytes before copying.
    pub metadata_bytes: u64,
    /// Bytes waiting in the spool for suppliers that are away.
    pub spooled_bytes: u64,
    /// Where this node listens.
    pub listening: Vec<String>,
    /// Peers connected now.
    pub peers: u32,
    /// State of each state machine by name.
    pub machines: Vec<(String, String)>,
    /// Things that need to be known, newest first.
    pub notices: Vec<NoticeView>,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// When, by the own clock.
    pub at: UnixMillis,
    /// How loud.
    pub severity: Severity,
    /// What happened.
    pub message: String,
}

/// The newest head and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadView {
    /// Place in the lane.
    pub sequence: u64,
    /// When it was written.
    pub written_at: UnixMillis,
    /// Suppliers that confirmed it.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
}

/// A folder under protection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FolderView {
    /// Full hexadecimal id.
    pub id: String,
    /// Where it lies.
    pub path: String,
    /// Exclude patterns.
    pub excludes: Vec<String>,
    /// How well it is kept.
    pub protection: Protection,
    /// When its newest version was taken.
    pub last_backup: Option<UnixMillis>,
    /// Files in the newest version.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Things in it that could not be protected.
    pub problems: u64,
}

/// Somebody who keeps data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupplierView {
    /// The machine in full.
    pub device: String,
    /// The person in full.
    pub identity: String,
    /// Nickname and fingerprint.
    pub name: String,
    /// Whether it is a friend.
    pub friend: bool,
    /// State of its link machine.
    pub state: String,
    /// Whether it is connected now.
    pub online: bool,
    /// Position in the set.
    pub position: Option<u8>,
    /// Bytes agreed.
    pub contract_bytes: u64,
    /// Bytes kept, confirmed.
    pub kept_bytes: u64,
    /// When it was last seen.
    pub last_seen: Option<UnixMillis>,
    /// When it last proved something.
    pub last_proof: Option<UnixMillis>,
    /// Why it does not count, where it does not.
    pub doubt: Option<String>,
}

/// Somebody whose data is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractView {
    /// The person in full.
    pub identity: String,
    /// The writing machine in full.
    pub device: String,
    /// Bytes agreed.
    pub contract_bytes: u64,
    /// Bytes used.
    pub used_bytes: u64,
    /// Whether it is connected now.
    pub online: bool,
}

/// A version of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotView {
    /// Full hexadecimal id.
    pub id: String,
    /// The folder's path.
    pub path: String,
    /// Which device took it, in full.
    pub device: String,
    /// When.
    pub taken_at: UnixMillis,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Things that could not be protected.
    pub problems: u64,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingView {
    /// Entries by name.
    pub entries: Vec<EntryView>,
    /// Whether more follow.
    pub more: bool,
}

/// One name in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// The name, percent-escaped where it is no UTF-8.
    pub name: String,
    /// `file`, `directory`, `symlink`, `fifo`, `socket` or `device`.
    pub kind: String,
    /// Bytes of a file.
    pub bytes: u64,
    /// Permission bits.
    pub mode: u32,
    /// Modification time in seconds since 1970.
    pub mtime_seconds: i64,
    /// Target of a symbolic link.
    pub target: Option<String>,
}

/// A device of the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// In full.
    pub device: String,
    /// When its certificate was issued.
    pub since: UnixMillis,
    /// Whether it is this one.
    pub this: bool,
    /// Whether its lane is closed.
    pub fenced: bool,
}

/// A setting and where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingView {
    /// The key.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// `flag`, `home` or `default`.
    pub from: String,
}

/// The result of a test restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyView {
    /// Files fetched and compared.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files whose bytes were the same as on this machine.
    pub equal: u64,
    /// Files that have changed on this machine since; their stored bytes were whole.
    pub changed_here: u64,
    /// Files that could not be had whole.
    pub failed: u64,
}
