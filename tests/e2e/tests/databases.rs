//! Databases that are damaged: what a node keeps for others is known again from its files, and its own
//! backups do not depend on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{Machine, Outcome, Random, Stage, World, differences, eventually};

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

fn harm_database(machine: &Machine, harm: impl FnOnce(&Path) -> Outcome) -> Outcome {
    for part in ["supplier.db-wal", "supplier.db-shm"] {
        let path = machine.home.join(part);
        if path.exists() {
            std::fs::remove_file(path)?;
        }
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
