//! Trees that want out of their target, and targets prepared to lead there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use bitdust_model::ErrorCode;
use bitdust_model::tree::Node;
use bitdust_source::{
    Conflict, FileStart, FileWanted, Placed, RelativePath, RestoreOptions, RestoreTarget,
};
use proptest::prelude::*;

use crate::support::{Outcome, codes, meta, ordinary, path, restore_file, restore_wanted, write};

#[test]
fn names_that_would_leave_the_target_make_no_path() {
    let long = [b'n'; 1025];
    for name in [
        &b".."[..],
        b".",
        b"",
        b"a/b",
        b"../x",
        b"/etc",
        b"nul\0",
        &long,
    ] {
        assert!(RelativePath::root().join(name).is_err(), "{name:?}");
    }
    for bytes in [
        &b"../x"[..],
        b"a/../../x",
        b"/etc/passwd",
        b"a//b",
        b"a/",
        b"./a",
    ] {
        assert!(RelativePath::parse(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn odd_names_are_restored_or_reported_and_the_rest_goes_on() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let too_long_here = [b'n'; 256];
    for name in [
        &b"new\nline"[..],
        b"\xff\xfe",
        b"-rf *",
        &[b'n'; 255],
        &too_long_here,
        b"after",
    ] {
        restore_file(
            &mut target,
            &RelativePath::root().join(name)?,
            b"x",
            &meta(0o600, 1),
        );
    }
    let report = target.finish();
    assert_eq!(report.files_written, 5);
    let codes = codes(&report);
    assert_eq!(
        codes,
        [ErrorCode::BadPath],
        "256 bytes are too many for this file system"
    );
    Ok(())
}

#[test]
fn a_link_that_was_there_is_not_a_way_out() -> Outcome {
    let (place, outside) = (tempfile::tempdir()?, outside()?);
    symlink(outside.path(), place.path().join("way"))?;
    symlink(outside.path().join("file"), place.path().join("file"))?;
    let before = contents(outside.path());
    for conflict in [Conflict::Skip, Conflict::KeepBoth, Conflict::Replace] {
        let mut target = RestoreTarget::open(
            place.path(),
            RestoreOptions {
                conflict,
                ..RestoreOptions::default()
            },
        )?;
        // Without the folder itself in the tree the link is only refused.
        let start = target.begin_file(&path("way/file"), ordinary(1, &meta(0o600, 1)));
        assert!(matches!(start, FileStart::Failed), "{start:?}");
        let start = target.begin_file(&path("way/deeper/file"), ordinary(1, &meta(0o600, 1)));
        assert!(matches!(start, FileStart::Failed), "{start:?}");
        restore_file(&mut target, &path("file"), b"restored", &meta(0o777, 1));
        let report = target.finish();
        assert_eq!(
            report
                .problems
                .listed
                .iter()
                .filter(|problem| problem.code == ErrorCode::BadPath)
                .count(),
            2
        );
        assert_eq!(contents(outside.path()), before, "{conflict:?}");
    }
    assert!(
        fs::symlink_metadata(place.path().join("file"))?.is_file(),
        "the link itself was replaced"
    );
    Ok(())
}

#[test]
fn a_link_in_the_place_of_a_folder_is_replaced_and_not_entered() -> Outcome {
    let (place, outside) = (tempfile::tempdir()?, outside()?);
    symlink(outside.path(), place.path().join("way"))?;
    let before = contents(outside.path());
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    assert_eq!(
        target.create_folder(&path("way"), &meta(0o777, 1)),
        Placed::Done
    );
    restore_file(&mut target, &path("way/file"), b"restored", &meta(0o600, 1));
    assert!(target.finish().problems.is_empty());
    assert_eq!(contents(outside.path()), before);
    assert_eq!(fs::read(place.path().join("way/file"))?, b"restored");
    Ok(())
}

#[test]
fn a_link_that_came_with_the_tree_is_not_a_way_out() -> Outcome {
    let (place, outside) = (tempfile::tempdir()?, outside()?);
    let before = contents(outside.path());
    let out = Node::Symlink {
        target: outside.path().as_os_str().as_encoded_bytes().to_vec(),
    };
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let _made = target.create_folder(&path("folder"), &meta(0o700, 1));
    assert_eq!(
        target.create_other(&path("way"), &out, &meta(0o777, 1)),
        Placed::Done
    );
    restore_file(&mut target, &path("way/file"), b"restored", &meta(0o600, 1));
    assert_eq!(
        target.create_other(&path("way/pipe"), &Node::Fifo, &meta(0o600, 1)),
        Placed::Failed
    );
    assert_eq!(
        target.create_folder(&path("way/sub"), &meta(0o700, 1)),
        Placed::Failed
    );
    assert_eq!(
        target.create_other(&path("folder"), &out, &meta(0o777, 1)),
        Placed::Failed,
        "a folder is not replaced"
    );
    let report = target.finish();
    assert_eq!(report.files_written, 0);
    assert_eq!(contents(outside.path()), before);
    Ok(())
}

#[test]
fn a_folder_exchanged_for_a_link_lends_no_further_name_to_what_is_outside() -> Outcome {
    let (place, outside) = (tempfile::tempdir()?, outside()?);
    let before = contents(outside.path());
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let meta = meta(0o600, 1);
    let wanted = FileWanted {
        link_group: Some(7),
        ..ordinary(8, &meta)
    };
    restore_wanted(&mut target, &path("folder/file"), b"restored", wanted);
    target.flush();
    fs::rename(place.path().join("folder"), place.path().join("moved"))?;
    symlink(outside.path(), place.path().join("folder"))?;
    let asked = target.begin_file(&path("stolen"), wanted);
    assert!(matches!(asked, FileStart::Write(_)), "{asked:?}");
    assert_eq!(contents(outside.path()), before);
    Ok(())
}

#[test]
fn a_folder_exchanged_for_a_link_does_not_lend_its_metadata_to_what_is_outside() -> Outcome {
    let (place, outside) = (tempfile::tempdir()?, outside()?);
    let before = contents(outside.path());
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    assert_eq!(
        target.create_folder(&path("folder"), &meta(0o777, 1)),
        Placed::Done
    );
    fs::remove_dir(place.path().join("folder"))?;
    symlink(outside.path(), place.path().join("folder"))?;
    assert_eq!(target.finish().problems.count(), 1);
    assert_eq!(contents(outside.path()), before);
    Ok(())
}

#[test]
fn a_file_with_another_name_elsewhere_is_not_written_through() -> Outcome {
    let place = tempfile::tempdir()?;
    let outside = tempfile::tempdir_in(place.path())?;
    write(&outside.path().join("file"), b"outside");
    fs::hard_link(outside.path().join("file"), place.path().join("file"))?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    restore_file(&mut target, &path("file"), b"restored", &meta(0o600, 1));
    assert!(target.finish().problems.is_empty());
    assert_eq!(fs::read(outside.path().join("file"))?, b"outside");
    assert_eq!(fs::read(place.path().join("file"))?, b"restored");
    Ok(())
}

#[test]
fn things_that_cannot_exist_are_problems() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let links = [
        vec![],
        b"nul\0".to_vec(),
        vec![b'x'; 5_000],
        vec![b'x'; 20_000],
    ];
    for bytes in links {
        let node = Node::Symlink { target: bytes };
        assert_eq!(
            target.create_other(&path("link"), &node, &meta(0o777, 1)),
            Placed::Failed
        );
    }
    let folder = Node::Directory { pages: Vec::new() };
    assert_eq!(
        target.create_other(&path("folder"), &folder, &meta(0o777, 1)),
        Placed::Failed
    );
    let start = target.begin_file(&RelativePath::root(), ordinary(0, &meta(0o600, 1)));
    assert!(
        matches!(start, FileStart::Failed),
        "the target itself is no file"
    );
    assert_eq!(target.finish().problems.count(), 6);
    assert_eq!(fs::read_dir(place.path())?.count(), 0);
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Folder(String),
    File(String),
    LinkOut(String),
    LinkAbove(String),
    FurtherName(String, String),
}

fn any_step() -> impl Strategy<Value = Step> {
    let place = || {
        prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c")], 1..4)
            .prop_map(|names| names.join("/"))
    };
    prop_oneof![
        place().prop_map(Step::Folder),
        place().prop_map(Step::File),
        place().prop_map(Step::LinkOut),
        place().prop_map(Step::LinkAbove),
        (place(), place()).prop_map(|(from, to)| Step::FurtherName(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_order_of_links_and_files_reaches_outside(
        steps in prop::collection::vec(any_step(), 1..30),
        conflict in prop_oneof![Just(Conflict::Replace), Just(Conflict::KeepBoth), Just(Conflict::Skip)],
    ) {
        let (place, outside) = (tempfile::tempdir()?, outside()?);
        let inner = place.path().join("target");
        write(&place.path().join("beside"), b"beside the target");
        let before = (contents(outside.path()), fs::metadata(place.path())?.mode());
        let durability = bitdust_source::Durability::Never;
        let mut target = RestoreTarget::open(&inner, RestoreOptions { conflict, durability })
            .expect("the target opens");
        let odd = meta(0o751, 1);
        for step in &steps {
            match step {
                Step::Folder(at) => {
                    let _the_report_knows = target.create_folder(&path(at), &odd);
                }
                Step::File(at) => restore_file(&mut target, &path(at), b"restored", &odd),
                Step::LinkOut(at) => {
                    let node = Node::Symlink { target: outside.path().as_os_str().as_encoded_bytes().to_vec() };
                    let _the_report_knows = target.create_other(&path(at), &node, &odd);
                }
                Step::LinkAbove(at) => {
                    let node = Node::Symlink { target: b"..".to_vec() };
                    let _the_report_knows = target.create_other(&path(at), &node, &odd);
                }
                Step::FurtherName(from, to) => {
                    let wanted = FileWanted { link_group: Some(7), ..ordinary(8, &odd) };
                    for name in [from, to] {
                        restore_wanted(&mut target, &path(name), b"restored", wanted);
                    }
                }
            }
        }
        let report = target.finish();
        let counted = report.files_written + report.kept + report.folders_made + report.others_made + report.problems.count();
        prop_assert!(counted > 0, "each step leaves a trace in the report");
        prop_assert_eq!(&contents(outside.path()), &before.0);
        prop_assert_eq!(fs::metadata(place.path())?.mode(), before.1);
        let mut beside: Vec<PathBuf> = fs::read_dir(place.path())?.flatten().map(|entry| entry.path()).collect();
        beside.sort();
        prop_assert_eq!(beside, vec![place.path().join("beside"), inner]);
    }
}

/// A folder no restore may touch.
fn outside() -> std::io::Result<tempfile::TempDir> {
    let outside = tempfile::tempdir()?;
    write(&outside.path().join("file"), b"outside");
    fs::create_dir(outside.path().join("sub"))?;
    Ok(outside)
}

/// All that could be seen of a change.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, u64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let mut bytes = Vec::new();
        if metadata.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .expect("it can be listed")
                    .flatten()
                    .map(|entry| entry.path()),
            );
        } else {
            bytes = fs::read(&path).expect("it can be read");
        }
        all.insert(
            path,
            (
                metadata.mode(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.nlink(),
                bytes,
            ),
        );
    }
    all
}
