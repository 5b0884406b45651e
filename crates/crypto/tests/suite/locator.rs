//! Locator records: padded, unlinkable, and opened by their own slot alone.

use std::collections::BTreeSet;

use bitdust_crypto::{EpochSecrets, LocatorError, LocatorKey, verify};
use bitdust_model::limits::{
    DHT_VALUE_BYTES_MAX, KIB, LOCATOR_BYTES_MAX, LOCATOR_PLAIN_BYTES_MAX, LOCATOR_SLOTS,
};
use bitdust_model::locator::SignedRecord;
use bitdust_model::{DeviceId, Epoch, Sequence, UnixMillis};

use crate::world::Person;

/// Nonce and tag.
const SEALING_BYTES: usize = 12 + 16;

#[test]
fn a_record_is_padded_to_one_of_three_lengths() {
    let key = LocatorKey::root(&Person::new().root, 0);
    let check = |plain_bytes: usize, padded: usize| {
        let plain = vec![5; plain_bytes];
        let record = seal(&key, &plain);
        let believed = verify(&record).expect("it was just signed");
        assert_eq!(
            believed.body.len(),
            padded + SEALING_BYTES,
            "{plain_bytes} bytes"
        );
        assert!(record.bytes.len() <= DHT_VALUE_BYTES_MAX);
        assert_eq!(
            key.open(&record, "net").expect("it opens").as_slice(),
            plain
        );
    };
    check(0, 2 * KIB);
    check(1, 2 * KIB);
    check(2 * KIB - 4, 2 * KIB);
    check(2 * KIB - 3, 4 * KIB);
    check(4 * KIB - 4, 4 * KIB);
    check(4 * KIB - 3, LOCATOR_BYTES_MAX);
    check(LOCATOR_PLAIN_BYTES_MAX, LOCATOR_BYTES_MAX);
}

#[test]
fn a_record_that_does_not_fit_is_refused() {
    let key = LocatorKey::root(&Person::new().root, 0);
    let plain = vec![5; LOCATOR_PLAIN_BYTES_MAX + 1];
    let refused = key
        .try_seal("net", Sequence(1), UnixMillis(2), &plain)
        .err();
    assert_eq!(refused, Some(LocatorError::TooLong { bytes: plain.len() }));
}

#[test]
fn no_two_slots_lanes_or_epochs_share_a_key() {
    let root = Person::new().root;
    let mut all: Vec<_> = (0..LOCATOR_SLOTS)
        .map(|slot| LocatorKey::root(&root, slot))
        .collect();
    for epoch in [0, 1] {
        let secrets = root.epoch(Epoch(epoch));
        for slot in 0..LOCATOR_SLOTS {
            all.push(LocatorKey::lane(&secrets, DeviceId([1; 32]), slot));
            all.push(LocatorKey::lane(&secrets, DeviceId([2; 32]), slot));
        }
    }
    let mut keys = BTreeSet::new();
    let count = 2 * all.len();
    for key in all {
        let signer = seal(&key, b"x").signer;
        assert_ne!(signer, root.identity().0, "the signer is blinded");
        keys.insert(key.dht_key().0);
        keys.insert(signer);
    }
    assert_eq!(keys.len(), count, "two places can be linked");
}

#[test]
fn a_record_opens_only_with_its_own_slot_and_network() {
    let secrets = secrets();
    let lane = DeviceId([1; 32]);
    let key = LocatorKey::lane(&secrets, lane, 0);
    let record = seal(&key, b"plain");
    assert!(
        LocatorKey::lane(&secrets, lane, 0)
            .open(&record, "net")
            .is_ok()
    );
    for other in [
        LocatorKey::lane(&secrets, lane, 1),
        LocatorKey::lane(&secrets, DeviceId([2; 32]), 0),
        LocatorKey::root(&Person::new().root, 0),
    ] {
        assert!(matches!(
            other.open(&record, "net"),
            Err(LocatorError::Verify(_))
        ));
    }
    assert!(matches!(
        key.open(&record, "other"),
        Err(LocatorError::Foreign { .. })
    ));
}

#[test]
fn the_same_text_never_looks_the_same() {
    let key = LocatorKey::root(&Person::new().root, 0);
    assert_ne!(seal(&key, b"plain").bytes, seal(&key, b"plain").bytes);
}

#[test]
fn an_altered_record_does_not_open() {
    let key = LocatorKey::root(&Person::new().root, 0);
    let record = seal(&key, b"plain");
    for index in (0..record.bytes.len()).step_by(61) {
        let mut altered = record.clone();
        altered.bytes[index] ^= 1;
        assert!(key.open(&altered, "net").is_err(), "byte {index}");
    }
}

/// A device publishes again what was sealed with the words, and can seal nothing there itself.
#[test]
fn a_device_opens_the_root_record_of_its_identity() {
    let (alice, mallory) = (Person::new(), Person::new());
    for (slot, known) in (0..LOCATOR_SLOTS).zip(&alice.home.root_slots) {
        let key = LocatorKey::root(&alice.root, slot);
        assert_eq!(known.dht_key(), key.dht_key());
        let record = seal(&key, b"plain");
        let opened = known.open(&record, "net").expect("it opens");
        assert_eq!(opened.as_slice(), b"plain");
        let foreign = seal(&LocatorKey::root(&mallory.root, slot), b"plain");
        assert!(matches!(
            known.open(&foreign, "net"),
            Err(LocatorError::Verify(_))
        ));
    }
    assert_eq!(alice.home.root_slots.len(), usize::from(LOCATOR_SLOTS));
}

fn seal(key: &LocatorKey, plain: &[u8]) -> SignedRecord {
    key.seal("net", Sequence(1), UnixMillis(2), plain)
}

fn secrets() -> EpochSecrets {
    Person::new().root.epoch(Epoch(0))
}
