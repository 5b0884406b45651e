//! Jobs as people see them: how far they are, what they wait for, and the report in the end.

use std::sync::Arc;
use std::time::Instant;

use bitdust_api::view::{JobPhase, JobTask, JobView};
use bitdust_api::{Event, JobOutcome, JobReport, Remark};
use bitdust_engine::{JobId, Phase, Wait};
use bitdust_model::status::Protection;
use bitdust_model::{ErrorCode, UnixMillis};

use crate::shared::context::wall_clock;
use crate::shared::job::{Counters, JobEnd, JobWork};
use crate::shared::rate::Rate;
use crate::shared::text::escape;
use crate::shared::words;

/// A job that has not ended.
pub(crate) struct ShownJob {
    task: JobTask,
    counters: Arc<Counters>,
    /// What it does, in the engine's words.
    phase: Option<Phase>,
    /// Since when it runs, for people and for its speed.
    started_at: UnixMillis,
    started: Instant,
    rate: Rate,
}

/// For whom jobs may wait, by name.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// The supplier that most packs wait for.
    pub(crate) held_up_by: Option<String>,
    /// Suppliers of the set that are not there.
    pub(crate) away: Vec<String>,
}

impl ShownJob {
    /// A job that begins.
    pub(crate) fn new(task: JobTask, counters: Arc<Counters>) -> Self {
        Self {
            task,
            counters,
            phase: None,
            started_at: wall_clock(),
            started: Instant::now(),
            rate: Rate::new(),
        }
    }

    /// It does something else now.
    pub(crate) fn moved(&mut self, phase: Phase) {
        self.phase = Some(phase);
    }

    /// Takes in how far it is now.
    pub(crate) fn observe(&mut self) {
        let progress = self.counters.progress();
        let (done, total) = (progress.bytes_done.0, progress.bytes_total.0);
        self.rate.observe(self.started.elapsed(), done, total);
    }

    /// Stops it. Gives whether it still can be.
    pub(crate) fn cancel(&self) -> bool {
        self.counters.cancel()
    }

    /// What it does or waits for.
    fn shown_phase(&self, awaited: &Awaited) -> JobPhase {
        let phase = self
            .phase
            .map_or(JobPhase::Waiting, |phase| phase_view(phase, awaited));
        match (self.counters.shown_wait(self.phase), &awaited.held_up_by) {
            (Some(Wait::Disk), _) => JobPhase::WaitingForDisk,
            (Some(Wait::Pack), Some(name)) => JobPhase::WaitingForSupplier { name: name.clone() },
            (Some(Wait::Pack), None) | (None, _) => phase,
        }
    }

    /// What front ends show of it.
    pub(crate) fn view(&self, id: JobId, awaited: &Awaited) -> JobView {
        JobView {
            id: bitdust_api::JobId(id.0),
            task: self.task.clone(),
            phase: self.shown_phase(awaited),
            progress: self.counters.progress(),
            started_at: self.started_at,
            bytes_per_second: self.rate.bytes_per_second(),
            remaining_seconds: self.rate.remaining().map(|left| left.as_secs()),
            current: self.counters.current().as_deref().map(escape),
        }
    }

    /// How far it is, as an event.
    pub(crate) fn progress_event(&self, id: JobId, awaited: &Awaited) -> Event {
        let view = self.view(id, awaited);
        Event::Progress {
            job: view.id,
            progress: view.progress,
            phase: words::phase(&view.phase),
            doing: view.phase,
            bytes_per_second: view.bytes_per_second,
            remaining_seconds: view.remaining_seconds,
        }
    }
}

/// How well everything is kept as a job ends.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) protection: Protection,
    /// Names of suppliers who do not have all of it yet.
    pub(crate) owed: Vec<String>,
}

/// The report of a job that ended, with the reason if it failed.
pub(crate) fn report(end: &JobEnd, failure: Option<ErrorCode>, kept: Kept) -> JobReport {
    let outcome = match failure {
        Some(ErrorCode::Cancelled) => JobOutcome::Cancelled,
        Some(_) => JobOutcome::Failed,
        None if end.problems.is_empty() => JobOutcome::Complete,
        None => JobOutcome::Partial,
    };
    let (snapshots, verified) = match &end.work {
        // Versions of a backup that failed are known to nobody.
        JobWork::Backup { snapshots, .. } if failure.is_none() => (snapshots.as_slice(), None),
        JobWork::Backup { .. } => (&[][..], None),
        JobWork::Verify { result } => (&[][..], result.clone()),
        JobWork::Restore | JobWork::Recovery => (&[][..], None),
    };
    let (new_bytes, packed_bytes) = end.counters.new_and_packed();
    let kept = match &end.work {
        JobWork::Backup { .. } if failure.is_none() => Some(kept),
        JobWork::Backup { .. } | JobWork::Verify { .. } | JobWork::Restore | JobWork::Recovery => {
            None
        }
    };
    JobReport {
        outcome,
        progress: end.counters.progress(),
        snapshots: snapshots
            .iter()
            .map(|snapshot| snapshot.snapshot.to_hex())
            .collect(),
        problems_unlisted: end.problems.unlisted,
        remarks: remarks_of(&end.work),
        problems: end.problems.listed.clone(),
        new_bytes,
        packed_bytes,
        error: failure,
        message: failure.map(|code| why(&end.work, code).to_owned()),
        verified,
        protection: kept.as_ref().map(|kept| kept.protection),
        owed: kept.map_or(Vec::new(), |kept| kept.owed),
    }
}

/// Why a job failed, for people.
const fn why(work: &JobWork, code: ErrorCode) -> &'static str {
    match (work, code) {
        (JobWork::Backup { .. }, ErrorCode::TooFewShards) => words::LOST_BEFORE_SPREAD,
        _ => words::failure(code),
    }
}

/// What is to be known of a job beside its problems.
fn remarks_of(work: &JobWork) -> Vec<Remark> {
    match work {
        JobWork::Backup { .. } if !bitdust_source::sees_root_attributes() => {
            vec![Remark::RootAttributesUnseen]
        }
        JobWork::Backup { .. } | JobWork::Restore | JobWork::Verify { .. } | JobWork::Recovery => {
            Vec::new()
        }
    }
}

fn phase_view(phase: Phase, awaited: &Awaited) -> JobPhase {
    match phase {
        Phase::WaitingForSpool {
            code: ErrorCode::QuotaExceeded,
        } => JobPhase::WaitingForSpool,
        Phase::WaitingForSpool { .. } => JobPhase::WaitingForDisk,
        Phase::WaitingForSuppliers { have, need } => JobPhase::WaitingForSuppliers { have, need },
        Phase::Reading => JobPhase::Reading,
        Phase::Sending => JobPhase::Sending,
        Phase::WaitingForConfirmations { confirmed, need } => {
            let away = awaited.away.clone();
            JobPhase::WaitingForConfirmations {
                confirmed,
                need,
                away,
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use bitdust_model::intervals::WAIT_TOLD_AFTER;

    #[test]
    fn a_job_that_stands_still_says_why() {
        let bob = Awaited {
            held_up_by: Some("bob".to_owned()),
            away: Vec::new(),
        };
        let reads = |phase| {
            let mut job = ShownJob::new(JobTask::Recovery, Arc::default());
            job.moved(phase);
            job
        };
        let refused =
            |code| reads(Phase::WaitingForSpool { code }).shown_phase(&Awaited::default());
        assert_eq!(
            refused(ErrorCode::QuotaExceeded),
            JobPhase::WaitingForSpool,
            "the spool is full"
        );
        assert_eq!(refused(ErrorCode::DiskFull), JobPhase::WaitingForDisk);
        assert_eq!(refused(ErrorCode::DiskFailed), JobPhase::WaitingForDisk);

        let job = reads(Phase::Reading);
        let long_ago = Instant::now().checked_sub(WAIT_TOLD_AFTER);
        let since = long_ago.expect("the clock is older");
        let short = job.counters.show_wait(Wait::Pack, Instant::now());
        assert_eq!(job.shown_phase(&bob), JobPhase::Reading, "not yet");
        drop(short);
        let for_disk = job.counters.show_wait(Wait::Disk, since);
        let for_pack = job.counters.show_wait(Wait::Pack, since);
        assert_eq!(job.shown_phase(&bob), JobPhase::WaitingForDisk);
        drop(for_disk);
        let name = "bob".to_owned();
        assert_eq!(job.shown_phase(&bob), JobPhase::WaitingForSupplier { name });
        drop(for_pack);
        assert_eq!(job.shown_phase(&bob), JobPhase::Reading);
    }
}
