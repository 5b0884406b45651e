//! One connected peer: when it said hello and where it is reached, in the catalogue.

use bitdust_model::Tick;

use super::Moment;

/// Where the record stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// The peer is not connected.
    #[default]
    Away,
    /// The catalogue is being told.
    Recording {
        /// Failures in a row.
        tries: u32,
        /// The peer said hello meanwhile.
        again: bool,
    },
    /// The same, and the peer has gone.
    Parting,
    /// The catalogue did not take it.
    Waiting {
        /// When it is told again.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// The catalogue knows.
    Recorded,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Away | Self::Recording { .. } | Self::Parting | Self::Recorded => None,
            Self::Waiting { retry_at, .. } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The peer said hello.
    Hello,
    /// The last connection ended.
    Lost,
    /// The catalogue knows.
    Recorded,
    /// It was not told.
    NotRecorded,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Tell the catalogue.
    Record,
}

/// One step. Of a peer that has gone nothing is tried again: its next hello brings what is newer.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match state {
        State::Away => match event {
            Event::Hello => record(0, out),
            Event::Lost | Event::Recorded | Event::NotRecorded | Event::Wake => state,
        },
        State::Recording { tries, again } => match event {
            Event::Hello => State::Recording { tries, again: true },
            Event::Lost => State::Parting,
            Event::Recorded if again => record(0, out),
            Event::Recorded => State::Recorded,
            Event::NotRecorded => State::Waiting {
                retry_at: at.retry_at(tries),
                tries: tries.saturating_add(1),
            },
            Event::Wake => state,
        },
        State::Parting => match event {
            Event::Hello => State::Recording {
                tries: 0,
                again: true,
            },
            Event::Recorded | Event::NotRecorded => State::Away,
            Event::Lost | Event::Wake => state,
        },
        State::Waiting { retry_at, tries } => match event {
            Event::Hello => record(tries, out),
            Event::Wake if at.now >= retry_at => record(tries, out),
            Event::Lost => State::Away,
            Event::Wake | Event::Recorded | Event::NotRecorded => state,
        },
        State::Recorded => match event {
            Event::Hello => record(0, out),
            Event::Lost => State::Away,
            Event::Recorded | Event::NotRecorded | Event::Wake => state,
        },
    }
}

fn record(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Record);
    State::Recording {
        tries,
        again: false,
    }
}
