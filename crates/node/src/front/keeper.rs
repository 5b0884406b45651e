//! Keeps what people were told: lines of the history, and what the ends of jobs leave.
//!
//! One thread writes, in the order in which it was told, so that the loop waits for no disk.
//! Whoever reads in the catalogue waits first until it has what was told before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bitdust_api::history::HistoryLine;
use bitdust_model::limits;
use bitdust_store::Catalogue;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use super::history;
use super::remembered::{self, KeptValue};

/// Something that is to outlive the node.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A line of the history.
    Line(HistoryLine),
    /// What the end of a job leaves.
    End(Vec<KeptValue>),
}

/// The way to the thread that writes.
pub(super) struct Keeper {
    /// `None` once nothing more is taken.
    waiting: Option<mpsc::Sender<Told>>,
    /// How many were given to it.
    given: u64,
    /// How many it has dealt with.
    done: watch::Receiver<u64>,
    /// Nobody waits for the thread any more: another node may have the home.
    is_abandoned: Arc<AtomicBool>,
    writer: JoinHandle<()>,
}

/// The moment at which all that was told until now is in the catalogue.
pub(crate) struct Written {
    given: u64,
    done: watch::Receiver<u64>,
}

impl Keeper {
    /// One that writes into a catalogue.
    pub(super) fn of(catalogue: Catalogue) -> Self {
        Self::start(move |told| {
            let kept = match told {
                Told::Line(line) => history::keep(&catalogue, line),
                Told::End(values) => remembered::keep(&catalogue, values),
            };
            if let Err(error) = kept {
                // It was told all the same and will lack after a restart; no data depends on it.
                warn!(%error, "Something for people was not kept");
            }
        })
    }

    fn start(mut write: impl FnMut(Told) + Send + 'static) -> Self {
        let (waiting, mut told) = mpsc::channel(limits::TOLD_WAITING_MAX);
        let (count, done) = watch::channel(0);
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let is_over = is_abandoned.clone();
        // Ends when nothing more can be given to it.
        let writer = tokio::task::spawn_blocking(move || {
            while let Some(told) = told.blocking_recv() {
                if is_over.load(Ordering::Acquire) {
                    break;
                }
                write(told);
                count.send_modify(|count| *count += 1);
            }
        });
        Self {
            waiting: Some(waiting),
            given: 0,
            done,
            is_abandoned,
            writer,
        }
    }

    /// Keeps something after what was given before. Where the disk has hung for so long that no
    /// more can wait it is not kept.
    pub(super) fn keep(&mut self, told: Told) {
        let waiting = self.waiting.as_ref();
        if waiting.is_some_and(|waiting| waiting.try_send(told).is_ok()) {
            self.given += 1;
        } else {
            warn!("Something for people was not kept: the disk does not answer");
        }
    }

    /// When all that was given until now is in the catalogue.
    pub(super) fn written(&self) -> Written {
        Written {
            given: self.given,
            done: self.done.clone(),
        }
    }

    /// Writes what was given, and takes nothing more; a disk that hangs is waited for no longer
    /// than `patience`.
    pub(super) async fn shut_down(&mut self, patience: Duration) {
        self.waiting = None;
        let ended = tokio::time::timeout(patience, &mut self.writer).await;
        if ended.is_err() {
            // The numbers of its lines are those of the next node.
            self.is_abandoned.store(true, Ordering::Release);
            warn!("The newest lines of the history were not kept: the disk does not answer");
        }
    }
}

impl Written {
    /// Comes when it is so. A writer that is gone writes nothing more, and is not waited for.
    pub(crate) async fn wait(mut self) {
        let given = self.given;
        let _gone = self.done.wait_for(|done| *done >= given).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use bitdust_api::history::Happening;
    use bitdust_model::intervals::PARTING_PATIENCE;
    use bitdust_model::{Severity, UnixMillis};
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_keeps_only_those_back_who_read() {
        let (mut keeper, disk, kept) = held();
        for number in 1..=3 {
            keeper.keep(line(number));
        }
        let mut written = Box::pin(keeper.written().wait());
        assert!((&mut written).now_or_never().is_none(), "nothing is there");
        for _ in 0..3 {
            disk.send(()).expect("it writes");
        }
        written.await;
        let order: Vec<_> = kept.try_iter().collect();
        assert_eq!(order, [line(1), line(2), line(3)]);
        keeper.written().wait().await;
    }

    #[tokio::test]
    async fn what_was_told_is_written_before_the_end() {
        let (mut keeper, disk, kept) = held();
        keeper.keep(line(1));
        keeper.keep(line(2));
        drop(disk);
        keeper.shut_down(PARTING_PATIENCE).await;
        assert_eq!(kept.try_iter().count(), 2);
        keeper.keep(line(3));
        keeper.written().wait().await;
    }

    #[tokio::test]
    async fn one_that_hangs_does_not_hold_up_the_end_and_is_given_no_more_than_can_wait() {
        let (mut keeper, disk, kept) = held();
        // One more may be in its hands.
        for number in 0..limits::TOLD_WAITING_MAX as u64 + 2 {
            keeper.keep(line(number));
        }
        let given = usize::try_from(keeper.given).expect("a few");
        assert!((limits::TOLD_WAITING_MAX..=limits::TOLD_WAITING_MAX + 1).contains(&given));
        keeper.shut_down(Duration::ZERO).await;
        drop(disk);
        let written = kept.iter().count();
        assert!(written <= 1, "another node writes now, and {written} were");
    }

    /// More than is ever given to one of these.
    const PLACES: usize = 2 * limits::TOLD_WAITING_MAX;

    /// A keeper whose disk takes one thing for each word, and all once nobody speaks any more.
    fn held() -> (Keeper, SyncSender<()>, Receiver<Told>) {
        let (disk, word) = sync_channel(PLACES);
        let (done, kept) = sync_channel(PLACES);
        let keeper = Keeper::start(move |told| {
            let _spoken: Result<(), _> = word.recv();
            // A test that has ended reads nothing.
            drop(done.send(told));
        });
        (keeper, disk, kept)
    }

    fn line(number: u64) -> Told {
        Told::Line(HistoryLine {
            number,
            at: UnixMillis(0),
            severity: Severity::Note,
            happening: Happening::Other,
            message: "it happened".to_owned(),
        })
    }
}
