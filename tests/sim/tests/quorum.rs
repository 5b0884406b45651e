//! Versions made by those who are there: whoever is away is owed, and not waited for.

use std::time::Duration;

use bitdust_engine::Phase;
use bitdust_model::limits::PACKS_IN_FLIGHT_MAX;
use bitdust_model::status::Protection;
use bitdust_sim::{Failure, Lie, Sabotage, World};
use bitdust_sim_stories::{LIMIT, Stage};

/// Of so many suppliers so many are away.
const AWAY: [(usize, usize); 7] = [(2, 1), (3, 1), (3, 2), (4, 1), (4, 2), (6, 2), (9, 5)];
const SOON: Duration = Duration::from_secs(60);

fn formed(seed: u64, suppliers: usize) -> Result<Stage, Failure> {
    let mut stage = Stage::new(seed, suppliers);
    let customer = stage.customer;
    stage
        .world
        .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
    Ok(stage)
}

fn protection(world: &World, stage: bitdust_sim::NodeId) -> Protection {
    world.view(stage).expect("it is up").protection
}

fn expect_safe(stage: &mut Stage, is_safe: bool) -> Result<(), Failure> {
    let told = protection(&stage.world, stage.customer);
    stage
        .world
        .expect((told == Protection::Safe) == is_safe, || {
            format!("{told:?}")
        })
}

#[test]
fn a_version_is_made_without_those_who_are_away() -> Result<(), Failure> {
    for (seed, (suppliers, away)) in (0..).zip(AWAY) {
        let mut stage = formed(seed, suppliers)?;
        let customer = stage.customer;
        let away = stage.suppliers[..away].to_vec();
        for supplier in &away {
            stage.world.stop(*supplier);
        }
        stage.world.run_for(Duration::from_secs(1))?;
        let job = stage.world.back_up(customer);
        stage.world.finish(customer, job, SOON)?;
        let needs_all = suppliers <= 4 || away.len() > 2;
        if needs_all {
            expect_safe(&mut stage, false)?;
        }
        stage.restore()?;
        // What is owed comes without a word, and then it is safe.
        for supplier in &away {
            stage.world.start(*supplier);
        }
        stage.world.run_until("it is safe", LIMIT, |world| {
            protection(world, customer) == Protection::Safe
                && away.iter().all(|it| world.owes_nothing(customer, *it))
        })?;
        stage.restore()?;
        let view = stage.world.view(customer).expect("it is up");
        let is_settled = view.settled == view.published;
        stage
            .world
            .expect(is_settled, || "the version is settled".to_owned())?;
    }
    Ok(())
}

/// A second version names what is with enough already, and seals nothing of it again.
#[test]
fn what_enough_suppliers_keep_is_not_sealed_again() -> Result<(), Failure> {
    for (seed, (suppliers, away)) in (0..).zip(AWAY) {
        let mut stage = formed(seed, suppliers)?;
        for supplier in &stage.suppliers[..away] {
            stage.world.stop(*supplier);
        }
        stage.back_up()?;
        let sealed = stage.world.contents_sealed(stage.customer);
        stage.back_up()?;
        let again = stage.world.contents_sealed(stage.customer) - sealed;
        stage
            .world
            .expect(again == 0, || format!("{again} packs of what is known"))?;
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn fewer_than_a_pack_needs_make_no_version() -> Result<(), Failure> {
    for (suppliers, there, confirmed) in [(4, 1, 1), (6, 1, 1), (9, 2, 2)] {
        let mut stage = formed(1, suppliers)?;
        let customer = stage.customer;
        let away = stage.suppliers[there..].to_vec();
        for supplier in &away {
            stage.world.stop(*supplier);
        }
        stage.world.run_for(Duration::from_secs(1))?;
        let job = stage.world.back_up(customer);
        stage.world.run_for(Duration::from_secs(3600))?;
        let (ended, told) = (
            stage.world.ended(customer, job),
            stage.world.phase(customer, job),
        );
        let waits = Phase::WaitingForConfirmations {
            confirmed,
            need: confirmed + 1,
        };
        let is_so = ended.is_none() && told == Some(waits);
        stage
            .world
            .expect(is_so, || format!("{ended:?}, {told:?}"))?;
        stage.world.start(away[0]);
        stage.world.finish(customer, job, LIMIT)?;
        stage.restore()?;
    }
    Ok(())
}

/// One that is there and does not answer is waited for once, and shortly.
#[test]
fn a_supplier_that_stalls_costs_a_second_once() -> Result<(), Failure> {
    for (suppliers, stalls) in [(3, 1), (4, 2), (6, 2)] {
        let mut stage = formed(2, suppliers)?;
        let customer = stage.customer;
        stage.world.set_folder(customer, 0..4);
        for supplier in &stage.suppliers[..stalls] {
            stage.world.set_lie(*supplier, Lie::Stalls);
        }
        // Beside the time that the others take.
        let job = stage.world.back_up(customer);
        stage
            .world
            .finish(customer, job, Duration::from_millis(2_200))?;
        expect_safe(&mut stage, suppliers == 6)?;
        // Until what was on its way to them has left the memory.
        stage.world.run_for(Duration::from_secs(300))?;
        stage.world.set_folder(customer, 10..14);
        let job = stage.world.back_up(customer);
        stage
            .world
            .finish(customer, job, Duration::from_millis(1_500))?;
        for supplier in stage.suppliers.clone() {
            stage.world.set_lie(supplier, Lie::None);
        }
        stage.world.run_until("it is safe", LIMIT, |world| {
            protection(world, customer) == Protection::Safe
        })?;
        stage.restore()?;
    }
    Ok(())
}

/// A supplier that never comes again stops no backup, however little the spool takes.
#[test]
fn a_dead_supplier_fills_no_memory() -> Result<(), Failure> {
    for seed in 0..4 {
        let mut stage = formed(seed, 6)?;
        let customer = stage.customer;
        stage.world.set_spool_full(customer, true);
        stage.world.kill(stage.suppliers[0]);
        stage.world.set_folder(customer, 0..400);
        stage.back_up()?;
        expect_safe(&mut stage, true)?;
        stage.restore()?;
    }
    Ok(())
}

/// However much a backup has to do, and whoever is away: what rests is left to the ledger.
#[test]
fn a_backup_follows_only_what_moves() -> Result<(), Failure> {
    let mut stage = formed(3, 6)?;
    let customer = stage.customer;
    for supplier in &stage.suppliers[..2] {
        stage.world.stop(*supplier);
    }
    stage.world.set_folder(customer, 0..2_000);
    let job = stage.world.back_up(customer);
    let mut most = 0;
    while stage.world.ended(customer, job).is_none() {
        stage.world.run_for(Duration::from_millis(100))?;
        let view = stage.world.view(customer).expect("it is up");
        most = most.max(view.packs_unsettled);
    }
    stage
        .world
        .expect(most <= 2 * PACKS_IN_FLIGHT_MAX, || format!("{most} packs"))?;
    stage.restore()
}

/// One that is there and takes nothing is as good as away.
#[test]
fn a_supplier_without_room_stops_no_backup() -> Result<(), Failure> {
    for (suppliers, full) in [(2, 1), (3, 2), (4, 2), (6, 2)] {
        let mut stage = formed(4, suppliers)?;
        let customer = stage.customer;
        for supplier in &stage.suppliers[..full] {
            stage.world.set_disk_full(*supplier, true);
        }
        let job = stage.world.back_up(customer);
        stage.world.finish(customer, job, 3 * SOON)?;
        stage.restore()?;
        for supplier in &stage.suppliers[..full] {
            stage.world.set_disk_full(*supplier, false);
        }
        stage.world.run_until("it is safe", LIMIT, |world| {
            protection(world, customer) == Protection::Safe
        })?;
    }
    Ok(())
}

/// A head without its lists would hide what its supplier had before.
#[test]
fn who_lacks_the_lists_is_not_given_the_head() -> Result<(), Failure> {
    let mut stage = formed(5, 6)?;
    let customer = stage.customer;
    stage.back_up()?;
    stage.world.run_for(SOON)?;
    let late = stage.suppliers[2..].to_vec();
    for supplier in &late {
        stage.world.stop(*supplier);
    }
    stage.world.set_folder(customer, 0..45);
    stage.back_up()?;
    // It comes back and has no room for anything new.
    stage.world.set_disk_full(late[0], true);
    stage.world.start(late[0]);
    stage.world.run_for(SOON)?;
    stage.world.kill(customer);
    for supplier in &stage.suppliers[..2] {
        stage.world.kill(*supplier);
    }
    for supplier in &late[1..] {
        stage.world.start(*supplier);
    }
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    let newer = stage.world.newer_unheard(node);
    stage
        .world
        .expect(newer == 1, || "the newer one is named".to_owned())?;
    stage.restore_what_is_there_at(node)
}

/// Two make a version, and then only the third is there for another: what it leads on to is with the third
/// as well, who is soon the only one left.
fn handed_on(seed: u64, sabotage: Sabotage) -> Result<(), Failure> {
    let mut stage = formed(seed, 3)?;
    let customer = stage.customer;
    stage.world.sabotage(customer, sabotage);
    // Else the third is sent from it what it missed.
    stage.world.set_spool_full(customer, true);
    let third = stage.suppliers[2];
    stage.world.stop(third);
    stage.world.run_for(Duration::from_secs(1))?;
    stage.back_up()?;
    let others = [stage.suppliers[0], stage.suppliers[1]];
    for supplier in others {
        stage.world.stop(supplier);
    }
    stage.world.start(third);
    stage.world.run_for(SOON)?;
    stage.world.set_folder(customer, 0..45);
    stage.back_up()?;
    for machine in [customer, others[0], others[1]] {
        stage.world.kill(machine);
    }
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_what_is_there_at(node)
}

#[test]
fn a_version_leads_to_lists_of_those_who_are_there() -> Result<(), Failure> {
    (0..8).try_for_each(|seed| handed_on(seed, Sabotage::None))
}

#[test]
fn leading_on_to_lists_of_those_who_are_away_is_caught() {
    let failure =
        handed_on(1, Sabotage::LeadsOnToTheAbsent).expect_err("a broken engine is caught");
    assert!(
        failure.message.contains("chunks that are there"),
        "{}",
        failure.message
    );
}

#[test]
fn waiting_for_those_who_are_away_is_caught() {
    let play = || -> Result<(), Failure> {
        let mut stage = formed(1, 3)?;
        stage
            .world
            .sabotage(stage.customer, Sabotage::WaitsForTheAbsent);
        stage.world.stop(stage.suppliers[0]);
        stage.back_up()
    };
    let failure = play().expect_err("a broken engine is caught");
    assert!(
        failure.message.contains("not within"),
        "{}",
        failure.message
    );
}

#[test]
fn publishing_with_one_where_two_are_there_is_caught() {
    let play = || -> Result<(), Failure> {
        let mut stage = formed(1, 3)?;
        stage
            .world
            .sabotage(stage.customer, Sabotage::PublishesAlone);
        stage.back_up()
    };
    let failure = play().expect_err("a broken engine is caught");
    let words = "is called published with 1 of 2";
    assert!(failure.message.contains(words), "{}", failure.message);
}
