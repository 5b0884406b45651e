//! The protocols of control and bulk streams, as both ends of a stream agree on one.

use std::convert::Infallible;

use futures::future;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::{Stream, StreamProtocol};

use super::stream::StreamKind;
use crate::config::Protocols;

/// The names of both protocols, for streams that come in.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    control: StreamProtocol,
    bulk: StreamProtocol,
}

impl Names {
    pub(super) fn of(protocols: &Protocols) -> Self {
        Self {
            control: protocols.control.clone(),
            bulk: protocols.bulk.clone(),
        }
    }

    pub(super) fn name(&self, kind: StreamKind) -> Name {
        match kind {
            StreamKind::Control => Name(self.control.clone()),
            StreamKind::Bulk => Name(self.bulk.clone()),
        }
    }
}

impl UpgradeInfo for Names {
    type Info = StreamProtocol;
    type InfoIter = std::array::IntoIter<StreamProtocol, 2>;

    fn protocol_info(&self) -> Self::InfoIter {
        [self.control.clone(), self.bulk.clone()].into_iter()
    }
}

impl InboundUpgrade<Stream> for Names {
    type Output = (StreamKind, Stream);
    type Error = Infallible;
    type Future = future::Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        let kind = if chosen == self.bulk {
            StreamKind::Bulk
        } else {
            StreamKind::Control
        };
        future::ready(Ok((kind, stream)))
    }
}

/// The name of one protocol, for a stream that goes out.
#[derive(Debug, Clone)]
pub(crate) struct Name(StreamProtocol);

impl UpgradeInfo for Name {
    type Info = StreamProtocol;
    type InfoIter = std::iter::Once<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(self.0.clone())
    }
}

impl OutboundUpgrade<Stream> for Name {
    type Output = Stream;
    type Error = Infallible;
    type Future = future::Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _chosen: StreamProtocol) -> Self::Future {
        future::ready(Ok(stream))
    }
}
