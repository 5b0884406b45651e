//! Events on their way to the node, and who waits until they are told.

use libp2p::PeerId;
use tokio::sync::oneshot;

use crate::address;
use crate::event::NetEvent;

/// An event on its way to the node, with those who wait until it is told.
pub(super) struct News {
    pub(super) event: NetEvent,
    pub(super) told: Vec<oneshot::Sender<()>>,
}

pub(super) fn acknowledge(told: oneshot::Sender<()>) {
    // A task that has ended meanwhile does not need to know.
    let _was_heard = told.send(());
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
