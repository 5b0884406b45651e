//! The task of a bulk stream of ours.

use std::sync::Arc;

use bitdust_model::DeviceId;
use libp2p::PeerId;
use tokio::sync::{mpsc, oneshot};

use super::hello::say_hello;
use crate::bulk::{BulkClient, open_client};
use crate::error::NetError;
use crate::local::Local;
use crate::reply::QueryReply;
use crate::session::Session;
use crate::streams::{DirectStream, OpenError};
use crate::task_event::{TaskEvent, report_greeting, report_offence};

/// What the task of a bulk stream of ours is given.
pub(crate) struct BulkTask {
    pub(crate) local: Arc<Local>,
    pub(crate) peer: PeerId,
    pub(crate) device: DeviceId,
    pub(crate) addresses: Vec<String>,
    pub(crate) stream: oneshot::Receiver<Result<DirectStream, OpenError>>,
    pub(crate) task_events: mpsc::Sender<TaskEvent>,
}

impl BulkTask {
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
        let (client, driver) = open_client(Arc::clone(&self.local), self.device);
        if reply.send(Ok(client)).is_err() {
            return;
        }
        if let Err(error) = driver.run(stream, session).await {
            report_offence(&self.task_events, self.peer, None, error).await;
        }
    }

    async fn begin(&mut self) -> Result<(DirectStream, Session), NetError> {
        let addresses = std::mem::take(&mut self.addresses);
        let (stream, session, greeting) =
            say_hello(&self.local, &mut self.stream, self.device, addresses).await?;
        report_greeting(&self.task_events, self.peer, None, greeting).await?;
        Ok((stream, session))
    }
}
