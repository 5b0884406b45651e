//! Runs of real nodes, recorded once and played again: the same inputs give the same outputs.
//!
//! Each file of `tests/fixtures/traces` is a run as `--trace` wrote it, behind a line with the
//! clocks of its home. Idle wake-ups are left out. They were recorded before every effect had its
//! answer; [`Conversion`] has each difference since then, and [`RENAMED`] each new name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bitdust_engine::trace::{Coverage, TraceLine, apply};
use bitdust_engine::{Engine, Input, Output, RecordScope};
use bitdust_model::{DeviceId, Policy};
use serde_json::{Value, json};

/// A run as it was recorded.
struct Recording {
    name: String,
    policy: Policy,
    lines: Vec<Value>,
}

#[expect(clippy::disallowed_methods, reason = "a test that reads its fixtures")]
fn recordings() -> Vec<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/traces");
    let entries = std::fs::read_dir(folder).expect("the recordings are there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable file");
            let (policy, lines) = text.split_once('\n').expect("clocks come first");
            Recording {
                name: path.display().to_string(),
                policy: serde_json::from_str(policy).expect("clocks"),
                lines: lines
                    .lines()
                    .map(|line| in_words_of_today(serde_json::from_str(line).expect("a line")))
                    .collect(),
            }
        })
        .collect()
}

/// Names of things that have been renamed since the recordings.
const RENAMED: [(&str, &str); 9] = [
    ("WaitingForSpool", "WaitingForRoom"),
    ("SeekRoot", "SeekLanes"),
    ("RootMissing", "LanesMissing"),
    ("RootNotSought", "SeekFailed"),
    ("CondemnSupplier", "DoubtSupplier"),
    ("CondemnationRecorded", "DoubtRecorded"),
    ("FolderScheduled", "FolderPlanned"),
    ("condemned", "doubted"),
    ("schedule", "plan"),
];

/// The same under the names of today. A schedule is written as in the settings now.
fn in_words_of_today(recorded: Value) -> Value {
    match recorded {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let renamed = RENAMED.iter().find(|(_, before)| name == *before);
                let today = renamed.map_or(name, |(today, _)| (*today).to_owned());
                let value = if today == "schedule" {
                    schedule_of_today(&value)
                } else {
                    in_words_of_today(value)
                };
                (today, value)
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(in_words_of_today).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

fn schedule_of_today(recorded: &Value) -> Value {
    match recorded.as_str() {
        Some("OnChange") => json!({ "kind": "on_change" }),
        Some("Manual") => json!({ "kind": "manual" }),
        _ => json!({ "kind": "every", "minutes": recorded["Every"]["minutes"] }),
    }
}

/// What a recorded line is now: one input, then answers that were not told before, and all that
/// the engine asked for in this time.
struct Converted {
    lines: Vec<TraceLine>,
    outputs: Vec<Output>,
}

/// From the words and answers of the recordings to those of today.
#[derive(Default)]
struct Conversion {
    /// Numbers of look-ups: these were restores that began and ended at once, and ended once
    /// more when they were answered.
    lookups: BTreeSet<u64>,
    /// Look-ups whose first end has passed.
    ended: BTreeSet<u64>,
    /// Peers that are being dialed.
    dialing: BTreeSet<String>,
    /// Which job sealed which pack.
    sealed: BTreeMap<String, Value>,
    /// Folders of the backups that the engine asked for and that have not begun.
    is_scheduled: Vec<Value>,
    /// Folders of each backup.
    folders: BTreeMap<u64, Value>,
    /// The backup of this line ends since nothing has changed.
    unchanged: bool,
    /// Deletions that are under way, by the device that asked. What they freed was told by itself.
    deleting: BTreeMap<String, Value>,
    /// The space offered changed: nodes published that themselves, beside their engines, which do
    /// it now. Or only the lane's records were put, which puts off the others no more. From here on
    /// engines publish at other times.
    publishes_otherwise: bool,
    /// The lane's records are being put by themselves.
    puts_lane: bool,
    /// Which records changed since they were put; all were put each time.
    changed: Option<RecordScope>,
    /// Leaves out the answers that were not told: the old rule.
    is_old: bool,
}

impl Conversion {
    fn of(recording: &Recording) -> Self {
        let mut ends = BTreeMap::new();
        for line in &recording.lines {
            if let Some(job) = line["input"]["RestoreWritten"]["job"].as_u64() {
                *ends.entry(job).or_insert(0) += 1;
            }
        }
        let twice = ends.into_iter().filter(|(_, count)| *count > 1);
        Self {
            lookups: twice.map(|(job, _)| job).collect(),
            ..Self::default()
        }
    }

    fn convert(&mut self, line: &Value) -> Option<Converted> {
        self.publishes_otherwise |= std::mem::take(&mut self.puts_lane);
        self.note_records(line);
        let mut inputs = vec![self.input(&line["input"])?];
        let mut outputs = Vec::new();
        if let Some((before, asked)) = root_found(&line["input"]) {
            // Root record and lane records were sought as one.
            inputs.insert(0, before);
            outputs.push(asked);
        }
        let rebuilt = &line["input"]["CatalogueRebuilt"]["job"];
        if !rebuilt.is_null() {
            // The node entered the device by itself.
            inputs.push(json!({ "DeviceEntered": { "job": rebuilt } }));
            let job = serde_json::from_value(rebuilt.clone()).expect("a job");
            outputs.push(Output::EnterDevice { job });
        }
        for output in line["outputs"].as_array().into_iter().flatten() {
            outputs.push(self.output(output));
            if !self.is_old
                && !self
                    .deleting
                    .values()
                    .any(|it| *it == output["AllowAccess"]["ask"])
            {
                inputs.extend(answer(output));
            }
        }
        let device = &line["input"]["PeerUp"]["device"];
        if self.dialing.remove(&device.to_string()) {
            inputs.push(json!({ "Dialed": { "device": device } }));
        }
        let read = |input: Value| TraceLine {
            at: serde_json::from_value(line["at"].clone()).expect("a time"),
            input: serde_json::from_value(input).expect("an input of today"),
            outputs: Vec::new(),
        };
        Some(Converted {
            lines: inputs.into_iter().map(read).collect(),
            outputs,
        })
    }

    /// The input as it is now; `None` where it is told no more.
    fn input(&mut self, input: &Value) -> Option<Value> {
        if let Some(receipt) = input.get("ShardStored") {
            // Receipts come in batches; these were told one by one.
            let mut receipt = receipt.clone();
            receipt["moved"] = Value::Null;
            return Some(json!({ "ShardsStored": { "receipts": [receipt] } }));
        }
        if let Some(uncounted) = without_ledger(input) {
            return Some(uncounted);
        }
        if let Some(sealed) = input.get("PackSealed") {
            let pack = sealed["pack"].to_string();
            self.sealed.insert(pack, sealed["job"].clone());
        }
        let asked = &input["AccessAsked"];
        if asked["access"] == "Delete" {
            let device = asked["device"].to_string();
            self.deleting.insert(device, asked["ask"].clone());
        }
        if let Some(found) = input.get("LanesFound") {
            // Lanes that were missing were looked for again by the node, and not told.
            let mut sought = found.clone();
            sought["missing"] = json!([]);
            return Some(json!({ "LanesSought": sought }));
        }
        if let Some(rebuilt) = input.get("CatalogueRebuilt") {
            // It was told only where something could be read.
            let mut rebuilt = rebuilt.clone();
            rebuilt["read"] = json!(1);
            return Some(json!({ "CatalogueRebuilt": rebuilt }));
        }
        if let Some(released) = input.get("BytesReleased") {
            let ask = self.deleting.remove(&released["lane"].to_string());
            let released = &released["bytes"];
            return Some(json!({ "AccessGiven": { "ask": ask, "released": released } }));
        }
        if let Some(asked) = input.get("BackupAsked") {
            return Some(self.backup_asked(asked));
        }
        // The node dropped versions that would be the same, and told when none was left.
        self.unchanged = input.get("NothingChanged").is_some();
        let finished = [&input["ScanFinished"], &input["NothingChanged"]]
            .iter()
            .find_map(|of| of["job"].as_u64());
        if let Some(job) = finished {
            return Some(self.scan_finished(job));
        }
        self.publishes_otherwise |= input.get("OfferChanged").is_some();
        self.dialing
            .remove(&input["DialFailed"]["device"].to_string());
        if let Some(named) = with_reason(input) {
            return Some(named);
        }
        let job = [&input["RestoreAsked"], &input["RestoreWritten"]]
            .iter()
            .find_map(|of| of["job"].as_u64());
        let Some(job) = job.filter(|job| self.lookups.contains(job)) else {
            return Some(input.clone());
        };
        // A look-up begins without a word.
        let is_end = input.get("RestoreWritten").is_some();
        (is_end && !self.ended.insert(job)).then(|| json!({ "LookUpEnded": { "job": job } }))
    }

    fn backup_asked(&mut self, asked: &Value) -> Value {
        let (job, folders) = (&asked["job"], &asked["folders"]);
        let own = self.is_scheduled.iter().position(|it| it == folders);
        if let Some(own) = own {
            self.is_scheduled.remove(own);
        }
        let number = job.as_u64().expect("a job");
        self.folders.insert(number, folders.clone());
        let is_scheduled = own.is_some();
        json!({ "BackupAsked": { "job": job, "folders": folders, "is_scheduled": is_scheduled } })
    }

    fn scan_finished(&self, job: u64) -> Value {
        let folders = self.folders.get(&job).and_then(Value::as_array);
        let is_changed = !self.unchanged;
        let version = |folder| json!({ "folder": folder, "is_changed": is_changed });
        let versions: Vec<_> = folders.into_iter().flatten().map(version).collect();
        json!({ "ScanFinished": { "job": job, "versions": versions } })
    }

    /// Notes which records an input changes, if any, and which are put for another reason.
    fn note_records(&mut self, line: &Value) {
        let input = &line["input"];
        let mut outputs = line["outputs"].as_array().into_iter().flatten();
        let puts = outputs.any(|output| output == "PublishRecords");
        let has = |names: &[&str]| names.iter().any(|name| input.get(name).is_some());
        if has(&["CommitRecorded", "SetRecorded"]) {
            self.changed = self.changed.max(Some(RecordScope::Lane));
        } else if puts && input != "RecordsPublished" {
            self.changed = Some(RecordScope::All);
        }
    }

    fn output(&mut self, output: &Value) -> Output {
        let mut output = output.clone();
        if output == "PublishRecords" {
            let scope = self.changed.take().unwrap_or(RecordScope::All);
            output = json!({ "PublishRecords": { "scope": scope } });
            self.puts_lane = scope == RecordScope::Lane;
        }
        if let Some(back_up) = output.get("BackUp") {
            self.is_scheduled.push(back_up["folders"].clone());
        }
        if let Some(seal) = output.get_mut("SealMetadata") {
            let job = seal["job"].as_u64().expect("a job");
            seal["folders"] = self.folders[&job].clone();
        }
        if let Some(ended) = output.get_mut("JobEnded") {
            ended["unchanged"] = json!(self.unchanged);
        }
        if let Some(condemn) = output.get_mut("CondemnSupplier") {
            condemn["again"] = json!(false);
        }
        if let Some(give_up) = output.get_mut("GiveUpFetch") {
            give_up["code"] = json!("too_few_shards");
        }
        if let Some(send) = output.get_mut("SendShard") {
            send["job"] = Value::Null;
        }
        if let Some(dial) = output.get("Dial") {
            self.dialing.insert(dial["device"].to_string());
        }
        serde_json::from_value(output).expect("an output of today")
    }
}

impl Conversion {
    /// Bytes count for the job that sealed the pack, where the engine still follows it; the
    /// recordings do not say for which.
    fn take_job(&self, output: &mut Output) -> Result<(), String> {
        if let Output::SendShard { job, pack, .. } = output
            && let Some(named) = job.take()
        {
            let sealed = &self.sealed[&json!(pack).to_string()];
            if *sealed != json!(named) {
                return Err(format!("{pack} is of {sealed}, not of {named:?}"));
            }
        }
        Ok(())
    }
}

/// What comes before lane records that were found: the root record, which names a device.
fn root_found(input: &Value) -> Option<(Value, Output)> {
    let job = &input.get("LanesFound")?["job"];
    let device = DeviceId([0; 32]);
    let found = json!({ "RootFound": { "job": job, "devices": [device] } });
    let asked = Output::SeekLanes {
        job: serde_json::from_value(job.clone()).expect("a job"),
        devices: vec![device],
    };
    Some((found, asked))
}

/// What was told before there was a ledger: nothing is counted by groups, and of a spooled shard's
/// pack nothing is known.
fn without_ledger(input: &Value) -> Option<Value> {
    let (name, of) = input.as_object()?.iter().next()?;
    let mut of = of.clone();
    match name.as_str() {
        "Started" => of["facts"]["groups"] = json!([]),
        "PackCommitted" => of["moved"] = Value::Null,
        "CommitRecorded" | "CondemnationRecorded" => of["moved"] = json!([]),
        "SpoolLoaded" => {
            of["confirmed"] = json!(0);
            of["is_committed"] = json!(false);
        }
        _ => return None,
    }
    Some(json!({ name: of }))
}

/// Failures that were told without their reason, which no machine asks for.
const WITHOUT_REASON: [&str; 5] = [
    "DialFailed",
    "FolderUnwatchable",
    "DecodeFailed",
    "HeadsFailed",
    "StoreAborted",
];

fn with_reason(input: &Value) -> Option<Value> {
    let (name, of) = input.as_object()?.iter().next()?;
    let mut of = of.clone();
    of.as_object_mut()?
        .insert("code".to_owned(), json!("internal"));
    WITHOUT_REASON
        .contains(&name.as_str())
        .then(|| json!({ name: of }))
}

/// The answer to an effect that had none.
fn answer(output: &Value) -> Option<Value> {
    let (effect, of) = output.as_object()?.iter().next()?;
    match effect.as_str() {
        "AdoptSupplier" => Some(json!({ "SupplierAdopted": { "device": of["offer"]["device"] } })),
        "CondemnSupplier" => {
            Some(json!({ "CondemnationRecorded": { "device": of["device"], "moved": [] } }))
        }
        "AcceptContract" => Some(json!({ "ContractRecorded": { "ask": of["ask"] } })),
        "AllowAccess" => Some(json!({ "AccessGiven": { "ask": of["ask"], "released": 0 } })),
        _ => None,
    }
}

/// The peer that said hello.
const fn greeted(input: &Input) -> Option<DeviceId> {
    if let Input::PeerUp { device, .. } = input {
        Some(*device)
    } else {
        None
    }
}

/// At each hello nodes recorded by themselves where the peer is reached, beside their engines,
/// which ask for it now. Gives the answer.
fn take_contact(device: DeviceId, asked: &mut Vec<Output>) -> Option<Input> {
    let of = Output::RememberContact { device };
    let at = asked.iter().position(|output| *output == of)?;
    asked.remove(at);
    Some(Input::ContactRemembered { device })
}

/// Plays a recording, and says where it goes another way.
fn play(recording: &Recording, mut conversion: Conversion) -> Result<Coverage, String> {
    let mut engine = Engine::new(recording.policy.clone());
    let mut coverage = Coverage::default();
    for (number, line) in recording.lines.iter().enumerate() {
        let Some(Converted { lines, outputs }) = conversion.convert(line) else {
            continue;
        };
        let has_answers = lines.len() > 1;
        let mut given = Vec::new();
        for TraceLine { at, input, .. } in lines {
            let greeted = greeted(&input);
            let mut asked = apply(&mut engine, input, at).outputs;
            coverage.note(&engine);
            if let Some(answer) = greeted.and_then(|device| take_contact(device, &mut asked)) {
                asked.extend(apply(&mut engine, answer, at).outputs);
            }
            given.extend(asked);
        }
        // Bytes of a spooled shard that was not sent were kept until the end.
        given.retain(|output| !matches!(output, Output::ReleaseShard { .. }));
        for output in &mut given {
            conversion.take_job(output)?;
        }
        let (mut given, mut recorded) = (shown(&given), shown(&outputs));
        if conversion.publishes_otherwise {
            for outputs in [&mut given, &mut recorded] {
                outputs.retain(|output| !output.starts_with("PublishRecords"));
            }
        }
        if has_answers {
            // What waits for an answer now comes after what does not.
            given.sort();
            recorded.sort();
        }
        if given != recorded {
            let name = &recording.name;
            return Err(format!(
                "{name}: line {number}: {line} gave {given:#?}, it was {recorded:#?}"
            ));
        }
    }
    Ok(coverage)
}

fn shown(outputs: &[Output]) -> Vec<String> {
    outputs.iter().map(|output| format!("{output:?}")).collect()
}

#[test]
fn recorded_runs_play_again() {
    let mut coverage = Coverage::default();
    for recording in recordings() {
        match play(&recording, Conversion::of(&recording)) {
            Ok(steps) => coverage.transitions.extend(steps.transitions),
            Err(divergence) => panic!("{divergence}"),
        }
    }
    let kinds = coverage.transitions.len();
    assert!(kinds > 100, "only {kinds} kinds of steps are recorded");
}

#[test]
fn a_recording_with_another_outcome_does_not() {
    for mut recording in recordings() {
        // When records are put is not compared everywhere.
        let counts = |output: &Value| output != "PublishRecords";
        let is_spoken = |line: &&mut Value| {
            let mut outputs = line["outputs"].as_array().into_iter().flatten();
            outputs.any(counts)
        };
        let spoken = recording.lines.iter_mut().rev().find(is_spoken);
        let outputs = &mut spoken.expect("an engine that asks for something")["outputs"];
        let outputs = outputs.as_array_mut().expect("a list");
        let last = outputs.iter().rposition(counts);
        outputs.remove(last.expect("there is one"));
        let played = play(&recording, Conversion::of(&recording));
        assert!(played.is_err(), "{}", recording.name);
    }
}

/// Without the answers that the conversion adds, strangers are adopted and never asked.
#[test]
fn an_effect_without_its_answer_goes_another_way() {
    let adopts = |recording: &Recording| {
        recording
            .lines
            .iter()
            .any(|line| line.to_string().contains("AdoptSupplier"))
    };
    let recordings = recordings();
    let recording = recordings
        .iter()
        .find(|recording| adopts(recording))
        .expect("a run with a stranger");
    let conversion = Conversion {
        is_old: true,
        ..Conversion::of(recording)
    };
    assert!(play(recording, conversion).is_err());
}

/// Answers of shards whose supplier is or was away, each of which was asked for by itself.
const OF_A_SHARD: [&str; 4] = ["SendFailed", "ShardSpooled", "SpoolFailed", "SpoolLoaded"];

/// With what an engine was entered for each pack that it saw committed, from the first input that
/// names the pack to that one. Receipts name several, and come in batches.
fn entries(recording: &Recording) -> Vec<Vec<String>> {
    let mut conversion = Conversion::of(recording);
    let converted = recording.lines.iter();
    let converted = converted.filter_map(|line| conversion.convert(line));
    let (mut open, mut committed) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for TraceLine { input, .. } in converted.flat_map(|converted| converted.lines) {
        let input = json!(input);
        let Some((name, of)) = input.as_object().and_then(|input| input.iter().next()) else {
            continue;
        };
        if of["pack"].is_null() {
            continue;
        }
        let pack = of["pack"].to_string();
        open.entry(pack.clone()).or_default().push(name.clone());
        if name == "PackCommitted" {
            committed.extend(open.remove(&pack));
        }
    }
    committed
}

/// More than that would slow down a backup of many packs: it is the only thing of which there is
/// one for each of them.
#[test]
fn a_pack_enters_the_engine_when_it_is_sealed_and_when_it_is_committed() {
    let mut undisturbed = 0;
    for recording in recordings() {
        for mut entered in entries(&recording) {
            let all = entered.len();
            entered.retain(|name| !OF_A_SHARD.contains(&name.as_str()));
            undisturbed += usize::from(entered.len() == all);
            let name = &recording.name;
            assert_eq!(entered, ["PackSealed", "PackCommitted"], "{name}");
        }
    }
    assert!(undisturbed > 10, "{undisturbed} packs met no trouble");
}
