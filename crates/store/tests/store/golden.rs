//! A home as version 2 of the formats wrote it, kept for ever: every later program reads it. One of
//! version 1, which was never released, is refused untouched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::manifest::{FolderRecord, FolderSchedule, PackRecord, Retention};
use bitdust_model::{
    ByteCount, ErrorCode, HeadHash, IdentityId, Position, PositionMask, Sequence, WriterId,
};
use bitdust_store::catalogue::{CachedFile, NewSegment, OwnHead, Publication, Redeemed};
use bitdust_store::home::HomePaths;
use bitdust_store::supplier::HeadChain;
use bitdust_store::{Catalogue, ShardStore, Spool};

use crate::support::{
    NOW, PACK_HEADER_BYTES, blob, chunk, commit, device, folder, head, head_bundle, header,
    identity, noise, pack, pack_record, signed, signed_header, snapshot, store_bytes,
    temporary_folder,
};

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/format")
        .join(version)
        .join("home")
}

fn copy_tree(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("made");
    for entry in fs::read_dir(source).expect("the fixture is there") {
        let entry = entry.expect("an entry");
        let target = target.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn own_head() -> OwnHead {
    let content = head(identity(1), device(1), 1, HeadHash([0; 32]));
    OwnHead {
        sequence: Sequence(1),
        hash: HeadHash([1; 32]),
        head: signed(&content),
        published: true,
    }
}

fn cached() -> CachedFile {
    CachedFile {
        size: 5,
        mtime_s: -1,
        mtime_ns: 2,
        ctime_s: 3,
        ctime_ns: 4,
        inode: u64::MAX,
        device: 6,
        entry: vec![7],
    }
}

/// Drawn at random elsewhere.
const WRITER: WriterId = WriterId([0x77; 16]);

fn folder_record() -> FolderRecord {
    FolderRecord {
        folder: folder(1),
        path: b"/home/a".to_vec(),
        excludes: vec!["target/".to_owned()],
        crosses_mounts: true,
        schedule: Some(FolderSchedule::Manual),
        retention: Retention::KeepAll,
    }
}

/// All files below a folder with their contents.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).expect("read");
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn a_home_from_before_the_first_release_is_refused_untouched() {
    let dir = temporary_folder();
    copy_tree(&fixture("v1"), dir.path());
    let before = files(dir.path());
    let paths = HomePaths::new(dir.path());
    let refused = Catalogue::open(&paths.catalogue(), PACK_HEADER_BYTES).err();
    let refused = refused.expect("of version 1");
    assert_eq!(refused.code(), ErrorCode::Incompatible, "{refused}");
    let refused = ShardStore::open(&paths, NOW).err().expect("of version 1");
    assert_eq!(refused.code(), ErrorCode::Incompatible, "{refused}");
    let spool = Spool::open(&paths.spool(), ByteCount(1_000_000)).expect("opened");
    let refused = spool.read(pack(5), Position(0)).expect_err("of version 1");
    assert_eq!(refused.code(), ErrorCode::Corrupt, "{refused}");
    drop(spool);
    assert!(files(dir.path()) == before, "nothing was changed");
}

#[test]
fn shards_of_another_version_stay_though_the_database_that_knew_them_is_gone() {
    let dir = temporary_folder();
    copy_tree(&fixture("v1"), dir.path());
    let paths = HomePaths::new(dir.path());
    fs::remove_file(paths.supplier()).expect("removed");
    let shards = dir.path().join("shards");
    let before = files(&shards);
    let (_, swept) = ShardStore::open(&paths, NOW).expect("opened");
    assert_eq!(
        (swept.of_other_versions, swept.removed),
        (1, 0),
        "{swept:?}"
    );
    let mut after = files(&shards);
    after.remove(&shards.join("shards-are-here.txt"));
    assert!(after == before, "nothing was changed");
}

#[test]
fn a_catalogue_of_version_2_is_read() {
    let dir = temporary_folder();
    copy_tree(&fixture("v2"), dir.path());
    let paths = HomePaths::new(dir.path());
    let catalogue = Catalogue::open(&paths.catalogue(), PACK_HEADER_BYTES).expect("opened");
    assert_eq!(
        catalogue.get_meta("greeting").expect("read"),
        Some(b"hello".to_vec())
    );
    let folders = catalogue.folders().expect("listed");
    assert_eq!(folders, [folder_record()]);
    assert_eq!(
        catalogue.cached_file(folder(1), b"a/b").expect("read"),
        Some(cached())
    );
    assert!(catalogue.known_chunk(chunk(2)).expect("looked up"));
    let (found, place) = catalogue
        .locate(chunk(2))
        .expect("looked up")
        .expect("known");
    assert_eq!(
        (found, place.offset),
        (pack_record(1, &[1, 2]).pack, PACK_HEADER_BYTES + 1_000)
    );
    assert_eq!(catalogue.segments().expect("listed")[0].blobs, [blob(9)]);
    assert_eq!(
        catalogue.packs_to_publish(None).expect("listed"),
        [PackRecord {
            confirmed: PositionMask(0b111),
            ..pack_record(2, &[3])
        }]
    );
    let totals = catalogue.pack_totals().expect("summed");
    let sealed = [pack_record(1, &[1, 2]), pack_record(2, &[3])];
    let sealed = sealed.map(|record| u64::from(record.pack.pack_bytes));
    assert_eq!(totals[0].sealed, ByteCount(sealed.iter().sum()));
    assert_eq!(catalogue.writer().expect("read"), WRITER);
    assert_eq!(catalogue.snapshots(NOW).expect("listed"), [snapshot(1)]);
    let since = catalogue.listed_since().expect("read");
    assert!(since.is_empty(), "which head listed it was not noted");
    assert_eq!(
        catalogue.newest_published_head().expect("read"),
        Some(own_head())
    );
    let redeemed = catalogue
        .redeem_invitation(&[3; 16], IdentityId([1; 32]), NOW)
        .expect("asked");
    assert_eq!(redeemed, Redeemed::Accepted);
}

#[test]
fn shards_and_spool_of_version_2_are_read() {
    let dir = temporary_folder();
    copy_tree(&fixture("v2"), dir.path());
    let paths = HomePaths::new(dir.path());
    let (store, swept) = ShardStore::open(&paths, NOW).expect("opened");
    assert_eq!(swept, bitdust_store::supplier::Swept::default());
    let bytes = noise(1, 40_000);
    let kept = header(identity(2), device(2), 1, &bytes);
    assert_eq!(
        store.header(identity(2), kept.shard).expect("asked"),
        Some(signed_header(&kept))
    );
    let mut out = Vec::new();
    store
        .read_range(identity(2), kept.shard, 0, 40_000, &mut out)
        .expect("read");
    assert!(out.len() > 40_000);
    assert_eq!(store.usage_total().expect("asked").bytes, ByteCount(40_000));
    assert_eq!(store.heads(identity(2), None).expect("listed").len(), 1);

    let spool = Spool::open(&paths.spool(), ByteCount(1_000_000)).expect("opened");
    let spooled = spool.read(pack(5), Position(0)).expect("read");
    assert_eq!(spooled.bytes, noise(5, 3_000));
}

#[test]
fn a_lost_supplier_database_of_version_2_is_made_anew() {
    let dir = temporary_folder();
    copy_tree(&fixture("v2"), dir.path());
    let paths = HomePaths::new(dir.path());
    fs::remove_file(paths.supplier()).expect("removed");
    let (store, swept) = ShardStore::open(&paths, NOW).expect("opened");
    assert_eq!(swept.adopted, 1);
    assert_eq!(
        store.usage(identity(2)).expect("asked").bytes,
        ByteCount(40_000)
    );
}

#[test]
#[ignore = "writes the fixture; run once when a version of the formats is released"]
fn write_the_fixture() {
    let paths = HomePaths::new(fixture("v2"));
    assert!(
        !paths.catalogue().exists(),
        "a released fixture is never written again"
    );
    fs::create_dir_all(paths.dir()).expect("made");
    let catalogue = Catalogue::open(&paths.catalogue(), PACK_HEADER_BYTES).expect("opened");
    catalogue.set_meta("greeting", b"hello").expect("set");
    catalogue
        .set_meta("writer", &WRITER.0)
        .expect("the same each time");
    catalogue.add_folder(folder_record()).expect("added");
    catalogue
        .remember_files(folder(1), vec![(b"a/b".to_vec(), cached())])
        .expect("remembered");
    commit(&catalogue, 1, &[1, 2]);
    commit(&catalogue, 2, &[3]);
    catalogue
        .publish(Publication {
            segment: Some(NewSegment {
                blobs: vec![blob(9)],
                replaced: Vec::new(),
                packs: vec![pack(1)],
            }),
            snapshots: vec![snapshot(1)],
            head: Some(own_head()),
            lists: Vec::new(),
        })
        .expect("published");
    catalogue.issue_invitation(&[3; 16], NOW).expect("issued");
    drop(catalogue);

    let (store, _) = ShardStore::open(&paths, NOW).expect("opened");
    let bytes = noise(1, 40_000);
    store_bytes(&store, &header(identity(2), device(2), 1, &bytes), &bytes);
    let content = head(identity(2), device(2), 1, HeadHash([0; 32]));
    let bundle = head_bundle(&content, &[]);
    store
        .put_head(&bundle, HeadHash([1; 32]), &HeadChain::default(), NOW)
        .expect("kept");
    drop(store);

    let spool = Spool::open(&paths.spool(), ByteCount(1_000_000)).expect("opened");
    let bytes = noise(5, 3_000);
    let spooled = header(identity(1), device(1), 5, &bytes);
    spool
        .put(
            spooled.pack,
            spooled.position,
            &signed_header(&spooled),
            &bytes,
        )
        .expect("spooled");
}
