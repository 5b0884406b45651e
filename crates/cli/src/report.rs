//! The end of a job as it is told: to machines as an object, to people as a paragraph.

use std::fmt::Write as _;
use std::time::Duration;

use bitdust_api::view::VerifyView;
use bitdust_api::{JobOutcome, JobReport, Remark};
use bitdust_model::status::{Problem, Progress, Protection};
use bitdust_model::{ByteCount, ErrorCode};
use serde::{Deserialize, Serialize};

use crate::escape::{escaped, escaped_bytes, percent_escaped};
use crate::failure::{Exit, Failure};
use crate::text::{count, elapsed};

/// The words of a kind of job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobWords {
    /// While it goes: `Backing up`.
    pub(crate) title: &'static str,
    /// When it is done: `Backed up`.
    pub(crate) done: &'static str,
    /// What could not be done to the things listed: `protected`.
    pub(crate) missed: &'static str,
    /// What is safe when it did not get to its end.
    pub(crate) safe: &'static str,
    /// What to do about the things listed.
    pub(crate) advice: &'static str,
}

/// A job's report with paths as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReportObject {
    /// How it ended.
    pub(crate) outcome: JobOutcome,
    /// Its counts.
    pub(crate) progress: Progress,
    /// New versions, or the one restored.
    pub(crate) snapshots: Vec<String>,
    /// What could not be protected or restored.
    pub(crate) problems: Vec<ProblemObject>,
    /// How many more there were.
    pub(crate) problems_unlisted: u64,
    /// What is to be known besides.
    pub(crate) remarks: Vec<Remark>,
    /// Bytes that were new (backup).
    pub(crate) new_bytes: u64,
    /// The same as they were sent, before they were spread (backup).
    pub(crate) packed_bytes: u64,
    /// The result of a test restore.
    pub(crate) verified: Option<VerifyView>,
    /// How well everything is kept at the end of a backup.
    pub(crate) protection: Option<Protection>,
    /// Names of suppliers who do not have all of it yet.
    pub(crate) owed: Vec<String>,
    /// Milliseconds it took.
    pub(crate) took_millis: u64,
}

/// A problem with its path as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProblemObject {
    /// Where; bytes that are no UTF-8 are percent-escaped.
    pub(crate) path: String,
    /// Why, for machines.
    pub(crate) code: ErrorCode,
    /// Why, for people.
    pub(crate) detail: String,
}

impl ReportObject {
    /// How many things could not be protected or restored.
    pub(crate) fn problem_count(&self) -> u64 {
        (self.problems.len() as u64).saturating_add(self.problems_unlisted)
    }
}

/// The object for machines.
pub(crate) fn report_object(report: &JobReport, took: Duration) -> ReportObject {
    let object = |problem: &Problem| ProblemObject {
        path: percent_escaped(&problem.path),
        code: problem.code,
        detail: problem.detail.clone(),
    };
    ReportObject {
        outcome: report.outcome,
        progress: report.progress,
        snapshots: report.snapshots.clone(),
        problems: report.problems.iter().map(object).collect(),
        problems_unlisted: report.problems_unlisted,
        remarks: report.remarks.clone(),
        new_bytes: report.new_bytes,
        packed_bytes: report.packed_bytes,
        verified: report.verified.clone(),
        protection: report.protection,
        owed: report.owed.clone(),
        took_millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The exit code of a job that got to an end, or the failure of one that did not.
pub(crate) fn report_exit(
    report: &JobReport,
    words: &JobWords,
    object: &ReportObject,
) -> Result<Exit, Failure> {
    let (code, what) = match report.outcome {
        JobOutcome::Complete | JobOutcome::Partial => {
            let verified = report.verified.as_ref();
            let is_whole = report.outcome == JobOutcome::Complete
                && object.problem_count() == 0
                && verified.is_none_or(|verified| verified.failed == 0)
                && report.protection.is_none_or(|it| it == Protection::Safe);
            return Ok(if is_whole {
                Exit::Done
            } else {
                Exit::Incomplete
            });
        }
        JobOutcome::Failed => (report.error.unwrap_or(ErrorCode::Internal), "It failed."),
        JobOutcome::Cancelled => (ErrorCode::Cancelled, "It was stopped."),
    };
    // The node's own sentence says what is safe as well.
    let message = report
        .message
        .clone()
        .unwrap_or_else(|| format!("{what} {}", words.safe));
    let mut failure = Failure::new(code, message);
    failure.report = serde_json::to_value(object).ok().map(Box::new);
    Err(failure)
}

/// The paragraph for people: figures, then one line for each thing that was missed.
pub(crate) fn report_text(report: &JobReport, words: &JobWords, object: &ReportObject) -> String {
    let mut text = String::new();
    match report.outcome {
        JobOutcome::Complete | JobOutcome::Partial => {
            text.push_str(&figures(report, words, object));
            text.extend(report.remarks.iter().copied().map(remark));
        }
        // The failure itself is told as an error.
        JobOutcome::Failed | JobOutcome::Cancelled => {}
    }
    let missed = object.problem_count();
    if missed > 0 {
        let things = count(missed, "thing", "things");
        writeln!(
            text,
            "{things} could not be {}. The rest is done.",
            words.missed
        )
        .expect("writing to a string cannot fail");
        for problem in &report.problems {
            writeln!(
                text,
                "  {}: {}",
                escaped_bytes(&problem.path),
                escaped(&problem.detail)
            )
            .expect("writing to a string cannot fail");
        }
        if report.problems_unlisted > 0 {
            writeln!(text, "  and {} more", report.problems_unlisted)
                .expect("writing to a string cannot fail");
        }
        writeln!(text, "{}", words.advice).expect("writing to a string cannot fail");
    }
    text
}

/// A line about what is to be known.
const fn remark(remark: Remark) -> &'static str {
    match remark {
        Remark::RootAttributesUnseen => {
            "Attributes that only root may see (trusted.*) are not in it: run BitDust as root to \
             keep them.\n"
        }
    }
}

fn figures(report: &JobReport, words: &JobWords, object: &ReportObject) -> String {
    let took = elapsed(Duration::from_millis(object.took_millis));
    if let Some(verified) = &report.verified {
        let mut text = format!(
            "{}: {} ({}) in {took}. {} the same as here",
            words.done,
            count(verified.files, "file", "files"),
            ByteCount(verified.bytes),
            verified.equal,
        );
        if verified.changed_here > 0 {
            write!(
                text,
                ", {} whole but changed here since",
                verified.changed_here
            )
            .expect("writing to a string cannot fail");
        }
        if verified.failed > 0 {
            write!(text, ", {} could not be had", verified.failed)
                .expect("writing to a string cannot fail");
        }
        text.push_str(".\n");
        return text;
    }
    let files = count(report.progress.files_done, "file", "files");
    let mut text = format!(
        "{}: {files} ({}) in {took}.",
        words.done, report.progress.bytes_done
    );
    if report.new_bytes > 0 {
        write!(
            text,
            " New: {}, {} after compression.",
            ByteCount(report.new_bytes),
            ByteCount(report.packed_bytes)
        )
        .expect("writing to a string cannot fail");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: JobWords = JobWords {
        title: "Backing up",
        done: "Backed up",
        missed: "protected",
        safe: "What was stored before is as safe as it was.",
        advice: "Try again.",
    };

    fn report(outcome: JobOutcome) -> JobReport {
        JobReport {
            outcome,
            progress: Progress::default(),
            snapshots: vec![],
            problems: vec![],
            problems_unlisted: 0,
            remarks: vec![],
            new_bytes: 0,
            packed_bytes: 0,
            error: None,
            message: None,
            verified: None,
            protection: None,
            owed: vec![],
        }
    }

    fn end(report: &JobReport) -> (Result<Exit, Failure>, String) {
        let object = report_object(report, Duration::from_secs(12));
        (
            report_exit(report, &WORDS, &object),
            report_text(report, &WORDS, &object),
        )
    }

    #[test]
    fn a_whole_job_ends_with_done() {
        let (exit, text) = end(&report(JobOutcome::Complete));
        assert_eq!(exit.expect("it is done"), Exit::Done);
        assert_eq!(text, "Backed up: 0 files (0 B) in 12 s.\n");
    }

    #[test]
    fn a_backup_that_is_not_safe_yet_is_incomplete() {
        let mut whole = report(JobOutcome::Complete);
        whole.protection = Some(Protection::Safe);
        assert_eq!(end(&whole).0.expect("it is done"), Exit::Done);
        whole.protection = Some(Protection::Stored {
            confirmed: 2,
            needed: 3,
        });
        assert_eq!(end(&whole).0.expect("it is done"), Exit::Incomplete);
    }

    #[test]
    fn what_is_to_be_known_is_said_and_makes_nothing_incomplete() {
        let mut odd = report(JobOutcome::Complete);
        odd.remarks.push(Remark::RootAttributesUnseen);
        let (exit, text) = end(&odd);
        assert_eq!(exit.expect("it is done"), Exit::Done);
        assert!(text.contains("trusted.*"), "{text}");
    }

    #[test]
    fn things_that_were_missed_are_listed_escaped_one_a_line() {
        let mut partial = report(JobOutcome::Partial);
        partial.problems.push(Problem {
            path: b"/home/a/caf\xe9\n".to_vec(),
            code: ErrorCode::Unreadable,
            detail: "It cannot be read.".to_owned(),
        });
        partial.problems_unlisted = 2;
        let (exit, text) = end(&partial);
        assert_eq!(
            exit.expect("it is done but for three things"),
            Exit::Incomplete
        );
        assert!(text.contains("3 things could not be protected."), "{text}");
        assert!(
            text.contains("\n  /home/a/caf\\xe9\\n: It cannot be read.\n  and 2 more\n"),
            "{text}"
        );
    }

    #[test]
    fn a_job_called_complete_with_problems_is_not_taken_for_whole() {
        let mut odd = report(JobOutcome::Complete);
        odd.problems_unlisted = 1;
        assert_eq!(end(&odd).0.expect("it is done"), Exit::Incomplete);
    }

    #[test]
    fn a_test_restore_that_missed_files_is_incomplete() {
        let mut verify = report(JobOutcome::Complete);
        verify.verified = Some(VerifyView {
            files: 10,
            bytes: 1_000,
            equal: 8,
            changed_here: 1,
            failed: 1,
        });
        let (exit, text) = end(&verify);
        assert_eq!(exit.expect("it is done"), Exit::Incomplete);
        assert!(
            text.contains(
                "8 the same as here, 1 whole but changed here since, 1 could not be had."
            ),
            "{text}"
        );
    }

    #[test]
    fn a_job_that_failed_gives_the_reason_and_its_report() {
        let mut failed = report(JobOutcome::Failed);
        failed.error = Some(ErrorCode::TooFewSuppliers);
        failed.message = Some("No supplier can be reached.".to_owned());
        let failure = end(&failed).0.expect_err("it failed");
        assert_eq!(failure.code, ErrorCode::TooFewSuppliers);
        assert_eq!(failure.message, "No supplier can be reached.");
        assert_eq!(failure.report.expect("a report")["outcome"], "failed");
    }

    #[test]
    fn a_job_that_was_stopped_without_a_word_says_what_is_safe() {
        let failure = end(&report(JobOutcome::Cancelled))
            .0
            .expect_err("it was stopped");
        assert_eq!(failure.code, ErrorCode::Cancelled);
        assert_eq!(
            failure.message,
            "It was stopped. What was stored before is as safe as it was."
        );
    }

    #[test]
    fn a_report_survives_its_json() {
        let object = report_object(&report(JobOutcome::Partial), Duration::from_secs(1));
        let text = serde_json::to_string(&object).expect("it serialises");
        assert_eq!(
            serde_json::from_str::<ReportObject>(&text).expect("it parses"),
            object
        );
    }
}
