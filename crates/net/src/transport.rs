//! The transports: TCP with TLS or Noise under yamux, QUIC, names; behind a gate that lets
//! nothing out of the scope of the node.
//!
//! The gate stands below the resolver, so that a name cannot lead out of the scope either.

mod joined;
mod muxer;
mod tls;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bitdust_model::intervals::{QUIC_HANDSHAKE_TIMEOUT, TCP_CONNECT_TIMEOUT};
use bitdust_model::limits;
use futures::future::{BoxFuture, Either};
use futures::io::BufReader;
use futures::{AsyncRead, AsyncWrite, FutureExt, TryFutureExt};
use futures_rustls::TlsStream;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::core::upgrade::{
    InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo, Version,
};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, Transport, dns, noise, quic, tcp};
use tracing::warn;

use crate::address;
use crate::config::Scope;
use crate::error::NetError;

use muxer::Yamux;

pub use tls::Tls;

/// A transport whose connections are authenticated and carry many streams.
pub(crate) type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// Which encryptions a TCP connection offers, in the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Both,
    #[cfg(test)]
    TlsOnly,
    #[cfg(test)]
    NoiseOnly,
}

/// All transports of a node of the scope.
///
/// Whoever has not authenticated itself within the time given is cut off.
pub(crate) fn build(
    keypair: &Keypair,
    scope: Scope,
    encryption: Encryption,
    limit: Duration,
) -> Result<Connections, NetError> {
    let named = named(keypair, scope, encryption)?;
    Ok(TransportTimeout::new(named, limit).boxed())
}

/// Resolves names, where the scope has any and the system tells how.
fn named(keypair: &Keypair, scope: Scope, encryption: Encryption) -> Result<Connections, NetError> {
    let numeric = gated(keypair, scope, encryption)?;
    if scope == Scope::Loopback {
        return Ok(numeric);
    }
    match dns::tokio::Transport::system(numeric) {
        Ok(named) => Ok(named.boxed()),
        Err(error) => {
            warn!(%error, "Names cannot be resolved, only numeric addresses are dialed");
            gated(keypair, scope, encryption)
        }
    }
}

fn gated(keypair: &Keypair, scope: Scope, encryption: Encryption) -> Result<Connections, NetError> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let tcp = TransportTimeout::with_outgoing_timeout(tcp, TCP_CONNECT_TIMEOUT)
        .upgrade(Version::V1Lazy)
        .authenticate(Security::new(keypair, encryption)?)
        .multiplex(Yamux::new())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = QUIC_HANDSHAKE_TIMEOUT;
    config.max_concurrent_stream_limit =
        u32::try_from(limits::STREAMS_PER_CONNECTION_MAX).unwrap_or(u32::MAX);
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let either = quic.or_transport(tcp).map(|output, _| output.into_inner());
    Ok(Gate {
        inner: either.boxed(),
        scope,
    }
    .boxed())
}

/// Lets a transport listen on and dial only what the scope admits.
struct Gate {
    inner: Connections,
    scope: Scope,
}

impl Transport for Gate {
    type Output = (PeerId, StreamMuxerBox);
    type Error = io::Error;
    type ListenerUpgrade = <Connections as Transport>::ListenerUpgrade;
    type Dial = <Connections as Transport>::Dial;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        if !address::admits(self.scope, &address) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        if !address::admits(self.scope, &address) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.inner).poll(context)
    }
}

/// TLS and Noise, both offered and both accepted. TLS comes first: its key exchange also
/// withstands quantum computers.
///
/// Both read the socket in small steps of their own, and so through a buffer.
#[derive(Clone)]
struct Security {
    tls: Tls,
    noise: noise::Config,
    offered: Encryption,
}

impl Security {
    fn new(keypair: &Keypair, offered: Encryption) -> Result<Self, NetError> {
        let noise = noise::Config::new(keypair).map_err(|error| NetError::Setup {
            reason: error.to_string(),
        })?;
        Ok(Self {
            tls: Tls::new(keypair)?,
            noise,
            offered,
        })
    }
}

const TLS: &str = "/tls/1.0.0";
const NOISE: &str = "/noise";

impl UpgradeInfo for Security {
    type Info = &'static str;
    type InfoIter = std::vec::IntoIter<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        let offered = match self.offered {
            Encryption::Both => vec![TLS, NOISE],
            #[cfg(test)]
            Encryption::TlsOnly => vec![TLS],
            #[cfg(test)]
            Encryption::NoiseOnly => vec![NOISE],
        };
        offered.into_iter()
    }
}

type Secured<C> = (
    PeerId,
    Either<TlsStream<BufReader<C>>, noise::Output<BufReader<C>>>,
);

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Security {
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Secured<C>>>;

    fn upgrade_inbound(self, socket: C, chosen: &'static str) -> Self::Future {
        let socket = buffered(socket);
        if chosen == TLS {
            return self.tls.accept(socket).map_ok(by_tls).boxed();
        }
        self.noise
            .upgrade_inbound(socket, chosen)
            .map_ok(by_noise)
            .map_err(io::Error::other)
            .boxed()
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Security {
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Secured<C>>>;

    fn upgrade_outbound(self, socket: C, chosen: &'static str) -> Self::Future {
        let socket = buffered(socket);
        if chosen == TLS {
            return self.tls.connect(socket).map_ok(by_tls).boxed();
        }
        self.noise
            .upgrade_outbound(socket, chosen)
            .map_ok(by_noise)
            .map_err(io::Error::other)
            .boxed()
    }
}

fn buffered<C: AsyncRead>(socket: C) -> BufReader<C> {
    BufReader::with_capacity(limits::SOCKET_READ_BYTES, socket)
}

fn by_tls<C>((peer, stream): (PeerId, TlsStream<BufReader<C>>)) -> Secured<C> {
    (peer, Either::Left(stream))
}

fn by_noise<C>((peer, stream): (PeerId, noise::Output<BufReader<C>>)) -> Secured<C> {
    (peer, Either::Right(stream))
}
