//! A machine that has forgotten a part of its lane: it takes in what suppliers keep, and asks each of them
//! which shards it has.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use bitdust_engine::{Input, Output, SetFact, sample};
use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::PROOFS_OF_TRUST;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, Sequence};

use crate::call::Request;
use crate::id::NodeId;
use crate::node::{Lie, PackRow};
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Asks what suppliers keep of the own lane, or takes that in.
    pub(crate) fn do_lane(&mut self, node: NodeId, output: &Output) {
        if let Output::AskTip { device } = *output {
            self.call(node, device, Request::Tip);
        } else if let Output::ListShards { device, pick } = *output {
            self.call(node, device, Request::List { pick });
        } else if let Output::CatchUp { devices, .. } = output {
            self.catch_up(node, devices);
        }
    }

    /// Goes on from the newest head that one of these keeps, if the lists of it can be had now.
    fn catch_up(&mut self, node: NodeId, devices: &[DeviceId]) {
        let wait = self.latency();
        let lane = self.nodes[node.0].device;
        let told = devices.iter().map(|device| self.by_device[device]);
        let told = told.filter(|supplier| self.is_connected(node, *supplier));
        let newest = told.filter_map(|it| self.nodes[it.0].disk.heads.get(&lane).copied());
        let Some(sequence) = newest
            .max()
            .filter(|newest| self.has_lists_of(node, *newest))
        else {
            let (code, moved) = (ErrorCode::TooFewShards, Vec::new());
            return self.deliver(node, wait, Input::StillBehind { code, moved });
        };
        let moved = self.take_lane(node, sequence);
        let versions = self.books.heads[&(node, sequence)].versions.clone();
        self.take_versions(node, versions);
        let disk = &mut self.nodes[node.0].disk;
        let holders = disk.sets.values().flat_map(SetFact::holders);
        disk.unlisted = holders.map(|(_, device)| device).collect();
        disk.draft = None;
        disk.head = Some(sequence);
        let unlisted = disk.unlisted.iter().copied().collect();
        self.books.laid_back.remove(&node);
        let input = Input::CaughtUp {
            sequence,
            moved,
            unlisted,
        };
        self.deliver(node, wait, input);
    }

    /// Whether somebody who is there and honest has the lists of a head.
    fn has_lists_of(&self, node: NodeId, sequence: Sequence) -> bool {
        let head = &self.books.heads[&(node, sequence)];
        let (lane, commit) = (self.nodes[node.0].device, head.commit);
        let holders = self.books.packs[&(node, commit)].set.holders();
        let mut places = holders.map(|(position, device)| (position, self.by_device[&device]));
        places.any(|(position, supplier)| {
            let key = (lane, commit, position);
            let machine = &self.nodes[supplier.0];
            let has_it = machine.disk.kept.contains_key(&key);
            has_it
                && machine.lie == Lie::None
                && self.has_right_bytes(supplier, &key)
                && self.is_connected(node, supplier)
        })
    }

    /// Takes all packs in that a head and those before it list.
    fn take_lane(&mut self, node: NodeId, sequence: Sequence) -> Vec<GroupChange> {
        let heads = self
            .books
            .heads
            .range((node, Sequence(0))..=(node, sequence));
        let packs = heads.flat_map(|(_, head)| head.packs.iter().chain([&head.commit]));
        let packs: BTreeSet<PackId> = packs.copied().collect();
        let mut moved = Vec::new();
        for pack in packs {
            let entry = &self.books.packs[&(node, pack)];
            let row = PackRow {
                set: entry.set.set,
                kind: entry.kind,
                chunks: entry.chunks.clone(),
                confirmed: BTreeSet::new(),
                spooled: BTreeSet::new(),
                damaged: BTreeSet::new(),
                committed: false,
                published: false,
                forgotten: false,
            };
            let known = &mut self.nodes[node.0].disk.packs;
            if let Entry::Vacant(place) = known.entry(pack) {
                place.insert(row);
                // What anybody signed for it is forgotten with it.
                let entry = self.books.packs.get_mut(&(node, pack));
                entry.expect("looked up above").receipts.clear();
            }
            moved.extend(self.change_pack(node, pack, |row| {
                row.committed = true;
                row.published = true;
            }));
        }
        moved
    }

    /// A supplier told which shards it has, or did not: those of which it proves a sample are confirmed.
    pub(crate) fn hear_listing(
        &mut self,
        node: NodeId,
        supplier: NodeId,
        pick: u64,
        answer: Result<(), ErrorCode>,
    ) -> Input {
        let device = self.nodes[supplier.0].device;
        if let Err(code) = answer {
            return Input::ShardsNotListed { device, code };
        }
        let listed = self.listed_by(node, supplier);
        let is_right = self.proves(node, supplier, &listed, pick);
        let is_proved = is_right || self.nodes[node.0].sabotage == Sabotage::BelievesLists;
        self.nodes[node.0].disk.unlisted.remove(&device);
        let mut moved = Vec::new();
        if is_proved {
            for (pack, position) in &listed {
                let entry = self.books.packs.get_mut(&(node, *pack));
                if let Some(entry) = entry.filter(|_| is_right) {
                    entry.receipts.insert(*position, device);
                }
                moved.extend(self.change_pack(node, *pack, |row| {
                    row.confirmed.insert(*position);
                }));
            }
            self.note_proof(node, device);
        }
        Input::ShardsListed {
            device,
            is_proved,
            moved,
        }
    }

    /// What a supplier says that it has of a machine's packs, of what the machine misses. One that keeps nothing
    /// lists all of it.
    fn listed_by(&self, node: NodeId, supplier: NodeId) -> Vec<(PackId, Position)> {
        let (machine, supplier) = (&self.nodes[node.0], &self.nodes[supplier.0]);
        let missing = machine.disk.packs.iter().filter_map(|(pack, row)| {
            let position = machine
                .disk
                .sets
                .get(&row.set)?
                .position_of(supplier.device)?;
            (!row.confirmed.contains(&position)).then_some((*pack, position))
        });
        let is_listed = |(pack, position): &(PackId, Position)| {
            let key = (machine.device, *pack, *position);
            supplier.lie == Lie::KeepsNothing || supplier.disk.kept.contains_key(&key)
        };
        missing.filter(is_listed).collect()
    }

    fn proves(
        &self,
        node: NodeId,
        supplier: NodeId,
        listed: &[(PackId, Position)],
        pick: u64,
    ) -> bool {
        let lane = self.nodes[node.0].device;
        let kept = &self.nodes[supplier.0].disk.kept;
        let turns = (0..PROOFS_OF_TRUST).take(listed.len());
        let mut chosen = turns.filter_map(|turn| sample(pick, turn, listed.len() as u64));
        chosen.all(|chosen| {
            let chosen = usize::try_from(chosen).ok();
            let Some((pack, position)) = chosen.and_then(|it| listed.get(it)) else {
                return false;
            };
            let key = (lane, *pack, *position);
            kept.contains_key(&key) && self.has_right_bytes(supplier, &key)
        })
    }
}
