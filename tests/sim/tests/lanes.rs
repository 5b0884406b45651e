//! A machine whose disk was laid back to an older copy writes over nothing that suppliers keep of its lane,
//! takes in what they keep, whoever of them is there first, and goes on from that.

use std::time::Duration;

use bitdust_engine::Random;
use bitdust_model::ErrorCode;
use bitdust_model::status::Protection;
use bitdust_sim::{Failure, Lie, Sabotage, World};
use bitdust_sim_stories::{LIMIT, Stage};

const SUPPLIERS: usize = 6;
const SEEDS: u64 = 60;

fn play(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut chance = Random::from_number(seed ^ 0xa2);
    let mut stage = Stage::new(seed, SUPPLIERS);
    let customer = stage.customer;
    stage.back_up()?;
    let image = stage.world.image(customer);
    for version in 1..=1 + chance.below(3) {
        stage.world.set_folder(customer, 0..30 + 5 * version);
        stage.back_up()?;
    }
    stage.world.sabotage(customer, sabotage);
    stage.world.stop(customer);
    stage.world.lay_back(customer, &image);
    // Some of them come later than the machine itself.
    let mut away: Vec<_> = stage.suppliers.clone();
    away.retain(|_| chance.chance(30));
    away.truncate(3);
    for supplier in &away {
        stage.world.stop(*supplier);
    }
    stage.world.start(customer);
    if chance.chance(30) {
        // In the middle of what it takes in.
        stage
            .world
            .run_for(Duration::from_millis(chance.below(2_000)))?;
        stage.world.stop(customer);
        stage.world.start(customer);
    }
    stage.world.set_folder(customer, 0..80);
    stage.world.run_for(Duration::from_secs(chance.below(20)))?;
    let job = stage.world.back_up(customer);
    if chance.chance(50) {
        stage.world.run_for(Duration::from_secs(chance.below(60)))?;
    }
    for supplier in away {
        stage.world.start(supplier);
    }
    let has_ended = |world: &World| world.ended(customer, job).is_some();
    stage.world.run_until("the end", LIMIT, has_ended)?;
    if stage.world.ended(customer, job).flatten() == Some(ErrorCode::Stale) {
        // It ran when somebody came who knew better.
        stage.back_up()?;
    }
    // All that was written is there, and safe, with whatever was written before it was laid back.
    let is_safe = |world: &World| {
        world
            .view(customer)
            .is_some_and(|view| view.protection == Protection::Safe)
    };
    stage.world.run_until("it is safe", LIMIT, is_safe)?;
    stage.world.kill(customer);
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_at(node)
}

#[test]
fn who_was_laid_back_goes_on_from_what_suppliers_keep() {
    for seed in 0..SEEDS {
        if let Err(failure) = play(seed, Sabotage::None) {
            panic!("{failure}");
        }
    }
}

#[test]
fn one_who_believes_to_know_every_head_is_caught() {
    for seed in 0..5 {
        let failure = play(seed, Sabotage::KnowsEveryHead).expect_err("it is caught");
        let message = failure.message;
        assert!(message.contains("behind what suppliers keep"), "{message}");
    }
}

/// One that lists what it threw away proves nothing, and is not counted.
#[test]
fn a_list_alone_is_no_proof() {
    let play = |sabotage| -> Result<(), Failure> {
        let mut stage = Stage::new(3, SUPPLIERS);
        stage.back_up()?;
        let image = stage.world.image(stage.customer);
        stage.world.set_folder(stage.customer, 0..40);
        for supplier in stage.suppliers[..3].iter().copied() {
            stage.world.set_lie(supplier, Lie::KeepsNothing);
        }
        stage.back_up()?;
        stage.world.sabotage(stage.customer, sabotage);
        stage.world.stop(stage.customer);
        stage.world.lay_back(stage.customer, &image);
        stage.world.start(stage.customer);
        stage.world.run_for(Duration::from_secs(120))
    };
    let held = play(Sabotage::BelievesLists).map(|()| "nobody noticed");
    assert!(play(Sabotage::None).is_ok());
    let message = held.expect_err("it is caught").message;
    assert!(message.contains("safe"), "{message}");
}

/// A supplier that comes back is asked before it is given anything.
#[test]
fn one_who_gives_heads_to_whoever_comes_is_caught() {
    let mut stage = Stage::new(1, SUPPLIERS);
    stage.back_up().expect("nothing is broken yet");
    stage.world.sabotage(stage.customer, Sabotage::GivesUnasked);
    let supplier = stage.suppliers[0];
    stage.world.stop(supplier);
    stage.world.start(supplier);
    let failure = stage.world.run_for(Duration::from_secs(3600));
    let message = failure.expect_err("it is caught").message;
    assert!(message.contains("did not tell what it keeps"), "{message}");
}
