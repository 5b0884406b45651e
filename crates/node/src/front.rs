//! What people see: jobs and how far they are, the status, the history; the local socket.

mod damage;
pub(crate) mod history;
pub(crate) mod jobs;
pub(crate) mod keeper;
pub(crate) mod local;
mod remembered;
mod sentence;
pub(crate) mod status;
mod sums;
pub(crate) mod verdict;
mod versions;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tracing::warn;

use bitdust_api::history::HistoryLine;
use bitdust_api::view::{JobView, StatusView};
use bitdust_api::{ApiError, Event};
use bitdust_engine::{JobId, Phase};
use bitdust_model::ErrorCode;
use bitdust_model::intervals::PROGRESS_EVERY;
use bitdust_store::Catalogue;

use crate::front::jobs::{Awaited, Kept, ShownJob};
use crate::front::keeper::{Keeper, Told, Written};
use crate::shared::answer::or_nothing;
use crate::shared::context::wall_clock;
use crate::shared::driver::Notice;
use crate::shared::job::{Begun, JobEnd};

/// Lines of the history that are at hand.
const NOTICES_MAX: usize = 50;

/// Lines of the history in the status; the rest is paged.
const NOTICES_SHOWN: usize = 20;

/// The side of a node that faces people.
pub(crate) struct Front {
    keeper: Keeper,
    events: broadcast::Sender<Event>,
    jobs: BTreeMap<JobId, ShownJob>,
    /// The newest lines of the history, newest first.
    notices: VecDeque<HistoryLine>,
    told_at: Instant,
    /// Something that people see may have changed since it was told.
    is_due: bool,
    /// A status is being put together.
    is_building: bool,
    /// The last one could not be, and that was said.
    is_broken: bool,
}

/// What people see of jobs and of the history.
pub(crate) struct FrontSeen {
    /// Jobs that have not ended.
    pub(crate) jobs: Vec<JobView>,
    /// The newest lines of the history, newest first.
    pub(crate) notices: Vec<HistoryLine>,
}

impl Front {
    /// The front of a home, with the newest lines of its history.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn open(
        catalogue: &Catalogue,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            notices: or_nothing(catalogue, history::newest(catalogue, NOTICES_MAX))?,
            keeper: Keeper::of(catalogue.clone()),
            events,
            jobs: BTreeMap::new(),
            told_at: Instant::now(),
            is_due: true,
            is_building: false,
            is_broken: false,
        })
    }

    /// Something happened that people may see.
    pub(crate) fn something_moved(&mut self) {
        self.is_due = true;
    }

    /// When something is to be told next. Where nobody listens nothing is told, and a moment to
    /// tell it would never be over.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let is_due = (self.is_due && !self.is_building) || !self.jobs.is_empty();
        (is_due && self.is_watched()).then(|| self.told_at + PROGRESS_EVERY)
    }

    /// Whether that moment has come.
    pub(crate) fn is_progress_due(&self) -> bool {
        self.wake_at().is_some_and(|at| at <= Instant::now())
    }

    /// Tells how far jobs are. Gives whether a status is to be built, which
    /// `status_built` is then told of.
    pub(crate) fn tell_progress(&mut self, awaited: &Awaited) -> bool {
        self.told_at = Instant::now();
        let mut events = Vec::new();
        for (id, job) in &mut self.jobs {
            job.observe();
            events.push(job.progress_event(*id, awaited));
        }
        events.into_iter().for_each(|event| self.emit(event));
        if self.is_building {
            return false;
        }
        self.is_due = false;
        self.is_building = true;
        true
    }

    /// A status was put together, or could not be.
    pub(crate) fn status_built(
        &mut self,
        status: Result<Box<StatusView>, ApiError>,
        awaited: &Awaited,
    ) {
        self.is_building = false;
        self.told_at = Instant::now();
        match status {
            Ok(mut status) => {
                self.is_broken = false;
                self.refresh(&mut status, awaited);
                self.emit(Event::Status { status });
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_broken, true) {
                    warn!(%error, "The status cannot be told");
                }
            }
        }
    }

    /// Puts today's jobs and lines into a status that was put together meanwhile: what has
    /// happened since was told, and must not be taken back.
    pub(crate) fn refresh(&self, status: &mut StatusView, awaited: &Awaited) {
        let now = self.seen(awaited);
        status.jobs = now.jobs;
        status.notices = now.notices;
    }

    /// What people see of jobs and of the history.
    pub(crate) fn seen(&self, awaited: &Awaited) -> FrontSeen {
        let jobs = self.jobs.iter();
        FrontSeen {
            jobs: jobs.map(|(id, job)| job.view(*id, awaited)).collect(),
            notices: self.notices.iter().take(NOTICES_SHOWN).cloned().collect(),
        }
    }

    /// A job began.
    pub(crate) fn job_began(&mut self, begun: Begun) {
        let job = ShownJob::new(begun.task, begun.counters);
        self.jobs.insert(begun.id, job);
    }

    /// A job does something else now.
    pub(crate) fn job_moved(&mut self, id: JobId, phase: Phase) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.moved(phase);
        }
    }

    /// A person stops a job. Gives whether it stops; one that is done already ends as it would
    /// have.
    ///
    /// # Errors
    /// If it has ended.
    pub(crate) fn cancel(&self, id: JobId) -> Result<bool, ApiError> {
        let job = self
            .jobs
            .get(&id)
            .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "this job has ended already"))?;
        Ok(job.cancel())
    }

    /// A job ended: its report goes to the front ends; what it says beyond that is kept.
    pub(crate) fn job_ended(
        &mut self,
        id: JobId,
        failure: Option<ErrorCode>,
        unchanged: bool,
        mut end: JobEnd,
        kept: Kept,
    ) {
        self.jobs.remove(&id);
        if unchanged {
            end.forget_versions();
        }
        let report = jobs::report(&end, failure, kept);
        if !unchanged && let Some(notice) = history::notice_of_end(&end.work, &report) {
            self.tell(notice);
        }
        let left = remembered::left_by(&end.work, &report);
        if !left.is_empty() {
            self.keeper.keep(Told::End(left));
        }
        self.emit(Event::Ended {
            job: bitdust_api::JobId(id.0),
            report: Box::new(report),
        });
    }

    /// Whether no job runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Tells people what happened, and has the line kept. It is told under its number at once:
    /// nobody else writes lines, and one that is not kept only leaves a gap.
    pub(crate) fn tell(&mut self, notice: Notice) {
        let line = HistoryLine {
            number: self.notices.front().map_or(1, |newest| newest.number + 1),
            at: wall_clock(),
            severity: notice.severity,
            happening: notice.happening,
            message: notice.message,
        };
        if self.notices.len() == NOTICES_MAX {
            self.notices.pop_back();
        }
        self.notices.push_front(line.clone());
        self.keeper.keep(Told::Line(line.clone()));
        self.emit(Event::Notice { line });
    }

    /// When all that people were told until now is in the catalogue: whoever looks something up
    /// waits for it, so that nothing seems to be forgotten.
    pub(crate) fn written(&self) -> Written {
        self.keeper.written()
    }

    /// Writes what people were told; a disk that hangs is waited for no longer than `patience`.
    pub(crate) async fn shut_down(&mut self, patience: Duration) {
        self.keeper.shut_down(patience).await;
    }

    /// Sends an event to all front ends; none may be listening.
    fn emit(&self, event: Event) {
        drop(self.events.send(event));
    }

    fn is_watched(&self) -> bool {
        self.events.receiver_count() > 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bitdust_api::JobOutcome;
    use bitdust_api::history::Happening;
    use bitdust_api::view::JobTask;
    use bitdust_model::Severity;
    use bitdust_model::status::{Problems, Protection};

    use super::*;
    use crate::shared::job::{Counters, JobWork};
    use crate::shared::testing::TestHome;

    fn front(home: &TestHome) -> (Front, broadcast::Receiver<Event>) {
        let (events, heard) = broadcast::channel(64);
        let front = Front::open(&home.context.catalogue, events).expect("a history");
        (front, heard)
    }

    fn names(heard: &mut broadcast::Receiver<Event>) -> Vec<&'static str> {
        let events = std::iter::from_fn(|| heard.try_recv().ok());
        events
            .map(|event| match event {
                Event::Progress { .. } => "progress",
                Event::Status { .. } => "status",
                Event::Ended { .. } => "ended",
                Event::Notice { .. } => "notice",
            })
            .collect()
    }

    fn begin(front: &mut Front, id: u64) -> Arc<Counters> {
        let counters: Arc<Counters> = Arc::default();
        front.job_began(Begun {
            id: JobId(id),
            task: JobTask::Recovery,
            counters: counters.clone(),
        });
        counters
    }

    fn end_of(counters: Arc<Counters>) -> JobEnd {
        JobEnd {
            counters,
            problems: Problems::default(),
            work: JobWork::Restore,
        }
    }

    fn kept() -> Kept {
        Kept {
            protection: Protection::Safe,
            owed: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_status_that_cannot_be_built_is_not_the_last() {
        let home = TestHome::new().await;
        let (mut front, mut heard) = front(&home);
        front.told_at -= PROGRESS_EVERY;
        assert!(front.is_progress_due() && front.tell_progress(&Awaited::default()));
        front.something_moved();
        assert!(front.wake_at().is_none(), "one at a time, whatever moves");
        let counters = begin(&mut front, 1);
        front.told_at -= PROGRESS_EVERY;
        assert!(front.is_progress_due(), "jobs go on");
        assert!(
            !front.tell_progress(&Awaited::default()),
            "still one at a time"
        );
        assert_eq!(names(&mut heard), ["progress"]);
        front.job_ended(JobId(1), None, true, end_of(counters), kept());
        assert_eq!(names(&mut heard), ["ended"]);

        let failed_at = Instant::now();
        let defect = ApiError::new(ErrorCode::Internal, "a defect");
        front.status_built(Err(defect), &Awaited::default());
        let again_at = front.wake_at().expect("what moved meanwhile is told");
        assert!(again_at >= failed_at + PROGRESS_EVERY, "and not at once");
        front.told_at -= PROGRESS_EVERY;
        assert!(front.is_progress_due() && front.tell_progress(&Awaited::default()));
        assert!(front.wake_at().is_none(), "it is built again, once");
        assert!(names(&mut heard).is_empty(), "there is none to tell yet");
    }

    #[tokio::test]
    async fn nobody_is_told_where_nobody_listens() {
        let home = TestHome::new().await;
        let (mut front, heard) = front(&home);
        begin(&mut front, 1);
        front.something_moved();
        assert!(front.wake_at().is_some());
        drop(heard);
        assert!(front.wake_at().is_none(), "a loop would never rest");
    }

    #[tokio::test]
    async fn a_job_that_ended_is_told_once_and_kept_in_the_history() {
        let home = TestHome::new().await;
        let (mut front, mut heard) = front(&home);
        let counters = begin(&mut front, 1);
        assert!(!front.is_idle());
        assert!(front.cancel(JobId(1)).expect("it runs"));
        assert!(front.cancel(JobId(2)).is_err(), "there is no such job");
        let failure = Some(ErrorCode::Cancelled);
        front.job_ended(JobId(1), failure, false, end_of(counters), kept());
        assert!(front.is_idle());
        assert_eq!(names(&mut heard), ["notice", "ended"]);
        front.written().wait().await;
        let lines = history::newest(&home.context.catalogue, NOTICES_MAX).expect("read");
        assert_eq!(lines[0].message, "the restore was stopped");
        assert_eq!(front.seen(&Awaited::default()).notices, Vec::from(lines));
    }

    #[tokio::test]
    async fn a_backup_without_changes_leaves_no_line() {
        let home = TestHome::new().await;
        let (mut front, mut heard) = front(&home);
        let counters = begin(&mut front, 1);
        front.job_ended(JobId(1), None, true, end_of(counters), kept());
        assert_eq!(names(&mut heard), ["ended"]);
    }

    #[tokio::test]
    async fn a_report_says_how_it_ended() {
        let problem = crate::shared::job::problem(b"/a", ErrorCode::Unreadable, "no");
        for (failure, has_problem, outcome) in [
            (None, false, JobOutcome::Complete),
            (None, true, JobOutcome::Partial),
            (Some(ErrorCode::Cancelled), true, JobOutcome::Cancelled),
            (Some(ErrorCode::DiskFull), false, JobOutcome::Failed),
        ] {
            let mut end = end_of(Arc::default());
            if has_problem {
                end.problems.push(problem.clone());
            }
            assert_eq!(jobs::report(&end, failure, kept()).outcome, outcome);
        }
    }

    #[tokio::test]
    async fn only_the_newest_lines_are_at_hand() {
        let home = TestHome::new().await;
        let (mut front, _heard) = front(&home);
        for number in 0..=NOTICES_MAX {
            front.tell(Notice {
                severity: Severity::Note,
                happening: Happening::Other,
                message: format!("line {number}"),
            });
        }
        assert_eq!(front.notices.len(), NOTICES_MAX);
        let seen = front.seen(&Awaited::default()).notices;
        assert_eq!(seen.len(), NOTICES_SHOWN);
        assert_eq!(
            seen[0].message,
            format!("line {NOTICES_MAX}"),
            "newest first"
        );
    }
}
