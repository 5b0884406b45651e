//! Names of chunks, and where files are cut: both keyed, so that neither ids nor lengths
//! tell an outsider which files somebody has.

use bitdust_model::ChunkId;

use crate::identity::EpochSecrets;

const GEAR_CONTEXT: &str = "bitdust/v1/gear-seed";

impl EpochSecrets {
    /// The id of a chunk: BLAKE3 of its plain bytes, keyed with the epoch's chunk secret.
    #[must_use]
    pub fn chunk_id(&self, raw: &[u8]) -> ChunkId {
        ChunkId(*blake3::keyed_hash(&self.chunk, raw).as_bytes())
    }

    /// The seed of the chunker's gear table: the first eight bytes, little-endian, of BLAKE3
    /// `derive_key("bitdust/v1/gear-seed", chunk secret)`.
    #[must_use]
    pub fn gear_seed(&self) -> u64 {
        let derived = blake3::derive_key(GEAR_CONTEXT, &self.chunk);
        let [a, b, c, d, e, f, g, h, ..] = derived;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}
