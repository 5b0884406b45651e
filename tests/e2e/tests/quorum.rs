//! Versions made by those who are there: whoever is away is owed, named, and not waited for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::ledger::{committed_packs, shard_files, spool_files};
use bitdust_e2e_tests::{
    Machine, Outcome, Reply, Stage, Transport, World, differences, eventually, sized, texts,
};
use bitdust_model::limits::HEADS_BETWEEN_MAX;

const JOB_WITHIN: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(60);
/// The waits of real homes; tests usually have longer ones, as they share their machine.
const SETTINGS: [(&str, &str); 2] = [
    ("policy.redial_max", "2000"),
    ("policy.straggler_wait", "700"),
];

#[test]
fn one_of_three_away() -> Outcome {
    check("one-of-three", 3, 1, "1/3")
}

#[test]
fn one_of_four_away() -> Outcome {
    check("one-of-four", 4, 1, "2/4")
}

#[test]
fn two_of_six_away() -> Outcome {
    check("two-of-six", 6, 2, "3/6")
}

/// A folder with a version that all have; some are killed; then another version.
fn check(name: &str, suppliers: u8, away: usize, code: &str) -> Outcome {
    let world = World::new(name)?;
    let mut stage = Stage::prepare(&world, suppliers, &SETTINGS)?;
    stage.customer.set("code", code)?;
    stage.customer.start()?;
    stage.hire()?;
    let source = first_version(&world, &stage)?;
    for supplier in &mut stage.suppliers[..away] {
        supplier.kill()?;
    }
    std::fs::write(source.join("second"), "Dear others")?;
    let customer = &stage.customer;
    let backup = customer.order(&["backup"]).within(JOB_WITHIN);
    let reply = backup.attempt()?.expect_code(3)?;
    eprintln!(
        "{away} of {suppliers} away: {:.2} s",
        reply.took.as_secs_f64()
    );
    ensure!(
        reply.object["protection"]["kind"] == "stored",
        "{}",
        reply.object
    );
    are_owed(&reply, &stage.suppliers[..away])?;
    are_named(customer, &stage.suppliers[..away])?;
    ensure!(customer.versions_of(&source)? == 2);
    let all = u64::from(suppliers);
    say_who_has_them(customer, &source, &[all, all - away as u64])?;
    restore_and_compare(&world, customer, &source, "while-they-are-away")?;
    // Nothing of what is known is sent again for a third version.
    std::fs::write(source.join("third"), "Dear both")?;
    let third = customer.order(&["backup"]).within(JOB_WITHIN);
    let third = third.attempt()?.expect_code(3)?;
    let new_bytes = third.number("/new_bytes")?;
    ensure!(new_bytes < 1_000, "{new_bytes} bytes for nine new ones");

    for supplier in &mut stage.suppliers[..away] {
        supplier.start()?;
    }
    let safe_at = code.parse::<bitdust_model::Code>()?.safe_at();
    let safe_at = usize::from(safe_at.context("one place is never safe")?);
    let within = Duration::from_secs(sized(90, 20));
    eventually("all have it, and it is said", within, || {
        let status = stage.customer.status()?;
        let is_safe = status["protection"]["kind"] == "safe";
        let lacks = status["suppliers"].as_array().into_iter().flatten();
        let lacks = lacks.filter(|view| view["is_owed"] == true).count();
        let missing = missing(&world, &stage)?;
        if is_safe {
            let weakest = weakest(&world, &stage, k_of(code)?)?;
            ensure!(weakest >= safe_at, "called safe with {weakest} shards");
        }
        Ok((is_safe && lacks == 0 && missing == 0).then_some(()))
    })?;
    say_who_has_them(&stage.customer, &source, &[all; 3])?;
    stage.lose_suppliers(usize::from(suppliers) - k_of(code)?)?;
    restore_and_compare(&world, &stage.customer, &source, "after-losses")
}

/// A folder whose first version all have. Who is late for the short wait of these homes gets it all the
/// same.
fn first_version(world: &World, stage: &Stage) -> Result<PathBuf> {
    let source = world.make_folder("source")?;
    std::fs::write(source.join("letter"), "Dear all")?;
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&source).run()?;
    let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
    backup.attempt()?.expect_done()?;
    stage.customer.wait_until_spread()?;
    Ok(source)
}

/// A backup named each of those who are away. On a busy machine others may be late, and are named too.
fn are_owed(reply: &Reply, away: &[Machine]) -> Outcome {
    let owed = texts(&reply.object["owed"]);
    for supplier in away {
        let is_named = owed.iter().any(|name| is_name_of(name, supplier));
        ensure!(is_named, "{} is not among {owed:?}", supplier.name);
    }
    Ok(())
}

/// The status says that it is not safe, and as soon as nobody is merely late, who gets the rest.
fn are_named(customer: &Machine, away: &[Machine]) -> Outcome {
    let names = away.iter().map(|supplier| format!("{} · ", supplier.name));
    let names: Vec<_> = names.collect();
    let mut last = String::new();
    let named = eventually("those who are away are named", SOON, || {
        let status = customer.status()?;
        status["sentence"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut last);
        ensure!(last.contains("not safe yet"), "{last}");
        let is_so = last.matches(" · ").count() == names.len()
            && names.iter().all(|name| last.contains(name));
        Ok(is_so.then_some(()))
    });
    named.with_context(|| last)
}

/// Each version, oldest first, says how many have it: those who signed for a head that lists it.
fn say_who_has_them(customer: &Machine, folder: &Path, wanted: &[u64]) -> Outcome {
    let mut last = String::new();
    let said = eventually("each version says who has it", SOON, || {
        let listed = customer.run(&["snapshots"])?;
        let path = folder.to_str().context("the path is no text")?;
        let versions = listed.object["snapshots"].as_array().into_iter().flatten();
        let versions = versions.filter(|version| version["path"] == path);
        let kept = versions.map(|version| version["kept"]["confirmed"].as_u64());
        let kept: Option<Vec<_>> = kept.collect();
        last = format!("{kept:?} instead of {wanted:?}");
        let kept = kept.unwrap_or_default();
        let too_many = kept.iter().zip(wanted).any(|(kept, wanted)| kept > wanted);
        ensure!(!too_many, "{last}");
        Ok((kept == wanted).then_some(()))
    });
    said.with_context(|| last)
}

/// Whether people are told this name for a machine: its nickname, and how its device begins.
fn is_name_of(name: &str, machine: &Machine) -> bool {
    name.strip_prefix(&machine.name)
        .is_some_and(|rest| rest.starts_with(" · "))
}

fn k_of(code: &str) -> Result<usize> {
    Ok(usize::from(code.parse::<bitdust_model::Code>()?.k()))
}

/// Shards of committed packs of which no supplier has a file.
fn missing(world: &World, stage: &Stage) -> Result<usize> {
    let names = files(stage)?;
    let committed = committed_packs(&stage.customer.home, world.folder())?;
    let shards = committed.iter().flat_map(|pack| &pack.shards);
    Ok(shards.filter(|shard| !names.contains(*shard)).count())
}

/// The fewest shards of a published pack that suppliers have files of. Copies survive as many losses as
/// contents with k - 1 shards more.
fn weakest(world: &World, stage: &Stage, k: usize) -> Result<usize> {
    let names = files(stage)?;
    let committed = committed_packs(&stage.customer.home, world.folder())?;
    let held = committed
        .iter()
        .filter(|pack| pack.is_published)
        .map(|pack| {
            let shards = pack.shards.iter().filter(|shard| names.contains(*shard));
            shards.count() + k - usize::from(pack.k)
        });
    held.min().context("nothing is published")
}

/// The names of the files of all suppliers' shards.
fn files(stage: &Stage) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for supplier in &stage.suppliers {
        let files = shard_files(&supplier.home)?;
        let name = |file: &PathBuf| Some(file.file_name()?.to_str()?.to_owned());
        names.extend(files.iter().filter_map(name));
    }
    Ok(names)
}

fn restore_and_compare(world: &World, customer: &Machine, source: &Path, name: &str) -> Outcome {
    let target = world.path(name);
    let restore = customer.order(&["restore", "latest", "--to"]);
    restore.argument(&target).within(JOB_WITHIN).run()?;
    let different = differences(source, &target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

/// More versions than the heads of one request: it is brought forward in steps, and has the newest then.
#[test]
fn a_supplier_that_missed_many_versions_gets_the_newest() -> Outcome {
    let world = World::new("many-missed")?;
    let mut stage = Stage::prepare(&world, 2, &SETTINGS)?;
    stage.customer.start()?;
    stage.hire()?;
    let source = first_version(&world, &stage)?;
    stage.suppliers[0].stop()?;
    let missed = HEADS_BETWEEN_MAX as u64 + sized(6, 100);
    for number in 0..missed {
        std::fs::write(source.join("letter"), format!("Dear number {number}"))?;
        let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
        backup.attempt()?.expect_code(3)?;
    }
    stage.suppliers[0].start()?;
    stage.customer.wait_until_spread()?;
    let words = stage.customer.words.clone();
    stage.customer.stop()?;
    stage.suppliers[1].kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(1)?;
    restore_and_compare(&world, &machine, &source, "restored")
}

/// Two have the first version, and only the third is there for the second: whoever has nothing but the third
/// finds all lists that the second leads to.
#[test]
fn a_version_leads_to_lists_of_those_who_are_there() -> Outcome {
    let world = World::new("lists-at-hand")?;
    let mut stage = Stage::prepare(&world, 3, &SETTINGS)?;
    stage.customer.set("code", "1/3")?;
    stage.customer.start()?;
    stage.hire()?;
    // The third is found again when nobody else is left to ask.
    stage.keep_ports(Transport::Tcp)?;
    let source = world.make_folder("source")?;
    let still = source.join("still");
    std::fs::create_dir(&still)?;
    // Nothing but lists is needed to have these back.
    for number in 0..50 {
        std::fs::write(still.join(format!("empty {number}")), "")?;
    }
    std::fs::write(source.join("letter"), "Dear both")?;
    stage.suppliers[2].stop()?;
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&source).run()?;
    let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
    backup.attempt()?.expect_code(3)?;
    // Else the third is sent from it what it missed.
    stage.customer.stop()?;
    for spooled in spool_files(&stage.customer.home)? {
        std::fs::remove_file(spooled)?;
    }
    for supplier in &mut stage.suppliers[..2] {
        supplier.kill()?;
    }
    stage.suppliers[2].start()?;
    stage.customer.start()?;
    eventually("only the third is there", SOON, || {
        let peers = stage.customer.status()?["peers"].as_u64();
        Ok((peers == Some(1)).then_some(()))
    })?;
    std::fs::write(source.join("letter"), "Dear third")?;
    let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
    backup.attempt()?.expect_code(3)?;
    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(1)?;
    restore_and_compare(&world, &machine, &source, "restored")
}

/// One that is there and answers nothing is waited for once, and shortly.
#[test]
fn a_supplier_that_stalls_is_not_waited_for_long() -> Outcome {
    let world = World::new("one-stalls")?;
    let mut stage = Stage::prepare(&world, 3, &SETTINGS)?;
    stage.customer.set("code", "1/3")?;
    stage.customer.start()?;
    stage.hire()?;
    let source = first_version(&world, &stage)?;
    stage.suppliers[0].hold(true)?;
    std::fs::write(source.join("second"), "Dear others")?;
    let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
    let reply = backup.attempt()?.expect_code(3)?;
    eprintln!("one stalls: {:.2} s", reply.took.as_secs_f64());
    are_owed(&reply, &stage.suppliers[..1])?;
    stage.suppliers[0].hold(false)?;
    eventually("it is safe", Duration::from_secs(150), || {
        let status = stage.customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })
}

/// Of six a majority is dead when a bare machine asks for everything.
#[test]
fn the_dead_are_not_waited_for_at_a_recovery() -> Outcome {
    let world = World::new("three-dead")?;
    let mut stage = Stage::prepare(&world, 6, &SETTINGS)?;
    stage.customer.set("code", "3/6")?;
    stage.customer.start()?;
    stage.hire()?;
    let source = first_version(&world, &stage)?;
    stage.lose_suppliers(3)?;
    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    let reply = machine.recover(&words)?;
    eprintln!("recovered in {:.2} s", reply.took.as_secs_f64());
    ensure!(reply.object["newer"].is_null(), "{}", reply.object);
    machine.start()?;
    eventually("three are there", SOON, || {
        let status = machine.status()?;
        Ok((status["peers"].as_u64() >= Some(3)).then_some(()))
    })?;
    restore_and_compare(&world, &machine, &source, "restored")
}

/// Each supplier is there, and has nothing left but the records by which the identity is found.
#[test]
fn suppliers_that_lost_everything_are_no_success() -> Outcome {
    let world = World::new("all-lost")?;
    let mut stage = Stage::prepare(&world, 3, &SETTINGS)?;
    stage.customer.start()?;
    stage.hire()?;
    stage.keep_ports(Transport::Tcp)?;
    stage.customer.wait_until_connected(3)?;
    let source = world.make_folder("source")?;
    // The records that come with the second version name the first one.
    for text in ["Dear all", "Dear all again"] {
        std::fs::write(source.join("letter"), text)?;
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
    }
    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    for supplier in &mut stage.suppliers {
        supplier.stop()?;
        lose_all_but_records(&supplier.home)?;
        supplier.start()?;
    }
    let machine = stage.new_machine(&world, "new-machine")?;
    machine.configure(&[("recovery_timeout", 8_000)])?;
    for attempt in 1..=2 {
        let reply = machine.attempt_recovery(&words)?.expect_code(1)?;
        let (code, message) = reply.error()?;
        ensure!(code == "versions_missing", "{attempt}: {code}: {message}");
        for part in [
            "3 answered that they have none",
            "by its records there is one",
        ] {
            ensure!(message.contains(part), "{attempt}: {message}");
        }
        let keys = machine.home.join("keys");
        ensure!(!keys.exists(), "{attempt}: half an identity stayed");
    }
    Ok(())
}

/// What was signed and what is kept is gone; the sealed records of customers stay.
fn lose_all_but_records(home: &Path) -> Outcome {
    for ending in ["", "-wal", "-shm"] {
        let database = home.join(format!("supplier.db{ending}"));
        if database.exists() {
            std::fs::remove_file(database)?;
        }
    }
    for shard in shard_files(home)? {
        for file in [shard.with_extension("obao"), shard] {
            std::fs::remove_file(file)?;
        }
    }
    let mut lanes = 0;
    for identity in std::fs::read_dir(home.join("documents"))? {
        for document in std::fs::read_dir(identity?.path())? {
            let document = document?.path();
            if document.extension().is_some_and(|ending| ending == "lane") {
                std::fs::remove_file(document)?;
                lanes += 1;
            }
        }
    }
    ensure!(lanes > 0, "nothing was lost");
    Ok(())
}

/// The only supplier of the newest version has lost its lists: the one before is taken, and it is said.
#[test]
fn an_older_version_is_recovered_where_the_lists_of_the_newest_are_gone() -> Outcome {
    let world = World::new("lists-gone")?;
    let mut stage = Stage::prepare(&world, 3, &SETTINGS)?;
    stage.customer.set("code", "1/3")?;
    stage.customer.start()?;
    stage.hire()?;
    stage.keep_ports(Transport::Tcp)?;
    stage.customer.wait_until_connected(3)?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("letter"), "Dear all")?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    for supplier in &mut stage.suppliers[1..] {
        supplier.stop()?;
    }
    let before = shard_files(&stage.suppliers[0].home)?;
    std::fs::write(source.join("second"), "Dear one")?;
    let backup = stage.customer.order(&["backup"]).within(JOB_WITHIN);
    backup.attempt()?.expect_code(3)?;
    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let after = shard_files(&stage.suppliers[0].home)?;
    let new = after.iter().filter(|shard| !before.contains(shard));
    for shard in new {
        std::fs::remove_file(shard)?;
    }
    for supplier in &mut stage.suppliers[1..] {
        supplier.start()?;
    }
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.configure(&[("restore_patience", 3_000)])?;
    let reply = machine.recover(&words)?;
    let found = &reply.object;
    let (number, unread) = (&found["number"], &found["unread"]["number"]);
    ensure!(*number == 1 && *unread == 2, "{found}");
    ensure!(found["confirmed"] == 2 && found["of"] == 3, "{found}");
    ensure!(found["unread"]["written_at"].is_number(), "{found}");
    machine.start()?;
    machine.wait_until_connected(2)?;
    let target = world.path("restored");
    let restore = machine.order(&["restore", "latest", "--to"]);
    restore.argument(&target).within(JOB_WITHIN).run()?;
    ensure!(std::fs::read_to_string(target.join("letter"))? == "Dear all");
    ensure!(!target.join("second").exists(), "of the newer one");
    Ok(())
}
