//! What of the packs that were sealed and not committed goes on after a start.
//!
//! Whoever starts an engine asks this, so that a world of tests knows no more than a home does. What
//! is committed is counted by the ledger and needs no word here.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, PackId, Position, Sequence, SetId};

use crate::io::{PackFact, SetFact};
use crate::rules::known_at;

/// A pack that was sealed and not committed, as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPackFact {
    /// The pack.
    pub pack: PackId,
    /// What it carries.
    pub kind: PackKind,
    /// The set that it was coded for.
    pub set: SetId,
    /// Who signed for which position, now or formerly.
    pub confirmed: Vec<(Position, DeviceId)>,
}

/// A head that was signed and may have been given out, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFact {
    /// Its place in the lane.
    pub sequence: Sequence,
    /// The packs of its lists; none where that is not known, or one is lost already.
    pub lists: Vec<PackId>,
}

/// What becomes of such packs, and of a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PacksAtStart {
    /// They go on.
    pub kept: Vec<PackFact>,
    /// The rest of their shards is lost: they are forgotten, and their files sealed anew.
    pub dropped: Vec<PackId>,
    /// The draft, if it goes on.
    pub draft: Option<Sequence>,
    /// The draft, if its lists are lost: a head that leads to what is lost must never be given out.
    /// That is to be noted before packs are forgotten; the next backup makes another head.
    pub abandoned: Option<Sequence>,
}

/// Decides which packs go on: those of which no shard that was to be given at once is lost, or that have
/// confirmations enough to be known. `spooled`: whose shards lie in the spool, of any packs; `sets`: all
/// of this device. Of packs of a set that is not among them nothing can be said yet, and they go on. A
/// draft goes on with its lists.
#[must_use]
pub fn packs_at_start(
    sealed: Vec<SealedPackFact>,
    spooled: &[(PackId, Position)],
    sets: &[SetFact],
    draft: Option<&DraftFact>,
) -> PacksAtStart {
    let mut waiting: BTreeMap<PackId, BTreeSet<Position>> = BTreeMap::new();
    for (pack, position) in spooled {
        waiting.entry(*pack).or_default().insert(*position);
    }
    let mut packs = PacksAtStart::default();
    for pack in sealed {
        let set = sets.iter().find(|set| set.set == pack.set);
        let confirmed = counted(set, &pack.confirmed);
        let mut spooled = waiting.remove(&pack.pack).unwrap_or_default();
        spooled.retain(|position| {
            let is_held = set.is_none_or(|set| set.holder_at(*position).is_some());
            is_held && !confirmed.contains(position)
        });
        let fact = PackFact {
            pack: pack.pack,
            set: pack.set,
            kind: pack.kind,
            confirmed: confirmed.into_iter().collect(),
            spooled: spooled.into_iter().collect(),
        };
        if set.is_none_or(|set| survives(&fact, set)) {
            packs.kept.push(fact);
        } else {
            packs.dropped.push(fact.pack);
        }
    }
    if let Some(DraftFact { sequence, lists }) = draft {
        let is_lost = lists.is_empty() || lists.iter().any(|list| packs.dropped.contains(list));
        let fate = if is_lost {
            &mut packs.abandoned
        } else {
            &mut packs.draft
        };
        *fate = Some(*sequence);
    }
    packs
}

/// Positions that are confirmed by whoever holds them now, each once.
fn counted(set: Option<&SetFact>, confirmed: &[(Position, DeviceId)]) -> BTreeSet<Position> {
    let counts = |(position, by): &&(Position, DeviceId)| {
        set.is_none_or(|set| set.holder_at(*position) == Some(*by))
    };
    let positions = confirmed.iter().filter(counts);
    positions.map(|(position, _)| *position).collect()
}

fn survives(pack: &PackFact, set: &SetFact) -> bool {
    let active = set.active();
    let count = |of: &[Position]| of.iter().filter(|it| active.has(**it)).count();
    let known_at = usize::from(known_at(pack.kind, set.code));
    if count(&pack.confirmed) >= known_at {
        return true;
    }
    // Whoever is inactive was given nothing yet, and a vacant position owes it to nobody.
    let mut given = (0..).map(Position).zip(&set.positions);
    let is_lost = |position: &Position| {
        !pack.confirmed.contains(position) && !pack.spooled.contains(position)
    };
    let is_whole = given.all(|(position, place)| place.receiver().is_none() || !is_lost(&position));
    is_whole && count(&pack.confirmed) + count(&pack.spooled) >= known_at
}

#[cfg(test)]
mod tests {
    use bitdust_model::Code;
    use bitdust_model::set::PositionState;

    use super::*;

    const PACK: PackId = PackId([1; 32]);

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    /// A set of six, held by devices 0 to 5.
    fn set() -> SetFact {
        let code = Code::new(2, 6).expect("a code");
        SetFact::formed(SetId([1; 32]), code, (0..6).map(device))
    }

    fn sealed(kind: PackKind, positions: u8) -> SealedPackFact {
        SealedPackFact {
            pack: PACK,
            kind,
            set: set().set,
            confirmed: (0..positions)
                .map(|it| (Position(it), device(it)))
                .collect(),
        }
    }

    #[test]
    fn a_pack_survives_where_nothing_of_it_is_lost_or_enough_is_confirmed() {
        let set = set();
        let code = set.code;
        assert_ne!(code.known_at(), 1, "they are told apart");
        for (kind, known) in [
            (PackKind::Data, code.known_at()),
            (PackKind::Tree, 1),
            (PackKind::Commit, 1),
        ] {
            for (confirmed, spooled, survives) in [
                (0, 6, true),
                (known - 1, 7 - known, true),
                (known - 1, 6 - known, false),
                (known, 0, true),
                (known - 1, 0, false),
                (0, 0, false),
            ] {
                let spool: Vec<_> = (confirmed..confirmed + spooled)
                    .map(|position| (PACK, Position(position)))
                    .collect();
                let pack = sealed(kind, confirmed);
                let packs =
                    packs_at_start(vec![pack.clone()], &spool, std::slice::from_ref(&set), None);
                assert_eq!(packs.kept.len(), usize::from(survives), "{pack:?}");
                assert_eq!(packs.dropped.is_empty(), survives);
            }
            let unknown = packs_at_start(vec![sealed(kind, 0)], &[], &[], None);
            assert_eq!(unknown.kept.len(), 1, "no set yet");
        }
    }

    #[test]
    fn a_draft_is_abandoned_with_its_own_lists_and_no_others() {
        let sets = [set()];
        let lost = sealed(PackKind::Commit, 0);
        let fate = |lists: Vec<PackId>| {
            let sequence = Sequence(4);
            let draft = DraftFact { sequence, lists };
            let packs = packs_at_start(vec![lost.clone()], &[], &sets, Some(&draft));
            assert_eq!(packs.dropped, [PACK]);
            (packs.draft, packs.abandoned)
        };
        let (other, number) = (PackId([2; 32]), Some(Sequence(4)));
        assert_eq!(fate(vec![other]), (number, None));
        assert_eq!(fate(vec![other, PACK]), (None, number));
        assert_eq!(fate(vec![]), (None, number), "whose they were is not known");
    }

    #[test]
    fn a_position_counts_once_and_only_of_its_holder() {
        let sets = [set()];
        let mut pack = sealed(PackKind::Data, 5);
        pack.confirmed.push((Position(5), device(0)));
        pack.confirmed.push((Position(4), device(9)));
        let spooled = [(PACK, Position(5)), (PACK, Position(4))];
        let packs = packs_at_start(vec![pack.clone()], &spooled, &sets, None);
        let five: Vec<_> = (0..5).map(Position).collect();
        assert_eq!(
            packs.kept[0].confirmed, five,
            "the last was a former holder's"
        );
        assert_eq!(
            packs.kept[0].spooled,
            [Position(5)],
            "what is confirmed is not owed"
        );
        pack.set = SetId([2; 32]);
        let foreign = packs_at_start(vec![pack], &[], &sets, None);
        assert_eq!(
            foreign.kept[0].confirmed.len(),
            6,
            "nobody is known to hold it"
        );
    }

    /// Of six positions the last two are vacant, filled or inactive, and the fourth's shard is lost or not.
    #[test]
    fn what_nobody_was_to_be_given_is_not_lost() {
        use PositionState::{Filling, Inactive, Vacant};
        let survives = |state, confirmed, spooled: &[u8]| {
            let mut set = set();
            for place in &mut set.positions[4..] {
                place.state = state;
            }
            let spool: Vec<_> = spooled.iter().map(|it| (PACK, Position(*it))).collect();
            let pack = sealed(PackKind::Data, confirmed);
            packs_at_start(vec![pack], &spool, &[set], None)
                .dropped
                .is_empty()
        };
        for state in [Vacant, Inactive] {
            assert!(survives(state, 1, &[1, 2, 3]), "{state:?}");
            assert!(!survives(state, 1, &[1, 2]), "{state:?}: one is lost");
        }
        assert!(!survives(Filling, 1, &[1, 2, 3]), "two are lost");
        assert!(survives(Filling, 1, &[1, 2, 3, 4, 5]));
        assert!(!survives(Filling, 0, &[4, 5]), "they give nothing back");
    }

    #[test]
    fn only_active_holders_make_a_pack_known() {
        let mut set = set();
        for place in &mut set.positions[1..] {
            place.state = PositionState::Filling;
        }
        let kept =
            |set: SetFact| packs_at_start(vec![sealed(PackKind::Data, 5)], &[], &[set], None);
        assert_eq!(kept(set.clone()).dropped, [PACK], "one of two");
        set.positions[1].state = PositionState::Active;
        assert!(kept(set.clone()).dropped.is_empty());
        set.positions[2].state = PositionState::Vacant;
        let confirmed = &kept(set).kept[0].confirmed;
        assert!(!confirmed.contains(&Position(2)), "nobody holds that one");
    }

    #[test]
    fn each_pack_is_judged_in_its_own_set() {
        let code = Code::new(1, 2).expect("a code");
        let other = SetFact::formed(SetId([2; 32]), code, [device(0), device(1)]);
        let pack = SealedPackFact {
            set: other.set,
            ..sealed(PackKind::Data, 1)
        };
        let packs = packs_at_start(vec![pack], &[], &[set(), other.clone()], None);
        assert_eq!(packs.kept[0].set, other.set, "one of one that it needs");
        assert!(packs.dropped.is_empty());
    }
}
