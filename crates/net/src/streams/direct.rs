//! A stream that ends when its connection is closed from this side.
//!
//! yamux wakes no reader of a connection that this side closes: without the lifeline the
//! task of such a stream would wait for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::swarm::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A stream on a direct connection.
#[derive(Debug)]
pub(crate) struct DirectStream {
    stream: Stream,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl DirectStream {
    /// The stream of a connection whose end the token tells.
    pub(crate) fn new(stream: Stream, closed: &CancellationToken) -> Self {
        Self {
            stream,
            closed: Box::pin(closed.clone().cancelled_owned()),
        }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection was closed",
            ));
        }
        Ok(())
    }
}

impl AsyncRead for DirectStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // What came before the end is still read.
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            self.check(context)?;
        }
        read
    }
}

impl AsyncWrite for DirectStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_close(context)
    }
}
