//! Which bytes of a file were written, when they come in any order and perhaps twice.

use std::collections::BTreeMap;
use std::ops::Bound;

use bitdust_model::limits;

use crate::restore::RestoreError;

/// Ranges that do not touch each other, by their start.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    ends: BTreeMap<u64, u64>,
    covered: u64,
}

impl Ranges {
    /// How many different bytes were added.
    pub(super) const fn covered(&self) -> u64 {
        self.covered
    }

    /// Adds the bytes from `start` to before `end`, joining what touches.
    pub(super) fn add(&mut self, start: u64, end: u64) -> Result<(), RestoreError> {
        if start >= end {
            return Ok(());
        }
        let (mut start, mut end) = (start, end);
        while let Some((&left, &right)) = self
            .ends
            .range((Bound::Unbounded, Bound::Included(end)))
            .next_back()
        {
            if right < start {
                break;
            }
            self.ends.remove(&left);
            self.covered -= right - left;
            start = start.min(left);
            end = end.max(right);
        }
        if self.ends.len() == limits::RESTORE_RANGES_MAX {
            return Err(RestoreError::TooMany {
                what: "separate ranges of one file",
                max: limits::RESTORE_RANGES_MAX,
            });
        }
        self.ends.insert(start, end);
        self.covered += end - start;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn coverage_counts_each_byte_once(pieces in prop::collection::vec((0_u64..200, 0_u64..40), 0..60)) {
            let mut ranges = Ranges::default();
            let mut plain = vec![false; 240];
            for (start, length) in pieces {
                ranges.add(start, start + length).expect("few ranges");
                for byte in start..start + length {
                    plain[usize::try_from(byte).expect("small")] = true;
                }
            }
            let expected = plain.iter().filter(|byte| **byte).count() as u64;
            prop_assert_eq!(ranges.covered(), expected);
            let runs = plain.split(|byte| !byte).filter(|run| !run.is_empty()).count();
            prop_assert_eq!(ranges.ends.len(), runs, "what touches is joined");
        }
    }
}
