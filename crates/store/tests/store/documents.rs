//! Contracts, heads, set records, fences and records come back from files when the database is lost.

use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::locator::Fence;
use bitdust_model::{DhtKey, HeadRef, Sequence};
use bitdust_store::supplier::{HeadChain, ShardStore};

use crate::customers::{bundle, contract, deposit, hash, set_record};
use crate::support::{
    NOW, Supplier, device, header, id, identity, lane_heads, noise, signed, store_bytes,
};

fn fence(lane: u64, last: u64) -> Fence {
    Fence {
        identity: identity(1),
        lane: device(lane),
        last: HeadRef {
            sequence: Sequence(last),
            hash: hash(lane, last),
        },
        issued_at: NOW,
    }
}

/// A lane with a contract and twelve heads, and one that was closed after the second of them.
fn fill(store: &ShardStore) {
    store.put_contract(contract(1, 100)).expect("entered");
    let sets = [set_record(1, 2, 3)];
    for sequence in 1..=12 {
        for lane in [1, 2] {
            let sets = if lane == 1 { &sets[..] } else { &[] };
            store
                .put_head(
                    &bundle(lane, sequence, sets),
                    hash(lane, sequence),
                    &HeadChain::default(),
                    NOW,
                )
                .expect("kept");
        }
    }
    let fence = fence(2, 2);
    store.put_fence(&fence, &signed(&fence)).expect("closed");
    let kept = store.put_deposit(identity(1), &deposit(1, 3));
    assert_eq!(kept.expect("kept"), None);
}

fn expect_all(store: &ShardStore) {
    let known = store.contract(identity(1), device(1)).expect("asked");
    assert_eq!(known, Some(contract(1, 100)));
    let heads = store.heads(identity(1), None).expect("listed");
    let newest = |lane| {
        let mut lanes = heads.iter();
        let own = lanes.find(|heads| heads.tips[0].certificate == bundle(lane, 1, &[]).certificate);
        own.map(|heads| heads.tips.clone()).expect("a lane")
    };
    let expected = lane_heads(bundle(1, 12, &[set_record(1, 2, 3)]));
    assert_eq!(newest(1), expected.tips);
    let expected = lane_heads(bundle(2, 2, &[]));
    assert_eq!(newest(2), expected.tips, "the last that counts");
    assert_eq!(
        store.fences(identity(1)).expect("listed"),
        [signed(&fence(2, 2))]
    );
    let kept = store.deposit(DhtKey(id("key", 1))).expect("read");
    assert_eq!(kept, Some(deposit(1, 3)));
}

fn is_complete(store: &ShardStore, lane: u64) -> bool {
    store.is_complete(identity(1), device(lane)).expect("read")
}

#[test]
fn what_customers_signed_comes_back_without_the_database() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 4_000);
    store_bytes(&store, &header(identity(1), device(1), 1, &bytes), &bytes);
    fill(&store);
    drop(store);
    for harm in ["no database ".repeat(2_000), String::new()] {
        for part in ["supplier.db-wal", "supplier.db-shm"] {
            drop(fs::remove_file(home.paths.dir().join(part)));
        }
        if harm.is_empty() {
            fs::remove_file(home.paths.supplier()).expect("removed");
        } else {
            fs::write(home.paths.supplier(), harm).expect("overwritten");
        }
        let (store, swept) = home.open();
        assert_eq!((swept.lanes_entered, swept.adopted), (2, 1));
        expect_all(&store);
        assert!(!is_complete(&store, 1) && !is_complete(&store, 2));
        drop(store);
        let (store, swept) = home.open();
        assert_eq!(swept.lanes_entered, 0, "once");
        assert!(!is_complete(&store, 1), "until its device puts its head");
        let again = bundle(1, 12, &[set_record(1, 2, 3)]);
        store
            .put_head(&again, hash(1, 12), &HeadChain::default(), NOW)
            .expect("kept");
        assert!(is_complete(&store, 1));
        expect_all(&store);
    }
}

/// As version 1 of these files wrote them, kept for ever.
#[test]
fn files_of_version_1_are_read_and_written() {
    let home = Supplier::new();
    let dir = home.paths.documents().join(identity(1).to_hex());
    fs::create_dir_all(&dir).expect("made");
    for (name, fixture) in fixtures() {
        fs::copy(fixture, dir.join(name)).expect("copied");
    }
    expect_all(&home.open().0);
    // And the same things are written as the same bytes.
    let other = Supplier::new();
    fill(&other.open().0);
    for home in [home, other] {
        let dir = home.paths.documents().join(identity(1).to_hex());
        for (name, fixture) in fixtures() {
            assert!(read(dir.join(&name)) == read(fixture), "{name}");
        }
    }
}

/// What each file is called in a home, and where it lies.
fn fixtures() -> [(String, PathBuf); 3] {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = dir.join("../../tests/fixtures/format/documents-v1");
    let record = DhtKey(id("key", 1));
    [
        (format!("{}.lane", device(1).to_hex()), dir.join("lane.bin")),
        (
            format!("{}.lane", device(2).to_hex()),
            dir.join("closed_lane.bin"),
        ),
        (
            format!("{}.record", record.to_hex()),
            dir.join("record.bin"),
        ),
    ]
}

/// A copy of the database is laid back: what came after it is not forgotten.
#[test]
fn an_older_database_is_brought_forward() {
    let home = Supplier::new();
    let (store, _) = home.open();
    store.put_contract(contract(1, 50)).expect("entered");
    drop(store);
    let old = fs::read(home.paths.supplier()).expect("read");
    let (store, _) = home.open();
    fill(&store);
    drop(store);
    fs::write(home.paths.supplier(), old).expect("overwritten");
    let (store, swept) = home.open();
    assert_eq!(swept.lanes_entered, 2);
    expect_all(&store);
    assert!(!is_complete(&store, 1));
    let refused = store.put_head(&bundle(1, 11, &[]), hash(1, 11), &HeadChain::default(), NOW);
    refused.expect_err("it knows a newer one");
}

/// Rows that went bad are put right from the files, which know that they are whole; what neither has
/// keeps nobody from the rest.
#[test]
fn damaged_rows_are_put_right_from_the_files() {
    let home = Supplier::new();
    let (store, _) = home.open();
    fill(&store);
    drop(store);
    let damage = [
        "UPDATE contracts SET acceptance = x'01ff'",
        "UPDATE heads SET head = zeroblob(length(head)) WHERE sequence > 4",
        "UPDATE heads SET certificate = zeroblob(length(certificate)) WHERE sequence > 4",
        "UPDATE set_records SET record = x''",
        "UPDATE fences SET fence = zeroblob(length(fence))",
        "UPDATE deposits SET record = x'01'",
    ];
    for damage in damage {
        home.sql(damage);
        let (store, swept) = home.open();
        assert_eq!(swept.lanes_entered, 0, "{damage}");
        expect_all(&store);
        let next = bundle(1, 12, &[set_record(1, 2, 3)]);
        store
            .put_head(&next, hash(1, 12), &HeadChain::default(), NOW)
            .expect("kept");
    }
    fs::remove_dir_all(home.paths.documents()).expect("removed");
    home.sql(damage[0]);
    let (store, swept) = home.open();
    assert_eq!(swept.documents_damaged, 1);
    assert_eq!(store.fences(identity(1)).expect("listed").len(), 1);
}

#[test]
fn a_folder_of_documents_that_cannot_be_used_keeps_nobody_from_the_rest() {
    let home = Supplier::new();
    let (store, _) = home.open();
    fill(&store);
    drop(store);
    fs::remove_dir_all(home.paths.documents()).expect("removed");
    fs::write(home.paths.documents(), b"no folder").expect("written");
    let (store, swept) = home.open();
    assert_eq!(
        swept.documents_damaged, 4,
        "the folder, two lanes, a record"
    );
    expect_all(&store);
    // What cannot be kept in both places is not answered as kept.
    let fence = fence(1, 5);
    let refused = store.put_fence(&fence, &signed(&fence));
    refused.expect_err("there is no place for it");
}

/// A home from before there were files gets them at its first start.
#[test]
fn a_database_that_came_first_fills_the_files() {
    let home = Supplier::new();
    let (store, _) = home.open();
    fill(&store);
    drop(store);
    fs::remove_dir_all(home.paths.documents()).expect("removed");
    drop(home.open());
    fs::remove_file(home.paths.supplier()).expect("removed");
    expect_all(&home.open().0);
}

#[test]
fn a_damaged_file_is_passed_over_and_written_anew() {
    let home = Supplier::new();
    let (store, _) = home.open();
    fill(&store);
    drop(store);
    let files = files(&home);
    assert_eq!(files.len(), 3, "{files:?}");
    let whole: Vec<_> = files.iter().map(read).collect();
    for (path, whole) in files.iter().zip(&whole) {
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        for content in [&damaged[..], &whole[..20], &[]] {
            fs::write(path, content).expect("overwritten");
            let (store, swept) = home.open();
            assert_eq!((swept.lanes_entered, swept.documents_damaged), (0, 1));
            expect_all(&store);
            assert!(read(path) == *whole, "{}", path.display());
        }
        // Without the database the others are known all the same.
        fs::write(path, &damaged).expect("overwritten");
        fs::rename(home.paths.supplier(), home.paths.dir().join("aside")).expect("moved");
        drop(home.open());
        assert!(read(path) == damaged, "there is nothing better");
        fs::write(path, whole).expect("put right");
        expect_all(&home.open().0);
    }
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).expect("read")
}

fn files(home: &Supplier) -> Vec<PathBuf> {
    let dir = home.paths.documents().join(identity(1).to_hex());
    let entries = fs::read_dir(dir).expect("listed");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("one").path()).collect();
    files.sort();
    files
}

#[test]
#[ignore = "writes the fixture; run once when a version of the formats is released"]
fn write_the_fixture() {
    let home = Supplier::new();
    fill(&home.open().0);
    let dir = home.paths.documents().join(identity(1).to_hex());
    for (name, fixture) in fixtures() {
        assert!(
            !fixture.exists(),
            "a released fixture is never written again"
        );
        fs::create_dir_all(fixture.parent().expect("a folder")).expect("made");
        fs::copy(dir.join(name), fixture).expect("copied");
    }
}
