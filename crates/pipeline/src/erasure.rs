//! The erasure code: any k of n shards give a pack back. Systematic, over GF(2^8).
//!
//! The matrix is this crate's own (docs/FORMAT.md), because the format depends on it;
//! the loops over bytes are those of `reed-solomon-erasure`. Row i depends on (k, i) alone,
//! so n may grow at fixed k and no shard changes. The code works byte by byte: byte j of a
//! shard depends on byte j of the data shards alone, so the same range of any k shards gives
//! that range of every other.
//!
//! Invariant: what these functions allocate is the shards they give back, at most
//! `PACK_BYTES_MAX` rounded up for k shards; lengths from outside are checked first.

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

/// Makes one shard of a pack: what repair needs while the pack is at hand.
///
/// # Panics
/// If the pack is longer than `PACK_BYTES_MAX`, or the index is not below n.
#[must_use]
pub fn encode_one(pack: &[u8], code: Code, index: u8) -> Vec<u8> {
    assert!(index < code.n(), "shard {index} of {code}");
    let length = shard_length(pack, code.k());
    if index < code.k() {
        return data_shard(pack, length, index);
    }
    let padding = vec![0; length];
    let mut tail = Vec::new();
    let inputs = data_slices(pack, length, code.k(), &padding, &mut tail);
    let mut shard = vec![0; length];
    combine(&[matrix::row(code.k(), index)], &inputs, &mut [&mut shard]);
    shard
}

/// Makes ranges of shards from the same range of k others. `present` are indices with the
/// bytes of the range; `wanted` are indices of data or parity shards. Gives the wanted
/// ranges in the order asked for. Further shards than k are not looked at.
pub fn decode_range(
    k: u8,
    present: &[(u8, &[u8])],
    wanted: &[u8],
) -> Result<Vec<Vec<u8>>, ErasureError> {
    let sources = choose_sources(k, present)?;
    let length = sources[0].1.len();
    check_lengths(&sources, length as u64)?;
    if let Some(&index) = wanted.iter().find(|&&index| !is_index(index)) {
        return Err(ErasureError::NoShard { index });
    }
    let mut ranges = vec![vec![0; length]; wanted.len()];
    let mut missing = Vec::new();
    let mut outputs: Vec<&mut [u8]> = Vec::new();
    for (&index, range) in wanted.iter().zip(&mut ranges) {
        match sources.iter().find(|(source, _)| *source == index) {
            Some((_, bytes)) => range.copy_from_slice(bytes),
            None => {
                missing.push(index);
                outputs.push(range);
            }
        }
    }
    recover(k, &sources, &missing, &mut outputs);
    Ok(ranges)
}

/// Makes a range of one shard from the same range of k others into `target`, which is as long.
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
        None => recover(k, &sources, &[wanted], &mut [target]),
    }
    Ok(())
}

/// Gives a pack back from whole shards, unmasked; the place in the list is the index.
pub fn decode_pack(
    k: u8,
    n: u8,
    pack_bytes: u32,
    shards: Vec<Option<Vec<u8>>>,
) -> Result<Vec<u8>, ErasureError> {
    if Code::new(k, n).is_err() || shards.len() != usize::from(n) {
        return Err(ErasureError::NoCode { k, n: shards.len() });
    }
    if pack_bytes as usize > PACK_BYTES_MAX {
        return Err(ErasureError::PackTooLong { pack_bytes });
    }
    let present: Vec<(u8, &[u8])> = (0..n)
        .zip(&shards)
        .filter_map(|(index, shard)| Some((index, shard.as_deref()?)))
        .collect();
    let sources = choose_sources(k, &present)?;
    check_lengths(&sources, shard_bytes(pack_bytes, k))?;
    if k == 1 {
        let index = usize::from(sources[0].0);
        let mut pack = shards
            .into_iter()
            .nth(index)
            .flatten()
            .expect("the source is present");
        pack.truncate(pack_bytes as usize);
        return Ok(pack);
    }
    let length = sources[0].1.len();
    let mut pack = vec![0; length * usize::from(k)];
    let mut missing = Vec::new();
    let mut outputs = Vec::new();
    // An empty pack has shards of no bytes, and `chunks_mut` wants at least one.
    for (index, target) in (0..k).zip(pack.chunks_mut(length.max(1))) {
        match sources.iter().find(|(source, _)| *source == index) {
            Some((_, bytes)) => target.copy_from_slice(bytes),
            None => {
                missing.push(index);
                outputs.push(target);
            }
        }
    }
    recover(k, &sources, &missing, &mut outputs);
    pack.truncate(pack_bytes as usize);
    Ok(pack)
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

/// Bytes [i·L, (i+1)·L) of the pack, zeros beyond its end.
fn data_shard(pack: &[u8], length: usize, index: u8) -> Vec<u8> {
    let start = (usize::from(index) * length).min(pack.len());
    let end = (start + length).min(pack.len());
    let mut shard = Vec::with_capacity(length);
    shard.extend_from_slice(&pack[start..end]);
    shard.resize(length, 0);
    shard
}

/// The data shards without copying them, but for the one in which the pack ends.
fn data_slices<'a>(
    pack: &'a [u8],
    length: usize,
    k: u8,
    padding: &'a [u8],
    tail: &'a mut Vec<u8>,
) -> Vec<&'a [u8]> {
    let whole = pack.chunks_exact(length.max(1));
    tail.extend_from_slice(whole.remainder());
    tail.resize(length, 0);
    let mut slices: Vec<&[u8]> = whole.collect();
    if slices.len() < usize::from(k) {
        slices.push(tail);
    }
    slices.resize(usize::from(k), padding);
    slices
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

fn recover(k: u8, sources: &[(u8, &[u8])], missing: &[u8], outputs: &mut [&mut [u8]]) {
    if missing.is_empty() {
        return;
    }
    let (indices, inputs): (Vec<u8>, Vec<&[u8]>) = sources.iter().copied().unzip();
    let rows: Vec<Row> = missing
        .iter()
        .map(|&index| matrix::row_from(k, &indices, index))
        .collect();
    combine(&rows, &inputs, outputs);
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
