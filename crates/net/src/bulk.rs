//! Bulk streams: shards over few long-lived streams, many requests side by side, each
//! refused or admitted before its bytes flow.
//!
//! A customer asks with a signed packet; the supplier answers Go, or refuses before any byte
//! is sent. A range comes with its proof and never with more bytes than the proof can have.

mod client;
mod frame;
mod frames;
mod server;
mod writer;

pub use client::{BulkClient, FetchedRange};
#[cfg(test)]
pub(crate) use frame::{Frame, RequestId};
#[cfg(test)]
pub(crate) use frames::Frames;
pub use server::{BulkRequest, BulkServer, IncomingStore, OutgoingFetch};

use std::sync::Arc;

use bitdust_crypto::verify_by;
use bitdust_model::manifest::StoreHeader;
use bitdust_model::{DeviceId, Signed, limits};
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::control::{Attendant, opened, report_offence};
use crate::error::NetError;
use crate::event::{NetEvent, Peer};
use crate::lifeline::DirectStream;
use crate::local::Local;
use crate::notice::{Notice, report_greeting};
use crate::reply::QueryReply;
use crate::session::Session;
use crate::streams::{InboundStream, OpenError};

/// What the task of a bulk stream of ours is given.
pub(crate) struct Order {
    pub(crate) local: Arc<Local>,
    pub(crate) peer: PeerId,
    pub(crate) device: DeviceId,
    pub(crate) addresses: Vec<String>,
    pub(crate) stream: oneshot::Receiver<Result<DirectStream, OpenError>>,
    pub(crate) notices: mpsc::Sender<Notice>,
}

impl Order {
    /// Says Hello, hands a client out, and drives its stream to its end.
    pub(crate) async fn run(mut self, reply: QueryReply<BulkClient>) {
        let (stream, session) = match self.begin().await {
            Ok(begun) => begun,
            Err(error) => {
                // Whoever no longer waits for the client does not need the reason.
                drop(reply.send(Err(error)));
                return;
            }
        };
        let (client, end) = client::open(Arc::clone(&self.local), self.device);
        if reply.send(Ok(client)).is_err() {
            return;
        }
        if let Err(error) = end.drive(stream, session).await {
            report_offence(&self.notices, self.peer, None, error).await;
        }
    }

    async fn begin(&mut self) -> Result<(DirectStream, Session), NetError> {
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
        let (stream, session, greeting) = timeout(limit, hello)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        report_greeting(&self.notices, self.peer, None, greeting).await?;
        Ok((stream, session))
    }
}

impl Attendant {
    /// Answers the Hello on a bulk stream of a peer, hands a server out, and drives it.
    pub(crate) async fn run_bulk(self, inbound: InboundStream) {
        let InboundStream {
            peer,
            connection,
            stream,
            permit,
            kind: _,
        } = inbound;
        if let Err(error) = self.supply(peer, connection, stream).await {
            report_offence(&self.notices, peer, Some(connection), error).await;
        }
        drop(permit);
    }

    async fn supply(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        mut stream: DirectStream,
    ) -> Result<(), NetError> {
        let limit = self.local.policy.request_timeout;
        let welcome = self
            .local
            .welcome(&mut stream, self.device, self.addresses.clone());
        let (session, greeting) = timeout(limit, welcome)
            .await
            .map_err(|_| NetError::timed_out(limit))??;
        let from = Peer {
            device: self.device,
            identity: greeting.identity,
        };
        report_greeting(&self.notices, peer, Some(connection), greeting).await?;
        let (server, supplier) = server::open(Arc::clone(&self.local));
        self.events
            .send(NetEvent::Bulk { from, server })
            .await
            .map_err(|_| NetError::Stopped)?;
        supplier.drive(self.device, stream, session).await
    }
}

/// A header that the device of its lane signed, with a length that a shard may have.
pub(crate) fn check_header(header: &Signed<StoreHeader>) -> Result<StoreHeader, String> {
    let plain = verify_by(header, &header.signer).map_err(|error| error.to_string())?;
    if plain.lane.as_bytes() != &header.signer {
        return Err("the store header is not signed by the device of its lane".to_owned());
    }
    let bytes = usize::try_from(plain.shard_bytes).unwrap_or(usize::MAX);
    if bytes == 0 || bytes > limits::SHARD_BYTES_MAX {
        return Err(format!("a shard cannot have {bytes} bytes"));
    }
    Ok(plain)
}
