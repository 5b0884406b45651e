//! One file being restored, under a temporary name until it is complete.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{FallocateFlags, fallocate, ftruncate};
use rustix::io::Errno;

use crate::folder::FolderHandle;
use crate::relative::RelativePath;
use crate::restore::links::Claim;
use crate::restore::ranges::Ranges;
use crate::restore::{RestoreError, part};

/// What file systems usually give space by.
const BLOCK_BYTES: usize = 4_096;
/// Files of at least so many bytes take their space before a byte is fetched; shorter ones come
/// in one piece or two, and a full disk shows at these.
const RESERVED_BYTES_MIN: u64 = 1024 * 1024;

/// A file that is being filled. Dropped before it is finished, it leaves nothing behind. A short
/// one takes no descriptor before its first piece comes.
#[derive(Debug)]
pub struct FileWriter {
    path: RelativePath,
    folder: FolderHandle,
    part: Option<Part>,
    size: u64,
    is_sparse: bool,
    written: Ranges,
    claim: Option<Claim>,
    is_placed: bool,
}

/// The file under its temporary name.
#[derive(Debug)]
struct Part {
    name: Vec<u8>,
    file: File,
}

impl FileWriter {
    /// A file of which no byte is there yet. A long one without holes takes its space, so that
    /// a full disk shows at once.
    pub(super) fn new(
        path: RelativePath,
        folder: FolderHandle,
        size: u64,
        is_sparse: bool,
    ) -> Result<Self, RestoreError> {
        let mut writer = Self {
            path,
            folder,
            part: None,
            size,
            is_sparse,
            written: Ranges::default(),
            claim: None,
            is_placed: false,
        };
        if size >= RESERVED_BYTES_MIN {
            writer.part()?;
        }
        Ok(writer)
    }

    /// The part, made at the first call in its full size.
    fn part(&mut self) -> Result<&Part, RestoreError> {
        if self.part.is_none() {
            let (name, file) = part::create(&self.folder)
                .map_err(|errno| RestoreError::of("making a file", errno))?;
            let part = self.part.insert(Part { name, file });
            reserve(&part.file, self.size, self.is_sparse)
                .map_err(|errno| RestoreError::of("reserving space", errno))?;
        }
        // It was put there above.
        self.part
            .as_ref()
            .ok_or(RestoreError::of("making a file", Errno::IO))
    }

    /// Where the file will be.
    #[must_use]
    pub const fn path(&self) -> &RelativePath {
        &self.path
    }

    /// Bytes the file will have.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that are still missing.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.size - self.written.covered()
    }

    /// Writes a piece. Pieces may come in any order, and twice.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), RestoreError> {
        let length = bytes.len() as u64;
        let end = offset.checked_add(length).filter(|end| *end <= self.size);
        let Some(end) = end else {
            return Err(RestoreError::OutOfRange {
                offset,
                length,
                size: self.size,
            });
        };
        let is_sparse = self.is_sparse;
        let file = &self.part()?.file;
        let written = if is_sparse {
            write_without_zeros(file, offset, bytes)
        } else {
            file.write_all_at(bytes, offset)
        };
        written.map_err(|error| RestoreError::of("writing", errno_of(&error)))?;
        self.written.add(offset, end)
    }

    /// Leaves zero bytes of a sparse file as the hole that is there.
    pub fn leave_hole(&mut self, offset: u64, length: u64) -> Result<(), RestoreError> {
        let end = offset.checked_add(length).filter(|end| *end <= self.size);
        match end {
            Some(end) if self.is_sparse => self.written.add(offset, end),
            Some(_) | None => Err(RestoreError::OutOfRange {
                offset,
                length,
                size: self.size,
            }),
        }
    }

    pub(super) fn check_complete(&self) -> Result<(), RestoreError> {
        match self.missing() {
            0 => Ok(()),
            missing => Err(RestoreError::Incomplete {
                missing,
                size: self.size,
            }),
        }
    }

    pub(super) fn sync(&mut self) -> Result<(), RestoreError> {
        self.part()?
            .file
            .sync_all()
            .map_err(|error| RestoreError::of("forcing the file to the disk", errno_of(&error)))
    }

    pub(super) fn fd(&mut self) -> Result<BorrowedFd<'_>, RestoreError> {
        Ok(self.part()?.file.as_fd())
    }

    pub(super) const fn folder(&self) -> &FolderHandle {
        &self.folder
    }

    pub(super) fn part_name(&mut self) -> Result<&[u8], RestoreError> {
        Ok(&self.part()?.name)
    }

    /// Says that the part has its final name and is no longer to be removed.
    pub(super) const fn set_placed(&mut self) {
        self.is_placed = true;
    }

    /// Makes this the file that other names are linked to once it is in its place.
    pub(super) fn set_claim(&mut self, claim: Claim) {
        self.claim = Some(claim);
    }

    pub(super) const fn take_claim(&mut self) -> Option<Claim> {
        self.claim.take()
    }
}

fn reserve(file: &File, size: u64, is_sparse: bool) -> Result<(), Errno> {
    if is_sparse {
        return ftruncate(file, size);
    }
    if size < RESERVED_BYTES_MIN {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => ftruncate(file, size),
        other => other,
    }
}

/// Writes what is not zero, in runs of whole blocks.
fn write_without_zeros(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut run = 0..0;
    let mut at = 0;
    while at < bytes.len() {
        let into_block = (offset + at as u64) % BLOCK_BYTES as u64;
        let into_block = usize::try_from(into_block).unwrap_or(0);
        let end = bytes.len().min(at + BLOCK_BYTES - into_block);
        if bytes[at..end].iter().all(|byte| *byte == 0) {
            file.write_all_at(&bytes[run.clone()], offset + run.start as u64)?;
            run = end..end;
        } else {
            run.end = end;
        }
        at = end;
    }
    file.write_all_at(&bytes[run.clone()], offset + run.start as u64)
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if let Some(part) = &self.part
            && !self.is_placed
        {
            // If this fails, the part is a leftover and the next restore removes it.
            let _left = part::remove(&self.folder, &part.name);
        }
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
