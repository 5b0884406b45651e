//! Jobs as the node sees them: counters that tasks move, and what the report is made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Semaphore;

use bitdust_api::{JobOutcome, JobReport};
use bitdust_engine::Phase;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::status::{Problem, Problems, Progress};
use bitdust_model::{ByteCount, ErrorCode};

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
    cancelled: AtomicBool,
}

impl Counters {
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

    /// Asks the job's tasks to stop.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the job should stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
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
    },
    /// A version, or a part of it, to bring back.
    Restore(Box<crate::restore::RestoreRequest>),
    /// Random files to fetch and compare.
    Verify {
        /// How many.
        sample: u32,
    },
    /// The identity to find again.
    Recover,
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
            problems: self.problems.listed,
            new_bytes: self.counters.new_bytes.load(Ordering::Relaxed),
            packed_bytes: self.counters.packed_bytes.load(Ordering::Relaxed),
            error: failure,
            message: failure.map(|code| crate::words::failure(code).to_owned()),
            verified: self.verified,
        }
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
