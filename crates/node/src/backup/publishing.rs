//! What a backup ends with: lists and head sealed, and recorded once suppliers have them.

use tokio::runtime::Handle;

use bitdust_engine::{Input, JobId};
use bitdust_model::ledger::AtHand;
use bitdust_model::{ErrorCode, FolderId, Sequence};

use super::Backup;
use super::commit::{self, CommitRequest};
use super::commit_draft::record_commit;
use crate::shared::completion::Completion;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;

impl Backup {
    /// Seals index, manifest and head on a blocking thread.
    pub(crate) fn seal_metadata(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        (id, at_hand): (JobId, AtHand),
        folders: &[FolderId],
    ) {
        let (Some(job), Some(set)) = (self.jobs.get_mut(&id), self.sets.for_new_packs().cloned())
        else {
            return driver.tell(completion.failed(ErrorCode::Internal));
        };
        job.snapshots
            .retain(|version| folders.contains(&version.folder));
        let request = CommitRequest {
            job: id,
            snapshots: job.snapshots.clone(),
            set,
            at_hand,
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

    /// Tells the catalogue that a head is published.
    pub(crate) fn record_commit(
        &self,
        driver: &mut Driver,
        completion: Completion,
        sequence: Sequence,
    ) {
        let context = self.context.clone();
        let counters = self.shown_by(self.sealing);
        driver.spawn(async move {
            let record = || {
                let worker = context.clone();
                async move { blocking(move || record_commit(&worker, sequence)).await? }
            };
            let space = &context.disk_space;
            match space.write_anyway(counters.as_deref(), record).await {
                Ok(moved) => {
                    completion
                        .tell(Ok(Input::CommitRecorded { sequence, moved }))
                        .await
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }
}
