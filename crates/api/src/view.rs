//! View models: what a front end shows, ready to be shown.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use bitdust_model::status::Protection;
use bitdust_model::verdict::{Asks, FolderSaid, Level, Said};
use bitdust_model::{Code, UnixMillis};

use crate::history::HistoryLine;

pub use crate::job::{JobPhase, JobTask, JobView};
pub use bitdust_model::schedule::{SCHEDULE_MINUTES, Schedule, ScheduleError};

/// Health in a sentence, then figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct StatusView {
    /// One sentence for a person.
    pub sentence: String,
    /// What is said of everything: by this, and nothing else, front ends choose words, colours and signs.
    pub verdict: VerdictView,
    /// How well everything is kept.
    pub protection: Protection,
    /// Confirmations with which everything can still be had, of what is worst off; none where nothing
    /// was backed up.
    pub enough: Option<u8>,
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
    /// What can be restored now; none where nothing was backed up.
    pub reach: Option<ReachView>,
    /// Space offered to others in bytes.
    pub offered_bytes: u64,
    /// Space used by others in bytes.
    pub used_by_others_bytes: u64,
    /// Sealed packs of contents, in bytes before coding.
    pub packed_bytes: u64,
    /// n / k of that, in bytes: the least that all pieces of contents can have.
    pub coded_bytes: u64,
    /// Pieces of contents that suppliers confirmed, in bytes.
    pub kept_bytes: u64,
    /// Sealed packs of metadata, in bytes before copying.
    pub metadata_bytes: u64,
    /// Copies of metadata that suppliers confirmed, in bytes.
    pub metadata_kept_bytes: u64,
    /// Sealed metadata in bytes, before copying, for each file of the newest versions; none
    /// where there is no file.
    pub metadata_bytes_per_file: Option<u64>,
    /// Bytes waiting in the spool for suppliers that are away.
    pub spooled_bytes: u64,
    /// Where this node listens.
    pub listening: Vec<String>,
    /// Peers connected now.
    pub peers: u32,
    /// State of each state machine by name.
    pub machines: Vec<(String, String)>,
    /// Jobs that run or wait, oldest first.
    pub jobs: Vec<JobView>,
    /// The newest lines of the history, newest first.
    pub notices: Vec<HistoryLine>,
    /// Bytes free on the disk of the home; none where the system does not tell.
    pub disk_free_bytes: Option<u64>,
    /// The chance that everything can be restored in 90 days if this machine is lost now and
    /// nobody repairs anything; none as long as it is not measured.
    pub survival: Option<f64>,
    /// The last real test restore; none before the first.
    pub last_verify: Option<LastVerifyView>,
    /// Whether the clock of this computer is surely wrong: most suppliers signed another time.
    pub is_clock_wrong: bool,
    /// Whether this machine only restores: nobody was told of it, and nothing is backed up from it.
    pub is_restore_only: bool,
    /// Whether another machine took the place of this one: nothing more is backed up from it.
    pub is_replaced: bool,
    /// Whether suppliers keep newer versions of this machine that it does not know.
    pub is_behind: bool,
    /// Whether they do, and it is taking them in.
    pub is_catching_up: bool,
}

/// What is said of everything, made by the engine alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VerdictView {
    /// What is said first: nothing is worse.
    pub first: FindingView,
    /// What is wrong besides, what is worse first.
    pub also: Vec<FindingView>,
    /// When the newest version of the folder was taken whose newest is the oldest: everything is at
    /// least as fresh.
    pub oldest_backup: Option<UnixMillis>,
    /// Whether everything can be restored from suppliers that are online now; none where nothing was
    /// backed up.
    pub within_reach: Option<bool>,
}

/// One thing that is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FindingView {
    /// What.
    pub says: Said,
    /// How bad it is.
    pub level: Level,
    /// What a person can do about it.
    pub asks: Asks,
    /// Folders concerned, by id, where not all are alike.
    pub folders: Vec<String>,
}

/// What is said of one folder, made by the engine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FolderVerdictView {
    /// What.
    pub says: FolderSaid,
    /// How bad it is.
    pub level: Level,
}

/// What happens with a folder by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FolderState {
    /// Nothing is due.
    Quiet,
    /// Something changed; it will be backed up when it has been still for a moment.
    Changed {
        /// When that will be, at the latest.
        due_at: UnixMillis,
    },
    /// It is being backed up.
    BackingUp,
    /// The last attempt failed; it is tried again.
    Failed {
        /// When.
        retry_at: UnixMillis,
        /// Why.
        error: bitdust_model::ErrorCode,
    },
    /// The folder is not there now, for example a disk that is not plugged in.
    Away,
    /// The machine before this one backed it up; this one does once it was restored to where it was, or once
    /// somebody asks for a backup of it.
    AwaitsRestore,
}

/// How much a folder would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EstimateView {
    /// Files that would be protected.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files and folders that the patterns leave out, the first ones in full.
    pub excluded: Vec<String>,
    /// How many there are in all; a folder counts once.
    pub excluded_count: u64,
    /// Things that cannot be read, the first ones in full.
    pub unreadable: Vec<String>,
    /// How many there are in all.
    pub unreadable_count: u64,
    /// Whether the walk was stopped at its limit; there is more than these figures say.
    pub is_cut: bool,
}

/// A name that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundView {
    /// The newest version that has it, by id.
    pub snapshot: String,
    /// The folder's path.
    pub folder: String,
    /// When the version was taken.
    pub taken_at: UnixMillis,
    /// The path inside the version.
    pub path: String,
    /// What it is there.
    pub entry: EntryView,
}

/// A version of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FileVersionView {
    /// The newest version of the folder that has it like this, by id.
    pub snapshot: String,
    /// When that was taken.
    pub taken_at: UnixMillis,
    /// What it is there.
    pub entry: EntryView,
}

/// The beginning of a file, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PreviewView {
    /// Text.
    Text {
        /// The beginning.
        text: String,
        /// Whether there is more.
        is_cut: bool,
    },
    /// An image, whole.
    Image {
        /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
        media: String,
        /// Its bytes in base64.
        base64: String,
    },
    /// Neither text nor an image that can be shown, or too big.
    None {
        /// Bytes of the file.
        bytes: u64,
    },
}

/// The last real test restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LastVerifyView {
    /// When it ended.
    pub at: UnixMillis,
    /// Its result.
    pub result: VerifyView,
}

/// The newest head and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HeadView {
    /// Place in the lane.
    pub sequence: u64,
    /// When it was written.
    pub written_at: UnixMillis,
    /// Suppliers that signed for exactly this one and keep all lists that it leads to.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
}

/// What can be had of all that was backed up from suppliers that are online now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReachView {
    /// Suppliers of the set that are online.
    pub online: u32,
    /// How many of these may go offline and all of it can still be restored; none where not all of
    /// it can be restored now.
    pub spare: Option<u32>,
}

/// A folder under protection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FolderView {
    /// Full hexadecimal id.
    pub id: String,
    /// Where it lies.
    pub path: String,
    /// Exclude patterns.
    pub excludes: Vec<String>,
    /// Whether file systems mounted inside of it belong to it.
    pub crosses_mounts: bool,
    /// What is said of it.
    pub verdict: FolderVerdictView,
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
    /// When it is backed up without being asked.
    pub schedule: Schedule,
    /// What happens with it by itself.
    pub state: FolderState,
    /// When the next backup is due by the schedule, where that can be said.
    pub next_backup: Option<UnixMillis>,
    /// Why changes in it are not seen at once, where they are not.
    pub watch_problem: Option<String>,
    /// What of the newest version could not be protected, the first ones in full.
    pub unprotected: Vec<UnprotectedView>,
}

/// A thing that is not protected, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UnprotectedView {
    /// Where.
    pub path: String,
    /// Why.
    pub code: bitdust_model::ErrorCode,
    /// Why, for people.
    pub detail: String,
}

/// Somebody who keeps data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
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
    /// How it is reached while it is connected: `tcp`, `quic` or `relayed`.
    pub path: Option<String>,
    /// Whether its last proof or receipt still counts.
    pub confirmed: bool,
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
    /// Whether it lost something and does not count until it has proved that it keeps the rest.
    pub is_suspect: bool,
    /// Whether it lacks something of the newest version, or of one before.
    pub is_owed: bool,
}

/// Somebody whose data is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContractView {
    /// The person in full.
    pub identity: String,
    /// Nickname and fingerprint.
    pub name: String,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SnapshotView {
    /// Full hexadecimal id.
    pub id: String,
    /// The folder's path.
    pub path: String,
    /// Which device took it, in full.
    pub device: String,
    /// When.
    pub taken_at: UnixMillis,
    /// Whether that time cannot be right, so that it says nothing about which version is newer.
    pub is_clock_suspect: bool,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Things that could not be protected.
    pub problems: u64,
    /// Who has it; `None`: not known, for it is another machine's, or suppliers keep versions that this one has
    /// forgotten.
    pub kept: Option<KeptView>,
}

/// Who signed for a version and keeps all lists that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KeptView {
    /// Suppliers that did.
    pub confirmed: u32,
    /// Suppliers of the set.
    pub of: u32,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListingView {
    /// Entries by name.
    pub entries: Vec<EntryView>,
    /// Whether more follow.
    pub more: bool,
}

/// One name in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceView {
    /// In full.
    pub device: String,
    /// When its certificate was issued, where this home has seen it.
    pub since: Option<UnixMillis>,
    /// Whether it is this one.
    pub this: bool,
    /// Whether its lane is closed.
    pub fenced: bool,
}

/// A setting and where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SettingView {
    /// The key.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// `flag`, `home` or `default`.
    pub from: String,
}

/// The result of a test restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
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
