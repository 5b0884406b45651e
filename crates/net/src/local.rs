//! What a node knows about itself, and the clock on its wall.
//!
//! It is set once, at the start, and shared by the tasks of all streams.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bitdust_crypto::SigningKey;
use bitdust_model::locator::Certificate;
use bitdust_model::{DeviceId, Policy, Signed, UnixMillis};

use crate::buffers::Buffers;

/// What a node knows about itself; shared by the tasks of all streams.
pub(crate) struct Local {
    pub(crate) key: SigningKey,
    pub(crate) device: DeviceId,
    pub(crate) network: String,
    pub(crate) certificate: Signed<Certificate>,
    pub(crate) policy: Policy,
    /// For what comes on bulk streams.
    pub(crate) buffers: Arc<Buffers>,
}

/// The wall clock, which is only ever shown.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
