//! `make bench`: what the built programs take, beside a peer measured in the same run.
//!
//! Nothing here passes or fails by a figure. Results are printed as tables and written to
//! `target/bench/` as text and JSON; `docs/BENCH.md` holds a run on a quiet machine.

mod catalogue;
mod corpora;
mod desktop;
mod idle;
mod image;
mod jobs;
mod ledger;
mod neighbours;
mod pass;
mod peer;
mod report;
mod roofline;
mod single;
mod tree;
mod vanished;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::corpora::CorpusName;
use crate::report::Report;

const USAGE: &str = "usage: bitdust-bench FOLDER [NAME]... [--corpus NAME]... [--rounds N]";
/// All benchmarks, in the order in which they run.
const NAMES: [&str; 10] = [
    "desktop",
    "jobs",
    "image",
    "single",
    "idle",
    "catalogue",
    "ledger",
    "neighbours",
    vanished::NAME,
    "roofline",
];
/// How often each job is done unless the command line says otherwise.
const ROUNDS: usize = 5;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Where the tables go.
    folder: PathBuf,
    /// Which benchmarks.
    names: Vec<String>,
    /// What the jobs work on.
    pub(crate) corpora: Vec<CorpusName>,
    /// How often each job is done.
    pub(crate) rounds: usize,
}

fn main() -> Result<()> {
    let choice = Choice::read(std::env::args().skip(1))?;
    std::fs::create_dir_all(&choice.folder)?;
    for name in &choice.names {
        let report: Report = match name.as_str() {
            "desktop" => desktop::measure()?,
            "jobs" => jobs::measure(&choice)?,
            "image" => image::measure(&choice)?,
            "single" => single::measure(&choice)?,
            "idle" => idle::measure()?,
            "catalogue" => catalogue::measure(&choice)?,
            "ledger" => ledger::measure()?,
            "neighbours" => neighbours::measure(&choice)?,
            vanished::NAME => {
                vanished::measure_apart(&choice)?;
                continue;
            }
            "roofline" => roofline::measure(&choice)?,
            _ => bail!("{name:?} is no benchmark: {}", NAMES.join(", ")),
        };
        report.publish(&choice.folder, name)?;
    }
    Ok(())
}

impl Choice {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut choice = Self {
            folder: arguments.next().map(PathBuf::from).context(USAGE)?,
            names: Vec::new(),
            corpora: Vec::new(),
            rounds: ROUNDS,
        };
        while let Some(word) = arguments.next() {
            match word.as_str() {
                "--corpus" => {
                    let name = arguments.next().context(USAGE)?;
                    choice.corpora.push(CorpusName::read(&name)?);
                }
                "--rounds" => {
                    let count = arguments.next().context(USAGE)?;
                    choice.rounds = count.parse().context("--rounds takes a number")?;
                }
                flag if flag.starts_with('-') => bail!("{USAGE}"),
                name => choice.names.push(name.to_owned()),
            }
        }
        if choice.names.is_empty() {
            choice.names = NAMES.map(str::to_owned).to_vec();
        }
        if choice.corpora.is_empty() {
            choice.corpora = CorpusName::ALL.to_vec();
        }
        Ok(choice)
    }
}
