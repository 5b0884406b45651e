//! Drives the supplier's end of a bulk stream: hands requests to the node and each exchange
//! what comes for it.
//!
//! No request comes whose signature or header is not good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bitdust_model::message::Body;
use bitdust_model::shard::SignedHeader;
use bitdust_model::{DeviceId, ErrorCode, Position, limits};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::mpsc;

use super::check::check_shard;
use super::frame::{Frame, RequestId};
use super::frames::Frames;
use super::server::{
    BulkRequest, BulkServer, Exchange, FromCustomer, IncomingStore, OutgoingFetch,
};
use super::writer::{Progress, QueuedFrame, Writer, enqueue, refusal};
use crate::error::NetError;
use crate::local::Local;
use crate::session::{Incoming, Session, SessionError, name_of};
use crate::wire;

/// What drives the stream of a [`BulkServer`].
pub(crate) struct ServerDriver {
    local: Arc<Local>,
    requests: mpsc::Sender<BulkRequest>,
}

/// A server and what drives its stream.
pub(crate) fn open(local: Arc<Local>) -> (BulkServer, ServerDriver) {
    let (requests, received) = mpsc::channel(limits::BULK_OUTSTANDING_MAX);
    (
        BulkServer { requests: received },
        ServerDriver { local, requests },
    )
}

impl ServerDriver {
    /// Drives the stream until it ends or the customer breaks the protocol.
    pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        device: DeviceId,
        stream: S,
        session: Session,
    ) -> Result<(), NetError> {
        let Self { local, requests } = self;
        let (read, write) = stream.split();
        let frames = Frames::new(read, Arc::clone(&local.buffers));
        let (queue, queued) = mpsc::channel(limits::BULK_FRAMES_QUEUED_MAX);
        let progress = Progress::default();
        let stall = local.policy.stall_timeout;
        let writer = Writer {
            socket: write,
            session: session.outgoing,
            local,
            queue: queued,
            progress: progress.clone(),
        };
        let (table, cancelled) = (BTreeMap::new(), BTreeSet::new());
        let mut reader = RequestReader {
            device,
            session: session.incoming,
            table,
            cancelled,
            requests,
            queue,
            progress,
            stall,
            stray_bytes: 0,
        };
        tokio::select! {
            result = reader.run(frames) => result,
            result = writer.run() => result,
        }
    }
}

struct RequestReader {
    device: DeviceId,
    session: Incoming,
    table: BTreeMap<RequestId, mpsc::Sender<FromCustomer>>,
    /// Those of them that the customer gave up and that have not ended.
    cancelled: BTreeSet<RequestId>,
    requests: mpsc::Sender<BulkRequest>,
    queue: mpsc::Sender<QueuedFrame>,
    progress: Progress,
    stall: Duration,
    stray_bytes: u64,
}

impl RequestReader {
    async fn run<R: AsyncRead + Unpin>(&mut self, mut frames: Frames<R>) -> Result<(), NetError> {
        while let Some((id, frame)) = frames.next().await? {
            self.progress.note();
            match frame {
                Frame::Ask(bytes) => self.ask(id, &bytes).await?,
                Frame::Data(bytes) => self.dispatch(id, FromCustomer::Data(bytes)).await?,
                Frame::End => self.dispatch(id, FromCustomer::End).await?,
                Frame::Cancel => {
                    if self.table.contains_key(&id) {
                        self.cancelled.insert(id);
                    }
                    self.dispatch(id, FromCustomer::Cancel).await?;
                }
                Frame::Go(_) | Frame::Answer(_) => {
                    return Err(NetError::malformed("a customer sent what suppliers send"));
                }
            }
        }
        Ok(())
    }

    async fn ask(&mut self, id: RequestId, bytes: &[u8]) -> Result<(), NetError> {
        let packet = wire::packet_from_bytes(bytes)?;
        let device = self.device;
        let opened = self.session.open(&packet);
        let body = opened.map_err(|reason| NetError::NotBelieved { device, reason })?;
        self.forget_ended();
        self.stray_bytes = 0;
        // One that was given up is over for the customer, who may ask anew: it ends in a moment.
        while self.table.len() >= limits::BULK_OUTSTANDING_MAX
            && let Some(sender) = self.cancelled.first().and_then(|id| self.table.get(id))
        {
            sender.closed().await;
            self.forget_ended();
        }
        if self.table.contains_key(&id) || self.table.len() >= limits::BULK_OUTSTANDING_MAX {
            return Err(NetError::malformed(
                "a request came too many, or under a number in use",
            ));
        }
        if let Body::Store { header, position } = body {
            return self.ask_store(id, header, position).await;
        }
        let Body::Fetch(fetch) = body else {
            let reason = SessionError::OutOfTurn {
                said: name_of(&body),
            };
            return Err(NetError::NotBelieved { device, reason });
        };
        let outgoing = OutgoingFetch {
            exchange: self.exchange(id),
        };
        self.hand_over(BulkRequest::Fetch { fetch, outgoing }).await;
        Ok(())
    }

    async fn ask_store(
        &mut self,
        id: RequestId,
        header: SignedHeader,
        position: Position,
    ) -> Result<(), NetError> {
        let Ok(plain) = check_shard(&header, position) else {
            return enqueue(&self.queue, id, refusal(ErrorCode::NotAuthentic)).await;
        };
        let incoming = IncomingStore {
            exchange: self.exchange(id),
            header: Box::new(plain),
            left: None,
            ended: false,
        };
        self.hand_over(BulkRequest::Store { header, incoming })
            .await;
        Ok(())
    }

    /// A node that no longer takes requests drops them, which refuses them.
    async fn hand_over(&self, request: BulkRequest) {
        drop(self.requests.send(request).await);
    }

    fn exchange(&mut self, id: RequestId) -> Exchange {
        let (sender, received) = mpsc::channel(limits::BULK_FRAMES_WAITING_MAX);
        self.table.insert(id, sender);
        Exchange {
            id,
            received,
            queue: self.queue.clone(),
            progress: self.progress.clone(),
            stall: self.stall,
            answered: false,
        }
    }

    fn forget_ended(&mut self) {
        self.table.retain(|_, sender| !sender.is_closed());
        self.cancelled.retain(|id| self.table.contains_key(id));
    }

    async fn dispatch(&mut self, id: RequestId, received: FromCustomer) -> Result<(), NetError> {
        let bytes = match &received {
            FromCustomer::Data(bytes) => bytes.len() as u64,
            FromCustomer::End | FromCustomer::Cancel => 1,
        };
        if let Some(sender) = self.table.get(&id)
            && sender.send(received).await.is_ok()
        {
            return Ok(());
        }
        // The request was refused meanwhile, and what was under way still comes.
        self.stray_bytes += bytes;
        if self.stray_bytes > limits::BULK_STRAY_BYTES_MAX {
            return Err(NetError::malformed(
                "bytes keep coming that were not admitted",
            ));
        }
        Ok(())
    }
}
