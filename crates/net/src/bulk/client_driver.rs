//! Drives the customer's end of a bulk stream: writes what its calls ask, and hands each what
//! comes for it.
//!
//! What nobody waits for is dropped up to a bound, since a call may be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bitdust_model::message::Body;
use bitdust_model::{DeviceId, limits};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Semaphore, mpsc, watch};

use super::client::{BulkClient, FromSupplier, Registration};
use super::frame::{Frame, RequestId};
use super::frames::Frames;
use super::writer::{Progress, QueuedFrame, Writer};
use crate::error::NetError;
use crate::local::Local;
use crate::session::{Incoming, Session};
use crate::wire;

/// What drives the stream of a [`BulkClient`].
pub(crate) struct ClientDriver {
    local: Arc<Local>,
    device: DeviceId,
    registrations: mpsc::Receiver<Registration>,
    queue: mpsc::Receiver<QueuedFrame>,
    progress: Progress,
    ended: watch::Sender<Option<NetError>>,
}

/// A client and what drives its stream.
pub(crate) fn open(local: Arc<Local>, device: DeviceId) -> (BulkClient, ClientDriver) {
    let (registrations, registered) = mpsc::channel(limits::BULK_OUTSTANDING_MAX);
    let (queue, queued) = mpsc::channel(limits::BULK_FRAMES_QUEUED_MAX);
    let (ended, why) = watch::channel(None);
    let progress = Progress::default();
    let client = BulkClient {
        device,
        registrations,
        queue,
        outstanding: Arc::new(Semaphore::new(limits::BULK_OUTSTANDING_MAX)),
        flowing: Arc::new(Semaphore::new(limits::BULK_STORES_FLOWING_MAX)),
        next: Arc::new(AtomicU32::new(1)),
        progress: progress.clone(),
        ended: why,
        stall: local.policy.stall_timeout,
    };
    let driver = ClientDriver {
        local,
        device,
        registrations: registered,
        queue: queued,
        progress,
        ended,
    };
    (client, driver)
}

impl ClientDriver {
    /// Drives the stream until the client is gone, the stream ends, or the supplier breaks
    /// the protocol. Errors that the supplier is to blame for are returned.
    pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: S,
        session: Session,
    ) -> Result<(), NetError> {
        let Self {
            local,
            device,
            registrations,
            queue,
            progress,
            ended,
        } = self;
        let (read, write) = stream.split();
        let frames = Frames::new(read, Arc::clone(&local.buffers));
        let writer = Writer {
            socket: write,
            session: session.outgoing,
            local,
            queue,
            progress: progress.clone(),
        };
        let mut reader = AnswerReader {
            device,
            session: session.incoming,
            table: BTreeMap::new(),
            registrations,
            progress,
            stray_bytes: 0,
        };
        let result = tokio::select! {
            result = reader.run(frames) => result,
            result = writer.run() => result,
        };
        // The reason must be there before the calls see their channels close.
        ended.send_replace(result.as_ref().err().cloned());
        drop(reader);
        result
    }
}

struct AnswerReader {
    device: DeviceId,
    session: Incoming,
    table: BTreeMap<RequestId, mpsc::Sender<FromSupplier>>,
    registrations: mpsc::Receiver<Registration>,
    progress: Progress,
    stray_bytes: u64,
}

impl AnswerReader {
    async fn run<R: AsyncRead + Unpin>(&mut self, mut frames: Frames<R>) -> Result<(), NetError> {
        loop {
            tokio::select! {
                biased;
                registration = self.registrations.recv() => match registration {
                    Some(registration) => self.register(registration),
                    // The writer ends by itself once it has written what is queued.
                    None => return std::future::pending().await,
                },
                frame = frames.next() => match frame? {
                    Some((id, frame)) => {
                        self.progress.note();
                        self.dispatch(id, frame).await?;
                    }
                    None => return Err(NetError::interrupted("the supplier closed the bulk stream")),
                },
            }
        }
    }

    fn register(&mut self, registration: Registration) {
        self.table.retain(|_, sender| !sender.is_closed());
        self.stray_bytes = 0;
        self.table.insert(registration.id, registration.sender);
    }

    async fn dispatch(&mut self, id: RequestId, frame: Frame) -> Result<(), NetError> {
        let received = match frame {
            Frame::Go(offset) => FromSupplier::Go(offset),
            Frame::Data(bytes) => FromSupplier::Data(bytes),
            Frame::End => FromSupplier::End,
            Frame::Answer(bytes) => FromSupplier::Answer(Box::new(self.verify(&bytes)?)),
            Frame::Ask(_) | Frame::Cancel => {
                return Err(NetError::malformed("a supplier sent what customers send"));
            }
        };
        let bytes = match &received {
            FromSupplier::Data(bytes) => bytes.len() as u64,
            FromSupplier::Go(_) | FromSupplier::End | FromSupplier::Answer(_) => 1,
        };
        if let Some(sender) = self.table.get(&id)
            && sender.send(received).await.is_ok()
        {
            return Ok(());
        }
        // Nobody waits for it: the call was dropped, and what was under way still comes.
        self.stray_bytes += bytes;
        if self.stray_bytes > limits::BULK_STRAY_BYTES_MAX {
            return Err(NetError::malformed(
                "bytes keep coming that nobody asked for",
            ));
        }
        Ok(())
    }

    fn verify(&mut self, bytes: &[u8]) -> Result<Body, NetError> {
        let packet = wire::packet_from_bytes(bytes)?;
        self.session
            .open(&packet)
            .map_err(|reason| NetError::NotBelieved {
                device: self.device,
                reason,
            })
    }
}
