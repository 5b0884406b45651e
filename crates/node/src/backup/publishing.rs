//! What a backup ends with: lists and head sealed, given to suppliers, recorded.

use tokio::runtime::Handle;
use tracing::debug;

use bitdust_engine::{Input, JobId};
use bitdust_model::intervals::HEAD_RECORDS_PATIENCE;
use bitdust_model::manifest::HeadBundle;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, FolderId, Sequence};

use super::Backup;
use super::commit::{self, CommitRequest};
use crate::shared::answer::refusal;
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::suppliers::records::{self, OwnOffer};

impl Backup {
    /// Seals index, manifest and head on a blocking thread.
    pub(crate) fn seal_metadata(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        id: JobId,
        folders: &[FolderId],
    ) {
        let (Some(job), Some(set)) = (self.jobs.get_mut(&id), self.set.clone()) else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        job.snapshots
            .retain(|version| folders.contains(&version.folder));
        let request = CommitRequest {
            job: id,
            snapshots: job.snapshots.clone(),
            set,
            counters: job.counters.clone(),
            permits: job.permits.clone(),
            label: self.label.clone(),
        };
        self.sealing = Some(id);
        let context = self.context.clone();
        let runtime = Handle::current();
        driver.start(completion, async move {
            let sealed = blocking(move || commit::seal_commit(&context, request, &runtime)).await;
            let sequence = sealed.and_then(|result| result)?;
            Ok(Input::MetadataSealed { job: id, sequence })
        });
    }

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
            let given = give_head(&context, device, sequence).await;
            given.map(|()| Input::HeadKept { device, sequence })
        });
    }

    /// Tells the catalogue that a head is published, and the DHT where it is.
    pub(crate) fn record_commit(
        &self,
        driver: &mut Driver,
        completion: Completion,
        sequence: Sequence,
        offer: OwnOffer,
    ) {
        let context = self.context.clone();
        let counters = self.shown_by(self.sealing);
        driver.start(completion, async move {
            let record = || {
                let worker = context.clone();
                async move { blocking(move || commit::record_commit(&worker, sequence)).await? }
            };
            let space = &context.disk_space;
            space.write_anyway(counters.as_deref(), record).await?;
            // Suppliers keep the records and publish them too; the DHT is told at once so that a
            // recovery finds this head and not the one before.
            let told = records::publish(&context, offer);
            match tokio::time::timeout(HEAD_RECORDS_PATIENCE, told).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    debug!(code = error.name(), "The DHT was not told of the new head")
                }
                Err(_) => debug!("The DHT takes long to be told of the new head"),
            }
            Ok(Input::CommitRecorded { sequence })
        });
    }
}

/// Head first, then the records that lead to it.
async fn give_head(
    context: &Context,
    device: DeviceId,
    sequence: Sequence,
) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    let bundle = blocking(move || {
        let head = catalogue
            .newest_head()?
            .filter(|head| head.sequence == sequence);
        let sets = catalogue
            .sets()?
            .into_iter()
            .map(|set| set.record)
            .collect();
        Ok::<_, bitdust_store::CatalogueError>(head.map(|head| HeadBundle {
            head: head.head,
            sets,
        }))
    })
    .await?
    .map_err(|error| error.code())?
    .ok_or(ErrorCode::NotFound)?;
    let hash = bitdust_crypto::head_hash(&bundle.head);
    let answer = context
        .net
        .request(device, Body::HeadPut(bundle))
        .await
        .map_err(|error| error.code())?;
    let Body::HeadKept(receipt) = answer else {
        return Err(refusal(&answer));
    };
    let receipt =
        bitdust_crypto::verify_by(&receipt, &device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if receipt.head != hash || receipt.sequence != sequence || receipt.lane != context.device {
        return Err(ErrorCode::NotAuthentic);
    }
    let located = records::locators(context).await?;
    let answer = context
        .net
        .request(device, Body::Deposit(located))
        .await
        .map_err(|error| error.code())?;
    if answer == Body::Done {
        Ok(())
    } else {
        Err(refusal(&answer))
    }
}
