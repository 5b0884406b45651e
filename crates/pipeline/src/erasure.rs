//! The erasure code: any k of n shards give a pack back. Systematic, over GF(2^8).
//!
//! The matrix is this crate's own (docs/FORMAT.md), because the format depends on it;
//! the loops over bytes are those of `reed-solomon-erasure`. Row i depends on (k, i) alone,
//! so n may grow at fixed k and no shard changes. The code works byte by byte: byte j of a
//! shard depends on byte j of the data shards alone, so the same range of any k shards gives
//! that range of every other.
//!
//! Invariant: what is written lies in the buffers of the caller, which hold n shards at most;
//! lengths from outside are checked first.

mod matrix;

use bitdust_model::Code;
use bitdust_model::limits::{
    CODING_WINDOW_BYTES, PACK_BYTES_MAX, SHARD_ALIGN, SUPPLIERS_PER_SET_MAX,
};
use matrix::Row;
use reed_solomon_erasure::galois_8;

/// Why shards do not give the wanted bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    /// Other shards may still help.
    #[error("{present} shards are at hand, {k} are needed")]
    TooFew {
        /// Different shards that were given.
        present: usize,
        /// Shards that are needed.
        k: u8,
    },
    /// The numbers are no code.
    #[error("{k}/{n} is no code")]
    NoCode {
        /// Shards that would be needed.
        k: u8,
        /// Shards there would be.
        n: usize,
    },
    /// A shard index is beyond every set.
    #[error("there is no shard {index}")]
    NoShard {
        /// What was asked for or given.
        index: u8,
    },
    /// A shard, or a range of one, is not as long as the others or as the pack demands.
    #[error("shard {index} has {bytes} bytes instead of {expected}")]
    Length {
        /// Which shard.
        index: u8,
        /// Its length.
        bytes: usize,
        /// What it should be.
        expected: u64,
    },
    /// The pack is longer than any pack may be; nothing was allocated.
    #[error("a pack claims {pack_bytes} bytes, at most {PACK_BYTES_MAX} are allowed")]
    PackTooLong {
        /// What was claimed.
        pack_bytes: u32,
    },
}

/// Length of every shard of a pack: its k-th part, rounded up to a multiple of
/// `SHARD_ALIGN`. A k of zero counts as one.
#[must_use]
pub fn shard_bytes(pack_bytes: u32, k: u8) -> u64 {
    u64::from(pack_bytes)
        .div_ceil(u64::from(k.max(1)))
        .next_multiple_of(SHARD_ALIGN as u64)
}

/// Makes all shards of a pack: its bytes, with zeros behind them, become the k data shards where
/// they lie, and `parity` the others, whatever was in it. Gives the length of a shard.
///
/// # Panics
/// If the pack is longer than `PACK_BYTES_MAX`.
pub fn encode_in_place(pack: &mut Vec<u8>, code: Code, parity: &mut Vec<u8>) -> usize {
    let length = shard_length(pack, code.k());
    pack.resize(length * usize::from(code.k()), 0);
    // Every byte is written below; what is there need not be cleared.
    parity.resize(length * usize::from(code.n() - code.k()), 0);
    let rows: Vec<Row> = (code.k()..code.n())
        .map(|index| matrix::row(code.k(), index))
        .collect();
    let inputs: Vec<&[u8]> = pack.chunks(length.max(1)).collect();
    let mut outputs: Vec<&mut [u8]> = parity.chunks_mut(length.max(1)).collect();
    combine(&rows, &inputs, &mut outputs);
    length
}

/// Makes a range of one shard from the same range of k others into `target`, which is as long.
/// `present` are indices with the bytes of the range, of which further ones than k are not
/// looked at; `wanted` is the index of a data or parity shard.
pub fn decode_into(
    k: u8,
    present: &[(u8, &[u8])],
    wanted: u8,
    target: &mut [u8],
) -> Result<(), ErasureError> {
    let sources = choose_sources(k, present)?;
    check_lengths(&sources, target.len() as u64)?;
    if !is_index(wanted) {
        return Err(ErasureError::NoShard { index: wanted });
    }
    match sources.iter().find(|(source, _)| *source == wanted) {
        Some((_, bytes)) => target.copy_from_slice(bytes),
        None => {
            let (indices, inputs): (Vec<u8>, Vec<&[u8]>) = sources.iter().copied().unzip();
            let row = matrix::row_from(k, &indices, wanted);
            combine(&[row], &inputs, &mut [target]);
        }
    }
    Ok(())
}

fn shard_length(pack: &[u8], k: u8) -> usize {
    assert!(
        pack.len() <= PACK_BYTES_MAX,
        "a pack of {} bytes is too long",
        pack.len()
    );
    pack.len()
        .div_ceil(usize::from(k))
        .next_multiple_of(SHARD_ALIGN)
}

/// The first k different shards, data shards before parity: those cost no multiplication.
fn choose_sources<'a>(
    k: u8,
    present: &[(u8, &'a [u8])],
) -> Result<Vec<(u8, &'a [u8])>, ErasureError> {
    if !(1..=SUPPLIERS_PER_SET_MAX).contains(&usize::from(k)) {
        return Err(ErasureError::NoCode {
            k,
            n: present.len(),
        });
    }
    if let Some(&(index, _)) = present.iter().find(|(index, _)| !is_index(*index)) {
        return Err(ErasureError::NoShard { index });
    }
    let mut sources = present.to_vec();
    sources.sort_by_key(|(index, _)| *index);
    sources.dedup_by_key(|(index, _)| *index);
    if sources.len() < usize::from(k) {
        return Err(ErasureError::TooFew {
            present: sources.len(),
            k,
        });
    }
    sources.truncate(usize::from(k));
    Ok(sources)
}

fn check_lengths(sources: &[(u8, &[u8])], expected: u64) -> Result<(), ErasureError> {
    match sources
        .iter()
        .find(|(_, bytes)| bytes.len() as u64 != expected)
    {
        Some(&(index, bytes)) => Err(ErasureError::Length {
            index,
            bytes: bytes.len(),
            expected,
        }),
        None => Ok(()),
    }
}

fn is_index(index: u8) -> bool {
    usize::from(index) < SUPPLIERS_PER_SET_MAX
}

/// Each output becomes the sum of all inputs, each times its coefficient in the output's
/// row. Goes through all of them window by window, so that the windows stay in the cache.
fn combine(rows: &[Row], inputs: &[&[u8]], outputs: &mut [&mut [u8]]) {
    let length = inputs.first().map_or(0, |input| input.len());
    for start in (0..length).step_by(CODING_WINDOW_BYTES) {
        let window = start..length.min(start + CODING_WINDOW_BYTES);
        for (column, input) in inputs.iter().enumerate() {
            for (row, output) in rows.iter().zip(outputs.iter_mut()) {
                let (input, output) = (&input[window.clone()], &mut output[window.clone()]);
                match column {
                    0 => galois_8::mul_slice(row[column], input, output),
                    _ => galois_8::mul_slice_xor(row[column], input, output),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
