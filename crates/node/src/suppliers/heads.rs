//! Heads on their way to suppliers.

use bitdust_engine::Input;
use bitdust_model::head::HeadBundle;
use bitdust_model::{DeviceId, ErrorCode, Sequence};

use bitdust_store::CatalogueError;

use super::Suppliers;
use super::lineage::Lineage;
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::deposit::deposit;
use crate::shared::driver::Driver;
use crate::shared::records;
use crate::shared::task::blocking;

impl Suppliers {
    /// Gives a head, its set records and the sealed records to a supplier.
    pub(crate) fn put_head(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        sequence: Sequence,
    ) {
        let context = self.context.clone();
        driver.start(completion, async move {
            give_head(&context, device, sequence).await?;
            Ok(Input::HeadKept { device, sequence })
        });
    }
}

/// Without its lists a head would hide the one before, which the supplier would tell no more: it is too
/// early then.
async fn has_its_lists(
    context: &Context,
    device: DeviceId,
    bundle: &HeadBundle,
) -> Result<(), ErrorCode> {
    let head = bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
    let catalogue = context.catalogue.clone();
    let confirmed = blocking(move || catalogue.confirmations(head.commit.pack)).await?;
    let confirmed = confirmed.map_err(|error| error.code())?;
    let has_them = confirmed.iter().any(|it| it.supplier == device);
    has_them.then_some(()).ok_or(ErrorCode::Busy)
}

/// Head first, with those before it that the supplier missed, then the records that lead to it.
async fn give_head(
    context: &Context,
    device: DeviceId,
    sequence: Sequence,
) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    let certificate = context.secrets.certificate.clone();
    let (bundle, known) = blocking(move || {
        // Not the newest: behind a published one may be a draft that was abandoned.
        let head = catalogue.head(sequence)?;
        let sets = catalogue
            .sets()?
            .into_iter()
            .map(|set| set.record)
            .collect();
        let bundle = head.map(|head| HeadBundle {
            head: head.head,
            sets,
            certificate,
        });
        Ok::<_, CatalogueError>((bundle, catalogue.last_kept_by(device)?))
    })
    .await?
    .map_err(|error| error.code())?;
    let bundle = bundle.ok_or(ErrorCode::NotFound)?;
    has_its_lists(context, device, &bundle).await?;
    let lineage = Lineage::new(context, device, bundle);
    lineage.put(sequence, known).await?;
    leave_locators(context, device).await
}

/// Leaves a supplier what leads to the own data. That is not made from a damaged catalogue.
async fn leave_locators(context: &Context, device: DeviceId) -> Result<(), ErrorCode> {
    if context.catalogue.is_damaged() {
        return Ok(());
    }
    let located = records::locators(context).await?;
    let instead = deposit(context, device, located).await?;
    if records::count_past(context, instead).await? {
        // This machine had forgotten how far it was, as after an older copy of its disk was put back.
        let lane = records::lane_locators(context).await?;
        deposit(context, device, lane).await?;
    }
    Ok(())
}
