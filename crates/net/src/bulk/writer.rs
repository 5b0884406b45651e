//! The writing half of a bulk stream: numbers and signs packets in the order in which they
//! are written, waits for the socket, and gives up when it takes nothing any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bitdust_model::message::Body;
use bitdust_model::{ErrorCode, limits};
use bytes::Bytes;
use futures::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::frame::{Frame, RequestId};
use crate::error::NetError;
use crate::local::Local;
use crate::reply::refused;
use crate::session::Outgoing;
use crate::wire;

/// A frame that waits to be written.
#[derive(Debug)]
pub(super) struct QueuedFrame {
    pub(super) id: RequestId,
    pub(super) payload: Payload,
}

/// What a frame carries; its packet is signed only when it is written.
#[derive(Debug)]
pub(super) enum Payload {
    Ask(Box<Body>),
    Answer(Box<Body>),
    Go(u64),
    Data(Bytes),
    End,
    Cancel,
}

/// Counts what moved on a stream in either direction, so that a request that waits for its
/// turn is not taken for a stalled one.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Something moved.
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for the next message of a request: `None` when the stream has ended. Gives up
    /// when nothing moved on the whole stream for the time given, or when other requests
    /// kept it busy for `PATIENCE` such times.
    pub(super) async fn next<T>(
        &self,
        messages: &mut mpsc::Receiver<T>,
        stall: Duration,
    ) -> Result<Option<T>, NetError> {
        for _ in 0..PATIENCE {
            let before = self.so_far();
            if let Ok(message) = timeout(stall, messages.recv()).await {
                return Ok(message);
            }
            if self.so_far() == before {
                return Err(NetError::timed_out(stall));
            }
        }
        Err(NetError::timed_out(stall.saturating_mul(PATIENCE)))
    }
}

/// Stall times for which a request waits while others move.
const PATIENCE: u32 = 10;

/// The writing half of a bulk stream.
pub(super) struct Writer<W> {
    pub(super) socket: W,
    pub(super) session: Outgoing,
    pub(super) local: Arc<Local>,
    pub(super) queue: mpsc::Receiver<QueuedFrame>,
    pub(super) progress: Progress,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes until nobody can queue anything any more, then closes the stream.
    pub(super) async fn run(mut self) -> Result<(), NetError> {
        let stall = self.local.policy.stall_timeout;
        while let Some(QueuedFrame { id, payload }) = self.queue.recv().await {
            let frame = self.frame_of(payload)?;
            let written = timeout(stall, self.write(id, &frame)).await;
            written.map_err(|_| NetError::timed_out(stall))??;
            self.progress.note();
        }
        let closed = timeout(stall, self.socket.close()).await;
        closed
            .map_err(|_| NetError::timed_out(stall))?
            .map_err(NetError::interrupted)
    }

    fn frame_of(&mut self, payload: Payload) -> Result<Frame, NetError> {
        Ok(match payload {
            Payload::Ask(body) => Frame::Ask(self.sign(*body)?),
            Payload::Answer(body) => Frame::Answer(self.sign(*body)?),
            Payload::Go(offset) => Frame::Go(offset),
            Payload::Data(bytes) => Frame::Data(bytes),
            Payload::End => Frame::End,
            Payload::Cancel => Frame::Cancel,
        })
    }

    fn sign(&mut self, body: Body) -> Result<Bytes, NetError> {
        let packet = self.local.seal(&mut self.session, body)?;
        let bytes = wire::packet_to_bytes(&packet);
        assert!(
            bytes.len() <= limits::FRAME_BYTES_MAX,
            "a Store, a Fetch and their answers are short"
        );
        Ok(Bytes::from(bytes))
    }

    async fn write(&mut self, id: RequestId, frame: &Frame) -> Result<(), NetError> {
        let (header, payload) = frame.to_parts(id);
        self.socket
            .write_all(&header)
            .await
            .map_err(NetError::interrupted)?;
        self.socket
            .write_all(&payload)
            .await
            .map_err(NetError::interrupted)?;
        if self.queue.is_empty() {
            self.socket.flush().await.map_err(NetError::interrupted)?;
        }
        Ok(())
    }
}

/// Queues a frame for the writer; fails when the stream has ended.
pub(super) async fn enqueue(
    queue: &mpsc::Sender<QueuedFrame>,
    id: RequestId,
    payload: Payload,
) -> Result<(), NetError> {
    queue
        .send(QueuedFrame { id, payload })
        .await
        .map_err(|_| NetError::interrupted("the bulk stream has ended"))
}

/// A refusal, to be queued.
pub(super) fn refusal(code: ErrorCode) -> Payload {
    Payload::Answer(Box::new(refused(code)))
}
