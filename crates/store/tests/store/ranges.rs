//! Ranges with proofs, read as a customer reads them.

use std::fs;
use std::io;

use bao_tree::io::outboard::EmptyOutboard;
use bao_tree::io::sync::decode_ranges;
use bao_tree::{BaoTree, BlockSize, ChunkNum, ChunkRanges};
use bitdust_model::ErrorCode;
use bitdust_model::shard::ShardHeader;
use bitdust_store::ShardStore;
use bitdust_store::supplier::{ServedRange, ShardError, aligned_range};
use proptest::prelude::*;

use crate::support::{Supplier, begin_writing, device, header, identity, noise, store_bytes};

/// What a customer gets out of an answer: the bytes of the range, if the proof holds.
fn verify(header: &ShardHeader, range: ServedRange, encoded: &[u8]) -> Option<Vec<u8>> {
    let tree = BaoTree::new(header.shard_bytes.into(), BlockSize::from_chunk_log(4));
    let outboard = EmptyOutboard {
        tree,
        root: blake3::Hash::from(header.shard.0),
    };
    let chunks = ChunkRanges::from(
        ChunkNum::full_chunks(range.offset)..ChunkNum::chunks(range.offset + range.length),
    );
    let mut shard = vec![0; header.shard_bytes as usize];
    let mut rest = encoded;
    decode_ranges(&mut rest, &chunks, &mut shard[..], outboard).ok()?;
    assert!(rest.is_empty(), "nothing follows the proof");
    let start = usize::try_from(range.offset).expect("short");
    Some(shard[start..start + usize::try_from(range.length).expect("short")].to_vec())
}

fn read(
    store: &ShardStore,
    header: &ShardHeader,
    offset: u64,
    length: u64,
) -> Result<(ServedRange, Vec<u8>), ShardError> {
    let mut out = Vec::new();
    let range = store.read_range(header.owner, header.shard, offset, length, &mut out)?;
    Ok((range, out))
}

fn stored(home: &Supplier, store: &ShardStore, length: usize) -> (ShardHeader, Vec<u8>) {
    let bytes = noise(length as u64, length);
    let header = header(identity(1), device(1), length as u64, &bytes);
    store_bytes(store, &header, &bytes);
    assert!(home.file(&header).exists());
    (header, bytes)
}

#[test]
fn ranges_are_widened_to_their_alignment() {
    let check = |shard_bytes, offset, length, expected: Option<(u64, u64)>| {
        let expected = expected.map(|(offset, length)| ServedRange { offset, length });
        assert_eq!(
            aligned_range(shard_bytes, offset, length),
            expected,
            "{shard_bytes} {offset} {length}"
        );
    };
    check(200_000, 0, 1, Some((0, 65_536)));
    check(200_000, 65_535, 2, Some((0, 131_072)));
    check(200_000, 65_536, 65_536, Some((65_536, 65_536)));
    check(200_000, 150_000, 1, Some((131_072, 65_536)));
    check(200_000, 0, u64::MAX, Some((0, 200_000)));
    check(200_000, 199_999, u64::MAX, Some((196_608, 3_392)));
    check(200_000, 200_000, 1, None);
    check(200_000, 0, 0, None);
    check(u32::MAX, u64::MAX, u64::MAX, None);
}

#[test]
fn every_range_of_every_length_verifies() {
    let home = Supplier::new();
    let (store, _) = home.open();
    for length in [
        1, 1_024, 16_384, 16_385, 65_536, 65_537, 131_072, 300_000, 1_048_576,
    ] {
        let (header, bytes) = stored(&home, &store, length);
        for (offset, wanted) in [
            (0, 1),
            (0, u64::MAX),
            (length as u64 / 2, 100),
            (length as u64 - 1, 1),
        ] {
            let (range, encoded) = read(&store, &header, offset, wanted).expect("read");
            let verified = verify(&header, range, &encoded).expect("the proof holds");
            let start = usize::try_from(range.offset).expect("short");
            assert_eq!(
                verified,
                bytes[start..start + verified.len()],
                "{length} {offset} {wanted}"
            );
            assert!(range.offset <= offset && range.offset + range.length > offset);
        }
        let refused = read(&store, &header, length as u64, 1).expect_err("behind the end");
        assert!(matches!(refused, ShardError::BadRange { .. }), "{refused}");
    }
}

#[test]
fn a_flipped_bit_is_refused_and_the_shard_no_longer_listed() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let (header, bytes) = stored(&home, &store, 300_000);
    let mut damaged = bytes.clone();
    damaged[200_000] ^= 0x10;
    fs::write(home.file(&header), &damaged).expect("damaged");

    let (range, encoded) = read(&store, &header, 0, 1).expect("another part is whole");
    assert!(verify(&header, range, &encoded).is_some());
    assert_eq!(store.usage(identity(1)).expect("asked").shards, 1);
    let mut out = Vec::new();
    let refused = store
        .read_range(identity(1), header.shard, 0, 300_000, &mut out)
        .expect_err("damaged");
    assert_eq!(refused.code(), ErrorCode::Corrupt);
    let whole = ServedRange {
        offset: 0,
        length: 300_000,
    };
    assert_eq!(
        verify(&header, whole, &out),
        None,
        "what came before does not pass for the range"
    );

    assert!(
        store
            .list(identity(1), device(1), None, 10)
            .expect("listed")
            .headers
            .is_empty()
    );
    assert_eq!(store.usage(identity(1)).expect("asked").shards, 0);
    assert!(
        store
            .header(identity(1), header.shard)
            .expect("asked")
            .is_some(),
        "the rest can be read"
    );
    read(&store, &header, 0, 1).expect("the rest can be read");
    drop(store);
    let (store, _) = home.open();
    assert!(
        store
            .list(identity(1), device(1), None, 10)
            .expect("listed")
            .headers
            .is_empty(),
        "also after a start"
    );

    let mut writer = begin_writing(&store, &header);
    assert_eq!(writer.offset(), 0);
    writer.fill([&bytes]).expect("written");
    writer.finish(crate::support::NOW).expect("whole again");
    let (range, encoded) = read(&store, &header, 0, 300_000).expect("read");
    assert_eq!(verify(&header, range, &encoded), Some(bytes));
}

#[test]
fn a_shortened_or_longer_file_is_corrupt_and_a_missing_one_not_found() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let check = |length: usize, change: &dyn Fn(&std::path::Path), expected: ErrorCode| {
        let (header, _) = stored(&home, &store, length);
        change(&home.file(&header));
        let refused = read(&store, &header, 0, 1).expect_err("damaged");
        assert_eq!(refused.code(), expected, "{length}");
        assert_eq!(
            store.stored_at(identity(1), header.shard).expect("asked"),
            None
        );
    };
    check(
        100_000,
        &|file| fs::write(file, noise(100_000, 99_999)).expect("cut"),
        ErrorCode::Corrupt,
    );
    check(
        100_001,
        &|file| fs::write(file, noise(100_001, 100_002)).expect("grown"),
        ErrorCode::Corrupt,
    );
    check(
        100_002,
        &|file| fs::write(file, b"").expect("emptied"),
        ErrorCode::Corrupt,
    );
    check(
        100_003,
        &|file| fs::remove_file(file).expect("removed"),
        ErrorCode::NotFound,
    );
}

#[test]
fn a_lost_hash_tree_is_made_anew() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let (header, bytes) = stored(&home, &store, 300_000);
    let tree = home.beside(&header, "obao");
    let kept = fs::read(&tree).expect("read");
    for damage in [None, Some(&kept[..10])] {
        match damage {
            None => fs::remove_file(&tree).expect("removed"),
            Some(short) => fs::write(&tree, short).expect("cut"),
        }
        let (range, encoded) = read(&store, &header, 0, 300_000).expect("read");
        assert_eq!(verify(&header, range, &encoded).as_ref(), Some(&bytes));
        assert_eq!(fs::read(&tree).expect("read"), kept, "the same as before");
    }
}

#[test]
fn a_reader_that_goes_away_is_not_our_damage() {
    struct Gone(usize);
    impl io::Write for Gone {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.0 -= 1;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let home = Supplier::new();
    let (store, _) = home.open();
    let (header, _) = stored(&home, &store, 300_000);
    for after in 0..5 {
        let outcome = store.read_range(identity(1), header.shard, 0, 300_000, &mut Gone(after));
        assert!(matches!(outcome, Err(ShardError::Output(_))), "{outcome:?}");
    }
    assert!(
        store
            .stored_at(identity(1), header.shard)
            .expect("asked")
            .is_some()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_give_wrong_bytes(
        in_tree in any::<bool>(),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        offset in 0_u64..300_000,
        length in 1_u64..300_000,
    ) {
        let home = Supplier::new();
        let (store, _) = home.open();
        let (header, bytes) = stored(&home, &store, 300_000);
        let file = if in_tree { home.beside(&header, "obao") } else { home.file(&header) };
        let mut damaged = fs::read(&file).expect("read");
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        fs::write(&file, &damaged).expect("damaged");
        match read(&store, &header, offset, length) {
            Ok((range, encoded)) => {
                let verified = verify(&header, range, &encoded);
                let start = usize::try_from(range.offset).expect("short");
                let end = start + usize::try_from(range.length).expect("short");
                prop_assert_eq!(verified.as_deref(), Some(&bytes[start..end]));
            }
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::Corrupt),
        }
    }
}
