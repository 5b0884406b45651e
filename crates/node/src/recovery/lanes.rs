//! What lane records say: who keeps data of the identity, in which sets, and where they are reached.

use std::collections::BTreeMap;

use bitdust_crypto::verify_by;
use bitdust_engine::SupplierFact;
use bitdust_model::DeviceId;
use bitdust_model::locator::{Contact, LaneRecord};
use bitdust_model::manifest::SetRecord;
use bitdust_store::catalogue::Introduction;

/// What a recovery learnt that others need.
#[derive(Default)]
pub(crate) struct Learnt {
    /// Set records, verified.
    pub(crate) sets: Vec<SetRecord>,
    /// Where suppliers may be reached.
    pub(crate) contacts: Vec<Contact>,
}

/// What lane records say: sets and contacts, and the most shards that one of the sets needs; 0
/// where there is no record.
pub(super) fn read_lanes(lanes: Vec<LaneRecord>) -> (Learnt, u8) {
    let mut learnt = Learnt::default();
    let mut k = u8::from(!lanes.is_empty());
    for lane in lanes {
        for signed in &lane.sets {
            if let Ok(set) = verify_by(signed, &lane.lane.0) {
                k = k.max(set.k);
                learnt.sets.push(set);
            }
        }
        learnt.contacts.extend(lane.suppliers);
    }
    (learnt, k)
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
        condemned: false,
    }
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::DeviceKeys;
    use bitdust_model::{IdentityId, Sequence, Signed};

    use super::*;
    use crate::shared::testing::{forged, set_record};

    const OWNER: IdentityId = IdentityId([1; 32]);

    fn lane(device: &DeviceKeys, sets: Vec<Signed<SetRecord>>) -> LaneRecord {
        LaneRecord {
            lane: device.device(),
            sequence: Sequence(1),
            head: None,
            sets,
            suppliers: Vec::new(),
        }
    }

    /// A set of a lane, signed by its device.
    fn own_set(device: &DeviceKeys, k: u8) -> Signed<SetRecord> {
        let set = set_record(OWNER, device.device(), k);
        device.signing().sign(&set)
    }

    #[test]
    fn as_many_shards_are_needed_as_the_largest_set_says() {
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let with = |device: &DeviceKeys, sets: &[u8]| {
            let sets = sets.iter().map(|k| own_set(device, *k));
            lane(device, sets.collect())
        };
        let check = |lanes: Vec<LaneRecord>, expected: u8| {
            let (_, k) = read_lanes(lanes);
            assert_eq!(k, expected);
        };
        check(Vec::new(), 0);
        check(vec![with(&laptop, &[])], 1);
        check(vec![with(&laptop, &[2, 5, 3])], 5);
        check(vec![with(&laptop, &[4]), with(&desktop, &[3])], 4);
        check(vec![with(&laptop, &[3]), with(&desktop, &[])], 3);
    }

    #[test]
    fn a_set_that_its_lane_did_not_sign_is_not_learnt() {
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let set = set_record(OWNER, laptop.device(), 9);
        let sets = vec![
            forged(own_set(&laptop, 9)),
            own_set(&laptop, 2),
            desktop.signing().sign(&set),
        ];
        let (learnt, k) = read_lanes(vec![lane(&laptop, sets)]);
        assert_eq!(learnt.sets, [set_record(OWNER, laptop.device(), 2)]);
        assert_eq!(k, 2, "the others count for nothing");
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
