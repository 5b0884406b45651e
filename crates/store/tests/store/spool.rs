//! The spool of own shards whose supplier is away.

use std::fs;

use bitdust_model::shard::ShardHeader;
use bitdust_model::{ByteCount, ErrorCode, Position};
use bitdust_store::Spool;
use bitdust_store::spool::SpoolEntry;
use proptest::prelude::*;

use crate::support::{device, header, identity, noise, pack, signed_header, temporary_folder};

const ROOM: ByteCount = ByteCount(1_000_000);

fn shard(number: u64, position: u8, length: usize) -> (ShardHeader, Vec<u8>) {
    let bytes = noise(number, length);
    let mut header = header(identity(1), device(1), number, &bytes);
    header.position = Position(position);
    (header, bytes)
}

fn put(spool: &Spool, (header, bytes): &(ShardHeader, Vec<u8>)) {
    spool
        .put(header.pack, header.position, &signed_header(header), bytes)
        .expect("spooled");
}

fn file(dir: &tempfile::TempDir, header: &ShardHeader) -> std::path::PathBuf {
    dir.path()
        .join(format!("{}-{}", header.pack.to_hex(), header.position.0))
}

#[test]
fn spooled_shards_survive_a_restart() {
    let dir = temporary_folder();
    let spool = Spool::open(dir.path(), ROOM).expect("opened");
    let shards = [shard(1, 0, 10_000), shard(1, 7, 20_000), shard(2, 29, 5)];
    for shard in &shards {
        put(&spool, shard);
    }
    let listed = spool.list();
    drop(spool);
    let spool = Spool::open(dir.path(), ROOM).expect("opened");
    assert_eq!(spool.list(), listed);
    assert_eq!(listed.len(), 3);
    assert_eq!(
        spool.used(),
        ByteCount(listed.iter().map(|entry: &SpoolEntry| entry.bytes.0).sum())
    );
    for (header, bytes) in &shards {
        let read = spool.read(header.pack, header.position).expect("read");
        assert_eq!((read.header, &read.bytes), (signed_header(header), bytes));
    }
    assert!(spool.remove(pack(1), Position(7)).expect("removed"));
    assert!(!spool.remove(pack(1), Position(7)).expect("nothing left"));
    assert!(!spool.contains(pack(1), Position(7)));
    let missing = spool.read(pack(1), Position(7)).expect_err("gone");
    assert_eq!(missing.code(), ErrorCode::NotFound);
}

#[test]
fn a_full_spool_says_so_and_writes_nothing() {
    let dir = temporary_folder();
    let spool = Spool::open(dir.path(), ByteCount(25_000)).expect("opened");
    put(&spool, &shard(1, 0, 20_000));
    let used = spool.used();
    let (header, bytes) = shard(2, 0, 20_000);
    let refused = spool
        .put(
            header.pack,
            header.position,
            &signed_header(&header),
            &bytes,
        )
        .expect_err("full");
    assert_eq!(refused.code(), ErrorCode::QuotaExceeded);
    assert_eq!((spool.used(), spool.list().len()), (used, 1));
    assert!(!file(&dir, &header).exists());
    spool.remove(pack(1), Position(0)).expect("removed");
    put(&spool, &(header, bytes));
}

#[test]
fn many_threads_cannot_pass_the_limit() {
    let dir = temporary_folder();
    let spool = Spool::open(dir.path(), ByteCount(100_000)).expect("opened");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let spool = spool.clone();
            scope.spawn(move || {
                for round in 0..10 {
                    let (header, bytes) = shard(thread * 100 + round, 0, 9_000);
                    // Most are refused; that the sum holds is what is tested.
                    drop(spool.put(
                        header.pack,
                        header.position,
                        &signed_header(&header),
                        &bytes,
                    ));
                }
            });
        }
    });
    let on_disk: u64 = fs::read_dir(dir.path())
        .expect("listed")
        .map(|entry| {
            entry
                .expect("an entry")
                .metadata()
                .expect("its metadata")
                .len()
        })
        .sum();
    assert!(on_disk <= 100_000, "{on_disk}");
    assert_eq!(spool.used(), ByteCount(on_disk));
    assert_eq!(spool.list().len(), 10);
}

#[test]
fn foreign_and_unfinished_files_are_no_entries() {
    let dir = temporary_folder();
    let name = format!("{}-3", pack(1).to_hex());
    for name in [
        format!("{name}.tmp-1"),
        name.to_uppercase(),
        format!("{name}x"),
        "note".to_owned(),
        format!("{}-03", pack(1).to_hex()),
    ] {
        fs::write(dir.path().join(name), b"x").expect("written");
    }
    let spool = Spool::open(dir.path(), ROOM).expect("opened");
    assert!(spool.list().is_empty());
    assert!(!dir.path().join(format!("{name}.tmp-1")).exists(), "swept");
    assert!(dir.path().join("note").exists(), "left alone");
}

#[test]
fn a_shard_under_another_name_is_corrupt() {
    let dir = temporary_folder();
    let spool = Spool::open(dir.path(), ROOM).expect("opened");
    let (one, two) = (shard(1, 0, 100), shard(2, 0, 100));
    put(&spool, &one);
    put(&spool, &two);
    fs::copy(file(&dir, &one.0), file(&dir, &two.0)).expect("copied");
    assert_eq!(
        spool
            .read(two.0.pack, two.0.position)
            .expect_err("refused")
            .code(),
        ErrorCode::Corrupt
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn garbage_and_damage_are_corrupt(garbage in proptest::collection::vec(any::<u8>(), 0..2_000), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let dir = temporary_folder();
        let spool = Spool::open(dir.path(), ROOM).expect("opened");
        let (header, bytes) = shard(1, 0, 700);
        put(&spool, &(header.clone(), bytes.clone()));
        let path = file(&dir, &header);
        let mut damaged = fs::read(&path).expect("read");
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        fs::write(&path, &damaged).expect("damaged");
        match spool.read(header.pack, header.position) {
            // A bit of the signature or of a field that is not ours to check.
            Ok(read) => prop_assert_eq!(read.bytes, bytes),
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::Corrupt),
        }
        for prefix in [&b""[..], b"BDSP\x01", b"BDSP\x01\xff\xff\xff\xff"] {
            fs::write(&path, [prefix, &garbage].concat()).expect("garbage");
            prop_assert_eq!(spool.read(header.pack, header.position).expect_err("garbage").code(), ErrorCode::Corrupt);
        }
    }
}
