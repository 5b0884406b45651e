//! What the tests of this crate share: bytes that look random but are the same each time.

use bitdust_crypto::{EpochSecrets, Phrase, RootSecrets};
use bitdust_model::{Code, Epoch};

use crate::erasure::encode_in_place;

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
