//! Who somebody is: the root secrets of the phrase, the keys of a device, the secrets of
//! an epoch.
//!
//! The root signing key lives only in [`RootSecrets`], which no format stores.

use bitdust_model::HeadRef;
use bitdust_model::limits::EPOCHS_MAX;
use bitdust_model::locator::{Certificate, Fence};
use bitdust_model::{DeviceId, Epoch, IdentityId, Signed, UnixMillis};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::derive::{Label, Secret, derive, derive_for_epoch};
use crate::phrase::Phrase;
use crate::random::random;
use crate::sign::{SigningKey, VerifyError};

/// Why secrets do not make an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The epoch is beyond what a home holds.
    #[error("epoch {} is beyond the {EPOCHS_MAX} epochs that a home can hold", epoch.0)]
    TooManyEpochs {
        /// The epoch that was asked for.
        epoch: Epoch,
    },
    /// There is no epoch at all.
    #[error("a home needs the secrets of at least one epoch")]
    NoEpoch,
    /// The certificate was made for another device.
    #[error("the certificate does not belong to the keys of this device")]
    WrongDevice,
    /// The certificate is not to be believed.
    #[error(transparent)]
    Certificate(#[from] VerifyError),
}

/// All that the phrase gives. Made for set-up, recovery and revocation, then dropped.
pub struct RootSecrets {
    entropy: Secret,
    signing: SigningKey,
    exchange: StaticSecret,
}

impl RootSecrets {
    /// Derives the root signing key (Ed25519 seed: label `root-signing`) and the exchange
    /// key (X25519: label `identity-exchange`) from the 32 bytes of the phrase.
    #[must_use]
    pub fn from_phrase(phrase: &Phrase) -> Self {
        let entropy = Zeroizing::new(*phrase.entropy());
        let signing = SigningKey::from_seed(&derive(&entropy, Label::RootSigning, &[]));
        let exchange = StaticSecret::from(*derive(&entropy, Label::IdentityExchange, &[]));
        Self {
            entropy,
            signing,
            exchange,
        }
    }

    /// The identity: the root public key.
    #[must_use]
    pub fn identity(&self) -> IdentityId {
        IdentityId(self.signing.public())
    }

    /// The root signing key.
    #[must_use]
    pub const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The X25519 public key to which others seal what is meant for the identity.
    #[must_use]
    pub fn exchange_public(&self) -> [u8; 32] {
        PublicKey::from(&self.exchange).to_bytes()
    }

    /// Derives the five secrets of an epoch: labels `epoch-chunk`, `epoch-pack`,
    /// `epoch-mask`, `epoch-metadata`, `epoch-locator`, each with the epoch as u32 LE.
    #[must_use]
    pub fn epoch(&self, epoch: Epoch) -> EpochSecrets {
        let secret = |label| *derive_for_epoch(&self.entropy, label, epoch);
        EpochSecrets {
            epoch,
            chunk: secret(Label::EpochChunk),
            pack: secret(Label::EpochPack),
            mask: secret(Label::EpochMask),
            metadata: secret(Label::EpochMetadata),
            locator: secret(Label::EpochLocator),
        }
    }

    /// Certifies that a device belongs to the identity. `nickname` names the machine and is
    /// empty in certificates shown to others.
    ///
    /// # Panics
    /// If the nickname is so long that the certificate exceeds its limit: callers hold it
    /// to `NICKNAME_BYTES_MAX`.
    #[must_use]
    pub fn certify(
        &self,
        device: &DeviceKeys,
        epoch: Epoch,
        nickname: &str,
        issued_at: UnixMillis,
    ) -> Signed<Certificate> {
        self.signing.sign(&Certificate {
            identity: self.identity(),
            device: device.device(),
            exchange: device.exchange_public(),
            epoch,
            issued_at,
            nickname: nickname.to_owned(),
        })
    }

    /// Closes a lane after a head.
    #[must_use]
    pub fn fence(&self, lane: DeviceId, last: HeadRef, issued_at: UnixMillis) -> Signed<Fence> {
        self.signing.sign(&Fence {
            identity: self.identity(),
            lane,
            last,
            issued_at,
        })
    }

    pub(crate) const fn exchange(&self) -> &StaticSecret {
        &self.exchange
    }

    pub(crate) const fn entropy(&self) -> &Secret {
        &self.entropy
    }
}

/// The keys of one machine.
#[derive(Clone)]
pub struct DeviceKeys {
    signing: SigningKey,
    exchange: StaticSecret,
}

impl DeviceKeys {
    /// New keys from the operating system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self {
            signing: SigningKey::generate(),
            exchange: StaticSecret::from(random()),
        }
    }

    /// The device: its Ed25519 public key.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId(self.signing.public())
    }

    /// The key that signs packets and heads, and that the transport uses.
    #[must_use]
    pub const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The X25519 public key to which others seal what is meant for this device.
    #[must_use]
    pub fn exchange_public(&self) -> [u8; 32] {
        PublicKey::from(&self.exchange).to_bytes()
    }

    /// The keys of given secrets.
    pub(crate) fn from_parts(seed: &[u8; 32], exchange: &[u8; 32]) -> Self {
        Self {
            signing: SigningKey::from_seed(seed),
            exchange: StaticSecret::from(*exchange),
        }
    }

    pub(crate) const fn exchange(&self) -> &StaticSecret {
        &self.exchange
    }
}

/// The secrets of one generation, from which all keys of daily work are derived.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EpochSecrets {
    #[zeroize(skip)]
    pub(crate) epoch: Epoch,
    pub(crate) chunk: [u8; 32],
    pub(crate) pack: [u8; 32],
    pub(crate) mask: [u8; 32],
    pub(crate) metadata: [u8; 32],
    pub(crate) locator: [u8; 32],
}

impl EpochSecrets {
    /// Which generation.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }
}
