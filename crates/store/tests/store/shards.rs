//! Shards kept for others: stored, listed, counted, deleted.

use std::fs;

use bitdust_model::limits::LIST_ENTRIES_MAX;
use bitdust_model::shard::StoreHeader;
use bitdust_model::{ByteCount, ErrorCode, Position, ShardId, UnixMillis};
use bitdust_store::supplier::{Begin, ShardError, Usage};
use proptest::prelude::*;

use crate::support::{
    NOW, Supplier, begin_writing, device, header, identity, keep_bytes, noise, pack, refusal,
    signed_header, store_bytes,
};

fn usage(shards: u64, bytes: u64, graced: u64) -> Usage {
    Usage {
        shards,
        bytes: ByteCount(bytes),
        graced: ByteCount(graced),
    }
}

#[test]
fn a_stored_shard_is_a_file_named_by_its_hash() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let stored = store_bytes(&store, &header, &bytes);

    assert_eq!(stored.stored_at, NOW);
    let file = fs::read(home.file(&header)).expect("the file is there");
    assert_eq!(file, bytes);
    assert_eq!(blake3::hash(&file).to_hex().as_str(), header.shard.to_hex());
    assert!(!home.beside(&header, "part").exists());
    assert!(home.beside(&header, "obao").exists());
    assert_eq!(
        store.stored_at(identity(1), header.shard).expect("asked"),
        Some(NOW)
    );
    let Begin::Have { stored_at } = store
        .begin(&header, &signed_header(&header))
        .expect("begun")
    else {
        panic!("it is here already");
    };
    assert_eq!(stored_at, NOW);
    let found = store
        .find(identity(1), header.set, header.pack, header.position)
        .expect("asked");
    assert_eq!(found, Some(signed_header(&header)));
    assert_eq!(
        store.header(identity(1), header.shard).expect("asked"),
        found
    );
    assert_eq!(
        store.header(identity(2), header.shard).expect("asked"),
        None,
        "it is not everybody's"
    );
    assert_eq!(
        store.usage(identity(1)).expect("asked"),
        usage(1, 200_000, 0)
    );
}

/// Its owner sends it again, as it did not get it back whole: a receipt for what lies there would be
/// false.
#[test]
fn a_rotten_shard_that_is_sent_again_is_written_again() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 70_000);
    let header = header(identity(1), device(1), 1, &bytes);
    store_bytes(&store, &header, &bytes);
    let mut rotten = bytes.clone();
    rotten[40_000] ^= 1;
    fs::write(home.file(&header), &rotten).expect("rotten");
    store_bytes(&store, &header, &bytes);
    assert_eq!(fs::read(home.file(&header)).expect("there"), bytes);
    assert_eq!(
        store.usage(identity(1)).expect("asked"),
        usage(1, 70_000, 0),
        "it is counted once"
    );
}

#[test]
fn wrong_bytes_are_thrown_away_and_the_shard_can_come_again() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 70_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let mut wrong = bytes.clone();
    wrong[69_999] ^= 1;
    let mut writer = begin_writing(&store, &header);
    writer.fill([&wrong]).expect("nobody can know yet");
    let refused = writer.finish(NOW).expect_err("they do not match");
    assert_eq!(refused.code(), ErrorCode::Corrupt);
    assert!(!home.file(&header).exists());
    assert!(!home.beside(&header, "part").exists());
    assert_eq!(store.usage_total().expect("asked"), usage(0, 0, 0));
    store_bytes(&store, &header, &bytes);
}

#[test]
fn lengths_are_held_to_the_header() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 1_000);
    let good = header(identity(1), device(1), 1, &bytes);
    let mut writer = begin_writing(&store, &good);
    writer.fill([&bytes[..999]]).expect("written");
    let refused = writer.fill([&[1, 2]]).expect_err("one too many");
    assert!(
        matches!(refused, ShardError::TooManyBytes { .. }),
        "{refused}"
    );
    assert_eq!(
        (writer.offset(), writer.remaining()),
        (999, 1),
        "nothing of it was taken"
    );
    let refused = writer.finish(NOW).expect_err("one is missing");
    assert!(
        matches!(
            refused,
            ShardError::Incomplete {
                bytes: 999,
                shard_bytes: 1_000,
                ..
            }
        ),
        "{refused}"
    );

    for shard_bytes in [0, 24 * 1024 * 1024 + 1, u32::MAX] {
        let mut bad = good.clone();
        bad.shard_bytes = shard_bytes;
        assert_eq!(
            refusal(&store, &bad).code(),
            ErrorCode::Malformed,
            "{shard_bytes}"
        );
    }
}

#[test]
fn one_shard_has_one_writer() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 1_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let writer = begin_writing(&store, &header);
    assert_eq!(refusal(&store, &header).code(), ErrorCode::Busy);
    let mut other = header.clone();
    other.owner = identity(2);
    drop(begin_writing(&store, &other));
    drop(writer);
    store_bytes(&store, &header, &bytes);
}

#[test]
fn a_place_holds_one_shard_and_a_shard_one_place() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let (one, two) = (noise(1, 1_000), noise(2, 1_000));
    let first = header(identity(1), device(1), 1, &one);
    store_bytes(&store, &first, &one);
    let same_place = header(identity(1), device(1), 1, &two);
    assert!(matches!(
        refusal(&store, &same_place),
        ShardError::Conflict { .. }
    ));
    let same_shard = header(identity(1), device(1), 2, &one);
    assert!(matches!(
        refusal(&store, &same_shard),
        ShardError::Conflict { .. }
    ));
    let mut somebody_else = same_place;
    somebody_else.owner = identity(2);
    store_bytes(&store, &somebody_else, &two);
    let found = store
        .find(identity(1), first.set, first.pack, first.position)
        .expect("asked");
    assert_eq!(
        found,
        Some(signed_header(&first)),
        "nobody else can stand at one's place"
    );
}

#[test]
fn two_writers_of_one_place_leave_one_shard_and_no_stray_file() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let (one, two) = (noise(1, 1_000), noise(2, 1_000));
    let (first, second) = (
        header(identity(1), device(1), 1, &one),
        header(identity(1), device(1), 1, &two),
    );
    let mut writers = [
        begin_writing(&store, &first),
        begin_writing(&store, &second),
    ];
    writers[0].fill([&one]).expect("written");
    writers[1].fill([&two]).expect("written");
    let [winner, loser] = writers;
    winner.finish(NOW).expect("finished");
    let refused = loser.finish(NOW).expect_err("the place is taken");
    assert!(matches!(refused, ShardError::Conflict { .. }), "{refused}");
    assert!(!home.file(&second).exists());
    assert_eq!(store.usage_total().expect("asked"), usage(1, 1_000, 0));
}

#[test]
fn listings_are_paged_by_shard_and_show_one_lane() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let mut expected = Vec::new();
    for number in 0..7 {
        let bytes = noise(number, 500);
        let mut header = header(identity(1), device(number % 2), number, &bytes);
        header.position = Position(3);
        store_bytes(&store, &header, &bytes);
        if number % 2 == 0 {
            expected.push(header);
        }
    }
    expected.sort_by_key(|header| header.shard);
    let mut listed = Vec::new();
    let mut after: Option<ShardId> = None;
    loop {
        let page = store
            .list(identity(1), device(0), after, 3)
            .expect("a page");
        assert!(page.headers.len() <= 3);
        let headers: Vec<bitdust_model::shard::ShardHeader> = page
            .headers
            .iter()
            .map(|(position, signed)| {
                let pack: StoreHeader =
                    bitdust_model::decode(&signed.header.bytes).expect("a header");
                pack.at(*position).expect("one of its shards")
            })
            .collect();
        after = headers.last().map(|header| header.shard);
        listed.extend(headers);
        if !page.more {
            break;
        }
    }
    assert_eq!(listed, expected);
    assert!(
        store
            .list(identity(2), device(0), None, LIST_ENTRIES_MAX)
            .expect("a page")
            .headers
            .is_empty()
    );
}

#[test]
fn deleted_shards_leave_the_quota() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let headers: Vec<_> = (0..3)
        .map(|number| {
            let bytes = noise(number, 10_000);
            let header = header(identity(1), device(1), number, &bytes);
            store_bytes(&store, &header, &bytes);
            header
        })
        .collect();
    let freed = store
        .delete(identity(1), device(2), &[pack(0)], UnixMillis(100))
        .expect("asked");
    assert_eq!(freed, ByteCount(0), "another lane may not");
    let freed = store
        .delete(
            identity(1),
            device(1),
            &[pack(0), pack(1), pack(77)],
            UnixMillis(100),
        )
        .expect("deleted");
    assert_eq!(freed, ByteCount(20_000));
    assert_eq!(
        store.usage(identity(1)).expect("asked"),
        usage(1, 10_000, 20_000)
    );
    assert!(!home.file(&headers[0]).exists());
    let read = store.read_range(identity(1), headers[0].shard, 0, 10, &mut Vec::new());
    assert_eq!(read.expect_err("deleted").code(), ErrorCode::NotFound);
    drop(store);
    let (store, swept) = home.open();
    assert_eq!(
        swept,
        bitdust_store::supplier::Swept::default(),
        "nothing was left to put in order"
    );
    assert_eq!(
        store.usage_total().expect("asked"),
        usage(1, 10_000, 20_000)
    );
}

#[test]
fn a_shard_stored_anew_after_its_delete_counts_beside_its_grace() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 10_000);
    let header = header(identity(1), device(1), 1, &bytes);
    for round in 0..2 {
        store_bytes(&store, &header, &bytes);
        store
            .delete(identity(1), device(1), &[pack(1)], UnixMillis(round))
            .expect("deleted");
    }
    assert_eq!(store.usage_total().expect("asked"), usage(0, 0, 10_000));
    store_bytes(&store, &header, &bytes);
    assert_eq!(
        store.usage_total().expect("asked"),
        usage(1, 10_000, 10_000)
    );
    store
        .read_range(identity(1), header.shard, 0, 10_000, &mut Vec::new())
        .expect("whole");
}

#[test]
fn many_threads_store_and_read_at_once() {
    let home = Supplier::new();
    let (store, _) = home.open();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let store = store.clone();
            scope.spawn(move || {
                for round in 0..5_u64 {
                    let number = thread * 100 + round;
                    let bytes = noise(number, 100_000);
                    let header = header(identity(thread % 3), device(thread), number, &bytes);
                    store_bytes(&store, &header, &bytes);
                    let mut out = Vec::new();
                    store
                        .read_range(header.owner, header.shard, 0, 100_000, &mut out)
                        .expect("read");
                    assert!(out.len() > 100_000, "bytes and their proof");
                }
            });
        }
    });
    assert_eq!(store.usage_total().expect("asked"), usage(40, 4_000_000, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Store(u64),
    Delete(u64),
    Lose(u64),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..6).prop_map(Step::Store),
        3 => (0_u64..6).prop_map(Step::Delete),
        1 => (0_u64..6).prop_map(Step::Lose),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn usage_is_exact_whatever_happened(steps in steps()) {
        let home = Supplier::new();
        let (mut store, _) = home.open();
        for (now, step) in (0_u64..).zip(steps) {
            match step {
                Step::Store(number) => {
                    let bytes = noise(number, 1_000);
                    let header = header(identity(1), device(1), number, &bytes);
                    keep_bytes(&store, &header, &bytes);
                }
                Step::Delete(number) => {
                    store.delete(identity(1), device(1), &[pack(number)], UnixMillis(now)).expect("deleted");
                }
                Step::Lose(number) => {
                    let header = header(identity(1), device(1), number, &noise(number, 1_000));
                    drop(fs::remove_file(home.file(&header)));
                    drop(store.read_range(identity(1), header.shard, 0, 1, &mut Vec::new()));
                }
                Step::Reopen => {
                    drop(store);
                    store = home.open().0;
                }
            }
        }
        let before = store.usage_total().expect("asked");
        let listed = store.list(identity(1), device(1), None, 500).expect("listed").headers.len() as u64;
        prop_assert_eq!((before.shards, before.bytes), (listed, ByteCount(listed * 1_000)));
        drop(store);
        let (store, _) = home.open();
        prop_assert_eq!(store.usage_total().expect("asked"), before, "a start computes the same");
    }
}
