//! Which of the heads that suppliers give are believed.

use bitdust_crypto::{verify_by, verify_certificate};
use bitdust_model::locator::RootRecord;
use bitdust_model::manifest::{Head, HeadBundle, SetRecord};
use bitdust_model::{DeviceId, Signed, limits};

use crate::shared::context::Context;

/// Keeps only heads that a device of the identity signed, and that no fence closes.
#[expect(clippy::type_complexity, reason = "two lists of pairs, used once")]
pub(super) fn believe(
    context: &Context,
    record: &RootRecord,
    bundles: Vec<HeadBundle>,
) -> (Vec<(Head, HeadBundle)>, Vec<(SetRecord, Signed<SetRecord>)>) {
    let devices: Vec<DeviceId> = record
        .devices
        .iter()
        .filter_map(|signed| verify_certificate(signed).ok())
        .filter(|certificate| certificate.identity == context.identity)
        .map(|certificate| certificate.device)
        .collect();
    let fences: Vec<_> = record
        .fences
        .iter()
        .filter_map(|signed| verify_by(signed, &context.identity.0).ok())
        .collect();
    let mut heads = Vec::new();
    let mut sets = Vec::new();
    for bundle in bundles.into_iter().take(limits::DEVICES_MAX) {
        let Ok(head) = bitdust_crypto::verify(&bundle.head) else {
            continue;
        };
        let is_fenced = fences
            .iter()
            .any(|fence| fence.lane == head.lane && fence.last < head.sequence);
        let is_ours = head.owner == context.identity
            && bundle.head.signer == head.lane.0
            && devices.contains(&head.lane);
        if !is_ours || is_fenced {
            continue;
        }
        for signed in &bundle.sets {
            if let Ok(set) = verify_by(signed, &head.lane.0) {
                sets.push((set, signed.clone()));
            }
        }
        heads.push((head, bundle));
    }
    (heads, sets)
}
