//! The order of versions: which place a new one gets, and how those of several devices lie in one row.
//!
//! Clocks are believed between devices only, and only where nothing speaks against them. Within a device
//! its own order decides.

use std::collections::BTreeMap;

use crate::id::DeviceId;
use crate::intervals::CLOCK_EARLIEST;
use crate::manifest::SnapshotRecord;
use crate::unit::UnixMillis;

/// Gives new versions their places behind all that are known, in the order of their times, and marks
/// those whose time cannot be right: from before this program, or before the head that was written
/// last.
pub fn place_new(known: &[SnapshotRecord], last: UnixMillis, new: &mut [SnapshotRecord]) {
    let highest = known.iter().map(|snapshot| snapshot.order).max();
    let first = highest.unwrap_or(0).saturating_add(1);
    new.sort_by_key(|snapshot| snapshot.taken_at);
    for (order, snapshot) in (first..).zip(new) {
        snapshot.order = order;
        snapshot.is_clock_suspect = snapshot.taken_at < last.max(CLOCK_EARLIEST);
    }
}

/// Versions, oldest first, as a reader sees them whose clock shows `now`. Those of one device are in
/// their order: its clock is taken to stand still where it went back or is doubted. Devices that write
/// beside each other do not know each other's order: theirs lie as they were taken, unless that time is
/// doubted.
#[must_use]
pub fn oldest_first(mut versions: Vec<SnapshotRecord>, now: UnixMillis) -> Vec<SnapshotRecord> {
    versions.sort_by_key(|version| (version.order, version.snapshot));
    let mut clocks: BTreeMap<DeviceId, UnixMillis> = BTreeMap::new();
    let mut timed: Vec<(UnixMillis, SnapshotRecord)> = versions
        .into_iter()
        .map(|version| {
            let clock = clocks.entry(version.device).or_default();
            if !version.is_time_suspect(now) {
                *clock = version.taken_at.max(*clock);
            }
            (*clock, version)
        })
        .collect();
    // Stable: at one time the order decides.
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, version)| version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{FolderId, SnapshotId};
    use crate::tree::Meta;

    fn at(order: u64, taken_at: UnixMillis) -> SnapshotRecord {
        SnapshotRecord {
            snapshot: SnapshotId([u8::try_from(order).expect("a small number"); 32]),
            folder: FolderId([1; 32]),
            path: Vec::new(),
            device: DeviceId([2; 32]),
            order,
            taken_at,
            is_clock_suspect: false,
            root: Meta::default(),
            pages: Vec::new(),
            files: 0,
            bytes: 0,
            problems: 0,
        }
    }

    /// Versions in the order in which a person made them, whatever the clock said meanwhile.
    #[test]
    fn a_version_comes_behind_all_that_are_known() {
        let year = 365 * 24 * 60 * 60 * 1_000;
        let now = UnixMillis(CLOCK_EARLIEST.0 + year);
        let ahead = UnixMillis(now.0 + 2 * year);
        let known = [at(3, ahead), at(2, now)];
        let mut new = [at(0, UnixMillis(now.0 + 2)), at(0, UnixMillis(now.0 + 1))];
        place_new(&known, now, &mut new);
        let orders = new
            .iter()
            .map(|version| (version.order, version.taken_at.0 - now.0));
        assert_eq!(orders.collect::<Vec<_>>(), [(4, 1), (5, 2)]);
        assert!(new.iter().all(|version| !version.is_clock_suspect));
        place_new(&known, ahead, &mut new);
        assert!(new[0].is_clock_suspect, "the head before was written later");
        let mut first = [at(0, UnixMillis(1))];
        place_new(&[], UnixMillis(0), &mut first);
        assert_eq!(first[0].order, 1);
        assert!(first[0].is_clock_suspect, "in 1970");
    }

    /// Those of a device lie by their order, however they come and whatever they show.
    #[test]
    fn a_clock_that_goes_back_stands_still() {
        let now = UnixMillis(CLOCK_EARLIEST.0 + 10);
        let made = [(1, 5), (2, 9), (3, 2), (4, 7)];
        let mut versions: Vec<_> = made
            .iter()
            .map(|(order, later)| at(*order, UnixMillis(CLOCK_EARLIEST.0 + later)))
            .collect();
        versions.reverse();
        let listed = oldest_first(versions, now);
        let orders: Vec<_> = listed.iter().map(|version| version.order).collect();
        assert_eq!(orders, [1, 2, 3, 4]);
    }
}
