//! A home as version 1 of the formats wrote it, kept for ever: every later program reads it.

use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::manifest::{FolderRecord, HeadBundle};
use bitdust_model::{ByteCount, HeadHash, IdentityId, Position, Sequence};
use bitdust_store::catalogue::{CachedFile, NewSegment, OwnHead, Publication, Redeemed};
use bitdust_store::home::HomePaths;
use bitdust_store::{Catalogue, ShardStore, Spool};

use crate::support::{
    NOW, PACK_HEADER_BYTES, blob, chunk, commit, device, folder, head, header, identity, noise,
    pack, pack_record, signed, snapshot, store_bytes, temporary_folder,
};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format/v1/home")
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

#[test]
fn a_catalogue_of_version_1_is_read() {
    let dir = temporary_folder();
    copy_tree(&fixture(), dir.path());
    let paths = HomePaths::new(dir.path());
    let catalogue = Catalogue::open(&paths.catalogue(), PACK_HEADER_BYTES).expect("opened");
    assert_eq!(
        catalogue.get_meta("greeting").expect("read"),
        Some(b"hello".to_vec())
    );
    let folders = catalogue.folders().expect("listed");
    assert_eq!(folders[0].excludes, ["target/"]);
    assert!(
        folders[0].crosses_mounts,
        "as every folder did before there was a choice"
    );
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
        [pack_record(2, &[3])]
    );
    // Version 1 did not write how long a pack is: its shards stand for it.
    let totals = catalogue.pack_totals().expect("summed");
    assert_eq!(totals[0].sealed, ByteCount(2 * 2 * 65_536));
    assert_eq!(catalogue.snapshots().expect("listed"), [snapshot(1)]);
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
fn shards_and_spool_of_version_1_are_read() {
    let dir = temporary_folder();
    copy_tree(&fixture(), dir.path());
    let paths = HomePaths::new(dir.path());
    let (store, swept) = ShardStore::open(&paths, NOW).expect("opened");
    assert_eq!(swept, bitdust_store::supplier::Swept::default());
    let bytes = noise(1, 40_000);
    let kept = header(identity(2), device(2), 1, &bytes);
    assert_eq!(
        store.header(identity(2), kept.shard).expect("asked"),
        Some(signed(&kept))
    );
    let mut out = Vec::new();
    store
        .read_range(identity(2), kept.shard, 0, 40_000, &mut out)
        .expect("read");
    assert!(out.len() > 40_000);
    assert_eq!(store.usage_total().expect("asked").bytes, ByteCount(40_000));
    assert_eq!(store.heads(identity(2)).expect("listed").len(), 1);

    let spool = Spool::open(&paths.spool(), ByteCount(1_000_000)).expect("opened");
    let spooled = spool.read(pack(5), Position(0)).expect("read");
    assert_eq!(spooled.bytes, noise(5, 3_000));
}

#[test]
fn a_lost_supplier_database_of_version_1_is_made_anew() {
    let dir = temporary_folder();
    copy_tree(&fixture(), dir.path());
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
    let paths = HomePaths::new(fixture());
    assert!(
        !paths.catalogue().exists(),
        "a released fixture is never written again"
    );
    fs::create_dir_all(paths.dir()).expect("made");
    let catalogue = Catalogue::open(&paths.catalogue(), PACK_HEADER_BYTES).expect("opened");
    catalogue.set_meta("greeting", b"hello").expect("set");
    let record = FolderRecord {
        folder: folder(1),
        path: b"/home/a".to_vec(),
        excludes: vec!["target/".to_owned()],
        crosses_mounts: true,
    };
    catalogue.add_folder(record).expect("added");
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
        })
        .expect("published");
    catalogue.issue_invitation(&[3; 16], NOW).expect("issued");
    drop(catalogue);

    let (store, _) = ShardStore::open(&paths, NOW).expect("opened");
    let bytes = noise(1, 40_000);
    store_bytes(&store, &header(identity(2), device(2), 1, &bytes), &bytes);
    let content = head(identity(2), device(2), 1, HeadHash([0; 32]));
    let bundle = HeadBundle {
        head: signed(&content),
        sets: Vec::new(),
    };
    store
        .put_head(&bundle, HeadHash([1; 32]), NOW)
        .expect("kept");
    drop(store);

    let spool = Spool::open(&paths.spool(), ByteCount(1_000_000)).expect("opened");
    let bytes = noise(5, 3_000);
    let spooled = header(identity(1), device(1), 5, &bytes);
    spool
        .put(spooled.pack, spooled.position, &signed(&spooled), &bytes)
        .expect("spooled");
}
