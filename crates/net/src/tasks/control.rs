//! The task of a control stream of ours: requests and answers, one after another.
//!
//! A stream on which anything went wrong is never used again: after a timeout nobody knows
//! which answer comes next.

use std::sync::Arc;

use bitdust_model::DeviceId;
use bitdust_model::message::Body;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use libp2p::PeerId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::hello::say_hello;
use crate::error::NetError;
use crate::local::Local;
use crate::request::PendingRequest;
use crate::session::Session;
use crate::streams::{DirectStream, OpenError};
use crate::task_event::{TaskEvent, WorkerId, report_greeting};
use crate::wire;

/// What the task of a control stream of ours is given.
pub(crate) struct ControlTask {
    pub(crate) local: Arc<Local>,
    pub(crate) peer: PeerId,
    pub(crate) device: DeviceId,
    pub(crate) worker: WorkerId,
    pub(crate) addresses: Vec<String>,
    pub(crate) stream: oneshot::Receiver<Result<DirectStream, OpenError>>,
    pub(crate) requests: mpsc::Receiver<PendingRequest>,
    pub(crate) task_events: mpsc::Sender<TaskEvent>,
}

impl ControlTask {
    /// Says Hello, then carries requests until there are no more, the stream ends, or
    /// something goes wrong.
    pub(crate) async fn run(mut self) {
        let error = self.serve().await.err();
        let Self {
            peer,
            worker,
            task_events,
            ..
        } = self;
        // An event loop that has ended has no use for it.
        drop(
            task_events
                .send(TaskEvent::WorkerGone {
                    peer,
                    worker,
                    error,
                })
                .await,
        );
    }

    async fn serve(&mut self) -> Result<(), NetError> {
        let addresses = std::mem::take(&mut self.addresses);
        let (mut stream, mut session, greeting) =
            say_hello(&self.local, &mut self.stream, self.device, addresses).await?;
        report_greeting(&self.task_events, self.peer, None, greeting).await?;
        loop {
            let idle = TaskEvent::WorkerIdle {
                peer: self.peer,
                worker: self.worker,
            };
            self.task_events
                .send(idle)
                .await
                .map_err(|_| NetError::Stopped)?;
            let Some(request) = next_request(&mut self.requests, &mut stream).await? else {
                return Ok(());
            };
            self.carry(request, &mut stream, &mut session).await?;
        }
    }

    /// Carries one request; whatever goes wrong is told to the asker and ends the stream.
    async fn carry(
        &self,
        request: PendingRequest,
        stream: &mut DirectStream,
        session: &mut Session,
    ) -> Result<(), NetError> {
        let PendingRequest { body, mut reply } = request;
        let limit = self.local.policy.request_timeout;
        let result = tokio::select! {
            result = timeout(limit, exchange(&self.local, self.device, stream, session, body)) => {
                result.unwrap_or_else(|_| Err(NetError::timed_out(limit)))
            }
            () = reply.closed() => return Err(NetError::interrupted("nobody waits for the answer any more")),
        };
        let ended = match &result {
            Ok(_) | Err(NetError::BadRequest { .. }) => Ok(()),
            Err(error) => Err(error.clone()),
        };
        // An asker that has gone away meanwhile no longer wants the answer.
        drop(reply.send(result));
        ended
    }
}

/// The next request; `None` when there will be none. While it waits it notices the end of
/// the stream.
async fn next_request<S: AsyncRead + Unpin>(
    requests: &mut mpsc::Receiver<PendingRequest>,
    stream: &mut S,
) -> Result<Option<PendingRequest>, NetError> {
    let mut unasked = [0];
    tokio::select! {
        request = requests.recv() => Ok(request),
        read = stream.read(&mut unasked) => match read {
            Ok(0) => Err(NetError::interrupted("the peer closed the stream")),
            Ok(_) => Err(NetError::malformed("an answer came without a request")),
            Err(error) => Err(NetError::interrupted(error)),
        },
    }
}

async fn exchange<S>(
    local: &Local,
    peer: DeviceId,
    stream: &mut S,
    session: &mut Session,
    body: Body,
) -> Result<Body, NetError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    local.send(stream, session, body).await?;
    let packet = wire::read_packet(stream).await?;
    session
        .incoming
        .open(&packet)
        .map_err(|reason| NetError::NotBelieved {
            device: peer,
            reason,
        })
}
