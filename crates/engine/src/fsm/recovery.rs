//! One recovery: find the identity's records, ask the suppliers they name, rebuild.
//!
//! It goes on when k suppliers have told their newest heads and the others had their time,
//! so that any commit that was published is among what was told.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, ErrorCode, Sequence, Tick};

use super::Moment;
use crate::io::Phase;

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

/// Who answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inquiry {
    k: u8,
    suppliers: BTreeMap<DeviceId, Answer>,
    /// Until then others are waited for when k have answered.
    wait_until: Tick,
    /// Until then suppliers that failed are asked again.
    give_up_at: Tick,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Being dialed; so many failures before.
    Dialing { tries: u32 },
    /// Asked; so many failures before.
    Asked { tries: u32 },
    /// Failed; to be dialed again then.
    Failed { retry_at: Tick, tries: u32 },
    /// Told its heads.
    Heard(Vec<(DeviceId, Sequence)>),
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
            Inquiry::begin(&suppliers, k, at, online, out).go_on(at, out)
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
        Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Wake => {
            inquiry.note(event, at, out);
            inquiry.go_on(at, out)
        }
        Event::Begin
        | Event::LanesFound { .. }
        | Event::LanesMissing
        | Event::SeekFailed { .. }
        | Event::Rebuilt
        | Event::RebuildFailed { .. }
        | Event::Cancel => State::AskingHeads { inquiry },
    }
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

fn end(state: State, failure: Option<ErrorCode>, out: &mut Vec<Action>) -> State {
    out.push(Action::End { failure });
    state
}

impl Inquiry {
    fn begin(
        suppliers: &[DeviceId],
        k: u8,
        at: &Moment<'_>,
        online: &BTreeSet<DeviceId>,
        out: &mut Vec<Action>,
    ) -> Self {
        let mut answers = BTreeMap::new();
        for &device in suppliers {
            let answer = if online.contains(&device) {
                out.push(Action::Ask { device });
                Answer::Asked { tries: 0 }
            } else {
                out.push(Action::Dial { device });
                Answer::Dialing { tries: 0 }
            };
            answers.insert(device, answer);
        }
        Self {
            k,
            suppliers: answers,
            wait_until: at.now + at.policy.head_wait,
            give_up_at: at.now + at.policy.recovery_timeout,
        }
    }

    /// Writes down what happened and asks on.
    fn note(&mut self, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) {
        match event {
            Event::PeerUp { device } => {
                if let Some(answer) = self.suppliers.get_mut(&device) {
                    answer.connect(device, out);
                }
            }
            Event::DialFailed { device } => {
                if let Some(answer) = self.suppliers.get_mut(&device)
                    && let Answer::Dialing { tries } = *answer
                {
                    *answer = Answer::failed(tries, at);
                }
            }
            Event::HeadsHeard { device, lanes } => {
                if let Some(answer) = self.suppliers.get_mut(&device) {
                    *answer = Answer::Heard(lanes);
                }
            }
            Event::HeadsFailed { device } => {
                if let Some(answer) = self.suppliers.get_mut(&device)
                    && let Answer::Asked { tries } = *answer
                {
                    *answer = Answer::failed(tries, at);
                }
            }
            Event::Wake => {
                for (&device, answer) in &mut self.suppliers {
                    answer.retry(device, at.now, out);
                }
            }
            Event::Begin
            | Event::LanesFound { .. }
            | Event::LanesMissing
            | Event::SeekFailed { .. }
            | Event::Rebuilt
            | Event::RebuildFailed { .. }
            | Event::Cancel => {}
        }
    }

    /// Decides whether enough was heard.
    fn go_on(self, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
        let heard = self.heard().count();
        let open = self.suppliers.values().any(Answer::is_open);
        if heard >= usize::from(self.k) && (!open || at.now >= self.wait_until) {
            out.push(self.rebuild());
            return State::Rebuilding;
        }
        if heard < usize::from(self.k) && at.now >= self.give_up_at {
            let code = ErrorCode::TooFewSuppliers;
            return end(State::Failed { code }, Some(code), out);
        }
        State::AskingHeads { inquiry: self }
    }

    fn heard(&self) -> impl Iterator<Item = &Vec<(DeviceId, Sequence)>> {
        self.suppliers.values().filter_map(|answer| match answer {
            Answer::Heard(lanes) => Some(lanes),
            Answer::Dialing { .. } | Answer::Asked { .. } | Answer::Failed { .. } => None,
        })
    }

    fn rebuild(&self) -> Action {
        let mut newest = BTreeMap::new();
        for &(lane, sequence) in self.heard().flatten() {
            let known = newest.entry(lane).or_insert(sequence);
            *known = sequence.max(*known);
        }
        let is_fresh = |lanes: &&Vec<(DeviceId, Sequence)>| {
            !lanes.is_empty()
                && lanes
                    .iter()
                    .all(|(lane, sequence)| newest[lane] == *sequence)
        };
        Action::Rebuild {
            confirmed: count(self.heard().filter(is_fresh).count()),
            of: count(self.suppliers.len()),
            lanes: newest.into_iter().collect(),
        }
    }

    fn deadline(&self) -> Tick {
        let enough = self.heard().count() >= usize::from(self.k);
        let end = if enough {
            self.wait_until
        } else {
            self.give_up_at
        };
        self.suppliers
            .values()
            .filter_map(Answer::retry_at)
            .fold(end, Tick::min)
    }
}

impl Answer {
    fn failed(tries: u32, at: &Moment<'_>) -> Self {
        Self::Failed {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        }
    }

    fn connect(&mut self, device: DeviceId, out: &mut Vec<Action>) {
        match *self {
            Self::Dialing { tries } | Self::Failed { tries, .. } => {
                out.push(Action::Ask { device });
                *self = Self::Asked { tries };
            }
            Self::Asked { .. } | Self::Heard(_) => {}
        }
    }

    fn retry(&mut self, device: DeviceId, now: Tick, out: &mut Vec<Action>) {
        match *self {
            Self::Failed { retry_at, tries } if now >= retry_at => {
                out.push(Action::Dial { device });
                *self = Self::Dialing { tries };
            }
            Self::Failed { .. } | Self::Dialing { .. } | Self::Asked { .. } | Self::Heard(_) => {}
        }
    }

    /// Whether a first answer is still to come.
    const fn is_open(&self) -> bool {
        match self {
            Self::Dialing { tries } | Self::Asked { tries } => *tries == 0,
            Self::Failed { .. } | Self::Heard(_) => false,
        }
    }

    const fn retry_at(&self) -> Option<Tick> {
        match self {
            Self::Failed { retry_at, .. } => Some(*retry_at),
            Self::Dialing { .. } | Self::Asked { .. } | Self::Heard(_) => None,
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
