//! What a peer asked that waits for the engine.

use bitdust_engine::Access;
use bitdust_model::Signed;
use bitdust_model::contract::Contract;
use bitdust_model::message::{Body, Fetch};
use bitdust_model::shard::{ShardHeader, SignedHeader};
use bitdust_net::{IncomingStore, OutgoingFetch, Peer, Reply};

/// Something a peer asked that waits for the engine.
pub(crate) enum Question {
    /// A contract.
    Propose {
        /// Who asks.
        from: Peer,
        /// Whether they are a friend.
        is_friend: bool,
        /// What they signed.
        signed: Box<Signed<Contract>>,
        /// The same, read.
        contract: Box<Contract>,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A shard wants to come.
    Store {
        /// Who asks.
        from: Peer,
        /// What they signed of its pack.
        signed: Box<SignedHeader>,
        /// What that says of the shard.
        header: Box<ShardHeader>,
        /// Whether it is here already and takes no more room.
        is_here: bool,
        /// Where its bytes come from.
        incoming: Box<IncomingStore>,
    },
    /// A range is wanted.
    Fetch {
        /// Who asks.
        from: Peer,
        /// Which.
        fetch: Fetch,
        /// Where its bytes go.
        outgoing: OutgoingFetch,
    },
    /// Anything else a customer may want.
    Control {
        /// Who asks.
        from: Peer,
        /// What.
        body: Box<Body>,
        /// What it needs.
        access: Access,
        /// Where the answer goes.
        reply: Reply,
    },
}
