//! The newest head of the own lane: from draft to published, then to every holder.
//!
//! A head is given out only when enough keep the commit pack it points to, and is called published
//! only when enough keep the head itself: two, or the only one who is there. Those who are there and
//! make it safe are waited for a short time, others not at all. Holders that come later get it too.

mod round;
mod state;

use bitdust_model::{DeviceId, ErrorCode, Sequence, Tick};

use super::Moment;
use crate::safety::Quorum;

use round::Round;

pub(crate) use round::Holders;
pub(crate) use state::State;

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The catalogue knows a published head.
    Known {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// A head was signed and recorded.
    Signed {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// Its commit pack is kept by the quorum.
    PackPlaced,
    /// Its commit pack can never be.
    PackLost,
    /// A holder is connected with a contract.
    HolderOnline {
        /// Who.
        device: DeviceId,
    },
    /// A holder has got lists that it lacked.
    ListsKept {
        /// Who.
        device: DeviceId,
    },
    /// Holders became suspect or trusted, or went.
    HoldersChanged,
    /// A holder proves nothing that it confirmed, the head neither.
    HolderEmptied {
        /// Who.
        device: DeviceId,
    },
    /// A holder keeps it.
    Kept {
        /// Who.
        device: DeviceId,
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// A holder does not.
    Declined {
        /// Who.
        device: DeviceId,
        /// Its place in the lane.
        sequence: Sequence,
        /// Why.
        code: ErrorCode,
    },
    /// The catalogue knows that it is published.
    Recorded {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// The catalogue did not take that.
    NotRecorded {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// A published head was taken in from suppliers: what was on its way before is over.
    CaughtUp {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Give it to a holder.
    Put {
        /// To whom.
        device: DeviceId,
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// Enough keep it: tell the backup.
    Keep {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// Tell the catalogue.
    Record {
        /// Its place in the lane.
        sequence: Sequence,
    },
    /// Go on without a holder that was waited for.
    PassOver {
        /// Which.
        device: DeviceId,
    },
    /// Tell the backup that it cannot be published.
    Fail {
        /// Why.
        code: ErrorCode,
    },
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    if let Event::CaughtUp { sequence } = event {
        return offer(sequence, Round::default(), at, holders, out);
    }
    match state {
        State::Empty => in_empty(state, event, at, holders, out),
        State::Drafted { sequence, before } => {
            in_drafted(state, sequence, before, event, at, holders, out)
        }
        State::Publishing {
            sequence,
            round,
            until,
        } => in_publishing((sequence, round, until), event, at, holders, out),
        State::Recording {
            sequence,
            round,
            tries,
        } => in_recording(sequence, round, tries, event, at, holders, out),
        State::Unrecorded {
            sequence,
            round,
            again_at,
            tries,
        } => in_unrecorded(sequence, round, again_at, tries, event, at, holders, out),
        State::Published { sequence, round } => {
            in_published(sequence, round, event, at, holders, out)
        }
        State::Refused { .. } => in_refused(state, event),
    }
}

fn in_empty(
    state: State,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Known { sequence } => offer(sequence, Round::default(), at, holders, out),
        Event::Signed { sequence } => State::Drafted {
            sequence,
            before: None,
        },
        Event::PackPlaced
        | Event::PackLost
        | Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. }
        | Event::Wake => state,
    }
}

fn in_drafted(
    state: State,
    sequence: Sequence,
    before: Option<Sequence>,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::PackPlaced => publish(sequence, Round::default(), at, holders, out),
        Event::PackLost => match before {
            Some(sequence) => offer(sequence, Round::default(), at, holders, out),
            None => State::Empty,
        },
        Event::Signed { sequence } => State::Drafted { sequence, before },
        Event::Known { .. }
        | Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. }
        | Event::Wake => state,
    }
}

fn in_publishing(
    (sequence, mut round, until): (Sequence, Round, Option<Tick>),
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Signed { sequence } => State::Drafted {
            sequence,
            before: None,
        },
        Event::Known { .. }
        | Event::PackPlaced
        | Event::PackLost
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. } => State::Publishing {
            sequence,
            round,
            until,
        },
        Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            if let Some(code) = note(&mut round, sequence, event, at)
                && !round.may_be_kept(holders)
            {
                out.push(Action::Fail { code });
                return State::Refused { sequence, code };
            }
            publish(sequence, round, at, holders, out)
        }
    }
}

fn in_recording(
    sequence: Sequence,
    mut round: Round,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    if give_meanwhile(sequence, &mut round, event, at, holders, out) {
        return offer(sequence, round, at, holders, out);
    }
    if event == (Event::NotRecorded { sequence }) {
        return State::Unrecorded {
            sequence,
            round,
            again_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        };
    }
    State::Recording {
        sequence,
        round,
        tries,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the state's data, and what every step gets"
)]
fn in_unrecorded(
    sequence: Sequence,
    mut round: Round,
    again_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    if give_meanwhile(sequence, &mut round, event, at, holders, out) {
        return offer(sequence, round, at, holders, out);
    }
    if event == Event::Wake && at.now >= again_at {
        out.push(Action::Record { sequence });
        return State::Recording {
            sequence,
            round,
            tries,
        };
    }
    State::Unrecorded {
        sequence,
        round,
        again_at,
        tries,
    }
}

/// Gives the head to further holders while the catalogue does not know that it is published;
/// says whether it knows now.
fn give_meanwhile(
    sequence: Sequence,
    round: &mut Round,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> bool {
    match event {
        Event::Recorded { sequence: recorded } => recorded == sequence,
        Event::Signed { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. }
        | Event::Known { .. }
        | Event::PackPlaced
        | Event::PackLost => false,
        Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            note(round, sequence, event, at);
            put(round, sequence, at, holders, out);
            false
        }
    }
}

fn in_published(
    sequence: Sequence,
    mut round: Round,
    event: Event,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Signed { sequence: next } => State::Drafted {
            sequence: next,
            before: Some(sequence),
        },
        Event::Known { .. }
        | Event::PackPlaced
        | Event::PackLost
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. } => State::Published { sequence, round },
        Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            note(&mut round, sequence, event, at);
            offer(sequence, round, at, holders, out)
        }
    }
}

fn in_refused(state: State, event: Event) -> State {
    match event {
        Event::Signed { sequence } => State::Drafted {
            sequence,
            before: None,
        },
        Event::Known { .. }
        | Event::PackPlaced
        | Event::PackLost
        | Event::HolderOnline { .. }
        | Event::ListsKept { .. }
        | Event::HoldersChanged
        | Event::HolderEmptied { .. }
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. }
        | Event::Wake => state,
    }
}

/// Gives it to whoever is there. It is published once enough keep it and nobody is waited for.
fn publish(
    sequence: Sequence,
    mut round: Round,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    put(&mut round, sequence, at, holders, out);
    let until = match round.quorum(holders) {
        // One is enough where the others that are there never answer.
        Quorum::Short { confirmed, .. } if confirmed > 0 && round.is_welcome(holders) => {
            Some(round.until_needed(at))
        }
        Quorum::Short { .. } | Quorum::Lost => None,
        Quorum::Enough { moving: true } => Some(round.until(at)),
        Quorum::Enough { moving: false } | Quorum::Reached => Some(at.now),
    };
    if until.is_none_or(|until| at.now < until) {
        return State::Publishing {
            sequence,
            round,
            until,
        };
    }
    if let Quorum::Enough { moving: true } | Quorum::Short { .. } = round.quorum(holders) {
        let stragglers = round.stragglers(holders).into_iter();
        out.extend(stragglers.map(|device| Action::PassOver { device }));
    }
    out.push(Action::Keep { sequence });
    out.push(Action::Record { sequence });
    State::Recording {
        sequence,
        round,
        tries: 0,
    }
}

fn offer(
    sequence: Sequence,
    mut round: Round,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    put(&mut round, sequence, at, holders, out);
    State::Published { sequence, round }
}

/// Writes down what happened; says why, when a holder refused it for good.
fn note(round: &mut Round, current: Sequence, event: Event, at: &Moment<'_>) -> Option<ErrorCode> {
    match event {
        Event::HolderOnline { device } => round.reopen(device),
        Event::HolderEmptied { device } => round.forget(device),
        Event::ListsKept { device } => round.ask_again(device),
        Event::Kept { device, sequence } if sequence == current => round.keep(device, at.now),
        Event::Declined {
            device,
            sequence,
            code,
        } if sequence == current => return round.decline(device, code, at).then_some(code),
        Event::Wake => round.retry(at.now),
        Event::Known { .. }
        | Event::Signed { .. }
        | Event::PackPlaced
        | Event::PackLost
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::CaughtUp { .. } => {}
    }
    None
}

/// Gives the head to everybody who is there and has not been asked.
fn put(
    round: &mut Round,
    sequence: Sequence,
    at: &Moment<'_>,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) {
    for device in round.give(holders, at.now) {
        out.push(Action::Put { device, sequence });
    }
}
