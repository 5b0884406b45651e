//! One pack: when its chunks count as known, and when its memory is free.

use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, Tick};

use super::Moment;
use crate::rules::known_at;

/// Where the pack stands. `held`: its bytes are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Too few confirmations to count as known.
    Placing {
        /// In memory.
        held: bool,
    },
    /// The catalogue is being told.
    Committing {
        /// In memory.
        held: bool,
        /// Failures in a row.
        tries: u32,
    },
    /// The catalogue did not take it.
    Uncommitted {
        /// In memory.
        held: bool,
        /// When it is told again.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// Its chunks count as known.
    Committed {
        /// In memory.
        held: bool,
    },
    /// Every position is confirmed, or the ledger has what is owed: nothing is left to do here.
    Settled,
}

impl State {
    /// Whether its bytes are in memory.
    pub(crate) const fn is_held(self) -> bool {
        match self {
            Self::Placing { held }
            | Self::Committing { held, .. }
            | Self::Uncommitted { held, .. }
            | Self::Committed { held } => held,
            Self::Settled => false,
        }
    }

    /// Whether the catalogue knows it: as many shards as give it back are with others.
    pub(crate) const fn is_committed(self) -> bool {
        match self {
            Self::Committed { .. } | Self::Settled => true,
            Self::Placing { .. } | Self::Committing { .. } | Self::Uncommitted { .. } => false,
        }
    }

    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Placing { .. }
            | Self::Committing { .. }
            | Self::Committed { .. }
            | Self::Settled => None,
            Self::Uncommitted { retry_at, .. } => Some(retry_at),
        }
    }
}

/// Confirmations that its shards have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confirmations {
    /// Positions confirmed by suppliers that are not suspect.
    pub(crate) confirmed: u8,
    /// Every position is confirmed or in the spool.
    pub(crate) kept: bool,
    /// Every position is confirmed.
    pub(crate) complete: bool,
    /// No job waits for it, and nothing of it moves: what is owed is in the ledger.
    pub(crate) resting: bool,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Shards moved.
    ConfirmationsChanged {
        /// To this.
        confirmations: Confirmations,
    },
    /// The catalogue knows.
    Recorded,
    /// The catalogue did not take it.
    NotRecorded,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Tell the catalogue.
    Commit,
    /// Free the memory.
    Release,
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    kind: PackKind,
    code: Code,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Placing { held } => in_placing(state, held, event, kind, code, out),
        State::Committing { held, tries } => in_committing(state, held, tries, event, at, out),
        State::Uncommitted {
            held,
            retry_at,
            tries,
        } => {
            let known_at = known_at(kind, code);
            in_uncommitted(state, (held, retry_at, tries), event, at, known_at, out)
        }
        State::Committed { held } => in_committed(state, held, event, out),
        State::Settled => match event {
            Event::ConfirmationsChanged { .. }
            | Event::Recorded
            | Event::NotRecorded
            | Event::Wake => state,
        },
    }
}

fn in_placing(
    state: State,
    held: bool,
    event: Event,
    kind: PackKind,
    code: Code,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::ConfirmationsChanged { confirmations } => {
            let held = release(held, confirmations, out);
            if confirmations.confirmed < known_at(kind, code) {
                return State::Placing { held };
            }
            commit(held, 0, out)
        }
        Event::Recorded | Event::NotRecorded | Event::Wake => state,
    }
}

fn in_committing(
    state: State,
    held: bool,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::ConfirmationsChanged { confirmations } => State::Committing {
            held: release(held, confirmations, out),
            tries,
        },
        Event::Recorded => State::Committed { held },
        Event::NotRecorded => State::Uncommitted {
            held,
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::Wake => state,
    }
}

fn in_uncommitted(
    state: State,
    (held, retry_at, tries): (bool, Tick, u32),
    event: Event,
    at: &Moment<'_>,
    known_at: u8,
    out: &mut Vec<Action>,
) -> State {
    match event {
        // Who confirmed it became suspect meanwhile.
        Event::ConfirmationsChanged { confirmations } if confirmations.confirmed < known_at => {
            State::Placing {
                held: release(held, confirmations, out),
            }
        }
        Event::ConfirmationsChanged { confirmations } => State::Uncommitted {
            held: release(held, confirmations, out),
            retry_at,
            tries,
        },
        Event::Wake if at.now >= retry_at => commit(held, tries, out),
        Event::Recorded => State::Committed { held },
        Event::NotRecorded | Event::Wake => state,
    }
}

fn in_committed(state: State, held: bool, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::ConfirmationsChanged { confirmations } => {
            let held = release(held, confirmations, out);
            if confirmations.complete || (!held && confirmations.resting) {
                return State::Settled;
            }
            State::Committed { held }
        }
        Event::Recorded | Event::NotRecorded | Event::Wake => state,
    }
}

fn commit(held: bool, tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Commit);
    State::Committing { held, tries }
}

fn release(held: bool, confirmations: Confirmations, out: &mut Vec<Action>) -> bool {
    if held && confirmations.kept {
        out.push(Action::Release);
        return false;
    }
    held
}
