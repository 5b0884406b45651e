//! How long to wait before trying again: doubling, capped, spread by a random word.

use std::time::Duration;

/// The wait before try number `tries` + 1: `min` doubled `tries` times, at most `max`, then
/// spread over three to five quarters of that so that many waiters do not march in step.
pub(crate) fn backoff(min: Duration, max: Duration, tries: u32, jitter: u64) -> Duration {
    let factor = 1_u32.checked_shl(tries).unwrap_or(u32::MAX);
    let base = min.saturating_mul(factor).min(max);
    spread(base, jitter, 3, 5)
}

/// A regular interval, shortened by up to a quarter, so that a thing that must happen within
/// the interval does.
pub(crate) fn interval(base: Duration, jitter: u64) -> Duration {
    spread(base, jitter, 3, 4)
}

fn spread(base: Duration, jitter: u64, from_quarters: u32, to_quarters: u32) -> Duration {
    let quarter = base / 4;
    let part = u32::try_from(jitter >> 48).expect("sixteen bits fit");
    let width = quarter.saturating_mul(to_quarters - from_quarters);
    let fine = width.as_micros().saturating_mul(u128::from(part)) / 65_536;
    let fine = Duration::from_micros(u64::try_from(fine).unwrap_or(u64::MAX));
    quarter.saturating_mul(from_quarters).saturating_add(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stop_at_the_cap() {
        let second = Duration::from_secs(1);
        let wait = |tries| backoff(second, 60 * second, tries, 1 << 63).as_millis();
        assert_eq!(wait(0), 1_000);
        assert_eq!(wait(3), 8_000);
        assert_eq!(wait(40), 60_000);
        assert_eq!(wait(u32::MAX), 60_000);
    }

    #[test]
    fn jitter_never_lengthens_an_interval() {
        let day = Duration::from_secs(86_400);
        assert!(interval(day, u64::MAX) <= day);
        assert_eq!(interval(day, 0), day / 4 * 3);
    }
}
