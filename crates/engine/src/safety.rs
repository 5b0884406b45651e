//! The arithmetic of safety: what confirmations are worth, counted against what is needed.
//!
//! Nothing here knows an engine or changes anything. Whoever counts says which holders are counted:
//! those that are trusted, or those that are trusted and fresh.

use bitdust_model::Code;
use bitdust_model::status::Protection;

/// How a group of packs stands against what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quorum {
    /// All have as many confirmations as are waited for.
    Reached,
    /// All have enough for a version, and at least one not as many as are waited for.
    Enough {
        /// Whether shards that it lacks are moving now.
        moving: bool,
    },
    /// At least one has too few for a version.
    Short {
        /// Confirmations of the weakest.
        confirmed: u8,
        /// Confirmations it needs.
        need: u8,
        /// Whether shards enough to get there are moving now.
        moving: bool,
    },
    /// At least one has too few, and what others who are there would need of it is nowhere any more.
    Lost,
}

/// Confirmations that a pack needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// For a version to name it.
    pub(crate) enough: u8,
    /// That are waited for as long as they come.
    pub(crate) awaited: u8,
}

impl Quorum {
    /// How so many confirmations stand, with so many shards under way.
    pub(crate) const fn of(confirmed: u8, moving: u8, need: Need) -> Self {
        let Need { enough, awaited } = need;
        if confirmed < enough {
            return Self::Short {
                confirmed,
                need: enough,
                moving: confirmed.saturating_add(moving) >= enough,
            };
        }
        if confirmed >= awaited {
            return Self::Reached;
        }
        Self::Enough { moving: moving > 0 }
    }

    /// Both together: the one that lacks more is what people are told. Something moves towards
    /// what is needed only where both do, and towards what is waited for where one does.
    pub(crate) const fn weaker(self, other: Self) -> Self {
        match (self, other) {
            (Self::Lost, _) | (_, Self::Lost) => Self::Lost,
            (Self::Reached, quorum) | (quorum, Self::Reached) => quorum,
            (Self::Enough { moving }, Self::Enough { moving: other }) => Self::Enough {
                moving: moving || other,
            },
            (Self::Enough { .. }, quorum) | (quorum, Self::Enough { .. }) => quorum,
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

/// What people are told of data that lies in these sets, each with its code and the fresh confirmations
/// of its weakest pack: what holds of the set that is worst off. Safe only when something is published
/// and there are enough of them in each.
pub(crate) fn protection(is_published: bool, sets: &[(Code, u8)]) -> Protection {
    if !is_published {
        return Protection::Nothing;
    }
    worst(sets).map_or(LONE, |(code, confirmed)| of_set(code, confirmed))
}

/// Confirmations with which the weakest of published packs can still be had, in the set that is worst off.
pub(crate) fn enough(sets: &[(Code, u8)]) -> u8 {
    worst(sets).map_or(1, |(code, _)| code.k())
}

fn worst(sets: &[(Code, u8)]) -> Option<(Code, u8)> {
    sets.iter().copied().min_by_key(|&(code, confirmed)| {
        let told = of_set(code, confirmed);
        // Of sets that are not safe, the one that survives the fewest losses.
        let spare = i16::from(confirmed) - i16::from(code.k());
        (told == Protection::Safe, spare, told)
    })
}

/// Nothing is known of where it lies.
const LONE: Protection = Protection::Stored {
    confirmed: 0,
    needed: COPIES_OF_SAFE,
};

/// A lone copy is never safe: a second place is needed at least.
const COPIES_OF_SAFE: u8 = 2;

fn of_set(code: Code, confirmed: u8) -> Protection {
    match code.safe_at() {
        Some(needed) if confirmed >= needed => Protection::Safe,
        Some(needed) => Protection::Stored { confirmed, needed },
        None => Protection::Stored {
            confirmed,
            needed: COPIES_OF_SAFE,
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
        let of = |confirmed, moving| {
            let (enough, awaited) = (3, 5);
            Quorum::of(confirmed, moving, Need { enough, awaited })
        };
        assert_eq!(of(5, 0), Quorum::Reached);
        assert_eq!(of(4, 0), Quorum::Enough { moving: false });
        assert_eq!(of(3, 1), Quorum::Enough { moving: true });
        assert_eq!(of(2, 1), short(2, 3, true));
        assert_eq!(of(2, 0), short(2, 3, false));
        assert_eq!(of(0, 255), short(0, 3, true));
    }

    #[test]
    fn of_two_the_one_that_lacks_more_is_told() {
        let (one, two) = (short(2, 3, true), short(2, 4, false));
        assert_eq!(one.weaker(two), short(2, 4, false));
        assert_eq!(two.weaker(one), short(2, 4, false));
        assert_eq!(Quorum::Reached.weaker(one), one);
        assert_eq!(one.weaker(Quorum::Reached), one);
        let enough = |moving| Quorum::Enough { moving };
        assert_eq!(Quorum::Lost.weaker(two), Quorum::Lost);
        assert_eq!(Quorum::Reached.weaker(Quorum::Lost), Quorum::Lost);
        assert_eq!(enough(true).weaker(two), two);
        assert_eq!(one.weaker(enough(false)), one);
        assert_eq!(Quorum::Reached.weaker(enough(true)), enough(true));
        assert_eq!(enough(false).weaker(enough(true)), enough(true));
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
        let code = Code::new(2, 6).expect("a code");
        let needed = code.safe_at().expect("more than one place");
        assert_eq!(protection(false, &[(code, 6)]), Protection::Nothing);
        assert_eq!(protection(true, &[(code, needed)]), Protection::Safe);
        let confirmed = needed - 1;
        let stored = Protection::Stored { confirmed, needed };
        assert_eq!(protection(true, &[(code, confirmed)]), stored);
        let lone = |confirmed| Protection::Stored {
            confirmed,
            needed: 2,
        };
        let alone = Code::new(1, 1).expect("a code");
        assert_eq!(protection(true, &[(alone, 1)]), lone(1));
        assert_eq!(protection(true, &[]), lone(0));
    }

    #[test]
    fn of_several_sets_the_worst_is_told() {
        let code = |k, n| Code::new(k, n).expect("a code");
        let (wide, narrow) = (code(10, 30), code(1, 3));
        let told = |sets: &[(Code, u8)]| {
            let mut turned = sets.to_vec();
            turned.reverse();
            assert_eq!(
                protection(true, sets),
                protection(true, &turned),
                "in any order"
            );
            protection(true, sets)
        };
        let safe = [(wide, 30), (narrow, 3)];
        assert_eq!(told(&safe), Protection::Safe);
        let stored = |confirmed, needed| Protection::Stored { confirmed, needed };
        assert_eq!(told(&[(wide, 30), (narrow, 2)]), stored(2, 3));
        assert_eq!(enough(&[(wide, 30), (narrow, 2)]), 1, "that of the worst");
        assert_eq!(enough(&[(wide, 15), (narrow, 3)]), 10);
        assert_eq!(enough(&[]), 1, "whoever has it");
        let few = [(wide, 10), (narrow, 2)];
        assert_eq!(told(&few), stored(10, 16), "none of these ten may go");
        assert_eq!(
            told(&[(wide, 9), (narrow, 0)]),
            stored(0, 3),
            "both are lost"
        );
    }
}
