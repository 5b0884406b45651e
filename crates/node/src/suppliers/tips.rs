//! What suppliers keep of the own lane, held against what the catalogue has of it.

use bitdust_engine::{Input, TipFact};
use bitdust_model::{DeviceId, ErrorCode, HeadHash, Sequence};
use bitdust_store::{Catalogue, CatalogueError};

use super::Suppliers;
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::lane_heads::ask_tip;
use crate::shared::newer_root::learn_root;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Asks a supplier for the newest head of this lane that it keeps.
    pub(crate) fn ask_tip(&self, driver: &mut Driver, completion: Completion, device: DeviceId) {
        let context = self.context.clone();
        driver.start(completion, async move {
            let tip = told_by(&context, device).await?;
            Ok(Input::TipTold { device, tip })
        });
    }
}

async fn told_by(context: &Context, device: DeviceId) -> Result<TipFact, ErrorCode> {
    // By what it keeps of the identity another machine may have taken the place of this one.
    let (tip, is_replaced) = futures::join!(ask_tip(context, device), learn_root(context, device));
    if let Ok(true) = is_replaced {
        let closed = TaskEvent::Input(Input::LaneClosed);
        // A loop that has ended backs nothing up.
        drop(context.task_events.send(closed).await);
    }
    let tip = tip?;
    let catalogue = context.catalogue.clone();
    let fact = blocking(move || {
        let Some((sequence, hash)) = tip else {
            catalogue.keeps_no_more_than(device, None)?;
            return Ok::<_, CatalogueError>(TipFact::Nothing);
        };
        if !is_known(&catalogue, sequence, hash)? {
            return Ok(TipFact::Unknown { sequence });
        }
        // What it signed for and does not tell any more it has lost, also after the next start.
        catalogue.keeps_no_more_than(device, Some(sequence))?;
        Ok(TipFact::Known { sequence })
    });
    fact.await?.map_err(|error| error.code())
}

/// Whether the catalogue has a head, or a newer one: older ones are forgotten after a while, and where the
/// lane was taken in from suppliers those in front of what was taken in were never here.
fn is_known(
    catalogue: &Catalogue,
    sequence: Sequence,
    hash: HeadHash,
) -> Result<bool, CatalogueError> {
    if let Some(own) = catalogue.head(sequence)? {
        return Ok(own.hash == hash);
    }
    let newest = catalogue.newest_published_head()?;
    Ok(newest.is_some_and(|newest| sequence < newest.sequence))
}
