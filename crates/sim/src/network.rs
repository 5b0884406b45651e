//! Connections and calls: they take time, get lost, and break with either end.

use std::time::Duration;

use bitdust_engine::Input;
use bitdust_model::{DeviceId, ErrorCode};

use crate::call::{Call, Request};
use crate::id::NodeId;
use crate::node::Lie;
use crate::world::{Event, World};

pub(crate) fn pair(one: NodeId, other: NodeId) -> (NodeId, NodeId) {
    (one.min(other), one.max(other))
}

impl World {
    pub(crate) fn dial(&mut self, from: NodeId, device: DeviceId) {
        let boot = self.nodes[from.0].boot;
        let wait = self.latency();
        self.schedule(wait, Event::Dialed { from, boot, device });
    }

    pub(crate) fn dialed(&mut self, from: NodeId, boot: u64, device: DeviceId) {
        if self.nodes[from.0].boot != boot {
            return;
        }
        let to = self.by_device.get(&device).copied();
        let reached = to.filter(|to| {
            self.nodes[to.0].is_up() && !self.cuts.contains(&pair(from, *to)) && *to != from
        });
        let Some(to) = reached else {
            let code = ErrorCode::Unreachable;
            self.feed(from, Input::DialFailed { device, code });
            return;
        };
        self.connections.insert(pair(from, to));
        self.greet(from, to);
        self.greet(to, from);
        self.feed(from, Input::Dialed { device });
    }

    fn greet(&mut self, node: NodeId, peer: NodeId) {
        let peer = &self.nodes[peer.0];
        let input = Input::PeerUp {
            device: peer.device,
            identity: peer.identity,
        };
        self.feed(node, input);
    }

    /// Ends a connection; both ends hear of it.
    pub(crate) fn disconnect(&mut self, one: NodeId, other: NodeId) {
        if !self.connections.remove(&pair(one, other)) {
            return;
        }
        for (node, peer) in [(one, other), (other, one)] {
            let device = self.nodes[peer.0].device;
            self.feed(node, Input::PeerDown { device });
        }
    }

    pub(crate) fn is_connected(&self, one: NodeId, other: NodeId) -> bool {
        self.connections.contains(&pair(one, other))
    }

    /// Asks a peer; the answer, whatever it is, comes to `replied`.
    pub(crate) fn call(&mut self, from: NodeId, device: DeviceId, request: Request) {
        let to = self.by_device[&device];
        let call = Call {
            from,
            from_boot: self.nodes[from.0].boot,
            to,
            to_boot: self.nodes[to.0].boot,
            request,
        };
        let wait = self.latency();
        self.schedule(wait, Event::Arrive(call));
    }

    pub(crate) fn arrive(&mut self, call: Call) {
        let up = self.is_connected(call.from, call.to);
        if !up || self.nodes[call.to.0].boot != call.to_boot {
            self.answer(call, Err(ErrorCode::Interrupted));
            return;
        }
        if self.nodes[call.to.0].lie == Lie::Stalls {
            let wait = self.policy.request_timeout;
            self.schedule(wait, Event::Reply(call, Err(ErrorCode::TimedOut)));
            return;
        }
        self.serve(call);
    }

    /// Sends an answer back; some get lost, and the asker waits in vain for a while.
    pub(crate) fn answer(&mut self, call: Call, result: Result<(), ErrorCode>) {
        if self.random.chance(self.options.loss_percent) {
            let wait = Duration::from_secs(5);
            self.schedule(wait, Event::Reply(call, Err(ErrorCode::TimedOut)));
            return;
        }
        let wait = self.latency();
        self.schedule(wait, Event::Reply(call, result));
    }

    pub(crate) fn replied(&mut self, call: Call, result: Result<(), ErrorCode>) {
        if self.nodes[call.from.0].boot != call.from_boot {
            return;
        }
        let result = if self.is_connected(call.from, call.to) {
            result
        } else {
            result.and(Err(ErrorCode::Interrupted))
        };
        self.take_answer(call, result);
    }

    /// Everything a machine has under way with others ends.
    pub(crate) fn crash(&mut self, node: NodeId) {
        let machine = &mut self.nodes[node.0];
        machine.engine = None;
        // Answers to this run are not taken by the next.
        machine.boot += 1;
        machine.wake_at = None;
        machine.asleep_until = None;
        let memory = std::mem::take(&mut machine.memory);
        for call in memory.asks.into_values() {
            self.answer(call, Err(ErrorCode::Interrupted));
        }
        let peers: Vec<_> = self
            .connections
            .iter()
            .filter(|(one, other)| *one == node || *other == node)
            .map(|(one, other)| if *one == node { *other } else { *one })
            .collect();
        for peer in peers {
            self.disconnect(node, peer);
        }
    }
}
