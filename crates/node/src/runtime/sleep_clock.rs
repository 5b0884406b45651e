//! Whether the machine slept.

use std::time::{Instant, SystemTime};

use bitdust_model::intervals::SLEPT_AFTER;

/// Tells a sleep from the difference of two clocks: one counts it, the other does not.
pub(crate) struct SleepClock {
    steady: Instant,
    wall: SystemTime,
}

impl SleepClock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        Self {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Whether the machine slept since the last question. A wall clock that is set counts as a
    /// sleep: looking through folders once too often loses nothing.
    pub(crate) fn has_slept(&mut self) -> bool {
        let before = std::mem::replace(self, Self::start());
        let wall = self.wall.duration_since(before.wall).unwrap_or_default();
        wall.saturating_sub(self.steady.duration_since(before.steady)) > SLEPT_AFTER
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sleep_is_told_from_waking_hours() {
        let mut clock = SleepClock::start();
        assert!(!clock.has_slept());
        let hour = Duration::from_secs(3_600);
        clock.wall = SystemTime::now() - hour;
        assert!(
            clock.has_slept(),
            "an hour passed that the steady clock did not count"
        );
        assert!(!clock.has_slept(), "it is told once");
        clock.wall = SystemTime::now() + hour;
        assert!(!clock.has_slept(), "a clock that was set back is no sleep");
    }
}
