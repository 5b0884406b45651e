//! Looking something up in the network's data for a front end: it fetches as a restore does, is
//! no job that anybody sees, and ends with its answer.

use tokio::sync::oneshot;

use bitdust_api::ApiError;
use bitdust_engine::{Input, JobId};
use bitdust_model::{ErrorCode, limits};

use super::{ReaderJob, Restore};
use crate::shared::answer::Reported;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Restore {
    /// Answers a front end with what `find` finds, on a blocking thread. What it fetches is
    /// announced under the number that it is given.
    pub(crate) fn look_up(
        &mut self,
        driver: &mut Driver,
        reply: oneshot::Sender<Reported>,
        find: impl FnOnce(&Context, JobId) -> Reported + Send + 'static,
    ) {
        let count = self
            .readers
            .values()
            .filter(|reader| matches!(reader, ReaderJob::LookUp));
        if count.count() >= limits::LOOKUPS_MAX {
            let message = "too much is being looked up already; try again in a moment";
            return drop(reply.send(Err(ApiError::new(ErrorCode::Busy, message))));
        }
        let id = JobId(driver.number());
        self.readers.insert(id, ReaderJob::LookUp);
        let context = self.context.clone();
        driver.spawn(async move {
            let worker = context.clone();
            let found = blocking(move || find(&worker, id)).await;
            let answer = found.unwrap_or_else(|code| {
                Err(ApiError::new(
                    code,
                    crate::shared::words::failure(ErrorCode::Internal),
                ))
            });
            // A front end that left does not wait for its answer.
            drop(reply.send(answer));
            drop(
                context
                    .task_events
                    .send(TaskEvent::LookUpEnded { job: id })
                    .await,
            );
        });
    }

    /// Nobody needs what a look-up fetched.
    pub(crate) fn look_up_ended(&mut self, driver: &mut Driver, id: JobId) {
        self.readers.remove(&id);
        self.fetches.retain(|_, state| state.request.job != id);
        driver.tell(Input::LookUpEnded { job: id });
    }
}
