//! What every task of the node may use: cheap handles, cloned into it.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use bitdust_crypto::{EpochSecrets, HomeSecrets};
use bitdust_model::{DeviceId, IdentityId, Policy, UnixMillis};
use bitdust_store::{Catalogue, ShardStore, Spool};

use crate::shared::buffers::Buffers;
use crate::shared::disk_space::DiskSpace;
use crate::shared::task_event::TaskEvent;

/// Handles for tasks. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Context {
    /// The network.
    pub(crate) net: bitdust_net::Client,
    /// The own catalogue.
    pub(crate) catalogue: Catalogue,
    /// A folder for lists that are made for one job.
    pub(crate) scratch: Arc<Path>,
    /// Shards kept for others.
    pub(crate) shards: ShardStore,
    /// Sealed shards whose supplier is away.
    pub(crate) spool: Spool,
    /// Keys of this device.
    pub(crate) secrets: Arc<HomeSecrets>,
    /// Name of the network.
    pub(crate) network: Arc<str>,
    pub(crate) nickname: Arc<str>,
    /// Clocks.
    pub(crate) policy: Arc<Policy>,
    /// This machine.
    pub(crate) device: DeviceId,
    /// This person.
    pub(crate) identity: IdentityId,
    /// Memory for packs under way.
    pub(crate) buffers: Arc<Buffers>,
    /// Writes that wait for room on the disk.
    pub(crate) disk_space: Arc<DiskSpace>,
    /// The way back into the loop.
    pub(crate) task_events: mpsc::Sender<TaskEvent>,
}

impl Context {
    /// The secrets in use for new data: those of the newest epoch.
    pub(crate) fn current(&self) -> &EpochSecrets {
        self.secrets
            .epochs
            .last()
            .expect("a home has at least one epoch")
    }

    /// The secrets of one epoch, if this device has them.
    pub(crate) fn epoch(&self, epoch: bitdust_model::Epoch) -> Option<&EpochSecrets> {
        self.secrets
            .epochs
            .iter()
            .find(|secrets| secrets.epoch() == epoch)
    }
}

/// The wall clock of this machine.
pub(crate) fn wall_clock() -> UnixMillis {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
