//! One file, read from start to end, with the certainty afterwards whether it stood still.
//!
//! A file that changed while it was read gave bytes that were never together in it. Its
//! reader says so, and the caller takes it again, `FILE_RETAKES_MAX` times at most.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use bitdust_model::ErrorCode;
use bitdust_model::status::Problem;
use bitdust_model::tree::Meta;
use rustix::fs::{Advice, FileType, OFlags, SeekFrom, Stat, fadvise, fstat, seek};
use rustix::io::Errno;

use crate::attributes::{AttributeReader, Bearer};
use crate::failure::FileError;
use crate::folder::{FolderHandle, is_sparse, kind_name, meta_of, open_quietly, stamp_of};
use crate::relative::RelativePath;
use crate::stamp::Stamp;

/// Opens the regular file `name` in `folder`; `expected` is what the walk saw. Whatever
/// stands there now, it neither follows a link nor waits for the other end of a pipe.
pub fn open_file(
    folder: &FolderHandle,
    name: &[u8],
    expected: &Stamp,
) -> Result<FileReader, FileError> {
    let path = RelativePath::root().join(name)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open_quietly(folder, path.name(), flags).map_err(|errno| match errno {
        Errno::LOOP => FileError::OtherKind {
            wanted: "a file",
            found: "a symbolic link",
        },
        Errno::NXIO => FileError::OtherKind {
            wanted: "a file",
            found: "a socket or a device",
        },
        errno => FileError::of("opening the file", errno),
    })?;
    let stat = fstat(&fd).map_err(|errno| FileError::of("reading the file", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(FileError::OtherKind {
            wanted: "a file",
            found: kind_name(&stat),
        });
    }
    // Advice that is not taken costs a little speed and nothing else.
    let _refused = fadvise(&fd, 0, None, Advice::Sequential);
    let stamp = stamp_of(&stat);
    Ok(FileReader {
        file: File::from(fd),
        is_as_expected: stamp.is_unchanged_since(expected),
        stamp,
        stat,
        bytes_read: 0,
    })
}

/// An open file. Read it to its end, then ask [`FileReader::finish`].
#[derive(Debug)]
pub struct FileReader {
    file: File,
    stamp: Stamp,
    stat: Stat,
    is_as_expected: bool,
    bytes_read: u64,
}

impl FileReader {
    /// What the file was when it was opened; this and [`FileReader::meta`] belong to the
    /// bytes read, not what the walk saw earlier.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether it is still the file the walk saw.
    #[must_use]
    pub const fn is_as_expected(&self) -> bool {
        self.is_as_expected
    }

    /// Permissions, owner, times and attributes at the moment it was opened.
    pub fn meta(&self) -> Result<Meta, FileError> {
        let mut meta = meta_of(&self.stat);
        meta.xattrs = AttributeReader::default().read(&Bearer::Open(self.file.as_fd()))?;
        Ok(meta)
    }

    /// Whether it has holes.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        is_sparse(&self.stat)
    }

    /// What comes next in a file with holes: bytes to read, or a hole of at least
    /// `hole_bytes_min` to pass by [`FileReader::pass_hole`]. Shorter holes are read. Takes no
    /// time for the length of a hole. Nothing at the end.
    pub fn next_stretch(&mut self, hole_bytes_min: u64) -> io::Result<Option<Stretch>> {
        let (start, size) = (self.bytes_read, self.stamp.size_bytes);
        if start >= size {
            return Ok(None);
        }
        let mut at = start;
        while at < size {
            let data = match seek(&self.file, SeekFrom::Data(at)) {
                Ok(data) => data.min(size),
                Err(Errno::NXIO) => size,
                // This file system does not tell its holes.
                Err(_) => {
                    at = size;
                    break;
                }
            };
            if data - at >= hole_bytes_min {
                break;
            }
            at = match seek(&self.file, SeekFrom::Hole(data)) {
                Ok(hole) => hole.min(size),
                Err(_) => size,
            };
        }
        let next = if at > start {
            Stretch::Bytes(at - start)
        } else {
            let end = match seek(&self.file, SeekFrom::Data(at)) {
                Ok(data) => data.min(size),
                Err(_) => size,
            };
            Stretch::Hole(end - start)
        };
        seek(&self.file, SeekFrom::Start(start))?;
        Ok(Some(next))
    }

    /// Goes on behind so many bytes of a hole.
    pub fn pass_hole(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes_read += bytes;
        seek(&self.file, SeekFrom::Start(self.bytes_read))?;
        Ok(())
    }

    /// Says whether the bytes that were read are the file: it is what it was when it was
    /// opened, and as many bytes were read as it has.
    pub fn finish(self) -> Result<Stamp, Changed> {
        let before = self.stamp;
        let bytes_read = self.bytes_read;
        let after = fstat(&self.file).map(|stat| stamp_of(&stat)).ok();
        if after.is_some_and(|after| after.is_unchanged_since(&before))
            && bytes_read == before.size_bytes
        {
            return Ok(before);
        }
        Err(Changed {
            before,
            after,
            bytes_read,
        })
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.bytes_read += length as u64;
        Ok(length)
    }
}

/// A part of a file with holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// So many bytes that lie on the disk, short holes among them.
    Bytes(u64),
    /// So many that do not, and are zero.
    Hole(u64),
}

/// The file was written, or was not read as a whole, between opening and finishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file changed while it was read: {bytes_read} bytes were read, {} were expected", before.size_bytes)]
pub struct Changed {
    /// What it was when it was opened.
    pub before: Stamp,
    /// What it is now, if the system still says.
    pub after: Option<Stamp>,
    /// Bytes that were read.
    pub bytes_read: u64,
}

impl Changed {
    /// The problem of a report, when taking it again did not help either.
    #[must_use]
    pub fn into_problem(self, path: Vec<u8>) -> Problem {
        Problem {
            path,
            code: ErrorCode::Changed,
            detail: self.to_string(),
        }
    }
}
