//! What a node does is what its engine decided: the traces of real processes, played into
//! fresh engines, give the same outputs, and every machine takes a step in them but the one of
//! full disks: those take a disk of their own (`waits`).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::recording::{check_entries, read_trace};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_engine::Machine as StateMachine;
use bitdust_engine::trace::replay;
use bitdust_model::Policy;
use strum::IntoEnumIterator as _;

const SOON: Duration = Duration::from_secs(60);
/// Clocks that let everything happen within seconds.
const HURRY: [(&str, &str); 8] = [
    ("policy.check_interval", "1000"),
    ("policy.republish_interval", "2000"),
    ("policy.redial_max", "1000"),
    ("policy.retry_max", "1000"),
    ("policy.search_interval", "200"),
    // Folders are watched, and no backup begins by itself among those that are asked for.
    ("policy.watch_still", "3600000"),
    ("policy.watch_patience", "3600000"),
    ("policy.first_scan_after", "3600000"),
];

#[test]
fn traces_of_real_nodes_replay_and_every_machine_takes_a_step() -> Outcome {
    let world = World::new("replay")?;
    let mut stage = Stage::prepare(&world, 3, &HURRY)?;
    let supplier_trace = world.path("supplier.trace");
    stage.suppliers[1].stop()?;
    stage.suppliers[1].flags = traced(&supplier_trace);
    stage.suppliers[1].start()?;
    let customer_trace = world.path("customer.trace");
    stage.customer.set("schedule", "on-change")?;
    stage.customer.flags = traced(&customer_trace);
    stage.customer.start()?;
    stage.customer.run(&["supplier", "hire", "3"])?;
    stage.customer.wait_for_suppliers(3)?;

    let source = world.make_folder("source")?;
    let mut random = world.random();
    random.write_file(&source.join("first"), 3_000_000)?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    spool_and_deliver(&mut stage, &source, &world)?;
    wait_for_step(&customer_trace, &stage.customer, StateMachine::Check)?;
    restore_and_compare(&stage.customer, &source, &world.path("restored"))?;
    stage.customer.stop()?;

    let (recovery_trace, restore_trace) = (world.path("recovery.trace"), world.path("new.trace"));
    let words = stage.customer.words.clone();
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.flags = traced(&recovery_trace);
    machine.recover(&words)?;
    machine.flags = traced(&restore_trace);
    machine.start()?;
    restore_and_compare(&machine, &source, &world.path("restored-anew"))?;
    machine.stop()?;
    stage.suppliers[1].stop()?;

    let packs = check_entries(&read_trace(&customer_trace)?)?;
    ensure!(packs >= 4, "{packs} packs of two backups");

    let mut stepped = BTreeSet::new();
    for (trace, home) in [
        (&customer_trace, &stage.customer.home),
        (&supplier_trace, &stage.suppliers[1].home),
        (&recovery_trace, &machine.home),
        (&restore_trace, &machine.home),
    ] {
        stepped.extend(check_trace(trace, &policy_of(home)?)?);
    }
    let silent: Vec<_> = StateMachine::iter()
        .filter(|machine| *machine != StateMachine::Disk && !stepped.contains(machine))
        .collect();
    ensure!(silent.is_empty(), "machines without a step: {silent:?}");
    Ok(())
}

/// A backup while a supplier is away leaves its part in the spool; it gets it later.
fn spool_and_deliver(stage: &mut Stage, source: &Path, world: &World) -> Outcome {
    stage.suppliers[2].kill()?;
    world
        .random()
        .write_file(&source.join("second"), 2_000_000)?;
    // 1/3: two of three are enough for a version, and not enough for it to be safe.
    let backup = stage.customer.order(&["backup"]);
    let mut backup = backup.begin()?;
    eventually("something in the spool", SOON, || {
        let status = stage.customer.status()?;
        Ok((status["spooled_bytes"].as_u64() > Some(0)).then_some(()))
    })?;
    stage.suppliers[2].start()?;
    let ended = backup.wait(SOON)?;
    // It did not wait for the one that was away, or it came just in time.
    ensure!(
        matches!(ended.code(), Some(0 | 3)),
        "the backup ended with {ended}"
    );
    stage.customer.wait_until_spread().map(drop)
}

fn restore_and_compare(machine: &Machine, source: &Path, target: &Path) -> Outcome {
    machine
        .order(&["restore", "latest", "--to"])
        .argument(target)
        .run()?;
    let different = differences(source, target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

fn traced(trace: &Path) -> Vec<std::ffi::OsString> {
    vec!["--trace".into(), trace.into()]
}

/// Waits until a machine took a step in a growing trace.
fn wait_for_step(trace: &Path, of: &Machine, machine: StateMachine) -> Outcome {
    let policy = policy_of(&of.home)?;
    eventually(machine.name(), SOON, || {
        let coverage = replay(policy.clone(), &read_trace(trace)?)?;
        Ok(coverage.of(machine).next().map(drop))
    })
}

/// The machines that took a step in a trace, which has to replay; its twin must not.
fn check_trace(trace: &Path, policy: &Policy) -> Result<BTreeSet<StateMachine>> {
    let mut lines = read_trace(trace)?;
    let name = trace.display();
    let coverage = replay(policy.clone(), &lines).with_context(|| format!("{name} diverges"))?;
    let steps = &coverage.transitions;
    eprintln!(
        "{name}: {} inputs, {} kinds of steps",
        lines.len(),
        steps.len()
    );
    ensure!(steps.len() >= 3, "{name} holds nothing worth a replay");

    let spoken = lines.iter_mut().rev().find(|line| !line.outputs.is_empty());
    spoken
        .context("an engine that asked for nothing")?
        .outputs
        .pop();
    ensure!(
        replay(policy.clone(), &lines).is_err(),
        "{name} replays although an output is missing"
    );
    Ok(steps.iter().map(|step| step.0).collect())
}

/// The clocks by which a home lives.
fn policy_of(home: &Path) -> Result<Policy> {
    let text = std::fs::read_to_string(home.join("config.toml"))?;
    let table: toml::Table = text.parse()?;
    Ok(match table.get("policy") {
        Some(policy) => policy.clone().try_into()?,
        None => Policy::default(),
    })
}
