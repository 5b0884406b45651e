//! For each state that a search leaves out another stands that it does not leave out: whole worlds are
//! looked at, with none left out and no devices taken for one another.

use bitdust_model::Code;
use bitdust_protocol_model::{Budget, Change, Protocol, Rules};

/// More than any of these worlds has.
const STATES_MAX: usize = 200_000_000;

/// A world: how many are away at one time, how often in all, and how many lose everything.
fn check(code: (u8, u8), change: Change, [away, trips, losses]: [u8; 3]) {
    let world = Protocol {
        code: Code::new(code.0, code.1).expect("a code"),
        change,
        budget: Budget {
            versions: 2,
            away,
            trips,
            losses,
        },
        rules: Rules::all(),
        is_reduced: true,
    };
    let cover = world.cover(STATES_MAX);
    eprintln!(
        "{} {change:?} {:?}: {} states, {} are met",
        world.code, world.budget, cover.whole, cover.reduced
    );
    assert!(
        cover.missing.is_none(),
        "none stands for {:?}",
        cover.missing
    );
    assert!(cover.reduced < cover.whole, "something is left out");
}

#[test]
fn a_set_that_stays() {
    let often = u8::MAX;
    check((1, 2), Change::None, [1, often, 1]);
    check((1, 2), Change::None, [1, 1, 1]);
    check((2, 2), Change::None, [1, often, 1]);
    check((1, 3), Change::None, [1, often, 0]);
    check((2, 3), Change::None, [1, 1, 0]);
}

#[test]
fn a_set_that_changes() {
    check((1, 2), Change::Replace, [1, 1, 0]);
    check((2, 2), Change::Replace, [1, 1, 0]);
    check((1, 2), Change::SecondSet, [1, 1, 0]);
}

#[test]
#[ignore = "for make test-long"]
fn a_set_that_stays_beside_losses() {
    check((1, 3), Change::None, [1, u8::MAX, 1]);
    check((2, 3), Change::None, [1, 1, 1]);
    check((2, 3), Change::None, [1, u8::MAX, 0]);
}

#[test]
#[ignore = "for make test-long"]
fn a_set_that_changes_beside_losses() {
    check((1, 2), Change::Replace, [1, 1, 1]);
    check((2, 2), Change::Replace, [0, u8::MAX, 1]);
    check((1, 2), Change::Replace, [1, 2, 0]);
    check((1, 2), Change::Replace, [1, u8::MAX, 0]);
    check((2, 2), Change::Replace, [1, u8::MAX, 0]);
}

#[test]
#[ignore = "for make test-long"]
fn a_set_of_three_that_changes() {
    check((1, 3), Change::Replace, [1, 1, 0]);
    check((2, 3), Change::Replace, [0, u8::MAX, 0]);
}
