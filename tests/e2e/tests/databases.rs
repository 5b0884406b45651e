//! Databases that are damaged: what a node keeps for others is known again from its files, and its own
//! backups do not depend on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{
    Machine, Outcome, Random, Stage, Transport, World, differences, eventually,
};

const SOON: Duration = Duration::from_secs(60);
const FILE_BYTES: u64 = 3_000_000;

#[test]
fn a_supplier_with_a_damaged_database_gives_back_what_it_has() -> Outcome {
    is_served_again("damaged-database", |database| {
        Ok(std::fs::write(database, b"no database ".repeat(2_000))?)
    })
}

#[test]
fn a_supplier_without_its_database_gives_back_what_it_has() -> Outcome {
    is_served_again("lost-database", |database| {
        Ok(std::fs::remove_file(database)?)
    })
}

/// Whoever reads from it gets all, and gives it what is new: nothing has to be signed again.
fn is_served_again(name: &str, harm: impl FnOnce(&Path) -> Outcome) -> Outcome {
    let mut scene = Scene::set_up(name)?;
    let supplier = &mut scene.stage.suppliers[0];
    supplier.stop()?;
    harm_database(supplier, harm)?;
    supplier.start()?;
    scene.stage.customer.wait_until_connected(2)?;
    scene.write("new")?;
    // It knows its contract and the newest head, and takes what is new at once.
    scene.back_up()?;
    eventually("it is safe", SOON, || {
        let status = scene.stage.customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })?;
    // It alone has all of it, what is old and what is new.
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

/// A disk that refuses is no loss: nobody is told that something is gone, and what the home has with others
/// is backed up and restored meanwhile.
#[test]
fn a_disk_that_refuses_shuts_only_what_is_kept_for_others() -> Outcome {
    let mut scene = Scene::set_up("shut")?;
    // Two are started anew, and are to find each other.
    scene.stage.keep_ports(Transport::Tcp)?;
    let shut = |machine: &mut Machine| {
        let database = machine.home.join("supplier.db");
        machine.stop()?;
        std::fs::rename(&database, machine.home.join("supplier.db.well"))?;
        // It can neither be read nor written.
        std::fs::create_dir(&database)?;
        machine.start()
    };
    shut(&mut scene.stage.customer)?;
    shut(&mut scene.stage.suppliers[0])?;
    let told = scene.stage.suppliers[0].status()?["notices"].to_string();
    ensure!(told.contains("cannot be opened"), "{told}");
    scene.stage.customer.wait_until_connected(2)?;
    // The other one has all of it.
    scene.restore_and_compare()?;
    scene.write("new")?;
    let backup = scene.stage.customer.order(&["backup"]).within(SOON);
    backup.attempt()?.expect_code(3)?;
    let status = scene.stage.customer.status()?;
    let history = status["notices"].to_string();
    ensure!(!history.contains("does not have a part"), "{history}");

    let supplier = &mut scene.stage.suppliers[0];
    supplier.stop()?;
    let database = supplier.home.join("supplier.db");
    std::fs::remove_dir(&database)?;
    std::fs::rename(supplier.home.join("supplier.db.well"), &database)?;
    supplier.start()?;
    eventually("it is safe", SOON, || {
        let status = scene.stage.customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })?;
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

#[test]
fn own_backups_do_not_depend_on_what_is_kept_for_others() -> Outcome {
    let mut scene = Scene::set_up("own-database")?;
    let customer = &mut scene.stage.customer;
    customer.stop()?;
    harm_database(customer, |database| {
        Ok(std::fs::write(database, b"no database ".repeat(2_000))?)
    })?;
    customer.start()?;
    customer.wait_until_connected(2)?;
    scene.restore_and_compare()?;
    scene.write("new")?;
    scene.back_up()?;
    scene.restore_and_compare()?;
    let aside = scene.stage.customer.home.join("supplier.db.damaged-1");
    ensure!(aside.exists(), "the damaged one is kept");
    Ok(())
}

/// Whose own list is damaged keeps on keeping for others, who know where.
#[test]
fn a_supplier_with_a_damaged_catalogue_goes_on_keeping() -> Outcome {
    let mut scene = Scene::set_up("supplier-catalogue")?;
    scene.stage.keep_ports(Transport::Tcp)?;
    for harm in [overwrite as Harm, hole, remove] {
        let supplier = &mut scene.stage.suppliers[0];
        supplier.stop()?;
        let whole = harm_catalogue(supplier, harm)?;
        supplier.start()?;
        wait_until_unknown(supplier)?;
        scene.stage.customer.wait_until_connected(2)?;
        scene.write("new")?;
        scene.back_up()?;
        scene.stage.customer.wait_until_spread()?;
        scene.restore_and_compare()?;
        let supplier = &mut scene.stage.suppliers[0];
        supplier.stop()?;
        std::fs::write(supplier.home.join("catalogue.db"), whole)?;
        supplier.start()?;
        scene.stage.customer.wait_until_connected(2)?;
    }
    scene.stage.suppliers[1].kill()?;
    scene.restore_and_compare()
}

/// Nothing is called safe by a list that is damaged, and nothing is written by it; the words bring all
/// back.
#[test]
fn what_a_damaged_catalogue_says_is_not_called_safe() -> Outcome {
    let mut scene = Scene::set_up("own-catalogue")?;
    for harm in [overwrite as Harm, hole, empty, remove] {
        let customer = &mut scene.stage.customer;
        customer.stop()?;
        let whole = harm_catalogue(customer, harm)?;
        let damaged = std::fs::read(customer.home.join("catalogue.db")).ok();
        customer.start()?;
        wait_until_unknown(customer)?;
        let refused = customer.order(&["backup"]).within(SOON).attempt()?;
        ensure!(refused.code == Some(1), "{}", refused.object);
        let error = &refused.object["error"];
        ensure!(error["code"] == "catalogue_damaged", "{}", refused.object);
        customer.kill()?;
        if customer.home.join("catalogue.db.scratch").exists() {
            let left = std::fs::read(customer.home.join("catalogue.db")).ok();
            ensure!(left == damaged, "it was written into");
        }
        for part in ["catalogue.db-wal", "catalogue.db-shm"] {
            remove_if_there(&customer.home.join(part))?;
        }
        std::fs::write(customer.home.join("catalogue.db"), whole)?;
        customer.start()?;
        customer.wait_until_connected(2)?;
        eventually("it is safe again", SOON, || {
            let status = customer.status()?;
            Ok((status["protection"]["kind"] == "safe").then_some(()))
        })?;
    }
    let customer = &mut scene.stage.customer;
    let words = customer.words.clone();
    customer.stop()?;
    harm_catalogue(customer, hole)?;
    let mut machine = scene.stage.new_machine(&scene.world, "new-home")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(2)?;
    scene.stage.customer = machine;
    scene.restore_and_compare()
}

fn wait_until_unknown(machine: &Machine) -> Outcome {
    eventually("the damage is told", SOON, || {
        let status = machine.status()?;
        let is_told = status["sentence"]
            .as_str()
            .is_some_and(|sentence| sentence.contains("damaged"));
        Ok((is_told && status["protection"]["kind"] == "unknown").then_some(()))
    })
}

/// What is left of a file, if there still is one.
type Harm = fn(&[u8]) -> Option<Vec<u8>>;

/// Harms the catalogue of a machine that is not running; gives what it was.
fn harm_catalogue(machine: &Machine, harm: Harm) -> Result<Vec<u8>> {
    let path = machine.home.join("catalogue.db");
    let whole = std::fs::read(&path)?;
    match harm(&whole) {
        Some(left) => std::fs::write(path, left)?,
        None => std::fs::remove_file(path)?,
    }
    Ok(whole)
}

fn overwrite(_: &[u8]) -> Option<Vec<u8>> {
    Some(b"no database ".repeat(2_000))
}

fn empty(_: &[u8]) -> Option<Vec<u8>> {
    Some(Vec::new())
}

fn remove(_: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Zeroes 64 bytes, the header of a page in the middle.
fn hole(database: &[u8]) -> Option<Vec<u8>> {
    const PAGE: usize = 4_096;
    let page = database.len() / PAGE / 2;
    let mut holed = database.to_vec();
    holed[page * PAGE..][..64].fill(0);
    Some(holed)
}

fn remove_if_there(path: &Path) -> Outcome {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

fn harm_database(machine: &Machine, harm: impl FnOnce(&Path) -> Outcome) -> Outcome {
    for part in ["supplier.db-wal", "supplier.db-shm"] {
        remove_if_there(&machine.home.join(part))?;
    }
    harm(&machine.home.join("supplier.db"))
}

/// A customer of two suppliers, each of whom has everything.
struct Scene {
    stage: Stage,
    source: PathBuf,
    random: Random,
    world: World,
}

impl Scene {
    fn set_up(name: &str) -> Result<Self> {
        let world = World::new(name)?;
        let settings = [("policy.retry_min", "200"), ("policy.redial_max", "1000")];
        let mut stage = Stage::prepare(&world, 2, &settings)?;
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        let mut scene = Self {
            random: world.random(),
            stage,
            source,
            world,
        };
        scene.write("first")?;
        let customer = &scene.stage.customer;
        let add = customer.order(&["folder", "add", "--schedule", "manual", "--"]);
        add.argument(&scene.source).run()?;
        scene.back_up()?;
        customer.wait_until_spread()?;
        Ok(scene)
    }

    fn write(&mut self, name: &str) -> Outcome {
        self.random.write_file(&self.source.join(name), FILE_BYTES)
    }

    fn back_up(&self) -> Outcome {
        let backup = self.stage.customer.order(&["backup"]);
        backup.within(SOON).run().map(drop)
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
