//! Files and folders that may not be changed: recorded, and made so again when all is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bitdust_model::ErrorCode;
use bitdust_model::tree::{FLAGS_ATTRIBUTE, Meta};
use bitdust_source::{FileStart, RestoreOptions, RestoreTarget};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::mounted::where_mounted;
use crate::support::{
    Outcome, codes, meta, ordinary, path, restore_file, restore_into, restore_tree, write,
};

/// A folder whose things lose their flags and then go.
struct Freed(PathBuf);

impl Drop for Freed {
    fn drop(&mut self) {
        let mut chattr = Command::new("chattr");
        let freed = chattr.args(["-R", "-i", "-a"]).arg(&self.0).output();
        if let Err(error) = freed {
            eprintln!("{} keeps its flags: {error}", self.0.display());
        }
        // A disk of its own goes with its image.
        let _left = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn flags_come_back_and_a_second_run_leaves_everything_alone() -> Outcome {
    let test = "flags::flags_come_back_and_a_second_run_leaves_everything_alone";
    let Some(root) = where_flags_are(test)? else {
        return Ok(());
    };
    let (source, place) = (root.0.join("source"), root.0.join("place"));
    make_flagged(&source)?;
    for run in ["first", "second"] {
        let report = restore_tree(&source, &place, RestoreOptions::default());
        assert!(report.problems.is_empty(), "{run}: {:?}", report.problems);
        for (name, flags) in FLAGGED {
            assert_eq!(flags_of(&place.join(name))?, flags, "{run}: {name}");
        }
        assert_eq!(flags_of(&place.join("plain"))?, IFlags::empty());
        assert_eq!(fs::read(place.join("folder/inside"))?, b"in it");
        let names = fs::metadata(place.join("immutable"))?;
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&names), 2);
    }
    assert!(
        fs::write(place.join("immutable"), "changed").is_err(),
        "control: it may not be changed"
    );
    Ok(())
}

#[test]
fn flags_of_a_restore_that_was_interrupted_are_set_by_the_next() -> Outcome {
    let test = "flags::flags_of_a_restore_that_was_interrupted_are_set_by_the_next";
    let Some(root) = where_flags_are(test)? else {
        return Ok(());
    };
    let (source, place) = (root.0.join("source"), root.0.join("place"));
    make_flagged(&source)?;
    let mut target = RestoreTarget::open(&place, RestoreOptions::default())?;
    restore_into(&mut target, &source);
    target.flush();
    drop(target);
    assert_eq!(
        flags_of(&place.join("immutable"))?,
        IFlags::empty(),
        "control: it had not come to them"
    );
    let report = restore_tree(&source, &place, RestoreOptions::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    for (name, flags) in FLAGGED {
        assert_eq!(flags_of(&place.join(name))?, flags, "{name}");
    }
    Ok(())
}

#[test]
fn flags_that_cannot_be_set_are_said_of_each_file() -> Outcome {
    // Pipes have no flags, later programs may have others, and what replaced a file is not it.
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let _made = target.create_other(
        &path("pipe"),
        &bitdust_model::tree::Node::Fifo,
        &flagged(b"i"),
    );
    restore_file(&mut target, &path("later"), b"x", &flagged(b"z"));
    restore_file(&mut target, &path("exchanged"), b"x", &flagged(b"i"));
    target.flush();
    // The old file keeps its number, so that the new one has another.
    fs::rename(place.path().join("exchanged"), place.path().join("moved"))?;
    write(&place.path().join("exchanged"), b"somebody else's");
    let report = target.finish();
    let codes = codes(&report);
    assert_eq!(
        codes,
        [
            ErrorCode::NotAllowed,
            ErrorCode::NotAllowed,
            ErrorCode::NotFound
        ],
        "{:?}",
        report.problems
    );
    assert_eq!(report.files_written, 2, "the files are there all the same");
    Ok(())
}

#[test]
fn an_undone_restore_leaves_nothing_that_cannot_be_removed() -> Outcome {
    let place = tempfile::tempdir()?;
    let mut target = RestoreTarget::open(place.path(), RestoreOptions::default())?;
    let meta = flagged(b"i");
    if let FileStart::Write(mut writer) = target.begin_file(&path("file"), ordinary(1, &meta)) {
        writer.write_at(0, b"x")?;
        let _the_report_knows = target.finish_file(writer, &meta);
    }
    target.flush();
    let undone = target.undo();
    assert_eq!((undone.removed, undone.stayed), (1, 0));
    assert!(!place.path().join("file").exists());
    Ok(())
}

const FLAGGED: [(&str, IFlags); 4] = [
    ("immutable", IFlags::IMMUTABLE),
    ("append-only", IFlags::APPEND),
    ("both", IFlags::APPEND.union(IFlags::IMMUTABLE)),
    ("folder", IFlags::IMMUTABLE),
];

fn make_flagged(folder: &Path) -> Outcome {
    fs::create_dir_all(folder.join("folder"))?;
    write(&folder.join("folder/inside"), b"in it");
    for name in ["immutable", "append-only", "both", "plain"] {
        write(&folder.join(name), name.as_bytes());
    }
    fs::hard_link(folder.join("immutable"), folder.join("other name"))?;
    for (name, flags) in FLAGGED {
        let file = fs::File::open(folder.join(name))?;
        let present = ioctl_getflags(&file)?;
        ioctl_setflags(&file, present | flags)?;
    }
    Ok(())
}

fn flags_of(path: &Path) -> std::io::Result<IFlags> {
    let both = IFlags::APPEND | IFlags::IMMUTABLE;
    Ok(ioctl_getflags(fs::File::open(path)?)?.intersection(both))
}

fn flagged(letters: &[u8]) -> Meta {
    Meta {
        xattrs: vec![(FLAGS_ATTRIBUTE.to_vec(), letters.to_vec())],
        ..meta(0o644, 5)
    }
}

/// A folder whose file system has flags: one for temporary files, or, where these have none, of
/// an image of ext4 that only this test sees. Nothing where the test has run in it already, or
/// cannot.
fn where_flags_are(test: &str) -> Result<Option<Freed>, Box<dyn std::error::Error>> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tried: only root may set flags");
        return Ok(None);
    }
    let usual = tempfile::tempdir()?;
    let handle = fs::File::open(usual.path())?;
    let flags = ioctl_getflags(&handle);
    if flags.is_ok_and(|flags| ioctl_setflags(&handle, flags | IFlags::IMMUTABLE).is_ok()) {
        ioctl_setflags(&handle, flags?)?;
        return Ok(Some(Freed(usual.keep())));
    }
    let script = "truncate -s 16M \"$1/image\" && mkfs.ext4 -q \"$1/image\" && mkdir \"$1/disk\" \
                  && mount -o loop \"$1/image\" \"$1/disk\"";
    Ok(where_mounted(test, script)?.map(|root| Freed(root.join("disk"))))
}
