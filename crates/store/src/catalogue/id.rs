//! Ids that this catalogue gives, and that mean nothing elsewhere.

/// A live segment by its number in this catalogue; newer ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);
