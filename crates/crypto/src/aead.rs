//! AES-256-GCM in place: the one way to the authenticated cipher.
//!
//! Nonces are the callers' to keep apart: random for keys of long life, counted or zero for
//! keys that seal one thing. What is short and rare goes through [`Aead`], contents through
//! [`BulkAead`]; both make and open the same bytes.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a tag.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;

/// A key made ready.
pub(crate) struct Aead {
    cipher: Aes256Gcm,
}

/// The key, the nonce, the associated data or the bytes are not those that were sealed.
#[derive(Debug)]
pub(crate) struct NotAuthentic;

impl Aead {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.into()),
        }
    }

    /// Seals bytes in place and appends the tag.
    ///
    /// # Panics
    /// Above 64 GiB, which no limit of ours allows.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_BYTES], associated: &[u8], bytes: &mut Vec<u8>) {
        self.cipher
            .encrypt_in_place(&nonce.into(), associated, bytes)
            .expect("all that is sealed is far below the length limit of AES-GCM");
    }

    /// Opens bytes in place and removes the tag; they are untouched when it fails.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        bytes: &mut Vec<u8>,
    ) -> Result<(), NotAuthentic> {
        self.cipher
            .decrypt_in_place(&nonce.into(), associated, bytes)
            .map_err(|_| NotAuthentic)
    }
}

/// A key made ready for many bytes: by the assembly of ring, which takes 32 bytes at a time where
/// the processor can, at about three times the speed.
pub(crate) struct BulkAead {
    key: LessSafeKey,
}

impl BulkAead {
    /// # Panics
    /// Never: AES takes every key of 256 bits.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("a key of 256 bits");
        Self {
            key: LessSafeKey::new(key),
        }
    }

    /// Seals bytes where they lie and gives the tag, which belongs behind them.
    ///
    /// # Panics
    /// Above 64 GiB, which no limit of ours allows.
    pub(crate) fn seal_within(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(associated), bytes)
            .expect("all that is sealed is far below the length limit of AES-GCM");
        tag.as_ref().try_into().expect("a tag of AES-GCM")
    }

    /// Opens bytes where they lie; when it fails, they are of no use any more.
    pub(crate) fn open_within(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        bytes: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), NotAuthentic> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(associated), (*tag).into(), bytes, 0..)
            .map(drop)
            .map_err(|_| NotAuthentic)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_make_and_open_the_same(
            key: [u8; 32],
            nonce: [u8; NONCE_BYTES],
            associated in prop::collection::vec(any::<u8>(), 0..80),
            plain in prop::collection::vec(any::<u8>(), 0..5000),
            flip in any::<prop::sample::Index>(),
        ) {
            let (one, bulk) = (Aead::new(&key), BulkAead::new(&key));
            let mut sealed = plain.clone();
            one.seal(nonce, &associated, &mut sealed);
            let mut within = plain.clone();
            let tag = bulk.seal_within(nonce, &associated, &mut within);
            prop_assert_eq!(&[&within[..], &tag].concat(), &sealed);

            let mut opened = within.clone();
            prop_assert!(bulk.open_within(nonce, &associated, &mut opened, &tag).is_ok());
            prop_assert_eq!(&opened, &plain);
            let (mut altered, mut altered_tag) = (within, tag);
            match flip.index(altered.len() + TAG_BYTES).checked_sub(TAG_BYTES) {
                Some(at) => altered[at] ^= 1,
                None => altered_tag[0] ^= 1,
            }
            prop_assert!(bulk.open_within(nonce, &associated, &mut altered, &altered_tag).is_err());
        }
    }
}
