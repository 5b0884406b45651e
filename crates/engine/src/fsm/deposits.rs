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
    Publishing,
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
            Self::Idle | Self::Publishing => None,
            Self::Resting { due_at } => Some(due_at),
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
            Event::Reached => begin(at, customers, out),
            Event::Published | Event::Wake => state,
        },
        State::Publishing => match event {
            Event::Published => rest(at),
            Event::Reached | Event::Wake => state,
        },
        State::Resting { due_at } => match event {
            Event::Wake if at.now >= due_at => begin(at, customers, out),
            Event::Wake | Event::Reached | Event::Published => state,
        },
    }
}

fn begin(at: &Moment<'_>, customers: bool, out: &mut Vec<Action>) -> State {
    if !customers {
        return rest(at);
    }
    out.push(Action::Publish);
    State::Publishing
}

fn rest(at: &Moment<'_>) -> State {
    State::Resting {
        due_at: at.now + interval(at.policy.republish_interval, at.random),
    }
}
