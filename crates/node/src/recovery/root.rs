//! The root record of a new identity.

use bitdust_crypto::RootSecrets;
use bitdust_model::locator::RootRecord;
use bitdust_model::{DeviceId, Epoch, Sequence};

/// The root record of a new identity.
pub(crate) fn first_root(root: &RootSecrets, device: DeviceId, nickname: &str) -> RootRecord {
    RootRecord {
        identity: root.identity(),
        epoch: Epoch(0),
        sequence: Sequence(1),
        nickname: nickname.to_owned(),
        devices: vec![device],
        fences: Vec::new(),
    }
}
