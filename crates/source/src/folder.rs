//! Folders by handle: everything below is reached from here, one checked step at a time.
//!
//! A handle stays with its folder when that is renamed, and no step from it follows a
//! symbolic link or leaves the folder it started in.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use bitdust_model::tree::Meta;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, statat,
};
use rustix::io::{Errno, retry_on_intr};

use crate::failure::FileError;
use crate::relative::RelativePath;
use crate::stamp::Stamp;

/// Bytes of path given to the system at once; it takes 4,096 at most.
const STEP_BYTES_MAX: usize = 2048;

const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open folder. Clones share one handle of the process; holding one keeps it open.
#[derive(Debug, Clone)]
pub struct FolderHandle {
    fd: Arc<OwnedFd>,
}

impl FolderHandle {
    /// Opens the folder a person named; here alone symbolic links are followed.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let flags = FOLDER_FLAGS.difference(OFlags::NOFOLLOW);
        match retry_on_intr(|| openat(CWD, path, flags, Mode::empty())) {
            Ok(fd) => Ok(fd.into()),
            Err(Errno::NOTDIR) => Err(FileError::OtherKind {
                wanted: "a folder",
                found: "something else",
            }),
            Err(errno) => Err(FileError::of("opening the folder", errno)),
        }
    }

    /// Opens a folder below this one, following no symbolic link on the way. Paths longer
    /// than the system takes are walked in steps.
    pub fn descend(&self, path: &RelativePath) -> Result<Self, FileError> {
        let mut folder = self.clone();
        for step in steps(path) {
            folder = match folder.descend_at_once(&step) {
                Err(Errno::NOSYS | Errno::PERM) => folder.descend_by_name(&step),
                other => other,
            }
            .map_err(cannot_enter)?;
        }
        Ok(folder)
    }

    /// Lets the kernel check the whole step (Linux 5.6 and later).
    fn descend_at_once(&self, step: &[u8]) -> Result<Self, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        retry_on_intr(|| openat2(self, step, FOLDER_FLAGS, Mode::empty(), resolve)).map(Self::from)
    }

    /// The same for kernels and sandboxes without `openat2`: name by name.
    fn descend_by_name(&self, step: &[u8]) -> Result<Self, Errno> {
        let mut folder = self.clone();
        for name in step.split(|byte| *byte == b'/') {
            folder = folder.child(name)?;
        }
        Ok(folder)
    }

    /// Opens a folder directly in this one; a symbolic link there gives an error.
    pub(crate) fn child(&self, name: &[u8]) -> Result<Self, Errno> {
        open_quietly(self, name, FOLDER_FLAGS).map(Self::from)
    }

    /// Opens the folder above. Only for a walk on its way up, which checks where it came out.
    pub(crate) fn above(&self) -> Result<Self, Errno> {
        open_quietly(self, b"..", FOLDER_FLAGS).map(Self::from)
    }

    /// What the system says about the folder itself.
    pub(crate) fn stat(&self) -> Result<Stat, Errno> {
        fstat(self)
    }

    /// What the system says about `name` in it, links not followed.
    pub(crate) fn stat_of(&self, name: &[u8]) -> Result<Stat, Errno> {
        statat(self, name, AtFlags::SYMLINK_NOFOLLOW)
    }
}

impl From<OwnedFd> for FolderHandle {
    fn from(fd: OwnedFd) -> Self {
        Self { fd: Arc::new(fd) }
    }
}

impl AsFd for FolderHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens without touching the access time where the system allows it (owner and root).
pub(crate) fn open_quietly(
    folder: &FolderHandle,
    name: &[u8],
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    match retry_on_intr(|| openat(folder, name, flags | OFlags::NOATIME, Mode::empty())) {
        Err(Errno::PERM) => retry_on_intr(|| openat(folder, name, flags, Mode::empty())),
        other => other,
    }
}

/// Says which kind of thing a mode stands for, as a noun.
pub(crate) fn kind_name(stat: &Stat) -> &'static str {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something unknown",
    }
}

/// Whether two answers are about the same thing on the disk.
pub(crate) const fn identity_of(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// Permissions, owner and times, without extended attributes.
pub(crate) fn meta_of(stat: &Stat) -> Meta {
    Meta {
        mode: stat.st_mode & 0o7777,
        mtime_seconds: stat.st_mtime,
        mtime_nanos: nanos(stat.st_mtime_nsec),
        uid: stat.st_uid,
        gid: stat.st_gid,
        xattrs: Vec::new(),
    }
}

/// Whether a file has fewer blocks on the disk than bytes in it, one block at least.
pub(crate) fn is_sparse(stat: &Stat) -> bool {
    /// The unit of `st_blocks`, whatever the blocks of the file system are.
    const UNIT: u64 = 512;
    const BLOCK_BYTES: u64 = 4_096;
    let allocated = u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(UNIT);
    allocated.saturating_add(BLOCK_BYTES) <= u64::try_from(stat.st_size).unwrap_or(0)
}

/// Size, times and identity.
pub(crate) fn stamp_of(stat: &Stat) -> Stamp {
    Stamp {
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_seconds: stat.st_mtime,
        mtime_nanos: nanos(stat.st_mtime_nsec),
        ctime_seconds: stat.st_ctime,
        ctime_nanos: nanos(stat.st_ctime_nsec),
        inode: stat.st_ino,
        device: stat.st_dev,
    }
}

/// Whether a file system holds no files of anybody, but a view of the kernel.
pub(crate) fn is_kernel_view(folder: &FolderHandle) -> bool {
    /// proc, sysfs, devpts, cgroup, cgroup2, debugfs, tracefs, securityfs, pstore, bpf,
    /// configfs, mqueue, binfmt_misc, efivarfs, selinuxfs: numbers of `linux/magic.h`.
    const KERNEL_VIEWS: [i64; 15] = [
        0x9fa0,
        0x6265_6572,
        0x1cd1,
        0x0027_e0eb,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x6165_676c,
        0xcafe_4a11,
        0x6265_6570,
        0x1980_0202,
        0x4249_4e4d,
        0xde5e_81e4,
        0xf97c_ff8c,
    ];
    rustix::fs::fstatfs(folder).is_ok_and(|system| KERNEL_VIEWS.contains(&system.f_type))
}

fn nanos(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(0).min(999_999_999)
}

fn cannot_enter(errno: Errno) -> FileError {
    match errno {
        Errno::LOOP => FileError::OtherKind {
            wanted: "a folder",
            found: "a symbolic link",
        },
        // A link at the very end is answered with this too.
        Errno::NOTDIR => FileError::OtherKind {
            wanted: "a folder",
            found: "a link or a file",
        },
        errno => FileError::of("opening the folder", errno),
    }
}

/// Cuts a path into pieces the system takes, at slashes.
fn steps(path: &RelativePath) -> Vec<Vec<u8>> {
    let mut steps: Vec<Vec<u8>> = Vec::new();
    for name in path.components() {
        match steps.last_mut() {
            Some(step) if step.len() + name.len() < STEP_BYTES_MAX => {
                step.push(b'/');
                step.extend_from_slice(name);
            }
            Some(_) | None => steps.push(name.to_vec()),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_down_refuse_a_symbolic_link() {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir_all(root.path().join("real/inner")).expect("folders are made");
        symlink("real", root.path().join("link")).expect("a link is made");
        let folder = FolderHandle::open(root.path()).expect("the root opens");

        assert!(
            folder.descend_at_once(b"real/inner").is_ok(),
            "openat2 works on this kernel"
        );
        assert!(folder.descend_by_name(b"real/inner").is_ok());
        for step in [&b"link"[..], b"link/inner"] {
            for refused in [folder.descend_at_once(step), folder.descend_by_name(step)] {
                let errno = refused.expect_err("a link is refused");
                assert!(matches!(errno, Errno::LOOP | Errno::NOTDIR), "{errno}");
            }
        }
        assert_eq!(
            folder.descend_at_once(b"..").expect_err("it stays beneath"),
            Errno::XDEV
        );
    }

    #[test]
    fn the_root_a_person_named_may_be_a_symbolic_link() {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join("real")).expect("a folder is made");
        symlink("real", root.path().join("link")).expect("a link is made");
        let through = FolderHandle::open(&root.path().join("link")).expect("the link is followed");
        let direct = FolderHandle::open(&root.path().join("real")).expect("the folder opens");
        let identity =
            |folder: &FolderHandle| identity_of(&folder.stat().expect("an open folder has a stat"));
        assert_eq!(identity(&through), identity(&direct));
    }

    #[test]
    fn the_kernel_s_own_file_systems_are_known() {
        assert!(is_kernel_view(
            &FolderHandle::open(Path::new("/proc")).expect("there is a /proc")
        ));
        let root = tempfile::tempdir().expect("a temporary folder");
        assert!(!is_kernel_view(
            &FolderHandle::open(root.path()).expect("the root opens")
        ));
    }

    #[test]
    fn steps_are_short_and_lose_nothing() {
        let long = [b'x'; 255];
        let path = (0..40)
            .try_fold(RelativePath::root(), |path, _| path.join(&long))
            .expect("40 names fit");
        let steps = steps(&path);
        assert!(steps.iter().all(|step| step.len() <= STEP_BYTES_MAX));
        assert_eq!(steps.join(&b'/'), path.as_bytes());
    }
}
