//! Suppliers that are there and do not answer: what they hold is asked of others soon, and they are
//! not asked first again.

use std::time::Duration;

use bitdust_sim::{Failure, Lie, NodeId, Sabotage};
use bitdust_sim_stories::{LIMIT, Stage};

/// What a restore may take longer beside half of the suppliers that do not answer, with a machine that knows
/// nothing of how fast they are: about twice what each is waited for at first.
const LONGER: Duration = Duration::from_secs(2);
/// The same where those who are silent were asked one after the other, by several fetches.
const LONGEST_POSSIBLE: Duration = Duration::from_secs(3);

/// A stage with a version, whose customer began anew since: it knows nothing of how fast anybody is.
fn stage(seed: u64, suppliers: usize, sabotage: Sabotage) -> Result<Stage, Failure> {
    let mut stage = Stage::new(seed, suppliers);
    stage.back_up()?;
    stage.settle()?;
    let customer = stage.customer;
    stage.world.stop(customer);
    stage.world.sabotage(customer, sabotage);
    stage.world.start(customer);
    let suppliers = stage.suppliers.len();
    stage
        .world
        .run_until("everybody is there", Duration::from_secs(60), |world| {
            let view = world.view(customer);
            view.is_some_and(|view| {
                let online = view.suppliers.iter().filter(|supplier| supplier.online);
                online.count() == suppliers
            })
        })?;
    Ok(stage)
}

/// What a restore takes at a machine.
fn restore(stage: &mut Stage, node: NodeId) -> Result<Duration, Failure> {
    let began = stage.world.now();
    stage.restore_at(node)?;
    Ok(stage.world.now().since(began))
}

/// What a restore takes when so many suppliers answer nothing.
fn beside_silent(
    seed: u64,
    (suppliers, silent): (usize, usize),
    sabotage: Sabotage,
) -> Result<Duration, Failure> {
    let mut stage = stage(seed, suppliers, sabotage)?;
    for supplier in &stage.suppliers[..silent] {
        stage.world.set_lie(*supplier, Lie::Stalls);
    }
    let customer = stage.customer;
    restore(&mut stage, customer)
}

#[test]
fn a_restore_does_not_wait_for_suppliers_that_do_not_answer() -> Result<(), Failure> {
    let mut longest = Duration::ZERO;
    let (mut restores, mut late) = (0, 0);
    for seed in 0..30 {
        for (suppliers, silent) in [(2, 1), (4, 1), (4, 2), (6, 1), (6, 3)] {
            let alone = beside_silent(seed, (suppliers, 0), Sabotage::None)?;
            let took = beside_silent(seed, (suppliers, silent), Sabotage::None)?;
            longest = longest.max(took.saturating_sub(alone));
            let told = format!("{took:?}, else {alone:?}, {silent} of {suppliers}, seed {seed}");
            assert!(took <= alone + LONGEST_POSSIBLE, "{told}");
            restores += 1;
            late += usize::from(took > alone + LONGER);
        }
    }
    assert!(late <= 2, "{late} of {restores} took long");
    eprintln!("at most {longest:?} longer");
    Ok(())
}

/// The old rule: each request to one that does not answer is waited for until it fails.
#[test]
fn who_waits_for_the_late_waits_long() -> Result<(), Failure> {
    let mut longest = Duration::ZERO;
    for seed in 0..10 {
        let took = beside_silent(seed, (6, 3), Sabotage::WaitsForTheLate)?;
        longest = longest.max(took);
    }
    eprintln!("up to {longest:?}");
    assert!(longest > Duration::from_secs(30), "{longest:?}");
    Ok(())
}

/// A second restore knows whom not to ask first.
#[test]
fn who_did_not_answer_is_not_waited_for_again() -> Result<(), Failure> {
    for seed in 0..30 {
        let alone = beside_silent(seed, (6, 0), Sabotage::None)?;
        let mut stage = stage(seed, 6, Sabotage::None)?;
        for supplier in &stage.suppliers[..3] {
            stage.world.set_lie(*supplier, Lie::Stalls);
        }
        let customer = stage.customer;
        let first = restore(&mut stage, customer)?;
        let again = restore(&mut stage, customer)?;
        let told = format!("seed {seed}: {first:?}, then {again:?}, else {alone:?}");
        assert!(again <= alone + Duration::from_millis(500), "{told}");
    }
    Ok(())
}

#[test]
fn nor_does_a_machine_that_recovered() -> Result<(), Failure> {
    let silent = 3;
    for seed in 0..10 {
        let mut took = [Duration::ZERO; 2];
        for (silent, took) in [0, silent].into_iter().zip(&mut took) {
            let mut stage = stage(seed, 6, Sabotage::None)?;
            stage.world.run_for(Duration::from_secs(120))?;
            stage.world.kill(stage.customer);
            let (node, job) = stage.begin_recovery();
            stage.world.finish(node, job, LIMIT)?;
            for supplier in &stage.suppliers[..silent] {
                stage.world.set_lie(*supplier, Lie::Stalls);
            }
            *took = restore(&mut stage, node)?;
        }
        assert!(took[1] <= took[0] + LONGER, "seed {seed}: {took:?}");
    }
    Ok(())
}
