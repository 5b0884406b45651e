//! Reads the frames of a stream.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt};

use super::frame::{Frame, FrameError, HEADER_BYTES, Head, RequestId};
use crate::buffers::{Buffer, Buffers};

/// The frames that come on a socket.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    socket: R,
    buffers: Arc<Buffers>,
    header: [u8; HEADER_BYTES],
    /// Bytes of the header, and then of the payload, that came.
    came: usize,
    payload: Option<(Head, Buffer)>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(crate) const fn new(socket: R, buffers: Arc<Buffers>) -> Self {
        Self {
            socket,
            buffers,
            header: [0; HEADER_BYTES],
            came: 0,
            payload: None,
        }
    }

    /// The next frame; `None` when the stream ended behind the one before. A call that is
    /// dropped loses nothing. After an error there is nothing more.
    pub(crate) async fn next(&mut self) -> Result<Option<(RequestId, Frame)>, FrameError> {
        loop {
            let missing = match &mut self.payload {
                None => &mut self.header[self.came..],
                Some((_, payload)) => &mut payload.as_mut()[self.came..],
            };
            if !missing.is_empty() {
                let count = self.socket.read(missing).await?;
                if count == 0 {
                    return match (self.came, &self.payload) {
                        (0, None) => Ok(None),
                        _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                    };
                }
                self.came += count;
                continue;
            }
            self.came = 0;
            if let Some((head, payload)) = self.payload.take() {
                let frame = head.frame(Bytes::from_owner(payload))?;
                return Ok(Some((head.id(), frame)));
            }
            let head = Head::read(&self.header)?;
            let payload = self.buffers.take(head.length());
            self.payload = Some((head, payload));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::BufMut;
    use futures::FutureExt;
    use futures::executor::block_on;
    use proptest::prelude::*;

    use bitdust_model::limits;

    use super::super::frame::tests::{frame, kind_of_data};
    use super::*;

    /// A socket that gives some bytes at a time and nothing at every other call.
    struct Socket {
        bytes: Vec<u8>,
        at: usize,
        at_once: usize,
        is_busy: bool,
    }

    impl AsyncRead for Socket {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.is_busy = !self.is_busy;
            if self.is_busy {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let left = &self.bytes[self.at..];
            let count = left.len().min(buffer.len()).min(self.at_once);
            buffer[..count].copy_from_slice(&left[..count]);
            self.at += count;
            Poll::Ready(Ok(count))
        }
    }

    fn frames_of(bytes: Vec<u8>, at_once: usize) -> Frames<Socket> {
        let socket = Socket {
            bytes,
            at: 0,
            at_once,
            is_busy: false,
        };
        Frames::new(socket, Arc::default())
    }

    #[test]
    fn a_giant_frame_is_refused_by_its_header() {
        let mut bytes = vec![kind_of_data()];
        bytes.put_u32_le(1);
        bytes.put_u32_le(u32::try_from(limits::FRAME_BYTES_MAX).expect("a small number") + 1);
        let mut frames = frames_of(bytes, 100);
        let next = block_on(frames.next());
        assert!(matches!(next, Err(FrameError::Length { .. })), "{next:?}");
        assert!(frames.payload.is_none(), "nothing was allocated for it");
    }

    #[test]
    fn a_stream_that_ends_within_a_frame_is_broken() {
        let (header, payload) = Frame::Data(Bytes::from_static(b"content")).to_parts(RequestId(1));
        let whole = [&header[..], &payload].concat();
        for length in 1..whole.len() {
            let next = block_on(frames_of(whole[..length].to_vec(), 3).next());
            assert!(
                matches!(next, Err(FrameError::Stream(_))),
                "{length}: {next:?}"
            );
        }
        assert!(matches!(block_on(frames_of(vec![], 3).next()), Ok(None)));
    }

    proptest! {
        #[test]
        fn frames_round_trip_in_any_pieces_though_calls_are_dropped(
            frames in prop::collection::vec((any::<u32>(), frame()), 1..8),
            at_once in 1_usize..50,
        ) {
            let mut bytes = Vec::new();
            for (id, frame) in &frames {
                let (header, payload) = frame.to_parts(RequestId(*id));
                bytes.extend_from_slice(&header);
                bytes.extend_from_slice(&payload);
            }
            let mut reading = frames_of(bytes, at_once);
            let mut read = Vec::new();
            loop {
                // Each call is dropped at its first wait.
                match reading.next().now_or_never() {
                    None => {}
                    Some(Ok(Some((id, frame)))) => read.push((id.0, frame)),
                    Some(Ok(None)) => break,
                    Some(Err(error)) => return Err(TestCaseError::fail(error.to_string())),
                }
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn garbage_is_cut_or_refused_but_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..9) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = kind;
            }
            let mut frames = frames_of(bytes, 70);
            while let Ok(Some(_)) = block_on(frames.next()) {}
        }
    }
}
