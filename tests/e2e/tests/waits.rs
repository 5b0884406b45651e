//! A backup that cannot go on waits, says why, and goes on.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::mounts::{Mount, may_mount};
use bitdust_e2e_tests::wait::let_pass;
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{Machine, Outcome, Random, Stage, World, differences, eventually};
use serde_json::Value;

/// How long a wait may take to show, and a backup to end after it.
const LONG: Duration = Duration::from_secs(120);
/// Files of a backup that is much more than what may be in flight.
const FILES: u64 = 16;
const FILE_BYTES: u64 = 16_000_000;
/// How long a backup is watched while it waits.
const WATCHED: Duration = Duration::from_secs(3);
/// A second look comes so much later.
const SETTLED: Duration = Duration::from_secs(1);
/// What a pack usually has, in KiB.
const PACK_KIB: u64 = 16 << 10;
/// The least spool there is.
const SPOOL_BYTES: u64 = 64 << 20;
/// Room on the disk of the customer.
const DISK: &str = "size=48m";

/// A supplier that is connected and takes nothing is named.
#[test]
fn a_supplier_that_stalls_is_named_and_waited_for() -> Outcome {
    let world = World::new("stalled")?;
    let stage = Stage::set_up(&world, 3, None)?;
    let source = sources(&world)?;
    let customer = &stage.customer;
    customer.wait_until_connected(3)?;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    stage.suppliers[1].hold(true)?;
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;

    let phase = wait_for_phase(customer, "waiting_for_supplier")?;
    let name = phase["name"].as_str().context("nobody is named")?;
    ensure!(
        name.starts_with(&stage.suppliers[1].name),
        "{name} is not who stalls"
    );
    // It neither reads on nor grows.
    let done = stands_still(customer)?;
    ensure!(done < FILES * FILE_BYTES, "there was nothing to wait for");

    stage.suppliers[1].hold(false)?;
    running.end()?.expect_code(0)?;
    comes_back(&world, customer, &source)
}

/// The disk has room for some shards of a supplier that is away, and then no more.
#[test]
fn a_full_spool_is_said_and_waited_for() -> Outcome {
    let world = World::new("full-spool")?;
    let mut stage = Stage::prepare(&world, 3, &[("policy.redial_max", "2000")])?;
    stage.customer.set("spool", &SPOOL_BYTES.to_string())?;
    stage.customer.start()?;
    stage.hire()?;
    let source = sources(&world)?;
    let Stage {
        suppliers,
        customer,
    } = &mut stage;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    suppliers[1].stop()?;
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;

    wait_for_phase(customer, "waiting_for_room")?;
    // It says so at the first refusal; packs that were under way may still be filled.
    eventually("nothing is read any more", LONG, || {
        let (before, _) = standing(customer)?;
        let_pass(SETTLED);
        Ok((standing(customer)?.0 == before).then_some(()))
    })?;
    let done = stands_still(customer)?;
    ensure!(done < FILES * FILE_BYTES, "there was nothing to wait for");
    let spooled = customer.status()?["spooled_bytes"].as_u64();
    let spooled = spooled.context("no spool")?;
    ensure!(
        (1..=SPOOL_BYTES).contains(&spooled),
        "{spooled} bytes are spooled"
    );

    suppliers[1].start()?;
    running.end()?.expect_code(0)?;
    comes_back(&world, customer, &source)
}

/// A disk without room for the catalogue: nothing fails, and room is all it takes.
#[test]
fn a_full_disk_is_said_and_waited_for() -> Outcome {
    if !may_mount("a_full_disk_is_said_and_waited_for")? {
        return Ok(());
    }
    let world = World::new("full-disk")?;
    let mut stage = Stage::prepare(&world, 3, &[])?;
    let source = sources(&world)?;
    let disk = disk_under(&stage.customer.home)?;
    stage.customer.start()?;
    stage.hire()?;
    let customer = &stage.customer;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    let filler = fill(disk.folder())?;
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;

    wait_for_phase(customer, "waiting_for_disk")?;
    stands_still(customer)?;
    fs::remove_file(filler)?;
    running.end()?.expect_code(0)?;
    comes_back(&world, customer, &source)?;
    stage.customer.stop()?;
    drop(disk);
    Ok(())
}

/// Packs are with their suppliers when the disk gets full: what is left is to record that, and
/// the lists and the head of the version.
#[test]
fn a_disk_that_gets_full_at_the_end_is_waited_for() -> Outcome {
    if !may_mount("a_disk_that_gets_full_at_the_end_is_waited_for")? {
        return Ok(());
    }
    let world = World::new("full-at-the-end")?;
    let mut stage = Stage::prepare(&world, 3, &[])?;
    let source = world.make_folder("source")?;
    // Many short ones, so that their lists are long.
    for number in 0..2_000_u32 {
        fs::write(source.join(format!("file {number}")), number.to_string())?;
    }
    let disk = disk_under(&stage.customer.home)?;
    stage.customer.start()?;
    stage.hire()?;
    let customer = &stage.customer;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    for supplier in &stage.suppliers {
        supplier.hold(true)?;
    }
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;
    wait_for_phase(customer, "sending")?;
    let filler = fill(disk.folder())?;
    for supplier in &stage.suppliers {
        supplier.hold(false)?;
    }
    wait_for_phase(customer, "waiting_for_disk")?;
    stands_still(customer)?;
    fs::remove_file(filler)?;
    running.end()?.expect_code(0)?;
    comes_back(&world, customer, &source)?;
    stage.customer.stop()?;
    drop(disk);
    Ok(())
}

/// Random files.
fn sources(world: &World) -> Result<PathBuf> {
    let source = world.make_folder("source")?;
    let mut random: Random = world.random();
    for number in 0..FILES {
        random.write_file(&source.join(format!("file {number}")), FILE_BYTES)?;
    }
    Ok(source)
}

/// What the only job waits for, once it is that.
fn wait_for_phase(customer: &Machine, kind: &str) -> Result<Value> {
    let mut last = Value::Null;
    let found = eventually(kind, LONG, || {
        let status = customer.status()?;
        last = status["jobs"][0]["phase"].clone();
        Ok((last["kind"] == kind).then(|| last.clone()))
    });
    found.with_context(|| format!("the last was {last}"))
}

/// Looks whether the job neither reads on nor grows; gives the bytes it has done.
fn stands_still(customer: &Machine) -> Result<u64> {
    let (done, memory) = standing(customer)?;
    let_pass(WATCHED);
    let (done_later, memory_later) = standing(customer)?;
    ensure!(
        done_later == done && memory_later < memory + PACK_KIB,
        "it did not wait: {done} bytes and {memory} KiB were {done_later} and {memory_later}"
    );
    Ok(done)
}

/// Bytes that the job has done, and the most memory of its process in KiB.
fn standing(customer: &Machine) -> Result<(u64, u64)> {
    let status = customer.status()?;
    let done = status["jobs"][0]["progress"]["bytes_done"].as_u64();
    Ok((
        done.context("no job")?,
        peak_memory_kib(customer.process_id()?)?,
    ))
}

fn comes_back(world: &World, customer: &Machine, source: &Path) -> Outcome {
    let restored = world.path("restored");
    customer
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .within(LONG)
        .run()?
        .expect_code(0)?;
    let different = differences(source, &restored)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

/// A small disk in place of a folder, with what was in it.
fn disk_under(folder: &Path) -> Result<Mount> {
    let aside = folder.with_extension("aside");
    fs::rename(folder, &aside)?;
    fs::create_dir(folder)?;
    let disk = Mount::tmpfs(folder.to_owned(), DISK)?;
    let done = Command::new("cp")
        .arg("-aT")
        .arg(&aside)
        .arg(folder)
        .status()?;
    ensure!(done.success(), "the home was not copied");
    Ok(disk)
}

/// Takes all the room there is on the disk of a folder.
fn fill(folder: &Path) -> Result<PathBuf> {
    let filler = folder.join("filler");
    let mut file = File::create(&filler)?;
    let block = [0; 4096];
    while file.write_all(&block).is_ok() {}
    Ok(filler)
}
