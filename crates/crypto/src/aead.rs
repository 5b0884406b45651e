//! AES-256-GCM in place: the one door to the authenticated cipher.
//!
//! Nonces are the callers' to keep apart: random for keys of long life, counted or zero for
//! keys that seal one thing.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};

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

    /// Seals bytes where they lie and gives the tag, which belongs behind them.
    ///
    /// # Panics
    /// As [`Self::seal`].
    pub(crate) fn seal_within(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        self.cipher
            .encrypt_inout_detached(&nonce.into(), associated, bytes.into())
            .expect("all that is sealed is far below the length limit of AES-GCM")
            .into()
    }

    /// Opens bytes where they lie; they are untouched when it fails.
    pub(crate) fn open_within(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        bytes: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), NotAuthentic> {
        self.cipher
            .decrypt_inout_detached(&nonce.into(), associated, bytes.into(), tag.into())
            .map_err(|_| NotAuthentic)
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
