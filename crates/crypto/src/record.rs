//! Records of the DHT: which of them are believed.
//!
//! Nothing is stored or believed that is not signed by the key its place is made of.

use bitdust_model::codec::DecodeError;
use bitdust_model::limits::{
    ADDRESS_BYTES_MAX, ADDRESSES_MAX, NICKNAME_BYTES_MAX, SEQUENCE_JUMP_MAX,
};
use bitdust_model::locator::{
    Addresses, Certificate, Contact, DhtRecord, KeyedRecord, NicknameClaim, Offer, RecordKind,
};
use bitdust_model::{DhtKey, Sequence, Signed, decode};

use crate::locator::is_sealed_length;
use crate::sign::{VerifyError, verify, verify_certificate};

pub use crate::place::{dht_key, nickname_key, offers_key};

/// Why a record is neither stored nor believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Signature, certificate or form are wrong.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The body is no document of the record's kind.
    #[error(transparent)]
    Body(#[from] DecodeError),
    /// It belongs to another network.
    #[error("the record belongs to another network than {network:?}")]
    ForeignNetwork {
        /// The network that was expected.
        network: String,
    },
    /// It lies under a key that is not its signer's (or its name's).
    #[error("the record does not belong under the key {key}")]
    WrongKey {
        /// Where it lay.
        key: DhtKey,
    },
    /// The body speaks for another device than the one that signed.
    #[error("the body of the record speaks for another device than its signer")]
    WrongDevice,
    /// Too many or too long addresses, too long a name, or a length no record has.
    #[error("the body of the record breaks a limit: {limit}")]
    Limit {
        /// Which.
        limit: &'static str,
    },
}

/// The number of a public record, and when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// The number.
    pub sequence: Sequence,
    /// Seconds since 1970 by the clock of whoever gave it.
    pub at: u64,
}

/// The largest step that a clock which leaps makes: a reader that missed it, and two days of steps as long as
/// they took, believes the next one all the same.
const NUMBER_STEP_MAX: u64 = SEQUENCE_JUMP_MAX / 2;

/// The number of the next public record by whoever gave the `last` one, at `seconds` since 1970 by their clock.
///
/// It follows the clock, so that whoever forgot how far they were goes on about where they would be, after a pause of
/// some days behind it. It goes no farther than time has passed since the last one, and not backwards, so that
/// readers believe it ([`is_newer`]) whatever the clock did meanwhile.
///
/// [`is_newer`]: bitdust_model::locator::is_newer
#[must_use]
pub fn next_number(last: Option<Numbered>, seconds: u64) -> Numbered {
    let sequence = match last {
        None => seconds.max(1),
        Some(Numbered { sequence, at }) => {
            let passed = seconds.saturating_sub(at).min(NUMBER_STEP_MAX);
            let followed = seconds.min(sequence.0.saturating_add(passed));
            followed.max(sequence.0.saturating_add(1))
        }
    };
    Numbered {
        sequence: Sequence(sequence),
        at: seconds,
    }
}

/// Checks everything about a record that can be checked without opening it.
pub fn validate_record(record: &KeyedRecord, network: &str) -> Result<DhtRecord, RecordError> {
    let signer = record.record.signer;
    let believed = verify(&record.record)?;
    if believed.network != network {
        return Err(RecordError::ForeignNetwork {
            network: network.to_owned(),
        });
    }
    let expected_key = match believed.kind {
        RecordKind::Locator => {
            check(
                is_sealed_length(believed.body.len()),
                "a locator has one of three lengths",
            )?;
            dht_key(RecordKind::Locator, &signer)
        }
        RecordKind::Offer => {
            let offer: Offer = decode(&believed.body)?;
            check_contact(&offer.contact, &signer)?;
            let certificate = check_certificate(&offer.certificate, &signer)?;
            if certificate.identity != offer.contact.identity {
                return Err(RecordError::WrongDevice);
            }
            dht_key(RecordKind::Offer, &signer)
        }
        RecordKind::Addresses => {
            let addresses: Addresses = decode(&believed.body)?;
            check_contact(&addresses.contact, &signer)?;
            dht_key(RecordKind::Addresses, &signer)
        }
        RecordKind::Nickname => {
            let claim: NicknameClaim = decode(&believed.body)?;
            check(
                claim.nickname.len() <= NICKNAME_BYTES_MAX,
                "length of a nickname",
            )?;
            check_certificate(&claim.certificate, &signer)?;
            nickname_key(&claim.nickname, claim.slot)
        }
    };
    if record.key != expected_key {
        return Err(RecordError::WrongKey { key: record.key });
    }
    Ok(believed)
}

/// Whether a contact keeps the limits of what is remembered of a peer.
pub(crate) fn contact_is_bounded(contact: &Contact) -> bool {
    contact.addresses.len() <= ADDRESSES_MAX
        && contact
            .addresses
            .iter()
            .all(|address| address.len() <= ADDRESS_BYTES_MAX)
}

fn check_contact(contact: &Contact, signer: &[u8; 32]) -> Result<(), RecordError> {
    if contact.device.0 != *signer {
        return Err(RecordError::WrongDevice);
    }
    check(
        contact_is_bounded(contact),
        "number and length of addresses",
    )
}

fn check_certificate(
    certificate: &Signed<Certificate>,
    signer: &[u8; 32],
) -> Result<Certificate, RecordError> {
    let believed = verify_certificate(certificate)?;
    if believed.device.0 != *signer {
        return Err(RecordError::WrongDevice);
    }
    Ok(believed)
}

fn check(kept: bool, limit: &'static str) -> Result<(), RecordError> {
    if kept {
        Ok(())
    } else {
        Err(RecordError::Limit { limit })
    }
}
