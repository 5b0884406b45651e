//! What a recovery left of other devices of the identity.

use bitdust_model::codec::Versioned;
use bitdust_model::locator::Certificate;
use bitdust_model::set::SetRecord;
use bitdust_model::{ErrorCode, Signed, decode, limits};
use serde::{Deserialize, Serialize};

use crate::shared::context::Context;

/// Where set records and certificates of other devices of the identity are kept.
pub(crate) const FOREIGN_LANES_KEY: &str = "foreign_lanes";

/// What is known of other devices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ForeignLanes {
    /// Their set records as they signed them.
    pub(crate) sets: Vec<Signed<SetRecord>>,
    /// Their certificates.
    pub(crate) certificates: Vec<Signed<Certificate>>,
}

impl Versioned for ForeignLanes {
    const KIND: &'static str = "lanes of other devices";
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// Set records of other devices that a recovery left in the catalogue, each signed by the device of
/// its lane: suppliers send them, and may send others.
pub(crate) fn foreign_sets(context: &Context) -> Result<Vec<SetRecord>, ErrorCode> {
    let kept = foreign_lanes(context)?;
    let certificates = foreign_certificates(context)?;
    let is_theirs = |record: &SetRecord, signer: [u8; 32]| {
        let mut certificates = certificates.iter();
        record.lane.0 == signer
            && record.owner == context.identity
            && certificates
                .any(|known| (known.device, known.identity) == (record.lane, context.identity))
    };
    let sets = kept.sets.iter();
    Ok(sets
        .filter_map(|signed| Some((bitdust_crypto::verify(signed).ok()?, signed.signer)))
        .filter(|(record, signer)| is_theirs(record, *signer))
        .map(|(record, _)| record)
        .collect())
}

/// Certificates of other devices that a recovery left in the catalogue.
pub(crate) fn foreign_certificates(context: &Context) -> Result<Vec<Certificate>, ErrorCode> {
    let kept = foreign_lanes(context)?;
    let certificates = kept.certificates.iter();
    Ok(certificates
        .filter_map(|signed| bitdust_crypto::verify_certificate(signed).ok())
        .collect())
}

fn foreign_lanes(context: &Context) -> Result<ForeignLanes, ErrorCode> {
    let bytes = context.catalogue.get_meta(FOREIGN_LANES_KEY);
    match bytes.map_err(|error| error.code())? {
        Some(bytes) => decode(&bytes).map_err(|_| ErrorCode::Internal),
        None => Ok(ForeignLanes::default()),
    }
}
