//! Bytes of a shard on their way to the disk, hashed as they pass.
//!
//! They go around the page cache where the file system lets them: what is written once, and
//! read months later or never, would only push out what the machine's owner works with, and
//! a sync would wait for it anyway.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// What file and memory must be aligned to on all disks there are.
const ALIGN_BYTES: usize = 4_096;
/// Bytes written at once.
const STEP_BYTES: usize = 1 << 20;
/// What is read at once of a part that was there before.
const READ_BYTES: usize = 256 * 1024;

/// A reader of a whole shard: first of what is in the file, then of the pieces that come, which
/// are in the file before they are given out.
pub(super) struct Intake<'a, I: Iterator> {
    file: &'a mut File,
    pieces: I,
    /// Bytes of the file that were there before and were not given out yet.
    before: u64,
    /// Bytes that are to come.
    missing: u64,
    /// The end of the file.
    written: u64,
    rest: Option<(I::Item, usize)>,
    step: Step,
    is_direct: bool,
    has_surplus: bool,
}

impl<'a, I> Intake<'a, I>
where
    I: Iterator<Item: AsRef<[u8]>>,
{
    /// Goes on behind the first `written` bytes of the file; `missing` are to come.
    pub(super) fn new(
        file: &'a mut File,
        written: u64,
        missing: u64,
        pieces: I,
    ) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            file,
            pieces,
            before: written,
            missing,
            written,
            rest: None,
            step: Step::new(),
            is_direct: false,
            has_surplus: false,
        })
    }

    /// Bytes in the file.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether more came than was to come.
    pub(super) fn has_surplus(&mut self) -> bool {
        self.has_surplus || self.missing == 0 && self.pieces.next().is_some()
    }

    /// Writes what is at hand, be it a whole step or not.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let bytes = self.step.bytes();
        let is_whole = bytes.len().is_multiple_of(ALIGN_BYTES);
        if self.is_direct && !is_whole {
            self.is_direct = !set_direct(self.file, false);
        }
        if let Err(error) = self.file.write_all(self.step.bytes()) {
            let refuses = self.is_direct && error.kind() == io::ErrorKind::InvalidInput;
            if !refuses || !set_direct(self.file, false) {
                return Err(error);
            }
            self.is_direct = false;
            self.file.seek(SeekFrom::Start(self.written))?;
            self.file.write_all(self.step.bytes())?;
        }
        self.written += self.step.bytes().len() as u64;
        Ok(())
    }

    /// Fills a step and writes it; nothing comes when it is empty.
    fn advance(&mut self) -> io::Result<()> {
        self.step.clear();
        while self.missing > 0 && !self.step.is_full() {
            let Some((piece, at)) = self.rest.take().or_else(|| Some((self.pieces.next()?, 0)))
            else {
                break;
            };
            let bytes = piece.as_ref().get(at..).unwrap_or_default();
            if bytes.len() as u64 > self.missing {
                // Whatever it is, it is not this shard.
                self.has_surplus = true;
                break;
            }
            let taken = self.step.take(bytes);
            self.missing -= taken as u64;
            if at + taken < piece.as_ref().len() {
                self.rest = Some((piece, at + taken));
            }
        }
        self.flush()
    }

    /// From here on what is read was just written.
    fn begin_to_write(&mut self) -> io::Result<()> {
        let end = self.file.seek(SeekFrom::Start(self.written))?;
        let is_aligned = end.is_multiple_of(ALIGN_BYTES as u64);
        self.is_direct = is_aligned && self.missing > 0 && set_direct(self.file, true);
        Ok(())
    }
}

impl<I> Read for Intake<'_, I>
where
    I: Iterator<Item: AsRef<[u8]>>,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.before > 0 {
            let limit = usize::try_from(self.before).unwrap_or(usize::MAX);
            let limit = buffer.len().min(limit);
            let count = self.file.read(&mut buffer[..limit])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.before -= count as u64;
            if self.before == 0 {
                self.begin_to_write()?;
            }
            return Ok(count);
        }
        if self.step.is_read() {
            if self.written == 0 {
                self.begin_to_write()?;
            }
            self.advance()?;
        }
        Ok(self.step.read(buffer))
    }
}

impl<I: Iterator> Drop for Intake<'_, I> {
    fn drop(&mut self) {
        if self.is_direct {
            set_direct(self.file, false);
        }
    }
}

/// Reads a file from its beginning in large steps.
pub(super) fn from_beginning(file: &mut File, bytes: u64) -> io::Result<impl Read + '_> {
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::with_capacity(READ_BYTES, file.take(bytes)))
}

/// Switches whether writes go around the page cache; says whether that was done.
fn set_direct(file: &File, wanted: bool) -> bool {
    let Ok(mut flags) = fcntl_getfl(file.as_fd()) else {
        return false;
    };
    flags.set(OFlags::DIRECT, wanted);
    fcntl_setfl(file.as_fd(), flags).is_ok()
}

/// An aligned buffer.
struct Step {
    memory: Vec<u8>,
    start: usize,
    length: usize,
    read: usize,
}

impl Step {
    fn new() -> Self {
        let memory = vec![0; STEP_BYTES + ALIGN_BYTES];
        let start = memory.as_ptr().align_offset(ALIGN_BYTES).min(ALIGN_BYTES);
        Self {
            memory,
            start,
            length: 0,
            read: 0,
        }
    }

    fn clear(&mut self) {
        (self.length, self.read) = (0, 0);
    }

    const fn is_full(&self) -> bool {
        self.length == STEP_BYTES
    }

    const fn is_read(&self) -> bool {
        self.read == self.length
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    /// Takes what there is room for; gives how much that was.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(STEP_BYTES - self.length);
        let at = self.start + self.length;
        self.memory[at..at + count].copy_from_slice(&bytes[..count]);
        self.length += count;
        count
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.length - self.read);
        let at = self.start + self.read;
        buffer[..count].copy_from_slice(&self.memory[at..at + count]);
        self.read += count;
        count
    }
}
