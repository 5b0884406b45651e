//! Checks of what suppliers confirmed, and what becomes of one that was caught.

use bitdust_api::history::Happening;
use bitdust_engine::Input;
use bitdust_model::{DeviceId, ErrorCode, Severity};
use bitdust_store::catalogue::ConfirmedShard;

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
    ) {
        let catalogue = self.context.catalogue.clone();
        driver.spawn(async move {
            let found = blocking(move || catalogue.random_confirmed_shard(device, pick)).await;
            match found.and_then(|found| found.map_err(|error| error.code())) {
                Ok(Some(shard)) => {
                    let chosen = |completion| TaskEvent::Check {
                        completion,
                        device,
                        shard: Box::new(shard),
                        pick,
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

    /// A supplier was caught: nothing it confirmed counts any more.
    pub(crate) fn condemn_supplier(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        code: ErrorCode,
        again: bool,
    ) {
        if !again {
            self.notice_condemned(driver, device, code);
        }
        let catalogue = self.context.catalogue.clone();
        driver.start(completion, async move {
            let moved = blocking(move || {
                catalogue.condemn(device)?;
                catalogue.unconfirm_supplier(device)
            })
            .await?
            .map_err(|error| error.code())?;
            Ok(Input::CondemnationRecorded { device, moved })
        });
    }

    fn notice_condemned(&self, driver: &mut Driver, device: DeviceId, code: ErrorCode) {
        let reason = if code == ErrorCode::NotFound {
            "does not have"
        } else {
            "gives wrong bytes for"
        };
        let name = self.name_of(device);
        let happening = Happening::SupplierCondemned { name: name.clone() };
        driver.notice(
            Severity::Problem,
            happening,
            format!(
                "{name} {reason} what it confirmed; it no longer counts. \
                 Your data is as safe as the other suppliers make it"
            ),
        );
    }
}
