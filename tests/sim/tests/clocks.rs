//! Clocks that are wrong, are set, and go on while their machine sleeps. The checker knows the right
//! time: nothing may be called safe by what was proved too long ago.

use std::time::Duration;

use bitdust_engine::Random;
use bitdust_model::status::Protection;
use bitdust_sim::{Failure, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far clocks are ahead: right, 400 days either way, in 1970 and in 2106. A story takes less time than
/// lies between any two of them, so that none is right by chance.
const AHEAD_MS: [i64; 5] = [0, -400 * DAY_MS, 400 * DAY_MS, i64::MIN, 29_000 * DAY_MS];
const SEEDS: u64 = 60;

/// A stage whose data is safe.
fn safe_stage(seed: u64, suppliers: usize, sabotage: Sabotage) -> Result<Stage, Failure> {
    let mut stage = Stage::new(seed, suppliers);
    stage.world.sabotage(stage.customer, sabotage);
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

fn stop_suppliers(stage: &mut Stage) {
    for supplier in &stage.suppliers {
        stage.world.stop(*supplier);
    }
}

fn start_suppliers(stage: &mut Stage) {
    for supplier in &stage.suppliers {
        stage.world.start(*supplier);
    }
}

/// Twenty hours pass and its suppliers are gone; then the machine sleeps for six.
fn sleep_alone(sabotage: Sabotage) -> Result<(), Failure> {
    let mut stage = safe_stage(3, 4, sabotage)?;
    stage.world.run_for(20 * DAY / 24)?;
    stop_suppliers(&mut stage);
    stage.world.sleep(stage.customer, 30 * DAY / 24);
    stage.world.run_for(32 * DAY / 24)
}

/// It stops for five days, in which its clock is set back.
fn stop_alone(sabotage: Sabotage) -> Result<(), Failure> {
    let mut stage = safe_stage(3, 4, sabotage)?;
    stop_suppliers(&mut stage);
    stage.world.stop(stage.customer);
    stage.world.run_for(5 * DAY)?;
    stage.world.set_wall_clock(stage.customer, -400 * DAY_MS);
    stage.world.start(stage.customer);
    stage.world.run_for(DAY / 24)
}

/// Sleeps, restarts and clocks that are set, in any order, with suppliers that come and go; then all is
/// there, by whatever clock.
fn play(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut chance = Random::from_number(seed ^ 0xc10c);
    let suppliers = [2, 3, 4, 6][pick(&mut chance, 4)];
    let mut stage = safe_stage(seed, suppliers, sabotage)?;
    let customer = stage.customer;
    for _ in 0..12 {
        match chance.below(6) {
            0 => stop_suppliers(&mut stage),
            1 => start_suppliers(&mut stage),
            2 => {
                let ahead = AHEAD_MS[pick(&mut chance, AHEAD_MS.len())];
                stage.world.set_wall_clock(customer, ahead);
            }
            3 => stage.world.sleep(customer, hours(&mut chance)),
            4 => {
                stage.world.stop(customer);
                stage.world.run_for(hours(&mut chance))?;
                stage.world.start(customer);
            }
            _ => stage.world.run_for(hours(&mut chance))?,
        }
    }
    stage.world.run_for(5 * DAY)?;
    start_suppliers(&mut stage);
    until_safe(&mut stage, DAY)?;
    stage.world.set_folder(customer, 0..40);
    stage.back_up()?;
    until_safe(&mut stage, DAY)?;
    stage.restore()
}

/// Up to four days.
fn hours(chance: &mut Random) -> Duration {
    let hours = chance.below(4 * 24);
    Duration::from_secs(hours * 3_600)
}

fn pick(chance: &mut Random, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).expect("below a number of this type")
}

#[test]
fn a_sleep_ages_what_was_proved() -> Result<(), Failure> {
    sleep_alone(Sabotage::None)
}

#[test]
fn a_proof_in_the_future_is_not_fresh() -> Result<(), Failure> {
    stop_alone(Sabotage::None)
}

#[test]
fn by_whatever_clock_nothing_old_is_called_safe() {
    for seed in 0..SEEDS {
        if let Err(failure) = play(seed, Sabotage::None) {
            panic!("{failure}");
        }
    }
}

/// The old rules: ticks that stand still in sleep, and what lies in the future is of just now.
#[test]
fn the_old_rules_call_safe_what_nobody_confirmed() {
    sleep_alone(Sabotage::StandsStillInSleep).expect_err("it slept for more than a day");
    stop_alone(Sabotage::TakesTheFutureForNow).expect_err("five days are no moment");
    for sabotage in [Sabotage::StandsStillInSleep, Sabotage::TakesTheFutureForNow] {
        let caught = (0..SEEDS).filter(|seed| play(*seed, sabotage).is_err());
        assert!(caught.count() > 0, "{sabotage:?} is never caught");
    }
}
