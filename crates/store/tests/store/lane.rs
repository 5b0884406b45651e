//! The own lane taken in from what suppliers keep, and what they list of it.

use bitdust_model::head::HeadReceipt;
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{PackKind, Segment};
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{DeviceId, HeadHash, PackId, Position, Sequence, SetHash, SetId, ShardId};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::{
    CatalogueError, ListedShard, NewSegment, OwnHead, OwnSet, Publication, TakenLane, TakenSegment,
};

use crate::support::{
    NOW, blob, commit, confirm, device, head, id, identity, open_catalogue, pack, pack_record,
    signed, snapshot, temporary_folder,
};

fn own_head(sequence: u64, published: bool) -> OwnHead {
    OwnHead {
        sequence: Sequence(sequence),
        hash: HeadHash(id("head", sequence)),
        head: signed(&head(identity(1), device(1), sequence, HeadHash([0; 32]))),
        published,
    }
}

/// The set of the packs of these tests, held by devices 0 to 3.
fn own_set() -> OwnSet {
    let set = pack_record(1, &[1]).pack.set;
    let position = |number| PositionRecord {
        state: PositionState::Active,
        since: Sequence(1),
        current: Some(Holder {
            identity: identity(number),
            device: device(number),
        }),
        former: Vec::new(),
    };
    let record = SetRecord {
        set,
        owner: identity(1),
        lane: device(1),
        version: Sequence(1),
        previous: SetHash([0; 32]),
        k: 2,
        positions: (0..4).map(position).collect(),
        mandate: None,
    };
    OwnSet {
        set: SetId(set.0),
        version: Sequence(1),
        record: signed(&record),
    }
}

/// A catalogue that published head 1 with pack 1, and has a draft behind it.
fn laid_back(dir: &tempfile::TempDir) -> Catalogue {
    let catalogue = open_catalogue(dir);
    catalogue.put_set(own_set()).expect("kept");
    commit(&catalogue, 1, &[1]);
    let segment = NewSegment {
        blobs: vec![blob(1)],
        replaced: Vec::new(),
        packs: vec![pack(1)],
    };
    let publication = Publication {
        segment: Some(segment),
        snapshots: vec![snapshot(1)],
        head: Some(own_head(1, true)),
        lists: Vec::new(),
    };
    catalogue.publish(publication).expect("published");
    catalogue.put_head(own_head(2, false)).expect("a draft");
    catalogue
}

fn lane(sequence: u64, packs: &[u64]) -> TakenLane {
    TakenLane {
        head: own_head(sequence, true),
        published: Some(Sequence(1)),
        lists: Vec::new(),
        segments: vec![TakenSegment {
            blobs: vec![blob(7)],
            packs: packs.iter().map(|it| pack(*it)).collect(),
        }],
        snapshots: vec![snapshot(1), snapshot(2)],
        holders: (0..4).map(device).collect(),
    }
}

fn import(catalogue: &Catalogue, packs: &[u64]) -> Vec<GroupChange> {
    let segment = Segment {
        packs: packs.iter().map(|it| pack_record(*it, &[*it])).collect(),
        grown: Vec::new(),
    };
    catalogue.import_segment(segment).expect("imported").moved
}

#[test]
fn the_catalogue_goes_on_from_a_head_that_suppliers_keep() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    let writer = catalogue.writer().expect("read");
    let moved = import(&catalogue, &[1, 2]);
    assert_eq!(moved.len(), 1, "what was known does not move: {moved:?}");
    assert_eq!((moved[0].from, moved[0].packs), (None, 1));
    assert!(
        !moved[0].to.is_published,
        "no head that is known here describes it"
    );
    let moved = catalogue.take_lane(lane(5, &[1, 2])).expect("taken");
    assert_eq!(moved.len(), 1, "both are described: {moved:?}");
    assert!(moved[0].to.is_published);
    let newest = catalogue
        .newest_head()
        .expect("read")
        .expect("there is one");
    assert_eq!((newest.sequence, newest.published), (Sequence(5), true));
    assert_eq!(catalogue.draft().expect("read"), None);
    assert_eq!(catalogue.head(Sequence(2)).expect("read"), None);
    assert!(catalogue.head(Sequence(1)).expect("read").is_some());
    let segments = catalogue.segments().expect("read");
    assert_eq!((segments.len(), segments[0].packs), (1, 2));
    assert_eq!(segments[0].blobs, [blob(7)]);
    assert_eq!(catalogue.snapshots(NOW).expect("read").len(), 2);
    assert_ne!(catalogue.writer().expect("read"), writer, "another one");
    assert_eq!(catalogue.unlisted().expect("read").len(), 4);
    catalogue.note_listed(device(2)).expect("noted");
    let left: Vec<_> = [0, 1, 3].map(device).to_vec();
    assert_eq!(catalogue.unlisted().expect("read"), left);
    assert!(
        !catalogue
            .has_heads_between(Sequence(1), Sequence(6))
            .expect("read")
    );
    assert!(
        catalogue
            .has_heads_between(Sequence(4), Sequence(6))
            .expect("read")
    );
}

/// A commit that named it and described it nowhere could never be read.
#[test]
fn what_the_new_index_does_not_describe_is_described_by_the_next_commit() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    import(&catalogue, &[2]);
    let moved = catalogue.take_lane(lane(5, &[2])).expect("taken");
    let is_back = |change: &&GroupChange| {
        let was_published = change.from.is_some_and(|from| from.is_published);
        was_published && !change.to.is_published
    };
    assert_eq!(moved.iter().filter(is_back).count(), 1, "{moved:?}");
    let waiting = catalogue.packs_to_publish(None).expect("read");
    let waiting: Vec<PackId> = waiting.iter().map(|it| it.pack.pack).collect();
    assert_eq!(waiting, [pack(1)]);
}

#[test]
fn what_was_published_here_is_never_replaced_by_something_older() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    import(&catalogue, &[2]);
    let writer = catalogue.writer().expect("read");
    for sequence in [0, 1] {
        let mut lane = lane(sequence, &[2]);
        lane.head.hash = HeadHash(id("another head", sequence));
        let refused = catalogue.take_lane(lane);
        assert!(
            matches!(refused, Err(CatalogueError::Stale { .. })),
            "{sequence}"
        );
    }
    let mut meanwhile = lane(5, &[2]);
    meanwhile.published = None;
    let refused = catalogue.take_lane(meanwhile);
    assert!(
        matches!(refused, Err(CatalogueError::Stale { .. })),
        "another was published meanwhile"
    );
    let unknown = catalogue.take_lane(lane(5, &[2, 9]));
    assert!(matches!(unknown, Err(CatalogueError::UnknownPack { .. })));
    assert!(
        catalogue.draft().expect("read").is_some(),
        "nothing is changed"
    );
    assert_eq!(catalogue.writer().expect("read"), writer);
    assert_eq!(catalogue.segments().expect("read")[0].blobs, [blob(1)]);
}

#[test]
fn a_listed_shard_counts_for_its_holder_and_under_its_own_id() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    import(&catalogue, &[2]);
    catalogue.take_lane(lane(5, &[1, 2])).expect("taken");
    let shards = pack_record(2, &[2]).pack.shards;
    let listed = |number: u64, position: u8, shard: ShardId| ListedShard {
        pack: pack(number),
        position: Position(position),
        shard,
    };
    let right = listed(2, 3, shards[3]);
    let told = [
        right,
        listed(2, 2, shards[3]),
        listed(2, 3, shards[2]),
        listed(2, 9, shards[3]),
        listed(9, 3, shards[3]),
        // Another's place.
        listed(2, 0, shards[0]),
    ];
    let missing =
        |by, told: &[ListedShard]| catalogue.not_confirmed(device(by), told).expect("read");
    assert_eq!(missing(3, &told), [(pack(2), Position(3))]);
    assert_eq!(missing(8, &told), [], "who holds nothing");
    let moved = catalogue
        .confirm_listed(device(3), vec![(pack(2), Position(3))], NOW)
        .expect("confirmed");
    let [change] = &moved[..] else {
        panic!("one pack moves: {moved:?}");
    };
    assert!(change.to.confirmed.has(Position(3)));
    assert_eq!(missing(3, &[right]), [], "it is confirmed");
    let again = catalogue.confirm_listed(device(3), vec![(pack(2), Position(3))], NOW);
    assert_eq!(again.expect("again"), []);
}

#[test]
fn a_version_is_listed_since_the_first_head_that_did() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    let since = |catalogue: &Catalogue| {
        let since = catalogue.listed_since().expect("read").into_iter();
        since.map(|(id, head)| (id, head.0)).collect::<Vec<_>>()
    };
    let [first, second, foreign] = [1, 2, 3].map(|number| snapshot(number).snapshot);
    assert_eq!(since(&catalogue), [(first, 1)]);
    // A recovery lists what other devices made.
    catalogue
        .import_snapshots(vec![snapshot(3)])
        .expect("imported");
    let taken = TakenLane {
        segments: Vec::new(),
        ..lane(4, &[])
    };
    catalogue.take_lane(taken).expect("taken");
    let mut wanted = vec![(first, 1), (second, 4)];
    wanted.sort_unstable();
    assert_eq!(since(&catalogue), wanted, "not {foreign:?}");
}

/// A list that all devices from 0 to 3 confirmed, then a head that leads to it.
fn put_listed_head(catalogue: &Catalogue, sequence: u64, list: u64) {
    let mut record = pack_record(list, &[list]);
    record.pack.kind = PackKind::Tree;
    catalogue.record_pack(record).expect("recorded");
    confirm(catalogue, list, 4);
    catalogue.commit_pack(pack(list)).expect("committed");
    let head = own_head(sequence, true);
    catalogue.put_head(head).expect("recorded");
}

fn sign(catalogue: &Catalogue, supplier: DeviceId, sequence: u64) {
    let receipt = signed(&HeadReceipt {
        supplier,
        lane: device(1),
        sequence: Sequence(sequence),
        head: own_head(sequence, true).hash,
        set_version: Sequence(1),
        are_lists_complete: true,
        own_days: None,
        received_at: NOW,
    });
    let put = catalogue.put_head_receipt(supplier, Sequence(sequence), &receipt);
    put.expect("kept");
}

/// Also where it was brought forward in steps, which it signs for without their lists.
#[test]
fn a_supplier_keeps_versions_up_to_the_first_list_that_it_lacks() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    for (sequence, list) in [(3, 3), (4, 4), (5, 5)] {
        put_listed_head(&catalogue, sequence, list);
    }
    let [one, other] = [device(2), device(3)];
    for sequence in [3, 4] {
        sign(&catalogue, one, sequence);
    }
    sign(&catalogue, other, 5);
    let kept = |supplier| {
        let kept = catalogue.last_kept_with_lists(supplier);
        kept.expect("read").map(|head| head.0)
    };
    assert_eq!((kept(one), kept(other)), (Some(4), Some(5)));
    assert_eq!(kept(device(0)), None, "it signed for none");
    let lost = |list, supplier, position| {
        let lost = vec![(pack(list), Position(position))];
        catalogue
            .withdraw_shards(supplier, lost, false)
            .expect("noted");
    };
    lost(5, one, 2);
    assert_eq!(kept(one), Some(4), "of a head that it has not");
    lost(4, one, 2);
    lost(4, other, 3);
    assert_eq!((kept(one), kept(other)), (Some(3), None));
}

#[test]
fn what_a_supplier_does_not_tell_any_more_it_does_not_keep() {
    let dir = temporary_folder();
    let catalogue = laid_back(&dir);
    let [one, other] = [device(2), device(3)];
    for supplier in [one, other] {
        for head in [1, 2] {
            sign(&catalogue, supplier, head);
        }
    }
    let kept = || {
        let kept = [one, other].map(|supplier| catalogue.last_kept_by(supplier).expect("read"));
        kept.map(|head| head.map(|head| head.0))
    };
    assert_eq!(kept(), [Some(2), Some(2)]);
    catalogue
        .keeps_no_more_than(one, Some(Sequence(1)))
        .expect("noted");
    assert_eq!(kept(), [Some(1), Some(2)]);
    catalogue.keeps_no_more_than(one, None).expect("noted");
    assert_eq!(kept(), [None, Some(2)]);
}
