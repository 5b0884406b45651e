//! Whether what a commit names leads anywhere, and catalogues that last as long as a job.

use bitdust_store::HomePaths;
use bitdust_store::catalogue::{NewSegment, Publication, ScratchCatalogue};
use bitdust_store::{Catalogue, Home};
use rusqlite::Connection;

use crate::support::{
    PACK_HEADER_BYTES, blob, chunk, commit, device, open_catalogue, pack, temporary_folder,
};

fn publish(catalogue: &Catalogue, packs: &[u64]) {
    let segment = NewSegment {
        blobs: vec![blob(1)],
        replaced: Vec::new(),
        packs: packs.iter().copied().map(pack).collect(),
    };
    let publication = Publication {
        segment: Some(segment),
        ..Publication::default()
    };
    catalogue.publish(publication).expect("published");
}

#[test]
fn a_commit_describes_what_is_published_and_what_its_segment_has() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    publish(&catalogue, &[1]);
    commit(&catalogue, 2, &[2]);
    let described = |chunks: &[u64], new: &[u64]| {
        let chunks: Vec<_> = chunks.iter().copied().map(chunk).collect();
        let new: Vec<_> = new.iter().copied().map(pack).collect();
        catalogue.are_described(&chunks, &new).expect("looked up")
    };
    assert!(described(&[], &[]) && described(&[1], &[]) && described(&[1, 2], &[2]));
    assert!(!described(&[1, 2], &[]), "kept, and in no segment");
    for lost in 0..4 {
        catalogue.withdraw_all(device(lost)).expect("taken back");
    }
    assert!(described(&[1], &[]), "its place is known, whoever has it");
    assert!(described(&[1, 2], &[2]), "whoever has it");
    assert!(!catalogue.is_damaged());
}

#[test]
fn what_lies_nowhere_is_damage() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    assert!(
        catalogue
            .are_described(&[chunk(1), chunk(404)], &[pack(1)])
            .is_err()
    );
    assert!(catalogue.is_damaged());
}

#[test]
fn a_pack_in_a_segment_that_is_gone_is_damage() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    publish(&catalogue, &[1]);
    drop(catalogue);
    let connection = Connection::open(dir.path().join("catalogue.db")).expect("opened");
    let gone = connection.execute("DELETE FROM segments", []);
    assert_eq!(gone, Ok(1));
    drop(connection);
    let catalogue = open_catalogue(&dir);
    assert!(catalogue.are_described(&[], &[]).is_err());
    assert!(catalogue.is_damaged());
}

#[test]
fn a_scratch_catalogue_goes_with_its_job_or_at_the_next_start() {
    let dir = temporary_folder();
    let folder = HomePaths::new(dir.path()).scratch();
    let count = || std::fs::read_dir(&folder).expect("listed").count();
    let create = || ScratchCatalogue::create(&folder, PACK_HEADER_BYTES).expect("made");
    let (first, second) = (create(), create());
    commit(first.catalogue(), 1, &[1]);
    assert_eq!(second.catalogue().known_chunk(chunk(1)).ok(), Some(false));
    drop((first, second));
    assert_eq!(count(), 0);
    // Nobody drops it in a crash.
    std::mem::forget(create());
    assert!(count() > 0);
    let home = Home::open(dir.path()).expect("opened");
    assert!(!home.paths().scratch().exists());
}
