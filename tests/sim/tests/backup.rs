//! Backups through trouble: deaths, crashes, cuts, full disks.

use std::time::Duration;

use bitdust_engine::Phase;
use bitdust_model::ErrorCode;
use bitdust_model::status::Protection;
use bitdust_sim::{Failure, World, WorldOptions};
use bitdust_sim_stories::{DAY, LIMIT, Stage};

#[test]
fn a_backup_comes_back_with_any_number_of_suppliers() -> Result<(), Failure> {
    for suppliers in 1..=12 {
        let mut stage = Stage::new(suppliers as u64, suppliers);
        stage.back_up()?;
        stage.restore()?;
        let view = stage.world.view(stage.customer).expect("it is up");
        let is_safe = view.protection == Protection::Safe;
        stage.world.expect(is_safe == (suppliers > 1), || {
            format!("{:?}", view.protection)
        })?;
    }
    Ok(())
}

#[test]
fn a_second_backup_adds_what_is_new() -> Result<(), Failure> {
    let mut stage = Stage::new(1, 4);
    stage.back_up()?;
    stage.world.set_folder(stage.customer, 10..50);
    stage.back_up()?;
    stage.restore()
}

#[test]
fn an_unchanged_folder_makes_no_version_by_itself() -> Result<(), Failure> {
    let mut stage = Stage::new(1, 4);
    let customer = stage.customer;
    stage.world.watch(customer);
    let after = |stage: &mut Stage, jobs: usize| {
        stage.world.run_until("backups end", LIMIT, |world| {
            world.jobs_ended(customer) >= jobs
        })?;
        Ok(stage.world.published(customer))
    };
    let first = after(&mut stage, 1)?;
    stage.restore()?;
    // Looked through by the hour, and once more for what only seemed to be a change.
    stage.world.run_for(DAY)?;
    let looked = stage.world.jobs_ended(customer);
    stage.world.touch_folder(customer);
    let same = after(&mut stage, looked + 1)?;
    stage.world.expect(looked > 20 && same == first, || {
        format!("{looked} looks, and no version after {first:?}: {same:?}")
    })?;

    stage.world.set_folder(customer, 10..50);
    stage.world.touch_folder(customer);
    let changed = after(&mut stage, looked + 2)?;
    stage
        .world
        .expect(changed > first, || "a version of what changed".to_owned())?;
    stage.restore()?;
    // A person who asks for one gets it.
    stage.back_up()?;
    let asked = stage.world.published(customer);
    stage.world.expect(asked > changed, || {
        "a version that was asked for".to_owned()
    })?;
    stage.restore()
}

#[test]
fn strangers_are_hired_until_there_are_enough() -> Result<(), Failure> {
    let mut stage = Stage::new(2, 2);
    for _ in 0..4 {
        let stranger = stage.world.add_node();
        stage.world.start(stranger);
        stage.world.offer(stranger, 20_000);
    }
    stage.world.want_suppliers(stage.customer, 5);
    stage.back_up()?;
    stage
        .world
        .expect(stage.world.holders(stage.customer).len() == 5, || {
            "five holders".into()
        })?;
    stage.restore()
}

#[test]
fn a_supplier_that_dies_amid_a_backup_does_not_stop_it() -> Result<(), Failure> {
    for moment in 0..12 {
        let mut stage = Stage::new(moment, 6);
        // The set is formed before: the death hits the backup, not the hiring.
        let customer = stage.customer;
        stage
            .world
            .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
        let job = stage.world.back_up(customer);
        stage.world.run_for(Duration::from_millis(120 * moment))?;
        stage.world.kill(stage.suppliers[0]);
        stage.world.finish(customer, job, LIMIT)?;
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn a_customer_may_crash_after_any_input() -> Result<(), Failure> {
    for inputs in (1..150).step_by(2) {
        let mut stage = Stage::new(inputs, 4);
        stage.world.crash_after(stage.customer, inputs);
        finish_in_spite_of_crashes(&mut stage)?;
        // A late one would hit the restore.
        stage.world.forget_crash(stage.customer);
        stage.settle()?;
        stage.restore()?;
    }
    Ok(())
}

/// Asks again whenever the machine came back without the job, as a schedule would.
fn finish_in_spite_of_crashes(stage: &mut Stage) -> Result<(), Failure> {
    let customer = stage.customer;
    for _ in 0..5 {
        let job = stage.world.back_up(customer);
        stage
            .world
            .run_until("the job ends or its machine stops", LIMIT, |world| {
                world.ended(customer, job).is_some() || world.view(customer).is_none()
            })?;
        if stage.world.ended(customer, job) == Some(None) {
            return Ok(());
        }
        stage.world.run_for(Duration::from_secs(10))?;
        // What a person had told it before the crash may be lost: tell it again.
        for supplier in stage.suppliers.clone() {
            stage.world.befriend(customer, supplier);
        }
    }
    stage.world.expect(false, || {
        "a backup that ends well within five tries".to_owned()
    })
}

#[test]
fn a_partition_delays_and_nothing_more() -> Result<(), Failure> {
    let mut stage = Stage::new(5, 4);
    let customer = stage.customer;
    stage
        .world
        .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
    let job = stage.world.back_up(customer);
    stage.world.run_for(Duration::from_millis(100))?;
    let away = stage.suppliers[1..].to_vec();
    for supplier in &away {
        stage.world.cut(customer, *supplier);
    }
    stage.world.run_for(Duration::from_secs(3 * 3600))?;
    let view = stage.world.view(customer).expect("it is up");
    let waits = stage.world.ended(customer, job).is_none();
    stage
        .world
        .expect(waits, || "a backup that waits".to_owned())?;
    stage
        .world
        .expect(view.protection != Protection::Safe, || {
            "not safe yet".to_owned()
        })?;
    for supplier in &away {
        stage.world.heal(customer, *supplier);
    }
    stage.world.finish(customer, job, LIMIT)?;
    stage.restore()
}

#[test]
fn full_disks_delay_and_nothing_more() -> Result<(), Failure> {
    let mut stage = Stage::new(6, 4);
    let customer = stage.customer;
    stage
        .world
        .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
    stage.world.set_spool_full(customer, true);
    stage.world.stop(stage.suppliers[0]);
    for full in &stage.suppliers[1..3] {
        stage.world.set_disk_full(*full, true);
    }
    let job = stage.world.back_up(customer);
    stage.world.run_for(Duration::from_secs(3600))?;
    stage
        .world
        .expect(stage.world.ended(customer, job).is_none(), || {
            "it waits".to_owned()
        })?;
    let told = stage.world.phase(customer, job);
    let code = ErrorCode::QuotaExceeded;
    stage
        .world
        .expect(told == Some(Phase::WaitingForSpool { code }), || {
            format!("it says why: {told:?}")
        })?;
    stage.world.start(stage.suppliers[0]);
    stage.world.finish(customer, job, LIMIT)?;
    for full in &stage.suppliers[1..3] {
        stage.world.set_disk_full(*full, false);
    }
    stage.restore()
}

/// It is owed from then on, and those behind it go their way.
#[test]
fn a_damaged_shard_in_the_spool_holds_up_no_other() -> Result<(), Failure> {
    for seed in 0..10 {
        let mut stage = Stage::new(seed, 6);
        let (customer, away) = (stage.customer, stage.suppliers[0]);
        stage
            .world
            .run_until("a set", LIMIT, |world| !world.holders(customer).is_empty())?;
        stage.world.stop(away);
        stage.back_up()?;
        let is_damaged = stage.world.damage_spool(customer);
        stage
            .world
            .expect(is_damaged, || "something waits for it".to_owned())?;
        stage.world.start(away);
        stage
            .world
            .run_until("the spool is empty", LIMIT, |world| {
                world.is_spool_empty_for(customer, away)
            })?;
        let owes = !stage.world.owes_nothing(customer, away);
        stage
            .world
            .expect(owes, || "one shard is still owed".to_owned())?;
        stage.restore()?;
    }
    Ok(())
}

/// What found no room is written as soon as there is some, whatever failed meanwhile.
#[test]
fn a_catalogue_without_room_is_waited_for() -> Result<(), Failure> {
    for seed in 0..10 {
        let mut stage = Stage::new(seed, 3);
        let customer = stage.customer;
        stage.world.set_catalogue_full(customer, true);
        let job = stage.world.back_up(customer);
        stage.world.run_for(Duration::from_secs(60))?;
        let ended = stage.world.ended(customer, job);
        stage
            .world
            .expect(ended.is_none(), || "it waits".to_owned())?;
        stage.world.set_disk_failures(customer, 30);
        stage.world.run_for(Duration::from_secs(60))?;
        stage.world.set_catalogue_full(customer, false);
        stage.world.run_for(Duration::from_secs(1))?;
        stage.world.set_catalogue_full(customer, true);
        stage.world.run_for(Duration::from_secs(5))?;
        stage.world.set_catalogue_full(customer, false);
        stage.world.finish(customer, job, LIMIT)?;
        stage.restore()?;
        stage.world.check_replay()?;
    }
    Ok(())
}

/// Nothing waits for an answer that never comes: each write that failed is made again.
#[test]
fn what_the_disk_refuses_is_written_later() -> Result<(), Failure> {
    for seed in 0..20 {
        let mut stage = Stage::new(seed, 3);
        let customer = stage.customer;
        for _ in 0..2 {
            let stranger = stage.world.add_node();
            stage.world.start(stranger);
            stage.world.offer(stranger, 20_000);
            stage.world.set_disk_failures(stranger, 50);
        }
        stage.world.set_disk_failures(customer, 70);
        stage.world.want_suppliers(customer, 4);
        stage.back_up()?;
        stage.world.set_folder(customer, 10..50);
        stage.world.stop(stage.suppliers[0]);
        let job = stage.world.back_up(customer);
        stage.world.run_for(Duration::from_secs(60))?;
        stage.world.start(stage.suppliers[0]);
        stage.world.finish(customer, job, LIMIT)?;
        stage.settle()?;
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn lost_answers_are_asked_for_again() -> Result<(), Failure> {
    for seed in 0..10 {
        let options = WorldOptions {
            seed,
            loss_percent: 20,
        };
        let mut stage = Stage::with_options(options, 5);
        stage.back_up()?;
        stage.settle()?;
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn a_stopped_job_leaves_room_for_the_next() -> Result<(), Failure> {
    for moment in 0..30 {
        let mut stage = Stage::new(moment, 4);
        let job = stage.world.back_up(stage.customer);
        stage.world.run_for(Duration::from_millis(150 * moment))?;
        stage.world.cancel(stage.customer, job);
        stage.back_up()?;
        stage.restore()?;
    }
    Ok(())
}

#[test]
fn everybody_keeps_for_everybody() -> Result<(), Failure> {
    let mut world = World::new(WorldOptions {
        seed: 11,
        loss_percent: 5,
    });
    let nodes: Vec<_> = (0..6).map(|_| world.add_node()).collect();
    for (index, node) in nodes.iter().enumerate() {
        let first = 100 * index as u64;
        world.set_contract_bytes(*node, 5_000);
        world.set_folder(*node, first..first + 25);
        world.start(*node);
        world.offer(*node, 26_000);
    }
    for node in &nodes {
        for other in nodes.iter().filter(|other| *other != node) {
            world.befriend(*node, *other);
        }
        world.want_suppliers(*node, 5);
    }
    let jobs: Vec<_> = nodes.iter().map(|node| world.back_up(*node)).collect();
    for (node, job) in nodes.iter().zip(jobs) {
        world.finish(*node, job, LIMIT)?;
    }
    for node in &nodes {
        let job = world.restore(*node);
        world.finish(*node, job, LIMIT)?;
        let is_whole = world.restored(*node, job) == world.reference(*node).0;
        world.expect(is_whole, || "every folder comes back".to_owned())?;
    }
    world.check_replay()
}

#[test]
fn a_month_of_checks_keeps_it_safe() -> Result<(), Failure> {
    let mut stage = Stage::new(8, 4);
    stage.back_up()?;
    for _ in 0..30 {
        stage.world.run_for(DAY)?;
        let view = stage.world.view(stage.customer).expect("it is up");
        stage
            .world
            .expect(view.protection == Protection::Safe, || {
                "safe every day".to_owned()
            })?;
    }
    stage.restore()
}

#[test]
fn it_is_not_safe_any_more_when_a_supplier_is_silent_for_two_days() -> Result<(), Failure> {
    let mut stage = Stage::new(9, 4);
    stage.back_up()?;
    stage.world.stop(stage.suppliers[2]);
    stage.world.run_for(2 * DAY)?;
    let view = stage.world.view(stage.customer).expect("it is up");
    let told = Protection::Stored {
        confirmed: 3,
        needed: 4,
    };
    stage
        .world
        .expect(view.protection == told, || format!("{:?}", view.protection))?;
    stage.restore()
}

/// Shards that were owed when the machine stopped, and are nowhere any more.
#[test]
fn what_is_owed_at_a_stop_comes_after_the_next_start() -> Result<(), Failure> {
    let mut owed = 0;
    for seed in 0..40 {
        let mut stage = Stage::new(seed, 6);
        let customer = stage.customer;
        stage.crash_while_two_are_away(10 + 2 * seed)?;
        stage.world.start(customer);
        let suppliers = stage.suppliers.clone();
        let owes = |world: &World| {
            suppliers
                .iter()
                .filter(|it| !world.owes_nothing(customer, **it))
                .count()
        };
        // The next version names what is known already, and lacks nothing that is new.
        stage.back_up()?;
        owed += usize::from(owes(&stage.world) > 0);
        let limit = Duration::from_secs(60);
        let is_safe = |world: &World| {
            let view = world.view(customer);
            owes(world) == 0 && view.is_some_and(|view| view.protection == Protection::Safe)
        };
        stage
            .world
            .run_until("all is there, and said", limit, is_safe)?;
        for supplier in stage.suppliers.iter().skip(3) {
            stage.world.kill(*supplier);
        }
        stage.restore()?;
    }
    assert!(owed > 5, "{owed} stops left something owed");
    Ok(())
}
