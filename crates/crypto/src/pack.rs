//! Packs: their ids and their cipher.
//!
//! A key belongs to one pack id, and the id to all of the pack's contents, so that different
//! contents never meet one key and nonce. The layout of a pack is the pipeline's.

use bitdust_model::PackId;
use bitdust_model::manifest::PackKind;

use crate::aead::{BulkAead, NONCE_BYTES};
use crate::derive::{Label, derive};
use crate::identity::EpochSecrets;

/// Bytes that sealing adds to a chunk or trailer.
pub const TAG_BYTES: usize = crate::aead::TAG_BYTES;

/// Version of the pack format that the cipher binds.
const PACK_FORMAT: u8 = 1;
const AAD_BYTES: usize = 1 + 4 + 1 + 32;
const PACK_ID_CONTEXT: &str = "bitdust/v1/pack-id";

/// First byte of a nonce: keeps counters of different things apart.
#[derive(Clone, Copy)]
enum Domain {
    Chunk = 1,
    Trailer = 2,
    MetadataChunk = 3,
}

/// Why something sealed does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key is wrong or the pack was altered; retrying with the same bytes cannot help.
    #[error("pack {pack} failed authentication")]
    Forged {
        /// Which pack.
        pack: PackId,
    },
}

/// The id of a pack: BLAKE3, keyed with `derive_key("bitdust/v1/pack-id", pack secret)`,
/// over `random (32) ‖ kind (1) ‖ count (u32 LE) ‖ for each chunk: length (u32 LE) ‖ bytes`.
///
/// # Panics
/// If there are more chunks, or a longer chunk, than 32 bits can count; the limits of packs
/// are far below.
#[must_use]
pub fn pack_id(
    secrets: &EpochSecrets,
    random: &[u8; 32],
    kind: PackKind,
    compressed: &[&[u8]],
) -> PackId {
    let key = zeroize::Zeroizing::new(blake3::derive_key(PACK_ID_CONTEXT, &secrets.pack));
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(random);
    hasher.update(&[kind_byte(kind)]);
    hasher.update(&length_bytes(compressed.len()));
    for chunk in compressed {
        hasher.update(&length_bytes(chunk.len()));
        hasher.update(chunk);
    }
    PackId(*hasher.finalize().as_bytes())
}

/// Seals and opens the chunks and the trailer of one pack.
pub struct PackCipher {
    cipher: BulkAead,
    associated: [u8; AAD_BYTES],
    chunk_domain: Domain,
    pack: PackId,
}

impl PackCipher {
    /// The cipher of a pack: AES-256-GCM under label `pack-cipher`, from the epoch's pack
    /// secret (data) or metadata secret (tree and commit), with the pack id.
    ///
    /// Nonce: `domain (1) ‖ 7 zeros ‖ counter (u32 LE)`; domain 1 for chunks of data packs,
    /// 2 for trailers, 3 for chunks of tree and commit packs. Associated data:
    /// `format 1 ‖ epoch (u32 LE) ‖ kind (1) ‖ pack id`.
    #[must_use]
    pub fn new(secrets: &EpochSecrets, kind: PackKind, pack: PackId) -> Self {
        let (secret, chunk_domain) = match kind {
            PackKind::Data => (&secrets.pack, Domain::Chunk),
            PackKind::Tree | PackKind::Commit => (&secrets.metadata, Domain::MetadataChunk),
        };
        let key = derive(secret, Label::PackCipher, &[&pack.0]);
        let mut associated = [0; AAD_BYTES];
        associated[0] = PACK_FORMAT;
        associated[1..5].copy_from_slice(&secrets.epoch().0.to_le_bytes());
        associated[5] = kind_byte(kind);
        associated[6..].copy_from_slice(&pack.0);
        Self {
            cipher: BulkAead::new(&key),
            associated,
            chunk_domain,
            pack,
        }
    }

    /// Seals a chunk where it lies and gives the tag, which belongs behind it. A counter is used
    /// once in a pack.
    pub fn seal_chunk(&self, counter: u32, bytes: &mut [u8]) -> [u8; TAG_BYTES] {
        self.cipher
            .seal_within(nonce(self.chunk_domain, counter), &self.associated, bytes)
    }

    /// Opens a chunk where it lies and gives its bytes without the tag; when it fails, they are of
    /// no use any more.
    pub fn open_chunk<'a>(
        &self,
        counter: u32,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], OpenError> {
        let forged = OpenError::Forged { pack: self.pack };
        let Some((bytes, tag)) = sealed.split_last_chunk_mut::<TAG_BYTES>() else {
            return Err(forged);
        };
        let nonce = nonce(self.chunk_domain, counter);
        match self.cipher.open_within(nonce, &self.associated, bytes, tag) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(forged),
        }
    }

    /// Seals the list of chunks in place; [`TAG_BYTES`] are appended. Once in a pack.
    pub fn seal_trailer(&self, bytes: &mut Vec<u8>) {
        let tag = self
            .cipher
            .seal_within(nonce(Domain::Trailer, 0), &self.associated, bytes);
        bytes.extend_from_slice(&tag);
    }

    /// Opens the list of chunks in place and removes the tag; when it fails, the bytes are of no
    /// use any more.
    pub fn open_trailer(&self, bytes: &mut Vec<u8>) -> Result<(), OpenError> {
        let forged = OpenError::Forged { pack: self.pack };
        let Some((sealed, tag)) = bytes.split_last_chunk_mut::<TAG_BYTES>() else {
            return Err(forged);
        };
        let (nonce, length) = (nonce(Domain::Trailer, 0), sealed.len());
        if self
            .cipher
            .open_within(nonce, &self.associated, sealed, tag)
            .is_err()
        {
            return Err(forged);
        }
        bytes.truncate(length);
        Ok(())
    }
}

fn nonce(domain: Domain, counter: u32) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; 12];
    nonce[0] = domain as u8;
    nonce[8..].copy_from_slice(&counter.to_le_bytes());
    nonce
}

const fn kind_byte(kind: PackKind) -> u8 {
    match kind {
        PackKind::Data => 0,
        PackKind::Tree => 1,
        PackKind::Commit => 2,
    }
}

fn length_bytes(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("lengths and counts in a pack fit 32 bits")
        .to_le_bytes()
}
