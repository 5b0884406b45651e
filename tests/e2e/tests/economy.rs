//! What a backup and a restore do not do: fetch more than they need, open files that have not
//! changed, send what is stored already, or take more memory for more data.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::corpus::{copy_real_tree, flip_byte};
use bitdust_e2e_tests::opens::opened_files;
use bitdust_e2e_tests::witness::{peak_memory_kib, received_bytes};
use bitdust_e2e_tests::{
    Machine, Outcome, Random, Stage, Transport, World, differences, eventually,
};

/// How long a file has to be left alone until its times are believed, and a tick more.
const SETTLE_SECONDS: i64 = 3;
const MIB: u64 = 1 << 20;
/// The most a chunk has, with what a pack adds to it.
const CHUNK_BYTES_MAX: u64 = 4 * MIB + MIB / 2;
/// The small corpus of the comparison of memory; the large one is so many times as large.
const SMALL_BYTES: u64 = 1_000_000_000;
const TIMES_LARGER: u64 = 8;

#[test]
fn a_single_file_costs_little_more_than_its_size() -> Outcome {
    let world = World::over("single", Transport::Tcp)?;
    let source = world.make_folder("source")?;
    let mut random = world.random();
    let file_bytes = 5_000_000;
    for number in 0..20 {
        random.write_file(&source.join(format!("file {number:02}")), file_bytes)?;
    }
    let mut stage = Stage::set_up(&world, 6, Some("3/6"))?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    let words = stage.customer.words.clone();
    stage.customer.lose()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(6)?;

    let restored = world.make_folder("restored")?;
    let received = received_by(&machine, || {
        machine
            .order(&["restore", "latest:file 07", "--to"])
            .argument(&restored)
            .run()
            .map(drop)
    })?;
    eprintln!("{received} bytes came for a file of {file_bytes}");
    let only = world.make_folder("only")?;
    std::fs::rename(restored.join("file 07"), only.join("file 07"))?;
    assert!(
        same_bytes(&source.join("file 07"), &only.join("file 07"))?,
        "it came back changed"
    );
    assert!(
        received >= file_bytes,
        "{received} bytes are too few for {file_bytes}: not all was seen"
    );
    let most = file_bytes * 12 / 10 + 1_000_000;
    assert!(
        received <= most,
        "{received} bytes came, {most} are allowed"
    );

    // The counter counts: everything is too much for one file.
    let received = received_by(&machine, || {
        machine
            .order(&["restore", "latest", "--to"])
            .argument(&restored)
            .run()
            .map(drop)
    })?;
    assert!(
        received > 20 * file_bytes,
        "{received} bytes cannot be everything"
    );
    assert_eq!(differences(&source, &restored)?, "");
    Ok(())
}

#[test]
fn a_second_backup_opens_no_file_and_a_changed_byte_costs_one_chunk() -> Outcome {
    let world = World::new("second")?;
    let source = world.make_folder("source")?;
    copy_real_tree(&source, 1_500)?;
    let big = source.join("big");
    world.random().write_file(&big, 100_000_000)?;
    let mut stage = Stage::set_up(&world, 3, None)?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    // From here on a command holds the home for its own duration, so that all can be traced.
    stage.customer.stop()?;
    let source = source.canonicalize()?;
    let back_up = |name: &str| {
        wait_until_settled(&source)?;
        let order = stage
            .customer
            .order(&["backup"])
            .within(Duration::from_secs(400));
        opened_files(order, &source, &world.path(name))
    };

    // The witness sees opens: the first backup opens every file.
    let (_, opened) = back_up("first.strace")?;
    let all = files_below(&source)?;
    assert!(
        opened == all,
        "{} files were opened of {}",
        opened.len(),
        all.len()
    );

    let (second, opened) = back_up("second.strace")?;
    assert!(
        opened.is_empty(),
        "{} files were opened, such as {:?}",
        opened.len(),
        opened.first()
    );
    assert_eq!(second.number("/new_bytes")?, 0);
    assert_eq!(second.number("/progress/files_total")?, all.len() as u64);

    let touched = all.first().context("no file")?.clone();
    let file = File::options().append(true).open(source.join(&touched))?;
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890))?;
    let (third, opened) = back_up("third.strace")?;
    assert_eq!(opened, BTreeSet::from([touched]));
    assert_eq!(
        third.number("/packed_bytes")?,
        0,
        "its contents had not changed"
    );

    flip_byte(&big)?;
    let (fourth, opened) = back_up("fourth.strace")?;
    assert_eq!(opened, BTreeSet::from([PathBuf::from("big")]));
    let packed = fourth.number("/packed_bytes")?;
    eprintln!("one changed byte: {packed} bytes were packed");
    assert!(packed >= MIB / 4, "{packed} bytes are no chunk");
    assert!(
        packed <= CHUNK_BYTES_MAX,
        "{packed} bytes are more than a chunk"
    );
    Ok(())
}

/// Files of 100 MB and small ones, a quarter of each stretch of 64 KiB random, the rest
/// zeros: no two chunks are the same and none is left out, but packs take a quarter of the
/// disk. All of it is read, chunked, compressed, sealed, coded, sent and stored.
#[test]
fn eight_times_the_data_takes_no_more_memory() -> Outcome {
    let world = World::over("memory", Transport::Tcp)?;
    let stage = Stage::prepare(&world, 1, &[])?;
    let mut random = world.random();
    let small = peaks(&world, &stage, &mut random, "small", SMALL_BYTES)?;
    let large = peaks(
        &world,
        &stage,
        &mut random,
        "large",
        SMALL_BYTES * TIMES_LARGER,
    )?;
    for (what, small, large) in [("backup", small.0, large.0), ("restore", small.1, large.1)] {
        eprintln!(
            "{what}: {small} KiB for {SMALL_BYTES} bytes, {large} KiB for {TIMES_LARGER} times as many"
        );
        assert!(
            large * 10 <= small * 11,
            "{what}: {small} KiB grew to {large} KiB"
        );
    }
    Ok(())
}

/// The most memory that a backup and a restore of so many bytes took, in KiB, each in a
/// process of its own.
fn peaks(
    world: &World,
    stage: &Stage,
    random: &mut Random,
    name: &str,
    bytes: u64,
) -> Result<(u64, u64)> {
    let long = Duration::from_secs(560);
    let source = world.make_folder(&format!("{name}-source"))?;
    write_corpus(&source, random, bytes)?;
    let mut customer = world.machine(name);
    customer.bootstrap.clone_from(&stage.customer.bootstrap);
    customer.init()?;
    customer.set("suppliers", "1")?;
    customer.start()?;
    customer.befriend(&stage.suppliers[0])?;
    customer.wait_for_suppliers(1)?;
    customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    let reply = customer.order(&["backup"]).within(long).run()?;
    eprintln!(
        "{name}: backup {:.1} s, {}",
        reply.took.as_secs_f64(),
        reply.object
    );
    let packed = reply.number("/packed_bytes")?;
    ensure!(
        packed > bytes / 5,
        "{packed} bytes were packed: not everything was new"
    );
    let backup = peak_memory_kib(customer.process_id()?)?;
    customer.stop()?;

    customer.start()?;
    customer.wait_for_suppliers(1)?;
    let restored = world.path(&format!("{name}-restored"));
    let order = customer
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .within(long);
    eprintln!("{name}: restore {:.1} s", order.run()?.took.as_secs_f64());
    let restore = peak_memory_kib(customer.process_id()?)?;
    customer.stop()?;
    std::fs::remove_dir_all(source)?;
    std::fs::remove_dir_all(restored)?;
    Ok((backup, restore))
}

fn write_corpus(folder: &Path, random: &mut Random, bytes: u64) -> Result<()> {
    let mut left = bytes;
    let mut number = 0;
    while left > 0 {
        // One large file, then some hundred small ones.
        let (name, size) = match number % 200 {
            0 => (format!("large-{number}"), 100_000_000),
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

/// Bytes that came over TCP to a machine's daemon while `act` ran, by the kernel's count.
fn received_by(machine: &Machine, act: impl FnOnce() -> Result<()>) -> Result<u64> {
    let process = machine.process_id()?;
    let before = received_bytes(process)?;
    act()?;
    let after = received_bytes(process)?;
    for ends in before.keys() {
        ensure!(
            after.contains_key(ends),
            "the connection {ends} closed, its count is lost"
        );
    }
    Ok(after.values().sum::<u64>() - before.values().sum::<u64>())
}

/// A file that was changed a moment ago is read again, since a second change in the same
/// tick of the clock would leave no trace: waits until every file has been left alone.
fn wait_until_settled(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let mut newest = 0;
    for file in files_below(folder)? {
        newest = newest.max(folder.join(file).symlink_metadata()?.ctime());
    }
    eventually(
        "files that were left alone",
        Duration::from_secs(30),
        || {
            let now = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)?
                .as_secs();
            Ok((i64::try_from(now)? > newest + SETTLE_SECONDS).then_some(()))
        },
    )
}

fn same_bytes(one: &Path, other: &Path) -> Result<bool> {
    Ok(std::process::Command::new("cmp")
        .arg("-s")
        .args([one, other])
        .status()?
        .success())
}

/// Regular files by their path below the folder.
fn files_below(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.insert(entry.path().strip_prefix(folder)?.to_owned());
            }
        }
    }
    Ok(files)
}
