//! How fast a job goes, and how long it will take if that can be said.
//!
//! Invariant: a remaining time is told only when the speed was measured over some seconds
//! and the end is known; a guess is worse than nothing.

use std::collections::VecDeque;
use std::time::Duration;

use bitdust_model::intervals::{SPEED_TOLD_AFTER, SPEED_WINDOW, TOTAL_KNOWN_AFTER};

/// Samples kept: four a second over the window.
const SAMPLES_MAX: usize = 80;

/// Speed of a job over the last seconds. Time is counted from the job's start by the caller.
#[derive(Debug)]
pub(crate) struct Rate {
    samples: VecDeque<(Duration, u64)>,
    total: u64,
    total_changed_at: Duration,
}

impl Rate {
    /// A job that begins. What it does before anybody looks counts too.
    pub(crate) fn new() -> Self {
        Self {
            samples: VecDeque::from([(Duration::ZERO, 0)]),
            total: 0,
            total_changed_at: Duration::ZERO,
        }
    }

    /// Takes in how far the job is at a moment. Moments do not go back.
    pub(crate) fn observe(&mut self, at: Duration, done: u64, total: u64) {
        if total != self.total {
            self.total = total;
            self.total_changed_at = at;
        }
        self.samples.push_back((at, done));
        let is_old = |sample: &(Duration, u64)| at.saturating_sub(sample.0) > SPEED_WINDOW;
        while self.samples.len() > SAMPLES_MAX || self.samples.front().is_some_and(is_old) {
            self.samples.pop_front();
        }
    }

    /// Bytes a second over the window; none before it was measured long enough.
    pub(crate) fn bytes_per_second(&self) -> Option<u64> {
        let (first_at, first_done) = self.samples.front()?;
        let (last_at, last_done) = self.samples.back()?;
        let span = last_at.saturating_sub(*first_at);
        if span < SPEED_TOLD_AFTER {
            return None;
        }
        let millis = span.as_millis();
        let bytes = u128::from(last_done.saturating_sub(*first_done));
        u64::try_from(bytes * 1000 / millis).ok()
    }

    /// How long the rest will take at this speed; none where the end is not known yet or
    /// nothing moves.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let (now, done) = self.samples.back()?;
        let is_settled = now.saturating_sub(self.total_changed_at) >= TOTAL_KNOWN_AFTER;
        let left = self.total.checked_sub(*done).filter(|left| *left > 0)?;
        let speed = self.bytes_per_second().filter(|speed| *speed > 0)?;
        is_settled.then(|| Duration::from_secs(left.div_ceil(speed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn after(seconds: u64, done_per_second: u64, total: u64) -> Rate {
        let mut rate = Rate::new();
        for quarter in 0..=seconds * 4 {
            rate.observe(
                Duration::from_millis(quarter * 250),
                quarter * done_per_second / 4,
                total,
            );
        }
        rate
    }

    #[test]
    fn nothing_is_told_before_it_was_measured() {
        let rate = after(2, MB, 100 * MB);
        assert_eq!((rate.bytes_per_second(), rate.remaining()), (None, None));
    }

    #[test]
    fn what_was_done_before_anybody_looked_counts() {
        let mut rate = Rate::new();
        for second in 1..=4 {
            rate.observe(Duration::from_secs(second), 40 * MB, 100 * MB);
        }
        assert_eq!(rate.bytes_per_second(), Some(10 * MB));
        assert_eq!(rate.remaining(), Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_steady_job_is_told_when_it_will_be_done() {
        let rate = after(10, MB, 100 * MB);
        assert_eq!(rate.bytes_per_second(), Some(MB));
        assert_eq!(rate.remaining(), Some(Duration::from_secs(90)));
    }

    #[test]
    fn no_end_is_told_while_the_total_grows() {
        let mut rate = after(10, MB, 100 * MB);
        rate.observe(Duration::from_secs(11), 11 * MB, 200 * MB);
        assert_eq!(rate.remaining(), None);
        rate.observe(Duration::from_secs(14), 14 * MB, 200 * MB);
        assert_eq!(rate.remaining(), Some(Duration::from_secs(186)));
    }

    #[test]
    fn a_job_that_stands_still_has_no_end() {
        let mut rate = after(10, MB, 100 * MB);
        for second in 11..=40 {
            rate.observe(Duration::from_secs(second), 10 * MB, 100 * MB);
        }
        assert_eq!(rate.bytes_per_second(), Some(0));
        assert_eq!(rate.remaining(), None);
    }

    #[test]
    fn a_job_that_is_done_or_beyond_its_total_has_nothing_left() {
        assert_eq!(after(10, MB, 10 * MB).remaining(), None);
        assert_eq!(after(10, MB, MB).remaining(), None);
    }

    #[test]
    fn memory_stays_bounded_however_often_it_is_told() {
        let mut rate = Rate::new();
        for millis in 0..100_000 {
            rate.observe(Duration::from_millis(millis), millis, MB);
        }
        assert!(rate.samples.len() <= SAMPLES_MAX);
    }
}
