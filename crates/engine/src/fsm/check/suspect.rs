//! A supplier that lost something: what the catalogue is told, and how it comes to count again.

use std::time::Duration;

use bitdust_model::limits::{LOSSES_IN_A_ROW_MAX, PROOFS_OF_TRUST, REFILL_WAIT_FACTOR_MAX};
use bitdust_model::{ErrorCode, Tick};

use super::state::{Action, Doubt, Event, Loss, Row, State, rest};
use crate::fsm::Moment;

/// Questions in vain after which the wait for the next one grows no more: whoever is there again is to
/// count again soon.
const TRIES_COUNTED: u8 = 5;

pub(super) fn in_withdrawing(
    loss: Loss,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    online: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Recorded { withdrawn: 0, more } if !loss.is_certain && !more => State::Resting {
            due_at: at.retry_at(0),
        },
        Event::Recorded { withdrawn, more } => {
            let is_certain = loss.is_certain || withdrawn > 0;
            if is_certain && !loss.is_certain {
                out.push(Action::Suspect);
            }
            // Each shard counts once, however often it was not given.
            let lost = u8::try_from(withdrawn).unwrap_or(u8::MAX);
            let doubt = Doubt {
                run: loss.doubt.run.saturating_add(lost),
                ..loss.doubt
            };
            let loss = Loss {
                doubt,
                is_certain,
                ..loss
            };
            after_loss(loss, more, at, online, out)
        }
        Event::NotRecorded => {
            // What could not be looked up is not held to be there.
            if !loss.is_certain {
                out.push(Action::Suspect);
            }
            State::Unrecorded {
                loss: Loss {
                    is_certain: true,
                    ..loss
                },
                retry_at: at.retry_at(tries),
                tries: tries.saturating_add(1),
            }
        }
        Event::Lost { code, is_certain } => State::Withdrawing {
            loss: lose_more(loss, code, is_certain, out),
            tries,
        },
        Event::Contracted { .. }
        | Event::Distrusted { .. }
        | Event::Online
        | Event::Passed
        | Event::Failed
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Wake => State::Withdrawing { loss, tries },
    }
}

/// The catalogue took it: what was lost since is told too, and one that proves nothing is taken to
/// have nothing.
fn after_loss(
    loss: Loss,
    more: bool,
    at: &Moment<'_>,
    online: bool,
    out: &mut Vec<Action>,
) -> State {
    let doubt = loss.doubt;
    if loss.all {
        let emptied = doubt.emptied.saturating_add(1);
        return begin(emptied, refill_wait(emptied, at), at);
    }
    let all = doubt.run >= LOSSES_IN_A_ROW_MAX;
    if all || more {
        return withdraw(Loss { all, ..loss }, 0, out);
    }
    let row = Row::default();
    if at.now < doubt.not_before {
        let due_at = doubt.not_before;
        return State::Suspect { doubt, row, due_at };
    }
    if online {
        return prove(doubt, row, at, out);
    }
    State::SuspectAway { doubt, row }
}

pub(super) fn in_unrecorded(
    loss: Loss,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => withdraw(loss, tries, out),
        Event::Lost { code, is_certain } => State::Unrecorded {
            loss: lose_more(loss, code, is_certain, out),
            retry_at,
            tries,
        },
        Event::Contracted { .. }
        | Event::Distrusted { .. }
        | Event::Online
        | Event::Passed
        | Event::Failed
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => State::Unrecorded {
            loss,
            retry_at,
            tries,
        },
    }
}

pub(super) fn in_suspect(
    (doubt, row): (Doubt, Row),
    due_at: Tick,
    event: Event,
    at: &Moment<'_>,
    online: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= due_at && online => prove(doubt, row, at, out),
        Event::Wake if at.now >= due_at => State::SuspectAway { doubt, row },
        Event::Lost { code, is_certain } => lose_again(doubt, code, is_certain, out),
        Event::Wake
        | Event::Contracted { .. }
        | Event::Distrusted { .. }
        | Event::Online
        | Event::Passed
        | Event::Failed
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Recorded { .. }
        | Event::NotRecorded => State::Suspect { doubt, row, due_at },
    }
}

pub(super) fn in_suspect_away(
    (doubt, row): (Doubt, Row),
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Online => prove(doubt, row, at, out),
        Event::Lost { code, is_certain } => lose_again(doubt, code, is_certain, out),
        Event::Contracted { .. }
        | Event::Distrusted { .. }
        | Event::Passed
        | Event::Failed
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => State::SuspectAway { doubt, row },
    }
}

pub(super) fn in_proving(
    doubt: Doubt,
    row: Row,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Passed => {
            let doubt = Doubt { run: 0, ..doubt };
            let passed = row.passed.saturating_add(1);
            if passed >= PROOFS_OF_TRUST {
                out.push(Action::Clear);
                return State::Clearing { doubt, lost: None };
            }
            let tries = 0;
            prove(
                doubt,
                Row {
                    passed,
                    tries,
                    ..row
                },
                at,
                out,
            )
        }
        Event::Lost { code, is_certain } => lose_again(doubt, code, is_certain, out),
        Event::Failed => wait(doubt, row, at),
        Event::Empty => {
            if !doubt.is_fed {
                out.push(Action::Feed);
            }
            let doubt = Doubt {
                is_fed: true,
                ..doubt
            };
            wait(doubt, Row { passed: 0, ..row }, at)
        }
        Event::Contracted { .. }
        | Event::Distrusted { .. }
        | Event::Cleared
        | Event::NotCleared
        | Event::Online
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => State::Proving { doubt, row },
    }
}

pub(super) fn in_clearing(
    doubt: Doubt,
    lost: Option<ErrorCode>,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match (event, lost) {
        // One write of the catalogue after the other: else the older could be the last.
        (Event::Cleared | Event::NotCleared, Some(code)) => lose_again(doubt, code, true, out),
        (Event::Cleared, None) => {
            out.push(Action::Refresh);
            out.push(Action::Trust);
            rest(at)
        }
        (Event::NotCleared, None) => wait(doubt, Row::default(), at),
        (Event::Lost { code, .. }, _) => State::Clearing {
            doubt,
            lost: Some(code),
        },
        (
            Event::Contracted { .. }
            | Event::Distrusted { .. }
            | Event::Online
            | Event::Passed
            | Event::Failed
            | Event::Empty
            | Event::Recorded { .. }
            | Event::NotRecorded
            | Event::Wake,
            _,
        ) => State::Clearing { doubt, lost },
    }
}

/// How long one that lost everything so often is not given it again. At first it is at once, as a
/// disk may have been replaced.
fn refill_wait(emptied: u8, at: &Moment<'_>) -> Duration {
    let Some(doublings) = emptied.checked_sub(2) else {
        return Duration::ZERO;
    };
    let factor = 1_u32.checked_shl(doublings.into()).unwrap_or(u32::MAX);
    at.policy.check_interval * factor.min(REFILL_WAIT_FACTOR_MAX)
}

/// What was suspect before a start. What it waited before counts.
pub(super) fn distrust(emptied: u8, missed_ago: Option<Duration>, at: &Moment<'_>) -> State {
    let waited = missed_ago.unwrap_or_default();
    begin(emptied, refill_wait(emptied, at).saturating_sub(waited), at)
}

fn begin(emptied: u8, wait: Duration, at: &Moment<'_>) -> State {
    let due_at = at.now + wait;
    State::Suspect {
        doubt: Doubt {
            emptied,
            not_before: due_at,
            ..Doubt::default()
        },
        row: Row::default(),
        due_at,
    }
}

/// It is asked again soon: it was busy, or is being given what it is to prove.
fn wait(doubt: Doubt, row: Row, at: &Moment<'_>) -> State {
    let tries = row.tries.saturating_add(1).min(TRIES_COUNTED);
    State::Suspect {
        doubt,
        row: Row { tries, ..row },
        due_at: at.retry_at(tries.into()),
    }
}

/// Asks for the next proof of a row.
fn prove(doubt: Doubt, row: Row, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    let row = match row.passed {
        0 => Row {
            pick: at.random,
            ..row
        },
        _ => row,
    };
    let (pick, turn) = (row.pick, row.passed);
    out.push(Action::Check { pick, turn });
    State::Proving { doubt, row }
}

/// One that was trusted lost a shard, or did not give one that it may never have had.
pub(super) fn lose(code: ErrorCode, is_certain: bool, out: &mut Vec<Action>) -> State {
    if is_certain {
        out.push(Action::Suspect);
    }
    let loss = Loss {
        doubt: Doubt::default(),
        code,
        all: false,
        is_certain,
    };
    withdraw(loss, 0, out)
}

/// One that was suspect lost a shard.
fn lose_again(doubt: Doubt, code: ErrorCode, is_certain: bool, out: &mut Vec<Action>) -> State {
    if doubt.is_fed && is_certain {
        out.push(Action::Starve);
    }
    let is_fed = doubt.is_fed && !is_certain;
    let loss = Loss {
        doubt: Doubt { is_fed, ..doubt },
        code,
        all: false,
        is_certain: true,
    };
    withdraw(loss, 0, out)
}

/// Another shard is lost while the catalogue is told of one.
fn lose_more(loss: Loss, code: ErrorCode, is_certain: bool, out: &mut Vec<Action>) -> Loss {
    if is_certain && !loss.is_certain {
        out.push(Action::Suspect);
    }
    Loss {
        code,
        is_certain: loss.is_certain || is_certain,
        ..loss
    }
}

fn withdraw(loss: Loss, tries: u32, out: &mut Vec<Action>) -> State {
    let (code, all, again) = (loss.code, loss.all, tries > 0);
    out.push(Action::Withdraw { code, all, again });
    State::Withdrawing { loss, tries }
}
