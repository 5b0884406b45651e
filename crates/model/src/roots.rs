//! Root records: what several of one identity say together, and how lanes are closed in one.

use std::collections::{BTreeMap, BTreeSet};

use crate::locator::{ClosedLane, RootRecord};

/// What root records of one identity say together: two recoveries at once, each of which read the same, write
/// different ones under one number. The newest epoch, all devices, and all ends of lanes; a lane that one of
/// them closes is closed. Nickname and number are those of the one with the largest number.
#[must_use]
pub fn united(mut records: Vec<RootRecord>) -> Option<RootRecord> {
    records.sort_by(|one, other| {
        let order = other.sequence.cmp(&one.sequence);
        order.then_with(|| one.devices.cmp(&other.devices))
    });
    let mut records = records.into_iter();
    let mut united = records.next()?;
    for record in records {
        united.epoch = united.epoch.max(record.epoch);
        for device in record.devices {
            let is_closed = united.fences.iter().any(|fence| fence.lane == device);
            if !is_closed && !united.devices.contains(&device) {
                united.devices.push(device);
            }
        }
        for closed in record.fences {
            close(&mut united, closed);
        }
    }
    Some(united)
}

/// Whether two root records name the same devices, ends of lanes and epoch.
#[must_use]
pub fn say_the_same(one: &RootRecord, other: &RootRecord) -> bool {
    let devices = |record: &RootRecord| record.devices.iter().copied().collect::<BTreeSet<_>>();
    let ends = |record: &RootRecord| {
        let ends = record.fences.iter().map(|it| (it.lane, it.last));
        ends.collect::<BTreeMap<_, _>>()
    };
    one.epoch == other.epoch && devices(one) == devices(other) && ends(one) == ends(other)
}

/// Closes a lane in a root record. Of two ends of one lane the earlier counts, as at suppliers.
pub fn close(record: &mut RootRecord, closed: ClosedLane) {
    record.devices.retain(|device| *device != closed.lane);
    let known = record
        .fences
        .iter_mut()
        .find(|fence| fence.lane == closed.lane);
    match known {
        Some(known) if known.last.sequence > closed.last.sequence => *known = closed,
        Some(_) => {}
        None => record.fences.push(closed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head_ref::HeadRef;
    use crate::id::{DeviceId, HeadHash, IdentityId};
    use crate::unit::{Epoch, Sequence};

    fn lane(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    fn closed(number: u8, last: u64) -> ClosedLane {
        ClosedLane {
            lane: lane(number),
            last: HeadRef {
                sequence: Sequence(last),
                hash: HeadHash([0; 32]),
            },
        }
    }

    fn record(sequence: u64, epoch: u32, devices: &[u8], fences: &[ClosedLane]) -> RootRecord {
        RootRecord {
            identity: IdentityId([1; 32]),
            epoch: Epoch(epoch),
            sequence: Sequence(sequence),
            nickname: format!("alice {sequence}"),
            devices: devices.iter().copied().map(lane).collect(),
            fences: fences.to_vec(),
        }
    }

    #[test]
    fn of_two_ends_of_a_lane_the_earlier_counts() {
        let mut record = record(1, 0, &[7, 8], &[]);
        for last in [5, 3, 9] {
            close(&mut record, closed(7, last));
        }
        assert_eq!(record.fences, [closed(7, 3)]);
        assert_eq!(record.devices, [lane(8)]);
    }

    /// P10: both of them wrote number 6, and each knew nothing of the other.
    #[test]
    fn records_of_two_recoveries_at_once_count_together() {
        let one = record(6, 0, &[1, 2], &[closed(9, 4)]);
        let other = record(6, 1, &[1, 3], &[closed(9, 3), closed(1, 8)]);
        let older = record(5, 0, &[1, 9], &[]);
        let expected = RootRecord {
            nickname: "alice 6".to_owned(),
            ..record(6, 1, &[2, 3], &[closed(9, 3), closed(1, 8)])
        };
        for records in [[&one, &other, &older], [&older, &other, &one]] {
            let united = united(records.map(Clone::clone).to_vec());
            assert_eq!(united.as_ref(), Some(&expected));
        }
        assert_eq!(united(Vec::new()), None);
    }

    #[test]
    fn records_say_the_same_in_any_order_and_under_any_number() {
        let one = record(5, 1, &[1, 2], &[closed(3, 2), closed(4, 1)]);
        let other = record(6, 1, &[2, 1], &[closed(4, 1), closed(3, 2)]);
        assert!(say_the_same(&one, &other));
        for different in [
            record(5, 0, &[1, 2], &one.fences),
            record(5, 1, &[1, 2, 5], &one.fences),
            record(5, 1, &[1, 2], &[closed(3, 2), closed(4, 2)]),
        ] {
            assert!(!say_the_same(&one, &different));
        }
    }

    /// The largest number alone would lose the other device for good.
    #[test]
    fn one_record_says_what_it_says() {
        let alone = record(5, 0, &[1, 2], &[closed(3, 2)]);
        assert_eq!(united(vec![alone.clone()]), Some(alone));
    }
}
