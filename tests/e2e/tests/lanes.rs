//! A machine whose list of what is stored is older than what its suppliers keep, as after an older image of
//! its disk was put back: it takes in what they keep, writes over nothing of it, and goes on from there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{
    Machine, Outcome, Random, Stage, Transport, World, differences, eventually,
};

const SOON: Duration = Duration::from_secs(60);
const FILE_BYTES: u64 = 3_000_000;

/// One supplier was away when the newest version was made, and has less than the other. Nobody gives a
/// command; in the end each of them alone has everything.
#[test]
fn a_machine_that_was_laid_back_goes_on_from_what_its_suppliers_keep() -> Outcome {
    let mut scene = Scene::set_up("laid-back")?;
    scene.stage.keep_ports(Transport::Tcp)?;
    scene.stage.customer.stop()?;
    let old = scene.lay_back(None)?;
    scene.stage.customer.start()?;
    scene.stage.suppliers[1].stop()?;
    scene.stage.customer.wait_until_connected(1)?;
    scene.write("second")?;
    scene.back_up(3)?;
    let other = scene.world.make_folder("other")?;
    std::fs::write(other.join("letter"), "Dear all")?;
    let customer = &scene.stage.customer;
    let add = customer.order(&["folder", "add", "--schedule", "manual", "--"]);
    add.argument(&other).run()?;
    scene.back_up(3)?;
    scene.stage.customer.stop()?;
    scene.lay_back(Some(&old))?;
    scene.stage.suppliers[1].start()?;
    scene.stage.customer.start()?;
    scene.knows_again(4)?;
    // The folder that was added since is under protection again, as it was.
    let status = scene.stage.customer.status()?;
    let folders = status["folders"].as_array().context("no folders")?;
    let is_other = |folder: &&serde_json::Value| folder["path"] == *other.to_string_lossy();
    let found = folders.iter().find(is_other).context("it is forgotten")?;
    ensure!(found["schedule"].to_string().contains("manual"), "{found}");
    ensure!(
        status.to_string().contains("caught_up"),
        "it is in the history: {status}"
    );
    scene.write("third")?;
    scene.back_up(0)?;
    scene.stage.customer.wait_until_spread()?;
    // The one that was away has all of it.
    scene.recover_beside_the_loss_of(0)
}

/// A command that runs alone takes it in before it writes.
#[test]
fn one_command_of_a_machine_that_was_laid_back_goes_on_too() -> Outcome {
    let mut scene = Scene::set_up("laid-back-alone")?;
    scene.stage.customer.stop()?;
    let old = scene.lay_back(None)?;
    for name in ["second", "third"] {
        scene.write(name)?;
        scene.back_up(0)?;
    }
    scene.lay_back(Some(&old))?;
    scene.write("fourth")?;
    scene.back_up(0)?;
    ensure!(scene.versions()? == 4, "{}", scene.versions()?);
    scene.stage.customer.start()?;
    scene.stage.customer.wait_until_spread()?;
    scene.recover_beside_the_loss_of(1)
}

/// Two copies of one home, each of which is at work while the other is not: what one wrote the other takes
/// in, and nothing is lost.
#[test]
fn two_copies_of_a_home_that_take_turns_lose_nothing() -> Outcome {
    let mut scene = Scene::set_up("two-copies")?;
    scene.stage.customer.stop()?;
    let mut other = scene.lay_back(None)?;
    for (version, name) in (2..).zip(["one", "two", "one again", "two again", "one at last"]) {
        scene.stage.customer.start()?;
        scene.knows_again(version - 1)?;
        scene.write(name)?;
        scene.back_up(0)?;
        scene.stage.customer.wait_until_spread()?;
        scene.stage.customer.stop()?;
        other = scene.lay_back(Some(&other))?;
    }
    scene.stage.customer.start()?;
    scene.knows_again(6)?;
    scene.recover_beside_the_loss_of(0)
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
        scene.back_up(0)?;
        customer.wait_until_spread()?;
        Ok(scene)
    }

    /// Puts another catalogue in the place of the customer's, which is not running; gives what was there.
    fn lay_back(&self, catalogue: Option<&[u8]>) -> Result<Vec<u8>> {
        let home = &self.stage.customer.home;
        let path = home.join("catalogue.db");
        for part in ["catalogue.db-wal", "catalogue.db-shm"] {
            ensure!(!home.join(part).exists(), "it was not closed: {part}");
        }
        let was = std::fs::read(&path)?;
        if let Some(catalogue) = catalogue {
            std::fs::write(path, catalogue)?;
        }
        Ok(was)
    }

    fn write(&mut self, name: &str) -> Outcome {
        self.random.write_file(&self.source.join(name), FILE_BYTES)
    }

    fn back_up(&self, code: i32) -> Outcome {
        let backup = self.stage.customer.order(&["backup"]);
        let reply = backup.within(SOON).attempt()?;
        ensure!(reply.code == Some(code), "{}", reply.object);
        Ok(())
    }

    fn versions(&self) -> Result<usize> {
        let listed = self.stage.customer.run(&["snapshots"])?;
        let versions = listed.object["snapshots"].as_array();
        Ok(versions.context("no list")?.len())
    }

    /// Waits until so many versions are listed, and nothing is said to be missing.
    fn knows_again(&self, versions: usize) -> Outcome {
        let customer = &self.stage.customer;
        customer.wait_until_connected(2)?;
        eventually("the list is up to date", SOON, || {
            let status = customer.status()?;
            let is_told = status["is_behind"] == false && status["is_catching_up"] == false;
            let is_safe = status["protection"]["kind"] == "safe";
            Ok((is_told && is_safe && self.versions()? == versions).then_some(()))
        })
    }

    /// A bare new machine finds the newest version beside the other supplier alone.
    fn recover_beside_the_loss_of(&mut self, supplier: usize) -> Outcome {
        let words = self.stage.customer.words.clone();
        self.stage.customer.stop()?;
        self.stage.suppliers[supplier].kill()?;
        let mut machine: Machine = self.stage.new_machine(&self.world, "new-home")?;
        machine.recover(&words)?;
        machine.start()?;
        machine.wait_until_connected(1)?;
        let target = self.world.path("restored");
        let versions = machine.run(&["snapshots"])?;
        let versions = versions.object["snapshots"].as_array().cloned();
        let mut of_source = versions.context("no list")?.into_iter().rev();
        let is_of_source =
            |version: &serde_json::Value| version["path"] == *self.source.to_string_lossy();
        let newest = of_source.find(is_of_source).context("it is not listed")?;
        let id = newest["id"].as_str().context("without a name")?;
        machine
            .order(&["restore", id, "--to"])
            .argument(&target)
            .within(SOON)
            .run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(())
    }
}
