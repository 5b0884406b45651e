//! Many streams on one connection: yamux, as libp2p speaks it, in larger frames.
//!
//! libp2p's own upgrade sends frames of 16 KiB, each with a header that becomes a record of TLS
//! and a system call of its own. Here a frame is [`limits::MUXER_FRAME_BYTES`] long, and header and
//! body leave together.

use std::collections::VecDeque;
use std::future::{self, Ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bitdust_model::limits;
use futures::{AsyncRead, AsyncWrite};
use libp2p::core::StreamMuxer;
use libp2p::core::muxing::StreamMuxerEvent;
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use yamux::{Config, Connection, ConnectionError, Mode, Stream};

use super::joined::Joined;

/// Bytes of a frame's header.
const HEADER_BYTES: usize = 12;

/// The upgrade.
#[derive(Debug, Clone)]
pub(crate) struct Yamux {
    config: Config,
}

impl Yamux {
    /// With the limits of this program.
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        config.set_max_num_streams(limits::STREAMS_PER_CONNECTION_MAX);
        config.set_split_send_size(limits::MUXER_FRAME_BYTES - HEADER_BYTES);
        Self { config }
    }

    fn over<C: AsyncRead + AsyncWrite + Unpin>(self, socket: C, mode: Mode) -> Muxer<C> {
        Muxer {
            connection: Connection::new(Joined::new(socket), self.config, mode),
            arrived: VecDeque::new(),
            waiting: None,
        }
    }
}

impl UpgradeInfo for Yamux {
    type Info = &'static str;
    type InfoIter = std::iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> InboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Muxer<C>>>;

    fn upgrade_inbound(self, socket: C, _: &'static str) -> Self::Future {
        future::ready(Ok(self.over(socket, Mode::Server)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> OutboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Muxer<C>>>;

    fn upgrade_outbound(self, socket: C, _: &'static str) -> Self::Future {
        future::ready(Ok(self.over(socket, Mode::Client)))
    }
}

/// A connection with its streams.
#[derive(Debug)]
pub(crate) struct Muxer<C> {
    connection: Connection<Joined<C>>,
    /// Streams of the peer that nobody has taken yet.
    arrived: VecDeque<Stream>,
    /// Whoever waits for one.
    waiting: Option<Waker>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    /// Moves bytes in both directions until the peer opens a stream.
    fn drive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match ready!(self.connection.poll_next_inbound(context)) {
            Some(Ok(stream)) => Poll::Ready(Ok(stream)),
            Some(Err(error)) => Poll::Ready(Err(as_io(error))),
            None => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Stream>> {
        if let Some(stream) = self.arrived.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        self.waiting = Some(context.waker().clone());
        self.drive(context)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Stream>> {
        self.connection.poll_new_outbound(context).map_err(as_io)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_close(context).map_err(as_io)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<StreamMuxerEvent>> {
        loop {
            let stream = ready!(self.drive(context))?;
            // A peer that opens more than it may have at all is answered by a reset.
            if self.arrived.len() < limits::STREAMS_PER_CONNECTION_MAX {
                self.arrived.push_back(stream);
            }
            if let Some(waiting) = self.waiting.take() {
                waiting.wake();
            }
        }
    }
}

fn as_io(error: ConnectionError) -> io::Error {
    match error {
        ConnectionError::Io(error) => error,
        error @ (ConnectionError::Decode(_)
        | ConnectionError::NoMoreStreamIds
        | ConnectionError::Closed
        | ConnectionError::TooManyStreams
        | ConnectionError::InvalidWindowUpdate
        | _) => io::Error::other(error),
    }
}
