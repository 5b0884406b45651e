//! The ledger: committed packs in groups, as the catalogue told them.
//!
//! It is the sum of the groups at the start and of all that moved since, in whatever order that was
//! told: so a group may stand below zero for a moment, and counts for nothing then. Its size does not
//! depend on how much is stored. Beyond `GROUPS_MAX` groups the rest is counted together, as
//! confirmed only where all of it is: that understates safety and never overstates it.

use std::collections::BTreeMap;

use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::limits::GROUPS_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, Position, PositionMask, SetId};

/// Committed packs by what confirms them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Packs of each group; never zero.
    groups: BTreeMap<Group, i64>,
    /// Where there was no room for a group: the positions at which all that was added since is
    /// confirmed. It stays until the next start, since nobody knows what left it.
    rest: BTreeMap<(SetId, PackKind, bool), PositionMask>,
}

/// A set, and what counts in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    /// The set.
    pub(crate) set: SetId,
    /// Its code for data packs.
    pub(crate) code: Code,
    /// How many of its positions are active.
    pub(crate) active: u8,
    /// Those of them whose holders count.
    pub(crate) holders: PositionMask,
}

impl Ledger {
    /// The ledger of a start.
    pub(crate) fn of(totals: &[GroupTotal]) -> Self {
        let mut ledger = Self::default();
        for total in totals {
            ledger.add(total.group, count(total.packs));
        }
        ledger
    }

    /// Packs moved.
    pub(crate) fn apply(&mut self, change: &GroupChange) {
        let packs = count(change.packs);
        if let Some(from) = change.from {
            self.remove(from, packs);
        }
        self.add(change.to, packs);
    }

    /// The fewest losses of places that some published pack of a set survives, as the confirmations
    /// that a pack of contents needs for that; `None`: nothing of the set is published. `all`: what is
    /// not published counts too, as where a head that leads to it may be published already.
    pub(crate) fn weakest(&self, count: Count, all: bool) -> Option<u8> {
        let groups = self.of_set(count.set);
        let published = groups.filter(|group| group.is_published || all);
        let worth = |group: Group| {
            let confirmed = group.confirmed.and(count.holders).count();
            // Of metadata every position has a copy: one is enough to read it.
            let spared = match group.kind {
                PackKind::Data => 0,
                PackKind::Tree | PackKind::Commit => count.code.k() - 1,
            };
            if confirmed == 0 {
                0
            } else {
                confirmed + spared
            }
        };
        published.map(worth).min()
    }

    /// Confirmations of the weakest pack of a kind to which no published head leads.
    pub(crate) fn weakest_unpublished(
        &self,
        set: SetId,
        kind: PackKind,
        holders: PositionMask,
    ) -> Option<u8> {
        let groups = self.of_set(set);
        let packs = groups.filter(|group| group.kind == kind && !group.is_published);
        packs
            .map(|group| group.confirmed.and(holders).count())
            .min()
    }

    /// Whether a position of some pack of a set is not confirmed.
    pub(crate) fn is_owed(&self, set: SetId, position: Position) -> bool {
        self.of_set(set).any(|group| !group.confirmed.has(position))
    }

    /// Whether a position of some published pack of a set is not confirmed.
    pub(crate) fn is_owed_of_published(&self, set: SetId, position: Position) -> bool {
        self.of_set(set)
            .any(|group| group.is_published && !group.confirmed.has(position))
    }

    /// Positions that have all lists and trees of a set: those that are published, or all. `None`: there
    /// are none.
    pub(crate) fn with_all_lists(&self, set: SetId, all: bool) -> Option<PositionMask> {
        self.with_lists(set, |group| group.is_published || all)
    }

    /// Positions that have all lists of a set, and published trees, that some of these have. `None`: they
    /// have none.
    pub(crate) fn with_lists_of(&self, set: SetId, some: PositionMask) -> Option<PositionMask> {
        self.with_lists(set, |group| {
            let is_named = group.is_published || group.kind == PackKind::Commit;
            is_named && group.confirmed.and(some).count() > 0
        })
    }

    fn with_lists(&self, set: SetId, counts: impl Fn(&Group) -> bool) -> Option<PositionMask> {
        let groups = self.of_set(set);
        let lists = groups.filter(|group| group.kind != PackKind::Data && counts(group));
        lists.map(|group| group.confirmed).reduce(PositionMask::and)
    }

    /// Whether each published pack of a set has as many confirmations as a settled version needs: of
    /// contents k + 1 or all n, of metadata the quorum of the active positions. Never where nothing settles.
    pub(crate) fn is_settled(&self, count: Count) -> bool {
        let mut published = self.of_set(count.set).filter(|group| group.is_published);
        published.all(|group| is_settled(&group, count))
    }

    /// Groups of a set that have packs; the rest as the least that each of its packs had.
    fn of_set(&self, set: SetId) -> impl Iterator<Item = Group> {
        let first = Group {
            set,
            kind: PackKind::Data,
            is_published: false,
            confirmed: PositionMask::default(),
        };
        let groups = self.groups.range(first..);
        let groups = groups.take_while(move |(group, _)| group.set == set);
        let groups = groups.filter(|(_, packs)| **packs > 0);
        let rest = self.rest.iter().map(|(&key, &confirmed)| Group {
            set: key.0,
            kind: key.1,
            is_published: key.2,
            confirmed,
        });
        let rest = rest.filter(move |group| group.set == set);
        groups.map(|(group, _)| *group).chain(rest)
    }

    fn add(&mut self, group: Group, packs: i64) {
        if let Some(known) = self.groups.get_mut(&group) {
            *known += packs;
            if *known == 0 {
                self.groups.remove(&group);
            }
        } else if packs != 0 && self.groups.len() < GROUPS_MAX {
            self.groups.insert(group, packs);
        } else if packs > 0 {
            let key = (group.set, group.kind, group.is_published);
            let rest = self.rest.entry(key).or_insert(group.confirmed);
            *rest = rest.and(group.confirmed);
        }
    }

    /// Takes packs out of their group. Those that it does not have were counted with the rest, or
    /// are told later.
    fn remove(&mut self, group: Group, packs: i64) {
        let key = (group.set, group.kind, group.is_published);
        let here = self.groups.get(&group).copied().unwrap_or(0).max(0);
        let packs = if self.rest.contains_key(&key) {
            packs.min(here)
        } else {
            packs
        };
        self.add(group, -packs);
    }
}

/// Whether packs of a group have as many confirmations as a settled version needs of them.
fn is_settled(group: &Group, count: Count) -> bool {
    let Some(quorum) = count.code.metadata_quorum_of(count.active) else {
        return false;
    };
    let need = match group.kind {
        PackKind::Data => count.code.settled_at(),
        PackKind::Tree | PackKind::Commit => quorum,
    };
    group.confirmed.and(count.holders).count() >= need
}

fn count(packs: u64) -> i64 {
    i64::try_from(packs).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
