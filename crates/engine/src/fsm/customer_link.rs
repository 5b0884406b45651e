//! One customer's lane: its contract, and the arithmetic of its space.
//!
//! Bytes under way are reserved before they come, so that a customer never gets more than
//! the contract says. What does not fit is refused at the door; nothing is deleted to make
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
    /// A contract is in force.
    Contracted {
        /// Its arithmetic.
        account: Account,
    },
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
}

impl Account {
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
            Self::Unsigned => None,
            Self::Contracted { account } => Some(account),
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
        /// Whether another device of the person has a contract.
        kin: bool,
    },
    /// Shards were deleted.
    Released {
        /// Their bytes.
        bytes: ByteCount,
    },
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Sign.
    Accept {
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
        State::Unsigned => match event {
            Event::Known { agreed, used } => State::Contracted {
                account: Account {
                    agreed,
                    used,
                    pending: BTreeMap::new(),
                },
            },
            Event::Proposed { ask, bytes, room } => {
                sign(State::Unsigned, Account::default(), ask, bytes, room, out)
            }
            Event::StoreAsked { ask, .. } => {
                refuse(ask, ErrorCode::NoContract, out);
                state
            }
            Event::AccessAsked {
                ask,
                access: Access::Read,
                kin: true,
            } => {
                out.push(Action::Allow { ask });
                state
            }
            Event::AccessAsked { ask, .. } => {
                refuse(ask, ErrorCode::NoContract, out);
                state
            }
            Event::ShardKept { .. } | Event::StoreAborted { .. } | Event::Released { .. } => state,
        },
        State::Contracted { mut account } => match event {
            Event::Known { .. } => State::Contracted { account },
            Event::Proposed { ask, bytes, room } => sign(
                State::Contracted {
                    account: account.clone(),
                },
                account,
                ask,
                bytes,
                room,
                out,
            ),
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
            Event::Released { bytes } => {
                account.used = account.used.saturating_sub(bytes);
                State::Contracted { account }
            }
        },
    }
}

/// Signs when the amount is within the room and covers what is here already.
fn sign(
    before: State,
    mut account: Account,
    ask: AskId,
    bytes: ByteCount,
    room: ByteCount,
    out: &mut Vec<Action>,
) -> State {
    if bytes == ByteCount(0) {
        refuse(ask, ErrorCode::BadRequest, out);
        return before;
    }
    if bytes > room || bytes < account.used + account.reserved() {
        refuse(ask, ErrorCode::QuotaExceeded, out);
        return before;
    }
    account.agreed = bytes;
    out.push(Action::Accept { ask });
    State::Contracted { account }
}

fn admit(account: &mut Account, ask: AskId, bytes: ByteCount, out: &mut Vec<Action>) {
    if account.pending.len() >= STORES_PENDING_MAX {
        refuse(ask, ErrorCode::Busy, out);
        return;
    }
    if account.used + account.reserved() + bytes > account.agreed {
        refuse(ask, ErrorCode::QuotaExceeded, out);
        return;
    }
    account.pending.insert(ask, bytes);
    out.push(Action::AcceptStore { ask });
}

fn refuse(ask: AskId, code: ErrorCode, out: &mut Vec<Action>) {
    out.push(Action::Refuse { ask, code });
}
