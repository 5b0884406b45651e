//! What is owed to suppliers when a node ends, in whatever way: it is in the ledger, and comes to
//! them after the next start without a command. What is said meanwhile never exceeds what is held.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bitdust_e2e_tests::interrupt::{BACKUP, TraceReader, draw_moments, wait_for_step};
use bitdust_e2e_tests::ledger::{Committed, committed_packs};
use bitdust_e2e_tests::whole::{Auditor, Shelves, Withheld};
use bitdust_e2e_tests::{Outcome, Random, Stage, Transport, World, differences, eventually, sized};

const SUPPLIERS: u8 = 6;
const CODE: &str = "3/6";
/// Shards of a pack that may be lost while it is called safe.
const SPARE: usize = 2;
/// How long it may be kept back that all is safe.
const SAID_WITHIN: Duration = Duration::from_secs(60);
/// Three packs of contents.
const FILES: u64 = 144;
const FILE_BYTES: u64 = 250_000;
const JOB_WITHIN: Duration = Duration::from_secs(120);
/// Steps of a backup of which a third of the suppliers answers nothing: the sealing of its packs and
/// what the others sign.
const STEPS: f64 = 24.0;

/// Two suppliers stall while a backup runs, the customer is killed or quit at a drawn moment, all
/// come back: nobody asks for anything, and soon everybody has everything, which is said only then.
#[test]
fn what_was_owed_at_an_end_is_paid_after_the_next_start() -> Outcome {
    let mut scene = Scene::set_up("debts")?;
    let mut owed = 0;
    for (round, moment) in draw_moments(&mut scene.random, sized(4, 20))
        .into_iter()
        .enumerate()
    {
        let is_kill = round % 2 == 0;
        let missing = scene.end_amid_a_backup(moment, is_kill)?;
        eprintln!("round {round} at {moment:.2}: {missing} shards of committed packs are owed");
        owed += usize::from(missing > 0);
        scene.stage.customer.start()?;
        scene.is_paid_without_a_word()?;
    }
    ensure!(owed > 0, "no end left anything owed");
    // Any three are enough for all of it.
    scene.back_up()?;
    scene.is_paid_without_a_word()?;
    scene.stage.lose_suppliers(3)?;
    scene.restore_and_compare()
}

/// As above, and meanwhile another supplier loses its database, finds it damaged, or comes back only
/// after the customer: what it has is counted all the same.
#[test]
fn what_was_owed_is_paid_beside_suppliers_in_trouble() -> Outcome {
    let mut scene = Scene::set_up("troubled-debts")?;
    scene.stage.keep_ports(Transport::Tcp)?;
    scene
        .stage
        .customer
        .wait_until_connected(SUPPLIERS.into())?;
    let mut owed = 0;
    for (round, moment) in draw_moments(&mut scene.random, sized(4, 20))
        .into_iter()
        .enumerate()
    {
        let is_kill = scene.random.next().is_multiple_of(2);
        let missing = scene.end_amid_a_backup(moment, is_kill)?;
        // One of the two that stalled, or one of the others.
        let victim = usize::try_from(scene.random.next() % u64::from(SUPPLIERS))?;
        let trouble = [Trouble::NoDatabase, Trouble::DamagedDatabase, Trouble::Late][round % 3];
        eprintln!(
            "round {round} at {moment:.2}, killed: {is_kill}: {missing} shards are owed; {trouble:?} at {victim}"
        );
        owed += usize::from(missing > 0);
        let supplier = &mut scene.stage.suppliers[victim];
        supplier.kill()?;
        let database = supplier.home.join("supplier.db");
        match trouble {
            Trouble::NoDatabase => std::fs::remove_file(database)?,
            Trouble::DamagedDatabase => std::fs::write(database, b"no database ".repeat(2_000))?,
            Trouble::Late => {}
        }
        if trouble != Trouble::Late {
            for log in ["supplier.db-wal", "supplier.db-shm"] {
                let log = supplier.home.join(log);
                if log.exists() {
                    std::fs::remove_file(log)?;
                }
            }
            supplier.start()?;
        }
        scene.stage.customer.start()?;
        if trouble == Trouble::Late {
            let others = usize::from(SUPPLIERS) - 1;
            scene.stage.customer.wait_until_connected(others)?;
            scene.look()?;
            scene.stage.suppliers[victim].start()?;
        }
        scene.is_paid_without_a_word()?;
    }
    ensure!(owed > 0, "no end left anything owed");
    scene.back_up()?;
    scene.is_paid_without_a_word()?;
    scene.stage.lose_suppliers(3)?;
    scene.restore_and_compare()
}

/// What befalls a supplier while its customer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    NoDatabase,
    DamagedDatabase,
    /// It is back only when the customer is.
    Late,
}

/// Over QUIC a supplier hears late that a process is gone that was sending: what comes from the next one
/// takes the place of that at once.
#[test]
fn what_a_dead_process_was_sending_is_taken_from_the_next() -> Outcome {
    let mut scene = Scene::set_up_in(World::over("debts-quic", Transport::Quic)?)?;
    let mut owed = 0;
    for moment in [0.5, 0.75] {
        owed += scene.end_amid_a_backup(moment, true)?;
        scene.stage.customer.start()?;
        scene.is_paid_without_a_word()?;
        let trace = std::fs::read_to_string(&scene.trace)?;
        let mut steps = trace.lines();
        let refused =
            steps.find(|step| step.contains("SendFailed") && step.contains(r#""code":"busy""#));
        ensure!(refused.is_none(), "{refused:?}");
        ensure!(trace.contains("ShardsStored"), "nothing was sent");
    }
    ensure!(owed > 0, "no end left anything owed");
    scene.back_up()?;
    scene.is_paid_without_a_word()?;
    scene.restore_and_compare()
}

/// The spool is lost with what waits in it: it is owed all the same, and made anew from what the
/// others keep.
#[test]
fn a_lost_spool_is_made_anew_from_what_others_keep() -> Outcome {
    let mut scene = Scene::set_up("lost-spool")?;
    scene.back_up()?;
    scene.change_source()?;
    scene.stage.suppliers[5].stop()?;
    let customer = &scene.stage.customer;
    customer.order(&["backup"]).within(JOB_WITHIN).run()?;
    // The backup does not wait until the customer has given up on it.
    eventually("something waits for the one away", JOB_WITHIN, || {
        let status = scene.stage.customer.status()?;
        Ok((status["spooled_bytes"].as_u64() > Some(0)).then_some(()))
    })?;
    scene.stage.customer.stop()?;
    std::fs::remove_dir_all(scene.stage.customer.home.join("spool"))?;
    scene.stage.customer.start()?;
    let committed = scene.committed()?;
    let missing = scene.missing(&committed)?;
    ensure!(missing > 0, "nothing is owed");
    scene.stage.suppliers[5].start()?;
    scene
        .stage
        .customer
        .wait_until_connected(SUPPLIERS.into())?;
    scene.is_paid_without_a_word()?;
    scene.restore_and_compare()
}

/// A customer with six suppliers and a folder of three packs.
struct Scene {
    stage: Stage,
    source: PathBuf,
    trace: PathBuf,
    auditor: Auditor,
    random: Random,
    world: World,
}

impl Scene {
    fn set_up(name: &str) -> Result<Self> {
        Self::set_up_in(World::new(name)?)
    }

    fn set_up_in(world: World) -> Result<Self> {
        let mut stage = Stage::prepare(&world, SUPPLIERS, &[("policy.redial_max", "2000")])?;
        let trace = world.path("customer.trace");
        stage.customer.set("code", CODE)?;
        stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        let mut scene = Self {
            random: world.random(),
            stage,
            source,
            trace,
            auditor: Auditor::default(),
            world,
        };
        scene.change_source()?;
        let customer = &scene.stage.customer;
        let add = customer.order(&["folder", "add", "--schedule", "manual", "--"]);
        add.argument(&scene.source).run()?;
        scene.back_up()?;
        Ok(scene)
    }

    /// New contents for all files, so that a backup has everything to do.
    fn change_source(&mut self) -> Outcome {
        for number in 0..FILES {
            let path = self.source.join(format!("file-{number}"));
            self.random.write_file(&path, FILE_BYTES)?;
        }
        Ok(())
    }

    fn back_up(&self) -> Outcome {
        let backup = self.stage.customer.order(&["backup"]);
        backup.within(JOB_WITHIN).run().map(drop)
    }

    /// Ends the customer in the middle of a backup during which two suppliers answer nothing; then
    /// these go on. Gives how many shards are owed.
    fn end_amid_a_backup(&mut self, moment: f64, is_kill: bool) -> Result<usize> {
        self.change_source()?;
        let mut trace = TraceReader::open_at_end(&self.trace)?;
        let mut backup = self.stage.customer.order(&["backup"]).begin()?;
        let stalled = [4, 5];
        for index in stalled {
            self.stage.suppliers[index].hold(true)?;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small number of steps"
        )]
        let step = (moment * STEPS) as usize;
        wait_for_step(&mut trace, BACKUP, step, || Ok(backup.ended()?.is_some()))?;
        if is_kill {
            self.stage.customer.kill()?;
        } else {
            self.stage.customer.stop()?;
        }
        backup.wait(JOB_WITHIN)?;
        for index in stalled {
            self.stage.suppliers[index].hold(false)?;
        }
        let committed = self.committed()?;
        self.missing(&committed)
    }

    /// Waits until all suppliers have all shards of committed packs and that is said to be safe. It
    /// is never said where it is not so, and soon where it is.
    fn is_paid_without_a_word(&self) -> Outcome {
        self.stage.customer.wait_until_connected(SUPPLIERS.into())?;
        let all_there = Instant::now();
        // The usual run shares its machine with other tests.
        let within = Duration::from_secs(sized(60, 20));
        let mut withheld = Withheld::at_most(SAID_WITHIN);
        let mut paid_after = None;
        eventually("it is said", within + SAID_WITHIN, || {
            let look = self.look()?;
            withheld.note(look.is_true, look.is_said, Instant::now())?;
            let is_paid = look.shelves.missing(&self.committed()?) == 0;
            let waited = all_there.elapsed();
            if is_paid {
                paid_after.get_or_insert(waited);
            }
            ensure!(is_paid || waited < within, "owed after {waited:?}");
            Ok((is_paid && look.is_said).then_some(()))
        })?;
        eprintln!(
            "paid after {:.1} s, said after {:.1} s, kept back for {:.1} s",
            paid_after.unwrap_or_default().as_secs_f64(),
            all_there.elapsed().as_secs_f64(),
            withheld.longest().as_secs_f64()
        );
        Ok(())
    }

    /// Fails where it is called safe and suppliers do not have enough for that.
    fn look(&self) -> Result<Look> {
        // What is published later is no part of what is said, and what comes later no reason to say it.
        let committed = self.committed()?;
        let before = self.shelves()?;
        let status = self.stage.customer.status()?;
        let is_said = status["protection"]["kind"] == "safe";
        let shelves = self.shelves()?;
        if let (true, Err(held)) = (is_said, shelves.are_safe(&committed, SPARE)) {
            bail!("called safe with {held} shards of a pack");
        }
        Ok(Look {
            is_true: before.are_safe(&committed, SPARE).is_ok(),
            is_said,
            shelves,
        })
    }

    fn committed(&self) -> Result<Vec<Committed>> {
        committed_packs(&self.stage.customer.home, self.world.folder())
    }

    /// Shards of packs that their holders do not have whole.
    fn missing(&self, committed: &[Committed]) -> Result<usize> {
        Ok(self.shelves()?.missing(committed))
    }

    fn shelves(&self) -> Result<Shelves> {
        self.auditor.look(&self.stage.suppliers)
    }

    fn restore_and_compare(&self) -> Outcome {
        let target = self.world.path("restored");
        let restore = self.stage.customer.order(&["restore", "latest", "--to"]);
        restore.argument(&target).within(JOB_WITHIN).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(())
    }
}

/// What is so and what is said at one moment.
struct Look {
    /// Whether what is published is safe, by what suppliers have.
    is_true: bool,
    /// Whether it is called so.
    is_said: bool,
    shelves: Shelves,
}
