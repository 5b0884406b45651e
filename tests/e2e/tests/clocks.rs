//! Clocks that are wrong, that are set, and that went on while the machine slept. What suppliers proved
//! ages by what is surely known; what is not known to be fresh is not called safe.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use serde_json::Value;

const JOB_WITHIN: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The loop naps for 15 s at most, then suppliers are asked.
const CHECKED_WITHIN: Duration = Duration::from_secs(60);
const SETTINGS: [(&str, &str); 1] = [("policy.redial_max", "2000")];

/// A customer with a clock of its own and three suppliers, one small folder, and one version that is
/// safe.
fn stage(world: &World) -> Result<(Stage, PathBuf)> {
    let mut stage = Stage::prepare(world, 3, &SETTINGS)?;
    stage.customer.own_clock(world)?;
    stage.customer.set("code", "1/3")?;
    stage.customer.start()?;
    stage.hire()?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("letter"), "Dear all")?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    wait_until_safe(&stage.customer)?;
    Ok((stage, source))
}

fn wait_until_safe(machine: &Machine) -> Outcome {
    eventually("it is safe", CHECKED_WITHIN, || {
        Ok(is_safe(&machine.status()?).then_some(()))
    })
}

fn is_safe(status: &Value) -> bool {
    status["protection"]["kind"] == "safe"
}

/// Nobody confirmed anything lately, and it is said.
fn expect_stale(machine: &Machine) -> Outcome {
    let status = machine.status()?;
    let protection = &status["protection"];
    ensure!(
        protection["kind"] == "stored" && protection["confirmed"] == 0,
        "{protection}"
    );
    let sentence = status["sentence"].as_str().context("no sentence")?;
    ensure!(sentence.contains("could be lost"), "{sentence}");
    let verdict = &status["verdict"]["first"];
    ensure!(verdict["level"] == "bad", "{verdict}");
    Ok(())
}

fn stop_suppliers(stage: &mut Stage) -> Outcome {
    stage.suppliers.iter_mut().try_for_each(Machine::kill)
}

fn let_sleep(machine: &Machine, span: Duration) -> Outcome {
    machine.hold(true)?;
    machine.clock()?.sleep(span)?;
    machine.hold(false)
}

#[test]
fn a_sleep_of_25_hours_without_suppliers_is_not_called_safe() -> Outcome {
    let world = World::new("asleep-alone")?;
    let (mut stage, _) = stage(&world)?;
    stop_suppliers(&mut stage)?;
    ensure!(is_safe(&stage.customer.status()?), "of a minute ago");
    let_sleep(&stage.customer, DAY + DAY / 24)?;
    expect_stale(&stage.customer)
}

#[test]
fn after_a_sleep_suppliers_that_are_there_make_it_safe_again() -> Outcome {
    let world = World::new("asleep")?;
    let (stage, _) = stage(&world)?;
    let_sleep(&stage.customer, DAY + DAY / 24)?;
    // It may be asked and answered at once; what is certain is that it ends well by itself.
    wait_until_safe(&stage.customer)
}

/// Alone, with its clock set forward: nothing that was proved is known to be fresh, before a restart
/// and after it.
#[test]
fn a_clock_set_forward_without_suppliers_is_not_called_safe() -> Outcome {
    let world = World::new("forward-alone")?;
    let (mut stage, _) = stage(&world)?;
    stop_suppliers(&mut stage)?;
    stage.customer.clock()?.set_wall(2 * DAY_MS)?;
    expect_stale(&stage.customer)?;
    stage.customer.stop()?;
    stage.customer.start()?;
    expect_stale(&stage.customer)
}

/// A clock that shows an earlier time than a proof makes its age unknown.
#[test]
fn a_clock_set_back_without_suppliers_is_not_called_safe_after_a_restart() -> Outcome {
    let world = World::new("back-alone")?;
    let (mut stage, _) = stage(&world)?;
    stop_suppliers(&mut stage)?;
    stage.customer.stop()?;
    stage.customer.clock()?.set_wall(-2 * DAY_MS)?;
    stage.customer.start()?;
    expect_stale(&stage.customer)
}

fn versions(machine: &Machine) -> Result<Vec<Value>> {
    let listed = machine.run(&["snapshots"])?;
    let versions = listed.object["snapshots"].as_array();
    Ok(versions.context("no list")?.clone())
}

fn add_and_back_up(machine: &Machine, source: &Path, name: &str) -> Outcome {
    std::fs::write(source.join(name), name)?;
    machine.order(&["backup"]).within(JOB_WITHIN).run()?;
    Ok(())
}

fn restore_and_compare(world: &World, machine: &Machine, source: &Path, name: &str) -> Outcome {
    let target = world.path(name);
    let restore = machine.order(&["restore", "latest", "--to"]);
    restore.argument(&target).within(JOB_WITHIN).run()?;
    let different = differences(source, &target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

/// The ids of all versions as they are listed, the oldest first.
fn ids(machine: &Machine) -> Result<Vec<String>> {
    let id = |version: &Value| version["id"].as_str().map(str::to_owned);
    let ids = versions(machine)?.iter().map(id).collect::<Option<_>>();
    ids.context("a version without an id")
}

/// The versions whose times are called wrong, by their places in the list.
fn marked(machine: &Machine) -> Result<Vec<usize>> {
    let versions = versions(machine)?;
    let marked = versions.iter().enumerate();
    let marked = marked.filter(|(_, version)| version["is_clock_suspect"] == true);
    Ok(marked.map(|(place, _)| place).collect())
}

#[test]
fn one_version_400_days_ahead_hides_none_that_comes_after_it() -> Outcome {
    let world = World::new("ahead-once")?;
    let (mut stage, source) = stage(&world)?;
    stage.customer.clock()?.set_wall(400 * DAY_MS)?;
    add_and_back_up(&stage.customer, &source, "ahead")?;
    stage.customer.clock()?.set_wall(0)?;
    add_and_back_up(&stage.customer, &source, "right again")?;
    add_and_back_up(&stage.customer, &source, "and again")?;
    ensure!(versions(&stage.customer)?.len() == 4);
    ensure!(
        marked(&stage.customer)? == [1],
        "{:?}",
        marked(&stage.customer)?
    );
    let listed = stage.customer.order(&["snapshots"]).plain().run()?;
    let odd: Vec<_> = listed
        .stdout
        .lines()
        .filter(|line| line.contains("clock"))
        .collect();
    ensure!(odd.len() == 1, "{}", listed.stdout);
    restore_and_compare(&world, &stage.customer, &source, "restored")?;
    wait_until_safe(&stage.customer)?;
    stage.customer.stop()?;
    stage.customer.start()?;
    wait_until_safe(&stage.customer)?;
    restore_and_compare(&world, &stage.customer, &source, "after-a-restart")?;

    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(3)?;
    ensure!(marked(&machine)? == [1], "{:?}", marked(&machine)?);
    restore_and_compare(&world, &machine, &source, "recovered")
}

/// Backup, restore and recovery live with any clock, and the wrong one is named.
fn check_wrong(name: &str, set: impl Fn(&Machine) -> Outcome) -> Outcome {
    let world = World::new(name)?;
    let mut stage = Stage::prepare(&world, 3, &SETTINGS)?;
    stage.customer.own_clock(&world)?;
    stage.customer.set("code", "1/3")?;
    set(&stage.customer)?;
    stage.customer.start()?;
    stage.hire()?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("letter"), "Dear all")?;
    stage.back_up(&source)?;
    add_and_back_up(&stage.customer, &source, "second")?;
    stage.customer.wait_until_spread()?;
    wait_until_safe(&stage.customer)?;
    expect_clock_named(&stage.customer, true)?;
    restore_and_compare(&world, &stage.customer, &source, "restored")?;

    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.own_clock(&world)?;
    set(&machine)?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(3)?;
    restore_and_compare(&world, &machine, &source, "recovered")?;
    // Its own next version is the newest, by whatever clock.
    let add = machine.order(&["folder", "add", "--"]);
    add.argument(&source).run()?;
    add_and_back_up(&machine, &source, "third")?;
    restore_and_compare(&world, &machine, &source, "recovered-later")?;
    expect_clock_named(&machine, true)?;
    // Put right, it is named no more.
    machine.clock()?.set_wall(0)?;
    add_and_back_up(&machine, &source, "fourth")?;
    wait_until_safe(&machine)?;
    expect_clock_named(&machine, false)?;
    restore_and_compare(&world, &machine, &source, "recovered-at-last")
}

fn expect_clock_named(machine: &Machine, is_named: bool) -> Outcome {
    let status = machine.status()?;
    let sentence = status["sentence"].as_str().context("no sentence")?;
    ensure!(sentence.contains("clock") == is_named, "{sentence}");
    Ok(())
}

#[test]
fn a_clock_400_days_behind() -> Outcome {
    check_wrong("behind", |machine| machine.clock()?.set_wall(-400 * DAY_MS))
}

#[test]
fn a_clock_400_days_ahead() -> Outcome {
    check_wrong("ahead", |machine| machine.clock()?.set_wall(400 * DAY_MS))
}

/// Certificates of connections begin in 1975: before that nobody can be met, and it is said why.
#[test]
fn a_start_in_1970() -> Outcome {
    let world = World::new("1970-start")?;
    let (mut stage, source) = stage(&world)?;
    // The first second of 1970, before which Linux lets no clock be set, and one of 1972.
    for seconds in [0, 70_000_000] {
        stage.customer.stop()?;
        stage.customer.clock()?.set_wall_to(seconds)?;
        stage.customer.start()?;
        expect_stale(&stage.customer)?;
        expect_clock_named(&stage.customer, true)?;
        stage.customer.clock()?.set_wall(0)?;
        expect_clock_named(&stage.customer, false)?;
        wait_until_safe(&stage.customer)?;
        add_and_back_up(&stage.customer, &source, &format!("after {seconds}"))?;
        let target = format!("restored-after-{seconds}");
        restore_and_compare(&world, &stage.customer, &source, &target)?;
    }
    ensure!(marked(&stage.customer)?.is_empty());
    stage.check_alive()
}

/// The battery of the clock dies while the machine sleeps: it wakes in 1970, with suppliers that it met
/// before. What is made then comes after all that was made before.
#[test]
fn a_clock_that_falls_back_to_1970() -> Outcome {
    let world = World::new("1970-fall")?;
    let (mut stage, source) = stage(&world)?;
    let customer = &stage.customer;
    customer.hold(true)?;
    customer.clock()?.sleep(DAY + DAY / 24)?;
    customer.clock()?.set_wall_to(0)?;
    customer.hold(false)?;
    expect_clock_named(customer, true)?;
    wait_until_safe(customer)?;
    add_and_back_up(customer, &source, "in 1970")?;
    restore_and_compare(&world, customer, &source, "restored-in-1970")?;
    customer.clock()?.set_wall_to(0)?;
    add_and_back_up(customer, &source, "in 1970 again")?;
    expect_clock_named(customer, true)?;
    restore_and_compare(&world, customer, &source, "restored-again")?;
    let made = ids(customer)?;
    ensure!(made.len() == 3, "{made:?}");

    // Alone it knows nothing to be fresh, by such a clock and by the right one.
    let mut suppliers = stage.suppliers.iter();
    suppliers.try_for_each(|it| it.hold(true))?;
    stage.customer.stop()?;
    stage.customer.start()?;
    expect_stale(&stage.customer)?;
    expect_clock_named(&stage.customer, true)?;
    stage.customer.clock()?.set_wall(0)?;
    expect_stale(&stage.customer)?;
    expect_clock_named(&stage.customer, false)?;
    let mut suppliers = stage.suppliers.iter();
    suppliers.try_for_each(|it| it.hold(false))?;
    wait_until_safe(&stage.customer)?;
    add_and_back_up(&stage.customer, &source, "right again")?;
    let listed = ids(&stage.customer)?;
    ensure!(listed.starts_with(&made), "{listed:?}, and made {made:?}");
    let odd = marked(&stage.customer)?;
    ensure!(odd == [1, 2], "{odd:?}");
    restore_and_compare(&world, &stage.customer, &source, "restored")?;

    let words = stage.customer.words.clone();
    stage.customer.kill()?;
    let mut machine = stage.new_machine(&world, "new-machine")?;
    machine.recover(&words)?;
    machine.start()?;
    machine.wait_until_connected(3)?;
    let recovered = ids(&machine)?;
    ensure!(recovered == listed, "{recovered:?}");
    let odd = marked(&machine)?;
    ensure!(odd == [1, 2], "{odd:?}");
    restore_and_compare(&world, &machine, &source, "recovered")?;
    stage.check_alive()
}

#[test]
fn a_clock_in_2106() -> Outcome {
    // A minute before seconds do not fit into 32 bits any more.
    check_wrong("2106", |machine| {
        machine.clock()?.set_wall_to(4_294_967_235)
    })
}

#[test]
fn a_clock_that_jumps_in_the_middle_of_a_backup() -> Outcome {
    let world = World::new("jumps")?;
    let (stage, source) = stage(&world)?;
    let customer = &stage.customer;
    for (name, days) in [("forward", 400), ("back", -400)] {
        let mut random = world.random();
        for number in 0..4 {
            random.write_file(&source.join(format!("{name}-{number}")), 24 << 20)?;
        }
        // Without the third supplier it does not come to its end before the clock jumps.
        stage.suppliers[2].hold(true)?;
        let order = customer.order(&["backup"]).within(JOB_WITHIN);
        let running = order.start()?;
        eventually("the backup runs", JOB_WITHIN, || {
            let status = customer.status()?;
            let jobs = status["jobs"].as_array().context("no jobs")?;
            Ok((!jobs.is_empty()).then_some(()))
        })?;
        customer.clock()?.set_wall(days * DAY_MS)?;
        stage.suppliers[2].hold(false)?;
        running.end()?.expect_code(0)?;
        restore_and_compare(&world, customer, &source, name)?;
        customer.clock()?.set_wall(0)?;
    }
    ensure!(versions(customer)?.len() == 3);
    wait_until_safe(customer)
}

/// One folder was backed up today and one 97 days ago: what is said of everything is no fresher than that.
#[test]
fn the_oldest_backup_counts() -> Outcome {
    let world = World::new("oldest")?;
    let (stage, source) = stage(&world)?;
    let customer = &stage.customer;
    customer.clock()?.set_wall(97 * DAY_MS)?;
    let other = world.make_folder("other")?;
    std::fs::write(other.join("letter"), "Dear others")?;
    let add = customer.order(&["folder", "add", "--schedule", "manual", "--"]);
    add.argument(&other).run()?;
    let backup = customer.order(&["backup", "--"]).argument(&other);
    backup.within(JOB_WITHIN).run()?;
    let status = customer.status()?;
    let taken = |folder: &Path| -> Result<i64> {
        let mut views = status["folders"].as_array().into_iter().flatten();
        let view = views.find(|view| view["path"] == *folder.to_string_lossy());
        let view = view.with_context(|| format!("no {}", folder.display()))?;
        view["last_backup"].as_i64().context("no backup")
    };
    let (old, new) = (taken(&source)?, taken(&other)?);
    ensure!(new - old > 96 * DAY_MS, "{old} and {new}");
    let told = &status["verdict"]["oldest_backup"];
    ensure!(told.as_i64() == Some(old), "{told}, and not {old}");
    Ok(())
}
