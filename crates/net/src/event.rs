//! What the network tells the node.

use bitdust_model::locator::Certificate;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, IdentityId, Signed};

use crate::address::Path;
use crate::bulk::BulkServer;
use crate::reply::Reply;

/// What the network tells the node. Whoever holds the receiver must not wait for a call of
/// the client in the task that takes events: when the queue is full, the network waits.
#[derive(Debug)]
pub enum NetEvent {
    /// This node listens on a further address; the text ends with `/p2p/ID`.
    Listening {
        /// The address.
        address: String,
    },
    /// A peer has said who it is, over its first connection.
    PeerUp(Box<PeerUp>),
    /// The last connection with a peer that was up is gone.
    PeerDown {
        /// Which device.
        device: DeviceId,
    },
    /// A peer asks something.
    Request {
        /// Who asks.
        from: Peer,
        /// What: never a Hello, an answer, or a bulk request.
        body: Box<Body>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A peer has opened a bulk stream.
    Bulk {
        /// Who opened it.
        from: Peer,
        /// What it asks, one after another.
        server: BulkServer,
    },
}

/// A peer that has said who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerUp {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Certificate of the device; it carries the nickname, if one is shown.
    pub certificate: Certificate,
    /// The certificate as it was signed.
    pub signed_certificate: Signed<Certificate>,
    /// Where it says that it can be reached, behind the address at which this node has
    /// reached it, if this node has dialed.
    pub addresses: Vec<String>,
    /// Over what the connection runs.
    pub path: Path,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
}
