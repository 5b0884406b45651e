//! What lane records say: who keeps data of the identity, how many of them it takes, and where they are
//! reached.

use std::collections::BTreeMap;

use bitdust_crypto::{head_hash, verify_by};
use bitdust_engine::{HeadFact, HomeFact, LaneFact};
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::locator::{ClosedLane, Contact, LaneRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, HeadRef, Sequence};
use bitdust_store::catalogue::Introduction;

/// What a recovery learnt that others need.
#[derive(Default)]
pub(crate) struct Learnt {
    /// Set records, verified.
    pub(crate) sets: Vec<SetRecord>,
    /// Where suppliers may be reached.
    pub(crate) contacts: Vec<Contact>,
}

/// What the engine is told of a lane record. A head beyond a fence is not looked for: nobody believes
/// it. The set itself comes with the heads.
pub(super) fn lane_fact(record: &LaneRecord, fences: &[ClosedLane]) -> LaneFact {
    let is_open_at = |sequence: &Sequence| {
        let mut fences = fences.iter().filter(|fence| fence.lane == record.lane);
        fences.all(|fence| fence.last.sequence >= *sequence)
    };
    let published = record.published.map(|head| head.sequence);
    LaneFact {
        lane: record.lane,
        suppliers: record.suppliers.iter().map(|it| it.device).collect(),
        k: record.home.map_or(1, |home| home.k),
        has_published: published.is_some(),
        named: published.filter(is_open_at),
    }
}

/// What the engine is told of a head. The record of its home set counts if the lane signed it.
pub(super) fn head_fact(head: &Head, bundle: &HeadBundle) -> HeadFact {
    let sets = bundle.sets.iter();
    let sets = sets.filter_map(|signed| verify_by(signed, &head.lane.0).ok());
    let homes = sets.filter(|set: &SetRecord| set.set == head.home);
    let newest = homes.max_by_key(|set| set.version);
    HeadFact {
        lane: head.lane,
        head: head_ref(head, bundle),
        home: newest.map(|set| HomeFact {
            version: set.version,
            k: set.k,
            holders: set.active().collect(),
        }),
    }
}

/// The name of a head.
pub(super) fn head_ref(head: &Head, bundle: &HeadBundle) -> HeadRef {
    HeadRef {
        sequence: head.sequence,
        hash: head_hash(&bundle.head),
    }
}

/// Each supplier once. Whoever keeps data of this identity is taken as a friend: the new device
/// asks them first.
pub(super) fn known_suppliers(contacts: &[Contact]) -> BTreeMap<DeviceId, Introduction> {
    let contacts = contacts.iter();
    contacts
        .map(|contact| {
            let introduction = Introduction {
                device: contact.device,
                identity: contact.identity,
                friend: true,
                addresses: contact.addresses.clone(),
                seen: None,
            };
            (contact.device, introduction)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::{DeviceKeys, Phrase, RootSecrets};
    use bitdust_model::locator::HomeSet;
    use bitdust_model::set::SetVersion;
    use bitdust_model::{Epoch, HeadHash, IdentityId, SetHash, SetId, UnixMillis};

    use super::*;
    use crate::shared::testing::{TestHome, head, set_record};

    fn lane(device: u8, k: Option<u8>) -> LaneRecord {
        let version = SetVersion {
            set: SetId([1; 32]),
            version: Sequence(1),
            hash: SetHash([0; 32]),
        };
        let root = RootSecrets::from_phrase(&Phrase::generate());
        LaneRecord {
            lane: DeviceId([device; 32]),
            sequence: Sequence(1),
            certificate: root.certify(&DeviceKeys::generate(), Epoch(0), "", UnixMillis(1)),
            home: k.map(|k| HomeSet { version, k }),
            published: None,
            settled: None,
            suppliers: Vec::new(),
        }
    }

    #[test]
    fn as_many_answers_are_needed_as_the_home_set_says() {
        for (k, expected) in [(None, 1), (Some(1), 1), (Some(5), 5)] {
            assert_eq!(lane_fact(&lane(1, k), &[]).k, expected);
        }
    }

    #[test]
    fn heads_beyond_a_fence_are_not_looked_for() {
        let head = |sequence| HeadRef {
            sequence: Sequence(sequence),
            hash: HeadHash([0; 32]),
        };
        let with = |device, published: Option<u64>| LaneRecord {
            published: published.map(head),
            ..lane(device, Some(1))
        };
        let lanes = [with(1, Some(5)), with(2, Some(5)), with(3, None)];
        let fence = ClosedLane {
            lane: DeviceId([2; 32]),
            last: head(4),
        };
        let named =
            |fences: &[ClosedLane]| lanes.each_ref().map(|lane| lane_fact(lane, fences).named);
        let five = Some(Sequence(5));
        assert_eq!(named(std::slice::from_ref(&fence)), [five, None, None]);
        assert_eq!(named(&[]), [five, five, None]);
    }

    /// A supplier sends what it likes beside the head, and may know an older version of the set.
    #[tokio::test]
    async fn the_newest_home_set_that_the_lane_signed_says_who_holds() {
        let home = TestHome::new().await;
        let [laptop, liar] = [(); 2].map(|()| DeviceKeys::generate());
        let held = head(home.context.identity, laptop.device(), 4);
        let set = |set, version, lane: &DeviceKeys| {
            let version = Sequence(version);
            lane.signing().sign(&SetRecord {
                set,
                version,
                ..set_record(home.context.identity, lane.device(), 2)
            })
        };
        let (of_head, other) = (held.home, SetId([77; 32]));
        let with = |sets| head_fact(&held, &home.bundle(&laptop, &held, sets));
        let version = |fact: HeadFact| fact.home.map(|home| home.version);
        assert_eq!(version(with(Vec::new())), None);
        let sets = vec![
            set(of_head, 2, &laptop),
            set(of_head, 3, &laptop),
            set(of_head, 5, &liar),
            set(other, 9, &laptop),
        ];
        let told = with(sets);
        assert_eq!(told.head.sequence, held.sequence);
        assert_eq!(version(told), Some(Sequence(3)));
    }

    #[test]
    fn a_supplier_of_two_lanes_is_known_once() {
        let contact = |address: &str| Contact {
            identity: IdentityId([3; 32]),
            device: DeviceId([2; 32]),
            addresses: vec![address.to_owned()],
        };
        let known = known_suppliers(&[contact("/a"), contact("/b")]);
        assert_eq!(known.len(), 1);
        let known = &known[&DeviceId([2; 32])];
        assert_eq!(known.addresses, ["/b"]);
        assert!(known.friend, "they are asked first");
    }
}
