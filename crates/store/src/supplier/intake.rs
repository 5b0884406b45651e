//! Bytes of a shard on their way to the disk, hashed as they pass.
//!
//! They go around the page cache where the file system lets them: what is written once, and
//! read months later or never, would only push out what the machine's owner works with, and
//! a sync would wait for it anyway. They are written from where they lie; pieces that do not
//! begin and end where the disk wants it, the last of a shard at least, take the usual way.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use bitdust_model::limits::DISK_ALIGN_BYTES;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Bytes from which on what came is written.
const STEP_BYTES: usize = 1 << 20;
/// Pieces from which on they are written, however short they are.
const STEP_PIECES: usize = 256;
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
    /// Pieces that are in the file and were not given out yet.
    step: VecDeque<I::Item>,
    /// How much of the first of them was given out.
    given: usize,
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
            step: VecDeque::new(),
            given: 0,
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

    /// Takes the pieces of a step and writes them; nothing comes when there are none.
    fn advance(&mut self) -> io::Result<()> {
        let mut bytes = 0;
        while self.missing > 0 && bytes < STEP_BYTES && self.step.len() < STEP_PIECES {
            let Some(piece) = self.pieces.next() else {
                break;
            };
            let length = piece.as_ref().len();
            let Some(missing) = self.missing.checked_sub(length as u64) else {
                // Whatever it is, it is not this shard.
                self.has_surplus = true;
                break;
            };
            self.missing = missing;
            bytes += length;
            self.step.push_back(piece);
        }
        self.write_step()
    }

    /// Writes the pieces of a step: those that the disk takes as they lie around the page cache,
    /// and from the first other one on all of them the usual way.
    fn write_step(&mut self) -> io::Result<()> {
        let pieces: Vec<&[u8]> = self.step.iter().map(AsRef::as_ref).collect();
        let aligned = pieces.iter().take_while(|piece| is_aligned(piece));
        let direct = if self.is_direct { aligned.count() } else { 0 };
        let (aligned, others) = match write_all(self.file, &pieces[..direct]) {
            Ok(()) => pieces.split_at(direct),
            // This disk wants it otherwise.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => pieces.split_at(0),
            Err(error) => return Err(error),
        };
        self.written += length_of(aligned);
        if others.is_empty() {
            return Ok(());
        }
        if self.is_direct {
            self.is_direct = !set_direct(self.file, false);
            self.file.seek(SeekFrom::Start(self.written))?;
        }
        write_all(self.file, others)?;
        self.written += length_of(others);
        Ok(())
    }

    /// From here on what is read was just written.
    fn begin_to_write(&mut self) -> io::Result<()> {
        let end = self.file.seek(SeekFrom::Start(self.written))?;
        let is_aligned = end.is_multiple_of(DISK_ALIGN_BYTES as u64);
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
        if self.step.is_empty() {
            if self.written == 0 {
                self.begin_to_write()?;
            }
            self.advance()?;
        }
        while let Some(piece) = self.step.front() {
            let rest = piece.as_ref().get(self.given..).unwrap_or_default();
            let count = buffer.len().min(rest.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.given += count;
            if count == rest.len() {
                self.step.pop_front();
                self.given = 0;
            }
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
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

/// Whether a piece begins and ends where disks want it.
fn is_aligned(piece: &[u8]) -> bool {
    piece.as_ptr().align_offset(DISK_ALIGN_BYTES) == 0
        && piece.len().is_multiple_of(DISK_ALIGN_BYTES)
}

fn length_of(pieces: &[&[u8]]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// Writes all pieces, with as few calls as the system lets.
fn write_all(file: &mut File, pieces: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = &mut slices[..];
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut left, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A piece that begins so many bytes behind where a disk wants it.
    #[derive(Debug, Clone)]
    struct Piece {
        memory: Vec<u8>,
        start: usize,
    }

    impl Piece {
        fn new(length: usize, misplaced: usize, filled_with: u8) -> Self {
            let mut memory = vec![0; length + 2 * DISK_ALIGN_BYTES];
            let start = memory.as_ptr().align_offset(DISK_ALIGN_BYTES) + misplaced;
            memory.truncate(start + length);
            memory[start..].fill(filled_with);
            Self { memory, start }
        }
    }

    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            &self.memory[self.start..]
        }
    }

    fn piece() -> impl Strategy<Value = Piece> {
        let pages = (0..40_usize).prop_map(|pages| pages * DISK_ALIGN_BYTES);
        let length = prop_oneof![3 => pages, 1 => 0..200_000_usize];
        let misplaced = prop_oneof![3 => Just(0), 1 => 1..DISK_ALIGN_BYTES];
        (length, misplaced, any::<u8>())
            .prop_map(|(length, misplaced, byte)| Piece::new(length, misplaced, byte))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_comes_is_in_the_file_and_given_out_in_its_order(
            pieces in prop::collection::vec(piece(), 0..30),
            before in prop_oneof![Just(0), Just(DISK_ALIGN_BYTES), Just(777)],
            times in 1..600_usize,
        ) {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(&vec![9; before]).expect("written");
            let tiny = std::iter::repeat_n(Piece::new(1, 5, 3), times);
            let all = || pieces.iter().cloned().chain(tiny.clone());
            let mut wanted = vec![9; before];
            all().for_each(|piece| wanted.extend_from_slice(piece.as_ref()));
            let missing = (wanted.len() - before) as u64;
            let mut intake = Intake::new(&mut file, before as u64, missing, all()).expect("begun");
            let mut given = Vec::new();
            intake.read_to_end(&mut given).expect("read");
            prop_assert_eq!(intake.written(), wanted.len() as u64);
            prop_assert!(!intake.has_surplus());
            drop(intake);
            prop_assert!(given == wanted, "given out as it came");
            let flags = fcntl_getfl(file.as_fd()).expect("flags");
            prop_assert!(!flags.contains(OFlags::DIRECT), "set back");
            let mut kept = Vec::new();
            file.seek(SeekFrom::Start(0)).expect("sought");
            file.read_to_end(&mut kept).expect("read");
            prop_assert!(kept == wanted, "written as it came");
        }
    }
}
