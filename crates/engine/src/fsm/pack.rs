//! One pack: when its chunks count as known, and when its memory is free.

use bitdust_model::Code;
use bitdust_model::manifest::PackKind;

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
    },
    /// Its chunks count as known.
    Committed {
        /// In memory.
        held: bool,
    },
    /// Every position is confirmed: nothing is left to do.
    Settled,
}

impl State {
    /// Whether its bytes are in memory.
    pub(crate) const fn is_held(self) -> bool {
        match self {
            Self::Placing { held } | Self::Committing { held } | Self::Committed { held } => held,
            Self::Settled => false,
        }
    }
}

/// How its shards stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Positions confirmed by suppliers that are not doubted.
    pub(crate) confirmed: u8,
    /// Every position is confirmed or in the spool.
    pub(crate) kept: bool,
    /// Every position is confirmed.
    pub(crate) complete: bool,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Shards moved.
    Stood {
        /// To this.
        standing: Standing,
    },
    /// The catalogue knows.
    Recorded,
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
    kind: PackKind,
    code: Code,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Placing { held } => match event {
            Event::Stood { standing } => {
                let held = release(held, standing, out);
                if standing.confirmed < known_at(kind, code) {
                    return State::Placing { held };
                }
                out.push(Action::Commit);
                State::Committing { held }
            }
            Event::Recorded => state,
        },
        State::Committing { held } => match event {
            Event::Stood { standing } => State::Committing {
                held: release(held, standing, out),
            },
            Event::Recorded => State::Committed { held },
        },
        State::Committed { held } => match event {
            Event::Stood { standing } => {
                let held = release(held, standing, out);
                if standing.complete {
                    return State::Settled;
                }
                State::Committed { held }
            }
            Event::Recorded => state,
        },
        State::Settled => match event {
            Event::Stood { .. } | Event::Recorded => state,
        },
    }
}

fn release(held: bool, standing: Standing, out: &mut Vec<Action>) -> bool {
    if held && standing.kept {
        out.push(Action::Release);
        return false;
    }
    held
}
