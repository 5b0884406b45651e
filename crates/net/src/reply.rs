//! Where answers go, and the plain refusal among them.
//!
//! Whoever no longer waits loses the answer, and nobody else does.

use bitdust_model::ErrorCode;
use bitdust_model::message::{Body, Refusal};
use tokio::sync::oneshot;

use crate::error::NetError;

/// Where the answer to one request goes. Dropped without an answer, it refuses the request.
#[derive(Debug)]
pub struct Reply {
    sender: oneshot::Sender<Body>,
}

impl Reply {
    pub(crate) const fn new(sender: oneshot::Sender<Body>) -> Self {
        Self { sender }
    }

    /// Answers. An asker that has gone away meanwhile loses the answer: it would not have
    /// waited for it anyway.
    pub fn send(self, body: Body) {
        drop(self.sender.send(body));
    }

    /// Refuses, without a hint when to try again.
    pub fn refuse(self, code: ErrorCode) {
        self.send(Body::Refused(Refusal {
            code,
            retry_after_ms: None,
        }));
    }
}

/// Where the result of a query goes.
pub(crate) type QueryReply<T> = oneshot::Sender<Result<T, NetError>>;

/// A refusal without a hint when to try again.
pub(crate) const fn refused(code: ErrorCode) -> Body {
    Body::Refused(Refusal {
        code,
        retry_after_ms: None,
    })
}

/// Answers, if somebody still waits.
pub(crate) fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    // Whoever no longer waits for the answer does not need it.
    drop(reply.send(value));
}
