//! Confirmations that packs have, against those that somebody waits for.
//!
//! It counts and changes nothing. A holder that is condemned counts nowhere.

use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, DeviceId, Position, PositionMask};

use super::Engine;
use super::entries::{Pack, PackGroup};
use crate::fsm::{pack, transfer};
use crate::io::JobId;
use crate::ledger::Count;
use crate::rules::settled_at;
use crate::safety::{self, Quorum};

impl Engine {
    /// Positions of a pack confirmed by holders that are not condemned.
    pub(crate) fn confirmed(&self, pack: &Pack) -> u8 {
        confirmed_of(pack, &self.trusted())
    }

    /// The most confirmations that the weakest unsettled commit pack can still get.
    pub(super) fn lists_within_reach(&self) -> u8 {
        let lists = self
            .packs
            .values()
            .filter(|pack| PackGroup::Lists.has(pack.kind));
        let trusted = self.trusted();
        let is_there = |transfer: &transfer::State| !matches!(transfer, transfer::State::Owed);
        let reach = lists.map(|pack| safety::count(pack.transfers.iter().map(is_there), &trusted));
        reach.min().unwrap_or(0)
    }

    /// Positions that wait in the spool for holders that are not condemned.
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

    /// The weakest of a job's packs of a group; with `None`, of all packs of that group.
    /// Settled packs have every position but the condemned ones.
    pub(super) fn quorum(&self, job: Option<JobId>, group: PackGroup) -> Quorum {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return Quorum::Reached;
        };
        let trusted = self.trusted();
        let mut weakest = quorum_of_settled(group, code, &trusted);
        if job.is_none() && group == PackGroup::Lists {
            weakest = weakest.weaker(self.quorum_of_drafts(code));
        }
        for pack in self.packs.values() {
            if group.has(pack.kind) && (job.is_none() || pack.job == job) {
                weakest = weakest.weaker(quorum_of(pack, code, &trusted));
            }
        }
        weakest
    }

    /// Lists that no head leads to yet and that rest in the ledger.
    fn quorum_of_drafts(&self, code: Code) -> Quorum {
        let set = self.set.as_ref().map(|set| set.set);
        let trusted = (0..).map(Position).zip(self.trusted());
        let trusted = trusted.filter(|(_, counts)| *counts);
        let trusted = trusted.map(|(position, _)| position).collect();
        let weakest = set.and_then(|set| self.ledger.weakest_draft(set, trusted));
        weakest.map_or(Quorum::Reached, |confirmed| {
            Quorum::of(confirmed, 0, settled_at(PackKind::Commit, code))
        })
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
            all: self.head.is_being_recorded(),
        };
        let weakest = self.ledger.weakest(set.set, set.code, count);
        weakest.map_or(0, |weakest| weakest.min(fresh.count()))
    }
}

fn confirmed_of(pack: &Pack, trusted: &[bool]) -> u8 {
    let is_confirmed = |transfer| matches!(transfer, &transfer::State::Confirmed);
    safety::count(pack.transfers.iter().map(is_confirmed), trusted)
}

/// What a backup needs of one pack, against what it has.
fn quorum_of(pack: &Pack, code: Code, trusted: &[bool]) -> Quorum {
    let need = settled_at(pack.kind, code);
    let confirmed = confirmed_of(pack, trusted);
    if confirmed < need {
        let moving = pack.transfers.iter().map(|transfer| transfer.is_moving());
        return Quorum::of(confirmed, safety::count(moving, trusted), need);
    }
    // What is sealed next describes only packs that the catalogue knows as committed.
    match pack.state {
        pack::State::Committed { .. } | pack::State::Settled => Quorum::Reached,
        pack::State::Placing { .. }
        | pack::State::Committing { .. }
        | pack::State::Uncommitted { .. } => Quorum::Short {
            confirmed,
            need,
            moving: true,
        },
    }
}

/// Packs of a running job that left the engine are confirmed at every position.
fn quorum_of_settled(group: PackGroup, code: Code, trusted: &[bool]) -> Quorum {
    let confirmed = safety::count(trusted.iter().map(|_| true), trusted);
    let kinds = match group {
        PackGroup::Contents => &[PackKind::Data, PackKind::Tree][..],
        PackGroup::Lists => &[PackKind::Commit][..],
    };
    let need = kinds.iter().map(|kind| settled_at(*kind, code)).max();
    Quorum::of(confirmed, 0, need.unwrap_or(0))
}
