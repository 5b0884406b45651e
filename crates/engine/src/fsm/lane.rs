//! The own lane: whether this machine may go on writing it.
//!
//! Before a run gives the first head to anybody, so many of those who keep the lane's heads have told what
//! they have that one of them keeps whatever is settled (P7). Others that are there have a short time: a list
//! of this machine that was laid back to an older copy is noticed by any of them. Then the machine takes in
//! what they have and goes on from there, unless another one writes with the same keys.

use bitdust_model::Tick;
use bitdust_model::intervals::TIPS_PATIENCE;

use super::Moment;
use crate::rules::LaneStand;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Too few have told what they have.
    Unheard {
        /// Until when a backup waits for them before it begins, where some may tell at any moment.
        until: Option<Tick>,
        /// Failures in a row to take in what they keep.
        tries: u32,
    },
    /// Enough have, and others may at any moment.
    Hearing {
        /// Until when they are waited for.
        until: Tick,
    },
    /// All that is kept of it is known here: heads may be given.
    Abreast,
    /// Somebody keeps what is not known here: that is being taken in.
    CatchingUp {
        /// Failures in a row.
        tries: u32,
    },
    /// It could not be taken in.
    Waiting {
        /// When everybody is asked anew.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// Another machine writes it too: nothing more is written.
    Behind,
}

impl Default for State {
    fn default() -> Self {
        Self::Unheard {
            until: None,
            tries: 0,
        }
    }
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Unheard { until, .. } => until,
            Self::Hearing { until } => Some(until),
            Self::Waiting { retry_at, .. } => Some(retry_at),
            Self::Abreast | Self::CatchingUp { .. } | Self::Behind => None,
        }
    }

    /// Whether nothing more is written.
    pub(crate) const fn is_behind(self) -> bool {
        matches!(self, Self::Behind)
    }

    /// Whether nothing is written before what suppliers keep was taken in.
    pub(crate) const fn is_catching_up(self) -> bool {
        matches!(self, Self::CatchingUp { .. } | Self::Waiting { .. })
    }

    /// Whether it may soon be known more of it, if somebody tells.
    pub(crate) const fn is_listening(self) -> bool {
        matches!(
            self,
            Self::Unheard { until: Some(_), .. } | Self::Hearing { .. }
        )
    }

    /// Whether heads may be given.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Abreast)
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Suppliers are being reached.
    Began,
    /// What was told by now.
    Counted {
        /// What follows from it.
        stand: LaneStand,
        /// Whether somebody else that is there may tell at any moment.
        is_awaited: bool,
    },
    /// What suppliers keep of it is in the catalogue.
    CaughtUp,
    /// It is not.
    NotCaughtUp {
        /// Whether it never will be: another machine writes it too.
        is_final: bool,
    },
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Give heads to those who wait for them.
    Open,
    /// Stop the backup that runs: what it began is not made from what suppliers keep.
    Stop,
    /// Take in what suppliers keep.
    CatchUp,
    /// It is taken in, or could not be: ask everybody anew.
    AskAgain,
}

/// One step. Once it is open it stays so: whoever comes later is asked by itself before it is given anything.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Began => match state {
            State::Unheard { tries, .. } => unheard(tries, at),
            State::Hearing { .. }
            | State::Abreast
            | State::CatchingUp { .. }
            | State::Waiting { .. }
            | State::Behind => state,
        },
        Event::Counted { stand, is_awaited } => counted(state, stand, is_awaited, at, out),
        Event::CaughtUp => match state {
            State::CatchingUp { .. } => ask_again(0, at, out),
            State::Unheard { .. }
            | State::Hearing { .. }
            | State::Abreast
            | State::Waiting { .. }
            | State::Behind => state,
        },
        Event::NotCaughtUp { is_final } => match state {
            State::CatchingUp { .. } if is_final => State::Behind,
            State::CatchingUp { tries } => State::Waiting {
                retry_at: at.retry_at(tries),
                tries: tries.saturating_add(1),
            },
            State::Unheard { .. }
            | State::Hearing { .. }
            | State::Abreast
            | State::Waiting { .. }
            | State::Behind => state,
        },
        Event::Wake => match state {
            State::Unheard { until, tries } => State::Unheard {
                until: until.filter(|until| at.now < *until),
                tries,
            },
            State::Hearing { until } if at.now >= until => open(out),
            // Who told it may be gone, or tell something else by now.
            State::Waiting { retry_at, tries } if at.now >= retry_at => ask_again(tries, at, out),
            State::Hearing { .. }
            | State::Abreast
            | State::CatchingUp { .. }
            | State::Waiting { .. }
            | State::Behind => state,
        },
    }
}

fn counted(
    state: State,
    stand: LaneStand,
    is_awaited: bool,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match stand {
        LaneStand::Behind => match state {
            State::Unheard { tries, .. } => catch_up(tries, out),
            State::Hearing { .. } | State::Abreast => catch_up(0, out),
            State::CatchingUp { .. } | State::Waiting { .. } | State::Behind => state,
        },
        LaneStand::Abreast => match state {
            State::Unheard { .. } | State::Hearing { .. } if !is_awaited => open(out),
            State::Unheard { .. } => State::Hearing {
                until: at.now + TIPS_PATIENCE,
            },
            State::Hearing { .. }
            | State::Abreast
            | State::CatchingUp { .. }
            | State::Waiting { .. }
            | State::Behind => state,
        },
        LaneStand::Unheard => match state {
            State::Hearing { .. } => State::Unheard {
                until: None,
                tries: 0,
            },
            State::Unheard { .. }
            | State::Abreast
            | State::CatchingUp { .. }
            | State::Waiting { .. }
            | State::Behind => state,
        },
    }
}

fn unheard(tries: u32, at: &Moment<'_>) -> State {
    State::Unheard {
        until: Some(at.now + TIPS_PATIENCE),
        tries,
    }
}

fn ask_again(tries: u32, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    out.push(Action::AskAgain);
    unheard(tries, at)
}

fn open(out: &mut Vec<Action>) -> State {
    out.push(Action::Open);
    State::Abreast
}

fn catch_up(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Stop);
    out.push(Action::CatchUp);
    State::CatchingUp { tries }
}
