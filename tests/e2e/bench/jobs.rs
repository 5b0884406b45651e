//! Backups and restores beside restic into a folder of the same disk: the first backup, one of
//! what did not change, and a restore, of each corpus. Ours goes to six suppliers on this
//! machine with code 3/6 and is durable at all of them; it comes back from three. Their
//! processor time counts as ours.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{Machine, Stage, Transport, World, differences};

use crate::corpora::{self, Corpus};
use crate::report::{Report, Row, median};
use crate::tree;

const SUPPLIERS: u8 = 6;
const CODE: &str = "3/6";
const LOST: usize = 3;
const ROUNDS: usize = 3;
const LONG: Duration = Duration::from_secs(400);
const PASSWORD: &str = "benchmark";

/// What one round of a corpus took.
#[derive(Debug, Default, Clone, Copy)]
struct Round {
    first: f64,
    again: f64,
    restore: f64,
    processor: f64,
    memory_mib: f64,
}

pub(crate) fn measure() -> Result<Report> {
    let place = World::new("bench-corpora")?;
    let mut rows = Vec::new();
    for corpus in corpora::make(place.folder())? {
        let (mut ours, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(ours_of(&corpus)?);
            peers.push(restic_of(&corpus)?);
        }
        rows.extend(rows_of(&corpus, &ours, &peers));
    }
    Ok(Report {
        title: "Jobs (peer: restic into a folder; code 3/6, six suppliers on this machine)",
        rows,
    })
}

fn rows_of(corpus: &Corpus, ours: &[Round], peers: &[Round]) -> Vec<Row> {
    let pick = |rounds: &[Round], of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let row = |what: &str, unit, of: fn(&Round) -> f64, ratio: Option<f64>| Row {
        what: format!("{}: {what}", corpus.name),
        unit,
        ours: pick(ours, of),
        peer: Some(pick(peers, of)),
        bar: ratio.map(|ratio| ratio * pick(peers, of)),
    };
    let megabytes = corpus.bytes as f64 / 1e6;
    let slack = if corpus.name.contains("small") {
        1.0 / 1.5
    } else {
        1.0
    };
    vec![
        row(
            &format!("first backup ({megabytes:.0} MB)"),
            "s",
            |it| it.first,
            Some(slack),
        ),
        row(
            "backup of what did not change",
            "s",
            |it| it.again,
            Some(0.5),
        ),
        row("restore from three of six", "s", |it| it.restore, Some(1.0)),
        row("processor of all of it", "s", |it| it.processor, None),
        row(
            "peak memory of the customer",
            "MiB",
            |it| it.memory_mib,
            None,
        ),
    ]
}

fn ours_of(corpus: &Corpus) -> Result<Round> {
    let world = World::over("bench-jobs", Transport::Tcp)?;
    let mut stage = Stage::set_up(&world, SUPPLIERS, Some(CODE))?;
    let before = processor(&stage)?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&corpus.folder)
        .run()?;
    let first = timed(|| {
        back_up(&stage.customer)?;
        stage.customer.wait_until_spread().map(drop)
    })?;
    let again = timed(|| back_up(&stage.customer))?;
    let backed_up = processor(&stage)? - before;
    let memory_mib = peak_memory_kib(stage.customer.process_id()?)? as f64 / 1024.0;
    stage.lose_suppliers(LOST)?;
    let before = processor(&stage)?;
    let target = world.path("back");
    let restore = timed(|| {
        let order = stage.customer.order(&["restore", "latest", "--to"]);
        order.argument(&target).within(LONG).run().map(drop)
    })?;
    let processor = backed_up + processor(&stage)? - before;
    compare(&corpus.folder, &target)?;
    Ok(Round {
        first,
        again,
        restore,
        processor,
        memory_mib,
    })
}

fn back_up(customer: &Machine) -> Result<()> {
    customer.order(&["backup"]).within(LONG).run().map(drop)
}

/// Seconds of processor of all daemons that live.
fn processor(stage: &Stage) -> Result<f64> {
    let machines = stage.suppliers.iter().chain([&stage.customer]);
    let living = machines.filter(|machine| machine.is_started());
    living
        .map(|machine| tree::processor_seconds(machine.process_id()?))
        .sum()
}

fn restic_of(corpus: &Corpus) -> Result<Round> {
    let world = World::new("bench-restic")?;
    let place = world.folder();
    restic(place, &["init"], None)?;
    let first = restic(place, &["backup", "."], Some(&corpus.folder))?;
    let again = restic(place, &["backup", "."], Some(&corpus.folder))?;
    let target = world.path("back");
    let shown = target.display().to_string();
    let restore = restic(place, &["restore", "latest", "--target", &shown], None)?;
    compare_inside(&corpus.folder, &target)?;
    Ok(Round {
        first: first.seconds,
        again: again.seconds,
        restore: restore.seconds,
        processor: first.processor + again.processor + restore.processor,
        memory_mib: first.memory_mib.max(again.memory_mib),
    })
}

struct Taken {
    seconds: f64,
    processor: f64,
    memory_mib: f64,
}

/// Runs restic under GNU time, with a repository and a cache of its own.
fn restic(place: &Path, arguments: &[&str], within: Option<&Path>) -> Result<Taken> {
    let account = place.join("time");
    let mut command = Command::new("/usr/bin/time");
    command.args(["--format", "%e %U %S %M", "--output"]);
    command.arg(&account).arg("restic").args(arguments);
    command
        .arg("--quiet")
        .arg("--repo")
        .arg(place.join("repository"));
    command.arg("--cache-dir").arg(place.join("cache"));
    command.env("RESTIC_PASSWORD", PASSWORD);
    if let Some(folder) = within {
        command.current_dir(folder);
    }
    ensure!(command.status()?.success(), "{command:?} failed");
    let text = std::fs::read_to_string(account)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let &[seconds, user, system, kibibytes] = numbers.as_slice() else {
        anyhow::bail!("no account of restic: {text}");
    };
    Ok(Taken {
        seconds,
        processor: user + system,
        memory_mib: kibibytes / 1024.0,
    })
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}

/// restic does not give the outermost folder its time back.
fn compare_inside(source: &Path, target: &Path) -> Result<()> {
    let different = differences(source, target).context("comparing")?;
    let inside = different.lines().filter(|line| !line.ends_with(" ./"));
    let inside: Vec<&str> = inside.filter(|line| !line.is_empty()).collect();
    ensure!(inside.is_empty(), "{inside:?}");
    Ok(())
}

fn compare(source: &Path, target: &Path) -> Result<()> {
    let different = differences(source, target).context("comparing")?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}
