//! Writing back: round trips, order of writes, conflicts, resuming.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use bitdust_model::tree::{Meta, Node, OwnerNames};
use bitdust_model::{ErrorCode, limits};
use bitdust_source::{
    Conflict, Durability, FileStart, FileWanted, FileWriter, Placed, RelativePath, RestoreError,
    RestoreOptions, RestoreTarget, WalkEvent,
};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

use crate::support::{
    Outcome, codes, make_fifo, meta, meta_of_file, ordinary, path, read_all, restore_file,
    restore_tree, set_times, walk_all, write,
};

#[test]
fn a_tree_comes_back_as_it_was() -> Outcome {
    let source = tempfile::tempdir()?;
    make_tree(source.path())?;
    for durability in [Durability::Batches, Durability::EachFile, Durability::Never] {
        let place = tempfile::tempdir()?;
        let report = restore_tree(
            source.path(),
            place.path(),
            RestoreOptions {
                durability,
                ..RestoreOptions::default()
            },
        );
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_eq!(report.owners_not_set, 0);
        assert_eq!(
            everything(place.path()),
            everything(source.path()),
            "{durability:?}"
        );
        let inode = |name: &str| {
            fs::metadata(place.path().join(name))
                .expect("it was restored")
                .ino()
        };
        assert_eq!(
            inode("folder/first"),
            inode("folder/second"),
            "two names, one file"
        );
    }
    Ok(())
}

#[test]
fn a_second_run_leaves_finished_files_alone() -> Outcome {
    let source = tempfile::tempdir()?;
    make_tree(source.path())?;
    let place = tempfile::tempdir()?;
    let first = restore_tree(source.path(), place.path(), RestoreOptions::default());
    let inode = |name: &str| {
        fs::metadata(place.path().join(name))
            .expect("it was restored")
            .ino()
    };
    let before = (inode("big"), inode("future"));
    write(&place.path().join("future"), b"edited");

    let second = restore_tree(source.path(), place.path(), RestoreOptions::default());
    assert!(second.problems.is_empty(), "{:?}", second.problems);
    assert_eq!(
        (
            second.files_written,
            second.others_made,
            second.folders_made
        ),
        (1, 0, 0),
        "only the edited file"
    );
    assert_eq!(second.kept, first.files_written + first.others_made - 1);
    assert_eq!(inode("big"), before.0);
    assert_ne!(inode("future"), before.1);
    assert_eq!(everything(place.path()), everything(source.path()));
    Ok(())
}

#[test]
fn owners_are_found_by_name_before_their_number() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let root = vec![(4_242, b"root".to_vec())];
    target.name_owners(&OwnerNames {
        users: root.clone(),
        groups: root,
    });
    let theirs = |number| Meta {
        uid: number,
        gid: number,
        ..meta(0o644, 5)
    };
    for (name, number) in [("named", 4_242), ("number", 4_243)] {
        restore_file(&mut target, &path(name), b"x", &theirs(number));
    }
    let report = target.finish();
    let owner = |name: &str| {
        let stat = fs::metadata(place.path().join(name)).expect("it was restored");
        (stat.uid(), stat.gid())
    };
    let user = rustix::process::geteuid().as_raw();
    if user == 0 {
        assert_eq!(report.owners_not_set, 0);
        assert_eq!((owner("named"), owner("number")), ((0, 0), (4_243, 4_243)));
    } else {
        assert_eq!(report.owners_not_set, 2);
        assert_eq!((owner("named").0, owner("number").0), (user, user));
    }
    Ok(())
}

#[test]
fn a_file_has_no_name_before_it_is_complete() -> Outcome {
    let place = tempfile::tempdir()?;
    let options = RestoreOptions {
        durability: Durability::Never,
        ..RestoreOptions::default()
    };
    let mut target = RestoreTarget::open(place.path(), options)?;
    let mut writer = started(&mut target, "file", 10)?;
    writer.write_at(6, b"6789")?;
    writer.write_at(0, b"0123")?;
    writer.write_at(6, b"6789")?;
    assert_eq!(writer.missing(), 2);
    assert!(!place.path().join("file").exists());
    assert_eq!(names_in(place.path()).len(), 1, "only the temporary name");
    writer.write_at(4, b"45")?;
    assert_eq!(target.finish_file(writer, &meta(0o640, -5)), Placed::Done);
    assert_eq!(fs::read(place.path().join("file"))?, b"0123456789");
    let metadata = fs::metadata(place.path().join("file"))?;
    assert_eq!(
        (
            metadata.mode() & 0o7777,
            metadata.mtime(),
            metadata.mtime_nsec()
        ),
        (0o640, -5, 123_456_789)
    );
    assert_eq!(names_in(place.path()), ["file"]);
    Ok(())
}

#[test]
fn half_a_file_is_refused_and_leaves_nothing() -> Outcome {
    let place = tempfile::tempdir()?;
    write(&place.path().join("file"), b"what was there");
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let mut writer = started(&mut target, "file", 10)?;
    writer.write_at(0, b"01234567")?;
    assert_eq!(target.finish_file(writer, &meta(0o600, 1)), Placed::Failed);

    let mut writer = started(&mut target, "other", 10)?;
    let beyond = writer.write_at(8, b"abc").expect_err("it does not fit");
    assert_eq!(
        beyond,
        RestoreError::OutOfRange {
            offset: 8,
            length: 3,
            size: 10
        }
    );
    assert!(writer.write_at(u64::MAX, b"abc").is_err());
    target.abandon_file(writer, &beyond);
    drop(started(&mut target, "third", 10)?);

    let report = target.finish();
    let codes = codes(&report);
    assert_eq!(codes, [ErrorCode::Interrupted, ErrorCode::Corrupt]);
    assert_eq!(fs::read(place.path().join("file"))?, b"what was there");
    assert_eq!(names_in(place.path()), ["file"]);
    Ok(())
}

#[test]
fn a_size_no_disk_has_is_a_problem_before_a_byte_is_written() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    for size in [1 << 60, u64::MAX] {
        assert!(matches!(
            target.begin_file(&path("huge"), ordinary(size, &meta(0o600, 1))),
            FileStart::Failed
        ));
    }
    assert_eq!(target.finish().problems.count(), 2);
    assert_eq!(names_in(place.path()), <Vec<String>>::new());
    Ok(())
}

#[test]
fn a_batch_gets_its_names_together() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    for name in ["a", "b"] {
        let mut writer = started(&mut target, name, 1)?;
        writer.write_at(0, b"x")?;
        assert_eq!(target.finish_file(writer, &meta(0o600, 1)), Placed::Waiting);
    }
    assert!(!place.path().join("a").exists());
    target.flush();
    assert_eq!(names_in(place.path()), ["a", "b"]);
    assert_eq!(target.report().files_written, 2);
    Ok(())
}

#[test]
fn long_files_do_not_wait_for_many() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let size = limits::RESTORE_BATCH_BYTES / 2;
    let own = meta(0o600, 1);
    for (name, there) in [("a", &[][..]), ("b", &["a", "b"]), ("c", &["a", "b"])] {
        let wanted = FileWanted {
            is_sparse: true,
            ..ordinary(size, &own)
        };
        let FileStart::Write(mut writer) = target.begin_file(&path(name), wanted) else {
            return Err(format!("{name} cannot be written").into());
        };
        writer.leave_hole(0, size)?;
        assert_eq!(target.finish_file(writer, &own), Placed::Waiting);
        let mut names = names_in(place.path());
        names.retain(|name| !name.starts_with('.'));
        assert_eq!(names, there, "after {name}");
    }
    Ok(())
}

#[test]
fn leftovers_go_and_what_another_restore_is_writing_stays() -> Outcome {
    let place = tempfile::tempdir()?;
    fs::create_dir_all(place.path().join("folder/.bitdust-00000000000000ff.part"))?;
    for name in [
        ".bitdust-0123456789abcdef.part",
        "folder/.bitdust-0123456789abcdef.part",
        ".bitdust-notes.part",
    ] {
        write(&place.path().join(name), b"half");
    }
    symlink(
        "x",
        place.path().join("folder/.bitdust-1123456789abcdef.part"),
    )?;
    let mut busy = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    assert_eq!(
        busy.report().leftovers_removed,
        1,
        "the one in the target itself"
    );
    let mut writer = started(&mut busy, "folder/live", 4)?;

    let mut fresh = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let _kept = fresh.create_folder(&path("folder"), &meta(0o700, 1));
    assert_eq!(
        fresh.finish().leftovers_removed,
        2,
        "a file and a link, not the one being written"
    );
    assert!(
        place
            .path()
            .join("folder/.bitdust-00000000000000ff.part")
            .is_dir(),
        "a folder is nobody's leftover"
    );
    assert!(
        place.path().join(".bitdust-notes.part").exists(),
        "a person's own file"
    );
    writer.write_at(0, b"live")?;
    assert_eq!(busy.finish_file(writer, &meta(0o600, 1)), Placed::Waiting);
    assert!(busy.finish().problems.is_empty());
    assert_eq!(fs::read(place.path().join("folder/live"))?, b"live");
    Ok(())
}

#[test]
fn each_conflict_ends_as_the_person_chose() -> Outcome {
    let check = |conflict, written: u64, expected: &[(&str, &str)]| -> Outcome {
        let place = tempfile::tempdir()?;
        write(&place.path().join("report.txt"), b"there");
        symlink("elsewhere", place.path().join("link"))?;
        for _ in 0..2 {
            // The second time everything is there already.
            let options = RestoreOptions {
                conflict,
                ..RestoreOptions::default()
            };
            let mut target = RestoreTarget::open(place.path(), options)?;
            restore_file(
                &mut target,
                &path("report.txt"),
                b"restored",
                &meta(0o600, 1),
            );
            restore_file(&mut target, &path("link"), b"restored", &meta(0o600, 1));
            restore_file(&mut target, &path("new"), b"restored", &meta(0o600, 1));
            let report = target.finish();
            assert!(report.problems.is_empty(), "{:?}", report.problems);
        }
        let mut found = Vec::new();
        for name in names_in(place.path()) {
            let content = fs::read_to_string(place.path().join(&name))
                .unwrap_or_else(|_| "no file".to_owned());
            found.push((name, content));
        }
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(found, expected, "{conflict:?}");
        let restored = found.iter().filter(|(_, text)| text == "restored").count();
        assert_eq!(restored as u64, written);
        Ok(())
    };
    check(
        Conflict::Replace,
        3,
        &[
            ("link", "restored"),
            ("new", "restored"),
            ("report.txt", "restored"),
        ],
    )?;
    check(
        Conflict::Skip,
        1,
        &[
            ("link", "no file"),
            ("new", "restored"),
            ("report.txt", "there"),
        ],
    )?;
    check(
        Conflict::KeepBoth,
        3,
        &[
            ("link", "no file"),
            ("link (restored)", "restored"),
            ("new", "restored"),
            ("report (restored).txt", "restored"),
            ("report.txt", "there"),
        ],
    )
}

#[test]
fn what_comes_in_between_is_not_overwritten_where_both_are_kept() -> Outcome {
    let check = |conflict, expected: &[&str]| -> Outcome {
        let place = tempfile::tempdir()?;
        let mut target = RestoreTarget::open(
            place.path(),
            RestoreOptions {
                conflict,
                ..RestoreOptions::default()
            },
        )?;
        restore_file(&mut target, &path("file"), b"restored", &meta(0o600, 1));
        write(&place.path().join("file"), b"written meanwhile");
        let report = target.finish();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_eq!(fs::read(place.path().join("file"))?, b"written meanwhile");
        assert_eq!(names_in(place.path()), expected);
        Ok(())
    };
    check(Conflict::KeepBoth, &["file", "file (restored)"])?;
    check(Conflict::Skip, &["file"])
}

#[test]
fn a_folder_in_the_place_of_a_file_is_never_replaced() -> Outcome {
    let place = tempfile::tempdir()?;
    fs::create_dir(place.path().join("name"))?;
    write(&place.path().join("name/precious"), b"x");
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    assert!(matches!(
        target.begin_file(&path("name"), ordinary(1, &meta(0o600, 1))),
        FileStart::Failed
    ));
    assert_eq!(
        target.create_other(&path("name"), &Node::Fifo, &meta(0o600, 1)),
        Placed::Failed
    );
    let codes: Vec<ErrorCode> = target
        .finish()
        .problems
        .listed
        .iter()
        .map(|problem| problem.code)
        .collect();
    assert_eq!(codes, [ErrorCode::BadPath, ErrorCode::BadPath]);
    assert!(place.path().join("name/precious").exists());
    Ok(())
}

#[test]
fn a_file_in_the_place_of_a_folder_goes_only_when_replacing() -> Outcome {
    let place = tempfile::tempdir()?;
    write(&place.path().join("name"), b"x");
    for (conflict, expected) in [
        (Conflict::KeepBoth, Placed::Failed),
        (Conflict::Skip, Placed::Failed),
        (Conflict::Replace, Placed::Done),
    ] {
        let mut target = RestoreTarget::open(
            place.path(),
            RestoreOptions {
                conflict,
                ..RestoreOptions::default()
            },
        )?;
        assert_eq!(
            target.create_folder(&path("name"), &meta(0o700, 1)),
            expected,
            "{conflict:?}"
        );
    }
    assert!(place.path().join("name").is_dir());
    Ok(())
}

#[test]
fn folders_get_their_times_after_all_that_is_in_them() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let _made = target.create_folder(&RelativePath::root(), &meta(0o711, 4_000));
    let _made = target.create_folder(&path("a"), &meta(0o555, 5_000));
    let _made = target.create_folder(&path("a/b"), &meta(0o500, 6_000));
    restore_file(&mut target, &path("a/b/late"), b"x", &meta(0o400, 1));
    restore_file(&mut target, &path("made/on/the/way"), b"x", &meta(0o400, 1));
    let report = target.finish();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    for (name, mode, seconds) in [
        ("", 0o711, 4_000),
        ("a", 0o555, 5_000),
        ("a/b", 0o500, 6_000),
    ] {
        let metadata = fs::metadata(place.path().join(name))?;
        assert_eq!(
            (metadata.mode() & 0o7777, metadata.mtime()),
            (mode, seconds),
            "{name:?}"
        );
    }
    assert!(place.path().join("made/on/the/way").exists());
    Ok(())
}

#[test]
fn attributes_that_cannot_be_set_are_a_problem_and_the_file_is_there() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let odd = Meta {
        xattrs: vec![(b"no-such-class.x".to_vec(), b"1".to_vec())],
        ..meta(0o600, 1)
    };
    restore_file(&mut target, &path("file"), b"x", &odd);
    let report = target.finish();
    assert_eq!((report.files_written, report.problems.count()), (1, 1));
    assert!(
        report.problems.listed[0].detail.contains("no-such-class.x"),
        "{:?}",
        report.problems
    );
    Ok(())
}

/// Everything of a tree that is to come back.
pub(crate) fn everything(root: &Path) -> Vec<(String, Meta, String)> {
    let mut all = Vec::new();
    for event in walk_all(root) {
        match event {
            WalkEvent::Enter { path, meta } => all.push((path, meta, "folder".to_owned())),
            WalkEvent::Other { path, meta, node } => all.push((path, meta, format!("{node:?}"))),
            WalkEvent::File(file) => {
                let bytes = read_all(&file.folder, file.path.name(), &file.stamp);
                let content = format!("{} {:?}", file.has_other_names, bytes);
                let meta = meta_of_file(&file);
                all.push((file.path, meta, content));
            }
            WalkEvent::Leave { is_complete, .. } => assert!(is_complete),
            WalkEvent::Problem(problem) => panic!("{problem:?}"),
        }
    }
    all.into_iter()
        .map(|(path, meta, content)| (format!("{path:?}"), meta, content))
        .collect()
}

/// A tree with one of each; devices only as root, who alone can make them.
pub(crate) fn make_tree(root: &Path) -> Outcome {
    let odd_name = std::ffi::OsString::from(
        <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd \xff\n"),
    );
    for folder in ["folder/inner", "closed", "empty"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let big: Vec<u8> = (0..100_007_u32)
        .map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1])
        .collect();
    write(&root.join("big"), &big);
    write(&root.join("old"), b"from before");
    write(&root.join("none"), b"");
    write(&root.join("future"), b"from later");
    write(&root.join("folder/first"), b"one file");
    fs::hard_link(root.join("folder/first"), root.join("folder/second"))?;
    write(&root.join("folder/inner").join(odd_name), b"odd");
    write(&root.join("closed/program"), b"#!");
    symlink("/nowhere\nat all", root.join("link"))?;
    make_fifo(&root.join("pipe"));
    // Nobody else can read a file without permissions back.
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        drop(UnixListener::bind(root.join("socket"))?);
        let mode = Mode::from_raw_mode(0o640);
        mknodat(
            CWD,
            root.join("null"),
            FileType::CharacterDevice,
            mode,
            rustix::fs::makedev(1, 3),
        )?;
        mknodat(
            CWD,
            root.join("disk"),
            FileType::BlockDevice,
            mode,
            rustix::fs::makedev(7, 200),
        )?;
        rustix::fs::chown(
            root.join("none"),
            Some(rustix::fs::Uid::from_raw(12_345)),
            Some(rustix::fs::Gid::from_raw(54_321)),
        )?;
    }
    for (name, value) in [
        ("user.note", &b"a note"[..]),
        ("user.empty", b""),
        ("user.bytes", &[0, 255, 10]),
    ] {
        setxattr(root.join("old"), name, value, XattrFlags::empty())?;
        setxattr(root.join("closed"), name, value, XattrFlags::empty())?;
    }
    for (name, mode) in [
        ("closed/program", 0o4755),
        ("old", 0o400),
        ("none", if is_root { 0 } else { 0o444 }),
        ("pipe", 0o622),
        ("closed", 0o555),
        ("empty", 0o1777),
    ] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode))?;
    }
    for (name, seconds) in [
        ("old", -1_000_000_000),
        ("future", 4_102_444_800),
        ("link", 77),
        ("pipe", 78),
        ("closed", 79),
        ("", 80),
    ] {
        set_times(&root.join(name), seconds, 987_654_321);
    }
    Ok(())
}

fn started(target: &mut RestoreTarget, name: &str, size: u64) -> Result<FileWriter, String> {
    match target.begin_file(&path(name), ordinary(size, &meta(0o600, 1))) {
        FileStart::Write(writer) => Ok(writer),
        other @ (FileStart::Kept | FileStart::Linked | FileStart::Later | FileStart::Failed) => {
            Err(format!("{other:?}: {:?}", target.report()))
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it can be listed");
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
