//! Streams that are opened for what the node asks, and those that peers open; each gets a
//! task.

use std::sync::Arc;

use bitdust_model::DeviceId;
use libp2p::PeerId;
use tokio::sync::{mpsc, oneshot};

use super::state::EventLoop;
use crate::address;
use crate::bulk::BulkClient;
use crate::error::NetError;
use crate::reply::{QueryReply, answer};
use crate::request::PendingRequest;
use crate::streams::{DirectStream, InboundStream, OpenError, StreamKind};
use crate::task_event::WorkerId;
use crate::tasks::{BulkTask, ControlTask, InboundTask};

impl EventLoop {
    pub(super) fn request(&mut self, device: DeviceId, request: PendingRequest) {
        let peer = match address::peer_of(&device) {
            Ok(peer) => peer,
            Err(error) => return answer(request.reply, Err(error)),
        };
        let Some(state) = self.peers.get_mut(&peer) else {
            return answer(request.reply, Err(not_connected(device)));
        };
        if state.pool.take(request) {
            self.open_worker(peer);
        }
    }

    pub(super) fn open_worker(&mut self, peer: PeerId) {
        let addresses = self.addresses_for(&peer);
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let worker = self.next_worker;
        self.next_worker = WorkerId(worker.0.wrapping_add(1));
        let (requests, received) = mpsc::channel(1);
        state.pool.add(worker, requests);
        let device = state.device;
        let stream = self.open_stream(peer, StreamKind::Control);
        let (local, task_events) = (Arc::clone(&self.local), self.task_event_sender.clone());
        self.tasks.spawn(
            ControlTask {
                local,
                peer,
                device,
                worker,
                addresses,
                stream,
                requests: received,
                task_events,
            }
            .run(),
        );
    }

    pub(super) fn open_bulk(&mut self, device: DeviceId, reply: QueryReply<BulkClient>) {
        let peer = match address::peer_of(&device) {
            Ok(peer) => peer,
            Err(error) => return answer(reply, Err(error)),
        };
        if !self.peers.contains_key(&peer) {
            return answer(reply, Err(not_connected(device)));
        }
        let addresses = self.addresses_for(&peer);
        let stream = self.open_stream(peer, StreamKind::Bulk);
        let (local, task_events) = (Arc::clone(&self.local), self.task_event_sender.clone());
        self.tasks.spawn(
            BulkTask {
                local,
                peer,
                device,
                addresses,
                stream,
                task_events,
            }
            .run(reply),
        );
    }

    fn open_stream(
        &mut self,
        peer: PeerId,
        kind: StreamKind,
    ) -> oneshot::Receiver<Result<DirectStream, OpenError>> {
        let (reply, stream) = oneshot::channel();
        self.swarm.behaviour_mut().streams.open(peer, kind, reply);
        stream
    }

    pub(super) fn serve_stream(&mut self, inbound: InboundStream) {
        let Some(state) = self.peers.get(&inbound.peer) else {
            return;
        };
        let task = InboundTask {
            local: self.local.clone(),
            device: state.device,
            addresses: self.addresses_for(&inbound.peer),
            task_events: self.task_event_sender.clone(),
            events: self.events.clone(),
        };
        match inbound.kind {
            StreamKind::Control => drop(self.tasks.spawn(task.run_control(inbound))),
            StreamKind::Bulk => drop(self.tasks.spawn(task.run_bulk(inbound))),
        }
    }
}

fn not_connected(device: DeviceId) -> NetError {
    NetError::Unreachable {
        device,
        reason: "it is not connected".to_owned(),
    }
}
