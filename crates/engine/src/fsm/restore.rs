//! One restore: the node plans and writes, the fetches bring the pieces.

use bitdust_model::ErrorCode;

use crate::io::Phase;

/// Where the restore stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Asked for.
    #[default]
    Asked,
    /// Pieces come and are written.
    Fetching,
    /// Every open fetch waits for a supplier.
    WaitingForPieces,
    /// All that could be had is written.
    Done,
    /// It could not be done.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stopped it.
    Cancelled,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Begin.
    Begin,
    /// No open fetch moves.
    PiecesMissing,
    /// A fetch moves again.
    PiecesComing,
    /// The node is done.
    Written,
    /// The node cannot do it.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stops it.
    Cancel,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Plan it and announce fetches.
    Start,
    /// Tell people that it ended.
    End {
        /// Why not done.
        failure: Option<ErrorCode>,
    },
}

impl State {
    /// Whether the job is over.
    pub(crate) const fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
            Self::Asked | Self::Fetching | Self::WaitingForPieces => false,
        }
    }
}

/// One step.
pub(crate) fn step(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match state {
        State::Asked => match event {
            Event::Begin => {
                out.push(Action::Start);
                State::Fetching
            }
            Event::Cancel => end(State::Cancelled, Some(ErrorCode::Cancelled), out),
            Event::PiecesMissing | Event::PiecesComing | Event::Written | Event::Failed { .. } => {
                state
            }
        },
        State::Fetching => match event {
            Event::PiecesMissing => State::WaitingForPieces,
            Event::Written => end(State::Done, None, out),
            Event::Failed { code } => end(State::Failed { code }, Some(code), out),
            Event::Cancel => end(State::Cancelled, Some(ErrorCode::Cancelled), out),
            Event::Begin | Event::PiecesComing => state,
        },
        State::WaitingForPieces => match event {
            Event::PiecesComing => State::Fetching,
            Event::Written => end(State::Done, None, out),
            Event::Failed { code } => end(State::Failed { code }, Some(code), out),
            Event::Cancel => end(State::Cancelled, Some(ErrorCode::Cancelled), out),
            Event::Begin | Event::PiecesMissing => state,
        },
        State::Done | State::Failed { .. } | State::Cancelled => match event {
            Event::Begin
            | Event::Failed { .. }
            | Event::PiecesMissing
            | Event::PiecesComing
            | Event::Written
            | Event::Cancel => state,
        },
    }
}

fn end(state: State, failure: Option<ErrorCode>, out: &mut Vec<Action>) -> State {
    out.push(Action::End { failure });
    state
}

/// What people are told in a state.
pub(crate) const fn phase(state: State) -> Option<Phase> {
    match state {
        State::Asked | State::Fetching => Some(Phase::Fetching),
        State::WaitingForPieces => Some(Phase::WaitingForPieces),
        State::Done | State::Failed { .. } | State::Cancelled => None,
    }
}
