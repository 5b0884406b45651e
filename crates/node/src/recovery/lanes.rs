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
    use super::*;

    #[test]
    fn a_supplier_of_two_lanes_is_known_once() {
        let contact = |address: &str| Contact {
            identity: bitdust_model::IdentityId([1; 32]),
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
