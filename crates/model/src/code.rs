//! Erasure codes by their two numbers, and the rules that hang on them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::SUPPLIERS_PER_SET_MAX;

/// Which matrix made the shards; stored with each pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CodeVersion {
    /// The systematic Vandermonde-derived matrix over GF(2^8) that FORMAT.md defines.
    Vandermonde1,
}

/// Any `k` of `n` shards give a pack back. `1 <= k <= n <= SUPPLIERS_PER_SET_MAX`.
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(type = "[number, number]")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
pub struct Code {
    k: u8,
    n: u8,
}

/// Two numbers that are no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no code: write K/N with 1 <= K <= N <= {SUPPLIERS_PER_SET_MAX}, for example 3/6"
)]
pub struct CodeError {
    /// What was given.
    pub text: String,
}

impl Code {
    /// A code of `n` shards of which any `k` suffice.
    pub fn new(k: u8, n: u8) -> Result<Self, CodeError> {
        if k == 0 || k > n || usize::from(n) > SUPPLIERS_PER_SET_MAX {
            return Err(CodeError {
                text: format!("{k}/{n}"),
            });
        }
        Ok(Self { k, n })
    }

    /// The default code for `n` suppliers; `None` for zero. Above 30 suppliers a set still
    /// has 30 positions.
    #[must_use]
    pub fn default_for(n: usize) -> Option<Self> {
        let (k, n) = match n {
            0 => return None,
            1 => (1, 1),
            2 => (1, 2),
            3 => (1, 3),
            4 => (2, 4),
            5 | 6 => (2, n),
            7..=9 => (3, n),
            10..=19 => (4, n),
            20..=29 => (8, n),
            _ => (10, 30),
        };
        Some(Self {
            k,
            n: u8::try_from(n).ok()?,
        })
    }

    /// How many shards give a pack back.
    #[must_use]
    pub const fn k(self) -> u8 {
        self.k
    }

    /// How many shards there are.
    #[must_use]
    pub const fn n(self) -> u8 {
        self.n
    }

    /// Confirmed shards needed before a pack may be called safe: all where n <= 4, else more
    /// than the repair threshold `min(n - 1, k + ceil((n - k) / 4))`. `None` when n < 2: a
    /// single copy is never safe.
    #[must_use]
    pub const fn safe_at(self) -> Option<u8> {
        if self.n < 2 {
            return None;
        }
        if self.n <= 4 {
            return Some(self.n);
        }
        let eroded = self.k + (self.n - self.k).div_ceil(4);
        let repair = if eroded < self.n - 1 {
            eroded
        } else {
            self.n - 1
        };
        Some(repair + 1)
    }

    /// Confirmed shards at which a chunk counts as known to later backups, and at which a version may
    /// name it: as many as give it back.
    #[must_use]
    pub const fn known_at(self) -> u8 {
        self.k
    }

    /// Confirmed shards of each pack at which a version counts as settled: k + 1, or all.
    #[must_use]
    pub const fn settled_at(self) -> u8 {
        if self.k < self.n { self.k + 1 } else { self.n }
    }

    /// Suppliers that must hold a head and its lists before it counts as settled, where all n positions
    /// are active: the rule W = max(n - k + 1, n / 2 + 1), so that any k later answers include one that
    /// has it, and no two heads settle apart.
    #[must_use]
    pub const fn metadata_quorum(self) -> u8 {
        quorum(self.k, self.n)
    }

    /// The same where so many positions are active. `None` while they are fewer than k: no k answers can
    /// be had of them, and nothing settles.
    #[must_use]
    pub const fn metadata_quorum_of(self, active: u8) -> Option<u8> {
        if active < self.k {
            return None;
        }
        Some(quorum(self.k, active))
    }
}

/// W of k and so many positions, k at least.
const fn quorum(k: u8, active: u8) -> u8 {
    let (any_k, majority) = (active - k + 1, active / 2 + 1);
    if any_k > majority { any_k } else { majority }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || CodeError {
            text: text.to_owned(),
        };
        let (k, n) = text.split_once('/').ok_or_else(refused)?;
        let k = k.trim().parse().map_err(|_| refused())?;
        let n = n.trim().parse().map_err(|_| refused())?;
        Self::new(k, n)
    }
}

impl TryFrom<(u8, u8)> for Code {
    type Error = CodeError;

    fn try_from((k, n): (u8, u8)) -> Result<Self, Self::Error> {
        Self::new(k, n)
    }
}

impl From<Code> for (u8, u8) {
    fn from(code: Code) -> Self {
        (code.k, code.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_follow_the_table() {
        let check = |n: usize, shown: Option<&str>| {
            assert_eq!(
                Code::default_for(n).map(|code| code.to_string()).as_deref(),
                shown
            );
        };
        check(0, None);
        check(1, Some("1/1"));
        check(3, Some("1/3"));
        check(4, Some("2/4"));
        check(6, Some("2/6"));
        check(9, Some("3/9"));
        check(19, Some("4/19"));
        check(29, Some("8/29"));
        check(64, Some("10/30"));
    }

    #[test]
    fn safe_needs_more_than_the_repair_threshold() {
        let check = |text: &str, safe: Option<u8>| {
            let code: Code = text.parse().expect("a code of the table");
            assert_eq!(code.safe_at(), safe, "{text}");
        };
        check("1/1", None);
        check("1/2", Some(2));
        check("2/4", Some(4));
        check("3/6", Some(5));
        check("2/6", Some(4));
        check("10/30", Some(16));
    }

    #[test]
    fn a_version_settles_where_any_k_find_it_and_no_other_can() {
        let check = |text: &str, known: u8, settled: u8, metadata: u8| {
            let code: Code = text.parse().expect("a code");
            assert_eq!(code.known_at(), known, "{text}");
            assert_eq!(code.settled_at(), settled, "{text}");
            assert_eq!(code.metadata_quorum(), metadata, "{text}");
        };
        check("1/1", 1, 1, 1);
        check("1/3", 1, 2, 3);
        check("2/6", 2, 3, 5);
        check("3/6", 3, 4, 4);
        check("5/6", 5, 6, 4);
        check("4/5", 4, 5, 3);
    }

    #[test]
    fn positions_that_are_not_active_are_not_waited_for() {
        let code: Code = "3/6".parse().expect("a code");
        for (active, quorum) in [
            (6, Some(4)),
            (5, Some(3)),
            (4, Some(3)),
            (3, Some(2)),
            (2, None),
            (0, None),
        ] {
            assert_eq!(code.metadata_quorum_of(active), quorum, "{active} active");
        }
        let whole = code.metadata_quorum_of(code.n());
        assert_eq!(whole, Some(code.metadata_quorum()), "all are");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "3", "0/3", "4/3", "3/256", "1/31", "a/b"] {
            assert!(text.parse::<Code>().is_err(), "{text} was taken");
        }
    }
}
