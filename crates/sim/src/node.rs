//! One machine: its engine, what its disk keeps, and what is lost when it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitdust_engine::trace::TraceLine;
use bitdust_engine::{
    AskId, CustomerFact, DebtFact, DraftFact, Engine, Facts, FetchId, JobId, Output, PacksAtStart,
    Phase, RecoveryFound, SealedPackFact, SetFact, SupplierFact, known_at, packs_at_start,
};
use bitdust_model::ledger::{Group, GroupTotal};
use bitdust_model::manifest::{PackKind, SnapshotRecord};
use bitdust_model::{
    ByteCount, DeviceId, IdentityId, PackId, Position, Schedule, Sequence, SetId, Tick, UnixMillis,
};

use crate::call::Call;
use crate::folder::folder_fact;
use crate::id::{HeadKey, NodeId};
use crate::sabotage::Sabotage;

/// How a supplier lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lie {
    /// Not at all.
    #[default]
    None,
    /// It signs receipts and keeps nothing.
    KeepsNothing,
    /// It answers with wrong bytes; the proof betrays it.
    WrongBytes,
    /// It answers with wrong bytes that only the decoding betrays.
    Forges,
    /// It stays connected and answers nothing.
    Stalls,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) device: DeviceId,
    pub(crate) identity: IdentityId,
    /// `None` while it is down.
    pub(crate) engine: Option<Engine>,
    /// Counts starts, so that answers to an earlier run are not taken for new ones.
    pub(crate) boot: u64,
    pub(crate) started_at: Tick,
    pub(crate) inputs: u64,
    pub(crate) trace: Vec<TraceLine>,
    /// The deadline that is queued.
    pub(crate) wake_at: Option<Tick>,
    pub(crate) disk: Disk,
    pub(crate) memory: Memory,
    pub(crate) lie: Lie,
    pub(crate) dead: bool,
    /// The spool takes nothing.
    pub(crate) spool_full: bool,
    /// Shards of customers cannot be written.
    pub(crate) disk_full: bool,
    /// The own catalogue finds no room on the disk.
    pub(crate) catalogue_full: bool,
    /// Of a hundred writes to its own books, so many fail.
    pub(crate) disk_failures: u64,
    pub(crate) sabotage: Sabotage,
    /// The engine stops after so many inputs of the current run, once.
    pub(crate) crash_at: Option<u64>,
    /// How far its wall clock is ahead of what is right.
    pub(crate) wall_ahead_ms: i64,
    /// When it wakes.
    pub(crate) asleep_until: Option<Tick>,
    /// Time that its ticks left out.
    pub(crate) uncounted: Duration,
}

/// A pack in the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct PackRow {
    pub(crate) set: SetId,
    pub(crate) kind: PackKind,
    pub(crate) chunks: BTreeSet<u64>,
    pub(crate) confirmed: BTreeSet<Position>,
    pub(crate) spooled: BTreeSet<Position>,
    /// Those of them that can no longer be read.
    pub(crate) damaged: BTreeSet<Position>,
    pub(crate) committed: bool,
    pub(crate) published: bool,
    /// A broken start forgot it.
    pub(crate) forgotten: bool,
}

/// What a stop does not take.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub(crate) suppliers: BTreeMap<DeviceId, SupplierFact>,
    /// When each last proved something, by the own wall clock.
    pub(crate) proved_at: BTreeMap<DeviceId, UnixMillis>,
    pub(crate) suppliers_wanted: u8,
    pub(crate) contract_bytes: ByteCount,
    pub(crate) sets: BTreeMap<SetId, SetFact>,
    /// Where the lists lie, and new packs go.
    pub(crate) home: Option<SetId>,
    pub(crate) packs: BTreeMap<PackId, PackRow>,
    pub(crate) draft: Option<Sequence>,
    /// The pack of its lists.
    pub(crate) lists: Option<PackId>,
    /// The newest draft that is never to be given out.
    pub(crate) abandoned: Option<Sequence>,
    pub(crate) head: Option<Sequence>,
    /// Who signed for which head.
    pub(crate) keepers: BTreeMap<Sequence, BTreeSet<DeviceId>>,
    /// The newest head that was settled.
    pub(crate) settled: Option<Sequence>,
    /// Who is to be asked which shards they have.
    pub(crate) unlisted: BTreeSet<DeviceId>,
    /// Versions in the catalogue.
    pub(crate) versions: Vec<SnapshotRecord>,
    /// The newest head that recovery found in another lane.
    pub(crate) recovered: Option<HeadKey>,
    pub(crate) offered: ByteCount,
    pub(crate) customers: BTreeMap<DeviceId, CustomerFact>,
    /// Shards kept for customers: lane, pack, position.
    pub(crate) kept: BTreeMap<(DeviceId, PackId, Position), ByteCount>,
    /// Whether a story took something of that.
    pub(crate) has_lost: bool,
    /// Those of them that are damaged.
    pub(crate) rotten: BTreeSet<(DeviceId, PackId, Position)>,
    /// Newest head kept for each lane.
    pub(crate) heads: BTreeMap<DeviceId, Sequence>,
    /// The user's files.
    pub(crate) folder: BTreeSet<u64>,
    /// When they are backed up by themselves.
    pub(crate) schedule: Option<Schedule>,
}

/// What a stop takes.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) scans: BTreeMap<JobId, Scan>,
    pub(crate) held: BTreeSet<PackId>,
    /// Shards that were made anew, in memory.
    pub(crate) remade: BTreeSet<(PackId, Position)>,
    /// Fetches of packs of which a shard is to be made anew, and whom it is for.
    pub(crate) remakes: BTreeMap<FetchId, (PackId, Position, DeviceId)>,
    /// Shards that could not be made anew since all others were tried.
    pub(crate) unmakable: BTreeSet<(PackId, Position)>,
    /// Who waits for that: one is made at a time.
    pub(crate) remakes_waiting: Vec<(DeviceId, Vec<DebtFact>)>,
    pub(crate) sealing: Option<JobId>,
    /// What the last recovery found, and knows of beyond that.
    pub(crate) found: RecoveryFound,
    /// What waits for room on the disk.
    pub(crate) waiting_writes: Vec<Output>,
    pub(crate) asks: BTreeMap<AskId, Call>,
    pub(crate) fetches: BTreeMap<FetchId, FetchRow>,
    pub(crate) restores: BTreeMap<JobId, RestoreRow>,
    pub(crate) ended: BTreeMap<JobId, Option<bitdust_model::ErrorCode>>,
    /// Who told what it keeps of the own lane since it is there.
    pub(crate) told_tips: BTreeSet<DeviceId>,
    /// What people were told last of each job.
    pub(crate) told: BTreeMap<JobId, Phase>,
}

/// A walk under way.
#[derive(Debug)]
pub(crate) struct Scan {
    /// When it began, by the machine's clock.
    pub(crate) taken_at: UnixMillis,
    pub(crate) snapshot: BTreeSet<u64>,
    /// Whether that differs from the newest version.
    pub(crate) is_changed: bool,
    pub(crate) left: Vec<u64>,
    pub(crate) trees_left: u8,
    /// The tree pack with the pages that never change: one at hand, or else the new one.
    pub(crate) still: Option<PackId>,
    /// Tree packs that the new version leads to.
    pub(crate) trees: BTreeSet<PackId>,
    pub(crate) sealed: BTreeSet<PackId>,
    pub(crate) told: bool,
}

/// A fetch under way.
#[derive(Debug)]
pub(crate) struct FetchRow {
    pub(crate) job: JobId,
    pub(crate) owner: NodeId,
    pub(crate) pack: PackId,
    pub(crate) k: u8,
    pub(crate) direct: Vec<Position>,
    /// What came: whole or not, right or not.
    pub(crate) pieces: BTreeMap<Position, (bool, bool)>,
}

/// A restore, or the loading of lists, under way.
#[derive(Debug)]
pub(crate) struct RestoreRow {
    pub(crate) head: HeadKey,
    pub(crate) lists_only: bool,
    pub(crate) queue: Vec<PackId>,
    pub(crate) open: BTreeSet<FetchId>,
    pub(crate) problems: u64,
    /// Whether a tree of the version could not be had.
    pub(crate) lacks_lists: bool,
    pub(crate) chunks: BTreeSet<u64>,
    pub(crate) written: bool,
}

impl Disk {
    /// The number of the newest head that was ever signed here.
    pub(crate) fn newest_number(&self) -> Option<Sequence> {
        self.head.max(self.draft).max(self.abandoned)
    }
}

impl Node {
    pub(crate) fn new(device: DeviceId, identity: IdentityId) -> Self {
        Self {
            device,
            identity,
            engine: None,
            boot: 0,
            started_at: Tick(0),
            inputs: 0,
            trace: Vec::new(),
            wake_at: None,
            disk: Disk::default(),
            memory: Memory::default(),
            lie: Lie::None,
            dead: false,
            spool_full: false,
            disk_full: false,
            catalogue_full: false,
            disk_failures: 0,
            sabotage: Sabotage::None,
            crash_at: None,
            wall_ahead_ms: 0,
            asleep_until: None,
            uncounted: Duration::ZERO,
        }
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.engine.is_some()
    }

    /// The engine's own time.
    pub(crate) fn tick(&self, now: Tick) -> Tick {
        Tick(0) + now.since(self.started_at + self.uncounted)
    }

    /// What the catalogue tells a new engine. What does not go on is forgotten.
    pub(crate) fn facts(&mut self, now: Tick) -> Facts {
        if self.sabotage == Sabotage::ForgetsAtStart {
            self.forget_at_start();
        }
        let packs = self.packs_at_start();
        self.disk.draft = packs.draft;
        self.disk.abandoned = packs.abandoned.max(self.disk.abandoned);
        for pack in &packs.dropped {
            self.disk.packs.remove(pack);
        }
        let disk = &self.disk;
        let proved_at = |fact: &SupplierFact| disk.proved_at.get(&fact.device);
        let suppliers = disk.suppliers.values().map(|fact| SupplierFact {
            proved_ago_ms: proved_at(fact).map(|at| self.ago(*at, now)),
            ..fact.clone()
        });
        let keepers = disk.head.and_then(|head| disk.keepers.get(&head));
        Facts {
            device: self.device,
            identity: self.identity,
            is_restore_only: false,
            is_replaced: false,
            code_wanted: None,
            suppliers_wanted: disk.suppliers_wanted,
            contract_bytes: disk.contract_bytes,
            suppliers: suppliers.collect(),
            sets: disk.sets.values().cloned().collect(),
            home: disk.home,
            customers: disk.customers.values().cloned().collect(),
            kept_for: Vec::new(),
            offered: disk.offered,
            head_draft: disk.draft,
            packs: packs.kept,
            groups: self.groups(),
            folders: disk.schedule.map(folder_fact).into_iter().collect(),
            head: disk.head,
            head_keepers: keepers.into_iter().flatten().copied().collect(),
            settled: disk.settled,
            unlisted: disk.unlisted.iter().copied().collect(),
        }
    }

    /// Forgets what waits in the spool and is not safe, whether or not a version leads to it.
    fn forget_at_start(&mut self) {
        let sets = &self.disk.sets;
        for row in self.disk.packs.values_mut() {
            let code = sets.get(&row.set).map(|set| set.code);
            let need = code.and_then(bitdust_model::Code::safe_at);
            let is_short = need.is_some_and(|need| row.confirmed.len() < usize::from(need));
            row.forgotten |= is_short && !row.spooled.is_empty();
        }
    }

    fn packs_at_start(&self) -> PacksAtStart {
        let disk = &self.disk;
        if disk.sets.is_empty() {
            return PacksAtStart::default();
        }
        let known = |pack: &PackId| disk.packs.contains_key(pack);
        let confirmed = |row: &PackRow| {
            let by = |position: &Position| Some((*position, disk.holder_at(row, *position)?));
            row.confirmed.iter().filter_map(by).collect()
        };
        let sealed = disk.packs.iter().filter(|(_, row)| !row.committed);
        let sealed = sealed.map(|(pack, row)| SealedPackFact {
            pack: *pack,
            kind: row.kind,
            set: row.set,
            confirmed: confirmed(row),
        });
        let spooled = disk.packs.iter().flat_map(|(pack, row)| {
            let positions = row.spooled.iter();
            positions.map(|position| (*pack, *position))
        });
        let draft = disk.draft.map(|sequence| DraftFact {
            sequence,
            lists: disk.lists.into_iter().filter(known).collect(),
        });
        let spooled: Vec<_> = spooled.collect();
        let sets: Vec<_> = disk.sets.values().cloned().collect();
        packs_at_start(sealed.collect(), &spooled, &sets, draft.as_ref())
    }

    /// The group that a pack is counted in, once it is committed.
    pub(crate) fn group_of(&self, row: &PackRow) -> Option<Group> {
        let set = self.disk.sets.get(&row.set)?;
        let confirmed = if self.sabotage == Sabotage::ForgetsDebts {
            (0..set.code.n()).map(Position).collect()
        } else {
            let held = row.confirmed.iter();
            let held = held.filter(|position| set.holder_at(**position).is_some());
            held.copied().collect()
        };
        row.committed.then_some(Group {
            set: set.set,
            kind: row.kind,
            is_published: row.published,
            confirmed,
        })
    }

    /// Committed packs by what confirms them.
    fn groups(&self) -> Vec<GroupTotal> {
        let mut groups: BTreeMap<Group, u64> = BTreeMap::new();
        for row in self.disk.packs.values() {
            if let Some(group) = self.group_of(row) {
                *groups.entry(group).or_default() += 1;
            }
        }
        let total = |(group, packs)| GroupTotal {
            group,
            packs,
            bytes: ByteCount(packs),
        };
        groups.into_iter().map(total).collect()
    }
}

impl Disk {
    /// Whether a pack is committed and still kept by as many who count as give it back.
    pub(crate) fn is_known(&self, row: &PackRow) -> bool {
        let Some(set) = self.sets.get(&row.set) else {
            return row.committed && !row.confirmed.is_empty();
        };
        let confirmed = row.confirmed.iter();
        let counted = confirmed.filter(|position| set.position(**position).counts());
        row.committed && counted.count() >= usize::from(known_at(row.kind, set.code))
    }

    /// Chunks that a backup need not store again.
    pub(crate) fn known_chunks(&self) -> BTreeSet<u64> {
        let known = self.packs.values().filter(|row| self.is_known(row));
        known.flat_map(|row| row.chunks.iter().copied()).collect()
    }
}
