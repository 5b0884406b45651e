//! What lane records say: who keeps data of the identity, how many of them it takes, and where they are
//! reached.

use std::collections::BTreeMap;

use bitdust_engine::SupplierFact;
use bitdust_model::locator::{ClosedLane, Contact, LaneRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, Sequence};
use bitdust_store::catalogue::Introduction;

/// What a recovery learnt that others need.
#[derive(Default)]
pub(crate) struct Learnt {
    /// Set records, verified.
    pub(crate) sets: Vec<SetRecord>,
    /// Where suppliers may be reached.
    pub(crate) contacts: Vec<Contact>,
}

/// What lane records say: contacts, and the most shards that one of the home sets needs; 0 where
/// there is no record. The sets themselves come with the heads.
pub(super) fn read_lanes(lanes: Vec<LaneRecord>) -> (Learnt, u8) {
    let mut learnt = Learnt::default();
    let mut k = u8::from(!lanes.is_empty());
    for lane in lanes {
        if let Some(home) = lane.home {
            k = k.max(home.k);
        }
        learnt.contacts.extend(lane.suppliers);
    }
    (learnt, k)
}

/// The newest published head that each lane's record names. What lies beyond a fence is not looked
/// for: nobody believes it.
pub(super) fn named_heads(
    lanes: &[LaneRecord],
    fences: &[ClosedLane],
) -> Vec<(DeviceId, Sequence)> {
    let is_closed_before = |lane: DeviceId, sequence: Sequence| {
        fences
            .iter()
            .any(|fence| fence.lane == lane && fence.last.sequence < sequence)
    };
    let named = lanes.iter().filter_map(|record| {
        let head = record.published.as_ref()?;
        Some((record.lane, head.sequence))
    });
    named
        .filter(|(lane, sequence)| !is_closed_before(*lane, *sequence))
        .collect()
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

pub(super) const fn fact_of(supplier: &Introduction) -> SupplierFact {
    SupplierFact {
        device: supplier.device,
        identity: supplier.identity,
        friend: false,
        contract: None,
        proved_ago_ms: None,
        suspect: None,
        missed_ago_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::{DeviceKeys, Phrase, RootSecrets};
    use bitdust_model::locator::HomeSet;
    use bitdust_model::set::SetVersion;
    use bitdust_model::{Epoch, HeadHash, HeadRef, IdentityId, SetHash, SetId, UnixMillis};

    use super::*;

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
    fn as_many_shards_are_needed_as_the_largest_home_set_says() {
        let check = |lanes: Vec<LaneRecord>, expected: u8| {
            let (_, k) = read_lanes(lanes);
            assert_eq!(k, expected);
        };
        check(Vec::new(), 0);
        check(vec![lane(1, None)], 1);
        check(vec![lane(1, Some(5))], 5);
        check(vec![lane(1, Some(4)), lane(2, Some(3))], 4);
        check(vec![lane(1, Some(3)), lane(2, None)], 3);
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
        let named = named_heads(&lanes, std::slice::from_ref(&fence));
        assert_eq!(named, [(DeviceId([1; 32]), Sequence(5))]);
        assert_eq!(named_heads(&lanes, &[]).len(), 2);
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
