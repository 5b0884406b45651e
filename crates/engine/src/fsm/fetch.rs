//! One pack, or ranges of it, on the way back.
//!
//! First the positions that hold the wanted bytes themselves; if one cannot be had, any k
//! positions. A position that gave wrong bytes is out; when the pieces cannot be put
//! together, other combinations are tried, one suspect left out at a time. Holders that are
//! away are dialed until patience ends.
//!
//! Nobody is waited for who is late while others could be asked: instead of direct positions any
//! k are gathered then, and where these are late others in the place of all of them. What suffices first
//! wins; what comes later is not needed.

mod gathering;
mod peers;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bitdust_model::intervals::AGAIN_AFTER_MIN;
use bitdust_model::{DeviceId, ErrorCode, Position, Tick};

use super::Moment;

use gathering::{Asks, Gathering};

pub(crate) use gathering::Wanted;
pub(crate) use peers::Peers;

/// Where the fetch stands.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Others come first.
    Queued {
        /// What is wanted.
        wanted: Wanted,
    },
    /// Fetching the positions that hold the bytes themselves.
    Direct {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// Fetching any k positions.
    Whole {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// The pieces are being put together.
    Decoding {
        /// What is wanted and here.
        gathering: Gathering,
    },
    /// Nobody who is there can help.
    Waiting {
        /// What is wanted and here.
        gathering: Gathering,
        /// When to ask again.
        retry_at: Tick,
    },
    /// Every chunk was opened.
    Decoded,
    /// It cannot be had.
    GivenUp,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Queued { .. } | Self::Decoding { .. } | Self::Decoded | Self::GivenUp => None,
            Self::Direct { gathering } | Self::Whole { gathering } => gathering.hedge_at(),
            Self::Waiting { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Whether it is over.
    pub(crate) const fn is_over(&self) -> bool {
        match self {
            Self::Decoded | Self::GivenUp => true,
            Self::Queued { .. }
            | Self::Direct { .. }
            | Self::Whole { .. }
            | Self::Decoding { .. }
            | Self::Waiting { .. } => false,
        }
    }

    /// Whether it waits for its turn.
    pub(crate) const fn is_queued(&self) -> bool {
        matches!(self, Self::Queued { .. })
    }

    /// Who is asked for a position, and since when.
    pub(crate) fn asked(&self, position: Position) -> Option<(DeviceId, Tick)> {
        self.gathering()?.asked(position)
    }

    /// Whether somebody was asked in the place of one who is late, and may still answer in time.
    pub(crate) fn is_hedging(&self, now: Tick) -> bool {
        let gathering = self.gathering();
        gathering.is_some_and(|gathering| gathering.is_hedging(now))
    }

    /// Whose answers are late, without those in whose place others were asked.
    pub(crate) fn overdue(&self, now: Tick) -> BTreeSet<DeviceId> {
        match self {
            Self::Direct { gathering } | Self::Whole { gathering } => gathering.overdue(now),
            Self::Queued { .. }
            | Self::Decoding { .. }
            | Self::Waiting { .. }
            | Self::Decoded
            | Self::GivenUp => BTreeSet::new(),
        }
    }

    /// Whether others would have been asked by now if no other fetch had.
    pub(crate) const fn is_parked(&self) -> bool {
        match self {
            Self::Direct { gathering } | Self::Whole { gathering } => gathering.is_parked(),
            Self::Queued { .. }
            | Self::Decoding { .. }
            | Self::Waiting { .. }
            | Self::Decoded
            | Self::GivenUp => false,
        }
    }

    /// Whether more pieces are here or asked for than it takes.
    pub(crate) fn has_spare(&self) -> bool {
        self.gathering().is_some_and(Gathering::has_spare)
    }

    const fn gathering(&self) -> Option<&Gathering> {
        match self {
            Self::Direct { gathering }
            | Self::Whole { gathering }
            | Self::Decoding { gathering }
            | Self::Waiting { gathering, .. } => Some(gathering),
            Self::Queued { .. } | Self::Decoded | Self::GivenUp => None,
        }
    }

    /// Whether it waits for suppliers.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Its turn came.
    TurnCame,
    /// The bytes of a position came.
    RangeFetched {
        /// Which.
        position: Position,
    },
    /// They did not.
    RangeFailed {
        /// Which.
        position: Position,
        /// Who was asked.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// The pieces fit.
    Decoded,
    /// They do not.
    DecodeFailed {
        /// Why.
        code: ErrorCode,
    },
    /// A peer said hello.
    PeerUp {
        /// Who.
        device: DeviceId,
    },
    /// The machine slept: what was waited for meanwhile says nothing.
    Resumed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Ask a holder.
    Ask {
        /// For which position.
        position: Position,
        /// Whom.
        device: DeviceId,
        /// For the union of all wanted ranges.
        whole: bool,
    },
    /// Note that an answer is late.
    NoteLate {
        /// Whose.
        device: DeviceId,
    },
    /// Connect to a holder.
    Dial {
        /// Whom.
        device: DeviceId,
    },
    /// Put pieces together.
    Decode {
        /// Which.
        positions: Vec<Position>,
    },
    /// Say that it cannot be had.
    GiveUp {
        /// Why.
        code: ErrorCode,
    },
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    peers: &Peers<'_>,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Queued { wanted } => match event {
            Event::TurnCame => advance(Gathering::new(wanted, at.now), at, peers, out),
            Event::RangeFetched { .. }
            | Event::RangeFailed { .. }
            | Event::Decoded
            | Event::DecodeFailed { .. }
            | Event::PeerUp { .. }
            | Event::Resumed
            | Event::Wake => State::Queued { wanted },
        },
        State::Direct { mut gathering } | State::Whole { mut gathering } => match event {
            Event::RangeFetched { position } => {
                gathering.take(position, at.now);
                advance(gathering, at, peers, out)
            }
            Event::RangeFailed {
                position,
                device,
                code,
            } => {
                gathering.miss(position, device, code);
                advance(gathering, at, peers, out)
            }
            Event::PeerUp { device } => {
                gathering.forgive(device);
                advance(gathering, at, peers, out)
            }
            Event::Resumed => {
                gathering.restart(at.now);
                rest(gathering)
            }
            Event::Wake if gathering.is_hedge_due(at.now) => hedge(gathering, at, peers, out),
            Event::TurnCame | Event::Decoded | Event::DecodeFailed { .. } | Event::Wake => {
                rest(gathering)
            }
        },
        State::Decoding { gathering } => in_decoding(gathering, event, at, peers, out),
        State::Waiting {
            gathering,
            retry_at,
        } => in_waiting(gathering, retry_at, event, at, peers, out),
        State::Decoded => State::Decoded,
        State::GivenUp => State::GivenUp,
    }
}

fn in_decoding(
    mut gathering: Gathering,
    event: Event,
    at: &Moment<'_>,
    peers: &Peers<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Decoded => State::Decoded,
        Event::DecodeFailed {
            code: ErrorCode::Corrupt,
        } => {
            gathering.suspect();
            advance(gathering, at, peers, out)
        }
        Event::DecodeFailed { code } => give_up(code, out),
        Event::RangeFetched { position } => {
            gathering.take(position, at.now);
            State::Decoding { gathering }
        }
        Event::RangeFailed {
            position,
            device,
            code,
        } => {
            gathering.miss(position, device, code);
            State::Decoding { gathering }
        }
        Event::PeerUp { device } => {
            gathering.forgive(device);
            State::Decoding { gathering }
        }
        Event::Resumed => {
            gathering.restart(at.now);
            State::Decoding { gathering }
        }
        Event::TurnCame | Event::Wake => State::Decoding { gathering },
    }
}

fn in_waiting(
    mut gathering: Gathering,
    retry_at: Tick,
    event: Event,
    at: &Moment<'_>,
    peers: &Peers<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Resumed => {
            gathering.restart(at.now);
            State::Waiting {
                gathering,
                retry_at,
            }
        }
        Event::Wake if at.now >= retry_at => {
            gathering.begin_round();
            advance(gathering, at, peers, out)
        }
        Event::PeerUp { device } if gathering.may_hold(device) => {
            gathering.forgive(device);
            advance(gathering, at, peers, out)
        }
        Event::Wake
        | Event::PeerUp { .. }
        | Event::TurnCame
        | Event::RangeFetched { .. }
        | Event::RangeFailed { .. }
        | Event::Decoded
        | Event::DecodeFailed { .. } => State::Waiting {
            gathering,
            retry_at,
        },
    }
}

/// Decides what to do next with what is here.
fn advance(
    mut gathering: Gathering,
    at: &Moment<'_>,
    peers: &Peers<'_>,
    out: &mut Vec<Action>,
) -> State {
    if let Some(positions) = gathering.take_direct() {
        out.push(Action::Decode { positions });
        return State::Decoding { gathering };
    }
    if !gathering.is_whole() {
        if let Some(asks) = gathering.ask_direct(peers, at.now) {
            ask(asks, false, out);
            gathering.plan_hedge();
            return State::Direct { gathering };
        }
        gathering.go_whole();
    }
    if let Some(positions) = gathering.next_combination() {
        out.push(Action::Decode { positions });
        return State::Decoding { gathering };
    }
    if gathering.is_hopeless() {
        return give_up(ErrorCode::TooFewShards, out);
    }
    ask(gathering.ask_whole(peers, at.now), true, out);
    if gathering.is_coming() {
        gathering.plan_hedge();
        return State::Whole { gathering };
    }
    wait(gathering, at, peers, out)
}

/// Answers are late: others are asked, and where nobody else is there those who are away are dialed.
fn hedge(
    mut gathering: Gathering,
    at: &Moment<'_>,
    peers: &Peers<'_>,
    out: &mut Vec<Action>,
) -> State {
    let overdue = gathering.overdue(at.now);
    let late = peers.late.union(&overdue).copied().collect();
    let peers = Peers {
        late: &late,
        ..*peers
    };
    for device in overdue {
        out.push(Action::NoteLate { device });
    }
    let again_after = if peers.may_hedge {
        at.policy.late_for
    } else {
        at.policy.late_min.max(AGAIN_AFTER_MIN)
    };
    let asks = gathering.hedge(&peers, at.now, again_after);
    if asks.is_empty() && peers.may_hedge {
        dial_away(&gathering, &peers, out);
    }
    ask(asks, true, out);
    rest(gathering)
}

fn give_up(code: ErrorCode, out: &mut Vec<Action>) -> State {
    out.push(Action::GiveUp { code });
    State::GivenUp
}

fn ask(asks: Asks, whole: bool, out: &mut Vec<Action>) {
    for (position, device) in asks {
        out.push(Action::Ask {
            position,
            device,
            whole,
        });
    }
}

/// Nobody there can help: dial those who are away, and come back.
fn wait(gathering: Gathering, at: &Moment<'_>, peers: &Peers<'_>, out: &mut Vec<Action>) -> State {
    let patient_until = gathering.progress_at() + at.policy.restore_patience;
    if at.now >= patient_until {
        return give_up(ErrorCode::TooFewShards, out);
    }
    dial_away(&gathering, peers, out);
    let retry_at = at.retry_at(gathering.rounds()).min(patient_until);
    State::Waiting {
        gathering,
        retry_at,
    }
}

fn dial_away(gathering: &Gathering, peers: &Peers<'_>, out: &mut Vec<Action>) {
    for device in gathering.away(peers.online) {
        out.push(Action::Dial { device });
    }
}

fn rest(gathering: Gathering) -> State {
    if gathering.is_whole() {
        State::Whole { gathering }
    } else {
        State::Direct { gathering }
    }
}
