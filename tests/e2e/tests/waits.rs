//! A backup that cannot go on waits, says why, and goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
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
/// What a pack usually has, in KiB.
const PACK_KIB: u64 = 16 << 10;

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
