//! Makes chunks smaller where that helps, and never larger when they come back.
//!
//! zstd at level 3; a chunk that does not shrink is kept as it is. Decompression writes into
//! a buffer of the promised length, so that no input can make more than it said.

use std::cell::RefCell;

use bitdust_crypto::TAG_BYTES;
use bitdust_model::limits::CHUNK_BYTES_MAX;
use zstd::bulk::{Compressor, Decompressor};

/// The level of the format's writer; readers take any.
pub const COMPRESSION_LEVEL: i32 = 3;

/// A chunk that is ready for a pack: compressed if that made it smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// What the pack will seal.
    pub bytes: Vec<u8>,
    /// Whether `bytes` is a zstd frame.
    pub compressed: bool,
    /// Length of the plain chunk.
    pub raw_bytes: u32,
}

impl Compressed {
    /// Compresses an owned chunk; gives it back without a copy when it does not shrink.
    ///
    /// # Panics
    /// If the chunk is longer than `CHUNK_BYTES_MAX`.
    #[must_use]
    pub fn new(raw: Vec<u8>) -> Self {
        let raw_bytes = checked_length(&raw);
        match shrink(&raw) {
            Some(bytes) => Self {
                bytes,
                compressed: true,
                raw_bytes,
            },
            None => Self {
                bytes: raw,
                compressed: false,
                raw_bytes,
            },
        }
    }
}

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

/// Compresses a chunk. The flag tells whether that made it smaller; if not, the bytes are
/// the chunk itself.
///
/// # Panics
/// If the chunk is longer than `CHUNK_BYTES_MAX`.
#[must_use]
pub fn compress(raw: &[u8]) -> (Vec<u8>, bool) {
    checked_length(raw);
    match shrink(raw) {
        Some(bytes) => (bytes, true),
        None => (with_room(raw), false),
    }
}

/// Gives the plain chunk back. The output never exceeds `raw_bytes`, and that never exceeds
/// `CHUNK_BYTES_MAX`.
pub fn decompress(
    bytes: Vec<u8>,
    compressed: bool,
    raw_bytes: u32,
) -> Result<Vec<u8>, DecompressError> {
    let length = raw_bytes as usize;
    if length > CHUNK_BYTES_MAX {
        return Err(DecompressError::TooLong { raw_bytes });
    }
    let raw = if compressed {
        expand(&bytes, length)
    } else {
        Some(bytes)
    };
    match raw {
        Some(raw) if raw.len() == length => Ok(raw),
        Some(_) | None => Err(DecompressError::Damaged { raw_bytes }),
    }
}

thread_local! {
    // Contexts cost megabytes and microseconds to set up, so each thread keeps one.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The compressed bytes if they are fewer. A failure of zstd is no error here: the chunk is
/// then stored as it is, and nothing is lost but space.
fn shrink(raw: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::new(COMPRESSION_LEVEL).ok();
        }
        // One byte less than the chunk: a frame that does not fit did not shrink it.
        let mut bytes = Vec::with_capacity(raw.len().checked_sub(1)?);
        slot.as_mut()?.compress_to_buffer(raw, &mut bytes).ok()?;
        if bytes.len() >= raw.len() {
            return None;
        }
        bytes.shrink_to(bytes.len() + TAG_BYTES);
        Some(bytes)
    })
}

fn expand(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::new().ok();
        }
        let mut raw = Vec::with_capacity(length);
        slot.as_mut()?.decompress_to_buffer(bytes, &mut raw).ok()?;
        Some(raw)
    })
}

/// A copy that can be sealed in place without being moved again.
pub(crate) fn with_room(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len() + TAG_BYTES);
    bytes.extend_from_slice(raw);
    bytes
}

fn checked_length(raw: &[u8]) -> u32 {
    assert!(
        raw.len() <= CHUNK_BYTES_MAX,
        "a chunk of {} bytes is too long",
        raw.len()
    );
    u32::try_from(raw.len()).expect("CHUNK_BYTES_MAX fits 32 bits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::noise;

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
        assert_eq!(Compressed::new(raw.clone()).bytes, raw);
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
