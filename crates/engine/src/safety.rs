//! The arithmetic of safety: what confirmations are worth, counted against what is needed.
//!
//! Nothing here knows an engine or changes anything. Whoever counts says which holders are counted:
//! those that are trusted, or those that are trusted and fresh.

use bitdust_model::Code;
use bitdust_model::status::Protection;

/// How a group of packs stands against what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quorum {
    /// All have enough confirmations.
    Reached,
    /// At least one has not.
    Short {
        /// Confirmations of the weakest.
        confirmed: u8,
        /// Confirmations it needs.
        need: u8,
        /// Whether shards enough to get there are moving now.
        moving: bool,
    },
}

impl Quorum {
    /// How so many confirmations stand, with so many shards under way.
    pub(crate) const fn of(confirmed: u8, moving: u8, need: u8) -> Self {
        if confirmed >= need {
            return Self::Reached;
        }
        Self::Short {
            confirmed,
            need,
            moving: confirmed.saturating_add(moving) >= need,
        }
    }

    /// Both together: the one that lacks more is what people are told, and something moves only
    /// where both do.
    pub(crate) const fn weaker(self, other: Self) -> Self {
        match (self, other) {
            (Self::Reached, quorum) | (quorum, Self::Reached) => quorum,
            (
                Self::Short {
                    confirmed,
                    need,
                    moving,
                },
                Self::Short {
                    confirmed: other_confirmed,
                    need: other_need,
                    moving: other_moving,
                },
            ) => {
                let moving = moving && other_moving;
                let lacks = need.saturating_sub(confirmed);
                let other_lacks = other_need.saturating_sub(other_confirmed);
                let (confirmed, need) = if lacks >= other_lacks {
                    (confirmed, need)
                } else {
                    (other_confirmed, other_need)
                };
                Self::Short {
                    confirmed,
                    need,
                    moving,
                }
            }
        }
    }
}

/// Positions at which something holds and whose holder is counted.
///
/// # Panics
/// If there are more than 255 positions; a set has at most 30.
pub(crate) fn count(positions: impl Iterator<Item = bool>, holders: &[bool]) -> u8 {
    let counted = positions
        .zip(holders)
        .filter(|(holds, is_counted)| *holds && **is_counted);
    u8::try_from(counted.count()).expect("a set has at most 30 positions")
}

/// What people are told of data whose weakest pack has so many fresh confirmations. Safe only when
/// something is published and there are enough of them.
pub(crate) fn protection(is_published: bool, code: Option<Code>, confirmed: u8) -> Protection {
    if !is_published {
        return Protection::Nothing;
    }
    match code.and_then(Code::safe_at) {
        Some(needed) if confirmed >= needed => Protection::Safe,
        Some(needed) => Protection::Stored { confirmed, needed },
        // A lone copy is never safe: a second place is needed at least.
        None => Protection::Stored {
            confirmed,
            needed: 2,
        },
    }
}

/// What holds of everything, from what holds of each folder: the worst of it. What was backed up and
/// may be lost comes before what was not backed up.
#[must_use]
pub fn overall(folders: &[Protection]) -> Protection {
    let kept = folders.iter().filter(|it| **it != Protection::Nothing);
    let missing = folders.len() - kept.clone().count();
    match kept.min() {
        None => Protection::Nothing,
        Some(Protection::Safe) if missing > 0 => Protection::Partly {
            missing: u32::try_from(missing).unwrap_or(u32::MAX),
        },
        Some(worst) => *worst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn short(confirmed: u8, need: u8, moving: bool) -> Quorum {
        Quorum::Short {
            confirmed,
            need,
            moving,
        }
    }

    #[test]
    fn a_quorum_is_reached_by_confirmations_and_not_by_what_moves() {
        assert_eq!(Quorum::of(3, 0, 3), Quorum::Reached);
        assert_eq!(Quorum::of(2, 1, 3), short(2, 3, true));
        assert_eq!(Quorum::of(2, 0, 3), short(2, 3, false));
        assert_eq!(Quorum::of(0, 255, 3), short(0, 3, true));
    }

    #[test]
    fn of_two_the_one_that_lacks_more_is_told() {
        let (one, two) = (short(2, 3, true), short(2, 4, false));
        assert_eq!(one.weaker(two), short(2, 4, false));
        assert_eq!(two.weaker(one), short(2, 4, false));
        assert_eq!(Quorum::Reached.weaker(one), one);
        assert_eq!(one.weaker(Quorum::Reached), one);
        let equal = short(1, 2, false);
        assert_eq!(one.weaker(equal), short(2, 3, false), "one of them waits");
    }

    #[test]
    fn a_holder_that_is_not_counted_counts_for_nothing() {
        let holds = [true, true, false, true];
        assert_eq!(count(holds.into_iter(), &[true, false, true, true]), 2);
        assert_eq!(count(holds.into_iter(), &[false; 4]), 0);
    }

    #[test]
    fn everything_is_as_safe_as_the_worst_folder() {
        let (nothing, safe) = (Protection::Nothing, Protection::Safe);
        let stored = |confirmed| Protection::Stored {
            confirmed,
            needed: 5,
        };
        assert_eq!(overall(&[]), nothing);
        assert_eq!(overall(&[safe, safe]), safe);
        assert_eq!(overall(&[safe, stored(4), stored(3)]), stored(3));
        assert_eq!(overall(&[nothing, nothing]), nothing);
        let partly = Protection::Partly { missing: 1 };
        assert_eq!(overall(&[safe, nothing, safe]), partly);
        assert_eq!(
            overall(&[safe, nothing, stored(1)]),
            stored(1),
            "more than that"
        );
    }

    #[test]
    fn nothing_is_safe_unless_it_is_published_and_confirmed_often_enough() {
        let code = Code::new(2, 6).ok();
        let needed = code.and_then(Code::safe_at).expect("more than one place");
        assert_eq!(protection(false, code, 6), Protection::Nothing);
        assert_eq!(protection(true, code, needed), Protection::Safe);
        let confirmed = needed - 1;
        let stored = Protection::Stored { confirmed, needed };
        assert_eq!(protection(true, code, confirmed), stored);
        let lone = Protection::Stored {
            confirmed: 1,
            needed: 2,
        };
        assert_eq!(protection(true, Code::new(1, 1).ok(), 1), lone);
        assert_eq!(protection(true, None, 1), lone);
    }
}
