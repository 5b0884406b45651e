//! The history that people read: told to front ends, kept in the catalogue, paged back.

use bitdust_api::history::{Happening, HistoryLine, HistoryView};
use bitdust_api::{ApiError, Event, JobOutcome, JobReport};
use bitdust_model::{Severity, limits};
use bitdust_store::catalogue::{HistoryQuestion, PastEvent};
use tracing::warn;

use crate::runtime::calls::catalogue_error;
use crate::runtime::{NOTICES_MAX, Node};
use crate::shared::context::wall_clock;
use crate::shared::job::JobKind;

impl Node {
    /// Tells people what happened, and keeps the line.
    pub(crate) fn notice(
        &mut self,
        severity: Severity,
        happening: Happening,
        message: impl Into<String>,
    ) {
        let (at, message) = (wall_clock(), message.into());
        let facts = serde_json::to_string(&happening).unwrap_or_default();
        let kept = self
            .context
            .catalogue
            .add_history(at, severity, &message, &facts);
        let number = kept.unwrap_or_else(|error| {
            // The line is told all the same; it will lack after a restart.
            warn!(%error, "A line of the history was not kept");
            self.notices.front().map_or(1, |newest| newest.number + 1)
        });
        let line = HistoryLine {
            number,
            at,
            severity,
            happening,
            message,
        };
        if self.notices.len() == NOTICES_MAX {
            self.notices.pop_back();
        }
        self.notices.push_front(line.clone());
        self.emit(Event::Notice { line });
    }

    /// What a job's end says.
    pub(crate) fn notice_end(&mut self, kind: &JobKind, report: &JobReport) {
        let severity = match report.outcome {
            JobOutcome::Complete | JobOutcome::Cancelled => Severity::Note,
            JobOutcome::Partial => Severity::Warning,
            JobOutcome::Failed => Severity::Problem,
        };
        let problems = report.problems.len() as u64 + report.problems_unlisted;
        let (outcome, files, error) = (report.outcome, report.progress.files_done, report.error);
        let (happening, what) = match kind {
            JobKind::Backup { .. } => (
                Happening::BackupEnded {
                    outcome,
                    files,
                    new_bytes: report.new_bytes,
                    problems,
                    error,
                },
                "the backup",
            ),
            JobKind::Restore(_) => (
                Happening::RestoreEnded {
                    outcome,
                    files,
                    problems,
                    error,
                },
                "the restore",
            ),
            JobKind::Verify { .. } => {
                let verified = report.verified.as_ref();
                let happening = Happening::VerifyEnded {
                    outcome,
                    files: verified.map_or(0, |view| view.equal + view.changed_here),
                    failed: verified.map_or(0, |view| view.failed),
                    error,
                };
                (happening, "the test restore")
            }
            JobKind::Recover => return,
        };
        let message = match (report.outcome, &report.message) {
            (JobOutcome::Complete, _) => format!("{what} is done"),
            (JobOutcome::Partial, _) => {
                format!("{what} is done, but for {problems} things that are listed")
            }
            (JobOutcome::Cancelled, _) => format!("{what} was stopped"),
            (JobOutcome::Failed, Some(reason)) => format!("{what} failed: {reason}"),
            (JobOutcome::Failed, None) => format!("{what} failed"),
        };
        self.notice(severity, happening, message);
    }

    /// A page of the history.
    pub(crate) fn history(&self, question: &HistoryQuestion) -> Result<HistoryView, ApiError> {
        let catalogue = &self.context.catalogue;
        let page = limits::HISTORY_PAGE_LINES;
        let mut lines = catalogue
            .history(question, page + 1)
            .map_err(catalogue_error)?;
        let more = lines.len() > page;
        lines.truncate(page);
        let count = catalogue.history_count(question).map_err(catalogue_error)?;
        Ok(HistoryView {
            lines: lines.into_iter().map(line).collect(),
            more,
            count,
        })
    }
}

/// A line as front ends see it; facts of a newer program are shown by their message.
pub(crate) fn line(past: PastEvent) -> HistoryLine {
    HistoryLine {
        number: past.number,
        at: past.at,
        severity: past.severity,
        happening: serde_json::from_str(&past.facts).unwrap_or(Happening::Other),
        message: past.message,
    }
}
