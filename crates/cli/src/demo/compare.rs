//! Compares a restored folder with its source: names, kinds, bytes, permission bits, times,
//! link targets and hard links.
//!
//! It shares no code with what backed up and restored, so that it cannot share its mistakes.
//! Files are streamed, folders are taken one at a time; the root's own attributes are not
//! compared, since the person chose the folder to restore into. Sockets and devices are
//! counted, not compared: nothing brings them back.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bitdust_model::limits;

/// Bytes compared at once.
const BLOCK_BYTES: usize = 256 * limits::KIB;

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Files that are on both sides.
    pub(crate) files: u64,
    /// Their bytes at the source.
    pub(crate) bytes: u64,
    /// Folders on both sides.
    pub(crate) folders: u64,
    /// Symbolic links on both sides.
    pub(crate) links: u64,
    /// Sockets and devices at the source.
    pub(crate) skipped: u64,
    /// Files and links at the source that are missing, or whose contents differ.
    pub(crate) lost: u64,
    /// What differs; at most `PROBLEMS_LISTED_MAX`.
    pub(crate) differences: Vec<Difference>,
    /// How many more differences there are.
    pub(crate) unlisted: u64,
}

/// One way in which a name differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where, below the roots.
    pub(crate) path: PathBuf,
    /// How.
    pub(crate) kind: DifferenceKind,
}

/// How a name differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DifferenceKind {
    /// It was not restored.
    Missing,
    /// It is not at the source.
    Extra,
    /// It is of another kind, such as a file instead of a folder.
    Kind,
    /// The permission bits.
    Mode { source: u32, copy: u32 },
    /// The modification time.
    ModificationTime,
    /// The target of a symbolic link.
    Target,
    /// The length.
    Length { source: u64, copy: u64 },
    /// The bytes, from this place on.
    Contents { at: u64 },
    /// The names of one file are several files, or the reverse.
    HardLink,
    /// One side cannot be read.
    Unreadable { why: String },
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not restored"),
            Self::Extra => f.write_str("not at the source"),
            Self::Kind => f.write_str("of another kind"),
            Self::Mode { source, copy } => write!(f, "permissions {copy:o} instead of {source:o}"),
            Self::ModificationTime => f.write_str("another modification time"),
            Self::Target => f.write_str("points elsewhere"),
            Self::Length { source, copy } => write!(f, "{copy} bytes instead of {source}"),
            Self::Contents { at } => write!(f, "other bytes from {at} on"),
            Self::HardLink => f.write_str("hard links differ"),
            Self::Unreadable { why } => write!(f, "cannot be read: {why}"),
        }
    }
}

impl Comparison {
    /// Whether nothing differs.
    pub(crate) fn is_same(&self) -> bool {
        self.difference_count() == 0
    }

    /// All differences, listed or not.
    pub(crate) fn difference_count(&self) -> u64 {
        (self.differences.len() as u64).saturating_add(self.unlisted)
    }

    fn add(&mut self, path: &Path, kind: DifferenceKind) {
        if self.differences.len() < limits::PROBLEMS_LISTED_MAX {
            self.differences.push(Difference {
                path: path.to_owned(),
                kind,
            });
        } else {
            self.unlisted += 1;
        }
    }
}

/// Compares two folders. Fails only where a root itself cannot be listed.
pub(crate) fn compare(source: &Path, copy: &Path) -> io::Result<Comparison> {
    source.read_dir()?;
    copy.read_dir()?;
    let mut walk = Walk {
        source,
        copy,
        found: Comparison::default(),
        hard_links: HardLinks::default(),
    };
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        walk.folder(&folder, &mut folders);
    }
    Ok(walk.found)
}

struct Walk<'a> {
    source: &'a Path,
    copy: &'a Path,
    found: Comparison,
    hard_links: HardLinks,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, below: &mut Vec<PathBuf>) {
        let names = names_in(&self.source.join(folder))
            .and_then(|source| Ok((source, names_in(&self.copy.join(folder))?)));
        let (source_names, copy_names) = match names {
            Ok(names) => names,
            Err(error) => return self.unreadable(folder, &error),
        };
        for name in &copy_names {
            if source_names.binary_search(name).is_err() {
                self.found.add(&folder.join(name), DifferenceKind::Extra);
            }
        }
        for name in source_names {
            let path = folder.join(&name);
            let is_there = copy_names.binary_search(&name).is_ok();
            if let Err(error) = self.entry(&path, is_there, below) {
                self.unreadable(&path, &error);
            }
        }
    }

    fn entry(&mut self, path: &Path, is_there: bool, below: &mut Vec<PathBuf>) -> io::Result<()> {
        let source = self.source.join(path).symlink_metadata()?;
        if is_never_restored(source.file_type()) {
            self.found.skipped += 1;
            return Ok(());
        }
        if !is_there {
            self.found.add(path, DifferenceKind::Missing);
            self.found.lost += if source.is_dir() {
                files_below(&self.source.join(path))
            } else {
                1
            };
            return Ok(());
        }
        let copy = self.copy.join(path).symlink_metadata()?;
        if source.file_type() != copy.file_type() {
            self.lose(path, DifferenceKind::Kind);
            return Ok(());
        }
        self.attributes(path, &source, &copy)?;
        if source.is_dir() {
            self.found.folders += 1;
            below.push(path.to_owned());
        } else if source.is_symlink() {
            self.found.links += 1;
            if self.source.join(path).read_link()? != self.copy.join(path).read_link()? {
                self.lose(path, DifferenceKind::Target);
            }
        } else if source.is_file() {
            self.file(path, &source, &copy)?;
        }
        Ok(())
    }

    fn attributes(&mut self, path: &Path, source: &Metadata, copy: &Metadata) -> io::Result<()> {
        let (source_mode, copy_mode) = (mode_of(source), mode_of(copy));
        if !source.is_symlink() && source_mode != copy_mode {
            self.found.add(
                path,
                DifferenceKind::Mode {
                    source: source_mode,
                    copy: copy_mode,
                },
            );
        }
        if source.modified()? != copy.modified()? {
            self.found.add(path, DifferenceKind::ModificationTime);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, source: &Metadata, copy: &Metadata) -> io::Result<()> {
        self.found.files += 1;
        self.found.bytes += source.len();
        if !self.hard_links.agree(source, copy) {
            self.found.add(path, DifferenceKind::HardLink);
        }
        if source.len() != copy.len() {
            self.lose(
                path,
                DifferenceKind::Length {
                    source: source.len(),
                    copy: copy.len(),
                },
            );
            return Ok(());
        }
        let source = File::open(self.source.join(path))?;
        let copy = File::open(self.copy.join(path))?;
        if let Some(at) = first_difference(source, copy)? {
            self.lose(path, DifferenceKind::Contents { at });
        }
        Ok(())
    }

    fn lose(&mut self, path: &Path, kind: DifferenceKind) {
        self.found.lost += 1;
        self.found.add(path, kind);
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.found.add(
            path,
            DifferenceKind::Unreadable {
                why: error.to_string(),
            },
        );
    }
}

/// Which file of the copy stands for which file of the source, where files have several names.
#[derive(Debug, Default)]
struct HardLinks {
    copies: HashMap<FileKey, FileKey>,
    sources: HashMap<FileKey, FileKey>,
}

/// File system and file number.
type FileKey = (u64, u64);

impl HardLinks {
    /// Whether two files fit all pairs seen before. Past the limit pairs are not remembered.
    fn agree(&mut self, source: &Metadata, copy: &Metadata) -> bool {
        let (Some((source_key, source_names)), Some((copy_key, copy_names))) =
            (file_key(source), file_key(copy))
        else {
            return true;
        };
        if source_names < 2 && copy_names < 2 {
            return true;
        }
        let fits = self
            .copies
            .get(&source_key)
            .is_none_or(|known| *known == copy_key)
            && self
                .sources
                .get(&copy_key)
                .is_none_or(|known| *known == source_key);
        if self.copies.len() < limits::LINKS_COMPARED_MAX {
            self.copies.entry(source_key).or_insert(copy_key);
            self.sources.entry(copy_key).or_insert(source_key);
        }
        fits
    }
}

/// Files and links below a folder that is missing in the copy, as far as they can be seen.
fn files_below(folder: &Path) -> u64 {
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        // What cannot be seen was not backed up either, and its folder is listed as missing.
        let Ok(entries) = folder.read_dir() else {
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) | Err(_) => files += 1,
            }
        }
    }
    files
}

fn names_in(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = folder
        .read_dir()?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The place of the first byte that differs or is on one side only.
fn first_difference(mut source: impl Read, mut copy: impl Read) -> io::Result<Option<u64>> {
    let mut source_block = vec![0; BLOCK_BYTES];
    let mut copy_block = vec![0; BLOCK_BYTES];
    let mut at = 0_u64;
    loop {
        let source_bytes = read_block(&mut source, &mut source_block)?;
        let copy_bytes = read_block(&mut copy, &mut copy_block)?;
        let common = source_bytes.min(copy_bytes);
        let differs = (0..common).find(|place| source_block[*place] != copy_block[*place]);
        if let Some(place) = differs.or((source_bytes != copy_bytes).then_some(common)) {
            return Ok(Some(at + place as u64));
        }
        if source_bytes == 0 {
            return Ok(None);
        }
        at += source_bytes as u64;
    }
}

/// Fills a block as far as there are bytes.
fn read_block(source: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match source.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn mode_of(found: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    found.mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(found: &Metadata) -> u32 {
    if found.permissions().readonly() {
        0o444
    } else {
        0o666
    }
}

#[cfg(unix)]
fn file_key(found: &Metadata) -> Option<(FileKey, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some(((found.dev(), found.ino()), found.nlink()))
}

#[cfg(not(unix))]
const fn file_key(_found: &Metadata) -> Option<(FileKey, u64)> {
    None
}

#[cfg(unix)]
fn is_never_restored(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_socket() || kind.is_block_device() || kind.is_char_device()
}

#[cfg(not(unix))]
const fn is_never_restored(_kind: FileType) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Two folders with the same contents: files, a folder, links of both kinds.
    struct Pair {
        root: tempfile::TempDir,
    }

    impl Pair {
        fn new() -> Self {
            let pair = Self {
                root: tempfile::tempdir().expect("a temporary folder"),
            };
            for side in [pair.source(), pair.copy()] {
                std::fs::create_dir_all(side.join("folder")).expect("a folder is made");
                std::fs::write(side.join("file"), vec![7; 700_000]).expect("a file is written");
                let mode = std::fs::Permissions::from_mode(0o644);
                std::fs::set_permissions(side.join("file"), mode).expect("permissions are set");
                std::fs::write(side.join("folder/twin"), b"twin").expect("a file is written");
                std::fs::hard_link(side.join("folder/twin"), side.join("twin"))
                    .expect("a hard link is made");
                symlink("file", side.join("link")).expect("a link is made");
                settle(&side);
            }
            pair
        }

        fn source(&self) -> PathBuf {
            self.root.path().join("source")
        }

        fn copy(&self) -> PathBuf {
            self.root.path().join("copy")
        }

        fn differences(&self) -> Vec<(String, DifferenceKind)> {
            let found = compare(&self.source(), &self.copy()).expect("both can be listed");
            found
                .differences
                .into_iter()
                .map(|found| (found.path.display().to_string(), found.kind))
                .collect()
        }
    }

    /// Gives everything but links the same time on both sides.
    fn settle(side: &Path) {
        for name in ["file", "folder/twin", "folder"] {
            settle_one(&side.join(name));
        }
    }

    fn settle_one(path: &Path) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::open(path)
            .and_then(|file| file.set_modified(time))
            .expect("a time is set");
    }

    /// One change to the copy, and what has to be found; times of links are left out, since
    /// the standard library cannot set them.
    #[track_caller]
    fn check(change: impl FnOnce(&Path), expected: &[(&str, DifferenceKind)]) {
        let pair = Pair::new();
        change(&pair.copy());
        let found: Vec<_> = pair
            .differences()
            .into_iter()
            .filter(|(path, kind)| !(path == "link" && *kind == DifferenceKind::ModificationTime))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, kind)| ((*path).to_owned(), kind.clone()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_that_are_the_same_are_called_the_same() {
        check(|_| {}, &[]);
        let pair = Pair::new();
        let found = compare(&pair.source(), &pair.source()).expect("it can be listed");
        assert!(found.is_same());
        assert_eq!(
            (found.files, found.folders, found.links, found.skipped),
            (3, 1, 1, 0)
        );
        assert_eq!(found.bytes, 700_008);
    }

    #[test]
    fn one_changed_byte_is_found_with_its_place() {
        check(
            |copy| {
                let mut bytes = vec![7; 700_000];
                bytes[600_001] = 8;
                std::fs::write(copy.join("file"), bytes).expect("a file is written");
                settle_one(&copy.join("file"));
            },
            &[("file", DifferenceKind::Contents { at: 600_001 })],
        );
    }

    #[test]
    fn another_length_is_found() {
        check(
            |copy| {
                std::fs::write(copy.join("file"), b"short").expect("a file is written");
                settle_one(&copy.join("file"));
            },
            &[(
                "file",
                DifferenceKind::Length {
                    source: 700_000,
                    copy: 5,
                },
            )],
        );
    }

    #[test]
    fn what_is_missing_or_too_much_is_found() {
        check(
            |copy| std::fs::remove_file(copy.join("file")).expect("it goes"),
            &[("file", DifferenceKind::Missing)],
        );
        check(
            |copy| std::fs::write(copy.join("new"), b"").expect("it is written"),
            &[("new", DifferenceKind::Extra)],
        );
        check(
            |copy| {
                std::fs::remove_file(copy.join("twin")).expect("it goes");
                std::fs::remove_dir_all(copy.join("folder")).expect("it goes");
            },
            &[
                ("folder", DifferenceKind::Missing),
                ("twin", DifferenceKind::Missing),
            ],
        );
    }

    #[test]
    fn another_kind_is_found() {
        check(
            |copy| {
                std::fs::remove_file(copy.join("file")).expect("it goes");
                std::fs::create_dir(copy.join("file")).expect("a folder is made");
            },
            &[("file", DifferenceKind::Kind)],
        );
    }

    #[test]
    fn other_permissions_are_found() {
        check(
            |copy| {
                let mode = std::fs::Permissions::from_mode(0o4755);
                std::fs::set_permissions(copy.join("file"), mode).expect("permissions are set");
            },
            &[(
                "file",
                DifferenceKind::Mode {
                    source: 0o644,
                    copy: 0o4755,
                },
            )],
        );
    }

    #[test]
    fn a_modification_time_that_is_a_nanosecond_off_is_found() {
        check(
            |copy| {
                let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 1);
                File::open(copy.join("folder"))
                    .and_then(|folder| folder.set_modified(time))
                    .expect("a time is set");
            },
            &[("folder", DifferenceKind::ModificationTime)],
        );
    }

    #[test]
    fn a_link_that_points_elsewhere_is_found() {
        check(
            |copy| {
                std::fs::remove_file(copy.join("link")).expect("it goes");
                symlink("folder", copy.join("link")).expect("a link is made");
            },
            &[("link", DifferenceKind::Target)],
        );
    }

    #[test]
    fn a_hard_link_that_became_two_files_is_found() {
        check(
            |copy| {
                std::fs::remove_file(copy.join("twin")).expect("it goes");
                std::fs::write(copy.join("twin"), b"twin").expect("a file is written");
                settle_one(&copy.join("twin"));
                settle_one(&copy.join("folder"));
            },
            &[("folder/twin", DifferenceKind::HardLink)],
        );
    }

    #[test]
    fn two_files_that_became_one_are_found() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (source, copy) = (root.path().join("source"), root.path().join("copy"));
        for side in [&source, &copy] {
            std::fs::create_dir(side).expect("a folder is made");
            std::fs::write(side.join("a"), b"same").expect("a file is written");
            settle_one(&side.join("a"));
        }
        std::fs::write(source.join("b"), b"same").expect("a file is written");
        settle_one(&source.join("b"));
        std::fs::hard_link(copy.join("a"), copy.join("b")).expect("a hard link is made");
        let found = compare(&source, &copy).expect("both can be listed");
        assert_eq!(
            found.differences,
            [Difference {
                path: "b".into(),
                kind: DifferenceKind::HardLink
            }]
        );
    }

    #[test]
    fn everything_in_a_missing_folder_counts_as_lost() {
        let pair = Pair::new();
        std::fs::create_dir_all(pair.source().join("deep/er")).expect("folders are made");
        std::fs::write(pair.source().join("deep/a"), b"a").expect("a file is written");
        std::fs::write(pair.source().join("deep/er/b"), b"b").expect("a file is written");
        let found = compare(&pair.source(), &pair.copy()).expect("both can be listed");
        assert_eq!(found.lost, 2);
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        let pair = Pair::new();
        assert!(compare(&pair.source(), &pair.root.path().join("missing")).is_err());
        assert!(compare(&pair.root.path().join("missing"), &pair.copy()).is_err());
    }

    #[test]
    fn sockets_are_counted_and_not_missed() -> io::Result<()> {
        let pair = Pair::new();
        let _socket = std::os::unix::net::UnixListener::bind(pair.source().join("socket"))?;
        let found = compare(&pair.source(), &pair.copy())?;
        assert_eq!(found.skipped, 1);
        assert!(
            !found
                .differences
                .iter()
                .any(|found| found.path == Path::new("socket"))
        );
        Ok(())
    }

    #[test]
    fn streams_are_compared_beyond_a_block_and_to_the_last_byte() -> io::Result<()> {
        let long = vec![1_u8; BLOCK_BYTES * 2 + 5];
        assert_eq!(first_difference(&long[..], &long[..])?, None);
        assert_eq!(
            first_difference(&long[..], &long[..BLOCK_BYTES])?,
            Some(BLOCK_BYTES as u64)
        );
        assert_eq!(first_difference(&b""[..], &b"x"[..])?, Some(0));
        Ok(())
    }
}
