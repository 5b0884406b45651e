//! Checks ranges of shards against the shard's id, so that a liar is known at once.
//!
//! A proof is a bao slice with groups of 16 KiB and without a length in front, as
//! `bao_tree::io::sync::encode_ranges_validated` writes it: the part of the BLAKE3 tree that
//! covers the range, in pre-order; 64 bytes of two child hashes for each parent, then the
//! bytes of each group of the range. The shard's length is known from its signed header; a
//! proof binds the bytes to their place, and the length only where it reaches the last group.
//!
//! Invariant: no byte is given out before it is proved, and nothing is kept but one group
//! and a hash for each level of the tree.

use std::ops::Range;

use bitdust_model::ShardId;
use bitdust_model::limits::{PROOF_GROUP_BYTES, SHARD_ALIGN, SHARD_BYTES_MAX};
use blake3::hazmat::{self, ChainingValue, HasherExt, Mode};

const GROUP_BYTES: u64 = PROOF_GROUP_BYTES as u64;
const PARENT_BYTES: usize = 64;

/// Why a range is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The range is empty, beyond the shard, or not aligned to `SHARD_ALIGN`; a bug here.
    #[error("bytes {offset}..{offset}+{length} are no range of a shard of {shard_bytes} bytes")]
    BadRange {
        /// First byte.
        offset: u64,
        /// Number of bytes.
        length: u64,
        /// Length of the shard.
        shard_bytes: u64,
    },
    /// The supplier's bytes are not those of the shard.
    #[error("shard {shard} is not what was stored: the proof fails near byte {offset}")]
    Mismatch {
        /// Which shard.
        shard: ShardId,
        /// Where.
        offset: u64,
    },
    /// The proof ends too early; what came was right.
    #[error("the proof for shard {shard} ends before byte {offset}")]
    Truncated {
        /// Which shard.
        shard: ShardId,
        /// The first byte that is not proved.
        offset: u64,
    },
    /// There are bytes after the end of the proof.
    #[error("the proof for shard {shard} goes on after its end")]
    Surplus {
        /// Which shard.
        shard: ShardId,
    },
}

/// A check under way: takes the proof in pieces as they arrive.
pub struct RangeVerifier {
    shard: ShardId,
    shard_bytes: u64,
    range: Range<u64>,
    /// What must come next, the last one first.
    expected: Vec<Subtree>,
    /// The beginning of an item whose rest has not come yet.
    pending: Vec<u8>,
}

/// A part of the shard's hash tree, and what it must hash to.
#[derive(Clone, Copy)]
struct Subtree {
    start: u64,
    bytes: u64,
    hash: ChainingValue,
}

impl RangeVerifier {
    /// Begins to check a range of a shard. It must be aligned to `SHARD_ALIGN`; its end may
    /// also be the shard's.
    pub fn new(
        shard: ShardId,
        shard_bytes: u64,
        offset: u64,
        length: u64,
    ) -> Result<Self, ProofError> {
        let range = checked_range(shard_bytes, offset, length)?;
        let expected = vec![Subtree {
            start: 0,
            bytes: shard_bytes,
            hash: shard.0,
        }];
        Ok(Self {
            shard,
            shard_bytes,
            range,
            expected,
            pending: Vec::new(),
        })
    }

    /// Takes the next piece of the proof and appends what it proves to `out`. After an error
    /// the check is over.
    pub fn push(&mut self, mut encoded: &[u8], out: &mut Vec<u8>) -> Result<(), ProofError> {
        while !encoded.is_empty() {
            let Some(subtree) = self.expected.pop() else {
                return Err(ProofError::Surplus { shard: self.shard });
            };
            let wanted = subtree.encoded_bytes() - self.pending.len();
            let (piece, rest) = encoded.split_at(wanted.min(encoded.len()));
            encoded = rest;
            if self.pending.is_empty() && piece.len() == wanted {
                self.check(subtree, piece, out)?;
                continue;
            }
            self.pending.extend_from_slice(piece);
            if piece.len() < wanted {
                self.expected.push(subtree);
                continue;
            }
            let mut pending = std::mem::take(&mut self.pending);
            self.check(subtree, &pending, out)?;
            pending.clear();
            self.pending = pending;
        }
        Ok(())
    }

    /// Whether the whole range is proved.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.expected.is_empty()
    }

    /// Ends the check: fails if a part of the range was not proved.
    pub fn finish(self) -> Result<(), ProofError> {
        match self.expected.last() {
            Some(subtree) => {
                let offset = subtree.start.max(self.range.start);
                Err(ProofError::Truncated {
                    shard: self.shard,
                    offset,
                })
            }
            None => Ok(()),
        }
    }

    fn check(
        &mut self,
        subtree: Subtree,
        item: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ProofError> {
        let is_root = subtree.bytes == self.shard_bytes;
        if !subtree.is_group() {
            return self.check_parent(subtree, item, is_root);
        }
        let hash = if is_root {
            *blake3::hash(item).as_bytes()
        } else {
            let mut hasher = blake3::Hasher::new();
            hasher
                .set_input_offset(subtree.start)
                .update(item)
                .finalize_non_root()
        };
        self.compare(subtree, hash)?;
        out.extend_from_slice(item);
        Ok(())
    }

    fn check_parent(
        &mut self,
        parent: Subtree,
        item: &[u8],
        is_root: bool,
    ) -> Result<(), ProofError> {
        let mut hashes = [[0; 32]; 2];
        for (hash, bytes) in hashes.iter_mut().zip(item.chunks_exact(32)) {
            hash.copy_from_slice(bytes);
        }
        let [left, right] = &hashes;
        let hash = if is_root {
            *hazmat::merge_subtrees_root(left, right, Mode::Hash).as_bytes()
        } else {
            hazmat::merge_subtrees_non_root(left, right, Mode::Hash)
        };
        self.compare(parent, hash)?;
        let left_bytes = hazmat::left_subtree_len(parent.bytes);
        let middle = parent.start + left_bytes;
        let left = Subtree {
            start: parent.start,
            bytes: left_bytes,
            hash: *left,
        };
        let right = Subtree {
            start: middle,
            bytes: parent.bytes - left_bytes,
            hash: *right,
        };
        let wanted = [right, left]
            .into_iter()
            .filter(|half| overlap(&half.range(), &self.range));
        self.expected.extend(wanted);
        Ok(())
    }

    fn compare(&self, subtree: Subtree, hash: ChainingValue) -> Result<(), ProofError> {
        if hash == subtree.hash {
            return Ok(());
        }
        let offset = subtree.start.max(self.range.start);
        Err(ProofError::Mismatch {
            shard: self.shard,
            offset,
        })
    }
}

impl Subtree {
    const fn is_group(&self) -> bool {
        self.bytes <= GROUP_BYTES
    }

    const fn range(&self) -> Range<u64> {
        self.start..self.start + self.bytes
    }

    fn encoded_bytes(&self) -> usize {
        if self.is_group() {
            usize::try_from(self.bytes).expect("a group is short")
        } else {
            PARENT_BYTES
        }
    }
}

fn checked_range(shard_bytes: u64, offset: u64, length: u64) -> Result<Range<u64>, ProofError> {
    let align = SHARD_ALIGN as u64;
    let end = offset.saturating_add(length);
    let is_aligned =
        offset.is_multiple_of(align) && (end.is_multiple_of(align) || end == shard_bytes);
    if length == 0 || end > shard_bytes || shard_bytes > SHARD_BYTES_MAX as u64 || !is_aligned {
        return Err(ProofError::BadRange {
            offset,
            length,
            shard_bytes,
        });
    }
    Ok(offset..end)
}

const fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use bao_tree::io::outboard::PreOrderOutboard;
    use bao_tree::io::sync::{CreateOutboard, encode_ranges_validated};
    use bao_tree::{BlockSize, ChunkNum, ChunkRanges};
    use proptest::prelude::*;

    use super::*;
    use crate::shard::shard_id;
    use crate::testing::noise;

    const KIB64: u64 = 64 * 1024;

    #[test]
    fn every_range_of_a_supplier_is_believed() {
        for blocks in [1, 2, 3, 5, 8, 13] {
            let shard = noise(blocks, usize::try_from(blocks * KIB64).expect("short"));
            for start in 0..blocks {
                for end in start + 1..=blocks {
                    let (offset, length) = (start * KIB64, (end - start) * KIB64);
                    let slice = make_slice(&shard, offset, length);
                    assert!(
                        verify(&shard, offset, length, &slice) == Ok(part(&shard, offset, length))
                    );
                }
            }
        }
    }

    #[test]
    fn shards_of_any_length_are_believed() {
        for bytes in [1, 1024, 16_384, 16_385, 40_000, 65_535, 65_537, 200_001] {
            let shard = noise(3, bytes);
            let whole = make_slice(&shard, 0, bytes as u64);
            assert!(
                verify(&shard, 0, bytes as u64, &whole).as_ref() == Ok(&shard),
                "{bytes}"
            );
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let shard = noise(4, 5 * 65_536);
        let slice = make_slice(&shard, KIB64, KIB64);
        assert!(slice.len() > 65_536);
        for at in (0..slice.len()).step_by(37).chain(0..300) {
            let mut changed = slice.clone();
            changed[at] ^= 1;
            let refused = verify(&shard, KIB64, KIB64, &changed).expect_err("a lie was believed");
            assert!(
                matches!(refused, ProofError::Mismatch { .. }),
                "byte {at}: {refused}"
            );
        }
    }

    #[test]
    fn a_slice_must_be_the_one_asked_for() {
        let shard = noise(5, 4 * 65_536);
        let slice = make_slice(&shard, 0, KIB64);
        let id = shard_id(&shard);
        assert!(verify(&shard, KIB64, KIB64, &slice).is_err());
        assert!(verify_range(ShardId([1; 32]), 4 * KIB64, 0, KIB64, &slice).is_err());
        let short = verify(&shard, 0, KIB64, &slice[..slice.len() - 1]);
        assert_eq!(
            short,
            Err(ProofError::Truncated {
                shard: id,
                offset: 3 * 16_384
            })
        );
        assert_eq!(
            verify(&shard, 0, KIB64, &[]),
            Err(ProofError::Truncated {
                shard: id,
                offset: 0
            })
        );
        let surplus = [&slice[..], &[0]].concat();
        assert_eq!(
            verify(&shard, 0, KIB64, &surplus),
            Err(ProofError::Surplus { shard: id })
        );
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        let check = |shard_bytes: u64, offset: u64, length: u64| {
            let refused = Err(ProofError::BadRange {
                offset,
                length,
                shard_bytes,
            });
            let verified = verify_range(ShardId([0; 32]), shard_bytes, offset, length, &[]);
            assert_eq!(verified, refused);
        };
        check(0, 0, 0);
        check(KIB64, 0, 0);
        check(KIB64, 0, KIB64 + 1);
        check(2 * KIB64, 1, KIB64);
        check(2 * KIB64, 0, 1024);
        check(KIB64, u64::MAX, u64::MAX);
        check(u64::MAX, 0, u64::MAX);
        check(25 << 20, 0, KIB64);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_proof_may_come_in_any_pieces(
            blocks in 1_u64..8,
            from in 0_u64..8,
            pieces in prop::collection::vec(1_usize..40_000, 1..60),
        ) {
            let shard = noise(blocks, usize::try_from(blocks * KIB64).expect("short"));
            let offset = from % blocks * KIB64;
            let length = blocks * KIB64 - offset;
            let slice = make_slice(&shard, offset, length);
            let mut verifier = RangeVerifier::new(shard_id(&shard), blocks * KIB64, offset, length)
                .expect("a range");
            let (mut rest, mut out) = (&slice[..], vec![]);
            for size in pieces.into_iter().cycle() {
                let (piece, after) = rest.split_at(size.min(rest.len()));
                verifier.push(piece, &mut out).expect("the slice is genuine");
                prop_assert!(verifier.pending.len() <= PROOF_GROUP_BYTES);
                prop_assert!(shard[usize::try_from(offset).expect("short")..].starts_with(&out));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(verifier.is_complete());
            prop_assert_eq!(verifier.finish(), Ok(()));
            prop_assert_eq!(out.len() as u64, length);
        }

        #[test]
        fn garbage_is_never_believed(bytes in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let shard = noise(1, 3 * 65_536);
            prop_assert!(verify(&shard, KIB64, KIB64, &bytes).is_err());
        }
    }

    fn verify(shard: &[u8], offset: u64, length: u64, slice: &[u8]) -> Result<Vec<u8>, ProofError> {
        verify_range(shard_id(shard), shard.len() as u64, offset, length, slice)
    }

    /// Checks a whole slice and gives the bytes of the range.
    fn verify_range(
        shard: ShardId,
        shard_bytes: u64,
        offset: u64,
        length: u64,
        encoded: &[u8],
    ) -> Result<Vec<u8>, ProofError> {
        let mut verifier = RangeVerifier::new(shard, shard_bytes, offset, length)?;
        let mut bytes = Vec::new();
        verifier.push(encoded, &mut bytes)?;
        verifier.finish()?;
        Ok(bytes)
    }

    fn part(shard: &[u8], offset: u64, length: u64) -> Vec<u8> {
        let start = usize::try_from(offset).expect("short");
        shard[start..start + usize::try_from(length).expect("short")].to_vec()
    }

    /// What a supplier answers, made the way it makes it.
    fn make_slice(shard: &[u8], offset: u64, length: u64) -> Vec<u8> {
        let groups = BlockSize::from_chunk_log(4);
        let outboard = PreOrderOutboard::<Vec<u8>>::create(std::io::Cursor::new(shard), groups)
            .expect("hashing memory");
        let first = ChunkNum(offset / 1024);
        let last = ChunkNum((offset + length).div_ceil(1024));
        let mut slice = Vec::new();
        encode_ranges_validated(
            shard,
            &outboard,
            &ChunkRanges::from(first..last),
            &mut slice,
        )
        .expect("reading memory");
        slice
    }
}
