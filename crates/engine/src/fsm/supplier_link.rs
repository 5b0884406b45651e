//! One supplier: connected or not, contract or not.
//!
//! It dials with growing waits, proposes where there is no contract, and says when shards
//! may be sent. Strangers who refuse or cannot be reached are dropped for a while; friends
//! are asked for ever. A machine that only restores proposes nothing.

use bitdust_model::limits::STRANGER_DIALS_MAX;
use bitdust_model::{ErrorCode, Tick};

use super::Moment;

/// What a supplier is to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Found by a search: dropped where it is of no use.
    Stranger,
    /// Asked for ever.
    Friend,
    /// Only read from, as this machine only restores.
    Source,
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Known, nothing tried yet.
    #[default]
    New,
    /// A stranger that the catalogue is being told of.
    Adopting,
    /// Not connected; the next dial is planned.
    Offline {
        /// Whether a contract is in force.
        contract: bool,
        /// When to dial.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// A dial is out.
    Dialing {
        /// Whether a contract is in force.
        contract: bool,
        /// Failures in a row.
        tries: u32,
    },
    /// Connected, and only read from.
    Reading,
    /// Connected; a contract was proposed.
    Proposing {
        /// Refusals in a row.
        tries: u32,
    },
    /// Connected, contract in force: shards may be sent.
    Contracted,
    /// Connected, contract in force, but its space is used up.
    Full {
        /// When to try again.
        retry_at: Tick,
    },
    /// Connected, but it did not sign, or denies that it did.
    Refused {
        /// When to propose again.
        retry_at: Tick,
        /// Refusals in a row.
        tries: u32,
    },
    /// A stranger that is no use now.
    Dropped {
        /// When it may be found again.
        until: Tick,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::New
            | Self::Adopting
            | Self::Dialing { .. }
            | Self::Reading
            | Self::Proposing { .. }
            | Self::Contracted => None,
            Self::Offline { retry_at, .. }
            | Self::Full { retry_at }
            | Self::Refused { retry_at, .. } => Some(retry_at),
            Self::Dropped { until } => Some(until),
        }
    }

    /// The same, with a contract in force or not, of somebody who is not there.
    fn with_contract(mut self, in_force: bool) -> Self {
        if let Self::Offline { contract, .. } = &mut self {
            *contract = in_force;
        }
        self
    }

    /// Whether a contract is in force.
    pub(crate) const fn has_contract(self) -> bool {
        match self {
            Self::Offline { contract, .. } | Self::Dialing { contract, .. } => contract,
            Self::Contracted | Self::Full { .. } => true,
            Self::New
            | Self::Adopting
            | Self::Reading
            | Self::Proposing { .. }
            | Self::Refused { .. }
            | Self::Dropped { .. } => false,
        }
    }

    /// Whether shards may be sent now.
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Contracted)
    }

    /// Whether it is tried for the first time to reach it, since the start or since it was there.
    pub(crate) const fn is_coming(self) -> bool {
        matches!(self, Self::New | Self::Dialing { tries: 0, .. })
    }

    /// Whether it may soon become a contract that was not there before.
    pub(crate) const fn is_pending(self) -> bool {
        match self {
            Self::New | Self::Adopting => true,
            Self::Offline {
                contract, tries, ..
            }
            | Self::Dialing { contract, tries } => !contract && tries < STRANGER_DIALS_MAX,
            Self::Proposing { tries } => tries == 0,
            Self::Reading
            | Self::Contracted
            | Self::Full { .. }
            | Self::Refused { .. }
            | Self::Dropped { .. } => false,
        }
    }

    /// Whether the first attempt to get a contract is still under way.
    pub(crate) const fn is_open(self) -> bool {
        match self {
            Self::New => true,
            Self::Dialing { contract, tries } => !contract && tries == 0,
            Self::Proposing { tries } => tries == 0,
            Self::Adopting
            | Self::Offline { .. }
            | Self::Reading
            | Self::Contracted
            | Self::Full { .. }
            | Self::Refused { .. }
            | Self::Dropped { .. } => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The catalogue is being told of this stranger.
    Adopt,
    /// The node is in the network, and the catalogue was told of the supplier.
    Start {
        /// Whether a contract is in force.
        contract: bool,
        /// Whether the peer is connected.
        online: bool,
    },
    /// The peer said hello.
    Connected,
    /// The last connection ended.
    Lost,
    /// A dial failed.
    DialFailed,
    /// Both signed.
    Signed,
    /// It did not sign, or could not be asked.
    Refused {
        /// Why.
        code: ErrorCode,
    },
    /// It refused a shard for want of space.
    SpaceUsedUp,
    /// It refused a shard for want of a contract.
    ContractUnknown,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Connect.
    Dial,
    /// Propose a contract.
    Propose,
    /// Shards may be sent from now on.
    Ready,
    /// No more shards for now.
    Away,
    /// Forget this stranger.
    Forget,
}

/// One step. Only a stranger is ever dropped.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    role: Role,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::New | State::Adopting => before_start(state, event, role, out),
        State::Offline {
            contract,
            retry_at,
            tries,
        } => in_offline(state, contract, tries, at.now >= retry_at, event, role, out),
        State::Dialing { contract, tries } => {
            in_dialing(state, contract, tries, event, at, role, out)
        }
        State::Reading => match event {
            Event::Lost => lose(false, at),
            Event::Wake
            | Event::Adopt
            | Event::Start { .. }
            | Event::Connected
            | Event::DialFailed
            | Event::Signed
            | Event::Refused { .. }
            | Event::SpaceUsedUp
            | Event::ContractUnknown => state,
        },
        State::Proposing { tries } => in_proposing(tries, event, at, role, out),
        State::Contracted => in_contracted(state, event, at, out),
        State::Full { retry_at } => in_full(state, retry_at, event, at, out),
        State::Refused { retry_at, tries } => in_refused(state, retry_at, tries, event, at, out),
        State::Dropped { until } => match event {
            Event::Wake if at.now >= until => {
                out.push(Action::Forget);
                state
            }
            Event::Wake
            | Event::Adopt
            | Event::Start { .. }
            | Event::Connected
            | Event::Lost
            | Event::DialFailed
            | Event::Signed
            | Event::Refused { .. }
            | Event::SpaceUsedUp
            | Event::ContractUnknown => state,
        },
    }
}

/// Known, told to the catalogue or not: its start is the same.
fn before_start(state: State, event: Event, role: Role, out: &mut Vec<Action>) -> State {
    match event {
        Event::Start {
            contract,
            online: true,
        } => greet(contract, role, out),
        Event::Start {
            contract,
            online: false,
        } => dial(contract, 0, out),
        Event::Adopt => State::Adopting,
        Event::Connected
        | Event::Lost
        | Event::DialFailed
        | Event::Signed
        | Event::Refused { .. }
        | Event::SpaceUsedUp
        | Event::ContractUnknown
        | Event::Wake => state,
    }
}

fn in_offline(
    state: State,
    contract: bool,
    tries: u32,
    is_due: bool,
    event: Event,
    role: Role,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if is_due => dial(contract, tries, out),
        Event::Connected => greet(contract, role, out),
        Event::Signed => state.with_contract(true),
        Event::ContractUnknown => state.with_contract(false),
        Event::Wake
        | Event::Adopt
        | Event::Start { .. }
        | Event::Lost
        | Event::DialFailed
        | Event::Refused { .. }
        | Event::SpaceUsedUp => state,
    }
}

fn in_dialing(
    state: State,
    contract: bool,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    role: Role,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Connected => greet(contract, role, out),
        Event::DialFailed => fail_dial(contract, tries, at, role),
        Event::Signed => State::Dialing {
            contract: true,
            tries,
        },
        Event::ContractUnknown => State::Dialing {
            contract: false,
            tries,
        },
        Event::Adopt
        | Event::Start { .. }
        | Event::Lost
        | Event::Refused { .. }
        | Event::SpaceUsedUp
        | Event::Wake => state,
    }
}

fn in_proposing(
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    role: Role,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Signed => make_ready(out),
        Event::Refused { code } if code.is_transient() => State::Refused {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::Refused { .. } if role != Role::Stranger => State::Refused {
            retry_at: at.now + at.policy.retry_max,
            tries: tries.saturating_add(1),
        },
        Event::Refused { .. } => drop_stranger(at),
        Event::Lost => lose(false, at),
        Event::Adopt
        | Event::Start { .. }
        | Event::Connected
        | Event::DialFailed
        | Event::SpaceUsedUp
        | Event::ContractUnknown
        | Event::Wake => State::Proposing { tries },
    }
}

fn in_contracted(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Lost => {
            out.push(Action::Away);
            lose(true, at)
        }
        Event::SpaceUsedUp => {
            out.push(Action::Away);
            State::Full {
                retry_at: at.now + at.policy.retry_max,
            }
        }
        // It may have lost its books, or it lies: asked at once, a liar would be asked without end.
        Event::ContractUnknown => {
            out.push(Action::Away);
            State::Refused {
                retry_at: at.retry_at(0),
                tries: 1,
            }
        }
        Event::Adopt
        | Event::Start { .. }
        | Event::Connected
        | Event::DialFailed
        | Event::Signed
        | Event::Refused { .. }
        | Event::Wake => state,
    }
}

fn in_full(
    state: State,
    retry_at: Tick,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => make_ready(out),
        Event::Signed => make_ready(out),
        Event::Lost => lose(true, at),
        Event::ContractUnknown => propose(out),
        Event::Wake
        | Event::Adopt
        | Event::Start { .. }
        | Event::Connected
        | Event::DialFailed
        | Event::Refused { .. }
        | Event::SpaceUsedUp => state,
    }
}

fn in_refused(
    state: State,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => {
            out.push(Action::Propose);
            State::Proposing { tries }
        }
        Event::Signed => make_ready(out),
        Event::Lost => State::Offline {
            contract: false,
            retry_at,
            tries,
        },
        Event::Wake
        | Event::Adopt
        | Event::Start { .. }
        | Event::Connected
        | Event::DialFailed
        | Event::Refused { .. }
        | Event::SpaceUsedUp
        | Event::ContractUnknown => state,
    }
}

fn greet(contract: bool, role: Role, out: &mut Vec<Action>) -> State {
    match role {
        Role::Source => State::Reading,
        Role::Stranger | Role::Friend if contract => make_ready(out),
        Role::Stranger | Role::Friend => propose(out),
    }
}

fn make_ready(out: &mut Vec<Action>) -> State {
    out.push(Action::Ready);
    State::Contracted
}

fn propose(out: &mut Vec<Action>) -> State {
    out.push(Action::Propose);
    State::Proposing { tries: 0 }
}

fn dial(contract: bool, tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Dial);
    State::Dialing { contract, tries }
}

fn lose(contract: bool, at: &Moment<'_>) -> State {
    State::Offline {
        contract,
        retry_at: at.redial_at(0),
        tries: 1,
    }
}

fn fail_dial(contract: bool, tries: u32, at: &Moment<'_>, role: Role) -> State {
    let tries_now = tries.saturating_add(1);
    if !contract && role == Role::Stranger && tries_now >= STRANGER_DIALS_MAX {
        return drop_stranger(at);
    }
    State::Offline {
        contract,
        retry_at: at.redial_at(tries),
        tries: tries_now,
    }
}

/// Long enough that the next searches find somebody else.
fn drop_stranger(at: &Moment<'_>) -> State {
    State::Dropped {
        until: at.now + 10 * at.policy.search_interval,
    }
}
