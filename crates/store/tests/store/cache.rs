//! The file cache.

use bitdust_model::ErrorCode;
use bitdust_model::limits::META_BYTES_MAX;
use bitdust_model::manifest::{FolderRecord, Retention};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::CachedFile;

use crate::support::{folder, open_catalogue, temporary_folder};

fn cached(number: u64) -> CachedFile {
    CachedFile {
        size: number,
        mtime_s: -5,
        mtime_ns: 999_999_999,
        ctime_s: 1_700_000_000,
        ctime_ns: 1,
        inode: u64::MAX - number,
        device: u64::MAX,
        entry: number.to_le_bytes().to_vec(),
    }
}

fn with_folder(dir: &tempfile::TempDir) -> Catalogue {
    let catalogue = open_catalogue(dir);
    catalogue
        .add_folder(FolderRecord {
            folder: folder(1),
            path: b"/home/a".to_vec(),
            excludes: vec!["*.o".to_owned()],
            crosses_mounts: true,
            schedule: None,
            retention: Retention::KeepAll,
        })
        .expect("added");
    catalogue
}

#[test]
fn a_directory_is_loaded_without_what_lies_deeper() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    let files = vec![
        (b"top".to_vec(), cached(1)),
        (b"a/one".to_vec(), cached(2)),
        (b"a/caf\xe9 \xff".to_vec(), cached(3)),
        (b"a/b/deep".to_vec(), cached(4)),
        (b"ab/other".to_vec(), cached(5)),
    ];
    catalogue
        .remember_files(folder(1), files)
        .expect("remembered");

    let names = |path: &[u8]| -> Vec<Vec<u8>> {
        let files = catalogue
            .cached_files_under(folder(1), path)
            .expect("loaded");
        files.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(b""), [b"top".to_vec()]);
    assert_eq!(names(b"a"), [b"caf\xe9 \xff".to_vec(), b"one".to_vec()]);
    assert_eq!(names(b"a/b"), [b"deep".to_vec()]);
    assert!(names(b"a/b/c").is_empty());
    assert_eq!(
        catalogue
            .cached_file(folder(1), b"a/caf\xe9 \xff")
            .expect("read"),
        Some(cached(3))
    );
    assert_eq!(
        catalogue.cached_file(folder(1), b"one").expect("read"),
        None
    );
    assert_eq!(
        catalogue.cached_file(folder(2), b"top").expect("read"),
        None
    );
}

#[test]
fn files_are_forgotten_by_their_paths() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    let files = ["a/one", "a/two", "b/one"].map(|path| (path.as_bytes().to_vec(), cached(1)));
    catalogue
        .remember_files(folder(1), files.to_vec())
        .expect("remembered");
    let paths = [&b"a/one"[..], b"b/one", b"c/never"].map(<[u8]>::to_vec);
    catalogue
        .forget_files(folder(1), paths.to_vec())
        .expect("forgotten");
    let is_cached = |path: &[u8]| {
        catalogue
            .cached_file(folder(1), path)
            .expect("read")
            .is_some()
    };
    assert!(is_cached(b"a/two"));
    assert!(!is_cached(b"a/one"));
    assert!(!is_cached(b"b/one"));
}

#[test]
fn a_removed_folder_takes_its_cache_along() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    catalogue
        .remember_files(folder(1), vec![(b"a".to_vec(), cached(1))])
        .expect("remembered");
    assert!(catalogue.remove_folder(folder(1)).expect("removed"));
    assert!(!catalogue.remove_folder(folder(1)).expect("nothing left"));
    assert!(catalogue.folders().expect("listed").is_empty());
    let refused = catalogue
        .remember_files(folder(1), vec![(b"a".to_vec(), cached(1))])
        .expect_err("unknown");
    assert_eq!(refused.code(), ErrorCode::NotFound);
    let catalogue = with_folder(&dir);
    assert_eq!(
        catalogue.cached_file(folder(1), b"a").expect("read"),
        None,
        "a folder added again starts empty"
    );
}

#[test]
fn a_folder_is_changed_in_place() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    catalogue
        .remember_files(folder(1), vec![(b"a".to_vec(), cached(1))])
        .expect("remembered");
    let moved = FolderRecord {
        folder: folder(1),
        path: b"/mnt/a".to_vec(),
        excludes: Vec::new(),
        crosses_mounts: false,
        schedule: None,
        retention: Retention::KeepAll,
    };
    catalogue.add_folder(moved.clone()).expect("changed");
    assert_eq!(catalogue.folders().expect("listed"), [moved]);
    assert_eq!(
        catalogue.cached_file(folder(1), b"a").expect("read"),
        Some(cached(1))
    );
}

#[test]
fn a_folder_and_its_setting_change_together_or_not_at_all() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    let before = catalogue.folders().expect("listed");
    let moved = FolderRecord {
        folder: folder(1),
        path: b"/mnt/a".to_vec(),
        excludes: Vec::new(),
        crosses_mounts: false,
        schedule: None,
        retention: Retention::KeepAll,
    };
    let change =
        |value: Vec<u8>| catalogue.change_folder(moved.clone(), vec![("rule".to_owned(), value)]);
    let refused = change(vec![0; META_BYTES_MAX + 1]).expect_err("too long");
    assert_eq!(refused.code(), ErrorCode::BadRequest);
    assert_eq!(catalogue.folders().expect("listed"), before);
    change(b"daily".to_vec()).expect("changed");
    assert_eq!(
        catalogue.folders().expect("listed"),
        std::slice::from_ref(&moved)
    );
    let kept = catalogue.get_meta("rule").expect("read");
    assert_eq!(kept.as_deref(), Some(&b"daily"[..]));
}

#[test]
fn what_is_too_long_is_refused_whole() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    let long = CachedFile {
        entry: vec![0; 2 * 1024 * 1024],
        ..cached(1)
    };
    let refused = catalogue.remember_files(
        folder(1),
        vec![(b"a".to_vec(), cached(1)), (b"b".to_vec(), long)],
    );
    assert_eq!(refused.expect_err("refused").code(), ErrorCode::BadRequest);
    assert_eq!(
        catalogue.cached_file(folder(1), b"a").expect("read"),
        None,
        "a batch is all or nothing"
    );
}

#[test]
fn a_hundred_thousand_files_go_in_and_come_out() {
    let dir = temporary_folder();
    let catalogue = with_folder(&dir);
    for directory in 0..100 {
        let files = (0..1_000)
            .map(|file| {
                (
                    format!("d{directory}/f{file:04}").into_bytes(),
                    cached(file),
                )
            })
            .collect();
        catalogue
            .remember_files(folder(1), files)
            .expect("remembered");
    }
    let mut seen = 0;
    for directory in 0..100 {
        let files = catalogue
            .cached_files_under(folder(1), format!("d{directory}").as_bytes())
            .expect("loaded");
        assert!(files.is_sorted_by(|a, b| a.0 < b.0), "names come in order");
        seen += files.len();
    }
    assert_eq!(seen, 100_000);
}
