//! With all rules in force no state of these worlds breaks a promise, and the worlds are as big as
//! they seem: what the model must reach it reaches.

use std::time::Instant;

use bitdust_model::Code;
use bitdust_protocol_model::{Budget, Change, Protocol, Rules};

/// More than fit into the memory of an ordinary machine.
const STATES_MAX: usize = 200_000_000;
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
    check(world((1, 3), Change::None, 0, 1), 84_705, ONE_IS_ENOUGH);
}

#[test]
fn one_of_three() {
    check(world((1, 3), Change::None, 1, 0), 305_314, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_losses() {
    check(world((1, 3), Change::None, 1, 1), 3_400_746, ONE_IS_ENOUGH);
}

#[test]
fn two_of_three() {
    check(world((2, 3), Change::None, 1, 0), 739_100, &NO_LOSS_OF_TWO);
}

#[test]
fn one_of_three_with_a_change() {
    check(world((1, 3), Change::Replace, 0, 0), 1_448_545, &NO_LOSS);
}

#[test]
fn two_of_three_with_a_change() {
    check(world((2, 3), Change::Replace, 0, 0), 1_640_846, &NO_LOSS);
}

#[test]
fn two_of_three_with_a_second_set() {
    check(
        world((2, 3), Change::SecondSet, 0, 1),
        1_243_397,
        NO_OLDER_ANSWER,
    );
}

#[test]
fn two_of_four() {
    check(world((2, 4), Change::None, 0, 0), 184_631, &NO_LOSS);
}

#[test]
fn one_of_four() {
    check(world((1, 4), Change::None, 0, 0), 180_572, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_a_change_and_losses() {
    check(
        world((1, 3), Change::Replace, 0, 1),
        7_422_316,
        ONE_IS_ENOUGH,
    );
}

#[test]
#[ignore = "for make test-long"]
fn two_of_three_with_losses() {
    check(
        world((2, 3), Change::None, 1, 1),
        9_435_158,
        NO_OLDER_ANSWER,
    );
}

#[test]
#[ignore = "for make test-long"]
fn two_of_three_with_a_change_and_losses() {
    check(world((2, 3), Change::Replace, 0, 1), 28_152_481, &[]);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_four_with_a_loss() {
    check(world((2, 4), Change::None, 0, 1), 2_732_101, &[]);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_four_with_a_change() {
    check(world((1, 4), Change::Replace, 0, 0), 12_949_672, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_four_with_a_change() {
    check(world((2, 4), Change::Replace, 0, 0), 13_763_063, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_three_with_a_change_and_a_returner() {
    let world = world((1, 3), Change::Replace, 0, 0);
    check(with_a_returner(world), 14_542_039, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn two_of_three_with_a_change_and_a_returner() {
    let world = world((2, 3), Change::Replace, 0, 0);
    check(with_a_returner(world), 54_935_932, &NO_LOSS);
}

#[test]
#[ignore = "for make test-long"]
fn one_of_four_with_one_away() {
    check(world((1, 4), Change::None, 1, 0), 11_216_153, &NO_LOSS);
}
