//! What the engine shows of itself: names of states and the few numbers behind them.

use std::time::Duration;

use serde::Serialize;

use bitdust_model::status::Protection;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, IdentityId, Position, Sequence, SetId,
};

use crate::io::{JobId, Phase};

/// One supplier as its machines see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupplierView {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Whether it came by invitation.
    pub friend: bool,
    /// State of the link, for example `contracted`.
    pub link: &'static str,
    /// State of the checks.
    pub check: &'static str,
    /// Whether it told what it keeps of the own lane.
    pub tip: &'static str,
    /// State of the emptying of the spool.
    pub unspool: &'static str,
    /// Whether it is connected.
    pub online: bool,
    /// Bytes agreed.
    pub contract: Option<ByteCount>,
    /// Its position in the set.
    pub position: Option<Position>,
    /// Whether a proof or receipt is fresh and it is not suspect.
    pub confirmed: bool,
    /// For how much longer its last proof or receipt counts.
    pub confirmed_for: Option<Duration>,
    /// Whether it failed a proof.
    pub suspect: bool,
    /// Whether it counts and lacks something that is published.
    pub owed: bool,
    /// How it stands to the newest head.
    pub head: HeadStand,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobView {
    /// The job.
    pub job: JobId,
    /// `backup`, `restore` or `recovery`.
    pub kind: &'static str,
    /// State of its machine.
    pub state: &'static str,
    /// What people were told last.
    pub phase: Option<Phase>,
}

/// What happens with a folder by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FolderWork {
    /// Nothing, unless it is asked for.
    Manual,
    /// Nothing is due.
    Resting {
        /// What is left until it will be in any case.
        due_in: Duration,
    },
    /// Something changed, or a backup waits for its turn.
    Changed {
        /// What is left until it has been still for long enough.
        due_in: Duration,
    },
    /// A backup of it runs or waits.
    Running,
    /// The last backup failed.
    Retrying {
        /// What is left until it is tried again.
        retry_in: Duration,
        /// Why it failed.
        code: ErrorCode,
    },
}

/// One folder that is backed up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FolderView {
    /// The folder.
    pub folder: FolderId,
    /// State of its watch.
    pub watch: &'static str,
    /// State of its schedule.
    pub schedule: &'static str,
    /// What happens.
    pub work: FolderWork,
}

/// One customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// The person.
    pub identity: IdentityId,
    /// The device that writes.
    pub lane: DeviceId,
    /// Bytes agreed.
    pub contract: ByteCount,
    /// Bytes of durable shards.
    pub used: ByteCount,
    /// Bytes of shards under way.
    pub reserved: ByteCount,
}

/// How a supplier stands to the newest head that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum HeadStand {
    /// It has no position of the home set that counts, or lost something: no version counts as kept by it.
    Uncounted,
    /// It did not sign for it, maybe for one before.
    Lacking,
    /// It signed for it, and lacks lists that it leads to.
    WithoutLists,
    /// It signed for it and has all lists that it leads to.
    Leading,
}

/// What can be had of what was published from holders that are there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Holders that are there and trusted.
    pub online: u8,
    /// How many of those of them that proved lately that they keep what they have may go and all of
    /// it can still be had; `None`: that is not so already.
    pub spare: Option<u8>,
}

/// Everything the status screen needs of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineView {
    /// State of set-up.
    pub set_up: &'static str,
    /// State of the search for suppliers.
    pub supplier_search: &'static str,
    /// State of the set.
    pub holder_set: &'static str,
    /// State of the newest head.
    pub head: &'static str,
    /// State of the records kept for customers.
    pub deposits: &'static str,
    /// State of the own lane.
    pub lane: &'static str,
    /// Whether this machine only restores.
    pub is_restore_only: bool,
    /// Whether another machine took the place of this one.
    pub is_replaced: bool,
    /// Whether suppliers keep newer versions of it that are not known here.
    pub is_behind: bool,
    /// Whether what suppliers keep of the lane, and was not known here, is being taken in.
    pub is_catching_up: bool,
    /// How well everything is kept, as of the last input.
    pub protection: Protection,
    /// Confirmations with which the weakest of what is published can still be had; `None`: nothing is
    /// published, or nothing is known.
    pub enough: Option<u8>,
    /// The set.
    pub set: Option<SetId>,
    /// Its code.
    pub code: Option<Code>,
    /// Newest head that is published.
    pub published: Option<Sequence>,
    /// Holders that signed that they keep exactly this head, have all lists that it leads to, and are
    /// trusted.
    pub head_kept: u8,
    /// Newest head that was settled: any k holders of the set lead to it.
    pub settled: Option<Sequence>,
    /// What can be had now; `None`: nothing is published.
    pub reach: Option<Reach>,
    /// Suppliers a person asked for.
    pub suppliers_wanted: u8,
    /// Suppliers by device.
    pub suppliers: Vec<SupplierView>,
    /// Jobs that run or wait.
    pub jobs: Vec<JobView>,
    /// Folders that are backed up by themselves.
    pub folders: Vec<FolderView>,
    /// Customers by lane.
    pub customers: Vec<CustomerView>,
    /// Bytes offered to others.
    pub offered: ByteCount,
    /// Bytes agreed with all customers.
    pub promised: ByteCount,
    /// Packs of which a shard is not confirmed.
    pub packs_unsettled: usize,
    /// Fetches running or queued.
    pub fetches: usize,
    /// Deadlines set.
    pub deadlines: usize,
}
