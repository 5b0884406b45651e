//! The states of a recovery.

use bitdust_model::{ErrorCode, Tick};

use super::choice::Choice;
use super::inquiry::Inquiry;
use super::lanes::Lanes;
use crate::io::Phase;

/// Where the recovery stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Asked for.
    #[default]
    Asked,
    /// Looking for the root record.
    SeekingRoot {
        /// Failures so far.
        tries: u32,
        /// When to stop looking.
        until: Tick,
    },
    /// It was found: looking for the lane records of the devices that it names.
    SeekingLanes {
        /// Failures so far.
        tries: u32,
        /// When to stop looking.
        until: Tick,
        /// How often they were looked for before.
        searches: u32,
        /// What those say that were found.
        lanes: Lanes,
    },
    /// They were not found; the next look is planned.
    Pausing {
        /// For then.
        retry_at: Tick,
        /// Failures so far.
        tries: u32,
        /// When to stop looking.
        until: Tick,
    },
    /// Asking the suppliers.
    AskingHeads {
        /// Who answered what.
        inquiry: Inquiry,
    },
    /// Loading lists and indexes.
    Rebuilding {
        /// Which heads were tried, and which are left.
        choice: Choice,
    },
    /// The catalogue is there; the device is being entered into the root record.
    Entering,
    /// The catalogue is there, and the identity knows the device.
    Done,
    /// It could not be done.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stopped it.
    Cancelled,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Asked
            | Self::SeekingRoot { .. }
            | Self::SeekingLanes { .. }
            | Self::Rebuilding { .. }
            | Self::Entering
            | Self::Done
            | Self::Failed { .. }
            | Self::Cancelled => None,
            Self::Pausing { retry_at, .. } => Some(*retry_at),
            Self::AskingHeads { inquiry } => Some(inquiry.deadline()),
        }
    }

    /// Whether the job is over.
    pub(crate) const fn is_over(&self) -> bool {
        match self {
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
            Self::Asked
            | Self::SeekingRoot { .. }
            | Self::SeekingLanes { .. }
            | Self::Pausing { .. }
            | Self::AskingHeads { .. }
            | Self::Rebuilding { .. }
            | Self::Entering => false,
        }
    }
}

/// What people are told in a state.
pub(crate) const fn phase(state: &State) -> Option<Phase> {
    match state {
        State::Asked
        | State::SeekingRoot { .. }
        | State::SeekingLanes { .. }
        | State::Pausing { .. } => Some(Phase::Seeking),
        State::AskingHeads { .. } => Some(Phase::AskingHeads),
        State::Rebuilding { .. } | State::Entering => Some(Phase::LoadingLists),
        State::Done | State::Failed { .. } | State::Cancelled => None,
    }
}
