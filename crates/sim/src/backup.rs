//! A backup in this world: the walk, the packs that it seals, the lists, the head.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitdust_engine::{Input, JobId, VersionFact};
use bitdust_model::ledger::{AtHand, GroupChange};
use bitdust_model::limits::PACKS_IN_FLIGHT_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{ByteCount, FolderId, PackId, Sequence};

use crate::books::{HeadEntry, PackEntry};
use crate::folder::FOLDER;
use crate::id::NodeId;
use crate::node::{PackRow, Scan};
use crate::world::World;

/// Chunks in a data pack of this world.
const CHUNKS_PER_PACK: usize = 4;
/// Bytes of a shard in this world.
pub(crate) const SHARD_BYTES: ByteCount = ByteCount(10);

impl World {
    /// A machine asks itself for a backup.
    pub(crate) fn begin_backup(&mut self, node: NodeId, folders: Vec<FolderId>) {
        let job = self.fresh_job();
        let wait = self.disk_time();
        let asked = Input::BackupAsked {
            job,
            folders,
            is_scheduled: true,
        };
        self.deliver(node, wait, asked);
    }

    /// Begins the walk of a backup and the sealing of what it finds.
    pub(crate) fn start_scan(&mut self, node: NodeId, job: JobId, at_hand: AtHand) {
        let disk = &self.nodes[node.0].disk;
        let snapshot = disk.folder.clone();
        let left: Vec<_> = snapshot.difference(&disk.known_chunks()).copied().collect();
        let is_changed = self.newest_version(node).as_ref() != Some(&snapshot);
        let still = self.still_at_hand(node, at_hand);
        let scan = Scan {
            taken_at: self.nodes[node.0].wall_clock(self.now),
            snapshot,
            is_changed,
            left,
            // Pages that are the same lie in a pack already.
            trees_left: u8::from(is_changed),
            still,
            trees: BTreeSet::new(),
            sealed: BTreeSet::new(),
            told: false,
        };
        self.nodes[node.0].memory.scans.insert(job, scan);
        self.nodes[node.0].memory.sealing = Some(job);
        self.seal_on(node);
    }

    /// The pages that never change, as the newest version has them, where somebody who is there has them.
    fn still_at_hand(&self, node: NodeId, at_hand: AtHand) -> Option<PackId> {
        let disk = &self.nodes[node.0].disk;
        let still = self.books.heads.get(&(node, disk.head?))?.still?;
        let row = disk.packs.get(&still)?;
        let mut confirmed = row.confirmed.iter();
        let is_at_hand = confirmed.any(|position| at_hand.positions.has(*position));
        (row.set == at_hand.set && row.committed && is_at_hand).then_some(still)
    }

    /// Seals further packs of the walk while memory allows, and tells when it is over.
    pub(crate) fn seal_on(&mut self, node: NodeId) {
        let Some(job) = self.nodes[node.0].memory.sealing else {
            return;
        };
        while self.nodes[node.0].memory.held.len() < PACKS_IN_FLIGHT_MAX {
            let Some(scan) = self.nodes[node.0].memory.scans.get_mut(&job) else {
                return;
            };
            if !scan.left.is_empty() {
                let rest = scan.left.split_off(CHUNKS_PER_PACK.min(scan.left.len()));
                let chunks = std::mem::replace(&mut scan.left, rest)
                    .into_iter()
                    .collect();
                self.seal(node, job, PackKind::Data, chunks);
            } else if scan.trees_left > 0 {
                scan.trees_left -= 1;
                self.seal(node, job, PackKind::Tree, BTreeSet::new());
            } else {
                if !scan.told {
                    scan.told = true;
                    let versions = vec![VersionFact {
                        folder: FOLDER,
                        is_changed: scan.is_changed,
                    }];
                    let finished = Input::ScanFinished { job, versions };
                    self.deliver(node, Duration::from_millis(30), finished);
                }
                return;
            }
        }
    }

    /// The folder as the machine's newest head has it.
    fn newest_version(&self, node: NodeId) -> Option<BTreeSet<u64>> {
        let head = self.nodes[node.0].disk.head?;
        let entry = self.books.heads.get(&(node, head))?;
        Some(entry.snapshot.clone())
    }

    fn seal(&mut self, node: NodeId, job: JobId, kind: PackKind, chunks: BTreeSet<u64>) -> PackId {
        let pack = PackId(self.fresh_bytes());
        let machine = &mut self.nodes[node.0];
        let Some(set) = machine.disk.set_for_new_packs().cloned() else {
            self.break_promise("a pack is sealed before there is a set".to_owned());
            return pack;
        };
        if let Some(scan) = machine.memory.scans.get_mut(&job) {
            scan.sealed.insert(pack);
            if kind == PackKind::Tree {
                scan.still.get_or_insert(pack);
                scan.trees.insert(pack);
            }
        }
        machine.memory.held.insert(pack);
        let id = set.set;
        let row = PackRow {
            set: id,
            kind,
            chunks: chunks.clone(),
            confirmed: BTreeSet::new(),
            spooled: BTreeSet::new(),
            damaged: BTreeSet::new(),
            committed: false,
            published: false,
            forgotten: false,
        };
        machine.disk.packs.insert(pack, row);
        let receipts = BTreeMap::new();
        self.books.packs.insert(
            (node, pack),
            PackEntry {
                kind,
                job,
                set,
                chunks,
                receipts,
            },
        );
        let input = Input::PackSealed {
            job,
            pack,
            set: id,
            kind,
            shard_bytes: SHARD_BYTES,
        };
        self.deliver(node, Duration::from_millis(10), input);
        pack
    }

    /// Makes the chunks of a pack known.
    pub(crate) fn commit_pack(&mut self, node: NodeId, pack: PackId) {
        let moved = self.change_pack(node, pack, |row| row.committed = true);
        let wait = self.disk_time();
        self.deliver(node, wait, Input::PackCommitted { pack, moved });
    }

    /// Lets a pack go from memory, which makes room for the next.
    pub(crate) fn release_pack(&mut self, node: NodeId, pack: PackId) {
        self.nodes[node.0].memory.held.remove(&pack);
        self.seal_on(node);
    }

    /// Seals the lists, and writes the head that names them. It has new versions of these folders;
    /// any other is in it as it was.
    pub(crate) fn seal_metadata(&mut self, node: NodeId, job: JobId, folders: &[FolderId]) {
        let commit = self.seal(node, job, PackKind::Commit, BTreeSet::new());
        let disk = &mut self.nodes[node.0].disk;
        let sequence = disk.newest_number().unwrap_or(Sequence(0)).next();
        disk.draft = Some(sequence);
        disk.lists = Some(commit);
        let is_named = |row: &PackRow| disk.is_known(row) && !row.forgotten;
        let known = disk.packs.iter().filter(|(_, row)| is_named(row));
        let mut packs: BTreeSet<_> = known.map(|(pack, _)| *pack).collect();
        let Some(scan) = self.nodes[node.0].memory.scans.get(&job) else {
            return;
        };
        packs.extend(scan.sealed.iter().copied());
        packs.remove(&commit);
        let (mut trees, mut still) = (scan.trees.clone(), scan.still);
        let is_new = folders.contains(&FOLDER) && scan.is_changed;
        let taken_at = is_new.then_some(scan.taken_at);
        let snapshot = if is_new {
            trees.extend(still);
            scan.snapshot.clone()
        } else {
            let head = self.nodes[node.0].disk.head;
            let newest = head.and_then(|head| self.books.heads.get(&(node, head)));
            trees = newest
                .map(|newest| newest.trees.clone())
                .unwrap_or_default();
            still = newest.and_then(|newest| newest.still);
            self.newest_version(node).unwrap_or_default()
        };
        let entry = HeadEntry {
            snapshot,
            trees,
            still,
            packs,
            commit,
            kept: BTreeSet::new(),
            recorded: false,
            written_at: self.nodes[node.0].wall_clock(self.now),
            received_at: BTreeMap::new(),
            versions: self.versions_of_head(node, sequence, taken_at),
        };
        self.books.heads.insert((node, sequence), entry);
        let input = Input::MetadataSealed { job, sequence };
        self.deliver(node, Duration::from_millis(20), input);
    }

    /// Makes a head the newest of its machine.
    pub(crate) fn record_commit(&mut self, node: NodeId, sequence: Sequence) {
        let disk = &mut self.nodes[node.0].disk;
        disk.head = disk.head.max(Some(sequence));
        if disk.draft == Some(sequence) {
            disk.draft = None;
        }
        let mut moved = Vec::new();
        if let Some(entry) = self.books.heads.get_mut(&(node, sequence)) {
            entry.recorded = true;
            let packs = entry.packs.clone();
            let versions = entry.versions.clone();
            for pack in packs.into_iter().chain([entry.commit]) {
                moved.extend(self.change_pack(node, pack, |row| row.published |= row.committed));
            }
            self.record_versions(node, versions);
        }
        let wait = self.disk_time();
        self.deliver(node, wait, Input::CommitRecorded { sequence, moved });
    }

    /// Changes a pack in the catalogue; gives how that moves it, once it is committed.
    pub(crate) fn change_pack(
        &mut self,
        node: NodeId,
        pack: PackId,
        change: impl FnOnce(&mut PackRow),
    ) -> Option<GroupChange> {
        let machine = &mut self.nodes[node.0];
        let mut row = machine.disk.packs.get(&pack)?.clone();
        let from = machine.group_of(&row);
        change(&mut row);
        let to = machine.group_of(&row);
        machine.disk.packs.insert(pack, row);
        let to = to?;
        (from != Some(to)).then_some(GroupChange {
            from,
            to,
            packs: 1,
            bytes: ByteCount(1),
        })
    }
}
