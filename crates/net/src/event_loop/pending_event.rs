//! Events on their way to the node, and who waits until they are told.

use libp2p::PeerId;
use tokio::sync::oneshot;

use crate::address;
use crate::event::NetEvent;

/// An event on its way to the node, with those who wait until it is told.
pub(super) struct PendingEvent {
    pub(super) event: NetEvent,
    pub(super) delivered: Vec<oneshot::Sender<()>>,
}

pub(super) fn acknowledge(delivered: oneshot::Sender<()>) {
    // A task that has ended meanwhile does not need to know.
    let _was_received = delivered.send(());
}

/// The peer whose coming an event tells of.
pub(super) fn peer_that_is_up(event: &NetEvent) -> Option<PeerId> {
    match event {
        NetEvent::PeerUp(up) => address::peer_of(&up.device).ok(),
        NetEvent::Listening { .. }
        | NetEvent::PeerDown { .. }
        | NetEvent::Request { .. }
        | NetEvent::Bulk { .. } => None,
    }
}
