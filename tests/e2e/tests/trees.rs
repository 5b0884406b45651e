//! Whole trees through real daemons: invented ones, such that change while they are backed up,
//! such that have other file systems in them, and such that are reached by a link.

#[path = "../../../crates/source/tests/files/trees.rs"]
mod trees;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use bitdust_e2e_tests::compare::all_differences;
use bitdust_e2e_tests::mounts::{Mount, may_mount};
use bitdust_e2e_tests::somebody::is_root;
use bitdust_e2e_tests::{Machine, Outcome, Random, Reply, Stage, World, differences, eventually};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const LONG: Duration = Duration::from_secs(300);
/// From here all trees are invented; another seed invents others.
const SEED: [u8; 32] = *b"thirty-two bytes to begin with..";
const TREES: usize = 30;
/// Backups for one during which something changes.
const TRIES: u32 = 5;

#[test]
fn invented_trees_come_back_through_real_machines() -> Outcome {
    let world = World::new("invented")?;
    let source = world.make_folder("source")?;
    let may = trees::Liberties {
        is_root: is_root()?,
        // No program that takes paths could be the witness.
        has_long_paths: false,
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for number in 0..TREES {
        let invented = trees::any_tree(may).new_tree(&mut runner);
        let tree = invented.map_err(|reason| anyhow!("{reason}"))?.current();
        let folder = world.make_folder(&format!("source/{number}"))?;
        tree.make(&folder)
            .with_context(|| format!("tree {number} of {may:?}"))?;
    }
    let before = trees::seen(&source)?;
    eprintln!("{} things in {TREES} trees", before.len());
    ensure!(
        before.len() > 20 * TREES,
        "control: the trees have branches"
    );

    let stage = Stage::set_up(&world, 2, Some("1/2"))?;
    stage.back_up(&source)?;
    let restored = restore(&stage.customer, &world, "restored")?;
    let lost = trees::differences(&before, &trees::seen(&restored)?);
    ensure!(lost.is_empty(), "{lost:#?}");
    let witnessed = if is_root()? {
        all_differences(&source, &restored)?
    } else {
        differences(&source, &restored)?
    };
    assert_eq!(witnessed, "");
    Ok(())
}

#[test]
fn a_folder_named_by_a_link_is_the_folder_that_the_link_leads_to() -> Outcome {
    let world = World::new("link")?;
    let source = world.make_folder("elsewhere")?;
    fs::write(source.join("file"), "behind a link")?;
    symlink("file", source.join("link inside"))?;
    let link = world.path("link");
    symlink("elsewhere", &link)?;
    let stage = Stage::set_up(&world, 2, Some("1/2"))?;
    stage.back_up(&link)?;
    let folders = stage.customer.run(&["folder", "list"])?;
    assert_eq!(
        Path::new(folders.text("/folders/0/path")?),
        source.canonicalize()?
    );
    // The link may go another way afterwards.
    fs::remove_file(&link)?;
    symlink("nowhere", &link)?;
    fs::write(source.join("new"), "since then")?;
    stage.customer.run(&["backup"])?;
    let restored = restore(&stage.customer, &world, "restored")?;
    assert_eq!(differences(&source, &restored)?, "");
    Ok(())
}

#[test]
fn other_file_systems_inside_a_folder_are_taken_or_left_out_as_chosen() -> Outcome {
    if !may_mount("other_file_systems_inside_a_folder_are_taken_or_left_out_as_chosen")? {
        return Ok(());
    }
    let world = World::new("mounts")?;
    let source = world.make_folder("source")?;
    fs::write(source.join("file"), "on this one")?;
    let mount = Mount::tmpfs(world.make_folder("source/disk")?, "size=1m")?;
    fs::create_dir(mount.folder().join("folder"))?;
    fs::write(mount.folder().join("folder/inside"), "on another")?;
    let stage = Stage::set_up(&world, 2, Some("1/2"))?;

    stage.back_up(&source)?;
    let crossed = restore(&stage.customer, &world, "crossed")?;
    assert_eq!(all_differences(&source, &crossed)?, "");

    let added = stage
        .customer
        .order(&["folder", "add", "--one-file-system", "--"])
        .argument(&source)
        .run()?;
    assert_eq!(added.object["folder"]["crosses_mounts"], false);
    stage.customer.run(&["backup"])?;
    let stayed = restore(&stage.customer, &world, "stayed")?;
    assert_eq!(fs::read(stayed.join("file"))?, b"on this one");
    assert!(stayed.join("disk").is_dir(), "where it was mounted");
    assert_eq!(fs::read_dir(stayed.join("disk"))?.count(), 0);

    stage.back_up(&source)?;
    let again = restore(&stage.customer, &world, "again")?;
    assert_eq!(all_differences(&source, &again)?, "");
    Ok(())
}

#[test]
fn a_tree_that_changes_during_its_backup_gives_no_torn_file_as_whole() -> Outcome {
    let world = World::new("changing")?;
    let source = world.make_folder("source")?.canonicalize()?;
    let mut random = world.random();
    let still = world.make_folder("source/still")?;
    for number in 0..100 {
        random.write_file(&still.join(format!("{number}")), 50_000)?;
    }
    let stage = Stage::set_up(&world, 2, Some("1/2"))?;
    let unrest = Unrest::begin(&source, &mut random)?;
    stage
        .customer
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    for round in 0..3 {
        let (backup, passed) = back_up_amid(&unrest, &stage.customer)?;
        let changed = changed_files(&backup, &source)?;
        eprintln!(
            "{passed} rounds of changes; said of {} files",
            changed.len()
        );
        let restored = restore(&stage.customer, &world, &format!("restored-{round}"))?;
        assert_eq!(differences(&still, &restored.join("still"))?, "");
        check_states(&restored, &changed)?;
    }
    unrest.end()?;
    stage.customer.order(&["backup"]).within(LONG).run()?;
    let restored = restore(&stage.customer, &world, "restored")?;
    assert_eq!(differences(&source, &restored)?, "");
    Ok(())
}

/// A backup during which something changed, and how many rounds of changes passed. On a busy machine
/// the writer may not get its turn in all of one; such a backup shows nothing, and there is another.
fn back_up_amid(unrest: &Unrest, customer: &Machine) -> Result<(Reply, u64)> {
    for _ in 0..TRIES {
        unrest.wait_for_more()?;
        let before = unrest.rounds();
        let backup = customer.order(&["backup"]).within(LONG).attempt()?;
        let passed = unrest.rounds() - before;
        ensure!(matches!(backup.code, Some(0 | 3)), "{}", backup.object);
        if passed > 0 {
            return Ok((backup, passed));
        }
    }
    bail!("control: nothing changed during {TRIES} backups")
}

/// Restores the newest version; nothing may be wrong with that.
fn restore(machine: &Machine, world: &World, name: &str) -> Result<PathBuf> {
    let place = world.path(name);
    machine
        .order(&["restore", "latest", "--to"])
        .argument(&place)
        .within(LONG)
        .run()?;
    Ok(place)
}

/// The files that a backup said had changed or gone, by their paths in the tree. It may say
/// nothing else.
fn changed_files(backup: &Reply, source: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut changed = BTreeSet::new();
    for (path, code) in backup.problems() {
        ensure!(
            code == "changed" || code == "not_found",
            "{path}: {code} in {}",
            backup.object
        );
        let below = Path::new(&path).strip_prefix(source)?;
        changed.insert(below.to_owned());
    }
    Ok(changed)
}

/// Where in a slot its number stands; written in this order.
const MARKS: [u64; 5] = [0, 2 << 20, 4 << 20, 6 << 20, SLOT_BYTES - 8];
const SLOT_BYTES: u64 = 8 << 20;
/// Slots; each is written seven times as seldom as the one before it.
const SLOTS: u32 = 5;
const LINE_BYTES: usize = 64;
const MOVING: u64 = 20;

/// Somebody who writes, appends, renames and deletes for as long as this lives.
struct Unrest {
    rounds: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    writer: Option<JoinHandle<Result<()>>>,
}

impl Unrest {
    fn begin(source: &Path, random: &mut Random) -> Result<Self> {
        for folder in ["slots", "logs", "moving", "coming"] {
            fs::create_dir(source.join(folder))?;
        }
        for slot in 0..SLOTS {
            let path = source.join(format!("slots/{slot}"));
            random.write_file(&path, SLOT_BYTES)?;
            write_slot(&path, 0)?;
        }
        for number in 0..MOVING {
            let name = format!("moving/{number} at 0");
            fs::write(source.join(name), number.to_string().repeat(5_000))?;
        }
        let (rounds, is_over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let writer = {
            let (source, rounds, is_over) = (source.to_owned(), rounds.clone(), is_over.clone());
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let round = rounds.load(Ordering::Relaxed) + 1;
                    change(&source, round)?;
                    rounds.store(round, Ordering::Relaxed);
                }
                Ok(())
            })
        };
        Ok(Self {
            rounds,
            is_over,
            writer: Some(writer),
        })
    }

    fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    fn wait_for_more(&self) -> Result<()> {
        let before = self.rounds();
        eventually("a round of changes", Duration::from_secs(60), || {
            let writer = self.writer.as_ref();
            let is_over = writer.is_none_or(JoinHandle::is_finished);
            ensure!(!is_over, "the writer failed");
            Ok((self.rounds() > before).then_some(()))
        })
    }

    fn end(mut self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let writer = self.writer.take().context("it ends once")?;
        writer.join().map_err(|_| anyhow!("the writer failed"))?
    }
}

impl Drop for Unrest {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            // The test has failed already.
            drop(writer.join());
        }
    }
}

/// One round of changes. What is forced to the disk takes time, so that it does not take all of
/// the processor.
fn change(source: &Path, round: u64) -> Result<()> {
    for slot in 0..SLOTS {
        if round.is_multiple_of(7_u64.pow(slot)) {
            write_slot(&source.join(format!("slots/{slot}")), round)?;
        }
    }
    let log = source.join(format!("logs/{}", round % 3));
    let mut log = File::options().append(true).create(true).open(log)?;
    log.write_all(line(round).as_bytes())?;
    log.sync_data()?;
    let (number, passes) = ((round - 1) % MOVING, (round - 1) / MOVING);
    let (from, to) = (
        format!("moving/{number} at {passes}"),
        format!("moving/{number} at {}", passes + 1),
    );
    fs::rename(source.join(from), source.join(to))?;
    fs::write(source.join(format!("coming/{round}")), coming(round))?;
    if let Some(old) = round.checked_sub(50).filter(|old| *old > 0) {
        fs::remove_file(source.join(format!("coming/{old}")))?;
    }
    Ok(())
}

/// Writes a number to its places in a slot, the first place first: at every moment what lies
/// further behind is the same or older.
fn write_slot(path: &Path, number: u64) -> Result<()> {
    let file = File::options().write(true).open(path)?;
    for mark in MARKS {
        file.write_all_at(&number.to_le_bytes(), mark)?;
    }
    Ok(file.sync_data()?)
}

fn line(number: u64) -> String {
    format!("{number:0>width$}\n", width = LINE_BYTES - 1)
}

fn coming(round: u64) -> Vec<u8> {
    round.to_string().repeat(10_000).into_bytes()
}

/// Every file in a restored tree is in a state in which it was, or the backup said of it that it
/// changed.
fn check_states(restored: &Path, changed: &BTreeSet<PathBuf>) -> Result<()> {
    for slot in 0..SLOTS {
        let name = PathBuf::from(format!("slots/{slot}"));
        let file = File::open(restored.join(&name));
        let Ok(file) = file else {
            ensure!(changed.contains(&name), "{} is missing", name.display());
            continue;
        };
        let mut numbers = Vec::new();
        for mark in MARKS {
            let mut number = [0; 8];
            file.read_exact_at(&mut number, mark)?;
            numbers.push(u64::from_le_bytes(number));
        }
        ensure!(
            !is_torn(&numbers) || changed.contains(&name),
            "{} is torn and passed as whole: {numbers:?}",
            name.display()
        );
    }
    for entry in fs::read_dir(restored.join("logs"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let name = path.strip_prefix(restored)?;
        ensure!(
            is_log(&text) || changed.contains(name),
            "{}",
            name.display()
        );
    }
    for entry in fs::read_dir(restored.join("moving"))? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy();
        let number = name.split(' ').next().unwrap_or_default().to_owned();
        ensure!(fs::read_to_string(&path)? == number.repeat(5_000), "{name}");
    }
    for entry in fs::read_dir(restored.join("coming"))? {
        let path = entry?.path();
        let round = path.file_name().context("a name")?.to_string_lossy();
        // It may have been on its way.
        ensure!(
            coming(round.parse()?).starts_with(&fs::read(&path)?),
            "{round} is not what was written"
        );
    }
    Ok(())
}

/// Whether numbers that are written from the first to the last never stood like this.
fn is_torn(numbers: &[u64]) -> bool {
    let is_older_behind = numbers.is_sorted_by(|one, next| one >= next);
    let different: BTreeSet<_> = numbers.iter().collect();
    !is_older_behind || different.len() > 2
}

/// Whether lines are whole, and each stands three rounds behind the one before it.
fn is_log(text: &str) -> bool {
    let numbers: Option<Vec<u64>> = text.lines().map(|line| line.parse().ok()).collect();
    text.len().is_multiple_of(LINE_BYTES)
        && numbers.is_some_and(|numbers| numbers.is_sorted_by(|one, next| one + 3 == *next))
}

#[test]
fn a_torn_file_is_told_from_one_that_was_so() {
    for was_so in [&[3, 3, 3][..], &[4, 3, 3], &[9, 2, 2], &[9, 9, 2]] {
        assert!(!is_torn(was_so), "{was_so:?}");
    }
    for torn in [&[3, 4, 4][..], &[3, 3, 4], &[4, 3, 4], &[5, 4, 3]] {
        assert!(is_torn(torn), "{torn:?}");
    }
    assert!(is_log(&[line(1), line(4), line(7)].concat()));
    assert!(!is_log(&[line(1), line(7)].concat()), "a line lacks");
    assert!(!is_log(line(1).trim_end()), "half a line");
}
