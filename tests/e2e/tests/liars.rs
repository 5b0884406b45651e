//! Suppliers that lie, forget or rot: what they do is noticed, and what is enough is enough.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bitdust_e2e_tests::ledger::{kept_headers, shard_files};
use bitdust_e2e_tests::liar::Liar;
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::remains::found_below;
use bitdust_e2e_tests::rot::{b3sum, flip_bit, is_whole, rot};
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{Machine, Outcome, Random, Stage, World, differences, eventually};
use bitdust_engine::trace::TraceLine;
use bitdust_engine::{Input, Output};
use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, ErrorCode, Tick};
use serde_json::Value;

const CODE: &str = "3/6";
const SOON: Duration = Duration::from_secs(60);
/// How long a job may take.
const JOB_WITHIN: Duration = Duration::from_secs(120);
/// What any job may take, in KiB.
const LIMIT_KIB: u64 = 256 << 10;
/// Clocks of a practice network in a hurry; somebody honest on a busy machine is not taken for one who
/// answers nothing.
const HURRY: [(&str, &str); 6] = [
    ("policy.stall_timeout", "2000"),
    ("policy.request_timeout", "5000"),
    ("policy.restore_patience", "20000"),
    ("policy.redial_max", "1000"),
    ("policy.retry_min", RETRY_MIN_MILLIS),
    ("policy.retry_max", "1000"),
];
const RETRY_MIN_MILLIS: &str = "200";

#[test]
fn wrong_endless_and_forgotten_answers_cost_nothing_but_time() -> Outcome {
    is_borne(
        "wrong-endless-forgotten",
        &["falsifies", "floods", "forgets"],
    )
}

#[test]
fn claims_endless_answers_and_silence_cost_nothing_but_time() -> Outcome {
    is_borne("claimed-endless-silent", &["claims", "floods", "silent"])
}

#[test]
fn forgotten_wrong_and_refused_answers_cost_nothing_but_time() -> Outcome {
    is_borne(
        "forgotten-wrong-refused",
        &["forgets", "falsifies", "refuses"],
    )
}

/// As many liars as there may be are borne.
fn is_borne(name: &str, modes: &[&str]) -> Outcome {
    let mut crowd = Crowd::gather(name, modes, &[])?;
    let memory = crowd.back_up_and_restore()?;
    for liar in &mut crowd.liars {
        eprintln!("{name}: {}", liar.report()?);
    }
    eprintln!("{name}: {memory} KiB");
    // Whoever answers late holds a few packs in memory for longer: a bounded number.
    ensure!(memory <= LIMIT_KIB, "{memory} KiB");
    Ok(())
}

#[test]
fn a_dead_supplier_and_two_forgetful_ones_are_borne() -> Outcome {
    let mut crowd = Crowd::gather("dead", &["honest", "claims", "forgets"], &[])?;
    crowd.liars[0].kill()?;
    crowd.back_up_and_restore().map(drop)
}

#[test]
fn one_liar_more_than_can_be_borne_costs_what_it_has_and_is_named() -> Outcome {
    let mut crowd = Crowd::gather("too-many", &["honest"; 4], &[])?;
    crowd.write("kept", 9_000_000)?;
    crowd.back_up()?;
    for liar in &mut crowd.liars {
        liar.turn("forgets")?;
    }
    crowd.write("lost", 9_000_000)?;
    crowd.back_up()?;
    let target = crowd.world.path("restored");
    let reply = crowd
        .customer()
        .order(&["restore", "latest", "--to"])
        .argument(&target)
        .attempt()?;
    let problems = reply.problems();
    ensure!(
        reply.code == Some(3),
        "it ended with {:?}: {}",
        reply.code,
        reply.object
    );
    let lost = target.join("lost");
    let expected = (
        lost.to_string_lossy().into_owned(),
        "too_few_shards".to_owned(),
    );
    ensure!(problems == [expected], "{problems:?}");
    ensure!(!lost.exists(), "a file that cannot be had stands there");
    let different = differences(&crowd.source, &target)?;
    let lines: Vec<&str> = different
        .lines()
        .filter(|line| !line.starts_with(".d"))
        .collect();
    ensure!(
        matches!(lines[..], [line] if line.ends_with(" lost")),
        "the rest is not whole: {different}"
    );
    Ok(())
}

#[test]
fn a_receipt_for_what_is_not_there_is_found_by_the_next_check() -> Outcome {
    let mut crowd = Crowd::gather("fake-receipts", &["forgets", "claims"], &[])?;
    crowd.write("file", 20_000_000)?;
    crowd.back_up()?;
    // Not earlier: with two who do not count, a backup waits for somebody else.
    let customer = &mut crowd.stage.customer;
    customer.stop()?;
    customer.set("policy.check_interval", "1500")?;
    customer.start()?;
    let liars: Vec<String> = crowd.liars.iter().map(|liar| liar.device.clone()).collect();
    let status = eventually("both liars are suspect, and it is told", SOON, || {
        let status = crowd.customer().status()?;
        // It is told when the catalogue has it, a moment later.
        let notices = status["notices"].to_string();
        let is_told = notices.contains("does not have a part of what it confirmed");
        let are_found = suspects(&status)?.len() >= 2;
        Ok((are_found && is_told).then_some(status))
    })?;
    let found = suspects(&status)?;
    ensure!(
        found.iter().all(|device| liars.contains(device)),
        "the honest are suspect: {found:?}"
    );
    ensure!(
        status["protection"]["kind"] == "stored",
        "{}",
        status["protection"]
    );
    ensure!(
        status["protection"]["confirmed"] == 4,
        "{}",
        status["protection"]
    );
    let sentence = status["sentence"].as_str().unwrap_or_default();
    ensure!(sentence.contains("not safe yet"), "{sentence}");
    Ok(())
}

#[test]
fn honest_suppliers_pass_the_same_checks_and_stay_safe() -> Outcome {
    let hurried = [("policy.check_interval", "1500")];
    let mut crowd = Crowd::gather("honest-checks", &["honest"; 2], &hurried)?;
    crowd.write("file", 20_000_000)?;
    crowd.back_up()?;
    let proofs = |status: &Value| -> Vec<u64> {
        let suppliers = status["suppliers"].as_array().cloned().unwrap_or_default();
        suppliers
            .iter()
            .filter_map(|supplier| supplier["last_proof"].as_u64())
            .collect()
    };
    let before = proofs(&crowd.customer().status()?);
    let status = eventually("everybody has proved something twice", SOON, || {
        let status = crowd.customer().status()?;
        let now = proofs(&status);
        let later = now
            .iter()
            .filter(|proof| before.iter().all(|old| old < proof))
            .count();
        Ok((later == 6).then_some(status))
    })?;
    ensure!(suspects(&status)?.is_empty(), "{status}");
    ensure!(
        status["protection"]["kind"] == "safe",
        "{}",
        status["protection"]
    );
    Ok(())
}

#[test]
fn a_supplier_that_denies_its_contract_is_not_asked_without_end() -> Outcome {
    let mut crowd = Crowd::gather("denied", &["denies"], &[])?;
    crowd.write("file", 20_000_000)?;
    crowd.back_up()?;
    let liar: DeviceId = crowd.liars[0].device.parse()?;
    // Waits are spread over three to five quarters.
    let wait = Duration::from_millis(RETRY_MIN_MILLIS.parse()?) * 3 / 4;
    let proposals = eventually("it was asked again, and denied again", SOON, || {
        let proposals = proposals_after_denials(&read_trace(&crowd.trace)?, liar, wait)?;
        Ok((proposals >= 3).then_some(proposals))
    })?;
    let stores = crowd.liars[0].count("stores")?;
    eprintln!("{proposals} proposals after denials, {stores} shards offered");
    ensure!(stores > 0, "it was never offered a shard");
    Ok(())
}

/// How often a supplier that denied its contract was asked for another. From its denial until it
/// has signed again it is offered nothing, and is asked once, after a wait.
fn proposals_after_denials(lines: &[TraceLine], liar: DeviceId, wait: Duration) -> Result<u64> {
    let mut denied_at: Option<Tick> = None;
    let (mut is_asked, mut proposals) = (false, 0);
    for line in lines {
        if is_denied(&line.input, liar) {
            denied_at.get_or_insert(line.at);
        }
        if begins_anew(&line.input, liar) {
            (denied_at, is_asked) = (None, false);
        }
        for output in &line.outputs {
            if matches!(output, Output::Propose { device, .. } if *device == liar) {
                ensure!(!is_asked, "asked without an answer: {line:?}");
                is_asked = true;
                if let Some(denied_at) = denied_at {
                    let waited = line.at.since(denied_at);
                    ensure!(waited >= wait, "asked after {waited:?}: {line:?}");
                    proposals += 1;
                }
            }
            if matches!(output, Output::SendShard { device, .. } if *device == liar) {
                // What was being loaded when it denied is sent as well.
                let is_loaded = matches!(line.input, Input::SpoolLoaded { .. });
                ensure!(denied_at.is_none() || is_loaded, "offered: {line:?}");
            }
        }
    }
    Ok(proposals)
}

/// Whether a supplier says that there is no contract.
fn is_denied(input: &Input, liar: DeviceId) -> bool {
    matches!(
        input,
        Input::SendFailed { device, code: ErrorCode::NoContract, .. }
            | Input::HeadRefused { device, code: ErrorCode::NoContract, .. }
            | Input::TipNotTold { device, code: ErrorCode::NoContract }
            if *device == liar
    )
}

/// Whether a supplier signs, or comes anew: what was before does not count.
fn begins_anew(input: &Input, liar: DeviceId) -> bool {
    matches!(
        input,
        Input::ContractSigned { device, .. } | Input::PeerUp { device, .. } if *device == liar
    )
}

#[test]
fn a_flipped_bit_is_decoded_around_and_noticed() -> Outcome {
    let mut crowd = Crowd::gather("bit-flip", &[], &[("policy.check_interval", "3600000")])?;
    crowd.write("file", 30_000_000)?;
    crowd.back_up()?;
    check_names(&crowd)?;
    let status = crowd.customer().wait_until_spread()?;
    let first = crowd.stage.by_place(&status)?[0];
    let supplier = &crowd.stage.suppliers[first];
    let damaged = data_shards(&crowd, supplier)?;
    let one = damaged.first().context("no shard of contents")?;
    flip_bit(one, 100_000)?;
    let name = b3sum(one)?;
    ensure!(!one.ends_with(&name), "the bit changed nothing");
    crowd.restore_and_compare()?;
    let log = std::fs::read_to_string(supplier.log())?;
    ensure!(
        log.contains("file is damaged"),
        "the supplier did not notice: {log}"
    );
    eventually("the customer tells it", SOON, || {
        let status = crowd.customer().status()?;
        let is_told = status["notices"].to_string().contains("gives wrong bytes");
        Ok(is_told.then_some(()))
    })?;
    // It proves the rest, and that one is sent again.
    eventually("the shard is whole again", SOON, || {
        let is_whole = is_whole(one)?;
        let status = crowd.customer().status()?;
        let is_safe = status["protection"]["kind"] == "safe";
        Ok((is_whole && is_safe && suspects(&status)?.is_empty()).then_some(()))
    })
}

#[test]
fn a_rotten_disk_is_found_by_the_next_check() -> Outcome {
    let mut crowd = Crowd::gather("rot", &[], &[("policy.check_interval", "1500")])?;
    crowd.write("file", 30_000_000)?;
    crowd.back_up()?;
    let supplier = &crowd.stage.suppliers[0];
    for shard in shard_files(&supplier.home)? {
        rot(&shard)?;
    }
    let status = eventually("the rotten supplier is suspect", SOON, || {
        let status = crowd.customer().status()?;
        Ok((!suspects(&status)?.is_empty()).then_some(status))
    })?;
    ensure!(suspects(&status)?.iter().eq([&supplier.device]), "{status}");
    crowd.restore_and_compare()
}

#[test]
fn neither_contents_nor_names_reach_suppliers_or_the_spool() -> Outcome {
    let mut crowd = Crowd::gather("canary", &[], &[])?;
    let canary = format!("canary{:016x}", crowd.random.next());
    let text = format!("{canary}\n").repeat(10_000);
    std::fs::write(crowd.source.join(format!("{canary}.txt")), &text)?;
    crowd.write("file", 5_000_000)?;
    // One that is away, so that something lies in the spool.
    crowd.stage.suppliers[5].kill()?;
    crowd.back_up()?;
    let spool = crowd.customer().home.join("spool");
    // The backup does not wait until the customer has given up on it.
    eventually("something in the spool", SOON, || {
        let status = crowd.customer().status()?;
        Ok((status["spooled_bytes"].as_u64() > Some(0)).then_some(()))
    })?;
    ensure!(std::fs::read_dir(&spool)?.count() > 0, "the spool is empty");
    let source = found_below(&canary, &crowd.source)?;
    ensure!(
        source.lines().count() == 2,
        "grep and find do not see it in the source: {source}"
    );
    for folder in crowd
        .stage
        .suppliers
        .iter()
        .map(|supplier| &supplier.home)
        .chain([&spool])
    {
        let found = found_below(&canary, folder)?;
        ensure!(found.is_empty(), "{found}");
    }
    Ok(())
}

/// A customer with six suppliers, some of them liars, and a folder.
struct Crowd {
    stage: Stage,
    liars: Vec<Liar>,
    source: PathBuf,
    /// What the customer's first daemon decided.
    trace: PathBuf,
    random: Random,
    world: World,
}

impl Crowd {
    fn gather(name: &str, modes: &[&str], settings: &[(&str, &str)]) -> Result<Self> {
        let world = World::new(name)?;
        let honest = u8::try_from(6 - modes.len())?;
        let settings = [&HURRY[..], settings].concat();
        let mut stage = Stage::prepare(&world, honest, &settings)?;
        stage.customer.set("suppliers", "6")?;
        stage.customer.set("code", CODE)?;
        let trace = world.path("customer.trace");
        stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
        stage.customer.start()?;
        stage.customer.flags.clear();
        for supplier in &stage.suppliers {
            stage.customer.befriend(supplier)?;
        }
        let mut liars = vec![];
        for (number, mode) in modes.iter().enumerate() {
            let program = env!("CARGO_BIN_EXE_evil_supplier");
            let name = format!("liar-{number}");
            let liar = Liar::start(program, &world, &name, "honest", &stage.customer.bootstrap)?;
            liar.befriend(&stage.customer)?;
            liars.push(liar);
            liars[number].turn(mode)?;
        }
        stage.customer.wait_for_suppliers(6)?;
        let source = world.make_folder("source")?;
        stage
            .customer
            .order(&["folder", "add", "--"])
            .argument(&source)
            .run()?;
        let random = world.random();
        Ok(Self {
            stage,
            liars,
            source,
            trace,
            random,
            world,
        })
    }

    const fn customer(&self) -> &Machine {
        &self.stage.customer
    }

    fn write(&mut self, name: &str, bytes: u64) -> Outcome {
        self.random.write_file(&self.source.join(name), bytes)
    }

    fn back_up(&self) -> Outcome {
        self.customer()
            .order(&["backup"])
            .within(JOB_WITHIN)
            .run()
            .map(drop)
    }

    fn restore_and_compare(&self) -> Outcome {
        let target = self.world.path("restored");
        let restore = self.customer().order(&["restore", "latest", "--to"]);
        restore.argument(&target).within(JOB_WITHIN).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(std::fs::remove_dir_all(&target)?)
    }

    /// Both, with the memory that the customer needed at most, in KiB.
    fn back_up_and_restore(&mut self) -> Result<u64> {
        for number in 0..4 {
            self.write(&format!("file-{number}"), 12_000_000)?;
        }
        self.back_up()?;
        self.restore_and_compare()?;
        peak_memory_kib(self.customer().process_id()?)
    }
}

/// Suppliers that do not count until they have proved something.
fn suspects(status: &Value) -> Result<BTreeSet<String>> {
    let suppliers = status["suppliers"].as_array().context("no suppliers")?;
    let suspects = suppliers.iter().filter(|it| it["is_suspect"] == true);
    Ok(suspects
        .filter_map(|supplier| Some(supplier["device"].as_str()?.to_owned()))
        .collect())
}

/// `b3sum` of each shard file prints its name.
fn check_names(crowd: &Crowd) -> Outcome {
    let mut files = 0;
    for supplier in &crowd.stage.suppliers {
        for shard in shard_files(&supplier.home)? {
            let sum = b3sum(&shard)?;
            ensure!(shard.ends_with(&sum), "{} is {sum}", shard.display());
            files += 1;
        }
    }
    ensure!(files >= 12, "only {files} shards");
    Ok(())
}

/// The files of a supplier's shards of contents.
fn data_shards(crowd: &Crowd, supplier: &Machine) -> Result<Vec<PathBuf>> {
    let customer = crowd.customer();
    let (identity, lane) = (customer.identity.parse()?, customer.device.parse()?);
    let headers = kept_headers(&supplier.home, crowd.world.folder(), identity, lane)?;
    let files = shard_files(&supplier.home)?;
    let wanted = headers
        .iter()
        .filter(|header| header.kind == PackKind::Data);
    wanted
        .map(|header| {
            let name = header.shard.to_hex();
            match files.iter().find(|file| file.ends_with(&name)) {
                Some(file) => Ok(file.clone()),
                None => bail!("shard {name} has no file"),
            }
        })
        .collect()
}
