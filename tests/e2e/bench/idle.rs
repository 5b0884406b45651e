//! A node that has nothing to do: ten watched folders, twenty suppliers, one minute.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::{Random, Stage, World, eventually};

use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};
use crate::tree;

const SUPPLIERS: u8 = 20;
const FOLDERS: u32 = 10;
const FILES: u32 = 100;
const FILE_BYTES: u64 = 20_000;
/// Time for backups to settle, and time over which idling is measured.
const SETTLE: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(60);
const BACKED_UP_WITHIN: Duration = Duration::from_secs(300);
const MIB: f64 = (1_u32 << 20) as f64;

pub(crate) fn measure() -> Result<Report> {
    let world = World::new("bench-idle")?;
    let stage = Stage::set_up(&world, SUPPLIERS, None)?;
    let mut random = Random::new(5);
    for number in 0..FOLDERS {
        let folder = world.make_folder(&format!("folder-{number}"))?;
        for name in 0..FILES {
            let inner = folder.join(format!("{}", name % 10));
            std::fs::create_dir_all(&inner)?;
            random.write_file(&inner.join(format!("{name}.bin")), FILE_BYTES)?;
        }
        let add = ["folder", "add", "--schedule", "on-change", "--"];
        stage.customer.order(&add).argument(&folder).run()?;
    }
    // They are backed up by themselves, as they are watched.
    eventually("backups of all folders", BACKED_UP_WITHIN, || {
        let status = stage.customer.status()?;
        let folders = status["folders"].as_array().context("no folders")?;
        let is_done = folders.iter().all(|it| it["last_backup"].is_number());
        Ok((is_done && status["jobs"].as_array().is_some_and(Vec::is_empty)).then_some(()))
    })?;
    stage.customer.wait_until_spread()?;
    let_pass(SETTLE);

    let customer = stage.customer.process_id()?;
    let supplier = stage
        .suppliers
        .first()
        .map_or(Ok(customer), |first| first.process_id())?;
    let before = (
        tree::processor_seconds(customer)?,
        tree::processor_seconds(supplier)?,
    );
    let_pass(IDLE);
    let percent = |used: f64| 100.0 * used / IDLE.as_secs_f64();
    let own = percent(tree::processor_seconds(customer)? - before.0);
    let theirs = percent(tree::processor_seconds(supplier)? - before.1);
    let resident = |process| Ok::<_, anyhow::Error>(tree::resident_bytes(process)? as f64 / MIB);
    Ok(Report {
        peers: ONE_PEER,
        title: "An idle node with ten watched folders and twenty suppliers, over a minute",
        rows: vec![
            Row::new("processor", "% of a core", Figure::one(own)).against(Bar::AtMost(0.5)),
            Row::new("memory", "MiB", Figure::one(resident(customer)?)).against(Bar::AtMost(80.0)),
            Row::new(
                "processor of a supplier",
                "% of a core",
                Figure::one(theirs),
            ),
            Row::new(
                "memory of a supplier",
                "MiB",
                Figure::one(resident(supplier)?),
            ),
        ],
    })
}
