//! Control streams: requests and answers, one after another on each stream.
//!
//! A stream on which anything went wrong is never used again: after a timeout nobody knows
//! which answer comes next.

use std::sync::Arc;

use bitdust_model::message::{Body, SignedPacket};
use bitdust_model::{DeviceId, ErrorCode};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::error::NetError;
use crate::event::{NetEvent, Peer};
use crate::lifeline::DirectStream;
use crate::local::Local;
use crate::notice::{Notice, WorkerId, report_greeting};
use crate::reply::{Reply, refused};
use crate::session::{Session, SessionError, name_of};
use crate::streams::{InboundStream, OpenError};
use crate::wire;

/// One request with the place where its answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) body: Body,
    pub(crate) reply: oneshot::Sender<Result<Body, NetError>>,
}

/// What the task of a control stream of ours is given.
pub(crate) struct Worker {
    pub(crate) local: Arc<Local>,
    pub(crate) peer: PeerId,
    pub(crate) device: DeviceId,
    pub(crate) worker: WorkerId,
    pub(crate) addresses: Vec<String>,
    pub(crate) stream: oneshot::Receiver<Result<DirectStream, OpenError>>,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) notices: mpsc::Sender<Notice>,
}

impl Worker {
    /// Says Hello, then carries requests until there are no more, the stream ends, or
    /// something goes wrong.
    pub(crate) async fn run(mut self) {
        let error = self.work().await.err();
        let Self {
            peer,
            worker,
            notices,
            ..
        } = self;
        // An event loop that has ended has no use for the notice.
        drop(
            notices
                .send(Notice::WorkerGone {
                    peer,
                    worker,
                    error,
                })
                .await,
        );
    }

    async fn work(&mut self) -> Result<(), NetError> {
        let limit = self.local.policy.request_timeout;
        let addresses = std::mem::take(&mut self.addresses);
        let hello = async {
            let mut stream = opened(&mut self.stream, self.device).await?;
            let (session, greeting) = self
                .local
                .greet(&mut stream, self.device, addresses)
                .await?;
            Ok::<_, NetError>((stream, session, greeting))
        };
        let (mut stream, mut session, greeting) = timeout(limit, hello)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        report_greeting(&self.notices, self.peer, None, greeting).await?;
        loop {
            let idle = Notice::WorkerIdle {
                peer: self.peer,
                worker: self.worker,
            };
            self.notices
                .send(idle)
                .await
                .map_err(|_| NetError::Stopped)?;
            let Some(ask) = next_ask(&mut self.asks, &mut stream).await? else {
                return Ok(());
            };
            self.carry(ask, &mut stream, &mut session).await?;
        }
    }

    /// Carries one request; whatever goes wrong is told to the asker and ends the stream.
    async fn carry(
        &self,
        ask: Ask,
        stream: &mut DirectStream,
        session: &mut Session,
    ) -> Result<(), NetError> {
        let Ask { body, mut reply } = ask;
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

/// Waits for a stream to be opened.
pub(crate) async fn opened(
    stream: &mut oneshot::Receiver<Result<DirectStream, OpenError>>,
    device: DeviceId,
) -> Result<DirectStream, NetError> {
    match stream.await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(OpenError::NotConnected)) => Err(NetError::Unreachable {
            device,
            reason: "there is no direct connection".to_owned(),
        }),
        Ok(Err(OpenError::Unsupported)) => Err(NetError::Incompatible { device }),
        Ok(Err(OpenError::Failed)) | Err(_) => {
            Err(NetError::interrupted("no stream could be opened"))
        }
    }
}

/// The next request; `None` when there will be none. While it waits it notices the end of
/// the stream.
async fn next_ask<S: AsyncRead + Unpin>(
    asks: &mut mpsc::Receiver<Ask>,
    stream: &mut S,
) -> Result<Option<Ask>, NetError> {
    let mut unasked = [0];
    tokio::select! {
        ask = asks.recv() => Ok(ask),
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
    local.say(stream, session, body).await?;
    let packet = wire::read_packet(stream).await?;
    session
        .incoming
        .open(&packet)
        .map_err(|reason| NetError::NotBelieved {
            device: peer,
            reason,
        })
}

/// What the task of a control stream of a peer is given.
pub(crate) struct Attendant {
    pub(crate) local: Arc<Local>,
    pub(crate) device: DeviceId,
    pub(crate) addresses: Vec<String>,
    pub(crate) notices: mpsc::Sender<Notice>,
    pub(crate) events: mpsc::Sender<NetEvent>,
}

impl Attendant {
    /// Answers the Hello, then hands each request to the node and its answer back.
    pub(crate) async fn run(self, inbound: InboundStream) {
        let InboundStream {
            peer,
            connection,
            mut stream,
            permit,
            kind: _,
        } = inbound;
        if let Err(error) = self.serve(peer, connection, &mut stream).await {
            report_offence(&self.notices, peer, Some(connection), error).await;
        }
        drop(permit);
    }

    async fn serve(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        stream: &mut DirectStream,
    ) -> Result<(), NetError> {
        let limit = self.local.policy.request_timeout;
        let welcome = self
            .local
            .welcome(stream, self.device, self.addresses.clone());
        let (mut session, greeting) = timeout(limit, welcome)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        let from = Peer {
            device: self.device,
            identity: greeting.identity,
        };
        report_greeting(&self.notices, peer, Some(connection), greeting).await?;
        loop {
            let packet = wire::read_packet(stream).await?;
            let heard = hear(&mut session, &packet);
            let answer = match &heard {
                Ok(body) if is_request(body) => self.ask_node(from, body.clone()).await?,
                Ok(_) => refused(ErrorCode::Malformed),
                Err(reason) => refused(reason.code()),
            };
            self.answer(stream, &mut session, answer).await?;
            if let Err(reason) = heard {
                return Err(NetError::NotBelieved {
                    device: self.device,
                    reason,
                });
            }
        }
    }

    async fn ask_node(&self, from: Peer, body: Body) -> Result<Body, NetError> {
        let (sender, answer) = oneshot::channel();
        let event = NetEvent::Request {
            from,
            body,
            reply: Reply::new(sender),
        };
        self.events
            .send(event)
            .await
            .map_err(|_| NetError::Stopped)?;
        // The asker gives up after one such time; twice leaves room for slow paths.
        match timeout(self.local.policy.request_timeout.saturating_mul(2), answer).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_dropped)) => Ok(refused(ErrorCode::Internal)),
            Err(_elapsed) => Ok(refused(ErrorCode::Busy)),
        }
    }

    async fn answer(
        &self,
        stream: &mut DirectStream,
        session: &mut Session,
        body: Body,
    ) -> Result<(), NetError> {
        let limit = self.local.policy.stall_timeout;
        let said = timeout(limit, self.local.say(stream, session, body)).await;
        match said.unwrap_or_else(|_| Err(NetError::timed_out(limit))) {
            Err(NetError::BadRequest { .. }) => {
                self.local
                    .say(stream, session, refused(ErrorCode::Internal))
                    .await
            }
            other => other,
        }
    }
}

/// Tells the event loop of a peer that no honest node would be; plain interruptions are
/// nothing to tell.
pub(crate) async fn report_offence(
    notices: &mpsc::Sender<Notice>,
    peer: PeerId,
    connection: Option<ConnectionId>,
    error: NetError,
) {
    if matches!(
        error,
        NetError::NotBelieved { .. } | NetError::Malformed { .. }
    ) {
        let notice = Notice::Offended {
            peer,
            connection,
            error,
        };
        // An event loop that has ended has closed the connection already.
        drop(notices.send(notice).await);
    }
}

fn hear(session: &mut Session, packet: &SignedPacket) -> Result<Body, SessionError> {
    session.incoming.open(packet)
}

/// Whether a body asks something that is answered on a control stream.
pub(crate) const fn is_request(body: &Body) -> bool {
    match body {
        Body::SpaceAsk
        | Body::Befriend { .. }
        | Body::Propose(_)
        | Body::List { .. }
        | Body::Delete { .. } => true,
        Body::HeadPut(_)
        | Body::HeadsAsk
        | Body::Deposit(_)
        | Body::Locate(_)
        | Body::FencePut(_) => true,
        Body::Hello(_)
        | Body::Refused(_)
        | Body::Done
        | Body::SpaceFree(_)
        | Body::ContractSigned(_) => false,
        Body::Store(_)
        | Body::Stored(_)
        | Body::Fetch(_)
        | Body::Fetched { .. }
        | Body::Listing { .. } => false,
        Body::Deleted { .. } | Body::HeadKept(_) | Body::Heads(_) | Body::Located(_) => false,
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
