//! Puts the fetched ranges of a pack's shards together and reads parts of the pack from them.
//!
//! Where the data shard is at hand its bytes are copied; where it is not they are decoded
//! from k others, for exactly the bytes asked for. What comes out is still sealed.
//!
//! Memory: what was put in, and the part that is read. A piece beyond the shard's length is
//! refused, so that n whole shards are the most there can be.

use std::borrow::Cow;
use std::ops::Range;

use bitdust_model::Position;
use bitdust_model::limits::{PACK_BYTES_MAX, SUPPLIERS_PER_SET_MAX};

use crate::erasure::{ErasureError, decode_into, shard_bytes};
use crate::plan::split;

/// Ranges of a pack's shards, proved and unmasked.
pub struct Gathered<B> {
    k: u8,
    shard_bytes: u64,
    pieces: Vec<GatheredPart<B>>,
}

struct GatheredPart<B> {
    position: Position,
    start: u64,
    bytes: B,
}

impl<B: AsRef<[u8]>> Gathered<B> {
    /// Nothing yet of a pack of `pack_bytes` bytes, any k shards of which give it back.
    pub fn new(k: u8, pack_bytes: u32) -> Result<Self, ErasureError> {
        if !(1..=SUPPLIERS_PER_SET_MAX).contains(&usize::from(k)) {
            return Err(ErasureError::NoCode {
                k,
                n: usize::from(k),
            });
        }
        if pack_bytes as usize > PACK_BYTES_MAX {
            return Err(ErasureError::PackTooLong { pack_bytes });
        }
        Ok(Self {
            k,
            shard_bytes: shard_bytes(pack_bytes, k),
            pieces: Vec::new(),
        })
    }

    /// Adds a range of the shard at a position, which begins at byte `start` of it.
    pub fn insert(&mut self, position: Position, start: u64, bytes: B) -> Result<(), ErasureError> {
        let length = bytes.as_ref().len();
        if usize::from(position.0) >= SUPPLIERS_PER_SET_MAX {
            return Err(ErasureError::NoShard { index: position.0 });
        }
        if start.saturating_add(length as u64) > self.shard_bytes {
            let expected = self.shard_bytes.saturating_sub(start);
            let (index, bytes) = (position.0, length);
            return Err(ErasureError::Length {
                index,
                bytes,
                expected,
            });
        }
        if self
            .covered(position, start..start + length as u64)
            .is_none()
        {
            self.pieces.push(GatheredPart {
                position,
                start,
                bytes,
            });
        }
        Ok(())
    }

    /// Reads a part of the pack.
    #[cfg(test)]
    pub(crate) fn read(&self, offset: u32, length: u32) -> Result<Vec<u8>, ErasureError> {
        let mut part = Vec::with_capacity(length as usize);
        self.read_into(offset, length, &mut part)?;
        Ok(part)
    }

    /// Appends a part of the pack to `target`.
    ///
    /// # Errors
    /// `TooFew` when the part is neither at hand nor covered by k shards; `Length` when it
    /// lies beyond the pack's shards.
    pub fn read_into(
        &self,
        offset: u32,
        length: u32,
        target: &mut Vec<u8>,
    ) -> Result<(), ErasureError> {
        let end = u64::from(offset) + u64::from(length);
        let expected = self.shard_bytes * u64::from(self.k);
        if end > expected {
            let bytes = usize::try_from(end).unwrap_or(usize::MAX);
            return Err(ErasureError::Length {
                index: self.k - 1,
                bytes,
                expected,
            });
        }
        for (position, range) in split(self.k, self.shard_bytes, offset, length) {
            match self.covered(position, range.clone()) {
                Some(slices) => slices
                    .iter()
                    .for_each(|slice| target.extend_from_slice(slice)),
                None => self.decode(position, range, target)?,
            }
        }
        Ok(())
    }

    fn decode(
        &self,
        wanted: Position,
        range: Range<u64>,
        target: &mut Vec<u8>,
    ) -> Result<(), ErasureError> {
        let mut sources: Vec<(u8, Cow<'_, [u8]>)> = Vec::new();
        for index in (0..).take(SUPPLIERS_PER_SET_MAX) {
            if sources.len() == usize::from(self.k) {
                break;
            }
            match self.covered(Position(index), range.clone()).as_deref() {
                Some(&[whole]) => sources.push((index, Cow::Borrowed(whole))),
                Some(slices) => sources.push((index, slices.concat().into())),
                None => {}
            }
        }
        let present: Vec<(u8, &[u8])> = sources
            .iter()
            .map(|(index, bytes)| (*index, bytes.as_ref()))
            .collect();
        let start = target.len();
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        target.resize(start + length, 0);
        decode_into(self.k, &present, wanted.0, &mut target[start..])
    }

    /// The bytes of a range of one shard, if all of them are at hand.
    fn covered(&self, position: Position, range: Range<u64>) -> Option<Vec<&[u8]>> {
        let mut slices = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let piece = self
                .pieces
                .iter()
                .filter(|piece| piece.position == position)
                .find(|piece| piece.range().contains(&at))?;
            let end = piece.range().end.min(range.end);
            let inside = |place: u64| usize::try_from(place - piece.start).ok();
            slices.push(piece.bytes.as_ref().get(inside(at)?..inside(end)?)?);
            at = end;
        }
        Some(slices)
    }
}

impl<B: AsRef<[u8]>> GatheredPart<B> {
    fn range(&self) -> Range<u64> {
        self.start..self.start + self.bytes.as_ref().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use bitdust_model::Code;
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{shard_ranges, union};
    use crate::testing::{encode, noise};

    #[test]
    fn too_little_is_an_error_that_says_so() {
        let mut gathered = Gathered::<Vec<u8>>::new(2, 200_000).expect("a pack");
        assert_eq!(
            gathered.read(0, 10),
            Err(ErasureError::TooFew { present: 0, k: 2 })
        );
        gathered
            .insert(Position(2), 0, vec![1; 65_536])
            .expect("a piece");
        gathered
            .insert(Position(2), 0, vec![1; 65_536])
            .expect("the same piece");
        assert_eq!(gathered.pieces.len(), 1);
        assert_eq!(
            gathered.read(0, 10),
            Err(ErasureError::TooFew { present: 1, k: 2 })
        );
        assert!(gathered.read(0, u32::MAX).is_err());
        assert_eq!(gathered.read(0, 0), Ok(vec![]));
    }

    #[test]
    fn pieces_that_do_not_fit_are_refused() {
        let mut gathered = Gathered::<Vec<u8>>::new(2, 200_000).expect("a pack");
        assert!(gathered.insert(Position(0), 131_072, vec![0]).is_err());
        assert!(gathered.insert(Position(0), u64::MAX, vec![0]).is_err());
        assert!(gathered.insert(Position(30), 0, vec![0]).is_err());
        assert!(Gathered::<Vec<u8>>::new(0, 1).is_err());
        assert!(Gathered::<Vec<u8>>::new(31, 1).is_err());
        assert!(Gathered::<Vec<u8>>::new(1, u32::MAX).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_planned_can_be_read(
            k in 1_u8..6,
            pack_bytes in 1_u32..1_500_000,
            parts in prop::collection::vec((0_u32..1_500_000, 1_u32..200_000), 1..6),
            reachable in prop::collection::btree_set(0_u8..10, 0..10),
        ) {
            let pack = noise(1, pack_bytes as usize);
            let shards = encode(&pack, Code::new(k, 10).expect("a code"));
            let reachable: Vec<_> = reachable.into_iter().map(Position).collect();
            let parts: Vec<(u32, u32)> = parts
                .into_iter()
                .map(|(offset, length)| (offset % pack_bytes, length))
                .map(|(offset, length)| (offset, length.min(pack_bytes - offset)))
                .collect();
            let mut plan = shard_ranges(k, pack_bytes, &parts);
            if plan.iter().any(|(position, _)| !reachable.contains(position)) {
                if reachable.len() < usize::from(k) {
                    return Ok(()); // nobody can fetch it
                }
                let ranges = union(plan.into_iter().map(|(_, range)| range));
                let of = |position: Position| ranges.iter().map(move |range| (position, range.clone()));
                plan = reachable.iter().take(k.into()).copied().flat_map(of).collect();
            }
            let mut gathered = Gathered::new(k, pack_bytes).expect("a pack");
            for (position, range) in plan {
                let start = usize::try_from(range.start).expect("short");
                let end = usize::try_from(range.end).expect("short");
                let bytes = shards[usize::from(position.0)][start..end].to_vec();
                gathered.insert(position, range.start, bytes).expect("it fits");
            }
            for (offset, length) in parts {
                let part = gathered.read(offset, length).expect("it was planned");
                prop_assert!(part == pack[offset as usize..(offset + length) as usize]);
            }
        }
    }
}
