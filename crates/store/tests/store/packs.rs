//! Packs, chunks, confirmations, segments: the order of a commit.

use bitdust_model::codec::encode;
use bitdust_model::limits::{CHUNKS_PER_PACK_MAX, PACK_BYTES_MAX, SEGMENTS_MAX};
use bitdust_model::manifest::{ChunkRecord, PackKind, PackRecord, Segment};
use bitdust_model::shard::Receipt;
use bitdust_model::{ByteCount, ErrorCode, PackId, Position, Sequence, UnixMillis};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::{
    CatalogueError, NewSegment, OwnHead, PackTotals, Publication, SegmentId, shard_bytes,
};

use crate::support::{
    NOW, PACK_HEADER_BYTES, blob, chunk, commit, confirm, device, head, identity, open_catalogue,
    pack, pack_record, signed, snapshot, temporary_folder,
};

#[test]
fn a_chunk_is_known_from_commit_on_while_enough_shards_are_confirmed() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let known = || catalogue.known_chunk(chunk(1)).expect("looked up");

    catalogue
        .record_pack(pack_record(1, &[1, 2]))
        .expect("recorded");
    confirm(&catalogue, 1, 4);
    assert!(!known(), "confirmed but not committed");
    catalogue.commit_pack(pack(1)).expect("committed");
    assert!(known());
    catalogue.withdraw_all(device(0)).expect("taken back");
    catalogue.withdraw_all(device(1)).expect("taken back");
    assert!(known(), "two of four give it back");
    catalogue.withdraw_all(device(2)).expect("taken back");
    assert!(!known(), "one of four does not");
    assert!(
        catalogue.locate(chunk(1)).expect("looked up").is_some(),
        "it can still be fetched"
    );
    catalogue
        .confirm_shard(pack(1), Position(1), device(9), None, NOW)
        .expect("confirmed by another");
    assert!(known());
}

#[test]
fn states_survive_a_restart_after_each_step() {
    let dir = temporary_folder();
    open_catalogue(&dir)
        .record_pack(pack_record(1, &[1, 2]))
        .expect("recorded");
    let catalogue = open_catalogue(&dir);
    assert_eq!(state(&catalogue, 1), Some(State::Sealed));
    confirm(&catalogue, 1, 3);
    drop(catalogue);

    let catalogue = open_catalogue(&dir);
    let unconfirmed = catalogue.unconfirmed_packs().expect("listed");
    assert_eq!(unconfirmed.len(), 1);
    assert_eq!(unconfirmed[0].pack, pack_record(1, &[1, 2]).pack);
    let expected: Vec<_> = (0..3_u8)
        .map(|position| (Position(position), device(position.into())))
        .collect();
    assert_eq!(unconfirmed[0].confirmed, expected);
    catalogue.commit_pack(pack(1)).expect("committed");
    catalogue.commit_pack(pack(1)).expect("again is no error");
    drop(catalogue);

    let catalogue = open_catalogue(&dir);
    assert!(catalogue.unconfirmed_packs().expect("listed").is_empty());
    assert_eq!(state(&catalogue, 1), Some(State::Committed));
    let segment = publish(&catalogue, 7, &[], &[1]).expect("published");
    drop(catalogue);

    let catalogue = open_catalogue(&dir);
    assert_eq!(state(&catalogue, 1), Some(State::Published));
    assert!(catalogue.packs_to_publish(None).expect("listed").is_empty());
    assert_eq!(
        catalogue.segment_packs(segment, None).expect("listed"),
        [PackRecord {
            confirmed: (0..3).map(Position).collect(),
            ..pack_record(1, &[1, 2])
        }]
    );
}

#[test]
fn a_pack_is_recorded_once_and_never_as_another() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue
        .record_pack(pack_record(1, &[1, 2]))
        .expect("recorded");
    catalogue
        .record_pack(pack_record(1, &[1, 2]))
        .expect("again is no error");
    let other_chunks = catalogue
        .record_pack(pack_record(1, &[1, 3]))
        .expect_err("other chunks");
    assert!(
        matches!(other_chunks, CatalogueError::OtherPack { .. }),
        "{other_chunks}"
    );
    let mut record = pack_record(1, &[1, 2]);
    record.pack.shards.swap(0, 1);
    assert!(matches!(
        catalogue.record_pack(record),
        Err(CatalogueError::OtherPack { .. })
    ));
    assert_eq!(
        catalogue.pack_record(pack(1)).expect("read"),
        Some(pack_record(1, &[1, 2]))
    );
}

#[test]
fn packs_that_contradict_themselves_are_refused() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let good = pack_record(1, &[1, 2]);
    let mut no_shards = good.clone();
    no_shards.pack.shards.clear();
    let mut k_zero = good.clone();
    k_zero.pack.k = 0;
    let mut k_above_n = good.clone();
    k_above_n.pack.k = 5;
    let mut too_short = good.clone();
    too_short.pack.pack_bytes = PACK_HEADER_BYTES + 1_999;
    let mut too_long = good.clone();
    too_long.pack.pack_bytes = u32::try_from(PACK_BYTES_MAX).expect("fits") + 1;
    let mut many_shards = good;
    many_shards.pack.shards = vec![many_shards.pack.shards[0]; 300];
    for bad in [
        no_shards,
        k_zero,
        k_above_n,
        too_short,
        too_long,
        many_shards,
    ] {
        let refused = catalogue.record_pack(bad.clone()).expect_err("refused");
        assert_eq!(refused.code(), ErrorCode::BadRequest, "{bad:?}");
    }
    assert!(catalogue.unconfirmed_packs().expect("listed").is_empty());
}

#[test]
fn chunks_are_located_by_offset_and_counter_in_the_strongest_pack() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1, 2, 3]);
    commit(&catalogue, 2, &[3, 4]);
    catalogue
        .confirm_shard(pack(2), Position(3), device(3), None, NOW)
        .expect("a fourth");

    let (found, place) = catalogue
        .locate(chunk(2))
        .expect("looked up")
        .expect("known");
    assert_eq!(found, pack_record(1, &[1, 2, 3]).pack);
    assert_eq!(
        (place.pack, place.offset, place.counter),
        (pack(1), PACK_HEADER_BYTES + 1_000, 1)
    );
    assert_eq!(place.record, pack_record(1, &[2]).chunks[0]);

    let located = catalogue
        .locate_many(&[chunk(3), chunk(99), chunk(1), chunk(3)])
        .expect("looked up");
    let packs: Vec<Option<PackId>> = located
        .blobs
        .iter()
        .map(|blob| blob.map(|blob| blob.pack))
        .collect();
    assert_eq!(packs, [Some(pack(2)), None, Some(pack(1)), Some(pack(2))]);
    assert_eq!(located.packs.len(), 2);
    assert_eq!(
        catalogue
            .known_chunks(&[chunk(4), chunk(99)])
            .expect("looked up"),
        [true, false]
    );
}

#[test]
fn a_dropped_pack_takes_only_its_own_chunks_along() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1, 2]);
    commit(&catalogue, 2, &[2, 3]);
    assert!(catalogue.drop_pack(pack(1)).expect("dropped"));
    assert!(!catalogue.drop_pack(pack(1)).expect("nothing left"));
    assert_eq!(
        catalogue
            .known_chunks(&[chunk(1), chunk(2), chunk(3)])
            .expect("looked up"),
        [false, true, true]
    );
    assert_eq!(catalogue.pack_ref(pack(1)).expect("read"), None);
    assert_eq!(
        catalogue.supplier_bytes(device(0)).expect("summed"),
        ByteCount(65_536)
    );
    let refused = catalogue.commit_pack(pack(1)).expect_err("it is gone");
    assert_eq!(refused.code(), ErrorCode::NotFound);
}

#[test]
fn confirmations_count_once_a_position() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue
        .record_pack(pack_record(1, &[1]))
        .expect("recorded");
    let receipt = signed(&Receipt {
        supplier: device(1),
        owner: identity(1),
        lane: device(8),
        pack: pack(1),
        position: Position(2),
        shard: pack_record(1, &[]).pack.shards[2],
        shard_bytes: 65_536,
        stored_at: NOW,
    });
    catalogue
        .confirm_shard(pack(1), Position(2), device(1), Some(&receipt), NOW)
        .expect("confirmed");
    catalogue
        .confirm_shard(pack(1), Position(2), device(1), Some(&receipt), NOW)
        .expect("again");
    let confirmations = catalogue.confirmations(pack(1)).expect("listed");
    assert_eq!(confirmations.len(), 1);
    assert_eq!(confirmations[0].receipt, Some(receipt));
    // One position is one confirmation, however often it is confirmed.
    catalogue.commit_pack(pack(1)).expect("committed");
    let known = catalogue.known_chunk(chunk(1)).expect("looked up");
    assert!(!known, "too few suppliers have it");

    catalogue
        .confirm_shard(pack(1), Position(2), device(2), None, UnixMillis(5))
        .expect("another holder");
    let confirmations = catalogue.confirmations(pack(1)).expect("listed");
    let mut holders: Vec<_> = confirmations
        .iter()
        .map(|it| (it.supplier, it.at))
        .collect();
    holders.sort_unstable();
    let mut expected = [(device(1), NOW), (device(2), UnixMillis(5))];
    expected.sort_unstable();
    assert_eq!(holders, expected, "who has it is remembered of each");
    let known = catalogue.known_chunk(chunk(1)).expect("looked up");
    assert!(!known, "and still it is one position");
    catalogue.withdraw_all(device(1)).expect("taken back");
    let left = catalogue.confirmations(pack(1)).expect("listed");
    let holders: Vec<_> = left.iter().map(|it| it.supplier).collect();
    assert_eq!(holders, [device(2)], "what others said stays");

    let refused = catalogue
        .confirm_shard(pack(1), Position(4), device(1), None, NOW)
        .expect_err("no such");
    assert!(
        matches!(refused, CatalogueError::NoPosition { .. }),
        "{refused}"
    );
    let refused = catalogue
        .confirm_shard(pack(2), Position(0), device(1), None, NOW)
        .expect_err("no such");
    assert!(
        matches!(refused, CatalogueError::UnknownPack { .. }),
        "{refused}"
    );
}

#[test]
fn every_confirmed_shard_of_a_supplier_can_be_picked() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    for number in 0..5 {
        commit(&catalogue, number, &[number]);
    }
    let mut picked: Vec<_> = (0..10_u64)
        .map(|pick| {
            catalogue
                .confirmed_shard(device(1), |count| pick.checked_rem(count))
                .expect("picked")
                .expect("there are some")
        })
        .collect();
    assert!(picked.iter().all(|shard| shard.position == Position(1)));
    assert!(
        picked
            .iter()
            .all(|shard| shard.shard == shard.pack.shards[1])
    );
    assert!(picked.iter().all(|shard| shard.shard_bytes == 65_536));
    picked.sort_by_key(|shard| shard.shard);
    picked.dedup();
    assert_eq!(picked.len(), 5, "each once in five picks");
    assert_eq!(
        catalogue
            .confirmed_shard(device(1), |count| count.checked_sub(1))
            .expect("picked")
            .map(|shard| shard.position),
        Some(Position(1))
    );
    assert_eq!(
        catalogue
            .confirmed_shard(device(3), |count| 0_u64.checked_rem(count))
            .expect("picked"),
        None
    );
    assert_eq!(
        catalogue.supplier_bytes(device(1)).expect("summed"),
        ByteCount(5 * 65_536)
    );
}

#[test]
fn pages_to_publish_fit_into_segments_and_leave_nothing_out() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    for number in 0..4_u64 {
        let mut record = pack_record(number, &[]);
        record.pack.pack_bytes = u32::try_from(PACK_BYTES_MAX).expect("fits");
        record.chunks = (0..CHUNKS_PER_PACK_MAX as u64)
            .map(|place| ChunkRecord {
                chunk: chunk(number << 32 | place),
                stored_bytes: 300,
                raw_bytes: 4_000_000,
                compressed: true,
            })
            .collect();
        catalogue.record_pack(record).expect("recorded");
        confirm(&catalogue, number, 2);
        catalogue.commit_pack(pack(number)).expect("committed");
    }
    // Nobody keeps it any more: no version may name it.
    catalogue
        .record_pack(pack_record(9, &[]))
        .expect("recorded");
    catalogue.commit_pack(pack(9)).expect("committed");
    commit(&catalogue, 10, &[1]);
    commit(&catalogue, 11, &[2]);
    let mut commit_pack = pack_record(12, &[3]);
    commit_pack.pack.kind = PackKind::Commit;
    catalogue.record_pack(commit_pack).expect("recorded");
    catalogue.commit_pack(pack(12)).expect("committed");

    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let packs = catalogue.packs_to_publish(after).expect("a page");
        let Some(last) = packs.last() else { break };
        after = Some(last.pack.pack);
        listed.extend(packs.iter().map(|record| record.pack.pack));
        assert!(
            !encode(&Segment {
                packs,
                grown: Vec::new()
            })
            .is_empty()
        );
    }
    assert_eq!(
        listed,
        [0, 1, 2, 3, 10, 11].map(pack),
        "all but the commit pack, each once, in order"
    );
}

#[test]
fn a_publication_is_recorded_whole_or_not_at_all() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    let own = head(identity(1), device(1), 1, bitdust_model::HeadHash([0; 32]));
    let own = OwnHead {
        sequence: Sequence(1),
        hash: bitdust_model::HeadHash([1; 32]),
        head: signed(&own),
        published: false,
    };
    let publication = |packs: Vec<PackId>| Publication {
        segment: Some(NewSegment {
            blobs: vec![blob(5)],
            replaced: Vec::new(),
            packs,
        }),
        snapshots: vec![snapshot(1)],
        head: Some(own.clone()),
        lists: Vec::new(),
    };
    let refused = catalogue
        .publish(publication(vec![pack(1), pack(404)]))
        .expect_err("an unknown pack");
    assert_eq!(refused.code(), ErrorCode::NotFound);
    assert!(catalogue.segments().expect("listed").is_empty());
    assert_eq!(state(&catalogue, 1), Some(State::Committed));
    assert_eq!(catalogue.newest_head().expect("read"), None);

    let segment = catalogue
        .publish(publication(vec![pack(1)]))
        .expect("published")
        .segment
        .expect("a segment");
    assert_eq!(state(&catalogue, 1), Some(State::Published));
    assert_eq!(catalogue.snapshots(NOW).expect("listed"), [snapshot(1)]);
    let newest = catalogue
        .newest_published_head()
        .expect("read")
        .expect("there is one");
    assert_eq!(
        newest,
        OwnHead {
            published: true,
            ..own
        }
    );
    let live = catalogue.segments().expect("listed");
    assert_eq!(
        (live[0].segment, live[0].packs, &live[0].blobs),
        (segment, 1, &vec![blob(5)])
    );
}

#[test]
fn merged_segments_hand_their_packs_on() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let mut segments = Vec::new();
    for number in 0..SEGMENTS_MAX as u64 {
        commit(&catalogue, number, &[number]);
        segments.push(publish(&catalogue, number, &[], &[number]).expect("published"));
    }
    let refused = publish(&catalogue, 99, &[], &[]).expect_err("one too many");
    assert!(
        matches!(refused, CatalogueError::TooMany { .. }),
        "{refused}"
    );
    let merged = publish(&catalogue, 100, &segments[..3], &[]).expect("merged");
    let packs = catalogue.segment_packs(merged, None).expect("listed");
    assert_eq!(
        packs
            .iter()
            .map(|record| record.pack.pack)
            .collect::<Vec<_>>(),
        [0, 1, 2].map(pack)
    );
    assert_eq!(
        catalogue
            .segment_packs(merged, Some(pack(1)))
            .expect("listed")
            .len(),
        1
    );
    assert_eq!(
        catalogue.segments().expect("listed").len(),
        SEGMENTS_MAX - 2
    );
    let gone = [merged, SegmentId(1)];
    let refused = publish(&catalogue, 101, &gone, &[]).expect_err("the second is gone");
    assert!(
        matches!(refused, CatalogueError::UnknownSegment { .. }),
        "{refused}"
    );
    assert_eq!(
        catalogue.segment_packs(merged, None).expect("listed").len(),
        3,
        "nothing moved"
    );
}

#[test]
fn an_imported_index_is_located_but_not_known_and_may_come_twice() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let segment = Segment {
        packs: vec![pack_record(1, &[1, 2]), pack_record(2, &[3])],
        grown: Vec::new(),
    };
    let mut bad = segment.clone();
    bad.packs[1].pack.k = 9;
    assert!(catalogue.import_segment(bad).is_err());
    assert_eq!(state(&catalogue, 1), None, "a bad segment brings nothing");

    let first = catalogue.import_segment(segment.clone()).expect("imported");
    let second = catalogue.import_segment(segment).expect("again");
    assert_eq!(
        (
            first.packs_new,
            first.packs_known,
            second.packs_new,
            second.packs_known
        ),
        (2, 0, 0, 2)
    );
    assert!(catalogue.locate(chunk(3)).expect("looked up").is_some());
    assert!(
        !catalogue.known_chunk(chunk(3)).expect("looked up"),
        "nobody confirmed it here"
    );
    confirm(&catalogue, 2, 3);
    assert!(catalogue.known_chunk(chunk(3)).expect("looked up"));
    assert_eq!(state(&catalogue, 2), Some(State::Published));

    catalogue
        .import_snapshots(vec![snapshot(2), snapshot(1)])
        .expect("imported");
    catalogue
        .import_snapshots(vec![snapshot(1)])
        .expect("again");
    assert_eq!(
        catalogue.snapshots(NOW).expect("listed"),
        [snapshot(1), snapshot(2)]
    );
}

#[test]
fn an_import_completes_what_was_half_known() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue
        .record_pack(pack_record(1, &[1]))
        .expect("recorded before the crash");
    catalogue
        .import_pack_refs(vec![pack_record(2, &[2]).pack])
        .expect("named by a manifest");
    assert!(catalogue.pack_ref(pack(2)).expect("read").is_some());
    assert!(catalogue.locate(chunk(2)).expect("looked up").is_none());
    let segment = Segment {
        packs: vec![pack_record(1, &[1]), pack_record(2, &[2])],
        grown: Vec::new(),
    };
    catalogue.import_segment(segment).expect("imported");
    for number in [1, 2] {
        assert_eq!(state(&catalogue, number), Some(State::Published));
        assert!(
            catalogue
                .locate(chunk(number))
                .expect("looked up")
                .is_some()
        );
    }
}

#[test]
fn bytes_are_summed_by_kind_over_committed_packs() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    commit(&catalogue, 2, &[2]);
    catalogue
        .record_pack(pack_record(3, &[3]))
        .expect("sealed only, so it does not count");
    let pack_bytes = u64::from(pack_record(1, &[1]).pack.pack_bytes);
    // Code 2 of 4, of which `commit` has three confirmed.
    assert_eq!(
        catalogue.pack_totals().expect("summed"),
        [PackTotals {
            kind: PackKind::Data,
            sealed: ByteCount(2 * pack_bytes),
            coded: ByteCount(2 * pack_bytes * 2),
            kept: ByteCount(2 * 3 * 65_536),
        }]
    );
}

#[test]
fn shards_are_the_k_th_part_of_a_pack_rounded_up() {
    let check = |pack_bytes: u32, k: u8, expected: u32| {
        let mut pack = pack_record(1, &[]).pack;
        (pack.pack_bytes, pack.k) = (pack_bytes, k);
        assert_eq!(shard_bytes(&pack), expected, "{pack_bytes}/{k}");
    };
    check(1, 1, 65_536);
    check(65_536, 1, 65_536);
    check(65_537, 1, 131_072);
    check(16 * 1024 * 1024, 4, 4 * 1024 * 1024);
    check(16 * 1024 * 1024, 3, 5_636_096);
}

#[test]
fn a_hundred_thousand_chunks_are_known() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    for number in 0..100_u64 {
        let chunks: Vec<u64> = (number * 1_000..(number + 1) * 1_000).collect();
        commit(&catalogue, number, &chunks);
    }
    let chunks: Vec<_> = (0..100_100).map(chunk).collect();
    let known = catalogue.known_chunks(&chunks).expect("looked up");
    assert_eq!(known.iter().filter(|known| **known).count(), 100_000);
    let located = catalogue.locate_many(&chunks).expect("looked up");
    assert_eq!(located.packs.len(), 100);
    assert_eq!(located.blobs.iter().flatten().count(), 100_000);
}

/// How far a pack has come.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Sealed,
    Committed,
    Published,
}

/// How far a pack has come, by the list that it is on; nothing where it is unknown.
fn state(catalogue: &Catalogue, number: u64) -> Option<State> {
    let found = catalogue.pack_ref(pack(number)).expect("read")?;
    let sealed = catalogue.unconfirmed_packs().expect("listed");
    if sealed.iter().any(|it| it.pack == found) {
        return Some(State::Sealed);
    }
    let committed = catalogue.packs_to_publish(None).expect("listed");
    if committed.iter().any(|it| it.pack == found) {
        return Some(State::Committed);
    }
    Some(State::Published)
}

/// Publishes packs in a new segment, with those of the segments that it replaces.
fn publish(
    catalogue: &Catalogue,
    piece: u64,
    replaced: &[SegmentId],
    packs: &[u64],
) -> Result<SegmentId, CatalogueError> {
    let segment = NewSegment {
        blobs: vec![blob(piece)],
        replaced: replaced.to_vec(),
        packs: packs.iter().copied().map(pack).collect(),
    };
    let published = catalogue.publish(Publication {
        segment: Some(segment),
        ..Publication::default()
    })?;
    Ok(published.segment.expect("there is a segment in it"))
}
