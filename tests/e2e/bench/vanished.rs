//! What it costs that hosts of others vanished: as beside processes that were killed, but nobody refuses,
//! and nobody says that a connection has ended. In a network of its own, with both transports.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::hosts::{Hosts, options};
use bitdust_e2e_tests::unshared::{again, is_unshared};
use bitdust_e2e_tests::{Random, Stage, World, eventually};

use crate::Choice;
use crate::jobs::{CODE, SUPPLIERS};
use crate::neighbours::{DEAD, FILE_BYTES, MOMENT, join_a_stranger, restore, set_up};
use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

/// What it is called on the command line.
pub(crate) const NAME: &str = "vanished";
/// The code where one of three vanishes.
const SMALL: (u8, &str) = (3, "1/3");
/// In which a node notices that somebody is not there.
const NOTICED_WITHIN: Duration = Duration::from_secs(300);
const RESTORED_FILES: u64 = 10;
const RESTORED_FILE_BYTES: u64 = 25_000_000;

/// Runs this one alone, with the same choice, where it has a network of its own.
pub(crate) fn measure_apart(choice: &Choice) -> Result<()> {
    if is_unshared() {
        return measure(choice)?.publish(&choice.folder, NAME);
    }
    let options = options()?.context("neither root nor a user namespace is to be had")?;
    let folder = choice.folder.to_str().context("the folder is no text")?;
    let rounds = choice.rounds.to_string();
    let done = again(&[folder, NAME, "--rounds", &rounds], options)?.status()?;
    ensure!(done.success(), "{done}");
    Ok(())
}

fn measure(choice: &Choice) -> Result<Report> {
    let hosts = Hosts::set_up()?;
    let mut rows = backups(&hosts, choice.rounds, (SUPPLIERS, CODE))?;
    rows.extend(backups(&hosts, choice.rounds, SMALL)?);
    rows.extend(beside_three(&hosts, choice.rounds)?);
    Ok(Report {
        peers: ONE_PEER,
        title: "Beside hosts that vanished",
        rows,
    })
}

/// Seconds of small backups: with all there, the first one after something, the next, and one when it is
/// known.
#[derive(Default)]
struct Backups {
    first: Vec<f64>,
    second: Vec<f64>,
    known: Vec<f64>,
}

impl Backups {
    fn rows(&self, what: &str) -> Vec<Row> {
        let row = |when: &str, seconds: &[f64]| {
            let what = format!("{what}, {when}");
            Row::new(what, "s", Figure::of(seconds)).against(Bar::AtMost(1.0))
        };
        vec![
            row("the first", &self.first),
            row("the next", &self.second),
            row("later", &self.known),
        ]
    }
}

/// Small backups after a stranger vanished whom all know, and after a supplier did.
fn backups(hosts: &Hosts, rounds: usize, (suppliers, code): (u8, &str)) -> Result<Vec<Row>> {
    let world = World::of_hosts("bench-one-vanished", hosts)?;
    let mut stage = set_up(&world, suppliers, code)?;
    let source = world.make_folder("source")?;
    let mut random = Random::new(5);
    let mut files = 0;
    let mut back_up = |stage: &Stage| -> Result<f64> {
        files += 1;
        random.write_file(&source.join(format!("{files}")), FILE_BYTES)?;
        let reply = stage.customer.order(&["backup"]).attempt()?;
        let seconds = reply.took.as_secs_f64();
        reply.expect_done()?;
        Ok(seconds)
    };
    stage.back_up(&source)?;
    let (mut alive, mut strange, mut dead) = (vec![], Backups::default(), Backups::default());
    let (mut started, mut alone) = (vec![], vec![]);
    for round in 0..rounds {
        stage.customer.wait_until_spread()?;
        alive.push(back_up(&stage)?);
        let mut stranger = join_a_stranger(&world, &stage, &format!("stranger-{round}"))?;
        stranger.vanish()?;
        strange.first.push(back_up(&stage)?);
        strange.second.push(back_up(&stage)?);
        stage.customer.wait_until_spread()?;
        stage.suppliers[0].vanish()?;
        dead.first.push(back_up(&stage)?);
        dead.second.push(back_up(&stage)?);
        wait_until_noticed(&stage, usize::from(suppliers) - 1)?;
        dead.known.push(back_up(&stage)?);
        stage.customer.stop()?;
        alone.push(back_up(&stage)?);
        stage.customer.start()?;
        started.push(back_up(&stage)?);
        stage.suppliers[0].come_back()?;
        stage.customer.wait_until_connected(suppliers.into())?;
        stage.customer.wait_until_spread()?;
        strange.known.push(back_up(&stage)?);
    }
    let all = format!("{code}: backup of 10 KB, all are there");
    let mut rows = vec![Row::new(all, "s", Figure::of(&alive)).against(Bar::AtMost(1.0))];
    rows.extend(strange.rows(&format!("{code}: after a stranger in the DHT vanished")));
    let dead_row = format!("{code}: after a supplier vanished");
    rows.extend(dead.rows(&dead_row));
    for (what, seconds) in [("at a start", &started), ("without a daemon", &alone)] {
        let row = Row::new(format!("{dead_row}, {what}"), "s", Figure::of(seconds));
        rows.push(row);
    }
    Ok(rows)
}

fn wait_until_noticed(stage: &Stage, there: usize) -> Result<()> {
    eventually("those who are not there", NOTICED_WITHIN, || {
        let listed = stage.customer.run(&["supplier", "list"])?;
        let suppliers = listed.object["suppliers"].as_array().context("no list")?;
        let online = suppliers.iter().filter(|it| it["online"] == true).count();
        Ok((online == there).then_some(()))
    })
}

/// A recovery, and restores just after three of six vanished and when that is known.
fn beside_three(hosts: &Hosts, rounds: usize) -> Result<Vec<Row>> {
    let world = World::of_hosts("bench-three-vanished", hosts)?;
    let mut stage = set_up(&world, SUPPLIERS, CODE)?;
    let source = world.make_folder("source")?;
    write_files(&source)?;
    stage.back_up(&source)?;
    let status = stage.customer.wait_until_spread()?;
    let gone: Vec<_> = stage.by_place(&status)?.into_iter().take(DEAD).collect();
    let (mut at_once, mut known) = (vec![], vec![]);
    for round in 0..rounds {
        for &supplier in &gone {
            stage.suppliers[supplier].vanish()?;
        }
        let_pass(MOMENT);
        let target = world.path(&format!("back-{round}"));
        at_once.push(restore(&stage.customer, &source, &target)?);
        wait_until_noticed(&stage, usize::from(SUPPLIERS) - DEAD)?;
        known.push(restore(&stage.customer, &source, &target)?);
        if round + 1 < rounds {
            for &supplier in &gone {
                stage.suppliers[supplier].come_back()?;
            }
            stage.customer.wait_until_connected(SUPPLIERS.into())?;
            stage.customer.wait_until_spread()?;
        }
    }
    let longer = at_once.iter().zip(&known).map(|(a, b)| a - b);
    let longer: Vec<_> = longer.collect();
    let words = stage.customer.words.clone();
    // Whoever recovers may know somebody only who keeps nothing for them.
    let stranger = join_a_stranger(&world, &stage, "stranger")?;
    stage.customer.vanish()?;
    let (mut recoveries, mut by_a_stranger) = (vec![], vec![]);
    for round in 0..rounds {
        let mut machine = stage.new_machine(&world, &format!("bare-{round}"))?;
        recoveries.push(machine.recover(&words)?.took.as_secs_f64());
        let mut machine = world.machine(&format!("barer-{round}"));
        machine.bootstrap = vec![stranger.address()?];
        by_a_stranger.push(machine.recover(&words)?.took.as_secs_f64());
    }
    let row = |what: &str, figure| Row::new(what, "s", figure);
    Ok(vec![
        row(
            "recovery, three of six and the old machine vanished",
            Figure::of(&recoveries),
        )
        .against(Bar::AtMost(3.0)),
        row("the same by way of a stranger", Figure::of(&by_a_stranger)).against(Bar::AtMost(3.0)),
        row("restore of 250 MB, three known as gone", Figure::of(&known)),
        row(
            "the same half a second after they vanished",
            Figure::of(&at_once),
        ),
        row("how much longer that took", Figure::middle(&longer)).against(Bar::AtMost(2.0)),
    ])
}

fn write_files(folder: &Path) -> Result<()> {
    let mut random = Random::new(6);
    for number in 0..RESTORED_FILES {
        random.write_file(&folder.join(format!("{number}.bin")), RESTORED_FILE_BYTES)?;
    }
    Ok(())
}
