//! Being in the network: listen, put the own records, put them again before they die.
//!
//! Records that change while they are being put are put once more at once.

use bitdust_model::Tick;

use super::Moment;
use crate::backoff::interval;

/// Where set-up stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// The node does not listen yet.
    #[default]
    Starting,
    /// The records are being put.
    Publishing {
        /// Failures in a row.
        tries: u32,
        /// The records changed meanwhile.
        again: bool,
    },
    /// The records are out.
    Ready {
        /// When they are put again.
        republish_at: Tick,
    },
    /// Putting failed.
    Waiting {
        /// When it is tried again.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Starting | Self::Publishing { .. } => None,
            Self::Ready { republish_at } => Some(republish_at),
            Self::Waiting { retry_at, .. } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The node listens.
    Listening,
    /// Head, set, offer or addresses changed.
    RecordsChanged,
    /// So did the space offered: a person wants it known at once.
    OfferChanged,
    /// At least one copy was put.
    Published,
    /// None was.
    Failed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Put the records.
    Publish,
    /// The node is in the network: others may begin.
    Online,
}

/// One step.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match state {
        State::Starting => match event {
            Event::Listening => {
                out.push(Action::Online);
                publish(0, out)
            }
            Event::RecordsChanged
            | Event::OfferChanged
            | Event::Published
            | Event::Failed
            | Event::Wake => state,
        },
        State::Publishing { tries, again } => match event {
            Event::RecordsChanged | Event::OfferChanged => State::Publishing { tries, again: true },
            Event::Published if again => publish(0, out),
            Event::Published => State::Ready {
                republish_at: at.now + interval(at.policy.republish_interval, at.random),
            },
            Event::Failed => State::Waiting {
                retry_at: at.redial_at(tries),
                tries: tries.saturating_add(1),
            },
            Event::Listening | Event::Wake => state,
        },
        State::Ready { republish_at } => match event {
            Event::RecordsChanged | Event::OfferChanged => publish(0, out),
            Event::Wake if at.now >= republish_at => publish(0, out),
            Event::Wake | Event::Listening | Event::Published | Event::Failed => state,
        },
        State::Waiting { retry_at, tries } => match event {
            Event::Wake if at.now >= retry_at => publish(tries, out),
            Event::OfferChanged => publish(tries, out),
            Event::Wake
            | Event::Listening
            | Event::RecordsChanged
            | Event::Published
            | Event::Failed => state,
        },
    }
}

fn publish(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Publish);
    State::Publishing {
        tries,
        again: false,
    }
}
