//! Every effect is answered, done or not, and every answer moves somebody.
//!
//! A run is made that asks for each kind of effect there is. At the first of each kind the run is
//! played again up to there, once for each answer, and the engine must step on it.

use std::collections::{BTreeMap, VecDeque};

use bitdust_engine::trace::{TraceLine, apply};
use bitdust_engine::{
    Access, AskId, CustomerFact, Engine, Facts, FetchId, FolderFact, HeadFact, Input, InputKind,
    JobId, LaneFact, ListsRead, OfferFact, Output, OutputKind, OwedFact, PlaceFact, ReceiptFact,
    SetFact, SupplierFact, TipFact, VersionFact,
};
use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::limits::LOSSES_IN_A_ROW_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, HeadHash, HeadRef, IdentityId, PackId, Policy,
    Position, PositionMask, Schedule, Sequence, SetId, Tick,
};
use strum::IntoEnumIterator as _;

const FOLDER: FolderId = FolderId([7; 32]);
const SET: SetId = SetId([9; 32]);
const FRIEND: u8 = 1;
const STRANGER: u8 = 2;
const CUSTOMER: u8 = 3;
const RESTORE: JobId = JobId(50);
const RECOVERY: JobId = JobId(60);

/// Effects that only tell or free something.
const UNANSWERED: [OutputKind; 7] = [
    OutputKind::UnwatchFolder,
    OutputKind::ReleasePack,
    OutputKind::ReleaseShard,
    OutputKind::GiveUpFetch,
    OutputKind::Refuse,
    OutputKind::JobMoved,
    OutputKind::JobEnded,
];

fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

fn identity(id: u8) -> IdentityId {
    IdentityId([id; 32])
}

/// A node that does all that its engine asks for, and what it was told.
struct Run {
    engine: Engine,
    now: Tick,
    lines: Vec<TraceLine>,
    /// Inputs to come.
    waiting: VecDeque<Input>,
    /// Where each kind of effect was first asked for.
    first: BTreeMap<OutputKind, (usize, Output)>,
    jobs: u64,
    packs: u8,
    sequence: u64,
    /// The next answers are failures.
    is_broken: bool,
}

impl Run {
    fn new() -> Self {
        Self {
            engine: Engine::new(Policy::default()),
            now: Tick(0),
            lines: Vec::new(),
            waiting: VecDeque::new(),
            first: BTreeMap::new(),
            jobs: 0,
            packs: 0,
            sequence: 0,
            is_broken: false,
        }
    }

    /// Something happens, and all that comes of it.
    fn happens(&mut self, input: Input) {
        self.waiting.push_back(input);
        while let Some(input) = self.waiting.pop_front() {
            self.now = Tick(self.now.0 + 1);
            let line = apply(&mut self.engine, input, self.now);
            let outputs = line.outputs.clone();
            self.lines.push(line);
            for output in outputs {
                let kind = OutputKind::from(&output);
                let at = self.lines.len();
                self.first
                    .entry(kind)
                    .or_insert_with(|| (at, output.clone()));
                let answers = if self.is_broken {
                    output.failure(ErrorCode::DiskFull).into_iter().collect()
                } else {
                    self.done(&output)
                };
                self.waiting.extend(answers);
            }
        }
    }

    /// Time passes until nothing is due before `until`.
    fn passes(&mut self, until: u64) {
        let until = Tick(self.now.0 + until);
        while let Some((at, _)) = self.engine.wake_at().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.happens(Input::Wake);
        }
        self.now = until;
    }

    /// What a node tells that did what it was asked for, with what happens on the way.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`successes` is the exhaustive match"
    )]
    fn done(&mut self, output: &Output) -> Vec<Input> {
        let mut told = Vec::new();
        match output {
            Output::Dial { device } => {
                let identity = IdentityId(device.0);
                let device = *device;
                told.push(Input::PeerUp { device, identity });
            }
            Output::StartScan { job, .. } => told.push(self.seal(*job, PackKind::Data)),
            Output::SealMetadata { job, .. } => {
                self.sequence += 1;
                told.push(self.seal(*job, PackKind::Commit));
            }
            Output::BackUp { .. } => self.jobs += 1,
            // One is damaged.
            Output::LoadSpool { device }
                if !self.first.contains_key(&OutputKind::RemoveSpooled) =>
            {
                return vec![Input::SpooledDamaged {
                    pack: PackId([self.packs; 32]),
                    position: Position(0),
                    device: *device,
                }];
            }
            // It is written when all was fetched, or given up.
            Output::StartRestore { job } => return vec![wanted(1, *job)],
            _ => {}
        }
        told.extend(self.successes(output).into_iter().next());
        told
    }

    fn seal(&mut self, job: JobId, kind: PackKind) -> Input {
        self.packs += 1;
        Input::PackSealed {
            job,
            pack: PackId([self.packs; 32]),
            set: SET,
            kind,
            shard_bytes: ByteCount(10),
        }
    }

    /// One input of each kind by which an effect is told to be done.
    fn successes(&self, output: &Output) -> Vec<Input> {
        match output.clone() {
            Output::PublishRecords { .. } => vec![Input::RecordsPublished],
            Output::RememberContact { device } => vec![Input::ContactRemembered { device }],
            Output::Dial { device } => vec![Input::Dialed { device }],
            Output::RetryWrites => vec![Input::NoWriteWaits],
            Output::SearchOffers { .. } => vec![Input::OffersFound {
                offers: vec![OfferFact {
                    device: device(STRANGER),
                    identity: identity(STRANGER),
                    free: ByteCount(5_000),
                }],
            }],
            Output::AdoptSupplier { offer } => vec![Input::SupplierAdopted {
                device: offer.device,
            }],
            Output::Propose { device, bytes } => vec![Input::ContractSigned { device, bytes }],
            Output::RecordSet { code, holders } => vec![Input::SetRecorded {
                set: SetFact::formed(SET, code, holders),
            }],
            Output::CheckSupplier { device, .. } => {
                vec![
                    Input::CheckPassed { device },
                    not_proved(device),
                    Input::CheckEmpty { device },
                ]
            }
            Output::WithdrawShards { device, shards, .. } => vec![Input::ShardsWithdrawn {
                device,
                shards,
                all: false,
                moved: Vec::new(),
            }],
            Output::WithdrawAll { device, .. } => vec![Input::ShardsWithdrawn {
                device,
                shards: Vec::new(),
                all: true,
                moved: Vec::new(),
            }],
            Output::TrustSupplier { device } => vec![Input::TrustRecorded { device }],
            Output::WatchFolder { folder } => vec![Input::FolderWatched { folder }],
            Output::BackUp { folders } => vec![Input::BackupAsked {
                job: JobId(self.jobs),
                folders,
                is_scheduled: true,
            }],
            Output::StartScan { job, .. } => vec![Input::ScanFinished {
                job,
                versions: vec![VersionFact {
                    folder: FOLDER,
                    is_changed: true,
                }],
            }],
            Output::SendShard {
                pack,
                position,
                device,
                ..
            } => vec![Input::ShardsStored {
                receipts: vec![ReceiptFact {
                    pack,
                    position,
                    device,
                    moved: Some(GroupChange {
                        from: Some(owed()),
                        to: Group {
                            confirmed: PositionMask(3),
                            ..owed()
                        },
                        packs: 1,
                        bytes: ByteCount(10),
                    }),
                }],
            }],
            Output::SpoolShard { pack, position } => vec![Input::ShardSpooled { pack, position }],
            Output::LoadSpool { device } => vec![
                Input::SpoolEmpty { device },
                Input::SpoolLoaded(OwedFact {
                    pack: PackId([self.packs; 32]),
                    set: SET,
                    kind: PackKind::Commit,
                    position: Position(0),
                    device,
                    confirmed: PositionMask::default(),
                    is_committed: true,
                }),
                Input::SpooledDamaged {
                    pack: PackId([self.packs; 32]),
                    position: Position(0),
                    device,
                },
            ],
            Output::RemakeShard { device, .. } => vec![
                Input::ShardRemade(OwedFact {
                    pack: PackId([self.packs; 32]),
                    set: SET,
                    kind: PackKind::Data,
                    position: Position(0),
                    device,
                    confirmed: PositionMask::default(),
                    is_committed: true,
                }),
                Input::NothingOwed { device },
            ],
            Output::RemoveSpooled { device, .. } => vec![Input::SpooledRemoved { device }],
            Output::CommitPack { pack } => vec![Input::PackCommitted { pack, moved: None }],
            Output::SealMetadata { job, .. } => vec![Input::MetadataSealed {
                job,
                sequence: Sequence(self.sequence),
            }],
            Output::PutHead { device, sequence } => vec![Input::HeadKept { device, sequence }],
            Output::AskTip { device } => vec![Input::TipTold {
                device,
                tip: TipFact::Nothing,
            }],
            Output::CatchUp { devices, .. } => vec![
                Input::CaughtUp {
                    sequence: Sequence(99),
                    moved: Vec::new(),
                    unlisted: devices,
                },
                Input::StillBehind {
                    code: ErrorCode::TooFewShards,
                    moved: Vec::new(),
                },
            ],
            Output::ListShards { device, .. } => vec![Input::ShardsListed {
                device,
                is_proved: true,
                moved: Vec::new(),
            }],
            Output::RecordCommit { sequence } => vec![Input::CommitRecorded {
                sequence,
                moved: Vec::new(),
            }],
            Output::StartRestore { job } => vec![Input::RestoreWritten { job, problems: 0 }],
            Output::FetchRange {
                fetch, position, ..
            } => vec![Input::RangeFetched { fetch, position }],
            Output::Decode { fetch, .. } => vec![Input::FetchDecoded { fetch }],
            Output::SeekRoot { job } => vec![
                Input::RootFound {
                    job,
                    devices: vec![device(STRANGER)],
                },
                Input::RootMissing { job },
            ],
            Output::SeekLanes { job, .. } => vec![Input::LanesSought {
                job,
                missing: Vec::new(),
                lanes: vec![LaneFact {
                    lane: device(STRANGER),
                    suppliers: vec![device(FRIEND)],
                    k: 1,
                    has_published: true,
                    named: None,
                }],
            }],
            Output::AskHeads { job, device } => vec![Input::HeadsHeard {
                job,
                device,
                heads: vec![HeadFact {
                    lane: device,
                    head: HeadRef {
                        sequence: Sequence(1),
                        hash: HeadHash([1; 32]),
                    },
                    home: None,
                }],
            }],
            Output::RebuildCatalogue { job, .. } => {
                let lists = ListsRead::Whole;
                vec![Input::CatalogueRebuilt { job, lists }]
            }
            Output::EnterDevice { job, .. } => vec![Input::DeviceEntered { job }],
            Output::AcceptContract { ask } => vec![Input::ContractRecorded { ask }],
            Output::AcceptStore { ask } => vec![Input::ShardKept { ask }],
            Output::AllowAccess { ask } => vec![Input::AccessGiven {
                ask,
                released: ByteCount(10),
            }],
            Output::PublishDeposits => vec![Input::DepositsPublished],
            Output::UnwatchFolder { .. }
            | Output::ReleasePack { .. }
            | Output::ReleaseShard { .. }
            | Output::GiveUpFetch { .. }
            | Output::Refuse { .. }
            | Output::JobMoved { .. }
            | Output::JobEnded { .. } => Vec::new(),
        }
    }

    /// Whether an engine at this place of the run is another one after an input than after
    /// nothing.
    fn moves(&self, at: usize, input: Input) -> bool {
        let after = |input: Input| {
            let mut engine = Engine::new(Policy::default());
            let mut now = Tick(0);
            for line in &self.lines[..at] {
                now = line.at;
                apply(&mut engine, line.input.clone(), now);
            }
            apply(&mut engine, input, now);
            format!("{engine:?}")
        };
        after(input) != after(Input::ShardsStored { receipts: vec![] })
    }
}

fn friend() -> SupplierFact {
    SupplierFact {
        device: device(FRIEND),
        identity: identity(FRIEND),
        friend: true,
        contract: None,
        proved_ago_ms: None,
        suspect: None,
        missed_ago_ms: None,
    }
}

fn not_proved(device: DeviceId) -> Input {
    Input::ProofFailed {
        device,
        pack: PackId([1; 32]),
        position: Position(0),
        code: ErrorCode::Corrupt,
    }
}

fn wanted(fetch: u64, job: JobId) -> Input {
    Input::FetchWanted {
        fetch: FetchId(fetch),
        job,
        pack: PackId([1; 32]),
        k: 1,
        direct: vec![Position(0)],
        places: vec![PlaceFact {
            position: Position(0),
            holders: vec![device(FRIEND)],
        }],
    }
}

/// A pack that the first position has and the second has not.
fn owed() -> Group {
    Group {
        set: SET,
        kind: PackKind::Data,
        is_published: false,
        confirmed: PositionMask(1),
    }
}

fn facts() -> Facts {
    Facts {
        device: device(0),
        identity: identity(0),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: Some(Code::new(1, 2).expect("a code")),
        suppliers_wanted: 2,
        contract_bytes: ByteCount(1_000),
        suppliers: vec![friend()],
        sets: Vec::new(),
        home: None,
        customers: vec![CustomerFact {
            identity: identity(CUSTOMER),
            lane: device(CUSTOMER),
            contract: ByteCount(500),
            used: ByteCount(100),
        }],
        kept_for: Vec::new(),
        offered: ByteCount(2_000),
        packs: Vec::new(),
        // An earlier run left packs that only one has, more than receipts will come.
        groups: vec![GroupTotal {
            group: owed(),
            packs: 30,
            bytes: ByteCount(300),
        }],
        folders: vec![FolderFact {
            folder: FOLDER,
            schedule: Schedule::OnChange,
            backed_up_ago_ms: None,
        }],
        head_draft: None,
        head: None,
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    }
}

/// A life in which everything is asked for at least once.
fn life() -> Run {
    let mut run = Run::new();
    run.happens(Input::Started {
        facts: Box::new(facts()),
        seed: [1; 32],
    });
    run.happens(Input::Listening);
    // The folder's first backup begins by itself.
    run.passes(60_000);
    serve(&mut run);

    // With a supplier away its shards wait in the spool.
    let away = device(STRANGER);
    run.happens(Input::PeerDown { device: away });
    run.jobs += 1;
    run.happens(Input::BackupAsked {
        job: JobId(run.jobs),
        folders: vec![FOLDER],
        is_scheduled: false,
    });
    run.passes(600_000);

    // One from the spool is not sent.
    run.is_broken = true;
    run.happens(Input::SpoolLoaded(OwedFact {
        pack: PackId([99; 32]),
        set: SET,
        kind: PackKind::Data,
        position: Position(0),
        device: device(FRIEND),
        confirmed: PositionMask::default(),
        is_committed: true,
    }));
    run.is_broken = false;

    run.happens(Input::DiskFull);
    run.passes(600_000);

    run.happens(Input::RestoreAsked { job: RESTORE });
    // Nobody has it.
    let Input::FetchWanted { fetch, job, .. } = wanted(2, RESTORE) else {
        unreachable!("it was just made");
    };
    run.happens(Input::FetchWanted {
        fetch,
        job,
        pack: PackId([2; 32]),
        k: 1,
        direct: Vec::new(),
        places: Vec::new(),
    });
    run.passes(3_600_000);
    run.happens(Input::RestoreWritten {
        job: RESTORE,
        problems: 1,
    });
    run.happens(Input::RecoverAsked { job: RECOVERY });
    run.passes(600_000);

    // Its disk is laid back to an older copy, and somebody knows better.
    run.happens(Input::TipTold {
        device: device(FRIEND),
        tip: TipFact::Unknown {
            sequence: Sequence(99),
        },
    });

    // Checks come with the days; a shard is lost, and the rest is proved.
    run.passes(100_000_000);
    run.happens(not_proved(device(FRIEND)));
    // Many are lost, while the catalogue takes nothing.
    run.is_broken = true;
    for number in 0..LOSSES_IN_A_ROW_MAX {
        run.happens(Input::ProofFailed {
            device: device(FRIEND),
            pack: PackId([number; 32]),
            position: Position(0),
            code: ErrorCode::NotFound,
        });
    }
    run.is_broken = false;
    run.passes(600_000);
    run.happens(Input::FolderForgotten { folder: FOLDER });
    run
}

/// What customers want of it.
fn serve(run: &mut Run) {
    let (identity, lane) = (identity(CUSTOMER), device(CUSTOMER));
    run.happens(Input::ContractProposed {
        ask: AskId(1),
        identity,
        lane,
        bytes: ByteCount(600),
        friend: true,
    });
    run.happens(Input::StoreAsked {
        ask: AskId(2),
        identity,
        lane,
        bytes: ByteCount(10),
    });
    run.happens(Input::AccessAsked {
        ask: AskId(3),
        identity,
        device: lane,
        access: Access::Read,
    });
    run.happens(Input::StoreAsked {
        ask: AskId(4),
        identity,
        lane,
        bytes: ByteCount(10_000),
    });
}

#[test]
fn every_effect_has_an_answer_for_success_and_one_for_failure() {
    let run = life();
    for kind in OutputKind::iter() {
        let Some((_, output)) = run.first.get(&kind) else {
            panic!("the run never asks for {kind:?}");
        };
        let failure = output.failure(ErrorCode::Internal);
        let told: Vec<_> = run.successes(output).iter().map(InputKind::from).collect();
        let mut named = output.successes().to_vec();
        named.sort();
        let mut given = told.clone();
        given.sort();
        assert_eq!(given, named, "{kind:?}: each kind of success once");
        let is_answered = !UNANSWERED.contains(&kind);
        assert_eq!(failure.is_some(), is_answered, "{kind:?}");
        assert_eq!(!named.is_empty(), is_answered, "{kind:?}");
        if let Some(failure) = failure {
            let failure = InputKind::from(&failure);
            assert!(!named.contains(&failure), "{kind:?}: {failure:?} is both");
        }
    }
}

#[test]
fn every_answer_moves_somebody() {
    let run = life();
    for (kind, (at, output)) in &run.first {
        let failure = output.failure(ErrorCode::DiskFull);
        for answer in run.successes(output).into_iter().chain(failure) {
            let told = InputKind::from(&answer);
            assert!(run.moves(*at, answer), "{kind:?}: nobody moves on {told:?}");
        }
    }
}

#[test]
fn what_failed_is_tried_again() {
    // Each of these waits for its answer and for nothing else.
    for kind in [
        OutputKind::RecordSet,
        OutputKind::CommitPack,
        OutputKind::RecordCommit,
        OutputKind::WithdrawShards,
        OutputKind::WithdrawAll,
        OutputKind::PublishDeposits,
        OutputKind::RetryWrites,
        OutputKind::RememberContact,
    ] {
        let run = life();
        let (at, output) = &run.first[&kind];
        let mut again = Run::new();
        for line in &run.lines[..*at] {
            apply(&mut again.engine, line.input.clone(), line.at);
            again.now = line.at;
        }
        again.is_broken = true;
        let failure = output.failure(ErrorCode::DiskFull).expect("it is answered");
        again.happens(failure);
        again.passes(3_600_000);
        let seen: Vec<_> = again.first.keys().collect();
        assert!(
            again.first.contains_key(&kind),
            "{kind:?} is not asked for again in an hour; {seen:?} are"
        );
    }
}
