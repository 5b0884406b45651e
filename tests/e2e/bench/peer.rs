//! The peer of backups and restores: restic, into a folder of the same disk.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{World, differences};

use crate::corpora::Corpus;
use crate::jobs::{Round, Taken};

const PASSWORD: &str = "benchmark";

/// One round of all jobs over a corpus, in a new repository.
pub(crate) fn round(world: &World, corpus: &Corpus) -> Result<Round> {
    let place = world.folder();
    restic(place, &["init"], None)?;
    let first = restic(place, &["backup", "."], Some(&corpus.folder))?;
    let again = restic(place, &["backup", "."], Some(&corpus.folder))?;
    let target = world.path("back");
    let shown = target.display().to_string();
    let restore = restic(place, &["restore", "latest", "--target", &shown], None)?;
    compare_inside(&corpus.folder, &target)?;
    Ok(Round {
        first,
        again,
        restore,
    })
}

/// Runs restic under GNU time, with a repository and a cache of its own.
fn restic(place: &Path, arguments: &[&str], within: Option<&Path>) -> Result<Taken> {
    let account = place.join("time");
    let mut command = Command::new("/usr/bin/time");
    command.args(["--format", "%e %U %S %M", "--output"]);
    command.arg(&account).arg("restic").args(arguments);
    command
        .arg("--quiet")
        .arg("--repo")
        .arg(place.join("repository"));
    command.arg("--cache-dir").arg(place.join("cache"));
    command.env("RESTIC_PASSWORD", PASSWORD);
    if let Some(folder) = within {
        command.current_dir(folder);
    }
    ensure!(command.status()?.success(), "{command:?} failed");
    let text = std::fs::read_to_string(account)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let &[seconds, user, system, kibibytes] = numbers.as_slice() else {
        anyhow::bail!("no account of restic: {text}");
    };
    Ok(Taken {
        seconds,
        processor: user + system,
        suppliers: 0.0,
        memory_mib: kibibytes / 1024.0,
    })
}

/// restic does not give the outermost folder its time back.
fn compare_inside(source: &Path, target: &Path) -> Result<()> {
    let different = differences(source, target).context("comparing")?;
    let inside = different.lines().filter(|line| !line.ends_with(" ./"));
    let inside: Vec<&str> = inside.filter(|line| !line.is_empty()).collect();
    ensure!(inside.is_empty(), "{inside:?}");
    Ok(())
}
