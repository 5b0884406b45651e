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

/// A file that is being filled. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct FileWriter {
    path: RelativePath,
    folder: FolderHandle,
    part_name: Vec<u8>,
    file: File,
    size: u64,
    is_sparse: bool,
    written: Ranges,
    claim: Option<Claim>,
    is_placed: bool,
}

impl FileWriter {
    /// Makes an empty part of the full size. For a file without holes its space is taken, so
    /// that a full disk shows at once.
    pub(super) fn create(
        path: RelativePath,
        folder: FolderHandle,
        size: u64,
        is_sparse: bool,
    ) -> Result<Self, RestoreError> {
        let (part_name, file) =
            part::create(&folder).map_err(|errno| RestoreError::of("making a file", errno))?;
        let writer = Self {
            path,
            folder,
            part_name,
            file,
            size,
            is_sparse,
            written: Ranges::default(),
            claim: None,
            is_placed: false,
        };
        writer
            .reserve()
            .map_err(|errno| RestoreError::of("reserving space", errno))?;
        Ok(writer)
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
        let written = if self.is_sparse {
            self.write_without_zeros(offset, bytes)
        } else {
            self.file.write_all_at(bytes, offset)
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

    /// Writes what is not zero, in runs of whole blocks.
    fn write_without_zeros(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut run = 0..0;
        let mut at = 0;
        while at < bytes.len() {
            let into_block = (offset + at as u64) % BLOCK_BYTES as u64;
            let into_block = usize::try_from(into_block).unwrap_or(0);
            let end = bytes.len().min(at + BLOCK_BYTES - into_block);
            if bytes[at..end].iter().all(|byte| *byte == 0) {
                self.file
                    .write_all_at(&bytes[run.clone()], offset + run.start as u64)?;
                run = end..end;
            } else {
                run.end = end;
            }
            at = end;
        }
        self.file
            .write_all_at(&bytes[run.clone()], offset + run.start as u64)
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

    pub(super) fn sync(&self) -> Result<(), RestoreError> {
        self.file
            .sync_all()
            .map_err(|error| RestoreError::of("forcing the file to the disk", errno_of(&error)))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(super) const fn folder(&self) -> &FolderHandle {
        &self.folder
    }

    pub(super) fn part_name(&self) -> &[u8] {
        &self.part_name
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

    fn reserve(&self) -> Result<(), Errno> {
        if self.size == 0 {
            return Ok(());
        }
        if self.is_sparse {
            return ftruncate(&self.file, self.size);
        }
        match fallocate(&self.file, FallocateFlags::empty(), 0, self.size) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => ftruncate(&self.file, self.size),
            other => other,
        }
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.is_placed {
            // If this fails, the part is a leftover and the next restore removes it.
            let _left = part::remove(&self.folder, &self.part_name);
        }
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
