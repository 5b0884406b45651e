//! What comes back as it was: by root and by somebody else, compared by `rsync` and by the space
//! on the disk. The table of it, `docs/fidelity.md`, is what was seen here.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::compare::all_differences;
use bitdust_e2e_tests::machine::texts;
use bitdust_e2e_tests::peculiar::{
    PECULIARITIES, Peculiarity, bytes_on_disk, flags_in, is_long_path_there, make_peculiarities,
    remove_flags,
};
use bitdust_e2e_tests::somebody::{NOBODY, is_root, somebody};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World};

const LONG: Duration = Duration::from_secs(300);
const DOCUMENT: &str = "docs/fidelity.md";
const HEAD: &str = "\
# What comes back as it was

Written by `tests/e2e/tests/fidelity.rs` from what it saw on Linux with ext4: a backup and a
restore by real processes, compared by `rsync -rlptgoDHAXc` to the nanosecond and by the space
on the disk. `UPDATE=1` writes it anew. `make test` has 10,000 files in one folder where
`make test-long` has all of them.

Times of access, of change and of birth are not kept.

| what | as root | as a plain user |
|---|---|---|
";
/// What a table of two cells cannot say, with the tests that hold it.
const TAIL: &str = "
What else there is, and the tests that hold it:

| what | what becomes of it | proof |
|---|---|---|
| all of the above mixed as chance has it | the same | `any_tree_comes_back_as_it_was`, `invented_trees_come_back_through_real_machines` |
| file systems mounted inside a folder | they belong to it, except the kernel's own | `mounts_are_crossed_unless_the_options_say_no_and_proc_never_is` |
| the same after `folder add --one-file-system` | left out; the folders they are mounted on come back empty | `other_file_systems_inside_a_folder_are_taken_or_left_out_as_chosen` |
| a folder that is named by a symbolic link | what the link leads to when the folder is added | `a_folder_named_by_a_link_is_the_folder_that_the_link_leads_to` |
| a file that is written during its backup | taken again, at last as it is; said: `changed` | `a_tree_that_changes_during_its_backup_gives_no_torn_file_as_whole` |
| a file that goes or is renamed during its backup | by one of its names, by both or by none; said where it was seen: `not_found` | the same |
| a file that changes while its further names are read | each name comes back with what was read of it, as a file of its own | `a_claim_ends_with_its_writer` |
| hard links where the target cannot have them: on two disks, or too many | one file on each disk, and one for each 65,000 names of ext4; said of what came apart: `not_allowed` | `names_of_one_file_on_two_disks_come_back_as_one_file_on_each_and_that_is_said`, `a_file_of_more_names_than_the_disk_can_give_it_comes_back_as_several` |
| immutable and append-only where the target cannot have them | changeable; said of each: `not_allowed` | `flags_that_cannot_be_set_are_said_of_each_file` |
| the same after a restore that was interrupted | set by the next | `flags_of_a_restore_that_was_interrupted_are_set_by_the_next` |
| attributes that only root may see, in a backup by a plain user | the system does not show of which files they lack; said of the backup: `root_attributes_unseen` | `the_table_of_what_comes_back_is_what_was_seen` |
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
    table.push_str(TAIL);
    let path = root().join(DOCUMENT);
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
    let made_again = Made(restored.clone());
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
    // The report says it of the whole; it is about these.
    let remarks = texts(&backup.object["remarks"]);
    problems.extend(remarks.into_iter().map(|remark| ("trusted".into(), remark)));
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
    drop((made, made_again));
    cells
}

/// A tree whose files can be removed again, however the test ends.
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
    // No program that takes paths can compare the one, and none in reasonable time the other.
    if kind.folder == "vast" {
        if !is_same_vast(&one.join("vast"), &other.join("vast"))? {
            lost.insert("contents");
        }
    } else if kind.folder == "long" {
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
    if ["sparse", "vast", "zeros"].contains(&kind.folder) {
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

/// By size and by what lies on the disk, times and permissions included.
fn is_same_vast(source: &Path, restored: &Path) -> Result<bool> {
    let (one, other) = (source.metadata()?, restored.metadata()?);
    let facts = |file: &Metadata| (file.len(), file.mode(), file.mtime(), file.mtime_nsec());
    ensure!(one.len() == 8 << 30, "control: it is vast");
    Ok(facts(&one) == facts(&other) && bytes_on_disk(source)? == bytes_on_disk(restored)?)
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_proof_in_the_document_is_a_test() -> Outcome {
    let mut sources = String::new();
    for folder in [
        "tests/e2e/tests",
        "crates/source/tests/files",
        "crates/source/src/restore",
    ] {
        for entry in std::fs::read_dir(root().join(folder))? {
            sources.push_str(&std::fs::read_to_string(entry?.path())?);
        }
    }
    let rows = TAIL.lines().skip(5).filter(|line| line.starts_with('|'));
    let proofs = rows.filter_map(|row| row.trim_end_matches(" |").rsplit("| ").next());
    let mut count = 0;
    for proof in proofs.flat_map(|proofs| proofs.split(", ")) {
        count += 1;
        let name = proof.trim_matches('`');
        let is_test = sources.contains(&format!("fn {name}("));
        ensure!(is_test || proof == "the same", "{proof} is no test");
    }
    ensure!(count > 10, "control: {count} proofs");
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
