//! What a fetch may know of the peers that it asks.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::DeviceId;

/// Whom a fetch may ask, and how long it waits for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peers<'a> {
    /// Those that are connected.
    pub(crate) online: &'a BTreeSet<DeviceId>,
    /// Those that were late the last time, or failed: they are asked last.
    pub(crate) late: &'a BTreeSet<DeviceId>,
    /// An answer that takes longer is late.
    pub(crate) late_after: Duration,
    /// Whether others may be asked now in the place of those who are late.
    pub(crate) may_hedge: bool,
}

impl Peers<'_> {
    /// Whether it is asked last.
    pub(super) fn is_late(&self, device: DeviceId) -> bool {
        self.late.contains(&device)
    }
}
