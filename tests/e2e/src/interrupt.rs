//! Interrupting the program at moments of its own work.
//!
//! The clock is the trace that the program writes, one line for each thing that its engine
//! is told. A moment is drawn over the measured duration of an undisturbed run, and reached
//! again when a later run has got as far: how busy the machine is shifts nothing. Whoever
//! interrupts may be late all the same, and then the work is done before: that is no
//! interruption, and it is tried again, somewhat earlier.

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
/// How often an interruption is tried that comes too late.
const TRIES: u32 = 10;
/// Moments lie in this part of the duration: behind it the work is done and told.
const PART_OF_DURATION: f64 = 0.95;

/// A job whose steps can be counted in a trace: how it is asked for, and the inputs of the
/// engine that are its work and depend on nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    asked: &'static str,
    work: &'static [&'static str],
}

/// Receipts that came together are one input and as many steps.
const RECEIPTS: &str = "ShardsStored";

/// A backup while all suppliers are there.
pub const BACKUP: Job = Job {
    asked: "BackupAsked",
    work: &[
        "PackSealed",
        RECEIPTS,
        "PackCommitted",
        "ScanFinished",
        "MetadataSealed",
        "HeadKept",
    ],
};

/// A restore while all suppliers are there.
pub const RESTORE: Job = Job {
    asked: "RestoreAsked",
    work: &["FetchWanted", "RangeFetched", "FetchDecoded"],
};

/// What a line of a trace is to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Asked,
    Work(usize),
    Other,
}

impl Job {
    fn step(self, line: &Value) -> Step {
        let input = |name: &&str| line["input"].get(name);
        if input(&self.asked).is_some() {
            return Step::Asked;
        }
        let work = self
            .work
            .iter()
            .find_map(|name| Some((*name, input(name)?)));
        match work {
            Some((RECEIPTS, input)) => {
                let receipts = input["receipts"].as_array();
                Step::Work(receipts.map_or(0, Vec::len))
            }
            Some(_) => Step::Work(1),
            None => Step::Other,
        }
    }
}

/// An undisturbed run: when each step of it came.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Milliseconds since the job was asked for, one for each step.
    steps: Vec<u64>,
    took: Duration,
}

impl Measured {
    /// Reads the last job of its kind that a trace holds to its end.
    pub fn read(trace: &Path, job: Job) -> Result<Self> {
        let text = std::fs::read_to_string(trace)?;
        let mut steps = vec![];
        let mut asked_at = None;
        let mut took = None;
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).context("a line of the trace")?;
            let at = line["at"].as_u64().context("no time in the trace")?;
            let step = job.step(&line);
            if step == Step::Asked {
                (asked_at, took) = (Some(at), None);
                steps.clear();
            }
            let (Some(asked_at), None) = (asked_at, took) else {
                continue;
            };
            let count = match step {
                Step::Asked => 1,
                Step::Work(count) => count,
                Step::Other => 0,
            };
            steps.extend(std::iter::repeat_n(at - asked_at, count));
            let outputs = line["outputs"]
                .as_array()
                .context("no outputs in the trace")?;
            if outputs
                .iter()
                .any(|output| output.get("JobEnded").is_some())
            {
                took = Some(Duration::from_millis(at - asked_at));
            }
        }
        let took = took.with_context(|| format!("the trace holds no {} that ended", job.asked))?;
        Ok(Self { steps, took })
    }

    /// How long it took.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
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

    /// The step that was reached after a part of the duration. It is never the last: then there is
    /// nothing left to interrupt.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a few seconds"
    )]
    pub fn step_at(&self, part: f64) -> usize {
        let at = (self.took().as_millis() as f64 * part) as u64;
        let step = self.steps.partition_point(|step| *step <= at);
        step.min(self.steps.len().saturating_sub(1))
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

/// Waits until the job that is asked for in a growing trace has got to a step. False when
/// `is_over` says so first: then there was nothing left to interrupt.
pub fn wait_for_step(
    trace: &mut TraceReader,
    job: Job,
    step: usize,
    mut is_over: impl FnMut() -> Result<bool>,
) -> Result<bool> {
    let started = Instant::now();
    // Nothing is ever sent: the channel is a clock.
    let (_never, clock) = sync_channel::<()>(1);
    let mut reached = None;
    loop {
        for line in trace.new_lines()? {
            let line = serde_json::from_str(&line).context("a line of the trace")?;
            match job.step(&line) {
                Step::Asked => reached = Some(1),
                Step::Work(count) => reached = reached.map(|reached| reached + count),
                Step::Other => {}
            }
        }
        if reached >= Some(step) {
            return Ok(true);
        }
        if is_over()? {
            return Ok(false);
        }
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

/// Interrupts work until an interruption comes in time: `attempt` gives nothing where the work
/// was done before. A machine that is too busy for a moment is so for the same moment again, so
/// that each attempt is given an earlier one, the first the drawn one. Gives the moment as well.
pub fn until_in_time<T>(
    drawn: f64,
    mut attempt: impl FnMut(f64) -> Result<Option<T>>,
) -> Result<(f64, T)> {
    for late in 0..TRIES {
        let moment = drawn * f64::from(TRIES - late) / f64::from(TRIES);
        if let Some(found) = attempt(moment)? {
            return Ok((moment, found));
        }
        eprintln!("it came too late at {:.0} %", moment * 100.0);
    }
    bail!("{TRIES} interruptions came too late");
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
    fn an_interruption_that_is_late_is_tried_again_earlier() -> Result<()> {
        let mut tried = vec![];
        let (moment, third) = until_in_time(0.5, |moment| {
            tried.push(moment);
            Ok((tried.len() == 3).then_some(moment.to_bits()))
        })?;
        assert_eq!(tried[0].to_bits(), 0.5_f64.to_bits(), "the drawn one first");
        assert!(tried.is_sorted_by(|one, next| one > next), "{tried:?}");
        assert_eq!(moment.to_bits(), third);
        assert!(until_in_time(0.5, |_| Ok(None::<()>)).is_err());
        Ok(())
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
        let first = [
            line(5, "BackupAsked", "X"),
            line(9, "PackCommitted", "JobEnded"),
        ];
        let second = [
            line(20, "BackupAsked", "X"),
            line(25, "Wake", "X"),
            line(30, "PackSealed", "SendShard"),
            line(40, "ShardsStored", "X").replace(":1}", ":{\"receipts\":[1,1]}}"),
            line(60, "HeadKept", "JobEnded"),
            line(99, "PackCommitted", "X"),
        ];
        std::fs::write(&trace, first.concat())?;
        let mut reader = TraceReader::open_at_end(&trace)?;
        let mut file = File::options().append(true).open(&trace)?;
        file.write_all(second[..5].concat().as_bytes())?;
        let measured = Measured::read(&trace, BACKUP)?;
        assert_eq!(
            (&measured.steps[..], measured.took().as_millis()),
            (&[0, 10, 20, 20, 40][..], 40)
        );
        let steps = [0.0, 0.25, 0.5, 0.95].map(|part| measured.step_at(part));
        assert_eq!(steps, [1, 2, 4, 4]);
        assert_eq!(measured.step_at(1.0), 4, "the last is no moment");
        assert!(
            Measured::read(&trace, RESTORE).is_err(),
            "no restore was asked for"
        );

        assert!(wait_for_step(&mut reader, BACKUP, 5, || Ok(true))?);
        file.write_all(second[5].as_bytes())?;
        let is_in_time = wait_for_step(&mut reader, BACKUP, 2, || Ok(true))?;
        assert!(!is_in_time, "the job of these steps was asked for before");
        Ok(())
    }
}
