//! Writes to the catalogue that wait for room on a full disk.

use bitdust_engine::Wait;
use bitdust_model::ErrorCode;
use bitdust_model::intervals::DISK_RETRY;
use tokio::runtime::Handle;
use tracing::debug;

use crate::shared::job::Counters;

/// Writes something for a job; on a full disk, once there is room. A job that is stopped waits
/// no longer. Call on a blocking thread.
pub(crate) fn write_for_job<T>(
    counters: &Counters,
    runtime: &Handle,
    mut write: impl FnMut() -> Result<T, ErrorCode>,
) -> Result<T, ErrorCode> {
    let first = write();
    if !is_full(&first) {
        return first;
    }
    debug!("The catalogue has no room");
    counters.waiting(Wait::Disk, || {
        while !counters.is_cancelled() {
            // A timer is made inside of the runtime only.
            runtime.block_on(async { tokio::time::sleep(DISK_RETRY).await });
            let again = write();
            if !is_full(&again) {
                return again;
            }
        }
        Err(ErrorCode::DiskFull)
    })
}

/// Writes what has to be written, whoever stops; on a full disk, once there is room. Where a job
/// is at it, it shows the wait.
pub(crate) async fn write_anyway<T, W>(
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
    debug!("The catalogue has no room");
    let waiting = async {
        loop {
            tokio::time::sleep(DISK_RETRY).await;
            let again = write().await;
            if !is_full(&again) {
                return again;
            }
        }
    };
    match counters {
        Some(counters) => counters.waiting_for(Wait::Disk, waiting).await,
        None => waiting.await,
    }
}

const fn is_full<T>(written: &Result<T, ErrorCode>) -> bool {
    matches!(written, Err(ErrorCode::DiskFull))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A runtime as the program's: one that drives its timers by itself.
    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .expect("a runtime")
    }

    /// Fails so often for want of room, then as it is told.
    fn full_for(
        times: usize,
        then: Result<u8, ErrorCode>,
    ) -> impl FnMut() -> Result<u8, ErrorCode> {
        let mut left = times;
        move || {
            if left == 0 {
                return then;
            }
            left -= 1;
            Err(ErrorCode::DiskFull)
        }
    }

    #[test]
    fn a_full_disk_is_tried_until_there_is_room() {
        let runtime = runtime();
        let counters = Counters::default();
        let handle = runtime.handle();
        for then in [Ok(7), Err(ErrorCode::DiskFailed)] {
            let done = write_for_job(&counters, handle, full_for(1, then));
            assert_eq!(done, then);
            let mut write = full_for(1, then);
            let done = runtime.block_on(write_anyway(Some(&counters), || {
                let written = write();
                async move { written }
            }));
            assert_eq!(done, then);
        }
    }

    #[test]
    fn a_job_that_is_stopped_waits_no_longer() {
        let runtime = runtime();
        let counters = Counters::default();
        counters.cancel();
        let done = write_for_job(&counters, runtime.handle(), full_for(9, Ok(7)));
        assert_eq!(done, Err(ErrorCode::DiskFull));
    }
}
