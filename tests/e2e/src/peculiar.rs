//! Folders with what is easily lost on the way to a backup and back, one kind each.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::size::sized;
use anyhow::{Context as _, Result, ensure};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, SeekFrom, Timespec, Timestamps, XattrFlags, makedev,
    mkdirat, mknodat, openat, seek, setxattr, utimensat,
};

/// One kind of thing that may be lost.
#[derive(Debug, Clone, Copy)]
pub struct Peculiarity {
    /// The name of its folder.
    pub folder: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// Makes it; as root.
    pub make: fn(&Path) -> Result<()>,
    /// Whether everything in it stays root's, whoever backs it up.
    pub is_of_others: bool,
}

const fn kind(
    folder: &'static str,
    what: &'static str,
    make: fn(&Path) -> Result<()>,
) -> Peculiarity {
    Peculiarity {
        folder,
        what,
        make,
        is_of_others: false,
    }
}

/// All kinds, in the order of the table.
pub const PECULIARITIES: [Peculiarity; 22] = [
    kind(
        "plain",
        "bytes, permissions, times to the nanosecond; empty files and folders",
        plain,
    ),
    kind("times", "times before 1970 and after 2038", times),
    kind(
        "links",
        "symbolic links, dangling and looping ones too",
        links,
    ),
    kind(
        "names",
        "names of 255 bytes, with newlines, of no text",
        names,
    ),
    kind(
        "twins",
        "names that differ only in case or normal form",
        twins,
    ),
    kind("deep", "1,000 folders in each other", deep),
    kind("wide", "100,000 files in one folder", wide),
    kind("hard", "hard links", hard),
    kind("sparse", "holes of sparse files", sparse),
    kind("vast", "a file of 8 GiB that is nearly all hole", vast),
    kind("zeros", "space of files full of zeros", zeros),
    kind("special", "set-user, set-group and sticky bits", special),
    Peculiarity {
        is_of_others: true,
        ..kind("owners", "owner and group of other people's files", owners)
    },
    kind("user", "attributes `user.*`", |folder| {
        attribute(folder, "user.note")
    }),
    kind("trusted", "attributes `trusted.*`", |folder| {
        attribute(folder, "trusted.note")
    }),
    kind("security", "attributes `security.*`", |folder| {
        attribute(folder, "security.note")
    }),
    kind("acl", "POSIX ACLs, access and default", acls),
    kind("pipe", "named pipes", pipe),
    kind("socket", "sockets", socket),
    kind("device", "devices", devices),
    kind(
        "flags",
        "immutable and append-only files and folders",
        flags,
    ),
    kind("long", "a path of more than 4,096 bytes", long),
];

/// Makes all of them below a folder; what is not other people's belongs to `owner`.
pub fn make_peculiarities(root: &Path, owner: u32) -> Result<()> {
    for kind in PECULIARITIES {
        let folder = root.join(kind.folder);
        fs::create_dir(&folder)?;
        (kind.make)(&folder).with_context(|| kind.what)?;
        if owner != 0 && !kind.is_of_others {
            give(&folder, owner)?;
        }
    }
    if owner != 0 {
        chown(root, Some(owner), Some(owner))?;
        // A change of owner takes these bits away.
        special(&root.join("special"))?;
        give(&root.join("special/sticky"), owner)?;
        set_special_modes(&root.join("special"))?;
    }
    // Whoever has them cannot even be changed.
    change_flags(root, '+')
}

/// By a program, as some paths are longer than the system takes.
fn give(path: &Path, owner: u32) -> Result<()> {
    let owner = format!("{owner}:{owner}");
    let done = Command::new("chown")
        .args(["-hR", &owner])
        .arg(path)
        .status()?;
    ensure!(done.success(), "chown {owner}: {done}");
    Ok(())
}

fn plain(folder: &Path) -> Result<()> {
    fs::write(folder.join("file"), "contents")?;
    fs::set_permissions(folder.join("file"), Permissions::from_mode(0o640))?;
    set_time(&folder.join("file"), 1_700_000_000, 123_456_789)?;
    fs::write(folder.join("empty"), [])?;
    fs::create_dir(folder.join("closed"))?;
    set_time(&folder.join("closed"), 1_600_000_000, 1)?;
    fs::set_permissions(folder.join("closed"), Permissions::from_mode(0o500))?;
    Ok(())
}

fn times(folder: &Path) -> Result<()> {
    for (name, seconds, nanoseconds) in [
        ("before 1970", -315_619_200, 999_999_999),
        ("a moment before", -1, 1),
        ("after 2038", 4_102_444_800, 7),
    ] {
        fs::write(folder.join(name), name)?;
        set_time(&folder.join(name), seconds, nanoseconds)?;
    }
    Ok(())
}

fn links(folder: &Path) -> Result<()> {
    symlink("nowhere/at all", folder.join("dangling"))?;
    symlink(OsStr::from_bytes(b"\xff"), folder.join("to no text"))?;
    symlink("..", folder.join("to a folder"))?;
    symlink("to itself", folder.join("to itself"))?;
    set_time(&folder.join("to a folder"), 1_500_000_000, 5)
}

fn names(folder: &Path) -> Result<()> {
    fs::write(folder.join("x".repeat(255)), "long")?;
    for name in [
        &b"new\nline"[..],
        b"\x01\x1b\x7f",
        b"not \xff\xfe text",
        b" ",
        b"-rf",
        b"\\",
    ] {
        fs::write(folder.join(OsStr::from_bytes(name)), name)?;
    }
    Ok(())
}

fn twins(folder: &Path) -> Result<()> {
    for name in ["Name", "name", "NAME", "\u{e9}", "e\u{301}"] {
        fs::write(folder.join(name), name)?;
    }
    Ok(())
}

fn deep(folder: &Path) -> Result<()> {
    let mut path = folder.to_owned();
    path.extend(std::iter::repeat_n("d", 1_000));
    fs::create_dir_all(&path)?;
    Ok(fs::write(path.join("file"), "deep")?)
}

fn wide(folder: &Path) -> Result<()> {
    for number in 0..sized(10_000, 100_000) {
        File::create(folder.join(number.to_string()))?;
    }
    Ok(())
}

fn hard(folder: &Path) -> Result<()> {
    fs::create_dir(folder.join("below"))?;
    fs::write(folder.join("first"), "one file")?;
    fs::hard_link(folder.join("first"), folder.join("second"))?;
    fs::hard_link(folder.join("first"), folder.join("below/third"))?;
    fs::write(folder.join("apart"), "one file")?;
    Ok(())
}

fn sparse(folder: &Path) -> Result<()> {
    for (name, size, at) in [
        ("all hole", 50_000_000, &[][..]),
        ("far", 1 << 31, &[0, 1 << 30]),
        ("short holes", 1_000_000, &[65_536, 524_288]),
    ] {
        let file = File::create(folder.join(name))?;
        file.set_len(size)?;
        for offset in at {
            file.write_all_at(&[7; 4_096], *offset)?;
        }
        file.sync_all()?;
    }
    Ok(())
}

fn vast(folder: &Path) -> Result<()> {
    let file = File::create(folder.join("vast"))?;
    file.set_len(8 << 30)?;
    // At the start, in the middle across the edge of a chunk, and at the very end.
    for offset in [0, (4 << 30) - 100, (8 << 30) - 3] {
        file.write_all_at(b"far", offset)?;
    }
    Ok(file.sync_all()?)
}

/// The bytes of a file that lie on the disk, by where they lie; its holes are passed by.
pub fn bytes_on_disk(path: &Path) -> Result<Vec<(u64, Vec<u8>)>> {
    let mut file = File::open(path)?;
    let mut stretches = Vec::new();
    let mut at = 0;
    while let Ok(data) = seek(&file, SeekFrom::Data(at)) {
        at = seek(&file, SeekFrom::Hole(data))?;
        seek(&file, SeekFrom::Start(data))?;
        let mut bytes = Vec::new();
        file.by_ref().take(at - data).read_to_end(&mut bytes)?;
        stretches.push((data, bytes));
    }
    Ok(stretches)
}

fn zeros(folder: &Path) -> Result<()> {
    let file = File::create(folder.join("zeros"))?;
    file.write_all_at(&[0; 1_000_000], 0)?;
    Ok(file.sync_all()?)
}

fn special(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("sticky"))?;
    for name in ["set-user", "set-group"] {
        fs::write(folder.join(name), name)?;
    }
    set_special_modes(folder)
}

fn set_special_modes(folder: &Path) -> Result<()> {
    for (name, mode) in [
        ("set-user", 0o4755),
        ("set-group", 0o2755),
        ("sticky", 0o3777),
    ] {
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn owners(folder: &Path) -> Result<()> {
    for (name, user, group) in [("other", 12_345, 54_321), ("group", 0, 54_321)] {
        fs::write(folder.join(name), name)?;
        chown(folder.join(name), Some(user), Some(group))?;
    }
    Ok(())
}

fn attribute(folder: &Path, name: &str) -> Result<()> {
    fs::write(folder.join("file"), "with an attribute")?;
    Ok(setxattr(
        folder.join("file"),
        name,
        b"\0value\xff",
        XattrFlags::empty(),
    )?)
}

/// As the kernel keeps them: version, then tag, rights and id of each entry.
fn acls(folder: &Path) -> Result<()> {
    let mut acl = 2_u32.to_le_bytes().to_vec();
    let all = u32::MAX;
    for (tag, rights, id) in [
        (0x01_u16, 6_u16, all),
        (0x02, 4, 12_345),
        (0x04, 4, all),
        (0x10, 4, all),
        (0x20, 4, all),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(rights.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    fs::write(folder.join("file"), "with an ACL")?;
    fs::create_dir(folder.join("folder"))?;
    for (name, kind) in [("file", "access"), ("folder", "default")] {
        let kind = format!("system.posix_acl_{kind}");
        setxattr(folder.join(name), kind, &acl, XattrFlags::empty())?;
    }
    Ok(())
}

fn pipe(folder: &Path) -> Result<()> {
    make_node(&folder.join("pipe"), FileType::Fifo, 0)
}

fn socket(folder: &Path) -> Result<()> {
    make_node(&folder.join("socket"), FileType::Socket, 0)
}

fn devices(folder: &Path) -> Result<()> {
    make_node(
        &folder.join("null"),
        FileType::CharacterDevice,
        makedev(1, 3),
    )?;
    make_node(&folder.join("loop"), FileType::BlockDevice, makedev(7, 0))
}

/// They get their flags last.
fn flags(folder: &Path) -> Result<()> {
    fs::create_dir(folder.join("folder"))?;
    fs::write(folder.join("folder/inside"), "inside")?;
    for name in ["immutable", "append-only"] {
        fs::write(folder.join(name), name)?;
    }
    Ok(())
}

/// What cannot be changed, with the letters of `chattr`.
const FLAGS: [(&str, char); 3] = [("immutable", 'i'), ("append-only", 'a'), ("folder", 'i')];

/// Takes these flags away again, so that the folder can be removed.
pub fn remove_flags(root: &Path) -> Result<()> {
    change_flags(root, '-')
}

fn change_flags(root: &Path, sign: char) -> Result<()> {
    for (name, flag) in FLAGS {
        let path = root.join("flags").join(name);
        let change = format!("{sign}{flag}");
        let done = Command::new("chattr").arg(&change).arg(&path).status()?;
        ensure!(done.success(), "chattr {change}: {done}");
    }
    Ok(())
}

/// Which flags the files in a folder have, as `lsattr` shows them.
pub fn flags_in(folder: &Path) -> Result<Vec<String>> {
    let read = |(name, _): &(&str, char)| -> Result<String> {
        let shown = Command::new("lsattr")
            .arg("-d")
            .arg(folder.join(name))
            .output()?;
        ensure!(shown.status.success(), "lsattr: {}", shown.status);
        let letters = String::from_utf8_lossy(&shown.stdout);
        Ok(letters
            .chars()
            .take_while(|c| *c != ' ')
            .filter(|c| "ia".contains(*c))
            .collect())
    };
    FLAGS.iter().map(read).collect()
}

/// Deeper than a path can say: made step by step.
fn long(folder: &Path) -> Result<()> {
    let mut handle = open_folder(CWD, folder.as_os_str().as_bytes())?;
    for name in long_names() {
        mkdirat(&handle, name.as_str(), Mode::from_raw_mode(0o755))?;
        handle = open_folder(&handle, name.as_bytes())?;
    }
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(&handle, "file", flags, Mode::from_raw_mode(0o644))?;
    Ok(File::from(file).write_all_at(LONG_CONTENTS, 0)?)
}

/// Whether the file at the end of the long path is there with its contents.
pub fn is_long_path_there(folder: &Path) -> Result<bool> {
    let mut handle = open_folder(CWD, folder.as_os_str().as_bytes())?;
    for name in long_names() {
        let Ok(below) = open_folder(&handle, name.as_bytes()) else {
            return Ok(false);
        };
        handle = below;
    }
    let Ok(file) = openat(&handle, "file", OFlags::RDONLY, Mode::empty()) else {
        return Ok(false);
    };
    let mut contents = Vec::new();
    File::from(file).read_to_end(&mut contents)?;
    Ok(contents == LONG_CONTENTS)
}

const LONG_CONTENTS: &[u8] = b"far away";

fn long_names() -> impl Iterator<Item = String> {
    (0..24).map(|number| format!("{number:0>200}"))
}

fn open_folder(at: impl AsFd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

fn make_node(path: &Path, kind: FileType, device: u64) -> Result<()> {
    Ok(mknodat(
        CWD,
        path,
        kind,
        Mode::from_raw_mode(0o640),
        device,
    )?)
}

fn set_time(path: &Path, seconds: i64, nanoseconds: i64) -> Result<()> {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
