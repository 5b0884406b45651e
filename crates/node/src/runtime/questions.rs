//! Questions of front ends that wait for a place among those that are looked up.
//!
//! A question is begun with what the wings know then, not with what they knew when it was asked: it
//! may have waited long.

use std::collections::VecDeque;

use bitdust_model::limits;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::front::keeper::Written;
use crate::front::status::Seen;
use crate::shared::driver::Driver;

/// What a question is answered by.
pub(super) struct Known {
    /// What the wings know.
    pub(super) seen: Seen,
    /// When the catalogue has what people were told.
    pub(super) written: Written,
}

/// Looks something up, by what is known when it begins.
type Begin<S> = Box<dyn FnOnce(S) -> BoxFuture<'static, ()> + Send>;

/// Questions in the order in which they were asked; `S` is what is known.
pub(super) struct Questions<S> {
    waiting: VecDeque<Begin<S>>,
}

impl<S> Questions<S> {
    /// Nobody asks anything yet.
    pub(super) const fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
        }
    }

    /// Whether one more may wait. One that follows a command that has taken effect waits always.
    pub(super) fn can_wait(&self) -> bool {
        self.waiting.len() < limits::ANSWERS_WAITING_MAX
    }

    /// Has a question wait for its place.
    pub(super) fn ask<F>(&mut self, begin: impl FnOnce(S) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let begin = |known| begin(known).boxed();
        self.waiting.push_back(Box::new(begin));
    }

    /// The next one, if there is a place for it.
    pub(super) fn next(&mut self, driver: &Driver) -> Option<Begin<S>> {
        driver.can_answer().then(|| self.waiting.pop_front())?
    }

    /// Nobody is answered any more.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use bitdust_model::intervals::PARTING_PATIENCE;

    use super::*;
    use crate::shared::driver::Ended;
    use crate::shared::task::blocking;

    #[tokio::test]
    async fn few_are_looked_up_at_once_and_each_by_what_is_known_then() {
        let mut driver = Driver::default();
        let mut questions = Questions::new();
        let (disk, hangs) = sync_channel::<()>(1);
        let (tell, told) = sync_channel(limits::ANSWERS_WAITING_MAX);
        let mut hangs = Some(hangs);
        for number in 0..limits::ANSWERS_AT_ONCE_MAX + 2 {
            assert!(questions.can_wait());
            let (tell, hangs) = (tell.clone(), hangs.take());
            questions.ask(move |known: u32| async move {
                if let Some(hangs) = hangs {
                    let _answer = blocking(move || hangs.recv()).await;
                }
                tell.send((number, known)).expect("the test reads");
            });
        }
        begin_all(&mut questions, &mut driver, 1);
        assert!(!driver.can_answer());
        assert_eq!(questions.waiting.len(), 2);
        // The first one hangs, the others do not wait for it.
        let mut answered = 0;
        while answered < limits::ANSWERS_AT_ONCE_MAX + 1 {
            let ended = tokio::time::timeout(PARTING_PATIENCE, driver.task_ended()).await;
            assert!(matches!(ended, Ok(Ended::Answer(Ok(())))));
            answered += 1;
            begin_all(&mut questions, &mut driver, 2);
        }
        drop(disk);
        assert!(matches!(driver.task_ended().await, Ended::Answer(Ok(()))));
        let mut known: Vec<_> = told.try_iter().collect();
        assert_eq!(known.last(), Some(&(0, 1)), "it was asked first");
        known.sort_unstable();
        let known: Vec<_> = known.into_iter().map(|(_, known)| known).collect();
        assert_eq!(known, [1, 1, 1, 1, 2, 2]);
    }

    #[tokio::test]
    async fn those_that_wait_are_bounded() {
        let mut questions = Questions::new();
        for _ in 0..limits::ANSWERS_WAITING_MAX {
            assert!(questions.can_wait());
            questions.ask(|()| async {});
        }
        assert!(!questions.can_wait());
        questions.clear();
        assert!(questions.next(&Driver::default()).is_none());
    }

    fn begin_all(questions: &mut Questions<u32>, driver: &mut Driver, known: u32) {
        while let Some(begin) = questions.next(driver) {
            driver.answer(begin(known));
        }
    }
}
