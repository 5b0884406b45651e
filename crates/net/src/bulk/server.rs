//! The supplier's end of a bulk stream: the requests that come, and their exchanges.
//!
//! A request that is dropped unanswered is refused.

use std::time::Duration;

use bitdust_model::message::{Body, Fetch, Refusal};
use bitdust_model::shard::{Receipt, ShardHeader, SignedHeader};
use bitdust_model::{ErrorCode, Signed, limits};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::frame::RequestId;
use super::writer::{Payload, Progress, QueuedFrame, enqueue, refusal};
use crate::error::NetError;

/// The requests of one bulk stream. Each should be served in a task of its own: a request
/// whose bytes nobody takes holds up those behind it.
#[derive(Debug)]
pub struct BulkServer {
    pub(super) requests: mpsc::Receiver<BulkRequest>,
}

impl BulkServer {
    /// The next request; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<BulkRequest> {
        self.requests.recv().await
    }
}

/// What a customer asks on a bulk stream.
#[derive(Debug)]
pub enum BulkRequest {
    /// May this shard be stored?
    Store {
        /// What its pack is; its signature by the device of its lane is good, it has the shard that
        /// [`IncomingStore::header`] tells, and that has a length that a shard may have. Nothing
        /// else is checked.
        header: SignedHeader,
        /// Where its bytes come from.
        incoming: IncomingStore,
    },
    /// A range of a shard, please.
    Fetch {
        /// Which.
        fetch: Fetch,
        /// Where its bytes go.
        outgoing: OutgoingFetch,
    },
}

/// A shard on its way in. Dropped without an answer, it is refused as an internal error.
#[derive(Debug)]
pub struct IncomingStore {
    pub(super) exchange: Exchange,
    pub(super) header: Box<ShardHeader>,
    /// Bytes still to come; `None` before Go.
    pub(super) left: Option<u64>,
    pub(super) ended: bool,
}

impl IncomingStore {
    /// What the shard is.
    #[must_use]
    pub fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// Admits the shard: its bytes come from this offset on, which is larger than zero when
    /// an earlier attempt left its beginning here.
    pub async fn go(&mut self, offset: u64) -> Result<(), NetError> {
        let Some(left) = u64::from(self.header.shard_bytes).checked_sub(offset) else {
            return Err(NetError::BadRequest {
                reason: "the offset lies beyond the shard".to_owned(),
            });
        };
        if self.left.is_some() {
            return Err(NetError::BadRequest {
                reason: "the shard was admitted before".to_owned(),
            });
        }
        self.left = Some(left);
        self.exchange.enqueue(Payload::Go(offset)).await
    }

    /// The next bytes; `None` once exactly as many came as are missing. After an error
    /// there is nothing more.
    pub async fn data(&mut self) -> Option<Result<Bytes, NetError>> {
        if self.ended {
            return None;
        }
        match self.next_bytes().await {
            Ok(Some(bytes)) => Some(Ok(bytes)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }

    /// The shard is durable: answers with the receipt.
    pub async fn done(mut self, receipt: Signed<Receipt>) -> Result<(), NetError> {
        self.exchange.answer(Body::Stored(receipt)).await
    }

    /// Refuses the shard, before or after Go.
    pub async fn refuse(mut self, code: ErrorCode) -> Result<(), NetError> {
        self.exchange
            .refuse(Refusal {
                code,
                retry_after_ms: None,
            })
            .await
    }

    async fn next_bytes(&mut self) -> Result<Option<Bytes>, NetError> {
        let received = self.exchange.next().await?;
        let Some(left) = self.left.as_mut() else {
            return Err(NetError::malformed("bytes came before they were admitted"));
        };
        match received {
            FromCustomer::Data(bytes) => {
                let Some(rest) = left.checked_sub(bytes.len() as u64) else {
                    return Err(NetError::malformed("more bytes came than the shard has"));
                };
                *left = rest;
                Ok(Some(bytes))
            }
            FromCustomer::End if *left == 0 => Ok(None),
            FromCustomer::End => Err(NetError::malformed(format!(
                "{left} bytes of the shard did not come"
            ))),
            FromCustomer::Cancel => Err(NetError::interrupted("the customer cancelled")),
        }
    }
}

/// A range on its way out. Dropped without an answer, it is refused as an internal error.
#[derive(Debug)]
pub struct OutgoingFetch {
    pub(super) exchange: Exchange,
}

impl OutgoingFetch {
    /// Sends the header of the shard, then proof and bytes of the range `offset..offset +
    /// length` as they come. An error in the stream refuses the rest with its code. Waits
    /// for the socket, so that the source is read no faster than the customer takes it.
    pub async fn send<E>(
        mut self,
        header: SignedHeader,
        offset: u64,
        length: u64,
        mut encoded: E,
    ) -> Result<(), NetError>
    where
        E: Stream<Item = Result<Bytes, ErrorCode>> + Unpin,
    {
        self.exchange
            .enqueue(Payload::Answer(Box::new(Body::Fetched {
                header,
                offset,
                length,
            })))
            .await?;
        while let Some(bytes) = encoded.next().await {
            let mut bytes = match bytes {
                Ok(bytes) => bytes,
                Err(code) => {
                    return self
                        .exchange
                        .refuse(Refusal {
                            code,
                            retry_after_ms: None,
                        })
                        .await;
                }
            };
            while !bytes.is_empty() {
                let piece = bytes.split_to(bytes.len().min(limits::DATA_FRAME_BYTES));
                self.exchange
                    .enqueue_unless_cancelled(Payload::Data(piece))
                    .await?;
            }
        }
        self.exchange.answered = true;
        self.exchange.enqueue(Payload::End).await
    }

    /// Refuses the range.
    pub async fn refuse(mut self, code: ErrorCode) -> Result<(), NetError> {
        self.exchange
            .refuse(Refusal {
                code,
                retry_after_ms: None,
            })
            .await
    }
}

/// One request with the channels of its stream.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: RequestId,
    pub(super) received: mpsc::Receiver<FromCustomer>,
    pub(super) queue: mpsc::Sender<QueuedFrame>,
    pub(super) progress: Progress,
    pub(super) stall: Duration,
    pub(super) answered: bool,
}

impl Exchange {
    async fn next(&mut self) -> Result<FromCustomer, NetError> {
        let received = self.progress.next(&mut self.received, self.stall).await?;
        received.ok_or_else(|| NetError::interrupted("the bulk stream has ended"))
    }

    async fn enqueue(&self, payload: Payload) -> Result<(), NetError> {
        enqueue(&self.queue, self.id, payload).await
    }

    async fn enqueue_unless_cancelled(&mut self, payload: Payload) -> Result<(), NetError> {
        tokio::select! {
            biased;
            _ = self.received.recv() => {
                self.answered = true;
                Err(NetError::interrupted("the customer no longer wants it"))
            }
            queued = enqueue(&self.queue, self.id, payload) => queued,
        }
    }

    async fn answer(&mut self, body: Body) -> Result<(), NetError> {
        self.answered = true;
        self.enqueue(Payload::Answer(Box::new(body))).await
    }

    async fn refuse(&mut self, refusal: Refusal) -> Result<(), NetError> {
        self.answer(Body::Refused(refusal)).await
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.answered {
            // If the queue is full the customer's own timeout must do.
            drop(self.queue.try_send(QueuedFrame {
                id: self.id,
                payload: refusal(ErrorCode::Internal),
            }));
        }
    }
}

/// What a request receives from the customer.
#[derive(Debug)]
pub(super) enum FromCustomer {
    Data(Bytes),
    End,
    Cancel,
}
