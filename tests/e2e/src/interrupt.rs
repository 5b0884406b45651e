//! Interrupting the program at moments of its own work.
//!
//! The clock is the trace that the program writes, one line for each thing that its engine
//! is told. A moment is drawn over the measured duration of an undisturbed run, and reached
//! again when a later run has got as far: how busy the machine is shifts nothing.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::corpus::Random;

/// Time between two looks at the trace.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long a run may take to get to a moment.
const REACHED_WITHIN: Duration = Duration::from_secs(120);
/// Moments lie in this part of the duration: behind it the work is done and told.
const PART_OF_DURATION: f64 = 0.97;

/// An undisturbed run: when each step of it came.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Milliseconds since the job was asked for, one for each step.
    steps: Vec<u64>,
}

impl Measured {
    /// Reads the last job that a trace holds from `asked` (`BackupAsked`, `RestoreAsked`) to
    /// its end.
    pub fn read(trace: &Path, asked: &str) -> Result<Self> {
        let text = std::fs::read_to_string(trace)?;
        let mut steps = vec![];
        let mut asked_at = None;
        let mut is_over = false;
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).context("a line of the trace")?;
            let at = line["at"].as_u64().context("no time in the trace")?;
            if line["input"].get(asked).is_some() {
                (asked_at, is_over) = (Some(at), false);
                steps.clear();
            }
            if let (Some(asked_at), false) = (asked_at, is_over) {
                steps.push(at - asked_at);
                let outputs = line["outputs"]
                    .as_array()
                    .context("no outputs in the trace")?;
                is_over = outputs
                    .iter()
                    .any(|output| output.get("JobEnded").is_some());
            }
        }
        ensure!(is_over, "the trace holds no {asked} that ended");
        Ok(Self { steps })
    }

    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_millis(self.steps.last().copied().unwrap_or(0))
    }

    /// How many steps it had.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it had none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The step that was reached after a part of the duration.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a few seconds"
    )]
    pub fn step_at(&self, part: f64) -> usize {
        let at = (self.took().as_millis() as f64 * part) as u64;
        self.steps.partition_point(|step| *step <= at)
    }
}

/// So many moments as parts of a duration, one in each of as many equal parts of it, in any
/// order.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "a draw needs no more than 52 bits"
)]
pub fn draw_moments(random: &mut Random, count: usize) -> Vec<f64> {
    let mut unit = || (random.next() >> 12) as f64 / (1_u64 << 52) as f64;
    let mut drawn: Vec<(f64, f64)> = (0..count)
        .map(|part| {
            (
                (part as f64 + unit()) / count as f64 * PART_OF_DURATION,
                unit(),
            )
        })
        .collect();
    drawn.sort_by(|one, other| one.1.total_cmp(&other.1));
    drawn.into_iter().map(|(moment, _)| moment).collect()
}

/// Waits until the job that was `asked` for in a growing trace has got to a step. Fails when
/// `is_over` says so first: then there was nothing left to interrupt.
pub fn wait_for_step(
    trace: &mut TraceReader,
    asked: &str,
    step: usize,
    mut is_over: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let started = Instant::now();
    // Nothing is ever sent: the channel is a clock.
    let (_never, clock) = sync_channel::<()>(1);
    let mut reached = None;
    loop {
        for line in trace.new_lines()? {
            if line.contains(asked) {
                reached = Some(0);
            }
            reached = reached.map(|reached| reached + 1);
        }
        if reached >= Some(step) {
            return Ok(());
        }
        ensure!(
            !is_over()?,
            "the work was finished before step {step}; it got to {reached:?}"
        );
        ensure!(
            started.elapsed() < REACHED_WITHIN,
            "step {step} was not reached, but {reached:?}"
        );
        match clock.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => bail!("the clock broke"),
        }
    }
}

/// Reads a growing trace line by line.
#[derive(Debug)]
pub struct TraceReader {
    file: File,
    rest: Vec<u8>,
}

impl TraceReader {
    /// Opens a trace at its present end.
    pub fn open_at_end(trace: &Path) -> Result<Self> {
        let mut file = File::open(trace)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok(Self { file, rest: vec![] })
    }

    /// Opens a trace that a command that has just begun will write, at its beginning.
    pub fn open_when_there(trace: &Path) -> Result<Self> {
        crate::eventually("the trace", REACHED_WITHIN, || match File::open(trace) {
            Ok(file) => Ok(Some(Self { file, rest: vec![] })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Lines that were completed since.
    pub fn new_lines(&mut self) -> Result<Vec<String>> {
        self.file.read_to_end(&mut self.rest)?;
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(vec![]);
        };
        let complete: Vec<u8> = self.rest.drain(..=end).collect();
        Ok(String::from_utf8_lossy(&complete)
            .lines()
            .map(str::to_owned)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn moments_lie_in_every_part_of_the_duration() {
        let mut moments = draw_moments(&mut Random::new(7), 20);
        moments.sort_by(f64::total_cmp);
        for (moment, part) in moments.iter().zip([0.0, 0.05, 0.1, 0.15]) {
            assert!(*moment >= part * PART_OF_DURATION, "{moments:?}");
            assert!(*moment < (part + 0.05) * PART_OF_DURATION, "{moments:?}");
        }
        assert!(moments[19] < 1.0, "{moments:?}");
    }

    #[test]
    fn steps_are_counted_from_the_last_job_on() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let trace = folder.path().join("trace");
        let line = |at: u64, input: &str, output: &str| {
            format!(
                "{{\"at\":{at},\"input\":{{\"{input}\":1}},\"outputs\":[{{\"{output}\":1}}]}}\n"
            )
        };
        let first = [line(5, "BackupAsked", "X"), line(9, "Y", "JobEnded")].concat();
        let second = [
            line(20, "BackupAsked", "X"),
            line(30, "Y", "Z"),
            line(60, "Y", "JobEnded"),
            line(99, "Y", "Z"),
        ];
        std::fs::write(&trace, &first)?;
        let mut reader = TraceReader::open_at_end(&trace)?;
        File::options()
            .append(true)
            .open(&trace)?
            .write_all(second.concat().as_bytes())?;
        let measured = Measured::read(&trace, "BackupAsked")?;
        assert_eq!(measured.steps, [0, 10, 40]);
        assert_eq!(
            (
                measured.step_at(0.0),
                measured.step_at(0.5),
                measured.step_at(0.97)
            ),
            (1, 2, 2)
        );

        wait_for_step(&mut reader, "BackupAsked", 3, || Ok(true))?;
        assert!(
            wait_for_step(&mut reader, "BackupAsked", 1, || Ok(true)).is_err(),
            "no second job came"
        );
        Ok(())
    }
}
