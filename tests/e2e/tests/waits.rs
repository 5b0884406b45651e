//! A backup that cannot go on waits, says why, and goes on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::mounts::{Mount, may_mount};
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{
    Machine, Outcome, Random, Running, Stage, Transport, World, differences, eventually,
};
use bitdust_engine::{Input, Output};
use bitdust_model::limits;
use serde_json::Value;

/// How long a wait may take to show, and a backup to end after it.
const LONG: Duration = Duration::from_secs(120);
/// Files of a backup that is much more than what may be in flight.
const FILES: u64 = 16;
const FILE_BYTES: u64 = 16_000_000;
/// What a backup may have read ahead of its suppliers: the packs in flight, the one that is
/// being filled, and what the chunker holds.
const AHEAD_BYTES: u64 = ((limits::PACKS_IN_FLIGHT_MAX + 1) * limits::PACK_BYTES_MAX
    + limits::CHUNKER_BUFFER_BYTES) as u64;
/// What may wait in memory, in KiB: the packs in flight and the one that is being filled, each
/// with three shards of its size, as each of three suppliers gets one.
const WAITING_KIB: u64 =
    ((limits::PACKS_IN_FLIGHT_MAX + 1) * 4 * limits::PACK_BYTES_MAX / limits::KIB) as u64;
/// The least spool there is.
const SPOOL_BYTES: u64 = 64 << 20;
/// Of the transports the one that bears a held program for longest.
const PATIENT: Transport = Transport::Tcp;
/// Room on the disk of the customer.
const DISK: &str = "size=48m";

/// A supplier that is connected and takes nothing is named. One that is silent for long is taken
/// for gone, and then its shards go into the spool, where there is room for some.
#[test]
fn a_supplier_that_stalls_is_named_and_waited_for() -> Outcome {
    let world = World::over("stalled", PATIENT)?;
    let mut stage = Stage::prepare(&world, 3, &[])?;
    stage.customer.set("spool", &SPOOL_BYTES.to_string())?;
    let trace = start_traced(&world, &mut stage)?;
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

    // On a busy machine another one may be what is waited for before.
    let stalled = &stage.suppliers[1].name;
    wait_for_phase_like(customer, "waiting_for_supplier", |phase| {
        let name = phase["name"].as_str().unwrap_or_default();
        name.starts_with(stalled)
    })?;
    neither_reads_on_nor_grows(customer, &source, SPOOL_BYTES + AHEAD_BYTES)?;
    wait_until_all_that_may_wait_does(&trace)?;
    stage.suppliers[1].hold(false)?;
    running.end()?.expect_code(0)?;
    held_as_much_as_may_wait(&trace)?;
    comes_back(&world, customer, &source)
}

/// The disk has room for some shards of a supplier that is away, and then no more: what others keep is
/// owed from then on, and the backup goes its way.
#[test]
fn a_full_spool_stops_no_backup() -> Outcome {
    let world = World::new("spool-and-away")?;
    let mut stage = Stage::prepare(&world, 3, &[("policy.redial_max", "2000")])?;
    stage.customer.set("spool", &SPOOL_BYTES.to_string())?;
    let trace = start_traced(&world, &mut stage)?;
    let source = sources(&world)?;
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&source).run()?;
    stage.suppliers[1].stop()?;
    let backup = stage.customer.order(&["backup"]).within(LONG);
    backup.attempt()?.expect_code(3)?;
    let spooled = stage.customer.status()?["spooled_bytes"].as_u64();
    let spooled = spooled.context("no spool")?;
    ensure!(
        (1..=SPOOL_BYTES).contains(&spooled),
        "{spooled} bytes are spooled"
    );
    let most = most_in_flight(&trace)?;
    ensure!(
        most <= limits::PACKS_IN_FLIGHT_MAX,
        "{most} packs in flight"
    );
    stage.suppliers[1].start()?;
    eventually("it is safe", LONG, || {
        let status = stage.customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })?;
    comes_back(&world, &stage.customer, &source)
}

/// The same where too few others are there for a version: it waits, and says for what.
#[test]
fn a_full_spool_is_said_and_waited_for() -> Outcome {
    let world = World::new("full-spool")?;
    let mut stage = Stage::prepare(&world, 3, &[("policy.redial_max", "2000")])?;
    stage.customer.set("code", "2/3")?;
    stage.customer.set("spool", &SPOOL_BYTES.to_string())?;
    let trace = start_traced(&world, &mut stage)?;
    let source = sources(&world)?;
    let Stage {
        suppliers,
        customer,
    } = &mut stage;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    for supplier in &mut suppliers[1..] {
        supplier.stop()?;
    }
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;

    wait_for_phase(customer, "waiting_for_spool")?;
    neither_reads_on_nor_grows(customer, &source, SPOOL_BYTES + AHEAD_BYTES)?;
    let spooled = customer.status()?["spooled_bytes"].as_u64();
    let spooled = spooled.context("no spool")?;
    ensure!(
        (1..=SPOOL_BYTES).contains(&spooled),
        "{spooled} bytes are spooled"
    );
    wait_until_all_that_may_wait_does(&trace)?;

    for supplier in &mut suppliers[1..] {
        supplier.start()?;
    }
    running.end()?.expect_done()?;
    held_as_much_as_may_wait(&trace)?;
    comes_back(&world, customer, &source)
}

/// A disk without room for the catalogue: nothing fails, and room is all it takes.
#[test]
fn a_full_disk_is_said_and_waited_for() -> Outcome {
    if !may_mount("a_full_disk_is_said_and_waited_for")? {
        return Ok(());
    }
    let scene = SmallDisk::set_up("full-disk", sources)?;
    let filler = fill(scene.disk.folder())?;
    let customer = &scene.stage.customer;
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;
    wait_for_phase(customer, "waiting_for_disk")?;
    neither_reads_on_nor_grows(customer, &scene.source, AHEAD_BYTES)?;
    scene.goes_on(running, &filler)?;
    scene.end()
}

/// All is read when the disk gets full: the receipts find no room first.
#[test]
fn a_disk_that_gets_full_at_the_end_is_waited_for() -> Outcome {
    if !may_mount("a_disk_that_gets_full_at_the_end_is_waited_for")? {
        return Ok(());
    }
    let scene = SmallDisk::set_up("full-at-the-end", short_sources)?;
    for supplier in &scene.stage.suppliers {
        supplier.hold(true)?;
    }
    let customer = &scene.stage.customer;
    let order = customer.order(&["backup"]).within(LONG);
    let running = order.start()?;
    wait_for_phase(customer, "sending")?;
    let filler = fill(scene.disk.folder())?;
    for supplier in &scene.stage.suppliers {
        supplier.hold(false)?;
    }
    wait_for_phase(customer, "waiting_for_disk")?;
    let status = customer.status()?;
    let done = status["jobs"][0]["progress"]["bytes_done"].as_u64();
    let total = bytes_of(&scene.source)?;
    ensure!(done == Some(total), "{done:?} bytes of {total} are read");
    let version = &status["folders"][0]["last_backup"];
    ensure!(version.is_null(), "stored without its receipts: {version}");
    has_not_grown(customer)?;
    scene.goes_on(running, &filler)?;
    scene.end()
}

/// A customer whose home lies on a small disk, its suppliers, and a folder to be backed up.
struct SmallDisk {
    stage: Stage,
    source: PathBuf,
    disk: Mount,
    /// What the customer decides.
    trace: PathBuf,
    world: World,
}

impl SmallDisk {
    fn set_up(name: &str, source: fn(&World) -> Result<PathBuf>) -> Result<Self> {
        let world = World::over(name, PATIENT)?;
        let mut stage = Stage::prepare(&world, 3, &[])?;
        let source = source(&world)?;
        let disk = disk_under(&stage.customer.home)?;
        let trace = start_traced(&world, &mut stage)?;
        let add = stage.customer.order(&["folder", "add", "--"]);
        add.argument(&source).run()?;
        Ok(Self {
            stage,
            source,
            disk,
            trace,
            world,
        })
    }

    /// With the filler gone the backup comes to its end, and everything comes back.
    fn goes_on(&self, backup: Running<'_>, filler: &Path) -> Outcome {
        fs::remove_file(filler)?;
        backup.end()?.expect_code(0)?;
        comes_back(&self.world, &self.stage.customer, &self.source)
    }

    /// Whoever uses the disk goes before it does. The engine had the writes tried again until
    /// none waited any more.
    fn end(mut self) -> Outcome {
        eventually("nothing waits any more", LONG, || {
            let mut answers = Vec::new();
            for line in read_trace(&self.trace)? {
                if matches!(line.input, Input::WritesWait | Input::NoWriteWaits) {
                    answers.push(line.input);
                }
            }
            ensure!(answers.contains(&Input::WritesWait), "nothing waited");
            Ok((answers.last() == Some(&Input::NoWriteWaits)).then_some(()))
        })?;
        self.stage.customer.stop()
    }
}

/// Many short files, so that there is more to record than the last room takes.
fn short_sources(world: &World) -> Result<PathBuf> {
    let source = world.make_folder("source")?;
    for number in 0..2_000_u32 {
        fs::write(source.join(format!("file {number}")), number.to_string())?;
    }
    Ok(source)
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

/// Waits until the only job waits for this.
fn wait_for_phase(customer: &Machine, kind: &str) -> Outcome {
    wait_for_phase_like(customer, kind, |_| true)
}

/// The same, where not every phase of this kind is meant.
fn wait_for_phase_like(
    customer: &Machine,
    kind: &str,
    is_meant: impl Fn(&Value) -> bool,
) -> Outcome {
    let mut last = Value::Null;
    let found = eventually(kind, LONG, || {
        let status = customer.status()?;
        last = status["jobs"][0]["phase"].clone();
        Ok((last["kind"] == kind && is_meant(&last)).then_some(()))
    });
    found.with_context(|| format!("the last was {last}"))
}

/// The only job waits: in the time that somebody else takes to read the whole source, it reads
/// no more than may wait. The figure never falls, so that a look at the end is enough.
fn neither_reads_on_nor_grows(customer: &Machine, source: &Path, bytes: u64) -> Outcome {
    ensure!(bytes < bytes_of(source)?, "there is nothing to wait for");
    let different = differences(source, source)?;
    ensure!(different.is_empty(), "{different}");
    let status = customer.status()?;
    let done = status["jobs"][0]["progress"]["bytes_done"].as_u64();
    let done = done.context("the job has ended")?;
    ensure!(done <= bytes, "{done} bytes are read, {bytes} may be");
    has_not_grown(customer)
}

/// No more than may wait ever lay in memory.
fn has_not_grown(customer: &Machine) -> Outcome {
    let memory = peak_memory_kib(customer.process_id()?)?;
    ensure!(
        memory <= WAITING_KIB,
        "{memory} KiB, {WAITING_KIB} may wait"
    );
    Ok(())
}

/// Starts the customer and hires its suppliers; gives the file that says what it decides.
fn start_traced(world: &World, stage: &mut Stage) -> Result<PathBuf> {
    let trace = world.path("customer.trace");
    stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
    stage.customer.start()?;
    stage.hire()?;
    Ok(trace)
}

/// The wait is said before the last pack that may wait is sealed: whoever lets the suppliers go on looks
/// for that first.
fn wait_until_all_that_may_wait_does(trace: &Path) -> Outcome {
    eventually("as many packs in flight as may be", LONG, || {
        let is_full = most_in_flight(trace)? == limits::PACKS_IN_FLIGHT_MAX;
        Ok(is_full.then_some(()))
    })
}

/// Of a run whose backup waited: as many packs as may be in flight were so at once, and never one
/// more. Where nothing waits it is how fast the suppliers are that says how many there were.
fn held_as_much_as_may_wait(trace: &Path) -> Outcome {
    let (most, allowed) = (most_in_flight(trace)?, limits::PACKS_IN_FLIGHT_MAX);
    ensure!(most == allowed, "{most} packs in flight, {allowed} wait");
    Ok(())
}

/// How many packs of a run were in flight at once.
fn most_in_flight(trace: &Path) -> Result<usize> {
    let (mut in_flight, mut most) = (BTreeSet::new(), 0);
    for line in read_trace(trace)? {
        if let Input::PackSealed { pack, .. } = line.input {
            in_flight.insert(pack);
        }
        most = most.max(in_flight.len());
        for output in line.outputs {
            if let Output::ReleasePack { pack } = output {
                in_flight.remove(&pack);
            }
        }
    }
    Ok(most)
}

/// Bytes of the files of a folder.
fn bytes_of(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
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
