//! Whole trees invented by proptest, backed up and restored as far as this crate goes: walked,
//! read, recorded as an entry of a page, written back, and compared entry by entry.

use bitdust_source::RestoreOptions;
use proptest::prelude::*;

use crate::support::{Outcome, restore_tree};
use crate::trees::{Liberties, Tree, any_tree, differences, seen};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_tree_comes_back_as_it_was(tree in any_tree(liberties())) {
        let differences = lost(&tree).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(differences.is_empty(), "{differences:#?}");
    }
}

/// What of a tree is not the same after a restore, problems among it.
fn lost(tree: &Tree) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (source, place) = (tempfile::tempdir()?, tempfile::tempdir()?);
    tree.make(source.path())?;
    let before = seen(source.path())?;
    let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
    let mut lost = differences(&before, &seen(place.path())?);
    let said = report.problems.listed.iter();
    lost.extend(said.map(|problem| format!("said: {problem:?}")));
    let after = seen(source.path())?;
    lost.extend(differences(&before, &after));
    // Once more into the same place: everything is there.
    let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
    if report.files_written + report.others_made + report.folders_made > 0 {
        lost.push(format!("not known again: {report:?}"));
    }
    lost.extend(differences(&before, &seen(place.path())?));
    Ok(lost)
}

fn liberties() -> Liberties {
    Liberties {
        is_root: rustix::process::geteuid().is_root(),
        has_long_paths: true,
    }
}

/// The comparison speaks when it should: each change that is made by hand is found.
#[test]
fn every_difference_is_found() -> Outcome {
    use std::fs;
    use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
    use std::path::Path;

    let check = |change: &dyn Fn(&Path) -> std::io::Result<()>| -> Outcome {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        fs::create_dir(root.join("folder"))?;
        fs::write(root.join("file"), [1; 100_000])?;
        fs::hard_link(root.join("file"), root.join("other name"))?;
        symlink("file", root.join("link"))?;
        let before = seen(root)?;
        assert!(differences(&before, &seen(root)?).is_empty());
        change(root)?;
        assert!(!differences(&before, &seen(root)?).is_empty());
        Ok(())
    };
    check(&|root| fs::write(root.join("file"), [1; 100_001]))?;
    check(&|root| {
        let file = fs::File::options().write(true).open(root.join("file"))?;
        file.write_all_at(&[2], 99_999)
    })?;
    check(&|root| fs::set_permissions(root.join("folder"), fs::Permissions::from_mode(0o751)))?;
    check(&|root| {
        crate::support::set_times(&root.join("link"), 1, 1);
        Ok(())
    })?;
    check(&|root| fs::remove_dir(root.join("folder")))?;
    check(&|root| fs::write(root.join("folder/new"), ""))?;
    check(&|root| {
        fs::remove_file(root.join("link"))?;
        symlink("elsewhere", root.join("link"))
    })?;
    check(&|root| {
        // The same in everything but the file it is.
        let before = fs::metadata(root.join("file"))?.modified()?;
        fs::remove_file(root.join("other name"))?;
        fs::copy(root.join("file"), root.join("other name"))?;
        let copy = fs::File::options()
            .append(true)
            .open(root.join("other name"))?;
        copy.set_modified(before)
    })
}
