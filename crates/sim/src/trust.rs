//! What suppliers lose, and what their customers make of it.

use bitdust_engine::{Input, Output, sample};
use bitdust_model::{DeviceId, PackId, Position};

use crate::call::Request;
use crate::id::NodeId;
use crate::node::{Lie, PackRow};
use crate::world::World;

impl World {
    /// Carries out an output that concerns what a supplier keeps.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`do_output` is the exhaustive match"
    )]
    pub(crate) fn do_check(&mut self, node: NodeId, output: Output) {
        match output {
            Output::CheckSupplier { device, pick, turn } => {
                self.check_supplier(node, device, pick, turn);
            }
            Output::WithdrawShards {
                device,
                shards,
                is_suspect,
                ..
            } => self.withdraw_shards(node, device, &shards, is_suspect),
            Output::WithdrawAll { device, .. } => self.withdraw_all(node, device),
            Output::TrustSupplier { device } => {
                self.books.suspect.remove(&(node, device));
                if let Some(fact) = self.nodes[node.0].disk.suppliers.get_mut(&device) {
                    fact.suspect = None;
                }
                let wait = self.disk_time();
                self.deliver(node, wait, Input::TrustRecorded { device });
            }
            _ => {}
        }
    }

    fn check_supplier(&mut self, node: NodeId, device: DeviceId, pick: u64, turn: u8) {
        let shards = self.confirmed_by(node, device);
        let Some(index) = sample(pick, turn, shards.len() as u64) else {
            let wait = self.disk_time();
            self.deliver(node, wait, Input::CheckEmpty { device });
            return;
        };
        let (pack, position) = shards[usize::try_from(index).expect("below a length")];
        self.call(node, device, Request::Check { pack, position });
    }

    /// The shards that a supplier confirmed, by the customer's catalogue.
    fn confirmed_by(&self, node: NodeId, device: DeviceId) -> Vec<(PackId, Position)> {
        let disk = &self.nodes[node.0].disk;
        let shards = disk.packs.iter().filter_map(|(pack, row)| {
            let position = disk.position_of(row, device)?;
            row.confirmed
                .contains(&position)
                .then_some((*pack, position))
        });
        shards.collect()
    }

    fn withdraw_shards(
        &mut self,
        node: NodeId,
        device: DeviceId,
        lost: &[(PackId, Position)],
        is_suspect: bool,
    ) {
        let confirmed = self.confirmed_by(node, device);
        let shards: Vec<_> = lost
            .iter()
            .copied()
            .filter(|shard| confirmed.contains(shard))
            .collect();
        let mut moved = Vec::new();
        for (pack, position) in &shards {
            let unconfirm = |row: &mut PackRow| {
                row.confirmed.remove(position);
            };
            moved.extend(self.change_pack(node, *pack, unconfirm));
        }
        if is_suspect || !shards.is_empty() {
            let known = self.nodes[node.0].disk.suppliers.get_mut(&device);
            if let Some(fact) = known {
                fact.suspect.get_or_insert(0);
            }
        }
        if is_suspect {
            self.books.suspect.insert((node, device));
        }
        let wait = self.disk_time();
        let all = false;
        self.deliver(
            node,
            wait,
            Input::ShardsWithdrawn {
                device,
                shards,
                all,
                moved,
            },
        );
    }

    fn withdraw_all(&mut self, node: NodeId, device: DeviceId) {
        if let Some(fact) = self.nodes[node.0].disk.suppliers.get_mut(&device) {
            fact.suspect = Some(fact.suspect.unwrap_or(0).saturating_add(1));
        }
        for keepers in self.nodes[node.0].disk.keepers.values_mut() {
            keepers.remove(&device);
        }
        let mut moved = Vec::new();
        for (pack, position) in self.confirmed_by(node, device) {
            let unconfirm = |row: &mut PackRow| {
                row.confirmed.remove(&position);
            };
            moved.extend(self.change_pack(node, pack, unconfirm));
        }
        let wait = self.disk_time();
        let (shards, all) = (Vec::new(), true);
        self.deliver(
            node,
            wait,
            Input::ShardsWithdrawn {
                device,
                shards,
                all,
                moved,
            },
        );
    }

    /// After a stop a customer doubts whom its catalogue says to doubt; what was not recorded is found
    /// again.
    pub(crate) fn doubt_what_is_recorded(&mut self, node: NodeId) {
        let suppliers = &self.nodes[node.0].disk.suppliers;
        self.books.suspect.retain(|(of, device)| {
            let fact = suppliers.get(device);
            *of != node || fact.is_some_and(|fact| fact.suspect.is_some())
        });
    }

    /// The books follow what an engine is told was taken back.
    pub(crate) fn note_withdrawn(&mut self, node: NodeId, input: &Input) {
        let Input::ShardsWithdrawn {
            device,
            shards,
            all,
            ..
        } = input
        else {
            return;
        };
        if *all || !shards.is_empty() {
            self.books.suspect.insert((node, *device));
        }
        let packs = self.books.packs.iter_mut();
        for ((_, pack), entry) in packs.filter(|((owner, _), _)| *owner == node) {
            let is_lost = |position| *all || shards.contains(&(*pack, position));
            let receipts = &mut entry.receipts;
            receipts.retain(|position, by| by != device || !is_lost(*position));
        }
        if *all {
            let heads = self.books.heads.iter_mut();
            for (_, head) in heads.filter(|((owner, _), _)| *owner == node) {
                head.kept.remove(device);
            }
        }
    }

    /// Whether a supplier can prove what it keeps at a place.
    pub(crate) fn has_right_bytes(
        &self,
        supplier: NodeId,
        key: &(DeviceId, PackId, Position),
    ) -> bool {
        let machine = &self.nodes[supplier.0];
        let is_honest = matches!(machine.lie, Lie::None | Lie::KeepsNothing);
        is_honest && !machine.disk.rotten.contains(key)
    }

    /// So many of a hundred shards that a machine keeps for others rot or vanish; at least one does.
    pub fn lose_some(&mut self, node: NodeId, percent: u64, rots: bool) {
        let kept: Vec<_> = self.nodes[node.0].disk.kept.keys().copied().collect();
        let is_lost: Vec<_> = kept.iter().map(|_| self.random.chance(percent)).collect();
        let first = self.random.below(kept.len().max(1) as u64);
        let disk = &mut self.nodes[node.0].disk;
        disk.has_lost = true;
        for ((index, key), is_lost) in (0..).zip(kept).zip(is_lost) {
            if !is_lost && index != first {
                continue;
            }
            if rots {
                disk.rotten.insert(key);
            } else {
                disk.kept.remove(&key);
            }
        }
    }

    /// By how many suppliers each pack of the newest published version is really kept whole, at least.
    #[must_use]
    pub fn truly_kept(&self, node: NodeId) -> usize {
        let disk = &self.nodes[node.0].disk;
        let head = disk
            .head
            .and_then(|head| self.books.heads.get(&(node, head)));
        let Some(head) = head else {
            return 0;
        };
        let lane = self.nodes[node.0].device;
        let holders = |pack: &PackId| {
            let places = self.books.packs[&(node, *pack)].set.holders();
            let whole = places.filter(|(position, holder)| {
                let (supplier, key) = (self.by_device[holder], (lane, *pack, *position));
                let is_kept = self.nodes[supplier.0].disk.kept.contains_key(&key);
                is_kept && self.has_right_bytes(supplier, &key)
            });
            whole.count()
        };
        let packs = head.packs.iter().chain([&head.commit]);
        packs.map(holders).min().unwrap_or(0)
    }
}
