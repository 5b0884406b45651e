//! What the program says: one JSON object for machines from every command, a bar with speed
//! and remaining time on a terminal, plain lines in a pipe.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::process::Process;
use bitdust_e2e_tests::{Machine, Outcome, Stage, Transport, World, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(120);
/// Much more than what may be in flight.
const BIG_BYTES: u64 = 200_000_000;
/// Nothing is fetched from this id: the commands that take one belong to a later release.
const SOMEBODY: &str = "7f3a91c2";

#[test]
fn every_command_speaks_json() -> Outcome {
    let world = World::new("json")?;
    // One look a minute may find nobody in the minute that `supplier hire` waits.
    let mut stage = Stage::prepare(&world, 2, &[("policy.search_interval", "500")])?;
    let mut said = BTreeSet::new();
    // What the stage itself has run on the way here, with `--json` as everything.
    said.extend(["init", "daemon", "set"].map(str::to_owned));
    stage.customer.start()?;
    let invitation = stage.suppliers[0].run(&["invite"])?;
    let invitation = invitation.text("/invitation")?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("file"), "contents")?;
    let text = |path: &Path| path.to_str().context("no text").map(str::to_owned);
    let (source_text, target) = (text(&source)?, text(&world.path("restored"))?);
    let lines: &[(&[&str], i32)] = &[
        (&["get"], 0),
        (&["get", "network"], 0),
        (&["set", "code", "1/2"], 0),
        (&["device", "list"], 0),
        (&["device", "revoke", SOMEBODY], 2),
        (&["offer", "1GB"], 0),
        (&["invite"], 0),
        (&["accept", invitation], 0),
        (&["supplier", "hire", "2"], 0),
        (&["supplier", "list"], 0),
        (&["supplier", "fire", SOMEBODY], 2),
        (&["customer", "list"], 0),
        (&["folder", "add", &source_text], 0),
        (&["folder", "list"], 0),
        (&["backup"], 0),
        (&["snapshots"], 0),
        (&["ls", "latest"], 0),
        (&["ls", "latest:nothing"], 1),
        (&["restore", "latest", "--to", &target], 0),
        (&["verify"], 0),
        (&["status"], 0),
        (&["folder", "remove", &source_text], 0),
        (&["simulate"], 2),
        (&["completions", "zsh"], 0),
        (&["man"], 0),
    ];
    for (line, code) in lines {
        said.insert(check_speech(&stage.customer, line, *code)?);
    }
    let new = stage.new_machine(&world, "new-machine")?;
    new.order(&["recover", "--keys", "file"])
        .input(&stage.customer.words)
        .run()?;
    check_demo(&world, &source)?;
    said.extend(["recover", "demo"].map(str::to_owned));

    let silent: Vec<_> = commands(&stage.customer, &world.path("pages"))?
        .into_iter()
        .filter(|command| !said.contains(command))
        .collect();
    ensure!(silent.is_empty(), "nobody listened to {silent:?}");
    Ok(())
}

#[test]
fn progress_is_a_bar_on_a_terminal() -> Outcome {
    let world = World::over("progress", Transport::Tcp)?;
    let stage = with_one_held(&world)?;
    let screen = world.path("screen");
    let mut backup = on_a_terminal(&stage.customer, &world, "backup", &screen)?;
    let drawn = slowly(&stage, &mut backup, &screen, |_| true)?;
    ensure!(drawn.contains("\u{1b}["), "nothing was drawn: {drawn:?}");
    ensure!(
        drawn.contains("[=") || drawn.contains("[>"),
        "no bar: {drawn:?}"
    );
    Ok(())
}

#[test]
fn progress_is_plain_lines_in_a_pipe() -> Outcome {
    let world = World::over("lines", Transport::Tcp)?;
    let stage = with_one_held(&world)?;
    let log = world.path("customer-commands.log");
    std::fs::write(&log, [])?;
    let mut backup = stage.customer.order(&["backup"]).plain().begin()?;
    let told = |lines: &str| {
        let lines = lines.lines();
        lines
            .filter(|line| line.starts_with("Backing up: "))
            .count()
    };
    let lines = slowly(&stage, &mut backup, &log, |lines| told(lines) >= 2)?;
    let odd = lines
        .chars()
        .find(|sign| sign.is_control() && *sign != '\n');
    ensure!(odd.is_none(), "{odd:?} in a pipe: {lines:?}");
    ensure!(told(&lines) >= 2, "no lines: {lines:?}");
    Ok(())
}

/// Something to back up, and two suppliers, the first of which takes nothing. Over TCP it is waited
/// for; over QUIC it would be taken for gone after ten seconds, and the backup would read on.
fn with_one_held(world: &World) -> Result<Stage> {
    let stage = Stage::set_up(world, 2, Some("1/2"))?;
    let source = world.make_folder("source")?;
    world.random().write_file(&source.join("big"), BIG_BYTES)?;
    let order = stage.customer.order(&["folder", "add", "--"]);
    order.argument(&source).run()?;
    stage.customer.wait_until_connected(2)?;
    stage.suppliers[0].hold(true)?;
    Ok(stage)
}

/// Waits until a backup has told its speed and the time that is left, and what else is asked of what
/// it shows, and lets it end; gives what it showed. The first supplier is held until then, so that
/// the backup is still at it.
fn slowly(
    stage: &Stage,
    backup: &mut Process,
    shown: &Path,
    is_enough: impl Fn(&str) -> bool,
) -> Result<String> {
    let read =
        || Ok::<_, anyhow::Error>(String::from_utf8_lossy(&std::fs::read(shown)?).into_owned());
    let told = eventually("speed and remaining time", SOON, || {
        let text = read()?;
        let is_told = text.contains("/s, ") && text.contains(" left");
        Ok((is_told && is_enough(&text)).then_some(()))
    });
    stage.suppliers[0].hold(false)?;
    told.with_context(|| end_of(&read().unwrap_or_default()))?;
    let ended = backup.wait(SOON)?;
    ensure!(ended.success(), "it ended with {ended}");
    read()
}

/// The last that was shown.
fn end_of(text: &str) -> String {
    let letters: Vec<char> = text.chars().rev().take(400).collect();
    letters.into_iter().rev().collect()
}

/// Runs a command on a terminal of its own; what appears there goes to a file.
fn on_a_terminal(machine: &Machine, world: &World, line: &str, screen: &Path) -> Result<Process> {
    let typed = format!(
        "exec {} --home {} --scope loopback --network {} {line}",
        world.program().display(),
        machine.home.display(),
        world.network()
    );
    std::fs::write(screen, [])?;
    let mut command = Command::new("script");
    command.args(["-qefc", &typed]).arg(screen);
    command.env("TERM", "xterm").env_remove("BITDUST_HOME");
    Process::spawn(command, &world.path("script.log"), None)
}

/// Runs a line that has to end with this code and one object; gives the command's name.
fn check_speech(machine: &Machine, line: &[&str], code: i32) -> Result<String> {
    let reply = machine
        .attempt(line)
        .and_then(|reply| reply.expect_code(code))
        .with_context(|| format!("{line:?}"))?;
    ensure!(reply.object.is_object(), "{line:?} gave {}", reply.object);
    ensure!(
        reply.stderr.is_empty(),
        "{line:?} spoke beside it: {}",
        reply.stderr
    );
    let has_error = reply.object.get("error").is_some_and(Value::is_object);
    ensure!(has_error == (code != 0), "{line:?} gave {}", reply.object);
    let is_group = ["device", "supplier", "customer", "folder"].contains(&line[0]);
    Ok(line[..if is_group { 2 } else { 1 }].join("-"))
}

fn check_demo(world: &World, folder: &Path) -> Outcome {
    let mut demo = Command::new(world.program());
    demo.args([
        "--json",
        "demo",
        "--suppliers",
        "2",
        "--lose",
        "1",
        "--code",
        "1/2",
    ])
    .arg(folder)
    .env_remove("BITDUST_HOME");
    let demo = demo.output()?;
    let said = String::from_utf8(demo.stdout)?;
    ensure!(demo.status.success(), "the demo failed: {said}");
    let objects = said.lines().map(serde_json::from_str);
    let objects: Vec<Value> = objects.collect::<Result<_, _>>()?;
    let results = objects
        .iter()
        .filter(|object| object.get("event").is_none());
    ensure!(results.count() == 1, "{said}");
    Ok(())
}

/// The names of all commands that do something, as their manual pages say.
fn commands(machine: &Machine, folder: &PathBuf) -> Result<BTreeSet<String>> {
    machine.order(&["man", "--to"]).argument(folder).run()?;
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let name = name
            .strip_prefix("bitdust")
            .and_then(|name| name.strip_suffix(".1"));
        let name = name.context("no page of the program")?;
        names.extend(name.strip_prefix('-').map(str::to_owned));
    }
    ensure!(names.len() > 20, "{names:?}");
    let all = names.clone();
    names.retain(|name| {
        let is_group = all
            .iter()
            .any(|other| other.starts_with(&format!("{name}-")));
        !is_group && !name.split('-').any(|word| word == "help")
    });
    Ok(names)
}
