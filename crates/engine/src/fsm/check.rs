//! One supplier: a fresh proof, once in every interval, that it keeps what it receipted.
//!
//! Wrong bytes or a missing shard are proof of loss and end the trust for good; anything
//! transient is tried again.

use std::time::Duration;

use bitdust_model::{ErrorCode, Tick};

use super::Moment;
use crate::backoff::interval;

/// Where the checks stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// No contract yet.
    #[default]
    Idle,
    /// The next check is planned.
    Resting {
        /// For then.
        due_at: Tick,
    },
    /// A check is due, the supplier is away.
    Overdue,
    /// A check is under way.
    Checking,
    /// It failed a proof, and the catalogue is being told.
    Condemning {
        /// Why.
        code: ErrorCode,
        /// Failures to tell the catalogue, in a row.
        tries: u32,
    },
    /// It failed a proof, and the catalogue did not take that.
    Unrecorded {
        /// Why.
        code: ErrorCode,
        /// When the catalogue is told again.
        retry_at: Tick,
        /// Failures to tell it, in a row.
        tries: u32,
    },
    /// It failed a proof, and the catalogue knows.
    Condemned,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Idle
            | Self::Overdue
            | Self::Checking
            | Self::Condemning { .. }
            | Self::Condemned => None,
            Self::Resting { due_at } => Some(due_at),
            Self::Unrecorded { retry_at, .. } => Some(retry_at),
        }
    }

    /// Whether its confirmations count for nothing, written down or not.
    pub(crate) const fn is_condemned(self) -> bool {
        match self {
            Self::Condemning { .. } | Self::Unrecorded { .. } | Self::Condemned => true,
            Self::Idle | Self::Resting { .. } | Self::Overdue | Self::Checking => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// A contract is in force.
    Contracted {
        /// Time since the last proof; `None` for a new contract.
        proved_ago: Option<Duration>,
    },
    /// The catalogue says that it failed a proof before.
    Distrusted,
    /// The supplier is connected.
    Online,
    /// It proved a piece.
    Passed,
    /// It did not.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// It holds nothing to prove.
    Empty,
    /// The catalogue knows that it failed a proof.
    Recorded,
    /// The catalogue did not take that.
    NotRecorded,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Check a piece.
    Check {
        /// Which.
        pick: u64,
    },
    /// It counts as confirmed from now on.
    Refresh,
    /// It does not count any more.
    Condemn,
    /// Tell the catalogue.
    Record {
        /// Why.
        code: ErrorCode,
        /// Whether it is told again.
        again: bool,
    },
}

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
        State::Condemning { code, tries } => in_condemning(state, code, tries, event, at),
        State::Unrecorded {
            code,
            retry_at,
            tries,
        } => in_unrecorded(state, code, retry_at, tries, event, at, out),
        State::Condemned => match event {
            Event::Contracted { .. }
            | Event::Distrusted
            | Event::Online
            | Event::Passed
            | Event::Failed { .. }
            | Event::Empty
            | Event::Recorded
            | Event::NotRecorded
            | Event::Wake => state,
        },
    }
}

fn in_idle(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Contracted { proved_ago } => State::Resting {
            due_at: at.now + full_interval(at).saturating_sub(proved_ago.unwrap_or_default()),
        },
        Event::Distrusted => State::Condemned,
        Event::Passed => pass(at, out),
        Event::Failed { code } if is_loss(code) => condemn(code, out),
        Event::Failed { .. }
        | Event::Online
        | Event::Empty
        | Event::Recorded
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
        Event::Distrusted => State::Condemned,
        Event::Passed => pass(at, out),
        Event::Failed { code } if is_loss(code) => condemn(code, out),
        Event::Failed { .. }
        | Event::Wake
        | Event::Contracted { .. }
        | Event::Online
        | Event::Recorded
        | Event::NotRecorded
        | Event::Empty => state,
    }
}

fn in_overdue(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Online => ask(at, out),
        Event::Distrusted => State::Condemned,
        Event::Passed => pass(at, out),
        Event::Failed { code } if is_loss(code) => condemn(code, out),
        Event::Failed { .. }
        | Event::Contracted { .. }
        | Event::Empty
        | Event::Recorded
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

fn in_checking(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Passed => pass(at, out),
        Event::Failed { code } if is_loss(code) => condemn(code, out),
        Event::Failed { .. } => State::Resting {
            due_at: at.now + at.policy.retry_max,
        },
        Event::Empty => rest(at),
        Event::Distrusted => State::Condemned,
        Event::Contracted { .. }
        | Event::Online
        | Event::Recorded
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

fn in_condemning(
    state: State,
    code: ErrorCode,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
) -> State {
    match event {
        Event::Recorded => State::Condemned,
        Event::NotRecorded => State::Unrecorded {
            code,
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::Contracted { .. }
        | Event::Distrusted
        | Event::Online
        | Event::Passed
        | Event::Failed { .. }
        | Event::Empty
        | Event::Wake => state,
    }
}

fn in_unrecorded(
    state: State,
    code: ErrorCode,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => record(code, tries, out),
        Event::Recorded => State::Condemned,
        Event::Contracted { .. }
        | Event::Distrusted
        | Event::Online
        | Event::Passed
        | Event::Failed { .. }
        | Event::Empty
        | Event::NotRecorded
        | Event::Wake => state,
    }
}

/// Wrong bytes and missing bytes are proof of loss.
const fn is_loss(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Corrupt | ErrorCode::NotFound)
}

fn full_interval(at: &Moment<'_>) -> Duration {
    interval(at.policy.check_interval, at.random)
}

fn rest(at: &Moment<'_>) -> State {
    State::Resting {
        due_at: at.now + full_interval(at),
    }
}

fn ask(at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    out.push(Action::Check { pick: at.random });
    State::Checking
}

fn pass(at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    out.push(Action::Refresh);
    rest(at)
}

fn condemn(code: ErrorCode, out: &mut Vec<Action>) -> State {
    let state = record(code, 0, out);
    out.push(Action::Condemn);
    state
}

fn record(code: ErrorCode, tries: u32, out: &mut Vec<Action>) -> State {
    let again = tries > 0;
    out.push(Action::Record { code, again });
    State::Condemning { code, tries }
}
