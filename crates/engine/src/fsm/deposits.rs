//! Records kept for customers: published again before they die in the DHT.

use bitdust_model::Tick;

use super::Moment;
use crate::backoff::interval;

/// Where the deposits stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// The node is not in the network yet.
    #[default]
    Idle,
    /// They are being published.
    Publishing {
        /// Failures in a row.
        tries: u32,
    },
    /// The last round failed.
    Failed {
        /// When the next one begins.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// The next round is planned.
    Resting {
        /// For then.
        due_at: Tick,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Idle | Self::Publishing { .. } => None,
            Self::Resting { due_at } => Some(due_at),
            Self::Failed { retry_at, .. } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The own records are out: the network can be reached.
    Reached,
    /// The round is done.
    Published,
    /// It could not be done.
    Failed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Publish them.
    Publish,
}

/// One step; `customers`: whether there are any. The first round comes at once: a supplier
/// that runs for an hour a day must not put it off for ever.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    customers: bool,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Idle => match event {
            Event::Reached => begin(at, customers, 0, out),
            Event::Published | Event::Failed | Event::Wake => state,
        },
        State::Publishing { tries } => match event {
            Event::Published => rest(at),
            Event::Failed => State::Failed {
                retry_at: at.redial_at(tries),
                tries: tries.saturating_add(1),
            },
            Event::Reached | Event::Wake => state,
        },
        State::Failed { retry_at, tries } => match event {
            Event::Wake if at.now >= retry_at => begin(at, customers, tries, out),
            Event::Wake | Event::Reached | Event::Published | Event::Failed => state,
        },
        State::Resting { due_at } => match event {
            Event::Wake if at.now >= due_at => begin(at, customers, 0, out),
            Event::Wake | Event::Reached | Event::Published | Event::Failed => state,
        },
    }
}

fn begin(at: &Moment<'_>, customers: bool, tries: u32, out: &mut Vec<Action>) -> State {
    if !customers {
        return rest(at);
    }
    out.push(Action::Publish);
    State::Publishing { tries }
}

fn rest(at: &Moment<'_>) -> State {
    State::Resting {
        due_at: at.now + interval(at.policy.republish_interval, at.random),
    }
}
