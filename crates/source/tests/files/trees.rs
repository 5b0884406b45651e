//! Whole trees with everything in them that is easily lost: invented, made, and looked at.
//!
//! A [`Tree`] is made through handles, name by name, so that no path is too long for it.
//! [`seen`] looks at a tree the same way and knows nothing of the code under test; two trees
//! are the same when what was seen is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chownat,
    lgetxattr, linkat, llistxattr, lsetxattr, makedev, mkdirat, mknodat, openat, readlinkat,
    statat, symlinkat, utimensat,
};

/// What file systems give space by.
const BLOCK: u64 = 4_096;
/// The space a file may take beside its blocks: the map of where they lie.
const MAP_BLOCKS: u64 = 16;
const ATTRIBUTES_BYTES_MAX: usize = 64 * 1024;

/// Names and what they stand for.
pub(crate) type Folder = BTreeMap<Vec<u8>, Thing>;

/// Something with a name in a tree.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    node: Node,
    dress: Dress,
}

/// What it is.
#[derive(Debug, Clone)]
enum Node {
    /// A file of this size with blocks of bytes at some places, and holes elsewhere.
    Sparse {
        size: u64,
        blocks_at: Vec<u64>,
    },
    /// A file with these bytes on the disk, zeros too.
    Full(Vec<u8>),
    Folder(Folder),
    /// So many folders of this name in each other, and a file at the end.
    Levels {
        name: Vec<u8>,
        count: usize,
    },
    Link(Vec<u8>),
    Pipe,
    Socket,
    Device {
        is_block: bool,
        number: u64,
    },
}

/// What belongs to it beside its contents.
#[derive(Debug, Clone)]
struct Dress {
    mode: u32,
    owner: (u32, u32),
    time: (i64, i64),
    attributes: Vec<(String, Vec<u8>)>,
    has_acl: bool,
}

/// A folder with all that is in it, and further names of the files in it.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    top: Folder,
    /// Which file gets the name, which folder it is in, and the name.
    further_names: Vec<(Index, Index, Vec<u8>)>,
}

/// What a tree may have in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Liberties {
    /// What only root can make or bring back.
    pub(crate) is_root: bool,
    /// Paths that no program can name at once.
    pub(crate) has_long_paths: bool,
}

/// Invents trees.
pub(crate) fn any_tree(may: Liberties) -> impl Strategy<Value = Tree> {
    let further = (any::<Index>(), any::<Index>(), any_name());
    (any_folder(may), vec(further, 0..6))
        .prop_map(|(top, further_names)| Tree { top, further_names })
}

fn any_folder(may: Liberties) -> impl Strategy<Value = Folder> {
    let leaf = (any_leaf(may), any_dress(may)).prop_map(|(node, dress)| Thing { node, dress });
    let thing = leaf.prop_recursive(4, 40, 8, move |inner| {
        let folder = btree_map(any_name(), inner, 0..8).prop_map(Node::Folder);
        (folder, any_dress(may)).prop_map(|(node, dress)| Thing { node, dress })
    });
    btree_map(any_name(), thing, 0..10)
}

fn any_leaf(may: Liberties) -> BoxedStrategy<Node> {
    let sparse = (1_u64..3_000_000, vec(0_u64..700, 0..5)).prop_map(|(size, mut blocks_at)| {
        blocks_at.retain(|block| block * BLOCK < size);
        Node::Sparse { size, blocks_at }
    });
    let full = prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 1..200),
        (1_usize..300_000).prop_map(|size| vec![0; size]),
        (1_usize..300_000, any::<u8>()).prop_map(|(size, seed)| noise(size, seed)),
    ];
    let levels = (any_name(), 1_usize..24).prop_map(move |(name, count)| {
        let count = if may.has_long_paths { count } else { 3 };
        Node::Levels { name, count }
    });
    let link = prop_oneof![
        // To itself, to nowhere, upwards, to where nobody should go.
        select(vec![
            &b"."[..],
            b"..",
            b"nowhere",
            b"/",
            b"/dev/null",
            b"\xff\n"
        ])
        .prop_map(<[u8]>::to_vec),
        any_name(),
        Just(b"../".repeat(1_000)),
    ];
    let common = prop_oneof![
        4 => full.prop_map(Node::Full),
        2 => sparse,
        1 => levels,
        2 => link.prop_map(Node::Link),
        1 => Just(Node::Pipe),
        1 => Just(Node::Folder(Folder::new())),
    ];
    if !may.is_root {
        return common.boxed();
    }
    let device = (any::<bool>(), 0_u32..300, 0_u32..300).prop_map(|(is_block, major, minor)| {
        let number = makedev(major, minor);
        Node::Device { is_block, number }
    });
    prop_oneof![8 => common, 1 => Just(Node::Socket), 1 => device].boxed()
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let odd = select(vec![
        &b"a"[..],
        b"A",
        b"aa",
        b"name",
        b"NAME",
        b"Name",
        "\u{e9}".as_bytes(),
        "e\u{301}".as_bytes(),
        "\u{fb01}".as_bytes(),
        b"new\nline",
        b"\x01\x1b[31m\x7f",
        b"\xff\xfe",
        b"\xc3\x28",
        b" ",
        b"  two",
        b"dot.",
        b"...",
        b"-rf",
        b"*",
        b"\\",
        b"\"'`$(x)",
        b"%2f",
        b"nul",
    ]);
    let bytes = prop_oneof![1_u8..=46, 48_u8..=255];
    prop_oneof![
        4 => odd.prop_map(<[u8]>::to_vec),
        2 => vec(bytes, 1..40),
        1 => (1_u8..=46).prop_map(|byte| vec![byte; 255]),
        1 => Just("\u{e4}".repeat(127).into_bytes()),
    ]
    .prop_filter("no name", |name| name != b"." && name != b"..")
}

fn any_dress(may: Liberties) -> impl Strategy<Value = Dress> {
    let mode = if may.is_root {
        (0_u32..0o10000).boxed()
    } else {
        // What its owner could not read could not be backed up.
        (0_u32..0o10000).prop_map(|mode| mode | 0o500).boxed()
    };
    let owner = if may.is_root {
        select(vec![(0, 0), (1, 2), (12_345, 54_321), (65_534, 0)]).boxed()
    } else {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        Just((user.as_raw(), group.as_raw())).boxed()
    };
    let seconds = prop_oneof![
        -315_619_200_i64..0,
        0_i64..2_000_000_000,
        2_147_483_647_i64..15_000_000_000,
        select(vec![-1_i64, 0, 1, 2_147_483_647, 2_147_483_648]),
    ];
    let time = (seconds, 0_i64..1_000_000_000);
    let spaces = if may.is_root {
        vec!["user", "trusted", "security"]
    } else {
        vec!["user"]
    };
    let attribute = (select(spaces), "[a-zA-Z0-9 _.]{1,40}").prop_map(|(space, name)| {
        // A name of its own: some names under `security.` mean something to the system.
        format!("{space}.bitdust-test-{name}")
    });
    let attributes = vec((attribute, vec(any::<u8>(), 0..200)), 0..3);
    (mode, owner, time, attributes, prop::bool::weighted(0.2)).prop_map(
        |(mode, owner, time, attributes, has_acl)| Dress {
            mode,
            owner,
            time,
            attributes,
            has_acl,
        },
    )
}

impl Tree {
    /// Makes it in an empty folder.
    pub(crate) fn make(&self, root: &Path) -> std::io::Result<()> {
        let root = open_folder(CWD, root.as_os_str().as_bytes())?;
        make_folder(&root, &self.top)?;
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        list(&self.top, &mut Vec::new(), &mut files, &mut folders);
        folders.push(Vec::new());
        for (file, folder, name) in &self.further_names {
            if files.is_empty() {
                break;
            }
            let (file, folder) = (file.get(&files), folder.get(&folders));
            let Some((own, parent)) = file.split_last() else {
                continue;
            };
            let (source, target) = (descend(&root, parent)?, descend(&root, folder)?);
            // A name that is taken stays what it is.
            match linkat(
                &source,
                own.as_slice(),
                &target,
                name.as_slice(),
                AtFlags::empty(),
            ) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        // From below, since whatever is made in a folder changes its time.
        dress_all(&root, &self.top)
    }
}

fn make_folder(at: &OwnedFd, folder: &Folder) -> std::io::Result<()> {
    for (name, thing) in folder {
        make_thing(at, name, &thing.node)?;
    }
    Ok(())
}

fn make_thing(at: &OwnedFd, name: &[u8], node: &Node) -> std::io::Result<()> {
    let private = Mode::from_raw_mode(0o700);
    match node {
        Node::Sparse { size, blocks_at } => {
            let file = create(at, name)?;
            file.set_len(*size)?;
            for block in blocks_at {
                let offset = block * BLOCK;
                let length = usize::try_from(BLOCK.min(size - offset)).unwrap_or(0);
                file.write_all_at(&vec![7; length], offset)?;
            }
            file.sync_all()?;
        }
        Node::Full(bytes) => create(at, name)?.write_all_at(bytes, 0)?,
        Node::Folder(folder) => {
            mkdirat(at, name, private)?;
            make_folder(&open_folder(at, name)?, folder)?;
        }
        Node::Levels { name: below, count } => {
            mkdirat(at, name, private)?;
            let mut handle = open_folder(at, name)?;
            for _ in 0..*count {
                mkdirat(&handle, below.as_slice(), private)?;
                handle = open_folder(&handle, below)?;
            }
            create(&handle, b"end")?.write_all_at(b"deep", 0)?;
        }
        Node::Link(target) => symlinkat(target.as_slice(), at, name)?,
        Node::Pipe => mknodat(at, name, FileType::Fifo, private, 0)?,
        Node::Socket => mknodat(at, name, FileType::Socket, private, 0)?,
        Node::Device {
            is_block: true,
            number,
        } => mknodat(at, name, FileType::BlockDevice, private, *number)?,
        Node::Device { number, .. } => {
            mknodat(at, name, FileType::CharacterDevice, private, *number)?;
        }
    }
    Ok(())
}

fn dress_all(at: &OwnedFd, folder: &Folder) -> std::io::Result<()> {
    for (name, thing) in folder {
        if let Node::Folder(below) = &thing.node {
            dress_all(&open_folder(at, name)?, below)?;
        }
        dress(at, name, thing)?;
    }
    Ok(())
}

fn dress(at: &OwnedFd, name: &[u8], thing: &Thing) -> std::io::Result<()> {
    let Dress {
        mode,
        owner: (user, group),
        time: (seconds, nanoseconds),
        attributes,
        has_acl,
    } = &thing.dress;
    let (user, group) = (Uid::from_raw(*user), Gid::from_raw(*group));
    chownat(at, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
    let (is_plain, is_folder) = match &thing.node {
        Node::Sparse { .. } | Node::Full(_) => (true, false),
        Node::Folder(_) | Node::Levels { .. } => (true, true),
        Node::Link(_) | Node::Pipe | Node::Socket | Node::Device { .. } => (false, false),
    };
    let path = path_of(at, name);
    for (attribute, value) in attributes {
        // Only files and folders bear what users set.
        if is_plain || !attribute.starts_with("user.") {
            lsetxattr(&path, attribute.as_str(), value, XattrFlags::empty())?;
        }
    }
    if !matches!(thing.node, Node::Link(_)) {
        std::fs::set_permissions(&path, Permissions::from_mode(*mode))?;
        if *has_acl {
            lsetxattr(
                &path,
                "system.posix_acl_access",
                &acl(),
                XattrFlags::empty(),
            )?;
        }
    }
    if *has_acl && is_folder {
        lsetxattr(
            &path,
            "system.posix_acl_default",
            &acl(),
            XattrFlags::empty(),
        )?;
    }
    let time = Timespec {
        tv_sec: *seconds,
        tv_nsec: *nanoseconds,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(at, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

/// One that gives a further user the right to read, as the kernel keeps it.
fn acl() -> Vec<u8> {
    let mut acl = 2_u32.to_le_bytes().to_vec();
    let nobody = u32::MAX;
    for (tag, rights, id) in [
        (0x01_u16, 7_u16, nobody),
        (0x02, 4, 4_711),
        (0x04, 5, nobody),
        (0x10, 5, nobody),
        (0x20, 0, nobody),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(rights.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    acl
}

/// Files and folders by their names from the top.
fn list(
    folder: &Folder,
    way: &mut Vec<Vec<u8>>,
    files: &mut Vec<Vec<Vec<u8>>>,
    folders: &mut Vec<Vec<Vec<u8>>>,
) {
    for (name, thing) in folder {
        way.push(name.clone());
        match &thing.node {
            Node::Sparse { .. } | Node::Full(_) => files.push(way.clone()),
            Node::Folder(below) => {
                folders.push(way.clone());
                list(below, way, files, folders);
            }
            Node::Levels { .. }
            | Node::Link(_)
            | Node::Pipe
            | Node::Socket
            | Node::Device { .. } => {}
        }
        way.pop();
    }
}

/// All that was seen of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    mode: u32,
    owner: (u32, u32),
    time: (i64, i64),
    device: u64,
    size: u64,
    contents: Vec<u8>,
    target: Vec<u8>,
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first of the names of the same file.
    first_name: Vec<u8>,
    /// Space on the disk in blocks; compared apart.
    blocks: u64,
}

/// Looks at everything in a folder, by its path.
pub(crate) fn seen(root: &Path) -> std::io::Result<BTreeMap<Vec<u8>, Seen>> {
    let root = open_folder(CWD, root.as_os_str().as_bytes())?;
    let mut all = BTreeMap::new();
    let mut waiting = vec![(Vec::new(), root)];
    while let Some((path, folder)) = waiting.pop() {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let path = [&path[..], b"/", name].concat();
            let (seen, inode) = look(&folder, name)?;
            if FileType::from_raw_mode(seen.mode) == FileType::Directory {
                waiting.push((path.clone(), open_folder(&folder, name)?));
            }
            all.insert(path, (seen, inode));
        }
    }
    let mut firsts = BTreeMap::new();
    let named = all.into_iter().map(|(path, (mut seen, inode))| {
        seen.first_name = firsts.entry(inode).or_insert_with(|| path.clone()).clone();
        (path, seen)
    });
    Ok(named.collect())
}

fn look(folder: &OwnedFd, name: &[u8]) -> std::io::Result<(Seen, u64)> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let (mut contents, mut target) = (Vec::new(), Vec::new());
    let mut size = 0;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = openat(folder, name, flags, Mode::empty())?;
            File::from(file).read_to_end(&mut contents)?;
            size = contents.len() as u64;
        }
        FileType::Symlink => target = readlinkat(folder, name, Vec::new())?.into_bytes(),
        FileType::Directory
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => {}
    }
    let is_device = matches!(
        FileType::from_raw_mode(stat.st_mode),
        FileType::CharacterDevice | FileType::BlockDevice
    );
    let seen = Seen {
        mode: stat.st_mode,
        owner: (stat.st_uid, stat.st_gid),
        time: (
            stat.st_mtime,
            i64::try_from(stat.st_mtime_nsec).unwrap_or(-1),
        ),
        device: if is_device { stat.st_rdev } else { 0 },
        size,
        contents,
        target,
        attributes: attributes(folder, name)?,
        first_name: Vec::new(),
        blocks: u64::try_from(stat.st_blocks).unwrap_or(0),
    };
    Ok((seen, stat.st_ino))
}

fn attributes(folder: &OwnedFd, name: &[u8]) -> std::io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let path = path_of(folder, name);
    let mut names = vec![0; ATTRIBUTES_BYTES_MAX];
    let length = llistxattr(&path, names.as_mut_slice())?;
    let mut attributes = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let mut value = vec![0; ATTRIBUTES_BYTES_MAX];
        let length = lgetxattr(&path, name, value.as_mut_slice())?;
        value.truncate(length);
        attributes.insert(name.to_vec(), value);
    }
    Ok(attributes)
}

/// What differs between two trees, one line each; nothing where they are the same.
pub(crate) fn differences(
    source: &BTreeMap<Vec<u8>, Seen>,
    copy: &BTreeMap<Vec<u8>, Seen>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (path, original) in source {
        let shown = path.escape_ascii();
        let Some(restored) = copy.get(path) else {
            found.push(format!("{shown} is missing"));
            continue;
        };
        let blocks = original.blocks;
        let alike = Seen {
            blocks,
            ..restored.clone()
        };
        if alike != *original {
            found.push(format!(
                "{shown}: {} is {}",
                brief(original),
                brief(restored)
            ));
        }
        let is_sparse = blocks * 512 + BLOCK <= original.size;
        if is_sparse && restored.blocks > blocks + MAP_BLOCKS {
            found.push(format!("{shown}: {blocks} blocks are {}", restored.blocks));
        }
        if !is_sparse && restored.blocks + MAP_BLOCKS < blocks {
            found.push(format!("{shown}: {blocks} blocks are {}", restored.blocks));
        }
    }
    let strays = copy.keys().filter(|path| !source.contains_key(*path));
    found.extend(strays.map(|path| format!("{} is there besides", path.escape_ascii())));
    found
}

fn brief(seen: &Seen) -> String {
    let mut seen = seen.clone();
    seen.contents.truncate(16);
    format!("{seen:?}")
}

fn noise(size: usize, seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}

fn create(at: &OwnedFd, name: &[u8]) -> std::io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(File::from(openat(
        at,
        name,
        flags,
        Mode::RUSR | Mode::WUSR,
    )?))
}

fn open_folder(at: impl AsFd, name: &[u8]) -> std::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

fn descend(root: &OwnedFd, way: &[Vec<u8>]) -> std::io::Result<OwnedFd> {
    let mut handle = root.try_clone()?;
    for name in way {
        handle = open_folder(&handle, name)?;
    }
    Ok(handle)
}

/// A path to a name in an open folder, for calls that take nothing else.
fn path_of(folder: &OwnedFd, name: &[u8]) -> PathBuf {
    Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(OsStr::from_bytes(name))
}
