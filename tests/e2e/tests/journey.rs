//! The whole journey: back up, lose suppliers and the machine, come back from the words.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::corpus::{copy_real_tree, flip_byte, make_oddities};
use bitdust_e2e_tests::witness::sockets;
use bitdust_e2e_tests::{Machine, Outcome, Stage, Transport, World, differences, sized};

/// Entries of a real tree: usually, and in full.
const REAL_ENTRIES: [usize; 2] = [1_500, 7_000];
/// The big file, usually somewhat more than what is in flight at once, in full a few times that.
const BIG_BYTES: [u64; 2] = [80_000_000, 200_000_000];
const BIG_NAME: &str = "big";
/// A job with everything.
const LONG: Duration = Duration::from_secs(400);

#[test]
fn over_tcp_everything_comes_back_without_three_of_six_suppliers() -> Outcome {
    let world = World::over("tcp", Transport::Tcp)?;
    journey(&world, Some("3/6"), [3, 6], 3, "tcp")
}

#[test]
fn over_quic_everything_comes_back_without_four_of_six_suppliers() -> Outcome {
    let world = World::over("quic", Transport::Quic)?;
    journey(&world, None, [2, 6], 4, "udp")
}

/// Transport and code know nothing of each other: two of the four journeys meet each once.
#[test]
#[ignore = "for make test-long"]
fn over_tcp_everything_comes_back_without_four_of_six_suppliers() -> Outcome {
    let world = World::over("tcp-default", Transport::Tcp)?;
    journey(&world, None, [2, 6], 4, "tcp")
}

#[test]
#[ignore = "for make test-long"]
fn over_quic_everything_comes_back_without_three_of_six_suppliers() -> Outcome {
    let world = World::over("quic-half", Transport::Quic)?;
    journey(&world, Some("3/6"), [3, 6], 3, "udp")
}

#[test]
fn with_too_few_suppliers_what_is_lost_is_named_and_the_rest_is_whole() -> Outcome {
    let world = World::over("few", Transport::Tcp)?;
    let mut random = world.random();
    let source = world.make_folder("source")?;
    random.write_file(&source.join("lost"), 5_000_000)?;
    std::fs::write(source.join("nothing"), [])?;
    std::os::unix::fs::symlink("lost", source.join("link"))?;
    let mut stage = Stage::set_up(&world, 6, Some("3/6"))?;
    stage.back_up(&source)?;
    // So little lies in the first of the three plain parts alone, which is not lost.
    std::fs::create_dir(source.join("later"))?;
    random.write_file(&source.join("later/kept"), 20_000)?;
    stage.customer.run(&["backup"])?;

    let places = stage.by_place(&stage.customer.wait_until_spread()?)?;
    let words = stage.customer.words.clone();
    stage.customer.lose()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.configure(&[("restore_patience", 20_000)])?;
    machine.recover(&words)?;
    for supplier in &places[2..] {
        stage.suppliers[*supplier].kill()?;
    }
    let late = stage.new_machine(&world, "late-machine")?;
    check_late_recovery(&late, &words)?;

    let restored = world.path("restored");
    let reply = machine
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .attempt()?;
    ensure!(
        matches!(reply.code, Some(1 | 3)),
        "it ended with {:?}",
        reply.code
    );
    let lost = restored.join("lost").to_string_lossy().into_owned();
    assert_eq!(
        reply.problems(),
        [(lost, "too_few_shards".to_owned())],
        "{}",
        reply.object
    );
    // One missing file is all that is different: nothing is half there, nothing is left over.
    assert_eq!(differences(&source, &restored)?, ">f+++++++++ lost\n");
    Ok(())
}

/// With too few suppliers to know which version is the newest, nothing is made that would
/// stand in the way of a later try.
fn check_late_recovery(machine: &Machine, words: &str) -> Outcome {
    machine.configure(&[("recovery_timeout", 4_000)])?;
    let reply = machine.attempt_recovery(words)?.expect_code(1)?;
    let (code, message) = reply.error()?;
    assert_eq!(code, "too_few_suppliers");
    assert!(
        message.contains("try again when more are online"),
        "{message}"
    );
    assert!(
        !machine.home.join("keys").exists(),
        "half an identity stayed"
    );
    Ok(())
}

fn journey(
    world: &World,
    code: Option<&str>,
    code_used: [u8; 2],
    lose: usize,
    table: &str,
) -> Outcome {
    let source = make_source(world)?;
    let mut stage = Stage::set_up(world, 6, code)?;
    let backup = stage.back_up(&source)?;
    eprintln!("backup: {:.1} s", backup.took.as_secs_f64());
    assert!(backup.problems().is_empty(), "{}", backup.object);
    let status = stage.customer.wait_until_spread()?;
    assert_eq!(
        status["code"],
        serde_json::json!(code_used),
        "the code in use"
    );
    for machine in stage.suppliers.iter().chain([&stage.customer]) {
        check_sockets(machine, table)?;
    }
    stage.check_alive()?;

    stage.lose_suppliers(lose)?;
    let words = stage.customer.words.clone();
    stage.customer.lose()?;
    let mut machine = stage.new_machine(world, "new-machine")?;
    let found = machine.recover(&words)?;
    eprintln!("recovery: {:.1} s", found.took.as_secs_f64());
    machine.start()?;
    check_versions(&machine, &source)?;

    let restored = world.path("restored");
    let restore = machine
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .within(LONG)
        .run()?;
    eprintln!("restore: {:.1} s", restore.took.as_secs_f64());
    check_sockets(&machine, table)?;
    stage.check_alive()?;
    assert_eq!(
        differences(&source, &restored)?,
        "",
        "the restored folder is not the same"
    );
    check_twin(&source, &restored)
}

fn big_bytes() -> u64 {
    sized(BIG_BYTES[0], BIG_BYTES[1])
}

/// A real tree, oddities, and a big file.
fn make_source(world: &World) -> Result<std::path::PathBuf> {
    let source = world.make_folder("source")?;
    let real = source.join("real");
    std::fs::create_dir(&real)?;
    let entries = copy_real_tree(&real, sized(REAL_ENTRIES[0], REAL_ENTRIES[1]))?;
    ensure!(entries >= 1_000, "the real tree has {entries} entries only");
    make_oddities(&source.join("oddities"))?;
    world
        .random()
        .write_file(&source.join(BIG_NAME), big_bytes())?;
    Ok(source)
}

/// The kernel knows no socket of the process but those of one transport.
fn check_sockets(machine: &Machine, table: &str) -> Outcome {
    let found = sockets(machine.process_id()?)?;
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        [table],
        "{}: {found:?}",
        machine.name
    );
    Ok(())
}

/// The versions and a listing are there before anything is restored.
fn check_versions(machine: &Machine, source: &Path) -> Outcome {
    let snapshots = machine.run(&["snapshots"])?.object;
    let snapshots = snapshots["snapshots"].as_array().context("no versions")?;
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    assert_eq!(snapshots[0]["path"], source.to_str().context("no text")?);
    let listing = machine.run(&["ls", "latest"])?.object;
    let entries = listing["entries"].as_array().context("no entries")?;
    let names: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert_eq!(names, [BIG_NAME, "oddities", "real"]);
    let big = entries.first().context("no entry")?;
    assert_eq!(big["bytes"], big_bytes(), "{big}");
    Ok(())
}

/// The witness speaks when it should: of one changed byte, a mode, a time and a lost file.
fn check_twin(source: &Path, restored: &Path) -> Outcome {
    flip_byte(&restored.join(BIG_NAME))?;
    let found = differences(source, restored)?;
    assert_eq!(
        found,
        format!(">fc........ {BIG_NAME}\n"),
        "one byte was changed"
    );
    let oddities = restored.join("oddities");
    std::fs::remove_file(oddities.join("empty file"))?;
    let later = std::time::SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_790);
    std::fs::File::options()
        .write(true)
        .open(oddities.join("nanoseconds"))?
        .set_modified(later)?;
    let found = differences(source, restored)?;
    for part in [
        ">f+++++++++ oddities/empty file",
        ".f..t...... oddities/nanoseconds",
    ] {
        assert!(found.contains(part), "{part:?} is not in {found}");
    }
    Ok(())
}
