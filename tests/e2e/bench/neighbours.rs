//! What it costs that others are dead: a small backup beside one, a recovery beside three of six, and
//! a restore that begins half a second after three of six were killed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{Machine, Random, Stage, Transport, World, differences, eventually};

use crate::Choice;
use crate::corpora::CorpusName;
use crate::jobs::{CODE, SUPPLIERS};
use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

pub(crate) const FILE_BYTES: u64 = 10_000;
/// As many as may go at this code.
pub(crate) const DEAD: usize = 3;
/// Between their death and the beginning of a restore.
pub(crate) const MOMENT: Duration = Duration::from_millis(500);
/// In which a node finds somebody of the network.
const JOINED_WITHIN: Duration = Duration::from_secs(60);
/// In which a node that joined is known to the others.
const KNOWN_AFTER: Duration = Duration::from_secs(5);
/// The waits of real homes: tests have longer ones.
const SETTINGS: [(&str, &str); 1] = [("policy.straggler_wait", "700")];

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let mut rows = beside_one(choice.rounds)?;
    rows.extend(beside_three(choice.rounds)?);
    Ok(Report {
        peers: ONE_PEER,
        title: "Beside the dead, six suppliers, code 3/6",
        rows,
    })
}

pub(crate) fn set_up(world: &World, suppliers: u8, code: &str) -> Result<Stage> {
    let mut stage = Stage::prepare(world, suppliers, &SETTINGS)?;
    stage.customer.set("code", code)?;
    stage.customer.start()?;
    stage.hire()?;
    Ok(stage)
}

/// Small backups: with all there, after a stranger died whom all know, after a supplier died.
fn beside_one(rounds: usize) -> Result<Vec<Row>> {
    let world = World::over("bench-one-dead", Transport::Tcp)?;
    let mut stage = set_up(&world, SUPPLIERS, CODE)?;
    let source = world.make_folder("source")?;
    let mut random = Random::new(5);
    random.write_file(&source.join("first"), FILE_BYTES)?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    let mut seconds = |stage: &Stage, name: &str| -> Result<Figure> {
        let mut seconds = Vec::new();
        for round in 0..rounds {
            random.write_file(&source.join(format!("{name}-{round}")), FILE_BYTES)?;
            let reply = stage.customer.order(&["backup"]).attempt()?;
            seconds.push(reply.took.as_secs_f64());
            // Five of six are enough to be safe.
            reply.expect_code(0)?;
        }
        Ok(Figure::of(&seconds))
    };
    let alive = seconds(&stage, "alive")?;
    let mut stranger = join_a_stranger(&world, &stage, "stranger")?;
    stranger.kill()?;
    let strange = seconds(&stage, "stranger")?;
    stage.suppliers[0].kill()?;
    let dead = seconds(&stage, "supplier")?;
    let row = |what, figure| Row::new(what, "s", figure).against(Bar::AtMost(1.0));
    Ok(vec![
        row("backup of 10 KB, all are there", alive),
        row("the same, a stranger in the DHT died", strange),
        row("the same, a supplier died", dead),
    ])
}

/// Somebody who is nobody's supplier and whom all know.
pub(crate) fn join_a_stranger(world: &World, stage: &Stage, name: &str) -> Result<Machine> {
    let mut stranger = stage.new_machine(world, name)?;
    stranger.init()?;
    stranger.start()?;
    stranger.run(&["offer", "1GB"])?;
    eventually("a stranger in the network", JOINED_WITHIN, || {
        let peers = stranger.status()?["peers"].as_u64();
        Ok((peers > Some(0)).then_some(()))
    })?;
    let_pass(KNOWN_AFTER);
    Ok(stranger)
}

/// A recovery, and restores of 500 MB just after three of six were killed and later.
fn beside_three(rounds: usize) -> Result<Vec<Row>> {
    let world = World::over("bench-three-dead", Transport::Tcp)?;
    let corpus = CorpusName::Incompressible.make(world.folder())?;
    let mut stage = set_up(&world, SUPPLIERS, CODE)?;
    stage.back_up(&corpus.folder)?;
    let status = stage.customer.wait_until_spread()?;
    let dead: Vec<_> = stage.by_place(&status)?.into_iter().take(DEAD).collect();
    let (mut just_dead, mut long_dead) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for &supplier in &dead {
            stage.suppliers[supplier].kill()?;
        }
        let_pass(MOMENT);
        let target = world.path(&format!("back-{round}"));
        just_dead.push(restore(&stage.customer, &corpus.folder, &target)?);
        long_dead.push(restore(&stage.customer, &corpus.folder, &target)?);
        if round + 1 < rounds {
            for &supplier in &dead {
                stage.suppliers[supplier].start()?;
            }
            stage.customer.wait_until_connected(SUPPLIERS.into())?;
            stage.customer.wait_until_spread()?;
        }
    }
    let longer: Vec<_> = just_dead
        .iter()
        .zip(&long_dead)
        .map(|(a, b)| a - b)
        .collect();
    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut recoveries = Vec::new();
    for round in 0..rounds {
        let mut machine = stage.new_machine(&world, &format!("bare-{round}"))?;
        recoveries.push(machine.recover(&words)?.took.as_secs_f64());
    }
    Ok(vec![
        Row::new("recovery, three of six dead", "s", Figure::of(&recoveries))
            .against(Bar::AtMost(3.0)),
        Row::new(
            "restore of 500 MB, three known as dead",
            "s",
            Figure::of(&long_dead),
        ),
        Row::new(
            "the same half a second after they died",
            "s",
            Figure::of(&just_dead),
        ),
        Row::new("how much longer that took", "s", Figure::middle(&longer))
            .against(Bar::AtMost(2.0)),
    ])
}

/// Restores everything and compares it; gives the seconds.
pub(crate) fn restore(customer: &Machine, source: &Path, target: &Path) -> Result<f64> {
    let order = customer.order(&["restore", "latest", "--to"]);
    let reply = order.argument(target).run()?;
    let different = differences(source, target)?;
    ensure!(different.is_empty(), "{different}");
    std::fs::remove_dir_all(target)?;
    Ok(reply.took.as_secs_f64())
}
