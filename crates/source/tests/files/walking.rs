//! The walk: order, depth, width, names, kinds, times, excludes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use bitdust_model::ErrorCode;
use bitdust_model::tree::Node;
use bitdust_source::excludes::CACHE_TAG_SIGNATURE;
use bitdust_source::{
    DropReason, Excludes, FolderHandle, RelativePath, Walk, WalkEvent, WalkOptions, open_file,
};
use rustix::fs::{Mode, mkdirat};

use crate::mounted::where_mounted;
use crate::support::{
    Outcome, lines, make_fifo, meta_of_file, path, problems, set_times, walk_all, write,
};

#[test]
fn entries_come_sorted_by_raw_name_and_folders_leave_in_their_place() -> Outcome {
    let root = tempfile::tempdir()?;
    fs::create_dir_all(root.path().join("b/inner"))?;
    for name in ["a", "b.txt", "b-", "c", "B", "é", "b/z", "b/inner/y"] {
        write(&root.path().join(name), b"");
    }
    let expected = [
        "enter ",
        "file B",
        "file a",
        "enter b",
        "enter b/inner",
        "file b/inner/y",
        "leave b/inner",
        "file b/z",
        "leave b",
        "file b-",
        "file b.txt",
        "file c",
        "file é",
        "leave ",
    ];
    assert_eq!(lines(&walk_all(root.path())), expected);
    Ok(())
}

#[test]
fn a_tree_of_a_thousand_levels_is_walked_with_few_handles() -> Outcome {
    let root = tempfile::tempdir()?;
    make_levels(root.path(), 1000, b"a-level-of-the-deep-tree");
    let mut walk = Walk::new(root.path(), &Excludes::none())?;
    let mut handles_most = 0;
    let mut events = Vec::new();
    for (index, event) in walk.by_ref().enumerate() {
        if index % 50 == 0 {
            handles_most = handles_most.max(handles_below(root.path()));
        }
        events.push(match event {
            // Keeping a file keeps its folder open; only its name matters here.
            WalkEvent::File(file) => ("file", file.path),
            WalkEvent::Enter { path, .. } => ("enter", path),
            WalkEvent::Leave { path, is_complete } => {
                assert!(is_complete, "{} levels", path.depth());
                ("leave", path)
            }
            other @ (WalkEvent::Other { .. } | WalkEvent::Problem(_)) => panic!("{other:?}"),
        });
    }
    assert_eq!(
        events.len(),
        3 * 1001,
        "each level and the root: enter, a file behind the folder, leave"
    );
    let deepest = events.iter().map(|(_, path)| path.as_bytes().len()).max();
    assert!(
        deepest > Some(4096 * 5),
        "no single system call takes such a path"
    );
    assert!(
        handles_most > 50,
        "the count of handles sees them: {handles_most}"
    );
    assert!(handles_most < 80, "{handles_most} handles were open");
    let way_up: Vec<&str> = events[1001..].iter().map(|(kind, _)| *kind).collect();
    assert!(
        way_up.chunks(2).all(|pair| pair == ["file", "leave"]),
        "folders above are read on after the way up"
    );
    Ok(())
}

#[test]
fn twenty_thousand_entries_in_one_folder_come_sorted_and_complete() -> Outcome {
    let root = tempfile::tempdir()?;
    for number in 0..20_000 {
        fs::File::create(root.path().join(format!("{}", number * 7919 % 20_000)))?;
    }
    let mut names: Vec<Vec<u8>> = Vec::new();
    for event in Walk::new(root.path(), &Excludes::none())? {
        if let WalkEvent::File(file) = event {
            names.push(file.path.as_bytes().to_vec());
        }
    }
    assert_eq!(names.len(), 20_000);
    assert!(names.is_sorted());
    Ok(())
}

#[test]
fn names_of_any_bytes_come_through() -> Outcome {
    let root = tempfile::tempdir()?;
    let longest = [b'n'; 255];
    let names = [
        &b"\n"[..],
        b"\x01\xff\xfe",
        b" ",
        b"...",
        b"-rf",
        b"a\\b",
        &longest,
        b"\xc3(",
    ];
    for name in names {
        write(&root.path().join(OsStr::from_bytes(name)), b"x");
    }
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for event in Walk::new(root.path(), &Excludes::none())? {
        if let WalkEvent::File(file) = event {
            open_file(&file.folder, file.path.name(), &file.stamp)?;
            seen.push(file.path.name().to_vec());
        }
    }
    let mut expected = names.map(<[u8]>::to_vec).to_vec();
    expected.sort();
    assert_eq!(seen, expected);
    Ok(())
}

#[test]
fn links_are_recorded_and_never_followed() -> Outcome {
    let root = tempfile::tempdir()?;
    fs::create_dir(root.path().join("folder"))?;
    write(&root.path().join("folder/file"), b"");
    symlink("folder", root.path().join("to-folder"))?;
    symlink("..", root.path().join("up"))?;
    symlink("nowhere\n", root.path().join("broken"))?;
    make_fifo(&root.path().join("pipe"));
    let _socket = UnixListener::bind(root.path().join("socket"))?;
    let events = walk_all(root.path());
    let expected = [
        "enter ",
        "link broken",
        "enter folder",
        "file folder/file",
        "leave folder",
        "fifo pipe",
        "socket socket",
        "link to-folder",
        "link up",
        "leave ",
    ];
    assert_eq!(lines(&events), expected);
    let is_verbatim = |event: &WalkEvent| matches!(event, WalkEvent::Other { node: Node::Symlink { target }, .. } if target == b"nowhere\n");
    assert!(
        events.iter().any(is_verbatim),
        "the target is kept as it is"
    );
    Ok(())
}

#[test]
fn the_root_may_be_a_link_to_a_folder_and_nothing_else() -> Outcome {
    let root = tempfile::tempdir()?;
    fs::create_dir(root.path().join("folder"))?;
    write(&root.path().join("folder/file"), b"");
    symlink("folder", root.path().join("link"))?;
    assert_eq!(
        lines(&walk_all(&root.path().join("link"))),
        ["enter ", "file file", "leave "]
    );
    for (wrong, code) in [
        ("folder/file", ErrorCode::Changed),
        ("missing", ErrorCode::NotFound),
    ] {
        let error =
            Walk::new(&root.path().join(wrong), &Excludes::none()).expect_err("it is no folder");
        assert_eq!(error.code(), code, "{wrong}");
    }
    Ok(())
}

#[test]
fn times_before_1970_and_after_2038_are_exact() -> Outcome {
    let root = tempfile::tempdir()?;
    let times = [
        (-1, 999_999_999),
        (-1_000_000_000, 1),
        (4_102_444_800, 123_456_789),
        (0, 0),
    ];
    for (index, (seconds, nanos)) in times.iter().enumerate() {
        let name = root.path().join(index.to_string());
        write(&name, b"");
        set_times(&name, *seconds, *nanos);
    }
    let mut seen = Vec::new();
    for event in walk_all(root.path()) {
        if let WalkEvent::File(file) = event {
            let meta = meta_of_file(&file);
            assert_eq!(
                (file.stamp.mtime_seconds, file.stamp.mtime_nanos),
                (meta.mtime_seconds, meta.mtime_nanos)
            );
            seen.push((meta.mtime_seconds, i64::from(meta.mtime_nanos)));
        }
    }
    assert_eq!(seen, times);
    Ok(())
}

#[test]
fn excluded_folders_are_pruned_and_what_was_dropped_is_listed() -> Outcome {
    let root = tempfile::tempdir()?;
    for folder in ["build/deep", "kept", "cache", "fake", ".cache/x", "home"] {
        fs::create_dir_all(root.path().join(folder))?;
    }
    for file in [
        "build/deep/x",
        "kept/a.tmp",
        "kept/b",
        ".cache/x/y",
        "home/spool",
        "cache/big",
    ] {
        write(&root.path().join(file), b"");
    }
    write(&root.path().join("cache/CACHEDIR.TAG"), CACHE_TAG_SIGNATURE);
    write(&root.path().join("fake/CACHEDIR.TAG"), b"no signature");
    let home = fs::metadata(root.path().join("home"))?;
    let excludes = Excludes::new(&["build/", "*.tmp"])?.without_place(home.dev(), home.ino());

    let mut walk = Walk::new(root.path(), &excludes)?;
    let events: Vec<WalkEvent> = walk.by_ref().collect();
    let expected = [
        "enter ",
        "enter fake",
        "file fake/CACHEDIR.TAG",
        "leave fake",
        "enter kept",
        "file kept/b",
        "leave kept",
        "leave ",
    ];
    assert_eq!(lines(&events), expected);
    let pattern = |text: &str| DropReason::Pattern(text.to_owned());
    let dropped = [
        (path(".cache"), pattern(".cache/")),
        (path("build"), pattern("build/")),
        (path("cache"), DropReason::CacheTag),
        (path("home"), DropReason::Place),
        (path("kept/a.tmp"), pattern("*.tmp")),
    ];
    assert_eq!(walk.dropped().listed, dropped);
    assert_eq!(walk.dropped().count(), 5);
    Ok(())
}

#[test]
fn a_root_marked_as_a_cache_is_walked_as_a_person_named_it() -> Outcome {
    let root = tempfile::tempdir()?;
    write(&root.path().join("CACHEDIR.TAG"), CACHE_TAG_SIGNATURE);
    let walk = Walk::new(root.path(), &Excludes::new::<&str>(&[])?)?;
    assert_eq!(
        walk.filter(|event| matches!(event, WalkEvent::File(_)))
            .count(),
        1
    );
    Ok(())
}

#[test]
fn a_name_that_vanishes_after_it_was_listed_is_counted_and_no_problem() -> Outcome {
    let root = tempfile::tempdir()?;
    for name in ["a", "b", "c"] {
        write(&root.path().join(name), b"");
    }
    let mut walk = Walk::new(root.path(), &Excludes::none())?;
    assert!(
        matches!(walk.next(), Some(WalkEvent::Enter { .. })),
        "the root is listed now"
    );
    fs::remove_file(root.path().join("b"))?;
    let events: Vec<WalkEvent> = walk.by_ref().collect();
    assert_eq!(lines(&events), ["file a", "file c", "leave "]);
    assert_eq!(walk.tally().vanished, 1);
    Ok(())
}

#[test]
fn a_folder_moved_away_on_the_way_down_does_not_lead_the_walk_astray() -> Outcome {
    let root = tempfile::tempdir()?;
    let outside = tempfile::tempdir()?;
    write(&outside.path().join("z-secret"), b"");
    make_levels(root.path(), 100, b"d");
    let mut walk = Walk::new(root.path(), &Excludes::none())?;
    let deepest = walk.find(|event| matches!(event, WalkEvent::Leave { .. }));
    assert!(
        matches!(deepest, Some(WalkEvent::Leave { path, .. }) if path.depth() == 100),
        "it is at the bottom"
    );
    // The folder at level 20 goes elsewhere: above it is no longer where the walk came from.
    let level = |depth: usize| vec!["d"; depth].join("/");
    fs::rename(root.path().join(level(20)), outside.path().join("moved"))?;

    let events: Vec<WalkEvent> = walk.collect();
    let files = events
        .iter()
        .filter(|event| matches!(event, WalkEvent::File(_)))
        .count();
    assert_eq!(
        files, 100,
        "a file at each level above is still seen, none of another folder"
    );
    assert_eq!(problems(&events), []);
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_found_again_is_a_problem_and_the_rest_goes_on() -> Outcome {
    let root = tempfile::tempdir()?;
    let outside = tempfile::tempdir()?;
    make_levels(root.path(), 100, b"d");
    let mut walk = Walk::new(root.path(), &Excludes::none())?;
    let _bottom = walk.find(|event| matches!(event, WalkEvent::Leave { .. }));
    let level = |depth: usize| vec!["d"; depth].join("/");
    fs::rename(root.path().join(level(20)), outside.path().join("moved"))?;
    fs::rename(root.path().join(level(19)), root.path().join("renamed"))?;

    let events: Vec<WalkEvent> = walk.collect();
    let found = problems(&events);
    assert_eq!(
        found.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [ErrorCode::NotFound]
    );
    let incomplete: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            WalkEvent::Leave {
                path,
                is_complete: false,
            } => Some(path.depth()),
            WalkEvent::Leave { .. }
            | WalkEvent::Enter { .. }
            | WalkEvent::File(_)
            | WalkEvent::Other { .. }
            | WalkEvent::Problem(_) => None,
        })
        .collect();
    assert_eq!(
        incomplete,
        [19],
        "only the folder that was not read to its end"
    );
    let files = events
        .iter()
        .filter(|event| matches!(event, WalkEvent::File(_)))
        .count();
    assert_eq!(files, 99, "all levels but that one");
    Ok(())
}

#[test]
fn a_walk_opens_folders_and_no_files() -> Outcome {
    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    let root = tempfile::tempdir()?;
    write(&root.path().join("file"), b"content");
    let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    inotify::add_watch(&watch, root.path(), WatchFlags::OPEN)?;
    let opened_files = || {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&watch, &mut buffer);
        let mut count = 0;
        while let Ok(event) = reader.next() {
            count += usize::from(!event.events().contains(ReadFlags::ISDIR));
        }
        count
    };

    let mut walk = Walk::new(root.path(), &Excludes::new::<&str>(&[])?)?;
    let Some(WalkEvent::File(file)) = walk
        .by_ref()
        .find(|event| matches!(event, WalkEvent::File(_)))
    else {
        panic!("there is a file");
    };
    assert_eq!(opened_files(), 0);
    open_file(&file.folder, file.path.name(), &file.stamp)?;
    assert_eq!(opened_files(), 1, "the watch does see a file being opened");
    Ok(())
}

#[test]
fn mounts_are_crossed_unless_the_options_say_no_and_proc_never_is() -> Outcome {
    let script = "mkdir \"$1/disk\" \"$1/proc\" && mount -t tmpfs none \"$1/disk\" \
                  && mount -t proc none \"$1/proc\" && touch \"$1/disk/inside\"";
    let test = "walking::mounts_are_crossed_unless_the_options_say_no_and_proc_never_is";
    let Some(root) = where_mounted(test, script)? else {
        return Ok(());
    };
    let root = root.as_path();
    let run = |crosses_mounts| {
        let mut walk = Walk::with_options(root, &Excludes::none(), WalkOptions { crosses_mounts })
            .expect("the root opens");
        let events: Vec<WalkEvent> = walk.by_ref().collect();
        (lines(&events), walk.dropped().listed.clone())
    };
    let (crossed, dropped) = run(true);
    assert_eq!(
        crossed,
        [
            "enter ",
            "enter disk",
            "file disk/inside",
            "leave disk",
            "enter proc",
            "leave proc",
            "leave "
        ]
    );
    assert_eq!(dropped, [(path("proc"), DropReason::KernelView)]);
    let (stayed, dropped) = run(false);
    assert_eq!(
        stayed,
        [
            "enter ",
            "enter disk",
            "leave disk",
            "enter proc",
            "leave proc",
            "leave "
        ]
    );
    assert_eq!(
        dropped,
        [
            (path("disk"), DropReason::OtherFileSystem),
            (path("proc"), DropReason::OtherFileSystem)
        ]
    );
    Ok(())
}

/// Folders inside each other, each with a file `z` that comes after its folder.
fn make_levels(root: &Path, levels: usize, name: &[u8]) {
    let mut folder = FolderHandle::open(root).expect("the root opens");
    let below = RelativePath::root().join(name).expect("a fine name");
    for _ in 0..levels {
        make_file(&folder);
        mkdirat(&folder, name, Mode::RWXU).expect("a folder is made");
        folder = folder.descend(&below).expect("it opens");
    }
    make_file(&folder);
}

fn make_file(folder: &FolderHandle) {
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(folder, "z", flags, Mode::RUSR | Mode::WUSR).expect("a file is made");
}

/// Open handles of this process on things below `root`; others tests run beside this one.
fn handles_below(root: &Path) -> usize {
    let handles = fs::read_dir("/proc/self/fd").expect("there is a /proc");
    handles
        .flatten()
        .filter(|handle| fs::read_link(handle.path()).is_ok_and(|to| to.starts_with(root)))
        .count()
}
