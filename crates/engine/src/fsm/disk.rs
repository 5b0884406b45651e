//! The own disk: when writes that found no room on it are tried again.
//!
//! All that wait are tried together, and nothing is planned once none waits any more.

use bitdust_model::Tick;
use bitdust_model::intervals::DISK_RETRY;

/// Where the disk stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// No write waits.
    #[default]
    Spacious,
    /// Writes wait for room.
    Full {
        /// When they are tried again.
        retry_at: Tick,
    },
    /// They were woken, and it is not known yet whether there are any.
    Trying {
        /// Another one found no room meanwhile; it may not be counted.
        again: bool,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Spacious | Self::Trying { .. } => None,
            Self::Full { retry_at } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// A write found no room and waits.
    NoSpace,
    /// No write waits any more.
    NoneWaits,
    /// Some wait, and are being tried: they count until they are written or given up.
    SomeWait,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Try again what waits.
    Retry,
}

/// One step.
pub(crate) fn step(state: State, event: Event, now: Tick, out: &mut Vec<Action>) -> State {
    match state {
        State::Spacious => match event {
            Event::NoSpace => wait(now),
            Event::NoneWaits | Event::SomeWait | Event::Wake => state,
        },
        State::Full { retry_at } => match event {
            Event::Wake if now >= retry_at => {
                out.push(Action::Retry);
                State::Trying { again: false }
            }
            Event::Wake | Event::NoSpace | Event::NoneWaits | Event::SomeWait => state,
        },
        State::Trying { again } => match event {
            Event::NoSpace => State::Trying { again: true },
            Event::NoneWaits if !again => State::Spacious,
            Event::NoneWaits | Event::SomeWait => wait(now),
            Event::Wake => state,
        },
    }
}

fn wait(now: Tick) -> State {
    State::Full {
        retry_at: now + DISK_RETRY,
    }
}
