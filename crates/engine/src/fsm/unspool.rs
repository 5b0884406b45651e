//! One supplier: the shards that it is owed, one after another. First those that wait in the
//! spool, then those that must be made anew from what others keep.
//!
//! A new shard is loaded only when the one before was answered, so that at most one shard of a
//! supplier is in memory for that.

use bitdust_model::{PackId, Position, Tick};

use super::Moment;

/// Where the emptying of the spool stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// The supplier takes no shards now.
    #[default]
    Away,
    /// The spool was asked for the next one.
    Loading {
        /// Failures in a row.
        tries: u32,
        /// A shard was spooled meanwhile.
        again: bool,
    },
    /// The spool has nothing, and an owed shard is being made anew.
    Remaking {
        /// Failures in a row.
        tries: u32,
        /// More is owed since.
        again: bool,
    },
    /// A shard is on its way.
    Sending {
        /// Failures in a row.
        tries: u32,
    },
    /// The next one is damaged and being removed.
    Removing {
        /// Failures in a row.
        tries: u32,
    },
    /// The last one failed.
    Resting {
        /// When to try again.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// Nothing is left.
    Drained,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Away
            | Self::Loading { .. }
            | Self::Remaking { .. }
            | Self::Sending { .. }
            | Self::Removing { .. }
            | Self::Drained => None,
            Self::Resting { retry_at, .. } => Some(retry_at),
        }
    }
}

impl State {
    /// Whether the supplier is being given what it is owed, one shard after another.
    pub(crate) const fn is_at_work(self) -> bool {
        match self {
            Self::Loading { .. } | Self::Remaking { .. } | Self::Sending { .. } => true,
            Self::Away | Self::Removing { .. } | Self::Resting { .. } | Self::Drained => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The supplier takes shards.
    Ready,
    /// It does not any more.
    Gone,
    /// The next shard is in memory.
    Loaded,
    /// The spool has nothing for it.
    NothingLeft,
    /// The spool could not be read.
    LoadFailed,
    /// The next shard is damaged.
    Damaged {
        /// Its pack.
        pack: PackId,
        /// Its position.
        position: Position,
    },
    /// The damaged shard is gone.
    Removed,
    /// It is still there.
    NotRemoved,
    /// A shard for it was spooled.
    ShardSpooled,
    /// A shard for it is owed, and not in the spool.
    ShardOwed,
    /// An owed shard is in memory.
    Remade,
    /// None is owed but those that are at hand.
    NothingOwed,
    /// None could be made.
    RemakeFailed,
    /// The shard was stored.
    Sent,
    /// It was not.
    SendFailed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Load the next shard.
    Load,
    /// Make the next shard anew.
    Remake,
    /// Send the loaded shard.
    Send,
    /// Remove a damaged shard.
    Remove {
        /// Its pack.
        pack: PackId,
        /// Its position.
        position: Position,
    },
}

/// What a step may know of the supplier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Supply {
    /// It takes shards now.
    pub(crate) is_ready: bool,
    /// By the ledger some committed pack lacks its confirmation.
    pub(crate) is_owed: bool,
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    supply: Supply,
    out: &mut Vec<Action>,
) -> State {
    let ready = supply.is_ready;
    match state {
        State::Away => in_away(state, event, out),
        State::Loading { tries, again } => in_loading(state, tries, again, event, at, supply, out),
        State::Remaking { tries, again } => in_remaking(state, tries, again, event, at, ready, out),
        State::Sending { tries } => in_sending(state, tries, event, at, ready, out),
        State::Removing { tries } => in_removing(state, tries, event, at, ready, out),
        State::Resting { retry_at, tries } => in_resting(state, retry_at, tries, event, at, out),
        State::Drained => in_drained(state, event, out),
    }
}

fn in_away(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Ready => load(0, out),
        Event::Loaded | Event::Remade => send(0, out),
        Event::Gone
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::Removed
        | Event::NotRemoved
        | Event::ShardSpooled
        | Event::Sent
        | Event::SendFailed
        | Event::Wake
        | Event::ShardOwed
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn in_loading(
    state: State,
    tries: u32,
    again: bool,
    event: Event,
    at: &Moment<'_>,
    supply: Supply,
    out: &mut Vec<Action>,
) -> State {
    match event {
        // Also when the supplier left meanwhile: the failure frees the memory.
        Event::Loaded => send(tries, out),
        Event::NothingLeft if !supply.is_ready => State::Away,
        Event::NothingLeft if again => load(0, out),
        Event::NothingLeft if supply.is_owed => remake(tries, out),
        Event::NothingLeft => State::Drained,
        Event::LoadFailed if !supply.is_ready => State::Away,
        Event::LoadFailed => State::Resting {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        // Also when the supplier left meanwhile: it is never needed again.
        Event::Damaged { pack, position } => {
            out.push(Action::Remove { pack, position });
            State::Removing { tries }
        }
        Event::ShardSpooled => State::Loading { tries, again: true },
        Event::Ready
        | Event::Gone
        | Event::Removed
        | Event::NotRemoved
        | Event::Sent
        | Event::SendFailed
        | Event::Wake
        | Event::ShardOwed
        | Event::Remade
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn in_remaking(
    state: State,
    tries: u32,
    again: bool,
    event: Event,
    at: &Moment<'_>,
    ready: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        // Also when the supplier left meanwhile: the failure frees the memory.
        Event::Remade => send(tries, out),
        Event::NothingOwed | Event::RemakeFailed if !ready => State::Away,
        Event::NothingOwed | Event::RemakeFailed if again => load(tries, out),
        Event::NothingOwed => State::Drained,
        Event::RemakeFailed => State::Resting {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::ShardSpooled | Event::ShardOwed => State::Remaking { tries, again: true },
        Event::Ready
        | Event::Gone
        | Event::Loaded
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::Removed
        | Event::NotRemoved
        | Event::Sent
        | Event::SendFailed
        | Event::Wake => state,
    }
}

fn in_sending(
    state: State,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    ready: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Sent if ready => load(0, out),
        Event::Sent => State::Away,
        Event::SendFailed if ready => State::Resting {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::SendFailed => State::Away,
        Event::Ready
        | Event::Gone
        | Event::Loaded
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::Removed
        | Event::NotRemoved
        | Event::ShardSpooled
        | Event::Wake
        | Event::ShardOwed
        | Event::Remade
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn in_removing(
    state: State,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    ready: bool,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Removed | Event::NotRemoved if !ready => State::Away,
        Event::Removed => load(0, out),
        Event::NotRemoved => State::Resting {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        },
        Event::Ready
        | Event::Gone
        | Event::Loaded
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::ShardSpooled
        | Event::Sent
        | Event::SendFailed
        | Event::Wake
        | Event::ShardOwed
        | Event::Remade
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn in_resting(
    state: State,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => load(tries, out),
        Event::Gone => State::Away,
        Event::Loaded | Event::Remade => send(tries, out),
        Event::Wake
        | Event::Ready
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::Removed
        | Event::NotRemoved
        | Event::ShardSpooled
        | Event::Sent
        | Event::SendFailed
        | Event::ShardOwed
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn in_drained(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::ShardSpooled | Event::ShardOwed => load(0, out),
        Event::Gone => State::Away,
        Event::Loaded | Event::Remade => send(0, out),
        Event::Ready
        | Event::NothingLeft
        | Event::LoadFailed
        | Event::Damaged { .. }
        | Event::Removed
        | Event::NotRemoved
        | Event::Sent
        | Event::SendFailed
        | Event::Wake
        | Event::NothingOwed
        | Event::RemakeFailed => state,
    }
}

fn load(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Load);
    State::Loading {
        tries,
        again: false,
    }
}

fn remake(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Remake);
    State::Remaking {
        tries,
        again: false,
    }
}

fn send(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Send);
    State::Sending { tries }
}
