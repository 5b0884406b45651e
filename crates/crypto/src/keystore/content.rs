//! The plain content of a key file, written by hand so that no copy of a secret is left
//! behind by a growing buffer.
//!
//! `device seed (32) ‖ device exchange (32) ‖ identity exchange (32) ‖ for each of three slots of the
//! root record: signer, sealing (32 each) ‖ count of epochs (u32 LE) ‖ for each: epoch (u32 LE) ‖ chunk, pack, mask, metadata, locator (32 each) ‖
//! postcard of the signed certificate`.

use bitdust_model::codec::Versioned;
use bitdust_model::limits::{EPOCHS_MAX, LOCATOR_SLOTS};
use bitdust_model::locator::Certificate;
use bitdust_model::{Epoch, Signed};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::error::KeystoreError;
use crate::derive::Secret;
use crate::home_secrets::HomeSecrets;
use crate::identity::{DeviceKeys, EpochSecrets, IdentityError};
use crate::locator::RootSlot;

const EPOCH_BYTES: usize = 4 + 5 * 32;
/// Keys, slots and count in front of the epochs.
const FRONT_BYTES: usize = 3 * 32 + LOCATOR_SLOTS as usize * 64 + 4;
/// What postcard adds to the bytes of a signed document: length, signer, signature.
const SIGNED_BYTES: usize = 10 + 32 + 64;
/// Room for the tag, so that sealing in place does not move the buffer.
const ROOM_BYTES: usize = 16;

pub(super) fn write(home: &HomeSecrets) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let count = home.epochs.len();
    if count > EPOCHS_MAX {
        let epoch = home.newest_epoch().epoch();
        return Err(IdentityError::TooManyEpochs { epoch }.into());
    }
    let capacity =
        FRONT_BYTES + count * EPOCH_BYTES + Certificate::BYTES_MAX + SIGNED_BYTES + ROOM_BYTES;
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    out.extend_from_slice(home.device.signing().seed().as_slice());
    out.extend_from_slice(home.device.exchange().as_bytes());
    out.extend_from_slice(home.exchange().as_bytes());
    for slot in &home.root_slots {
        out.extend_from_slice(&slot.signer);
        out.extend_from_slice(slot.sealing.as_slice());
    }
    out.extend_from_slice(&count_bytes(count));
    for secrets in &home.epochs {
        out.extend_from_slice(&secrets.epoch.0.to_le_bytes());
        for secret in [
            &secrets.chunk,
            &secrets.pack,
            &secrets.mask,
            &secrets.metadata,
            &secrets.locator,
        ] {
            out.extend_from_slice(secret);
        }
    }
    out.extend_from_slice(&certificate_bytes(home));
    Ok(out)
}

pub(super) fn read(plain: &[u8]) -> Result<HomeSecrets, KeystoreError> {
    let mut rest = plain;
    let device_seed = take_secret(&mut rest)?;
    let device_exchange = take_secret(&mut rest)?;
    let identity_exchange = take_secret(&mut rest)?;
    let mut root_slots = Vec::new();
    for _ in 0..LOCATOR_SLOTS {
        root_slots.push(RootSlot {
            signer: *take_secret(&mut rest)?,
            sealing: take_secret(&mut rest)?,
        });
    }
    let count = usize::try_from(take_u32(&mut rest)?).map_err(|_| KeystoreError::Damaged)?;
    if count > EPOCHS_MAX || count * EPOCH_BYTES > rest.len() {
        return Err(KeystoreError::Damaged);
    }
    let mut epochs = Vec::with_capacity(count);
    for _ in 0..count {
        epochs.push(EpochSecrets {
            epoch: Epoch(take_u32(&mut rest)?),
            chunk: *take_secret(&mut rest)?,
            pack: *take_secret(&mut rest)?,
            mask: *take_secret(&mut rest)?,
            metadata: *take_secret(&mut rest)?,
            locator: *take_secret(&mut rest)?,
        });
    }
    let certificate: Signed<Certificate> = match postcard::take_from_bytes(rest) {
        Ok((certificate, [])) => certificate,
        Ok(_) | Err(_) => return Err(KeystoreError::Damaged),
    };
    let device = DeviceKeys::from_parts(&device_seed, &device_exchange);
    let exchange = StaticSecret::from(*identity_exchange);
    Ok(HomeSecrets::new(
        device,
        certificate,
        epochs,
        root_slots,
        exchange,
    )?)
}

fn count_bytes(count: usize) -> [u8; 4] {
    u32::try_from(count)
        .expect("the limit of epochs fits 32 bits")
        .to_le_bytes()
}

fn certificate_bytes(home: &HomeSecrets) -> Vec<u8> {
    postcard::to_allocvec(&home.certificate).expect("plain data always serialises")
}

fn take_secret(rest: &mut &[u8]) -> Result<Secret, KeystoreError> {
    let (secret, after) = rest
        .split_first_chunk::<32>()
        .ok_or(KeystoreError::Damaged)?;
    *rest = after;
    Ok(Secret::new(*secret))
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, KeystoreError> {
    let (bytes, after) = rest
        .split_first_chunk::<4>()
        .ok_or(KeystoreError::Damaged)?;
    *rest = after;
    Ok(u32::from_le_bytes(*bytes))
}
