//! What suppliers truly keep, counted without the product's code: a shard is there if the supplier who is
//! to have it has a file of that name with these contents. And how long it is kept back that all is safe.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::ledger::{Committed, shard_files};
use crate::machine::Machine;

/// So many files at a time are given to the program that hashes them.
const HASHED_AT_ONCE: usize = 500;

/// The whole shards of suppliers, by the device ids of these.
#[derive(Debug, Default)]
pub struct Shelves(BTreeMap<String, BTreeSet<String>>);

impl Shelves {
    /// Shards of a pack that lie whole where they belong.
    #[must_use]
    pub fn held(&self, pack: &Committed) -> usize {
        let places = pack.shards.iter().zip(&pack.holders);
        let held = places.filter(|(shard, holder)| {
            let shelf = self.0.get(*holder);
            shelf.is_some_and(|shelf| shelf.contains(*shard))
        });
        held.count()
    }

    /// How many shards are missing of all packs.
    #[must_use]
    pub fn missing(&self, packs: &[Committed]) -> usize {
        let missing = packs.iter().map(|pack| pack.shards.len() - self.held(pack));
        missing.sum()
    }

    /// Whether all published packs have so many shards more than give them back; if not, the number of
    /// shards of one that has too few. Copies survive as many losses as contents do.
    pub fn are_safe(&self, packs: &[Committed], spare: usize) -> Result<(), usize> {
        let published = packs.iter().filter(|pack| pack.is_published);
        let mut held = published.map(|pack| (self.held(pack), usize::from(pack.k)));
        let short = held.find(|(held, k)| *held < k + spare);
        short.map_or(Ok(()), |(held, _)| Err(held))
    }
}

/// Looks at files, and remembers those that it hashed while nothing changed them.
#[derive(Debug, Default)]
pub struct Auditor {
    hashed: RefCell<BTreeMap<PathBuf, (Stamp, String)>>,
}

/// What changes when somebody writes to a file, or puts another one in its place.
type Stamp = (u64, u64, i64, i64);

impl Auditor {
    /// The whole shards of all suppliers, whether or not they run.
    pub fn look(&self, suppliers: &[Machine]) -> Result<Shelves> {
        let mut shelves = Shelves::default();
        for supplier in suppliers {
            let whole = self.whole(&supplier.home)?;
            shelves.0.insert(supplier.device.clone(), whole);
        }
        Ok(shelves)
    }

    /// The names of files in a home that hash to what they are called.
    fn whole(&self, home: &Path) -> Result<BTreeSet<String>> {
        let mut hashed = self.hashed.borrow_mut();
        let mut stamped = vec![];
        for file in shard_files(home)? {
            // One that was taken away meanwhile is not there.
            if let Ok(metadata) = std::fs::metadata(&file) {
                let stamp = (
                    metadata.ino(),
                    metadata.len(),
                    metadata.ctime(),
                    metadata.ctime_nsec(),
                );
                stamped.push((file, stamp));
            }
        }
        let is_new = |(file, stamp): &&(PathBuf, Stamp)| {
            hashed.get(file).is_none_or(|(known, _)| known != stamp)
        };
        let new: Vec<_> = stamped.iter().filter(is_new).cloned().collect();
        for some in new.chunks(HASHED_AT_ONCE) {
            let mut sums = b3sums(some.iter().map(|(file, _)| file.as_path()))?;
            for (file, stamp) in some {
                if let Some(sum) = sums.remove(file) {
                    hashed.insert(file.clone(), (*stamp, sum));
                }
            }
        }
        let whole = stamped.iter().filter_map(|(file, stamp)| {
            let (known, sum) = hashed.get(file)?;
            let is_whole = known == stamp && file.ends_with(sum);
            is_whole.then(|| sum.clone())
        });
        Ok(whole.collect())
    }
}

/// The BLAKE3 hashes of files, as the program of that name prints them. One that it cannot read has none.
fn b3sums<'a>(files: impl Iterator<Item = &'a Path>) -> Result<BTreeMap<PathBuf, String>> {
    let output = Command::new("b3sum")
        .args(files)
        .output()
        .context("b3sum")?;
    let text = String::from_utf8(output.stdout)?;
    let sum = |line: &str| {
        let (sum, file) = line.split_once("  ")?;
        Some((PathBuf::from(file), sum.to_owned()))
    };
    Ok(text.lines().filter_map(sum).collect())
}

/// How long it is kept back that everything is safe.
#[derive(Debug)]
pub struct Withheld {
    at_most: Duration,
    true_since: Option<Instant>,
    longest: Duration,
}

impl Withheld {
    /// At most for so long.
    #[must_use]
    pub const fn at_most(at_most: Duration) -> Self {
        Self {
            at_most,
            true_since: None,
            longest: Duration::ZERO,
        }
    }

    /// Takes in whether it is so, and whether it is said, at one moment. Fails where it has been so for
    /// too long without a word.
    pub fn note(&mut self, is_true: bool, is_said: bool, now: Instant) -> Result<()> {
        if !is_true {
            self.true_since = None;
            return Ok(());
        }
        let since = *self.true_since.get_or_insert(now);
        if is_said {
            return Ok(());
        }
        self.longest = self.longest.max(now.duration_since(since));
        let (longest, at_most) = (self.longest.as_secs_f64(), self.at_most.as_secs_f64());
        ensure!(
            longest <= at_most,
            "it has been safe for {longest:.1} s and is not called so, at most {at_most:.1} s are allowed"
        );
        Ok(())
    }

    /// The longest time.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::PackKind;

    use super::*;
    use crate::rot::{b3sum, flip_bit};
    use crate::world::World;

    /// A supplier's shard with these contents, under the name of its hash; gives that.
    fn keep(machine: &Machine, contents: &str) -> Result<PathBuf> {
        let folder = machine.home.join("shards");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("new.part");
        std::fs::write(&file, contents)?;
        let named = folder.join(b3sum(&file)?);
        std::fs::rename(file, &named)?;
        Ok(named)
    }

    #[test]
    fn only_what_is_whole_and_where_it_belongs_counts() -> Result<()> {
        let world = World::new("auditor")?;
        let mut machines: Vec<_> = ["one", "two", "three"].map(|it| world.machine(it)).into();
        let mut files = vec![];
        for machine in &mut machines {
            machine.device.clone_from(&machine.name);
            files.push(keep(machine, &machine.name)?);
        }
        let name = |file: &PathBuf| {
            let name = file.file_name().and_then(|name| name.to_str());
            name.map(str::to_owned).context("no name")
        };
        let pack = Committed {
            shards: files.iter().map(name).collect::<Result<_>>()?,
            holders: machines.iter().map(|it| it.device.clone()).collect(),
            kind: PackKind::Data,
            k: 1,
            is_published: true,
        };
        let packs = [pack];
        let auditor = Auditor::default();
        let count = || Ok::<_, anyhow::Error>(auditor.look(&machines)?.held(&packs[0]));
        assert_eq!(count()?, 3);
        assert_eq!(auditor.look(&machines)?.are_safe(&packs, 2), Ok(()));
        // Its name is what it was, and its length.
        flip_bit(&files[0], 1)?;
        assert_eq!(count()?, 2);
        assert_eq!(auditor.look(&machines)?.are_safe(&packs, 2), Err(2));
        assert_eq!(auditor.look(&machines)?.missing(&packs), 1);
        flip_bit(&files[0], 1)?;
        assert_eq!(count()?, 3);
        // Somebody else has it, who is not to.
        let elsewhere = files[0].with_file_name(name(&files[1])?);
        std::fs::rename(&files[1], elsewhere)?;
        assert_eq!(count()?, 2);
        std::fs::remove_file(&files[2])?;
        assert_eq!(count()?, 1);
        Ok(())
    }

    #[test]
    fn what_is_kept_back_too_long_is_a_failure() -> Result<()> {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut withheld = Withheld::at_most(Duration::from_secs(60));
        withheld.note(false, false, at(0))?;
        withheld.note(true, false, at(100))?;
        withheld.note(true, false, at(159))?;
        // It was not so meanwhile.
        withheld.note(false, false, at(160))?;
        withheld.note(true, false, at(170))?;
        withheld.note(true, true, at(400))?;
        assert_eq!(withheld.longest(), Duration::from_secs(59));
        withheld.note(false, false, at(500))?;
        withheld.note(true, false, at(600))?;
        assert!(withheld.note(true, false, at(661)).is_err());
        Ok(())
    }
}
