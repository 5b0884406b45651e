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

#[cfg(test)]
mod tests {
    use bitdust_crypto::{DeviceKeys, Phrase, RootSecrets};
    use bitdust_model::locator::{Certificate, Fence};
    use bitdust_model::{Epoch, Sequence, UnixMillis};

    use super::*;
    use crate::shared::testing::{TestHome, forged, head, set_record};

    const NOW: UnixMillis = UnixMillis(1);

    fn stranger() -> RootSecrets {
        RootSecrets::from_phrase(&Phrase::generate())
    }

    fn certified(root: &RootSecrets, device: &DeviceKeys) -> Signed<Certificate> {
        root.certify(device, Epoch(0), "", NOW)
    }

    /// The root record of the identity of a home.
    fn record(
        home: &TestHome,
        devices: Vec<Signed<Certificate>>,
        fences: Vec<Signed<Fence>>,
    ) -> RootRecord {
        RootRecord {
            identity: home.context.identity,
            epoch: Epoch(0),
            sequence: Sequence(1),
            nickname: "tester".to_owned(),
            devices,
            fences,
        }
    }

    /// A head without sets.
    fn bundle(signer: &DeviceKeys, head: &Head) -> HeadBundle {
        HeadBundle {
            head: signer.signing().sign(head),
            sets: Vec::new(),
        }
    }

    /// What a device of the identity of a home wrote into its own lane.
    fn own_bundle(home: &TestHome, device: &DeviceKeys, sequence: u64) -> HeadBundle {
        let head = head(home.context.identity, device.device(), sequence);
        bundle(device, &head)
    }

    fn believes(home: &TestHome, record: &RootRecord, bundle: HeadBundle) -> bool {
        let (heads, _) = believe(&home.context, record, vec![bundle]);
        !heads.is_empty()
    }

    #[tokio::test]
    async fn heads_of_devices_of_the_identity_are_believed_and_no_others() {
        let home = TestHome::new().await;
        let mallory = stranger();
        let [laptop, unknown, altered, foreign] = [(); 4].map(|()| DeviceKeys::generate());
        let devices = vec![
            certified(&home.root, &laptop),
            forged(certified(&home.root, &altered)),
            certified(&mallory, &foreign),
        ];
        let record = record(&home, devices, Vec::new());
        let own = own_bundle(&home, &laptop, 1);
        let broken = HeadBundle {
            head: forged(own.head.clone()),
            ..own.clone()
        };
        let of_mallory = head(mallory.identity(), laptop.device(), 1);
        let of_laptop = head(home.context.identity, laptop.device(), 1);
        for (bundle, believed, what) in [
            (own, true, "a device of the identity"),
            (own_bundle(&home, &unknown, 1), false, "not certified"),
            (own_bundle(&home, &altered, 1), false, "a forged one"),
            (own_bundle(&home, &foreign, 1), false, "by somebody else"),
            (broken, false, "a forged head"),
            (bundle(&laptop, &of_mallory), false, "another person's"),
            (bundle(&unknown, &of_laptop), false, "not its own lane"),
        ] {
            assert_eq!(believes(&home, &record, bundle), believed, "{what}");
        }
    }

    #[tokio::test]
    async fn a_fence_of_the_identity_ends_what_is_believed_of_a_lane() {
        let home = TestHome::new().await;
        let laptop = DeviceKeys::generate();
        let fence = |root: &RootSecrets| root.fence(laptop.device(), Sequence(2), NOW);
        for (fence, sequence, believed, what) in [
            (fence(&home.root), 2, true, "the last that counts"),
            (fence(&home.root), 3, false, "beyond it"),
            (forged(fence(&home.root)), 3, true, "a forged fence"),
            (fence(&stranger()), 3, true, "a stranger's fence"),
        ] {
            let devices = vec![certified(&home.root, &laptop)];
            let record = record(&home, devices, vec![fence]);
            let bundle = own_bundle(&home, &laptop, sequence);
            assert_eq!(believes(&home, &record, bundle), believed, "{what}");
        }
    }

    #[tokio::test]
    async fn no_more_heads_are_looked_at_than_there_can_be_devices() {
        let home = TestHome::new().await;
        let laptop = DeviceKeys::generate();
        let record = record(&home, vec![certified(&home.root, &laptop)], Vec::new());
        let bundles: Vec<_> = (1..=limits::DEVICES_MAX as u64 + 1)
            .map(|sequence| own_bundle(&home, &laptop, sequence))
            .collect();
        let (heads, _) = believe(&home.context, &record, bundles.clone());
        let believed: Vec<_> = heads.into_iter().map(|(_, bundle)| bundle).collect();
        assert_eq!(believed, bundles[..limits::DEVICES_MAX]);
    }

    #[tokio::test]
    async fn a_set_that_the_lane_did_not_sign_is_dropped_and_its_head_kept() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let devices = [&laptop, &desktop].map(|device| certified(&home.root, device));
        let record = record(&home, devices.into(), Vec::new());
        let set = set_record(home.context.identity, laptop.device(), 2);
        let signed = laptop.signing().sign(&set);
        let bundle = HeadBundle {
            sets: vec![
                forged(signed.clone()),
                signed.clone(),
                desktop.signing().sign(&set),
            ],
            ..own_bundle(&home, &laptop, 1)
        };
        let (heads, sets) = believe(&home.context, &record, vec![bundle.clone()]);
        let head = head(home.context.identity, laptop.device(), 1);
        assert_eq!(heads, [(head, bundle)]);
        assert_eq!(sets, [(set, signed)]);
    }
}
