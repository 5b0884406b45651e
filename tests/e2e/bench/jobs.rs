//! Backups and restores beside restic and rustic into a folder of the same disk: the first backup, one of
//! what did not change, and a restore, of each corpus. Ours goes to six suppliers on this
//! machine with code 3/6 and is durable at all of them; it comes back from three. Their
//! processor time is listed apart from the customer's.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{Machine, Stage, Transport, World, differences};
use serde_json::Value;

use crate::corpora::{Corpus, CorpusName};
use crate::pass::let_pass;
use crate::peer::Peer;
use crate::report::{Bar, Figure, Report, Row};
use crate::{Choice, tree};

pub(crate) const SUPPLIERS: u8 = 6;
pub(crate) const CODE: &str = "3/6";
const LOST: usize = 3;
const LONG: Duration = Duration::from_secs(400);
/// How long the machines are watched to tell whether they rest.
const REST_LOOK: Duration = Duration::from_secs(1);
/// Seconds of processor that all machines of a stage may use together meanwhile.
const REST_SECONDS: f64 = 0.05;
/// From so many files on, what a round leaves stays until the last one is over: ext4 takes no
/// inode that was freed within the last seconds, and looks for others one by one, so that a
/// restore after the deletion of another would take ten times as long, whoever does it.
const MANY_FILES: u64 = 1_000;
/// Memory that no job of a customer should exceed.
pub(crate) const MEMORY_MIB_BAR: f64 = 256.0;

/// What one job took.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Taken {
    /// From the order to the end.
    pub(crate) seconds: f64,
    /// Seconds of processor of whoever does the job.
    pub(crate) processor: f64,
    /// Seconds of processor of all suppliers.
    pub(crate) suppliers: f64,
    /// The most memory of whoever does the job.
    pub(crate) memory_mib: f64,
}

/// What one round over a corpus took.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Round {
    /// The first backup, until every supplier has its part.
    pub(crate) first: Taken,
    /// A backup of what did not change.
    pub(crate) again: Taken,
    /// A restore of everything.
    pub(crate) restore: Taken,
}

/// What suppliers keep after the first backup, by the status.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Pieces of contents beyond n / k of the sealed packs.
    beyond_percent: f64,
    /// Metadata before it is copied.
    metadata_bytes_per_file: f64,
}

/// Gives one job of a round.
type JobOf = fn(&Round) -> Taken;

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let place = World::new("bench-corpora")?;
    let mut rows = Vec::new();
    for name in &choice.corpora {
        let corpus = name.make(place.folder())?;
        let (mut ours, mut kept) = (Vec::new(), Vec::new());
        let mut peers = Peer::ALL.map(|_| Vec::new());
        let mut left = Vec::new();
        for _ in 0..choice.rounds {
            let world = World::over("bench-jobs", Transport::Tcp)?;
            let (taken, stored) = round(&world, &corpus)?;
            ours.push(taken);
            kept.push(stored);
            let mut worlds = vec![world];
            for (peer, rounds) in Peer::ALL.into_iter().zip(&mut peers) {
                let world = World::new(&format!("bench-{}", peer.name()))?;
                rounds.push(peer.round(&world, &corpus)?);
                worlds.push(world);
            }
            if corpus.files >= MANY_FILES {
                left.extend(worlds);
            }
        }
        drop(left);
        rows.extend(rows_of(&corpus, &ours, &peers));
        rows.extend(kept_rows(&corpus, &kept));
        std::fs::remove_dir_all(&corpus.folder)?;
    }
    Ok(Report {
        title: "Jobs (peers: each into a folder; code 3/6, six suppliers on this machine)",
        peers: &Peer::NAMES,
        rows,
    })
}

/// A first backup by itself.
pub(crate) fn first_backup(corpus: &Corpus) -> Result<Taken> {
    let world = World::over("bench-first", Transport::Tcp)?;
    let stage = Stage::set_up(&world, SUPPLIERS, Some(CODE))?;
    first(&stage, corpus)
}

/// A round of all jobs with a new customer and new suppliers.
fn round(world: &World, corpus: &Corpus) -> Result<(Round, Kept)> {
    let mut stage = Stage::set_up(world, SUPPLIERS, Some(CODE))?;
    let first = first(&stage, corpus)?;
    let kept = kept(&stage.customer)?;
    let again = account(&stage, back_up)?;
    stage.lose_suppliers(LOST)?;
    let target = world.path("back");
    let restore = account(&stage, |customer| {
        let order = customer.order(&["restore", "latest", "--to"]);
        order.argument(&target).within(LONG).run().map(drop)
    })?;
    let different = differences(&corpus.folder, &target).context("comparing")?;
    ensure!(different.is_empty(), "{different}");
    let taken = Round {
        first,
        again,
        restore,
    };
    Ok((taken, kept))
}

/// Puts the corpus under protection and backs it up, until every supplier has its part.
fn first(stage: &Stage, corpus: &Corpus) -> Result<Taken> {
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&corpus.folder).run()?;
    account(stage, |customer| {
        back_up(customer)?;
        customer.wait_until_spread().map(drop)
    })
}

fn kept(customer: &Machine) -> Result<Kept> {
    let status = customer.status()?;
    let number = |name: &str| status[name].as_f64().with_context(|| name.to_owned());
    Ok(Kept {
        beyond_percent: 100.0 * (number("kept_bytes")? / number("coded_bytes")? - 1.0),
        metadata_bytes_per_file: number("metadata_bytes")? / number_of_files(&status)?,
    })
}

fn number_of_files(status: &Value) -> Result<f64> {
    let folders = status["folders"].as_array().context("no folders")?;
    let files = folders.iter().filter_map(|folder| folder["files"].as_f64());
    Ok(files.sum())
}

fn back_up(customer: &Machine) -> Result<()> {
    customer.order(&["backup"]).within(LONG).run().map(drop)
}

/// What a job of the customer takes of the customer and of the suppliers that live. The time ends
/// with the job; processor and memory count what it leaves to be done afterwards, too, so that
/// no job pays for the one before it.
pub(crate) fn account(stage: &Stage, job: impl FnOnce(&Machine) -> Result<()>) -> Result<Taken> {
    let process = stage.customer.process_id()?;
    tree::forget_peak(process)?;
    let (own, theirs) = (tree::processor_seconds(process)?, of_suppliers(stage)?);
    let begun = Instant::now();
    job(&stage.customer)?;
    let seconds = begun.elapsed().as_secs_f64();
    come_to_rest(stage)?;
    Ok(Taken {
        seconds,
        processor: tree::processor_seconds(process)? - own,
        suppliers: of_suppliers(stage)? - theirs,
        memory_mib: peak_memory_kib(process)? as f64 / 1024.0,
    })
}

/// Waits until no machine of the stage has anything to do.
fn come_to_rest(stage: &Stage) -> Result<()> {
    let process = stage.customer.process_id()?;
    let spent = || -> Result<f64> { Ok(tree::processor_seconds(process)? + of_suppliers(stage)?) };
    let begun = Instant::now();
    let mut before: f64 = spent()?;
    while begun.elapsed() < LONG {
        let_pass(REST_LOOK);
        let now = spent()?;
        if now - before <= REST_SECONDS {
            return Ok(());
        }
        before = now;
    }
    anyhow::bail!("the machines are still at work {LONG:?} after the job")
}

/// Seconds of processor of all suppliers that live.
fn of_suppliers(stage: &Stage) -> Result<f64> {
    let living = stage.suppliers.iter().filter(|it| it.is_started());
    living
        .map(|it| tree::processor_seconds(it.process_id()?))
        .sum()
}

fn rows_of(corpus: &Corpus, ours: &[Round], peers: &[Vec<Round>]) -> Vec<Row> {
    let first_bar = match corpus.kind {
        CorpusName::Small => 1.0 / 1.5,
        CorpusName::Incompressible | CorpusName::Libraries => 1.0,
    };
    let megabytes = corpus.bytes as f64 / 1e6;
    let first = format!("{}: first backup ({megabytes:.0} MB)", corpus.name);
    let again = format!("{}: backup of what did not change", corpus.name);
    let restore = format!("{}: restore from three of six", corpus.name);
    // What did not change is held against a bar where listing it is most of the work.
    let again_bar = (corpus.kind == CorpusName::Small).then_some(0.5);
    let jobs: [(String, Option<f64>, JobOf); 3] = [
        (first, Some(first_bar), |round| round.first),
        (again, again_bar, |round| round.again),
        (restore, Some(1.0), |round| round.restore),
    ];
    jobs.iter()
        .flat_map(|(what, bar, job)| job_rows(what, *bar, *job, ours, peers))
        .collect()
}

fn kept_rows(corpus: &Corpus, kept: &[Kept]) -> [Row; 2] {
    let middle = |of: fn(&Kept) -> f64| {
        let measures: Vec<f64> = kept.iter().map(of).collect();
        Figure::middle(&measures)
    };
    let beyond = Row::new(
        format!(
            "{}: pieces at suppliers beyond n / k of the packs",
            corpus.name
        ),
        "%",
        middle(|kept| kept.beyond_percent),
    );
    let metadata = Row::new(
        format!(
            "{}: metadata before copying ({} files)",
            corpus.name, corpus.files
        ),
        "bytes a file",
        middle(|kept| kept.metadata_bytes_per_file),
    );
    [
        beyond.against(Bar::AtMost(1.0)),
        // A fixed part for each version does not count where files are few.
        match corpus.kind {
            CorpusName::Small => metadata.against(Bar::AtMost(120.0)),
            CorpusName::Incompressible | CorpusName::Libraries => metadata,
        },
    ]
}

fn job_rows(
    what: &str,
    bar: Option<f64>,
    job: JobOf,
    ours: &[Round],
    peers: &[Vec<Round>],
) -> [Row; 5] {
    let figure = |rounds: &[Round], of: fn(Taken) -> f64| {
        let measures: Vec<f64> = rounds.iter().map(|round| of(job(round))).collect();
        Figure::of(&measures)
    };
    let row = |part: &str, unit, of: fn(Taken) -> f64| {
        let row = Row::new(format!("{what}{part}"), unit, figure(ours, of));
        let peers = peers.iter().map(|rounds| figure(rounds, of));
        peers.fold(row, Row::beside)
    };
    let alone =
        |part: &str, of: fn(Taken) -> f64| Row::new(format!("{what}{part}"), "s", figure(ours, of));
    let time = row("", "s", |taken| taken.seconds);
    [
        match bar {
            Some(times) => time.against(Bar::TimesPeer(times)),
            None => time,
        },
        alone(", processor of the customer", |taken| taken.processor),
        alone(", processor of the suppliers", |taken| taken.suppliers),
        row(", processor of all", "s", |taken| {
            taken.processor + taken.suppliers
        }),
        row(", peak memory of the customer", "MiB", |taken| {
            taken.memory_mib
        })
        .against(Bar::AtMost(MEMORY_MIB_BAR)),
    ]
}
