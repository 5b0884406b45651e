//! Versions lie in the order in which they were made, by whatever clock: within a device always, and the
//! latest is the one that was made last.

use std::time::Duration;

use bitdust_engine::Random;
use bitdust_model::ErrorCode;
use bitdust_sim::{Failure, NodeId, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far clocks are ahead: right, 400 days either way, in 1970 and in 2106.
const AHEAD_MS: [i64; 5] = [0, -400 * DAY_MS, 400 * DAY_MS, i64::MIN, 29_000 * DAY_MS];
const SEEDS: u64 = 60;
const ROUNDS: u64 = 8;

/// A machine makes versions while its clock is set to and fro, before its backups and in the middle of
/// them, and is stopped and crashes meanwhile. Then another one takes its place, with a clock of its own.
fn play(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut chance = Random::from_number(seed ^ 0x0de2);
    let mut stage = Stage::new(seed, 4);
    let customer = stage.customer;
    stage.world.sabotage(customer, sabotage);
    for supplier in stage.suppliers.clone() {
        // One of four may be wrong.
        if chance.chance(10) {
            draw_clock(&mut stage, &mut chance, supplier);
        }
    }
    stage.back_up()?;
    for round in 1..=ROUNDS {
        match chance.below(4) {
            0 => draw_clock(&mut stage, &mut chance, customer),
            1 => {
                stage.world.stop(customer);
                stage.world.run_for(hours(&mut chance))?;
                stage.world.start(customer);
            }
            2 => stage.world.crash_after(customer, 1 + chance.below(60)),
            _ => stage.world.run_for(hours(&mut chance))?,
        }
        stage.world.set_folder(customer, 0..30 + round);
        back_up_amid_a_jump(&mut stage, &mut chance)?;
        stage.world.forget_crash(customer);
        stage.world.check_versions(customer)?;
        stage.world.expect_latest(customer)?;
    }
    // A crash may have taken the backup with it.
    stage.world.start(customer);
    stage.world.set_folder(customer, 0..60);
    stage.back_up()?;
    // Whatever it shows when somebody looks.
    for ahead in AHEAD_MS {
        stage.world.set_wall_clock(customer, ahead);
        stage.world.check_versions(customer)?;
        stage.world.expect_latest(customer)?;
    }
    stage.settle()?;
    take_its_place(&mut stage, &mut chance, sabotage)
}

/// Another machine recovers, and makes versions of its own with a clock that is right.
fn take_its_place(
    stage: &mut Stage,
    chance: &mut Random,
    sabotage: Sabotage,
) -> Result<(), Failure> {
    let (old, made) = (stage.customer, stage.world.versions_listed(stage.customer));
    stage.world.kill(old);
    let node = stage.world.add_kin(old);
    stage.world.set_contract_bytes(node, 2_000);
    stage.world.sabotage(node, sabotage);
    draw_clock(stage, chance, node);
    stage.world.start(node);
    let job = stage.world.recover(node);
    stage.world.finish(node, job, LIMIT)?;
    let found = stage.world.versions_listed(node);
    stage.world.expect(found == made, || {
        format!("{found} versions, and not {made}")
    })?;
    for ahead in AHEAD_MS {
        stage.world.set_wall_clock(node, ahead);
        stage.world.check_versions(node)?;
        stage.world.expect_latest(node)?;
    }
    // Those of the old machine lie before what this one makes, whatever its clock showed.
    let world = &mut stage.world;
    world.set_wall_clock(node, 0);
    for supplier in &stage.suppliers {
        world.befriend(node, *supplier);
    }
    world.want_suppliers(node, 4);
    world.set_folder(node, 0..61);
    let job = world.back_up(node);
    world.finish(node, job, LIMIT)?;
    world.check_versions(node)?;
    world.expect_latest(node)
}

/// A backup in the middle of which the clock is set; one that a crash ends is none.
fn back_up_amid_a_jump(stage: &mut Stage, chance: &mut Random) -> Result<(), Failure> {
    let customer = stage.customer;
    let job = stage.world.back_up(customer);
    stage
        .world
        .run_for(Duration::from_millis(chance.below(3_000)))?;
    if chance.chance(50) {
        draw_clock(stage, chance, customer);
    }
    let is_over = |world: &bitdust_sim::World| {
        let is_running = world.is_running(customer, job);
        world.ended(customer, job).is_some() || !is_running
    };
    stage
        .world
        .run_until("the backup is over", LIMIT, is_over)?;
    let ended = stage.world.ended(customer, job).flatten();
    stage
        .world
        .expect(ended.is_none_or(|code| code != ErrorCode::Forked), || {
            format!("a backup, and not {ended:?}")
        })
}

fn draw_clock(stage: &mut Stage, chance: &mut Random, node: NodeId) {
    let drawn = usize::try_from(chance.below(AHEAD_MS.len() as u64)).expect("below five");
    stage.world.set_wall_clock(node, AHEAD_MS[drawn]);
}

/// Up to two days.
fn hours(chance: &mut Random) -> Duration {
    DAY / 24 * u32::try_from(chance.below(48)).expect("below 48")
}

#[test]
fn by_whatever_clock_versions_lie_as_they_were_made() {
    for seed in 0..SEEDS {
        if let Err(failure) = play(seed, Sabotage::None) {
            panic!("{failure}");
        }
    }
}

/// The old rule: versions by the times at which they were taken.
#[test]
fn an_order_by_time_is_caught() {
    let caught = (0..SEEDS).filter_map(|seed| play(seed, Sabotage::OrdersByTime).err());
    let caught: Vec<_> = caught.collect();
    let of_order = |failure: &&Failure| failure.message.contains("in another order than made");
    let of_order = caught.iter().filter(of_order).count();
    eprintln!(
        "{} of {SEEDS} are caught, {of_order} by the order",
        caught.len()
    );
    assert!(of_order > 0, "{caught:?}");
}
