//! What lane records say: whom to ask, and for what.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, Sequence};

use crate::io::LaneFact;

/// What lane records say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// What was found, by lane.
    records: BTreeMap<DeviceId, LaneFact>,
    /// Whether some were not found.
    is_incomplete: bool,
}

impl Lanes {
    /// What was found when `missing` were not.
    pub(super) fn add(&mut self, found: Vec<LaneFact>, missing: &[DeviceId]) {
        let found = found.into_iter().map(|record| (record.lane, record));
        self.records.extend(found);
        self.is_incomplete = !missing.is_empty();
    }

    /// Whether by its records the identity never published anything, and none of them is missing.
    pub(super) fn are_unused(&self) -> bool {
        !self.is_incomplete && !self.records.values().any(|record| record.has_published)
    }

    /// Whether the record of some device was not found.
    pub(super) const fn is_incomplete(&self) -> bool {
        self.is_incomplete
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

    /// The newest published head that each names.
    pub(super) fn named(&self) -> impl Iterator<Item = (DeviceId, Sequence)> {
        let records = self.records.values();
        records.filter_map(|record| Some((record.lane, record.named?)))
    }
}
