//! Makes chunks smaller where that helps, and never larger when they come back.
//!
//! zstd at level 3; a chunk that does not shrink is kept as it is. Decompression writes into
//! a buffer of the promised length, so that no input can make more than it said.

use std::cell::RefCell;

use bitdust_model::limits::CHUNK_BYTES_MAX;
use zstd::bulk::{Compressor, Decompressor};

/// The level of the format's writer; readers take any.
pub const COMPRESSION_LEVEL: i32 = 3;

/// Why stored bytes are not the chunk they claim to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The record promises more than any chunk may have; nothing was allocated.
    #[error("a chunk claims {raw_bytes} bytes, at most {CHUNK_BYTES_MAX} are allowed")]
    TooLong {
        /// The promised length.
        raw_bytes: u32,
    },
    /// The bytes are no zstd frame of the promised length.
    #[error("a chunk does not unpack to the {raw_bytes} bytes it claims")]
    Damaged {
        /// The promised length.
        raw_bytes: u32,
    },
}

/// Appends a chunk to `target`, compressed if that makes it smaller; says whether it is.
///
/// # Panics
/// If the chunk is longer than `CHUNK_BYTES_MAX`.
pub fn compress_into(raw: &[u8], target: &mut Vec<u8>) -> bool {
    assert!(
        raw.len() <= CHUNK_BYTES_MAX,
        "a chunk of {} bytes is too long",
        raw.len()
    );
    COMPRESSOR.with_borrow_mut(|compressor| {
        let made = compressor.shrink(raw);
        target.extend_from_slice(made.unwrap_or(raw));
        made.is_some()
    })
}

/// Makes the chunk that lies at the end of `bytes` from `start` on plain. It never gets longer than
/// `raw_bytes`, and that never exceeds `CHUNK_BYTES_MAX`.
pub fn decompress_within(
    bytes: &mut Vec<u8>,
    start: usize,
    compressed: bool,
    raw_bytes: u32,
) -> Result<(), DecompressError> {
    let length = raw_bytes as usize;
    if length > CHUNK_BYTES_MAX {
        return Err(DecompressError::TooLong { raw_bytes });
    }
    if compressed {
        EXPANDER.with_borrow_mut(|expander| {
            let frame = bytes.get(start..).unwrap_or_default();
            let raw = expander.expand(frame, length);
            let raw = raw.ok_or(DecompressError::Damaged { raw_bytes })?;
            bytes.truncate(start);
            bytes.extend_from_slice(raw);
            Ok(())
        })?;
    }
    if bytes.len().checked_sub(start) == Some(length) {
        Ok(())
    } else {
        Err(DecompressError::Damaged { raw_bytes })
    }
}

thread_local! {
    // Contexts cost megabytes and microseconds to set up, so each thread keeps one.
    static COMPRESSOR: RefCell<Shrinker> = const { RefCell::new(Shrinker::new()) };
    static EXPANDER: RefCell<Expander> = const { RefCell::new(Expander::new()) };
}

/// A compressor with the room for what it makes.
struct Shrinker {
    compressor: Option<Compressor<'static>>,
    made: Vec<u8>,
}

impl Shrinker {
    const fn new() -> Self {
        Self {
            compressor: None,
            made: Vec::new(),
        }
    }

    /// The compressed bytes if they are fewer. A failure of zstd is no error here: the chunk is
    /// then stored as it is, and nothing is lost but space.
    fn shrink(&mut self, raw: &[u8]) -> Option<&[u8]> {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(COMPRESSION_LEVEL).ok();
        }
        // One byte less than the chunk: a frame that does not fit did not shrink it.
        let room = raw.len().checked_sub(1)?;
        if self.made.len() < room {
            self.made.resize(room, 0);
        }
        let compressor = self.compressor.as_mut()?;
        let bytes = compressor
            .compress_to_buffer(raw, &mut self.made[..room])
            .ok()?;
        Some(&self.made[..bytes])
    }
}

/// A decompressor with the room for what it makes.
struct Expander {
    decompressor: Option<Decompressor<'static>>,
    made: Vec<u8>,
}

impl Expander {
    const fn new() -> Self {
        Self {
            decompressor: None,
            made: Vec::new(),
        }
    }

    /// The plain bytes, `length` of them at most.
    fn expand(&mut self, frame: &[u8], length: usize) -> Option<&[u8]> {
        if self.decompressor.is_none() {
            self.decompressor = Decompressor::new().ok();
        }
        if self.made.len() < length {
            self.made.resize(length, 0);
        }
        let decompressor = self.decompressor.as_mut()?;
        let bytes = decompressor
            .decompress_to_buffer(frame, &mut self.made[..length])
            .ok()?;
        Some(&self.made[..bytes])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::noise;

    fn compress(raw: &[u8]) -> (Vec<u8>, bool) {
        let mut target = b"before".to_vec();
        let compressed = compress_into(raw, &mut target);
        assert_eq!(&target[..6], b"before");
        (target.split_off(6), compressed)
    }

    fn decompress(
        mut bytes: Vec<u8>,
        compressed: bool,
        raw_bytes: u32,
    ) -> Result<Vec<u8>, DecompressError> {
        bytes.splice(..0, *b"before");
        decompress_within(&mut bytes, 6, compressed, raw_bytes)?;
        assert_eq!(&bytes[..6], b"before");
        Ok(bytes.split_off(6))
    }

    #[test]
    fn text_shrinks_and_comes_back() {
        let raw = b"the same words again and again, ".repeat(1000);
        let (bytes, compressed) = compress(&raw);
        assert!(compressed);
        assert!(bytes.len() < raw.len() / 10);
        assert_eq!(decompress(bytes, true, 32_000), Ok(raw));
    }

    #[test]
    fn noise_is_stored_as_it_is() {
        let raw = noise(1, 100_000);
        assert_eq!(compress(&raw), (raw.clone(), false));
        assert_eq!(compress(&[]), (vec![], false));
        assert_eq!(compress(b"x"), (b"x".to_vec(), false));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).expect("compressing zeros");
        assert!(bomb.len() < 10_000, "it is a bomb");
        for raw_bytes in [0, 1, 1000, 4 << 20] {
            let refused = Err(DecompressError::Damaged { raw_bytes });
            assert_eq!(decompress(bomb.clone(), true, raw_bytes), refused);
        }
        let refused = Err(DecompressError::TooLong {
            raw_bytes: 64 << 20,
        });
        assert_eq!(decompress(bomb, true, 64 << 20), refused);
    }

    #[test]
    fn a_wrong_length_is_noticed() {
        let (bytes, _) = compress(&[9; 5000]);
        assert!(decompress(bytes.clone(), true, 4999).is_err());
        assert!(decompress(bytes, true, 5001).is_err());
        assert!(decompress(vec![1, 2, 3], false, 4).is_err());
    }

    proptest! {
        #[test]
        fn every_chunk_comes_back(raw in prop::collection::vec(0_u8..4, 0..5000)) {
            let (bytes, compressed) = compress(&raw);
            prop_assert!(bytes.len() <= raw.len());
            let raw_bytes = u32::try_from(raw.len()).expect("short");
            prop_assert_eq!(decompress(bytes, compressed, raw_bytes), Ok(raw));
        }

        #[test]
        fn garbage_never_gives_more_than_it_said(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            compressed: bool,
            raw_bytes in 0_u32..10_000,
        ) {
            if let Ok(raw) = decompress(bytes, compressed, raw_bytes) {
                prop_assert_eq!(raw.len(), raw_bytes as usize);
            }
        }

        #[test]
        fn a_damaged_frame_never_gives_another_length(at in 0_usize..1000, change in 1_u8..) {
            let raw = b"some words, some words, 12345".repeat(50);
            let (mut bytes, _) = compress(&raw);
            let at = at % bytes.len();
            bytes[at] ^= change;
            if let Ok(other) = decompress(bytes, true, 1450) {
                prop_assert_eq!(other.len(), raw.len());
            }
        }
    }
}
