//! Units as types: a number never travels without saying what it counts.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// The sum, or `u64::MAX` where it would overflow.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for ByteCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

impl fmt::Display for ByteCount {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        match unit {
            0 => write!(f, "{} B", self.0),
            _ if value < 9.95 => write!(f, "{value:.1} {}", UNITS[unit]),
            _ => write!(f, "{value:.0} {}", UNITS[unit]),
        }
    }
}

/// Milliseconds since 1970 by some machine's wall clock; never trusted for decisions
/// about another machine, only shown and compared on the machine that wrote it.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Milliseconds from `self` to `now`. What lies in the future was written by a clock that was
    /// wrong, or is read by one: it counts as long ago as can be, never as just now.
    #[must_use]
    pub const fn ago(self, now: Self) -> u64 {
        match now.0.checked_sub(self.0) {
            Some(ago) => ago,
            None => u64::MAX,
        }
    }

    /// A moment so much earlier, 1970 at the earliest.
    #[must_use]
    pub fn earlier_by(self, span: Duration) -> Self {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(span))
    }

    /// A moment so much later.
    #[must_use]
    pub fn later_by(self, span: Duration) -> Self {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(span))
    }
}

/// Milliseconds of monotonic time since the engine was started.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tick(pub u64);

impl Tick {
    /// Milliseconds from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

/// A place in a set: shard i of each pack of the set lives at position i.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u8);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A set of positions: bit i stands for position i.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PositionMask(pub u32);

impl PositionMask {
    /// With one position more. Positions beyond 31 are in no set.
    #[must_use]
    pub const fn with(self, position: Position) -> Self {
        Self(self.0 | bit(position))
    }

    /// Whether a position is in it.
    #[must_use]
    pub const fn has(self, position: Position) -> bool {
        self.0 & bit(position) != 0
    }

    /// The positions that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many positions are in it.
    #[must_use]
    pub fn count(self) -> u8 {
        u8::try_from(self.0.count_ones()).expect("32 at most")
    }

    /// The positions in it, in order.
    pub fn positions(self) -> impl Iterator<Item = Position> {
        (0..32).map(Position).filter(move |it| self.has(*it))
    }
}

impl FromIterator<Position> for PositionMask {
    fn from_iter<I: IntoIterator<Item = Position>>(positions: I) -> Self {
        positions.into_iter().fold(Self::default(), Self::with)
    }
}

const fn bit(position: Position) -> u32 {
    match 1_u32.checked_shl(position.0 as u32) {
        Some(bit) => bit,
        None => 0,
    }
}

/// Generation of the derived secrets; raised when a device is revoked.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

/// A number that only grows: of heads in a lane, of packets in a session, of records at a key.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The next number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_future_is_not_fresh() {
        let now = UnixMillis(1_000);
        assert_eq!(UnixMillis(400).ago(now), 600);
        assert_eq!(now.ago(now), 0);
        assert_eq!(UnixMillis(1_001).ago(now), u64::MAX);
    }

    #[test]
    fn a_mask_has_the_positions_it_was_made_of() {
        let mask: PositionMask = [Position(0), Position(29)].into_iter().collect();
        assert_eq!(mask, PositionMask(1 | 1 << 29));
        assert_eq!(mask.count(), 2);
        assert_eq!(mask.and(PositionMask(3)), PositionMask(1));
        assert!(mask.positions().eq([Position(0), Position(29)]));
        assert!(mask.has(Position(29)) && !mask.has(Position(1)));
        assert_eq!(mask.with(Position(200)), mask, "there is no such position");
        assert!(!mask.has(Position(200)));
    }

    #[test]
    fn bytes_are_shown_with_two_or_three_digits() {
        let check = |count: u64, shown: &str| assert_eq!(ByteCount(count).to_string(), shown);
        check(0, "0 B");
        check(999, "999 B");
        check(1000, "1.0 kB");
        check(9_960, "10 kB");
        check(999_600, "1.0 MB");
        check(16_777_216, "17 MB");
    }
}
