//! `make bench`: what the built programs take, beside a peer measured in the same run.
//!
//! Nothing here passes or fails by a figure. Results are printed as tables and written to
//! `target/bench/` as text and JSON; `docs/BENCH.md` holds a run on a quiet machine.

mod corpora;
mod desktop;
mod jobs;
mod report;
mod tree;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::report::Report;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map(PathBuf::from)
        .context("usage: bitdust-bench FOLDER [desktop] [jobs]")?;
    let mut wanted: Vec<String> = arguments.collect();
    if wanted.is_empty() {
        wanted = ["desktop", "jobs"].map(str::to_owned).to_vec();
    }
    std::fs::create_dir_all(&folder)?;
    for name in wanted {
        let report: Report = match name.as_str() {
            "desktop" => desktop::measure()?,
            "jobs" => jobs::measure()?,
            _ => bail!("{name:?} is no benchmark: desktop, jobs"),
        };
        report.publish(&folder, &name)?;
    }
    Ok(())
}
