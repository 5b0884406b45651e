//! The clock of the engine, which counts the time that the machine sleeps.
//!
//! What suppliers proved ages while the lid is closed, so the engine's ticks must go on. Timers of
//! the system stand still meanwhile: the loop looks at this clock at each step, and naps only shortly.
//! A machine whose host sleeps knows nothing of it but that its wall clock is set forward afterwards.
//! So a leap forward counts as time that passed: it may not have, but what is not known to be fresh is
//! stale. A leap back takes nothing away.

use std::time::{Duration, Instant};

use bitdust_model::intervals::SLEPT_AFTER;
use bitdust_model::{Tick, UnixMillis};

use crate::shared::context::wall_clock;

/// A clock that begins with the engine.
pub(crate) struct Clock {
    read: fn() -> Reading,
    /// Time since the system was started, sleep included, when the clock began.
    began: Duration,
    /// By how much the wall clock leapt forward since.
    leapt: Duration,
    /// All clocks at the last look.
    seen: Reading,
}

/// What the clocks of the system show at one moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Time since the system was started, sleep included.
    since_boot: Duration,
    /// A clock that stands still in sleep.
    steady: Instant,
    wall: UnixMillis,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        let seen = read();
        Self {
            read,
            began: seen.since_boot,
            leapt: Duration::ZERO,
            seen,
        }
    }

    /// Time since the clock began.
    pub(crate) fn now(&self) -> Tick {
        let since_boot = (self.read)().since_boot;
        Tick(0) + since_boot.saturating_sub(self.began) + self.leapt
    }

    /// When a timer must fire for a tick, if the machine does not sleep until then.
    pub(crate) fn instant_of(&self, tick: Tick) -> Instant {
        Instant::now() + tick.since(self.now())
    }

    /// Whether time passed since the last look in which this program could not run.
    pub(crate) fn has_slept(&mut self) -> bool {
        let now = (self.read)();
        let before = std::mem::replace(&mut self.seen, now);
        let passed = now.since_boot.saturating_sub(before.since_boot);
        let by_wall = Duration::from_millis(now.wall.0.saturating_sub(before.wall.0));
        let leapt = by_wall.saturating_sub(passed);
        if leapt > SLEPT_AFTER {
            self.leapt = self.leapt.saturating_add(leapt);
        }
        let ran = now.steady.duration_since(before.steady);
        leapt > SLEPT_AFTER || passed.saturating_sub(ran) > SLEPT_AFTER
    }
}

fn read() -> Reading {
    Reading {
        since_boot: since_boot(),
        steady: Instant::now(),
        wall: wall_clock(),
    }
}

/// Time since the system was started, sleep included.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    // By the C library, not by the kernel itself: tests put a clock of theirs in between.
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    time.map(Duration::from).unwrap_or_default()
}

/// Where no clock is known that counts sleep and cannot be set, the wall clock serves: it is wrong
/// at most by what a person sets it.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    Duration::from_millis(wall_clock().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const HOUR_MS: u64 = 3_600_000;

    /// An hour in which the program did not run, and all clocks that count it say so.
    fn after_sleep() -> Reading {
        let now = read();
        Reading {
            since_boot: now.since_boot + HOUR,
            wall: UnixMillis(now.wall.0 + HOUR_MS),
            ..now
        }
    }

    /// The wall clock alone is an hour ahead.
    fn set_forward() -> Reading {
        let now = read();
        let wall = UnixMillis(now.wall.0 + HOUR_MS);
        Reading { wall, ..now }
    }

    /// The wall clock alone is an hour behind.
    fn set_back() -> Reading {
        let now = read();
        let wall = UnixMillis(now.wall.0.saturating_sub(HOUR_MS));
        Reading { wall, ..now }
    }

    fn then(read: fn() -> Reading) -> Clock {
        Clock {
            read,
            ..Clock::start()
        }
    }

    #[test]
    fn a_sleep_is_told_from_waking_hours_and_told_once() {
        let mut clock = Clock::start();
        assert!(!clock.has_slept());
        let mut clock = then(after_sleep);
        assert!(clock.has_slept());
        assert!(!clock.has_slept());
        assert!(clock.now() < Tick(0) + 2 * HOUR, "and counted once");
    }

    #[test]
    fn ticks_go_on_in_sleep() {
        let clock = then(after_sleep);
        assert!(clock.now() >= Tick(0) + HOUR, "{:?}", clock.now());
    }

    #[test]
    fn a_wall_clock_that_leaps_forward_counts_as_sleep() {
        let mut clock = then(set_forward);
        assert!(clock.has_slept());
        assert!(!clock.has_slept());
        // Wall clocks are read in whole milliseconds.
        let now = clock.now() + Duration::from_millis(2);
        assert!(now >= Tick(0) + HOUR, "{now:?}");
    }

    #[test]
    fn a_wall_clock_that_is_set_back_takes_no_time_away() {
        let mut clock = then(set_back);
        assert!(!clock.has_slept());
        clock.read = read;
        assert!(clock.has_slept(), "forward again may have been a sleep");
        let before = clock.now();
        clock.read = set_back;
        assert!(!clock.has_slept());
        assert!(clock.now() >= before);
    }

    #[test]
    fn a_timer_fires_when_its_tick_has_come_and_at_once_where_it_has_passed() {
        let clock = then(after_sleep);
        let before = Instant::now();
        assert!(clock.instant_of(Tick(5)) <= Instant::now());
        let later = clock.instant_of(clock.now() + HOUR);
        assert!(later > before && later <= Instant::now() + HOUR);
    }
}
