//! Clocks of single machines: one that is wrong, and one that goes on while its machine sleeps.

use std::time::Duration;

use bitdust_engine::Input;
use bitdust_model::intervals::CLOCK_EARLIEST;
use bitdust_model::{Tick, UnixMillis};

use crate::id::NodeId;
use crate::node::Node;
use crate::sabotage::Sabotage;
use crate::world::{Event, World};

/// What a clock that is right shows when the world begins: some moment of 2026.
const BEGAN_MS: u64 = 1_780_000_000_000;

impl Node {
    /// What its wall clock shows.
    pub(crate) const fn wall_clock(&self, now: Tick) -> UnixMillis {
        UnixMillis((BEGAN_MS + now.0).saturating_add_signed(self.wall_ahead_ms))
    }

    /// How long ago a moment was that its wall clock showed.
    pub(crate) fn ago(&self, at: UnixMillis, now: Tick) -> u64 {
        if self.sabotage == Sabotage::TakesTheFutureForNow {
            return self.wall_clock(now).0.saturating_sub(at.0);
        }
        let now = self.wall_clock(now);
        if now < CLOCK_EARLIEST {
            return u64::MAX;
        }
        at.ago(now)
    }
}

impl World {
    /// Sets the wall clock of a machine so many milliseconds ahead of what is right, or behind it; 1970
    /// at the earliest.
    pub fn set_wall_clock(&mut self, node: NodeId, ahead_ms: i64) {
        self.nodes[node.0].wall_ahead_ms = ahead_ms;
    }

    /// Lets a machine sleep for a while: its connections end, whatever comes for it waits, and its
    /// engine is told when it is over.
    pub fn sleep(&mut self, id: NodeId, span: Duration) {
        for peer in 0..self.nodes.len() {
            self.disconnect(id, NodeId(peer));
        }
        let until = self.now + span;
        let node = &mut self.nodes[id.0];
        if !node.is_up() {
            return;
        }
        node.asleep_until = Some(until);
        if node.sabotage == Sabotage::StandsStillInSleep {
            node.uncounted += span;
        }
        let boot = node.boot;
        // First of all that waits for this moment.
        self.schedule(span, Event::Woken { node: id, boot });
    }

    pub(crate) fn woken(&mut self, id: NodeId) {
        self.nodes[id.0].asleep_until = None;
        self.feed(id, Input::Resumed);
    }

    /// Whose sleep an event has to wait for, and how long.
    pub(crate) fn sleeps_for(&self, event: &Event) -> Option<Duration> {
        let node = match event {
            Event::Deliver { node, .. } | Event::Wake { node, .. } => node,
            Event::Arrive(call) => &call.to,
            Event::Reply(call, _) => &call.from,
            Event::Dialed { from, .. } => from,
            Event::Start(_) | Event::Woken { .. } => return None,
        };
        let until = self.nodes[node.0].asleep_until?;
        Some(until.since(self.now))
    }
}
