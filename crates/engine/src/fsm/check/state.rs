//! What the checks of a supplier may stand at, what happens, and what is wanted.

use std::time::Duration;

use bitdust_model::{ErrorCode, Tick};

use crate::backoff::interval;
use crate::fsm::Moment;

/// Where the checks stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// No contract yet.
    #[default]
    Idle,
    /// The next check is planned.
    Resting {
        /// For then.
        due_at: Tick,
    },
    /// A check is due, the supplier is away.
    Overdue,
    /// A check is under way.
    Checking,
    /// It lost something, and the catalogue is being told.
    Withdrawing {
        /// What.
        loss: Loss,
        /// Failures to tell the catalogue, in a row.
        tries: u32,
    },
    /// It lost something, and the catalogue did not take that.
    Unrecorded {
        /// What.
        loss: Loss,
        /// When the catalogue is told again.
        retry_at: Tick,
        /// Failures to tell it, in a row.
        tries: u32,
    },
    /// It lost something, and has not proved yet that it keeps the rest.
    Suspect {
        /// What speaks against it.
        doubt: Doubt,
        /// What it proved so far.
        row: Row,
        /// When it is asked for more.
        due_at: Tick,
    },
    /// The same, and it is away.
    SuspectAway {
        /// What speaks against it.
        doubt: Doubt,
        /// What it proved so far.
        row: Row,
    },
    /// It is asked for one proof after another.
    Proving {
        /// What speaks against it.
        doubt: Doubt,
        /// What it proved so far.
        row: Row,
    },
    /// It gave as many as it takes, and the catalogue is being told.
    Clearing {
        /// What spoke against it.
        doubt: Doubt,
        /// It did not give a shard since, and why.
        lost: Option<ErrorCode>,
    },
}

/// What speaks against a supplier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// How often all that it had confirmed was taken back since it was last trusted.
    pub(crate) emptied: u8,
    /// Shards that were taken back since the last proof that it gave.
    pub(crate) run: u8,
    /// It is asked for nothing before.
    pub(crate) not_before: Tick,
    /// It keeps nothing that is known, and is given what it is owed although it does not count.
    pub(crate) is_fed: bool,
}

/// Proofs that are asked for one after another; one that was lost begins it anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Where it begins, once it has.
    pub(crate) pick: u64,
    /// Proofs that were given.
    pub(crate) passed: u8,
    /// Questions in vain since the last of them.
    pub(crate) tries: u8,
}

/// A loss that the catalogue is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    /// What speaks against the supplier with it.
    pub(crate) doubt: Doubt,
    /// Why.
    pub(crate) code: ErrorCode,
    /// Everything, and not single shards.
    pub(crate) all: bool,
    /// Whether it had confirmed it for certain; if not, the catalogue knows.
    pub(crate) is_certain: bool,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Idle
            | Self::Overdue
            | Self::Checking
            | Self::Withdrawing { .. }
            | Self::SuspectAway { .. }
            | Self::Proving { .. }
            | Self::Clearing { .. } => None,
            Self::Resting { due_at } | Self::Suspect { due_at, .. } => Some(due_at),
            Self::Unrecorded { retry_at, .. } => Some(retry_at),
        }
    }

    /// Whether its confirmations count for nothing, written down or not.
    pub(crate) const fn is_suspect(self) -> bool {
        match self {
            Self::Withdrawing { loss, .. } | Self::Unrecorded { loss, .. } => loss.is_certain,
            Self::Suspect { .. }
            | Self::SuspectAway { .. }
            | Self::Proving { .. }
            | Self::Clearing { .. } => true,
            Self::Idle | Self::Resting { .. } | Self::Overdue | Self::Checking => false,
        }
    }

    /// Whether it may be given shards, as far as trust goes.
    pub(crate) const fn may_receive(self) -> bool {
        match self {
            Self::Suspect { doubt, .. }
            | Self::SuspectAway { doubt, .. }
            | Self::Proving { doubt, .. }
            | Self::Clearing { doubt, .. } => doubt.is_fed,
            Self::Withdrawing { loss, .. } | Self::Unrecorded { loss, .. } => {
                !loss.is_certain || loss.doubt.is_fed
            }
            Self::Idle | Self::Resting { .. } | Self::Overdue | Self::Checking => true,
        }
    }

    /// How often all that it had confirmed was taken back since it was last trusted.
    pub(crate) const fn emptied(self) -> u8 {
        match self {
            Self::Withdrawing { loss, .. } | Self::Unrecorded { loss, .. } => loss.doubt.emptied,
            Self::Suspect { doubt, .. }
            | Self::SuspectAway { doubt, .. }
            | Self::Proving { doubt, .. }
            | Self::Clearing { doubt, .. } => doubt.emptied,
            Self::Idle | Self::Resting { .. } | Self::Overdue | Self::Checking => 0,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// A contract is in force.
    Contracted {
        /// Time since the last proof; `None` for a new contract.
        proved_ago: Option<Duration>,
    },
    /// The catalogue says that it lost something before and proved nothing since.
    Distrusted {
        /// How often all was taken back.
        emptied: u8,
        /// Time since it last gave no proof; `None`: not known.
        missed_ago: Option<Duration>,
    },
    /// The supplier is connected.
    Online,
    /// It proved a piece.
    Passed,
    /// It gave no proof of a shard.
    Lost {
        /// Why.
        code: ErrorCode,
        /// Whether it had confirmed it for certain.
        is_certain: bool,
    },
    /// It could not be asked.
    Failed,
    /// It holds nothing to prove.
    Empty,
    /// The catalogue was told what is lost.
    Recorded {
        /// How many confirmations it took back.
        withdrawn: usize,
        /// Whether more was lost since.
        more: bool,
    },
    /// The catalogue was not told what is lost.
    NotRecorded,
    /// The catalogue knows that it counts again.
    Cleared,
    /// The catalogue was not told that.
    NotCleared,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Check a piece.
    Check {
        /// Which.
        pick: u64,
        /// As which of a row.
        turn: u8,
    },
    /// It counts as confirmed from now on.
    Refresh,
    /// Nothing of it counts until it has proved what it keeps.
    Suspect,
    /// Tell the catalogue what is lost.
    Withdraw {
        /// Why.
        code: ErrorCode,
        /// Everything.
        all: bool,
        /// Whether it is told again.
        again: bool,
    },
    /// Give it what it is owed.
    Feed,
    /// Give it nothing more.
    Starve,
    /// Tell the catalogue that it counts again.
    Clear,
    /// It counts again.
    Trust,
}

pub(super) fn rest(at: &Moment<'_>) -> State {
    State::Resting {
        due_at: at.now + full_interval(at),
    }
}

pub(super) fn full_interval(at: &Moment<'_>) -> Duration {
    interval(at.policy.check_interval, at.random)
}
