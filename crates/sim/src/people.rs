//! What people and fate do to machines: start, stop, cut, ask for jobs.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_engine::{Input, JobId, Phase, SetFact, SupplierFact};
use bitdust_model::manifest::PackKind;
use bitdust_model::{ByteCount, Code, ErrorCode, PackId, Schedule, Sequence};

use crate::folder::{FOLDER, folder_fact};
use crate::id::NodeId;
use crate::network::pair;
use crate::node::Lie;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Starts a machine that is down.
    pub fn start(&mut self, node: NodeId) {
        self.doubt_what_is_recorded(node);
        self.start_now(node);
    }

    /// Stops a machine; its memory is lost.
    pub fn stop(&mut self, node: NodeId) {
        if self.nodes[node.0].is_up() {
            self.crash(node);
        }
    }

    /// A machine is gone for good, with all that it kept.
    pub fn kill(&mut self, node: NodeId) {
        self.stop(node);
        self.nodes[node.0].dead = true;
    }

    /// The machine stops after so many further inputs and starts again two seconds later.
    pub fn crash_after(&mut self, node: NodeId, inputs: u64) {
        let node = &mut self.nodes[node.0];
        node.crash_at = Some(node.inputs + inputs);
    }

    /// A planned crash does not happen.
    pub fn forget_crash(&mut self, node: NodeId) {
        self.nodes[node.0].crash_at = None;
    }

    /// A supplier loses every shard that it keeps.
    pub fn lose_shards(&mut self, node: NodeId) {
        self.nodes[node.0].disk.kept.clear();
        self.nodes[node.0].disk.has_lost = true;
    }

    /// The same by a defect of its program: nothing in this world is told of it.
    pub fn forget_shards(&mut self, node: NodeId) {
        self.nodes[node.0].disk.kept.clear();
    }

    /// A supplier loses all that it keeps, heads too: from now on it has nothing to tell.
    pub fn lose_everything(&mut self, node: NodeId) {
        self.lose_shards(node);
        self.nodes[node.0].disk.heads.clear();
    }

    /// The world's books of a supplier say that its contracts are this small, whatever its
    /// engine believes.
    pub fn shrink_contracts(&mut self, node: NodeId, bytes: u64) {
        for customer in self.nodes[node.0].disk.customers.values_mut() {
            customer.contract = ByteCount(bytes);
        }
    }

    /// The machine's engine is broken from now on.
    pub fn sabotage(&mut self, node: NodeId, sabotage: Sabotage) {
        self.nodes[node.0].sabotage = sabotage;
    }

    /// The supplier lies from now on.
    pub fn set_lie(&mut self, node: NodeId, lie: Lie) {
        let node = &mut self.nodes[node.0];
        node.lie = lie;
        // What it signed for meanwhile it may not have.
        node.disk.has_lost |= lie != Lie::None;
    }

    /// A supplier that stalls is gone for good.
    pub fn end_stall(&mut self, node: NodeId) {
        if self.nodes[node.0].lie == Lie::Stalls {
            self.kill(node);
        }
    }

    /// The spool takes nothing, or takes again.
    pub fn set_spool_full(&mut self, node: NodeId, full: bool) {
        self.nodes[node.0].spool_full = full;
    }

    /// The first shard that waits in the spool rots; says whether there is one.
    pub fn damage_spool(&mut self, node: NodeId) -> bool {
        let mut packs = self.nodes[node.0].disk.packs.values_mut();
        packs.any(|row| {
            let first = row.spooled.first().copied();
            row.damaged.extend(first);
            first.is_some()
        })
    }

    /// Customers' shards cannot be written, or can again.
    pub fn set_disk_full(&mut self, node: NodeId, full: bool) {
        self.nodes[node.0].disk_full = full;
    }

    /// The machine's own catalogue finds no room, or finds it again.
    pub fn set_catalogue_full(&mut self, node: NodeId, full: bool) {
        self.nodes[node.0].catalogue_full = full;
    }

    /// Of a hundred writes to the machine's own books, so many fail.
    pub fn set_disk_failures(&mut self, node: NodeId, percent: u64) {
        self.nodes[node.0].disk_failures = percent;
    }

    /// Two machines cannot reach each other any more.
    pub fn cut(&mut self, one: NodeId, other: NodeId) {
        self.cuts.insert(pair(one, other));
        self.disconnect(one, other);
    }

    /// They can again.
    pub fn heal(&mut self, one: NodeId, other: NodeId) {
        self.cuts.remove(&pair(one, other));
    }

    /// One connection drops; it may be made again at once.
    pub fn drop_connection(&mut self, one: NodeId, other: NodeId) {
        self.disconnect(one, other);
    }

    /// The machine offers space.
    pub fn offer(&mut self, node: NodeId, bytes: u64) {
        self.nodes[node.0].disk.offered = ByteCount(bytes);
        self.feed(
            node,
            Input::OfferChanged {
                bytes: ByteCount(bytes),
            },
        );
    }

    /// Sets what a machine asks of each supplier; before its first start.
    pub fn set_contract_bytes(&mut self, node: NodeId, bytes: u64) {
        self.nodes[node.0].disk.contract_bytes = ByteCount(bytes);
    }

    /// A person wants so many suppliers.
    pub fn want_suppliers(&mut self, node: NodeId, count: u8) {
        self.nodes[node.0].disk.suppliers_wanted = count;
        self.feed(node, Input::SuppliersWanted { count });
    }

    /// The customer learns of a supplier that is a friend.
    pub fn befriend(&mut self, customer: NodeId, supplier: NodeId) {
        let supplier = &self.nodes[supplier.0];
        let fact = SupplierFact {
            device: supplier.device,
            identity: supplier.identity,
            friend: true,
            contract: None,
            proved_ago_ms: None,
            suspect: None,
            missed_ago_ms: None,
        };
        self.nodes[customer.0]
            .disk
            .suppliers
            .insert(fact.device, fact.clone());
        self.feed(customer, Input::FriendMade { supplier: fact });
    }

    /// Replaces the user's files.
    pub fn set_folder(&mut self, node: NodeId, chunks: impl IntoIterator<Item = u64>) {
        self.nodes[node.0].disk.folder = chunks.into_iter().collect();
    }

    /// The machine backs its folder up by itself from now on: on a change, and when it looks.
    pub fn watch(&mut self, node: NodeId) {
        self.nodes[node.0].disk.schedule = Some(Schedule::OnChange);
        let fact = folder_fact(Schedule::OnChange);
        self.feed(node, Input::FolderScheduled { fact });
    }

    /// Something in the folder was touched, whether or not that changed anything.
    pub fn touch_folder(&mut self, node: NodeId) {
        self.feed(node, Input::FolderChanged { folder: FOLDER });
    }

    /// Asks for a backup.
    pub fn back_up(&mut self, node: NodeId) -> JobId {
        let job = self.fresh_job();
        self.feed(
            node,
            Input::BackupAsked {
                job,
                folders: vec![FOLDER],
                is_scheduled: false,
            },
        );
        job
    }

    /// Asks for a restore of the newest snapshot that the machine knows.
    pub fn restore(&mut self, node: NodeId) -> JobId {
        let job = self.fresh_job();
        self.feed(node, Input::RestoreAsked { job });
        job
    }

    /// Asks for a recovery from nothing.
    pub fn recover(&mut self, node: NodeId) -> JobId {
        let job = self.fresh_job();
        self.feed(node, Input::RecoverAsked { job });
        job
    }

    /// Stops a job.
    pub fn cancel(&mut self, node: NodeId, job: JobId) {
        self.feed(node, Input::CancelAsked { job });
    }

    pub(crate) fn fresh_job(&mut self) -> JobId {
        JobId(self.random.next_word())
    }

    /// How a job ended: `None` while it runs or when its machine stopped.
    #[must_use]
    pub fn ended(&self, node: NodeId, job: JobId) -> Option<Option<ErrorCode>> {
        self.nodes[node.0].memory.ended.get(&job).copied()
    }

    /// Jobs that ended since the machine started, whoever asked for them.
    #[must_use]
    pub fn jobs_ended(&self, node: NodeId) -> usize {
        self.nodes[node.0].memory.ended.len()
    }

    /// What people were told last of a job.
    #[must_use]
    pub fn phase(&self, node: NodeId, job: JobId) -> Option<Phase> {
        self.nodes[node.0].memory.told.get(&job).copied()
    }

    /// Whether a machine's engine knows a job.
    #[must_use]
    pub fn is_running(&self, node: NodeId, job: JobId) -> bool {
        self.view(node)
            .is_some_and(|view| view.jobs.iter().any(|it| it.job == job))
    }

    /// Packs that a restore could not have.
    #[must_use]
    pub fn problems(&self, node: NodeId, job: JobId) -> u64 {
        self.nodes[node.0]
            .memory
            .restores
            .get(&job)
            .map_or(0, |row| row.problems)
    }

    /// Chunks that a restore wrote.
    #[must_use]
    pub fn restored(&self, node: NodeId, job: JobId) -> BTreeSet<u64> {
        let row = self.nodes[node.0].memory.restores.get(&job);
        row.map(|row| row.chunks.clone()).unwrap_or_default()
    }

    /// The newest head that a machine's catalogue calls published.
    #[must_use]
    pub fn published(&self, node: NodeId) -> Option<Sequence> {
        self.nodes[node.0].disk.head
    }

    /// Holders of a machine's home set, by position.
    #[must_use]
    pub fn holders(&self, node: NodeId) -> Vec<NodeId> {
        let set = self.nodes[node.0].disk.home_set();
        let holders = set.into_iter().flat_map(SetFact::holders);
        holders.map(|(_, device)| self.by_device[&device]).collect()
    }

    /// The code of a machine's home set.
    #[must_use]
    pub fn code(&self, node: NodeId) -> Option<Code> {
        self.nodes[node.0].disk.home_set().map(|set| set.code)
    }

    /// Whether every shard of a machine is confirmed: nothing waits in its spool.
    #[must_use]
    pub fn is_spool_empty(&self, node: NodeId) -> bool {
        self.nodes[node.0]
            .disk
            .packs
            .values()
            .all(|row| row.spooled.is_subset(&row.confirmed))
    }

    /// Whether nothing waits in a machine's spool for one supplier.
    #[must_use]
    pub fn is_spool_empty_for(&self, node: NodeId, supplier: NodeId) -> bool {
        let device = self.nodes[supplier.0].device;
        let disk = &self.nodes[node.0].disk;
        disk.packs.values().all(|row| {
            let position = disk.position_of(row, device);
            position.is_none_or(|position| !row.spooled.contains(&position))
        })
    }

    /// Whether a supplier gave a receipt for every pack of the published snapshot of which it holds a
    /// position: none is
    /// owed, as it is when a crash took a shard that was neither sent nor spooled.
    #[must_use]
    pub fn owes_nothing(&self, node: NodeId, supplier: NodeId) -> bool {
        let head = self.nodes[node.0].disk.head;
        let head = head.and_then(|head| self.books.heads.get(&(node, head)));
        let device = self.nodes[supplier.0].device;
        head.is_some_and(|head| {
            let packs = head.packs.iter().chain([&head.commit]);
            let mut entries = packs.map(|pack| &self.books.packs[&(node, *pack)]);
            entries.all(|entry| {
                let position = entry.set.position_of(device);
                position.is_none_or(|position| entry.receipts.get(&position) == Some(&device))
            })
        })
    }

    /// Whether a supplier has every shard of the newest head's packs that can still be made.
    #[must_use]
    pub fn owes_nothing_makeable(&self, node: NodeId, supplier: NodeId) -> bool {
        let head = self.nodes[node.0].disk.head;
        let head = head.and_then(|head| self.books.heads.get(&(node, head)));
        let device = self.nodes[supplier.0].device;
        head.is_some_and(|head| {
            let mut packs = head.packs.iter().chain([&head.commit]);
            packs.all(|pack| {
                let mut holders = self.books.packs[&(node, *pack)].receipts.values();
                holders.any(|holder| *holder == device) || !self.can_be_had(node, *pack)
            })
        })
    }

    /// Chunks of the published snapshot of `owner`, and those of them of which k honest
    /// machines that are up still hold shards.
    #[must_use]
    pub fn reference(&self, owner: NodeId) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let forgotten = self.books.laid_back.get(&owner).copied();
        let head = self.nodes[owner.0].disk.head.max(forgotten);
        let Some(head) = head.and_then(|head| self.books.heads.get(&(owner, head))) else {
            return (BTreeSet::new(), BTreeSet::new());
        };
        let mut had = BTreeSet::new();
        for pack in &head.packs {
            if self.can_be_had(owner, *pack) {
                had.extend(self.books.packs[&(owner, *pack)].chunks.iter().copied());
            }
        }
        (
            head.snapshot.clone(),
            had.intersection(&head.snapshot).copied().collect(),
        )
    }

    fn can_be_had(&self, owner: NodeId, pack: PackId) -> bool {
        let entry = &self.books.packs[&(owner, pack)];
        let lane = self.nodes[owner.0].device;
        let honest = entry.set.holders().filter(|(position, device)| {
            let node = &self.nodes[self.by_device[device].0];
            node.is_up()
                && node.lie == Lie::None
                && node.disk.kept.contains_key(&(lane, pack, *position))
        });
        honest.count() >= usize::from(self.k_of(entry))
    }

    /// How many lanes have a newer version than what the last recovery of a machine found.
    #[must_use]
    pub fn newer_unheard(&self, node: NodeId) -> usize {
        self.nodes[node.0].memory.found.unheard.len()
    }

    /// The newest versions that the last recovery of a machine was told of and could not read.
    #[must_use]
    pub fn unread(&self, node: NodeId) -> Vec<Sequence> {
        let unread = &self.nodes[node.0].memory.found.unread;
        unread.iter().map(|told| told.head.sequence).collect()
    }

    /// How many packs of contents a machine has sealed.
    #[must_use]
    pub fn contents_sealed(&self, owner: NodeId) -> usize {
        let packs = self.books.packs.iter();
        let own = packs.filter(|((of, _), entry)| *of == owner && entry.kind == PackKind::Data);
        own.count()
    }

    /// Runs until a job ended well.
    pub fn finish(
        &mut self,
        node: NodeId,
        job: JobId,
        limit: Duration,
    ) -> Result<(), crate::Failure> {
        self.run_until("the job ends", limit, |world| {
            world.ended(node, job).is_some()
        })?;
        if let Some(Some(code)) = self.ended(node, job) {
            return Err(self.fail(format!("the job failed: {}", code.name())));
        }
        Ok(())
    }
}
