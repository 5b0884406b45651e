//! Fetches: what restores, recoveries and look-ups bring back, a few at a time.

use std::collections::BTreeSet;

use bitdust_model::limits::{FETCHES_HEDGING_MAX, FETCHES_IN_FLIGHT_MAX, FETCHES_QUEUED_MAX};
use bitdust_model::{DeviceId, ErrorCode, PackId};

use super::entries::Fetch;
use super::{Engine, Step, Task};
use crate::fsm::{Moment, fetch, name};
use crate::io::{FetchId, JobId, Output};
use crate::timer::WakeReason;
use crate::transition::{Machine, Subject};

impl Engine {
    pub(super) fn want_fetch(
        &mut self,
        fetch: FetchId,
        job: JobId,
        pack: PackId,
        wanted: fetch::Wanted,
    ) {
        if self.fetches.contains_key(&fetch) {
            return;
        }
        if self.fetches.len() >= FETCHES_QUEUED_MAX {
            let code = ErrorCode::TooMany;
            self.emit(Output::GiveUpFetch { fetch, code });
            return;
        }
        self.fetches.insert(
            fetch,
            Fetch {
                job,
                pack,
                state: fetch::State::Queued { wanted },
            },
        );
        self.jobs_due = true;
    }

    /// How many packs may be fetched at once: one only while those who stall keep packs of a backup in
    /// memory.
    fn fetches_max(&self) -> usize {
        if self.is_held_up() {
            1
        } else {
            FETCHES_IN_FLIGHT_MAX
        }
    }

    /// Gives queued fetches their turn while there is room.
    pub(super) fn start_fetches(&mut self) {
        let running = self
            .fetches
            .values()
            .filter(|fetch| !fetch.state.is_queued())
            .count();
        let queued = self
            .fetches
            .iter()
            .filter(|(_, fetch)| fetch.state.is_queued());
        for (&fetch, _) in queued.take(self.fetches_max().saturating_sub(running)) {
            self.tasks
                .push_back(Task::Fetch(fetch, fetch::Event::TurnCame));
        }
    }

    pub(super) fn step_fetch(&mut self, id: FetchId, event: fetch::Event) {
        let random = self.draw(Machine::Fetch, Subject::Fetch(id));
        self.note_pace(id, event);
        if event == fetch::Event::Wake {
            self.note_overdue();
        }
        let late = self.pace.late(self.now);
        let peers = fetch::Peers {
            online: &self.online,
            late: &late,
            late_after: self.pace.late_after(&self.policy),
            may_hedge: self.may_hedge(id),
        };
        let moment = Moment {
            now: self.now,
            policy: &self.policy,
            random,
        };
        let Some(entry) = self.fetches.get_mut(&id) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Fetch, Subject::Fetch(id), &entry.state, &event);
        let before = std::mem::replace(&mut entry.state, fetch::State::GivenUp);
        let after = fetch::step(before, event, &moment, &peers, &mut out);
        let is_over = after.is_over();
        let moved = step.from != name(&after);
        self.noted(step, name(&after), !out.is_empty(), after.deadline());
        if is_over {
            self.fetches.remove(&id);
            self.wake_parked();
        } else if let Some(entry) = self.fetches.get_mut(&id) {
            entry.state = after;
        }
        self.jobs_due |= moved;
        for action in out {
            self.do_fetch(id, action);
        }
    }

    /// Whether a fetch may ask others in the place of those who are late: one at a time, also as long as
    /// what came in somebody's place is in memory.
    fn may_hedge(&self, id: FetchId) -> bool {
        let fetches = self.fetches.iter();
        let hedging = fetches.filter(|(other, fetch)| {
            fetch.state.is_hedging(self.now) || (**other != id && fetch.state.has_spare())
        });
        hedging.count() < FETCHES_HEDGING_MAX
    }

    /// Learns from an answer how fast peers are, and who is not to be asked first any more.
    fn note_pace(&mut self, id: FetchId, event: fetch::Event) {
        match event {
            fetch::Event::RangeFetched { position } => {
                let fetch = self.fetches.get(&id);
                if let Some((device, asked_at)) =
                    fetch.and_then(|fetch| fetch.state.asked(position))
                {
                    let took = self.now.since(asked_at);
                    self.pace.answered(device, took, &self.policy);
                }
            }
            fetch::Event::RangeFailed { device, code, .. } if is_as_bad_as_late(code) => {
                self.note_late(device);
            }
            fetch::Event::RangeFailed { .. }
            | fetch::Event::TurnCame
            | fetch::Event::Decoded
            | fetch::Event::DecodeFailed { .. }
            | fetch::Event::PeerUp { .. }
            | fetch::Event::Resumed
            | fetch::Event::Wake => {}
        }
    }

    /// All who are late by now, whichever fetch waits for them: none of them is asked in the place of another.
    fn note_overdue(&mut self) {
        let fetches = self.fetches.values();
        let overdue = fetches.flat_map(|fetch| fetch.state.overdue(self.now));
        for device in overdue.collect::<BTreeSet<_>>() {
            self.note_late(device);
        }
    }

    /// What came in somebody's place is out of memory: the next fetch may ask others.
    fn wake_parked(&mut self) {
        let parked = self.fetches.iter();
        let parked = parked.filter(|(_, fetch)| fetch.state.is_parked());
        let wakes = parked.map(|(&id, _)| Task::Fetch(id, fetch::Event::Wake));
        self.tasks.extend(wakes);
    }

    fn note_late(&mut self, device: DeviceId) {
        if self.online.contains(&device) {
            self.pace.was_late(device, self.now, &self.policy);
        }
    }

    fn do_fetch(&mut self, fetch: FetchId, action: fetch::Action) {
        match action {
            fetch::Action::Ask {
                position,
                device,
                whole,
            } => {
                self.emit(Output::FetchRange {
                    fetch,
                    position,
                    device,
                    whole,
                });
            }
            fetch::Action::NoteLate { device } => self.note_late(device),
            fetch::Action::Dial { device } => {
                if self.dial(device) {
                    self.tasks
                        .push_back(Task::Fetch(fetch, fetch::Event::PeerUp { device }));
                }
            }
            fetch::Action::Decode { positions } => self.emit(Output::Decode { fetch, positions }),
            fetch::Action::GiveUp { code } => self.emit(Output::GiveUpFetch { fetch, code }),
        }
    }

    /// Whether a job has open fetches and every one that had its turn waits for suppliers.
    pub(super) fn is_stuck(&self, job: JobId) -> bool {
        let mut own = self
            .fetches
            .values()
            .filter(|fetch| fetch.job == job && !fetch.state.is_queued())
            .peekable();
        own.peek().is_some() && own.all(|fetch| fetch.state.is_waiting())
    }

    /// Nobody wants them any more; others have their turn.
    pub(super) fn drop_fetches(&mut self, job: JobId) {
        self.jobs_due = true;
        let dropped: Vec<_> = self
            .fetches
            .iter()
            .filter(|(_, fetch)| fetch.job == job)
            .map(|(id, _)| *id)
            .collect();
        for fetch in dropped {
            self.fetches.remove(&fetch);
            let reason = WakeReason {
                machine: Machine::Fetch,
                subject: Subject::Fetch(fetch),
            };
            self.timers.set(reason, None);
        }
    }
}

/// Whether somebody who fails like that took its time and may do so again. Garbage and what is not
/// there come at once, and are a shard's alone.
const fn is_as_bad_as_late(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::TimedOut | ErrorCode::Unreachable)
}
