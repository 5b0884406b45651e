//! Fetches: what restores, recoveries and look-ups bring back, a few at a time.

use bitdust_model::limits::{FETCHES_IN_FLIGHT_MAX, FETCHES_QUEUED_MAX};
use bitdust_model::{ErrorCode, PackId};

use super::entries::Fetch;
use super::{Engine, Step, Task};
use crate::fsm::{fetch, name};
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
        for (&fetch, _) in queued.take(FETCHES_IN_FLIGHT_MAX.saturating_sub(running)) {
            self.tasks
                .push_back(Task::Fetch(fetch, fetch::Event::TurnCame));
        }
    }

    pub(super) fn step_fetch(&mut self, id: FetchId, event: fetch::Event) {
        let random = self.draw(Machine::Fetch, Subject::Fetch(id));
        let Some(entry) = self.fetches.get_mut(&id) else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Fetch, Subject::Fetch(id), &entry.state, &event);
        let before = std::mem::replace(&mut entry.state, fetch::State::GivenUp);
        let after = fetch::step(before, event, &self.moment(random), &self.online, &mut out);
        let is_over = after.is_over();
        let moved = step.from != name(&after);
        self.noted(step, name(&after), !out.is_empty(), after.deadline());
        if is_over {
            self.fetches.remove(&id);
        } else if let Some(entry) = self.fetches.get_mut(&id) {
            entry.state = after;
        }
        self.jobs_due |= moved;
        for action in out {
            self.do_fetch(id, action);
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
