//! Where things lie in a pack (docs/FORMAT.md): header, sealed chunks, sealed trailer, padding,
//! footer. Nothing here is secret, and nothing is believed before the trailer has opened.

use bitdust_model::limits::{PACK_BYTES_MAX, PACK_BYTES_TARGET};
use bitdust_model::manifest::PackKind;
use bitdust_model::{DecodeError, Epoch, PackId, limits};

/// Length of the header: magic, version, kind, epoch and 32 random bytes. The first sealed
/// chunk begins here.
pub const HEADER_BYTES: usize = 4 + 1 + 1 + 4 + 32;
/// Length of the footer: the trailer's offset and length, and the magic backwards.
pub const FOOTER_BYTES: usize = 4 + 4 + 4;
/// The version byte of this layout.
pub const PACK_VERSION: u8 = 1;

const HEADER_MAGIC: &[u8; 4] = b"BDPK";
const FOOTER_MAGIC: &[u8; 4] = b"KPDB";

/// Why bytes are not accepted as a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The magic, or the length, is not that of a pack.
    #[error("these bytes are no pack")]
    NotAPack,
    /// Written by a newer (or no) BitDust.
    #[error("the pack has version {version}, this program reads version {PACK_VERSION}")]
    Version {
        /// The version byte.
        version: u8,
    },
    /// Longer than any pack; nothing was allocated.
    #[error("a pack of {pack_bytes} bytes, at most {PACK_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        pack_bytes: usize,
    },
    /// Sealed with the secrets of another epoch.
    #[error("the pack was sealed in epoch {}, these secrets are of another", found.0)]
    OtherEpoch {
        /// The epoch of the header.
        found: Epoch,
    },
    /// The key is wrong or the pack was altered.
    #[error("the trailer of pack {pack} failed authentication")]
    Forged {
        /// Which pack.
        pack: PackId,
    },
    /// The trailer opened, but is no list of chunks.
    #[error("the trailer of pack {pack} is damaged inside its seal")]
    Trailer {
        /// Which pack.
        pack: PackId,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// Lengths and offsets contradict each other.
    #[error("the parts of the pack do not fit together")]
    Inconsistent,
}

/// The first bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the pack carries.
    pub kind: PackKind,
    /// Generation of the secrets that sealed it.
    pub epoch: Epoch,
    /// What makes the pack unlike every other.
    pub random: [u8; 32],
}

/// The last bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// Where the sealed trailer begins.
    pub trailer_offset: u32,
    /// Its length, authentication tag included.
    pub trailer_bytes: u32,
}

impl Header {
    /// The header as it lies in the pack.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(HEADER_MAGIC);
        bytes[4] = PACK_VERSION;
        bytes[5] = kind_byte(self.kind);
        bytes[6..10].copy_from_slice(&self.epoch.0.to_le_bytes());
        bytes[10..].copy_from_slice(&self.random);
        bytes
    }

    /// Reads the header from the beginning of a pack.
    pub fn read(pack: &[u8]) -> Result<Self, PackError> {
        let Some(bytes) = pack.first_chunk::<HEADER_BYTES>() else {
            return Err(PackError::NotAPack);
        };
        if &bytes[..4] != HEADER_MAGIC {
            return Err(PackError::NotAPack);
        }
        if bytes[4] != PACK_VERSION {
            return Err(PackError::Version { version: bytes[4] });
        }
        let kind = kind_of(bytes[5]).ok_or(PackError::NotAPack)?;
        let epoch = Epoch(u32::from_le_bytes([bytes[6], bytes[7], bytes[8], bytes[9]]));
        let mut random = [0; 32];
        random.copy_from_slice(&bytes[10..]);
        Ok(Self {
            kind,
            epoch,
            random,
        })
    }
}

impl Footer {
    pub(super) fn new(trailer_offset: usize, trailer_bytes: usize) -> Self {
        let short = |number| u32::try_from(number).expect("PACK_BYTES_MAX fits 32 bits");
        Self {
            trailer_offset: short(trailer_offset),
            trailer_bytes: short(trailer_bytes),
        }
    }

    /// The footer as it lies in the pack.
    #[must_use]
    pub fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        bytes[..4].copy_from_slice(&self.trailer_offset.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.trailer_bytes.to_le_bytes());
        bytes[8..].copy_from_slice(FOOTER_MAGIC);
        bytes
    }

    /// Reads the footer from the end of a pack of `pack_bytes` bytes; `end` is the pack or
    /// its last part. What it gives lies within the pack.
    pub fn read(end: &[u8], pack_bytes: usize) -> Result<Self, PackError> {
        if pack_bytes > PACK_BYTES_MAX {
            return Err(PackError::TooLong { pack_bytes });
        }
        let Some(bytes) = end.last_chunk::<FOOTER_BYTES>() else {
            return Err(PackError::NotAPack);
        };
        let [o0, o1, o2, o3, l0, l1, l2, l3, magic @ ..] = bytes;
        if magic != FOOTER_MAGIC {
            return Err(PackError::NotAPack);
        }
        let footer = Self {
            trailer_offset: u32::from_le_bytes([*o0, *o1, *o2, *o3]),
            trailer_bytes: u32::from_le_bytes([*l0, *l1, *l2, *l3]),
        };
        let start = footer.trailer_offset as usize;
        let end = start.saturating_add(footer.trailer_bytes as usize);
        if start < HEADER_BYTES || end > pack_bytes.saturating_sub(FOOTER_BYTES) {
            return Err(PackError::Inconsistent);
        }
        Ok(footer)
    }
}

/// The length a pack of `bytes` bytes gets: Padmé below `PACK_BYTES_TARGET`, so that lengths
/// of short packs tell little; a full pack tells nothing and gets none.
#[must_use]
pub const fn padded(bytes: usize) -> usize {
    if bytes < PACK_BYTES_TARGET {
        padme(bytes)
    } else {
        bytes
    }
}

/// Rounds up so that only the upper bits of the length, as many as the length of the
/// length, are free: at most 12 % more.
const fn padme(bytes: usize) -> usize {
    if bytes < 2 {
        return bytes;
    }
    let exponent = bytes.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    (bytes + mask) & !mask
}

const fn kind_byte(kind: PackKind) -> u8 {
    match kind {
        PackKind::Data => 0,
        PackKind::Tree => 1,
        PackKind::Commit => 2,
    }
}

const fn kind_of(byte: u8) -> Option<PackKind> {
    match byte {
        0 => Some(PackKind::Data),
        1 => Some(PackKind::Tree),
        2 => Some(PackKind::Commit),
        _ => None,
    }
}

const _: () = assert!(
    HEADER_BYTES
        + PACK_BYTES_TARGET
        + limits::CHUNK_BYTES_MAX
        + bitdust_crypto::TAG_BYTES
        + limits::CHUNKS_PER_PACK_MAX * CHUNK_RECORD_BYTES_MAX
        + 64
        <= PACK_BYTES_MAX,
    "a pack that is full at its last chunk stays within its limit"
);

/// An encoded record of a chunk: id, two lengths below 2^28, and a flag.
const CHUNK_RECORD_BYTES_MAX: usize = 32 + 4 + 4 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_follows_padme() {
        let check = |bytes: usize, expected: usize| assert_eq!(padded(bytes), expected);
        check(0, 0);
        check(1, 1);
        check(2, 2);
        check(9, 10);
        check(100, 104);
        check(1_000, 1_024);
        check(100_000, 100_352);
        check(1_000_000, 1_015_808);
        check(PACK_BYTES_TARGET - 1, PACK_BYTES_TARGET);
        check(PACK_BYTES_TARGET + 1, PACK_BYTES_TARGET + 1);
    }

    #[test]
    fn padding_costs_at_most_twelve_per_cent() {
        for bytes in (1..PACK_BYTES_TARGET).step_by(997) {
            let padded = padded(bytes);
            assert!(padded >= bytes);
            assert!(padded * 100 <= bytes * 112, "{bytes} became {padded}");
        }
    }

    #[test]
    fn header_and_footer_round_trip() {
        for kind in [PackKind::Data, PackKind::Tree, PackKind::Commit] {
            let header = Header {
                kind,
                epoch: Epoch(0x0102_0304),
                random: [9; 32],
            };
            assert_eq!(Header::read(&header.encode()), Ok(header));
        }
        let footer = Footer::new(50, 20);
        assert_eq!(Footer::read(&footer.encode(), 82), Ok(footer));
        assert_eq!(
            Footer::read(&footer.encode(), 81),
            Err(PackError::Inconsistent)
        );
        assert_eq!(
            Footer::read(&Footer::new(41, 2).encode(), 82),
            Err(PackError::Inconsistent)
        );
    }
}
