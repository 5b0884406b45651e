//! Confirmations that packs have, against those that somebody waits for.
//!
//! It counts and changes nothing. A holder that is suspect counts nowhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::manifest::PackKind;
use bitdust_model::status::Protection;
use bitdust_model::{Code, DeviceId, Position, PositionMask, SetId};

use super::Engine;
use super::entries::{Pack, PackGroup, Resting, Supplier, Work};
use crate::fsm::transfer;
use crate::io::{JobId, SetFact};
use crate::ledger::Count;
use crate::rules::{awaited_at, known_at, published_at};
use crate::safety::{self, Need, Quorum};

impl Engine {
    /// Positions of a pack confirmed by holders that are not suspect.
    pub(crate) fn confirmed(&self, pack: &Pack) -> u8 {
        let set = self.sets.get(pack.set);
        set.map_or(0, |set| confirmed_of(pack, &self.trusted(set)))
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
        let set = self.sets.get(pack.set);
        set.map_or(0, |set| {
            safety::count(pack.transfers.iter().map(is_spooled), &self.trusted(set))
        })
    }

    /// The supplier that most packs in memory wait for.
    #[must_use]
    pub fn held_up_by(&self) -> Option<DeviceId> {
        let mut waiting: BTreeMap<_, usize> = BTreeMap::new();
        for pack in self.packs.values().filter(|pack| pack.state.is_held()) {
            let transfers = (0..).map(Position).zip(&pack.transfers);
            for (position, _) in transfers.filter(|(_, transfer)| !transfer.is_kept()) {
                *waiting.entry((pack.set, position)).or_default() += 1;
            }
        }
        let most = waiting
            .iter()
            .max_by_key(|(place, count)| (**count, Reverse(**place)));
        let ((set, position), _) = most?;
        self.sets.holder_at(*set, *position)
    }

    /// Holders that count in some set and are not there.
    #[must_use]
    pub fn away(&self) -> Vec<DeviceId> {
        let mut away = BTreeSet::new();
        for set in self.sets.all() {
            let (trusted, online) = self.trusted_holders(set);
            away.extend(trusted.difference(&online));
        }
        away.into_iter().collect()
    }

    /// By position of a set, whether it counts and something holds of its holder.
    fn flags(set: &SetFact, holds: impl Fn(DeviceId) -> bool) -> Vec<bool> {
        let places = set.positions.iter();
        let counted = places.map(|place| place.keeper().filter(|_| place.counts()));
        counted.map(|holder| holder.is_some_and(&holds)).collect()
    }

    /// By position of a set, whether it counts and its holder is trusted.
    fn trusted(&self, set: &SetFact) -> Vec<bool> {
        Self::flags(set, |holder| self.is_trusted(holder))
    }

    /// Positions of a set that count, and whose holders are trusted and proved lately that they keep
    /// what they have.
    pub(super) fn fresh(&self, set: &SetFact) -> PositionMask {
        let is_fresh = |holder| {
            let supplier = self.suppliers.get(&holder);
            supplier.is_some_and(|it| it.is_fresh(self.now))
        };
        let fresh = set.counted().filter(|(_, holder)| is_fresh(*holder));
        fresh.map(|(position, _)| position).collect()
    }

    /// Positions of a set that count, and whose holders are trusted and there.
    pub(super) fn reachable(&self, set: &SetFact) -> PositionMask {
        let (_, online) = self.trusted_holders(set);
        let positions = online.iter().filter_map(|device| set.position_of(*device));
        positions.collect()
    }

    /// What counts in a set: positions whose holders do.
    pub(super) fn count(&self, set: &SetFact, holders: PositionMask) -> Count {
        Count {
            set: set.set,
            code: set.code,
            active: set.active().count(),
            holders,
        }
    }

    /// Holders to whom shards of a job are on their way.
    pub(super) fn stragglers(&self, job: JobId) -> BTreeSet<DeviceId> {
        let packs = self.packs.values().filter(|pack| pack.job == Some(job));
        let transfers = packs.flat_map(|pack| {
            let positions = (0..).map(|position| (pack.set, Position(position)));
            positions.zip(&pack.transfers)
        });
        let moving = transfers.filter(|(_, transfer)| transfer.is_moving());
        let holders = moving.filter_map(|((set, position), _)| self.sets.holder_at(set, position));
        holders.collect()
    }

    /// Suppliers that it is tried to reach for the first time: a dial of one that vanished takes long to fail,
    /// and each backup until then would wait for it anew.
    pub(super) fn coming(&self) -> Vec<DeviceId> {
        let suppliers = self.suppliers.iter();
        let coming = suppliers.filter(|(_, supplier)| supplier.link.is_coming());
        coming.map(|(device, _)| *device).collect()
    }

    /// By position of a set, how its holder stands.
    fn holder_flags(&self, set: &SetFact) -> HolderFlags {
        let of = |is_so: fn(&Supplier) -> bool| {
            Self::flags(set, |holder| self.suppliers.get(&holder).is_some_and(is_so))
        };
        HolderFlags {
            code: set.code,
            active: set.active().count(),
            trusted: self.trusted(set),
            suspect: Self::flags(set, |holder| self.is_hopeful(holder)),
            prompt: of(Supplier::is_prompt),
            catching_up: of(Supplier::is_catching_up),
        }
    }

    /// How the holders of each set stand.
    fn all_flags(&self) -> BTreeMap<SetId, HolderFlags> {
        let sets = self.sets.all();
        sets.map(|set| (set.set, self.holder_flags(set))).collect()
    }

    /// The weakest of a job's packs of a group, also of those that are followed no more; with `None`,
    /// of all packs of that group.
    pub(super) fn quorum(&self, job: Option<JobId>, group: PackGroup) -> Quorum {
        let flags = self.all_flags();
        let mut weakest = Quorum::Reached;
        for resting in self.left(job).filter(|resting| group.has(resting.kind)) {
            let (Some(set), Some(flags)) = (self.sets.get(resting.set), flags.get(&resting.set))
            else {
                continue;
            };
            let mut quorum = flags.of_resting(resting);
            let is_short = matches!(quorum, Quorum::Lost | Quorum::Short { .. });
            if is_short && self.is_known_by_now(set, resting.kind) {
                quorum = Quorum::Enough { moving: false };
            }
            weakest = weakest.weaker(quorum);
        }
        if job.is_none() && group == PackGroup::Lists {
            weakest = weakest.weaker(self.quorum_of_drafts());
        }
        for pack in self.packs.values() {
            if group.has(pack.kind)
                && (job.is_none() || pack.job == job)
                && let Some(flags) = flags.get(&pack.set)
            {
                weakest = weakest.weaker(flags.of_pack(pack, job.is_some()));
            }
        }
        weakest
    }

    /// How a job stands with one of its packs.
    pub(super) fn quorum_of(&self, pack: &Pack) -> Quorum {
        self.sets.get(pack.set).map_or(Quorum::Reached, |set| {
            self.holder_flags(set).of_pack(pack, true)
        })
    }

    /// Whether each pack of a set and a kind that rests and is not published is kept by enough: others
    /// may have got it since it rests.
    pub(super) fn is_known_by_now(&self, set: &SetFact, kind: PackKind) -> bool {
        let trusted = self.trusted_positions(set);
        let weakest = self.ledger.weakest_unpublished(set.set, kind, trusted);
        weakest.is_none_or(|confirmed| confirmed >= known_at(kind, set.code))
    }

    /// Positions of a set that count and whose holders are trusted.
    pub(super) fn trusted_positions(&self, set: &SetFact) -> PositionMask {
        let counted = set.counted();
        let trusted = counted.filter(|(_, holder)| self.is_trusted(*holder));
        trusted.map(|(position, _)| position).collect()
    }

    /// Whether packs are in memory for suppliers that are not waited for any more.
    pub(super) fn is_held_up(&self) -> bool {
        let is_prompt = |holder| {
            let supplier = self.suppliers.get(&holder);
            supplier.is_some_and(Supplier::is_prompt)
        };
        self.packs.values().any(|pack| {
            let mut transfers = (0..).map(Position).zip(&pack.transfers);
            transfers.any(|(position, transfer)| {
                let holder = self.sets.holder_at(pack.set, position);
                transfer.is_moving() && !holder.is_some_and(is_prompt)
            })
        })
    }

    /// How all that is published stands: reached where it is safe.
    pub(super) fn quorum_of_published(&self) -> Quorum {
        if self.protection() == Protection::Safe {
            return Quorum::Reached;
        }
        let flags = self.all_flags();
        let moves = |pack: &Pack| {
            let prompt = flags.get(&pack.set).into_iter().flat_map(|it| &it.prompt);
            let mut transfers = pack.transfers.iter().zip(prompt);
            transfers.any(|(transfer, is_prompt)| *is_prompt && transfer.is_moving())
        };
        let mut catching_up = flags.values().flat_map(|flags| &flags.catching_up);
        let moving = catching_up.any(|is_so| *is_so)
            || self.packs.values().any(moves)
            || self.is_head_moving();
        Quorum::Enough { moving }
    }

    /// Where packs of a job are confirmed that are followed no more.
    fn left(&self, job: Option<JobId>) -> impl Iterator<Item = &Resting> {
        let entry = job.and_then(|job| self.jobs.get(&job));
        let left = entry.and_then(|entry| match &entry.work {
            Work::Backup { left, .. } => Some(left),
            Work::Restore(_) | Work::Recovery(_) => None,
        });
        left.into_iter().flatten()
    }

    /// Lists that no head leads to yet and that rest in the ledger: they lie in the home set.
    fn quorum_of_drafts(&self) -> Quorum {
        let Some(home) = self.sets.home() else {
            return Quorum::Reached;
        };
        let (trusted, kind) = (self.trusted_positions(home), PackKind::Commit);
        let weakest = self.ledger.weakest_unpublished(home.set, kind, trusted);
        weakest.map_or(Quorum::Reached, |confirmed| {
            let active = home.active().count();
            Quorum::of(
                confirmed,
                0,
                need(PackKind::Commit, home.code, active, active),
            )
        })
    }

    /// Holders that lead to the newest published head and proved lately that they keep what they
    /// have, as the confirmations that a pack of contents needs to survive as many losses.
    fn head_fresh(&self) -> u8 {
        let Some(home) = self.sets.home() else {
            return 0;
        };
        let fresh = self.fresh(home);
        let worth = |positions: PositionMask| match positions.and(fresh).count() {
            0 => 0,
            copies => copies + home.code.k() - 1,
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

    /// Each set in which something published lies, with the confirmations of its weakest pack by fresh
    /// and trusted holders: at most as many as there are of these, and in the home set also as few as
    /// lead to the head. That set is told also where the ledger knows of no such pack.
    pub(super) fn weakest_fresh(&self) -> Vec<(Code, u8)> {
        let all = self.head.being_recorded().is_some();
        let home = self.sets.home().map(|home| home.set);
        let of_set = |set: &SetFact| {
            let fresh = self.fresh(set);
            let weakest = self.ledger.weakest(self.count(set, fresh), all);
            let weakest = weakest.map(|weakest| weakest.min(fresh.count()));
            let confirmed = if Some(set.set) == home {
                weakest.unwrap_or(0).min(self.head_fresh())
            } else {
                weakest?
            };
            Some((set.code, confirmed))
        };
        self.sets.all().filter_map(of_set).collect()
    }
}

fn confirmed_of(pack: &Pack, trusted: &[bool]) -> u8 {
    let is_confirmed = |transfer| matches!(transfer, &transfer::State::Confirmed);
    safety::count(pack.transfers.iter().map(is_confirmed), trusted)
}

/// Confirmations that a pack needs, where so many positions are active, with so many holders that
/// confirmed it or answer.
fn need(kind: PackKind, code: Code, active: u8, there: u8) -> Need {
    let enough = published_at(kind, code, there);
    Need {
        enough,
        awaited: awaited_at(kind, code, active).max(enough),
    }
}

/// How the holders of a set stand, by position; nothing holds of one that does not count.
struct HolderFlags {
    code: Code,
    /// How many positions are active.
    active: u8,
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
    fn of_pack(&self, pack: &Pack, is_awaited: bool) -> Quorum {
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
        let there = if is_awaited { there } else { self.active };
        let need = need(pack.kind, self.code, self.active, there);
        // Whoever is owed a shard and is there would get one of a pack that is sealed anew.
        let is_owed = |transfer| matches!(transfer, &transfer::State::Owed);
        let owed = safety::count(pack.transfers.iter().map(is_owed), &self.prompt);
        if owed > 0 && confirmed + moving < known_at(pack.kind, self.code) {
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
    fn of_resting(&self, resting: &Resting) -> Quorum {
        let is_confirmed = |holders: &[bool]| {
            let positions = (0..).map(|position| resting.confirmed.has(Position(position)));
            safety::count(positions, holders)
        };
        let (count, suspect) = (is_confirmed(&self.trusted), is_confirmed(&self.suspect));
        match Quorum::of(count, 0, need(resting.kind, self.code, self.active, count)) {
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
