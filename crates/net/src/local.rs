//! What a node knows about itself, and its signature under packets.
//!
//! It is set once, at the start, and shared by the tasks of all streams.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bitdust_crypto::SigningKey;
use bitdust_model::locator::Certificate;
use bitdust_model::message::{Body, SignedPacket};
use bitdust_model::{DeviceId, Policy, Signed, UnixMillis};

use crate::buffers::Buffers;
use crate::error::NetError;
use crate::session::Outgoing;

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

impl Local {
    /// Signs the next packet of a session; refuses one that would be too long.
    pub(crate) fn seal(
        &self,
        session: &mut Outgoing,
        body: Body,
    ) -> Result<SignedPacket, NetError> {
        session
            .seal(&self.key, body, now())
            .map_err(|error| NetError::BadRequest {
                reason: error.to_string(),
            })
    }
}

/// The wall clock, which is only ever shown.
fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
