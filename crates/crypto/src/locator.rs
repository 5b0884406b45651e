//! Locator records: how the phrase alone finds its data again.
//!
//! Each slot of the root record and of a lane record has a signing key and a cipher key of
//! its own: those of the root record come from the phrase alone, so that no device can sign one;
//! those of lanes from the epoch's locator secret. Outsiders see unrelated signers, unrelated DHT
//! keys and one of three lengths.

use bitdust_model::limits::{KIB, LOCATOR_BYTES_MAX, LOCATOR_PLAIN_BYTES_MAX};
use bitdust_model::locator::{DhtRecord, RecordKind, SignedRecord};
use bitdust_model::{DeviceId, DhtKey, Sequence, UnixMillis};
use zeroize::Zeroizing;

use crate::aead::{Aead, NONCE_BYTES, TAG_BYTES};
use crate::derive::{Label, Secret, derive};
use crate::identity::{EpochSecrets, RootSecrets};
use crate::place::dht_key;
use crate::random::random;
use crate::sign::{SigningKey, VerifyError, verify_by};

const LENGTH_BYTES: usize = 4;
/// What sealing adds to the padded plain text.
const SEALING_BYTES: usize = NONCE_BYTES + TAG_BYTES;
/// Padded lengths of the plain text, its length in front included.
const PADDED_BYTES: [usize; 3] = [2 * KIB, 4 * KIB, LOCATOR_BYTES_MAX];

const _: () = assert!(
    LOCATOR_PLAIN_BYTES_MAX == PADDED_BYTES[2] - LENGTH_BYTES,
    "the limit of the plain text is the room in the largest class"
);

/// Why a locator record cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// More than the largest class holds.
    #[error("a locator record of {bytes} bytes exceeds the limit of {LOCATOR_PLAIN_BYTES_MAX}")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// Signature or signer are wrong.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A record of another kind, or of another network.
    #[error("the record is no locator record of the network {network:?}")]
    Foreign {
        /// The network that was expected.
        network: String,
    },
    /// Signed by the right key, and yet it does not open.
    #[error("the locator record does not open with its key")]
    Damaged,
}

/// The keys of one slot of the root record or of a lane record.
pub struct LocatorKey {
    signing: SigningKey,
    sealing: Secret,
}

impl LocatorKey {
    /// Keys of a slot of the root record: labels `root-locator-signing` (Ed25519 seed) and
    /// `root-locator-sealing` (AES-256-GCM), from the entropy of the phrase, with the slot (one
    /// byte).
    #[must_use]
    pub fn root(root: &RootSecrets, slot: u8) -> Self {
        let context: [&[u8]; 1] = [&[slot]];
        let seed = derive(root.entropy(), Label::RootLocatorSigning, &context);
        let sealing = derive(root.entropy(), Label::RootLocatorSealing, &context);
        Self {
            signing: SigningKey::from_seed(&seed),
            sealing,
        }
    }

    /// Keys of a slot of a lane record: labels `lane-locator-signing` and
    /// `lane-locator-sealing`, from the locator secret, with device and slot (one byte).
    #[must_use]
    pub fn lane(secrets: &EpochSecrets, device: DeviceId, slot: u8) -> Self {
        let context: [&[u8]; 2] = [&device.0, &[slot]];
        let seed = derive(&secrets.locator, Label::LaneLocatorSigning, &context);
        let sealing = derive(&secrets.locator, Label::LaneLocatorSealing, &context);
        Self {
            signing: SigningKey::from_seed(&seed),
            sealing,
        }
    }

    /// What a device keeps of it.
    pub(crate) fn slot(&self) -> RootSlot {
        RootSlot {
            signer: self.signing.public(),
            sealing: self.sealing.clone(),
        }
    }

    /// Where the record lies in the DHT.
    #[must_use]
    pub fn dht_key(&self) -> DhtKey {
        dht_key(RecordKind::Locator, &self.signing.public())
    }

    /// Seals and signs a record, as [`LocatorKey::try_seal`].
    ///
    /// # Panics
    /// If the plain bytes exceed `LOCATOR_PLAIN_BYTES_MAX`: use it only for what is bounded.
    #[must_use]
    pub fn seal(
        &self,
        network: &str,
        sequence: Sequence,
        written_at: UnixMillis,
        plain: &[u8],
    ) -> SignedRecord {
        self.try_seal(network, sequence, written_at, plain)
            .expect("the caller bounds what it seals into a locator record")
    }

    /// Seals and signs a record. The body is `nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16)`
    /// of `length (u32 LE) ‖ plain ‖ zeros`, padded to 2,048, 4,096 or 8,960 bytes; associated
    /// data is `sequence (u64 LE) ‖ written_at (u64 LE) ‖ network`.
    pub fn try_seal(
        &self,
        network: &str,
        sequence: Sequence,
        written_at: UnixMillis,
        plain: &[u8],
    ) -> Result<SignedRecord, LocatorError> {
        let mut padded = pad(plain)?;
        let nonce: [u8; NONCE_BYTES] = random();
        let associated = associated_data(network, sequence, written_at);
        self.cipher().seal(nonce, &associated, &mut padded);
        let mut body = nonce.to_vec();
        body.extend_from_slice(&padded);
        let kind = RecordKind::Locator;
        let network = network.to_owned();
        Ok(self.signing.sign(&DhtRecord {
            kind,
            network,
            sequence,
            written_at,
            body,
        }))
    }

    /// Checks signer, signature, kind and network of a record of this slot and opens it.
    pub fn open(
        &self,
        record: &SignedRecord,
        network: &str,
    ) -> Result<Zeroizing<Vec<u8>>, LocatorError> {
        open(record, network, &self.signing.public(), &self.sealing)
    }

    fn cipher(&self) -> Aead {
        Aead::new(&self.sealing)
    }
}

/// A slot of the root record as devices know it: they read it and publish it again, and cannot sign
/// another.
#[derive(Clone)]
pub struct RootSlot {
    pub(crate) signer: [u8; 32],
    pub(crate) sealing: Secret,
}

impl RootSlot {
    /// Where the record lies in the DHT.
    #[must_use]
    pub fn dht_key(&self) -> DhtKey {
        dht_key(RecordKind::Locator, &self.signer)
    }

    /// Checks and opens a record of this slot, as [`LocatorKey::open`].
    pub fn open(
        &self,
        record: &SignedRecord,
        network: &str,
    ) -> Result<Zeroizing<Vec<u8>>, LocatorError> {
        open(record, network, &self.signer, &self.sealing)
    }
}

/// Checks a record against the signer of its slot, and opens it.
fn open(
    record: &SignedRecord,
    network: &str,
    signer: &[u8; 32],
    sealing: &Secret,
) -> Result<Zeroizing<Vec<u8>>, LocatorError> {
    let believed = verify_by(record, signer)?;
    if believed.kind != RecordKind::Locator || believed.network != network {
        return Err(LocatorError::Foreign {
            network: network.to_owned(),
        });
    }
    if !is_sealed_length(believed.body.len()) {
        return Err(LocatorError::Damaged);
    }
    let Some((nonce, sealed)) = believed.body.split_first_chunk::<NONCE_BYTES>() else {
        return Err(LocatorError::Damaged);
    };
    let associated = associated_data(network, believed.sequence, believed.written_at);
    let mut padded = Zeroizing::new(sealed.to_vec());
    Aead::new(sealing)
        .open(*nonce, &associated, &mut padded)
        .map_err(|_| LocatorError::Damaged)?;
    let plain = unpad(&padded).ok_or(LocatorError::Damaged)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

/// Whether a sealed body has one of the three lengths that records may have.
pub(crate) fn is_sealed_length(bytes: usize) -> bool {
    PADDED_BYTES
        .iter()
        .any(|padded| bytes == padded + SEALING_BYTES)
}

fn associated_data(network: &str, sequence: Sequence, written_at: UnixMillis) -> Vec<u8> {
    let mut associated = Vec::with_capacity(16 + network.len());
    associated.extend_from_slice(&sequence.0.to_le_bytes());
    associated.extend_from_slice(&written_at.0.to_le_bytes());
    associated.extend_from_slice(network.as_bytes());
    associated
}

fn pad(plain: &[u8]) -> Result<Zeroizing<Vec<u8>>, LocatorError> {
    let needed = plain.len() + LENGTH_BYTES;
    let too_long = LocatorError::TooLong { bytes: plain.len() };
    let Some(class) = PADDED_BYTES.into_iter().find(|class| needed <= *class) else {
        return Err(too_long);
    };
    let Ok(length) = u32::try_from(plain.len()) else {
        return Err(too_long);
    };
    let mut padded = Zeroizing::new(Vec::with_capacity(class + TAG_BYTES));
    padded.extend_from_slice(&length.to_le_bytes());
    padded.extend_from_slice(plain);
    padded.resize(class, 0);
    Ok(padded)
}

fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (plain, zeros) = rest.split_at_checked(length)?;
    zeros.iter().all(|byte| *byte == 0).then_some(plain)
}
