//! The client: how the node speaks to the network.
//!
//! Calls may be made from any task but the one that takes the events, and may be dropped.

use std::time::Duration;

use bitdust_model::locator::{KeyedRecord, SignedRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, DhtKey, limits};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::address;
use crate::bulk::BulkClient;
use crate::command::Command;
use crate::error::NetError;
use crate::event::PeerUp;
use crate::reply::QueryReply;
use crate::request::{PendingRequest, check_request};

/// How the node speaks to the network. Clones speak to the same network.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    request_timeout: Duration,
}

impl Client {
    pub(crate) fn new(request_timeout: Duration) -> (Self, mpsc::Receiver<Command>) {
        let (commands, received) = mpsc::channel(limits::NET_QUEUE_MAX);
        (
            Self {
                commands,
                request_timeout,
            },
            received,
        )
    }

    /// One that gives up its requests after a time of its own.
    #[cfg(test)]
    pub(crate) fn hurried(&self, request_timeout: Duration) -> Self {
        Self {
            request_timeout,
            ..self.clone()
        }
    }

    /// The addresses on which this node listens and those confirmed from outside, each with
    /// `/p2p/ID` at its end.
    pub async fn listening(&self) -> Result<Vec<String>, NetError> {
        self.ask(|reply| Command::Listening { reply }).await
    }

    /// The peers that are up.
    pub async fn peers(&self) -> Result<Vec<PeerUp>, NetError> {
        self.ask(|reply| Command::Peers { reply }).await
    }

    /// Connects to a device and says Hello; done once it has answered. Only the addresses
    /// given are dialed, those of them that are good; without any, those that the DHT knows.
    /// The connection is kept until [`Client::disconnect`]. Nothing is dialed if the device
    /// is connected already.
    pub async fn dial(&self, device: DeviceId, addresses: Vec<String>) -> Result<(), NetError> {
        let peer = address::peer_of(&device)?;
        let (mut parsed, mut refused) = (Vec::new(), None);
        for text in addresses.iter().take(limits::ADDRESSES_MAX) {
            match parse_of(peer, text) {
                Ok(address) => parsed.push(address),
                Err(error) => refused = Some(error),
            }
        }
        if let Some(error) = refused.filter(|_| parsed.is_empty()) {
            return Err(error);
        }
        self.query_within(self.request_timeout.saturating_mul(2), |reply| {
            Command::Dial {
                device,
                addresses: parsed,
                reply,
            }
        })
        .await
    }

    /// As [`Client::dial`], for an address whose device may not be known; returns the device
    /// that answers there.
    pub async fn dial_address(&self, address: &str) -> Result<DeviceId, NetError> {
        let (address, peer) = address::parse(address)?;
        self.query_within(self.request_timeout, |reply| Command::DialAddress {
            address,
            peer,
            reply,
        })
        .await
    }

    /// Closes all connections with a device.
    pub async fn disconnect(&self, device: DeviceId) -> Result<(), NetError> {
        self.ask(|reply| Command::Disconnect { device, reply })
            .await
    }

    /// Asks a connected device something and returns its answer; a refusal is the error
    /// [`NetError::Refused`]. The whole may take one request timeout.
    pub async fn request(&self, device: DeviceId, body: Body) -> Result<Body, NetError> {
        check_request(&body)?;
        let answer = self
            .query_within(self.request_timeout, |reply| Command::Request {
                device,
                request: PendingRequest { body, reply },
            })
            .await?;
        if let Body::Refused(refusal) = answer {
            return Err(NetError::Refused { refusal });
        }
        Ok(answer)
    }

    /// Opens a bulk stream to a connected device. One is enough for many requests.
    pub async fn bulk(&self, device: DeviceId) -> Result<BulkClient, NetError> {
        self.query_within(self.request_timeout, |reply| Command::Bulk {
            device,
            reply,
        })
        .await
    }

    /// Publishes a record and returns how many other nodes took the request. A node that
    /// knows a newer record keeps that one and does not say so.
    pub async fn put_record(&self, record: KeyedRecord) -> Result<usize, NetError> {
        self.query(|reply| Command::PutRecord {
            record: Box::new(record),
            reply,
        })
        .await
    }

    /// The newest valid record among the first few that are found.
    pub async fn get_record(&self, key: DhtKey) -> Result<Option<SignedRecord>, NetError> {
        self.query(|reply| Command::GetRecord { key, reply }).await
    }

    /// Announces this node under a key. The announcement dies with the lifetime of records.
    pub async fn start_providing(&self, key: DhtKey) -> Result<(), NetError> {
        self.query(|reply| Command::StartProviding { key, reply })
            .await
    }

    /// The devices that have announced themselves under a key.
    pub async fn providers(&self, key: DhtKey) -> Result<Vec<DeviceId>, NetError> {
        self.query(|reply| Command::Providers { key, reply }).await
    }

    /// Fills the routing table of the DHT, starting at the nodes that are connected.
    pub async fn bootstrap(&self) -> Result<(), NetError> {
        self.query(|reply| Command::Bootstrap { reply }).await
    }

    /// Ends the event loop, and with it all connections.
    pub async fn shutdown(&self) {
        // An event loop that has ended already is what is wanted.
        drop(self.commands.send(Command::Shutdown).await);
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NetError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| NetError::Stopped)?;
        answer.await.map_err(|_| NetError::Stopped)
    }

    async fn query<T>(
        &self,
        command: impl FnOnce(QueryReply<T>) -> Command,
    ) -> Result<T, NetError> {
        self.ask(command).await?
    }

    async fn query_within<T>(
        &self,
        limit: Duration,
        command: impl FnOnce(QueryReply<T>) -> Command,
    ) -> Result<T, NetError> {
        timeout(limit, self.ask(command))
            .await
            .map_err(|_| NetError::timed_out(limit))??
    }
}

fn parse_of(peer: PeerId, text: &str) -> Result<Multiaddr, NetError> {
    let (address, named) = address::parse(text)?;
    if named.is_none_or(|named| named == peer) {
        return Ok(address);
    }
    Err(NetError::BadRequest {
        reason: format!("{text} is an address of another device"),
    })
}
