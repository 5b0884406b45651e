//! The control streams to one peer, and the requests that wait for one. No IO of its own.
//!
//! A stream carries one request at a time, and no more wait than the limits allow.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bitdust_model::limits;
use tokio::sync::mpsc;

use crate::error::NetError;
use crate::request::PendingRequest;
use crate::task_event::WorkerId;

/// The control streams to one peer, and the requests that wait for one.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    workers: BTreeMap<WorkerId, Slot>,
    waiting: VecDeque<PendingRequest>,
}

#[derive(Debug)]
struct Slot {
    requests: mpsc::Sender<PendingRequest>,
    state: SlotState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotState {
    Opening,
    Busy,
    Idle { since: Instant },
}

impl Pool {
    /// How many control streams are there or being opened.
    pub(crate) fn streams(&self) -> usize {
        self.workers.len()
    }

    /// A stream is being opened.
    pub(crate) fn add(&mut self, worker: WorkerId, requests: mpsc::Sender<PendingRequest>) {
        self.workers.insert(
            worker,
            Slot {
                requests,
                state: SlotState::Opening,
            },
        );
    }

    /// Takes a request; true if a further stream should be opened for it.
    pub(crate) fn take(&mut self, request: PendingRequest) -> bool {
        let Some(request) = self.hand_to_idle(request) else {
            return false;
        };
        if self.waiting.len() >= limits::REQUESTS_WAITING_MAX {
            // An asker that has gone away meanwhile does not need the reason.
            drop(request.reply.send(Err(NetError::Busy)));
            return false;
        }
        self.waiting.push_back(request);
        let opening = self
            .workers
            .values()
            .filter(|slot| slot.state == SlotState::Opening)
            .count();
        self.waiting.len() > opening && self.workers.len() < limits::CONTROL_STREAMS_MAX
    }

    /// A stream is free: it gets the next request that somebody still waits for.
    pub(crate) fn idle(&mut self, worker: WorkerId, now: Instant) {
        let Some(slot) = self.workers.get_mut(&worker) else {
            return;
        };
        while let Some(request) = self.waiting.pop_front() {
            if request.reply.is_closed() {
                continue;
            }
            slot.state = SlotState::Busy;
            if let Err(refused) = slot.requests.try_send(request) {
                self.waiting.push_front(refused.into_inner());
                self.workers.remove(&worker);
            }
            return;
        }
        slot.state = SlotState::Idle { since: now };
    }

    /// A stream has ended. Without any other, nobody is left to carry what waits.
    pub(crate) fn gone(&mut self, worker: WorkerId, error: &NetError) {
        self.workers.remove(&worker);
        if self.workers.is_empty() {
            self.fail(error);
        }
    }

    /// Closes streams that were idle for so long; a pinned peer keeps one.
    pub(crate) fn sweep(&mut self, now: Instant, idle_max: Duration, pinned: bool) {
        let keep = usize::from(pinned);
        let mut left = self.workers.len();
        self.workers.retain(|_, slot| {
            let SlotState::Idle { since } = slot.state else {
                return true;
            };
            let stays = left <= keep || now.duration_since(since) < idle_max;
            left -= usize::from(!stays);
            stays
        });
    }

    /// Tells everybody whose request waits that it failed.
    pub(crate) fn fail(&mut self, error: &NetError) {
        for request in self.waiting.drain(..) {
            // An asker that has gone away meanwhile does not need the reason.
            drop(request.reply.send(Err(error.clone())));
        }
    }

    /// Gives the request to a free stream; returns it when there is none.
    fn hand_to_idle(&mut self, mut request: PendingRequest) -> Option<PendingRequest> {
        let idle: Vec<WorkerId> = self
            .workers
            .iter()
            .filter(|(_, slot)| matches!(slot.state, SlotState::Idle { .. }))
            .map(|(worker, _)| *worker)
            .collect();
        for worker in idle {
            let slot = self.workers.get_mut(&worker)?;
            slot.state = SlotState::Busy;
            match slot.requests.try_send(request) {
                Ok(()) => return None,
                Err(refused) => {
                    request = refused.into_inner();
                    self.workers.remove(&worker);
                }
            }
        }
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use bitdust_model::message::Body;
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn a_request_goes_to_a_free_stream_and_the_next_one_waits() {
        let mut pool = Pool::default();
        let mut first = worker(&mut pool, 1);
        pool.idle(WorkerId(1), Instant::now());
        let (request, _answer) = request();
        assert!(!pool.take(request), "a free stream is there");
        assert!(first.try_recv().is_ok(), "it got the request");
        let (request, _answer2) = self::request();
        assert!(pool.take(request), "another stream is wanted");
        assert!(first.try_recv().is_err(), "one at a time");
        pool.idle(WorkerId(1), Instant::now());
        assert!(first.try_recv().is_ok(), "the next one when it is free");
    }

    #[test]
    fn a_stream_being_opened_is_enough_for_one_request() {
        let mut pool = Pool::default();
        let _stream = worker(&mut pool, 1);
        let (first, _answer) = request();
        let (second, _answer2) = request();
        assert!(!pool.take(first));
        assert!(pool.take(second));
    }

    #[test]
    fn requests_beyond_the_bound_are_refused() {
        let mut pool = Pool::default();
        let mut answers = Vec::new();
        for _ in 0..=limits::REQUESTS_WAITING_MAX {
            let (request, answer) = request();
            pool.take(request);
            answers.push(answer);
        }
        let mut last = answers.pop().expect("one too many");
        assert_eq!(last.try_recv(), Ok(Err(NetError::Busy)));
    }

    #[test]
    fn requests_fail_when_the_last_stream_ends() {
        let mut pool = Pool::default();
        let _stream = worker(&mut pool, 1);
        let (request, mut answer) = request();
        pool.take(request);
        pool.gone(WorkerId(1), &NetError::Stopped);
        assert_eq!(answer.try_recv(), Ok(Err(NetError::Stopped)));
    }

    #[test]
    fn idle_streams_are_closed_but_a_pinned_peer_keeps_one() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        let check = |pinned: bool, left: usize| {
            let mut pool = Pool::default();
            let _streams = [
                worker(&mut pool, 1),
                worker(&mut pool, 2),
                worker(&mut pool, 3),
            ];
            pool.idle(WorkerId(1), now);
            pool.idle(WorkerId(2), now);
            pool.idle(WorkerId(3), now);
            pool.sweep(later, Duration::from_secs(30), pinned);
            assert_eq!(pool.workers.len(), left, "pinned: {pinned}");
        };
        check(false, 0);
        check(true, 1);
    }

    fn worker(pool: &mut Pool, number: u64) -> mpsc::Receiver<PendingRequest> {
        let (sender, receiver) = mpsc::channel(1);
        pool.add(WorkerId(number), sender);
        receiver
    }

    fn request() -> (PendingRequest, oneshot::Receiver<Result<Body, NetError>>) {
        let (reply, answer) = oneshot::channel();
        (
            PendingRequest {
                body: Body::SpaceAsk,
                reply,
            },
            answer,
        )
    }
}
