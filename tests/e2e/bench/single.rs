//! One small file out of much: what it takes to have it back while the daemon runs, and from
//! the phrase alone on a bare machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::witness::{received_between, received_bytes};
use bitdust_e2e_tests::{Machine, Random, Stage, Transport, World};

use crate::Choice;
use crate::corpora::CorpusName;
use crate::jobs::{CODE, SUPPLIERS};
use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

const NAME: &str = "added.bin";
const FILE_BYTES: u64 = 100_000;
/// Time between two looks at the counters of a command.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(5);

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let world = World::over("bench-single", Transport::Tcp)?;
    let corpus = CorpusName::Incompressible.make(world.folder())?;
    let mut stage = Stage::set_up(&world, SUPPLIERS, Some(CODE))?;
    stage.back_up(&corpus.folder)?;
    stage.customer.wait_until_spread()?;
    Random::new(4).write_file(&corpus.folder.join(NAME), FILE_BYTES)?;
    stage.customer.run(&["backup"])?;
    stage.customer.wait_until_spread()?;

    let (mut kilobytes, mut milliseconds) = (Vec::new(), Vec::new());
    for number in 0..choice.rounds {
        let target = world.path(&format!("back-{number}"));
        let (bytes, seconds) = restore(&stage.customer, &corpus.folder, &target)?;
        kilobytes.push(bytes as f64 / 1e3);
        milliseconds.push(seconds * 1e3);
    }
    let words = stage.customer.words.clone();
    stage.customer.lose()?;
    let (mut bare_kilobytes, mut bare_seconds) = (Vec::new(), Vec::new());
    for number in 0..choice.rounds {
        let machine = stage.new_machine(&world, &format!("bare-{number}"))?;
        let target = world.path(&format!("bare-back-{number}"));
        let (bytes, seconds) = from_phrase(machine, &words, &corpus.folder, &target)?;
        bare_kilobytes.push(bytes as f64 / 1e3);
        bare_seconds.push(seconds);
    }
    Ok(Report {
        peers: ONE_PEER,
        title: "One file of 100 KB, added to 500 MB",
        rows: vec![
            Row::new(
                "fetched with all metadata, daemon running",
                "KB",
                Figure::of(&kilobytes),
            )
            .against(Bar::AtMost(1_000.0)),
            Row::new("time of it", "ms", Figure::of(&milliseconds)).against(Bar::AtMost(200.0)),
            Row::new(
                "fetched from the phrase alone on a bare machine",
                "KB",
                Figure::of(&bare_kilobytes),
            ),
            Row::new("time of it", "s", Figure::of(&bare_seconds)),
        ],
    })
}

/// Brings the file back by the running daemon: the bytes that came for it and the seconds.
fn restore(machine: &Machine, source: &Path, target: &Path) -> Result<(u64, f64)> {
    let process = machine.process_id()?;
    let before = received_bytes(process)?;
    let latest = format!("latest:{NAME}");
    let order = machine.order(&["restore", &latest, "--to"]);
    let took = order.argument(target).run()?.took;
    let bytes = received_between(&before, &received_bytes(process)?)?;
    ensure!(
        fs::read(source.join(NAME))? == fs::read(target.join(NAME))?,
        "it came back changed"
    );
    ensure!(bytes >= FILE_BYTES, "{bytes} bytes are too few");
    Ok((bytes, took.as_secs_f64()))
}

/// Recovers the identity, starts the daemon and brings the file back. What the recovery
/// received is what the kernel last said before it ended.
fn from_phrase(
    mut machine: Machine,
    words: &str,
    source: &Path,
    target: &Path,
) -> Result<(u64, f64)> {
    let begun = Instant::now();
    let order = machine.order(&["recover", "--old-machine-gone", "--keys", "file"]);
    let mut recovery = order.input(words).begin()?;
    let mut received = BTreeMap::new();
    let status = loop {
        if let Some(status) = recovery.ended()? {
            break status;
        }
        received.extend(received_bytes(recovery.id())?);
        let_pass(LOOK_EVERY);
    };
    ensure!(status.success(), "the recovery ended with {status}");
    machine.start()?;
    let latest = format!("latest:{NAME}");
    let order = machine.order(&["restore", &latest, "--to"]);
    order.argument(target).run()?;
    let seconds = begun.elapsed().as_secs_f64();
    received.extend(received_bytes(machine.process_id()?)?);
    ensure!(
        fs::read(source.join(NAME))? == fs::read(target.join(NAME))?,
        "it came back changed"
    );
    machine.kill()?;
    Ok((received.values().sum(), seconds))
}
