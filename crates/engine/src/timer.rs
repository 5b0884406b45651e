//! Deadlines of all machines in one ordered queue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bitdust_model::Tick;

use crate::transition::{Machine, Subject};

/// Which machine wants to be woken, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WakeReason {
    /// The machine.
    pub machine: Machine,
    /// What it is about.
    pub subject: Subject,
}

impl fmt::Display for WakeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.machine.name(), self.subject)
    }
}

/// At most one deadline for each machine; the machine's state says which.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    deadlines: BTreeMap<WakeReason, Tick>,
    queue: BTreeSet<(Tick, WakeReason)>,
}

impl Timers {
    /// Sets, moves or (with `None`) removes a deadline.
    pub(crate) fn set(&mut self, reason: WakeReason, at: Option<Tick>) {
        let before = match at {
            Some(at) => self.deadlines.insert(reason, at),
            None => self.deadlines.remove(&reason),
        };
        if let Some(before) = before {
            self.queue.remove(&(before, reason));
        }
        if let Some(at) = at {
            self.queue.insert((at, reason));
        }
    }

    /// Takes everything that is due; its owners set new deadlines.
    pub(crate) fn take_due(&mut self, now: Tick) -> Vec<WakeReason> {
        let mut due = Vec::new();
        while let Some(&(at, reason)) = self.queue.first() {
            if at > now {
                break;
            }
            self.queue.pop_first();
            self.deadlines.remove(&reason);
            due.push(reason);
        }
        due
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<(Tick, WakeReason)> {
        self.queue.first().copied()
    }

    /// How many deadlines there are.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        let reason = WakeReason {
            machine: Machine::SetUp,
            subject: Subject::Node,
        };
        timers.set(reason, Some(Tick(5)));
        timers.set(reason, Some(Tick(9)));
        assert_eq!(timers.take_due(Tick(8)), Vec::new());
        assert_eq!(timers.next(), Some((Tick(9), reason)));
        assert_eq!(timers.take_due(Tick(9)), vec![reason]);
        assert_eq!(timers.len(), 0);
    }
}
