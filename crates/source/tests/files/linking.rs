//! Files with several names: joined again, whatever stands in their places already.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bitdust_model::tree::Meta;
use bitdust_source::{
    Conflict, FileStart, FileWanted, Placed, RestoreError, RestoreOptions, RestoreTarget,
};

use crate::support::{Outcome, meta, path, restore_tree, write};

const BYTES: &[u8] = b"one file";

#[test]
fn names_of_one_file_are_joined_again_after_an_interruption() -> Outcome {
    let source = tempfile::tempdir()?;
    make_names(source.path())?;
    let place = tempfile::tempdir()?;
    for lost in [&[][..], &["a"], &["b"], &["a", "folder/c"]] {
        let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_eq!(links(place.path(), &["a", "b", "folder/c"]), 3, "{lost:?}");
        for name in lost {
            fs::remove_file(place.path().join(name))?;
        }
    }
    let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(links(place.path(), &["a", "b", "folder/c"]), 3);
    Ok(())
}

#[test]
fn names_that_came_apart_are_joined_when_replacing() -> Outcome {
    let source = tempfile::tempdir()?;
    make_names(source.path())?;
    let place = tempfile::tempdir()?;
    fs::create_dir(place.path().join("folder"))?;
    for name in ["a", "b", "folder/c"] {
        fs::copy(source.path().join(name), place.path().join(name))?;
    }
    let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(links(place.path(), &["a", "b", "folder/c"]), 3);
    Ok(())
}

#[test]
fn nothing_is_linked_to_what_only_has_the_name() -> Outcome {
    let source = tempfile::tempdir()?;
    make_names(source.path())?;
    let check = |conflict, expected: &[&str]| -> Outcome {
        let place = tempfile::tempdir()?;
        write(&place.path().join("a"), b"somebody else's");
        let options = RestoreOptions {
            conflict,
            ..RestoreOptions::default()
        };
        let report = restore_tree(source.path(), place.path(), options);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_eq!(fs::read(place.path().join("a"))?, b"somebody else's");
        assert_eq!(
            links(place.path(), expected),
            expected.len() as u64,
            "{conflict:?}"
        );
        for name in expected {
            assert_eq!(fs::read(place.path().join(name))?, BYTES, "{name}");
        }
        Ok(())
    };
    check(Conflict::Skip, &["b", "folder/c"])?;
    check(Conflict::KeepBoth, &["a (restored)", "b", "folder/c"])
}

#[test]
fn a_name_waits_for_its_file_and_takes_its_place_when_that_fails() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let meta = meta(0o644, 5);
    let wanted = wanted(&meta);
    let FileStart::Write(first) = target.begin_file(&path("a"), wanted) else {
        return Err("the first name is written".into());
    };
    let asked = target.begin_file(&path("b"), wanted);
    assert!(matches!(asked, FileStart::Later), "{asked:?}");
    let reason = RestoreError::WrongKind { what: "a test" };
    target.abandon_file(first, &reason);
    let FileStart::Write(mut second) = target.begin_file(&path("b"), wanted) else {
        return Err("the second name is the first now".into());
    };
    second.write_at(0, BYTES)?;
    assert_eq!(target.finish_file(second, &meta), Placed::Waiting);
    let asked = target.begin_file(&path("c"), wanted);
    assert!(matches!(asked, FileStart::Later), "{asked:?}");
    target.flush();
    let asked = target.begin_file(&path("c"), wanted);
    assert!(matches!(asked, FileStart::Linked), "{asked:?}");
    let report = target.finish();
    assert_eq!(report.files_written, 2);
    assert_eq!(links(place.path(), &["b", "c"]), 2);
    Ok(())
}

#[test]
fn a_first_name_that_was_exchanged_is_not_linked_to() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let meta = meta(0o644, 5);
    let wanted = wanted(&meta);
    let FileStart::Write(mut first) = target.begin_file(&path("a"), wanted) else {
        return Err("the first name is written".into());
    };
    first.write_at(0, BYTES)?;
    assert_eq!(target.finish_file(first, &meta), Placed::Waiting);
    target.flush();
    // The old file keeps its number, so that the new one has another.
    fs::rename(place.path().join("a"), place.path().join("moved"))?;
    write(&place.path().join("a"), b"somebody else's");
    let asked = target.begin_file(&path("b"), wanted);
    assert!(matches!(asked, FileStart::Write(_)), "{asked:?}");
    Ok(())
}

fn wanted(meta: &Meta) -> FileWanted<'_> {
    FileWanted {
        size: BYTES.len() as u64,
        meta,
        is_sparse: false,
        link_group: Some(7),
    }
}

fn make_names(folder: &Path) -> Outcome {
    write(&folder.join("a"), BYTES);
    fs::create_dir(folder.join("folder"))?;
    fs::hard_link(folder.join("a"), folder.join("b"))?;
    fs::hard_link(folder.join("a"), folder.join("folder/c"))?;
    crate::support::set_times(&folder.join("a"), 1_000_000, 1);
    Ok(())
}

/// How many names the file has that all of these are; none where they are several files.
fn links(folder: &Path, names: &[&str]) -> u64 {
    let stats: Vec<_> = names
        .iter()
        .map(|name| fs::metadata(folder.join(name)).expect("it was restored"))
        .collect();
    let is_one = stats.iter().all(|stat| stat.ino() == stats[0].ino());
    if is_one { stats[0].nlink() } else { 0 }
}
