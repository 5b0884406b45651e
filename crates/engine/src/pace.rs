//! How fast peers answer fetches, and who was late.
//!
//! Twice the 95th percentile of the last answers, of all peers together, is the time after which
//! an answer is late. It follows what the lines can do: where they are slow, answers take long, and
//! then nothing is late that only takes its share. Who is late is asked last, until it answers in
//! time or a while has passed. It knows no fetches.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bitdust_model::limits::{ANSWERS_FEW, ANSWERS_TIMED_MAX};
use bitdust_model::{DeviceId, Policy, Tick};

/// The last answers, and the late.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// What the last answers took, the oldest first.
    took: VecDeque<Duration>,
    /// Who was late, and until when that counts; all of them are connected.
    late: BTreeMap<DeviceId, Tick>,
}

impl Pace {
    /// An answer came.
    pub(crate) fn answered(&mut self, device: DeviceId, took: Duration, policy: &Policy) {
        if took <= self.late_after(policy) {
            self.late.remove(&device);
        }
        if self.took.len() >= ANSWERS_TIMED_MAX {
            self.took.pop_front();
        }
        self.took.push_back(took);
    }

    /// A peer that is connected was late, or failed.
    pub(crate) fn was_late(&mut self, device: DeviceId, now: Tick, policy: &Policy) {
        self.late.insert(device, now + policy.late_for);
    }

    /// A peer is gone: when it comes back it is asked like any other.
    pub(crate) fn gone(&mut self, device: DeviceId) {
        self.late.remove(&device);
    }

    /// The machine slept: what answers took and who was late says nothing any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// After which time an answer is late.
    pub(crate) fn late_after(&self, policy: &Policy) -> Duration {
        let mut took: Vec<_> = self.took.iter().copied().collect();
        took.sort_unstable();
        let rank = (took.len() * 95).div_ceil(100).saturating_sub(1);
        let most = took.get(rank).copied().unwrap_or_default();
        let least = if took.len() < ANSWERS_FEW {
            policy.late_first
        } else {
            policy.late_min
        };
        // A request that is waited for longer than that fails by itself.
        let longest = policy.stall_timeout.max(least);
        most.saturating_mul(2).clamp(least, longest)
    }

    /// Who is asked last.
    pub(crate) fn late(&self, now: Tick) -> BTreeSet<DeviceId> {
        let late = self.late.iter().filter(|(_, until)| now < **until);
        late.map(|(device, _)| *device).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: DeviceId = DeviceId([1; 32]);
    const TWO: DeviceId = DeviceId([2; 32]);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn pace(answers: impl IntoIterator<Item = u64>) -> (Pace, Policy) {
        let (mut pace, policy) = (Pace::default(), Policy::default());
        for took in answers {
            pace.answered(ONE, millis(took), &policy);
        }
        (pace, policy)
    }

    fn check(answers: impl IntoIterator<Item = u64>, late_after: u64) {
        let (pace, policy) = pace(answers);
        assert_eq!(pace.late_after(&policy), millis(late_after));
    }

    #[test]
    fn what_is_late_follows_what_answers_take() {
        check([], 700);
        check([20; 3], 700);
        check([700; 3], 1_400);
        check([20; 4], 250);
        check([20, 20, 20, 300], 600);
        check([400; 100], 800);
        check(
            (0..100).map(|at| if at % 25 == 0 { 9_000 } else { 200 }),
            400,
        );
        check(
            (0..100).map(|at| if at % 10 == 0 { 9_000 } else { 200 }),
            18_000,
        );
        check([50_000; 3], 60_000);
    }

    /// On a line on which everything is slow nothing is late for long.
    #[test]
    fn slow_answers_take_the_place_of_fast_ones() {
        check([20; 64].into_iter().chain([12_000; 4]), 24_000);
        check([12_000; 64].into_iter().chain([20; 64]), 250);
        let (pace, _) = pace([20; 1_000]);
        assert_eq!(pace.took.len(), ANSWERS_TIMED_MAX);
    }

    #[test]
    fn late_is_who_does_not_answer_in_time_for_a_while() {
        let (mut pace, policy) = pace([]);
        let now = Tick(5);
        pace.was_late(ONE, now, &policy);
        pace.was_late(TWO, now, &policy);
        assert_eq!(pace.late(now), BTreeSet::from([ONE, TWO]));
        pace.answered(ONE, millis(701), &policy);
        assert_eq!(pace.late(now), BTreeSet::from([ONE, TWO]), "late again");
        pace.answered(ONE, millis(700), &policy);
        assert_eq!(pace.late(now), BTreeSet::from([TWO]));
        assert_eq!(pace.late(now + policy.late_for), BTreeSet::new());
        pace.gone(TWO);
        assert_eq!(pace.late(now), BTreeSet::new());
    }
}
