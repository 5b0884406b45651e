//! The window: how soon it is there, what it costs while nobody looks, how big it is.
//!
//! The peer is the smallest browser of the same WebKitGTK with one empty page: what any
//! window of this kind takes before it does anything.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::process::Process;
use bitdust_e2e_tests::{Bus, Desktop, Stage, World, eventually};

use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};
use crate::tree;

const TITLE: &str = "BitDust";
const PEER: &str = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const PEER_TITLE: &str = "[Private] Empty";
const PEER_PAGE: &str =
    "data:text/html,<title>Empty</title><h1>Empty</h1><p style='color:red'>page";
const STARTS: usize = 7;
const SOON: Duration = Duration::from_secs(60);
/// Time for a start to settle, and time over which idling is measured.
const SETTLE: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(60);
/// More colours than an empty window has.
const COLOURS: usize = 6;

/// A start: when the page was drawn, and when it was on the screen.
struct Start {
    ready: f64,
    painted: f64,
}

/// What idling takes.
struct Idle {
    processor_percent: f64,
    memory_mib: f64,
}

pub(crate) fn measure() -> Result<Report> {
    let world = World::new("bench-desktop")?;
    let mut stage = Stage::set_up(&world, 6, None)?;
    let folder = world.make_folder("pictures")?;
    for number in 0..200 {
        std::fs::write(folder.join(format!("{number}.txt")), vec![b'x'; 20_000])?;
    }
    stage.back_up(&folder)?;
    stage.customer.wait_until_spread()?;
    stage.customer.stop()?;

    let desktop = Desktop::start(&world, "screen")?;
    let bus = Bus::offer(&desktop)?;
    // One start of each before anything counts: the machine's caches are warm then.
    start_ours(&desktop, &bus, &stage)?;
    start_peer(&desktop)?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        ours.push(start_ours(&desktop, &bus, &stage)?);
        peers.push(start_peer(&desktop)?);
    }
    let (shown, hidden) = idle_ours(&desktop, &bus, &stage)?;
    let peer = idle_peer(&desktop)?;

    let painted: Vec<f64> = ours.iter().map(|it| it.painted).collect();
    let ready: Vec<f64> = ours.iter().map(|it| it.ready).collect();
    let mut rows = vec![
        Row::new("start to the drawn overview", "s", Figure::of(&ready)).against(Bar::AtMost(1.0)),
        Row::new(
            "start to the picture on the screen",
            "s",
            Figure::of(&painted),
        )
        .beside(Figure::of(&peers))
        .against(Bar::AtMost(1.0)),
        Row::new(
            "idle processor, window open",
            "% of a core",
            Figure::one(shown.processor_percent),
        )
        .beside(Figure::one(peer.processor_percent))
        .against(Bar::AtMost(1.0)),
        Row::new(
            "idle processor, closed to the tray",
            "% of a core",
            Figure::one(hidden.processor_percent),
        )
        .against(Bar::AtMost(1.0)),
        Row::new(
            "memory of shell, page and node",
            "MiB (PSS)",
            Figure::one(shown.memory_mib),
        )
        .beside(Figure::one(peer.memory_mib)),
        Row::new(
            "the same, closed to the tray",
            "MiB (PSS)",
            Figure::one(hidden.memory_mib),
        ),
    ];
    if let Some(bytes) = package_bytes() {
        rows.push(Row::new("the .deb", "MB", Figure::one(bytes / 1e6)).against(Bar::AtMost(20.0)));
    }
    Ok(Report {
        peers: ONE_PEER,
        title: "The window (peer: WebKitGTK's MiniBrowser with an empty page)",
        rows,
    })
}

fn start_ours(desktop: &Desktop, bus: &Bus<'_>, stage: &Stage) -> Result<Start> {
    // Each start writes a log of its own.
    drop(std::fs::remove_file(desktop.log()));
    let begun = Instant::now();
    let mut program = desktop.start_program(&stage.customer, &[])?;
    let ready = within(begun, || {
        let log = std::fs::read_to_string(desktop.log()).unwrap_or_default();
        Ok(log.contains("The window is ready"))
    })?;
    let painted = paint(desktop, TITLE, begun)?;
    bus.choose("Quit")?;
    ensure!(program.wait(SOON)?.success(), "it did not end well");
    bus.forget_icon();
    Ok(Start { ready, painted })
}

fn start_peer(desktop: &Desktop) -> Result<f64> {
    let begun = Instant::now();
    let _program = peer(desktop)?;
    paint(desktop, PEER_TITLE, begun)
}

fn peer(desktop: &Desktop) -> Result<Process> {
    let mut browser = Command::new(PEER);
    browser.args(["--private", PEER_PAGE]);
    desktop.spawn(browser)
}

fn idle_ours(desktop: &Desktop, bus: &Bus<'_>, stage: &Stage) -> Result<(Idle, Idle)> {
    let mut program = desktop.start_program(&stage.customer, &[])?;
    paint(desktop, TITLE, Instant::now())?;
    let shown = idle(program.id())?;
    desktop.screen()?.close(TITLE)?;
    eventually("a closed window", SOON, || {
        Ok((!desktop.screen()?.shows(TITLE)?).then_some(()))
    })?;
    let hidden = idle(program.id())?;
    bus.choose("Quit")?;
    ensure!(program.wait(SOON)?.success(), "it did not end well");
    Ok((shown, hidden))
}

fn idle_peer(desktop: &Desktop) -> Result<Idle> {
    let program = peer(desktop)?;
    paint(desktop, PEER_TITLE, Instant::now())?;
    idle(program.id())
}

fn idle(process: u32) -> Result<Idle> {
    let_pass(SETTLE);
    let before = tree::processor_seconds(process)?;
    let_pass(IDLE);
    let used = tree::processor_seconds(process)? - before;
    let memory_mib = tree::memory_bytes(process)? as f64 / f64::from(1 << 20);
    Ok(Idle {
        processor_percent: 100.0 * used / IDLE.as_secs_f64(),
        memory_mib,
    })
}

/// Seconds until a window has more than a background.
fn paint(desktop: &Desktop, title: &str, begun: Instant) -> Result<f64> {
    let screen = desktop.screen()?;
    within(begun, || Ok(screen.colours(title)? > COLOURS))
}

/// Seconds until something is so; looks often, as it is measured.
fn within(begun: Instant, mut probe: impl FnMut() -> Result<bool>) -> Result<f64> {
    loop {
        if probe()? {
            return Ok(begun.elapsed().as_secs_f64());
        }
        ensure!(begun.elapsed() < SOON, "it did not come");
        let_pass(Duration::from_millis(5));
    }
}

/// Bytes of the newest package, where one was built.
fn package_bytes() -> Option<f64> {
    let program = std::env::var_os("BITDUST_PROGRAM")?;
    let folder = Path::new(&program).parent()?.join("bundle/deb");
    let entries = std::fs::read_dir(folder).ok()?;
    let packages = entries.filter_map(|it| Some(it.ok()?.path()));
    let package = packages.filter(|it| it.extension().is_some_and(|it| it == "deb"));
    let bytes = package.last()?.metadata().context("a package").ok()?.len();
    Some(bytes as f64)
}
