//! Inputs in any order, sensible or not: no panic, bounded outputs, and the same again.

use bitdust_engine::trace::{TraceLine, apply, replay};
use bitdust_engine::{
    Access, AskId, CustomerFact, Engine, Facts, FetchId, FolderFact, HeadFact, Input, JobId,
    LaneFact, ListsRead, OfferFact, OwedFact, PackFact, PlaceFact, Random, ReceiptFact, SetFact,
    SupplierFact, VersionFact,
};
use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::limits::ENGINE_OUTPUTS_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::set::PositionState;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, HeadHash, HeadRef, IdentityId, PackId, Policy,
    Position, PositionMask, Schedule, Sequence, SetId, Tick,
};

const SET: SetId = SetId([9; 32]);
const OTHER_SET: SetId = SetId([8; 32]);
const SEEDS: u64 = 150;
const INPUTS: usize = 400;

#[test]
fn any_order_of_inputs_is_survived_and_replays() {
    for seed in 0..SEEDS {
        eprintln!("seed {seed}");
        let lines = run(seed);
        if let Err(divergence) = replay(Policy::default(), &lines) {
            panic!("seed {seed}: {divergence}");
        }
    }
}

#[test]
fn a_changed_trace_does_not_replay() {
    let mut lines = run(3);
    let line = lines
        .iter_mut()
        .find(|line| !line.outputs.is_empty())
        .expect("something is done");
    line.outputs.clear();
    assert!(
        replay(Policy::default(), &lines).is_err(),
        "a changed trace was taken for true"
    );
}

#[test]
fn a_trace_survives_being_written_down() {
    for line in run(5) {
        let text = serde_json::to_string(&line).expect("plain data always serialises");
        let back: TraceLine = serde_json::from_str(&text).expect("it was just written");
        assert_eq!(back, line);
    }
}

fn run(seed: u64) -> Vec<TraceLine> {
    let mut chance = Random::from_number(seed);
    let mut engine = Engine::new(Policy::default());
    let mut at = Tick(0);
    let mut lines = Vec::new();
    let facts = Box::new(facts(&mut chance));
    lines.push(apply(
        &mut engine,
        Input::Started {
            facts,
            seed: [7; 32],
        },
        at,
    ));
    for _ in 0..INPUTS {
        let due = engine.wake_at().map(|(due, _)| due);
        let input = match due {
            Some(due) if chance.chance(20) => {
                at = at.max(due);
                Input::Wake
            }
            _ => any_input(&mut chance),
        };
        at = Tick(at.0 + chance.below(5_000));
        let line = apply(&mut engine, input, at);
        assert!(
            line.outputs.len() <= ENGINE_OUTPUTS_MAX,
            "seed {seed}: too many outputs"
        );
        let _ = engine.view();
        lines.push(line);
    }
    lines
}

fn byte(chance: &mut Random, bound: u64) -> u8 {
    u8::try_from(chance.below(bound)).expect("bounds are below 256")
}

fn device(chance: &mut Random) -> DeviceId {
    DeviceId([1 + byte(chance, 6); 32])
}

fn identity(chance: &mut Random) -> IdentityId {
    IdentityId([1 + byte(chance, 6); 32])
}

fn pack(chance: &mut Random) -> PackId {
    PackId([byte(chance, 5); 32])
}

fn position(chance: &mut Random) -> Position {
    Position(byte(chance, 7))
}

fn kind(chance: &mut Random) -> PackKind {
    [PackKind::Data, PackKind::Tree, PackKind::Commit][usize::from(byte(chance, 3))]
}

fn code(chance: &mut Random) -> ErrorCode {
    let codes = [
        ErrorCode::Interrupted,
        ErrorCode::QuotaExceeded,
        ErrorCode::NoContract,
        ErrorCode::Corrupt,
        ErrorCode::NotFound,
        ErrorCode::Stale,
        ErrorCode::Busy,
    ];
    codes[usize::from(byte(chance, 7))]
}

fn supplier(chance: &mut Random) -> SupplierFact {
    SupplierFact {
        device: device(chance),
        identity: identity(chance),
        friend: chance.chance(50),
        contract: chance.chance(50).then_some(ByteCount(1_000)),
        proved_ago_ms: chance.chance(50).then_some(60_000),
        suspect: chance.chance(10).then_some(1),
        missed_ago_ms: None,
    }
}

/// Two sets with the same holders among others, of which some do not count or are not there.
fn sets(chance: &mut Random) -> Vec<SetFact> {
    let mut sets = Vec::new();
    for (set, first) in [(SET, 1), (OTHER_SET, 3)] {
        let holders = (first..first + 4).map(|id| DeviceId([id; 32]));
        let mut set = SetFact::formed(set, Code::new(2, 4).expect("a code"), holders);
        for place in &mut set.positions {
            let states = [
                PositionState::Active,
                PositionState::Active,
                PositionState::Active,
                PositionState::Vacant,
                PositionState::Filling,
                PositionState::Inactive,
            ];
            place.state = states[usize::from(byte(chance, 6))];
        }
        sets.push(set);
    }
    sets.truncate(usize::from(byte(chance, 3)));
    sets
}

fn set(chance: &mut Random) -> SetId {
    [SET, OTHER_SET, SetId([7; 32])][usize::from(byte(chance, 3))]
}

fn facts(chance: &mut Random) -> Facts {
    Facts {
        device: DeviceId([0; 32]),
        identity: IdentityId([0; 32]),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: None,
        suppliers_wanted: byte(chance, 6),
        contract_bytes: ByteCount(1_000),
        suppliers: (0..5).map(|_| supplier(chance)).collect(),
        sets: sets(chance),
        home: chance.chance(90).then_some(SET),
        customers: vec![CustomerFact {
            identity: identity(chance),
            lane: device(chance),
            contract: ByteCount(500),
            used: ByteCount(100),
        }],
        kept_for: Vec::new(),
        offered: ByteCount(2_000),
        packs: (0..3)
            .map(|_| PackFact {
                pack: pack(chance),
                set: set(chance),
                kind: kind(chance),
                confirmed: (0..3).map(|_| position(chance)).collect(),
                spooled: vec![position(chance)],
            })
            .collect(),
        groups: (0..3)
            .map(|_| GroupTotal {
                group: group(chance),
                packs: chance.below(4),
                bytes: ByteCount(chance.below(100)),
            })
            .collect(),
        folders: (0..2).map(|_| folder(chance)).collect(),
        head_draft: chance.chance(50).then_some(Sequence(3)),
        head: chance.chance(50).then_some(Sequence(2)),
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    }
}

fn any_input(chance: &mut Random) -> Input {
    match chance.below(4) {
        0 => node_input(chance),
        1 => backup_input(chance),
        2 => folder_input(chance),
        _ => far_input(chance),
    }
}

fn node_input(chance: &mut Random) -> Input {
    let device = device(chance);
    let code = code(chance);
    match chance.below(34) {
        25 => Input::DiskFull,
        26 => Input::NoWriteWaits,
        27 => Input::WritesWait,
        28 => Input::ContactRemembered { device },
        29 => Input::ContactNotRemembered { device, code },
        18 => Input::Dialed { device },
        19 => Input::SearchFailed { code },
        20 => Input::SupplierAdopted { device },
        21 => Input::AdoptFailed { device, code },
        22 => Input::SetNotRecorded { code },
        23 => Input::ShardsWithdrawn {
            device,
            shards: vec![(pack(chance), position(chance))],
            all: chance.chance(20),
            moved: changes(chance),
        },
        24 => Input::NotWithdrawn { device, code },
        30 => Input::TrustRecorded { device },
        31 => Input::TrustNotRecorded { device, code },
        32..34 => Input::ProofFailed {
            device,
            pack: pack(chance),
            position: position(chance),
            code,
        },
        0 => Input::Listening,
        1 => Input::RecordsPublished,
        2 => Input::PublishFailed { code },
        3..=5 => Input::PeerUp {
            device,
            identity: identity(chance),
        },
        6 => Input::PeerDown { device },
        7 => Input::DialFailed { device, code },
        8 => Input::SuppliersWanted {
            count: byte(chance, 8),
        },
        9 => Input::FriendMade {
            supplier: supplier(chance),
        },
        10 => Input::OffersFound {
            offers: vec![OfferFact {
                device,
                identity: identity(chance),
                free: ByteCount(5_000),
            }],
        },
        11 | 12 => Input::ContractSigned {
            device,
            bytes: ByteCount(1_000),
        },
        13 => Input::ContractRefused { device, code },
        14 => Input::CheckPassed { device },
        15 => Input::CheckFailed { device, code },
        16 => Input::CheckEmpty { device },
        _ => Input::CodeWanted { code: None },
    }
}

fn backup_input(chance: &mut Random) -> Input {
    let job = JobId(chance.below(4));
    let (pack, position, device) = (pack(chance), position(chance), device(chance));
    let (code, kind, sequence) = (code(chance), kind(chance), Sequence(chance.below(6)));
    match chance.below(30) {
        19 => Input::BackupNotBegun {
            folders: vec![folder(chance).folder],
            code,
        },
        20 => Input::SpoolUnreadable { device, code },
        21 => Input::PackNotCommitted { pack, code },
        22 => Input::CommitNotRecorded { sequence, code },
        23 => Input::MetadataFailed { job, code },
        0 => Input::BackupAsked {
            job,
            folders: vec![folder(chance).folder],
            is_scheduled: chance.chance(50),
        },
        1 => Input::ScanFinished {
            job,
            versions: Vec::new(),
        },
        2 => Input::CancelAsked { job },
        3 | 4 => Input::PackSealed {
            job,
            pack,
            set: set(chance),
            kind,
            shard_bytes: ByteCount(10),
        },
        5 => Input::ScanFinished {
            job,
            versions: vec![VersionFact {
                folder: folder(chance).folder,
                is_changed: chance.chance(80),
            }],
        },
        6 => Input::ScanFailed { job, code },
        7..=9 => Input::ShardsStored {
            receipts: vec![ReceiptFact {
                pack,
                position,
                device,
                moved: changes(chance).pop(),
            }],
        },
        10 => Input::SendFailed {
            pack,
            position,
            device,
            code,
        },
        11 => Input::ShardSpooled { pack, position },
        12 => Input::SpoolFailed {
            pack,
            position,
            code,
        },
        13 => Input::SpoolLoaded(OwedFact {
            pack,
            set: set(chance),
            kind,
            position,
            device,
            confirmed: mask(chance),
            is_committed: chance.chance(50),
        }),
        27 => Input::ShardRemade(OwedFact {
            pack,
            set: set(chance),
            kind,
            position,
            device,
            confirmed: mask(chance),
            is_committed: true,
        }),
        28 => Input::NothingOwed { device },
        29 => Input::RemakeFailed { device, code },
        14 => Input::SpoolEmpty { device },
        24 => Input::SpooledDamaged {
            pack,
            position,
            device,
        },
        25 => Input::SpooledRemoved { device },
        26 => Input::SpooledNotRemoved { device, code },
        15 => Input::PackCommitted {
            pack,
            moved: changes(chance).pop(),
        },
        16 => Input::MetadataSealed { job, sequence },
        17 => Input::HeadKept { device, sequence },
        _ => Input::CommitRecorded {
            sequence,
            moved: changes(chance),
        },
    }
}

fn mask(chance: &mut Random) -> PositionMask {
    PositionMask(u32::try_from(chance.below(8)).expect("three positions"))
}

fn group(chance: &mut Random) -> Group {
    Group {
        set: SET,
        kind: kind(chance),
        is_published: chance.chance(50),
        confirmed: mask(chance),
    }
}

fn changes(chance: &mut Random) -> Vec<GroupChange> {
    let count = chance.below(3);
    let change = |chance: &mut Random| GroupChange {
        from: chance.chance(50).then(|| group(chance)),
        to: group(chance),
        packs: chance.below(3),
        bytes: ByteCount(chance.below(100)),
    };
    (0..count).map(|_| change(chance)).collect()
}

fn folder(chance: &mut Random) -> FolderFact {
    let schedules = [
        Schedule::Manual,
        Schedule::OnChange,
        Schedule::Every { minutes: 30 },
    ];
    FolderFact {
        folder: FolderId([byte(chance, 3); 32]),
        schedule: schedules[usize::from(byte(chance, 3))],
        backed_up_ago_ms: chance.chance(50).then_some(5_000),
    }
}

fn folder_input(chance: &mut Random) -> Input {
    let fact = folder(chance);
    let folder = fact.folder;
    match chance.below(9) {
        0 => Input::FolderScheduled { fact },
        1 => Input::FolderForgotten { folder },
        2 | 3 => Input::FolderWatched { folder },
        4 => Input::FolderUnwatchable {
            folder,
            code: code(chance),
        },
        5 | 6 => Input::FolderChanged { folder },
        7 => Input::FolderGone { folder },
        _ => Input::Resumed,
    }
}

fn far_input(chance: &mut Random) -> Input {
    let (job, fetch, ask) = (
        JobId(chance.below(4)),
        FetchId(chance.below(6)),
        AskId(chance.below(9)),
    );
    let (position, device, identity) = (position(chance), device(chance), identity(chance));
    let (code, bytes) = (code(chance), ByteCount(chance.below(900)));
    match chance.below(32) {
        19 => Input::RestoreFailed { job, code },
        20 => Input::LookUpEnded { job },
        21 => Input::RootNotSought { job, code },
        26 => Input::RootMissing { job },
        27 => Input::RootFound {
            job,
            devices: vec![device],
        },
        28 => Input::LanesNotSought { job, code },
        29 => Input::DeviceEntered { job },
        30 => Input::DeviceNotEntered { job, code },
        22 => Input::ContractRecorded { ask },
        23 => Input::ContractNotRecorded { ask, code },
        24 => Input::DepositsFailed { code },
        25 => Input::HeadsFailed { job, device, code },
        0 => Input::RestoreAsked { job },
        1 | 2 => Input::FetchWanted {
            fetch,
            job,
            pack: pack(chance),
            k: 1 + byte(chance, 3),
            direct: vec![position],
            places: (0..4)
                .map(|id| PlaceFact {
                    position: Position(id),
                    holders: vec![DeviceId([id + 1; 32])],
                })
                .collect(),
        },
        3 | 4 => Input::RangeFetched { fetch, position },
        5 => Input::RangeFailed {
            fetch,
            position,
            device,
            code,
        },
        6 => Input::FetchDecoded { fetch },
        7 => Input::DecodeFailed { fetch, code },
        8 => Input::RestoreWritten { job, problems: 0 },
        9 => Input::RecoverAsked { job },
        10 => Input::LanesSought {
            job,
            missing: Vec::new(),
            lanes: vec![LaneFact {
                lane: device,
                suppliers: vec![supplier(chance).device],
                k: 1,
                has_published: chance.below(2) == 0,
                named: Some(Sequence(chance.below(3))),
            }],
        },
        11 => Input::HeadsHeard {
            job,
            device,
            heads: vec![HeadFact {
                lane: device,
                head: HeadRef {
                    sequence: Sequence(1 + chance.below(2)),
                    hash: HeadHash([1; 32]),
                },
                home: None,
            }],
        },
        12 => Input::CatalogueRebuilt {
            job,
            lists: match chance.below(3) {
                0 => ListsRead::Nothing,
                1 => ListsRead::Partly,
                _ => ListsRead::Whole,
            },
        },
        13 => Input::ContractProposed {
            ask,
            identity,
            lane: device,
            bytes,
            friend: true,
        },
        14 => Input::StoreAsked {
            ask,
            identity,
            lane: device,
            bytes,
        },
        15 => Input::ShardKept { ask },
        16 => Input::StoreAborted { ask, code },
        17 => Input::AccessAsked {
            ask,
            identity,
            device,
            access: Access::Read,
        },
        18 => Input::AccessFailed { ask, code },
        _ => Input::AccessGiven {
            ask,
            released: bytes,
        },
    }
}
