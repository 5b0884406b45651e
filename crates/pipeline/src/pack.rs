//! Gathers chunks into a pack and seals it exactly once.
//!
//! A half pack is thrown away, never resumed: only [`PackBuilder::seal`] makes bytes that may
//! leave this machine, and it consumes the builder. The layout is in [`layout`], the way back
//! in [`open`].
//!
//! Invariant: a builder that is told when it is full never exceeds `PACK_BYTES_MAX`. Memory:
//! the pack itself, in which each chunk is sealed where it lies.

pub mod layout;
pub mod open;

use std::ops::Range;

use bitdust_crypto::{EpochSecrets, PackCipher, TAG_BYTES, pack_id};
use bitdust_model::limits::{
    CHUNK_BYTES_MAX, CHUNKS_PER_PACK_MAX, PACK_BYTES_MAX, PACK_BYTES_TARGET,
};
use bitdust_model::manifest::{BlobRef, ChunkRecord, PackKind, Trailer};
use bitdust_model::{ChunkId, Epoch, PackId, encode};

use crate::compress::compress_into;
use layout::{FOOTER_BYTES, Footer, Header};
pub use layout::{HEADER_BYTES, PackError};
pub use open::OpenError;

/// A pack in the making.
pub struct PackBuilder {
    kind: PackKind,
    /// Room for the header, then each chunk with room for its tag.
    bytes: Vec<u8>,
    records: Vec<ChunkRecord>,
    raw_bytes: u64,
}

/// A pack that is complete, sealed, and never changes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPack {
    /// Its id.
    pub pack: PackId,
    /// What it carries.
    pub kind: PackKind,
    /// Generation of the secrets that sealed it.
    pub epoch: Epoch,
    /// The whole pack, padding included.
    pub bytes: Vec<u8>,
    /// Its chunks in order.
    pub chunks: Vec<ChunkRecord>,
}

impl PackBuilder {
    /// An empty pack.
    #[must_use]
    pub fn new(kind: PackKind) -> Self {
        Self::in_buffer(kind, Vec::new())
    }

    /// An empty pack in a buffer that served before; what is in it is overwritten.
    #[must_use]
    pub fn in_buffer(kind: PackKind, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(HEADER_BYTES, 0);
        Self {
            kind,
            bytes: buffer,
            records: Vec::new(),
            raw_bytes: 0,
        }
    }

    /// Compresses a chunk and adds it.
    ///
    /// # Panics
    /// If the pack is full, or the chunk is empty or longer than `CHUNK_BYTES_MAX`.
    pub fn push(&mut self, chunk: ChunkId, raw: &[u8]) {
        let start = self.bytes.len();
        let compressed = compress_into(raw, &mut self.bytes);
        let raw_bytes = u32::try_from(raw.len()).expect("compress checked the length");
        self.record(chunk, start, compressed, raw_bytes);
    }

    /// Adds a chunk in the form in which it is stored: another zstd makes another frame.
    #[cfg(test)]
    pub(crate) fn push_stored(
        &mut self,
        chunk: ChunkId,
        stored: &[u8],
        compressed: bool,
        raw_bytes: u32,
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(stored);
        self.record(chunk, start, compressed, raw_bytes);
    }

    /// Records the chunk that was appended from `start` on, and leaves room for its tag.
    fn record(&mut self, chunk: ChunkId, start: usize, compressed: bool, raw_bytes: u32) {
        assert!(!self.is_full_to(start), "the pack is full; seal it first");
        let bytes = self.bytes.len() - start;
        assert!(bytes > 0, "a chunk has at least one byte");
        assert!(
            bytes <= CHUNK_BYTES_MAX,
            "a chunk of {bytes} bytes is too long"
        );
        assert!(
            raw_bytes as usize <= CHUNK_BYTES_MAX,
            "a chunk of {raw_bytes} bytes is too long"
        );
        self.bytes.resize(start + bytes + TAG_BYTES, 0);
        self.raw_bytes += u64::from(raw_bytes);
        self.records.push(ChunkRecord {
            chunk,
            stored_bytes: u32::try_from(bytes + TAG_BYTES).expect("CHUNK_BYTES_MAX fits 32 bits"),
            raw_bytes,
            compressed,
        });
    }

    /// Whether the pack must be sealed before another chunk comes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full_to(self.bytes.len())
    }

    fn is_full_to(&self, end: usize) -> bool {
        end - HEADER_BYTES >= PACK_BYTES_TARGET || self.records.len() >= CHUNKS_PER_PACK_MAX
    }

    /// Whether there is no chunk yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The chunks so far, in order: with [`blob_refs`] this tells where each will lie.
    #[must_use]
    pub fn records(&self) -> &[ChunkRecord] {
        &self.records
    }

    /// Plain bytes of the chunks so far.
    #[must_use]
    pub const fn raw_bytes(&self) -> u64 {
        self.raw_bytes
    }

    /// Sealed bytes of the chunks so far.
    #[must_use]
    pub const fn stored_bytes(&self) -> u64 {
        (self.bytes.len() - HEADER_BYTES) as u64
    }

    /// Whether a chunk is in this pack; looks through all of them.
    #[must_use]
    pub fn contains(&self, chunk: ChunkId) -> bool {
        self.records.iter().any(|record| record.chunk == chunk)
    }

    /// Seals the pack. `random` must be fresh for each pack: it keeps equal contents from
    /// giving equal packs.
    ///
    /// # Panics
    /// If the pack is empty.
    #[must_use]
    pub fn seal(self, secrets: &EpochSecrets, random: [u8; 32]) -> SealedPack {
        assert!(!self.is_empty(), "an empty pack is never sealed");
        let Self {
            kind,
            mut bytes,
            records,
            raw_bytes: _,
        } = self;
        let epoch = secrets.epoch();
        let trailer_offset = bytes.len();
        let places = places_of(&records);
        let chunks: Vec<&[u8]> = places.clone().map(|place| &bytes[place]).collect();
        let pack = pack_id(secrets, &random, kind, &chunks);
        let cipher = PackCipher::new(secrets, kind, pack);
        let header = Header {
            kind,
            epoch,
            random,
        };
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        for (counter, place) in (0_u32..).zip(places) {
            let tag_place = place.end..place.end + TAG_BYTES;
            let tag = cipher.seal_chunk(counter, &mut bytes[place]);
            bytes[tag_place].copy_from_slice(&tag);
        }
        let mut trailer = encode(&Trailer {
            chunks: records.clone(),
        });
        cipher.seal_trailer(&mut trailer);
        let pack_bytes = layout::padded(trailer_offset + trailer.len() + FOOTER_BYTES);
        bytes.extend_from_slice(&trailer);
        bytes.resize(pack_bytes - FOOTER_BYTES, 0);
        bytes.extend_from_slice(&Footer::new(trailer_offset, trailer.len()).encode());
        assert!(
            bytes.len() <= PACK_BYTES_MAX,
            "a pack of {} bytes is too long",
            bytes.len()
        );
        SealedPack {
            pack,
            kind,
            epoch,
            bytes,
            chunks: records,
        }
    }
}

/// Where the chunks of a pack lie, each without its tag.
fn places_of(records: &[ChunkRecord]) -> impl Iterator<Item = Range<usize>> + Clone {
    records.iter().scan(HEADER_BYTES, |start, record| {
        let place = *start..*start + record.stored_bytes as usize - TAG_BYTES;
        *start = place.end + TAG_BYTES;
        Some(place)
    })
}

impl SealedPack {
    /// Its chunks, each with its place.
    #[must_use]
    pub fn blob_refs(&self) -> Vec<BlobRef> {
        blob_refs(self.pack, &self.chunks)
    }

    /// Length in bytes as records carry it.
    #[must_use]
    pub fn pack_bytes(&self) -> u32 {
        u32::try_from(self.bytes.len()).expect("PACK_BYTES_MAX fits 32 bits")
    }
}

/// Each chunk of a pack with its place, derived from the order of the records.
///
/// Offsets beyond 32 bits stay at the largest number: no pack is that long, and records from
/// outside that claim so do not open.
#[must_use]
pub fn blob_refs(pack: PackId, chunks: &[ChunkRecord]) -> Vec<BlobRef> {
    let mut offset = u32::try_from(HEADER_BYTES).expect("the header is short");
    (0_u32..)
        .zip(chunks)
        .map(|(counter, &record)| {
            let blob = BlobRef {
                pack,
                offset,
                counter,
                record,
            };
            offset = offset.saturating_add(record.stored_bytes);
            blob
        })
        .collect()
}

#[cfg(test)]
mod tests;
