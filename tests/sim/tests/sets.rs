//! Worlds that begin with more than a set can be formed to: two sets, and positions that do not count.

use std::time::Duration;

use bitdust_engine::EngineView;
use bitdust_model::Code;
use bitdust_model::set::PositionState::{Active, Filling, Inactive, Vacant};
use bitdust_model::status::Protection;
use bitdust_sim::{Failure, NodeId};
use bitdust_sim_stories::{LIMIT, Stage};

const SOON: Duration = Duration::from_secs(60);

/// Six suppliers who keep everything, in the order of their positions; any two give it back.
fn safe_stage(seed: u64) -> Result<(Stage, Vec<NodeId>), Failure> {
    let mut stage = Stage::new(seed, 6);
    stage.back_up()?;
    until_safe(&mut stage)?;
    let holders = stage.world.holders(stage.customer);
    Ok((stage, holders))
}

fn view(stage: &Stage) -> EngineView {
    stage.world.view(stage.customer).expect("it is up")
}

fn expect_kept(stage: &Stage, by: u8) -> Result<(), Failure> {
    let kept = view(stage).head_kept;
    stage
        .world
        .expect(kept == by, || format!("{kept} of {by} keep the head"))
}

fn until_safe(stage: &mut Stage) -> Result<(), Failure> {
    let customer = stage.customer;
    stage.world.run_until("it is safe", LIMIT, |world| {
        let view = world.view(customer);
        view.is_some_and(|view| view.protection == Protection::Safe)
    })
}

/// Until all that somebody is owed is there, and the version is settled.
fn until_whole(stage: &mut Stage, holders: &[NodeId]) -> Result<(), Failure> {
    let customer = stage.customer;
    stage.world.run_until("nothing is owed", LIMIT, |world| {
        let view = world.view(customer).expect("it is up");
        let is_settled = view.settled == view.published;
        is_settled && holders.iter().all(|it| world.owes_nothing(customer, *it))
    })
}

/// What happens behind its back while it is down.
fn restart(stage: &mut Stage, change: impl FnOnce(&mut Stage)) {
    stage.world.stop(stage.customer);
    change(stage);
    stage.world.start(stage.customer);
}

#[test]
fn a_version_is_made_and_safe_beside_a_vacant_position() -> Result<(), Failure> {
    for (seed, position) in (0..10).zip((0..6).cycle()) {
        let (mut stage, holders) = safe_stage(seed)?;
        let (customer, gone) = (stage.customer, holders[position]);
        stage.world.kill(gone);
        restart(&mut stage, |stage| {
            stage.world.change_position(customer, gone, Vacant);
        });
        stage.world.set_folder(customer, 0..40);
        let job = stage.world.back_up(customer);
        stage.world.finish(customer, job, SOON)?;
        until_safe(&mut stage)?;
        let left: Vec<_> = holders.iter().copied().filter(|it| *it != gone).collect();
        until_whole(&mut stage, &left)?;
        stage.restore()?;
        // Any two of those that are left.
        for supplier in &left[..3] {
            stage.world.kill(*supplier);
        }
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn two_sets_are_kept_and_given_back_together() -> Result<(), Failure> {
    for seed in 0..10 {
        let (mut stage, holders) = safe_stage(seed)?;
        let (customer, away) = (stage.customer, holders[0]);
        // What it lacks waits in the spool, or lies nowhere.
        stage.world.stop(away);
        stage.world.set_spool_full(customer, seed % 2 == 0);
        stage.world.set_folder(customer, 0..45);
        stage.back_up()?;
        restart(&mut stage, |stage| {
            // The same suppliers at other positions, and one of them at none.
            let mut places: Vec<_> = holders.iter().rev().map(|it| (Active, *it)).collect();
            places[2].0 = Vacant;
            let code = Code::new(2, 6).expect("a code");
            stage.world.begin_set(customer, code, &places);
        });
        stage.world.run_for(SOON)?;
        stage.world.set_folder(customer, 0..75);
        let sealed = stage.world.contents_sealed(customer);
        let job = stage.world.back_up(customer);
        stage.world.finish(customer, job, SOON)?;
        let new = stage.world.contents_sealed(customer) - sealed;
        let is_new = (1..=8).contains(&new);
        stage
            .world
            .expect(is_new, || format!("{new} packs of 30 chunks"))?;
        stage.restore()?;
        // The customer crashes in the middle of giving it what it is owed in both.
        stage.world.set_spool_full(customer, false);
        stage.world.start(away);
        stage.world.crash_after(customer, 5 + 3 * seed);
        stage.world.run_for(SOON)?;
        stage.world.forget_crash(customer);
        until_whole(&mut stage, &holders)?;
        until_safe(&mut stage)?;
        stage.restore()?;
        for supplier in &holders[..3] {
            stage.world.kill(*supplier);
        }
        stage.world.run_for(Duration::from_secs(9 * 24 * 3600))?;
        let told = view(&stage).protection;
        stage.world.expect(told != Protection::Safe, || {
            "safe while three of six are dead".to_owned()
        })?;
        stage.restore()?;
    }
    Ok(())
}

/// It is not waited for; once it is there it is given what it lacks, and still counts for nothing.
#[test]
fn who_is_inactive_or_being_filled_is_given_what_it_lacks() -> Result<(), Failure> {
    for (seed, state) in (0..10).zip([Inactive, Filling].into_iter().cycle()) {
        let (mut stage, holders) = safe_stage(seed)?;
        let (customer, late) = (stage.customer, holders[5]);
        stage.world.stop(late);
        restart(&mut stage, |stage| {
            stage.world.change_position(customer, late, state);
        });
        stage.world.set_folder(customer, 0..40);
        let job = stage.world.back_up(customer);
        stage.world.finish(customer, job, SOON)?;
        let is_spooled = !stage.world.is_spool_empty_for(customer, late);
        stage.world.expect(is_spooled == (state == Filling), || {
            format!("spooled for {state:?}: {is_spooled}")
        })?;
        until_whole(&mut stage, &holders[..5])?;
        stage.world.run_for(SOON)?;
        expect_kept(&stage, 5)?;
        stage.world.start(late);
        until_whole(&mut stage, &holders)?;
        stage.world.run_for(SOON)?;
        stage.restore()?;
        expect_kept(&stage, 5)?;
    }
    Ok(())
}
