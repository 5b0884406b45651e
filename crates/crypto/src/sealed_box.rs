//! Sealed boxes: bytes that only the holder of one X25519 key can open, from anybody.
//!
//! A box is `version 1 ‖ ephemeral public key (32) ‖ AES-256-GCM ciphertext ‖ tag (16)`.
//! It hides and protects its content and says nothing about who sealed it.

use bitdust_model::limits::SEALED_BOX_BYTES_MAX;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::aead::{Aead, NONCE_BYTES, TAG_BYTES};
use crate::derive::{Label, derive};
use crate::random::random;

const VERSION: u8 = 1;
/// Each key seals one box.
const NONCE: [u8; NONCE_BYTES] = [0; NONCE_BYTES];
const HEADER_BYTES: usize = 1 + 32;

/// Why a box cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedBoxError {
    /// Sealed for somebody else, or altered since.
    #[error("the sealed box is not for this device or identity, or it was altered")]
    NotForUs,
    /// No box of a version known here.
    #[error("the bytes are no sealed box of a known version")]
    Malformed,
    /// More than a box may have.
    #[error("the sealed box has {bytes} bytes, at most {SEALED_BOX_BYTES_MAX} are allowed")]
    TooLong {
        /// How many came.
        bytes: usize,
    },
}

/// Seals bytes to an X25519 public key.
///
/// A public key of low order, which no honest holder has, gives a box that nobody opens.
#[must_use]
pub fn seal_to(public: &[u8; 32], bytes: &[u8]) -> Vec<u8> {
    let ephemeral = StaticSecret::from(random());
    let ephemeral_public = PublicKey::from(&ephemeral).to_bytes();
    let shared = ephemeral.diffie_hellman(&PublicKey::from(*public));
    let mut sealed = bytes.to_vec();
    box_cipher(&shared, &ephemeral_public, public).seal(NONCE, &[VERSION], &mut sealed);
    let mut boxed = Vec::with_capacity(HEADER_BYTES + sealed.len());
    boxed.push(VERSION);
    boxed.extend_from_slice(&ephemeral_public);
    boxed.append(&mut sealed);
    boxed
}

/// Opens a box with the secret half of the key it was sealed to.
pub(crate) fn open(
    secret: &StaticSecret,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealedBoxError> {
    if bytes.len() > SEALED_BOX_BYTES_MAX {
        return Err(SealedBoxError::TooLong { bytes: bytes.len() });
    }
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(SealedBoxError::Malformed);
    };
    let [version, ephemeral @ ..] = *header;
    if version != VERSION || body.len() < TAG_BYTES {
        return Err(SealedBoxError::Malformed);
    }
    let shared = secret.diffie_hellman(&PublicKey::from(ephemeral));
    if !shared.was_contributory() {
        return Err(SealedBoxError::NotForUs);
    }
    let public = PublicKey::from(secret).to_bytes();
    let mut plain = body.to_vec();
    box_cipher(&shared, &ephemeral, &public)
        .open(NONCE, &[VERSION], &mut plain)
        .map_err(|_| SealedBoxError::NotForUs)?;
    Ok(Zeroizing::new(plain))
}

/// Key: label `sealed-box`, from the X25519 shared secret, with ephemeral and recipient
/// public keys. The nonce is zero.
fn box_cipher(shared: &SharedSecret, ephemeral: &[u8; 32], recipient: &[u8; 32]) -> Aead {
    let key = derive(shared.as_bytes(), Label::SealedBox, &[ephemeral, recipient]);
    Aead::new(&key)
}
