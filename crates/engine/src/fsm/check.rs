//! One supplier: a fresh proof, once in every interval, that it keeps what it receipted, and what
//! becomes of one that could not give it.
//!
//! A proof that fails is the loss of one shard: its confirmation is taken back, so that it is owed
//! and sent again. Until it has proved others of its shards, one after another, nothing of that
//! supplier counts, as the loss says that more may be gone. Of one that proves nothing at all
//! everything is taken back; it is given it anew, and counts once it proves that.

mod state;
mod suspect;
#[cfg(test)]
mod tests;

use bitdust_model::Tick;

use super::Moment;
use state::{full_interval, rest};
use suspect::{
    distrust, in_clearing, in_proving, in_suspect, in_suspect_away, in_unrecorded, in_withdrawing,
    lose,
};

pub(crate) use state::{Action, Event, State};
#[cfg(test)]
pub(crate) use state::{Doubt, Row};

/// One step; `online`: whether the supplier is connected with a contract.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    online: bool,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Idle => in_idle(state, event, at, out),
        State::Resting { due_at } => in_resting(state, due_at, event, at, online, out),
        State::Overdue => in_overdue(state, event, at, out),
        State::Checking => in_checking(state, event, at, out),
        State::Withdrawing { loss, tries } => in_withdrawing(loss, tries, event, at, online, out),
        State::Unrecorded {
            loss,
            retry_at,
            tries,
        } => in_unrecorded(loss, retry_at, tries, event, at, out),
        State::Suspect { doubt, row, due_at } => {
            in_suspect((doubt, row), due_at, event, at, online, out)
        }
        State::SuspectAway { doubt, row } => in_suspect_away((doubt, row), event, at, out),
        State::Proving { doubt, row } => in_proving(doubt, row, event, at, out),
        State::Clearing { doubt, lost } => in_clearing(doubt, lost, event, at, out),
    }
}

fn in_idle(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Contracted { proved_ago } => State::Resting {
            due_at: at.now + full_interval(at).saturating_sub(proved_ago.unwrap_or_default()),
        },
        Event::Distrusted {
            emptied,
            missed_ago,
        } => distrust(emptied, missed_ago, at),
        Event::Passed => pass(at, out),
        Event::Lost { code, is_certain } => lose(code, is_certain, out),
        Event::Failed
        | Event::Online
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

fn in_resting(
    state: State,
    due_at: Tick,
    event: Event,
    at: &Moment<'_>,
    online: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= due_at && online => ask(at, out),
        Event::Wake if at.now >= due_at => State::Overdue,
        Event::Distrusted {
            emptied,
            missed_ago,
        } => distrust(emptied, missed_ago, at),
        Event::Passed => pass(at, out),
        Event::Lost { code, is_certain } => lose(code, is_certain, out),
        Event::Failed
        | Event::Wake
        | Event::Contracted { .. }
        | Event::Online
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared => state,
    }
}

fn in_overdue(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Online => ask(at, out),
        Event::Distrusted {
            emptied,
            missed_ago,
        } => distrust(emptied, missed_ago, at),
        Event::Passed => pass(at, out),
        Event::Lost { code, is_certain } => lose(code, is_certain, out),
        Event::Failed
        | Event::Contracted { .. }
        | Event::Empty
        | Event::Cleared
        | Event::NotCleared
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

fn in_checking(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Passed => pass(at, out),
        Event::Lost { code, is_certain } => lose(code, is_certain, out),
        Event::Failed => State::Resting {
            due_at: at.now + at.policy.retry_max,
        },
        Event::Empty => rest(at),
        Event::Distrusted {
            emptied,
            missed_ago,
        } => distrust(emptied, missed_ago, at),
        Event::Contracted { .. }
        | Event::Cleared
        | Event::NotCleared
        | Event::Online
        | Event::Recorded { .. }
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

fn ask(at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    let pick = at.random;
    out.push(Action::Check { pick, turn: 0 });
    State::Checking
}

fn pass(at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    out.push(Action::Refresh);
    rest(at)
}
