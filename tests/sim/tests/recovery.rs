//! From nothing: a bare machine, a phrase, and some of the suppliers.

use std::time::Duration;

use bitdust_model::{ErrorCode, Sequence};
use bitdust_sim::{Failure, Sabotage};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

/// Backs up with six suppliers (any two of which suffice), loses the machine and all but
/// `left` suppliers.
fn ruin(seed: u64, left: usize) -> Result<Stage, Failure> {
    let mut stage = Stage::new(seed, 6);
    stage.back_up()?;
    stage.settle()?;
    // The newest head's way to the last holders, and the records' way to the network.
    stage.world.run_for(Duration::from_secs(60))?;
    stage.world.kill(stage.customer);
    for supplier in stage.suppliers.split_off(left) {
        stage.world.kill(supplier);
    }
    Ok(stage)
}

#[test]
fn k_suppliers_give_everything_back() -> Result<(), Failure> {
    for seed in 0..10 {
        let mut stage = ruin(seed, 2)?;
        let (node, job) = stage.begin_recovery();
        stage.world.finish(node, job, LIMIT)?;
        stage.restore_at(node)?;
    }
    Ok(())
}

#[test]
fn one_supplier_fewer_is_too_few_and_is_named_so() -> Result<(), Failure> {
    let mut stage = ruin(1, 1)?;
    let (node, job) = stage.begin_recovery();
    stage.world.run_until("the job ends", LIMIT, |world| {
        world.ended(node, job).is_some()
    })?;
    let ended = stage.world.ended(node, job);
    let named = ended == Some(Some(ErrorCode::TooFewSuppliers));
    stage
        .world
        .expect(named, || format!("too few suppliers, not {ended:?}"))
}

#[test]
fn slow_starters_are_waited_for() -> Result<(), Failure> {
    let mut stage = ruin(2, 3)?;
    for supplier in stage.suppliers.clone() {
        stage.world.stop(supplier);
    }
    let (node, job) = stage.begin_recovery();
    stage.world.run_for(Duration::from_secs(60))?;
    for supplier in stage.suppliers.clone() {
        stage.world.start(supplier);
    }
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_at(node)
}

#[test]
fn records_outlive_their_owner_by_a_month() -> Result<(), Failure> {
    let mut stage = ruin(3, 3)?;
    stage.world.run_for(30 * DAY)?;
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_at(node)
}

#[test]
fn nothing_is_found_when_all_records_are_dead() -> Result<(), Failure> {
    let mut stage = ruin(4, 0)?;
    stage.world.run_for(5 * DAY)?;
    let (node, job) = stage.begin_recovery();
    stage.world.run_until("the job ends", LIMIT, |world| {
        world.ended(node, job).is_some()
    })?;
    let ended = stage.world.ended(node, job);
    stage
        .world
        .expect(ended == Some(Some(ErrorCode::NotFound)), || {
            format!("{ended:?}")
        })
}

#[test]
fn a_head_that_one_of_the_last_k_missed_is_still_found() -> Result<(), Failure> {
    // Code 2/6: five must keep a head, so one may miss it, and any two include one that
    // does not.
    let mut stage = Stage::new(5, 6);
    stage.back_up()?;
    stage.settle()?;
    stage.world.stop(stage.suppliers[0]);
    stage.world.set_folder(stage.customer, 0..45);
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(60))?;
    stage.world.kill(stage.customer);
    stage.world.start(stage.suppliers[0]);
    for supplier in stage.suppliers.split_off(3) {
        stage.world.kill(supplier);
    }
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    stage.restore_at(node)
}

/// Three suppliers have a version that the other three never got; then the machine and these three
/// are gone, but one if so wished.
fn ruin_with_a_version_that_three_have(stage: &mut Stage, spares_one: bool) -> Result<(), Failure> {
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(60))?;
    let early = stage.suppliers[..3].to_vec();
    let late = stage.suppliers[3..].to_vec();
    for supplier in &early {
        stage.world.stop(*supplier);
    }
    stage.world.set_folder(stage.customer, 0..45);
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(5))?;
    stage.world.kill(stage.customer);
    for supplier in late.iter().skip(usize::from(spares_one)) {
        stage.world.kill(*supplier);
    }
    for supplier in &early {
        stage.world.start(*supplier);
    }
    Ok(())
}

/// A published version is found by any recovery that hears one who has it.
#[test]
fn a_version_that_one_supplier_has_is_found() -> Result<(), Failure> {
    let mut stage = Stage::new(6, 6);
    ruin_with_a_version_that_three_have(&mut stage, true)?;
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    let newer = stage.world.newer_unheard(node);
    stage.world.expect(newer == 0, || format!("{newer}"))?;
    stage.restore_what_is_there_at(node)
}

/// And one that a record names is never passed over in silence.
#[test]
fn a_newer_version_that_nobody_tells_is_named() -> Result<(), Failure> {
    let mut stage = Stage::new(7, 6);
    ruin_with_a_version_that_three_have(&mut stage, false)?;
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    let newer = stage.world.newer_unheard(node);
    stage
        .world
        .expect(newer == 1, || format!("{newer} newer versions"))
}

#[test]
fn hiding_a_newer_version_is_caught() {
    let mut stage = Stage::new(7, 6);
    ruin_with_a_version_that_three_have(&mut stage, false).expect("nothing is broken yet");
    let (node, job) = stage.begin_recovery();
    stage.world.sabotage(node, Sabotage::HidesNewer);
    let failure = stage.world.finish(node, job, LIMIT).expect_err("caught");
    assert!(failure.message.contains("hides head"), "{failure}");
}

/// Five have a version that one missed, whose own newest is the one before; of the five one lost
/// everything, and the others are away.
fn ruin_with_an_empty_answer(stage: &mut Stage) -> Result<(), Failure> {
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(60))?;
    stage.world.stop(stage.suppliers[0]);
    stage.world.set_folder(stage.customer, 0..45);
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(60))?;
    stage.world.kill(stage.customer);
    stage.world.lose_everything(stage.suppliers[1]);
    for supplier in &stage.suppliers[2..] {
        stage.world.stop(*supplier);
    }
    stage.world.start(stage.suppliers[0]);
    Ok(())
}

/// Any two of six know what is settled; one who lost everything knows nothing.
#[test]
fn whoever_has_nothing_to_tell_is_not_counted() -> Result<(), Failure> {
    let mut stage = Stage::new(8, 6);
    ruin_with_an_empty_answer(&mut stage)?;
    let (node, job) = stage.begin_recovery();
    stage.world.run_for(Duration::from_secs(60))?;
    let ended = stage.world.ended(node, job);
    stage
        .world
        .expect(ended.is_none(), || format!("it waits, not {ended:?}"))?;
    stage.world.start(stage.suppliers[2]);
    stage.world.finish(node, job, LIMIT)?;
    let newer = stage.world.newer_unheard(node);
    stage.world.expect(newer == 0, || format!("{newer}"))?;
    stage.restore_what_is_there_at(node)
}

#[test]
fn counting_empty_answers_is_caught() {
    let mut stage = Stage::new(8, 6);
    ruin_with_an_empty_answer(&mut stage).expect("nothing is broken yet");
    let (node, job) = stage.begin_recovery();
    stage.world.sabotage(node, Sabotage::CountsTheEmpty);
    let failure = stage.world.finish(node, job, LIMIT).expect_err("caught");
    let words = "goes on without settled head";
    assert!(failure.message.contains(words), "{failure}");
}

/// All suppliers are there, and each lost all that it kept.
fn ruin_everything(stage: &mut Stage) -> Result<(), Failure> {
    stage.back_up()?;
    stage.world.run_for(Duration::from_secs(60))?;
    stage.world.kill(stage.customer);
    for supplier in stage.suppliers.clone() {
        stage.world.lose_everything(supplier);
    }
    Ok(())
}

#[test]
fn versions_that_all_have_lost_are_no_success() -> Result<(), Failure> {
    for away in [0, 4] {
        let mut stage = Stage::new(9, 6);
        ruin_everything(&mut stage)?;
        for supplier in stage.suppliers.split_off(6 - away) {
            stage.world.kill(supplier);
        }
        let (node, job) = stage.begin_recovery();
        stage.world.run_until("the job ends", LIMIT, |world| {
            world.ended(node, job).is_some()
        })?;
        let ended = stage.world.ended(node, job);
        let is_named = ended == Some(Some(ErrorCode::VersionsMissing));
        stage.world.expect(is_named, || format!("{ended:?}"))?;
    }
    Ok(())
}

#[test]
fn entering_without_a_version_is_caught() {
    let mut stage = Stage::new(9, 6);
    ruin_everything(&mut stage).expect("nothing is broken yet");
    let (node, job) = stage.begin_recovery();
    stage.world.sabotage(node, Sabotage::EntersWithNothing);
    let failure = stage.world.finish(node, job, LIMIT).expect_err("caught");
    let words = "enters a machine without head";
    assert!(failure.message.contains(words), "{failure}");
}

/// Of the three that have the newest version one is left, and its disk gives none of the lists back.
fn ruin_the_lists_of_the_newest(stage: &mut Stage) -> Result<(), Failure> {
    ruin_with_a_version_that_three_have(stage, true)?;
    stage.world.lose_shards(stage.suppliers[3]);
    Ok(())
}

#[test]
fn an_older_version_is_taken_where_the_lists_of_the_newest_are_gone() -> Result<(), Failure> {
    let mut stage = Stage::new(6, 6);
    ruin_the_lists_of_the_newest(&mut stage)?;
    let (node, job) = stage.begin_recovery();
    stage.world.finish(node, job, LIMIT)?;
    let unread = stage.world.unread(node);
    stage.world.expect(unread == [Sequence(2)], || {
        format!("the newer one is named, not {unread:?}")
    })
}

#[test]
fn trying_the_newest_only_is_caught() {
    let mut stage = Stage::new(6, 6);
    ruin_the_lists_of_the_newest(&mut stage).expect("nothing is broken yet");
    let (node, job) = stage.begin_recovery();
    stage.world.sabotage(node, Sabotage::TriesTheNewestOnly);
    let failure = stage.world.finish(node, job, LIMIT).expect_err("caught");
    let code = ErrorCode::TooFewShards.name();
    assert!(failure.message.contains(code), "{failure}");
}

/// Of three that are gone nobody has to wait long.
#[test]
fn the_dead_are_not_waited_for() -> Result<(), Failure> {
    for seed in 0..10 {
        let mut stage = ruin(seed, 3)?;
        let (node, job) = stage.begin_recovery();
        stage.world.finish(node, job, Duration::from_secs(5))?;
        stage.restore_at(node)?;
    }
    Ok(())
}
