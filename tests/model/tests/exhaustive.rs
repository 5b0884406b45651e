//! With all rules in force no state of these worlds breaks a promise, and the worlds are as big as
//! they seem: what the model must reach it reaches.

use std::time::Instant;

use bitdust_model::Code;
use bitdust_protocol_model::{Budget, Change, Protocol, Rules};

/// More than fit into the memory of an ordinary machine.
const STATES_MAX: usize = 500_000_000;
/// What cannot be reached where one copy is enough: contents of which too few are left.
const ONE_IS_ENOUGH: &[&str] = &["contents of too few are sealed again"];
/// What cannot be reached where nobody loses anything.
const NO_LOSS: [&str; 4] = [
    "who comes back waits to be asked",
    "who lost everything has the newest head again",
    "a version stands on confirmations of who has lost it",
    "contents of too few are sealed again",
];

/// What cannot be reached where two of three are asked, and each version is with two: that they know
/// only an older one.
const NO_OLDER_ANSWER: &[&str] = &["the lane record names more than was heard"];

/// The same of both.
const NO_LOSS_OF_TWO: [&str; 5] = [
    "who comes back waits to be asked",
    "who lost everything has the newest head again",
    "a version stands on confirmations of who has lost it",
    "the lane record names more than was heard",
    "contents of too few are sealed again",
];

/// A world: how many are away at one time, and how many lose everything.
fn world(code: (u8, u8), change: Change, away: u8, losses: u8) -> Protocol {
    Protocol {
        code: Code::new(code.0, code.1).expect("a code"),
        change,
        budget: Budget {
            versions: 2,
            away,
            trips: u8::MAX,
            losses,
        },
        rules: Rules::all(),
        is_reduced: true,
    }
}

/// The same where one holder goes away once, and comes back when it likes.
fn with_a_returner(world: Protocol) -> Protocol {
    let budget = Budget {
        away: 1,
        trips: 1,
        ..world.budget
    };
    Protocol { budget, ..world }
}

/// Looks at every state: no promise is broken, nothing but `unmet` is never reached, and there are as
/// many states as when this was written.
fn check(world: Protocol, states: usize, unmet: &[&str]) {
    let begun = Instant::now();
    let report = world.search(&world.promises(), STATES_MAX);
    eprintln!(
        "{} {:?} {:?}: {} states, {} steps, {} deep, {:?}",
        world.code,
        world.change,
        world.budget,
        report.states,
        report.steps,
        report.depth,
        begun.elapsed()
    );
    assert!(report.broken.is_none(), "{:?}", report.broken);
    assert!(report.is_complete, "there are more states");
    assert_eq!(report.unmet, unmet, "never reached");
    assert_eq!(
        report.states, states,
        "what is reached has changed: see that it is meant"
    );
}

#[test]
fn one_of_three_with_a_loss() {
    check(world((1, 3), Change::None, 0, 1), 15_016, ONE_IS_ENOUGH);
}

#[test]
fn one_of_three() {
    check(world((1, 3), Change::None, 1, 0), 28_025, &NO_LOSS);
}

#[test]
fn one_of_three_with_losses() {
    check(world((1, 3), Change::None, 1, 1), 479_910, ONE_IS_ENOUGH);
}

#[test]
fn two_of_three() {
    check(world((2, 3), Change::None, 1, 0), 78_053, &NO_LOSS_OF_TWO);
}

#[test]
fn one_of_three_with_a_change() {
    check(world((1, 3), Change::Replace, 0, 0), 600_778, &NO_LOSS);
}

#[test]
fn two_of_three_with_a_change() {
    check(world((2, 3), Change::Replace, 0, 0), 584_806, &NO_LOSS);
}

#[test]
fn two_of_three_with_a_second_set() {
    check(
        world((2, 3), Change::SecondSet, 0, 1),
        538_312,
        NO_OLDER_ANSWER,
    );
}

#[test]
fn two_of_four() {
    check(world((2, 4), Change::None, 0, 0), 21_560, &NO_LOSS);
}

#[test]
fn one_of_four() {
    check(world((1, 4), Change::None, 0, 0), 22_708, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_a_change_and_losses() {
    check(
        world((1, 3), Change::Replace, 0, 1),
        3_286_435,
        ONE_IS_ENOUGH,
    );
}

#[test]
fn two_of_three_with_losses() {
    check(
        world((2, 3), Change::None, 1, 1),
        1_307_386,
        NO_OLDER_ANSWER,
    );
}

#[test]
#[ignore = "for make test-long"]
fn two_of_three_with_a_change_and_losses() {
    check(world((2, 3), Change::Replace, 0, 1), 11_502_235, &[]);
}

#[test]
fn two_of_four_with_a_loss() {
    check(world((2, 4), Change::None, 0, 1), 317_475, &[]);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_four_with_a_change() {
    check(world((1, 4), Change::Replace, 0, 0), 5_216_085, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_four_with_a_change() {
    check(world((2, 4), Change::Replace, 0, 0), 5_156_022, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_a_change_and_a_returner() {
    let world = world((1, 3), Change::Replace, 0, 0);
    check(with_a_returner(world), 3_393_596, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_three_with_a_change_and_a_returner() {
    let world = world((2, 3), Change::Replace, 0, 0);
    check(with_a_returner(world), 12_438_608, &NO_LOSS);
}

#[test]
fn one_of_four_with_one_away() {
    check(world((1, 4), Change::None, 1, 0), 354_199, &NO_LOSS);
}

#[test]
fn two_of_four_with_one_away() {
    check(world((2, 4), Change::None, 1, 0), 2_875_227, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_four_with_a_change_and_a_returner() {
    let world = world((1, 4), Change::Replace, 0, 0);
    check(with_a_returner(world), 33_245_642, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_four_with_a_change_and_a_returner() {
    let world = world((2, 4), Change::Replace, 0, 0);
    check(with_a_returner(world), 196_729_776, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_a_change_and_one_away() {
    check(world((1, 3), Change::Replace, 1, 0), 22_205_473, &NO_LOSS);
}
