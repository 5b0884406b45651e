//! Ranges of shards with their proof.
//!
//! Every group of 16 KiB is checked against the shard's id before it is passed on, so what a
//! reader gets is either right or cut off.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;

use bao_tree::io::EncodeError;
use bao_tree::io::outboard::PreOrderMemOutboard;
use bao_tree::io::sync::encode_ranges_validated;
use bao_tree::{ChunkNum, ChunkRanges};
use bitdust_model::limits::SHARD_ALIGN;
use bitdust_model::{IdentityId, ShardId};
use tracing::debug;

use super::files::{hash_tree, load_tree, outboard_path};
use super::intake::from_beginning;
use super::shards::kept_shard;
use super::{ShardError, ShardStore};
use crate::durable;

/// Which bytes of a shard were passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServedRange {
    /// First byte, a multiple of `SHARD_ALIGN`.
    pub offset: u64,
    /// Bytes, proof not counted.
    pub length: u64,
}

/// The range that answers a request: its beginning rounded down and its end rounded up to
/// `SHARD_ALIGN`, or to the shard's end. `None` when it is empty or begins behind the end.
#[must_use]
pub fn aligned_range(shard_bytes: u32, offset: u64, length: u64) -> Option<ServedRange> {
    let shard_bytes = u64::from(shard_bytes);
    if length == 0 || offset >= shard_bytes {
        return None;
    }
    let align = SHARD_ALIGN as u64;
    let start = offset / align * align;
    let end = offset
        .saturating_add(length)
        .min(shard_bytes)
        .div_ceil(align)
        .saturating_mul(align)
        .min(shard_bytes);
    Some(ServedRange {
        offset: start,
        length: end - start,
    })
}

impl ShardStore {
    /// Writes the aligned range of a shard with its proof: bao encoding of the range, 16 KiB
    /// groups, without a length in front. See [`aligned_range`].
    ///
    /// A damaged file gives `Corrupt` after at most the undamaged bytes before the damage,
    /// and the shard is no longer listed. An error of `out` is `Output`.
    pub fn read_range(
        &self,
        identity: IdentityId,
        shard: ShardId,
        offset: u64,
        length: u64,
        out: &mut impl Write,
    ) -> Result<ServedRange, ShardError> {
        let kept = self.read(|connection| kept_shard(connection, identity, shard))?;
        let kept = kept.ok_or(ShardError::NotFound { shard })?;
        let range = aligned_range(kept.header.shard_bytes, offset, length)
            .ok_or(ShardError::BadRange { shard, offset })?;
        let outcome = self.encode(identity, shard, kept.header.shard_bytes, range, out);
        match &outcome {
            Err(ShardError::Corrupt { .. }) if kept.is_whole => {
                self.mark_damaged(identity, shard)?
            }
            Err(ShardError::NotFound { .. }) if kept.is_whole => {
                self.mark_missing(identity, shard)?
            }
            Ok(()) | Err(_) => {}
        }
        outcome?;
        debug!(%shard, offset = range.offset, length = range.length, "Served a range");
        Ok(range)
    }

    fn encode(
        &self,
        identity: IdentityId,
        shard: ShardId,
        shard_bytes: u32,
        range: ServedRange,
        out: &mut impl Write,
    ) -> Result<(), ShardError> {
        let path = self.files().shard(identity, shard);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.files().expect_there()?;
                // It may have come back in between.
                File::open(&path).map_err(|_| ShardError::NotFound { shard })?
            }
            Err(error) => return Err(ShardError::disk(&path)(error)),
        };
        let length = file.metadata().map_err(ShardError::disk(&path))?.len();
        if length != u64::from(shard_bytes) {
            return Err(ShardError::Corrupt { shard });
        }
        let tree = match load_tree(&path, shard, length)
            .map_err(ShardError::disk(&outboard_path(&path)))?
        {
            Some(tree) => tree,
            None => self.remake_tree(identity, shard, &mut file, length)?,
        };
        let mut sink = Sink { out, error: None };
        let encoded = encode_ranges_validated(&file, &tree, &chunk_ranges(range), &mut sink);
        match (encoded, sink.error) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(error)) => Err(ShardError::Output(error)),
            (Err(error), None) => Err(encode_error(error, shard, &path)),
        }
    }

    /// Makes a hash tree that was lost anew, if the shard itself is whole.
    fn remake_tree(
        &self,
        identity: IdentityId,
        shard: ShardId,
        file: &mut File,
        length: u64,
    ) -> Result<PreOrderMemOutboard, ShardError> {
        let path = self.files().shard(identity, shard);
        let tree = from_beginning(file, length)
            .and_then(|whole| hash_tree(whole, length))
            .map_err(|error| ShardError::unreadable(shard, &path, error))?;
        if tree.root.as_bytes() != shard.as_bytes() {
            return Err(ShardError::Corrupt { shard });
        }
        let header = self.encoded_header(identity, shard)?;
        let outboard = outboard_path(&path);
        durable::write_parts_durably(&outboard, &[&tree.data, &header])
            .map_err(ShardError::disk(&outboard))?;
        Ok(tree)
    }

    fn encoded_header(&self, identity: IdentityId, shard: ShardId) -> Result<Vec<u8>, ShardError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT header FROM shards WHERE identity = ?1 AND shard = ?2")?;
            Ok(statement.query_row([identity.0, shard.0], |row| row.get(0))?)
        })
    }
}

/// The BLAKE3 chunks of a byte range that begins at a chunk.
fn chunk_ranges(range: ServedRange) -> ChunkRanges {
    let chunks: Range<ChunkNum> =
        ChunkNum::full_chunks(range.offset)..ChunkNum::chunks(range.offset + range.length);
    ChunkRanges::from(chunks)
}

fn encode_error(error: EncodeError, shard: ShardId, path: &std::path::Path) -> ShardError {
    match error {
        EncodeError::ParentHashMismatch(_)
        | EncodeError::LeafHashMismatch(_)
        | EncodeError::SizeMismatch => ShardError::Corrupt { shard },
        // The file became shorter than it was a moment ago.
        EncodeError::Io(error) => ShardError::unreadable(shard, path, error),
        EncodeError::ParentWrite(_) | EncodeError::LeafWrite(_) => {
            ShardError::Output(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
}

/// Passes bytes on and remembers whether it was the taker that failed.
struct Sink<'a, W> {
    out: &'a mut W,
    error: Option<io::Error>,
}

impl<W: Write> Write for Sink<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.out.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.error = Some(error);
                Err(io::Error::from(kind))
            }
            outcome => outcome,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
