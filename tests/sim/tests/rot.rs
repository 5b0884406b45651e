//! Suppliers that lose some of what they confirmed: that alone is taken back, sent again and proved,
//! and nobody is out for good.

use std::time::Duration;

use bitdust_model::status::Protection;
use bitdust_sim::{Failure, Lie, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

/// Long enough for a daily check to come upon any one shard of a few.
const LONG: u32 = 120;

/// A stage whose data is safe.
fn safe_stage(seed: u64, suppliers: usize) -> Result<Stage, Failure> {
    let mut stage = Stage::new(seed, suppliers);
    stage.back_up()?;
    until_safe(&mut stage, LIMIT)?;
    Ok(stage)
}

fn until_safe(stage: &mut Stage, limit: Duration) -> Result<(), Failure> {
    let customer = stage.customer;
    stage.world.run_until("it is safe", limit, |world| {
        let view = world.view(customer);
        view.is_some_and(|view| view.protection == Protection::Safe)
    })
}

/// Until some supplier is suspect.
fn until_noticed(stage: &mut Stage) -> Result<(), Failure> {
    let customer = stage.customer;
    stage
        .world
        .run_until("the loss is noticed", LONG * DAY, |world| {
            let view = world.view(customer);
            view.is_some_and(|view| view.suppliers.iter().any(|supplier| supplier.suspect))
        })
}

/// All is at its place again and said to be, and another backup is as good.
fn is_whole_again(stage: &mut Stage) -> Result<(), Failure> {
    until_whole(stage)?;
    stage.world.set_folder(stage.customer, 0..40);
    stage.back_up()?;
    until_whole(stage)?;
    stage.restore()
}

fn until_whole(stage: &mut Stage) -> Result<(), Failure> {
    let (customer, all) = (stage.customer, stage.suppliers.len());
    stage
        .world
        .run_until("everybody keeps everything, and it is safe", DAY, |world| {
            let view = world.view(customer);
            let is_safe = view.is_some_and(|view| view.protection == Protection::Safe);
            is_safe && world.truly_kept(customer) == all
        })
}

#[test]
fn one_lost_shard_is_sent_again_and_ends_no_backups() -> Result<(), Failure> {
    for suppliers in [2, 3, 4, 6] {
        for (seed, rots) in (0..6).zip([true, false].into_iter().cycle()) {
            let mut stage = safe_stage(seed, suppliers)?;
            stage.world.lose_some(stage.suppliers[0], 0, rots);
            until_noticed(&mut stage)?;
            is_whole_again(&mut stage)?;
        }
    }
    Ok(())
}

#[test]
fn whatever_part_is_lost_comes_back() -> Result<(), Failure> {
    for (seed, suppliers) in (0..20).zip([2, 3, 4, 6].into_iter().cycle()) {
        for percent in [20, 50, 100] {
            let mut stage = safe_stage(seed, suppliers)?;
            let rots = seed % 3 == 0;
            stage.world.lose_some(stage.suppliers[0], percent, rots);
            until_noticed(&mut stage)?;
            is_whole_again(&mut stage)?;
        }
    }
    Ok(())
}

/// A shard of each of two, one of which is noticed while the customer is away from it.
#[test]
fn two_that_lose_something_heal_each_other() -> Result<(), Failure> {
    for seed in 0..10 {
        let mut stage = safe_stage(seed, 6)?;
        for supplier in [0, 1] {
            stage
                .world
                .lose_some(stage.suppliers[supplier], 30, seed % 2 == 0);
        }
        until_noticed(&mut stage)?;
        stage.world.run_for(LONG * DAY)?;
        is_whole_again(&mut stage)?;
    }
    Ok(())
}

#[test]
fn a_restart_forgets_no_loss_and_no_doubt() -> Result<(), Failure> {
    for seed in 0..20 {
        let mut stage = safe_stage(seed, 3)?;
        stage.world.lose_some(stage.suppliers[0], 40, false);
        until_noticed(&mut stage)?;
        for inputs in 1..8 {
            stage.world.crash_after(stage.customer, inputs + seed % 5);
            stage.world.run_for(Duration::from_secs(2))?;
            stage.world.forget_crash(stage.customer);
            stage.world.stop(stage.customer);
            stage.world.start(stage.customer);
        }
        stage.world.run_for(LONG * DAY)?;
        is_whole_again(&mut stage)?;
    }
    Ok(())
}

/// It takes everything again and again and keeps nothing: it never counts, and is given it ever more
/// rarely.
#[test]
fn one_that_keeps_nothing_never_counts_again() -> Result<(), Failure> {
    let mut stage = safe_stage(1, 4)?;
    stage.world.set_lie(stage.suppliers[1], Lie::KeepsNothing);
    stage.world.lose_shards(stage.suppliers[1]);
    until_noticed(&mut stage)?;
    let customer = stage.customer;
    for day in 0..60 {
        stage.world.run_for(DAY)?;
        let view = stage.world.view(customer).expect("it is up");
        let told = Protection::Stored {
            confirmed: 3,
            needed: 4,
        };
        stage.world.expect(view.protection == told, || {
            format!("day {day}: {:?}", view.protection)
        })?;
    }
    stage.restore()
}

/// The old rule: whoever lost a shard never counts again.
#[test]
fn the_old_rule_never_heals() {
    let mut stage = safe_stage(1, 2).expect("it begins well");
    stage
        .world
        .sabotage(stage.customer, Sabotage::NeverTrustsAgain);
    stage.world.lose_some(stage.suppliers[0], 0, true);
    until_noticed(&mut stage).expect("it is noticed");
    is_whole_again(&mut stage).expect_err("nobody may count again");
}

/// A supplier that signs for what lies there without a look: the damage stays.
#[test]
fn a_receipt_without_a_look_leaves_the_damage() {
    let mut stage = safe_stage(1, 2).expect("it begins well");
    stage
        .world
        .sabotage(stage.suppliers[0], Sabotage::TrustsWhatItHas);
    stage.world.lose_some(stage.suppliers[0], 100, true);
    until_noticed(&mut stage).expect("it is noticed");
    is_whole_again(&mut stage).expect_err("it is never whole");
}
