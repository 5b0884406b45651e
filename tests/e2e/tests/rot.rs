//! Disks of suppliers that rot, lose files or are away for a while: what is lost is taken back, sent
//! again and proved, and nobody is out for good.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bitdust_e2e_tests::ledger::{committed_packs, shard_files};
use bitdust_e2e_tests::rot::{is_whole, rot};
use bitdust_e2e_tests::whole::{Auditor, Withheld};
use bitdust_e2e_tests::{Outcome, Random, Stage, World, differences, eventually, sized};
use bitdust_model::manifest::PackKind;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);
/// Milliseconds between checks where losses are to be found soon.
const HURRIED: &str = "1000";
const NEVER: &str = "86400000";
const FILE_BYTES: u64 = 6_000_000;
/// Shards of a pack that may be lost while it is called safe, of each code here.
const SPARE: usize = 1;
/// How long it may be kept back that all is safe.
const SAID_WITHIN: Duration = Duration::from_secs(60);

/// With two suppliers everything depends on each of them.
#[test]
fn a_rotten_shard_is_sent_again_and_ends_no_backups() -> Outcome {
    let mut scene = Scene::set_up("rotten-shard", 2, HURRIED)?;
    let before = scene.files(0)?;
    let (shard, _) = largest(&before)?;
    rot(shard)?;
    eventually("people are told", SOON, || {
        let status = scene.stage.customer.status()?;
        let told = status["notices"].to_string();
        Ok(told
            .contains("gives wrong bytes for a part of")
            .then_some(()))
    })?;
    scene.until_whole(0, &before)?;
    scene.write("new")?;
    scene.back_up()?;
    // The one that was mended brings it all back alone.
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

#[test]
fn what_a_restore_does_not_find_is_sent_again() -> Outcome {
    let scene = Scene::set_up("not-found", 3, NEVER)?;
    let status = scene.stage.customer.status()?;
    // A restore asks the first places.
    let first = scene.stage.by_place(&status)?[0];
    let before = scene.files(first)?;
    for shard in before.keys() {
        std::fs::remove_file(shard)?;
    }
    scene.restore_and_compare()?;
    let status = scene.until_whole(first, &before)?;
    let history = status["notices"].to_string();
    ensure!(history.contains("does not have a part of"), "{history}");
    ensure!(history.contains("counts again"), "{history}");
    // A test restore looks as well.
    let (shard, _) = largest(&before)?;
    std::fs::remove_file(shard)?;
    let verify = scene.stage.customer.order(&["verify"]);
    verify.within(SOON).attempt()?;
    scene.until_whole(first, &before).map(drop)
}

/// The catalogue knows where everything lies, and somebody with the words alone would find nothing: a
/// test restore goes the way that they would go.
#[test]
fn a_test_restore_finds_lists_that_nobody_has() -> Outcome {
    let mut scene = Scene::set_up("lost-lists", 3, NEVER)?;
    let verify = |scene: &Scene| {
        let order = scene.stage.customer.order(&["verify"]);
        order.within(SOON).attempt()
    };
    verify(&scene)?.expect_code(0)?;
    let home = &scene.stage.customer.home;
    let packs = committed_packs(home, scene.world.folder())?;
    let commits = packs.iter().filter(|pack| pack.kind == PackKind::Commit);
    let lists: Vec<_> = commits.flat_map(|pack| &pack.shards).collect();
    for supplier in 0..3 {
        for file in scene.files(supplier)?.keys() {
            if lists.iter().any(|shard| file.ends_with(shard)) {
                std::fs::remove_file(file)?;
            }
        }
    }
    scene.restore_and_compare()?;
    let failed = verify(&scene)?.expect_code(3)?;
    ensure!(failed.stdout.contains("24 words"), "{}", failed.stdout);
    // The next version brings its own. Those who lost something do not count before they have proved the rest.
    scene.write("new")?;
    let backup = scene.stage.customer.order(&["backup"]).within(SOON);
    backup.attempt()?.expect_done()?;
    verify(&scene)?.expect_code(0)?;
    Ok(())
}

/// The folder of shards lies on a disk of its own, which is away for a moment: while the supplier runs,
/// and when it starts.
#[test]
fn a_disk_that_is_away_for_a_moment_is_no_loss() -> Outcome {
    let mut scene = Scene::set_up("away-disk", 3, HURRIED)?;
    let before = scene.files(0)?;
    for is_stopped in [false, true] {
        scene.while_its_disk_is_away(0, is_stopped)?;
    }
    let status = scene.until_whole(0, &before)?;
    let history = status["notices"].to_string();
    ensure!(
        !history.contains("a part of what it confirmed"),
        "{history}"
    );
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

/// One of three rots, loses files or all of them, and then the customer is killed or quits: nobody asks for anything, and soon all is whole and said to be.
#[test]
fn whatever_is_lost_comes_back_without_a_word() -> Outcome {
    let mut scene = Scene::set_up("drawn-losses", 3, HURRIED)?;
    for round in 0..sized(4, 20) {
        let victim = scene.below(3);
        let before = scene.files(victim)?;
        let harm = scene.harm(victim, round)?;
        scene.until_noticed_or_whole(victim, &before)?;
        let began = Instant::now();
        if round % 3 == 1 {
            scene.stage.customer.kill()?;
            scene.stage.customer.start()?;
        } else if round % 3 == 2 {
            scene.stage.customer.stop()?;
            scene.stage.customer.start()?;
        }
        scene.until_whole(victim, &before)?;
        let took = began.elapsed().as_secs_f64();
        eprintln!("round {round}: {harm}; whole and safe after {took:.1} s");
    }
    scene.write("new")?;
    scene.back_up()?;
    scene.restore_and_compare()
}

/// One of three answers nothing during a backup, another rots, and the customer is killed or quits: what is
/// owed is paid and what is lost is sent again, without a word.
#[test]
fn what_was_owed_is_paid_beside_one_that_rots() -> Outcome {
    let mut scene = Scene::set_up("owed-beside-rot", 3, HURRIED)?;
    for round in 0..sized(3_u64, 20) {
        let stalls = scene.below(3);
        let rots = (stalls + 1 + scene.below(2)) % 3;
        let before = scene.files(rots)?;
        scene.write(&format!("round {round}"))?;
        scene.stage.suppliers[stalls].hold(true)?;
        let backup = scene.stage.customer.order(&["backup"]).within(SOON);
        backup.attempt()?.expect_code(3)?;
        // What all had before: of the new packs there may be no more than it takes.
        let harmed = scene.below(before.len());
        let shard = before.keys().nth(harmed).context("it has shards")?;
        rot(shard)?;
        if round.is_multiple_of(2) {
            scene.stage.customer.kill()?;
        } else {
            scene.stage.customer.stop()?;
        }
        scene.stage.suppliers[stalls].hold(false)?;
        scene.stage.customer.start()?;
        let began = Instant::now();
        eventually("nothing is owed, and nothing is lost", SOON, || {
            let status = scene.until_whole(rots, &before)?;
            let mut suppliers = status["suppliers"].as_array().into_iter().flatten();
            Ok(suppliers.all(|view| view["is_owed"] == false).then_some(()))
        })?;
        eprintln!("round {round}: {:.1} s", began.elapsed().as_secs_f64());
    }
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

struct Scene {
    stage: Stage,
    source: PathBuf,
    auditor: Auditor,
    random: Random,
    world: World,
}

impl Scene {
    /// A customer of some suppliers with a folder that is safe.
    fn set_up(name: &str, suppliers: u8, check_interval: &str) -> Result<Self> {
        let world = World::new(name)?;
        let settings = [
            ("policy.check_interval", check_interval),
            ("policy.retry_min", "200"),
            ("policy.retry_max", "1000"),
            ("policy.redial_max", "1000"),
            ("policy.stall_timeout", "2000"),
            ("policy.restore_patience", "10000"),
            ("policy.straggler_wait", "2000"),
        ];
        let mut stage = Stage::prepare(&world, suppliers, &settings)?;
        stage
            .customer
            .set("code", &format!("{}/{suppliers}", suppliers - 1))?;
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        let mut scene = Self {
            random: world.random(),
            stage,
            source,
            auditor: Auditor::default(),
            world,
        };
        scene.write("first")?;
        let add = scene
            .stage
            .customer
            .order(&["folder", "add", "--schedule", "manual", "--"]);
        add.argument(&scene.source).run()?;
        scene.back_up()?;
        scene.stage.customer.wait_until_spread()?;
        Ok(scene)
    }

    fn write(&mut self, name: &str) -> Outcome {
        self.random.write_file(&self.source.join(name), FILE_BYTES)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.next() % bound as u64).expect("below a number of this type")
    }

    fn back_up(&self) -> Outcome {
        let backup = self.stage.customer.order(&["backup"]);
        backup.within(SOON).run().map(drop)
    }

    /// The shards of a supplier, with their lengths.
    fn files(&self, supplier: usize) -> Result<BTreeMap<PathBuf, u64>> {
        let files = shard_files(&self.stage.suppliers[supplier].home)?;
        let length = |file: PathBuf| Ok((file.clone(), std::fs::metadata(file)?.len()));
        files.into_iter().map(length).collect()
    }

    /// Harms a supplier's disk in a drawn way; says how.
    fn harm(&mut self, supplier: usize, round: u64) -> Result<String> {
        let files: Vec<_> = self.files(supplier)?.into_keys().collect();
        let first = self.below(files.len());
        let count = if round % 4 == 3 {
            files.len()
        } else {
            1 + self.below(2)
        };
        let mut harmed = vec![];
        for shard in files.iter().cycle().skip(first).take(count) {
            if round.is_multiple_of(2) {
                rot(shard)?;
                harmed.push("rotten");
            } else {
                std::fs::remove_file(shard)?;
                harmed.push("gone");
            }
        }
        Ok(format!(
            "{} of {}: {}",
            count,
            files.len(),
            harmed.join(", ")
        ))
    }

    fn while_its_disk_is_away(&mut self, supplier: usize, is_stopped: bool) -> Outcome {
        let machine = &mut self.stage.suppliers[supplier];
        let (shards, away) = (
            machine.home.join("shards"),
            machine.home.join("shards.away"),
        );
        if is_stopped {
            machine.stop()?;
        }
        std::fs::rename(&shards, &away)?;
        if is_stopped {
            machine.start()?;
            self.stage.customer.wait_until_connected(3)?;
        }
        // It is asked for something meanwhile, and the others have enough.
        let asked = self.told_away(supplier)?;
        self.restore_and_compare()?;
        eventually("it is asked for something", SOON, || {
            Ok((self.told_away(supplier)? > asked).then_some(()))
        })?;
        if shards.exists() {
            // The place where it is to be mounted.
            let written = std::fs::read_dir(&shards)?.count();
            ensure!(
                written == 0,
                "something was written where the disk is mounted"
            );
            std::fs::remove_dir(&shards)?;
        }
        std::fs::rename(&away, &shards)?;
        Ok(())
    }

    /// How often it told, in its log, that the folder is away.
    fn told_away(&self, supplier: usize) -> Result<usize> {
        let log = std::fs::read_to_string(self.stage.suppliers[supplier].log())?;
        Ok(log.matches("The folder of shards is away").count())
    }

    fn view(&self, status: &Value, supplier: usize) -> Result<Value> {
        let suppliers = status["suppliers"].as_array().context("no suppliers")?;
        let device = &self.stage.suppliers[supplier].device;
        let view = suppliers.iter().find(|view| view["device"] == **device);
        view.cloned().context("the supplier is not listed")
    }

    /// A loss may be noticed and mended between two looks.
    fn until_noticed_or_whole(&self, supplier: usize, before: &BTreeMap<PathBuf, u64>) -> Outcome {
        eventually("the loss is noticed", SOON, || {
            let view = self.view(&self.stage.customer.status()?, supplier)?;
            Ok((view["is_suspect"] == true || are_whole(before)?).then_some(()))
        })
    }

    /// Waits until a supplier has all shards whole that it had, and everything is said to be safe: not
    /// before it is so, once the loss was noticed, and soon after.
    fn until_whole(&self, supplier: usize, before: &BTreeMap<PathBuf, u64>) -> Result<Value> {
        let mut withheld = Withheld::at_most(SAID_WITHIN);
        let mut is_noticed = false;
        let status = eventually("all is whole again, and said to be", 2 * SOON, || {
            let home = &self.stage.customer.home;
            let packs = committed_packs(home, self.world.folder())?;
            let is_mended = are_whole(before)?;
            let shelves = self.auditor.look(&self.stage.suppliers)?;
            let is_true = shelves.are_safe(&packs, SPARE).is_ok();
            let status = self.stage.customer.status()?;
            let is_trusted = self.view(&status, supplier)?["is_suspect"] == false;
            let is_safe = status["protection"]["kind"] == "safe";
            is_noticed |= !is_trusted;
            let shelves = self.auditor.look(&self.stage.suppliers)?;
            if let (true, true, Err(held)) = (is_noticed, is_safe, shelves.are_safe(&packs, SPARE))
            {
                bail!("called safe with {held} shards of a pack");
            }
            withheld.note(is_true, is_safe, Instant::now())?;
            let is_well = is_trusted && is_safe && is_mended;
            Ok(is_well.then_some(status))
        })?;
        let longest = withheld.longest().as_secs_f64();
        eprintln!("noticed: {is_noticed}; safe was kept back for {longest:.1} s");
        Ok(status)
    }

    fn restore_and_compare(&self) -> Outcome {
        let target = self.world.path("restored");
        let restore = self.stage.customer.order(&["restore", "latest", "--to"]);
        restore.argument(&target).within(SOON).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(std::fs::remove_dir_all(&target)?)
    }
}

fn are_whole(shards: &BTreeMap<PathBuf, u64>) -> Result<bool> {
    for shard in shards.keys() {
        if !is_whole(shard)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn largest(shards: &BTreeMap<PathBuf, u64>) -> Result<(&Path, u64)> {
    let largest = shards.iter().max_by_key(|(_, bytes)| **bytes);
    let (shard, bytes) = largest.context("no shards")?;
    Ok((shard, *bytes))
}
