//! Doing what an engine asks on the customer's side: hire, send, spool, publish.

use bitdust_engine::{
    Input, JobId, OfferFact, Output, OwedFact, Phase, ReceiptFact, SetFact, SupplierFact,
};
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, PackId, Position, Sequence, SetId,
};

use crate::backup::SHARD_BYTES;
use crate::books::LaneEntry;
use crate::call::Request;
use crate::id::NodeId;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Carries out one output.
    pub(crate) fn do_output(&mut self, node: NodeId, output: Output) {
        if self.is_refused(node, &output) || self.waits_for_space(node, &output) {
            return;
        }
        match output {
            Output::RetryWrites => self.retry_writes(node),
            Output::PublishRecords { settled, .. } => self.publish_records(node, settled),
            Output::Dial { device } => self.dial(node, device),
            Output::RememberContact { device } => self.remember_contact(node, device),
            Output::SearchOffers { .. } => self.search_offers(node),
            Output::AdoptSupplier { offer } => self.adopt(node, &offer),
            Output::Propose { device, bytes } => {
                self.call(node, device, Request::Propose { bytes });
            }
            Output::RecordSet { code, holders } => self.record_set(node, code, holders),
            Output::CheckSupplier { .. }
            | Output::WithdrawShards { .. }
            | Output::WithdrawAll { .. }
            | Output::TrustSupplier { .. } => self.do_check(node, output),
            Output::WatchFolder { folder } => self.watch_folder(node, folder),
            Output::UnwatchFolder { .. } => {}
            Output::BackUp { folders } => self.begin_backup(node, folders),
            Output::StartScan { job, at_hand } => self.start_scan(node, job, at_hand),
            Output::SendShard { .. } => self.do_send(node, &output),
            Output::SpoolShard { .. }
            | Output::LoadSpool { .. }
            | Output::RemakeShard { .. }
            | Output::ReleaseShard { .. }
            | Output::RemoveSpooled { .. } => self.do_spool(node, output),
            Output::CommitPack { pack } => self.commit_pack(node, pack),
            Output::ReleasePack { pack } => self.release_pack(node, pack),
            Output::SealMetadata { job, folders, .. } => self.seal_metadata(node, job, &folders),
            Output::AskTip { .. } | Output::CatchUp { .. } | Output::ListShards { .. } => {
                self.do_lane(node, &output);
            }
            Output::PutHead { device, sequence } => self.put_head(node, device, sequence),
            Output::RecordCommit { sequence } => self.record_commit(node, sequence),
            Output::JobMoved { job, phase } => self.job_moved(node, job, phase),
            Output::JobEnded { job, failure, .. } => self.end_job(node, job, failure),
            Output::StartRestore { .. }
            | Output::FetchRange { .. }
            | Output::Decode { .. }
            | Output::GiveUpFetch { .. }
            | Output::SeekRoot { .. }
            | Output::SeekLanes { .. }
            | Output::AskHeads { .. }
            | Output::RebuildCatalogue { .. }
            | Output::EnterDevice { .. } => self.do_restore(node, output),
            Output::AcceptContract { .. }
            | Output::AcceptStore { .. }
            | Output::AllowAccess { .. }
            | Output::Refuse { .. }
            | Output::PublishDeposits => self.do_supply(node, output),
        }
    }

    fn do_send(&mut self, node: NodeId, output: &Output) {
        if let Output::SendShard {
            pack,
            position,
            device,
            ..
        } = *output
        {
            self.send_shard(node, pack, position, device);
        }
    }

    fn job_moved(&mut self, node: NodeId, job: JobId, phase: Phase) {
        self.nodes[node.0].memory.told.insert(job, phase);
    }

    fn end_job(&mut self, node: NodeId, job: JobId, failure: Option<ErrorCode>) {
        let memory = &mut self.nodes[node.0].memory;
        memory.scans.remove(&job);
        memory.ended.insert(job, failure);
    }

    /// Carries out an output of the spool.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`do_output` is the exhaustive match"
    )]
    fn do_spool(&mut self, node: NodeId, output: Output) {
        match output {
            Output::SpoolShard { pack, position } => self.spool_shard(node, pack, position),
            Output::LoadSpool { device } => self.load_spool(node, device),
            Output::RemakeShard { device, debts } => self.remake_shard(node, device, debts),
            Output::ReleaseShard { pack, position } => {
                self.nodes[node.0].memory.remade.remove(&(pack, position));
            }
            Output::RemoveSpooled {
                pack,
                position,
                device,
            } => self.remove_spooled(node, pack, position, device),
            _ => {}
        }
    }

    /// Whether what is asked for meets a disk that takes nothing this time, as the engine is told
    /// then.
    fn is_refused(&mut self, node: NodeId, output: &Output) -> bool {
        let percent = self.nodes[node.0].disk_failures;
        let is_written = matches!(
            output,
            Output::RememberContact { .. }
                | Output::AdoptSupplier { .. }
                | Output::RecordSet { .. }
                | Output::WithdrawShards { .. }
                | Output::WithdrawAll { .. }
                | Output::TrustSupplier { .. }
                | Output::CommitPack { .. }
                | Output::RecordCommit { .. }
                | Output::LoadSpool { .. }
                | Output::AcceptContract { .. }
        );
        let is_refused = percent > 0 && is_written && self.random.chance(percent);
        if is_refused {
            self.refuse_effect(node, output);
        }
        is_refused
    }

    /// Nothing is written, and the engine is told so.
    fn refuse_effect(&mut self, node: NodeId, output: &Output) {
        let code = ErrorCode::DiskFull;
        if let Output::WithdrawShards {
            device,
            is_suspect: true,
            ..
        } = output
        {
            self.books.suspect.insert((node, *device));
        }
        if let Output::AcceptContract { ask } = output
            && let Some(call) = self.nodes[node.0].memory.asks.remove(ask)
        {
            self.answer(call, Err(code));
        }
        let is_told = self.nodes[node.0].sabotage != Sabotage::SwallowsFailures;
        if let Some(input) = output.failure(code).filter(|_| is_told) {
            let wait = self.disk_time();
            self.deliver(node, wait, input);
        }
    }

    fn put_head(&mut self, node: NodeId, device: DeviceId, sequence: Sequence) {
        if self.has_its_lists(node, device, sequence) {
            return self.call(node, device, Request::PutHead { sequence });
        }
        let wait = self.disk_time();
        let code = ErrorCode::Busy;
        let refused = Input::HeadRefused {
            device,
            sequence,
            code,
        };
        self.deliver(node, wait, refused);
    }

    /// Whether a supplier signed for the lists that a head names: else it is too early for it.
    fn has_its_lists(&self, node: NodeId, device: DeviceId, sequence: Sequence) -> bool {
        let head = self.books.heads.get(&(node, sequence));
        let lists = head.and_then(|head| self.books.packs.get(&(node, head.commit)));
        lists.is_some_and(|lists| lists.receipts.values().any(|by| *by == device))
    }

    fn publish_records(&mut self, node: NodeId, settled: Option<Sequence>) {
        let machine = &mut self.nodes[node.0];
        machine.disk.settled = machine.disk.settled.max(settled);
        let key = (machine.identity, machine.device);
        if let (Some(set), Some(head)) = (machine.disk.home_set(), machine.disk.head) {
            let entry = LaneEntry {
                suppliers: set.holders().map(|(_, holder)| holder).collect(),
                k: set.code.k(),
                head,
                published_at: self.now,
            };
            self.books.lanes.insert(key, entry);
        }
        let wait = self.latency();
        self.deliver(node, wait, Input::RecordsPublished);
    }

    fn search_offers(&mut self, node: NodeId) {
        let mut offers = Vec::new();
        for (index, other) in self.nodes.iter().enumerate() {
            let promised = other
                .disk
                .customers
                .values()
                .fold(0, |sum, it| sum + it.contract.0);
            let free = other.disk.offered.0.saturating_sub(promised);
            if index != node.0 && other.is_up() && free > 0 {
                offers.push(OfferFact {
                    device: other.device,
                    identity: other.identity,
                    free: ByteCount(free),
                });
            }
        }
        let wait = self.latency();
        self.deliver(node, wait, Input::OffersFound { offers });
    }

    fn adopt(&mut self, node: NodeId, offer: &OfferFact) {
        let fact = SupplierFact {
            device: offer.device,
            identity: offer.identity,
            friend: false,
            contract: None,
            proved_ago_ms: None,
            suspect: None,
            missed_ago_ms: None,
        };
        self.nodes[node.0]
            .disk
            .suppliers
            .entry(offer.device)
            .or_insert(fact);
        let wait = self.disk_time();
        let device = offer.device;
        self.deliver(node, wait, Input::SupplierAdopted { device });
    }

    fn remember_contact(&mut self, node: NodeId, device: DeviceId) {
        let wait = self.disk_time();
        self.deliver(node, wait, Input::ContactRemembered { device });
    }

    fn watch_folder(&mut self, node: NodeId, folder: FolderId) {
        let wait = self.disk_time();
        self.deliver(node, wait, Input::FolderWatched { folder });
    }

    fn record_set(&mut self, node: NodeId, code: Code, holders: Vec<DeviceId>) {
        let set = SetFact::formed(SetId(self.fresh_bytes()), code, holders);
        let disk = &mut self.nodes[node.0].disk;
        disk.home = Some(set.set);
        disk.sets.insert(set.set, set.clone());
        let wait = self.disk_time();
        self.deliver(node, wait, Input::SetRecorded { set });
    }

    fn send_shard(&mut self, node: NodeId, pack: PackId, position: Position, device: DeviceId) {
        let machine = &self.nodes[node.0];
        let row = machine.disk.packs.get(&pack);
        let spooled = row.is_some_and(|row| row.spooled.contains(&position));
        let remade = machine.memory.remade.contains(&(pack, position));
        if !machine.memory.held.contains(&pack) && !spooled && !remade {
            self.break_promise(format!("shard {position} of pack {pack} is not at hand"));
            return;
        }
        self.call(
            node,
            device,
            Request::Store {
                pack,
                position,
                bytes: SHARD_BYTES,
            },
        );
    }

    fn spool_shard(&mut self, node: NodeId, pack: PackId, position: Position) {
        let wait = self.disk_time();
        let machine = &mut self.nodes[node.0];
        if machine.spool_full {
            let code = ErrorCode::QuotaExceeded;
            self.deliver(
                node,
                wait,
                Input::SpoolFailed {
                    pack,
                    position,
                    code,
                },
            );
            return;
        }
        if let Some(row) = machine.disk.packs.get_mut(&pack) {
            row.spooled.insert(position);
        }
        self.deliver(node, wait, Input::ShardSpooled { pack, position });
    }

    fn load_spool(&mut self, node: NodeId, device: DeviceId) {
        let wait = self.disk_time();
        let disk = &self.nodes[node.0].disk;
        let mut packs = disk.packs.iter();
        let next = packs.find_map(|(pack, row)| {
            let position = disk.position_of(row, device)?;
            let is_spooled = row.spooled.contains(&position);
            is_spooled.then(|| (*pack, row.clone(), position))
        });
        let input = match next {
            Some((pack, _, position)) if disk.packs[&pack].damaged.contains(&position) => {
                Input::SpooledDamaged {
                    pack,
                    position,
                    device,
                }
            }
            Some((pack, row, position)) => Input::SpoolLoaded(OwedFact {
                pack,
                set: row.set,
                kind: row.kind,
                position,
                device,
                confirmed: row.confirmed.into_iter().collect(),
                is_committed: row.committed,
            }),
            None => Input::SpoolEmpty { device },
        };
        self.deliver(node, wait, input);
    }

    fn remove_spooled(&mut self, node: NodeId, pack: PackId, position: Position, device: DeviceId) {
        let wait = self.disk_time();
        if let Some(row) = self.nodes[node.0].disk.packs.get_mut(&pack) {
            row.spooled.remove(&position);
            row.damaged.remove(&position);
        }
        self.deliver(node, wait, Input::SpooledRemoved { device });
    }

    /// A supplier proved or receipted something: the catalogue notes when.
    pub(crate) fn note_proof(&mut self, node: NodeId, device: DeviceId) {
        self.books.proofs.insert((node, device), self.now);
        let machine = &mut self.nodes[node.0];
        let at = machine.wall_clock(self.now);
        machine.disk.proved_at.insert(device, at);
    }

    /// A receipt arrived: first the catalogue, then the engine.
    pub(crate) fn take_receipt(
        &mut self,
        node: NodeId,
        pack: PackId,
        position: Position,
        device: DeviceId,
    ) {
        self.note_proof(node, device);
        let moved = self.change_pack(node, pack, |row| {
            row.confirmed.insert(position);
            row.spooled.remove(&position);
        });
        self.nodes[node.0].memory.remade.remove(&(pack, position));
        if let Some(entry) = self.books.packs.get_mut(&(node, pack)) {
            entry.receipts.insert(position, device);
        }
        let receipts = vec![ReceiptFact {
            pack,
            position,
            device,
            moved,
        }];
        self.feed(node, Input::ShardsStored { receipts });
    }
}
