//! Each rule put back to what it was before: the search finds what the rule is there for, and in the
//! fewest steps.

use bitdust_model::Code;
use bitdust_protocol_model::promises::{
    NEWEST_IS_NEWEST, NO_HEAD_IS_REFUSED, NOT_BLOCKED, NOTHING_IS_DROPPED, PUBLISHED_IS_FOUND,
    SEALED_ONCE, SETTLED_IS_FOUND,
};
use bitdust_protocol_model::{Action, Broken, Budget, Change, Protocol, Rule, Rules};

/// More states than any of these worlds has before its rule is missed.
const STATES_MAX: usize = 4_000_000;

/// A world small enough for what is to be shown: `away` and `losses` as in [`Budget`].
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

/// Expects a promise to be broken without a rule; with it, as far as was searched then, none is.
fn check(rule: Rule, promise: &str, with: Protocol) -> Broken {
    let without = Protocol {
        rules: Rules::without(rule),
        ..with
    };
    let report = without.search(&without.promises(), STATES_MAX);
    let broken = report.broken.expect("the rule is missed");
    eprintln!("{rule:?}: {} in {:?}", broken.promise, broken.steps);
    assert_eq!(broken.promise, promise, "{:?}", broken.steps);
    let same = with.search(&with.promises(), report.states);
    assert!(same.broken.is_none(), "the rule helps: {:?}", same.broken);
    broken
}

/// Whether steps of these kinds come in this order, with others between them.
fn has_in_order(steps: &[Action], wanted: &[fn(&Action) -> bool]) -> bool {
    let mut steps = steps.iter();
    wanted.iter().all(|is_wanted| steps.any(is_wanted))
}

/// What a start once did: a holder is away, another loses its shard, the writer starts again, and
/// a pack of a published version is forgotten.
#[test]
fn a_start_that_drops_published_packs_is_found() {
    let world = world((2, 3), Change::None, 1, 1);
    let broken = check(Rule::StartKeepsPublished, NOTHING_IS_DROPPED, world);
    assert!(has_in_order(
        &broken.steps,
        &[
            |step| matches!(step, Action::Publish(0)),
            |step| matches!(step, Action::Lose(_)),
            |step| matches!(step, Action::Ask(_)),
            |step| matches!(step, Action::Crash(_)),
        ]
    ));
    assert!(broken.state.marks.dropped, "{:?}", broken.state);
}

/// P1: one is away that has the older head; the two that are left settle the next without it.
#[test]
fn a_writer_that_counts_holders_out_is_found() {
    let world = world((1, 3), Change::None, 1, 0);
    let broken = check(Rule::ActiveIsSigned, SETTLED_IS_FOUND, world);
    assert!(broken.state.away != 0, "{:?}", broken.state);
}

/// P1: k answered, and a lane record that was read names a newer version.
#[test]
fn a_recovery_that_calls_too_much_the_newest_is_found() {
    let world = world((1, 3), Change::None, 0, 0);
    check(Rule::RecoveryIsModest, NEWEST_IS_NEWEST, world);
}

/// P2: the new device has the older head, the record puts the new set in force, and whoever hears
/// the new device hears k of the newest set.
#[test]
fn a_set_that_is_in_force_by_its_record_is_found() {
    let world = world((1, 2), Change::Replace, 0, 0);
    let broken = check(Rule::SetNeedsItsHead, SETTLED_IS_FOUND, world);
    let steps = &broken.steps;
    assert!(steps.contains(&Action::RecordSet), "{steps:?}");
}

/// P3: somebody has the newest lists and its head, and not those of the version before.
#[test]
fn a_holder_that_counts_without_old_lists_is_found() {
    let world = world((1, 3), Change::None, 0, 0);
    check(Rule::ListsOfOldCount, PUBLISHED_IS_FOUND, world);
}

/// A hole that this model found in P3 and P5: the only one who has the older lists is away, and nobody
/// who is there can ever count for a head that leads to them.
#[test]
fn lists_that_lead_to_somebody_who_is_away_are_found() {
    let world = world((1, 3), Change::None, 1, 1);
    let broken = check(Rule::OldListsAreAtHand, NOT_BLOCKED, world);
    assert!(broken.state.away != 0, "{:?}", broken.state);
}

/// P4: a second set is begun, its head lies there, and k holders of the first answer without it.
#[test]
fn a_lane_with_two_homes_is_found() {
    let world = world((1, 2), Change::SecondSet, 0, 0);
    check(Rule::OneHomeSet, SETTLED_IS_FOUND, world);
}

/// P5: one is away for good, k are there, and the next backup seals everything again.
#[test]
fn sealing_what_k_confirmed_is_found() {
    let world = world((2, 3), Change::None, 1, 0);
    check(Rule::KnownAtK, SEALED_ONCE, world);
}

/// P5: one is away, and no version is made at all.
#[test]
fn a_version_that_waits_for_who_is_away_is_found() {
    let world = world((1, 3), Change::None, 1, 0);
    check(Rule::PublishedByThoseThere, NOT_BLOCKED, world);
}

/// P6: a supplier that missed the first head refuses the second.
#[test]
fn a_head_without_its_chain_is_found() {
    let world = world((1, 3), Change::None, 0, 0);
    check(Rule::HeadsChain, NO_HEAD_IS_REFUSED, world);
}

/// P6: a head is given out, a start gives its number to another, and who has the first refuses that.
#[test]
fn a_number_that_is_given_twice_is_found() {
    let world = world((1, 3), Change::None, 0, 0);
    let broken = check(Rule::SentIsKept, NO_HEAD_IS_REFUSED, world);
    assert!(has_in_order(
        &broken.steps,
        &[
            |step| matches!(step, Action::PutHead(_)),
            |step| matches!(step, Action::Crash(_)),
            |step| matches!(step, Action::Send(_)),
        ]
    ));
}

/// P9: a version has settled, a holder loses everything, and whoever hears it alone takes nothing for
/// an answer.
#[test]
fn an_empty_answer_that_counts_is_found() {
    let world = world((1, 3), Change::None, 0, 1);
    let broken = check(Rule::EmptyIsLost, SETTLED_IS_FOUND, world);
    let last = broken.steps.last();
    assert!(matches!(last, Some(Action::Lose(_))), "{:?}", broken.steps);
}

/// P20: a holder has lost its lists, nobody asks, and it is given a head that leads nowhere.
#[test]
fn a_holder_that_nobody_asks_is_found() {
    let world = world((1, 3), Change::None, 0, 1);
    let broken = check(Rule::ReturnerIsAsked, PUBLISHED_IS_FOUND, world);
    assert!(has_in_order(
        &broken.steps,
        &[
            |step| matches!(step, Action::Lose(_)),
            |step| matches!(step, Action::PutHead(_)),
        ]
    ));
}
