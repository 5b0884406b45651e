//! The clock of the engine, which counts the time that the machine sleeps.
//!
//! What suppliers proved ages while the lid is closed, so the engine's ticks must go on. Timers of
//! the system stand still meanwhile: the loop wakes now and then to see what has become due.

use std::time::{Duration, Instant};

use bitdust_model::Tick;
use bitdust_model::intervals::SLEPT_AFTER;

/// A clock that begins with the engine.
pub(crate) struct Clock {
    read: fn() -> Duration,
    /// Time since the system was started, sleep included, when the clock began.
    began: Duration,
    /// The same clock and one that stands still in sleep, at the last question.
    asked: (Duration, Instant),
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        let now = since_boot();
        Self {
            read: since_boot,
            began: now,
            asked: (now, Instant::now()),
        }
    }

    /// Time since the clock began.
    pub(crate) fn now(&self) -> Tick {
        Tick(0) + (self.read)().saturating_sub(self.began)
    }

    /// When a timer must fire for a tick, if the machine does not sleep until then.
    pub(crate) fn instant_of(&self, tick: Tick) -> Instant {
        Instant::now() + tick.since(self.now())
    }

    /// Whether the machine slept since the last question. A wall clock that is set is no sleep.
    pub(crate) fn has_slept(&mut self) -> bool {
        let now = ((self.read)(), Instant::now());
        let (counted, steady) = std::mem::replace(&mut self.asked, now);
        let passed = now.0.saturating_sub(counted);
        passed.saturating_sub(now.1.duration_since(steady)) > SLEPT_AFTER
    }
}

/// Time since the system was started, sleep included.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    // Neither is ever negative.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// Where no clock is known that counts sleep and cannot be set, the wall clock serves: it is wrong
/// at most by what a person sets it.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    wall.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn an_hour_later() -> Duration {
        since_boot() + HOUR
    }

    /// A clock of a machine that slept for an hour.
    fn slept() -> Clock {
        Clock {
            read: an_hour_later,
            ..Clock::start()
        }
    }

    #[test]
    fn a_sleep_is_told_from_waking_hours_and_told_once() {
        let mut clock = Clock::start();
        assert!(!clock.has_slept());
        let mut clock = slept();
        assert!(clock.has_slept());
        assert!(!clock.has_slept());
    }

    #[test]
    fn ticks_go_on_in_sleep() {
        let clock = slept();
        assert!(clock.now() >= Tick(0) + HOUR, "{:?}", clock.now());
    }

    #[test]
    fn a_timer_fires_when_its_tick_has_come_and_at_once_where_it_has_passed() {
        let clock = slept();
        let before = Instant::now();
        assert!(clock.instant_of(Tick(5)) <= Instant::now());
        let later = clock.instant_of(clock.now() + HOUR);
        assert!(later > before && later <= Instant::now() + HOUR);
    }
}
