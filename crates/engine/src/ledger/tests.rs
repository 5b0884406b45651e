//! The sum of what moved is what is there, in whatever order it was told.

use bitdust_model::ByteCount;

use super::*;
use crate::random::Random;

const SET: SetId = SetId([1; 32]);
const OTHER: SetId = SetId([2; 32]);

fn group(kind: PackKind, confirmed: u32) -> Group {
    Group {
        set: SET,
        kind,
        is_published: true,
        confirmed: PositionMask(confirmed),
    }
}

fn data(confirmed: u32) -> Group {
    group(PackKind::Data, confirmed)
}

fn moved(from: Option<Group>, to: Group) -> GroupChange {
    GroupChange {
        from,
        to,
        packs: 1,
        bytes: ByteCount(1),
    }
}

fn code() -> Code {
    Code::new(3, 6).expect("a code")
}

/// Positions whose holders count, in a set of which all are active.
fn of(holders: u32) -> Count {
    Count {
        set: SET,
        code: code(),
        active: code().n(),
        holders: PositionMask(holders),
    }
}

/// The weakest published pack, whoever confirmed it.
fn weakest(ledger: &Ledger) -> Option<u8> {
    ledger.weakest(of(u32::MAX), false)
}

#[test]
fn the_weakest_published_pack_counts_and_only_by_holders_that_count() {
    let mut ledger = Ledger::default();
    assert_eq!(weakest(&ledger), None, "nothing is there");
    ledger.apply(&moved(None, data(0b11_1111)));
    ledger.apply(&moved(None, data(0b01_1111)));
    let unpublished = Group {
        is_published: false,
        ..data(0b00_0111)
    };
    ledger.apply(&moved(None, unpublished));
    assert_eq!(weakest(&ledger), Some(5));
    assert_eq!(ledger.weakest(of(0b11_1110), false), Some(4));
    assert_eq!(ledger.weakest(of(u32::MAX), true), Some(3), "all of them");
    let other = Count {
        set: OTHER,
        ..of(u32::MAX)
    };
    assert_eq!(ledger.weakest(other, false), None);
    ledger.apply(&moved(Some(data(0b01_1111)), data(0b11_1111)));
    assert_eq!(weakest(&ledger), Some(6));
    let published = data(0b00_0111);
    ledger.apply(&moved(Some(unpublished), published));
    assert_eq!(weakest(&ledger), Some(3));
}

/// Two copies survive one loss, as four of six do where three are needed.
#[test]
fn copies_are_worth_what_they_survive() {
    for (copies, worth) in [(0b1111, 6), (0b11, 4), (0b1, 3), (0, 0)] {
        let ledger = Ledger::of(&[GroupTotal {
            group: group(PackKind::Tree, copies),
            packs: 1,
            bytes: ByteCount(1),
        }]);
        assert_eq!(weakest(&ledger), Some(worth), "{copies:b}");
    }
}

/// Groups of two sets, of which the ids lie side by side.
fn of_two_sets() -> Ledger {
    let in_other = |group| Group {
        set: OTHER,
        ..group
    };
    let groups = [
        data(0b11_1111),
        group(PackKind::Tree, 0b01_1111),
        in_other(data(0b00_0111)),
        in_other(group(PackKind::Commit, 0b00_0011)),
    ];
    let total = |group| GroupTotal {
        group,
        packs: 1,
        bytes: ByteCount(1),
    };
    Ledger::of(&groups.map(total))
}

#[test]
fn each_set_is_counted_by_itself() {
    let ledger = of_two_sets();
    let other = |holders| Count {
        set: OTHER,
        ..of(holders)
    };
    assert_eq!(weakest(&ledger), Some(6));
    assert_eq!(ledger.weakest(other(u32::MAX), false), Some(3));
    assert_eq!(ledger.weakest(other(0b00_0110), false), Some(2));
    assert_eq!(
        ledger.with_all_lists(SET, false),
        Some(PositionMask(0b01_1111))
    );
    assert_eq!(
        ledger.with_all_lists(OTHER, false),
        Some(PositionMask(0b00_0011))
    );
    assert_eq!(
        ledger.with_all_lists(SetId([3; 32]), false),
        None,
        "no lists"
    );
    assert!(!ledger.is_owed(SET, Position(1)));
    assert!(ledger.is_owed(SET, Position(5)), "a tree");
    assert!(!ledger.is_owed(OTHER, Position(1)));
    assert!(ledger.is_owed(OTHER, Position(2)), "lists");
    assert!(ledger.is_settled(of(u32::MAX)));
    assert!(!ledger.is_settled(other(u32::MAX)), "three of four");
}

/// Where two of six positions are vacant, copies of lists suffice that any three of the others have one
/// of; where fewer than three are left, nothing does.
#[test]
fn a_set_settles_by_the_positions_that_are_active() {
    let settled = |active, confirmed| {
        let groups = [data(confirmed), group(PackKind::Tree, 0b11_1000)];
        let total = |group| GroupTotal {
            group,
            packs: 1,
            bytes: ByteCount(1),
        };
        let ledger = Ledger::of(&groups.map(total));
        ledger.is_settled(Count {
            active,
            ..of(u32::MAX)
        })
    };
    assert!(!settled(6, 0b11_1111), "three of four copies");
    assert!(settled(4, 0b11_1111));
    assert!(settled(4, 0b00_1111));
    assert!(!settled(4, 0b00_0111), "contents need one more than three");
    assert!(!settled(2, 0b11_1111), "nothing settles");
}

#[test]
fn lists_of_a_draft_are_counted_apart() {
    let mut ledger = Ledger::default();
    ledger.apply(&moved(None, group(PackKind::Commit, 0b1)));
    let holders = PositionMask(0b1111);
    assert_eq!(
        ledger.weakest_unpublished(SET, PackKind::Commit, holders),
        None,
        "published"
    );
    let draft = Group {
        is_published: false,
        ..group(PackKind::Commit, 0b1_1110)
    };
    ledger.apply(&moved(None, draft));
    assert_eq!(
        ledger.weakest_unpublished(SET, PackKind::Commit, holders),
        Some(3)
    );
}

#[test]
fn a_position_is_owed_until_all_packs_have_it() {
    let mut ledger = Ledger::of(&[GroupTotal {
        group: data(0b11_1110),
        packs: 2,
        bytes: ByteCount(2),
    }]);
    let is_owed = |ledger: &Ledger, position| ledger.is_owed(SET, Position(position));
    assert!(is_owed(&ledger, 0) && !is_owed(&ledger, 1));
    let whole = moved(Some(data(0b11_1110)), data(0b11_1111));
    ledger.apply(&whole);
    assert!(is_owed(&ledger, 0), "one is left");
    ledger.apply(&whole);
    assert!(!is_owed(&ledger, 0));
}

/// Receipts and commits are told by several threads.
#[test]
fn the_order_of_what_is_told_does_not_matter() {
    let chain = [
        None,
        Some(data(0b111)),
        Some(data(0b1111)),
        Some(data(0b1_1111)),
    ];
    let mut changes: Vec<_> = chain
        .windows(2)
        .map(|pair| moved(pair[0], pair[1].expect("a group")))
        .collect();
    changes.reverse();
    let mut ledger = Ledger::default();
    for change in &changes {
        ledger.apply(change);
        assert_eq!(weakest(&ledger), Some(5), "as it is at the end");
    }
    assert_eq!(ledger.groups, BTreeMap::from([(data(0b1_1111), 1)]));
}

/// A million random moves: what is kept is what is counted anew.
#[test]
fn after_a_million_moves_the_groups_are_those_of_the_packs() {
    let mut chance = Random::from_number(14);
    let mut packs = vec![None; 3_000];
    let mut ledger = Ledger::default();
    for _ in 0..1_000_000 {
        let pack = &mut packs[usize::try_from(chance.below(3_000)).expect("short")];
        let confirmed = u32::try_from(chance.below(1 << 6)).expect("six bits");
        let to = Group {
            is_published: chance.below(2) == 0,
            ..data(confirmed)
        };
        ledger.apply(&moved(*pack, to));
        *pack = Some(to);
    }
    let mut counted: BTreeMap<Group, i64> = BTreeMap::new();
    for group in packs.into_iter().flatten() {
        *counted.entry(group).or_default() += 1;
    }
    assert_eq!(ledger.groups, counted);
    assert!(ledger.rest.is_empty());
}

/// With more groups than there is room for, what is said is never too good, in whatever order it is
/// told.
#[test]
fn beyond_the_limit_safety_is_understated() {
    let mut chance = Random::from_number(7);
    let count = 2 * GROUPS_MAX;
    let full = (1 << 14) - 1;
    let mut packs: Vec<_> = (0..count)
        .map(|number| data(u32::try_from(number).expect("short") ^ full))
        .collect();
    let mut ledger = Ledger::default();
    for group in &packs {
        ledger.apply(&moved(None, *group));
    }
    assert!(ledger.groups.len() <= GROUPS_MAX && ledger.rest.len() == 1);
    let code = Code::new(2, 14).expect("a code");
    for _ in 0..200 {
        let mut changes = Vec::new();
        for _ in 0..200 {
            let at = usize::try_from(chance.below(count as u64)).expect("short");
            let lost = u32::try_from(chance.below(14)).expect("short");
            let from = packs[at];
            packs[at] = data(from.confirmed.0 ^ (1 << lost));
            changes.push(moved(Some(from), packs[at]));
        }
        while !changes.is_empty() {
            let next = usize::try_from(chance.below(changes.len() as u64)).expect("short");
            ledger.apply(&changes.swap_remove(next));
        }
        let truly = packs.iter().map(|pack| pack.confirmed.count()).min();
        let count = Count {
            code,
            active: code.n(),
            ..of(u32::MAX)
        };
        assert!(ledger.weakest(count, false) <= truly);
        for position in (0..14).map(Position) {
            let owes = packs.iter().any(|pack| !pack.confirmed.has(position));
            assert!(ledger.is_owed(SET, position) >= owes);
        }
    }
    assert!(ledger.groups.len() <= GROUPS_MAX);
}
