//! One folder: being told of changes, and waiting until it has been still for a moment.
//!
//! A folder that changes all the time is told of after a while anyway. Where the system cannot
//! watch, that is tried again now and then, and the schedule looks the folder through.

use bitdust_model::Tick;

use super::Moment;

/// Where the watch stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Not wanted.
    #[default]
    Idle,
    /// The system was asked to watch.
    Opening,
    /// It cannot, or the folder is not there.
    Blind {
        /// When it is asked again.
        retry_at: Tick,
    },
    /// It watches; nothing changed lately.
    Quiet,
    /// Something changed.
    Settling {
        /// When the first change was seen.
        first_at: Tick,
        /// When it will have been still for long enough.
        still_at: Tick,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Idle | Self::Opening | Self::Quiet => None,
            Self::Blind { retry_at } => Some(retry_at),
            Self::Settling { still_at, .. } => Some(still_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Changes matter from now on.
    Begin,
    /// Changes do not matter any more.
    End,
    /// The system watches.
    Watched,
    /// It cannot.
    Unwatchable,
    /// Something changed, or may have.
    Changed,
    /// The folder itself went away.
    Gone,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Ask the system to watch.
    Watch,
    /// Watch no longer.
    Unwatch,
    /// The folder has changed and is still, or does not come to rest.
    Tell,
}

/// One step.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match state {
        State::Idle => match event {
            Event::Begin => open(out),
            Event::End
            | Event::Watched
            | Event::Unwatchable
            | Event::Changed
            | Event::Gone
            | Event::Wake => state,
        },
        State::Opening => match event {
            Event::Watched => State::Quiet,
            Event::Unwatchable | Event::Gone => blind(at),
            Event::Changed => settle(at, at.now),
            Event::End => close(out),
            Event::Begin | Event::Wake => state,
        },
        State::Blind { retry_at } => match event {
            Event::Wake if at.now >= retry_at => open(out),
            Event::Begin => open(out),
            Event::End => close(out),
            Event::Wake | Event::Watched | Event::Unwatchable | Event::Changed | Event::Gone => {
                state
            }
        },
        State::Quiet => match event {
            Event::Changed => settle(at, at.now),
            Event::Gone | Event::Unwatchable => blind(at),
            Event::End => close(out),
            Event::Begin | Event::Watched | Event::Wake => state,
        },
        State::Settling { first_at, still_at } => match event {
            Event::Changed => settle(at, first_at),
            Event::Wake if at.now >= still_at => {
                out.push(Action::Tell);
                State::Quiet
            }
            Event::Gone | Event::Unwatchable => blind(at),
            Event::End => close(out),
            Event::Wake | Event::Begin | Event::Watched => state,
        },
    }
}

fn open(out: &mut Vec<Action>) -> State {
    out.push(Action::Watch);
    State::Opening
}

fn close(out: &mut Vec<Action>) -> State {
    out.push(Action::Unwatch);
    State::Idle
}

fn blind(at: &Moment<'_>) -> State {
    State::Blind {
        retry_at: at.now + at.policy.rescan_interval,
    }
}

/// Still for `watch_still`, but no later than `watch_patience` after the first change.
fn settle(at: &Moment<'_>, first_at: Tick) -> State {
    let still = at.now + at.policy.watch_still;
    State::Settling {
        first_at,
        still_at: still.min(first_at + at.policy.watch_patience),
    }
}
