//! One shard on its way to one supplier.
//!
//! From memory it is tried a few times and then spooled, so that a silent supplier never
//! holds up the packs behind it. Where the spool does not take it, it is kept in memory only as long
//! as the pack cannot be had from others: after that it is owed. A shard from the spool goes back
//! there when it fails; one that was made anew is owed as before.

use bitdust_model::limits::TRANSFER_TRIES_MAX;
use bitdust_model::{ErrorCode, Tick};

use super::Moment;

/// Where the shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// In memory, nothing done yet.
    Queued,
    /// Being sent.
    Sending {
        /// Failures in a row.
        tries: u32,
        /// Where its bytes are from.
        source: Source,
    },
    /// In memory, to be sent again.
    Waiting {
        /// When.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// On its way into the spool.
    Spooling {
        /// Refusals in a row, and why the last.
        refusals: Option<Refusals>,
    },
    /// In memory, because the spool did not take it.
    Held {
        /// When the spool is asked again.
        retry_at: Tick,
        /// Refusals in a row, and why the last.
        refusals: Refusals,
    },
    /// Durable in the spool.
    Spooled,
    /// The supplier signed for it.
    Confirmed,
    /// Neither here nor there: a debt, to be made anew.
    Owed,
}

/// Where the bytes of a shard are from that is being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The pack is in memory.
    Memory,
    /// The spool, where it still lies.
    Spool,
    /// It was made anew, and is nowhere else.
    Remade,
}

/// How often the spool did not take a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusals {
    /// In a row.
    pub(crate) count: u32,
    /// Why the last.
    pub(crate) code: ErrorCode,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Queued
            | Self::Sending { .. }
            | Self::Spooling { .. }
            | Self::Spooled
            | Self::Confirmed
            | Self::Owed => None,
            Self::Waiting { retry_at, .. } | Self::Held { retry_at, .. } => Some(retry_at),
        }
    }

    /// Whether the pack's memory is not needed for it any more.
    pub(crate) const fn is_kept(self) -> bool {
        match self {
            Self::Spooled
            | Self::Confirmed
            | Self::Owed
            | Self::Sending {
                source: Source::Spool | Source::Remade,
                ..
            } => true,
            Self::Queued
            | Self::Sending {
                source: Source::Memory,
                ..
            }
            | Self::Waiting { .. }
            | Self::Spooling { .. }
            | Self::Held { .. } => false,
        }
    }

    /// Whether nothing happens to it unless somebody begins: the ledger has it.
    pub(crate) const fn is_at_rest(self) -> bool {
        match self {
            Self::Spooled | Self::Confirmed | Self::Owed => true,
            Self::Queued
            | Self::Sending { .. }
            | Self::Waiting { .. }
            | Self::Spooling { .. }
            | Self::Held { .. } => false,
        }
    }

    /// Why the spool does not take it, as long as it does not.
    pub(crate) const fn refused(self) -> Option<ErrorCode> {
        match self {
            Self::Held { refusals, .. }
            | Self::Spooling {
                refusals: Some(refusals),
            } => Some(refusals.code),
            Self::Queued
            | Self::Sending { .. }
            | Self::Waiting { .. }
            | Self::Spooling { refusals: None }
            | Self::Spooled
            | Self::Confirmed
            | Self::Owed => None,
        }
    }

    /// Whether it is moving towards the supplier without waiting for anybody.
    pub(crate) const fn is_moving(self) -> bool {
        match self {
            Self::Queued | Self::Sending { .. } | Self::Waiting { .. } => true,
            Self::Spooling { .. }
            | Self::Held { .. }
            | Self::Spooled
            | Self::Confirmed
            | Self::Owed => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The pack was sealed: begin.
    Begin,
    /// The supplier takes shards.
    SupplierReady,
    /// It does not any more.
    SupplierGone,
    /// It signed for the shard.
    Stored,
    /// The shard was not sent.
    SendFailed {
        /// Why.
        code: ErrorCode,
    },
    /// It lies in the spool.
    Spooled,
    /// The spool did not take it.
    SpoolFailed {
        /// Why.
        code: ErrorCode,
    },
    /// It was loaded from the spool.
    Loaded,
    /// It was made anew.
    Remade,
    /// What lies in the spool is damaged.
    Lost,
    /// The supplier does not have it any more.
    Withdrawn,
    /// The pack is committed: its shards can be made anew.
    Committed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Send it.
    Send,
    /// Spool it.
    Spool,
    /// Tell the link why the supplier takes no shards.
    TellLink {
        /// Why.
        code: ErrorCode,
    },
}

/// What a step may know of the shard's way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// The supplier takes shards now.
    pub(crate) is_ready: bool,
    /// The pack is committed.
    pub(crate) is_committed: bool,
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    way: Way,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Queued => in_queued(state, event, way, out),
        State::Sending { tries, source } => in_sending(state, tries, source, event, at, way, out),
        State::Waiting { retry_at, tries } => in_waiting(state, retry_at, tries, event, at, out),
        State::Spooling { refusals } => in_spooling(state, refusals, event, at, way, out),
        State::Held { retry_at, refusals } => step_held(retry_at, refusals, event, at, out),
        State::Spooled | State::Owed => match event {
            Event::Remade if state == State::Owed => send(0, Source::Remade, out),
            Event::Loaded | Event::Remade => send(0, Source::Spool, out),
            Event::Stored => State::Confirmed,
            Event::Lost => State::Owed,
            Event::Withdrawn
            | Event::Begin
            | Event::SupplierReady
            | Event::SupplierGone
            | Event::SendFailed { .. }
            | Event::Spooled
            | Event::SpoolFailed { .. }
            | Event::Committed
            | Event::Wake => state,
        },
        State::Confirmed => match event {
            // The catalogue has the receipt and the spool still the shard: the supplier
            // answers at once that it has it, and the spool forgets it.
            Event::Loaded | Event::Remade => {
                out.push(Action::Send);
                state
            }
            Event::Withdrawn => State::Owed,
            Event::Begin
            | Event::SupplierReady
            | Event::SupplierGone
            | Event::Stored
            | Event::SendFailed { .. }
            | Event::Spooled
            | Event::SpoolFailed { .. }
            | Event::Lost
            | Event::Committed
            | Event::Wake => state,
        },
    }
}

fn in_queued(state: State, event: Event, way: Way, out: &mut Vec<Action>) -> State {
    match event {
        Event::Begin if way.is_ready => send(0, Source::Memory, out),
        Event::Begin => spool(out),
        Event::SupplierReady | Event::Remade => send(0, Source::Memory, out),
        Event::Stored => State::Confirmed,
        Event::Spooled => State::Spooled,
        Event::Loaded => send(0, Source::Spool, out),
        Event::SupplierGone
        | Event::SendFailed { .. }
        | Event::SpoolFailed { .. }
        | Event::Lost
        | Event::Withdrawn
        | Event::Committed
        | Event::Wake => state,
    }
}

fn in_sending(
    state: State,
    tries: u32,
    source: Source,
    event: Event,
    at: &Moment<'_>,
    way: Way,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Stored => State::Confirmed,
        Event::SendFailed { code } => fail(tries, source, code, at, way, out),
        // The answer to the send that is out will come.
        Event::Begin
        | Event::SupplierReady
        | Event::SupplierGone
        | Event::Spooled
        | Event::SpoolFailed { .. }
        | Event::Loaded
        | Event::Remade
        | Event::Lost
        | Event::Withdrawn
        | Event::Committed
        | Event::Wake => state,
    }
}

fn in_waiting(
    state: State,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => send(tries, Source::Memory, out),
        Event::SupplierReady | Event::Remade => send(tries, Source::Memory, out),
        Event::SupplierGone => spool(out),
        Event::Stored => State::Confirmed,
        Event::Loaded => send(0, Source::Spool, out),
        Event::Wake
        | Event::Begin
        | Event::SendFailed { .. }
        | Event::Spooled
        | Event::SpoolFailed { .. }
        | Event::Committed
        | Event::Lost
        | Event::Withdrawn => state,
    }
}

fn in_spooling(
    state: State,
    refusals: Option<Refusals>,
    event: Event,
    at: &Moment<'_>,
    way: Way,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Spooled => State::Spooled,
        Event::SpoolFailed { .. } if way.is_committed => State::Owed,
        Event::SpoolFailed { .. } if way.is_ready => send(0, Source::Memory, out),
        Event::SpoolFailed { code } => {
            let count = refusals.map_or(0, |refusals| refusals.count);
            State::Held {
                retry_at: at.retry_at(count),
                refusals: Refusals {
                    count: count.saturating_add(1),
                    code,
                },
            }
        }
        Event::Stored => State::Confirmed,
        // It was found in the spool before the answer came that it lies there. Nobody else
        // sends it, and `unspool` waits for the answer to the send.
        Event::Loaded => send(0, Source::Spool, out),
        Event::Remade => send(0, Source::Memory, out),
        Event::Begin
        | Event::SupplierReady
        | Event::SupplierGone
        | Event::SendFailed { .. }
        | Event::Lost
        | Event::Withdrawn
        | Event::Committed
        | Event::Wake => state,
    }
}

fn step_held(
    retry_at: Tick,
    refusals: Refusals,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::SupplierReady | Event::Remade => send(0, Source::Memory, out),
        Event::Wake if at.now >= retry_at => {
            out.push(Action::Spool);
            State::Spooling {
                refusals: Some(refusals),
            }
        }
        Event::Stored => State::Confirmed,
        // Others have what it takes to make it anew: it need not hold up what comes behind it.
        Event::Committed => State::Owed,
        Event::Loaded => send(0, Source::Spool, out),
        Event::Begin
        | Event::SupplierGone
        | Event::SendFailed { .. }
        | Event::Spooled
        | Event::SpoolFailed { .. }
        | Event::Lost
        | Event::Withdrawn
        | Event::Wake => State::Held { retry_at, refusals },
    }
}

fn send(tries: u32, source: Source, out: &mut Vec<Action>) -> State {
    out.push(Action::Send);
    State::Sending { tries, source }
}

fn spool(out: &mut Vec<Action>) -> State {
    out.push(Action::Spool);
    State::Spooling { refusals: None }
}

fn fail(
    tries: u32,
    source: Source,
    code: ErrorCode,
    at: &Moment<'_>,
    way: Way,
    out: &mut Vec<Action>,
) -> State {
    let closed = matches!(code, ErrorCode::QuotaExceeded | ErrorCode::NoContract);
    if closed {
        out.push(Action::TellLink { code });
    }
    match source {
        Source::Memory => {}
        Source::Spool => return State::Spooled,
        Source::Remade => return State::Owed,
    }
    let tries = tries.saturating_add(1);
    if closed || !way.is_ready || tries >= TRANSFER_TRIES_MAX {
        return spool(out);
    }
    State::Waiting {
        retry_at: at.retry_at(tries - 1),
        tries,
    }
}
