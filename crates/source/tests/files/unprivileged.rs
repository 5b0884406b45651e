//! What happens to somebody who is not root. Run by root, each test runs itself again as
//! `nobody`; that the rights really lack is checked by a control in each.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use bitdust_model::ErrorCode;
use bitdust_model::tree::{Meta, Node};
use bitdust_source::{
    Conflict, Excludes, FileError, Placed, RestoreOptions, RestoreTarget, Walk, WalkEvent,
    open_file,
};

use crate::support::{
    Outcome, codes, lines, meta, opens, path, problems, ran_the_test, restore_file, set_times,
    write,
};

const NOBODY: u32 = 65_534;
const FOLDER: &str = "BITDUST_TEST_UNPRIVILEGED";

#[test]
fn what_cannot_be_read_is_a_problem_and_the_rest_goes_on() -> Outcome {
    let prepare = |root: &Path| {
        for folder in ["closed", "listed"] {
            fs::create_dir(root.join(folder)).expect("a folder is made");
            write(&root.join(folder).join("inner"), b"");
        }
        for file in ["a", "secret", "z"] {
            write(&root.join(file), b"");
        }
    };
    let Some(root) = as_nobody(
        "what_cannot_be_read_is_a_problem_and_the_rest_goes_on",
        prepare,
    )?
    else {
        return Ok(());
    };
    set_mode(&root.join("secret"), 0);
    set_mode(&root.join("closed"), 0);
    set_mode(&root.join("listed"), 0o400);
    assert!(
        !opens(&root.join("secret")),
        "control: the file cannot be opened"
    );
    assert!(
        fs::read_dir(root.join("closed")).is_err(),
        "control: the folder cannot be listed"
    );
    assert!(opens(&root.join("a")), "control: another one can");

    let events: Vec<WalkEvent> = Walk::new(&root, &Excludes::none())?.collect();
    let expected = [
        "enter ",
        "file a",
        "enter closed",
        "problem Unreadable",
        "leave closed incomplete",
        "enter listed",
        "problem Unreadable",
        "leave listed incomplete",
        "file secret",
        "file z",
        "leave ",
    ];
    assert_eq!(lines(&events), expected);
    let paths: Vec<PathBuf> = problems(&events)
        .iter()
        .map(|problem| as_path(&problem.path))
        .collect();
    assert_eq!(paths, [root.join("closed"), root.join("listed/inner")]);
    let secret = events.iter().find_map(|event| match event {
        WalkEvent::File(file) if file.path == path("secret") => Some(file),
        WalkEvent::File(_)
        | WalkEvent::Enter { .. }
        | WalkEvent::Other { .. }
        | WalkEvent::Leave { .. }
        | WalkEvent::Problem(_) => None,
    });
    let secret = secret.expect("it is seen though it cannot be opened");
    let error =
        open_file(&secret.folder, b"secret", &secret.stamp).expect_err("it cannot be opened");
    assert!(matches!(error, FileError::System { .. }), "{error:?}");
    assert_eq!(error.code(), ErrorCode::Unreadable);
    Ok(())
}

#[test]
fn a_file_of_somebody_else_is_read_without_the_right_to_hide_it() -> Outcome {
    let name = "a_file_of_somebody_else_is_read_without_the_right_to_hide_it";
    let Some(root) = as_nobody(name, |root| write(&root.join("public"), b"x"))? else {
        return Ok(());
    };
    // Only the owner may leave the access time alone; others must still be able to read.
    let events: Vec<WalkEvent> = Walk::new(&root, &Excludes::none())?.collect();
    let WalkEvent::File(file) = &events[1] else {
        panic!("{events:?}")
    };
    open_file(&file.folder, b"public", &file.stamp)?;
    Ok(())
}

#[test]
fn owners_are_counted_and_special_bits_do_not_change_hands() -> Outcome {
    let Some(root) = as_nobody(
        "owners_are_counted_and_special_bits_do_not_change_hands",
        |_| {},
    )?
    else {
        return Ok(());
    };
    let place = root.join("restored");
    let mut target = RestoreTarget::open(&place, RestoreOptions::default())?;
    let of_root = |mode| Meta {
        uid: 0,
        gid: 0,
        ..meta(mode, 1_000)
    };
    restore_file(&mut target, &path("program"), b"x", &of_root(0o6755));
    restore_file(&mut target, &path("own"), b"x", &meta(0o4755, 1_000));
    let socket = target.create_other(&path("socket"), &Node::Socket, &of_root(0o600));
    let device = target.create_other(
        &path("null"),
        &Node::Device {
            block: false,
            rdev: 0x103,
        },
        &of_root(0o600),
    );
    let report = target.finish();

    assert_eq!((socket, device), (Placed::Failed, Placed::Failed));
    assert_eq!((report.files_written, report.owners_not_set), (2, 1));
    let codes = codes(&report);
    assert_eq!(
        codes,
        [ErrorCode::NotAllowed, ErrorCode::NotAllowed],
        "only the socket and the device"
    );
    let mode = |name: &str| {
        fs::metadata(place.join(name))
            .expect("it was restored")
            .mode()
            & 0o7777
    };
    assert_eq!(mode("program"), 0o755, "it would run as somebody else");
    assert_eq!(mode("own"), 0o4755);
    Ok(())
}

#[test]
fn folders_closed_to_their_owner_are_restored_and_restored_again() -> Outcome {
    let Some(root) = as_nobody(
        "folders_closed_to_their_owner_are_restored_and_restored_again",
        |_| {},
    )?
    else {
        return Ok(());
    };
    let run = |place: &str, mode: u32, files: &[&str], conflict: Conflict| {
        let options = RestoreOptions {
            conflict,
            ..RestoreOptions::default()
        };
        let mut target = RestoreTarget::open(&root.join(place), options).expect("the target opens");
        let _made = target.create_folder(&path("closed"), &meta(mode, 2_000));
        let _made = target.create_folder(&path("closed/below"), &meta(mode, 3_000));
        for file in files {
            restore_file(
                &mut target,
                &path("closed").join(file.as_bytes()).expect("fine"),
                b"x",
                &meta(0o400, 1_000),
            );
            restore_file(
                &mut target,
                &path("closed/below").join(file.as_bytes()).expect("fine"),
                b"x",
                &meta(0, 1_000),
            );
        }
        target.finish()
    };
    for (place, mode) in [("first", 0o555), ("second", 0)] {
        let report = run(place, mode, &["a"], Conflict::Replace);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let closed = root.join(place).join("closed");
        assert!(
            fs::write(closed.join("new"), b"").is_err(),
            "control: nothing can be put there"
        );

        let again = run(place, mode, &["a", "b"], Conflict::Replace);
        assert!(again.problems.is_empty(), "{:?}", again.problems);
        assert_eq!((again.files_written, again.kept), (2, 2));
        let metadata = fs::metadata(&closed)?;
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (mode, 2_000));

        let beside = run(place, 0o700, &["c"], Conflict::Skip);
        assert!(beside.problems.is_empty(), "{:?}", beside.problems);
        assert_eq!(
            fs::metadata(&closed)?.mode() & 0o7777,
            mode,
            "a folder that stays keeps its permissions"
        );
        set_mode(&closed, 0o700);
        set_mode(&closed.join("below"), 0o700);
        assert_eq!(fs::read_dir(closed.join("below"))?.count(), 3);
    }
    Ok(())
}

#[test]
fn a_place_that_cannot_be_written_is_a_problem_and_the_rest_goes_on() -> Outcome {
    let prepare = |root: &Path| {
        fs::create_dir(root.join("theirs")).expect("a folder is made");
        set_times(&root.join("theirs"), 1_000, 0);
    };
    let Some(root) = as_nobody(
        "a_place_that_cannot_be_written_is_a_problem_and_the_rest_goes_on",
        prepare,
    )?
    else {
        return Ok(());
    };
    if fs::metadata(root.join("theirs"))?.uid() == rustix::process::geteuid().as_raw() {
        set_mode(&root.join("theirs"), 0o500);
    }
    assert!(
        fs::write(root.join("theirs/x"), b"").is_err(),
        "control: nothing can be put there"
    );
    let mut target = RestoreTarget::open(&root, RestoreOptions::default())?;
    restore_file(&mut target, &path("theirs/x"), b"x", &meta(0o600, 1_000));
    restore_file(&mut target, &path("mine"), b"x", &meta(0o600, 1_000));
    let report = target.finish();
    assert_eq!(report.files_written, 1);
    let [problem] = report.problems.listed.as_slice() else {
        panic!("{:?}", report.problems)
    };
    assert_eq!(as_path(&problem.path), root.join("theirs/x"));
    assert_eq!(problem.code, ErrorCode::NotAllowed);
    Ok(())
}

/// Gives a folder in which to go on as somebody without root's rights. Run by root, it runs
/// the test again as `nobody`, with the folder prepared by root, and gives nothing.
fn as_nobody(
    test: &str,
    prepare: impl FnOnce(&Path),
) -> Result<Option<PathBuf>, Box<dyn std::error::Error>> {
    if let Some(root) = std::env::var_os(FOLDER) {
        assert_eq!(
            rustix::process::geteuid().as_raw(),
            NOBODY,
            "setpriv did what it was told"
        );
        return Ok(Some(PathBuf::from(root)));
    }
    let root = tempfile::tempdir()?;
    prepare(root.path());
    if !rustix::process::geteuid().is_root() {
        // No rights to give up; the folder is left to the person's clean-up.
        return Ok(Some(root.keep()));
    }
    // The program itself may lie where nobody else can enter.
    let programs = tempfile::tempdir()?;
    set_mode(programs.path(), 0o755);
    let program = programs.path().join("test");
    fs::copy(std::env::current_exe()?, &program)?;
    set_mode(&program, 0o755);
    give_away(root.path());

    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program)
        .args(["--exact", &format!("unprivileged::{test}"), "--nocapture"])
        .env(FOLDER, root.path())
        .current_dir("/")
        .output()
        .map_err(|error| format!("setpriv (util-linux) is needed for this test: {error}"))?;
    ran_the_test(&output);
    Ok(None)
}

/// Makes all in a folder the property of `nobody`, but what is named as somebody else's.
fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).expect("root may");
    for entry in fs::read_dir(folder).expect("root may").flatten() {
        let name = entry.file_name();
        if name == "theirs" || name == "public" {
            continue;
        }
        if entry.path().is_dir() {
            give_away(&entry.path());
        } else {
            chown(entry.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn as_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
