//! One recovery: find the identity's records, ask the suppliers they name, rebuild.
//!
//! It goes on when k suppliers have told their newest heads and the others had their time,
//! so that any commit that was published is among what was told.

mod inquiry;

use std::collections::BTreeSet;

use bitdust_model::{DeviceId, ErrorCode, Sequence, Tick};

use super::Moment;
use crate::io::Phase;

use inquiry::{Findings, Inquiry, Request};

/// Where the recovery stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Asked for.
    #[default]
    Asked,
    /// Looking for the records.
    Seeking {
        /// Failures so far.
        tries: u32,
        /// When to stop looking.
        until: Tick,
    },
    /// They were not found; the next look is planned.
    Pausing {
        /// For then.
        retry_at: Tick,
        /// Failures so far.
        tries: u32,
        /// When to stop looking.
        until: Tick,
    },
    /// Asking the suppliers.
    AskingHeads {
        /// Who answered what.
        inquiry: Inquiry,
    },
    /// Loading lists and indexes.
    Rebuilding,
    /// The catalogue is there.
    Done,
    /// It could not be done.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stopped it.
    Cancelled,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Asked
            | Self::Seeking { .. }
            | Self::Rebuilding
            | Self::Done
            | Self::Failed { .. }
            | Self::Cancelled => None,
            Self::Pausing { retry_at, .. } => Some(*retry_at),
            Self::AskingHeads { inquiry } => Some(inquiry.deadline()),
        }
    }

    /// Whether the job is over.
    pub(crate) const fn is_over(&self) -> bool {
        match self {
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
            Self::Asked
            | Self::Seeking { .. }
            | Self::Pausing { .. }
            | Self::AskingHeads { .. }
            | Self::Rebuilding => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Begin.
    Begin,
    /// The records name these suppliers.
    LanesFound {
        /// All of them.
        suppliers: Vec<DeviceId>,
        /// So many answers are needed.
        k: u8,
    },
    /// No record was found.
    LanesMissing,
    /// It could not be looked for them.
    SeekFailed {
        /// Why.
        code: ErrorCode,
    },
    /// A peer said hello.
    PeerUp {
        /// Who.
        device: DeviceId,
    },
    /// A dial failed.
    DialFailed {
        /// Whom.
        device: DeviceId,
    },
    /// A supplier told its heads.
    HeadsHeard {
        /// Who.
        device: DeviceId,
        /// Newest place of each lane.
        lanes: Vec<(DeviceId, Sequence)>,
    },
    /// A supplier could not be asked.
    HeadsFailed {
        /// Who.
        device: DeviceId,
    },
    /// The catalogue is rebuilt.
    Rebuilt,
    /// It could not be.
    RebuildFailed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stops it.
    Cancel,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Look for the records.
    Seek,
    /// Connect to a supplier.
    Dial {
        /// Which.
        device: DeviceId,
    },
    /// Ask a supplier for its heads.
    Ask {
        /// Which.
        device: DeviceId,
    },
    /// Load lists and indexes.
    Rebuild {
        /// Newest place of each lane.
        lanes: Vec<(DeviceId, Sequence)>,
        /// Suppliers that told nothing older.
        confirmed: u32,
        /// Suppliers named.
        of: u32,
    },
    /// Tell people that it ended.
    End {
        /// Why not done.
        failure: Option<ErrorCode>,
    },
}

/// One step; `online`: peers that are connected.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    if event == Event::Cancel && !state.is_over() {
        return end(State::Cancelled, Some(ErrorCode::Cancelled), out);
    }
    match state {
        State::Asked => in_asked(state, event, at, out),
        State::Seeking { tries, until } => in_seeking(state, tries, until, event, at, online, out),
        State::Pausing {
            retry_at,
            tries,
            until,
        } => in_pausing(state, retry_at, tries, until, event, at, out),
        State::AskingHeads { inquiry } => in_asking_heads(inquiry, event, at, out),
        State::Rebuilding => in_rebuilding(state, event, out),
        State::Done | State::Failed { .. } | State::Cancelled => match event {
            Event::Begin
            | Event::LanesFound { .. }
            | Event::LanesMissing
            | Event::SeekFailed { .. }
            | Event::PeerUp { .. }
            | Event::DialFailed { .. }
            | Event::HeadsHeard { .. }
            | Event::HeadsFailed { .. }
            | Event::Rebuilt
            | Event::RebuildFailed { .. }
            | Event::Cancel
            | Event::Wake => state,
        },
    }
}

fn in_asked(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Begin => seek(0, at.now + at.policy.recovery_timeout, out),
        Event::LanesFound { .. }
        | Event::LanesMissing
        | Event::SeekFailed { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt
        | Event::RebuildFailed { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn in_seeking(
    state: State,
    tries: u32,
    until: Tick,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::LanesFound { suppliers, k } => {
            let (inquiry, requests) = Inquiry::begin(&suppliers, k, at, online);
            run(requests, out);
            go_on(inquiry, at, out)
        }
        Event::LanesMissing => pause(ErrorCode::NotFound, tries, until, at, out),
        Event::SeekFailed { code } => pause(code, tries, until, at, out),
        Event::Begin
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt
        | Event::RebuildFailed { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn in_pausing(
    state: State,
    retry_at: Tick,
    tries: u32,
    until: Tick,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => seek(tries, until, out),
        // A new way in.
        Event::PeerUp { .. } => seek(tries, until, out),
        Event::Begin
        | Event::LanesFound { .. }
        | Event::LanesMissing
        | Event::SeekFailed { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt
        | Event::RebuildFailed { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn in_asking_heads(
    mut inquiry: Inquiry,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::PeerUp { device } => run(inquiry.connect(device), out),
        Event::DialFailed { device } => inquiry.fail_dial(device, at),
        Event::HeadsHeard { device, lanes } => inquiry.hear(device, lanes),
        Event::HeadsFailed { device } => inquiry.fail_ask(device, at),
        Event::Wake => run(inquiry.retry(at.now), out),
        Event::Begin
        | Event::LanesFound { .. }
        | Event::LanesMissing
        | Event::SeekFailed { .. }
        | Event::Rebuilt
        | Event::RebuildFailed { .. }
        | Event::Cancel => return State::AskingHeads { inquiry },
    }
    go_on(inquiry, at, out)
}

fn in_rebuilding(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Rebuilt => end(State::Done, None, out),
        Event::RebuildFailed { code } => end(State::Failed { code }, Some(code), out),
        Event::Begin
        | Event::LanesFound { .. }
        | Event::LanesMissing
        | Event::SeekFailed { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn seek(tries: u32, until: Tick, out: &mut Vec<Action>) -> State {
    out.push(Action::Seek);
    State::Seeking { tries, until }
}

fn pause(
    code: ErrorCode,
    tries: u32,
    until: Tick,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    if at.now >= until {
        return end(State::Failed { code }, Some(code), out);
    }
    State::Pausing {
        retry_at: at.retry_at(tries).min(until),
        tries: tries.saturating_add(1),
        until,
    }
}

fn run(requests: impl IntoIterator<Item = Request>, out: &mut Vec<Action>) {
    out.extend(requests.into_iter().map(|request| match request {
        Request::Dial { device } => Action::Dial { device },
        Request::Ask { device } => Action::Ask { device },
    }));
}

/// Decides whether enough was heard.
fn go_on(inquiry: Inquiry, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    if inquiry.is_answered(at.now) {
        let Findings {
            lanes,
            confirmed,
            of,
        } = inquiry.findings();
        out.push(Action::Rebuild {
            lanes,
            confirmed,
            of,
        });
        return State::Rebuilding;
    }
    if inquiry.is_hopeless(at.now) {
        let code = ErrorCode::TooFewSuppliers;
        return end(State::Failed { code }, Some(code), out);
    }
    State::AskingHeads { inquiry }
}

fn end(state: State, failure: Option<ErrorCode>, out: &mut Vec<Action>) -> State {
    out.push(Action::End { failure });
    state
}

/// What people are told in a state.
pub(crate) const fn phase(state: &State) -> Option<Phase> {
    match state {
        State::Asked | State::Seeking { .. } | State::Pausing { .. } => Some(Phase::Seeking),
        State::AskingHeads { .. } => Some(Phase::AskingHeads),
        State::Rebuilding => Some(Phase::LoadingLists),
        State::Done | State::Failed { .. } | State::Cancelled => None,
    }
}
