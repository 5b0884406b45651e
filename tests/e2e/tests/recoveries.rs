//! Recoveries that are killed, and several at once: the words go on working, and no machine is left that backs up
//! for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::interrupt::draw_moments;
use bitdust_e2e_tests::ledger::{closed_lanes, kept_rows};
use bitdust_e2e_tests::process::Process;
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually, sized};
use serde_json::Value;

const AT_ONCE: usize = 3;
const WITHIN: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(60);
/// What a killed recovery leaves that told nobody of its machine.
const MARKER: &str = "recovery-unfinished";

/// Nothing of it can be started before it was done; the same command does it then. Once it was done, the machine
/// is one that everybody finds.
#[test]
fn a_recovery_killed_at_many_moments_is_run_again() -> Outcome {
    let mut scene = Scene::set_up("recovery-kills")?;
    let usual = scene.recover("undisturbed")?;
    let mut devices = vec![usual.device.clone()];
    let mut random = scene.world.random();
    let (mut broken_off, mut done) = (0, 0);
    for (kill, moment) in draw_moments(&mut random, sized(8, 20))
        .into_iter()
        .enumerate()
    {
        let name = format!("machine-{kill}");
        let mut machine = scene.stage.new_machine(&scene.world, &name)?;
        let after = scene.took.mul_f64(moment);
        let mut recovery = scene.begin(&machine)?;
        match recovery.wait(after) {
            Ok(status) => ensure!(status.success(), "it failed: {status}"),
            Err(_) => recovery.kill()?,
        }
        let (has_keys, is_marked) = (
            machine.home.join("keys").exists(),
            machine.home.join(MARKER).exists(),
        );
        eprintln!("killed after {after:?}: keys {has_keys}, marked {is_marked}");
        if has_keys && !is_marked {
            done += 1;
        } else {
            broken_off += 1;
            let status = machine.attempt(&["status"])?;
            ensure!(status.code != Some(0), "it can be used: {}", status.object);
            machine.recover(&scene.words)?;
        }
        ensure!(!machine.home.join(MARKER).exists());
        machine.device = scene.device_of(&machine)?;
        scene.restore_and_compare(&machine)?;
        devices.push(machine.device);
    }
    eprintln!("{broken_off} were broken off, {done} were done");
    ensure!(broken_off > 0, "no kill came before the end");
    let last = scene.recover("last")?;
    devices.push(last.device.clone());
    // One that was told and not noted stays behind, with a lane in which nothing is.
    let further = scene.further_devices(&last, &devices)?;
    ensure!(further <= broken_off, "{further} nobody made");
    Ok(())
}

/// Each of them finds the same root record and writes one of its own.
#[test]
fn recoveries_at_the_same_time_know_of_each_other() -> Outcome {
    let mut scene = Scene::set_up("recoveries-at-once")?;
    let mut machines = vec![];
    for number in 0..AT_ONCE {
        let name = format!("machine-{number}");
        machines.push(scene.stage.new_machine(&scene.world, &name)?);
    }
    let recoveries = machines.iter().map(|machine| scene.begin(machine));
    for mut recovery in recoveries.collect::<Result<Vec<_>>>()? {
        let status = recovery.wait(WITHIN)?;
        ensure!(status.success(), "{status}");
    }
    let mut devices = vec![];
    for machine in &machines {
        devices.push(scene.device_of(machine)?);
    }
    let last = scene.recover("last")?;
    devices.push(last.device.clone());
    ensure!(scene.further_devices(&last, &devices)? == 0);
    Ok(())
}

/// The one that is away while it is closed has it closed once it comes back.
#[test]
fn a_supplier_that_was_away_is_told_which_machines_are_gone() -> Outcome {
    let mut scene = Scene::set_up("told-late")?;
    scene.stage.suppliers[1].stop()?;
    let mut machine = scene.recover("new")?;
    scene.stage.suppliers[1].start()?;
    ensure!(scene.closed_at(1)? == 0, "nobody has told it");
    machine.bootstrap = vec![
        scene.stage.suppliers[0].address()?,
        scene.stage.suppliers[1].address()?,
    ];
    machine.start()?;
    eventually("the closed lane at the other supplier", SOON, || {
        Ok((scene.closed_at(1)? == 1).then_some(()))
    })
}

/// It learns of it from suppliers, before it backs up for nobody; of one that joined, too.
#[test]
fn a_machine_whose_place_was_taken_says_so_and_backs_nothing_up() -> Outcome {
    let world = World::new("replaced")?;
    let mut stage = Stage::set_up(&world, 2, Some("1/2"))?;
    let source = world.make_folder("source")?;
    world.random().write_file(&source.join("file"), 300_000)?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    stage.customer.stop()?;
    let words = stage.customer.words.clone();
    let joined = stage.new_machine(&world, "joined")?;
    joined
        .order(&["recover", "--keys", "file"])
        .input(&words)
        .run()?;
    stage.customer.start()?;
    eventually("the old one knows of the one that joined", SOON, || {
        let listed = stage.customer.run(&["device", "list"])?;
        let devices = listed.object["devices"].as_array().context("no devices")?;
        Ok((devices.len() == 2).then_some(()))
    })?;
    std::fs::write(source.join("new"), "a")?;
    stage.customer.run(&["backup"])?.expect_done()?;
    stage.customer.wait_until_spread()?;
    stage.customer.stop()?;
    let mut successor = stage.new_machine(&world, "successor")?;
    successor.recover(&words)?;
    stage.customer.start()?;
    let says = eventually("it says so", SOON, || {
        let status = stage.customer.status()?;
        let says = &status["verdict"]["first"];
        Ok((says["says"]["kind"] == "replaced").then(|| says.clone()))
    })?;
    ensure!(says["level"] == "bad", "{says}");
    let refused = stage.customer.attempt(&["backup"])?;
    ensure!(refused.error()?.0 == "fenced", "{}", refused.object);
    // Also where it meets nobody.
    stage.customer.stop()?;
    for supplier in &mut stage.suppliers {
        supplier.stop()?;
    }
    let status = stage.customer.status()?;
    let says = &status["verdict"]["first"]["says"]["kind"];
    ensure!(says == "replaced", "{status}");
    Ok(())
}

/// It may be somebody else's computer. A recovery takes the place of such a home, as nothing is lost with it.
#[test]
fn a_machine_that_only_restores_leaves_no_trace() -> Outcome {
    let scene = Scene::set_up("reader")?;
    let kept = scene.kept()?;
    let mut machine = scene.stage.new_machine(&scene.world, "reader")?;
    let order = machine.order(&["recover", "--restore-only", "--keys", "file"]);
    let found = order.input(&scene.words).run()?;
    ensure!(found.object["is_restore_only"] == true, "{}", found.object);
    scene.restore_and_compare(&machine)?;
    machine.start()?;
    machine.wait_until_connected(scene.stage.suppliers.len())?;
    let source = scene.source.to_str().context("a path in UTF-8")?;
    for arguments in [
        &["backup", source][..],
        &["folder", "add", source],
        &["invite"],
        &["supplier", "hire", "2"],
        &["offer", "1G"],
        &["set", "offer", "1000000000"],
        &["set", "suppliers", "2"],
    ] {
        let refused = machine.attempt(arguments)?;
        let (code, message) = refused.error()?;
        ensure!(code == "restore_only", "{arguments:?}: {message}");
    }
    let status = machine.status()?;
    let says = &status["verdict"]["first"]["says"]["kind"];
    ensure!(says == "restore_only", "{status}");
    ensure!(machine.run(&["device", "list"])?.object["devices"] == serde_json::json!([]));
    machine.stop()?;
    ensure!(scene.kept()? == kept, "somebody was told of it");
    machine.recover(&scene.words)?;
    ensure!(scene.kept()? != kept, "nobody was told of its successor");
    machine.start()?;
    machine.wait_for_suppliers(scene.stage.suppliers.len())?;
    machine.run(&["folder", "add", source])?;
    machine.run(&["backup", source])?.expect_done()?;
    Ok(())
}

/// Where the root record has no place for one more machine, what the others wrote can be restored all the same.
#[test]
fn a_recovery_works_any_number_of_times() -> Outcome {
    let mut scene = Scene::set_up("many-recoveries")?;
    let (mut machines, mut readers) = (0, 0);
    for number in 0..sized(3, 130) {
        let name = format!("machine-{number}");
        let machine = scene.recover(&name)?;
        if machine.run(&["device", "list"])?.object["devices"] == serde_json::json!([]) {
            readers += 1;
        } else {
            ensure!(readers == 0, "a later one found a place");
            machines += 1;
        }
        scene.restore_and_compare(&machine)?;
        eprintln!("{name} after {:?}", scene.took);
    }
    eprintln!("{machines} machines, {readers} that only restore");
    // One closed lane and the others.
    ensure!(machines == sized(3, 127), "{machines}");
    Ok(())
}

/// What lies where a folder was on a bare machine must never be taken for its newest version.
#[test]
fn folders_come_back_with_their_rules_and_wait_until_they_were_restored() -> Outcome {
    let world = World::new("taken-over")?;
    let mut stage = Stage::set_up(&world, 2, Some("1/2"))?;
    let folders = [
        world.make_folder("pictures")?,
        world.make_folder("letters")?,
    ];
    let mut random = world.random();
    for folder in &folders {
        random.write_file(&folder.join("kept"), 300_000)?;
        std::fs::write(folder.join("left.out"), "a")?;
    }
    let rules = ["--exclude", "*.out", "--schedule", "90m"];
    let [pictures, letters] = &folders;
    for folder in &folders {
        let add = stage.customer.order(&["folder", "add"]);
        rules
            .iter()
            .fold(add.argument(folder), |add, rule| add.argument(rule))
            .run()?;
    }
    stage.customer.run(&["backup"])?.expect_done()?;
    stage.customer.wait_until_spread()?;
    stage.customer.lose()?;
    let kept = std::fs::read(pictures.join("kept"))?;
    for folder in &folders {
        std::fs::remove_dir_all(folder)?;
    }
    let mut machine = stage.new_machine(&world, "new")?;
    let found = machine.recover(&stage.customer.words)?;
    ensure!(found.number("/folders")? == 2, "{}", found.object);
    let names = machine.run(&["supplier", "list"])?.object.to_string();
    ensure!(
        names.contains("supplier-1 · "),
        "friends are called as before: {names}"
    );
    machine.start()?;
    machine.wait_for_suppliers(stage.suppliers.len())?;
    for folder in &folders {
        let listed = folder_in(&machine, folder)?;
        ensure!(listed["state"]["kind"] == "awaits_restore", "{listed}");
        ensure!(
            listed["excludes"] == serde_json::json!(["*.out"]),
            "{listed}"
        );
        ensure!(listed["schedule"]["minutes"] == 90, "{listed}");
    }
    let says = &machine.status()?["verdict"]["first"];
    ensure!(says["says"]["kind"] == "awaits_restore", "{says}");
    let (code, message) = {
        let refused = machine.attempt(&["backup"])?;
        let (code, message) = refused.error()?;
        (code.to_owned(), message.to_owned())
    };
    ensure!(code == "bad_request", "{message}");
    for folder in &folders {
        ensure!(machine.versions_of(folder)? == 1, "one of a bare disk");
    }
    let newest = version_of(&machine, pictures)?;
    let restore = machine.order(&["restore", &newest, "--to"]);
    let elsewhere = restore.argument(world.path("elsewhere")).within(WITHIN);
    elsewhere.run()?;
    ensure!(folder_in(&machine, pictures)?["state"]["kind"] == "awaits_restore");
    let restore = machine.order(&["restore", &newest, "--to"]);
    restore.argument(pictures).within(WITHIN).run()?;
    ensure!(std::fs::read(pictures.join("kept"))? == kept);
    ensure!(folder_in(&machine, pictures)?["state"]["kind"] != "awaits_restore");
    ensure!(folder_in(&machine, letters)?["state"]["kind"] == "awaits_restore");
    machine.run(&["backup"])?.expect_done()?;
    machine.wait_for_versions(pictures, 2)?;
    ensure!(machine.versions_of(letters)? == 1);
    // Whoever names it wants what is there now.
    std::fs::create_dir(letters)?;
    std::fs::write(letters.join("new"), "b")?;
    machine
        .order(&["backup"])
        .argument(letters)
        .run()?
        .expect_done()?;
    machine.wait_for_versions(letters, 2)?;
    ensure!(folder_in(&machine, letters)?["state"]["kind"] != "awaits_restore");
    Ok(())
}

/// A folder under protection, as it is listed.
fn folder_in(machine: &Machine, folder: &Path) -> Result<Value> {
    let listed = machine.run(&["folder", "list"])?.object;
    let folders = listed["folders"].as_array().context("no folders")?;
    let path = folder.to_str().context("a path in UTF-8")?;
    let found = folders.iter().find(|listed| listed["path"] == path);
    found
        .cloned()
        .with_context(|| format!("no {path} in {listed}"))
}

/// The only version of a folder.
fn version_of(machine: &Machine, folder: &Path) -> Result<String> {
    let listed = machine.run(&["snapshots"])?.object;
    let versions = listed["snapshots"].as_array().context("no versions")?;
    let path = folder.to_str().context("a path in UTF-8")?;
    let found = versions.iter().find(|version| version["path"] == path);
    let id = found.and_then(|version| version["id"].as_str());
    Ok(id.context("no version of it")?.to_owned())
}

/// Somebody whose machine is gone, and whose two suppliers keep all of it.
struct Scene {
    stage: Stage,
    source: PathBuf,
    words: String,
    /// What a recovery takes that nothing disturbs.
    took: Duration,
    world: World,
}

impl Scene {
    fn set_up(name: &str) -> Result<Self> {
        let world = World::new(name)?;
        let mut stage = Stage::set_up(&world, 2, Some("1/2"))?;
        let source = world.make_folder("source")?;
        let mut random = world.random();
        for file in 0..8 {
            random.write_file(&source.join(format!("file-{file}")), 300_000)?;
        }
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
        stage.customer.lose()?;
        Ok(Self {
            words: stage.customer.words.clone(),
            stage,
            source,
            took: Duration::ZERO,
            world,
        })
    }

    /// A recovery from the beginning to the end; remembers how long it took.
    fn recover(&mut self, name: &str) -> Result<Machine> {
        let mut machine = self.stage.new_machine(&self.world, name)?;
        let began = Instant::now();
        machine.recover(&self.words)?;
        self.took = began.elapsed();
        Ok(machine)
    }

    fn begin(&self, machine: &Machine) -> Result<Process> {
        let order = machine.order(&["recover", "--old-machine-gone", "--keys", "file"]);
        order.input(&self.words).begin()
    }

    fn device_of(&self, machine: &Machine) -> Result<String> {
        let devices = machine.run(&["device", "list"])?;
        let devices = devices.object["devices"].as_array().context("no devices")?;
        let this = devices.iter().find(|device| device["this"] == true);
        let this = this.and_then(|device| device["device"].as_str());
        Ok(this.context("it does not know itself")?.to_owned())
    }

    fn restore_and_compare(&self, machine: &Machine) -> Outcome {
        let target = self.world.path(&format!("restored-{}", machine.name));
        let restore = machine.order(&["restore", "latest", "--to"]);
        restore.argument(&target).within(WITHIN).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{}: {different}", machine.name);
        Ok(())
    }

    /// The root record that a machine found has these devices and the lost one; gives how many others it has.
    fn further_devices(&self, machine: &Machine, devices: &[String]) -> Result<usize> {
        let listed = machine.run(&["device", "list"])?;
        let listed = listed.object["devices"]
            .as_array()
            .context("no devices")?
            .clone();
        let listed = listed.iter().filter_map(|device| device["device"].as_str());
        let listed: BTreeSet<_> = listed.map(str::to_owned).collect();
        let mut wanted: BTreeSet<_> = devices.iter().cloned().collect();
        wanted.insert(self.stage.customer.device.clone());
        let missing: Vec<_> = wanted.difference(&listed).collect();
        ensure!(missing.is_empty(), "{missing:?} of {listed:?}");
        Ok(listed.len() - wanted.len())
    }

    /// What each supplier keeps.
    fn kept(&self) -> Result<Vec<BTreeMap<&'static str, (i64, i64)>>> {
        let folder = self.world.make_folder("looked-at")?;
        let suppliers = self.stage.suppliers.iter();
        suppliers
            .map(|supplier| kept_rows(&supplier.home, &folder))
            .collect()
    }

    fn closed_at(&self, supplier: usize) -> Result<usize> {
        let supplier = &self.stage.suppliers[supplier];
        closed_lanes(&supplier.home, &self.world.make_folder("looked-at")?)
    }
}
