//! The states of the newest head.

use bitdust_model::{ErrorCode, Sequence, Tick};

use super::round::{Holders, Round};

/// Where the head stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// There is none.
    #[default]
    Empty,
    /// Signed; its commit pack is not yet kept by enough suppliers.
    Drafted {
        /// Its place in the lane.
        sequence: Sequence,
        /// The head before it.
        before: Option<Sequence>,
    },
    /// Being given to the holders.
    Publishing {
        /// Its place in the lane.
        sequence: Sequence,
        /// Who has it.
        round: Round,
        /// Enough have it: others are waited for until then.
        until: Option<Tick>,
    },
    /// Enough have it; the catalogue is being told.
    Recording {
        /// Its place in the lane.
        sequence: Sequence,
        /// Who has it.
        round: Round,
        /// Failures to tell the catalogue, in a row.
        tries: u32,
    },
    /// Enough have it; the catalogue did not take that.
    Unrecorded {
        /// Its place in the lane.
        sequence: Sequence,
        /// Who has it.
        round: Round,
        /// When the catalogue is told again.
        again_at: Tick,
        /// Failures to tell it, in a row.
        tries: u32,
    },
    /// Published.
    Published {
        /// Its place in the lane.
        sequence: Sequence,
        /// Who has it.
        round: Round,
    },
    /// So many holders refuse it for good that it cannot be published.
    Refused {
        /// Its place in the lane.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Empty | Self::Drafted { .. } | Self::Refused { .. } => None,
            Self::Publishing { round, until, .. } => earlier(round.retry_at(), *until),
            Self::Recording { round, .. } | Self::Published { round, .. } => round.retry_at(),
            Self::Unrecorded {
                round, again_at, ..
            } => earlier(round.retry_at(), Some(*again_at)),
        }
    }

    /// Whether a new head may be made.
    pub(crate) const fn is_settled(&self) -> bool {
        match self {
            Self::Empty | Self::Published { .. } | Self::Refused { .. } => true,
            Self::Drafted { .. }
            | Self::Publishing { .. }
            | Self::Recording { .. }
            | Self::Unrecorded { .. } => false,
        }
    }

    /// Whether holders that are there may still answer that they keep it.
    pub(crate) fn is_moving(&self, holders: &Holders<'_>) -> bool {
        match self {
            Self::Empty | Self::Drafted { .. } | Self::Refused { .. } => false,
            Self::Publishing { round, .. }
            | Self::Recording { round, .. }
            | Self::Unrecorded { round, .. }
            | Self::Published { round, .. } => !round.stragglers(holders).is_empty(),
        }
    }

    /// The head of which the catalogue is being told that it is published: it may know already, and
    /// people see what it knows.
    pub(crate) const fn being_recorded(&self) -> Option<Sequence> {
        match self {
            Self::Recording { sequence, .. } | Self::Unrecorded { sequence, .. } => Some(*sequence),
            Self::Empty
            | Self::Drafted { .. }
            | Self::Publishing { .. }
            | Self::Published { .. }
            | Self::Refused { .. } => None,
        }
    }
}

/// The earlier of two times, where there are any.
fn earlier(one: Option<Tick>, other: Option<Tick>) -> Option<Tick> {
    one.into_iter().chain(other).min()
}
