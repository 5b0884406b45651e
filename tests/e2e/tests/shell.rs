//! The application among the other things of a desktop: the place beside the clock, closing and
//! a second start, links, autostart, notifications, and what it says when it cannot start.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::process::Process;
use bitdust_e2e_tests::somebody::is_root;
use bitdust_e2e_tests::world::built_window;
use bitdust_e2e_tests::{
    Bus, Desktop, Machine, Outcome, Screen, Stage, World, differences, eventually,
};

const TITLE: &str = "BitDust";
/// A size that the window does not begin with.
const SIZE: (u16, u16) = (900, 640);
const SOON: Duration = Duration::from_secs(60);
/// What a notification of a restore that failed begins with.
const FAILED: &str = "Restore failed";
/// Clocks of a person in a hurry.
const HASTE: [(&str, &str); 2] = [
    ("policy.watch_still", "400"),
    ("policy.first_scan_after", "500"),
];

#[test]
fn closed_to_the_tray_it_goes_on_protecting_what_is_saved() -> Outcome {
    let world = World::new("shell-tray")?;
    let stage = prepared(&world)?;
    let owner = &stage.customer;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let mut program = desktop.start_program(owner, &[])?;
    wait_until_shown(&desktop, true)?;
    stage.hire()?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("first"), "one")?;
    owner
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    owner.wait_for_versions(&source, 1)?;

    desktop.screen()?.close(TITLE)?;
    wait_until_shown(&desktop, false)?;
    bus.notifications_until("stay under protection")?;
    world.save("saved while the window was closed", &source.join("second"))?;
    owner.wait_for_versions(&source, 2)?;

    // The menu says how things stand, and does what it says.
    wait_for_entry(
        &bus,
        "Practice: 1 folder is stored with 3 practice suppliers",
    )?;
    let quiet = world.make_folder("quiet")?;
    std::fs::write(quiet.join("file"), "only when it is asked for")?;
    owner
        .order(&["folder", "add", "--schedule", "manual", "--"])
        .argument(&quiet)
        .run()?;
    bus.choose("Back up now")?;
    owner.wait_for_versions(&quiet, 1)?;
    bus.choose("Open BitDust")?;
    wait_until_shown(&desktop, true)?;

    // Who starts it again sees the first one; that it goes on is said once only. What is told
    // after the second closing shows what that closing told.
    desktop.screen()?.close(TITLE)?;
    wait_until_shown(&desktop, false)?;
    let told = fail_to_restore(owner, &bus, &source.join("first"))?;
    ensure!(
        matches!(&told[..], [hiding, _failed] if hiding.contains("stay under protection")),
        "{told:?}"
    );
    start_again(&desktop, owner, &[])?;
    wait_until_shown(&desktop, true)?;

    bus.choose("Quit")?;
    ensure!(program.wait(SOON)?.success(), "it did not end well");
    let target = world.path("back");
    owner
        .order(&["restore", "latest", "--to"])
        .argument(&target)
        .run()?;
    let different = differences(&quiet, &target)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

#[test]
fn what_needs_a_person_is_told_as_a_notification() -> Outcome {
    let world = World::new("shell-notify")?;
    let stage = prepared(&world)?;
    let owner = &stage.customer;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let _program = desktop.start_program(owner, &["--hidden"])?;
    wait_until_ready(&desktop)?;
    stage.hire()?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("file"), "one")?;
    owner
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    owner.wait_for_versions(&source, 1)?;
    // It is the first of all: a version that was stored is no news.
    let file = source.join("file");
    let told = fail_to_restore(owner, &bus, &file)?;
    ensure!(told.len() == 1, "{told:?}");

    // It is told once, not again with each status that comes after it. That the menu counts another
    // folder shows that one came; what it had to tell was told before the next failure.
    let other = world.make_folder("other")?;
    std::fs::write(other.join("file"), "two")?;
    owner
        .order(&["folder", "add", "--"])
        .argument(&other)
        .run()?;
    owner.wait_for_versions(&other, 1)?;
    wait_for_entry(
        &bus,
        "Practice: 2 folders are stored with 3 practice suppliers",
    )?;
    fail_to_restore(owner, &bus, &file)?;
    let told = bus.notifications_until_again(FAILED, 2)?;
    ensure!(told.len() == 2, "{told:?}");
    Ok(())
}

#[test]
fn a_link_opens_its_invitation_at_the_start_and_later() -> Outcome {
    let world = World::new("shell-link")?;
    let stage = Stage::prepare(&world, 1, &[])?;
    let friend = stage.suppliers.first().context("there is one")?;
    let written = friend.run(&["invite"])?;
    let code = written.text("/invitation")?;
    let link = format!("bitdust://invite/{code}");

    let desktop = Desktop::start(&world, "screen")?;
    let window = desktop.open_with(&stage.customer, &[&link])?;
    window.wait_for("This invitation came with a link", SOON)?;
    ensure!(window.value("Code or link")? == code);
    window.click("Cancel")?;
    window.go("#/overview")?;

    start_again(&desktop, &stage.customer, &[&link])?;
    window.wait_for("This invitation came with a link", SOON)?;
    ensure!(window.value("Code or link")? == code);
    window.click("Accept")?;
    window.wait_for("is a friend now", SOON)?;
    window.quit()
}

#[test]
fn autostart_is_chosen_and_starts_without_a_window() -> Outcome {
    let world = World::new("shell-autostart")?;
    let mut owner = world.machine("owner");
    owner.init()?;
    let desktop = Desktop::start(&world, "screen")?;
    let entries = desktop.home().join(".config/autostart");
    let window = desktop.open(&owner)?;
    window.go("#/settings")?;
    window.click("This computer")?;
    window.wait_for("Start with this computer", SOON)?;
    ensure!(starters(&entries)?.is_empty(), "nobody has asked for it");
    window.click("Start with this computer")?;
    eventually("an entry of the session", SOON, || {
        Ok(starters(&entries)?
            .first()
            .is_some_and(|entry| entry.contains("bitdust-desktop --hidden"))
            .then_some(()))
    })?;
    window.click("Start with this computer")?;
    eventually("no entry of the session", SOON, || {
        Ok(starters(&entries)?.is_empty().then_some(()))
    })?;
    window.quit()?;

    std::fs::remove_file(desktop.log())?;
    let bus = Bus::offer(&desktop)?;
    let mut program = desktop.start_program(&owner, &["--hidden"])?;
    wait_until_ready(&desktop)?;
    ensure!(!desktop.screen()?.shows(TITLE)?, "it was to stay hidden");
    bus.choose("Open BitDust")?;
    wait_until_shown(&desktop, true)?;

    // The window comes back as big as it was.
    let screen = desktop.screen()?;
    resize(&screen)?;
    // The screen tells the closing after the new size: with the window gone, the program knows both.
    screen.close(TITLE)?;
    wait_until_shown(&desktop, false)?;
    bus.choose("Quit")?;
    ensure!(program.wait(SOON)?.success(), "it did not end well");
    let _program = desktop.start_program(&owner, &[])?;
    wait_until_shown(&desktop, true)?;
    eventually("the size it had", SOON, || {
        Ok((screen.size(TITLE)? == SIZE).then_some(()))
    })
}

#[test]
fn why_it_cannot_start_is_said_in_the_window() -> Outcome {
    let world = World::new("shell-refusals")?;
    let desktop = Desktop::start(&world, "screen")?;

    let mut newer = world.machine("newer");
    newer.init()?;
    let database = rusqlite::Connection::open(newer.home.join("catalogue.db"))?;
    database.pragma_update(None, "user_version", 99)?;
    drop(database);
    let window = desktop.open(&newer)?;
    window.wait_for("A newer BitDust has used these data", SOON)?;
    window.quit()?;

    let locked = world.machine("locked");
    let secret = world.path("passphrase");
    std::fs::write(&secret, "correct horse battery staple")?;
    locked
        .order(&["init", "--nickname", "Robin", "--keys", "passphrase"])
        .argument("--passphrase-file")
        .argument(&secret)
        .run()?;
    let window = desktop.open(&locked)?;
    window.wait_for("Unlock BitDust", SOON)?;
    window.fill("Passphrase", "wrong")?;
    window.click("Unlock")?;
    window.wait_for("This passphrase does not open the keys", SOON)?;
    window.fill("Passphrase", "correct horse battery staple")?;
    window.click("Unlock")?;
    window.wait_for("Practice on this computer", SOON)?;
    window.quit()
}

#[test]
fn a_full_disk_is_said_in_the_window() -> Outcome {
    if !is_root()? {
        eprintln!("not tried: only root can mount file systems");
        return Ok(());
    }
    let world = World::new("shell-full")?;
    let mut owner = world.machine("owner");
    owner.init()?;
    let saved = world.path("saved");
    std::fs::rename(&owner.home, &saved)?;
    let desktop = Desktop::start(&world, "screen")?;
    let starter = on_a_full_disk(&world, &saved, &owner.home)?;
    let window = desktop.open_through(&starter, &owner, &[])?;
    window.wait_for("The disk is full", SOON)?;
    window.quit()
}

/// A program that starts the application with its home on a disk without a byte left.
fn on_a_full_disk(world: &World, saved: &Path, home: &Path) -> Result<PathBuf> {
    let script = format!(
        "#!/bin/sh\nset -e\n\
         [ -n \"$INSIDE\" ] || INSIDE=1 exec unshare --mount \"$0\" \"$@\"\n\
         mkdir {home} && mount -t tmpfs -o size=2m none {home} && cp -a {saved}/. {home}\n\
         dd if=/dev/zero of={home}/fill bs=1k 2>/dev/null || true\n\
         exec {program} \"$@\"\n",
        home = home.display(),
        saved = saved.display(),
        program = built_window()?.display(),
    );
    let starter = world.path("starter");
    std::fs::write(&starter, script)?;
    std::fs::set_permissions(&starter, std::fs::Permissions::from_mode(0o755))?;
    Ok(starter)
}

fn prepared(world: &World) -> Result<Stage> {
    let stage = Stage::prepare(world, 3, &[])?;
    for (key, value) in HASTE {
        stage.customer.set(key, value)?;
    }
    stage.customer.set("schedule", "on-change")?;
    Ok(stage)
}

/// Has something to tell, as no folder can be made below a file; gives all that was told up to
/// it.
fn fail_to_restore(owner: &Machine, bus: &Bus<'_>, file: &Path) -> Result<Vec<String>> {
    let failed = owner
        .order(&["restore", "latest", "--to"])
        .argument(file.join("inside"))
        .attempt()?;
    ensure!(failed.code == Some(1), "{failed:?}");
    bus.notifications_until(FAILED)
}

/// The menu of the icon is the page's word for the status that it was given last.
fn wait_for_entry(bus: &Bus<'_>, entry: &str) -> Outcome {
    eventually(&format!("{entry:?} in the menu"), SOON, || {
        let shown = bus.look()?;
        let labels: Vec<&str> = shown.entries.iter().map(|(_, it)| it.as_str()).collect();
        ensure!(labels.contains(&"Quit"), "{labels:?}");
        Ok(labels.contains(&entry).then_some(()))
    })
}

/// Gives the window another size. It may still be taking the one it begins with: the new one counts when
/// it was found without being asked for again.
fn resize(screen: &Screen) -> Outcome {
    let (width, height) = SIZE;
    eventually("the new size", SOON, || {
        if screen.size(TITLE)? == SIZE {
            return Ok(Some(()));
        }
        screen.resize(TITLE, width.into(), height.into())?;
        Ok(None)
    })
}

/// A second start hands over what it was started with and ends.
fn start_again(desktop: &Desktop, owner: &Machine, words: &[&str]) -> Outcome {
    let mut second: Process = desktop.start_program(owner, words)?;
    ensure!(second.wait(SOON)?.success(), "the second start failed");
    Ok(())
}

fn wait_until_shown(desktop: &Desktop, is_shown: bool) -> Outcome {
    let screen = desktop.screen()?;
    let what = if is_shown { "a window" } else { "no window" };
    eventually(what, SOON, || {
        Ok((screen.shows(TITLE)? == is_shown).then_some(()))
    })
    .with_context(|| screen.describe().unwrap_or_default())
}

fn wait_until_ready(desktop: &Desktop) -> Outcome {
    eventually("the page is drawn", SOON, || {
        let log = std::fs::read_to_string(desktop.log())?;
        Ok(log.contains("The window is ready").then_some(()))
    })
}

/// What starts with the session, entry by entry.
fn starters(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(vec![]);
    }
    let entries = std::fs::read_dir(folder)?;
    entries
        .map(|entry| Ok(std::fs::read_to_string(entry?.path())?))
        .collect()
}
