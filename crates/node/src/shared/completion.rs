//! The answer to something that the engine asked for, carried by whoever does it.
//!
//! Each is given exactly once: done with an input that says so, or failed with a code. One that is
//! dropped on the way, as where a task ends in a defect, tells the failure by itself, so that no
//! machine waits for an answer that never comes.

use bitdust_engine::{Input, InputKind, Output};
use bitdust_model::ErrorCode;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::warn;

use crate::shared::task_event::TaskEvent;

/// The right, and the duty, to answer one output.
#[must_use = "the engine waits for the answer"]
pub(crate) struct Completion {
    /// `None` once it is answered.
    output: Option<Output>,
    events: mpsc::Sender<TaskEvent>,
}

impl Completion {
    /// The answer to an output, if it is one that is answered.
    pub(crate) fn of(output: &Output, events: &mpsc::Sender<TaskEvent>) -> Option<Self> {
        let is_answered = !output.successes().is_empty();
        is_answered.then(|| Self {
            output: Some(output.clone()),
            events: events.clone(),
        })
    }

    /// Tells the engine from a task how it went. A loop that has ended no longer listens.
    pub(crate) async fn tell(self, result: Result<Input, ErrorCode>) {
        let events = self.events.clone();
        let input = match result {
            Ok(input) => self.done(input),
            Err(code) => self.failed(code),
        };
        drop(events.send(TaskEvent::Input(input)).await);
    }

    /// Brings the loop what it needs to answer.
    pub(crate) async fn bring(self, what: impl FnOnce(Self) -> TaskEvent) {
        let events = self.events.clone();
        drop(events.send(what(self)).await);
    }

    /// The input that says that it was done.
    pub(crate) fn done(mut self, input: Input) -> Input {
        let output = self.output.take();
        debug_assert!(
            output.is_some_and(|it| it.successes().contains(&InputKind::from(&input))),
            "{input:?} is the answer to something else"
        );
        input
    }

    /// It is answered by an input that answers others too.
    pub(crate) fn done_with_others(mut self) {
        self.output = None;
    }

    /// The input that says that it was not.
    pub(crate) fn failed(mut self, code: ErrorCode) -> Input {
        let failure = self.output.take().and_then(|output| output.failure(code));
        failure.expect("what is answered has a failure, and is answered once")
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        let Some(output) = self.output.take() else {
            return;
        };
        let name: &str = (&output).into();
        let Some(failure) = output.failure(ErrorCode::Internal) else {
            return;
        };
        match self.events.try_send(TaskEvent::Input(failure)) {
            Ok(()) => warn!(output = name, "It was given up"),
            // The loop has ended.
            Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(failure)) => {
                warn!(output = name, "It was given up");
                let events = self.events.clone();
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(async move { drop(events.send(failure).await) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bitdust_engine::JobId;
    use bitdust_model::PackId;

    use super::*;

    const PACK: PackId = PackId([1; 32]);
    const COMMIT: Output = Output::CommitPack { pack: PACK };

    fn given(events: &mut mpsc::Receiver<TaskEvent>) -> Option<Input> {
        match events.try_recv() {
            Ok(TaskEvent::Input(input)) => Some(input),
            Ok(_) => panic!("only inputs are sent here"),
            Err(_) => None,
        }
    }

    fn failed(code: ErrorCode) -> Option<Input> {
        Some(Input::PackNotCommitted { pack: PACK, code })
    }

    #[tokio::test]
    async fn an_answer_is_given_once() {
        let (sender, mut events) = mpsc::channel(4);
        let commit = || Completion::of(&COMMIT, &sender).expect("an effect");
        let moved = None;
        let done = Input::PackCommitted { pack: PACK, moved };
        commit().tell(Ok(done.clone())).await;
        assert_eq!(given(&mut events), Some(done.clone()));
        commit().tell(Err(ErrorCode::DiskFailed)).await;
        assert_eq!(given(&mut events), failed(ErrorCode::DiskFailed));
        assert_eq!(commit().done(done.clone()), done);
        assert_eq!(given(&mut events), None, "the loop has it already");
        let ended = Output::JobEnded {
            job: JobId(1),
            failure: None,
            unchanged: false,
        };
        assert!(Completion::of(&ended, &sender).is_none(), "it only tells");
    }

    #[tokio::test]
    async fn one_that_is_dropped_tells_the_failure() {
        let (sender, mut events) = mpsc::channel(1);
        let completion = Completion::of(&COMMIT, &sender);
        let defect = tokio::spawn(async move {
            let _held = completion;
            panic!("a defect");
        });
        assert!(defect.await.is_err());
        assert_eq!(given(&mut events), failed(ErrorCode::Internal));

        // Also where the loop is busy.
        drop(Completion::of(&COMMIT, &sender));
        drop(Completion::of(&COMMIT, &sender));
        for _ in 0..2 {
            let Some(TaskEvent::Input(input)) = events.recv().await else {
                panic!("a failure is told");
            };
            assert_eq!(Some(input), failed(ErrorCode::Internal));
        }
        drop(events);
        drop(Completion::of(&COMMIT, &sender));
    }
}
