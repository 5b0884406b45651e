//! What the tests of this crate share: bytes that look random but are the same each time, and
//! whole packs from their shards and into their chunks.

use bitdust_crypto::{EpochSecrets, PackCipher, Phrase, RootSecrets};
use bitdust_model::manifest::BlobRef;
use bitdust_model::{Code, Epoch, Position};

use crate::erasure::{ErasureError, encode_in_place};
use crate::gather::Gathered;
use crate::pack::open::{OpenError, open_chunk_within};

/// `bytes` bytes of SplitMix64 from a seed.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    out.truncate(bytes);
    out
}

/// Secrets of the phrase of 32 zero bytes.
pub(crate) fn secrets(epoch: u32) -> EpochSecrets {
    let words = format!("{}art", "abandon ".repeat(23));
    let phrase = Phrase::parse(&words).expect("the phrase of 32 zero bytes");
    RootSecrets::from_phrase(&phrase).epoch(Epoch(epoch))
}

/// All shards of a pack, data shards first.
pub(crate) fn encode(pack: &[u8], code: Code) -> Vec<Vec<u8>> {
    let (mut data, mut parity) = (pack.to_vec(), vec![0xa5; 1000]);
    let length = encode_in_place(&mut data, code, &mut parity).max(1);
    let shards = data.chunks(length).chain(parity.chunks(length));
    shards.map(<[u8]>::to_vec).collect()
}

/// A pack from whole shards, unmasked; the place in the list is the position.
pub(crate) fn decode(
    k: u8,
    pack_bytes: u32,
    shards: &[Option<Vec<u8>>],
) -> Result<Vec<u8>, ErasureError> {
    let mut gathered = Gathered::new(k, pack_bytes)?;
    for (position, shard) in (0..).map(Position).zip(shards) {
        if let Some(shard) = shard {
            gathered.insert(position, 0, shard.as_slice())?;
        }
    }
    gathered.read(0, pack_bytes)
}

/// A chunk of a whole pack.
pub(crate) fn open_in_pack(
    cipher: &PackCipher,
    secrets: &EpochSecrets,
    blob: &BlobRef,
    pack: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let start = blob.offset as usize;
    let end = start.saturating_add(blob.record.stored_bytes as usize);
    let mut bytes = pack.get(start..end).unwrap_or_default().to_vec();
    open_chunk_within(cipher, secrets, blob, &mut bytes, 0)?;
    Ok(bytes)
}
