//! What suppliers say of the time when they were given a head.
//!
//! Where most of them agree and a machine does not, it is that machine that is wrong. One alone may be
//! wrong itself, and what is not known accuses nobody.

use crate::intervals::CLOCKS_DIFFER_MAX;
use crate::unit::UnixMillis;

/// So many suppliers have to say the time before it is held against a clock.
const WITNESSES_MIN: usize = 2;

/// When a head came to those who signed for it: the time in the middle, which no single one decides. Of
/// an even number there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// The earlier of those in the middle.
    pub early: UnixMillis,
    /// The later.
    pub late: UnixMillis,
}

impl Witnessed {
    /// Of the times of all who signed; none where these are too few.
    #[must_use]
    pub fn of(mut times: Vec<UnixMillis>) -> Option<Self> {
        if times.len() < WITNESSES_MIN {
            return None;
        }
        times.sort_unstable();
        Some(Self {
            early: *times.get((times.len() - 1) / 2)?,
            late: *times.get(times.len() / 2)?,
        })
    }

    /// Whether a clock is wrong that shows `now` and showed `written` when the head was written. Others
    /// had the head at a time that has not come yet here, or it was written here long after they had
    /// it and the clock was not put right since. Of two in the middle the one counts that accuses less.
    #[must_use]
    pub fn contradicts(&self, now: UnixMillis, written: UnixMillis) -> bool {
        let is_behind = self.early > now.later_by(CLOCKS_DIFFER_MAX);
        let was_ahead = written > self.late.later_by(CLOCKS_DIFFER_MAX);
        is_behind || (was_ahead && now >= written)
    }
}

/// When a head was written, as far as that can be believed: where others contradict, the earliest that
/// fits what they say.
#[must_use]
pub fn believed(written: UnixMillis, received: Option<Witnessed>) -> UnixMillis {
    match received.map(|received| received.late) {
        Some(received) if written > received.later_by(CLOCKS_DIFFER_MAX) => {
            received.earlier_by(CLOCKS_DIFFER_MAX)
        }
        Some(_) | None => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::CLOCK_EARLIEST;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    const fn day(number: u64) -> UnixMillis {
        UnixMillis(CLOCK_EARLIEST.0 + number * DAY_MS)
    }

    const fn at(early: u64, late: u64) -> Witnessed {
        Witnessed {
            early: day(early),
            late: day(late),
        }
    }

    #[test]
    fn a_clock_is_wrong_where_most_others_say_another_time() {
        let check = |now, written, received, is_wrong| {
            let received = at(received, received);
            assert_eq!(received.contradicts(day(now), day(written)), is_wrong);
        };
        check(10, 9, 9, false);
        check(10, 2, 9, false); // it was given out late
        check(10, 9, 450, true); // behind
        check(450, 449, 9, true); // ahead
        check(12, 449, 9, false); // was ahead and is right again
        check(500, 9, 9, false); // long ago
        check(10, 9, 11, false); // a day is a time zone
    }

    #[test]
    fn a_head_that_others_had_long_before_it_was_written_is_as_old_as_they_say() {
        let on_day_9 = || Some(at(9, 9));
        assert_eq!(believed(day(400), on_day_9()), day(8));
        assert_eq!(believed(day(10), on_day_9()), day(10));
        assert_eq!(believed(day(3), on_day_9()), day(3));
        assert_eq!(believed(day(400), None), day(400));
    }

    #[test]
    fn one_witness_is_none_and_a_liar_among_three_decides_nothing() {
        assert_eq!(Witnessed::of(vec![day(1)]), None);
        assert_eq!(Witnessed::of(vec![day(1), day(9)]), Some(at(1, 9)));
        assert_eq!(
            Witnessed::of(vec![day(1), day(900), day(2)]),
            Some(at(2, 2))
        );
        assert_eq!(Witnessed::of(vec![day(2), day(0), day(1)]), Some(at(1, 1)));
        // One of two is in 1970, or far ahead: it accuses nobody.
        for odd in [0, 900] {
            let received = Witnessed::of(vec![day(odd), day(401)]).expect("two");
            assert!(!received.contradicts(day(402), day(401)), "{odd}");
        }
    }
}
