//! What a client tells the event loop, each with the place where the answer goes.

use bitdust_model::locator::{KeyedRecord, SignedRecord};
use bitdust_model::{DeviceId, DhtKey};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::bulk::BulkClient;
use crate::event::PeerUp;
use crate::reply::QueryReply;
use crate::request::PendingRequest;

/// What a client tells the event loop.
#[derive(Debug)]
pub(crate) enum Command {
    Listening {
        reply: oneshot::Sender<Vec<String>>,
    },
    Peers {
        reply: oneshot::Sender<Vec<PeerUp>>,
    },
    Dial {
        device: DeviceId,
        addresses: Vec<Multiaddr>,
        reply: QueryReply<()>,
    },
    DialAddress {
        address: Multiaddr,
        peer: Option<PeerId>,
        reply: QueryReply<DeviceId>,
    },
    Disconnect {
        device: DeviceId,
        reply: oneshot::Sender<()>,
    },
    Request {
        device: DeviceId,
        request: PendingRequest,
    },
    Bulk {
        device: DeviceId,
        reply: QueryReply<BulkClient>,
    },
    PutRecord {
        record: Box<KeyedRecord>,
        reply: QueryReply<usize>,
    },
    GetRecord {
        key: DhtKey,
        reply: QueryReply<Option<SignedRecord>>,
    },
    StartProviding {
        key: DhtKey,
        reply: QueryReply<()>,
    },
    Providers {
        key: DhtKey,
        reply: QueryReply<Vec<DeviceId>>,
    },
    Bootstrap {
        reply: QueryReply<()>,
    },
    Shutdown,
}
