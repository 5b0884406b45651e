//! Versions as catalogues of this world list them, and the world's own book of the order in which they
//! were made. Which place a version gets, and how they lie in one row, is decided by the product's own code.

use std::collections::BTreeMap;

use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::tree::Meta;
use bitdust_model::versions::{oldest_first, place_new};
use bitdust_model::witness::{Witnessed, believed};
use bitdust_model::{DeviceId, Sequence, SnapshotId, UnixMillis};

use crate::failure::Failure;
use crate::folder::FOLDER;
use crate::id::NodeId;
use crate::sabotage::Sabotage;
use crate::world::World;

/// Names a version by its machine and head: chance is for what happens in this world. Names lie in no
/// order that means anything.
fn version_id(node: NodeId, sequence: Sequence) -> SnapshotId {
    let mut id = [0; 32];
    let mixed = sequence.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    id[..8].copy_from_slice(&mixed.to_be_bytes());
    id[8..16].copy_from_slice(&sequence.0.to_be_bytes());
    id[16..24].copy_from_slice(&(node.0 as u64).to_be_bytes());
    SnapshotId(id)
}

impl World {
    /// All versions of the machine, as a new head names them; with a new one where its walk found one.
    pub(crate) fn versions_of_head(
        &self,
        node: NodeId,
        sequence: Sequence,
        taken_at: Option<UnixMillis>,
    ) -> Vec<SnapshotRecord> {
        let machine = &self.nodes[node.0];
        let taken = |taken_at| SnapshotRecord {
            snapshot: version_id(node, sequence),
            folder: FOLDER,
            path: Vec::new(),
            device: machine.device,
            order: 0,
            taken_at,
            is_clock_suspect: false,
            root: Meta::default(),
            pages: Vec::new(),
            files: 0,
            bytes: 0,
            problems: 0,
        };
        let mut new: Vec<_> = taken_at.map(taken).into_iter().collect();
        place_new(&machine.disk.versions, self.last_written_at(node), &mut new);
        let versions = machine.disk.versions.iter();
        let own = versions.filter(|version| version.device == machine.device);
        own.cloned().chain(new).collect()
    }

    /// When the machine's newest head was written, as far as its time is believed.
    fn last_written_at(&self, node: NodeId) -> UnixMillis {
        let newest = self.nodes[node.0].disk.head;
        let head = newest.and_then(|newest| self.books.heads.get(&(node, newest)));
        head.map_or(UnixMillis(0), |head| {
            let received = head.received_at.values().copied().collect();
            believed(head.written_at, Witnessed::of(received))
        })
    }

    /// A head was published: its new version is made. All lie in the order in which they were.
    pub(crate) fn record_versions(&mut self, node: NodeId, versions: Vec<SnapshotRecord>) {
        for version in &versions {
            let made = (node, version.snapshot);
            if !self.books.made.contains(&made) {
                self.books.made.push(made);
            }
        }
        self.take_versions(node, versions);
        if let Some(why) = self.why_not_in_order(node) {
            self.break_promise(why);
        }
    }

    /// A catalogue takes versions in; those that it has stay.
    pub(crate) fn take_versions(&mut self, node: NodeId, versions: Vec<SnapshotRecord>) {
        let known = &mut self.nodes[node.0].disk.versions;
        for version in versions {
            if !known.iter().any(|it| it.snapshot == version.snapshot) {
                known.push(version);
            }
        }
    }

    /// The machine's versions as it lists them, the oldest first.
    fn listed(&self, node: NodeId) -> Vec<SnapshotRecord> {
        let machine = &self.nodes[node.0];
        let mut versions = machine.disk.versions.clone();
        if machine.sabotage == Sabotage::OrdersByTime {
            versions.sort_by_key(|version| version.taken_at);
            return versions;
        }
        oldest_first(versions, machine.wall_clock(self.now))
    }

    /// How many versions a machine lists.
    #[must_use]
    pub fn versions_listed(&self, node: NodeId) -> usize {
        self.nodes[node.0].disk.versions.len()
    }

    /// Fails where a machine lists versions of one device in another order than that in which they were
    /// made.
    pub fn check_versions(&self, node: NodeId) -> Result<(), Failure> {
        match self.why_not_in_order(node) {
            Some(why) => Err(self.fail(why)),
            None => Ok(()),
        }
    }

    pub(crate) fn why_not_in_order(&self, node: NodeId) -> Option<String> {
        let mut lists: BTreeMap<DeviceId, Vec<SnapshotId>> = BTreeMap::new();
        for version in self.listed(node) {
            let list = lists.entry(version.device).or_default();
            list.push(version.snapshot);
        }
        lists.into_iter().find_map(|(device, listed)| {
            let maker = self.by_device[&device];
            let mut made = self.books.made.clone();
            made.retain(|(by, version)| *by == maker && listed.contains(version));
            let made: Vec<_> = made.into_iter().map(|(_, version)| version).collect();
            (made != listed).then(|| {
                let (node, maker) = (node.0, maker.0);
                format!("node {node} lists versions of node {maker} in another order than made")
            })
        })
    }

    /// Fails unless what a machine calls its latest version is the one that was made last of all.
    pub fn expect_latest(&self, node: NodeId) -> Result<(), Failure> {
        let latest = self.listed(node).pop().map(|version| version.snapshot);
        let made = self.books.made.last().map(|(_, version)| *version);
        self.expect(latest.is_some() && latest == made, || {
            "the version that was made last as the latest".to_owned()
        })
    }
}
