//! One recovery: find the identity's records, ask the suppliers they name, rebuild, enter the new
//! device.
//!
//! It goes on when of each lane k holders of its home set have told a head, so that any version that was
//! settled is among what was told; who has none does not count. Others have a short time to tell more;
//! and a long one where a record names a version that nobody has told yet. An identity that never published
//! anything, by all of its records, is entered without a version; where there is one, or may be, and nobody
//! tells it, the recovery fails.

mod choice;
mod inquiry;
mod lanes;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bitdust_model::limits::LANE_SEARCHES_MAX;
use bitdust_model::{DeviceId, ErrorCode, Tick};

use super::Moment;
use crate::io::{HeadFact, LaneFact, ListsRead, RecoveryFound, WantedHead};
use choice::Choice;
use inquiry::{Inquiry, Request};

pub(crate) use lanes::Lanes;
pub(crate) use state::{State, phase};

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Begin.
    Begin,
    /// The root record was found.
    RootFound {
        /// Devices that it names.
        devices: Vec<DeviceId>,
    },
    /// It was not.
    RootMissing,
    /// Lane records were looked for.
    LanesSought {
        /// Devices without one.
        missing: Vec<DeviceId>,
        /// What the others say.
        lanes: Vec<LaneFact>,
    },
    /// It could not be looked for records.
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
        /// Which.
        heads: Vec<HeadFact>,
    },
    /// A supplier could not be asked.
    HeadsFailed {
        /// Who.
        device: DeviceId,
    },
    /// What could be had of a head is in the catalogue.
    Rebuilt {
        /// How much that is.
        lists: ListsRead,
    },
    /// It could not be.
    RebuildFailed {
        /// Why.
        code: ErrorCode,
    },
    /// The identity knows this device.
    Entered,
    /// It does not.
    NotEntered {
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
    /// Look for the root record.
    SeekRoot,
    /// Look for lane records.
    SeekLanes {
        /// Whose.
        devices: Vec<DeviceId>,
    },
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
    /// Load lists and indexes of a head.
    Rebuild {
        /// Which.
        wanted: WantedHead,
    },
    /// Enter this device into the root record.
    Enter {
        /// What it takes over.
        found: RecoveryFound,
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
        State::SeekingRoot { tries, until } => in_seeking_root(state, tries, until, event, at, out),
        State::SeekingLanes {
            tries,
            until,
            searches,
            lanes,
        } => {
            let search = Search { tries, until };
            in_seeking_lanes(search, searches, lanes, event, at, online, out)
        }
        State::Pausing {
            retry_at,
            tries,
            until,
        } => in_pausing(state, retry_at, tries, until, event, at, out),
        State::AskingHeads { inquiry } => in_asking_heads(inquiry, event, at, out),
        State::Rebuilding { choice } => in_rebuilding(choice, event, out),
        State::Entering => in_entering(state, event, out),
        State::Done | State::Failed { .. } | State::Cancelled => match event {
            Event::Begin
            | Event::RootFound { .. }
            | Event::RootMissing
            | Event::LanesSought { .. }
            | Event::SeekFailed { .. }
            | Event::PeerUp { .. }
            | Event::DialFailed { .. }
            | Event::HeadsHeard { .. }
            | Event::HeadsFailed { .. }
            | Event::Rebuilt { .. }
            | Event::RebuildFailed { .. }
            | Event::Entered
            | Event::NotEntered { .. }
            | Event::Cancel
            | Event::Wake => state,
        },
    }
}

fn in_asked(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match event {
        Event::Begin => seek(0, at.now + at.policy.recovery_timeout, out),
        Event::RootFound { .. }
        | Event::RootMissing
        | Event::LanesSought { .. }
        | Event::SeekFailed { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn in_seeking_root(
    state: State,
    tries: u32,
    until: Tick,
    event: Event,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::RootFound { devices } if devices.is_empty() => {
            pause(ErrorCode::NotFound, tries, until, at, out)
        }
        Event::RootFound { devices } => {
            out.push(Action::SeekLanes { devices });
            State::SeekingLanes {
                tries,
                until,
                searches: 0,
                lanes: Lanes::default(),
            }
        }
        Event::RootMissing => pause(ErrorCode::NotFound, tries, until, at, out),
        Event::SeekFailed { code } => pause(code, tries, until, at, out),
        Event::Begin
        | Event::LanesSought { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

/// A search for records.
#[derive(Clone, Copy)]
struct Search {
    tries: u32,
    until: Tick,
}

/// One query may miss a record between its death and its next publication, or on a busy machine.
fn in_seeking_lanes(
    search: Search,
    searches: u32,
    mut lanes: Lanes,
    event: Event,
    at: &Moment<'_>,
    online: &BTreeSet<DeviceId>,
    out: &mut Vec<Action>,
) -> State {
    let Search { tries, until } = search;
    match event {
        Event::LanesSought {
            missing,
            lanes: found,
        } => {
            lanes.add(found, &missing);
            let searches = searches + 1;
            if !missing.is_empty() && searches < LANE_SEARCHES_MAX {
                out.push(Action::SeekLanes { devices: missing });
                return State::SeekingLanes {
                    tries,
                    until,
                    searches,
                    lanes,
                };
            }
            if lanes.is_empty() {
                // The root record alone leads to nobody: all of it is looked for again.
                return pause(ErrorCode::NotFound, tries, until, at, out);
            }
            let (inquiry, requests) = Inquiry::begin(lanes, at, online);
            run(requests, out);
            go_on(inquiry, at, out)
        }
        Event::SeekFailed { code } => pause(code, tries, until, at, out),
        Event::Begin
        | Event::RootFound { .. }
        | Event::RootMissing
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
        | Event::Cancel
        | Event::Wake => State::SeekingLanes {
            tries,
            until,
            searches,
            lanes,
        },
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
        | Event::RootFound { .. }
        | Event::RootMissing
        | Event::LanesSought { .. }
        | Event::SeekFailed { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
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
        Event::HeadsHeard { device, heads } => inquiry.hear(device, heads, at),
        Event::HeadsFailed { device } => inquiry.fail_ask(device, at),
        Event::Wake => run(inquiry.retry(at.now), out),
        Event::Begin
        | Event::RootFound { .. }
        | Event::RootMissing
        | Event::LanesSought { .. }
        | Event::SeekFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
        | Event::Cancel => return State::AskingHeads { inquiry },
    }
    go_on(inquiry, at, out)
}

fn in_rebuilding(mut choice: Choice, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Rebuilt { lists } => {
            choice.hear(lists);
            read_on(choice, out)
        }
        Event::RebuildFailed { code } => fail(code, out),
        Event::Begin
        | Event::RootFound { .. }
        | Event::RootMissing
        | Event::LanesSought { .. }
        | Event::SeekFailed { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Entered
        | Event::NotEntered { .. }
        | Event::Cancel
        | Event::Wake => State::Rebuilding { choice },
    }
}

fn in_entering(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Entered => end(State::Done, None, out),
        Event::NotEntered { code } => fail(code, out),
        Event::Begin
        | Event::RootFound { .. }
        | Event::RootMissing
        | Event::LanesSought { .. }
        | Event::SeekFailed { .. }
        | Event::PeerUp { .. }
        | Event::DialFailed { .. }
        | Event::HeadsHeard { .. }
        | Event::HeadsFailed { .. }
        | Event::Rebuilt { .. }
        | Event::RebuildFailed { .. }
        | Event::Cancel
        | Event::Wake => state,
    }
}

fn seek(tries: u32, until: Tick, out: &mut Vec<Action>) -> State {
    out.push(Action::SeekRoot);
    State::SeekingRoot { tries, until }
}

fn pause(
    code: ErrorCode,
    tries: u32,
    until: Tick,
    at: &Moment<'_>,
    out: &mut Vec<Action>,
) -> State {
    if at.now >= until {
        return fail(code, out);
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
        if inquiry.is_unused() {
            let found = RecoveryFound {
                is_sure: true,
                ..RecoveryFound::default()
            };
            out.push(Action::Enter { found });
            return State::Entering;
        }
        let findings = inquiry.findings();
        if findings.lanes.is_empty() {
            return fail(ErrorCode::VersionsMissing, out);
        }
        return read_on(Choice::new(findings), out);
    }
    if inquiry.is_hopeless(at.now) {
        if inquiry.may_be_restored() {
            // Those who would make it sure may be gone for good: what is there is better than nothing.
            return read_on(Choice::new(inquiry.findings()), out);
        }
        let code = if inquiry.is_empty() {
            ErrorCode::VersionsMissing
        } else {
            ErrorCode::TooFewSuppliers
        };
        return fail(code, out);
    }
    State::AskingHeads { inquiry }
}

/// Reads the lists of the next head, or takes over what could be read.
fn read_on(mut choice: Choice, out: &mut Vec<Action>) -> State {
    if let Some(wanted) = choice.wanted() {
        out.push(Action::Rebuild { wanted });
        return State::Rebuilding { choice };
    }
    match choice.found() {
        Some(found) => {
            out.push(Action::Enter { found });
            State::Entering
        }
        // There are versions, and none of them can be had: nothing is taken over.
        None => fail(ErrorCode::TooFewShards, out),
    }
}

fn fail(code: ErrorCode, out: &mut Vec<Action>) -> State {
    end(State::Failed { code }, Some(code), out)
}

fn end(state: State, failure: Option<ErrorCode>, out: &mut Vec<Action>) -> State {
    out.push(Action::End { failure });
    state
}
