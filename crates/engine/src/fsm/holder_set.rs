//! The set: which suppliers hold which position, with which code.
//!
//! It is formed once, when enough suppliers in distinct places have signed and no friend is
//! still being asked for the first time. Where nobody said how many are enough, it waits for
//! the first backup: until then whoever signs still finds a position.

use std::collections::BTreeSet;

use bitdust_model::limits::SUPPLIERS_PER_SET_MAX;
use bitdust_model::{Code, DeviceId, IdentityId};

/// Where the set stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Too few suppliers.
    #[default]
    Unformed,
    /// Being written to the catalogue.
    Recording,
    /// There is one.
    Formed,
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
    /// Suppliers with contracts that are not doubted.
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
}

/// One step.
pub(crate) fn step(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match state {
        State::Unformed => match event {
            Event::Counted { census } => match form(census) {
                Some((code, holders)) => {
                    out.push(Action::Record { code, holders });
                    State::Recording
                }
                None => state,
            },
            Event::Recorded => State::Formed,
        },
        State::Recording => match event {
            Event::Counted { .. } => state,
            Event::Recorded => State::Formed,
        },
        State::Formed => match event {
            Event::Counted { .. } | Event::Recorded => state,
        },
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
