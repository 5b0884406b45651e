//! A file saved in a watched folder is protected without any command.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_engine::trace::TraceLine;
use bitdust_engine::{Input, Output};
use bitdust_model::Schedule;
use bitdust_model::{FolderId, Tick};

const SOON: Duration = Duration::from_secs(60);
/// Deadlines of several machines may fall into one millisecond; a loop that spins wakes a hundred
/// times in one.
const IDLE_WAKES_MAX: u32 = 5;
/// Clocks of a person in a hurry.
const HASTE: [(&str, &str); 2] = [
    ("policy.watch_still", "400"),
    ("policy.first_scan_after", "500"),
];

#[test]
fn under_the_daemon_a_saved_file_is_protected_without_a_command() -> Outcome {
    let world = World::new("watch")?;
    let (stage, trace) = watched(&world)?;
    let customer = &stage.customer;
    let source = world.make_folder("source")?;
    let first = source.join("first");
    std::fs::write(&first, "one")?;
    std::fs::write(source.join("half.tmp"), "x")?;
    std::fs::create_dir(source.join("inner"))?;
    customer
        .order(&["folder", "add", "--exclude", "*.tmp", "--"])
        .argument(&source)
        .run()?;
    customer.wait_for_versions(&source, 1)?;

    world.save("two", &source.join("inner/second"))?;
    customer.wait_for_versions(&source, 2)?;
    let target = world.path("after-a-change");
    restore(customer, &target)?;
    assert_eq!(differences(&source, &target)?, ">f+++++++++ half.tmp\n");

    // What is left out makes no version, and neither does a look that finds nothing: a time
    // that is set to what it was is told like a change.
    std::fs::write(source.join("half.tmp"), "more")?;
    let looks = looks_in_vain(&trace)?;
    let file = File::open(&first)?;
    file.set_modified(file.metadata()?.modified()?)?;
    eventually("a look that finds nothing", SOON, || {
        Ok((looks_in_vain(&trace)? > looks).then_some(()))
    })?;
    let versions = customer.versions_of(&source)?;
    ensure!(versions == 2, "{versions} versions of two states");
    world.save("three", &source.join("third"))?;
    customer.wait_for_versions(&source, 3)?;
    rests_between_events(&read_trace(&trace)?)
}

/// A node that nobody looks at sleeps until something happens, also while a backup runs: it does
/// not wake again and again at the same moment with nothing to do.
fn rests_between_events(lines: &[TraceLine]) -> Outcome {
    let mut idle: BTreeMap<Tick, u32> = BTreeMap::new();
    for line in lines {
        if line.input == Input::Wake && line.outputs.is_empty() {
            *idle.entry(line.at).or_default() += 1;
        }
    }
    let most = idle.iter().max_by_key(|(_, count)| **count);
    ensure!(
        most.is_none_or(|(_, count)| *count <= IDLE_WAKES_MAX),
        "woken in vain within a millisecond: {most:?}"
    );
    Ok(())
}

#[test]
fn what_was_saved_while_nobody_looked_is_caught_up_with() -> Outcome {
    let world = World::new("watch-late")?;
    let (mut stage, _) = watched(&world)?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("first"), "one")?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    stage.customer.wait_for_versions(&source, 1)?;
    stage.customer.stop()?;
    std::fs::write(source.join("second"), "written while nothing ran")?;
    stage.customer.start()?;
    stage.customer.wait_for_versions(&source, 2)?;
    let target = world.path("late");
    restore(&stage.customer, &target)?;
    assert_eq!(differences(&source, &target)?, "");
    Ok(())
}

/// That it stays so for a day is shown in the engine's own tests, in virtual time.
#[test]
fn a_manual_folder_waits_to_be_asked() -> Outcome {
    let world = World::new("watch-manual")?;
    let (stage, trace) = watched(&world)?;
    let customer = &stage.customer;
    // A folder that is added has the usual schedule until it gets its own.
    customer.set("schedule", "manual")?;
    let (quiet, lively) = (world.make_folder("quiet")?, world.make_folder("lively")?);
    std::fs::write(quiet.join("file"), "q")?;
    std::fs::write(lively.join("file"), "l")?;
    customer
        .order(&["folder", "add", "--"])
        .argument(&quiet)
        .run()?;
    customer
        .order(&["folder", "add", "--schedule", "on-change", "--"])
        .argument(&lively)
        .run()?;
    customer.wait_for_versions(&lively, 1)?;
    world.save("q", &quiet.join("more"))?;
    world.save("l", &lively.join("more"))?;
    customer.wait_for_versions(&lively, 2)?;

    // Of all backups that the engine began, none was of the manual folder.
    let lines = read_trace(&trace)?;
    let begun = begun_by_schedule(&lines);
    let scheduled = |schedule| scheduled_as(&lines, schedule);
    let (manual, on_change) = (scheduled(Schedule::Manual)?, scheduled(Schedule::OnChange)?);
    ensure!(
        begun.contains(&on_change),
        "control: the other was begun: {begun:?}"
    );
    ensure!(!begun.contains(&manual), "nobody had asked: {begun:?}");
    ensure!(
        customer.versions_of(&quiet)? == 0,
        "a version nobody asked for"
    );

    customer.run(&["backup"])?;
    customer.wait_for_versions(&quiet, 1)
}

/// A customer in a hurry with its suppliers, and the trace of its engine.
fn watched(world: &World) -> Result<(Stage, PathBuf)> {
    let mut stage = Stage::prepare(world, 3, &[])?;
    for (key, value) in HASTE {
        stage.customer.set(key, value)?;
    }
    stage.customer.set("schedule", "on-change")?;
    let trace = world.path("customer.trace");
    stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
    stage.customer.start()?;
    stage.hire()?;
    Ok((stage, trace))
}

/// How many looks found that nothing had changed.
fn looks_in_vain(trace: &Path) -> Result<usize> {
    let lines = read_trace(trace)?;
    let outputs = lines.iter().flat_map(|line| &line.outputs);
    let vain = outputs.filter(|output| {
        matches!(
            output,
            Output::JobEnded {
                unchanged: true,
                ..
            }
        )
    });
    Ok(vain.count())
}

/// Folders of the backups that began without a person.
fn begun_by_schedule(lines: &[TraceLine]) -> Vec<FolderId> {
    let outputs = lines.iter().flat_map(|line| &line.outputs);
    let begun = outputs.filter_map(|output| {
        let Output::BackUp { folders } = output else {
            return None;
        };
        Some(folders)
    });
    begun.flatten().copied().collect()
}

/// The folder that was put under protection with a schedule.
fn scheduled_as(lines: &[TraceLine], schedule: Schedule) -> Result<FolderId> {
    let scheduled = lines.iter().find_map(|line| {
        let Input::FolderScheduled { fact } = &line.input else {
            return None;
        };
        (fact.schedule == schedule).then_some(fact.folder)
    });
    scheduled.with_context(|| format!("no folder has the schedule {schedule:?}"))
}

fn restore(customer: &Machine, target: &Path) -> Outcome {
    let order = customer.order(&["restore", "latest", "--to"]);
    order.argument(target).run().map(drop)
}
