//! Taking a restore back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bitdust_source::{Conflict, RestoreOptions, RestoreTarget};

use crate::restoring::{everything, make_tree};
use crate::support::{Outcome, restore_into, write};

#[test]
fn what_was_stopped_leaves_nothing_where_nothing_was() -> Outcome {
    let source = tempfile::tempdir()?;
    make_tree(source.path())?;
    let place = tempfile::tempdir()?;
    let inner = place.path().join("new/inner");
    let mut target = RestoreTarget::open(&inner, RestoreOptions::default())?;
    restore_into(&mut target, source.path());
    target.flush();
    assert!(!everything(&inner).is_empty(), "something was restored");
    let undone = target.undo();
    assert_eq!(undone.stayed, 0, "{undone:?}");
    assert!(undone.removed > 10, "{undone:?}");
    assert_eq!(fs::read_dir(place.path())?.count(), 0, "nor its folders");
    Ok(())
}

#[test]
fn what_was_there_before_is_as_it_was() -> Outcome {
    let source = tempfile::tempdir()?;
    make_tree(source.path())?;
    for conflict in [Conflict::KeepBoth, Conflict::Skip] {
        let place = tempfile::tempdir()?;
        make_tree(place.path())?;
        write(&place.path().join("folder/mine"), b"mine");
        write(
            &place.path().join("folder/first"),
            b"written by somebody else",
        );
        fs::set_permissions(
            place.path().join("folder"),
            fs::Permissions::from_mode(0o500),
        )?;
        let before = everything(place.path());
        let options = RestoreOptions {
            conflict,
            ..RestoreOptions::default()
        };
        let mut target = RestoreTarget::open(place.path(), options)?;
        restore_into(&mut target, source.path());
        target.flush();
        let undone = target.undo();
        assert_eq!(undone.stayed, 0, "{undone:?}");
        let left = everything(place.path());
        let names = |all: &[(String, bitdust_model::tree::Meta, String)]| {
            all.iter()
                .map(|(name, meta, contents)| (name.clone(), meta.mode, contents.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&left), names(&before), "{conflict:?}");
    }
    Ok(())
}

#[test]
fn what_somebody_changed_meanwhile_stays() -> Outcome {
    let source = tempfile::tempdir()?;
    write(&source.path().join("changed"), b"one");
    write(&source.path().join("left"), b"two");
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    restore_into(&mut target, source.path());
    target.flush();
    write(&place.path().join("changed"), b"a person's own words");
    write(&place.path().join("own"), b"a person's own file");
    let undone = target.undo();
    assert_eq!((undone.removed, undone.stayed), (1, 1), "{undone:?}");
    let names: Vec<_> = fs::read_dir(place.path())?
        .map(|entry| entry.map(|it| it.file_name()))
        .collect::<Result<_, _>>()?;
    assert_eq!(names.len(), 2, "{names:?}");
    Ok(())
}
