//! What comes back as it was: by root and by somebody else, compared by `rsync` and by the space
//! on the disk. The table of it, `docs/fidelity.md`, is what was seen here.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::compare::all_differences;
use bitdust_e2e_tests::peculiar::{
    PECULIARITIES, Peculiarity, flags_in, is_long_path_there, make_peculiarities, remove_flags,
};
use bitdust_e2e_tests::somebody::{NOBODY, is_root, somebody};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World};

const LONG: Duration = Duration::from_secs(300);
const DOCUMENT: &str = "docs/fidelity.md";
const HEAD: &str = "\
# What comes back as it was

Written by `tests/e2e/tests/fidelity.rs` from what it saw on Linux with ext4: a backup and a
restore by real processes, compared by `rsync -rlptgoDHAXc` to the nanosecond and by the space
on the disk. `UPDATE=1` writes it anew.

File systems mounted inside a folder belong to it, except the kernel's own; there is no option
yet to leave them out but an exclude. Times of access, of change and of birth are not kept. A
file that changes while its further names are read comes back apart, each name with what was
read of it. Where the target cannot have hard links, the names come back as files of their own,
and each is said.

| what | as root | as a plain user |
|---|---|---|
";

#[test]
fn the_table_of_what_comes_back_is_what_was_seen() -> Outcome {
    if !is_root()? {
        eprintln!("not tried: only root can make devices and other people's files");
        return Ok(());
    }
    let world = World::new("fidelity")?;
    let mut stage = Stage::prepare(&world, 2, &[])?;
    stage.customer.set("code", "1/2")?;
    stage.customer.start()?;
    stage.hire()?;
    let by_root = round_trip(&world, &stage.customer, "root", 0)?;
    let mut machine = somebody(&world, &stage)?;
    let by_somebody = round_trip(&world, &machine, "home/somebody", NOBODY)?;
    machine.stop()?;

    let mut table = HEAD.to_owned();
    for (index, kind) in PECULIARITIES.iter().enumerate() {
        let (root, somebody) = (&by_root[index], &by_somebody[index]);
        table.push_str(&format!("| {} | {root} | {somebody} |\n", kind.what));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(DOCUMENT);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &table)?;
    }
    let written = std::fs::read_to_string(&path).context(DOCUMENT)?;
    ensure!(
        written == table,
        "{DOCUMENT} is not what was seen; UPDATE=1 writes it anew:\n{table}"
    );
    stage.check_alive()
}

/// Backs everything up and restores it; says of each kind what became of it.
fn round_trip(world: &World, machine: &Machine, name: &str, owner: u32) -> Result<Vec<String>> {
    let source = world.make_folder(&format!("{name}-source"))?;
    let made = Made(source.clone());
    make_peculiarities(&source, owner)?;
    machine
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    let backup = machine.order(&["backup"]).within(LONG).attempt()?;
    eprintln!("{name}: backup {:.1} s", backup.took.as_secs_f64());
    let restored = world.path(&format!("{name}-restored"));
    let restore = machine
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .within(LONG)
        .attempt()?;
    eprintln!("{name}: restore {:.1} s", restore.took.as_secs_f64());
    ensure!(
        matches!((backup.code, restore.code), (Some(0 | 3), Some(0 | 3))),
        "{} {}",
        backup.object,
        restore.object
    );
    let mut problems = located(&backup.problems(), &source);
    problems.extend(located(&restore.problems(), &restored));
    let cells = PECULIARITIES
        .iter()
        .map(|kind| cell(kind, &source, &restored, &problems))
        .collect();
    let strays = problems.iter().filter(|(path, _)| {
        !is_of_all(path)
            && !PECULIARITIES
                .iter()
                .any(|kind| path.starts_with(kind.folder))
    });
    let strays: Vec<_> = strays.collect();
    ensure!(strays.is_empty(), "problems of no kind: {strays:?}");
    drop(made);
    cells
}

/// A source whose files can be removed again, however the test ends.
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        if let Err(error) = remove_flags(&self.0) {
            eprintln!("{}: {error:#}", self.0.display());
        }
    }
}

/// Problems by their path in the tree.
fn located(problems: &[(String, String)], root: &Path) -> Vec<(PathBuf, String)> {
    let below = |path: &str| {
        let path = Path::new(path);
        path.strip_prefix(root).unwrap_or(path).to_owned()
    };
    problems
        .iter()
        .map(|(path, code)| (below(path), code.clone()))
        .collect()
}

/// Whether a problem is of the whole restore: owners that were not set are counted there.
fn is_of_all(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

fn cell(
    kind: &Peculiarity,
    source: &Path,
    restored: &Path,
    problems: &[(PathBuf, String)],
) -> Result<String> {
    let (one, other) = (source.join(kind.folder), restored.join(kind.folder));
    let mut lost = BTreeSet::new();
    // No program that takes paths can compare this one.
    if kind.folder == "long" {
        ensure!(is_long_path_there(&one)?, "control: the source has it");
        if !is_long_path_there(&other)? {
            lost.insert("it is missing");
        }
    } else {
        lost.extend(all_differences(&one, &other)?.lines().flat_map(in_words));
    }
    if kind.folder == "flags" && flags_in(&one)? != flags_in(&other)? {
        lost.insert("flags");
    }
    if kind.folder == "sparse" || kind.folder == "zeros" {
        compare_space(&one, &other, &mut lost)?;
    }
    let said: BTreeSet<_> = problems
        .iter()
        .filter(|(path, _)| path.starts_with(kind.folder) || is_of_all(path) && kind.is_of_others)
        .map(|(_, code)| format!("`{code}`"))
        .collect();
    let said = said.into_iter().collect::<Vec<_>>().join(", ");
    let lost = lost.into_iter().collect::<Vec<_>>().join(", ");
    Ok(match (lost.is_empty(), said.is_empty()) {
        (true, true) => "the same".to_owned(),
        (true, false) => format!("the same; said: {said}"),
        (false, true) => format!("lost: {lost}; nothing is said"),
        (false, false) => format!("lost: {lost}; said: {said}"),
    })
}

/// What a line of `rsync --itemize-changes` says.
fn in_words(line: &str) -> Vec<&'static str> {
    let item = line.split(' ').next().unwrap_or_default();
    if item.starts_with('*') {
        return vec!["something more is there"];
    }
    if item.starts_with('h') {
        return vec!["names of one file apart"];
    }
    if item.contains('+') {
        return vec!["it is missing"];
    }
    let letters = [
        ('c', "contents"),
        ('s', "size"),
        ('t', "time"),
        ('T', "time"),
        ('p', "permissions"),
        ('o', "owner"),
        ('g', "group"),
        ('a', "ACL"),
        ('x', "attributes"),
    ];
    let changed = item.chars().skip(2).collect::<String>();
    let words: Vec<_> = letters
        .iter()
        .filter(|(letter, _)| changed.contains(*letter))
        .map(|(_, word)| *word)
        .collect();
    if words.is_empty() {
        return vec!["something else"];
    }
    words
}

/// A sparse file takes no more space than it did, and another no less.
fn compare_space(source: &Path, restored: &Path, lost: &mut BTreeSet<&str>) -> Result<()> {
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        let copy = std::fs::metadata(restored.join(entry.file_name()))?;
        let original = entry.metadata()?;
        let is_sparse = original.blocks() * 512 < original.len();
        if is_sparse && copy.blocks() > original.blocks() {
            lost.insert("holes");
        }
        if !is_sparse && copy.blocks() < original.blocks() {
            lost.insert("space");
        }
    }
    Ok(())
}

/// The witness speaks when it should.
#[test]
fn every_loss_has_a_word() {
    let check = |line: &str, words: &[&str]| assert_eq!(in_words(line), words, "{line}");
    check(">f+++++++++ a", &["it is missing"]);
    check("hf+++++++++ a => b", &["names of one file apart"]);
    check(".f..t...... a", &["time"]);
    check(
        ".f...pogax. a",
        &["permissions", "owner", "group", "ACL", "attributes"],
    );
    check(">fcst...... a", &["contents", "size", "time"]);
    check("*deleting   a", &["something more is there"]);
    check(".f......... a", &["something else"]);
}
