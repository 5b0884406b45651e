//! The task of a stream that a peer opened: answers its Hello, then gives the node what comes,
//! requests one by one or a bulk stream as a whole.

use std::sync::Arc;

use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode};
use futures::AsyncWrite;
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::bulk::open_server;
use crate::error::NetError;
use crate::event::{NetEvent, Peer};
use crate::local::Local;
use crate::reply::{Reply, refused};
use crate::request::is_request;
use crate::session::Session;
use crate::streams::{DirectStream, InboundStream};
use crate::task_event::{TaskEvent, report_greeting, report_offence};
use crate::wire;

/// What the task of a stream of a peer is given.
pub(crate) struct InboundTask {
    pub(crate) local: Arc<Local>,
    pub(crate) device: DeviceId,
    pub(crate) addresses: Vec<String>,
    pub(crate) task_events: mpsc::Sender<TaskEvent>,
    pub(crate) events: mpsc::Sender<NetEvent>,
}

impl InboundTask {
    /// Answers the Hello, then hands each request to the node and its answer back.
    pub(crate) async fn run_control(self, inbound: InboundStream) {
        let InboundStream {
            peer,
            connection,
            mut stream,
            permit,
            kind: _,
        } = inbound;
        if let Err(error) = self.serve_control(peer, connection, &mut stream).await {
            report_offence(&self.task_events, peer, Some(connection), error).await;
        }
        drop(permit);
    }

    /// Answers the Hello on a bulk stream of a peer, hands a server out, and drives it.
    pub(crate) async fn run_bulk(self, inbound: InboundStream) {
        let InboundStream {
            peer,
            connection,
            stream,
            permit,
            kind: _,
        } = inbound;
        if let Err(error) = self.serve_bulk(peer, connection, stream).await {
            report_offence(&self.task_events, peer, Some(connection), error).await;
        }
        drop(permit);
    }

    async fn serve_control(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        stream: &mut DirectStream,
    ) -> Result<(), NetError> {
        let limit = self.local.policy.request_timeout;
        let answer = self
            .local
            .answer_hello(stream, self.device, self.addresses.clone());
        let (mut session, greeting) = timeout(limit, answer)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        let from = Peer {
            device: self.device,
            identity: greeting.identity,
        };
        report_greeting(&self.task_events, peer, Some(connection), greeting).await?;
        loop {
            let packet = wire::read_packet(stream).await?;
            let opened = session.incoming.open(&packet);
            let answer = match &opened {
                Ok(body) if is_request(body) => self.request_node(from, body.clone()).await?,
                Ok(_) => refused(ErrorCode::Malformed),
                Err(reason) => refused(reason.code()),
            };
            answer_request(&self.local, stream, &mut session, answer).await?;
            if let Err(reason) = opened {
                return Err(NetError::NotBelieved {
                    device: self.device,
                    reason,
                });
            }
        }
    }

    async fn request_node(&self, from: Peer, body: Body) -> Result<Body, NetError> {
        let (sender, answer) = oneshot::channel();
        let event = NetEvent::Request {
            from,
            body: Box::new(body),
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

    async fn serve_bulk(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        mut stream: DirectStream,
    ) -> Result<(), NetError> {
        let limit = self.local.policy.request_timeout;
        let answer = self
            .local
            .answer_hello(&mut stream, self.device, self.addresses.clone());
        let (session, greeting) = timeout(limit, answer)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        let from = Peer {
            device: self.device,
            identity: greeting.identity,
        };
        report_greeting(&self.task_events, peer, Some(connection), greeting).await?;
        let (server, driver) = open_server(Arc::clone(&self.local));
        self.events
            .send(NetEvent::Bulk { from, server })
            .await
            .map_err(|_| NetError::Stopped)?;
        driver.run(self.device, stream, session).await
    }
}

/// Sends the answer to a request; one that cannot be sent, as it is too long, is a refusal.
async fn answer_request<S: AsyncWrite + Unpin>(
    local: &Local,
    stream: &mut S,
    session: &mut Session,
    body: Body,
) -> Result<(), NetError> {
    match send(local, stream, session, body).await {
        Err(NetError::BadRequest { .. }) => {
            send(local, stream, session, refused(ErrorCode::Internal)).await
        }
        other => other,
    }
}

/// Sends a packet to a peer that must not be slow to read it.
async fn send<S: AsyncWrite + Unpin>(
    local: &Local,
    stream: &mut S,
    session: &mut Session,
    body: Body,
) -> Result<(), NetError> {
    let limit = local.policy.stall_timeout;
    let sent = timeout(limit, local.send(stream, session, body)).await;
    sent.unwrap_or_else(|_| Err(NetError::timed_out(limit)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bitdust_crypto::SigningKey;
    use bitdust_model::deletion::Deletion;
    use bitdust_model::{ByteCount, Policy, limits};
    use tokio_util::compat::TokioAsyncReadCompatExt as _;

    use super::*;
    use crate::tests::support::certify;

    fn local(stall_timeout: Duration) -> Local {
        let (key, root) = (
            SigningKey::from_seed(&[1; 32]),
            SigningKey::from_seed(&[2; 32]),
        );
        let device = DeviceId(key.public());
        let certificate = certify(&root, device);
        Local {
            key,
            device,
            network: "test-network".to_owned(),
            certificate,
            policy: Policy {
                stall_timeout,
                ..Policy::default()
            },
            buffers: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_peer_that_reads_nothing_holds_no_task() {
        let local = local(Duration::from_millis(1));
        let too_long = Body::Deleted {
            packs: vec![Deletion::Done; limits::PACKET_BYTES_MAX],
            bytes: ByteCount(0),
        };
        for body in [Body::SpaceAsk, too_long] {
            let mut session = Session::new(local.device, DeviceId([9; 32]), [1; 16], [2; 16]);
            let (stream, _unread) = tokio::io::duplex(1);
            let mut stream = stream.compat();
            let answering = answer_request(&local, &mut stream, &mut session, body);
            let answered = timeout(Duration::from_secs(60), answering).await;
            assert!(
                matches!(answered, Ok(Err(NetError::TimedOut { .. }))),
                "{answered:?}"
            );
        }
    }
}
