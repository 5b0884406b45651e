//! Records as they lie in the DHT: their bytes, their keys, and which may replace which.
//!
//! Whatever is not valid in the network is refused before it is compared.

use std::time::Instant;

use bitdust_crypto::validate_record;
use bitdust_model::codec::Versioned;
use bitdust_model::locator::{DhtRecord, KeyedRecord, SignedRecord, is_newer};
use bitdust_model::{DhtKey, Sequence, decode, encode, limits};
use libp2p::kad::store::{MemoryStore, RecordStore};
use libp2p::kad::{self, Record};
use serde::{Deserialize, Serialize};

use crate::error::NetError;

/// A signed record as it lies in the DHT.
#[derive(Serialize, Deserialize)]
struct Value(SignedRecord);

impl Versioned for Value {
    const KIND: &'static str = "DHT value";
    const BYTES_MAX: usize = limits::DHT_VALUE_BYTES_MAX;
}

/// The bytes of a record as it lies in the DHT.
pub(crate) fn value_of(record: &SignedRecord) -> Result<Vec<u8>, NetError> {
    let value = Value(record.clone());
    let bytes = postcard::experimental::serialized_size(&value).unwrap_or(usize::MAX);
    if bytes >= limits::DHT_VALUE_BYTES_MAX {
        return Err(NetError::BadRecord {
            reason: format!("it has {bytes} bytes"),
        });
    }
    Ok(encode(&value))
}

/// A key of ours as a key of libp2p.
pub(crate) fn key_to_kad(key: &DhtKey) -> kad::RecordKey {
    kad::RecordKey::new(key.as_bytes())
}

pub(super) fn key_from_kad(key: &kad::RecordKey) -> Result<DhtKey, NetError> {
    match <[u8; 32]>::try_from(key.as_ref()) {
        Ok(bytes) => Ok(DhtKey(bytes)),
        Err(_) => Err(NetError::malformed(
            "a key of the DHT that has not 32 bytes",
        )),
    }
}

/// The record with its key and number, if it is valid in the network.
pub(super) fn read(
    record: &Record,
    network: &str,
) -> Result<(DhtKey, Sequence, SignedRecord), NetError> {
    let key = key_from_kad(&record.key)?;
    let Value(signed) = decode(&record.value)?;
    let keyed = KeyedRecord {
        key,
        record: signed,
    };
    let believed: DhtRecord =
        validate_record(&keyed, network).map_err(|error| NetError::BadRecord {
            reason: error.to_string(),
        })?;
    Ok((key, believed.sequence, keyed.record))
}

/// A valid record may lie where there is none, where it lies already, and where an
/// older one of the same signer lies.
pub(super) fn check_replaces(
    store: &mut MemoryStore,
    record: &Record,
    network: &str,
) -> Result<(), NetError> {
    let (_, sequence, signed) = read(record, network)?;
    let now = Instant::now();
    let known = store
        .get(&record.key)
        .filter(|known| !known.is_expired(now))
        .map(std::borrow::Cow::into_owned);
    if let Some(known) = known {
        let (_, known_sequence, known_signed) = read(&known, network)?;
        let is_same = signed == known_signed;
        let replaces = signed.signer == known_signed.signer && is_newer(sequence, known_sequence);
        if !is_same && !replaces {
            return Err(NetError::Stale);
        }
    }
    Ok(())
}
