//! Which bytes of which shards a restore must fetch.
//!
//! A file needs the ranges of the data shards that hold its chunks, not k whole shards. All
//! ranges are within a shard, aligned to `SHARD_ALIGN`, sorted, and merged. When a data shard
//! is away, the same range of any k others stands in for it.

use std::ops::Range;

use bitdust_model::Position;
use bitdust_model::limits::SHARD_ALIGN;

use crate::erasure::shard_bytes;

/// A range of the shard at a position.
pub type ShardRange = (Position, Range<u64>);

/// The range a supplier answers with when asked for `length` bytes from `offset`: its start
/// rounded down and its end rounded up to `SHARD_ALIGN`, and nothing beyond the shard.
#[must_use]
pub fn align_range(shard_bytes: u64, offset: u64, length: u64) -> Range<u64> {
    let align = SHARD_ALIGN as u64;
    let start = offset.min(shard_bytes) / align * align;
    let end = offset.saturating_add(length).min(shard_bytes);
    start..end.next_multiple_of(align).min(shard_bytes)
}

/// The ranges of the data shards that hold `wanted` parts (offset and length) of a pack.
/// Parts beyond the pack's shards are left out: nobody has them.
#[must_use]
pub fn shard_ranges(k: u8, pack_bytes: u32, wanted: &[(u32, u32)]) -> Vec<ShardRange> {
    let length = shard_bytes(pack_bytes, k);
    let mut ranges = Vec::new();
    for &(offset, bytes) in wanted {
        for (position, range) in split(k, length, offset, bytes) {
            let aligned = align_range(length, range.start, range.end - range.start);
            ranges.push((position, aligned));
        }
    }
    merge(ranges)
}

/// Sorts ranges and joins those that touch or overlap.
#[must_use]
pub fn union(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let at_one_place = ranges
        .into_iter()
        .map(|range| (Position(0), range))
        .collect();
    merge(at_one_place)
        .into_iter()
        .map(|(_, range)| range)
        .collect()
}

/// What of some ranges is not among others; both as [`union`] gives them.
#[must_use]
pub fn without(ranges: &[Range<u64>], others: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    for range in ranges {
        let mut start = range.start;
        for other in others {
            if start < other.start.min(range.end) {
                left.push(start..other.start.min(range.end));
            }
            start = start.max(other.end);
        }
        if start < range.end {
            left.push(start..range.end);
        }
    }
    left
}

/// The parts of the data shards that make up a part of the pack, in order, not aligned.
pub(crate) fn split(
    k: u8,
    shard_bytes: u64,
    offset: u32,
    bytes: u32,
) -> impl Iterator<Item = ShardRange> {
    let start = u64::from(offset);
    let end = start + u64::from(bytes);
    (0..k).filter_map(move |index| {
        let base = u64::from(index) * shard_bytes;
        let from = start.clamp(base, base + shard_bytes) - base;
        let to = end.clamp(base, base + shard_bytes) - base;
        (from < to).then_some((Position(index), from..to))
    })
}

fn merge(mut ranges: Vec<ShardRange>) -> Vec<ShardRange> {
    ranges.sort_by_key(|(position, range)| (*position, range.start));
    let mut merged: Vec<ShardRange> = Vec::with_capacity(ranges.len());
    for (position, range) in ranges {
        match merged.last_mut() {
            Some((last, before)) if *last == position && range.start <= before.end => {
                before.end = before.end.max(range.end);
            }
            Some(_) | None => merged.push((position, range)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIB: u64 = 1024;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "these are lists of ranges")]
    fn what_is_at_hand_is_left_out() {
        let check = |ranges: &[Range<u64>], others: &[Range<u64>], left: &[Range<u64>]| {
            assert_eq!(without(ranges, others), left, "{ranges:?} {others:?}");
        };
        check(&[0..8], &[], &[0..8]);
        check(&[], &[0..8], &[]);
        check(&[0..8], &[0..8], &[]);
        check(&[2..6], &[0..8], &[]);
        check(&[0..8], &[2..3, 5..6], &[0..2, 3..5, 6..8]);
        check(&[0..4, 6..8], &[3..7], &[0..3, 7..8]);
        check(&[0..4, 6..8], &[9..12], &[0..4, 6..8]);
        check(&[4..8], &[0..2, 3..5], &[5..8]);
    }

    #[test]
    fn ranges_are_aligned_and_merged() {
        let check = |k: u8, wanted: &[(u32, u32)], expected: &[(u8, u64, u64)]| {
            let expected: Vec<ShardRange> = expected
                .iter()
                .map(|&(position, start, end)| (Position(position), start * KIB..end * KIB))
                .collect();
            // 1 MiB: shards of 512 KiB at k = 2, of 384 KiB at k = 3.
            assert_eq!(shard_ranges(k, 1 << 20, wanted), expected, "{k} {wanted:?}");
        };
        check(2, &[], &[]);
        check(2, &[(5, 0)], &[]);
        check(2, &[(0, 1)], &[(0, 0, 64)]);
        check(2, &[(42, 70_000)], &[(0, 0, 128)]);
        check(2, &[(524_287, 2)], &[(0, 448, 512), (1, 0, 64)]);
        check(2, &[(524_288, 65_536)], &[(1, 0, 64)]);
        check(
            2,
            &[(300_000, 10), (10, 10), (70_000, 10)],
            &[(0, 0, 128), (0, 256, 320)],
        );
        check(3, &[(0, 1 << 20)], &[(0, 0, 384), (1, 0, 384), (2, 0, 256)]);
        check(1, &[(1_000_000, 100_000)], &[(0, 960, 1024)]);
        check(2, &[(u32::MAX, u32::MAX)], &[]);
    }

    #[test]
    fn answers_of_suppliers_are_aligned() {
        assert_eq!(align_range(128 * KIB, 1, 1), 0..64 * KIB);
        assert_eq!(align_range(100 * KIB, 70 * KIB, 1), 64 * KIB..100 * KIB);
        assert_eq!(
            align_range(128 * KIB, 64 * KIB, u64::MAX),
            64 * KIB..128 * KIB
        );
        assert!(align_range(128 * KIB, 128 * KIB, 10).is_empty());
        assert!(align_range(128 * KIB, u64::MAX, u64::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn every_wanted_byte_is_planned_and_little_else(
            k in 1_u8..12,
            pack_bytes in 1_u32..5_000_000,
            wanted in prop::collection::vec((0_u32..5_000_000, 0_u32..300_000), 0..10),
        ) {
            let length = shard_bytes(pack_bytes, k);
            let ranges = shard_ranges(k, pack_bytes, &wanted);
            for (one, two) in ranges.iter().zip(&ranges[ranges.len().min(1)..]) {
                prop_assert!(one.0 < two.0 || one.1.end < two.1.start);
            }
            for (position, range) in &ranges {
                prop_assert!(position.0 < k && range.end <= length && !range.is_empty());
                prop_assert_eq!(range.start % SHARD_ALIGN as u64, 0);
            }
            for &(offset, bytes) in &wanted {
                for place in [u64::from(offset), u64::from(offset) + u64::from(bytes) / 2] {
                    let (index, at) = (place / length, place % length);
                    let is_planned = ranges.iter().any(|(position, range)| {
                        u64::from(position.0) == index && range.contains(&at)
                    });
                    prop_assert!(is_planned || bytes == 0 || index >= u64::from(k));
                }
            }
            let planned: u64 = ranges.iter().map(|(_, range)| range.end - range.start).sum();
            let asked: u64 = wanted.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
            let slack = 2 * SHARD_ALIGN as u64 * (wanted.len() as u64 + u64::from(k) * wanted.len() as u64);
            prop_assert!(planned <= asked + slack);
        }
    }
}
