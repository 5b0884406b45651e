//! What the wings share of a job: counters that its tasks move, and what it did in the end.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use bitdust_api::view::{JobTask, VerifyView};
use bitdust_engine::{JobId, Phase, Wait};
use bitdust_model::manifest::{FolderRecord, SnapshotRecord};
use bitdust_model::status::{Problem, Problems, Progress};
use bitdust_model::{ByteCount, ErrorCode};

/// Files below this are not named while they are worked on: they are done before anybody could
/// read their names.
const NAMED_BYTES_MIN: u64 = 1_000_000;

/// Counters of a running job; moved by its tasks, read by the loop.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    files_done: AtomicU64,
    files_total: AtomicU64,
    bytes_done: AtomicU64,
    bytes_total: AtomicU64,
    bytes_moved: AtomicU64,
    new_bytes: AtomicU64,
    packed_bytes: AtomicU64,
    state: AtomicU8,
    waits: Mutex<Vec<(Wait, Instant)>>,
    current: watch::Sender<Option<Box<[u8]>>>,
}

/// What is to become of a job; decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum JobState {
    /// Nothing is decided.
    Running,
    /// Somebody stopped it.
    Cancelled,
    /// The program ends before it.
    Interrupted,
    /// It is done.
    Finished,
}

/// Something that is waited for and shown.
pub(crate) struct ShownWait<'a> {
    counters: &'a Counters,
    wait: (Wait, Instant),
}

impl Drop for ShownWait<'_> {
    fn drop(&mut self) {
        let mut waits = self.counters.waits();
        if let Some(at) = waits.iter().position(|wait| *wait == self.wait) {
            waits.swap_remove(at);
        }
    }
}

impl Counters {
    /// A file is being worked on, by its path below the folder.
    pub(crate) fn works_on(&self, path: &[u8], bytes: u64) {
        if bytes >= NAMED_BYTES_MIN {
            self.current.send_replace(Some(path.into()));
        }
    }

    /// Runs something that may wait, and shows what for meanwhile.
    pub(crate) fn waiting<T>(&self, wait: Wait, work: impl FnOnce() -> T) -> T {
        let _shown = self.show_wait(wait, Instant::now());
        work()
    }

    /// The same for what does not block.
    pub(crate) async fn waiting_for<T>(&self, wait: Wait, work: impl Future<Output = T>) -> T {
        let _shown = self.show_wait(wait, Instant::now());
        work.await
    }

    /// Shows a wait until what is given is dropped.
    pub(crate) fn show_wait(&self, wait: Wait, since: Instant) -> ShownWait<'_> {
        self.waits().push((wait, since));
        ShownWait {
            counters: self,
            wait: (wait, since),
        }
    }

    /// What its tasks wait for, where that is worth a word.
    pub(crate) fn shown_wait(&self, phase: Option<Phase>) -> Option<Wait> {
        let waits = self.waits();
        let waits = waits.iter().map(|(wait, since)| (*wait, since.elapsed()));
        bitdust_engine::shown_wait(phase, waits)
    }

    fn waits(&self) -> MutexGuard<'_, Vec<(Wait, Instant)>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file came into sight.
    pub(crate) fn saw_file(&self, bytes: u64) {
        self.files_total.fetch_add(1, Ordering::Relaxed);
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A file is done; its bytes may have been counted already while it was worked on.
    pub(crate) fn did_file(&self, bytes: u64) {
        self.files_done.fetch_add(1, Ordering::Relaxed);
        self.did_bytes(bytes);
    }

    /// Bytes of files were read or written.
    pub(crate) fn did_bytes(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes went to or came from suppliers.
    pub(crate) fn moved_bytes(&self, bytes: u64) {
        self.bytes_moved.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A new chunk was packed.
    pub(crate) fn new_chunk(&self, bytes: u64) {
        self.new_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A pack of contents was sealed.
    pub(crate) fn sealed_pack(&self, bytes: u64) {
        self.packed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Somebody wants the job to stop. Gives whether it still can.
    pub(crate) fn cancel(&self) -> bool {
        self.decide(JobState::Cancelled) || self.is_taken_back()
    }

    /// The program ends: the job's tasks stop, and what they did stays.
    pub(crate) fn interrupt(&self) {
        // One that is cancelled or done already stays so.
        let _decided = self.decide(JobState::Interrupted);
    }

    /// The work is done and is not taken back any more. Gives whether nobody was faster.
    pub(crate) fn finish(&self) -> bool {
        self.decide(JobState::Finished)
    }

    /// Whether the job should stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state == JobState::Cancelled as u8 || state == JobState::Interrupted as u8
    }

    /// Whether somebody stopped it, so that nothing of it is wanted.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.state.load(Ordering::Acquire) == JobState::Cancelled as u8
    }

    fn decide(&self, state: JobState) -> bool {
        let (goes_on, ordering) = (JobState::Running as u8, Ordering::AcqRel);
        self.state
            .compare_exchange(goes_on, state as u8, ordering, Ordering::Acquire)
            .is_ok()
    }

    /// The file that is being worked on.
    pub(crate) fn current(&self) -> Option<Box<[u8]>> {
        self.current.borrow().clone()
    }

    /// Bytes of new chunks, and of packs that hold contents.
    pub(crate) fn new_and_packed(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.new_bytes), read(&self.packed_bytes))
    }

    /// The counts now.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            files_done: self.files_done.load(Ordering::Relaxed),
            files_total: self.files_total.load(Ordering::Relaxed),
            bytes_done: ByteCount(self.bytes_done.load(Ordering::Relaxed)),
            bytes_total: ByteCount(self.bytes_total.load(Ordering::Relaxed)),
            bytes_moved: ByteCount(self.bytes_moved.load(Ordering::Relaxed)),
        }
    }
}

/// A job that begins, for whoever shows it.
pub(crate) struct Begun {
    /// Its number.
    pub(crate) id: JobId,
    /// What it is for, in words.
    pub(crate) task: JobTask,
    pub(crate) counters: Arc<Counters>,
}

/// What a job did, for its report.
pub(crate) struct JobEnd {
    pub(crate) counters: Arc<Counters>,
    /// What could not be protected or restored.
    pub(crate) problems: Problems,
    /// What kind of work it was.
    pub(crate) work: JobWork,
}

impl JobEnd {
    /// Its versions were not made: they would be the same.
    pub(crate) fn forget_versions(&mut self) {
        if let JobWork::Backup { snapshots, .. } = &mut self.work {
            snapshots.clear();
        }
    }
}

/// A kind of work, with what came of it.
pub(crate) enum JobWork {
    /// Folders were backed up.
    Backup {
        /// Which.
        folders: Vec<FolderRecord>,
        /// New versions.
        snapshots: Vec<SnapshotRecord>,
    },
    /// A version, or a part of it, was brought back.
    Restore,
    /// Random files were fetched and compared.
    Verify {
        /// The result; none where it did not come so far.
        result: Option<VerifyView>,
    },
    /// An identity was found again.
    Recovery,
}

/// A problem with a path.
pub(crate) fn problem(path: &[u8], code: ErrorCode, detail: impl Into<String>) -> Problem {
    Problem {
        path: path.to_vec(),
        code,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_a_job_is_decided_once() {
        let stopped = Counters::default();
        assert!(stopped.cancel() && stopped.cancel(), "twice is as good");
        assert!(!stopped.finish(), "too late");
        assert!(stopped.is_cancelled() && stopped.is_taken_back());
        let done = Counters::default();
        assert!(done.finish() && !done.cancel());
        assert!(!done.is_cancelled());
        let interrupted = Counters::default();
        interrupted.interrupt();
        assert!(interrupted.is_cancelled() && !interrupted.is_taken_back());
        assert!(!interrupted.finish(), "the program ends before it");
    }
}
