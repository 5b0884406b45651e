//! Masks of shards: without them copies would be identical and one disk could pose as many.
//!
//! A mask only makes shards differ; secrecy and integrity of their content are the pack
//! cipher's. The counter mode is AWS-LC's: the `aes` crate makes the same bytes much slower
//! (docs/BENCH.md), and ring, which seals packs, has none to itself.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use bitdust_model::{PackId, Position, SetId};

use crate::derive::{Label, derive};
use crate::identity::EpochSecrets;

/// Bytes that one number of the counter stands for.
const BLOCK_BYTES: usize = 16;

/// The stream with which one shard is XORed.
pub struct ShardMask {
    key: EncryptingKey,
}

impl ShardMask {
    /// The mask of a shard: AES-256-CTR (128-bit big-endian counter from zero) under label
    /// `shard-mask`, from the secret of the set, with pack and position (one byte). The secret of
    /// the set is that of label `set-secret`, from the epoch's mask secret, with the set: whoever
    /// repairs the set needs it and learns nothing of others.
    ///
    /// # Panics
    /// Never: AES takes every key of 256 bits.
    #[must_use]
    pub fn new(secrets: &EpochSecrets, set: SetId, pack: PackId, position: Position) -> Self {
        let of_set = derive(&secrets.mask, Label::SetSecret, &[&set.0]);
        let context: [&[u8]; 2] = [&pack.0, &[position.0]];
        let key = derive(&of_set, Label::ShardMask, &context);
        let key = UnboundCipherKey::new(&AES_256, &*key).and_then(EncryptingKey::ctr);
        Self {
            key: key.expect("a key of 256 bits"),
        }
    }

    /// Masks or unmasks bytes that lie at `offset` bytes from the beginning of the shard.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        let block = u128::from(offset) / BLOCK_BYTES as u128;
        let before = usize::try_from(offset % BLOCK_BYTES as u64).unwrap_or(0);
        if before == 0 {
            return self.apply_blocks(block, bytes);
        }
        // A stream begins at a block; what was asked for, within one.
        let (first, rest) = bytes.split_at_mut(bytes.len().min(BLOCK_BYTES - before));
        let mut whole = [0; BLOCK_BYTES];
        let place = before..before + first.len();
        whole[place.clone()].copy_from_slice(first);
        self.apply_blocks(block, &mut whole);
        first.copy_from_slice(&whole[place]);
        self.apply_blocks(block + 1, rest);
    }

    fn apply_blocks(&self, block: u128, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        let counter = EncryptionContext::Iv128(block.to_be_bytes().into());
        self.key
            .less_safe_encrypt(bytes, counter)
            .expect("a counter of 128 bits is what this mode takes");
    }
}
