//! Writes to the catalogue that find no room on a full disk.
//!
//! One that finds none says so to the engine and waits; when all that wait are to be tried again
//! is the engine's to decide. Whoever waits is counted until it has written or given up.

use bitdust_engine::{Input, Wait};
use bitdust_model::ErrorCode;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tracing::debug;

use crate::shared::job::Counters;
use crate::shared::task_event::TaskEvent;

/// When what waits is tried again, told anew each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// Now.
    Now,
    /// The node ends.
    Never,
}

/// The writes that wait for room.
pub(crate) struct DiskSpace {
    /// Each write that waits listens to it.
    retries: watch::Sender<Retry>,
    /// The way to the engine.
    events: mpsc::Sender<TaskEvent>,
}

impl DiskSpace {
    /// Nothing waits.
    pub(crate) fn new(events: mpsc::Sender<TaskEvent>) -> Self {
        let (retries, _) = watch::channel(Retry::Now);
        Self { retries, events }
    }

    /// Has all that waits tried once more; gives whether anything does.
    pub(crate) fn try_again(&self) -> bool {
        let waits = self.retries.receiver_count() > 0;
        self.retries.send_replace(Retry::Now);
        waits
    }

    /// The node ends: nobody waits any longer.
    pub(crate) fn close(&self) {
        self.retries.send_replace(Retry::Never);
    }

    /// Writes something for a job; on a full disk, once there is room. A job that is stopped
    /// waits no longer. Call on a blocking thread.
    pub(crate) fn write_for_job<T>(
        &self,
        counters: &Counters,
        runtime: &Handle,
        mut write: impl FnMut() -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        let first = write();
        if !is_full(&first) || counters.is_cancelled() {
            return first;
        }
        counters.waiting(Wait::Disk, || {
            let mut waiting = runtime.block_on(self.wait());
            while runtime.block_on(may_retry(&mut waiting)) {
                let again = write();
                if !is_full(&again) || counters.is_cancelled() {
                    return again;
                }
            }
            Err(ErrorCode::DiskFull)
        })
    }

    /// Writes what has to be written, whoever stops; on a full disk, once there is room. Where a
    /// job is at it, it shows the wait.
    pub(crate) async fn write_anyway<T, W>(
        &self,
        counters: Option<&Counters>,
        mut write: impl FnMut() -> W,
    ) -> Result<T, ErrorCode>
    where
        W: Future<Output = Result<T, ErrorCode>>,
    {
        let first = write().await;
        if !is_full(&first) {
            return first;
        }
        let written = async {
            let mut waiting = self.wait().await;
            while may_retry(&mut waiting).await {
                let again = write().await;
                if !is_full(&again) {
                    return again;
                }
            }
            Err(ErrorCode::DiskFull)
        };
        match counters {
            Some(counters) => counters.waiting_for(Wait::Disk, written).await,
            None => written.await,
        }
    }

    /// Begins to wait, and is counted before the engine hears of it.
    async fn wait(&self) -> watch::Receiver<Retry> {
        debug!("The catalogue has no room");
        let waiting = self.retries.subscribe();
        let told = self.events.send(TaskEvent::Input(Input::DiskFull)).await;
        if told.is_err() {
            // Nobody would have it tried again.
            self.close();
        }
        waiting
    }
}

/// Waits until a write is to be tried again; false where it never is.
async fn may_retry(waiting: &mut watch::Receiver<Retry>) -> bool {
    let is_over = *waiting.borrow() == Retry::Never;
    if is_over || waiting.changed().await.is_err() {
        return false;
    }
    *waiting.borrow() == Retry::Now
}

const fn is_full<T>(written: &Result<T, ErrorCode>) -> bool {
    matches!(written, Err(ErrorCode::DiskFull))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bitdust_model::limits;
    use tokio::task::{JoinHandle, spawn_blocking, yield_now};

    use super::*;

    /// A disk, and what the engine is told of it.
    struct Disk {
        space: Arc<DiskSpace>,
        events: mpsc::Receiver<TaskEvent>,
        /// Writes that find no room before there is some.
        full_for: Arc<AtomicUsize>,
        counters: Arc<Counters>,
    }

    impl Disk {
        fn full_for(times: usize) -> Self {
            let (sender, events) = mpsc::channel(limits::ENGINE_INPUTS_MAX);
            Self {
                space: Arc::new(DiskSpace::new(sender)),
                events,
                full_for: Arc::new(AtomicUsize::new(times)),
                counters: Arc::default(),
            }
        }

        /// A write that finds no room so often, then ends as it is told.
        fn write(
            &self,
            then: Result<u8, ErrorCode>,
        ) -> impl FnMut() -> Result<u8, ErrorCode> + Send + use<> {
            let left = self.full_for.clone();
            move || {
                let find = |left: usize| left.checked_sub(1);
                let found = left.fetch_update(Ordering::AcqRel, Ordering::Acquire, find);
                found.map_or(then, |_| Err(ErrorCode::DiskFull))
            }
        }

        fn for_job(&self, then: Result<u8, ErrorCode>) -> JoinHandle<Result<u8, ErrorCode>> {
            let (space, counters) = (self.space.clone(), self.counters.clone());
            let (runtime, write) = (Handle::current(), self.write(then));
            spawn_blocking(move || space.write_for_job(&counters, &runtime, write))
        }

        fn anyway(&self, then: Result<u8, ErrorCode>) -> JoinHandle<Result<u8, ErrorCode>> {
            let (space, counters) = (self.space.clone(), self.counters.clone());
            let mut write = self.write(then);
            tokio::spawn(async move {
                let write = || {
                    let written = write();
                    async move { written }
                };
                space.write_anyway(Some(&counters), write).await
            })
        }

        /// The engine is told that something waits.
        async fn is_told(&mut self) {
            let event = self.events.recv().await;
            assert!(matches!(event, Some(TaskEvent::Input(Input::DiskFull))));
        }

        /// How a write ends that is tried again and again.
        async fn outcome(&self, write: JoinHandle<Result<u8, ErrorCode>>) -> Result<u8, ErrorCode> {
            while !write.is_finished() {
                self.space.try_again();
                yield_now().await;
            }
            write.await.expect("no defect")
        }
    }

    const FULL: Result<u8, ErrorCode> = Err(ErrorCode::DiskFull);

    #[tokio::test]
    async fn a_full_disk_is_tried_until_there_is_room() {
        for then in [Ok(7), Err(ErrorCode::DiskFailed)] {
            for begin in [Disk::for_job, Disk::anyway] {
                let mut disk = Disk::full_for(3);
                assert!(!disk.space.try_again(), "nothing waits yet");
                let write = begin(&disk, then);
                disk.is_told().await;
                assert!(disk.space.try_again(), "it waits");
                assert_eq!(disk.outcome(write).await, then);
                assert!(!disk.space.try_again(), "nothing waits any more");
            }
        }
    }

    #[tokio::test]
    async fn all_that_waits_is_tried_at_once() {
        let mut disk = Disk::full_for(3);
        let writes = [disk.anyway(Ok(1)), disk.for_job(Ok(2)), disk.anyway(Ok(3))];
        for _ in &writes {
            disk.is_told().await;
        }
        assert!(disk.space.try_again());
        for (write, then) in writes.into_iter().zip(1..) {
            assert_eq!(write.await.expect("no defect"), Ok(then));
        }
    }

    #[tokio::test]
    async fn a_job_that_is_stopped_waits_no_longer() {
        let mut disk = Disk::full_for(9);
        let write = disk.for_job(Ok(7));
        disk.is_told().await;
        disk.counters.cancel();
        assert!(disk.space.try_again());
        assert_eq!(write.await.expect("no defect"), FULL);
        let later = disk.for_job(Ok(7));
        assert_eq!(later.await.expect("no defect"), FULL);
        assert!(disk.events.is_empty(), "that one never waited");
    }

    #[tokio::test]
    async fn the_end_of_the_node_waits_for_no_write() {
        for begin in [Disk::for_job, Disk::anyway] {
            let mut disk = Disk::full_for(9);
            let write = begin(&disk, Ok(7));
            disk.is_told().await;
            disk.space.close();
            assert_eq!(write.await.expect("no defect"), FULL);
            let late = begin(&disk, Ok(7));
            assert_eq!(late.await.expect("no defect"), FULL);

            let mut without_loop = Disk::full_for(9);
            without_loop.events.close();
            let write = begin(&without_loop, Ok(7));
            assert_eq!(write.await.expect("no defect"), FULL);
        }
    }
}
