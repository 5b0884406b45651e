//! A request that is answered on a control stream, and which bodies are one.
//!
//! Whatever else a peer or the node would send there is refused before it is sent.

use bitdust_model::message::Body;
use tokio::sync::oneshot;

use crate::error::NetError;
use crate::session::name_of;

/// One request with the place where its answer goes.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    pub(crate) body: Body,
    pub(crate) reply: oneshot::Sender<Result<Body, NetError>>,
}

/// Whether a body asks something that is answered on a control stream.
pub(crate) const fn is_request(body: &Body) -> bool {
    match body {
        Body::SpaceAsk
        | Body::Befriend { .. }
        | Body::Propose(_)
        | Body::List { .. }
        | Body::Delete { .. } => true,
        Body::HeadPut { .. }
        | Body::HeadsAsk { .. }
        | Body::Deposit(_)
        | Body::Locate(_)
        | Body::FencePut(_)
        | Body::Identify(_) => true,
        Body::Hello(_)
        | Body::Refused(_)
        | Body::Done
        | Body::SpaceFree(_)
        | Body::ContractSigned(_) => false,
        Body::Store { .. }
        | Body::Stored(_)
        | Body::Fetch(_)
        | Body::Fetched { .. }
        | Body::Listing { .. } => false,
        Body::Deleted { .. } | Body::HeadKept(_) | Body::Heads { .. } | Body::Located(_) => false,
    }
}

/// Refuses a request that a control stream does not carry, before anything is sent.
pub(crate) fn check_request(body: &Body) -> Result<(), NetError> {
    if is_request(body) {
        return Ok(());
    }
    Err(NetError::BadRequest {
        reason: format!("{} is no request", name_of(body)),
    })
}
