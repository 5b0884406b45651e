//! The peers of backups and restores: restic and rustic, each into a folder of the same disk.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{World, differences};

use crate::corpora::Corpus;
use crate::jobs::{Round, Taken};

const PASSWORD: &str = "benchmark";

/// A program that does the same jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Restic,
    Rustic,
}

impl Peer {
    /// All of them; bars are of the first.
    pub(crate) const ALL: [Self; 2] = [Self::Restic, Self::Rustic];
    /// Their names, in the same order.
    pub(crate) const NAMES: [&str; 2] = [Self::Restic.name(), Self::Rustic.name()];

    /// Its program, on the `PATH`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Restic => "restic",
            Self::Rustic => "rustic",
        }
    }

    /// One round of all jobs over a corpus, in a new repository.
    pub(crate) fn round(self, world: &World, corpus: &Corpus) -> Result<Round> {
        let place = world.folder();
        self.run(place, &["init"], None)?;
        let first = self.run(place, &["backup", "."], Some(&corpus.folder))?;
        let again = self.run(place, &["backup", "."], Some(&corpus.folder))?;
        let target = world.path("back");
        let shown = target.display().to_string();
        let mut restore = vec!["restore", "latest"];
        if self == Self::Restic {
            restore.push("--target");
        }
        restore.push(&shown);
        let restore = self.run(place, &restore, None)?;
        compare_inside(&corpus.folder, &target)?;
        Ok(Round {
            first,
            again,
            restore,
        })
    }

    /// Runs it under GNU time, with a repository, a cache and settings of its own.
    fn run(self, place: &Path, arguments: &[&str], within: Option<&Path>) -> Result<Taken> {
        let account = place.join("time");
        let mut command = Command::new("/usr/bin/time");
        command.args(["--format", "%e %U %S %M", "--output"]);
        command.arg(&account).arg(self.name()).args(arguments);
        match self {
            Self::Restic => command.arg("--quiet"),
            Self::Rustic => command.args(["--no-progress", "--log-level", "error"]),
        };
        command.arg("--repo").arg(place.join("repository"));
        command.arg("--cache-dir").arg(place.join("cache"));
        command.env("RESTIC_PASSWORD", PASSWORD);
        command.env("RUSTIC_PASSWORD", PASSWORD);
        command.env("HOME", place);
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
            anyhow::bail!("no account of {}: {text}", self.name());
        };
        Ok(Taken {
            seconds,
            processor: user + system,
            suppliers: 0.0,
            memory_mib: kibibytes / 1024.0,
        })
    }
}

/// Neither gives the outermost folder its time back.
fn compare_inside(source: &Path, target: &Path) -> Result<()> {
    let different = differences(source, target).context("comparing")?;
    let inside = different.lines().filter(|line| !line.ends_with(" ./"));
    let inside: Vec<&str> = inside.filter(|line| !line.is_empty()).collect();
    ensure!(inside.is_empty(), "{inside:?}");
    Ok(())
}
