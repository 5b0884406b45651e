//! Confirmations that packs have, against those that somebody waits for.
//!
//! It counts and changes nothing. A holder that is suspect counts nowhere.

use std::collections::BTreeSet;

use bitdust_model::manifest::PackKind;
use bitdust_model::status::Protection;
use bitdust_model::{Code, DeviceId, Position, PositionMask};

use super::Engine;
use super::entries::{Pack, PackGroup, Supplier, Work};
use crate::fsm::transfer;
use crate::io::JobId;
use crate::ledger::Count;
use crate::rules::{awaited_at, known_at, published_at};
use crate::safety::{self, Need, Quorum};

impl Engine {
    /// Positions of a pack confirmed by holders that are not suspect.
    pub(crate) fn confirmed(&self, pack: &Pack) -> u8 {
        confirmed_of(pack, &self.trusted())
    }

    /// Positions that wait in the spool for holders that are not suspect.
    pub(super) fn spooled(&self, pack: &Pack) -> u8 {
        let is_spooled = |transfer: &transfer::State| {
            matches!(
                transfer,
                transfer::State::Spooled
                    | transfer::State::Sending {
                        source: transfer::Source::Spool,
                        ..
                    }
            )
        };
        safety::count(pack.transfers.iter().map(is_spooled), &self.trusted())
    }

    /// The supplier that most packs in memory wait for.
    #[must_use]
    pub fn held_up_by(&self) -> Option<DeviceId> {
        let holders = &self.set.as_ref()?.holders;
        let mut waiting = vec![0_usize; holders.len()];
        for pack in self.packs.values().filter(|pack| pack.state.is_held()) {
            let kept = pack.transfers.iter().map(|transfer| transfer.is_kept());
            for (count, is_kept) in waiting.iter_mut().zip(kept) {
                *count += usize::from(!is_kept);
            }
        }
        let most = (0..holders.len()).max_by_key(|&at| (waiting[at], std::cmp::Reverse(at)))?;
        (waiting[most] > 0).then(|| holders[most])
    }

    /// Holders that count and are not there.
    #[must_use]
    pub fn away(&self) -> Vec<DeviceId> {
        let (trusted, online) = self.trusted_holders();
        trusted.difference(&online).copied().collect()
    }

    /// By position, whether its holder is trusted.
    fn trusted(&self) -> Vec<bool> {
        let holders = self.set.iter().flat_map(|set| &set.holders);
        holders.map(|holder| self.is_trusted(*holder)).collect()
    }

    /// Positions whose holders are trusted and proved lately that they keep what they have.
    pub(super) fn fresh(&self) -> PositionMask {
        let holders = self.set.iter().flat_map(|set| &set.holders);
        let is_fresh = |holder| {
            let supplier = self.suppliers.get(holder);
            supplier.is_some_and(|it| it.is_fresh(self.now))
        };
        let positions = (0..).map(Position).zip(holders);
        let fresh = positions.filter(|(_, holder)| is_fresh(holder));
        fresh.map(|(position, _)| position).collect()
    }

    /// Positions whose holders are trusted and there.
    pub(super) fn reachable(&self) -> PositionMask {
        let (_, online) = self.trusted_holders();
        let positions = online.iter().filter_map(|device| self.position_of(*device));
        positions.collect()
    }

    /// Holders to whom shards of a job are on their way.
    pub(super) fn stragglers(&self, job: JobId) -> BTreeSet<DeviceId> {
        let packs = self.packs.values().filter(|pack| pack.job == Some(job));
        let transfers = packs.flat_map(|pack| (0..).map(Position).zip(&pack.transfers));
        let moving = transfers.filter(|(_, transfer)| transfer.is_moving());
        let holders = moving.filter_map(|(position, _)| self.holder_at(position));
        holders.collect()
    }

    /// By position, whether its holder is trusted, and whether it answers too.
    fn holder_flags(&self) -> HolderFlags {
        let of = |is_so: fn(&Supplier) -> bool| {
            let holders = self.set.iter().flat_map(|set| &set.holders);
            let suppliers = holders.map(|holder| self.suppliers.get(holder));
            suppliers
                .map(|supplier| supplier.is_some_and(is_so))
                .collect()
        };
        HolderFlags {
            trusted: self.trusted(),
            suspect: self.suspects(),
            prompt: of(Supplier::is_prompt),
            catching_up: of(Supplier::is_catching_up),
        }
    }

    /// The weakest of a job's packs of a group, also of those that are followed no more; with `None`,
    /// of all packs of that group.
    pub(super) fn quorum(&self, job: Option<JobId>, group: PackGroup) -> Quorum {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return Quorum::Reached;
        };
        let flags = self.holder_flags();
        let mut weakest = Quorum::Reached;
        for (kind, confirmed) in self.left(job) {
            if group.has(*kind) {
                let mut quorum = flags.of_resting(*kind, *confirmed, code);
                let is_short = matches!(quorum, Quorum::Lost | Quorum::Short { .. });
                if is_short && self.is_known_by_now(*kind, code) {
                    quorum = Quorum::Enough { moving: false };
                }
                weakest = weakest.weaker(quorum);
            }
        }
        if job.is_none() && group == PackGroup::Lists {
            weakest = weakest.weaker(self.quorum_of_drafts(code));
        }
        for pack in self.packs.values() {
            if group.has(pack.kind) && (job.is_none() || pack.job == job) {
                weakest = weakest.weaker(flags.of_pack(pack, code, job.is_some()));
            }
        }
        weakest
    }

    /// How a job stands with one of its packs.
    pub(super) fn quorum_of(&self, pack: &Pack) -> Quorum {
        self.set.as_ref().map_or(Quorum::Reached, |set| {
            self.holder_flags().of_pack(pack, set.code, true)
        })
    }

    /// Whether each pack of a kind that rests and is not published is kept by enough: others may have
    /// got it since it rests.
    pub(super) fn is_known_by_now(&self, kind: PackKind, code: Code) -> bool {
        let set = self.set.as_ref().map(|set| set.set);
        let trusted = self.trusted_positions();
        let weakest = set.and_then(|set| self.ledger.weakest_unpublished(set, kind, trusted));
        weakest.is_none_or(|confirmed| confirmed >= known_at(kind, code))
    }

    /// Positions whose holders are trusted.
    pub(super) fn trusted_positions(&self) -> PositionMask {
        let trusted = (0..).map(Position).zip(self.trusted());
        let trusted = trusted.filter(|(_, counts)| *counts);
        trusted.map(|(position, _)| position).collect()
    }

    /// Whether packs are in memory for suppliers that are not waited for any more.
    pub(super) fn is_held_up(&self) -> bool {
        let flags = self.holder_flags();
        self.packs.values().any(|pack| {
            let mut transfers = pack.transfers.iter().zip(&flags.prompt);
            transfers.any(|(transfer, is_prompt)| !is_prompt && transfer.is_moving())
        })
    }

    /// How all that is published stands: reached where it is safe.
    pub(super) fn quorum_of_published(&self) -> Quorum {
        if self.protection() == Protection::Safe {
            return Quorum::Reached;
        }
        let flags = self.holder_flags();
        let moves = |pack: &Pack| {
            let transfers = pack.transfers.iter().zip(&flags.prompt);
            let mut transfers = transfers.filter(|(_, is_prompt)| **is_prompt);
            transfers.any(|(transfer, _)| transfer.is_moving())
        };
        let moving = flags.catching_up.contains(&true)
            || self.packs.values().any(moves)
            || self.is_head_moving();
        Quorum::Enough { moving }
    }

    /// Where packs of a job are confirmed that are followed no more.
    fn left(&self, job: Option<JobId>) -> impl Iterator<Item = &(PackKind, PositionMask)> {
        let entry = job.and_then(|job| self.jobs.get(&job));
        let left = entry.and_then(|entry| match &entry.work {
            Work::Backup { left, .. } => Some(left),
            Work::Restore(_) | Work::Recovery(_) => None,
        });
        left.into_iter().flatten()
    }

    /// Lists that no head leads to yet and that rest in the ledger.
    fn quorum_of_drafts(&self, code: Code) -> Quorum {
        let set = self.set.as_ref().map(|set| set.set);
        let (trusted, kind) = (self.trusted_positions(), PackKind::Commit);
        let weakest = set.and_then(|set| self.ledger.weakest_unpublished(set, kind, trusted));
        weakest.map_or(Quorum::Reached, |confirmed| {
            Quorum::of(confirmed, 0, need(PackKind::Commit, code, code.n()))
        })
    }

    /// Holders that lead to the newest published head and proved lately that they keep what they
    /// have, as the confirmations that a pack of contents needs to survive as many losses.
    pub(super) fn head_fresh(&self) -> u8 {
        let Some(set) = &self.set else {
            return 0;
        };
        let fresh = self.fresh();
        let worth = |positions: PositionMask| match positions.and(fresh).count() {
            0 => 0,
            copies => copies + set.code.k() - 1,
        };
        let next = self.next_head_positions();
        let recorded = self.head_recorded.map(|_| self.head_positions());
        recorded
            .into_iter()
            .chain(next)
            .map(worth)
            .min()
            .unwrap_or(0)
    }

    /// Confirmations of the weakest published pack of the set, by fresh and trusted holders; at
    /// most as many as there are of these. None where the ledger knows of no such pack.
    pub(crate) fn weakest_fresh(&self) -> u8 {
        let Some(set) = &self.set else {
            return 0;
        };
        let fresh = self.fresh();
        let count = Count {
            holders: fresh,
            all: self.head.being_recorded().is_some(),
        };
        let weakest = self.ledger.weakest(set.set, set.code, count);
        weakest.map_or(0, |weakest| weakest.min(fresh.count()))
    }
}

fn confirmed_of(pack: &Pack, trusted: &[bool]) -> u8 {
    let is_confirmed = |transfer| matches!(transfer, &transfer::State::Confirmed);
    safety::count(pack.transfers.iter().map(is_confirmed), trusted)
}

/// Confirmations that a pack needs, with so many holders that confirmed it or answer.
fn need(kind: PackKind, code: Code, there: u8) -> Need {
    let enough = published_at(kind, code, there);
    Need {
        enough,
        awaited: awaited_at(kind, code).max(enough),
    }
}

/// How the holders of the set stand, by position.
struct HolderFlags {
    /// Not suspect.
    trusted: Vec<bool>,
    /// Suspect, and there: what it confirmed may soon count again.
    suspect: Vec<bool>,
    /// Trusted, and there, with room, and answering.
    prompt: Vec<bool>,
    /// And being reached, or given what they are owed.
    catching_up: Vec<bool>,
}

impl HolderFlags {
    /// What a backup needs of one pack, against what it has. What nobody waits for has time until
    /// others come.
    fn of_pack(&self, pack: &Pack, code: Code, is_awaited: bool) -> Quorum {
        let confirmed = confirmed_of(pack, &self.trusted);
        let is_confirmed = |transfer| matches!(transfer, &transfer::State::Confirmed);
        let moves = |index: usize, transfer: &transfer::State| {
            (self.prompt[index] && transfer.is_moving()) || self.catching_up[index]
        };
        let transfers = || pack.transfers.iter().enumerate();
        let moving = transfers().map(|(at, it)| !is_confirmed(it) && moves(at, it));
        // What a suspect confirmed is on its way, in a manner: it is proving that.
        let moving = safety::count(moving, &self.trusted) + confirmed_of(pack, &self.suspect);
        // Whoever is there and takes nothing is as good as away.
        let there = transfers().map(|(at, it)| is_confirmed(it) || moves(at, it));
        let there = safety::count(there, &self.trusted);
        let need = need(pack.kind, code, if is_awaited { there } else { code.n() });
        // Whoever is owed a shard and is there would get one of a pack that is sealed anew.
        let is_owed = |transfer| matches!(transfer, &transfer::State::Owed);
        let owed = safety::count(pack.transfers.iter().map(is_owed), &self.prompt);
        if owed > 0 && confirmed + moving < known_at(pack.kind, code) {
            return Quorum::Lost;
        }
        let quorum = Quorum::of(confirmed, moving, need);
        // What is sealed next describes only packs that the catalogue knows as committed.
        if pack.state.is_committed() || confirmed < need.enough {
            return quorum;
        }
        Quorum::Short {
            confirmed,
            need: need.enough,
            moving: true,
        }
    }

    /// What a backup needs of a pack that the ledger alone follows, confirmed there once: it had
    /// enough, and has too little only since one who confirmed it lost it, or became suspect.
    fn of_resting(&self, kind: PackKind, confirmed: PositionMask, code: Code) -> Quorum {
        let is_confirmed = |holders: &[bool]| {
            let positions = (0..).map(Position).map(|position| confirmed.has(position));
            safety::count(positions, holders)
        };
        let (count, suspect) = (is_confirmed(&self.trusted), is_confirmed(&self.suspect));
        match Quorum::of(count, 0, need(kind, code, count)) {
            Quorum::Short {
                confirmed: count,
                need,
                ..
            } if count + suspect >= need => Quorum::Short {
                confirmed: count,
                need,
                moving: true,
            },
            Quorum::Short { .. } => Quorum::Lost,
            quorum @ (Quorum::Reached | Quorum::Enough { .. } | Quorum::Lost) => quorum,
        }
    }
}
