//! Where records lie in the DHT: each under a key made of what it is and who signs it.

use bitdust_model::DhtKey;
use bitdust_model::locator::RecordKind;

const DHT_PREFIX: &[u8] = b"bitdust/dht/v1/";

/// Where a record of a signer lies: `BLAKE3("bitdust/dht/v1/" ‖ kind name ‖ 0x00 ‖ signer)`.
/// Nicknames lie elsewhere: see [`nickname_key`].
#[must_use]
pub fn dht_key(kind: RecordKind, signer: &[u8; 32]) -> DhtKey {
    let name: &'static str = kind.into();
    hash_key(&[name.as_bytes(), &[0], signer])
}

/// Where claims of a nickname lie: `BLAKE3("bitdust/dht/v1/nickname" ‖ 0x00 ‖ slot ‖ name)`.
#[must_use]
pub fn nickname_key(name: &str, slot: u8) -> DhtKey {
    hash_key(&[b"nickname", &[0, slot], name.as_bytes()])
}

/// Where those who offer space announce themselves:
/// `BLAKE3("bitdust/dht/v1/offers" ‖ 0x00 ‖ slot)`.
#[must_use]
pub fn offers_key(slot: u8) -> DhtKey {
    hash_key(&[b"offers", &[0, slot]])
}

fn hash_key(parts: &[&[u8]]) -> DhtKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(DHT_PREFIX);
    for part in parts {
        hasher.update(part);
    }
    DhtKey(*hasher.finalize().as_bytes())
}
