//! Heads that suppliers give: signatures are checked, then the engine's rule says which are
//! believed.

use bitdust_crypto::{verify_by, verify_certificate};
use bitdust_engine::{ClaimedHead, is_believed};
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
    let fences = record.fences.iter();
    let fences: Vec<_> = fences
        .filter_map(|signed| verify_by(signed, &context.identity.0).ok())
        .map(|fence| (fence.lane, fence.last))
        .collect();
    let mut heads = Vec::new();
    let mut sets = Vec::new();
    for bundle in bundles.into_iter().take(limits::DEVICES_MAX) {
        let Ok(head) = bitdust_crypto::verify(&bundle.head) else {
            continue;
        };
        let claimed = ClaimedHead {
            owner: head.owner,
            lane: head.lane,
            signer: DeviceId(bundle.head.signer),
            sequence: head.sequence,
        };
        if !is_believed(&claimed, context.identity, &devices, &fences) {
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
