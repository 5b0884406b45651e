//! The root record of a new identity, and set records that other devices left.

use bitdust_crypto::RootSecrets;
use bitdust_model::codec::Versioned;
use bitdust_model::locator::{Certificate, RootRecord};
use bitdust_model::manifest::SetRecord;
use bitdust_model::{Epoch, ErrorCode, Sequence, Signed, decode, limits};
use serde::{Deserialize, Serialize};

use crate::shared::context::Context;
use crate::shared::records::{KeptRoot, signed_bytes};

/// Where set records of other devices of the identity are kept.
pub(super) const FOREIGN_SETS_KEY: &str = "foreign_sets";

/// Set records of other devices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ForeignSets {
    /// As their devices signed them.
    pub(super) sets: Vec<Signed<SetRecord>>,
}

impl Versioned for ForeignSets {
    const KIND: &'static str = "set records of other devices";
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// The signed root record of a new identity, as it is kept.
pub(crate) fn first_root(
    root: &RootSecrets,
    certificate: &Signed<Certificate>,
    nickname: &str,
) -> Result<KeptRoot, ErrorCode> {
    let record = RootRecord {
        identity: root.identity(),
        epoch: Epoch(0),
        sequence: Sequence(1),
        nickname: nickname.to_owned(),
        devices: vec![certificate.clone()],
        fences: Vec::new(),
    };
    let signed = root.signing().sign(&record);
    signed_bytes(&signed)?;
    Ok(KeptRoot {
        sequence: record.sequence,
        record: signed,
    })
}

/// Set records of other devices that a recovery left in the catalogue.
pub(crate) fn foreign_sets(context: &Context) -> Result<Vec<SetRecord>, ErrorCode> {
    let Some(bytes) = context
        .catalogue
        .get_meta(FOREIGN_SETS_KEY)
        .map_err(|error| error.code())?
    else {
        return Ok(Vec::new());
    };
    let kept: ForeignSets = decode(&bytes).map_err(|_| ErrorCode::Internal)?;
    Ok(kept
        .sets
        .iter()
        .filter_map(|signed| bitdust_crypto::verify(signed).ok())
        .collect())
}
