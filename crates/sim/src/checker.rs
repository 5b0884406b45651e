//! The promises, checked after every step against the world's own books.

use bitdust_engine::{JobId, Output, RecoveryFound, SetFact, known_at};
use bitdust_model::limits::{FETCHES_QUEUED_MAX, JOBS_MAX, PACKS_TRACKED_MAX};
use bitdust_model::manifest::PackKind;
use bitdust_model::status::Protection;
use bitdust_model::{Code, DeviceId, PackId, Sequence};

use crate::books::HeadEntry;
use crate::id::NodeId;
use crate::node::Lie;
use crate::sabotage::Sabotage;
use crate::world::World;

impl World {
    /// Checks that an output's precondition holds, before it is carried out.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most outputs have no precondition"
    )]
    pub(crate) fn check_output(&mut self, node: NodeId, output: &Output) {
        let broken = match output {
            Output::CommitPack { pack } => self.why_not_commit(node, *pack),
            Output::SealMetadata { job, .. } => self.why_not_seal(node, *job),
            Output::PutHead { sequence, device } => {
                let why = self.why_not_put(node, *sequence);
                why.or_else(|| self.why_not_give(node, *device))
            }
            Output::LoadSpool { device } | Output::RemakeShard { device, .. } => {
                self.why_not_serve(node, *device)
            }
            Output::RecordCommit { sequence } => self.why_not_record(node, *sequence),
            Output::RecordSet { code, holders } => self.why_not_set(node, *code, holders),
            Output::EnterDevice { found, .. } => self.why_not_enter(node, found),
            Output::JobEnded {
                job, failure: None, ..
            } => self.why_not_ended(node, *job),
            _ => None,
        };
        if let Some(why) = broken {
            self.break_promise(format!("node {}: {why}", node.0));
        }
    }

    fn why_not_commit(&self, node: NodeId, pack: PackId) -> Option<String> {
        let entry = self.books.packs.get(&(node, pack))?;
        let need = usize::from(known_at(entry.kind, entry.set.code));
        let have = self.books.trusted_receipts(node, pack);
        (have < need).then(|| format!("pack {pack} is committed with {have} of {need} receipts"))
    }

    fn why_not_seal(&self, node: NodeId, job: JobId) -> Option<String> {
        let mut packs = self.books.packs.iter();
        let short = packs.find_map(|((owner, pack), entry)| {
            let counts = *owner == node && entry.job == job && entry.kind != PackKind::Commit;
            let need = usize::from(known_at(entry.kind, entry.set.code));
            let have = self.books.trusted_receipts(node, *pack);
            (counts && have < need).then_some((pack, have, need))
        });
        short.map(|(pack, have, need)| {
            format!("lists are sealed while pack {pack} has {have} of {need} receipts")
        })
    }

    fn why_not_put(&self, node: NodeId, sequence: Sequence) -> Option<String> {
        let Some(head) = self.books.heads.get(&(node, sequence)) else {
            return Some(format!(
                "head {} is given out and was never signed",
                sequence.0
            ));
        };
        // What is lost later does not call a head back. A suspect may still have what it confirmed.
        let is_first = !head.recorded && head.kept.is_empty();
        let mut packs = head.packs.iter().filter(|_| is_first);
        let lost = packs.find_map(|pack| {
            let entry = self.books.packs.get(&(node, *pack))?;
            let need = usize::from(known_at(entry.kind, entry.set.code));
            let have = self.books.receipts(node, *pack);
            (have < need).then(|| format!("pack {pack} has {have} of {need} receipts"))
        });
        if let Some(why) = lost {
            return Some(format!("head {} is given out, and {why}", sequence.0));
        }
        let have = self.books.receipts(node, head.commit);
        (is_first && have < 1).then(|| {
            format!(
                "head {} is given out while nobody keeps its pack",
                sequence.0
            )
        })
    }

    fn why_not_record(&self, node: NodeId, sequence: Sequence) -> Option<String> {
        let head = self.books.heads.get(&(node, sequence))?;
        let kept = head
            .kept
            .iter()
            .filter(|device| !self.is_suspect(node, **device))
            .count();
        let need = if self.is_another_there(node, head) {
            2
        } else {
            1
        };
        (kept < need).then(|| {
            format!(
                "head {} is called published with {kept} of {need}",
                sequence.0
            )
        })
    }

    /// Whether somebody who does not keep a head has all that it leads to, is there, and answers.
    fn is_another_there(&self, node: NodeId, head: &HeadEntry) -> bool {
        let machine = &self.nodes[node.0];
        let home = machine.disk.home_set();
        let holders = home.into_iter().flat_map(SetFact::counted);
        let holders = holders.map(|(_, device)| device);
        let mut others = holders.filter(|device| !head.kept.contains(device));
        let is_calm = self.options.loss_percent == 0;
        is_calm
            && others.any(|device| {
                let other = self.by_device[&device];
                let supplier = &self.nodes[other.0];
                let answers = supplier.is_up() && supplier.lie == Lie::None && !supplier.disk_full;
                answers
                    && self.is_connected(node, other)
                    && !self.is_suspect(node, device)
                    && self.has_lists(node, head, device)
            })
    }

    fn why_not_set(&self, node: NodeId, code: Code, holders: &[DeviceId]) -> Option<String> {
        let disk = &self.nodes[node.0].disk;
        if disk.home.is_some() {
            return Some("a second set is recorded".to_owned());
        }
        let mut distinct = holders.to_vec();
        distinct.sort();
        distinct.dedup();
        let signed = |device: &&DeviceId| {
            disk.suppliers
                .get(*device)
                .is_some_and(|fact| fact.contract.is_some())
        };
        let all = distinct.iter().filter(signed).count();
        let fits = all == holders.len() && holders.len() == usize::from(code.n());
        (!fits).then(|| format!("a set {code} of {all} distinct suppliers that signed"))
    }

    /// Whether a supplier signed for each list and tree that a head leads to.
    fn has_lists(&self, node: NodeId, head: &HeadEntry, device: DeviceId) -> bool {
        let mut packs = head.packs.iter().chain([&head.commit]);
        packs.all(|pack| {
            let entry = &self.books.packs[&(node, *pack)];
            let mut keepers = entry.receipts.values();
            entry.kind == PackKind::Data || keepers.any(|keeper| *keeper == device)
        })
    }

    /// An identity that has published something is not taken over without any of it; any settled head
    /// must be among what was told where a recovery calls itself sure; and any that a record names is told
    /// or named.
    fn why_not_enter(&self, node: NodeId, found: &RecoveryFound) -> Option<String> {
        let identity = self.nodes[node.0].identity;
        let is_own = |owner: NodeId| self.nodes[owner.0].identity == identity;
        let told = found.taken.iter().chain(&found.unread);
        let told: Vec<_> = told.map(|it| (it.lane, it.head.sequence)).collect();
        let mut heads = self.books.heads.iter();
        let published = heads.find(|((owner, _), head)| head.recorded && is_own(*owner));
        if let (Some(((_, sequence), _)), true) = (published, found.taken.is_empty()) {
            let sequence = sequence.0;
            return Some(format!("recovery enters a machine without head {sequence}"));
        }
        let mut named = self.books.lanes.iter();
        let is_hidden = |lane: DeviceId, head: Sequence| {
            let mut known = told.iter().chain(&found.unheard);
            !known.any(|(of, newest)| *of == lane && *newest >= head)
        };
        let hidden =
            named.find(|((owner, lane), entry)| *owner == identity && is_hidden(*lane, entry.head));
        if let Some((_, entry)) = hidden {
            return Some(format!("recovery hides head {}", entry.head.0));
        }
        if !found.is_sure {
            return None;
        }
        let mut heads = self.books.heads.iter().filter(|((owner, _), head)| {
            let set = &self.books.packs[&(*owner, head.commit)].set;
            let kept = set.counted().filter(|(_, by)| head.kept.contains(by));
            let quorum = set.quorum().map(usize::from);
            let is_settled = quorum.is_some_and(|quorum| kept.count() >= quorum);
            head.recorded && is_settled && is_own(*owner)
        });
        let missed = heads.find(|((owner, sequence), _)| {
            let lane = self.nodes[owner.0].device;
            !told
                .iter()
                .any(|(of, newest)| *of == lane && newest >= sequence)
        });
        missed.map(|((_, sequence), _)| {
            format!("recovery goes on without settled head {}", sequence.0)
        })
    }

    /// A backup that is told done has published what it read.
    fn why_not_ended(&self, node: NodeId, job: JobId) -> Option<String> {
        let machine = &self.nodes[node.0];
        let scan = machine.memory.scans.get(&job)?;
        let head = machine
            .disk
            .head
            .and_then(|head| self.books.heads.get(&(node, head)));
        let is_published = head.is_some_and(|head| head.snapshot == scan.snapshot);
        (!is_published)
            .then(|| "a backup is told done and its snapshot is not published".to_owned())
    }

    fn is_suspect(&self, node: NodeId, device: DeviceId) -> bool {
        self.books.suspect.contains(&(node, device))
    }

    /// Checks what must hold of a machine at any moment.
    pub(crate) fn check_node(&mut self, node: NodeId) {
        let Some(view) = self.view(node) else {
            return;
        };
        // Nothing is called safe while suppliers have what is not known here.
        let is_said = !view.is_behind && !view.is_catching_up;
        let broken = if view.protection == Protection::Safe && is_said {
            self.why_not_safe(node)
        } else {
            None
        };
        let broken = broken.or_else(|| self.why_not_accounts(node));
        let broken = broken.or_else(|| {
            let within = view.jobs.len() <= JOBS_MAX
                && view.fetches <= FETCHES_QUEUED_MAX
                && view.packs_unsettled <= PACKS_TRACKED_MAX;
            (!within).then(|| "an engine exceeds its limits".to_owned())
        });
        let broken = broken.or_else(|| {
            let over = view.promised > view.offered;
            over.then(|| format!("{} are promised of {}", view.promised, view.offered))
        });
        if let Some(why) = broken {
            self.break_promise(format!("node {}: {why}", node.0));
        }
    }

    /// Safe: something is published; each of its packs, and the set of each as a whole, has
    /// confirmations above the threshold by suppliers that count there and proved something lately.
    fn why_not_safe(&self, node: NodeId) -> Option<String> {
        let disk = &self.nodes[node.0].disk;
        let (Some(head), Some(home)) = (disk.head, disk.home_set()) else {
            return Some("safe, and nothing is published".to_owned());
        };
        let counts = |device: &DeviceId| {
            let proved_at = self.books.proofs.get(&(node, *device));
            let fresh =
                proved_at.is_some_and(|at| self.now.since(*at) < self.policy.receipt_counts_for);
            fresh && !self.is_suspect(node, *device)
        };
        let head = &self.books.heads[&(node, head)];
        let packs = head.packs.iter().chain([&head.commit]);
        let entries = packs.map(|pack| (pack, &self.books.packs[&(node, *pack)]));
        for (pack, entry) in entries {
            let set = &entry.set;
            let Some(need) = set.code.safe_at().map(usize::from) else {
                return Some("safe with a single copy".to_owned());
            };
            let fresh = set.counted().filter(|(_, device)| counts(device)).count();
            if fresh < need {
                return Some(format!("safe with {fresh} of {need} suppliers"));
            }
            let have = entry.counted().filter(counts).count();
            // Copies of metadata survive as many losses as contents with k - 1 shards more.
            let spared = set.code.k() - self.k_of(entry);
            if have + usize::from(spared) < need {
                return Some(format!("safe while pack {pack} has {have} of {need}"));
            }
            if let Some(why) = self.why_not_held(node, *pack) {
                return Some(why);
            }
        }
        let need = home.code.safe_at().map_or(usize::MAX, usize::from);
        let leads_on = |device: &DeviceId| {
            let has_head = head.kept.contains(device) && self.has_lists(node, head, *device);
            counts(device) && has_head
        };
        let holders = home.counted().map(|(_, device)| device);
        let copies = holders.filter(leads_on).count();
        if copies + usize::from(home.code.k() - 1) < need {
            return Some(format!("safe while {copies} keep the head"));
        }
        None
    }

    /// What an honest supplier signed for lies on its disk, unless a story took it from there.
    fn why_not_held(&self, node: NodeId, pack: PackId) -> Option<String> {
        let lane = self.nodes[node.0].device;
        let mut receipts = self.books.packs[&(node, pack)].receipts.iter();
        let lost = receipts.find(|(position, device)| {
            let supplier = self.by_device[*device];
            let machine = &self.nodes[supplier.0];
            let key = (lane, pack, **position);
            let is_honest = machine.lie == Lie::None && !machine.disk.has_lost;
            is_honest && !machine.disk.kept.contains_key(&key)
        });
        lost.map(|(position, _)| {
            format!(
                "safe while position {} of pack {pack} is not kept",
                position.0
            )
        })
    }

    /// What is kept for a customer never exceeds the contract; all contracts together
    /// never exceed the offer.
    fn why_not_accounts(&self, node: NodeId) -> Option<String> {
        let disk = &self.nodes[node.0].disk;
        let over = disk
            .customers
            .values()
            .find(|customer| customer.used > customer.contract);
        if let Some(customer) = over {
            return Some(format!(
                "{} are kept of {}",
                customer.used, customer.contract
            ));
        }
        let promised = disk
            .customers
            .values()
            .fold(0, |sum, it| sum + it.contract.0);
        (promised > disk.offered.0).then(|| "more is promised than offered".to_owned())
    }
}

impl World {
    /// Whether a broken engine would not have asked for that.
    pub(crate) fn is_withheld(&self, node: NodeId, output: &Output) -> bool {
        let Output::SealMetadata { job, .. } = output else {
            return false;
        };
        let mut packs = self.books.packs.iter();
        self.nodes[node.0].sabotage == Sabotage::WaitsForTheAbsent
            && packs.any(|((owner, pack), entry)| {
                let need = usize::from(entry.set.code.metadata_quorum());
                let is_awaited = *owner == node && entry.job == *job;
                is_awaited && self.books.trusted_receipts(node, *pack) < need
            })
    }
}
