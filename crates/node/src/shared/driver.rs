//! What a wing drives the engine with: inputs for it, tasks, numbers, and news for people.
//!
//! A wing never enters the engine: what it tells waits here until the loop comes to it, so
//! that no state changes while outputs are performed.

use std::collections::VecDeque;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use bitdust_api::history::Happening;
use bitdust_engine::Input;
use bitdust_model::{ErrorCode, Severity, limits};

use crate::shared::completion::Completion;
use crate::shared::task_event::TaskEvent;

/// Something that people are to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// How much it matters.
    pub(crate) severity: Severity,
    /// What happened, for front ends that have words of their own.
    pub(crate) happening: Happening,
    /// The same as a sentence.
    pub(crate) message: String,
}

/// A task that ended, well or in a defect.
pub(crate) enum Ended {
    /// It may have changed what people see.
    Task(Result<(), JoinError>),
    /// It only looked something up.
    Answer(Result<(), JoinError>),
    /// It did what somebody commanded, and brings what the loop is to hear of it.
    Command(Result<Option<Box<TaskEvent>>, JoinError>),
}

/// The end of the node, as a task sees it.
pub(crate) struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Does something unless the node ends before it is done.
    pub(crate) async fn unless_begun<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            // A driver that is gone has ended too.
            _ending = self.0.wait_for(|has_begun| *has_begun) => None,
        }
    }
}

/// A task that does what somebody commanded.
type Command = BoxFuture<'static, Option<Box<TaskEvent>>>;

/// What wings hand to the loop. One step of the loop leaves a bounded number of inputs and
/// notices here, and takes them before the next; more than that is a defect, of which people are
/// told.
#[derive(Default)]
pub(crate) struct Driver {
    inputs: VecDeque<Input>,
    /// There were more of them than there can be.
    has_overflowed: bool,
    notices: VecDeque<Notice>,
    /// Notices for which there was no room.
    notices_lost: usize,
    tasks: JoinSet<()>,
    /// Tasks that look something up for people: their end is no news.
    answers: JoinSet<()>,
    /// The one that the loop itself asked for, which waits for no place.
    own_answer: JoinSet<()>,
    /// Tasks for which the end of the node waits a while.
    lasting: JoinSet<()>,
    /// The command that is being done.
    command: JoinSet<Option<Box<TaskEvent>>>,
    /// Those that wait for its end.
    waiting_commands: VecDeque<Command>,
    latest_number: u64,
    /// Whether the node ends.
    ending: watch::Sender<bool>,
}

impl Driver {
    /// Tells the engine something, after what it was told before.
    pub(crate) fn tell(&mut self, input: Input) {
        // Also one too many is kept: it may be an answer, and a machine would wait for it for ever.
        self.inputs.push_back(input);
        if self.inputs.len() > limits::INPUTS_AT_ONCE_MAX && !self.has_overflowed {
            self.has_overflowed = true;
            let message = "the program has more to decide at once than it ever should; please \
                           report it; your data is as safe as before";
            self.notice(Severity::Problem, Happening::Defect, message);
            debug_assert!(false, "a step leaves more inputs than it can");
        }
    }

    /// Tells people what happened. What one step leaves too much is not told, but how much it is.
    pub(crate) fn notice(
        &mut self,
        severity: Severity,
        happening: Happening,
        message: impl Into<String>,
    ) {
        if self.notices.len() >= limits::NOTICES_AT_ONCE_MAX {
            self.notices_lost += 1;
            debug_assert!(false, "a step leaves more notices than it can");
            return;
        }
        self.notices.push_back(Notice {
            severity,
            happening,
            message: message.into(),
        });
    }

    /// Runs a task until it ends or the node does.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs a task that looks something up in the home for people. Ask before whether there is a
    /// place for it.
    pub(crate) fn answer(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.answers.spawn(task);
    }

    /// Runs one that the loop asks for, one at a time: no question of a front end keeps it back.
    pub(crate) fn answer_beside(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.own_answer.spawn(task);
    }

    /// Whether something more may be looked up now.
    pub(crate) fn can_answer(&self) -> bool {
        self.answers.len() < limits::ANSWERS_AT_ONCE_MAX
    }

    /// Does what somebody commands once all that was commanded before is done, however long a
    /// disk lets it wait. Ask before whether it may wait.
    pub(crate) fn in_turn(
        &mut self,
        task: impl Future<Output = Option<Box<TaskEvent>>> + Send + 'static,
    ) {
        self.waiting_commands.push_back(task.boxed());
        self.start_command();
    }

    /// Whether something more may wait for its turn.
    pub(crate) fn can_wait_its_turn(&self) -> bool {
        self.waiting_commands.len() < limits::COMMANDS_WAITING_MAX
    }

    fn start_command(&mut self) {
        if self.command.is_empty()
            && let Some(task) = self.waiting_commands.pop_front()
        {
            self.command.spawn(task);
        }
    }

    /// Runs a task that does what the engine asked for and says how it went.
    pub(crate) fn start(
        &mut self,
        completion: Completion,
        task: impl Future<Output = Result<Input, ErrorCode>> + Send + 'static,
    ) {
        self.spawn(async move { completion.tell(task.await).await });
    }

    /// As [`start`](Self::start), and where the node ends meanwhile, it waits for it a while.
    pub(crate) fn finish(
        &mut self,
        completion: Completion,
        task: impl Future<Output = Result<Input, ErrorCode>> + Send + 'static,
    ) {
        self.lasting
            .spawn(async move { completion.tell(task.await).await });
    }

    /// For tasks that the end of the node waits for: what of them nobody needs to wait for.
    pub(crate) fn ending(&self) -> Ending {
        Ending(self.ending.subscribe())
    }

    /// A fresh number for jobs, fetches and questions.
    pub(crate) fn number(&mut self) -> u64 {
        self.latest_number += 1;
        self.latest_number
    }

    /// What the engine is told next.
    pub(crate) fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// What people are told next.
    pub(crate) fn next_notice(&mut self) -> Option<Notice> {
        if let Some(notice) = self.notices.pop_front() {
            return Some(notice);
        }
        let lost = std::mem::take(&mut self.notices_lost);
        (lost > 0).then(|| Notice {
            severity: Severity::Problem,
            happening: Happening::Defect,
            message: format!("{lost} things more happened than can be told; please report it"),
        })
    }

    /// Waits until a task ends; never comes where there is none.
    pub(crate) async fn task_ended(&mut self) -> Ended {
        let ended = tokio::select! {
            Some(ended) = self.tasks.join_next() => Ended::Task(ended),
            Some(ended) = self.lasting.join_next() => Ended::Task(ended),
            Some(ended) = self.answers.join_next() => Ended::Answer(ended),
            Some(ended) = self.own_answer.join_next() => Ended::Answer(ended),
            Some(ended) = self.command.join_next() => Ended::Command(ended),
            else => std::future::pending().await,
        };
        self.start_command();
        ended
    }

    /// Ends all tasks. What is being looked up or done for people, and what is to be finished, is
    /// ended first, so that nobody is in a home that was let go; a disk or a network that hangs is
    /// waited for no longer than `patience`.
    /// Gives what the command that was being done brings.
    pub(crate) async fn shut_down(&mut self, patience: Duration) -> Option<Box<TaskEvent>> {
        self.waiting_commands.clear();
        self.ending.send_replace(true);
        self.tasks.shutdown().await;
        let mut brought = None;
        let ended = async {
            if let Some(Ok(done)) = self.command.join_next().await {
                brought = done;
            }
            while self.lasting.join_next().await.is_some() {}
            while self.answers.join_next().await.is_some() {}
            while self.own_answer.join_next().await.is_some() {}
        };
        if tokio::time::timeout(patience, ended).await.is_err() {
            self.command.shutdown().await;
            self.lasting.shutdown().await;
            self.answers.shutdown().await;
            self.own_answer.shutdown().await;
        }
        brought
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bitdust_engine::JobId;

    use super::*;

    const PATIENCE: Duration = bitdust_model::intervals::PARTING_PATIENCE;

    #[test]
    fn no_input_is_lost_where_there_are_too_many_and_people_are_told() {
        let mut driver = Driver::default();
        for _ in 0..limits::INPUTS_AT_ONCE_MAX {
            driver.tell(Input::Wake);
        }
        assert!(driver.next_notice().is_none(), "so many there may be");
        let is_caught = is_defect(|| driver.tell(Input::Resumed));
        assert_eq!(is_caught, cfg!(debug_assertions), "a defect of a step");
        driver.tell(Input::Listening);
        assert!(driver.next_notice().is_some(), "people are told");
        assert!(driver.next_notice().is_none(), "and only once");
        let told: Vec<_> = std::iter::from_fn(|| driver.next_input()).collect();
        assert_eq!(told.len(), limits::INPUTS_AT_ONCE_MAX + 2);
        assert!(told.ends_with(&[Input::Resumed, Input::Listening]));
    }

    #[test]
    fn people_learn_how_much_they_were_not_told() {
        let mut driver = Driver::default();
        let tell = |driver: &mut Driver| driver.notice(Severity::Note, Happening::Other, "more");
        for _ in 0..limits::NOTICES_AT_ONCE_MAX {
            tell(&mut driver);
        }
        for _ in 0..2 {
            assert_eq!(is_defect(|| tell(&mut driver)), cfg!(debug_assertions));
        }
        let told: Vec<_> = std::iter::from_fn(|| driver.next_notice()).collect();
        assert_eq!(told.len(), limits::NOTICES_AT_ONCE_MAX + 1);
        let last = told.last().map(|notice| notice.message.as_str());
        let expected = "2 things more happened than can be told; please report it";
        assert_eq!(last, Some(expected));
    }

    /// Whether something ends in a defect.
    fn is_defect(work: impl FnOnce()) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_being_looked_up() {
        let mut driver = Driver::default();
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..limits::ANSWERS_AT_ONCE_MAX {
            let count = count.clone();
            driver.answer(async move {
                tokio::task::yield_now().await;
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
        driver.shut_down(PATIENCE).await;
        assert_eq!(count.load(Ordering::Relaxed), limits::ANSWERS_AT_ONCE_MAX);
    }

    #[tokio::test]
    async fn what_nobody_needs_to_wait_for_does_not_hold_up_the_end() {
        let mut driver = Driver::default();
        let mut ending = driver.ending();
        assert_eq!(ending.unless_begun(async { 1 }).await, Some(1));
        let (told, heard) = tokio::sync::oneshot::channel();
        driver.lasting.spawn(async move {
            let joined = ending.unless_begun(std::future::pending::<()>()).await;
            assert_eq!(told.send(joined), Ok(()));
        });
        driver.shut_down(PATIENCE).await;
        assert_eq!(heard.await, Ok(None));
    }

    #[tokio::test]
    async fn one_that_hangs_does_not_hold_up_the_end() {
        let mut driver = Driver::default();
        driver.answer(std::future::pending());
        driver.spawn(std::future::pending());
        driver.in_turn(std::future::pending());
        driver.shut_down(Duration::ZERO).await;
        assert!(driver.answers.is_empty() && driver.tasks.is_empty());
        assert!(driver.command.is_empty());
    }

    #[tokio::test]
    async fn the_command_that_is_being_done_is_brought_at_the_end_and_no_other() {
        let mut driver = Driver::default();
        for job in [1, 2] {
            driver.in_turn(async move {
                tokio::task::yield_now().await;
                let job = JobId(job);
                Some(Box::new(TaskEvent::LookUpEnded { job }))
            });
        }
        let brought = driver.shut_down(PATIENCE).await;
        assert!(matches!(
            brought.as_deref(),
            Some(TaskEvent::LookUpEnded { job: JobId(1) })
        ));
        assert!(driver.command.is_empty() && driver.waiting_commands.is_empty());
    }
}
