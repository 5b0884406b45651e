//! The newest head of the own lane: from draft to published, then to every holder.
//!
//! A head is given out only when the commit pack it points to is kept by the quorum, and is
//! called published only when the quorum keeps the head itself. Holders that come later get
//! it too.

mod round;

use bitdust_model::{DeviceId, ErrorCode, Sequence, Tick};

use super::Moment;

use round::Round;

pub(crate) use round::Holders;

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
            Self::Publishing { round, .. }
            | Self::Recording { round, .. }
            | Self::Published { round, .. } => round.retry_at(),
            Self::Unrecorded {
                round, again_at, ..
            } => Some(round.retry_at().map_or(*again_at, |at| at.min(*again_at))),
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
}

impl State {
    /// Whether the catalogue is being told that a head is published: it may know already, and
    /// people see what it knows.
    pub(crate) const fn is_being_recorded(&self) -> bool {
        matches!(self, Self::Recording { .. } | Self::Unrecorded { .. })
    }
}

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
    /// Holders were condemned.
    HoldersChanged,
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
    match state {
        State::Empty => in_empty(state, event, holders, out),
        State::Drafted { sequence, before } => {
            in_drafted(state, sequence, before, event, holders, out)
        }
        State::Publishing { sequence, round } => {
            in_publishing(sequence, round, event, at, holders, out)
        }
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

fn in_empty(state: State, event: Event, holders: &Holders<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Known { sequence } => offer(sequence, Round::default(), holders, out),
        Event::Signed { sequence } => State::Drafted {
            sequence,
            before: None,
        },
        Event::PackPlaced
        | Event::PackLost
        | Event::HolderOnline { .. }
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::Wake => state,
    }
}

fn in_drafted(
    state: State,
    sequence: Sequence,
    before: Option<Sequence>,
    event: Event,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::PackPlaced => publish(sequence, Round::default(), holders, out),
        Event::PackLost => match before {
            Some(sequence) => offer(sequence, Round::default(), holders, out),
            None => State::Empty,
        },
        Event::Signed { sequence } => State::Drafted { sequence, before },
        Event::Known { .. }
        | Event::HolderOnline { .. }
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::Wake => state,
    }
}

fn in_publishing(
    sequence: Sequence,
    mut round: Round,
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
        | Event::NotRecorded { .. } => State::Publishing { sequence, round },
        Event::HolderOnline { .. }
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            if let Some(code) = note(&mut round, sequence, event, at)
                && !round.may_be_kept(holders)
            {
                out.push(Action::Fail { code });
                return State::Refused { sequence, code };
            }
            publish(sequence, round, holders, out)
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
        return offer(sequence, round, holders, out);
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
        return offer(sequence, round, holders, out);
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
        | Event::Known { .. }
        | Event::PackPlaced
        | Event::PackLost => false,
        Event::HolderOnline { .. }
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            note(round, sequence, event, at);
            put(round, sequence, holders, out);
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
        | Event::NotRecorded { .. } => State::Published { sequence, round },
        Event::HolderOnline { .. }
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Wake => {
            note(&mut round, sequence, event, at);
            offer(sequence, round, holders, out)
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
        | Event::HoldersChanged
        | Event::Kept { .. }
        | Event::Declined { .. }
        | Event::Recorded { .. }
        | Event::NotRecorded { .. }
        | Event::Wake => state,
    }
}

fn publish(
    sequence: Sequence,
    mut round: Round,
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    put(&mut round, sequence, holders, out);
    if !round.is_kept(holders) {
        return State::Publishing { sequence, round };
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
    holders: &Holders<'_>,
    out: &mut Vec<Action>,
) -> State {
    put(&mut round, sequence, holders, out);
    State::Published { sequence, round }
}

/// Writes down what happened; says why, when a holder refused it for good.
fn note(round: &mut Round, current: Sequence, event: Event, at: &Moment<'_>) -> Option<ErrorCode> {
    match event {
        Event::HolderOnline { device } => round.reopen(device),
        Event::Kept { device, sequence } if sequence == current => round.keep(device),
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
        | Event::NotRecorded { .. } => {}
    }
    None
}

/// Gives the head to everybody who is there and has not been asked.
fn put(round: &mut Round, sequence: Sequence, holders: &Holders<'_>, out: &mut Vec<Action>) {
    for device in round.give(holders) {
        out.push(Action::Put { device, sequence });
    }
}
