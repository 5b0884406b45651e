//! The peers that are connected: their connections, whether they have said Hello, and
//! those who wait until they have. No IO of its own.

use std::collections::BTreeMap;

use bitdust_model::{DeviceId, limits};
use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;

use crate::error::NetError;
use crate::event::PeerUp;
use crate::pool::Pool;
use crate::reply::QueryReply;

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) remote: Multiaddr,
    /// Whether this side dialed, so that the address is one at which the peer listens.
    pub(crate) dialed: bool,
    /// Pings that failed in a row.
    pub(crate) pings_failed: u32,
}

/// A connected peer.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub(crate) device: DeviceId,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// Who it is, once it has said Hello.
    pub(crate) up: Option<PeerUp>,
    /// Whether its protocols are known.
    pub(crate) identified: bool,
    /// Whether the node wants the connection kept.
    pub(crate) pinned: bool,
    waiters: Vec<Waiter>,
    pub(crate) pool: Pool,
}

impl PeerState {
    pub(crate) fn new(device: DeviceId) -> Self {
        Self {
            device,
            connections: BTreeMap::new(),
            up: None,
            identified: false,
            pinned: false,
            waiters: Vec::new(),
            pool: Pool::default(),
        }
    }

    /// Somebody waits for the peer to be up.
    pub(crate) fn wait(&mut self, waiter: Waiter) {
        if self.waiters.len() >= limits::REQUESTS_WAITING_MAX {
            return waiter.settle(Err(NetError::Busy));
        }
        self.waiters.push(waiter);
    }

    /// Whether everything is known for which somebody may wait.
    pub(crate) const fn is_up(&self) -> bool {
        self.up.is_some() && self.identified
    }

    /// Tells those who wait for the peer that it is there, once everything is known.
    pub(crate) fn settle(&mut self) {
        if self.is_up() {
            for waiter in self.waiters.drain(..) {
                waiter.settle(Ok(self.device));
            }
        }
    }

    /// Tells everybody who waits for the peer that it failed.
    pub(crate) fn fail(&mut self, error: &NetError) {
        for waiter in self.waiters.drain(..) {
            waiter.settle(Err(error.clone()));
        }
        self.pool.fail(error);
    }
}

/// Somebody who waits until a dialed peer has said Hello.
#[derive(Debug)]
pub(crate) enum Waiter {
    Known(QueryReply<()>),
    Unknown(QueryReply<DeviceId>),
}

impl Waiter {
    pub(crate) fn settle(self, result: Result<DeviceId, NetError>) {
        // Whoever no longer waits does not need the result.
        match self {
            Self::Known(reply) => drop(reply.send(result.map(|_device| ()))),
            Self::Unknown(reply) => drop(reply.send(result)),
        }
    }
}
