//! The own lane: whether this machine may go on writing it.
//!
//! Before a run gives the first head to anybody, so many of those who keep the lane's heads have told what
//! they have that one of them keeps whatever is settled (P7). Others that are there have a short time: a list
//! of this machine that was laid back to an older copy is noticed by any of them.

use bitdust_model::Tick;
use bitdust_model::intervals::RECORDS_PATIENCE;

use super::Moment;
use crate::rules::LaneStand;

/// How it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Too few have told what they have.
    #[default]
    Unheard,
    /// Enough have, and others may at any moment.
    Hearing {
        /// Until when they are waited for.
        until: Tick,
    },
    /// All that is kept of it is known here: heads may be given.
    Abreast,
    /// Somebody keeps what is not known here: nothing more is written.
    Behind,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Hearing { until } => Some(until),
            Self::Unheard | Self::Abreast | Self::Behind => None,
        }
    }

    /// Whether nothing more is written.
    pub(crate) const fn is_behind(self) -> bool {
        matches!(self, Self::Behind)
    }

    /// Whether heads may be given.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Abreast)
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// What was told by now.
    Counted {
        /// What follows from it.
        stand: LaneStand,
        /// Whether somebody else that is there may tell at any moment.
        is_awaited: bool,
    },
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Give heads to those who wait for them.
    Open,
    /// Stop every backup, and tell people.
    Stop,
}

/// One step. Once it is open it stays so: whoever comes later is asked by itself before it is given anything.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    let Event::Counted { stand, is_awaited } = event else {
        return match state {
            State::Hearing { until } if at.now >= until => open(out),
            State::Unheard | State::Hearing { .. } | State::Abreast | State::Behind => state,
        };
    };
    match (state, stand) {
        (State::Behind, _) => state,
        (State::Unheard | State::Hearing { .. } | State::Abreast, LaneStand::Behind) => {
            out.push(Action::Stop);
            State::Behind
        }
        (State::Abreast, LaneStand::Abreast | LaneStand::Unheard) => state,
        (State::Unheard | State::Hearing { .. }, LaneStand::Unheard) => State::Unheard,
        (State::Unheard | State::Hearing { .. }, LaneStand::Abreast) if !is_awaited => open(out),
        (State::Unheard, LaneStand::Abreast) => State::Hearing {
            until: at.now + RECORDS_PATIENCE,
        },
        (State::Hearing { .. }, LaneStand::Abreast) => state,
    }
}

fn open(out: &mut Vec<Action>) -> State {
    out.push(Action::Open);
    State::Abreast
}
