//! Being in the network: listen, put the own records, put them again before they die.
//!
//! Records that change while they are being put are put once more at once. Where only the lane's
//! changed, as with each backup, the others stay as they are until their time comes.

use bitdust_model::Tick;

use super::Moment;
use crate::backoff::interval;
use crate::io::RecordScope;

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
        /// Those that changed meanwhile.
        again: Option<RecordScope>,
        /// Where only the lane's are being put: when all are put again.
        republish_at: Option<Tick>,
    },
    /// The records are out.
    Ready {
        /// When all are put again.
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
    /// Head or set changed.
    LaneChanged,
    /// What is left of the space offered, or addresses.
    RecordsChanged,
    /// The space offered: a person wants it known at once.
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
    /// Put records.
    Publish {
        /// Which.
        scope: RecordScope,
    },
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
            Event::LaneChanged
            | Event::RecordsChanged
            | Event::OfferChanged
            | Event::Published
            | Event::Failed
            | Event::Wake => state,
        },
        State::Publishing {
            tries,
            again,
            republish_at,
        } => in_publishing(state, tries, again, republish_at, event, at, out),
        State::Ready { republish_at } => match event {
            Event::LaneChanged => publish_lane(republish_at, out),
            Event::RecordsChanged | Event::OfferChanged => publish(0, out),
            Event::Wake if at.now >= republish_at => publish(0, out),
            Event::Wake | Event::Listening | Event::Published | Event::Failed => state,
        },
        State::Waiting { retry_at, tries } => match event {
            Event::Wake if at.now >= retry_at => publish(tries, out),
            Event::OfferChanged => publish(tries, out),
            Event::Wake
            | Event::Listening
            | Event::LaneChanged
            | Event::RecordsChanged
            | Event::Published
            | Event::Failed => state,
        },
    }
}

fn in_publishing(
    state: State,
    tries: u32,
    again: Option<RecordScope>,
    republish_at: Option<Tick>,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    let changed = |scope| State::Publishing {
        tries,
        again: again.max(Some(scope)),
        republish_at,
    };
    match event {
        Event::LaneChanged => changed(RecordScope::Lane),
        Event::RecordsChanged | Event::OfferChanged => changed(RecordScope::All),
        Event::Published => {
            let republish_at = republish_at
                .unwrap_or_else(|| at.now + interval(at.policy.republish_interval, at.random));
            match again {
                Some(RecordScope::All) => publish(0, out),
                Some(RecordScope::Lane) => publish_lane(republish_at, out),
                None => State::Ready { republish_at },
            }
        }
        Event::Failed => State::Waiting {
            retry_at: at.redial_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::Listening | Event::Wake => state,
    }
}

fn publish(tries: u32, out: &mut Vec<Action>) -> State {
    let scope = RecordScope::All;
    out.push(Action::Publish { scope });
    State::Publishing {
        tries,
        again: None,
        republish_at: None,
    }
}

fn publish_lane(republish_at: Tick, out: &mut Vec<Action>) -> State {
    let scope = RecordScope::Lane;
    out.push(Action::Publish { scope });
    State::Publishing {
        tries: 0,
        again: None,
        republish_at: Some(republish_at),
    }
}
