//! What people see: jobs and how far they are, the status, the history; the local socket.

pub(crate) mod history;
mod jobs;
pub(crate) mod local;
mod remembered;
pub(crate) mod status;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tracing::warn;

use bitdust_api::history::HistoryLine;
use bitdust_api::view::{JobView, StatusView};
use bitdust_api::{ApiError, Event};
use bitdust_engine::{JobId, Phase};
use bitdust_model::ErrorCode;

use crate::front::jobs::ShownJob;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Notice;
use crate::shared::job::{Begun, JobEnd};

/// At most so often is progress told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Lines of the history that are at hand.
const NOTICES_MAX: usize = 50;

/// Lines of the history in the status; the rest is paged.
const NOTICES_SHOWN: usize = 20;

/// The side of a node that faces people.
pub(crate) struct Front {
    context: Context,
    events: broadcast::Sender<Event>,
    jobs: BTreeMap<JobId, ShownJob>,
    /// The newest lines of the history, newest first.
    notices: VecDeque<HistoryLine>,
    told_at: Instant,
    /// Something that people see may have changed since it was told.
    is_due: bool,
    /// A status is being put together.
    is_building: bool,
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
        context: Context,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            notices: history::newest(&context.catalogue, NOTICES_MAX)?,
            context,
            events,
            jobs: BTreeMap::new(),
            told_at: Instant::now(),
            is_due: true,
            is_building: false,
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
    /// `status_built` is then told of; `held_up_by` names the supplier that most packs wait for.
    pub(crate) fn tell_progress(&mut self, held_up_by: Option<&str>) -> bool {
        self.told_at = Instant::now();
        let mut events = Vec::new();
        for (id, job) in &mut self.jobs {
            job.observe();
            events.push(job.progress_event(*id, held_up_by));
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
        held_up_by: Option<&str>,
    ) {
        self.is_building = false;
        self.told_at = Instant::now();
        match status {
            Ok(mut status) => {
                // What happened meanwhile was told: it must not be taken back.
                let now = self.seen(held_up_by);
                status.jobs = now.jobs;
                status.notices = now.notices;
                self.emit(Event::Status { status });
            }
            Err(error) => warn!(%error, "The status cannot be told"),
        }
    }

    /// What people see of jobs and of the history.
    pub(crate) fn seen(&self, held_up_by: Option<&str>) -> FrontSeen {
        let jobs = self.jobs.iter();
        FrontSeen {
            jobs: jobs.map(|(id, job)| job.view(*id, held_up_by)).collect(),
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
    ) {
        self.jobs.remove(&id);
        if unchanged {
            end.forget_versions();
        }
        let report = jobs::report(&end, failure);
        remembered::keep_end(&self.context.catalogue, &end.work, &report);
        if !unchanged && let Some(notice) = history::notice_of_end(&end.work, &report) {
            self.tell(notice);
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

    /// Tells people what happened, and keeps the line.
    pub(crate) fn tell(&mut self, notice: Notice) {
        let at = wall_clock();
        let number = history::keep(&self.context.catalogue, at, &notice);
        let number = number.unwrap_or_else(|error| {
            // The line is told all the same; it will lack after a restart.
            warn!(%error, "A line of the history was not kept");
            self.notices.front().map_or(1, |newest| newest.number + 1)
        });
        let line = HistoryLine {
            number,
            at,
            severity: notice.severity,
            happening: notice.happening,
            message: notice.message,
        };
        if self.notices.len() == NOTICES_MAX {
            self.notices.pop_back();
        }
        self.notices.push_front(line.clone());
        self.emit(Event::Notice { line });
    }

    /// Sends an event to all front ends; none may be listening.
    fn emit(&self, event: Event) {
        drop(self.events.send(event));
    }

    fn is_watched(&self) -> bool {
        self.events.receiver_count() > 0
    }
}
