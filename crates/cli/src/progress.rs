//! Shows how a job goes: a bar on a terminal, plain lines in a pipe, JSON lines for machines.

use std::time::{Duration, Instant};

use bitdust_api::Event;
use bitdust_api::view::JobPhase;
use bitdust_model::intervals::{PLAIN_LINE_EVERY, SPINNER_EVERY};
use bitdust_model::status::Progress;
use bitdust_model::{ByteCount, Severity};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::escape::escaped;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{count, remaining};

/// Shows one job from its start to its end. Dropping it removes the bar.
#[derive(Debug)]
pub(crate) struct JobDisplay {
    output: Output,
    title: &'static str,
    bar: Option<ProgressBar>,
    /// Whether it shows a share.
    is_measured: bool,
    started: Instant,
    lined_at: Option<Instant>,
}

impl JobDisplay {
    /// Starts to show a job, called `title` in lines, such as `Backing up`.
    pub(crate) fn start(output: Output, title: &'static str) -> Self {
        let bar = output.may_draw().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            bar.set_style(style(false));
            bar.enable_steady_tick(SPINNER_EVERY);
            bar.set_message(title);
            bar
        });
        if bar.is_none() {
            output.note(&format!("{title} ..."));
        }
        let now = Instant::now();
        Self {
            output,
            title,
            bar,
            is_measured: false,
            started: now,
            lined_at: Some(now),
        }
    }

    /// How long the job has been going.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows an event of the job, or a line of the history while it goes.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Progress {
                job: _,
                doing,
                progress,
                phase,
                bytes_per_second,
                remaining_seconds,
            } => {
                if self.output.is_json() {
                    return self.output.object(event);
                }
                let left = remaining_seconds.map(Duration::from_secs);
                let figures = figures(progress, doing, phase, *bytes_per_second, left);
                // What has an end yet to come is never shown as full.
                let is_measured =
                    !has_only_files_done(doing) && progress.bytes_done < progress.bytes_total;
                self.progress(progress, is_measured, &figures);
            }
            Event::Notice { line } => {
                if self.output.is_json() {
                    return self.output.object(event);
                }
                match line.severity {
                    Severity::Note => {}
                    Severity::Warning | Severity::Problem => self.note(&line.message),
                }
            }
            // For front ends that show all of it all the time.
            Event::Status { status: _ } => {}
            // The end is told as the result.
            Event::Ended { job: _, report: _ } => {}
        }
        Ok(())
    }

    /// A sentence between, without tearing the bar.
    pub(crate) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.note(text)),
            None => self.output.note(text),
        }
    }

    /// Removes the bar; the result follows.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn progress(&mut self, progress: &Progress, is_measured: bool, figures: &str) {
        if let Some(bar) = &self.bar {
            if self.is_measured != is_measured {
                self.is_measured = is_measured;
                bar.set_style(style(is_measured));
            }
            bar.set_length(progress.bytes_total.0);
            bar.set_position(progress.bytes_done.0.min(progress.bytes_total.0));
            bar.set_message(figures.to_owned());
            return;
        }
        if self
            .lined_at
            .is_none_or(|at| at.elapsed() >= PLAIN_LINE_EVERY)
        {
            self.lined_at = Some(Instant::now());
            self.output.note(&format!("{}: {figures}", self.title));
        }
    }
}

impl Drop for JobDisplay {
    fn drop(&mut self) {
        self.finish();
    }
}

/// With a bar where it is known how much is left.
fn style(is_measured: bool) -> ProgressStyle {
    let template = if is_measured {
        "{spinner} [{bar:12}] {wide_msg}"
    } else {
        "{spinner} {wide_msg}"
    };
    ProgressStyle::with_template(template)
        .expect("the templates are constants that a test has drawn")
        .progress_chars("=> ")
        .tick_chars("|/-\\ ")
}

/// Whether all files are read or written and the job goes on with something of unknown size.
const fn has_only_files_done(doing: &JobPhase) -> bool {
    match doing {
        JobPhase::Sending
        | JobPhase::WaitingForConfirmations { .. }
        | JobPhase::WritingLists
        | JobPhase::Publishing => true,
        JobPhase::Waiting
        | JobPhase::WaitingForSuppliers { .. }
        | JobPhase::Reading
        | JobPhase::WaitingForSpool
        | JobPhase::WaitingForDisk
        | JobPhase::WaitingForSupplier { .. }
        | JobPhase::Seeking
        | JobPhase::AskingHeads
        | JobPhase::LoadingLists
        | JobPhase::Fetching
        | JobPhase::WaitingForPieces => false,
    }
}

/// What is shown beside the bar and in plain lines.
fn figures(
    progress: &Progress,
    doing: &JobPhase,
    phase: &str,
    speed: Option<u64>,
    left: Option<Duration>,
) -> String {
    let mut parts = vec![];
    if progress.files_total > progress.files_done {
        parts.push(format!(
            "{} of {}",
            progress.files_done,
            count(progress.files_total, "file", "files")
        ));
    } else {
        parts.push(count(progress.files_done, "file", "files"));
    }
    if progress.bytes_total > progress.bytes_done {
        parts.push(format!(
            "{} of {}",
            progress.bytes_done, progress.bytes_total
        ));
    } else {
        parts.push(progress.bytes_done.to_string());
    }
    if has_only_files_done(doing) && progress.bytes_moved > ByteCount(0) {
        parts.push(format!("{} sent", progress.bytes_moved));
    }
    if let Some(speed) = speed.filter(|speed| *speed > 0) {
        parts.push(format!("{}/s", ByteCount(speed)));
    }
    if let Some(left) = left {
        parts.push(remaining(left));
    }
    if !phase.is_empty() {
        parts.push(escaped(phase));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half_way() -> Progress {
        Progress {
            files_done: 12,
            files_total: 40,
            bytes_done: ByteCount(5_000_000),
            bytes_total: ByteCount(10_000_000),
            bytes_moved: ByteCount(2_000_000),
        }
    }

    #[test]
    fn figures_are_told_as_far_as_they_are_known() {
        let check = |speed: Option<u64>, left: Option<u64>, phase: &str, shown: &str| {
            assert_eq!(
                figures(
                    &half_way(),
                    &JobPhase::Reading,
                    phase,
                    speed,
                    left.map(Duration::from_secs)
                ),
                shown
            );
        };
        check(None, None, "", "12 of 40 files, 5.0 MB of 10 MB");
        check(
            Some(0),
            None,
            "waiting for suppliers",
            "12 of 40 files, 5.0 MB of 10 MB, waiting for suppliers",
        );
        check(
            Some(1_000_000),
            Some(5),
            "reading",
            "12 of 40 files, 5.0 MB of 10 MB, 1.0 MB/s, a few seconds left, reading",
        );
    }

    #[test]
    fn a_phase_cannot_move_the_cursor() {
        let shown = figures(&half_way(), &JobPhase::Reading, "\u{1b}[2J\r", None, None);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }

    #[test]
    fn what_was_sent_is_told_once_all_is_read() {
        let read = Progress {
            files_done: 40,
            files_total: 40,
            bytes_done: ByteCount(10_000_000),
            bytes_total: ByteCount(10_000_000),
            bytes_moved: ByteCount(2_000_000),
        };
        let shown = figures(&read, &JobPhase::Sending, "sending the rest", None, None);
        assert_eq!(shown, "40 files, 10 MB, 2.0 MB sent, sending the rest");
    }

    #[test]
    fn a_bar_is_drawn_only_where_a_share_is_known() {
        let waits = JobPhase::WaitingForConfirmations {
            confirmed: 3,
            need: 5,
            away: vec![],
        };
        for doing in [
            waits,
            JobPhase::Sending,
            JobPhase::WritingLists,
            JobPhase::Publishing,
        ] {
            assert!(has_only_files_done(&doing), "{doing:?}");
        }
        assert!(!has_only_files_done(&JobPhase::Reading));
        assert!(!has_only_files_done(&JobPhase::Fetching));
    }

    #[test]
    fn the_bar_can_be_drawn() {
        let bar = ProgressBar::with_draw_target(Some(10), ProgressDrawTarget::hidden());
        for is_measured in [true, false] {
            bar.set_style(style(is_measured));
            bar.set_position(5);
            bar.tick();
            assert_eq!(bar.position(), 5);
        }
    }
}
