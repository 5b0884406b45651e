//! The state machines, one file each: states with their data, events, actions, one pure step.
//!
//! Time, policy and randomness are arguments. The engine carries actions out; it adds no
//! decisions of its own. `docs/fsm` shows each machine as a diagram drawn from its steps. What a
//! long machine only counts lies in a folder beside it, and knows neither its states nor actions.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod contact;
pub(crate) mod customer_link;
pub(crate) mod deposits;
#[cfg(test)]
mod diagram;
pub(crate) mod disk;
pub(crate) mod fetch;
pub(crate) mod folder_watch;
pub(crate) mod head;
pub(crate) mod holder_set;
pub(crate) mod lane;
pub(crate) mod pack;
pub(crate) mod recovery;
pub(crate) mod restore;
pub(crate) mod schedule;
pub(crate) mod set_up;
pub(crate) mod supplier_link;
pub(crate) mod supplier_search;
#[cfg(test)]
mod tables;
pub(crate) mod tip;
pub(crate) mod transfer;
pub(crate) mod unspool;

use bitdust_model::{Policy, Tick};

/// What every step may read besides its state and event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Now.
    pub(crate) now: Tick,
    /// Durations.
    pub(crate) policy: &'a Policy,
    /// A fresh random word.
    pub(crate) random: u64,
}

impl Moment<'_> {
    /// When to dial again after `tries` failures.
    pub(crate) fn redial_at(&self, tries: u32) -> Tick {
        let wait = crate::backoff::backoff(
            self.policy.redial_min,
            self.policy.redial_max,
            tries,
            self.random,
        );
        self.now + wait
    }

    /// When to try a transfer or question again after `tries` failures.
    pub(crate) fn retry_at(&self, tries: u32) -> Tick {
        let wait = crate::backoff::backoff(
            self.policy.retry_min,
            self.policy.retry_max,
            tries,
            self.random,
        );
        self.now + wait
    }
}

/// The name of a state or event, without its data.
pub(crate) fn name<'a, T>(value: &'a T) -> &'static str
where
    &'a T: Into<&'static str>,
{
    value.into()
}
