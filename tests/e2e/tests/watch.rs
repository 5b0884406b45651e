//! A file saved in a watched folder is protected without any command.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};

const SOON: Duration = Duration::from_secs(90);
/// Clocks of a person in a hurry.
const HASTE: [(&str, &str); 2] = [
    ("policy.watch_still", "400"),
    ("policy.first_scan_after", "500"),
];

#[test]
fn under_the_daemon_a_saved_file_is_protected_without_a_command() -> Outcome {
    let world = World::new("watch")?;
    let stage = watched(&world)?;
    let customer = &stage.customer;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("first"), "one")?;
    std::fs::create_dir(source.join("inner"))?;
    customer
        .order(&["folder", "add", "--exclude", "*.tmp", "--"])
        .argument(&source)
        .run()?;
    wait_for_versions(customer, 1)?;

    std::fs::write(source.join("inner/second"), "two")?;
    wait_for_versions(customer, 2)?;
    restore_and_compare(&world, customer, &source, "after-a-change")?;

    // What is left out makes no version, and neither does a look that finds nothing.
    std::fs::write(source.join("half.tmp"), "x")?;
    std::fs::write(source.join("third"), "three")?;
    wait_for_versions(customer, 3)?;
    let state = folder_state(customer)?;
    ensure!(
        ["quiet", "backing_up", "changed"].contains(&state.as_str()),
        "{state}"
    );
    Ok(())
}

#[test]
fn what_was_saved_while_nobody_looked_is_caught_up_with() -> Outcome {
    let world = World::new("watch-late")?;
    let mut stage = watched(&world)?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("first"), "one")?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    wait_for_versions(&stage.customer, 1)?;
    stage.customer.stop()?;
    std::fs::write(source.join("second"), "written while nothing ran")?;
    stage.customer.start()?;
    wait_for_versions(&stage.customer, 2)?;
    restore_and_compare(&world, &stage.customer, &source, "late")
}

#[test]
fn a_manual_folder_waits_to_be_asked() -> Outcome {
    let world = World::new("watch-manual")?;
    let stage = watched(&world)?;
    let customer = &stage.customer;
    let (quiet, lively) = (world.make_folder("quiet")?, world.make_folder("lively")?);
    std::fs::write(quiet.join("file"), "q")?;
    std::fs::write(lively.join("file"), "l")?;
    customer
        .order(&["folder", "add", "--schedule", "manual", "--"])
        .argument(&quiet)
        .run()?;
    customer
        .order(&["folder", "add", "--"])
        .argument(&lively)
        .run()?;
    wait_for_versions(customer, 1)?;
    // The lively one goes on; had the other been begun, it would be here by now.
    std::fs::write(quiet.join("more"), "q")?;
    std::fs::write(lively.join("more"), "l")?;
    wait_for_versions(customer, 2)?;
    let versions = customer.run(&["snapshots"])?.object["snapshots"].to_string();
    ensure!(!versions.contains("/quiet"), "{versions}");
    Ok(())
}

fn watched(world: &World) -> Result<Stage> {
    let mut stage = Stage::prepare(world, 3, &[])?;
    for (key, value) in HASTE {
        stage.customer.set(key, value)?;
    }
    stage.customer.set("schedule", "on-change")?;
    stage.customer.start()?;
    stage.hire()?;
    Ok(stage)
}

fn wait_for_versions(customer: &Machine, count: usize) -> Result<()> {
    eventually(&format!("{count} versions"), SOON, || {
        let versions = customer.run(&["snapshots"])?;
        let found = versions.object["snapshots"].as_array().map_or(0, Vec::len);
        Ok((found >= count).then_some(()))
    })
}

fn folder_state(customer: &Machine) -> Result<String> {
    let status = customer.status()?;
    let state = status["folders"][0]["state"]["kind"].as_str();
    Ok(state.unwrap_or_default().to_owned())
}

fn restore_and_compare(world: &World, customer: &Machine, source: &Path, name: &str) -> Outcome {
    let target = world.path(name);
    customer
        .order(&["restore", "latest", "--to"])
        .argument(&target)
        .run()?;
    let different = differences(source, &target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}
