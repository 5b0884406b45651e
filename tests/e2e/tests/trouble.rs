//! Trouble as a person meets it: what the real window and the icon beside the clock say when nobody is
//! connected, a folder cannot be backed up, suppliers are away or silent, and what they offer to do.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::somebody::is_root;
use bitdust_e2e_tests::world::built_window;
use bitdust_e2e_tests::{
    Bus, Desktop, Machine, Outcome, Stage, Transport, Window, World, eventually,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// How long the node waits at most before it tries again whoever was away.
const REDIAL: (&str, &str) = ("policy.redial_max", "2000");
/// The transport over which the end of a program is seen at once.
const ALERT: Transport = Transport::Tcp;
/// The one that soonest gives up a program that is silent.
const IMPATIENT: Transport = Transport::Quic;
/// The pictures of the icon, by their names in the sources.
const CALM: &str = "tray";
const NEEDS_YOU: &str = "tray-attention";

/// In a practice network, what may still fail is said where the switches are, and beside what is kept.
#[test]
fn practice_suppliers_that_are_switched_off_are_missed() -> Outcome {
    let world = World::new("trouble-practice")?;
    let folder = make_folder(&world, "letters")?;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let window = desktop.open(&world.machine("owner"))?;
    window.click("Try it on this computer")?;
    window.wait_for("Practice suppliers", SOON)?;
    desktop.drop_folder(&folder)?;
    window.click("Protect this folder")?;
    window.wait_for("6 of 6 kept", SOON)?;
    let stored = "Practice: 1 folder is stored with 6 practice suppliers";
    told(&window, &bus, (stored, "plain"), CALM)?;
    ensure!(away(&window)?.is_empty(), "all of them run");

    for name in ["Ada", "Ben", "Cleo", "Dora"] {
        switch(&window, name, false)?;
    }
    let reach = "2 of 6 can be reached now; everything still comes back. Nobody else may fail.";
    wait_for_twice(&window, reach)?;
    let missed = away(&window)?;
    ensure!(missed.len() == 4, "pieces that are away: {missed:?}");
    window.picture("four-off")?;

    switch(&window, "Emil", false)?;
    let reach = "1 of 6 can be reached now: too few to bring everything back.";
    wait_for_twice(&window, reach)?;
    window.picture("five-off")?;
    switch(&window, "Ada", true)?;
    wait_for_twice(
        &window,
        "2 of 6 can be reached now; everything still comes back.",
    )?;
    window.quit()
}

/// Who knows nobody is told so, and what helps; who knows somebody out of reach is told that.
#[test]
fn a_first_folder_of_somebody_who_is_connected_to_nobody() -> Outcome {
    let world = World::over("trouble-alone", ALERT)?;
    let mut owner = world.machine("owner");
    owner.init()?;
    owner.set("suppliers", "2")?;
    let folder = make_folder(&world, "letters")?;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let window = desktop.open(&owner)?;
    window.wait_for("Practice on this computer", SOON)?;
    desktop.drop_folder(&folder)?;
    window.click("Protect this folder")?;

    let waits = ("Not backed up yet: you need people", "warn");
    told(&window, &bus, waits, NEEDS_YOU)?;
    let alone = "You are not connected to anyone yet. Invite a friend, accept an invitation, or use a second computer of yours.";
    window.wait_for(alone, SOON)?;
    ensure!(offered(&window)? == ["Invite a friend"]);
    ensure!(!window.text()?.contains("have agreed"), "nobody was asked");
    window.picture("alone")?;
    let said = owner.order(&["status"]).plain().run()?.stdout;
    ensure!(
        said.starts_with("Not backed up yet: you are not connected to anyone. Invite a friend"),
        "{said}"
    );

    let mut friend = world.machine("friend");
    friend.init()?;
    friend.start()?;
    owner.befriend(&friend)?;
    friend.kill()?;
    let offline =
        "You are not connected to anyone now. Check the internet connection of this computer.";
    window.wait_for(offline, SOON)?;
    ensure!(offered(&window)?.is_empty(), "{:?}", offered(&window)?);
    window.picture("offline")?;
    let said = owner.order(&["status"]).plain().run()?.stdout;
    ensure!(
        said.starts_with("Not backed up yet: you are not connected to anyone now. Check"),
        "{said}"
    );
    window.quit()
}

/// The icon says what the window says, and is calm only where nothing is wrong. Beyond a practice, as
/// the words lead to nothing in one.
#[test]
fn the_icon_beside_the_clock_follows_the_window() -> Outcome {
    let world = World::new("trouble-icon")?;
    let mut stage = Stage::set_up(&world, 3, None)?;
    let folder = make_folder(&world, "letters")?;
    leave_practice(&mut stage.customer)?;
    let owner = &stage.customer;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let window = desktop.open_through(&kept_out_by_rights(&world)?, owner, &[])?;
    owner
        .order(&["folder", "add", "--"])
        .argument(&folder)
        .run()?;
    let never = ("Your folder is not stored yet", "warn");
    told(&window, &bus, never, NEEDS_YOU)?;
    // Nobody sends anything before a backup begins.
    window.wait_for("They are sent with your first backup.", SOON)?;
    window.picture("never")?;

    bus.choose("Back up now")?;
    owner.wait_for_versions(&folder, 1)?;
    let unchecked = ("Your 24 words are not checked yet", "warn");
    told(&window, &bus, unchecked, NEEDS_YOU)?;
    ensure!(offered(&window)? == ["Check the words"]);
    window.picture("unchecked")?;
    owner.set("phrase_confirmed", "true")?;
    let safe = ("Your folder is stored safely with 3 people", "good");
    told(&window, &bus, safe, CALM)?;

    let elsewhere = world.path("elsewhere");
    std::fs::rename(&folder, &elsewhere)?;
    told(
        &window,
        &bus,
        ("letters is not there now", "warn"),
        NEEDS_YOU,
    )?;
    ensure!(offered(&window)?.is_empty(), "{:?}", offered(&window)?);
    window.picture("away")?;
    std::fs::rename(&elsewhere, &folder)?;
    told(&window, &bus, safe, CALM)?;

    // What fails is tried again by itself, unless backups only begin when they are asked for.
    owner.set("schedule", "60m")?;
    std::fs::set_permissions(&folder, Permissions::from_mode(0o000))?;
    owner.attempt(&["backup"])?.expect_code(1)?;
    let failed = ("letters cannot be backed up now", "warn");
    told(&window, &bus, failed, NEEDS_YOU)?;
    window.picture("failed")?;
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
    owner.run(&["backup"])?;
    told(&window, &bus, safe, CALM)?;
    window.quit()
}

/// Where data could be lost, another backup does not help and is not offered, and nothing is green.
#[test]
fn what_could_be_lost_leads_to_who_is_missing() -> Outcome {
    let world = World::over("trouble-lost", ALERT)?;
    let settings = [
        REDIAL,
        ("policy.receipt_counts_for", "15000"),
        ("policy.check_interval", "3000"),
    ];
    let mut stage = Stage::prepare(&world, 4, &settings)?;
    let folder = make_folder(&world, "letters")?;
    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    let window = desktop.open(&stage.customer)?;
    stage.hire()?;
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&folder).run()?;
    stage.customer.attempt(&["backup"])?.expect_done()?;
    window.click("Test now")?;
    window.wait_for("came back whole", SOON)?;
    // The control: this is how something green is found.
    eventually("the test is green", SOON, || {
        Ok((!greens(&window)?.is_empty()).then_some(()))
    })?;

    for supplier in &mut stage.suppliers[1..] {
        supplier.kill()?;
    }
    let lost = ("Your data could be lost", "bad");
    told(&window, &bus, lost, NEEDS_YOU)?;
    window.wait_for(
        "Only 1 of 2 people needed can prove they have your data",
        SOON,
    )?;
    window.wait_for("1 of 4 kept", SOON)?;
    ensure!(offered(&window)? == ["See who is missing"]);
    let shown = window.text()?;
    ensure!(!shown.contains("Back up now"), "{shown}");
    ensure!(shown.contains("came back whole"), "{shown}");
    // That they confirmed it once does not say that they keep it.
    ensure!(shown.contains("confirmed by 4 of 4"), "{shown}");
    ensure!(greens(&window)?.is_empty(), "{:?}", greens(&window)?);
    window.picture("lost")?;
    let said = stage.customer.order(&["status"]).plain().run()?.stdout;
    ensure!(said.starts_with("Your data could be lost"), "{said}");

    window.click("See who is missing")?;
    window.wait_for("Who holds a piece", SOON)?;
    window.picture("missing")?;
    window.quit()
}

/// A bar is full when all is done, and not when all is read: as long as somebody has not confirmed,
/// it is said who.
#[test]
fn no_bar_is_full_while_a_confirmation_is_missing() -> Outcome {
    let world = World::over("trouble-bar", IMPATIENT)?;
    let settings = [
        REDIAL,
        ("policy.request_timeout", "5000"),
        ("policy.stall_timeout", "5000"),
    ];
    let stage = Stage::prepare(&world, 2, &settings)?;
    let owner = &stage.customer;
    owner.set("code", "2/2")?;
    owner.set("listen", &IMPATIENT.listen_address())?;
    let folder = make_folder(&world, "letters")?;
    let desktop = Desktop::start(&world, "screen")?;
    let window = desktop.open(owner)?;
    stage.hire()?;
    owner
        .order(&["folder", "add", "--"])
        .argument(&folder)
        .run()?;
    window.wait_for("Your folder is not stored yet", SOON)?;
    watch_bars(&window)?;

    stage.suppliers[1].hold(true)?;
    window.click("Back up now")?;
    let waits =
        "Waiting for supplier-2 to come online: 1 of 2 people have confirmed the last piece";
    window.wait_for(waits, SOON)?;
    window.picture("confirming")?;
    stage.suppliers[1].hold(false)?;
    owner.wait_for_versions(&folder, 1)?;
    window.wait_for("2 of 2 kept", SOON)?;

    let bars = bars(&window)?;
    let says = |bar: &Value| bar["says"].as_str().unwrap_or_default().to_owned();
    ensure!(bars.iter().any(|bar| says(bar).contains(waits)), "{bars:?}");
    for bar in &bars {
        let share = bar["share"].as_f64().context("no share")?;
        let now = bar["now"].as_str().unwrap_or_default();
        ensure!(share < 0.999 && now != "100", "a full bar: {bar}");
        ensure!(!says(bar).is_empty(), "a bar without words: {bar}");
    }
    window.quit()
}

fn make_folder(world: &World, name: &str) -> Result<PathBuf> {
    let folder = world.make_folder(name)?;
    for number in 0..5 {
        let text = format!("Dear {number}");
        std::fs::write(folder.join(format!("letter {number}")), text)?;
    }
    Ok(folder)
}

/// From now on its network is more than this machine, where it goes on listening.
fn leave_practice(machine: &mut Machine) -> Outcome {
    machine.stop()?;
    // Such a network has no clocks of its own.
    machine.set("policy.straggler_wait", "700")?;
    machine.set("listen", "/ip4/127.0.0.1/tcp/0")?;
    machine.scope = "lan";
    Ok(())
}

/// A program that starts the application as one that is kept out by rights, which root is not.
fn kept_out_by_rights(world: &World) -> Result<PathBuf> {
    let program = built_window()?;
    if !is_root()? {
        return Ok(program);
    }
    let script = format!(
        "#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search {} \"$@\"\n",
        program.display()
    );
    let starter = world.path("starter");
    std::fs::write(&starter, script)?;
    std::fs::set_permissions(&starter, Permissions::from_mode(0o755))?;
    Ok(starter)
}

/// Waits until the window and the icon say this first, each in the colour or with the picture that fits.
fn told(window: &Window<'_>, bus: &Bus<'_>, says: (&str, &str), picture: &str) -> Outcome {
    let (title, tone) = says;
    let seen = || -> Result<_> {
        let headline = window.texts(&format!(".headline.{tone} h2"))?;
        Ok((headline, bus.look()?))
    };
    let what = format!("{title:?} in the window and beside the clock");
    eventually(&what, SOON, || {
        let (headline, icon) = seen()?;
        let entry = icon.entries.first().map(|(_, label)| label.as_str());
        let is_told = headline == [title] && entry == Some(title) && icon.picture == picture;
        Ok(is_told.then_some(()))
    })
    .with_context(|| format!("{:?}; the window shows: {:?}", seen(), window.text()))
}

/// What the window offers beside what it says first.
fn offered(window: &Window<'_>) -> Result<Vec<String>> {
    window.texts(".headline a, .headline button")
}

/// What is said of pieces whose holders are away: their tiles are not filled.
fn away(window: &Window<'_>) -> Result<Vec<String>> {
    let script = "const found = [...document.querySelectorAll('main [title$=\": holds a piece, away now\"]')];
        const isHollow = (it) => getComputedStyle(it).backgroundColor === 'rgba(0, 0, 0, 0)';
        return found.filter(isHollow).map((it) => it.title);";
    Ok(bitdust_e2e_tests::texts(&window.run(script, &json!([]))?))
}

/// Waits until both places that tell it do.
fn wait_for_twice(window: &Window<'_>, text: &str) -> Outcome {
    eventually(&format!("{text:?}, twice"), SOON, || {
        Ok((window.text()?.matches(text).count() == 2).then_some(()))
    })
    .with_context(|| format!("the window shows: {}", window.text().unwrap_or_default()))
}

/// Switches a practice supplier on or off, and waits until it is. Not by a pointer: what is said above the
/// switches grows when one of them is off, and a click that was aimed before lands beside the next.
fn switch(window: &Window<'_>, name: &str, on: bool) -> Outcome {
    let press = "document.querySelector(arguments[0]).click()";
    let control = format!("[role=switch][aria-label='{name}']");
    window.run(press, &json!([control]))?;
    let selector = format!("[role=switch][aria-label='{name}'][aria-checked='{on}']");
    eventually(&format!("{name} is switched"), SOON, || {
        Ok((window.texts(&selector)?.len() == 1).then_some(()))
    })
}

/// What in the window has one of the colours of what is good.
fn greens(window: &Window<'_>) -> Result<Vec<String>> {
    let script = "const probe = document.body.appendChild(document.createElement('i'));
        const greens = ['--good', '--good-soft', '--good-line', '--good-fill'].map((name) => {
            probe.style.color = `var(${name})`;
            return getComputedStyle(probe).color;
        });
        probe.remove();
        const parts = ['color', 'backgroundColor', 'borderTopColor', 'fill', 'stroke'];
        const isGreen = (it) => parts.some((part) => greens.includes(getComputedStyle(it)[part]));
        const shown = [...document.querySelectorAll('#app *')].filter((it) => it.getClientRects().length > 0);
        return shown.filter(isGreen).map((it) => `${it.tagName}.${it.getAttribute('class')} ${it.textContent.trim()}`);";
    Ok(bitdust_e2e_tests::texts(&window.run(script, &json!([]))?))
}

/// Has the page note from now on how full its bars are, with the words around them.
fn watch_bars(window: &Window<'_>) -> Outcome {
    let script = "window.bars = [];
        const look = () => {
            for (const bar of document.querySelectorAll('[role=progressbar]')) {
                const share = bar.firstElementChild.offsetWidth / bar.offsetWidth;
                const says = bar.closest('.job')?.innerText ?? '';
                window.bars.push({ share, now: bar.getAttribute('aria-valuenow'), says });
            }
        };
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });";
    window.run(script, &json!([]))?;
    Ok(())
}

/// The bars that were seen.
fn bars(window: &Window<'_>) -> Result<Vec<Value>> {
    let bars = window.run("return window.bars", &json!([]))?;
    Ok(bars.as_array().context("nothing was watched")?.clone())
}
