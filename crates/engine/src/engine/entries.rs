//! What the engine keeps of a supplier, a pack, a job, a fetch, a folder, a customer: the states
//! of its machines, and the facts beside them.
//!
//! Plain entries of its maps: they answer from what they hold and decide nothing.

use std::collections::BTreeSet;

use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, FolderId, IdentityId, PackId, Position, PositionMask, Schedule, SetId, Tick,
};

use crate::fsm::{
    backup, check, customer_link, fetch, folder_watch, pack, recovery, restore, schedule,
    supplier_link, tip, transfer, unspool,
};
use crate::io::{Facts, JobId, Phase};

/// What this machine is to its identity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Membership {
    /// One of its machines.
    #[default]
    Member,
    /// Nobody was told of it: it only restores.
    Reader,
    /// A recovery took its place: nobody takes anything more of it.
    Replaced,
}

impl Membership {
    pub(crate) const fn of(facts: &Facts) -> Self {
        match (facts.is_restore_only, facts.is_replaced) {
            (true, _) => Self::Reader,
            (false, true) => Self::Replaced,
            (false, false) => Self::Member,
        }
    }
}

/// One supplier with its machines.
#[derive(Debug)]
pub(crate) struct Supplier {
    pub(crate) identity: IdentityId,
    pub(crate) friend: bool,
    pub(crate) contract: Option<ByteCount>,
    pub(crate) link: supplier_link::State,
    pub(crate) check: check::State,
    pub(crate) tip: tip::State,
    /// Shards that it did not give, of which the catalogue is not told yet.
    pub(crate) lost: BTreeSet<(PackId, Position)>,
    /// Those of which it is being told.
    pub(crate) telling: BTreeSet<(PackId, Position)>,
    pub(crate) unspool: unspool::State,
    /// The spooled shard that is on its way to it.
    pub(crate) unspooling: Option<(PackId, Position)>,
    /// Its last proof or receipt counts until then.
    pub(crate) fresh_until: Option<Tick>,
    /// A version was made without it, since it did not answer in time; nor has it since.
    pub(crate) is_passed_over: bool,
}

impl Supplier {
    /// Whether its confirmations count for nothing.
    pub(crate) const fn is_suspect(&self) -> bool {
        self.check.is_suspect()
    }

    /// Whether it may be sent shards now.
    pub(crate) const fn is_ready(&self) -> bool {
        self.link.is_ready() && self.check.may_receive()
    }

    /// Whether it is there, may be sent shards, and answers as far as is known.
    pub(crate) const fn is_prompt(&self) -> bool {
        self.is_ready() && !self.is_suspect() && !self.is_passed_over
    }

    /// Whether it may soon have what it is owed: it is being reached, or given that.
    pub(crate) const fn is_catching_up(&self) -> bool {
        let is_coming = self.link.is_coming() && self.contract.is_some();
        let is_served = self.is_ready() && (self.unspool.is_at_work() || self.tip.is_telling());
        (is_coming || is_served) && !self.is_suspect() && !self.is_passed_over
    }

    /// Whether a proof or receipt of it is fresh enough to count.
    pub(crate) fn is_fresh(&self, now: Tick) -> bool {
        !self.is_suspect() && self.fresh_until.is_some_and(|until| until > now)
    }
}

/// A pack that is not settled.
#[derive(Debug)]
pub(crate) struct Pack {
    /// Whose positions its shards are for.
    pub(crate) set: SetId,
    pub(crate) kind: PackKind,
    pub(crate) job: Option<JobId>,
    pub(crate) state: pack::State,
    /// By position. What a vacant one lacks is owed to nobody.
    pub(crate) transfers: Vec<transfer::State>,
}

impl Pack {
    /// Positions that are confirmed, whoever counts.
    pub(crate) fn confirmed(&self) -> PositionMask {
        let transfers = (0..).map(Position).zip(&self.transfers);
        let is_confirmed = |transfer: &transfer::State| *transfer == transfer::State::Confirmed;
        let confirmed = transfers.filter(|(_, transfer)| is_confirmed(transfer));
        confirmed.map(|(position, _)| position).collect()
    }
}

/// Where a pack is confirmed that the ledger alone follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resting {
    pub(crate) set: SetId,
    pub(crate) kind: PackKind,
    pub(crate) confirmed: PositionMask,
}

/// Kinds of packs that a job waits for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackGroup {
    /// Contents and trees: what the lists will name.
    Contents,
    /// Index, manifest.
    Lists,
}

impl PackGroup {
    /// Whether packs of this kind belong to it.
    pub(crate) const fn has(self, kind: PackKind) -> bool {
        match (self, kind) {
            (Self::Contents, PackKind::Data | PackKind::Tree) | (Self::Lists, PackKind::Commit) => {
                true
            }
            (Self::Contents, PackKind::Commit) | (Self::Lists, PackKind::Data | PackKind::Tree) => {
                false
            }
        }
    }
}

/// One job with its machine.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// What people were told last.
    pub(crate) told: Option<Phase>,
}

/// What kind of job.
#[derive(Debug)]
pub(crate) enum Work {
    /// A backup; what it reads, and what it sealed so far.
    Backup {
        folders: Vec<FolderId>,
        is_scheduled: bool,
        /// Folders of which it makes versions, once all are read.
        versions: Vec<FolderId>,
        /// Folders that the walk could not read.
        unread: Vec<FolderId>,
        state: backup::State,
        contents: bool,
        lists: bool,
        /// A pack that no head leads to was lost while it ran: it may have taken that for known.
        has_lost: bool,
        /// Where packs of it are confirmed that rest: the ledger alone follows them.
        left: BTreeSet<Resting>,
        /// When its last pack was sealed.
        sealed_at: Tick,
        /// When the last shard of one was receipted.
        receipted_at: Tick,
    },
    /// A restore.
    Restore(restore::State),
    /// A recovery.
    Recovery(recovery::State),
}

/// One fetch with its machine.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) job: JobId,
    pub(crate) pack: PackId,
    pub(crate) state: fetch::State,
}

/// A folder with its machines.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) rule: Schedule,
    pub(crate) watch: folder_watch::State,
    pub(crate) schedule: schedule::State,
}

/// One customer's lane with its machine.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) identity: IdentityId,
    pub(crate) link: customer_link::State,
}
