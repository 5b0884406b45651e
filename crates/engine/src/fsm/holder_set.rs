//! The set: which suppliers hold which position, with which code.
//!
//! It is formed once, when enough suppliers in distinct places have signed and no friend is
//! still being asked for the first time. Where nobody said how many are enough, it waits for
//! the first backup: until then whoever signs still finds a position.

use std::collections::BTreeSet;

use bitdust_model::limits::SUPPLIERS_PER_SET_MAX;
use bitdust_model::{Code, DeviceId, IdentityId, Tick};

use super::Moment;

/// Where the set stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Too few suppliers.
    #[default]
    Unformed,
    /// Being written to the catalogue.
    Recording {
        /// Failures in a row.
        tries: u32,
    },
    /// The catalogue did not take it; the next try counts suppliers anew.
    Unrecorded {
        /// When.
        retry_at: Tick,
        /// Failures in a row.
        tries: u32,
    },
    /// There is one.
    Formed,
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Unformed | Self::Recording { .. } | Self::Formed => None,
            Self::Unrecorded { retry_at, .. } => Some(retry_at),
        }
    }
}

/// A supplier with a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// Strangers come after friends.
    pub(crate) stranger: bool,
    /// The machine.
    pub(crate) device: DeviceId,
    /// The person: one person is one place.
    pub(crate) identity: IdentityId,
}

/// Who could hold a position, and what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Census {
    /// Suppliers with contracts that are not suspect.
    pub(crate) candidates: Vec<Candidate>,
    /// Whether a backup waits for the set.
    pub(crate) backup_waits: bool,
    /// Whether a friend is still being asked for the first time.
    pub(crate) friends_open: bool,
    /// Suppliers a person asked for.
    pub(crate) wanted: u8,
    /// The code a person chose.
    pub(crate) code_wanted: Option<Code>,
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Suppliers or wishes changed.
    Counted {
        /// To this.
        census: Census,
    },
    /// A set is in the catalogue.
    Recorded,
    /// The catalogue did not take it.
    NotRecorded,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Write this set to the catalogue.
    Record {
        /// Its code.
        code: Code,
        /// Holders by position.
        holders: Vec<DeviceId>,
    },
    /// Count the suppliers.
    Count,
}

/// One step.
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match state {
        State::Unformed => match event {
            Event::Counted { census } => record(census, 0, out),
            Event::Recorded => State::Formed,
            Event::NotRecorded | Event::Wake => state,
        },
        State::Recording { tries } => match event {
            Event::Recorded => State::Formed,
            Event::NotRecorded => State::Unrecorded {
                retry_at: at.retry_at(tries),
                tries: tries.saturating_add(1),
            },
            Event::Counted { .. } | Event::Wake => state,
        },
        State::Unrecorded { retry_at, tries } => match event {
            Event::Wake if at.now >= retry_at => {
                out.push(Action::Count);
                state
            }
            Event::Counted { census } if at.now >= retry_at => record(census, tries, out),
            Event::Recorded => State::Formed,
            Event::Counted { .. } | Event::NotRecorded | Event::Wake => state,
        },
        State::Formed => match event {
            Event::Counted { .. } | Event::Recorded | Event::NotRecorded | Event::Wake => state,
        },
    }
}

/// Records the set that the suppliers can form, if they can.
fn record(census: Census, tries: u32, out: &mut Vec<Action>) -> State {
    match form(census) {
        Some((code, holders)) => {
            out.push(Action::Record { code, holders });
            State::Recording { tries }
        }
        None => State::Unformed,
    }
}

/// How many suppliers a backup waits for.
pub(crate) fn need(wanted: u8, code_wanted: Option<Code>) -> u8 {
    match code_wanted {
        Some(code) => code.n(),
        None => wanted.max(1),
    }
}

/// Distinct places among candidates, in the order of positions.
fn places(mut candidates: Vec<Candidate>) -> Vec<DeviceId> {
    candidates.sort();
    let mut identities = BTreeSet::new();
    candidates.retain(|candidate| identities.insert(candidate.identity));
    candidates
        .into_iter()
        .map(|candidate| candidate.device)
        .collect()
}

fn form(census: Census) -> Option<(Code, Vec<DeviceId>)> {
    let is_open_ended = census.wanted == 0 && census.code_wanted.is_none();
    if is_open_ended && !census.backup_waits {
        return None;
    }
    let mut holders = places(census.candidates);
    if holders.len() < usize::from(need(census.wanted, census.code_wanted)) {
        return None;
    }
    let code = match census.code_wanted {
        Some(code) => code,
        None if census.friends_open => return None,
        None => Code::default_for(holders.len().min(SUPPLIERS_PER_SET_MAX))?,
    };
    holders.truncate(usize::from(code.n()));
    Some((code, holders))
}
