//! What lane records say: whom to ask, and for what.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, Sequence};

/// What lane records say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// All suppliers that they name.
    pub(crate) suppliers: BTreeSet<DeviceId>,
    /// So many must answer; 0 while none was found.
    pub(crate) k: u8,
    /// The newest published head that each names.
    pub(crate) named: BTreeMap<DeviceId, Sequence>,
}

impl Lanes {
    pub(super) fn add(&mut self, more: Self) {
        self.suppliers.extend(more.suppliers);
        self.k = self.k.max(more.k);
        for (lane, sequence) in more.named {
            let known = self.named.entry(lane).or_insert(sequence);
            *known = sequence.max(*known);
        }
    }
}
