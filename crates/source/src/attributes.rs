//! Extended attributes, ACLs included: read without opening the file, compared before they
//! are written.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use bitdust_model::limits;
use rustix::fs::{
    AtFlags, CWD, Statx, StatxFlags, XattrFlags, fgetxattr, flistxattr, fsetxattr, getxattr,
    lgetxattr, llistxattr, setxattr, statx,
};
use rustix::io::Errno;

use crate::failure::FileError;
use crate::flags::Flags;
use crate::folder::FolderHandle;

/// Bytes of names that nearly every file has room in.
const NAMES_BYTES_FEW: usize = 1024;

/// Attributes by name, sorted.
pub(crate) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// Where attributes are read from and written to.
#[derive(Debug, Clone)]
pub(crate) enum Bearer<'a> {
    /// A file or folder that is open for reading or writing.
    Open(BorrowedFd<'a>),
    /// A path through `/proc/self/fd`: nothing is opened, a link at its end is not followed.
    Named(Vec<u8>),
    /// A handle made with `O_PATH`, through `/proc/self/fd`.
    Handle(Vec<u8>),
}

impl<'a> Bearer<'a> {
    /// `name` in an open folder.
    pub(crate) fn named(folder: &FolderHandle, name: &[u8]) -> Self {
        let mut path = handle_path(folder.as_fd());
        path.push(b'/');
        path.extend_from_slice(name);
        Self::Named(path)
    }

    /// A thing by an `O_PATH` handle.
    pub(crate) fn handle(handle: BorrowedFd<'_>) -> Self {
        Self::Handle(handle_path(handle))
    }

    /// Names, each with a zero behind it. Room for nothing would list nothing.
    fn list(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Open(fd) => flistxattr(fd, buffer),
            Self::Named(path) => llistxattr(path, buffer),
            Self::Handle(path) => rustix::fs::listxattr(path, buffer),
        }
    }

    /// What only the newer call of the system tells, and nothing else: no field is asked for.
    pub(crate) fn statx(&self) -> Result<Statx, Errno> {
        let nothing = StatxFlags::empty();
        match self {
            Self::Open(fd) => statx(fd, b"".as_slice(), AtFlags::EMPTY_PATH, nothing),
            Self::Named(path) => statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, nothing),
            Self::Handle(path) => statx(CWD, path, AtFlags::empty(), nothing),
        }
    }

    fn get(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Open(fd) => fgetxattr(fd, name, buffer),
            Self::Named(path) => lgetxattr(path, name, buffer),
            Self::Handle(path) => getxattr(path, name, buffer),
        }
    }

    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        match self {
            Self::Open(fd) => fsetxattr(fd, name, value, XattrFlags::empty()),
            Self::Named(path) => rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()),
            Self::Handle(path) => setxattr(path, name, value, XattrFlags::empty()),
        }
    }
}

/// The path of a handle of this process; what the system offers instead of calls on `O_PATH`.
pub(crate) fn handle_path(handle: BorrowedFd<'_>) -> Vec<u8> {
    format!("/proc/self/fd/{}", handle.as_raw_fd()).into_bytes()
}

/// Reads attributes with one buffer for many files.
#[derive(Debug, Default)]
pub(crate) struct AttributeReader {
    buffer: Vec<u8>,
}

impl AttributeReader {
    /// All attributes of a thing, sorted by name, with the record of its flags among them; none
    /// where the file system knows none.
    pub(crate) fn read(&mut self, bearer: &Bearer<'_>) -> Result<Attributes, FileError> {
        let flags = match bearer.statx() {
            Ok(stat) => Flags::of(&stat),
            // The walk says once that they cannot be read.
            Err(Errno::NOSYS) => Flags::default(),
            Err(errno) => return Err(FileError::of("reading its flags", errno)),
        };
        let mut attributes: Attributes = flags.to_attribute().into_iter().collect();
        self.read_listed(bearer, &mut attributes)?;
        attributes.sort_unstable();
        Ok(attributes)
    }

    /// Adds what the file system lists.
    fn read_listed(
        &mut self,
        bearer: &Bearer<'_>,
        attributes: &mut Attributes,
    ) -> Result<(), FileError> {
        // The system makes room for all that is asked for, file by file: most have few.
        self.buffer.resize(limits::XATTRS_BYTES_MAX, 0);
        let listed = match bearer.list(&mut self.buffer[..NAMES_BYTES_FEW]) {
            Err(Errno::RANGE) => bearer.list(&mut self.buffer),
            listed => listed,
        };
        let length = match listed {
            Ok(0) | Err(Errno::NOTSUP) => return Ok(()),
            Ok(length) => length,
            Err(Errno::RANGE | Errno::TOOBIG) => return Err(too_many()),
            Err(errno) => return Err(FileError::of("listing extended attributes", errno)),
        };
        let names: Vec<Vec<u8>> = self.buffer[..length]
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let recorded = attributes
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let mut room = limits::XATTRS_BYTES_MAX - recorded.sum::<usize>();
        attributes.reserve(names.len());
        for name in names {
            let Some(left) = room.checked_sub(name.len()) else {
                return Err(too_many());
            };
            match bearer.get(&name, &mut self.buffer[..left.max(1)]) {
                Ok(length) if length > left => return Err(too_many()),
                Ok(length) => {
                    room = left - length;
                    attributes.push((name, self.buffer[..length].to_vec()));
                }
                // It went away since it was listed.
                Err(Errno::NODATA | Errno::NOTSUP) => {}
                // Who may not read an attribute may not read the contents either, and that
                // is reported when they are opened.
                Err(Errno::ACCESS) => {}
                Err(Errno::RANGE | Errno::TOOBIG) => return Err(too_many()),
                Err(errno) => return Err(FileError::of("reading an extended attribute", errno)),
            }
        }
        Ok(())
    }
}

/// Whether this process sees all attributes. To others than root the system does not even list
/// those under `trusted.`, so that nobody can say of which files they lack.
#[must_use]
pub fn sees_root_attributes() -> bool {
    rustix::process::geteuid().is_root()
}

/// Sets an attribute unless it already has that value, so that labels which only the system
/// may write do not become problems when they are right anyway.
pub(crate) fn set(bearer: &Bearer<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let mut present = vec![0; value.len() + 1];
    if bearer
        .get(name, &mut present)
        .is_ok_and(|length| present[..length] == *value)
    {
        return Ok(());
    }
    bearer.set(name, value)
}

const fn too_many() -> FileError {
    FileError::TooMany {
        what: "bytes of extended attributes",
        max: limits::XATTRS_BYTES_MAX,
    }
}
