//! Hosts of others that vanished: nobody refuses and nobody says that a connection ended, so that whoever
//! waits for one of them waits for long. Nobody is to.
//!
//! What is waited for all the same would take at least [`NOTICED_AFTER`]; what does not wait takes a
//! second or two, on a busy machine a few.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::hosts::{Hosts, own_hosts};
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_engine::{Input, Output};

const SUPPLIERS: u8 = 6;
const CODE: &str = "3/6";
/// As many as may go at this code.
const GONE: usize = 3;
/// The DHT waits so long for somebody, connections end later and dials much later.
const NOTICED_AFTER: Duration = Duration::from_secs(10);
const WITHIN: Duration = Duration::from_secs(120);
/// Backups at once, so that one would meet what the one before has left.
const BACKUPS: usize = 3;
/// To look for their lanes one after the other would take too long.
const MACHINES: usize = 10;
const JOINED_WITHIN: Duration = Duration::from_secs(60);
/// The waits of real homes; tests have longer ones, as they share their machine.
const SETTINGS: [(&str, &str); 1] = [("policy.straggler_wait", "700")];

#[test]
fn backups_beside_a_supplier_that_vanished() -> Outcome {
    with_hosts("backups_beside_a_supplier_that_vanished", |hosts| {
        beside_a_supplier(hosts, SUPPLIERS, CODE)
    })
}

#[test]
fn backups_beside_one_of_three_that_vanished() -> Outcome {
    with_hosts("backups_beside_one_of_three_that_vanished", |hosts| {
        beside_a_supplier(hosts, 3, "1/3")
    })
}

/// At once, and just after a start, which dials everybody.
fn beside_a_supplier(hosts: &Hosts, suppliers: u8, code: &str) -> Outcome {
    let mut scene = Scene::set_up(hosts, suppliers, code)?;
    scene.stage.suppliers[0].vanish()?;
    for _ in 0..BACKUPS {
        scene.back_up("beside a supplier that vanished")?;
    }
    scene.stage.customer.stop()?;
    scene.stage.customer.start()?;
    scene.back_up("just after a start")
}

/// It is nobody's supplier: only the DHT knows it.
#[test]
fn backups_beside_a_stranger_that_vanished() -> Outcome {
    with_hosts("backups_beside_a_stranger_that_vanished", |hosts| {
        let mut scene = Scene::set_up(hosts, 3, "1/3")?;
        let mut stranger = scene.join_a_stranger()?;
        stranger.vanish()?;
        for _ in 0..BACKUPS {
            scene.back_up("beside a stranger that vanished")?;
        }
        Ok(())
    })
}

#[test]
fn a_restore_from_suppliers_of_which_half_just_vanished() -> Outcome {
    with_hosts(
        "a_restore_from_suppliers_of_which_half_just_vanished",
        |hosts| {
            let mut scene = Scene::set_up(hosts, SUPPLIERS, CODE)?;
            let alone = scene.restore("alone")?;
            scene.lose_half()?;
            for name in ["first", "second"] {
                let took = scene.restore(name)?;
                eprintln!("the {name}: {took:?}, with all {alone:?}");
                ensure!(took < alone + NOTICED_AFTER, "{took:?}, with all {alone:?}");
            }
            Ok(())
        },
    )
}

/// From a supplier, and from somebody who keeps nothing of it.
#[test]
fn recoveries_when_half_of_the_suppliers_vanished() -> Outcome {
    with_hosts("recoveries_when_half_of_the_suppliers_vanished", |hosts| {
        let mut scene = Scene::set_up(hosts, SUPPLIERS, CODE)?;
        let stranger = scene.join_a_stranger()?;
        scene.wait_until_published()?;
        scene.lose_half()?;
        let words = scene.stage.customer.words.clone();
        scene.stage.customer.vanish()?;
        let beside_a_supplier = scene.stage.new_machine(&scene.world, "bare")?;
        let mut beside_a_stranger = scene.world.machine("barer");
        beside_a_stranger.bootstrap = vec![stranger.address()?];
        for mut machine in [beside_a_supplier, beside_a_stranger] {
            let took = machine.recover(&words)?.took;
            eprintln!("{}: {took:?}", machine.name);
            ensure!(took < NOTICED_AFTER, "{}: {took:?}", machine.name);
        }
        Ok(())
    })
}

/// Each had a lane of its own, whose record is looked for; where fewer than three copies are left a query of the
/// DHT goes on until it has met all who are gone.
#[test]
fn a_recovery_of_somebody_who_had_many_machines() -> Outcome {
    with_hosts("a_recovery_of_somebody_who_had_many_machines", |hosts| {
        let mut scene = Scene::set_up(hosts, 3, "1/3")?;
        let words = scene.stage.customer.words.clone();
        scene.stage.customer.vanish()?;
        for number in 0..MACHINES {
            let machine = format!("machine-{number}");
            let machine = scene.stage.new_machine(&scene.world, &machine)?;
            machine.attempt_recovery(&words)?.expect_code(0)?;
        }
        for supplier in &mut scene.stage.suppliers[1..] {
            supplier.vanish()?;
        }
        let machine = scene.stage.new_machine(&scene.world, "bare")?;
        let took = machine.attempt_recovery(&words)?.expect_code(0)?.took;
        eprintln!("after {MACHINES} machines: {took:?}");
        ensure!(took < NOTICED_AFTER, "{took:?}");
        Ok(())
    })
}

fn with_hosts(test: &str, journey: impl FnOnce(&Hosts) -> Outcome) -> Outcome {
    match own_hosts(test)? {
        Some(hosts) => journey(&hosts),
        None => Ok(()),
    }
}

struct Scene {
    stage: Stage,
    trace: PathBuf,
    source: PathBuf,
    files: usize,
    world: World,
}

impl Scene {
    /// A customer whose folder all suppliers have their part of.
    fn set_up(hosts: &Hosts, suppliers: u8, code: &str) -> Result<Self> {
        let world = World::of_hosts("vanished", hosts)?.over_tcp();
        let mut stage = Stage::prepare(&world, suppliers, &SETTINGS)?;
        stage.customer.set("code", code)?;
        let trace = world.path("customer.trace");
        stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        let mut random = world.random();
        for file in 0..6 {
            random.write_file(&source.join(format!("file-{file}")), 2_000_000)?;
        }
        let add = stage.customer.order(&["folder", "add", "--"]);
        add.argument(&source).run()?;
        let backup = stage.customer.order(&["backup"]);
        backup.attempt()?.expect_done()?;
        stage.customer.wait_until_spread()?;
        Ok(Self {
            stage,
            trace,
            source,
            files: 0,
            world,
        })
    }

    /// The customer's records lie in the network, as those of whoever has been there for some seconds.
    fn wait_until_published(&self) -> Outcome {
        let what = "the records of the customer in the network";
        eventually(what, JOINED_WITHIN, || {
            let mut are_out = false;
            for line in read_trace(&self.trace)? {
                let mut outputs = line.outputs.iter();
                let are_put = outputs.any(|it| matches!(it, Output::PublishRecords { .. }));
                let were_put = matches!(line.input, Input::RecordsPublished);
                are_out = !are_put && (are_out || were_put);
            }
            Ok(are_out.then_some(()))
        })
    }

    /// Backs a small new file up. Its version is there, and nobody has waited for whoever is not.
    fn back_up(&mut self, when: &str) -> Outcome {
        self.files += 1;
        std::fs::write(self.source.join(format!("letter-{}", self.files)), when)?;
        let customer = &self.stage.customer;
        let versions = customer.versions_of(&self.source)?;
        let backup = customer.order(&["backup"]).within(WITHIN);
        let took = backup.attempt()?.expect_done()?.took;
        eprintln!("{when}: {took:?}");
        ensure!(took < NOTICED_AFTER, "{when}: {took:?}");
        ensure!(customer.versions_of(&self.source)? == versions + 1);
        Ok(())
    }

    /// Restores everything, compares it, and says how long the restore took.
    fn restore(&self, name: &str) -> Result<Duration> {
        let target = self.world.path(name);
        let restore = self.stage.customer.order(&["restore", "latest", "--to"]);
        let reply = restore.argument(&target).within(WITHIN).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(reply.took)
    }

    /// As many suppliers vanish as may, those at the first places, whom a restore asks first.
    fn lose_half(&mut self) -> Outcome {
        let status = self.stage.customer.status()?;
        for supplier in self.stage.by_place(&status)?.into_iter().take(GONE) {
            self.stage.suppliers[supplier].vanish()?;
        }
        Ok(())
    }

    /// Somebody joins by way of the customer, who knows it then as a node of the DHT.
    fn join_a_stranger(&self) -> Result<Machine> {
        let customer = &self.stage.customer;
        let mut stranger = self.world.machine("stranger");
        stranger.bootstrap = vec![customer.address()?];
        stranger.init()?;
        stranger.start()?;
        stranger.run(&["offer", "1GB"])?;
        let suppliers = self.stage.suppliers.len() as u64;
        eventually("a stranger beside the suppliers", JOINED_WITHIN, || {
            let peers = customer.status()?["peers"].as_u64();
            Ok((peers > Some(suppliers)).then_some(()))
        })?;
        Ok(stranger)
    }
}
