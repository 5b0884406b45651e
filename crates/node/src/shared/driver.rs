//! What a wing drives the engine with: inputs for it, tasks, numbers, and news for people.
//!
//! A wing never enters the engine: what it tells waits here until the loop comes to it, so
//! that no state changes while outputs are performed.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use bitdust_api::history::Happening;
use bitdust_engine::Input;
use bitdust_model::{ErrorCode, Severity, limits};

use crate::shared::completion::Completion;

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
}

/// What wings hand to the loop. One step of the loop leaves a bounded number of inputs and
/// notices here, and takes them before the next.
#[derive(Default)]
pub(crate) struct Driver {
    inputs: VecDeque<Input>,
    notices: VecDeque<Notice>,
    tasks: JoinSet<()>,
    /// Tasks that look something up for people: their end is no news.
    answers: JoinSet<()>,
    latest_number: u64,
}

impl Driver {
    /// Tells the engine something, after what it was told before.
    pub(crate) fn tell(&mut self, input: Input) {
        self.inputs.push_back(input);
    }

    /// Tells people what happened.
    pub(crate) fn notice(
        &mut self,
        severity: Severity,
        happening: Happening,
        message: impl Into<String>,
    ) {
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

    /// Runs a task that looks something up in the home for people.
    pub(crate) fn answer(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.answers.spawn(task);
    }

    /// Whether more may be looked up now.
    pub(crate) fn can_answer(&self) -> bool {
        self.answers.len() < limits::ANSWERS_AT_ONCE_MAX
    }

    /// Runs a task that does what the engine asked for and says how it went.
    pub(crate) fn start(
        &mut self,
        completion: Completion,
        task: impl Future<Output = Result<Input, ErrorCode>> + Send + 'static,
    ) {
        self.spawn(async move { completion.tell(task.await).await });
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
        self.notices.pop_front()
    }

    /// Waits until a task ends; never comes where there is none.
    pub(crate) async fn task_ended(&mut self) -> Ended {
        tokio::select! {
            Some(ended) = self.tasks.join_next() => Ended::Task(ended),
            Some(ended) = self.answers.join_next() => Ended::Answer(ended),
            else => std::future::pending().await,
        }
    }

    /// Ends all tasks. What is being looked up is found first, so that nobody reads in a home
    /// that was let go; a disk that hangs is waited for no longer than `patience`.
    pub(crate) async fn shut_down(&mut self, patience: Duration) {
        self.tasks.shutdown().await;
        let answered = async { while self.answers.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, answered).await.is_err() {
            self.answers.shutdown().await;
        }
    }
}
