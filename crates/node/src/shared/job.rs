//! Jobs as the node sees them: counters that tasks move, and what the report is made of.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use bitdust_api::call::Conflict;
use bitdust_api::view::{JobPhase, JobTask, JobView};
use bitdust_api::{JobId, JobOutcome, JobReport, Remark};
use bitdust_engine::Phase;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::status::{Problem, Problems, Progress};
use bitdust_model::{ByteCount, ErrorCode, UnixMillis};

use crate::shared::context::wall_clock;
use crate::shared::rate::Rate;
use crate::shared::text::escape;

/// Files below this are not named while they are worked on: they are done before anybody could
/// read their names.
const NAMED_BYTES_MIN: u64 = 1_000_000;

/// Waits below this are the ordinary ones, and nobody needs to know why.
const TELLING_WAIT: Duration = Duration::from_secs(2);

/// What a job waits for, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// That a pack in memory is with its suppliers or in the spool.
    Pack,
    /// That the catalogue can be written.
    Disk,
}

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
    will: AtomicU8,
    waits: Mutex<Vec<(Wait, Instant)>>,
    current: watch::Sender<Option<Box<[u8]>>>,
}

/// What is to become of a job; decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Will {
    /// Nothing is decided.
    GoesOn,
    /// Somebody stopped it.
    Cancelled,
    /// The program ends before it.
    Interrupted,
    /// It is done.
    Settled,
}

/// Something that is waited for and shown.
struct ShownWait<'a> {
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
    fn show_wait(&self, wait: Wait, since: Instant) -> ShownWait<'_> {
        self.waits().push((wait, since));
        ShownWait {
            counters: self,
            wait: (wait, since),
        }
    }

    /// What is waited for, where it is worth a word; a full disk before all else, since whatever
    /// else waits may wait for that.
    fn wait(&self) -> Option<Wait> {
        let waits = self.waits();
        let long = waits
            .iter()
            .filter(|(_, since)| since.elapsed() >= TELLING_WAIT);
        long.map(|(wait, _)| *wait).max()
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
        self.decide(Will::Cancelled) || self.is_taken_back()
    }

    /// The program ends: the job's tasks stop, and what they did stays.
    pub(crate) fn interrupt(&self) {
        // One that is cancelled or done already stays so.
        let _decided = self.decide(Will::Interrupted);
    }

    /// The work is done and is not taken back any more. Gives whether nobody was faster.
    pub(crate) fn settle(&self) -> bool {
        self.decide(Will::Settled)
    }

    /// Whether the job should stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        let will = self.will.load(Ordering::Acquire);
        will == Will::Cancelled as u8 || will == Will::Interrupted as u8
    }

    /// Whether somebody stopped it, so that nothing of it is wanted.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.will.load(Ordering::Acquire) == Will::Cancelled as u8
    }

    fn decide(&self, will: Will) -> bool {
        let (goes_on, ordering) = (Will::GoesOn as u8, Ordering::AcqRel);
        self.will
            .compare_exchange(goes_on, will as u8, ordering, Ordering::Acquire)
            .is_ok()
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

/// What a job is for.
#[derive(Debug, Clone)]
pub(crate) enum JobKind {
    /// Folders to back up.
    Backup {
        /// What to walk.
        folders: Vec<bitdust_model::manifest::FolderRecord>,
        /// Whether nobody asked for it: then a version that would be the same is not made.
        by_itself: bool,
    },
    /// A version, or a part of it, to bring back.
    Restore(Box<crate::restore::writer::RestoreRequest>),
    /// Random files to fetch and compare.
    Verify {
        /// How many.
        sample: u32,
    },
    /// The identity to find again.
    Recover,
}

impl JobKind {
    fn task(&self) -> JobTask {
        match self {
            Self::Backup { folders, by_itself } => JobTask::Backup {
                folders: folders.iter().map(|folder| escape(&folder.path)).collect(),
                by_itself: *by_itself,
            },
            Self::Restore(request) => JobTask::Restore {
                snapshot: request.snapshot.snapshot.to_hex(),
                path: escape(&request.path),
                to: escape(std::os::unix::ffi::OsStrExt::as_bytes(
                    request.to.as_os_str(),
                )),
                conflict: match request.conflict {
                    bitdust_source::Conflict::Replace => Conflict::Replace,
                    bitdust_source::Conflict::KeepBoth => Conflict::KeepBoth,
                    bitdust_source::Conflict::Skip => Conflict::Skip,
                },
            },
            Self::Verify { sample } => JobTask::Verify { sample: *sample },
            Self::Recover => JobTask::Recovery,
        }
    }
}

const fn phase_view(phase: Phase) -> JobPhase {
    match phase {
        Phase::WaitingForRoom {
            code: ErrorCode::QuotaExceeded,
        } => JobPhase::WaitingForRoom,
        Phase::WaitingForRoom { .. } => JobPhase::WaitingForDisk,
        Phase::WaitingForSuppliers { have, need } => JobPhase::WaitingForSuppliers { have, need },
        Phase::Reading => JobPhase::Reading,
        Phase::Sending => JobPhase::Sending,
        Phase::WaitingForConfirmations { confirmed, need } => {
            JobPhase::WaitingForConfirmations { confirmed, need }
        }
        Phase::WritingLists => JobPhase::WritingLists,
        Phase::Publishing => JobPhase::Publishing,
        Phase::Seeking => JobPhase::Seeking,
        Phase::AskingHeads => JobPhase::AskingHeads,
        Phase::LoadingLists => JobPhase::LoadingLists,
        Phase::Fetching => JobPhase::Fetching,
        Phase::WaitingForPieces => JobPhase::WaitingForPieces,
    }
}

/// A job that was asked for and has not ended.
pub(crate) struct Job {
    /// What for.
    pub(crate) kind: JobKind,
    /// Its counters.
    pub(crate) counters: Arc<Counters>,
    /// Room for packs in flight (backup).
    pub(crate) permits: Arc<Semaphore>,
    /// New versions, once the walk is over.
    pub(crate) snapshots: Vec<SnapshotRecord>,
    /// What could not be protected or restored.
    pub(crate) problems: Problems,
    /// What it does, in the engine's words.
    pub(crate) phase: Option<Phase>,
    /// The result of a test restore.
    pub(crate) verified: Option<bitdust_api::view::VerifyView>,
    /// Since when it runs, for people and for its speed.
    started_at: UnixMillis,
    started: Instant,
    rate: Rate,
}

impl Job {
    /// A job that begins.
    pub(crate) fn new(kind: JobKind) -> Self {
        Self {
            kind,
            counters: Arc::default(),
            permits: Arc::new(Semaphore::new(bitdust_model::limits::PACKS_IN_FLIGHT_MAX)),
            snapshots: Vec::new(),
            problems: Problems::default(),
            phase: None,
            verified: None,
            started_at: wall_clock(),
            started: Instant::now(),
            rate: Rate::default(),
        }
    }

    /// Takes in how far it is now.
    pub(crate) fn observe(&mut self) {
        let progress = self.counters.progress();
        let (done, total) = (progress.bytes_done.0, progress.bytes_total.0);
        self.rate.observe(self.started.elapsed(), done, total);
    }

    /// What it does or waits for. `held_up_by` names the supplier that most packs wait for.
    fn shown_phase(&self, held_up_by: Option<&str>) -> JobPhase {
        let phase = self.phase.map_or(JobPhase::Waiting, phase_view);
        match (self.counters.wait(), held_up_by) {
            (Some(Wait::Disk), _) => JobPhase::WaitingForDisk,
            (Some(Wait::Pack), Some(name)) if phase == JobPhase::Reading => {
                JobPhase::WaitingForSupplier { name: name.into() }
            }
            (Some(Wait::Pack) | None, _) => phase,
        }
    }

    /// What front ends show of it.
    pub(crate) fn view(&self, id: JobId, held_up_by: Option<&str>) -> JobView {
        JobView {
            id,
            task: self.kind.task(),
            phase: self.shown_phase(held_up_by),
            progress: self.counters.progress(),
            started_at: self.started_at,
            bytes_per_second: self.rate.bytes_per_second(),
            remaining_seconds: self.rate.remaining().map(|left| left.as_secs()),
            current: self.counters.current.borrow().as_deref().map(escape),
        }
    }

    /// The report of a job that ended, with the reason if it failed.
    pub(crate) fn report(self, failure: Option<ErrorCode>) -> JobReport {
        let outcome = match failure {
            Some(ErrorCode::Cancelled) => JobOutcome::Cancelled,
            Some(_) => JobOutcome::Failed,
            None if self.problems.is_empty() => JobOutcome::Complete,
            None => JobOutcome::Partial,
        };
        JobReport {
            outcome,
            progress: self.counters.progress(),
            snapshots: self
                .snapshots
                .iter()
                .map(|snapshot| snapshot.snapshot.to_hex())
                .collect(),
            problems_unlisted: self.problems.unlisted,
            remarks: remarks_of(&self.kind),
            problems: self.problems.listed,
            new_bytes: self.counters.new_bytes.load(Ordering::Relaxed),
            packed_bytes: self.counters.packed_bytes.load(Ordering::Relaxed),
            error: failure,
            message: failure.map(|code| crate::shared::words::failure(code).to_owned()),
            verified: self.verified,
        }
    }
}

/// What is to be known of a job beside its problems.
fn remarks_of(kind: &JobKind) -> Vec<Remark> {
    match kind {
        JobKind::Backup { .. } if !bitdust_source::sees_root_attributes() => {
            vec![Remark::RootAttributesUnseen]
        }
        JobKind::Backup { .. }
        | JobKind::Restore(_)
        | JobKind::Verify { .. }
        | JobKind::Recover => Vec::new(),
    }
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
    fn a_job_that_stands_still_says_why() {
        let reads = |phase| {
            let mut job = Job::new(JobKind::Recover);
            job.phase = Some(phase);
            job
        };
        let refused = |code| reads(Phase::WaitingForRoom { code }).shown_phase(None);
        assert_eq!(
            refused(ErrorCode::QuotaExceeded),
            JobPhase::WaitingForRoom,
            "the spool is full"
        );
        assert_eq!(refused(ErrorCode::DiskFull), JobPhase::WaitingForDisk);
        assert_eq!(refused(ErrorCode::DiskFailed), JobPhase::WaitingForDisk);

        let job = reads(Phase::Reading);
        let long_ago = Instant::now().checked_sub(TELLING_WAIT);
        let since = long_ago.expect("the clock is older");
        let short = job.counters.show_wait(Wait::Pack, Instant::now());
        assert_eq!(job.shown_phase(Some("bob")), JobPhase::Reading, "not yet");
        drop(short);
        let for_disk = job.counters.show_wait(Wait::Disk, since);
        let for_pack = job.counters.show_wait(Wait::Pack, since);
        assert_eq!(job.shown_phase(Some("bob")), JobPhase::WaitingForDisk);
        drop(for_disk);
        let name = "bob".to_owned();
        assert_eq!(
            job.shown_phase(Some("bob")),
            JobPhase::WaitingForSupplier { name }
        );
        drop(for_pack);
        assert_eq!(job.shown_phase(Some("bob")), JobPhase::Reading);
    }

    #[test]
    fn what_becomes_of_a_job_is_decided_once() {
        let stopped = Counters::default();
        assert!(stopped.cancel() && stopped.cancel(), "twice is as good");
        assert!(!stopped.settle(), "too late");
        assert!(stopped.is_cancelled() && stopped.is_taken_back());
        let done = Counters::default();
        assert!(done.settle() && !done.cancel());
        assert!(!done.is_cancelled());
        let interrupted = Counters::default();
        interrupted.interrupt();
        assert!(interrupted.is_cancelled() && !interrupted.is_taken_back());
        assert!(!interrupted.settle(), "the program ends before it");
    }
}
