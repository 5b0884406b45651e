//! One supplier: what it keeps of the own lane. It is asked each time it is there, before it is given a
//! head: what it has beyond ours is never overwritten (P20).

use bitdust_model::Tick;

use super::Moment;

/// Where the question stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// It is not there.
    #[default]
    Away,
    /// It was asked.
    Asking {
        /// Failures in a row.
        tries: u32,
    },
    /// It did not tell.
    Waiting {
        /// When it is asked again.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// It keeps nothing that is not known here, and is asked which shards it has: the catalogue was taken
    /// in anew from what suppliers keep.
    Listing,
    /// It keeps nothing that is not known here.
    Known,
    /// It keeps a head that is not known here.
    Ahead,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Waiting { retry_at, .. } => Some(retry_at),
            Self::Away | Self::Asking { .. } | Self::Listing | Self::Known | Self::Ahead => None,
        }
    }

    /// Whether it may be given a head, and shards that it is owed.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Known)
    }

    /// Whether its first answer may come at any moment.
    pub(crate) const fn is_awaited(self) -> bool {
        matches!(self, Self::Asking { tries: 0 })
    }

    /// Whether it may be known at any moment what it has.
    pub(crate) const fn is_telling(self) -> bool {
        self.is_awaited() || matches!(self, Self::Listing)
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// It is connected with a contract.
    Online,
    /// It is not any more.
    Gone,
    /// It told what it keeps.
    Told {
        /// Whether all of that is known here.
        is_known: bool,
        /// Whether it is to be asked which shards it has.
        is_unlisted: bool,
    },
    /// It did not tell.
    NotTold,
    /// It told which shards it has, or did not.
    Listed,
    /// It refused a head that does not follow what it keeps.
    Forked,
    /// What suppliers keep of the lane was taken in.
    CaughtUp,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Ask it.
    Ask,
    /// It told: see how the lane stands.
    Count,
    /// Ask it which shards it has.
    List,
    /// It may be sent what it is owed.
    Serve,
}

/// One step.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Online => ask(0, out),
        Event::Gone => {
            out.push(Action::Count);
            State::Away
        }
        Event::Told { .. } | Event::NotTold if state == State::Away => state,
        Event::Told {
            is_known,
            is_unlisted,
        } => told(is_known, is_unlisted, out),
        Event::NotTold => match state {
            State::Asking { tries } => {
                out.push(Action::Count);
                State::Waiting {
                    retry_at: at.retry_at(tries),
                    tries: tries.saturating_add(1),
                }
            }
            State::Away | State::Waiting { .. } | State::Listing | State::Known | State::Ahead => {
                state
            }
        },
        // One that does not tell is sent what it is owed, and takes what it has not.
        Event::Listed => match state {
            State::Listing => serve(out),
            State::Away
            | State::Asking { .. }
            | State::Waiting { .. }
            | State::Known
            | State::Ahead => state,
        },
        Event::CaughtUp => match state {
            State::Known | State::Ahead => ask(0, out),
            State::Away | State::Asking { .. } | State::Waiting { .. } | State::Listing => state,
        },
        // What it keeps it tells with its owner's signature; that it refuses, by its word alone.
        Event::Forked => match state {
            State::Known => ask(0, out),
            State::Away
            | State::Asking { .. }
            | State::Waiting { .. }
            | State::Listing
            | State::Ahead => state,
        },
        Event::Wake => match state {
            State::Waiting { retry_at, tries } if at.now >= retry_at => ask(tries, out),
            State::Away
            | State::Asking { .. }
            | State::Waiting { .. }
            | State::Listing
            | State::Known
            | State::Ahead => state,
        },
    }
}

fn told(is_known: bool, is_unlisted: bool, out: &mut Vec<Action>) -> State {
    out.push(Action::Count);
    if !is_known {
        State::Ahead
    } else if is_unlisted {
        out.push(Action::List);
        State::Listing
    } else {
        serve(out)
    }
}

fn serve(out: &mut Vec<Action>) -> State {
    out.push(Action::Serve);
    State::Known
}

fn ask(tries: u32, out: &mut Vec<Action>) -> State {
    out.push(Action::Ask);
    State::Asking { tries }
}
