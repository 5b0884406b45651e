//! Crashes: the customer or a supplier is killed in the middle of its work, again and again.
//! After each kill the same command brings the work to its end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::interrupt::{Measured, TraceReader, draw_moments, wait_for_step};
use bitdust_e2e_tests::ledger::{Glance, Ledger, copy_catalogue, glance};
use bitdust_e2e_tests::remains::half_files;
use bitdust_e2e_tests::{Outcome, Random, Stage, World, differences};

const SUPPLIERS: u8 = 6;
const CODE: &str = "3/6";
const FILES: u64 = 8;
const JOB_WITHIN: Duration = Duration::from_secs(120);

#[test]
fn a_customer_killed_at_twenty_moments_of_a_backup_loses_nothing() -> Outcome {
    let mut scene = Scene::set_up("customer-kills", 64_000_000)?;
    let measured = scene.measure()?;
    let mut in_the_middle = 0;
    for (round, moment) in draw_moments(&mut scene.random, 20).into_iter().enumerate() {
        let (before, at_kill) = scene.kill_customer(moment, &measured)?;
        let is_middle = at_kill.receipts > before.receipts && at_kill.head == before.head;
        in_the_middle += u32::from(is_middle);
        eprintln!(
            "kill {round} at {:.0} %: {} receipts, {} packs open, head {} then {}",
            moment * 100.0,
            at_kill.receipts.saturating_sub(before.receipts),
            at_kill.open_packs,
            before.published,
            at_kill.head,
        );
        scene.stage.customer.start()?;
        scene.back_up()?;
        if round % 5 == 4 {
            scene.restore_and_compare(round)?;
        }
    }
    ensure!(
        in_the_middle >= 5,
        "only {in_the_middle} kills between the first receipt and the head"
    );
    scene.check_packs()
}

#[test]
fn a_kill_that_comes_after_the_work_is_refused_as_no_kill() -> Outcome {
    let mut scene = Scene::set_up("late-kill", 1_000_000)?;
    let measured = scene.measure()?;
    let late = scene
        .interrupt(measured.len() * 10)
        .err()
        .map(|error| error.to_string());
    ensure!(
        late.as_ref()
            .is_some_and(|error| error.contains("finished before")),
        "{late:?}"
    );
    Ok(())
}

#[test]
fn a_supplier_killed_at_ten_moments_of_a_backup_holds_nothing_up() -> Outcome {
    let mut scene = Scene::set_up("supplier-kills", 60_000_000)?;
    let measured = scene.measure()?;
    for (round, moment) in draw_moments(&mut scene.random, 10).into_iter().enumerate() {
        let victim = usize::try_from(scene.random.next() % u64::from(SUPPLIERS))?;
        scene.change_source()?;
        let mut trace = TraceReader::open_at_end(&scene.trace)?;
        let mut backup = scene.stage.customer.order(&["backup"]).begin()?;
        wait_for_step(&mut trace, "BackupAsked", measured.step_at(moment), || {
            Ok(backup.ended()?.is_some())
        })?;
        scene.stage.suppliers[victim].kill()?;
        ensure!(
            backup.ended()?.is_none(),
            "the backup was finished before supplier {victim} was killed"
        );
        eprintln!("kill {round} at {:.0} %: supplier {victim}", moment * 100.0);
        scene.stage.suppliers[victim].start()?;
        let status = backup.wait(JOB_WITHIN)?;
        ensure!(
            status.success(),
            "the backup ended with {status}: {}",
            scene.stage.customer.log_end()
        );
    }
    scene.stage.check_alive()?;
    scene.stage.lose_suppliers(3)?;
    scene.restore_and_compare(0)?;
    scene.check_packs()
}

#[test]
fn a_restore_killed_and_run_again_never_shows_half_a_file() -> Outcome {
    let mut scene = Scene::set_up("restore-kills", 160_000_000)?;
    scene.back_up()?;
    scene.stage.customer.stop()?;
    let target = scene.world.path("undisturbed");
    scene
        .stage
        .customer
        .order(&["restore", "latest", "--to"])
        .argument(&target)
        .run()?;
    let measured = Measured::read(&scene.trace, "RestoreAsked")?;
    eprintln!(
        "undisturbed: {:?} in {} steps",
        measured.took(),
        measured.len()
    );
    std::fs::remove_dir_all(&target)?;
    let mut seen = BTreeSet::new();
    for (round, moment) in draw_moments(&mut scene.random, 8).into_iter().enumerate() {
        let target = scene.world.path(&format!("restored-{round}"));
        std::fs::remove_file(&scene.trace)?;
        let mut restore = scene
            .stage
            .customer
            .order(&["restore", "latest", "--to"])
            .argument(&target)
            .begin()?;
        let mut trace = TraceReader::open_when_there(&scene.trace)?;
        wait_for_step(&mut trace, "RestoreAsked", measured.step_at(moment), || {
            Ok(restore.ended()?.is_some())
        })?;
        restore.kill()?;
        let there = if target.is_dir() {
            std::fs::read_dir(&target)?.count()
        } else {
            0
        };
        eprintln!("kill {round} at {:.0} %: {there} names", moment * 100.0);
        seen.insert(there);
        if target.is_dir() {
            let half = half_files(&scene.source, &target)?;
            ensure!(half.is_empty(), "under their final names: {half}");
            ensure!(
                !differences(&scene.source, &target)?.is_empty(),
                "the restore was finished before it was killed"
            );
        }
        scene
            .stage
            .customer
            .order(&["restore", "latest", "--to"])
            .argument(&target)
            .run()?;
        let different = differences(&scene.source, &target)?;
        ensure!(different.is_empty(), "after kill {round}: {different}");
        std::fs::remove_dir_all(&target)?;
    }
    ensure!(
        seen.len() >= 3,
        "the kills all came at the same moment: {seen:?}"
    );
    Ok(())
}

/// A customer with its suppliers, a folder, and the account of all packs.
struct Scene {
    stage: Stage,
    source: PathBuf,
    source_bytes: u64,
    trace: PathBuf,
    random: Random,
    ledger: Ledger,
    world: World,
}

impl Scene {
    fn set_up(name: &str, source_bytes: u64) -> Result<Self> {
        let world = World::new(name)?;
        let mut stage = Stage::prepare(&world, SUPPLIERS, &[("policy.redial_max", "2000")])?;
        let trace = world.path("customer.trace");
        stage.customer.set("code", CODE)?;
        stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        stage
            .customer
            .order(&["folder", "add", "--"])
            .argument(&source)
            .run()?;
        let random = world.random();
        let ledger = Ledger::default();
        let mut scene = Self {
            stage,
            source,
            source_bytes,
            trace,
            random,
            ledger,
            world,
        };
        scene.change_source()?;
        Ok(scene)
    }

    /// New contents for all files, so that a backup has everything to do.
    fn change_source(&mut self) -> Outcome {
        for number in 0..FILES {
            let path = self.source.join(format!("file-{number}"));
            self.random.write_file(&path, self.source_bytes / FILES)?;
        }
        Ok(())
    }

    fn back_up(&mut self) -> Outcome {
        self.stage
            .customer
            .order(&["backup"])
            .within(JOB_WITHIN)
            .run()?;
        self.stage.customer.wait_until_spread()?;
        self.note_catalogue().map(drop)
    }

    /// Two backups that nobody disturbs: the first makes all that is made once.
    fn measure(&mut self) -> Result<Measured> {
        self.back_up()?;
        self.change_source()?;
        self.back_up()?;
        let measured = Measured::read(&self.trace, "BackupAsked")?;
        eprintln!(
            "undisturbed: {:?} in {} steps",
            measured.took(),
            measured.len()
        );
        Ok(measured)
    }

    /// Kills the customer in the middle of a backup of new contents; gives what its
    /// catalogue said before and after.
    fn kill_customer(&mut self, moment: f64, measured: &Measured) -> Result<(Glance, Glance)> {
        self.change_source()?;
        let before = self.note_catalogue()?;
        self.interrupt(measured.step_at(moment))?;
        let at_kill = self.note_catalogue()?;
        ensure!(
            at_kill.published == before.published,
            "the kill found the work finished: {before:?} became {at_kill:?}"
        );
        Ok((before, at_kill))
    }

    fn interrupt(&mut self, step: usize) -> Outcome {
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let mut backup = self.stage.customer.order(&["backup"]).begin()?;
        wait_for_step(&mut trace, "BackupAsked", step, || {
            Ok(backup.ended()?.is_some())
        })?;
        self.stage.customer.kill()?;
        let status = backup.wait(JOB_WITHIN)?;
        ensure!(
            !status.success(),
            "the backup ended well although its node was killed"
        );
        Ok(())
    }

    /// Reads the catalogue while nobody writes it.
    fn note_catalogue(&mut self) -> Result<Glance> {
        let copy = copy_catalogue(&self.stage.customer.home, self.world.folder())?;
        self.ledger.add_catalogue(&copy)?;
        glance(&copy)
    }

    fn restore_and_compare(&self, round: usize) -> Outcome {
        let target = self.world.path(&format!("restored-{round}"));
        let restore = self.stage.customer.order(&["restore", "latest", "--to"]);
        restore.argument(&target).within(JOB_WITHIN).run()?;
        compare(&self.source, &target)?;
        Ok(std::fs::remove_dir_all(&target)?)
    }

    /// No pack ever met two contents: in no catalogue after a kill, at no supplier.
    fn check_packs(&mut self) -> Outcome {
        let customer = &self.stage.customer;
        let mut kept = 0;
        for supplier in &self.stage.suppliers {
            kept += self.ledger.add_supplier(
                &supplier.home,
                self.world.folder(),
                &customer.identity,
                &customer.device,
            )?;
        }
        let collisions = self.ledger.collisions();
        eprintln!(
            "{kept} shards at the suppliers, {} places of packs in all",
            self.ledger.len()
        );
        ensure!(kept > 0, "nothing was counted");
        ensure!(
            collisions.is_empty(),
            "packs with two contents: {collisions:?}"
        );
        Ok(())
    }
}

fn compare(source: &Path, target: &Path) -> Outcome {
    let different = differences(source, target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}
