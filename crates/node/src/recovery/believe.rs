//! Heads that suppliers give: signatures are checked, then the engine's rule says which are
//! believed.

use bitdust_crypto::{verify_by, verify_certificate};
use bitdust_engine::{ClaimedHead, is_believed};
use bitdust_model::head::{Head, HeadBundle, LaneHeads};
use bitdust_model::locator::RootRecord;
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, Signed, limits};

use crate::shared::context::Context;

/// Keeps only heads of devices that the identity certified, and that no fence closes. The certificate
/// comes with the head: whether the root record names the device does not matter.
#[expect(clippy::type_complexity, reason = "two lists of pairs, used once")]
pub(super) fn believe(
    context: &Context,
    record: &RootRecord,
    lanes: Vec<LaneHeads>,
) -> (Vec<(Head, HeadBundle)>, Vec<(SetRecord, Signed<SetRecord>)>) {
    let fences = record.fences.iter();
    let fences: Vec<_> = fences
        .map(|fence| (fence.lane, fence.last.sequence))
        .collect();
    let mut heads = Vec::new();
    let mut sets = Vec::new();
    let lanes = lanes.into_iter().take(limits::DEVICES_MAX);
    for bundle in lanes.flat_map(|lane| lane.tips.into_iter().take(limits::TIPS_MAX)) {
        let (Ok(head), Ok(certificate)) = (
            bitdust_crypto::verify(&bundle.head),
            verify_certificate(&bundle.certificate),
        ) else {
            continue;
        };
        let claimed = ClaimedHead {
            owner: head.owner,
            lane: head.lane,
            signer: DeviceId(bundle.head.signer),
            sequence: head.sequence,
        };
        let is_certified = certificate.identity == context.identity;
        let devices = [certificate.device];
        if !is_certified || !is_believed(&claimed, context.identity, &devices, &fences) {
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
    use bitdust_model::HeadRef;
    use bitdust_model::locator::ClosedLane;
    use bitdust_model::{Epoch, HeadHash, Sequence, UnixMillis};

    use super::*;
    use crate::shared::testing::{TestHome, forged, head, set_record};

    const NOW: UnixMillis = UnixMillis(1);

    fn stranger() -> RootSecrets {
        RootSecrets::from_phrase(&Phrase::generate())
    }

    /// The root record of the identity of a home, which names no device.
    fn record(home: &TestHome, fences: Vec<ClosedLane>) -> RootRecord {
        RootRecord {
            identity: home.context.identity,
            epoch: Epoch(0),
            sequence: Sequence(1),
            nickname: "tester".to_owned(),
            devices: Vec::new(),
            fences,
        }
    }

    fn lane(bundle: HeadBundle) -> LaneHeads {
        LaneHeads {
            tips: vec![bundle],
            are_lists_complete: true,
        }
    }

    /// What a device of the identity of a home wrote into its own lane.
    fn own_bundle(home: &TestHome, device: &DeviceKeys, sequence: u64) -> HeadBundle {
        let head = head(home.context.identity, device.device(), sequence);
        home.bundle(device, &head, Vec::new())
    }

    fn believes(home: &TestHome, record: &RootRecord, bundle: HeadBundle) -> bool {
        let (heads, _) = believe(&home.context, record, vec![lane(bundle)]);
        !heads.is_empty()
    }

    #[tokio::test]
    async fn heads_of_certified_devices_are_believed_and_no_others() {
        let home = TestHome::new().await;
        let mallory = stranger();
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let record = record(&home, Vec::new());
        let own = own_bundle(&home, &laptop, 1);
        let with = |head: &Head, signer: &DeviceKeys| HeadBundle {
            head: signer.signing().sign(head),
            ..own.clone()
        };
        let certified = |certificate| HeadBundle {
            certificate,
            ..own.clone()
        };
        let of_mallory = head(mallory.identity(), laptop.device(), 1);
        let of_laptop = head(home.context.identity, laptop.device(), 1);
        let by_mallory = mallory.certify(&laptop, Epoch(0), "", NOW);
        let of_desktop = home.root.certify(&desktop, Epoch(0), "", NOW);
        for (bundle, believed, what) in [
            (own.clone(), true, "a device of the identity"),
            (certified(by_mallory), false, "by somebody else"),
            (certified(of_desktop), false, "another device's"),
            (certified(forged(own.certificate.clone())), false, "forged"),
            (
                HeadBundle {
                    head: forged(own.head.clone()),
                    ..own.clone()
                },
                false,
                "a forged head",
            ),
            (with(&of_mallory, &laptop), false, "another person's"),
            (with(&of_laptop, &desktop), false, "not its own lane"),
        ] {
            assert_eq!(believes(&home, &record, bundle), believed, "{what}");
        }
    }

    #[tokio::test]
    async fn a_fence_ends_what_is_believed_of_a_lane() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let last = HeadRef {
            sequence: Sequence(2),
            hash: HeadHash([0; 32]),
        };
        for (closed, sequence, believed, what) in [
            (&laptop, 2, true, "the last that counts"),
            (&laptop, 3, false, "beyond it"),
            (&desktop, 3, true, "another lane's"),
        ] {
            let lane = closed.device();
            let record = record(&home, vec![ClosedLane { lane, last }]);
            let bundle = own_bundle(&home, &laptop, sequence);
            assert_eq!(believes(&home, &record, bundle), believed, "{what}");
        }
    }

    #[tokio::test]
    async fn no_more_heads_are_looked_at_than_there_can_be() {
        let home = TestHome::new().await;
        let laptop = DeviceKeys::generate();
        let record = record(&home, Vec::new());
        let bundle = own_bundle(&home, &laptop, 1);
        let tips = vec![bundle.clone(); limits::TIPS_MAX + 1];
        let lanes = vec![
            LaneHeads {
                tips,
                are_lists_complete: true,
            };
            limits::DEVICES_MAX + 1
        ];
        let (heads, _) = believe(&home.context, &record, lanes);
        assert_eq!(heads.len(), limits::DEVICES_MAX * limits::TIPS_MAX);
    }

    #[tokio::test]
    async fn a_set_that_the_lane_did_not_sign_is_dropped_and_its_head_kept() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let record = record(&home, Vec::new());
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
        let (heads, sets) = believe(&home.context, &record, vec![lane(bundle.clone())]);
        let head = head(home.context.identity, laptop.device(), 1);
        assert_eq!(heads, [(head, bundle)]);
        assert_eq!(sets, [(set, signed)]);
    }
}
