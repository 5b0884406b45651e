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

/// Something to be written for a request.
#[derive(Debug)]
pub(super) struct Say {
    pub(super) id: RequestId,
    pub(super) what: What,
}

/// What is written.
#[derive(Debug)]
pub(super) enum What {
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
    pub(super) says: mpsc::Receiver<Say>,
    pub(super) progress: Progress,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes until nobody can have anything to say any more, then closes the stream.
    pub(super) async fn run(mut self) -> Result<(), NetError> {
        let stall = self.local.policy.stall_timeout;
        while let Some(Say { id, what }) = self.says.recv().await {
            let frame = self.frame_of(what)?;
            let written = timeout(stall, self.write(id, &frame)).await;
            written.map_err(|_| NetError::timed_out(stall))??;
            self.progress.note();
        }
        let closed = timeout(stall, self.socket.close()).await;
        closed
            .map_err(|_| NetError::timed_out(stall))?
            .map_err(NetError::interrupted)
    }

    fn frame_of(&mut self, what: What) -> Result<Frame, NetError> {
        Ok(match what {
            What::Ask(body) => Frame::Ask(self.sign(*body)?),
            What::Answer(body) => Frame::Answer(self.sign(*body)?),
            What::Go(offset) => Frame::Go(offset),
            What::Data(bytes) => Frame::Data(bytes),
            What::End => Frame::End,
            What::Cancel => Frame::Cancel,
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
        if self.says.is_empty() {
            self.socket.flush().await.map_err(NetError::interrupted)?;
        }
        Ok(())
    }
}

/// Queues something for the writer; fails when the stream has ended.
pub(super) async fn say(
    says: &mpsc::Sender<Say>,
    id: RequestId,
    what: What,
) -> Result<(), NetError> {
    says.send(Say { id, what })
        .await
        .map_err(|_| NetError::interrupted("the bulk stream has ended"))
}

/// A refusal as it is queued.
pub(super) fn refusal(code: ErrorCode) -> What {
    What::Answer(Box::new(refused(code)))
}
