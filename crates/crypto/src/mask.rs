//! Masks of shards: without them copies would be identical and one disk could pose as many.
//!
//! A mask only makes shards differ; secrecy and integrity of their content are the pack
//! cipher's.

use aes::Aes256;
use bitdust_model::{PackId, Position, SetId};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};

use crate::derive::{Label, Secret, derive};
use crate::identity::EpochSecrets;

/// The stream with which one shard is XORed.
pub struct ShardMask {
    key: Secret,
}

impl ShardMask {
    /// The mask of a shard: AES-256-CTR (128-bit big-endian counter from zero) under label
    /// `shard-mask`, from the epoch's mask secret, with set, pack and position (one byte).
    #[must_use]
    pub fn new(secrets: &EpochSecrets, set: SetId, pack: PackId, position: Position) -> Self {
        let context: [&[u8]; 3] = [&set.0, &pack.0, &[position.0]];
        Self {
            key: derive(&secrets.mask, Label::ShardMask, &context),
        }
    }

    /// Masks or unmasks bytes that lie at `offset` bytes from the beginning of the shard.
    ///
    /// # Panics
    /// If the range ends beyond 2^64 bytes, which no shard does.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        let mut stream = Ctr128BE::<Aes256>::new((&*self.key).into(), &[0; 16].into());
        stream.seek(offset);
        stream.apply_keystream(bytes);
    }
}
