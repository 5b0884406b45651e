//! A socket on which what is short waits for what follows, so that both leave together.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};

/// Bytes that wait at most; what does not fit beside them is written at once.
const WAITING_BYTES_MAX: usize = 4 * 1024;

/// A socket whose short writes wait for a long one or for a flush. Long ones are never copied.
#[derive(Debug)]
pub(crate) struct Joined<C> {
    socket: C,
    waiting: Vec<u8>,
    /// How much of `waiting` was written.
    written: usize,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Joined<C> {
    pub(crate) const fn new(socket: C) -> Self {
        Self {
            socket,
            waiting: Vec::new(),
            written: 0,
        }
    }

    /// Writes what waits, and after it as much of `more` as is taken with it; gives how much
    /// of `more` that was.
    fn poll_waiting(&mut self, context: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        while let left @ 1.. = self.waiting.len() - self.written {
            let both = [
                IoSlice::new(&self.waiting[self.written..]),
                IoSlice::new(more),
            ];
            let socket = Pin::new(&mut self.socket);
            let taken = ready!(socket.poll_write_vectored(context, &both))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += taken.min(left);
            if let Some(of_more @ 1..) = taken.checked_sub(left) {
                self.forget();
                return Poll::Ready(Ok(of_more));
            }
        }
        self.forget();
        Poll::Ready(Ok(0))
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.written = 0;
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Joined<C> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.waiting.len() + bytes.len() > WAITING_BYTES_MAX {
            let taken = ready!(this.poll_waiting(context, bytes))?;
            if taken > 0 {
                return Poll::Ready(Ok(taken));
            }
        }
        if bytes.len() > WAITING_BYTES_MAX {
            return Pin::new(&mut this.socket).poll_write(context, bytes);
        }
        this.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(context, &[]))?;
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(context, &[]))?;
        Pin::new(&mut this.socket).poll_close(context)
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Joined<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use futures::AsyncWriteExt;
    use futures::executor::block_on;
    use proptest::prelude::*;

    use super::*;

    /// A socket that takes little at a time and remembers what came together.
    #[derive(Debug, Default)]
    struct Socket {
        at_once: usize,
        writes: Vec<Vec<u8>>,
        /// Refuses every other call.
        is_busy: bool,
        flushes: usize,
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(context, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.is_busy = !self.is_busy;
            if self.is_busy {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            bytes.truncate(self.at_once);
            let taken = bytes.len();
            self.writes.push(bytes);
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_flush(context)
        }
    }

    impl AsyncRead for Socket {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(0))
        }
    }

    #[test]
    fn a_header_leaves_with_its_body_and_what_is_short_at_the_flush() -> io::Result<()> {
        let mut joined = Joined::new(Socket {
            at_once: usize::MAX,
            ..Socket::default()
        });
        block_on(async {
            joined.write_all(&[1; 12]).await?;
            assert!(joined.socket.writes.is_empty(), "it waits");
            joined.write_all(&[2; 65_524]).await?;
            assert_eq!(joined.socket.writes.len(), 1);
            assert_eq!(joined.socket.writes[0].len(), 65_536);
            joined.write_all(&[3; 12]).await?;
            joined.write_all(&[4; 100]).await?;
            assert_eq!(joined.socket.writes.len(), 1);
            joined.flush().await?;
            assert_eq!(joined.socket.writes.len(), 2);
            assert_eq!(joined.socket.writes[1], [&[3; 12][..], &[4; 100]].concat());
            Ok(())
        })
    }

    #[test]
    fn a_socket_that_takes_nothing_is_an_error() {
        let mut joined = Joined::new(Socket::default());
        let done = block_on(async {
            joined.write_all(b"short").await?;
            joined.flush().await
        });
        assert_eq!(done.expect_err("no room").kind(), io::ErrorKind::WriteZero);
    }

    proptest! {
        #[test]
        fn all_bytes_come_in_their_order(
            lengths in prop::collection::vec((0..9_000_usize, any::<bool>()), 1..20),
            at_once in 1..20_000_usize,
        ) {
            let mut joined = Joined::new(Socket { at_once, ..Socket::default() });
            let mut wanted = Vec::new();
            block_on(async {
                for (number, (length, flushes)) in lengths.iter().enumerate() {
                    let part = vec![u8::try_from(number).expect("a few"); *length];
                    wanted.extend_from_slice(&part);
                    joined.write_all(&part).await?;
                    if *flushes {
                        joined.flush().await?;
                        assert_eq!(joined.socket.writes.concat(), wanted);
                    }
                }
                joined.close().await
            }).expect("written");
            prop_assert_eq!(joined.socket.writes.concat(), wanted);
            prop_assert!(joined.socket.flushes > 0);
        }
    }
}
