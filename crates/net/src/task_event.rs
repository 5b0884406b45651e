//! What the tasks of the streams tell the event loop.

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, oneshot};

use crate::error::NetError;
use crate::session::Greeting;

/// What the tasks of the streams tell the event loop.
#[derive(Debug)]
pub(crate) enum TaskEvent {
    /// A peer has said who it is. The acknowledgement comes once the node has been told, so
    /// that no request overtakes it.
    Greeted {
        peer: PeerId,
        /// The connection, where the peer opened the stream.
        connection: Option<ConnectionId>,
        greeting: Box<Greeting>,
        delivered: oneshot::Sender<()>,
    },
    /// A control stream of ours is free for the next request.
    WorkerIdle { peer: PeerId, worker: WorkerId },
    /// A control stream of ours has ended.
    WorkerGone {
        peer: PeerId,
        worker: WorkerId,
        error: Option<NetError>,
    },
    /// A peer sent what no honest peer sends.
    Offended {
        peer: PeerId,
        connection: Option<ConnectionId>,
        error: NetError,
    },
}

/// Numbers the control streams that this node opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerId(pub(crate) u64);

/// Reports a greeting and waits until the node knows of it.
pub(crate) async fn report_greeting(
    task_events: &mpsc::Sender<TaskEvent>,
    peer: PeerId,
    connection: Option<ConnectionId>,
    greeting: Greeting,
) -> Result<(), NetError> {
    let (delivered, acknowledged) = oneshot::channel();
    let event = TaskEvent::Greeted {
        peer,
        connection,
        greeting: Box::new(greeting),
        delivered,
    };
    task_events
        .send(event)
        .await
        .map_err(|_| NetError::Stopped)?;
    acknowledged
        .await
        .map_err(|_| NetError::interrupted("the peer has gone"))
}

/// Tells the event loop of a peer that no honest node would be; plain interruptions are
/// nothing to tell.
pub(crate) async fn report_offence(
    task_events: &mpsc::Sender<TaskEvent>,
    peer: PeerId,
    connection: Option<ConnectionId>,
    error: NetError,
) {
    if matches!(
        error,
        NetError::NotBelieved { .. } | NetError::Malformed { .. }
    ) {
        let event = TaskEvent::Offended {
            peer,
            connection,
            error,
        };
        // An event loop that has ended has closed the connection already.
        drop(task_events.send(event).await);
    }
}
