//! Whom to ask in the place of those whose answers are late.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::{DeviceId, Tick};

use super::{Ask, Asks, Gathering, PartState};
use crate::fsm::fetch::peers::Peers;

impl Gathering {
    /// When a late answer is to be noticed.
    pub(in crate::fsm::fetch) const fn hedge_at(&self) -> Option<Tick> {
        self.hedge_at
    }

    /// Whether others are to be asked now, if they may; who could not is tried before its time.
    pub(in crate::fsm::fetch) fn is_hedge_due(&self, now: Tick) -> bool {
        self.hedge_at
            .is_some_and(|due| self.is_parked || now >= due)
    }

    /// Whether others would have been asked by now if no other fetch had.
    pub(in crate::fsm::fetch) const fn is_parked(&self) -> bool {
        self.is_parked
    }

    /// Sets when the first answer is late in whose place nobody was asked.
    pub(in crate::fsm::fetch) fn plan_hedge(&mut self) {
        let asks = self.asks().filter(|ask| !ask.is_passed);
        let first = asks.map(|ask| ask.late_at).min();
        self.hedge_at = first.map(|at| at.max(self.quiet_until));
        self.is_parked = false;
    }

    /// The machine slept: waiting begins anew.
    pub(in crate::fsm::fetch) fn restart(&mut self, now: Tick) {
        self.progress_at = now;
        for ask in self.asks_mut() {
            ask.late_at = now + ask.late_at.since(ask.asked_at);
            ask.asked_at = now;
        }
        if self.hedge_at.is_some() {
            self.plan_hedge();
        }
    }

    /// Whose answers are late, without those in whose place others were asked.
    pub(in crate::fsm::fetch) fn overdue(&self, now: Tick) -> BTreeSet<DeviceId> {
        let asks = self.asks().filter(|ask| !ask.is_passed);
        let late = asks.filter(|ask| ask.late_at <= now);
        late.map(|ask| ask.device).collect()
    }

    /// Whether others were asked in the place of those who are late, of whom nobody answered and not
    /// all are late as well.
    pub(in crate::fsm::fetch) fn is_hedging(&self, now: Tick) -> bool {
        let mut asks = self.asks();
        !self.is_hedge_answered && asks.any(|ask| ask.is_hedge && now < ask.late_at)
    }

    /// Whom to ask in the place of those who are late: for whole pieces where direct ones are late,
    /// else for some more. Nobody who is late too is asked, and nobody where that would not suffice.
    /// Where it may not ask now, or finds nobody, it tries `again_after`.
    pub(in crate::fsm::fetch) fn hedge(
        &mut self,
        peers: &Peers<'_>,
        now: Tick,
        again_after: Duration,
    ) -> Asks {
        self.is_parked = !peers.may_hedge;
        if self.is_parked {
            self.hedge_at = Some(now + again_after);
            return Vec::new();
        }
        let known: BTreeSet<_> = self.pieces.keys().copied().collect();
        let asks = if self.whole {
            self.pass_late(peers, now)
        } else if self.has_enough_in_time(peers) {
            self.go_whole();
            self.ask_whole(peers, now)
        } else {
            Vec::new()
        };
        if asks.is_empty() {
            // Others who are late may be fast again by then.
            let later = (!self.askable(peers).is_empty()).then(|| now + again_after);
            let due = self.asks().map(|ask| ask.late_at);
            self.hedge_at = due.filter(|late_at| now < *late_at).min().or(later);
        } else {
            // Of those who gave something already no answer says how fast others are.
            for (position, piece) in &mut self.pieces {
                if let PartState::Asked(ask) = piece
                    && !known.contains(position)
                {
                    ask.is_hedge = true;
                }
            }
            self.is_hedge_answered = false;
            self.quiet_until = now + peers.late_after;
            self.plan_hedge();
        }
        asks
    }

    /// Asks for more whole pieces in the place of those that are late: for as many as did not come in time
    /// until now. So a few rounds pass all who are silent, however they lie.
    fn pass_late(&mut self, peers: &Peers<'_>, now: Tick) -> Asks {
        let late = |ask: &Ask| ask.late_at <= now;
        let is_alone = self.wanted.direct.len() == 1;
        let silent = self
            .asks()
            .filter(|ask| late(ask) && (ask.whole || is_alone));
        let silent = silent.count();
        let mut asks = self.askable(peers);
        asks.retain(|(_, device)| !peers.is_late(*device));
        asks.truncate(silent);
        let mut passed: Vec<_> = self
            .asks_mut()
            .filter(|ask| ask.whole && !ask.is_passed && late(ask))
            .collect();
        if passed.is_empty() {
            return Vec::new();
        }
        passed.sort_by_key(|ask| ask.late_at);
        for ask in passed.into_iter().take(asks.len()) {
            ask.is_passed = true;
        }
        for &(position, device) in &asks {
            self.note_ask(position, device, true, peers, now);
        }
        asks
    }
}
