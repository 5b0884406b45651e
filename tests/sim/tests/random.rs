//! Two hundred random stories. `SEED=n` plays one of them again, `SEEDS=n` plays so many.

use std::time::Duration;

use bitdust_engine::Random;
use bitdust_model::ErrorCode;
use bitdust_sim::{Failure, Lie, NodeId, Sabotage, World, WorldOptions};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

const SEEDS: u64 = 200;

#[test]
fn random_stories_end_well() {
    for seed in seeds() {
        if let Err(failure) = play(seed, Sabotage::None) {
            panic!("{failure}");
        }
    }
}

#[test]
fn random_stories_catch_a_broken_engine() {
    for seed in seeds().take(20) {
        let caught = play(seed, Sabotage::SaysSafe);
        assert!(
            caught.is_err(),
            "seed {seed}: an engine that always says safe was not caught"
        );
    }
}

fn seeds() -> impl Iterator<Item = u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let range = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    range.inspect(|seed| eprintln!("seed {seed}"))
}

/// A number below `bound`.
fn draw(chance: &mut Random, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).expect("below a number of this type")
}

/// What a set can bear: before a backup is done, and after all is settled.
struct Allowance {
    during: usize,
    after: usize,
}

fn allowance(stage: &Stage) -> Allowance {
    let code = stage.world.code(stage.customer).expect("the set is formed");
    // A version needs no more than what gives it back.
    let lost = usize::from(code.n() - code.k());
    Allowance {
        during: lost,
        after: lost,
    }
}

fn play(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut chance = Random::from_number(seed ^ 0x5eed);
    let suppliers = 1 + draw(&mut chance, 8);
    let options = WorldOptions {
        seed,
        loss_percent: chance.below(25),
    };
    let mut stage = Stage::with_options(options, suppliers);
    let customer = stage.customer;
    stage
        .world
        .run_until("a set", LIMIT, |world| world.code(customer).is_some())?;
    stage.world.sabotage(customer, sabotage);
    let allowance = allowance(&stage);

    let mut bad = harm_for_good(&mut stage, &mut chance, allowance.during);
    for round in 1..=3 {
        let first = round * 10;
        stage
            .world
            .set_folder(customer, first..first + 10 + chance.below(40));
        back_up_in_trouble(&mut stage, &mut chance)?;
    }
    calm(&mut stage);
    let living: Vec<_> = stage
        .suppliers
        .iter()
        .filter(|it| !bad.contains(it))
        .copied()
        .collect();
    // Whatever crashes left owing comes without a word: from the spool, or made anew.
    let is_settled = |world: &World| {
        living.iter().all(|supplier| {
            world.is_spool_empty_for(customer, *supplier)
                && world.owes_nothing_makeable(customer, *supplier)
        })
    };
    stage
        .world
        .run_until("nothing is owed to the living", LIMIT, is_settled)?;
    // A restore tries them again and again, each time until it has waited long enough.
    for supplier in &bad {
        stage.world.end_stall(*supplier);
    }
    if chance.chance(30) {
        stage.world.run_for(3 * DAY)?;
    }
    let is_whole = living
        .iter()
        .all(|supplier| stage.world.owes_nothing(customer, *supplier));
    let spare = allowance.after - bad.len();
    let deaths = draw(&mut chance, spare + 1);
    for supplier in living.into_iter().take(deaths) {
        stage.world.kill(supplier);
        bad.push(supplier);
    }
    restore(&mut stage, customer, is_whole)?;
    if chance.chance(50) {
        stage.world.run_for(Duration::from_secs(120))?;
        stage.world.kill(customer);
        let (node, job) = stage.begin_recovery();
        stage.world.run_until("the recovery ends", LIMIT, |world| {
            world.ended(node, job).is_some()
        })?;
        // The lists themselves may be such a pack.
        let is_lost = stage.world.ended(node, job) == Some(Some(ErrorCode::TooFewShards));
        if is_lost && !is_whole {
            return Ok(());
        }
        stage.world.finish(node, job, LIMIT)?;
        restore(&mut stage, node, is_whole)?;
    }
    Ok(())
}

/// Of a pack that liars signed for there may be too little to make anything anew: then it is
/// enough to bring what is there.
fn restore(stage: &mut Stage, node: NodeId, is_whole: bool) -> Result<(), Failure> {
    if is_whole {
        stage.restore_at(node)
    } else {
        stage.restore_what_is_there_at(node)
    }
}

/// Some suppliers lie or die before the first byte; gives them back.
fn harm_for_good(stage: &mut Stage, chance: &mut Random, most: usize) -> Vec<NodeId> {
    let count = draw(chance, most + 1);
    let bad: Vec<_> = stage.suppliers.iter().take(count).copied().collect();
    for supplier in &bad {
        match chance.below(5) {
            0 => stage.world.set_lie(*supplier, Lie::KeepsNothing),
            1 => stage.world.set_lie(*supplier, Lie::WrongBytes),
            2 => stage.world.set_lie(*supplier, Lie::Forges),
            3 => stage.world.set_lie(*supplier, Lie::Stalls),
            _ => stage.world.kill(*supplier),
        }
    }
    bad
}

/// One backup, while crashes, cuts and full disks come and go; then calm until it is done.
fn back_up_in_trouble(stage: &mut Stage, chance: &mut Random) -> Result<(), Failure> {
    let customer = stage.customer;
    let mut job = stage.world.back_up(customer);
    for _ in 0..chance.below(12) {
        trouble(stage, chance);
        stage
            .world
            .run_for(Duration::from_millis(chance.below(20_000)))?;
    }
    calm(stage);
    stage.world.run_for(Duration::from_secs(30))?;
    if stage.world.ended(customer, job).is_none() && !stage.world.is_running(customer, job) {
        job = stage.world.back_up(customer);
    }
    stage.world.run_until("the job ends", LIMIT, |world| {
        world.ended(customer, job).is_some()
    })?;
    if stage.world.ended(customer, job) == Some(Some(ErrorCode::TooFewShards)) {
        // A liar was found out, and had signed for what nobody else was given in time.
        job = stage.world.back_up(customer);
    }
    stage.world.finish(customer, job, LIMIT)
}

fn trouble(stage: &mut Stage, chance: &mut Random) {
    let customer = stage.customer;
    let pick = chance.below(stage.suppliers.len() as u64);
    let supplier = stage.suppliers[usize::try_from(pick).expect("below a length")];
    match chance.below(11) {
        0 => stage.world.crash_after(customer, 1 + chance.below(40)),
        1 => stage.world.stop(supplier),
        2 => stage.world.start(supplier),
        3 => stage.world.cut(customer, supplier),
        4 => stage.world.heal(customer, supplier),
        5 => stage.world.drop_connection(customer, supplier),
        6 => stage.world.set_spool_full(customer, chance.chance(50)),
        7 => stage.world.set_disk_full(supplier, chance.chance(50)),
        8 => stage.world.set_disk_failures(customer, chance.below(90)),
        9 => stage.world.set_catalogue_full(customer, chance.chance(50)),
        _ => stage.world.stop(customer),
    }
}

/// No trouble any more; only the dead stay dead and the liars lie.
fn calm(stage: &mut Stage) {
    let customer = stage.customer;
    stage.world.forget_crash(customer);
    stage.world.set_spool_full(customer, false);
    stage.world.set_disk_failures(customer, 0);
    stage.world.set_catalogue_full(customer, false);
    for supplier in stage.suppliers.clone() {
        stage.world.set_disk_full(supplier, false);
        stage.world.heal(customer, supplier);
        stage.world.start(supplier);
    }
    stage.world.start(customer);
}
