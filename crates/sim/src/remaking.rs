//! Owed shards that are made anew from what others keep of their packs, one at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use bitdust_engine::{DebtFact, FetchId, Input, JobId, OwedFact};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position};

use crate::id::NodeId;
use crate::node::{FetchRow, Node, PackRow};
use crate::restore::places;
use crate::world::World;

impl World {
    /// Wants a whole pack of the machine's own, from positions that confirmed it before others.
    pub(crate) fn want_sealed(&mut self, node: NodeId, fetch: FetchId, pack: PackId) {
        let entry = &self.books.packs[&(node, pack)];
        let k = self.k_of(entry);
        let confirmed = &self.nodes[node.0].disk.packs[&pack].confirmed;
        let mut positions: Vec<_> = (0..entry.set.code.n()).map(Position).collect();
        positions.sort_by_key(|position| !confirmed.contains(position));
        let places = places(entry, positions);
        let job = JobId(0);
        let row = FetchRow {
            job,
            owner: node,
            pack,
            k,
            direct: Vec::new(),
            pieces: BTreeMap::new(),
        };
        self.nodes[node.0].memory.fetches.insert(fetch, row);
        let input = Input::FetchWanted {
            fetch,
            job,
            pack,
            k,
            direct: Vec::new(),
            places,
        };
        self.deliver(node, Duration::from_millis(2), input);
    }

    /// Makes a shard anew that a supplier is owed; where another one is being made, after it.
    pub(crate) fn remake_shard(&mut self, node: NodeId, device: DeviceId, debts: Vec<DebtFact>) {
        let memory = &mut self.nodes[node.0].memory;
        if !memory.remakes.is_empty() {
            memory.remakes_waiting.push((device, debts));
            return;
        }
        let Some((pack, position)) = self.next_owed(node, &debts) else {
            let input = if self.try_all_again(node, device) {
                let code = ErrorCode::TooFewShards;
                Input::RemakeFailed { device, code }
            } else {
                Input::NothingOwed { device }
            };
            let wait = self.disk_time();
            self.deliver(node, wait, input);
            return;
        };
        let fetch = FetchId(self.random.next_word());
        let remakes = &mut self.nodes[node.0].memory.remakes;
        remakes.insert(fetch, (pack, position, device));
        self.want_sealed(node, fetch, pack);
    }

    /// The committed pack that a supplier lacks and that is not at hand: one of which enough can be
    /// reached before others, with the fewest confirmations.
    fn next_owed(&self, node: NodeId, debts: &[DebtFact]) -> Option<(PackId, Position)> {
        let machine = &self.nodes[node.0];
        let memory = &machine.memory;
        let owed = machine.disk.packs.iter().filter_map(|(pack, row)| {
            let debt = debts.iter().find(|debt| debt.set == row.set)?;
            let shard = (*pack, debt.position);
            let is_at_hand = memory.held.contains(pack) || memory.remade.contains(&shard);
            let is_owed = row.committed && !row.confirmed.contains(&debt.position);
            let is_wanted = is_owed && !is_at_hand && !memory.unmakable.contains(&shard);
            is_wanted.then_some((pack, row, debt))
        });
        let is_short = |pack: &PackId, row: &PackRow, debt: &DebtFact| {
            let there = row.confirmed.iter().filter(|it| debt.reachable.has(**it));
            there.count() < usize::from(self.k_of(&self.books.packs[&(node, *pack)]))
        };
        let (pack, _, debt) =
            owed.min_by_key(|(pack, row, debt)| (is_short(pack, row, debt), row.confirmed.len()))?;
        Some((*pack, debt.position))
    }

    /// What could not be made for a supplier may be tried again; says whether there is any.
    fn try_all_again(&mut self, node: NodeId, device: DeviceId) -> bool {
        let Node { disk, memory, .. } = &mut self.nodes[node.0];
        let before = memory.unmakable.len();
        memory.unmakable.retain(|(pack, of)| {
            let row = disk.packs.get(pack);
            row.and_then(|row| disk.holder_at(row, *of)) != Some(device)
        });
        memory.unmakable.len() < before
    }

    /// Who waits for a shard, while none is being made.
    fn next_remake(&mut self, node: NodeId) -> Option<(DeviceId, Vec<DebtFact>)> {
        let memory = &mut self.nodes[node.0].memory;
        let is_free = memory.remakes.is_empty() && !memory.remakes_waiting.is_empty();
        is_free.then(|| memory.remakes_waiting.remove(0))
    }

    /// The fetch for a shard that is made anew ended; says whether it was one.
    pub(crate) fn remake_ended(&mut self, node: NodeId, fetch: FetchId, is_decoded: bool) -> bool {
        let memory = &mut self.nodes[node.0].memory;
        let Some((pack, position, device)) = memory.remakes.remove(&fetch) else {
            return false;
        };
        let row = self.nodes[node.0].disk.packs.get(&pack).cloned();
        let input = match row.filter(|_| is_decoded) {
            Some(row) => {
                let remade = &mut self.nodes[node.0].memory.remade;
                remade.insert((pack, position));
                Input::ShardRemade(OwedFact {
                    pack,
                    set: row.set,
                    kind: row.kind,
                    position,
                    device,
                    confirmed: row.confirmed.into_iter().collect(),
                    is_committed: true,
                })
            }
            None => {
                let unmakable = &mut self.nodes[node.0].memory.unmakable;
                unmakable.insert((pack, position));
                let code = ErrorCode::TooFewShards;
                Input::RemakeFailed { device, code }
            }
        };
        let wait = self.disk_time();
        self.deliver(node, wait, input);
        while let Some((next, debts)) = self.next_remake(node) {
            self.remake_shard(node, next, debts);
        }
        true
    }
}
