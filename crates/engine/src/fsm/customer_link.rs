//! One customer's lane: its contract, and the arithmetic of its space.
//!
//! Bytes under way are reserved before they come, so that a customer never gets more than
//! the contract says. What does not fit is refused before it comes; nothing is deleted to make
//! room.

use std::collections::BTreeMap;

use bitdust_model::limits::STORES_PENDING_MAX;
use bitdust_model::{ByteCount, ErrorCode};

use crate::io::{Access, AskId};

/// Where the customer stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// No contract with this lane.
    #[default]
    Unsigned,
    /// The first contract is being signed and recorded.
    Signing {
        /// It.
        proposal: Proposal,
    },
    /// A contract is in force.
    Contracted {
        /// Its arithmetic.
        account: Account,
    },
}

/// A contract that is being signed and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// The question.
    pub(crate) ask: AskId,
    /// Bytes asked for.
    pub(crate) bytes: ByteCount,
}

/// What was agreed, what is used, what is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Bytes agreed.
    pub(crate) agreed: ByteCount,
    /// Bytes of durable shards.
    pub(crate) used: ByteCount,
    /// Bytes of shards under way; at most `STORES_PENDING_MAX` of them.
    pub(crate) pending: BTreeMap<AskId, ByteCount>,
    /// The contract that is to replace it.
    pub(crate) proposal: Option<Proposal>,
}

impl Account {
    /// Bytes that shards may take: what is agreed, or the less that is about to be.
    fn room(&self) -> ByteCount {
        let proposed = self.proposal.map(|proposal| proposal.bytes);
        proposed.map_or(self.agreed, |bytes| bytes.min(self.agreed))
    }

    /// Bytes of shards under way.
    pub(crate) fn reserved(&self) -> ByteCount {
        self.pending
            .values()
            .fold(ByteCount(0), |sum, &bytes| sum + bytes)
    }
}

impl State {
    /// The account, where there is a contract.
    pub(crate) const fn account(&self) -> Option<&Account> {
        match self {
            Self::Unsigned | Self::Signing { .. } => None,
            Self::Contracted { account } => Some(account),
        }
    }

    /// Bytes that are not free for others: agreed, or about to be.
    pub(crate) fn promised(&self) -> ByteCount {
        match self {
            Self::Unsigned => ByteCount(0),
            Self::Signing { proposal } => proposal.bytes,
            Self::Contracted { account } => {
                let proposed = account.proposal.map(|proposal| proposal.bytes);
                account.agreed.max(proposed.unwrap_or_default())
            }
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The catalogue knows a contract.
    Known {
        /// Bytes agreed.
        agreed: ByteCount,
        /// Bytes used.
        used: ByteCount,
    },
    /// A contract is proposed, the first or one that replaces it.
    Proposed {
        /// The question.
        ask: AskId,
        /// Bytes asked for.
        bytes: ByteCount,
        /// Bytes offered and not promised to others.
        room: ByteCount,
    },
    /// The contract is signed and recorded.
    Recorded {
        /// The question it began with.
        ask: AskId,
    },
    /// It could not be recorded, and the customer was refused.
    NotRecorded {
        /// The question it began with.
        ask: AskId,
    },
    /// A shard wants to come.
    StoreAsked {
        /// The question.
        ask: AskId,
        /// Its bytes; zero when it is here already.
        bytes: ByteCount,
    },
    /// It is durable.
    ShardKept {
        /// The question it began with.
        ask: AskId,
    },
    /// It did not come whole.
    StoreAborted {
        /// The question it began with.
        ask: AskId,
    },
    /// Something else is wanted.
    AccessAsked {
        /// The question.
        ask: AskId,
        /// What.
        access: Access,
        /// Whether another device of the person has a contract, or something of the person lies here.
        kin: bool,
    },
    /// What was allowed is done.
    AccessGiven {
        /// Bytes of shards that were deleted by it.
        released: ByteCount,
    },
    /// It could not be done.
    AccessFailed,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Sign.
    Accept {
        /// The question.
        ask: AskId,
    },
    /// The contract is in force.
    TakeEffect {
        /// The question.
        ask: AskId,
    },
    /// Let the shard come.
    AcceptStore {
        /// The question.
        ask: AskId,
    },
    /// Do it.
    Allow {
        /// The question.
        ask: AskId,
    },
    /// Do not.
    Refuse {
        /// The question.
        ask: AskId,
        /// Why.
        code: ErrorCode,
    },
}

/// One step.
pub(crate) fn step(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match state {
        State::Unsigned => in_unsigned(state, event, out),
        State::Signing { proposal } => in_signing(state, proposal, event, out),
        State::Contracted { account } => in_contracted(account, event, out),
    }
}

fn in_unsigned(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Known { agreed, used } => known(agreed, used),
        Event::Proposed { ask, bytes, room } => match sign(ByteCount(0), ask, bytes, room, out) {
            Some(proposal) => State::Signing { proposal },
            None => state,
        },
        Event::StoreAsked { ask, .. } => {
            refuse(ask, ErrorCode::NoContract, out);
            state
        }
        Event::AccessAsked { ask, access, kin } => {
            without_contract(ask, access, kin, out);
            state
        }
        Event::ShardKept { .. }
        | Event::StoreAborted { .. }
        | Event::AccessGiven { .. }
        | Event::AccessFailed
        | Event::Recorded { .. }
        | Event::NotRecorded { .. } => state,
    }
}

fn in_signing(state: State, proposal: Proposal, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Known { agreed, used } => known(agreed, used),
        Event::Recorded { ask } if ask == proposal.ask => {
            out.push(Action::TakeEffect { ask });
            known(proposal.bytes, ByteCount(0))
        }
        Event::NotRecorded { ask } if ask == proposal.ask => State::Unsigned,
        Event::Proposed { ask, .. } => {
            refuse(ask, ErrorCode::Busy, out);
            state
        }
        Event::StoreAsked { ask, .. } => {
            refuse(ask, ErrorCode::NoContract, out);
            state
        }
        Event::AccessAsked { ask, access, kin } => {
            without_contract(ask, access, kin, out);
            state
        }
        Event::ShardKept { .. }
        | Event::StoreAborted { .. }
        | Event::AccessGiven { .. }
        | Event::AccessFailed
        | Event::Recorded { .. }
        | Event::NotRecorded { .. } => state,
    }
}

fn in_contracted(mut account: Account, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Known { .. } | Event::AccessFailed => State::Contracted { account },
        Event::Proposed { ask, bytes, room } => {
            propose(&mut account, ask, bytes, room, out);
            State::Contracted { account }
        }
        Event::Recorded { ask } => {
            if let Some(proposal) = account.proposal.take_if(|proposal| proposal.ask == ask) {
                account.agreed = proposal.bytes;
                out.push(Action::TakeEffect { ask });
            }
            State::Contracted { account }
        }
        Event::NotRecorded { ask } => {
            account.proposal.take_if(|proposal| proposal.ask == ask);
            State::Contracted { account }
        }
        Event::StoreAsked { ask, bytes } => {
            admit(&mut account, ask, bytes, out);
            State::Contracted { account }
        }
        Event::ShardKept { ask } => {
            let bytes = account.pending.remove(&ask).unwrap_or_default();
            account.used += bytes;
            State::Contracted { account }
        }
        Event::StoreAborted { ask } => {
            account.pending.remove(&ask);
            State::Contracted { account }
        }
        Event::AccessAsked { ask, .. } => {
            out.push(Action::Allow { ask });
            State::Contracted { account }
        }
        Event::AccessGiven { released } => {
            account.used = account.used.saturating_sub(released);
            State::Contracted { account }
        }
    }
}

const fn known(agreed: ByteCount, used: ByteCount) -> State {
    State::Contracted {
        account: Account {
            agreed,
            used,
            pending: BTreeMap::new(),
            proposal: None,
        },
    }
}

/// Signs when the amount is within the room and covers what is here already.
fn sign(
    here: ByteCount,
    ask: AskId,
    bytes: ByteCount,
    room: ByteCount,
    out: &mut Vec<Action>,
) -> Option<Proposal> {
    if bytes == ByteCount(0) {
        refuse(ask, ErrorCode::BadRequest, out);
        return None;
    }
    if bytes > room || bytes < here {
        refuse(ask, ErrorCode::QuotaExceeded, out);
        return None;
    }
    out.push(Action::Accept { ask });
    Some(Proposal { ask, bytes })
}

/// A contract that replaces the one in force, one at a time.
fn propose(
    account: &mut Account,
    ask: AskId,
    bytes: ByteCount,
    room: ByteCount,
    out: &mut Vec<Action>,
) {
    if account.proposal.is_some() {
        refuse(ask, ErrorCode::Busy, out);
        return;
    }
    let here = account.used + account.reserved();
    account.proposal = sign(here, ask, bytes, room, out);
}

/// Whoever has something here may read it, and so may another device of a person with a contract.
fn without_contract(ask: AskId, access: Access, kin: bool, out: &mut Vec<Action>) {
    if kin && access == Access::Read {
        out.push(Action::Allow { ask });
    } else {
        refuse(ask, ErrorCode::NoContract, out);
    }
}

fn admit(account: &mut Account, ask: AskId, bytes: ByteCount, out: &mut Vec<Action>) {
    if account.pending.len() >= STORES_PENDING_MAX {
        refuse(ask, ErrorCode::Busy, out);
        return;
    }
    if account.used + account.reserved() + bytes > account.room() {
        refuse(ask, ErrorCode::QuotaExceeded, out);
        return;
    }
    account.pending.insert(ask, bytes);
    out.push(Action::AcceptStore { ask });
}

fn refuse(ask: AskId, code: ErrorCode, out: &mut Vec<Action>) {
    out.push(Action::Refuse { ask, code });
}
