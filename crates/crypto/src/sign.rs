//! Signatures: Ed25519 over documents, with one domain for each kind.
//!
//! What is signed is `"bitdust/v1/" ‖ KIND ‖ 0x00 ‖ bytes`, so a signature of one kind
//! is worth nothing for another. Bytes are measured, then verified, and only then parsed.

use bitdust_model::codec::{DecodeError, Versioned};
use bitdust_model::contract::Contract;
use bitdust_model::deletion::Tombstone;
use bitdust_model::document::Signature;
use bitdust_model::head::Head;
use bitdust_model::locator::Certificate;
use bitdust_model::set::SetRecord;
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{
    ContractId, Document, HeadHash, SetHash, Signed, TombstoneHash, decode, encode, limits,
};
use ed25519_dalek::{Signer, VerifyingKey};
use zeroize::Zeroizing;

use crate::derive::PREFIX;
use crate::random::random;

/// A key that signs documents. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
}

/// Why a signed document is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature does not belong to these bytes, this kind and this signer.
    #[error("the signature of this {kind} is false: it was altered or never signed by its signer")]
    Forged {
        /// What was expected.
        kind: &'static str,
    },
    /// The signature is good, but by somebody who may not say this.
    #[error("this {kind} was signed by the wrong key")]
    WrongSigner {
        /// What was expected.
        kind: &'static str,
    },
    /// Each part is good, and together they say what cannot be.
    #[error("the parts of this {kind} do not belong together")]
    Inconsistent {
        /// What was expected.
        kind: &'static str,
    },
    /// Too long to look at, or signed and yet unreadable.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl SigningKey {
    /// A new key from the operating system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_seed(&Zeroizing::new(random()))
    }

    /// The key of a seed (the 32-byte secret of RFC 8032).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(seed),
        }
    }

    /// The seed, for the transport that needs the same key.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Encodes and signs a document.
    ///
    /// # Panics
    /// If the document exceeds the limit of its kind, as [`encode`] does.
    #[must_use]
    pub fn sign<T: Document>(&self, document: &T) -> Signed<T> {
        let bytes = encode(document);
        let signature = self.key.sign(&signed_message::<T>(&bytes));
        Signed::from_parts(bytes, self.public(), Signature(signature.to_bytes()))
    }
}

/// Checks the signature against the signer that the document names, then decodes it. Who
/// the signer ought to be is the caller's to check, or use [`verify_by`].
pub fn verify<T: Document>(signed: &Signed<T>) -> Result<T, VerifyError> {
    verify_signature(signed)?;
    Ok(decode(&signed.bytes)?)
}

/// As [`verify`], and the signer must be `signer`.
pub fn verify_by<T: Document>(signed: &Signed<T>, signer: &[u8; 32]) -> Result<T, VerifyError> {
    if signed.signer != *signer {
        return Err(VerifyError::WrongSigner { kind: T::KIND });
    }
    verify(signed)
}

/// As [`verify`], and the signer must be the identity that the certificate names.
pub fn verify_certificate(signed: &Signed<Certificate>) -> Result<Certificate, VerifyError> {
    let certificate = verify(signed)?;
    if signed.signer != certificate.identity.0 {
        return Err(VerifyError::WrongSigner {
            kind: Certificate::KIND,
        });
    }
    Ok(certificate)
}

/// Checks the header of a pack, signed by the device of its lane, and takes in the shards that came
/// later, if the same device signed those.
pub fn verify_header(signed: &SignedHeader) -> Result<StoreHeader, VerifyError> {
    let kind = StoreHeader::KIND;
    let mut header = verify(&signed.header)?;
    if header.lane.0 != signed.header.signer {
        return Err(VerifyError::WrongSigner { kind });
    }
    if header.shards.len() > limits::SUPPLIERS_PER_SET_MAX {
        return Err(VerifyError::Inconsistent { kind });
    }
    if let Some(supplement) = &signed.supplement
        && !header.grow(verify_by(supplement, &header.lane.0)?)
    {
        return Err(VerifyError::Inconsistent { kind });
    }
    Ok(header)
}

/// The hash by which the next head of the lane names this one: BLAKE3 of its signed bytes.
#[must_use]
pub fn head_hash(head: &Signed<Head>) -> HeadHash {
    HeadHash(*blake3::hash(&head.bytes).as_bytes())
}

/// The hash by which the next version of a set names this one: BLAKE3 of its signed bytes.
#[must_use]
pub fn set_hash(record: &Signed<SetRecord>) -> SetHash {
    SetHash(*blake3::hash(&record.bytes).as_bytes())
}

/// The hash by which the next tombstone of a lane, and its head, name this one: BLAKE3 of its
/// signed bytes.
#[must_use]
pub fn tombstone_hash(tombstone: &Signed<Tombstone>) -> TombstoneHash {
    TombstoneHash(*blake3::hash(&tombstone.bytes).as_bytes())
}

/// The id of a contract: BLAKE3 of the bytes that the customer signed.
#[must_use]
pub fn contract_id(contract: &Signed<Contract>) -> ContractId {
    ContractId(*blake3::hash(&contract.bytes).as_bytes())
}

fn verify_signature<T: Document>(signed: &Signed<T>) -> Result<(), VerifyError> {
    let bytes = signed.bytes.len();
    if bytes > T::BYTES_MAX {
        let kind = T::KIND;
        let bytes_max = T::BYTES_MAX;
        return Err(DecodeError::TooLong {
            kind,
            bytes,
            bytes_max,
        }
        .into());
    }
    let forged = |_| VerifyError::Forged { kind: T::KIND };
    let key = VerifyingKey::from_bytes(&signed.signer).map_err(forged)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signed.signature.0);
    key.verify_strict(&signed_message::<T>(&signed.bytes), &signature)
        .map_err(forged)?;
    Ok(())
}

fn signed_message<T: Versioned>(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(PREFIX.len() + T::KIND.len() + 1 + bytes.len());
    message.extend_from_slice(PREFIX);
    message.extend_from_slice(T::KIND.as_bytes());
    message.push(0);
    message.extend_from_slice(bytes);
    message
}
