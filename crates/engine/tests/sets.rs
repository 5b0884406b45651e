//! Several sets, positions that do not count (vacant, being filled, inactive), and what their holders keep of
//! the lane.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_engine::trace::apply;
use bitdust_engine::{
    DebtFact, Engine, Facts, Input, JobId, Output, OwedFact, PositionFact, ReceiptFact, SetFact,
    SupplierFact, TipFact,
};
use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::manifest::PackKind;
use bitdust_model::set::PositionState::{self, Active, Filling, Inactive, Vacant};
use bitdust_model::status::Protection;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, IdentityId, PackId, Policy, Position, PositionMask,
    Sequence, SetId, Tick,
};

const HOME: SetId = SetId([1; 32]);
const OLD: SetId = SetId([2; 32]);
const JOB: JobId = JobId(1);
/// Longer than a backup waits for anybody who is there.
const SOON: u64 = 120_000;

fn device(number: u8) -> DeviceId {
    DeviceId([number; 32])
}

fn stored(confirmed: u8, needed: u8) -> Protection {
    Protection::Stored { confirmed, needed }
}

/// A set whose positions stand like that, held by the devices from this number on.
fn set(id: SetId, k: u8, first: u8, states: &[PositionState]) -> SetFact {
    let place = |(state, number): (&PositionState, u8)| PositionFact {
        state: *state,
        holder: (*state != Vacant).then(|| device(number)),
    };
    let n = u8::try_from(states.len()).expect("few");
    let mut set = SetFact::formed(id, Code::new(k, n).expect("a code"), []);
    set.positions = states.iter().zip(first..).map(place).collect();
    set
}

/// A pack in the catalogue of the story.
#[derive(Debug, Clone, Copy)]
struct Row {
    set: SetId,
    kind: PackKind,
    confirmed: PositionMask,
    is_committed: bool,
    is_published: bool,
}

impl Row {
    /// One that a published head leads to.
    const fn published(set: SetId, kind: PackKind, confirmed: u32) -> Self {
        Self {
            set,
            kind,
            confirmed: PositionMask(confirmed),
            is_committed: true,
            is_published: true,
        }
    }

    fn group(&self) -> Option<Group> {
        self.is_committed.then_some(Group {
            set: self.set,
            kind: self.kind,
            is_published: self.is_published,
            confirmed: self.confirmed,
        })
    }
}

/// An engine and a home that does what it asks.
struct Story {
    engine: Engine,
    now: Tick,
    rows: BTreeMap<PackId, Row>,
    /// Who is there.
    there: BTreeSet<DeviceId>,
    /// Who takes shards and no head.
    deaf: BTreeSet<DeviceId>,
    /// What was sent, and to whom.
    sent: Vec<(PackId, Position, DeviceId)>,
    /// What was put into the spool.
    spooled: Vec<(PackId, Position)>,
    /// Who was given a head.
    given: BTreeSet<DeviceId>,
    /// The newest head that each keeps.
    keeps: BTreeMap<DeviceId, Sequence>,
    /// Where shards were to be made for whom.
    debts: Vec<(DeviceId, Vec<DebtFact>)>,
    /// Who does not tell what it keeps.
    silent: BTreeSet<DeviceId>,
    /// Whether what is sealed is lost, and kept again, while lists are made of it.
    loses: bool,
    /// The head that suppliers keep and the catalogue can take in; none: another machine writes too.
    kept_elsewhere: Option<Sequence>,
    /// Whether somebody is waited for who is asked for its shards.
    listed: Vec<DeviceId>,
    /// How the backup ended.
    ended: Option<Option<ErrorCode>>,
}

impl Story {
    /// A start with these sets, the first of which is the home set. Whoever holds a position proved
    /// something lately; all packs are published with a head that `keepers` have.
    fn begin(sets: &[SetFact], rows: &[Row], keepers: &[u8], there: &[u8]) -> Self {
        Self::begin_with(sets, rows, keepers, there, &[])
    }

    /// The same where some proved nothing yet.
    fn begin_with(
        sets: &[SetFact],
        rows: &[Row],
        keepers: &[u8],
        there: &[u8],
        stale: &[u8],
    ) -> Self {
        let rows: BTreeMap<_, _> = (50..)
            .map(|id| PackId([id; 32]))
            .zip(rows.to_vec())
            .collect();
        let supplier = |number: u8| SupplierFact {
            device: device(number),
            identity: IdentityId([number; 32]),
            friend: true,
            contract: Some(ByteCount(1_000)),
            proved_ago_ms: (!stale.contains(&number)).then_some(0),
            suspect: None,
            missed_ago_ms: None,
        };
        let total = |row: &Row| GroupTotal {
            group: row.group().expect("committed"),
            packs: 1,
            bytes: ByteCount(1),
        };
        let facts = Facts {
            device: device(0),
            identity: IdentityId([0; 32]),
            is_restore_only: false,
            is_replaced: false,
            code_wanted: None,
            suppliers_wanted: 0,
            contract_bytes: ByteCount(1_000),
            suppliers: (1..=10).map(supplier).collect(),
            sets: sets.to_vec(),
            home: Some(sets[0].set),
            customers: Vec::new(),
            kept_for: Vec::new(),
            offered: ByteCount(0),
            packs: Vec::new(),
            groups: rows.values().map(total).collect(),
            folders: Vec::new(),
            head_draft: None,
            head: (!rows.is_empty()).then_some(Sequence(1)),
            head_keepers: keepers.iter().map(|it| device(*it)).collect(),
            settled: None,
            unlisted: Vec::new(),
        };
        let mut story = Self {
            engine: Engine::new(Policy::default()),
            now: Tick(0),
            rows,
            there: BTreeSet::new(),
            deaf: BTreeSet::new(),
            sent: Vec::new(),
            spooled: Vec::new(),
            given: BTreeSet::new(),
            keeps: keepers
                .iter()
                .map(|it| (device(*it), Sequence(1)))
                .collect(),
            debts: Vec::new(),
            silent: BTreeSet::new(),
            loses: false,
            kept_elsewhere: None,
            listed: Vec::new(),
            ended: None,
        };
        story.tell(Input::Started {
            facts: Box::new(facts),
            seed: [1; 32],
        });
        story.tell(Input::Listening);
        there.iter().for_each(|number| story.comes(*number));
        story
    }

    fn comes(&mut self, number: u8) {
        self.there.insert(device(number));
        self.tell(Input::PeerUp {
            device: device(number),
            identity: IdentityId([number; 32]),
        });
    }

    /// Asks for a backup of something new, and lets a while pass.
    fn back_up(&mut self) {
        self.tell(Input::BackupAsked {
            job: JOB,
            folders: Vec::new(),
            is_scheduled: false,
        });
        self.passes(SOON);
    }

    fn passes(&mut self, ms: u64) {
        let until = Tick(self.now.0 + ms);
        while let Some((at, _)) = self.engine.wake_at().filter(|(at, _)| *at <= until) {
            self.now = at.max(self.now);
            self.tell(Input::Wake);
        }
        self.now = until;
        self.tell(Input::Wake);
    }

    fn tell(&mut self, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let outputs = apply(&mut self.engine, inputs.remove(0), self.now).outputs;
            for output in outputs {
                inputs.extend(self.does(output));
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is done by itself, or never"
    )]
    fn does(&mut self, output: Output) -> Vec<Input> {
        match output {
            Output::StartScan { job, .. } => {
                let versions = vec![bitdust_engine::VersionFact {
                    folder: bitdust_model::FolderId([1; 32]),
                    is_changed: true,
                }];
                vec![
                    self.seal(job, PackKind::Data),
                    Input::ScanFinished { job, versions },
                ]
            }
            Output::SealMetadata { job, .. } => {
                let sequence = Sequence(2);
                let mut told = if self.loses {
                    self.lose_for_a_moment()
                } else {
                    Vec::new()
                };
                told.push(self.seal(job, PackKind::Commit));
                told.push(Input::MetadataSealed { job, sequence });
                told
            }
            Output::SendShard {
                pack,
                position,
                device,
                ..
            } => {
                self.sent.push((pack, position, device));
                vec![self.stored(pack, position, device)]
            }
            Output::SpoolShard { pack, position } => {
                self.spooled.push((pack, position));
                vec![Input::ShardSpooled { pack, position }]
            }
            Output::LoadSpool { device } => vec![Input::SpoolEmpty { device }],
            Output::RemakeShard { device, debts } => {
                let made = self.remake(device, &debts);
                self.debts.push((device, debts));
                vec![made]
            }
            Output::CommitPack { pack } => {
                let moved = self.change(pack, |row| row.is_committed = true);
                vec![Input::PackCommitted { pack, moved }]
            }
            Output::AskTip { device } if self.silent.contains(&device) => {
                let code = ErrorCode::TimedOut;
                vec![Input::TipNotTold { device, code }]
            }
            Output::AskTip { device } => {
                let kept = self.keeps.get(&device).copied();
                if let Some(sequence) = kept.filter(|_| kept == self.kept_elsewhere) {
                    let tip = TipFact::Unknown { sequence };
                    return vec![Input::TipTold { device, tip }];
                }
                let tip = kept.map_or(TipFact::Nothing, |sequence| TipFact::Known { sequence });
                vec![Input::TipTold { device, tip }]
            }
            Output::CatchUp { devices, .. } => vec![match self.kept_elsewhere.take() {
                Some(sequence) => Input::CaughtUp {
                    sequence,
                    moved: Vec::new(),
                    unlisted: devices,
                },
                None => Input::StillBehind {
                    code: ErrorCode::Forked,
                    moved: Vec::new(),
                },
            }],
            Output::ListShards { device, .. } => {
                self.listed.push(device);
                vec![Input::ShardsListed {
                    device,
                    is_proved: true,
                    moved: Vec::new(),
                }]
            }
            Output::PutHead { device, sequence } => {
                self.given.insert(device);
                let answers = !self.deaf.contains(&device);
                if answers {
                    self.keeps.insert(device, sequence);
                }
                let kept = answers.then_some(Input::HeadKept { device, sequence });
                kept.into_iter().collect()
            }
            Output::RecordCommit { sequence } => {
                let packs: Vec<_> = self.rows.keys().copied().collect();
                let publish = |row: &mut Row| row.is_published |= row.is_committed;
                let moved = packs
                    .into_iter()
                    .filter_map(|pack| self.change(pack, publish));
                let moved = moved.collect();
                vec![Input::CommitRecorded { sequence, moved }]
            }
            Output::JobEnded { failure, .. } => {
                self.ended = Some(failure);
                Vec::new()
            }
            Output::Dial { device } => {
                let code = ErrorCode::TimedOut;
                vec![Input::DialFailed { device, code }]
            }
            Output::RememberContact { device } => vec![Input::ContactRemembered { device }],
            Output::CheckSupplier { device, .. } => vec![Input::CheckPassed { device }],
            Output::PublishRecords { .. } => vec![Input::RecordsPublished],
            _ => Vec::new(),
        }
    }

    fn seal(&mut self, job: JobId, kind: PackKind) -> Input {
        let pack = PackId([100 + u8::try_from(self.rows.len()).expect("few"); 32]);
        let row = Row {
            set: HOME,
            kind,
            confirmed: PositionMask::default(),
            is_committed: false,
            is_published: false,
        };
        self.rows.insert(pack, row);
        Input::PackSealed {
            job,
            pack,
            set: HOME,
            kind,
            shard_bytes: ByteCount(1),
        }
    }

    /// All that was sealed is taken back, and stored once more.
    fn lose_for_a_moment(&mut self) -> Vec<Input> {
        let packs: Vec<_> = self.rows.keys().copied().collect();
        let mut told = Vec::new();
        for pack in &packs {
            let moved = self.change(*pack, |row| row.confirmed = PositionMask::default());
            told.push(Input::ShardsWithdrawn {
                device: device(1),
                shards: Vec::new(),
                all: true,
                moved: moved.into_iter().collect(),
            });
        }
        for pack in packs {
            for (position, number) in (0..4).map(Position).zip(1..) {
                told.push(self.stored(pack, position, device(number)));
            }
        }
        told
    }

    fn stored(&mut self, pack: PackId, position: Position, device: DeviceId) -> Input {
        assert!(self.there.contains(&device), "nobody is there");
        let moved = self.change(pack, |row| row.confirmed = row.confirmed.with(position));
        let receipts = vec![ReceiptFact {
            pack,
            position,
            device,
            moved,
        }];
        Input::ShardsStored { receipts }
    }

    fn remake(&self, device: DeviceId, debts: &[DebtFact]) -> Input {
        let owed = self.rows.iter().find_map(|(pack, row)| {
            let debt = debts.iter().find(|debt| debt.set == row.set)?;
            let is_owed = row.is_committed && !row.confirmed.has(debt.position);
            is_owed.then_some((*pack, *row, debt.position))
        });
        let Some((pack, row, position)) = owed else {
            return Input::NothingOwed { device };
        };
        Input::ShardRemade(OwedFact {
            pack,
            set: row.set,
            kind: row.kind,
            position,
            device,
            confirmed: row.confirmed,
            is_committed: true,
        })
    }

    fn change(&mut self, pack: PackId, change: impl FnOnce(&mut Row)) -> Option<GroupChange> {
        let row = self.rows.get_mut(&pack)?;
        let from = row.group();
        change(row);
        let to = row.group()?;
        (from != Some(to)).then_some(GroupChange {
            from,
            to,
            packs: 1,
            bytes: ByteCount(1),
        })
    }

    fn protection(&self) -> Protection {
        self.engine.view().protection
    }

    /// To whom something was sent.
    fn receivers(&self) -> BTreeSet<DeviceId> {
        self.sent.iter().map(|(_, _, device)| *device).collect()
    }

    fn is_owed(&self, number: u8) -> bool {
        let view = self.engine.view();
        let mut suppliers = view.suppliers.iter();
        suppliers.any(|it| it.device == device(number) && it.owed)
    }
}

fn devices(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<DeviceId> {
    numbers.into_iter().map(device).collect()
}

/// Three of six positions' copies are the quorum where four are active; of all six it is four.
#[test]
fn with_vacant_positions_a_version_is_published_and_settles_by_those_that_are_left() {
    let home = set(
        HOME,
        3,
        1,
        &[Active, Active, Vacant, Active, Active, Vacant],
    );
    let mut story = Story::begin(&[home], &[], &[], &[1, 2, 4, 5]);
    story.deaf.insert(device(5));
    story.back_up();
    assert_eq!(story.ended, Some(None));
    assert_eq!(story.receivers(), devices([1, 2, 4, 5]));
    assert!(story.spooled.is_empty(), "nobody holds what is vacant");
    let view = story.engine.view();
    assert_eq!(view.published, Some(Sequence(2)));
    assert_eq!(view.head_kept, 3);
    assert_eq!(view.settled, view.published);
    assert_eq!(view.protection, stored(4, 5), "four are too few to be safe");
    assert_eq!(view.packs_unsettled, 0, "nobody is owed anything");
    assert!(story.debts.is_empty());
    assert!(story.engine.away().is_empty());
}

/// A dial of a host that vanished takes half a minute to fail.
#[test]
fn whoever_is_being_reached_for_the_first_time_is_waited_for_once() {
    let home = set(HOME, 1, 1, &[Active; 3]);
    let mut story = Story::begin(&[home], &[], &[], &[1, 2]);
    story.tell(Input::BackupAsked {
        job: JOB,
        folders: Vec::new(),
        is_scheduled: false,
    });
    story.passes(1_000);
    assert_eq!(story.ended, Some(None), "it waits no more than once");
    assert_eq!(story.receivers(), devices([1, 2]));
    assert!(story.is_owed(3));
}

/// Two of six give everything back, and four are safe: one vacant position harms nothing.
#[test]
fn a_set_with_room_to_spare_is_safe_with_a_vacant_position() {
    let home = set(
        HOME,
        2,
        1,
        &[Active, Active, Active, Active, Active, Vacant],
    );
    let mut story = Story::begin(&[home], &[], &[], &[1, 2, 3, 4, 5]);
    story.back_up();
    assert_eq!(story.ended, Some(None));
    assert_eq!(story.protection(), Protection::Safe);
    let reach = story.engine.view().reach.expect("published");
    assert_eq!((reach.online, reach.spare), (5, Some(3)));
}

/// Everything is with everybody, and yet two active positions of three that are needed settle nothing
/// and make no version.
#[test]
fn fewer_than_k_active_positions_settle_nothing() {
    let states = [Active, Inactive, Inactive, Filling, Active, Inactive];
    let home = |states: &[PositionState]| set(HOME, 3, 1, states);
    let rows = [
        Row::published(HOME, PackKind::Data, 0b11_1111),
        Row::published(HOME, PackKind::Commit, 0b11_1111),
    ];
    let all: Vec<_> = (1..=6).collect();
    let mut story = Story::begin(&[home(&states)], &rows, &all, &all);
    story.passes(SOON);
    assert_eq!(story.engine.view().settled, None);
    assert_eq!(story.protection(), stored(2, 5));
    story.back_up();
    assert_eq!(story.ended, None, "it waits");
    assert_eq!(story.rows.len(), rows.len(), "nothing is sealed in vain");
    assert_eq!(story.engine.view().published, Some(Sequence(1)));

    let mut whole = Story::begin(&[home(&[Active; 6])], &rows, &all, &all);
    whole.passes(SOON);
    assert_eq!(whole.engine.view().settled, Some(Sequence(1)));
    assert_eq!(whole.protection(), Protection::Safe);
}

#[test]
fn whoever_is_being_filled_is_given_shards_and_does_not_count_until_it_is_active() {
    let all = [1, 2, 3, 4];
    let filling = set(HOME, 2, 1, &[Active, Active, Active, Filling]);
    let mut story = Story::begin(std::slice::from_ref(&filling), &[], &[], &all);
    story.back_up();
    assert_eq!(story.ended, Some(None));
    assert_eq!(story.receivers(), devices(all), "it is given its shards");
    assert_eq!(story.given, devices([1, 2, 3]), "and no head");
    assert!(story.debts.is_empty(), "out of memory, as the others");
    assert_eq!(story.protection(), stored(3, 4));

    // What it lacks of earlier packs is owed to it.
    let rows = [
        Row::published(HOME, PackKind::Data, 0b0111),
        Row::published(HOME, PackKind::Commit, 0b0111),
    ];
    let mut story = Story::begin(&[filling], &rows, &[1, 2, 3], &all);
    story.passes(SOON);
    assert_eq!(story.receivers(), devices([4]));
    assert_eq!(story.sent.len(), 2);
    assert_eq!(story.protection(), stored(3, 4), "still not counted");
    let rows: Vec<_> = story.rows.values().copied().collect();
    let active = set(HOME, 2, 1, &[Active; 4]);
    let story = Story::begin(&[active], &rows, &[1, 2, 3], &all);
    assert_eq!(story.protection(), Protection::Safe);
}

/// It waits for nobody who is inactive, and gives it what it is owed once it is there.
#[test]
fn whoever_is_inactive_is_not_waited_for() {
    let home = set(HOME, 2, 1, &[Active, Active, Active, Inactive]);
    let mut story = Story::begin(&[home], &[], &[], &[1, 2, 3]);
    assert!(story.engine.away().is_empty(), "nobody who counts is away");
    story.back_up();
    assert_eq!(story.ended, Some(None));
    assert!(story.spooled.is_empty(), "no room is taken for it");
    let view = story.engine.view();
    assert_eq!(view.settled, view.published);
    assert!(!story.is_owed(4), "where it counts");
    assert!(story.receivers() == devices([1, 2, 3]));

    story.comes(4);
    story.passes(SOON);
    let got = story.sent.iter().filter(|(_, _, to)| *to == device(4));
    assert_eq!(got.count(), 2, "contents and lists");
    assert_eq!(
        story.protection(),
        stored(3, 4),
        "and yet it does not count"
    );
    assert_eq!(story.given, devices([1, 2, 3]));
}

/// The home set is well. Of the old one most holders have gone, and some of the data lies there alone.
#[test]
fn an_old_set_whose_holders_are_gone_makes_everything_worse() {
    let sets = || [set(HOME, 2, 1, &[Active; 4]), set(OLD, 2, 5, &[Active; 4])];
    let rows = [
        Row::published(HOME, PackKind::Data, 0b1111),
        Row::published(HOME, PackKind::Commit, 0b1111),
        Row::published(OLD, PackKind::Data, 0b1111),
    ];
    let (keepers, all) = ([1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
    let whole = Story::begin(&sets(), &rows, &keepers, &all);
    let view = whole.engine.view();
    assert_eq!(view.protection, Protection::Safe);
    let reach = view.reach.expect("published");
    assert_eq!((reach.online, reach.spare), (8, Some(2)));

    let worse = Story::begin_with(&sets(), &rows, &keepers, &[1, 2, 3, 4, 8], &[5, 6, 7]);
    let view = worse.engine.view();
    assert_eq!(view.protection, stored(1, 4));
    let reach = view.reach.expect("published");
    assert_eq!(
        (reach.online, reach.spare),
        (5, None),
        "one of two is there"
    );
    assert_eq!(worse.engine.away(), [5, 6, 7].map(device));
    assert_eq!(view.set, Some(HOME), "the home set is told");

    // Nothing lies in the old one: nobody minds.
    let empty = Story::begin_with(&sets(), &rows[..2], &keepers, &[1, 2, 3, 4], &[5, 6, 7, 8]);
    assert_eq!(empty.protection(), Protection::Safe);
}

/// Contents of the old set settle by the old set's rule, and a version only with them.
#[test]
fn a_version_settles_with_what_lies_in_other_sets() {
    let sets = [set(HOME, 2, 1, &[Active; 4]), set(OLD, 2, 5, &[Active; 4])];
    let settled = |confirmed| {
        let rows = [
            Row::published(HOME, PackKind::Commit, 0b1111),
            Row::published(OLD, PackKind::Data, confirmed),
        ];
        let mut story = Story::begin(&sets, &rows, &[1, 2, 3, 4], &[1, 2, 3, 4]);
        story.passes(SOON);
        story.engine.view().settled
    };
    assert_eq!(settled(0b0111), Some(Sequence(1)));
    assert_eq!(settled(0b0011), None);
}

/// Its positions differ: what it is owed in one set is no shard of the other.
#[test]
fn a_device_in_two_sets_is_given_what_it_is_owed_in_both() {
    // Device 3 is third in the home set and first in the old one.
    let sets = [set(HOME, 2, 1, &[Active; 4]), set(OLD, 2, 3, &[Active; 4])];
    let rows = [
        Row::published(HOME, PackKind::Commit, 0b1111),
        Row::published(HOME, PackKind::Data, 0b1011),
        Row::published(OLD, PackKind::Data, 0b1110),
    ];
    let keepers = [1, 2, 3, 4];
    let away = [1, 2, 4, 5, 6];
    let mut story = Story::begin(&sets, &rows, &keepers, &away);
    assert!(story.is_owed(3));
    assert!(story.debts.is_empty());
    story.comes(3);
    story.passes(SOON);
    let (late, asked) = &story.debts[0];
    let places: Vec<_> = asked.iter().map(|it| (it.set, it.position.0)).collect();
    assert_eq!((*late, places), (device(3), vec![(HOME, 2), (OLD, 0)]));
    assert!(
        asked
            .iter()
            .all(|debt| debt.reachable == PositionMask(0b1111))
    );
    let packs: Vec<_> = story.rows.keys().copied().collect();
    let expected = [(packs[1], Position(2)), (packs[2], Position(0))];
    let got: BTreeSet<_> = story
        .sent
        .iter()
        .map(|(pack, at, _)| (*pack, *at))
        .collect();
    assert_eq!(got, expected.into_iter().collect());
    assert_eq!(story.receivers(), devices([3]));
    assert!(!story.is_owed(3), "it is paid in both");
    assert_eq!(story.engine.view().packs_unsettled, 0);
    assert_eq!(story.protection(), Protection::Safe);
}

/// Where the lists lay in another set before, whoever lacks those leads nowhere.
#[test]
fn a_head_counts_only_with_the_lists_of_all_sets() {
    let rows = [
        Row::published(HOME, PackKind::Commit, 0b1111),
        Row::published(OLD, PackKind::Tree, 0b1111),
    ];
    let kept = |first| {
        let sets = [
            set(HOME, 2, 1, &[Active; 4]),
            set(OLD, 2, first, &[Active; 4]),
        ];
        let all: Vec<_> = (1..=8).collect();
        let story = Story::begin(&sets, &rows, &all, &all);
        (story.engine.view().head_kept, story.protection())
    };
    assert_eq!(kept(1), (4, Protection::Safe), "the same holders");
    assert_eq!(kept(3), (2, stored(3, 4)));
    assert_eq!(kept(5), (0, stored(0, 4)), "nobody has both");
}

/// It is given to all holders of the home set all the same: what lies elsewhere may come to them yet.
#[test]
fn lists_of_another_set_keep_no_head_from_the_holders_of_home() {
    let sets = [set(HOME, 2, 1, &[Active; 4]), set(OLD, 2, 4, &[Active; 4])];
    let rows = [Row::published(OLD, PackKind::Tree, 0b1111)];
    let all: Vec<_> = (1..=7).collect();
    let mut story = Story::begin(&sets, &rows, &[], &all);
    story.back_up();
    assert_eq!(story.given, devices([1, 2, 3, 4]));
    assert_eq!(story.engine.view().settled, None, "three lack a list");
}

/// Its lists may pass over what was not kept at that moment: published, it would name what nobody can find.
#[test]
fn what_was_lost_while_lists_were_made_makes_no_version() {
    let home = || set(HOME, 2, 1, &[Active; 4]);
    for loses in [false, true] {
        let mut story = Story::begin(&[home()], &[], &[], &[1, 2, 3, 4]);
        story.loses = loses;
        story.back_up();
        let failure = loses.then_some(ErrorCode::TooFewShards);
        assert_eq!(story.ended, Some(failure));
        let published = story.engine.view().published;
        assert_eq!(published, (!loses).then_some(Sequence(2)));
        assert_eq!(story.given.is_empty(), loses);
        // The next one makes other lists.
        story.loses = false;
        story.ended = None;
        story.back_up();
        assert_eq!(story.ended, Some(None));
        assert_eq!(story.engine.view().published, Some(Sequence(2)));
    }
}

/// 3/6: whatever is settled is with four, and any three of six include one of them.
#[test]
fn nothing_is_written_before_enough_have_told_what_they_keep() {
    let home = || set(HOME, 3, 1, &[Active; 6]);
    for (silent, is_written) in [(0, true), (3, true), (4, false)] {
        let mut story = Story::begin(&[home()], &[], &[], &[]);
        story.silent = devices(1..=silent);
        (1..=6).for_each(|number| story.comes(number));
        story.back_up();
        let view = story.engine.view();
        assert_eq!(view.published.is_some(), is_written, "{silent} are silent");
        assert_eq!(view.lane == "Abreast", is_written);
        assert!(!story.given.iter().any(|it| story.silent.contains(it)));
        // They tell at last.
        story.silent.clear();
        story.passes(3_600_000);
        assert_eq!(story.ended, Some(None));
        assert_eq!(story.given, devices(1..=6));
    }
}

/// Whoever lost its heads is given them again, and counts for none until it has them.
#[test]
fn who_tells_less_than_it_signed_for_counts_for_nothing_more() {
    let home = set(HOME, 2, 1, &[Active; 4]);
    let rows = [
        Row::published(HOME, PackKind::Data, 0b1111),
        Row::published(HOME, PackKind::Commit, 0b1111),
    ];
    let mut story = Story::begin(&[home], &rows, &[1, 2, 3, 4], &[1, 2, 3]);
    assert_eq!(story.engine.view().head_kept, 4);
    story.given.clear();
    story.keeps.remove(&device(4));
    story.deaf.insert(device(4));
    story.comes(4);
    assert_eq!(story.engine.view().head_kept, 3);
    story.deaf.clear();
    story.passes(3_600_000);
    assert_eq!(story.given, devices([4]));
}

/// What suppliers keep is taken in before anything is written: a backup that was asked for waits.
#[test]
fn a_machine_that_forgot_goes_on_from_what_suppliers_keep() {
    let home = set(HOME, 2, 1, &[Active; 4]);
    let mut story = Story::begin(&[home], &[], &[], &[1, 2]);
    let (forgotten, who) = (Sequence(7), device(3));
    story.kept_elsewhere = Some(forgotten);
    story.silent.insert(who);
    story.comes(3);
    story.tell(Input::TipTold {
        device: who,
        tip: TipFact::Unknown {
            sequence: forgotten,
        },
    });
    assert_eq!(story.listed, [], "it is asked what it keeps at first");
    let view = story.engine.view();
    assert!(!view.is_behind && !view.is_catching_up, "it is done");
    assert_eq!(view.published, Some(forgotten));
    let nobody = Protection::Stored {
        confirmed: 0,
        needed: 4,
    };
    assert_eq!(view.protection, nobody, "nobody is known to have it");
    story.tell(Input::TipTold {
        device: who,
        tip: TipFact::Known {
            sequence: forgotten,
        },
    });
    assert_eq!(story.listed, [who]);
    story.back_up();
    assert_eq!(story.ended, Some(None));
}

/// As long as it cannot be taken in, nothing is begun and nothing is called lost.
#[test]
fn a_backup_waits_for_what_is_taken_in() {
    let home = set(HOME, 2, 1, &[Active; 4]);
    let mut story = Story::begin(&[home], &[], &[], &[1, 2]);
    let who = device(3);
    story.silent.insert(who);
    story.comes(3);
    let (sequence, moved) = (Sequence(7), Vec::new());
    let told = Input::TipTold {
        device: who,
        tip: TipFact::Unknown { sequence },
    };
    let mut asked = apply(&mut story.engine, told, story.now).outputs;
    asked.retain(|output| matches!(output, Output::CatchUp { .. }));
    assert_eq!(asked.len(), 1);
    let code = ErrorCode::TooFewShards;
    apply(
        &mut story.engine,
        Input::StillBehind { code, moved },
        story.now,
    );
    story.tell(Input::BackupAsked {
        job: JOB,
        folders: Vec::new(),
        is_scheduled: false,
    });
    assert!(story.sent.is_empty() && story.ended.is_none(), "it waits");
    let view = story.engine.view();
    assert!(view.is_catching_up && !view.is_behind);
    // The next try has it.
    story.kept_elsewhere = Some(sequence);
    story.silent.remove(&who);
    story.keeps.insert(who, sequence);
    story.passes(SOON);
    assert_eq!(story.ended, Some(None));
    assert_eq!(story.listed, [who]);
}

/// Somebody wrote on elsewhere: what is under way is not published by the two who took it.
#[test]
fn a_lane_that_is_behind_publishes_nothing_more() {
    let home = set(HOME, 2, 1, &[Active; 4]);
    let mut story = Story::begin(&[home], &[], &[], &[1, 2, 3]);
    story.deaf.insert(device(2));
    story.deaf.insert(device(3));
    story.tell(Input::BackupAsked {
        job: JOB,
        folders: Vec::new(),
        is_scheduled: false,
    });
    assert_eq!(story.given, devices([1, 2, 3]));
    assert_eq!(story.engine.view().published, None);
    let (sequence, unknown) = (Sequence(2), device(4));
    story.silent.insert(unknown);
    story.comes(4);
    story.tell(Input::TipTold {
        device: unknown,
        tip: TipFact::Unknown { sequence },
    });
    assert_eq!(story.ended, Some(Some(ErrorCode::Stale)));
    story.tell(Input::HeadKept {
        device: device(2),
        sequence,
    });
    story.passes(SOON);
    let view = story.engine.view();
    assert!(view.is_behind);
    assert_eq!(view.published, None);
    // Nor does another backup begin.
    story.ended = None;
    story.back_up();
    assert_eq!(story.ended, Some(Some(ErrorCode::Forked)));
}
