//! Secrets cannot be printed, and not stored by accident: this file compiles only while
//! they implement neither `Debug` nor `Serialize`, and the phrase not even `Clone`.

use bitdust_crypto::{
    DeviceKeys, EpochSecrets, HomeSecrets, LocatorKey, PackCipher, Phrase, RootSecrets, RootSlot,
    ShardMask, SigningKey,
};

/// Ambiguous, and so an error, for types that implement `$bound`.
macro_rules! assert_without {
    ($bound:path: $($secret:ty),+) => {{
        trait AmbiguousIf<Marker> {
            fn checked() -> bool {
                true
            }
        }
        impl<T: ?Sized> AmbiguousIf<()> for T {}
        impl<T: ?Sized + $bound> AmbiguousIf<u8> for T {}
        $(assert!(<$secret as AmbiguousIf<_>>::checked(), "checked by the compiler");)+
    }};
}

#[test]
fn secrets_can_be_neither_printed_nor_serialised() {
    assert_without!(std::fmt::Debug:
        Phrase, RootSecrets, DeviceKeys, EpochSecrets, HomeSecrets, SigningKey, LocatorKey,
        PackCipher, RootSlot, ShardMask);
    assert_without!(std::fmt::Display:
        Phrase, RootSecrets, DeviceKeys, EpochSecrets, HomeSecrets, SigningKey, LocatorKey,
        PackCipher, RootSlot, ShardMask);
    assert_without!(serde::Serialize:
        Phrase, RootSecrets, DeviceKeys, EpochSecrets, HomeSecrets, SigningKey, LocatorKey,
        PackCipher, RootSlot, ShardMask);
}

#[test]
fn what_gives_everything_exists_once() {
    assert_without!(Clone: Phrase, RootSecrets, HomeSecrets);
}

#[test]
fn secrets_are_wiped_when_they_are_dropped() {
    const fn check<T: zeroize::ZeroizeOnDrop>() -> bool {
        std::mem::needs_drop::<T>()
    }
    assert!(check::<EpochSecrets>());
    assert!(
        check::<ed25519_dalek::SigningKey>(),
        "the feature zeroize is on"
    );
    assert!(
        check::<x25519_dalek::StaticSecret>(),
        "the feature zeroize is on"
    );
    assert!(check::<aes::Aes256>(), "the feature zeroize is on");
}
