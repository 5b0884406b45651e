//! The history that people read: told to front ends, kept in the catalogue, paged back.

use std::collections::VecDeque;

use bitdust_api::history::{Happening, HistoryLine, HistoryView};
use bitdust_api::{ApiError, JobOutcome, JobReport};
use bitdust_model::{Severity, limits};
use bitdust_store::catalogue::{HistoryQuestion, PastEvent};
use bitdust_store::{Catalogue, CatalogueError};

use crate::shared::answer::catalogue_error;
use crate::shared::driver::Notice;
use crate::shared::job::JobWork;

/// Keeps a line under its number.
pub(super) fn keep(catalogue: &Catalogue, line: HistoryLine) -> Result<(), CatalogueError> {
    let facts = serde_json::to_string(&line.happening).unwrap_or_default();
    catalogue.add_history(PastEvent {
        number: line.number,
        at: line.at,
        severity: line.severity,
        message: line.message,
        facts,
    })
}

/// The newest lines, newest first.
pub(crate) fn newest(
    catalogue: &Catalogue,
    count_max: usize,
) -> Result<VecDeque<HistoryLine>, ApiError> {
    let lines = catalogue.history(&HistoryQuestion::default(), count_max);
    Ok(lines
        .map_err(catalogue_error)?
        .into_iter()
        .map(line)
        .collect())
}

/// What a job's end says.
pub(crate) fn notice_of_end(work: &JobWork, report: &JobReport) -> Option<Notice> {
    let severity = match report.outcome {
        JobOutcome::Complete | JobOutcome::Cancelled => Severity::Note,
        JobOutcome::Partial => Severity::Warning,
        JobOutcome::Failed => Severity::Problem,
    };
    let problems = report.problems.len() as u64 + report.problems_unlisted;
    let (outcome, files, error) = (report.outcome, report.progress.files_done, report.error);
    let (happening, what) = match work {
        JobWork::Backup { .. } => (
            Happening::BackupEnded {
                outcome,
                files,
                new_bytes: report.new_bytes,
                problems,
                error,
            },
            "the backup",
        ),
        JobWork::Restore => (
            Happening::RestoreEnded {
                outcome,
                files,
                problems,
                error,
            },
            "the restore",
        ),
        JobWork::Verify { .. } => {
            let verified = report.verified.as_ref();
            let happening = Happening::VerifyEnded {
                outcome,
                files: verified.map_or(0, |view| view.equal + view.changed_here),
                failed: verified.map_or(0, |view| view.failed),
                error,
            };
            (happening, "the test restore")
        }
        JobWork::Recovery => return None,
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
    Some(Notice {
        severity,
        happening,
        message,
    })
}

/// A page of the history.
pub(crate) fn page(
    catalogue: &Catalogue,
    question: &HistoryQuestion,
) -> Result<HistoryView, ApiError> {
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

/// A line as front ends see it; facts of a newer program are shown by their message.
fn line(past: PastEvent) -> HistoryLine {
    HistoryLine {
        number: past.number,
        at: past.at,
        severity: past.severity,
        happening: serde_json::from_str(&past.facts).unwrap_or(Happening::Other),
        message: past.message,
    }
}
