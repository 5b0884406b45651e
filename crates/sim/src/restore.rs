//! Doing what an engine asks for restores and recoveries, and taking answers to calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitdust_engine::{
    FetchId, HeadFact, HomeFact, Input, JobId, LaneFact, ListsRead, Output, PlaceFact,
    SupplierFact, WantedHead,
};
use bitdust_model::limits::FETCHES_IN_FLIGHT_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, DeviceId, ErrorCode, HeadHash, HeadRef, PackId, Position, Sequence,
};

use crate::books::PackEntry;
use crate::call::{Call, Request};
use crate::failure::Failure;
use crate::id::{HeadKey, NodeId};
use crate::node::{FetchRow, Lie, RestoreRow};
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    pub(crate) fn fail(&self, message: String) -> Failure {
        Failure {
            seed: self.options.seed,
            at: self.now,
            message,
            steps: self.steps.to_vec(),
        }
    }

    /// Shards that give a pack back.
    pub(crate) fn k_of(&self, entry: &PackEntry) -> u8 {
        match entry.kind {
            PackKind::Data => entry.set.code.k(),
            PackKind::Tree | PackKind::Commit => 1,
        }
    }

    /// Carries out an output of a restore or recovery.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`do_output` is the exhaustive match"
    )]
    pub(crate) fn do_restore(&mut self, node: NodeId, output: Output) {
        match output {
            Output::StartRestore { job } => self.start_restore(node, job),
            Output::FetchRange {
                fetch,
                position,
                device,
                whole,
            } => {
                let Some(row) = self.nodes[node.0].memory.fetches.get(&fetch) else {
                    return;
                };
                let lane = self.nodes[row.owner.0].device;
                let request = Request::Fetch {
                    fetch,
                    lane,
                    pack: row.pack,
                    position,
                    whole,
                };
                self.call(node, device, request);
            }
            Output::Decode { fetch, positions } => self.decode(node, fetch, &positions),
            Output::GiveUpFetch { fetch, .. } => {
                self.end_fetch(node, fetch, false);
            }
            Output::SeekRoot { job } => self.seek_root(node, job),
            Output::SeekLanes { job, devices } => self.seek_lanes(node, job, &devices),
            Output::AskHeads { job, device } => self.call(node, device, Request::Heads { job }),
            Output::RebuildCatalogue { job, wanted } => self.rebuild(node, job, wanted),
            Output::EnterDevice { job, found } => {
                self.nodes[node.0].memory.found = found;
                let wait = self.latency();
                self.deliver(node, wait, Input::DeviceEntered { job });
            }
            _ => {}
        }
    }

    fn start_restore(&mut self, node: NodeId, job: JobId) {
        let disk = &self.nodes[node.0].disk;
        let own = disk.head.map(|sequence| (node, sequence));
        let Some(head) = own.or(disk.recovered) else {
            self.deliver(
                node,
                Duration::from_millis(5),
                Input::RestoreWritten { job, problems: 1 },
            );
            return;
        };
        let entry = &self.books.heads[&head];
        let is_needed = |pack: &&PackId| {
            let chunks = &self.books.packs[&(head.0, **pack)].chunks;
            !chunks.is_disjoint(&entry.snapshot)
        };
        // What is taken from the end comes first: without its lists nothing of a version is found.
        let contents = entry.packs.iter().filter(is_needed);
        let queue = contents.chain(&entry.trees).copied().collect();
        self.begin_restore(node, job, head, queue, false);
    }

    fn begin_restore(
        &mut self,
        node: NodeId,
        job: JobId,
        head: HeadKey,
        queue: Vec<PackId>,
        lists_only: bool,
    ) {
        let row = RestoreRow {
            head,
            lists_only,
            queue,
            open: BTreeSet::new(),
            problems: 0,
            lacks_lists: false,
            chunks: BTreeSet::new(),
            written: false,
        };
        self.nodes[node.0].memory.restores.insert(job, row);
        self.fetch_on(node, job);
    }

    /// Announces further fetches, and tells when nothing is left.
    fn fetch_on(&mut self, node: NodeId, job: JobId) {
        loop {
            let Some(row) = self.nodes[node.0].memory.restores.get_mut(&job) else {
                return;
            };
            if row.open.len() >= FETCHES_IN_FLIGHT_MAX {
                return;
            }
            let Some(pack) = row.queue.pop() else {
                break;
            };
            let fetch = FetchId(self.random.next_word());
            let owner = row.head.0;
            row.open.insert(fetch);
            self.want(node, job, fetch, owner, pack);
        }
        let row = self.nodes[node.0]
            .memory
            .restores
            .get_mut(&job)
            .expect("looked up above");
        if !row.open.is_empty() || row.written {
            return;
        }
        row.written = true;
        if row.lacks_lists {
            row.chunks.clear();
        }
        let (problems, head) = (row.problems, row.head);
        let input = match (row.lists_only, problems) {
            (false, _) => Input::RestoreWritten { job, problems },
            (true, 0) => {
                // Of several lanes the first one is restored.
                self.nodes[node.0].disk.recovered.get_or_insert(head);
                self.take_versions(node, self.books.heads[&head].versions.clone());
                let lists = ListsRead::Whole;
                Input::CatalogueRebuilt { job, lists }
            }
            (true, _) => {
                let lists = ListsRead::Nothing;
                Input::CatalogueRebuilt { job, lists }
            }
        };
        self.deliver(node, Duration::from_millis(10), input);
    }

    fn want(&mut self, node: NodeId, job: JobId, fetch: FetchId, owner: NodeId, pack: PackId) {
        let entry = &self.books.packs[&(owner, pack)];
        let k = self.k_of(entry);
        let places = places(entry, (0..entry.set.code.n()).map(Position));
        let wanted = 1 + self.random.below(u64::from(k));
        let first = self.random.below(u64::from(k));
        let direct: BTreeSet<_> = (0..wanted)
            .map(|index| Position(u8::try_from((first + index) % u64::from(k)).expect("below k")))
            .collect();
        let direct: Vec<_> = direct.into_iter().collect();
        let row = FetchRow {
            job,
            owner,
            pack,
            k,
            direct: direct.clone(),
            pieces: BTreeMap::new(),
        };
        self.nodes[node.0].memory.fetches.insert(fetch, row);
        let input = Input::FetchWanted {
            fetch,
            job,
            pack,
            k,
            direct,
            places,
        };
        self.deliver(node, Duration::from_millis(2), input);
    }

    fn decode(&mut self, node: NodeId, fetch: FetchId, positions: &[Position]) {
        let Some(row) = self.nodes[node.0].memory.fetches.get(&fetch) else {
            return;
        };
        let pieces: Vec<_> = positions
            .iter()
            .filter_map(|it| row.pieces.get(it))
            .collect();
        let whole = pieces.iter().filter(|(whole, _)| *whole).count();
        let is_direct = positions == row.direct;
        let is_single = row.direct.len() == 1 && row.direct.iter().all(|it| positions.contains(it));
        let enough = whole + usize::from(is_single) >= usize::from(row.k);
        if pieces.len() != positions.len() || (!is_direct && !enough) {
            self.break_promise(format!("fetch {} is decoded from too little", fetch.0));
            return;
        }
        let input = if pieces.iter().all(|(_, right)| *right) {
            self.end_fetch(node, fetch, true);
            Input::FetchDecoded { fetch }
        } else {
            Input::DecodeFailed {
                fetch,
                code: ErrorCode::Corrupt,
            }
        };
        self.deliver(node, Duration::from_millis(3), input);
    }

    fn end_fetch(&mut self, node: NodeId, fetch: FetchId, decoded: bool) {
        let Some(row) = self.nodes[node.0].memory.fetches.remove(&fetch) else {
            return;
        };
        if self.remake_ended(node, fetch, decoded) {
            return;
        }
        let chunks = &self.books.packs[&(row.owner, row.pack)].chunks;
        if let Some(restore) = self.nodes[node.0].memory.restores.get_mut(&row.job) {
            restore.open.remove(&fetch);
            if decoded {
                let snapshot = &self.books.heads[&restore.head].snapshot;
                restore
                    .chunks
                    .extend(chunks.intersection(snapshot).copied());
            } else {
                restore.problems += 1;
                restore.lacks_lists |= self.books.heads[&restore.head].trees.contains(&row.pack);
            }
        }
        self.fetch_on(node, row.job);
    }

    /// Devices of the identity whose lane records live in the DHT.
    fn living_lanes(&self, node: NodeId) -> Vec<DeviceId> {
        let identity = self.nodes[node.0].identity;
        let lanes = self.books.lanes.iter().filter(|((owner, _), entry)| {
            *owner == identity && self.now.since(entry.published_at) < self.policy.record_lifetime
        });
        lanes.map(|((_, lane), _)| *lane).collect()
    }

    /// The root record lives as long as one of the lane records, which are put with it.
    fn seek_root(&mut self, node: NodeId, job: JobId) {
        let devices = self.living_lanes(node);
        let input = if devices.is_empty() {
            Input::RootMissing { job }
        } else {
            Input::RootFound { job, devices }
        };
        let wait = self.latency();
        self.deliver(node, wait, input);
    }

    fn seek_lanes(&mut self, node: NodeId, job: JobId, devices: &[DeviceId]) {
        let identity = self.nodes[node.0].identity;
        let living = self.living_lanes(node);
        let (found, missing): (Vec<_>, Vec<_>) = devices
            .iter()
            .copied()
            .partition(|device| living.contains(device));
        let lanes = found.into_iter().map(|lane| {
            let entry = &self.books.lanes[&(identity, lane)];
            LaneFact {
                lane,
                suppliers: entry.suppliers.clone(),
                k: entry.k,
                has_published: true,
                named: Some(entry.head),
            }
        });
        let input = Input::LanesSought {
            job,
            missing,
            lanes: lanes.collect(),
        };
        let wait = self.latency();
        self.deliver(node, wait, input);
    }

    fn rebuild(&mut self, node: NodeId, job: JobId, wanted: WantedHead) {
        let head = (self.by_device[&wanted.lane], wanted.head.sequence);
        let queue = vec![self.books.heads[&head].commit];
        self.begin_restore(node, job, head, queue, true);
    }

    /// The answer to a call of this machine.
    pub(crate) fn take_answer(&mut self, call: Call, result: Result<(), ErrorCode>) {
        let (node, device) = (call.from, self.nodes[call.to.0].device);
        let input = match (call.request, result) {
            (Request::Propose { bytes }, Ok(())) => {
                self.record_contract(node, call.to, bytes);
                Input::ContractSigned { device, bytes }
            }
            (Request::Propose { .. }, Err(code)) => Input::ContractRefused { device, code },
            (Request::Store { pack, position, .. }, Ok(())) => {
                self.take_receipt(node, pack, position, device);
                return;
            }
            (Request::Store { pack, position, .. }, Err(code)) => Input::SendFailed {
                pack,
                position,
                device,
                code,
            },
            (Request::PutHead { sequence }, Ok(())) => self.record_kept(node, device, sequence),
            (Request::PutHead { sequence }, Err(code)) => Input::HeadRefused {
                device,
                sequence,
                code,
            },
            (Request::Check { .. }, Ok(())) => {
                self.note_proof(node, device);
                Input::CheckPassed { device }
            }
            (Request::Check { pack, position }, Err(code)) => Input::ProofFailed {
                device,
                pack,
                position,
                code,
            },
            (
                Request::Fetch {
                    fetch,
                    position,
                    whole,
                    ..
                },
                Ok(()),
            ) => self.take_range(node, call.to, fetch, position, whole),
            (
                Request::Fetch {
                    fetch, position, ..
                },
                Err(code),
            ) => Input::RangeFailed {
                fetch,
                position,
                device,
                code,
            },
            (Request::Tip, answer) => self.hear_tip(node, call.to, answer),
            (Request::List { pick }, answer) => self.hear_listing(node, call.to, pick, answer),
            (Request::Heads { job }, answer) => self.hear_heads(node, call.to, job, answer),
        };
        self.feed(node, input);
    }

    /// A supplier's word on a head goes into the books.
    fn record_kept(&mut self, node: NodeId, device: DeviceId, sequence: Sequence) -> Input {
        if let Some(entry) = self.books.heads.get_mut(&(node, sequence)) {
            entry.kept.insert(device);
            let supplier = &self.nodes[self.by_device[&device].0];
            let received_at = supplier.wall_clock(self.now);
            entry.received_at.entry(device).or_insert(received_at);
        }
        let keepers = &mut self.nodes[node.0].disk.keepers;
        keepers.entry(sequence).or_default().insert(device);
        Input::HeadKept { device, sequence }
    }

    /// A piece came; a forger's looks right until it is decoded.
    fn take_range(
        &mut self,
        node: NodeId,
        supplier: NodeId,
        fetch: FetchId,
        position: Position,
        whole: bool,
    ) -> Input {
        let is_right = self.nodes[supplier.0].lie != Lie::Forges;
        if let Some(row) = self.nodes[node.0].memory.fetches.get_mut(&fetch) {
            row.pieces.insert(position, (whole, is_right));
        }
        Input::RangeFetched { fetch, position }
    }

    /// A supplier whom the catalogue did not take before is entered with its contract.
    fn record_contract(&mut self, node: NodeId, supplier: NodeId, bytes: ByteCount) {
        let supplier = &self.nodes[supplier.0];
        let fact = SupplierFact {
            device: supplier.device,
            identity: supplier.identity,
            friend: false,
            contract: None,
            proved_ago_ms: None,
            suspect: None,
            missed_ago_ms: None,
        };
        let known = &mut self.nodes[node.0].disk.suppliers;
        known.entry(fact.device).or_insert(fact).contract = Some(bytes);
    }

    fn hear_heads(
        &self,
        node: NodeId,
        supplier: NodeId,
        job: JobId,
        answer: Result<(), ErrorCode>,
    ) -> Input {
        let identity = self.nodes[node.0].identity;
        let supplier = &self.nodes[supplier.0];
        let device = supplier.device;
        if let Err(code) = answer {
            return Input::HeadsFailed { job, device, code };
        }
        let is_own = |lane: &DeviceId| self.nodes[self.by_device[lane].0].identity == identity;
        let heads = supplier.disk.heads.iter().filter(|(lane, _)| is_own(lane));
        let mut heads: Vec<_> = heads
            .map(|(lane, sequence)| self.head_fact(*lane, *sequence))
            .collect();
        if heads.is_empty() && self.nodes[node.0].sabotage == Sabotage::CountsTheEmpty {
            let lanes = self.living_lanes(node);
            heads.extend(lanes.into_iter().map(before_the_first));
        }
        Input::HeadsHeard { job, device, heads }
    }

    /// A head with the set in which its lists lie.
    fn head_fact(&self, lane: DeviceId, sequence: Sequence) -> HeadFact {
        let key = (self.by_device[&lane], sequence);
        let home = self.books.heads.get(&key).map(|head| {
            let set = &self.books.packs[&(key.0, head.commit)].set;
            HomeFact {
                version: set.version,
                k: set.code.k(),
                holders: set.counted().map(|(_, device)| device).collect(),
            }
        });
        HeadFact {
            lane,
            head: head_ref(sequence),
            home,
        }
    }
}

/// What a lane begins behind, where an empty answer is to count like any other.
fn before_the_first(lane: DeviceId) -> HeadFact {
    HeadFact {
        lane,
        head: head_ref(Sequence(0)),
        home: None,
    }
}

/// One device writes into each lane here: two heads of one place are the same.
fn head_ref(sequence: Sequence) -> HeadRef {
    HeadRef {
        sequence,
        hash: HeadHash([0; 32]),
    }
}

/// Who holds some positions of a pack.
pub(crate) fn places(
    entry: &PackEntry,
    positions: impl IntoIterator<Item = Position>,
) -> Vec<PlaceFact> {
    let place = |position: Position| PlaceFact {
        position,
        holders: entry.set.holder_at(position).into_iter().collect(),
    };
    positions.into_iter().map(place).collect()
}
