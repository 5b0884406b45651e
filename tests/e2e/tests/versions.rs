//! Many versions: lists that fit no single piece come back whole, and one more version than
//! can be kept is an error with a sentence that costs nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{Machine, Outcome, Reply, Stage, World, differences};
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::{SnapshotId, UnixMillis, limits};
use bitdust_store::{Catalogue, HomePaths};

/// Bytes of one version in these tests, most of them in an attribute of its folder.
const NOTE_BYTES: usize = 1_200;
/// So many of them are more than one piece of metadata can have.
const MANY: u64 = 5_000;

#[test]
fn versions_that_fit_no_single_piece_come_back_from_the_words() -> Outcome {
    let mut past = Past::set_up("many-versions")?;
    past.grow(MANY)?;
    let total = usize::try_from(MANY)? * NOTE_BYTES;
    ensure!(total > limits::CHUNK_BYTES_MAX, "they fit one piece");
    std::fs::write(past.source.join("later"), "of the newest version")?;
    past.stage.customer.run(&["backup"])?;
    past.stage.customer.wait_until_spread()?;

    let machine = past.recover()?;
    let versions = versions(&machine)?;
    ensure!(
        versions.len() == usize::try_from(MANY)? + 2,
        "{} versions came back",
        versions.len()
    );
    past.restore_and_compare(&machine, "latest", &past.source)?;
    // The oldest stands at the beginning of the first page.
    let oldest = versions.first().context("no version")?;
    past.restore_and_compare(&machine, oldest, &past.first)
}

#[test]
fn one_version_too_many_fails_with_a_sentence_and_takes_nothing_away() -> Outcome {
    let mut past = Past::set_up("too-many-versions")?;
    past.grow(limits::SNAPSHOTS_MAX as u64 - 1)?;
    std::fs::write(past.source.join("later"), "never protected")?;
    let reply = past.stage.customer.attempt(&["backup"])?;
    check_refused(&reply)?;
    // Not only once: nothing of the attempt stands in the way, and nothing is half done.
    check_refused(&past.stage.customer.attempt(&["backup"])?)?;
    let status = past.stage.customer.wait_until_spread()?;
    ensure!(status["head"]["sequence"] == 1, "{}", status["head"]);

    let machine = past.recover()?;
    ensure!(versions(&machine)?.len() == 1, "the old head was replaced");
    past.restore_and_compare(&machine, "latest", &past.first)
}

fn check_refused(reply: &Reply) -> Outcome {
    ensure!(reply.code == Some(1), "it ended with {:?}", reply.code);
    let (code, message) = reply.error()?;
    ensure!(code == "too_many", "{code}: {message}");
    ensure!(
        message.contains("what was stored before is as safe as it was"),
        "{message}"
    );
    Ok(())
}

/// The ids of all versions, oldest first.
fn versions(machine: &Machine) -> Result<Vec<String>> {
    let listed = machine.run(&["snapshots"])?;
    let versions = listed.object["snapshots"].as_array().context("no list")?;
    let ids = versions.iter().map(|version| version["id"].as_str());
    ids.map(|id| Ok(id.context("no id")?.to_owned())).collect()
}

/// A customer with one version, and the folder as it was then.
struct Past {
    stage: Stage,
    source: PathBuf,
    first: PathBuf,
    world: World,
}

impl Past {
    fn set_up(name: &str) -> Result<Self> {
        let world = World::new(name)?;
        let stage = Stage::set_up(&world, 2, Some("1/2"))?;
        let (source, first) = (world.make_folder("source")?, world.make_folder("first")?);
        for folder in [&source, &first] {
            let file = folder.join("file");
            world.random().write_file(&file, 300_000)?;
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_000_000, 7);
            std::fs::File::open(&file)?.set_modified(time)?;
        }
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
        Ok(Self {
            stage,
            source,
            first,
            world,
        })
    }

    /// Gives the customer a long past: the same version again and again, each older by a
    /// millisecond than the next.
    fn grow(&mut self, count: u64) -> Outcome {
        let customer = &mut self.stage.customer;
        customer.stop()?;
        {
            let catalogue = Catalogue::open(&HomePaths::new(&customer.home).catalogue(), 0)?;
            let template = catalogue
                .snapshots(UnixMillis(u64::MAX))?
                .pop()
                .context("no version")?;
            let older = (1..=count).map(|age| aged(&template, age));
            catalogue.import_snapshots(older.collect())?;
        }
        customer.start()?;
        customer.wait_for_suppliers(2)
    }

    /// The customer's machine is lost; a new one has the words.
    fn recover(&mut self) -> Result<Machine> {
        let words = self.stage.customer.words.clone();
        self.stage.customer.lose()?;
        let mut machine = self.stage.new_machine(&self.world, "new-machine")?;
        machine.recover(&words)?;
        machine.start()?;
        Ok(machine)
    }

    fn restore_and_compare(&self, machine: &Machine, version: &str, like: &Path) -> Outcome {
        let target = self.world.path(&format!("restored-{version}"));
        machine
            .order(&["restore", version, "--to"])
            .argument(&target)
            .run()?;
        let different = differences(like, &target)?;
        // The time of the folder itself is that of its newest name.
        let lines: Vec<_> = different
            .lines()
            .filter(|line| !line.starts_with(".d..t"))
            .collect();
        ensure!(lines.is_empty(), "{version}: {different}");
        Ok(())
    }
}

fn aged(template: &SnapshotRecord, age: u64) -> SnapshotRecord {
    let mut id = [0xee; 32];
    id[..8].copy_from_slice(&age.to_be_bytes());
    let mut aged = template.clone();
    aged.snapshot = SnapshotId(id);
    aged.taken_at = UnixMillis(template.taken_at.0 - age);
    aged.order = 0;
    // Attributes that no comparison looks at.
    aged.root.xattrs = vec![(b"user.note".to_vec(), vec![b'n'; NOTE_BYTES])];
    aged
}
