//! Cuts a long stream on a thread of its own: reading and cutting go on while whoever takes
//! the chunks works on them.
//!
//! Invariant: there are two buffers of at most `CHUNKER_BUFFER_BYTES`, one being filled and
//! one being taken, and a rest of at most `CHUNK_BYTES_MAX` between them.

use std::io::{self, Read};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::slabs::{Slab, Slabs};
use super::{Chunker, Chunks, Cutter};

impl Cutter {
    /// Gives each chunk of a stream to `take`, or the error that ended the stream early, as
    /// [`Cutter::chunks`] would; the same chunks. Starts a thread, so a short stream is better
    /// cut without.
    ///
    /// # Errors
    ///
    /// What `take` returned, at once: the rest of the stream is not read.
    pub fn cut_ahead<E>(
        &mut self,
        reader: impl Read + Send,
        mut take: impl FnMut(io::Result<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (chunker, slabs) = (&self.chunker, &self.slabs);
        thread::scope(|threads| {
            // Nothing waits between the two: a stretch is handed over when the last is done.
            let (filled, coming) = sync_channel(0);
            threads.spawn(move || cut_stretches(chunker, slabs, reader, &filled));
            for stretch in coming {
                let slab: Slab = match stretch {
                    Ok(slab) => slab,
                    Err(error) => return take(Err(error)),
                };
                let taken = slab.chunks().try_for_each(|chunk| take(Ok(chunk)));
                slabs.give(slab);
                taken?;
            }
            Ok(())
        })
    }
}

/// Hands over stretches until the stream ends or nobody takes them any more.
fn cut_stretches(
    chunker: &Chunker,
    slabs: &Slabs,
    mut reader: impl Read,
    filled: &SyncSender<io::Result<Slab>>,
) {
    let mut rest = Vec::new();
    let mut ended = false;
    while !ended {
        let mut slab = slabs.take();
        let stretch = cut_stretch(chunker, &mut slab, &mut reader, &mut rest).map(|is_last| {
            ended = is_last;
            slab
        });
        ended |= stretch.is_err();
        if filled.send(stretch).is_err() {
            return;
        }
    }
}

/// Fills a slab behind the rest of the last one, and cuts it; says whether the stream ended.
fn cut_stretch(
    chunker: &Chunker,
    slab: &mut Slab,
    reader: impl Read,
    rest: &mut Vec<u8>,
) -> io::Result<bool> {
    let Slab { bytes, ends } = slab;
    if bytes.len() < rest.len() {
        bytes.resize(rest.len(), 0);
    }
    bytes[..rest.len()].copy_from_slice(rest);
    let mut chunks = Chunks {
        chunker,
        reader,
        buffer: bytes,
        start: 0,
        end: rest.len(),
        ended: false,
    };
    chunks.fill()?;
    ends.clear();
    while let Some(length) = chunks.cut()
        && length > 0
    {
        chunks.start += length;
        ends.push(chunks.start);
    }
    rest.clear();
    rest.extend_from_slice(&chunks.buffer[chunks.start..chunks.end]);
    Ok(chunks.ended)
}
