//! Looking something up in the network's data for a front end: it fetches as a restore does, is
//! no job that anybody sees, and ends with its answer.

use tokio::sync::oneshot;

use bitdust_api::{Answer, ApiError};
use bitdust_engine::{Input, JobId};
use bitdust_model::{ErrorCode, limits};

use crate::runtime::Node;
use crate::shared::context::Context;
use crate::shared::task::blocking;
use crate::shared::task_event::Back;

impl Node {
    /// Answers a front end with what `find` finds, on a blocking thread. What it fetches is
    /// announced under the number that it is given.
    pub(crate) fn look_up(
        &mut self,
        reply: oneshot::Sender<Result<Answer, ApiError>>,
        find: impl FnOnce(&Context, JobId) -> Result<Answer, ApiError> + Send + 'static,
    ) {
        if self.lookups.len() >= limits::LOOKUPS_MAX {
            let message = "too much is being looked up already; try again in a moment";
            return drop(reply.send(Err(ApiError::new(ErrorCode::Busy, message))));
        }
        let id = JobId(self.number());
        self.lookups.insert(id);
        let context = self.context.clone();
        self.tasks.spawn(async move {
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
            drop(context.back.send(Back::LookUpEnded { job: id }).await);
        });
    }

    /// Nobody needs what a look-up fetched.
    pub(crate) fn look_up_ended(&mut self, id: JobId) {
        self.lookups.remove(&id);
        self.fetches.retain(|_, state| state.request.job != id);
        self.tell(Input::LookUpEnded { job: id });
    }
}
