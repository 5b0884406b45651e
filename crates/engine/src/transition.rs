//! Names of the machines, of what they are about, and of the steps they take.

use std::fmt;

use bitdust_model::{DeviceId, FolderId, PackId, Position};

use crate::io::{FetchId, JobId};
use crate::random::{mix, mix_bytes};

/// The state machines of the engine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum Machine {
    /// Listening and publishing the own records.
    SetUp,
    /// Looking for strangers with space.
    SupplierSearch,
    /// One connected peer: where it is reached.
    Contact,
    /// One supplier: connection and contract.
    SupplierLink,
    /// The set of holders.
    HolderSet,
    /// One supplier: fresh proofs.
    Check,
    /// One supplier: what it keeps of the own lane.
    Tip,
    /// One supplier: shards that wait in the spool.
    Unspool,
    /// One pack.
    Pack,
    /// One shard on its way.
    Transfer,
    /// The newest head.
    Head,
    /// Whether the own lane may be written.
    Lane,
    /// A backup.
    Backup,
    /// A restore.
    Restore,
    /// A recovery.
    Recovery,
    /// One pack, or ranges of it, on the way back.
    Fetch,
    /// One customer.
    CustomerLink,
    /// Records kept for customers.
    Deposits,
    /// Room on the own disk.
    Disk,
    /// One folder: changes in it.
    FolderWatch,
    /// One folder: when it is backed up by itself.
    Schedule,
}

impl Machine {
    /// The stable name, for example `supplier_link`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What a machine is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// This node as a whole.
    Node,
    /// A supplier or a customer's lane.
    Device(DeviceId),
    /// A pack.
    Pack(PackId),
    /// A shard of a pack.
    Shard(PackId, Position),
    /// A job.
    Job(JobId),
    /// A fetch.
    Fetch(FetchId),
    /// A folder.
    Folder(FolderId),
}

impl Subject {
    /// Mixes what tells it from other subjects of its machine into a number, for what is drawn
    /// at random.
    pub(crate) fn mix(&self, carry: u64) -> u64 {
        match self {
            Self::Node => carry,
            Self::Device(device) => mix_bytes(carry, &device.0),
            Self::Pack(pack) => mix_bytes(carry, &pack.0),
            Self::Shard(pack, position) => mix(mix_bytes(carry, &pack.0), u64::from(position.0)),
            Self::Job(job) => mix(carry, job.0),
            Self::Fetch(fetch) => mix(carry, fetch.0),
            Self::Folder(folder) => mix_bytes(carry, &folder.0),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("node"),
            Self::Device(device) => write!(f, "device {device}"),
            Self::Pack(pack) => write!(f, "pack {pack}"),
            Self::Shard(pack, position) => write!(f, "shard {position} of pack {pack}"),
            Self::Job(job) => write!(f, "job {}", job.0),
            Self::Fetch(fetch) => write!(f, "fetch {}", fetch.0),
            Self::Folder(folder) => write!(f, "folder {folder}"),
        }
    }
}

/// One step that changed a state or made the machine act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The machine.
    pub machine: Machine,
    /// What it is about.
    pub subject: Subject,
    /// State before.
    pub from: &'static str,
    /// What happened.
    pub event: &'static str,
    /// State after.
    pub to: &'static str,
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {} -- {} -> {}",
            self.machine.name(),
            self.subject,
            self.from,
            self.event,
            self.to
        )
    }
}
