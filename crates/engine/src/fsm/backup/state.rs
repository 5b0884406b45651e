//! The states of a backup, and what people are told in them.

use bitdust_model::{ErrorCode, Sequence, Tick};

use crate::io::Phase;
use crate::safety::Quorum;

/// Where the backup stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Another backup, or a head, comes first.
    #[default]
    Queued,
    /// There is no set yet.
    WaitingForSuppliers,
    /// Folders are being read; packs are sealed and sent.
    Scanning,
    /// All is read; packs wait for confirmations.
    Settling {
        /// There are enough of them: others are waited for until then.
        until: Option<Tick>,
    },
    /// Index segment, manifest and head are being made.
    SealingMetadata,
    /// The commit pack waits for confirmations.
    PlacingMetadata {
        /// The head's place in the lane.
        sequence: Sequence,
        /// There are enough of them: others are waited for until then.
        until: Option<Tick>,
    },
    /// The head is being given to the holders.
    Publishing {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// The catalogue is being told.
    Recording {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// Published and recorded: those that are there get what they lack.
    Spreading {
        /// They are waited for until then.
        until: Option<Tick>,
        /// And in no case longer.
        end: Tick,
    },
    /// Published and recorded.
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
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Settling { until }
            | Self::PlacingMetadata { until, .. }
            | Self::Spreading { until, .. } => until,
            Self::Queued
            | Self::WaitingForSuppliers
            | Self::Scanning
            | Self::SealingMetadata
            | Self::Publishing { .. }
            | Self::Recording { .. }
            | Self::Done
            | Self::Failed { .. }
            | Self::Cancelled => None,
        }
    }

    /// Whether the job is over.
    pub(crate) const fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
            Self::Queued
            | Self::WaitingForSuppliers
            | Self::Scanning
            | Self::Settling { .. }
            | Self::SealingMetadata
            | Self::PlacingMetadata { .. }
            | Self::Publishing { .. }
            | Self::Recording { .. }
            | Self::Spreading { .. } => false,
        }
    }
}

/// Suppliers that have signed, and those that a set needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hired {
    /// Signed.
    pub(crate) have: u8,
    /// Needed.
    pub(crate) need: u8,
}

/// What people are told in a state.
pub(crate) fn phase(
    state: State,
    contents: Quorum,
    hired: Hired,
    refused: Option<ErrorCode>,
) -> Option<Phase> {
    match state {
        State::WaitingForSuppliers => Some(Phase::WaitingForSuppliers {
            have: hired.have,
            need: hired.need,
        }),
        State::Scanning => Some(match refused {
            Some(code) => Phase::WaitingForSpool { code },
            None => Phase::Reading,
        }),
        State::Settling { .. } => Some(match contents {
            Quorum::Reached
            | Quorum::Enough { .. }
            | Quorum::Short { moving: true, .. }
            | Quorum::Lost => Phase::Sending,
            Quorum::Short {
                confirmed,
                need,
                moving: false,
            } => Phase::WaitingForConfirmations { confirmed, need },
        }),
        State::SealingMetadata | State::PlacingMetadata { .. } => Some(Phase::WritingLists),
        State::Publishing { .. } | State::Recording { .. } | State::Spreading { .. } => {
            Some(Phase::Publishing)
        }
        State::Queued | State::Done | State::Failed { .. } | State::Cancelled => None,
    }
}
