//! Memory is bounded by construction: more data takes longer, not more memory. The law is about
//! levels: no rise with the data, and one limit for everything.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::levels::Levels;
use bitdust_e2e_tests::witness::{peak_memory_kib, read_bytes, written_bytes};
use bitdust_e2e_tests::{Machine, Outcome, Random, Stage, Transport, World, eventually, sized};

/// What any job may take, in KiB.
const LIMIT_KIB: u64 = 256 << 10;
/// KiB by which the level may rise with each GB: as little as can surely be told from noise,
/// which is less the more goes through.
const RISE_KIB_PER_GB: [f64; 2] = [16_384.0, 4_096.0];
/// How long a job may take.
const LONG: Duration = Duration::from_secs(400);
/// The largest file.
const GIANT: &str = "giant";
/// What a pack usually has, in KiB: less was not measured, or nothing was done.
const PACK_KIB: u64 = 16 << 10;

/// A single supplier, so that the disk has to take every byte once only.
#[test]
fn memory_does_not_rise_with_the_data() -> Outcome {
    let bytes = sized(3_000_000_000, 8_000_000_000);
    let world = World::over("memory", Transport::Tcp)?;
    let mut stage = Stage::set_up(&world, 1, None)?;
    let source = world.make_folder("source")?;
    write_corpus(&source, &mut world.random(), bytes)?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    back_up(&stage.customer, &stage.suppliers[0], bytes)?;
    stage.customer.stop()?;
    stage.customer.start()?;
    stage.customer.wait_for_suppliers(1)?;
    let restored = world.path("restored");
    restore(&stage.customer, &restored)?;
    let same = Command::new("cmp")
        .args([source.join(GIANT), restored.join(GIANT)])
        .output()?;
    ensure!(
        same.status.success(),
        "the giant came back changed: {}",
        String::from_utf8_lossy(&same.stdout)
    );
    Ok(())
}

/// A backup during which the supplier is held up for a while, so that everything that may wait
/// in memory does wait there.
fn back_up(customer: &Machine, supplier: &Machine, bytes: u64) -> Outcome {
    let process = customer.process_id()?;
    let start = read_bytes(process)?;
    let order = customer.order(&["backup"]);
    let mut backup = order.begin()?;
    eventually("a backup that reads", LONG, || {
        Ok((read_bytes(process)? > start + (100 << 20)).then_some(()))
    })?;
    supplier.hold(true)?;
    eventually("a backup that waits", LONG, || {
        let phase = customer.status()?["jobs"][0]["phase"]["kind"].clone();
        Ok((phase == "waiting_for_supplier").then_some(()))
    })?;
    let waiting = read_bytes(process)? - start;
    ensure!(waiting < bytes / 2, "{waiting} bytes of {bytes} were read");
    supplier.hold(false)?;
    let levels = Levels::watch(
        process,
        LONG,
        || read_bytes(process),
        || Ok(backup.ended()?.is_some()),
    )?;
    // What did not fit beside the supplier that stood still may come to it later.
    let ended = backup.wait(LONG)?;
    ensure!(
        matches!(ended.code(), Some(0 | 3)),
        "{}",
        customer.log_end()
    );
    check("backup", process, &levels)
}

fn restore(customer: &Machine, target: &Path) -> Outcome {
    let process = customer.process_id()?;
    let order = customer.order(&["restore", "latest", "--to"]);
    let mut restore = order.argument(target).begin()?;
    let levels = Levels::watch(
        process,
        LONG,
        || written_bytes(process),
        || Ok(restore.ended()?.is_some()),
    )?;
    ensure!(restore.wait(LONG)?.success(), "{}", customer.log_end());
    check("restore", process, &levels)
}

fn check(what: &str, process: u32, levels: &Levels) -> Outcome {
    let (rise, peak) = (levels.rise_kib_per_gb()?, peak_memory_kib(process)?);
    eprintln!("{what}: {rise:.0} KiB more for each GB, {peak} KiB at most");
    ensure!(
        (PACK_KIB..=LIMIT_KIB).contains(&peak),
        "{what}: {peak} KiB are less than a pack, or more than {LIMIT_KIB}"
    );
    let allowed = sized(RISE_KIB_PER_GB[0], RISE_KIB_PER_GB[1]);
    ensure!(
        rise <= allowed,
        "{what}: {rise:.0} KiB more for each GB, {allowed} are allowed"
    );
    Ok(())
}

/// A giant that takes most of it (5 GB of 8: more than 32 bits count), files of 100 MB and
/// small ones, a quarter of each stretch of 64 KiB random, the rest zeros: no two chunks are
/// the same and none is left out, but packs take a quarter of the disk. All of it is read,
/// chunked, compressed, sealed, coded, sent and stored.
fn write_corpus(folder: &Path, random: &mut Random, bytes: u64) -> Result<()> {
    let mut left = bytes;
    let mut number = 0;
    while left > 0 {
        let (name, size) = match number {
            0 => (GIANT.to_owned(), bytes / 8 * 5),
            _ if number % 200 == 0 => (format!("large-{number}"), 100_000_000),
            _ => (format!("small-{number}"), 10_000),
        };
        let size = left.min(size);
        let mut file = BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?);
        let mut written = 0;
        while written < size {
            let mut block = [0; 1 << 16];
            random.fill(&mut block[..1 << 14]);
            let now = (size - written).min(block.len() as u64);
            file.write_all(&block[..usize::try_from(now)?])?;
            written += now;
        }
        file.flush()?;
        left -= size;
        number += 1;
    }
    Ok(())
}
