//! Cuts a stream of bytes into content-defined chunks: FastCDC of 2020.
//!
//! The cut depends on the bytes and on the seed alone, never on how the reader hands them
//! out. Parameters are part of the format: bounds of 256 KiB, 1 MiB and 4 MiB, level 2 of
//! normalisation (22 mask bits below the average, 18 above), and the crate's gear table with
//! every value XORed with the seed. Another choice would cut the same file elsewhere, and
//! nothing would be recognised any more.
//!
//! Invariant: a cutter holds one buffer of at most `CHUNKER_BUFFER_BYTES`, and two more for
//! streams that are cut ahead, however many streams it cuts and however long they are.

use std::borrow::Cow;
use std::io::{self, Read};

use bitdust_model::limits::{
    CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CHUNKER_BUFFER_BYTES,
};
use fastcdc::v2020::{Normalization, cut_gear, get_gear_with_seed, select_masks};

mod ahead;
mod slabs;

use slabs::Slabs;

/// The level of normalised chunking: most chunks are close to the average.
const LEVEL: Normalization = Normalization::Level2;
/// What a small file makes the buffer cost.
const FIRST_BUFFER_BYTES: usize = 64 * 1024;
/// By how much the buffer grows while a file turns out to be longer.
const BUFFER_GROWTH: usize = 8;

/// The cutting rule of one identity's epoch.
#[derive(Clone)]
pub struct Chunker {
    gear: Cow<'static, [u64]>,
    gear_shifted: Cow<'static, [u64]>,
    mask_below: u64,
    mask_above: u64,
}

impl Chunker {
    /// A rule with a gear table of its own, so that chunk lengths are no fingerprint.
    #[must_use]
    pub fn new(gear_seed: u64) -> Self {
        let (gear, gear_shifted) = get_gear_with_seed(gear_seed);
        let (mask_below, mask_above) = select_masks(CHUNK_BYTES_AVERAGE, LEVEL);
        Self {
            gear,
            gear_shifted,
            mask_below,
            mask_above,
        }
    }

    /// The length of the first chunk of `bytes`. It is final where it is less than there are;
    /// otherwise more bytes must be at hand, `CHUNK_BYTES_MAX` or all there are.
    fn cut(&self, bytes: &[u8]) -> usize {
        let (_hash, length) = cut_gear(
            bytes,
            CHUNK_BYTES_MIN,
            CHUNK_BYTES_AVERAGE,
            CHUNK_BYTES_MAX,
            self.mask_below,
            self.mask_above,
            self.mask_below << 1,
            self.mask_above << 1,
            &self.gear,
            &self.gear_shifted,
        );
        length
    }
}

/// Cuts one stream after the other, all in one buffer.
pub struct Cutter {
    chunker: Chunker,
    buffer: Vec<u8>,
    slabs: Slabs,
}

impl Cutter {
    /// Cuts by this rule.
    #[must_use]
    pub fn new(chunker: Chunker) -> Self {
        Self {
            chunker,
            buffer: Vec::new(),
            slabs: Slabs::default(),
        }
    }

    /// The chunks of a stream in order; one of no bytes has none.
    pub fn chunks<R: Read>(&mut self, reader: R) -> Chunks<'_, R> {
        Chunks {
            chunker: &self.chunker,
            reader,
            buffer: &mut self.buffer,
            start: 0,
            end: 0,
            ended: false,
        }
    }
}

/// The chunks of one stream, made as they are asked for.
pub struct Chunks<'a, R> {
    chunker: &'a Chunker,
    reader: R,
    buffer: &'a mut Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Chunks<'_, R> {
    /// The next chunk; nothing at the end, and nothing more after an error.
    pub fn next_chunk(&mut self) -> io::Result<Option<&[u8]>> {
        let length = loop {
            if let Some(length) = self.cut() {
                break length;
            }
            if let Err(error) = self.fill() {
                self.ended = true;
                self.start = self.end;
                return Err(error);
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let chunk = &self.buffer[self.start..self.start + length];
        self.start += length;
        Ok(Some(chunk))
    }

    /// The length of the next chunk, none at the end; nothing while more bytes could move its
    /// end.
    fn cut(&self) -> Option<usize> {
        let bytes = &self.buffer[self.start..self.end];
        let length = self.chunker.cut(bytes);
        let is_final = self.ended || length < bytes.len() || length == CHUNK_BYTES_MAX;
        is_final.then_some(length)
    }

    /// Reads until the buffer is full or the stream has ended.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while !self.ended && self.end < CHUNKER_BUFFER_BYTES {
            if self.end == self.buffer.len() {
                let grown = self.buffer.len() * BUFFER_GROWTH;
                self.buffer
                    .resize(grown.clamp(FIRST_BUFFER_BYTES, CHUNKER_BUFFER_BYTES), 0);
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::noise;

    const SEED: u64 = 0x0123_4567_89ab_cdef;

    #[test]
    fn cut_points_of_the_format_never_move() {
        let lengths = lengths_of(&cut(SEED, &noise(1, 16 << 20)[..]));
        assert_eq!(lengths, GOLDEN_LENGTHS);
    }

    /// The definition in docs/FORMAT.md, one byte at a time.
    #[test]
    fn cuts_follow_the_written_definition() {
        let (gear, _) = get_gear_with_seed(SEED);
        let stream = noise(6, 24 << 20);
        let mut rest = &stream[..];
        for chunk in cut(SEED, &stream[..]) {
            let end = rest.len().min(CHUNK_BYTES_MAX) / 2 * 2;
            let mut hash = 0_u64;
            let length = (CHUNK_BYTES_MIN..end).find(|&at| {
                hash = (hash << 1).wrapping_add(gear[usize::from(rest[at])]);
                let mask = if at < CHUNK_BYTES_AVERAGE {
                    MASK_BELOW
                } else {
                    MASK_ABOVE
                };
                hash & mask == 0
            });
            assert_eq!(
                chunk.len(),
                length.unwrap_or(rest.len().min(CHUNK_BYTES_MAX))
            );
            rest = &rest[chunk.len()..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn chunks_join_to_the_stream_and_keep_the_bounds() {
        for bytes in [0, 1, CHUNK_BYTES_MIN, CHUNK_BYTES_MAX + 1, 21_000_001] {
            let stream = noise(2, bytes);
            let chunks = cut(SEED, &stream[..]);
            assert_eq!(chunks.concat(), stream, "{bytes} bytes");
            let (_, inner) = chunks.split_last().unwrap_or((const { &Vec::new() }, &[]));
            assert!(inner.iter().all(|chunk| chunk.len() >= CHUNK_BYTES_MIN));
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
        }
    }

    #[test]
    fn a_stream_without_bytes_gives_no_chunk() {
        assert!(cut(SEED, &[][..]).is_empty());
    }

    #[test]
    fn a_stream_of_one_value_gives_chunks_of_the_largest_size() {
        let lengths = lengths_of(&cut(SEED, &vec![7; 9 << 20][..]));
        assert_eq!(lengths, [CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 1 << 20]);
    }

    #[test]
    fn the_reader_cannot_move_a_cut() {
        let stream = noise(3, 12_345_678);
        let stutter = Stutter {
            rest: &stream,
            turn: 0,
        };
        assert_eq!(cut(SEED, stutter), cut(SEED, &stream[..]));
    }

    #[test]
    fn a_stream_cut_ahead_has_the_same_chunks() {
        let mut cutter = Cutter::new(Chunker::new(SEED));
        for bytes in [0, 1, CHUNK_BYTES_MIN, CHUNK_BYTES_MAX + 1, 21_000_001, 3] {
            let stream = noise(2, bytes);
            let stutter = Stutter {
                rest: &stream,
                turn: 0,
            };
            assert_eq!(
                cut_ahead(&mut cutter, stutter),
                cut(SEED, &stream[..]),
                "{bytes} bytes"
            );
        }
        let same = io::repeat(7).take(29 << 20);
        let mut lengths = vec![CHUNK_BYTES_MAX; 7];
        lengths.push(1 << 20);
        assert_eq!(lengths_of(&cut_ahead(&mut cutter, same)), lengths);
    }

    #[test]
    fn a_stream_cut_ahead_ends_with_its_error_or_when_told() {
        let mut cutter = Cutter::new(Chunker::new(SEED));
        let stream = noise(11, 30 << 20);
        let mut taken = 0;
        let broken = cutter.cut_ahead(stream.chain(Broken), |chunk| {
            taken += chunk?.len();
            io::Result::Ok(())
        });
        assert!(broken.is_err());
        assert!((16 << 20..=30 << 20).contains(&taken), "{taken} bytes");
        let mut taken = 0;
        let told = cutter.cut_ahead(io::repeat(1), |_| {
            taken += 1;
            if taken == 5 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((told, taken), (Err("enough"), 5));
    }

    #[test]
    fn an_inserted_byte_changes_few_chunks() {
        let stream = noise(4, 32 << 20);
        let mut edited = stream.clone();
        edited.insert(15_000_000, 0x55);
        let before: BTreeSet<_> = cut(SEED, &stream[..]).into_iter().collect();
        let after: BTreeSet<_> = cut(SEED, &edited[..]).into_iter().collect();
        assert!(before.len() > 20, "the stream has chunks to keep");
        let fresh = after.difference(&before).count();
        assert!((1..=3).contains(&fresh), "{fresh} chunks changed");
    }

    #[test]
    fn another_seed_cuts_elsewhere() {
        let stream = noise(5, 16 << 20);
        assert_ne!(
            lengths_of(&cut(SEED, &stream[..])),
            lengths_of(&cut(SEED + 1, &stream[..]))
        );
    }

    #[test]
    fn an_error_ends_the_stream() {
        let mut cutter = Cutter::new(Chunker::new(SEED));
        let mut chunks = cutter.chunks(Broken);
        assert!(chunks.next_chunk().is_err());
        assert!(chunks.next_chunk().expect("it has ended").is_none());
    }

    #[test]
    fn the_buffer_stays_within_its_bound() {
        let mut cutter = Cutter::new(Chunker::new(SEED));
        for _ in 0..2 {
            let mut chunks = cutter.chunks(io::repeat(1).take(40 << 20));
            while chunks.next_chunk().expect("reading from memory").is_some() {
                assert!(chunks.buffer.capacity() <= CHUNKER_BUFFER_BYTES);
            }
        }
    }

    const MASK_BELOW: u64 = 0x0000_d937_6753_7000;
    const MASK_ABOVE: u64 = 0x0000_d907_0753_7000;
    const GOLDEN_LENGTHS: [usize; 14] = [
        1_122_246, 1_097_106, 1_108_506, 1_542_891, 1_102_761, 1_116_629, 849_002, 1_229_486,
        1_260_020, 1_060_954, 1_494_146, 1_358_061, 1_261_836, 1_173_572,
    ];

    #[test]
    fn one_buffer_serves_many_streams() {
        let mut cutter = Cutter::new(Chunker::new(SEED));
        for (seed, bytes) in [(7, 9_000_000), (8, 3), (9, 70_000), (10, 5_000_000)] {
            let stream = noise(seed, bytes);
            assert_eq!(cut_by(&mut cutter, &stream[..]), cut(SEED, &stream[..]));
        }
    }

    fn cut(seed: u64, stream: impl Read) -> Vec<Vec<u8>> {
        cut_by(&mut Cutter::new(Chunker::new(seed)), stream)
    }

    fn cut_by(cutter: &mut Cutter, stream: impl Read) -> Vec<Vec<u8>> {
        let mut chunks = cutter.chunks(stream);
        let mut cut = Vec::new();
        while let Some(chunk) = chunks.next_chunk().expect("reading from memory") {
            cut.push(chunk.to_vec());
        }
        cut
    }

    fn cut_ahead(cutter: &mut Cutter, stream: impl Read + Send) -> Vec<Vec<u8>> {
        let mut cut = Vec::new();
        let ended = cutter.cut_ahead(stream, |chunk| {
            cut.push(chunk?.to_vec());
            io::Result::Ok(())
        });
        ended.expect("reading from memory");
        cut
    }

    fn lengths_of(chunks: &[Vec<u8>]) -> Vec<usize> {
        chunks.iter().map(Vec::len).collect()
    }

    /// Hands out few bytes at a time and is interrupted between.
    struct Stutter<'a> {
        rest: &'a [u8],
        turn: usize,
    }

    impl Read for Stutter<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.turn += 1;
            if self.turn.is_multiple_of(5) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let limit = target.len().min(1 + self.turn * 7919 % 100_000);
            self.rest.read(&mut target[..limit])
        }
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Other.into())
        }
    }
}
