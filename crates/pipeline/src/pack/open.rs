//! Opens what a pack holds, and believes nothing that did not authenticate.
//!
//! A chunk is given out only when it opened under the pack's key, unpacked to its promised
//! length, and hashes to its keyed id.

use bitdust_crypto::{EpochSecrets, PackCipher};
use bitdust_model::limits::{CHUNK_BYTES_MAX, CHUNKS_PER_PACK_MAX, PACK_BYTES_MAX};
use bitdust_model::manifest::{BlobRef, ChunkRecord, Trailer};
use bitdust_model::{ChunkId, PackId, decode};

use super::layout::{FOOTER_BYTES, Footer, HEADER_BYTES, Header, PackError};
use crate::compress::{DecompressError, decompress_within};

/// Why a chunk was not given out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The caller brought another number of bytes than the record names.
    #[error("chunk {chunk} has {bytes} sealed bytes instead of {expected}")]
    Length {
        /// Which chunk.
        chunk: ChunkId,
        /// Bytes brought.
        bytes: usize,
        /// Bytes recorded.
        expected: u32,
    },
    /// The key is wrong or the pack was altered; the same bytes will never open.
    #[error("chunk {chunk} of pack {pack} failed authentication")]
    Forged {
        /// Which chunk.
        chunk: ChunkId,
        /// Of which pack.
        pack: PackId,
    },
    /// The writer of the pack made a frame that does not unpack as recorded.
    #[error("chunk {chunk} of pack {pack} is damaged inside its seal")]
    Damaged {
        /// Which chunk.
        chunk: ChunkId,
        /// Of which pack.
        pack: PackId,
        /// What is wrong with it.
        source: DecompressError,
    },
    /// The bytes are authentic, but another chunk than the record says.
    #[error("pack {pack} holds chunk {found} where {chunk} should be")]
    OtherChunk {
        /// Which chunk was expected.
        chunk: ChunkId,
        /// Which is there.
        found: ChunkId,
        /// In which pack.
        pack: PackId,
    },
}

/// Opens one sealed chunk, unpacks it and checks it against its keyed id. `cipher` and
/// `secrets` are those of the pack's epoch. The sealed chunk lies at the end of `bytes` from
/// `start` on, and the plain one in its stead afterwards.
///
/// # Errors
/// Anything but the chunk that the blob names; `bytes` end at `start` then.
pub fn open_chunk_within(
    cipher: &PackCipher,
    secrets: &EpochSecrets,
    blob: &BlobRef,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<(), OpenError> {
    let opened = try_open(cipher, secrets, blob, bytes, start);
    if opened.is_err() {
        bytes.truncate(start);
    }
    opened
}

fn try_open(
    cipher: &PackCipher,
    secrets: &EpochSecrets,
    blob: &BlobRef,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<(), OpenError> {
    let BlobRef {
        pack,
        counter,
        record,
        ..
    } = *blob;
    let ChunkRecord {
        chunk,
        stored_bytes,
        raw_bytes,
        compressed,
    } = record;
    let sealed = bytes.get_mut(start..).unwrap_or_default();
    if sealed.len() != stored_bytes as usize {
        return Err(OpenError::Length {
            chunk,
            bytes: sealed.len(),
            expected: stored_bytes,
        });
    }
    let opened = cipher
        .open_chunk(counter, sealed)
        .map_err(|_| OpenError::Forged { chunk, pack })?;
    let end = start + opened.len();
    bytes.truncate(end);
    decompress_within(bytes, start, compressed, raw_bytes).map_err(|source| {
        OpenError::Damaged {
            chunk,
            pack,
            source,
        }
    })?;
    let found = secrets.chunk_id(&bytes[start..]);
    if found != chunk {
        return Err(OpenError::OtherChunk { chunk, found, pack });
    }
    Ok(())
}

/// Reads the list of chunks from a whole pack: what an index can be rebuilt from.
///
/// # Errors
/// Anything but a trailer that authenticates under `secrets` and `pack`, and describes
/// exactly the bytes between header and trailer.
pub fn read_trailer(
    secrets: &EpochSecrets,
    pack: PackId,
    bytes: &[u8],
) -> Result<Trailer, PackError> {
    let footer = Footer::read(bytes, bytes.len())?;
    let header = Header::read(bytes)?;
    if header.epoch != secrets.epoch() {
        return Err(PackError::OtherEpoch {
            found: header.epoch,
        });
    }
    let start = footer.trailer_offset as usize;
    let sealed = bytes[start..start + footer.trailer_bytes as usize].to_vec();
    let trailer = open_trailer(secrets, header, pack, sealed)?;
    let padding = &bytes[start + footer.trailer_bytes as usize..bytes.len() - FOOTER_BYTES];
    let end = check_chunks(&trailer.chunks)?;
    if end != start || padding.iter().any(|&byte| byte != 0) {
        return Err(PackError::Inconsistent);
    }
    Ok(trailer)
}

fn open_trailer(
    secrets: &EpochSecrets,
    header: Header,
    pack: PackId,
    mut sealed: Vec<u8>,
) -> Result<Trailer, PackError> {
    let cipher = PackCipher::new(secrets, header.kind, pack);
    cipher
        .open_trailer(&mut sealed)
        .map_err(|_| PackError::Forged { pack })?;
    decode(&sealed).map_err(|source| PackError::Trailer { pack, source })
}

/// Checks the bounds of a pack's records and gives the offset at which its chunks end.
pub(crate) fn check_chunks(chunks: &[ChunkRecord]) -> Result<usize, PackError> {
    if chunks.is_empty() || chunks.len() > CHUNKS_PER_PACK_MAX {
        return Err(PackError::Inconsistent);
    }
    let mut end = HEADER_BYTES;
    for record in chunks {
        let sealed_bytes = record.stored_bytes as usize;
        let is_sane = sealed_bytes > bitdust_crypto::TAG_BYTES
            && sealed_bytes <= CHUNK_BYTES_MAX + bitdust_crypto::TAG_BYTES
            && record.raw_bytes > 0
            && record.raw_bytes as usize <= CHUNK_BYTES_MAX;
        end = end.saturating_add(sealed_bytes);
        if !is_sane || end > PACK_BYTES_MAX {
            return Err(PackError::Inconsistent);
        }
    }
    Ok(end)
}
