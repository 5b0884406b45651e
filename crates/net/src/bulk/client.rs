//! The customer's end of a bulk stream: its calls, each of which receives what comes for it.
//!
//! An answer is returned only when it is one to what was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bitdust_model::message::{Body, Fetch};
use bitdust_model::shard::{Receipt, SignedHeader};
use bitdust_model::{DeviceId, Position, Signed, limits};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::check::{check_range, check_receipt, check_shard, range_bytes_max};
use super::frame::RequestId;
use super::writer::{Payload, Progress, QueuedFrame, enqueue};
use crate::error::NetError;
use crate::session::name_of;

/// The customer's end of one bulk stream. Clones share the stream; it closes when the last
/// one is dropped. Up to `BULK_OUTSTANDING_MAX` calls run at once, further ones wait.
///
/// A call may be dropped: the supplier is told that it is no longer wanted.
#[derive(Debug, Clone)]
pub struct BulkClient {
    pub(super) device: DeviceId,
    pub(super) registrations: mpsc::Sender<Registration>,
    pub(super) queue: mpsc::Sender<QueuedFrame>,
    pub(super) outstanding: Arc<Semaphore>,
    pub(super) flowing: Arc<Semaphore>,
    pub(super) next: Arc<AtomicU32>,
    pub(super) progress: Progress,
    pub(super) ended: watch::Receiver<Option<NetError>>,
    pub(super) stall: Duration,
}

/// Which range of a shard came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRange {
    /// What the shard's pack is; signed by the device of its lane, whoever that is.
    pub header: SignedHeader,
    /// First byte of the range, a multiple of 64 KiB.
    pub offset: u64,
    /// Bytes of the range.
    pub length: u64,
}

impl BulkClient {
    /// The supplier at the other end.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// Whether the stream has ended; a new one must be opened then.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Stores a shard: asks, sends from where the supplier wants it, and returns its receipt
    /// once the shard is durable. The receipt is checked against the header.
    pub async fn store(
        &self,
        header: SignedHeader,
        position: Position,
        shard: Bytes,
    ) -> Result<Signed<Receipt>, NetError> {
        let plain =
            check_shard(&header, position).map_err(|reason| NetError::BadRequest { reason })?;
        if usize::try_from(plain.shard_bytes) != Ok(shard.len()) {
            let reason = format!(
                "the header says {} bytes, the shard has {}",
                plain.shard_bytes,
                shard.len()
            );
            return Err(NetError::BadRequest { reason });
        }
        let mut call = self.call(Body::Store { header, position }).await?;
        let answer = match call.next().await? {
            FromSupplier::Go(offset) => call.send_shard(offset, &shard).await?,
            FromSupplier::Answer(body) => *body,
            FromSupplier::Data(_) | FromSupplier::End => {
                return Err(call.protocol_error("bytes came in answer to a Store"));
            }
        };
        let receipt = call.receipt_of(answer)?;
        check_receipt(&receipt, &plain, self.device)
            .map_err(|reason| call.protocol_error(reason))?;
        call.over = true;
        Ok(receipt)
    }

    /// Fetches a range of a shard with its proof. The range is the one that was asked for,
    /// widened to 64 KiB, and the header matches what was asked for. `take` gets proof and bytes,
    /// interleaved, as they come; they are not checked here beyond their length. Where it says no
    /// the supplier is told to stop.
    pub async fn fetch(
        &self,
        fetch: Fetch,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<FetchedRange, NetError> {
        if fetch.length == 0 {
            return Err(NetError::BadRequest {
                reason: "a range without bytes".to_owned(),
            });
        }
        let mut call = self.call(Body::Fetch(fetch.clone())).await?;
        let (header, offset, length) = match call.next().await? {
            FromSupplier::Answer(body) => call.range_of(*body, &fetch)?,
            FromSupplier::Go(_) | FromSupplier::Data(_) | FromSupplier::End => {
                return Err(call.protocol_error("a range came without its header"));
            }
        };
        let bytes_max = range_bytes_max(length);
        let mut came = 0;
        loop {
            match call.next().await? {
                FromSupplier::Data(bytes) if came + bytes.len() > bytes_max => {
                    return Err(
                        call.protocol_error("a range came with more bytes than its proof can have")
                    );
                }
                FromSupplier::Data(bytes) => {
                    came += bytes.len();
                    if !take(&bytes) {
                        return Err(
                            call.protocol_error("a range came that its shard does not have")
                        );
                    }
                }
                FromSupplier::End => break,
                FromSupplier::Answer(body) => return Err(call.refusal_of(*body)),
                FromSupplier::Go(_) => {
                    return Err(call.protocol_error("a Go came in answer to a Fetch"));
                }
            }
        }
        call.over = true;
        Ok(FetchedRange {
            header,
            offset,
            length,
        })
    }

    /// Registers a request with the reader first, then hands it to the writer.
    async fn call(&self, body: Body) -> Result<Call, NetError> {
        let permit = Arc::clone(&self.outstanding)
            .acquire_owned()
            .await
            .map_err(|_| self.why_ended())?;
        let id = RequestId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, received) = mpsc::channel(limits::BULK_FRAMES_WAITING_MAX);
        let registration = Registration { id, sender };
        self.registrations
            .send(registration)
            .await
            .map_err(|_| self.why_ended())?;
        enqueue(&self.queue, id, Payload::Ask(Box::new(body)))
            .await
            .map_err(|_| self.why_ended())?;
        Ok(Call {
            id,
            received,
            client: self.clone(),
            over: false,
            permit: Some(permit),
        })
    }

    fn why_ended(&self) -> NetError {
        self.ended
            .borrow()
            .clone()
            .unwrap_or_else(|| NetError::interrupted("the bulk stream has ended"))
    }
}

/// One outstanding request.
struct Call {
    id: RequestId,
    received: mpsc::Receiver<FromSupplier>,
    client: BulkClient,
    /// Whether both sides know that it is over.
    over: bool,
    /// Another request may begin only when this one has ended.
    permit: Option<OwnedSemaphorePermit>,
}

impl Call {
    async fn next(&mut self) -> Result<FromSupplier, NetError> {
        let received = self
            .client
            .progress
            .next(&mut self.received, self.client.stall)
            .await?;
        received.ok_or_else(|| self.client.why_ended())
    }

    /// Sends the shard when it is its turn, and returns the answer to it.
    async fn send_shard(&mut self, offset: u64, shard: &Bytes) -> Result<Body, NetError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if start > shard.len() {
            return Err(self.protocol_error("a Go came from beyond the end of the shard"));
        }
        let mut rest = shard.slice(start..);
        let flowing = Arc::clone(&self.client.flowing);
        let turn = flowing
            .acquire()
            .await
            .map_err(|_| self.client.why_ended())?;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(limits::DATA_FRAME_BYTES));
            tokio::select! {
                biased;
                early = self.received.recv() => return Err(self.early_end(early)),
                queued = enqueue(&self.client.queue, self.id, Payload::Data(piece)) => queued.map_err(|_| self.client.why_ended())?,
            }
        }
        enqueue(&self.client.queue, self.id, Payload::End)
            .await
            .map_err(|_| self.client.why_ended())?;
        drop(turn);
        match self.next().await? {
            FromSupplier::Answer(body) => Ok(*body),
            FromSupplier::Go(_) | FromSupplier::Data(_) | FromSupplier::End => {
                Err(self.protocol_error("a Store was not answered"))
            }
        }
    }

    fn early_end(&mut self, received: Option<FromSupplier>) -> NetError {
        let Some(received) = received else {
            return self.client.why_ended();
        };
        if let FromSupplier::Answer(body) = received
            && let Body::Refused(refusal) = *body
        {
            return NetError::Refused { refusal };
        }
        self.protocol_error("a Store was answered before all bytes were sent")
    }

    fn receipt_of(&mut self, answer: Body) -> Result<Signed<Receipt>, NetError> {
        if let Body::Stored(receipt) = answer {
            return Ok(receipt);
        }
        Err(self.refusal_of(answer))
    }

    fn range_of(
        &mut self,
        answer: Body,
        fetch: &Fetch,
    ) -> Result<(SignedHeader, u64, u64), NetError> {
        let Body::Fetched {
            header,
            offset,
            length,
        } = answer
        else {
            return Err(self.refusal_of(answer));
        };
        match check_range(&header, offset, length, fetch) {
            Ok(()) => Ok((header, offset, length)),
            Err(reason) => Err(self.protocol_error(reason)),
        }
    }

    /// What an answer that is no success means.
    fn refusal_of(&mut self, answer: Body) -> NetError {
        if let Body::Refused(refusal) = answer {
            self.over = true;
            return NetError::Refused { refusal };
        }
        self.protocol_error(name_of(&answer))
    }

    #[expect(
        clippy::unused_self,
        reason = "only a request that is under way can meet one"
    )]
    fn protocol_error(&self, reason: impl Into<String>) -> NetError {
        NetError::Malformed {
            reason: reason.into(),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let cancel = QueuedFrame {
            id: self.id,
            payload: Payload::Cancel,
        };
        let Err(TrySendError::Full(cancel)) = self.client.queue.try_send(cancel) else {
            return;
        };
        // Another request may take its place only when the supplier can know that this one is over.
        let (queue, permit) = (self.client.queue.clone(), self.permit.take());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // A stream that has ended needs no word.
                drop(queue.send(cancel).await);
                drop(permit);
            });
        }
    }
}

/// A request becomes known to the reader.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) id: RequestId,
    pub(super) sender: mpsc::Sender<FromSupplier>,
}

/// What a request receives from the supplier.
#[derive(Debug)]
pub(super) enum FromSupplier {
    Go(u64),
    Data(Bytes),
    End,
    Answer(Box<Body>),
}
