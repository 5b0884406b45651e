//! The checker can fail: for every promise an engine that breaks it, and is caught.

use std::time::Duration;

use bitdust_model::ErrorCode;
use bitdust_sim::{Failure, Lie, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

/// Plays a story with a customer that is broken, and expects the checker's words.
fn check(sabotage: Sabotage, words: &str, story: impl Fn(&mut Stage) -> Result<(), Failure>) {
    let mut stage = Stage::new(1, 4);
    stage.world.sabotage(stage.customer, sabotage);
    let failure = story(&mut stage).expect_err("a broken engine is caught");
    assert!(
        failure.message.contains(words),
        "caught for something else: {}",
        failure.message
    );
    let shown = failure.to_string();
    assert!(
        shown.contains("SEED=1 cargo test"),
        "how to play it again is missing: {shown}"
    );
    assert!(!failure.steps.is_empty(), "the last steps are missing");
}

#[test]
fn saying_safe_early_is_caught() {
    check(Sabotage::SaysSafe, "safe", |stage| stage.back_up());
}

#[test]
fn saying_safe_after_suppliers_fell_silent_is_caught() {
    let mut stage = Stage::new(2, 4);
    stage.back_up().expect("the engine is not broken yet");
    stage
        .world
        .run_for(Duration::from_secs(3600))
        .expect("nothing happens");
    stage.world.sabotage(stage.customer, Sabotage::SaysSafe);
    stage.world.stop(stage.suppliers[0]);
    let failure = stage
        .world
        .run_for(3 * DAY)
        .expect_err("a broken engine is caught");
    assert!(
        failure.message.contains("safe with 3 of 4"),
        "{}",
        failure.message
    );
}

#[test]
fn a_supplier_that_forgets_what_it_signed_for_is_caught() {
    let mut stage = Stage::new(3, 4);
    stage.back_up().expect("nothing is broken yet");
    stage.settle().expect("all have it");
    stage.world.forget_shards(stage.suppliers[0]);
    let failure = stage.world.run_for(Duration::from_secs(3600));
    let message = failure.expect_err("it is called safe").message;
    assert!(message.contains("is not kept"), "{message}");
}

#[test]
fn committing_early_is_caught() {
    check(Sabotage::CommitsEarly, "is committed with", |stage| {
        stage.back_up()
    });
}

#[test]
fn sealing_lists_early_is_caught() {
    check(Sabotage::SealsEarly, "lists are sealed while", |stage| {
        let customer = stage.customer;
        stage
            .world
            .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
        // No receipt comes before the walk is over, however fast that is.
        for supplier in &stage.suppliers {
            stage.world.set_lie(*supplier, Lie::Stalls);
        }
        stage.back_up()
    });
}

#[test]
fn publishing_early_is_caught() {
    check(Sabotage::PublishesEarly, "is given out while", |stage| {
        stage.back_up()
    });
}

#[test]
fn recording_early_is_caught() {
    check(
        Sabotage::RecordsEarly,
        "is called published with",
        |stage| stage.back_up(),
    );
}

#[test]
fn promising_too_much_is_caught() {
    let mut stage = Stage::new(1, 2);
    for supplier in stage.suppliers.clone() {
        stage.world.sabotage(supplier, Sabotage::SignsAll);
        stage.world.offer(supplier, 5_000);
    }
    let failure = stage.back_up().expect_err("a broken engine is caught");
    assert!(failure.message.contains("promised"), "{}", failure.message);
}

#[test]
fn keeping_too_much_is_caught() {
    let mut stage = Stage::new(1, 2);
    stage
        .world
        .run_for(Duration::from_secs(30))
        .expect("nothing happens");
    for supplier in stage.suppliers.clone() {
        stage.world.shrink_contracts(supplier, 20);
        stage.world.sabotage(supplier, Sabotage::StoresAll);
    }
    let failure = stage.back_up().expect_err("a broken engine is caught");
    assert!(
        failure.message.contains("are kept of"),
        "{}",
        failure.message
    );
}

#[test]
fn a_job_that_never_ends_is_caught() {
    check(Sabotage::NeverSends, "not within", |stage| stage.back_up());
}

/// As it was once: what a disk refused was logged, and nobody was told.
#[test]
fn a_failed_write_that_nobody_is_told_of_is_caught() {
    check(Sabotage::SwallowsFailures, "not within", |stage| {
        let customer = stage.customer;
        stage.world.set_disk_failures(customer, 70);
        stage.back_up()
    });
}

#[test]
fn a_full_disk_that_nobody_tries_again_is_caught() {
    check(Sabotage::RetriesNothing, "not within", |stage| {
        let customer = stage.customer;
        stage.world.set_catalogue_full(customer, true);
        let job = stage.world.back_up(customer);
        stage.world.run_for(Duration::from_secs(60))?;
        stage.world.set_catalogue_full(customer, false);
        stage.world.finish(customer, job, LIMIT)
    });
}

#[test]
fn a_restore_that_brings_nothing_is_caught() {
    let mut stage = Stage::new(1, 4);
    stage.back_up().expect("the engine is not broken yet");
    stage.world.sabotage(stage.customer, Sabotage::NeverFetches);
    let failure = stage.restore().expect_err("a broken engine is caught");
    // The broken engine still counts the fetches it gave up, so the last ones never begin.
    assert!(
        failure.message.contains("not within"),
        "{}",
        failure.message
    );
}

#[test]
fn a_recovery_that_brings_nothing_is_caught() {
    let mut stage = Stage::new(1, 4);
    stage.back_up().expect("the engine is not broken");
    stage
        .world
        .run_for(Duration::from_secs(60))
        .expect("nothing happens");
    stage.world.kill(stage.customer);
    let node = stage.world.add_kin(stage.customer);
    stage.world.start(node);
    stage.world.sabotage(node, Sabotage::NeverFetches);
    let job = stage.world.recover(node);
    let failure = stage
        .world
        .finish(node, job, LIMIT)
        .expect_err("a broken engine is caught");
    assert!(
        failure.message.contains(ErrorCode::TooFewShards.name()),
        "{}",
        failure.message
    );
}

/// As it was once: a start took every committed pack for whole.
#[test]
fn debts_that_a_start_forgets_are_caught() {
    let caught = (0..40).find_map(|seed| {
        let mut stage = Stage::new(seed, 6);
        stage.world.sabotage(stage.customer, Sabotage::ForgetsDebts);
        let mut play = || -> Result<(), Failure> {
            stage.crash_while_two_are_away(10 + 2 * seed)?;
            stage.world.start(stage.customer);
            stage.back_up()?;
            stage.world.run_for(Duration::from_secs(60))
        };
        play().err()
    });
    let failure = caught.expect("a broken engine is caught");
    let words = "safe while pack";
    assert!(failure.message.contains(words), "{}", failure.message);
}
