//! The ledger of a terabyte: 60,000 packs in the real catalogue, of which one position is dead and,
//! with 30 of them, a hundredth of all shards is withdrawn; and a real engine that starts on it and
//! is told what a node would tell it. One core, no network.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::Random;
use bitdust_e2e_tests::witness::memory_kib;
use bitdust_engine::{Engine, Facts, Input, Output, OwedFact, ReceiptFact, SetFact, SupplierFact};
use bitdust_model::document::{Signature, Signed};
use bitdust_model::ledger::GroupTotal;
use bitdust_model::manifest::{PackKind, PackRecord, PackRef};
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{
    ByteCount, Code, CodeVersion, DeviceId, Epoch, IdentityId, PackId, Policy, Position,
    PositionMask, Sequence, SetHash, SetId, ShardId, Tick, UnixMillis, encode,
};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::{OwedPlace, OwnSet};

use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

/// A terabyte in packs of 16 MiB.
const PACKS: u64 = 60_000;
const PACK_BYTES: u32 = 16 << 20;
const SET: SetId = SetId([1; 32]);
/// Nobody has this position.
const DEAD: Position = Position(0);
/// Owed shards that are paid while it is measured: five inputs each.
const PAID: usize = 4_000;
const BATCH: usize = 1_024;

pub(crate) fn measure() -> Result<Report> {
    let mut rows = Vec::new();
    for (k, n, withdrawn) in [(3, 6, 0), (10, 30, 100)] {
        let code = Code::new(k, n)?;
        let measured = measure_set(code, withdrawn)?;
        let what = |what: &str| format!("{what}, {code}");
        rows.extend([
            Row::new(
                what("start: catalogue opened, counted, told"),
                "s",
                measured.start,
            )
            .against(Bar::AtMost(1.0)),
            Row::new(what("groups"), "", measured.groups),
            Row::new(
                what("memory of the engine and of the open catalogue"),
                "MiB",
                measured.memory,
            )
            .against(Bar::AtMost(16.0)),
            Row::new(what("an input, 99th percentile"), "µs", measured.input_p99)
                .against(Bar::AtMost(20.0)),
            Row::new(what("an input, median"), "µs", measured.input_median),
            Row::new(what("what is shown of it"), "µs", measured.view),
            Row::new(
                what("1,024 packs that are owed, looked for"),
                "ms",
                measured.owed,
            ),
        ]);
    }
    Ok(Report {
        peers: ONE_PEER,
        title: "The ledger of 1 TB (60,000 packs, one position dead; at 30 positions 1 % withdrawn)",
        rows,
    })
}

/// What was measured of one set.
struct Measured {
    start: Figure,
    groups: Figure,
    memory: Figure,
    input_p99: Figure,
    input_median: Figure,
    view: Figure,
    owed: Figure,
}

fn device(position: Position) -> DeviceId {
    DeviceId([position.0 + 1; 32])
}

fn identity(position: Position) -> IdentityId {
    IdentityId([position.0 + 1; 32])
}

fn measure_set(code: Code, withdrawn_in_ten_thousand: u64) -> Result<Measured> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("catalogue.db");
    let begun = Instant::now();
    let packs = fill(&Catalogue::open(&path, 0)?, code, withdrawn_in_ten_thousand)?;
    eprintln!("{code}: filled in {:.0} s", begun.elapsed().as_secs_f64());

    let before = memory_kib(std::process::id())?;
    let begun = Instant::now();
    let catalogue = Catalogue::open(&path, 0)?;
    let groups = catalogue.groups(SET)?;
    let count = groups.len();
    let mut engine = Engine::new(Policy::default());
    tell(&mut engine, started(code, groups), Tick(0));
    let start = begun.elapsed().as_secs_f64();
    tell(&mut engine, Input::Listening, Tick(0));
    for position in (0..code.n()).map(Position) {
        let (device, identity) = (device(position), identity(position));
        tell(&mut engine, Input::PeerUp { device, identity }, Tick(1));
        let empty = Input::SpoolEmpty { device };
        tell(&mut engine, empty, Tick(1));
    }

    let begun = Instant::now();
    let reachable = (0..code.n()).map(Position).collect();
    let place = OwedPlace {
        set: SET,
        position: DEAD,
        reachable,
    };
    let owed = catalogue.owed(&[place], BATCH)?;
    let looked_for = begun.elapsed().as_secs_f64() * 1e3;
    anyhow::ensure!(owed.len() == BATCH, "only {} are owed", owed.len());

    let mut inputs = Vec::new();
    let mut views = Vec::new();
    for (number, pack) in packs.iter().take(PAID).enumerate() {
        let now = Tick(2 + u64::try_from(number)?);
        inputs.extend(pay(&mut engine, &catalogue, *pack, now)?);
        if number % 40 == 0 {
            let begun = Instant::now();
            let view = engine.view();
            views.push(micros(begun.elapsed()));
            anyhow::ensure!(view.packs_unsettled <= 2, "packs stay in the engine");
        }
    }
    let after = memory_kib(std::process::id())?;
    inputs.sort_by(f64::total_cmp);
    let at = |part: usize| inputs[inputs.len() * part / 100];
    Ok(Measured {
        start: Figure::one(start),
        groups: Figure::one(count as f64),
        memory: Figure::one(after.saturating_sub(before) as f64 / 1024.0),
        input_p99: Figure::one(at(99)),
        input_median: Figure::one(at(50)),
        view: Figure::of(&views),
        owed: Figure::one(looked_for),
    })
}

/// Gives the dead position its shard of a pack, as a node would; gives what each input took.
fn pay(engine: &mut Engine, catalogue: &Catalogue, pack: PackId, now: Tick) -> Result<Vec<f64>> {
    let (position, device) = (DEAD, device(DEAD));
    let record = catalogue.pack_record(pack)?.context("a pack")?;
    let moved = catalogue.confirm_shard(pack, position, device, None, UnixMillis(1))?;
    let receipt = ReceiptFact {
        pack,
        position,
        device,
        moved,
    };
    let owed = OwedFact {
        pack,
        set: record.pack.set,
        kind: record.pack.kind,
        position,
        device,
        confirmed: record.confirmed,
        is_committed: true,
    };
    let inputs = [
        Input::ShardRemade(owed),
        Input::ShardsStored {
            receipts: vec![receipt],
        },
        Input::SpoolEmpty { device },
    ];
    let mut took = Vec::new();
    let mut asked = Vec::new();
    for input in inputs {
        let begun = Instant::now();
        asked = tell(engine, input, now);
        took.push(micros(begun.elapsed()));
    }
    let remakes = |output: &Output| matches!(output, Output::RemakeShard { .. });
    anyhow::ensure!(asked.iter().any(remakes), "the next one is not asked for");
    Ok(took)
}

fn tell(engine: &mut Engine, input: Input, now: Tick) -> Vec<Output> {
    engine.handle(input, now);
    std::iter::from_fn(|| engine.poll()).collect()
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn started(code: Code, groups: Vec<GroupTotal>) -> Input {
    let positions = || (0..code.n()).map(Position);
    let supplier = |position| SupplierFact {
        device: device(position),
        identity: identity(position),
        friend: true,
        contract: Some(ByteCount(1 << 42)),
        proved_ago_ms: Some(0),
        suspect: None,
        missed_ago_ms: None,
    };
    let facts = Facts {
        device: DeviceId([200; 32]),
        identity: IdentityId([200; 32]),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: Some(code),
        suppliers_wanted: code.n(),
        contract_bytes: ByteCount(1 << 42),
        suppliers: positions().map(supplier).collect(),
        sets: vec![SetFact::formed(SET, code, positions().map(device))],
        home: Some(SET),
        customers: Vec::new(),
        kept_for: Vec::new(),
        offered: ByteCount(0),
        packs: Vec::new(),
        groups,
        folders: Vec::new(),
        head_draft: None,
        head: Some(Sequence(1)),
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    };
    Input::Started {
        facts: Box::new(facts),
        seed: [7; 32],
    }
}

/// Packs of a set, confirmed at all positions but the dead one and those that were withdrawn.
fn fill(catalogue: &Catalogue, code: Code, withdrawn_in_ten_thousand: u64) -> Result<Vec<PackId>> {
    let set = set_record(code);
    catalogue.put_set(OwnSet {
        set: SET,
        version: set.version,
        record: Signed::from_parts(encode(&set), [1; 32], Signature([2; 64])),
    })?;
    let mut random = Random::new(14);
    let mut packs = Vec::new();
    for number in 0..PACKS {
        let record = pack_record(code, number);
        let pack = record.pack.pack;
        catalogue.record_pack(record)?;
        for position in (1..code.n()).map(Position) {
            if random.next() % 10_000 >= withdrawn_in_ten_thousand {
                let by = device(position);
                catalogue.confirm_shard(pack, position, by, None, UnixMillis(1))?;
            }
        }
        catalogue.commit_pack(pack)?;
        packs.push(pack);
    }
    Ok(packs)
}

fn set_record(code: Code) -> SetRecord {
    let position = |position| PositionRecord {
        state: PositionState::Active,
        current: Some(Holder {
            identity: identity(position),
            device: device(position),
        }),
        ..PositionRecord::default()
    };
    SetRecord {
        set: SET,
        owner: IdentityId([200; 32]),
        lane: DeviceId([200; 32]),
        version: Sequence(1),
        previous: SetHash([0; 32]),
        k: code.k(),
        positions: (0..code.n()).map(Position).map(position).collect(),
        mandate: None,
    }
}

fn pack_record(code: Code, number: u64) -> PackRecord {
    let id = |kind: u8, place: u8| {
        let mut id = [kind; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id[8] = place;
        id
    };
    PackRecord {
        pack: PackRef {
            pack: PackId(id(1, 0)),
            kind: PackKind::Data,
            epoch: Epoch(0),
            set: SET,
            k: code.k(),
            code_version: CodeVersion::Vandermonde1,
            pack_bytes: PACK_BYTES,
            shards: (0..code.n()).map(|place| ShardId(id(2, place))).collect(),
        },
        random: id(3, 0),
        confirmed: PositionMask::default(),
        chunks: Vec::new(),
    }
}
