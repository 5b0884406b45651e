//! What is published stays in every later version, whatever a start finds of it: beside one supplier that
//! was away while it was made and another that is caught with a loss.

use std::time::Duration;

use bitdust_engine::Random;
use bitdust_sim::{Failure, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

const SUPPLIERS: usize = 5;
const SEEDS: u64 = 40;
/// Long enough for a daily check to come upon a supplier that has nothing.
const LONG: u32 = 30;

/// A number below another.
fn draw(chance: &mut Random, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).expect("below a number of this type")
}

fn play(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut chance = Random::from_number(seed ^ 0xa1);
    let mut stage = Stage::new(seed, SUPPLIERS);
    let customer = stage.customer;
    stage
        .world
        .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
    stage.world.sabotage(customer, sabotage);
    let first = draw(&mut chance, SUPPLIERS);
    let second = first + 1 + draw(&mut chance, SUPPLIERS - 1);
    let (away, caught) = (stage.suppliers[first], stage.suppliers[second % SUPPLIERS]);
    stage.world.stop(away);
    stage.world.run_for(Duration::from_secs(1))?;
    stage.back_up()?;
    stage.world.lose_some(caught, 100, chance.chance(50));
    stage
        .world
        .run_until("the loss is noticed", LONG * DAY, |world| {
            let view = world.view(customer);
            view.is_some_and(|view| view.suppliers.iter().any(|supplier| supplier.suspect))
        })?;
    stage.world.stop(customer);
    stage.world.start(customer);
    stage.world.set_folder(customer, 0..45);
    stage.back_up()?;
    stage.world.kill(customer);
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_at(node)
}

#[test]
fn a_start_drops_nothing_that_is_published() {
    for seed in 0..SEEDS {
        if let Err(failure) = play(seed, Sabotage::None) {
            panic!("{failure}");
        }
    }
}

/// Where the loss that was found is one of contents.
#[test]
fn a_start_that_drops_what_is_published_is_caught() {
    let mut caught = 0;
    for seed in 0..SEEDS {
        let Err(failure) = play(seed, Sabotage::ForgetsAtStart) else {
            continue;
        };
        let message = failure.message;
        assert!(
            message.contains("enough shards of everything"),
            "seed {seed}: {message}"
        );
        caught += 1;
    }
    assert!(caught > 0, "a broken start is caught");
}
