//! Packs in groups: what is told to move adds up to what is there, and what is owed is found.

use std::collections::BTreeMap;

use bitdust_model::ledger::{Group, GroupChange};
use bitdust_model::limits::SEGMENTS_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{
    ByteCount, HeadHash, PackId, Position, PositionMask, Sequence, SetHash, SetId,
};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::{NewSegment, OwedPlace, OwnHead, OwnSet, Publication};
use proptest::prelude::*;

use crate::support::{
    NOW, blob, chunk, commit, confirm, device, head, id, identity, open_catalogue, pack,
    pack_record, signed, temporary_folder,
};

const PACKS: u64 = 6;

fn set() -> SetId {
    SetId(id("set", 1))
}

/// What may happen to a pack.
#[derive(Debug, Clone, Copy)]
enum Step {
    Confirm { pack: u64, position: u8, by: u64 },
    Commit { pack: u64 },
    Withdraw { pack: u64, position: u8, by: u64 },
    Unconfirm { by: u64 },
    Publish { pack: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..=PACKS, 0..4_u8, 0..5_u64)
            .prop_map(|(pack, position, by)| Step::Confirm { pack, position, by }),
        2 => (1..=PACKS).prop_map(|pack| Step::Commit { pack }),
        2 => (1..=PACKS, 0..4_u8, 0..5_u64)
            .prop_map(|(pack, position, by)| Step::Withdraw { pack, position, by }),
        1 => (0..5_u64).prop_map(|by| Step::Unconfirm { by }),
        1 => (1..=PACKS).prop_map(|pack| Step::Publish { pack }),
    ];
    proptest::collection::vec(step, 1..60)
}

fn perform(catalogue: &Catalogue, step: Step, next: u64) -> Vec<GroupChange> {
    match step {
        Step::Confirm {
            pack: of,
            position,
            by,
        } => {
            let (position, by) = (Position(position), device(by));
            let moved = catalogue.confirm_shard(pack(of), position, by, None, NOW);
            moved.expect("confirmed").into_iter().collect()
        }
        Step::Commit { pack: of } => {
            let moved = catalogue.commit_pack(pack(of)).expect("committed");
            moved.into_iter().collect()
        }
        Step::Withdraw {
            pack: of,
            position,
            by,
        } => {
            let lost = vec![(pack(of), Position(position))];
            let withdrawn = catalogue.withdraw_shards(device(by), lost, false);
            withdrawn.expect("taken back").moved
        }
        Step::Unconfirm { by } => catalogue.withdraw_all(device(by)).expect("taken back"),
        Step::Publish { pack: of } => {
            let segment = NewSegment {
                blobs: vec![blob(next)],
                replaced: Vec::new(),
                packs: vec![pack(of)],
            };
            let published = catalogue.publish(Publication {
                segment: Some(segment),
                ..Publication::default()
            });
            published.expect("published").moved
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens in whatever order: the sum of what moved is what the rows say.
    #[test]
    fn what_moved_adds_up_to_what_is_there(steps in steps(), seed in any::<u64>()) {
        let dir = temporary_folder();
        let catalogue = open_catalogue(&dir);
        for number in 1..=PACKS {
            catalogue.record_pack(pack_record(number, &[number])).expect("recorded");
        }
        let mut changes = Vec::new();
        for (next, step) in (100..).zip(&steps) {
            changes.extend(perform(&catalogue, *step, next));
        }
        // They may be told in any order.
        let length = changes.len().max(1);
        changes.rotate_left(usize::try_from(seed % length as u64).expect("short"));
        let mut sums: BTreeMap<Group, (i64, i64)> = BTreeMap::new();
        let mut add = |group: Group, sign: i64, change: &GroupChange| {
            let sum = sums.entry(group).or_default();
            sum.0 += sign * i64::try_from(change.packs).expect("few");
            sum.1 += sign * i64::try_from(change.bytes.0).expect("few");
        };
        for change in &changes {
            add(change.to, 1, change);
            if let Some(from) = change.from {
                add(from, -1, change);
            }
        }
        sums.retain(|_, sum| *sum != (0, 0));
        let there = catalogue.groups(set()).expect("counted");
        let there: BTreeMap<_, _> = there
            .into_iter()
            .map(|total| {
                let packs = i64::try_from(total.packs).expect("few");
                (total.group, (packs, i64::try_from(total.bytes.0).expect("few")))
            })
            .collect();
        prop_assert_eq!(sums, there);
    }
}

#[test]
fn what_is_owed_is_found_the_weakest_first() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    for (number, positions) in [(1, 4_u8), (2, 3), (3, 2), (4, 1)] {
        catalogue
            .record_pack(pack_record(number, &[number]))
            .expect("recorded");
        for position in 0..positions {
            let by = device(position.into());
            catalogue
                .confirm_shard(pack(number), Position(position), by, None, NOW)
                .expect("confirmed");
        }
        if number < 4 {
            catalogue.commit_pack(pack(number)).expect("committed");
        }
    }
    let place = |set, position, reachable| OwedPlace {
        set,
        position: Position(position),
        reachable: PositionMask(reachable),
    };
    let owed = |position, reachable, count| {
        let found = catalogue.owed(&[place(set(), position, reachable)], count);
        found.expect("looked up")
    };
    assert_eq!(
        owed(3, 0b111, 9),
        [3, 2].map(pack),
        "the last is not committed"
    );
    assert_eq!(owed(3, 0b111, 1), [3].map(pack));
    assert_eq!(
        owed(3, 0b110, 9),
        [2, 3].map(pack),
        "two can be reached of the second"
    );
    assert_eq!(owed(2, 0b111, 9), [3].map(pack));
    assert_eq!(owed(1, 0b111, 9), []);
    assert_eq!(owed(9, 0b111, 9), [], "there is no such position");
    let other = SetId(id("set", 2));
    let found = catalogue.owed(&[place(other, 3, 0b1111)], 9);
    assert_eq!(found.expect("looked up"), []);
    // What cannot be made in one set stands behind what can be made in another.
    let mut record = pack_record(5, &[5]);
    record.pack.set = other;
    catalogue.record_pack(record).expect("recorded");
    catalogue.commit_pack(pack(5)).expect("committed");
    let places = [place(other, 3, 0b1111), place(set(), 3, 0b111)];
    let found = catalogue.owed(&places, 9).expect("looked up");
    assert_eq!(found, [3, 2, 5].map(pack));
}

/// The packs of a head's own lists count as published with it.
#[test]
fn a_published_head_publishes_its_lists() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let mut lists = pack_record(1, &[]);
    lists.pack.kind = PackKind::Commit;
    catalogue.record_pack(lists).expect("recorded");
    let told = catalogue.commit_pack(pack(1)).expect("committed");
    let group = told.map(|change| change.to).expect("it is counted");
    assert!(!group.is_published);
    assert!(catalogue.is_committed(pack(1)).expect("looked up"));
    assert!(!catalogue.is_committed(pack(2)).expect("looked up"));
    let head = head(identity(1), device(1), 1, HeadHash([0; 32]));
    let own = OwnHead {
        sequence: head.sequence,
        hash: HeadHash([1; 32]),
        head: signed(&head),
        published: false,
    };
    let publish = |lists: &[PackId]| {
        let published = catalogue.publish(Publication {
            head: Some(own.clone()),
            lists: lists.to_vec(),
            ..Publication::default()
        });
        published.expect("published").moved
    };
    assert_eq!(publish(&[]), [], "of another head");
    // Also where nobody keeps them any more: it leads to them.
    let moved = publish(&[pack(1)]);
    let to = Group {
        is_published: true,
        ..group
    };
    let bytes = ByteCount(u64::from(pack_record(1, &[]).pack.pack_bytes));
    let change = GroupChange {
        from: Some(group),
        to,
        packs: 1,
        bytes,
    };
    assert_eq!(moved, [change]);
}

/// Records a version of the set, whose positions devices 0 to 3 hold: all masks are counted anew from the
/// rows.
fn put_set(catalogue: &Catalogue, version: u64, states: [PositionState; 4]) {
    let position = |(state, number)| PositionRecord {
        state,
        current: Some(Holder {
            identity: identity(number),
            device: device(number),
        }),
        ..PositionRecord::default()
    };
    let record = SetRecord {
        set: set(),
        owner: identity(9),
        lane: device(9),
        version: Sequence(version),
        previous: SetHash([0; 32]),
        k: 2,
        positions: states.into_iter().zip(0..).map(position).collect(),
        mandate: None,
    };
    let own = OwnSet {
        set: record.set,
        version: record.version,
        record: signed(&record),
    };
    catalogue.put_set(own).expect("recorded");
}

/// Masks and groups are kept along the way; after many updates they are what the rows give anew. `SEEDS=5000`:
/// a million updates.
#[test]
fn what_is_kept_along_the_way_is_what_the_rows_say() {
    const MANY: u64 = 400;
    /// Each is a segment of its own.
    const PUBLISHED_MAX: u64 = SEGMENTS_MAX as u64 - 2;
    let seeds = std::env::var("SEEDS").ok().and_then(|it| it.parse().ok());
    let updates = 200 * seeds.unwrap_or(25);
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    put_set(&catalogue, 1, [PositionState::Active; 4]);
    for number in 1..=MANY {
        let record = pack_record(number, &[number]);
        catalogue.record_pack(record).expect("recorded");
    }
    let mut sums: BTreeMap<Group, i64> = BTreeMap::new();
    let mut published = 0;
    for update in 0..updates {
        let bytes = id("update", update);
        let [kind, position, by, ..] = bytes;
        let pack = 1 + u64::from(u16::from_le_bytes([bytes[3], bytes[4]])) % MANY;
        let (position, by) = (position % 4, u64::from(by % 5));
        let step = match kind {
            0..=150 => Step::Confirm { pack, position, by },
            151..=200 => Step::Commit { pack },
            201 if bytes[5] < 8 => Step::Unconfirm { by },
            201..=254 => Step::Withdraw { pack, position, by },
            255 if published < PUBLISHED_MAX => {
                published += 1;
                Step::Publish { pack }
            }
            255 => Step::Confirm { pack, position, by },
        };
        for change in perform(&catalogue, step, 1_000 + update) {
            let packs = i64::try_from(change.packs).expect("few");
            *sums.entry(change.to).or_default() += packs;
            if let Some(from) = change.from {
                *sums.entry(from).or_default() -= packs;
            }
        }
    }
    sums.retain(|_, packs| *packs != 0);
    let groups = || -> BTreeMap<Group, i64> {
        let there = catalogue.groups(set()).expect("counted");
        let packs = |packs| i64::try_from(packs).expect("few");
        let there = there.into_iter();
        there
            .map(|total| (total.group, packs(total.packs)))
            .collect()
    };
    let kept = groups();
    assert!(kept.len() > 10, "packs stand in many ways");
    assert_eq!(sums, kept);
    put_set(&catalogue, 2, [PositionState::Active; 4]);
    assert_eq!(groups(), kept);
}

/// The mask has whoever keeps a shard at a position that it holds; what is known are chunks that enough of
/// those keep who count.
#[test]
fn holders_that_do_not_count_confirm_and_make_nothing_known() {
    use PositionState::{Active, Filling, Inactive, Vacant};
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let become_of = |version: u64, states: [PositionState; 4]| {
        put_set(&catalogue, version, states);
        let groups = catalogue.groups(set()).expect("counted");
        let is_known = catalogue.known_chunk(chunk(1)).expect("looked up");
        (groups[0].group.confirmed, is_known)
    };
    commit(&catalogue, 1, &[1]);
    let three = PositionMask(0b0111);
    assert_eq!(become_of(1, [Active; 4]), (three, true));
    assert_eq!(
        become_of(2, [Active, Filling, Inactive, Active]),
        (three, false)
    );
    assert_eq!(
        become_of(3, [Active, Filling, Active, Active]),
        (three, true)
    );
    let two = PositionMask(0b0101);
    assert_eq!(
        become_of(4, [Active, Vacant, Inactive, Active]),
        (two, false)
    );
    // What comes later is counted alike.
    confirm(&catalogue, 1, 4);
    let (_, is_known) = become_of(5, [Active, Vacant, Inactive, Active]);
    assert!(is_known, "two of two");
    let nobody = become_of(6, [Vacant; 4]);
    assert_eq!(nobody, (PositionMask::default(), false), "nobody keeps it");
}
