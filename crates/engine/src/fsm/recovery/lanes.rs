//! What lane records say: whom to ask, and for what.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, Sequence};

use crate::io::LaneFact;

/// What lane records say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// What was found, by lane.
    records: BTreeMap<DeviceId, LaneFact>,
}

impl Lanes {
    pub(super) fn add(&mut self, found: impl IntoIterator<Item = LaneFact>) {
        let found = found.into_iter().map(|record| (record.lane, record));
        self.records.extend(found);
    }

    /// Whether no record was found.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn record(&self, lane: DeviceId) -> Option<&LaneFact> {
        self.records.get(&lane)
    }

    /// All suppliers that they name.
    pub(super) fn suppliers(&self) -> BTreeSet<DeviceId> {
        let records = self.records.values();
        records
            .flat_map(|record| &record.suppliers)
            .copied()
            .collect()
    }

    /// The most answers that one of the lanes needs.
    pub(super) fn largest_k(&self) -> u8 {
        let all = self.records.values().map(|record| record.k);
        all.max().unwrap_or_default()
    }

    /// The newest published head that each names.
    pub(super) fn named(&self) -> impl Iterator<Item = (DeviceId, Sequence)> {
        let records = self.records.values();
        records.filter_map(|record| Some((record.lane, record.named?)))
    }
}
