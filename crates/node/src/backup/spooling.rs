//! Shards whose supplier is away: into the spool, and out of it when it is back.

use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, info, warn};

use bitdust_engine::{Input, OwedFact};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position};
use bitdust_store::SpoolError;

use super::own_sets::OwnSets;
use super::{Backup, Loaded};
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::owed_shard::OwedShard;
use crate::shared::supplier_request::store_header;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Backup {
    /// Puts a shard into the spool.
    pub(crate) fn spool_shard(
        &self,
        driver: &mut Driver,
        completion: Completion,
        pack: PackId,
        position: Position,
    ) {
        let spooled = Input::ShardSpooled { pack, position };
        let Some((record, shard)) = self.shard_at_hand(pack, position) else {
            return driver.tell(completion.failed(ErrorCode::NotFound));
        };
        let header = match store_header(&self.context, &record.pack, shard.len()) {
            Ok(header) => header,
            Err(code) => return driver.tell(completion.failed(code)),
        };
        let header = self.context.secrets.device.signing().sign(&header);
        let spool = self.context.spool.clone();
        driver.start(completion, async move {
            blocking(move || spool.put(pack, position, &header.into(), &shard))
                .await?
                .map_err(|error| error.code())?;
            Ok(spooled)
        });
    }

    /// Loads the next spooled shard of a supplier.
    pub(crate) fn load_spool(&self, driver: &mut Driver, completion: Completion, device: DeviceId) {
        if self.sets.is_empty() {
            return driver.tell(completion.done(Input::SpoolEmpty { device }));
        }
        let (context, sets) = (self.context.clone(), self.sets.clone());
        let loaded = self.loaded.keys().chain(&self.unusable);
        let busy: Vec<(PackId, Position)> = loaded.copied().collect();
        driver.spawn(async move {
            let found = blocking(move || next_spooled(&context, &sets, device, &busy)).await;
            match found.and_then(|found| found) {
                Ok(Some(Spooled::Damaged { pack, position })) => {
                    let damaged = Input::SpooledDamaged {
                        pack,
                        position,
                        device,
                    };
                    completion.tell(Ok(damaged)).await;
                }
                Ok(Some(Spooled::Whole(owed))) => {
                    let loaded = |completion| TaskEvent::SpoolLoaded { completion, owed };
                    completion.bring(loaded).await;
                }
                Ok(None) => completion.tell(Ok(Input::SpoolEmpty { device })).await,
                Err(code) => {
                    info!(code = code.name(), "The spool cannot be read");
                    completion.tell(Err(code)).await;
                }
            }
        });
    }

    /// A shard from the spool is in memory.
    pub(crate) fn spool_loaded(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        owed: OwedShard,
    ) {
        let owed = self.take(owed);
        driver.tell(completion.done(Input::SpoolLoaded(owed)));
    }

    /// Keeps a shard in memory until it is sent; gives it as the engine knows it.
    pub(super) fn take(&mut self, owed: OwedShard) -> OwedFact {
        let OwedShard {
            record,
            is_committed,
            position,
            shard,
            device,
        } = owed;
        let fact = OwedFact {
            pack: record.pack.pack,
            set: record.pack.set,
            kind: record.pack.kind,
            position,
            device,
            confirmed: record.confirmed,
            is_committed,
        };
        let record = Arc::from(record);
        self.loaded
            .insert((fact.pack, position), Loaded { record, shard });
        fact
    }

    /// Removes a damaged shard from the spool.
    pub(crate) fn remove_spooled(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        pack: PackId,
        position: Position,
        device: DeviceId,
    ) {
        self.unusable.insert((pack, position));
        let spool = self.context.spool.clone();
        driver.start(completion, async move {
            blocking(move || spool.remove(pack, position))
                .await?
                .map_err(|error| error.code())?;
            Ok(Input::SpooledRemoved { device })
        });
    }

    /// A receipt is recorded: a copy in the spool has done its service.
    pub(super) fn shard_left_memory(
        &mut self,
        driver: &mut Driver,
        pack: PackId,
        position: Position,
    ) {
        if self.loaded.remove(&(pack, position)).is_none() {
            return;
        }
        let spool = self.context.spool.clone();
        driver.spawn(async move {
            match blocking(move || spool.remove(pack, position)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => debug!(%pack, %error, "A spooled shard stays a while longer"),
                Err(code) => {
                    debug!(%pack, code = code.name(), "A spooled shard stays a while longer")
                }
            }
        });
    }
}

/// The next shard in the spool.
enum Spooled {
    Whole(OwedShard),
    /// It can never be sent.
    Damaged {
        pack: PackId,
        position: Position,
    },
}

/// Finds the next shard in the spool that a supplier should have.
fn next_spooled(
    context: &Context,
    sets: &OwnSets,
    device: DeviceId,
    busy: &[(PackId, Position)],
) -> Result<Option<Spooled>, ErrorCode> {
    // What nobody can make anew is tried again.
    let mut unreadable = None;
    for entry in context.spool.list() {
        let key = (entry.pack, entry.position);
        if !sets.has_at(device, entry.position) || busy.contains(&key) {
            continue;
        }
        let record = context.catalogue.pack_record(entry.pack);
        let record = record.map_err(|error| error.code())?;
        let set = record.as_ref().and_then(|record| sets.get(record.pack.set));
        let (Some(record), Some(set)) = (record, set) else {
            // Nobody will ask for it: its pack was forgotten.
            context
                .spool
                .remove(entry.pack, entry.position)
                .map_err(|error| error.code())?;
            continue;
        };
        if set.holder_at(entry.position) != Some(device) {
            continue;
        }
        let is_committed = context
            .catalogue
            .is_committed(entry.pack)
            .map_err(|error| error.code())?;
        let shard = match context.spool.read(entry.pack, entry.position) {
            Ok(shard) => shard,
            // It was stored, and so removed, since the list was made.
            Err(SpoolError::NotFound { .. }) => continue,
            Err(error @ SpoolError::Corrupt { .. }) => {
                warn!(%error, "A shard in the spool is damaged");
                let (pack, position) = key;
                return Ok(Some(Spooled::Damaged { pack, position }));
            }
            // It must not hold up those behind it, nor that it is made anew.
            Err(error) => {
                warn!(%error, "A shard in the spool cannot be read");
                if !is_committed {
                    unreadable = Some(error.code());
                }
                continue;
            }
        };
        return Ok(Some(Spooled::Whole(OwedShard {
            record: Box::new(record),
            is_committed,
            position: entry.position,
            shard: Bytes::from(shard.bytes),
            device,
        })));
    }
    unreadable.map_or(Ok(None), Err)
}
