//! Crashes: the customer or a supplier is killed in the middle of its work, again and again.
//! After each kill the same command brings the work to its end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bitdust_e2e_tests::interrupt::{
    BACKUP, Measured, RESTORE, TraceReader, draw_moments, until_in_time, wait_for_step,
};
use bitdust_e2e_tests::ledger::{Glance, Ledger, copy_catalogue, glance};
use bitdust_e2e_tests::remains::half_files;
use bitdust_e2e_tests::{
    Machine, Outcome, Random, Stage, Transport, World, differences, eventually, sized,
};

const SUPPLIERS: u8 = 6;
const CODE: &str = "3/6";
/// Less than the smallest chunk: one chunk each, so that every run has the same packs.
const FILE_BYTES: u64 = 250_000;
const JOB_WITHIN: Duration = Duration::from_secs(120);
/// Kills beyond those that are asked for, until enough of them came in the middle.
const FURTHER_MAX: usize = 10;
/// Starts until a machine listens elsewhere than before.
const MOVES_MAX: u32 = 10;

#[test]
fn a_customer_killed_at_many_moments_of_a_backup_loses_nothing() -> Outcome {
    let mut scene = Scene::set_up(World::over("customer-kills", Transport::Tcp)?, 256)?;
    scene.kill_customer_at_moments(sized(6, 20), sized(1, 5))
}

#[test]
fn a_customer_killed_while_it_speaks_quic_loses_nothing() -> Outcome {
    let mut scene = Scene::set_up(World::over("customer-kills-quic", Transport::Quic)?, 128)?;
    scene.kill_customer_at_moments(sized(2, 6), 0)
}

#[test]
fn a_kill_that_comes_after_the_work_is_refused_as_no_kill() -> Outcome {
    let mut scene = Scene::set_up(World::new("late-kill")?, 8)?;
    let measured = scene.measure()?;
    ensure!(
        !scene.interrupt(measured.len() * 10)?,
        "a backup that was done counts as killed"
    );
    ensure!(
        scene.interrupt(1)?,
        "control: one that begins can be killed"
    );
    Ok(())
}

#[test]
fn a_supplier_killed_at_many_moments_of_a_backup_holds_nothing_up() -> Outcome {
    let mut scene = Scene::set_up(World::new("supplier-kills")?, 240)?;
    scene.stage.keep_ports(Transport::Tcp)?;
    scene.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
    scene.kill_suppliers(sized(3, 9))
}

#[test]
fn a_supplier_killed_while_it_speaks_quic_holds_nothing_up() -> Outcome {
    let mut scene = Scene::set_up(World::new("supplier-kills-quic")?, 240)?;
    scene.stage.keep_ports(Transport::Quic)?;
    scene.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
    scene.kill_suppliers(1)
}

#[test]
fn a_supplier_that_comes_back_at_another_port_is_found_again() -> Outcome {
    let mut scene = Scene::set_up(World::over("moved", Transport::Tcp)?, 100)?;
    scene.back_up()?;
    scene.change_source()?;
    // The first is the one from which all others started.
    for moved in [0, 3, 5] {
        move_elsewhere(&mut scene.stage.suppliers[moved])?;
    }
    scene.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
    scene.back_up()
}

#[test]
fn a_restore_killed_at_many_moments_and_run_again_never_shows_half_a_file() -> Outcome {
    let mut scene = Scene::set_up(World::over("restore-kills", Transport::Tcp)?, 720)?;
    scene.back_up()?;
    scene.restore_and_compare(99)?;
    let measured = Measured::read(&scene.trace, RESTORE)?;
    eprintln!(
        "undisturbed: {:?} in {} steps",
        measured.took(),
        measured.len()
    );
    let files = usize::try_from(scene.files)?;
    let is_between = |finished: &usize| (1..files).contains(finished);
    let kills = sized(6, 20);
    let mut moments = draw_moments(&mut scene.random, kills);
    let mut seen = vec![];
    while let Some(moment) = moments.pop() {
        let round = seen.len();
        let target = scene.world.path(&format!("restored-{round}"));
        let (moment, finished) = until_in_time(moment, |moment| {
            scene.kill_restore(&target, measured.step_at(moment))
        })?;
        let percent = moment * 100.0;
        eprintln!("kill {round} at {percent:.0} %: {finished} files were finished");
        seen.push(finished);
        scene.stage.customer.start()?;
        scene.restore_and_compare(round)?;
        scene.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
        // Chance or a busy machine may have let none come between two files.
        let is_seen = seen.iter().any(is_between);
        if moments.is_empty() && !is_seen && seen.len() < kills + FURTHER_MAX {
            moments = draw_moments(&mut scene.random, 1);
        }
    }
    ensure!(
        seen.iter().any(is_between),
        "no kill came between two files: {seen:?}"
    );
    Ok(())
}

#[test]
fn a_restore_that_somebody_stops_leaves_nothing() -> Outcome {
    let mut scene = Scene::set_up(World::over("restore-stopped", Transport::Tcp)?, 720)?;
    scene.back_up()?;
    scene.restore_and_compare(99)?;
    let measured = Measured::read(&scene.trace, RESTORE)?;
    for (round, part) in [0.2, 0.5, 0.8].into_iter().enumerate() {
        until_in_time(part, |part| {
            scene.stop_restore(round, measured.step_at(part))
        })?;
        let outer = scene.world.path(&format!("stopped-{round}"));
        eventually("nothing is left of it", JOB_WITHIN, || {
            Ok((!outer.exists()).then_some(()))
        })?;
    }
    scene.restore_and_compare(100)
}

/// A customer with its suppliers, a folder, and the account of all packs.
struct Scene {
    stage: Stage,
    source: PathBuf,
    files: u64,
    trace: PathBuf,
    random: Random,
    ledger: Ledger,
    world: World,
}

impl Scene {
    fn set_up(world: World, files: u64) -> Result<Self> {
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
            files,
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
        for number in 0..self.files {
            let path = self.source.join(format!("file-{number}"));
            self.random.write_file(&path, FILE_BYTES)?;
        }
        Ok(())
    }

    fn back_up(&mut self) -> Outcome {
        self.stage
            .customer
            .order(&["backup"])
            .within(JOB_WITHIN)
            .attempt()?
            .expect_done()?;
        self.stage.customer.wait_until_spread()?;
        self.note_catalogue().map(drop)
    }

    /// Two backups that nobody disturbs: the first makes all that is made once.
    fn measure(&mut self) -> Result<Measured> {
        self.back_up()?;
        self.change_source()?;
        self.back_up()?;
        let measured = Measured::read(&self.trace, BACKUP)?;
        eprintln!(
            "undisturbed: {:?} in {} steps",
            measured.took(),
            measured.len()
        );
        Ok(measured)
    }

    /// Kills the customer at drawn moments of as many backups and lets each come to its end. So many of
    /// the kills have to come between the first receipt and the head; where chance or a busy machine
    /// gives fewer, there are further ones.
    fn kill_customer_at_moments(&mut self, kills: usize, in_the_middle: usize) -> Outcome {
        let measured = self.measure()?;
        let mut moments = draw_moments(&mut self.random, kills);
        let (mut round, mut found) = (0, 0);
        while let Some(moment) = moments.pop() {
            found += usize::from(self.kill_customer(round, &measured, moment)?);
            round += 1;
            if moments.is_empty() && found < in_the_middle && round < kills + FURTHER_MAX {
                moments = draw_moments(&mut self.random, 1);
            }
        }
        ensure!(
            found >= in_the_middle,
            "only {found} of {round} kills between the first receipt and the head"
        );
        self.check_packs()
    }

    /// Kills the customer at a moment of a backup and lets it come to its end; gives whether that was
    /// between the first receipt and the head.
    fn kill_customer(&mut self, round: usize, measured: &Measured, moment: f64) -> Result<bool> {
        let (moment, before) = until_in_time(moment, |moment| {
            self.change_source()?;
            let before = self.note_catalogue()?;
            Ok(self.interrupt(measured.step_at(moment))?.then_some(before))
        })?;
        let at_kill = self.note_catalogue()?;
        eprintln!(
            "kill {round} at {:.0} %: {} receipts, {} packs open, head {} then {}",
            moment * 100.0,
            at_kill.receipts.saturating_sub(before.receipts),
            at_kill.open_packs,
            before.head,
            at_kill.head,
        );
        self.stage.customer.start()?;
        self.back_up()?;
        self.restore_and_compare(round)?;
        Ok(at_kill.receipts > before.receipts && at_kill.head == before.head)
    }

    /// Kills the customer at a step of a backup, and says whether it was in time; the customer
    /// goes on where it was not.
    fn interrupt(&mut self, step: usize) -> Result<bool> {
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let mut backup = self.stage.customer.order(&["backup"]).begin()?;
        if !wait_for_step(&mut trace, BACKUP, step, || Ok(backup.ended()?.is_some()))? {
            return Ok(false);
        }
        self.stage.customer.kill()?;
        if !backup.wait(JOB_WITHIN)?.success() {
            return Ok(true);
        }
        self.stage.customer.start()?;
        self.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
        Ok(false)
    }

    fn kill_suppliers(&mut self, kills: usize) -> Outcome {
        let measured = self.measure()?;
        for (round, moment) in draw_moments(&mut self.random, kills)
            .into_iter()
            .enumerate()
        {
            let victim = usize::try_from(self.random.next() % u64::from(SUPPLIERS))?;
            let (moment, took) = until_in_time(moment, |moment| {
                self.kill_supplier(victim, measured.step_at(moment))
            })?;
            let percent = moment * 100.0;
            eprintln!("kill {round} at {percent:.0} %: supplier {victim}, finished after {took:?}");
            self.restore_and_compare(round)?;
        }
        self.stage.check_alive()?;
        self.stage.lose_suppliers(3)?;
        self.restore_and_compare(0)?;
        self.check_packs()
    }

    /// Kills a supplier in the middle of a backup of new contents and starts it again; gives
    /// how long the backup went on, or nothing where it was done before.
    fn kill_supplier(&mut self, victim: usize, step: usize) -> Result<Option<Duration>> {
        self.change_source()?;
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let mut backup = self.stage.customer.order(&["backup"]).begin()?;
        wait_for_step(&mut trace, BACKUP, step, || Ok(backup.ended()?.is_some()))?;
        self.stage.suppliers[victim].kill()?;
        let is_in_time = backup.ended()?.is_none();
        self.stage.suppliers[victim].start()?;
        let started = Instant::now();
        let status = backup.wait(JOB_WITHIN)?;
        let log = self.stage.customer.log_end();
        ensure!(status.success(), "the backup ended with {status}: {log}");
        let took = started.elapsed();
        self.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
        Ok(is_in_time.then_some(took))
    }

    /// Stops a restore in the middle; gives nothing where it was done before.
    fn stop_restore(&mut self, round: usize, step: usize) -> Result<Option<()>> {
        let target = self.world.path(&format!("stopped-{round}/inner"));
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let order = self.stage.customer.order(&["restore", "latest", "--to"]);
        let mut restore = order.argument(&target).begin()?;
        wait_for_step(&mut trace, RESTORE, step, || Ok(restore.ended()?.is_some()))?;
        if restore.ended()?.is_none() {
            restore.terminate()?;
        }
        if !restore.wait(JOB_WITHIN)?.success() {
            return Ok(Some(()));
        }
        std::fs::remove_dir_all(self.world.path(&format!("stopped-{round}")))?;
        Ok(None)
    }

    /// Kills a restore in the middle; gives how many files were finished, or nothing where all
    /// were. None of them may be half a file.
    fn kill_restore(&mut self, target: &Path, step: usize) -> Result<Option<usize>> {
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let order = self.stage.customer.order(&["restore", "latest", "--to"]);
        let mut restore = order.argument(target).begin()?;
        wait_for_step(&mut trace, RESTORE, step, || Ok(restore.ended()?.is_some()))?;
        self.stage.customer.kill()?;
        let status = restore.wait(JOB_WITHIN)?;
        if !target.is_dir() {
            ensure!(!status.success(), "it ended well and restored nothing");
            return Ok(Some(0));
        }
        let half = half_files(&self.source, target)?;
        ensure!(half.is_empty(), "under their final names: {half}");
        if differences(&self.source, target)?.is_empty() {
            std::fs::remove_dir_all(target)?;
            self.stage.customer.start()?;
            self.stage.customer.wait_for_suppliers(SUPPLIERS.into())?;
            return Ok(None);
        }
        ensure!(
            !status.success(),
            "the restore ended well although its node was killed"
        );
        let names = std::fs::read_dir(target)?.map(|entry| Ok(entry?.file_name()));
        let names = names.collect::<Result<Vec<_>>>()?;
        let finished = names
            .iter()
            .filter(|name| self.source.join(name).exists())
            .count();
        Ok(Some(finished))
    }

    /// Reads the catalogue.
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

/// Kills a machine and starts it at another port. The system may give it the same one again.
fn move_elsewhere(machine: &mut Machine) -> Outcome {
    let before = machine.address()?;
    for _ in 0..MOVES_MAX {
        machine.kill()?;
        machine.start()?;
        if machine.address()? != before {
            return Ok(());
        }
    }
    bail!("it did not move in {MOVES_MAX} starts")
}

fn compare(source: &Path, target: &Path) -> Outcome {
    let different = differences(source, target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}
