//! Gathers chunks into a pack and seals it exactly once.
//!
//! A half pack is thrown away, never resumed: only [`PackBuilder::seal`] makes bytes that may
//! leave this machine, and it consumes the builder. The layout is in [`layout`], the way back
//! in [`open`].
//!
//! Invariant: a builder that is told when it is full never exceeds `PACK_BYTES_MAX`. Memory:
//! the compressed chunks, and while sealing once more the sealed ones; each chunk is freed as
//! soon as it is sealed.

pub mod layout;
pub mod open;

use bitdust_crypto::{EpochSecrets, PackCipher, TAG_BYTES, pack_id};
use bitdust_model::limits::{
    CHUNK_BYTES_MAX, CHUNKS_PER_PACK_MAX, PACK_BYTES_MAX, PACK_BYTES_TARGET,
};
use bitdust_model::manifest::{BlobRef, ChunkRecord, PackKind, Trailer};
use bitdust_model::{ChunkId, Epoch, PackId, encode};

pub use crate::compress::Compressed;
pub use layout::HEADER_BYTES;
use layout::{FOOTER_BYTES, Footer, Header};
pub use open::{OpenError, PackError, open_chunk, open_chunk_in_pack, read_trailer};

/// A pack in the making.
pub struct PackBuilder {
    kind: PackKind,
    chunks: Vec<Vec<u8>>,
    records: Vec<ChunkRecord>,
    raw_bytes: u64,
    stored_bytes: usize,
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
    pub const fn new(kind: PackKind) -> Self {
        Self {
            kind,
            chunks: Vec::new(),
            records: Vec::new(),
            raw_bytes: 0,
            stored_bytes: 0,
        }
    }

    /// Compresses a chunk and adds it.
    ///
    /// # Panics
    /// As [`Self::push_compressed`].
    pub fn push(&mut self, chunk: ChunkId, raw: &[u8]) {
        let (bytes, compressed) = crate::compress::compress(raw);
        let raw_bytes = u32::try_from(raw.len()).expect("compress checked the length");
        self.push_compressed(
            chunk,
            Compressed {
                bytes,
                compressed,
                raw_bytes,
            },
        );
    }

    /// Adds a chunk that was compressed elsewhere, for example on another thread.
    ///
    /// # Panics
    /// If the pack is full, or the chunk is empty or longer than `CHUNK_BYTES_MAX`.
    pub fn push_compressed(&mut self, chunk: ChunkId, made: Compressed) {
        let Compressed {
            bytes,
            compressed,
            raw_bytes,
        } = made;
        assert!(!self.is_full(), "the pack is full; seal it first");
        assert!(!bytes.is_empty(), "a chunk has at least one byte");
        assert!(
            bytes.len() <= CHUNK_BYTES_MAX,
            "a chunk of {} bytes is too long",
            bytes.len()
        );
        assert!(
            raw_bytes as usize <= CHUNK_BYTES_MAX,
            "a chunk of {raw_bytes} bytes is too long"
        );
        let stored_bytes = bytes.len() + TAG_BYTES;
        self.raw_bytes += u64::from(raw_bytes);
        self.stored_bytes += stored_bytes;
        let stored_bytes = u32::try_from(stored_bytes).expect("CHUNK_BYTES_MAX fits 32 bits");
        self.chunks.push(bytes);
        self.records.push(ChunkRecord {
            chunk,
            stored_bytes,
            raw_bytes,
            compressed,
        });
    }

    /// Whether the pack must be sealed before another chunk comes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.stored_bytes >= PACK_BYTES_TARGET || self.records.len() >= CHUNKS_PER_PACK_MAX
    }

    /// Whether there is no chunk yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Chunks so far.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.records.len()
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
        self.stored_bytes as u64
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
        let (kind, epoch) = (self.kind, secrets.epoch());
        let pack = pack_id(secrets, &random, kind, &self.chunks);
        let cipher = PackCipher::new(secrets, kind, pack);
        let mut trailer = encode(&Trailer {
            chunks: self.records.clone(),
        });
        cipher.seal_trailer(&mut trailer);

        let trailer_offset = HEADER_BYTES + self.stored_bytes;
        let pack_bytes = layout::padded(trailer_offset + trailer.len() + FOOTER_BYTES);
        let mut bytes = Vec::with_capacity(pack_bytes);
        bytes.extend_from_slice(
            &Header {
                kind,
                epoch,
                random,
            }
            .encode(),
        );
        for (counter, mut chunk) in (0_u32..).zip(self.chunks) {
            cipher.seal_chunk(counter, &mut chunk);
            bytes.extend_from_slice(&chunk);
        }
        debug_assert_eq!(
            bytes.len(),
            trailer_offset,
            "the records say where the trailer is"
        );
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
            chunks: self.records,
        }
    }
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
