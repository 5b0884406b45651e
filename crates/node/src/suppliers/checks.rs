//! Checks of what suppliers confirmed, and what becomes of one that was caught.

use bitdust_api::history::Happening;
use bitdust_engine::{Input, sample};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, Severity};
use bitdust_store::catalogue::{ConfirmedShard, Withdrawn};

use super::Suppliers;
use super::worker::PendingSupplierRequest;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::supplier_request::SupplierRequest;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Checks a random piece of what a supplier confirmed.
    pub(crate) fn check_supplier(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        pick: u64,
        turn: u8,
    ) {
        let catalogue = self.context.catalogue.clone();
        driver.spawn(async move {
            let found = blocking(move || {
                catalogue.confirmed_shard(device, |count| sample(pick, turn, count))
            })
            .await;
            match found.and_then(|found| found.map_err(|error| error.code())) {
                Ok(Some(shard)) => {
                    let chosen = |completion| TaskEvent::Check {
                        completion,
                        device,
                        shard: Box::new(shard),
                        // Not the same place of each shard.
                        pick: pick.rotate_left(turn.into()),
                    };
                    completion.bring(chosen).await;
                }
                Ok(None) => completion.tell(Ok(Input::CheckEmpty { device })).await,
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// The piece to check is chosen.
    pub(crate) fn check_piece(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        shard: ConfirmedShard,
        pick: u64,
    ) {
        let request = SupplierRequest::Check {
            pack: Box::new(shard.pack),
            position: shard.position,
            pick,
        };
        self.request(
            driver,
            device,
            PendingSupplierRequest {
                request,
                completion,
            },
        );
    }

    /// A supplier did not give shards: what it confirmed of them is taken back.
    pub(crate) fn withdraw_shards(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        lost: LostShards,
    ) {
        let LostShards {
            shards,
            is_suspect,
            code,
        } = lost;
        let catalogue = self.context.catalogue.clone();
        driver.spawn(async move {
            let done =
                blocking(move || catalogue.withdraw_shards(device, shards, is_suspect)).await;
            match done.and_then(|done| done.map_err(|error| error.code())) {
                Ok(withdrawn) => {
                    let event = |completion| TaskEvent::Withdrawn {
                        completion,
                        device,
                        code,
                        withdrawn,
                    };
                    completion.bring(event).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// The catalogue took them back: people are told when that begins.
    pub(crate) fn shards_withdrawn(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        code: ErrorCode,
        withdrawn: Withdrawn,
    ) {
        if withdrawn.is_first {
            let name = self.name_of(device);
            let happening = Happening::SupplierSuspect { name: name.clone() };
            let reason = if code == ErrorCode::NotFound {
                "does not have"
            } else {
                "gives wrong bytes for"
            };
            let message = format!(
                "{name} {reason} a part of what it confirmed. It does not count until it has proved \
                 that it keeps the rest; what is missing is sent again"
            );
            driver.notice(Severity::Warning, happening, message);
        }
        driver.tell(completion.done(Input::ShardsWithdrawn {
            device,
            shards: withdrawn.shards,
            all: false,
            moved: withdrawn.moved,
        }));
    }

    /// A supplier proves nothing that it confirmed: all of it is taken back.
    pub(crate) fn withdraw_all(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        again: bool,
    ) {
        if !again {
            let name = self.name_of(device);
            let happening = Happening::SupplierEmptied { name: name.clone() };
            let message = format!(
                "{name} can prove nothing of what it confirmed. It counts again once it has it anew and \
                 proves it. Your data is as safe as the other suppliers make it"
            );
            driver.notice(Severity::Problem, happening, message);
        }
        let catalogue = self.context.catalogue.clone();
        driver.start(completion, async move {
            let moved = blocking(move || catalogue.withdraw_all(device)).await?;
            Ok(Input::ShardsWithdrawn {
                device,
                shards: Vec::new(),
                all: true,
                moved: moved.map_err(|error| error.code())?,
            })
        });
    }

    /// A supplier proved that it keeps what it should: it counts again.
    pub(crate) fn trust_supplier(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
    ) {
        let catalogue = self.context.catalogue.clone();
        driver.spawn(async move {
            let done = blocking(move || catalogue.trust_supplier(device)).await;
            match done.and_then(|done| done.map_err(|error| error.code())) {
                Ok(()) => {
                    let event = |completion| TaskEvent::Trusted { completion, device };
                    completion.bring(event).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// The catalogue knows that it counts.
    pub(crate) fn supplier_trusted(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
    ) {
        let name = self.name_of(device);
        let happening = Happening::SupplierTrusted { name: name.clone() };
        let message =
            format!("{name} gave a whole row of proofs of what it keeps, and counts again");
        driver.notice(Severity::Note, happening, message);
        driver.tell(completion.done(Input::TrustRecorded { device }));
    }
}

/// Shards that a supplier did not give.
pub(crate) struct LostShards {
    /// Which.
    pub(crate) shards: Vec<(PackId, Position)>,
    /// Whether it is suspect whatever it had confirmed.
    pub(crate) is_suspect: bool,
    /// Why.
    pub(crate) code: ErrorCode,
}
