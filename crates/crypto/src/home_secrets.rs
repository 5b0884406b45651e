//! The selection of an identity's secrets that a device keeps.

use bitdust_model::limits::{EPOCHS_MAX, LOCATOR_SLOTS};
use bitdust_model::locator::Certificate;
use bitdust_model::{Epoch, IdentityId, Signed};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::identity::{DeviceKeys, EpochSecrets, IdentityError, RootSecrets};
use crate::locator::{LocatorKey, RootSlot};
use crate::sealed_box::{self, SealedBoxError};
use crate::sign::verify_certificate;

/// All secrets that a device keeps: neither the phrase nor the root signing key is here.
pub struct HomeSecrets {
    /// The machine's own keys.
    pub device: DeviceKeys,
    /// That the machine belongs to the identity, signed by the root key.
    pub certificate: Signed<Certificate>,
    /// Secrets of the epochs, oldest first; never empty.
    pub epochs: Vec<EpochSecrets>,
    /// The slots of the root record, `LOCATOR_SLOTS` of them.
    pub root_slots: Vec<RootSlot>,
    identity: IdentityId,
    exchange: StaticSecret,
}

impl HomeSecrets {
    /// What a device keeps: its keys, its certificate (checked here), the slots of the root record,
    /// and the secrets of all epochs up to `newest`. Epochs count from 0.
    pub fn of(
        root: &RootSecrets,
        device: DeviceKeys,
        certificate: Signed<Certificate>,
        newest: Epoch,
    ) -> Result<Self, IdentityError> {
        if usize::try_from(newest.0).is_ok_and(|newest| newest >= EPOCHS_MAX) {
            return Err(IdentityError::TooManyEpochs { epoch: newest });
        }
        let epochs = (0..=newest.0)
            .map(|epoch| root.epoch(Epoch(epoch)))
            .collect();
        let slots = (0..LOCATOR_SLOTS)
            .map(|slot| LocatorKey::root(root, slot).slot())
            .collect();
        Self::new(device, certificate, epochs, slots, root.exchange().clone())
    }

    /// Puts the parts together; the certificate must be good and belong to the device.
    pub(crate) fn new(
        device: DeviceKeys,
        certificate: Signed<Certificate>,
        epochs: Vec<EpochSecrets>,
        root_slots: Vec<RootSlot>,
        exchange: StaticSecret,
    ) -> Result<Self, IdentityError> {
        let believed = verify_certificate(&certificate)?;
        if believed.device != device.device() || believed.exchange != device.exchange_public() {
            return Err(IdentityError::WrongDevice);
        }
        if epochs.is_empty() {
            return Err(IdentityError::NoEpoch);
        }
        Ok(Self {
            device,
            certificate,
            epochs,
            root_slots,
            identity: believed.identity,
            exchange,
        })
    }

    /// The identity that the certificate names.
    #[must_use]
    pub const fn identity(&self) -> IdentityId {
        self.identity
    }

    /// The X25519 public key of the identity.
    #[must_use]
    pub fn exchange_public(&self) -> [u8; 32] {
        PublicKey::from(&self.exchange).to_bytes()
    }

    /// The secrets of an epoch, if this device has them.
    #[must_use]
    pub fn epoch(&self, epoch: Epoch) -> Option<&EpochSecrets> {
        self.epochs.iter().find(|secrets| secrets.epoch == epoch)
    }

    /// The secrets with which new data is sealed: those of the newest epoch.
    ///
    /// # Panics
    /// If the list of epochs, which is never empty when it is made, was emptied since.
    #[must_use]
    pub fn newest_epoch(&self) -> &EpochSecrets {
        let newest = self.epochs.iter().max_by_key(|secrets| secrets.epoch);
        newest.expect("a home is made with at least one epoch")
    }

    /// Opens a sealed box addressed to this device or to its identity.
    pub fn open_sealed(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedBoxError> {
        match sealed_box::open(self.device.exchange(), bytes) {
            Err(SealedBoxError::NotForUs) => sealed_box::open(&self.exchange, bytes),
            Ok(plain) => Ok(plain),
            Err(error @ (SealedBoxError::Malformed | SealedBoxError::TooLong { .. })) => Err(error),
        }
    }

    pub(crate) const fn exchange(&self) -> &StaticSecret {
        &self.exchange
    }
}
