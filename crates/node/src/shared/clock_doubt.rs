//! Whether the clock of this machine can be right, by what others signed.
//!
//! Suppliers write into each receipt for a head when it came, by their clocks. Where most of them agree
//! and this machine does not, it is this machine that is wrong. One alone may be wrong itself, and what is
//! not known accuses nobody.

use bitdust_model::UnixMillis;
use bitdust_model::intervals::{CLOCK_EARLIEST, CLOCKS_DIFFER_MAX};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::OwnHead;

use crate::shared::context::Context;

/// So many suppliers have to say the time before it is held against the own clock.
const WITNESSES_MIN: usize = 2;

/// Whether the own clock, which shows `now`, is surely wrong.
pub(crate) fn is_clock_wrong(context: &Context, now: UnixMillis) -> Result<bool, CatalogueError> {
    if now < CLOCK_EARLIEST {
        return Ok(true);
    }
    let Some(head) = context.catalogue.newest_published_head()? else {
        return Ok(false);
    };
    let Some(received) = witnessed(context, &head)? else {
        return Ok(false);
    };
    let written = bitdust_crypto::verify(&head.head).map(|head| head.written_at);
    Ok(contradicts(now, written.unwrap_or_default(), &received))
}

/// When a head was written, as far as that can be believed.
pub(crate) fn believed_time(
    context: &Context,
    head: &OwnHead,
) -> Result<UnixMillis, CatalogueError> {
    let written = bitdust_crypto::verify(&head.head).map(|head| head.written_at);
    let written = written.unwrap_or_default();
    Ok(believed(written, witnessed(context, head)?))
}

/// Where others contradict, the earliest that fits what they say.
fn believed(written: UnixMillis, received: Option<Witnessed>) -> UnixMillis {
    match received.map(|received| received.late) {
        Some(received) if written > received.later_by(CLOCKS_DIFFER_MAX) => {
            received.earlier_by(CLOCKS_DIFFER_MAX)
        }
        Some(_) | None => written,
    }
}

/// When a head came to those who signed for it: the time in the middle, which no single one decides. Of
/// an even number there are two.
#[derive(Debug, PartialEq, Eq)]
struct Witnessed {
    early: UnixMillis,
    late: UnixMillis,
}

fn witnessed(context: &Context, head: &OwnHead) -> Result<Option<Witnessed>, CatalogueError> {
    let receipts = context.catalogue.head_receipts(head.sequence)?;
    let receipts = receipts.iter().filter_map(|signed| {
        let receipt = bitdust_crypto::verify(signed).ok()?;
        (receipt.head == head.hash).then_some(receipt.received_at)
    });
    Ok(middle(receipts.collect()))
}

fn middle(mut times: Vec<UnixMillis>) -> Option<Witnessed> {
    if times.len() < WITNESSES_MIN {
        return None;
    }
    times.sort_unstable();
    Some(Witnessed {
        early: *times.get((times.len() - 1) / 2)?,
        late: *times.get(times.len() / 2)?,
    })
}

/// Others had the head at a time that has not come yet here, or it was written here long after they had
/// it and the clock was not put right since. Of two in the middle the one counts that accuses less.
fn contradicts(now: UnixMillis, written: UnixMillis, received: &Witnessed) -> bool {
    let is_behind = received.early > now.later_by(CLOCKS_DIFFER_MAX);
    let was_ahead = written > received.late.later_by(CLOCKS_DIFFER_MAX);
    is_behind || (was_ahead && now >= written)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(contradicts(day(now), day(written), &received), is_wrong);
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
        assert_eq!(middle(vec![day(1)]), None);
        assert_eq!(middle(vec![day(1), day(9)]), Some(at(1, 9)));
        assert_eq!(middle(vec![day(1), day(900), day(2)]), Some(at(2, 2)));
        assert_eq!(middle(vec![day(2), day(0), day(1)]), Some(at(1, 1)));
        // One of two is in 1970, or far ahead: it accuses nobody.
        for odd in [0, 900] {
            let received = middle(vec![day(odd), day(401)]).expect("two");
            assert!(!contradicts(day(402), day(401), &received), "{odd}");
        }
    }
}
