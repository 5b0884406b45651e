//! Sealed boxes: who can open them, and that alterations are noticed.

use bitdust_crypto::{SealedBoxError, seal_to};
use bitdust_model::limits::SEALED_BOX_BYTES_MAX;

use crate::world::Person;

#[test]
fn the_device_and_the_identity_open_what_was_sealed_to_them() {
    let alice = Person::new();
    for public in [
        alice.home.device.exchange_public(),
        alice.home.exchange_public(),
    ] {
        let boxed = seal_to(&public, b"for alice");
        let opened = alice.home.open_sealed(&boxed).expect("alice opens it");
        assert_eq!(opened.as_slice(), b"for alice");
    }
    assert_eq!(alice.home.exchange_public(), alice.root.exchange_public());
}

#[test]
fn nobody_else_opens_a_box() {
    let alice = Person::new();
    let boxed = seal_to(&alice.home.exchange_public(), b"for alice");
    let mallory = Person::new().home.open_sealed(&boxed).err();
    assert_eq!(mallory, Some(SealedBoxError::NotForUs));
}

#[test]
fn a_change_of_any_byte_of_a_box_is_noticed() {
    let alice = Person::new();
    let boxed = seal_to(&alice.home.exchange_public(), b"for alice");
    for index in 0..boxed.len() {
        let mut altered = boxed.clone();
        altered[index] ^= 1;
        assert!(alice.home.open_sealed(&altered).is_err(), "byte {index}");
        assert!(
            alice.home.open_sealed(&boxed[..index]).is_err(),
            "cut at {index}"
        );
    }
}

#[test]
fn two_boxes_of_one_text_differ() {
    let public = Person::new().home.exchange_public();
    assert_ne!(seal_to(&public, b"same"), seal_to(&public, b"same"));
}

#[test]
fn low_order_points_and_giants_are_refused() {
    let home = Person::new().home;
    let mut low_order = vec![0; 64];
    low_order[0] = 1;
    assert_eq!(
        home.open_sealed(&low_order).err(),
        Some(SealedBoxError::NotForUs)
    );
    let bytes = SEALED_BOX_BYTES_MAX + 1;
    let giant = home.open_sealed(&vec![1; bytes]).err();
    assert_eq!(giant, Some(SealedBoxError::TooLong { bytes }));
}
