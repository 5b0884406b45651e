//! What a backup and a restore do not do: fetch more than they need, open files that have not
//! changed, or send what is stored already.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::corpus::{copy_real_tree, flip_byte};
use bitdust_e2e_tests::opens::opened_files;
use bitdust_e2e_tests::witness::received_while;
use bitdust_e2e_tests::{
    Machine, Outcome, Stage, Transport, World, differences, eventually, sized,
};

/// How long it may take until files that were left alone are believed to be as they were.
const SOON: Duration = Duration::from_secs(120);
/// Longer than any piece takes.
const LATE_AFTER_MILLIS: &str = "30000";
const MIB: u64 = 1 << 20;
/// The most a chunk has, with what a pack adds to it.
const CHUNK_BYTES_MAX: u64 = 4 * MIB + MIB / 2;

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
    ask_nobody_twice(&machine)?;
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
    is_what_a_file_takes(received, file_bytes);

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

/// What is late is asked of another supplier as well, and comes twice if it comes after all. On a busy
/// machine much is late; here it is counted what a fetch asks for by itself.
fn ask_nobody_twice(machine: &Machine) -> Outcome {
    machine.set("policy.late_first", LATE_AFTER_MILLIS)?;
    machine.set("policy.late_min", LATE_AFTER_MILLIS)
}

/// All of a file came, and little besides.
fn is_what_a_file_takes(received: u64, file_bytes: u64) {
    assert!(
        received >= file_bytes,
        "{received} bytes are too few for {file_bytes}: not all was seen"
    );
    let most = file_bytes * 12 / 10 + 1_000_000;
    assert!(
        received <= most,
        "{received} bytes came, {most} are allowed"
    );
}

#[test]
fn a_test_restore_fetches_what_files_have_in_common_once() -> Outcome {
    let world = World::over("shared", Transport::Tcp)?;
    let source = world.make_folder("source")?;
    let file_bytes = 5_000_000;
    world.random().write_file(&source.join("one"), file_bytes)?;
    for number in 0..7 {
        std::fs::copy(source.join("one"), source.join(format!("copy {number}")))?;
    }
    // Hundreds of times the same chunk of zeros.
    File::create(source.join("hole"))?.set_len(1 << 30)?;
    let mut stage = Stage::prepare(&world, 2, &[])?;
    stage.customer.set("code", "1/2")?;
    ask_nobody_twice(&stage.customer)?;
    stage.customer.start()?;
    stage.hire()?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;

    let mut equal = 0;
    let received = received_by(&stage.customer, || {
        let order = stage.customer.order(&["verify", "--sample", "100"]);
        equal = order
            .within(Duration::from_secs(200))
            .run()?
            .number("/verified/equal")?;
        Ok(())
    })?;
    eprintln!("{received} bytes came for a file of {file_bytes} and its copies");
    assert_eq!(equal, 9);
    is_what_a_file_takes(received, file_bytes);
    Ok(())
}

#[test]
fn a_second_backup_opens_no_file_and_a_changed_byte_costs_one_chunk() -> Outcome {
    let world = World::new("second")?;
    let source = world.make_folder("source")?;
    copy_real_tree(&source, sized(500, 1_500))?;
    let big = source.join("big");
    world
        .random()
        .write_file(&big, sized(20_000_000, 100_000_000))?;
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

    // A file that was changed a moment ago is read again, since a second change in the same tick
    // of the clock would leave no trace. All are left alone from now on, so the time comes when
    // none is opened.
    let back_up_unopened = |name: &str| {
        eventually("a backup that opens no file", SOON, || {
            let (reply, opened) = back_up(name)?;
            Ok(opened.is_empty().then_some(reply))
        })
    };
    let second = back_up_unopened("second.strace")?;
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

    back_up_unopened("between.strace")?;
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

/// Bytes that came over TCP to a machine's daemon while `act` ran, by the kernel's count.
fn received_by(machine: &Machine, act: impl FnOnce() -> Result<()>) -> Result<u64> {
    received_while(machine.process_id()?, act)
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
