//! Folders that are backed up by themselves, in virtual time.

use std::time::Duration;

use bitdust_engine::{
    Engine, Facts, FolderFact, FolderWork, Input, JobId, Output, ReceiptFact, SetFact,
    SupplierFact, TipFact, VersionFact,
};
use bitdust_model::manifest::PackKind;
use bitdust_model::status::Protection;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, IdentityId, PackId, Policy, Position, Schedule,
    Sequence, SetId, Tick,
};

const DOCUMENTS: FolderId = FolderId([1; 32]);
const PICTURES: FolderId = FolderId([2; 32]);
const SET: SetId = SetId([9; 32]);
/// The only one who keeps anything.
const SUPPLIER: DeviceId = DeviceId([7; 32]);

/// An engine in virtual time, whose backups begin at once and end when the test says so.
struct Story {
    engine: Engine,
    policy: Policy,
    now: Tick,
    next_job: u64,
    running: Option<JobId>,
    /// Folders of each backup that began by itself.
    began: Vec<Vec<FolderId>>,
    watched: Vec<FolderId>,
    /// Folders of which versions were to be made, backup by backup.
    sealed: Vec<Vec<FolderId>>,
}

impl Story {
    fn begin(folders: &[(FolderId, Schedule, Option<u64>)]) -> Self {
        let supplier = SupplierFact {
            device: SUPPLIER,
            identity: IdentityId(SUPPLIER.0),
            friend: true,
            contract: Some(ByteCount(1_000)),
            proved_ago_ms: Some(0),
            suspect: None,
            missed_ago_ms: None,
        };
        let facts = Facts {
            device: DeviceId([0; 32]),
            identity: IdentityId([0; 32]),
            is_restore_only: false,
            is_replaced: false,
            code_wanted: None,
            suppliers_wanted: 1,
            contract_bytes: ByteCount(1_000),
            suppliers: vec![supplier],
            sets: vec![SetFact::formed(
                SET,
                Code::new(1, 1).expect("a code"),
                [SUPPLIER],
            )],
            home: Some(SET),
            customers: Vec::new(),
            kept_for: Vec::new(),
            offered: ByteCount(0),
            packs: Vec::new(),
            groups: Vec::new(),
            folders: folders
                .iter()
                .map(|(folder, schedule, backed_up_ago_ms)| FolderFact {
                    folder: *folder,
                    schedule: *schedule,
                    backed_up_ago_ms: *backed_up_ago_ms,
                })
                .collect(),
            head_draft: None,
            head: Some(Sequence(1)),
            head_keepers: Vec::new(),
            settled: None,
            unlisted: Vec::new(),
        };
        let policy = Policy::default();
        let mut story = Self {
            engine: Engine::new(policy.clone()),
            policy,
            now: Tick(0),
            next_job: 1,
            running: None,
            began: Vec::new(),
            watched: Vec::new(),
            sealed: Vec::new(),
        };
        story.tell(Input::Started {
            facts: Box::new(facts),
            seed: [3; 32],
        });
        story
    }

    fn tell(&mut self, input: Input) {
        self.engine.handle(input, self.now);
        let mut outputs = Vec::new();
        while let Some(output) = self.engine.poll() {
            outputs.push(output);
        }
        for output in outputs {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the story is about folders; nothing else is carried out"
            )]
            match output {
                Output::WatchFolder { folder } => {
                    self.watched.push(folder);
                    self.tell(Input::FolderWatched { folder });
                }
                Output::UnwatchFolder { folder } => self.watched.retain(|it| *it != folder),
                Output::BackUp { folders } => {
                    let job = JobId(self.next_job);
                    self.next_job += 1;
                    self.running = Some(job);
                    self.began.push(folders.clone());
                    self.tell(Input::BackupAsked {
                        job,
                        folders,
                        is_scheduled: true,
                    });
                }
                Output::SealMetadata { folders, .. } => self.sealed.push(folders),
                Output::AskTip { device } => {
                    let tip = TipFact::Nothing;
                    self.tell(Input::TipTold { device, tip });
                }
                Output::JobEnded { job, .. } if self.running == Some(job) => self.running = None,
                _ => {}
            }
        }
    }

    /// Lets time pass, waking the engine whenever it wants to be.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some((at, _)) = self.engine.wake_at().filter(|(at, _)| *at <= end) {
            self.now = at.max(self.now);
            self.tell(Input::Wake);
        }
        self.now = end;
    }

    /// The backup that runs ends; if well, nothing had changed.
    fn end_backup(&mut self, failure: Option<ErrorCode>) {
        let job = self.running.expect("a backup runs");
        let folders = self.began.last().expect("it began");
        let versions = folders.iter().map(|folder| version(*folder, false));
        self.tell(match failure {
            None => Input::ScanFinished {
                job,
                versions: versions.collect(),
            },
            Some(ErrorCode::Cancelled) => Input::CancelAsked { job },
            Some(code) => Input::ScanFailed { job, code },
        });
        assert_ne!(self.running, Some(job), "the backup did not end");
    }

    fn work(&self, folder: FolderId) -> FolderWork {
        let view = self.engine.view();
        let found = view.folders.iter().find(|view| view.folder == folder);
        found.expect("the folder is known").work
    }

    /// Past the first look at all folders.
    fn settle(&mut self) {
        self.pass(self.policy.first_scan_after);
        while self.running.is_some() {
            self.end_backup(None);
        }
        self.began.clear();
    }
}

const fn version(folder: FolderId, is_changed: bool) -> VersionFact {
    VersionFact { folder, is_changed }
}

#[test]
fn a_change_is_backed_up_when_the_folder_has_been_still() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    assert_eq!(story.watched, [DOCUMENTS]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    let almost = story.policy.watch_still - Duration::from_millis(1);
    story.pass(almost);
    assert!(story.began.is_empty(), "it had not been still");
    story.pass(Duration::from_millis(1));
    assert_eq!(story.began, [vec![DOCUMENTS]]);
    assert_eq!(story.work(DOCUMENTS), FolderWork::Running);
}

#[test]
fn a_folder_that_never_rests_is_backed_up_anyway() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    let seconds = story.policy.watch_patience.as_secs();
    for _ in 0..seconds {
        story.tell(Input::FolderChanged { folder: DOCUMENTS });
        story.pass(Duration::from_secs(1));
    }
    assert_eq!(story.began, [vec![DOCUMENTS]]);
}

#[test]
fn what_changed_while_nobody_looked_is_found_soon_after_the_start() {
    let mut story = Story::begin(&[
        (DOCUMENTS, Schedule::OnChange, Some(1_000)),
        (PICTURES, Schedule::OnChange, None),
    ]);
    story.pass(story.policy.first_scan_after);
    assert_eq!(story.began, [vec![DOCUMENTS, PICTURES]], "both in one job");
}

#[test]
fn a_folder_is_looked_through_every_hour_even_if_no_change_was_seen() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.pass(story.policy.rescan_interval - Duration::from_secs(1));
    assert!(story.began.is_empty());
    story.pass(Duration::from_secs(1));
    assert_eq!(story.began, [vec![DOCUMENTS]]);
}

#[test]
fn changes_during_a_backup_lead_to_another() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    assert_eq!(story.began.len(), 1, "one at a time");
    story.end_backup(None);
    assert_eq!(story.began, [vec![DOCUMENTS], vec![DOCUMENTS]]);
}

#[test]
fn a_backup_that_failed_is_tried_again_ever_more_slowly() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    let mut waits = Vec::new();
    for _ in 0..4 {
        story.end_backup(Some(ErrorCode::Unreadable));
        let FolderWork::Retrying { retry_in, code } = story.work(DOCUMENTS) else {
            panic!("it is not tried again: {:?}", story.work(DOCUMENTS));
        };
        assert_eq!(code, ErrorCode::Unreadable);
        waits.push(retry_in);
        story.pass(retry_in);
        assert!(story.running.is_some(), "it was not tried again");
    }
    assert!(waits.is_sorted() && waits[3] > waits[0], "{waits:?}");
}

#[test]
fn a_backup_that_a_person_stopped_is_not_begun_again_at_once() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    story.end_backup(Some(ErrorCode::Cancelled));
    story.pass(story.policy.rescan_interval - Duration::from_secs(1));
    assert_eq!(story.began.len(), 1);
}

/// Once the catalogue is damaged nothing is called safe, what runs ends, and nothing begins: by a schedule
/// or by a person.
#[test]
fn nothing_is_backed_up_from_a_damaged_catalogue() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    assert!(story.running.is_some(), "a backup runs");
    assert_ne!(story.engine.view().protection, Protection::Unknown);
    story.tell(Input::CatalogueDamaged);
    assert!(story.running.is_none(), "it ended");
    assert_eq!(story.engine.view().protection, Protection::Unknown);
    let FolderWork::Retrying { code, .. } = story.work(DOCUMENTS) else {
        panic!("it is not tried again: {:?}", story.work(DOCUMENTS));
    };
    assert_eq!(code, ErrorCode::CatalogueDamaged);
    story.pass(Duration::from_secs(100_000));
    assert!(story.running.is_none(), "tries end at once");
    story.tell(Input::BackupAsked {
        job: JobId(50),
        folders: vec![DOCUMENTS],
        is_scheduled: false,
    });
    assert!(story.engine.view().jobs.is_empty());
    assert!(story.sealed.is_empty());
    assert_eq!(story.engine.view().protection, Protection::Unknown);
}

/// What was stored stays as it is; what nobody would find is not made.
#[test]
fn nothing_is_backed_up_once_another_machine_took_the_place() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.pass(story.policy.watch_still);
    assert!(story.running.is_some(), "a backup runs");
    story.tell(Input::LaneClosed);
    assert!(story.running.is_none(), "it ended");
    assert!(story.engine.view().is_replaced);
    let FolderWork::Retrying { code, .. } = story.work(DOCUMENTS) else {
        panic!("it is not tried again: {:?}", story.work(DOCUMENTS));
    };
    assert_eq!(code, ErrorCode::Fenced);
    story.pass(Duration::from_secs(100_000));
    assert!(story.running.is_none(), "tries end at once");
    assert_ne!(story.engine.view().protection, Protection::Unknown);
}

#[test]
fn a_machine_that_slept_catches_up() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::Every { minutes: 60 }, Some(1_000))]);
    assert!(story.watched.is_empty(), "changes do not matter to it");
    story.pass(Duration::from_secs(60));
    assert!(story.began.is_empty());
    story.tell(Input::Resumed);
    assert_eq!(story.began, [vec![DOCUMENTS]]);
}

#[test]
fn an_hourly_folder_that_is_overdue_is_backed_up_at_the_start() {
    let two_hours = 7_200_000;
    let mut story = Story::begin(&[
        (DOCUMENTS, Schedule::Every { minutes: 60 }, Some(two_hours)),
        (PICTURES, Schedule::Every { minutes: 600 }, Some(two_hours)),
    ]);
    story.pass(story.policy.first_scan_after);
    assert_eq!(story.began, [vec![DOCUMENTS]]);
}

#[test]
fn a_manual_folder_is_left_alone() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::Manual, None)]);
    story.tell(Input::Resumed);
    story.pass(Duration::from_secs(100_000));
    assert!(story.began.is_empty());
    assert_eq!(story.work(DOCUMENTS), FolderWork::Manual);
    // What a person asks for shows all the same.
    story.tell(Input::BackupAsked {
        job: JobId(50),
        folders: vec![DOCUMENTS],
        is_scheduled: false,
    });
    assert_eq!(story.work(DOCUMENTS), FolderWork::Running);
}

#[test]
fn a_folder_that_is_forgotten_is_never_begun() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    story.tell(Input::FolderChanged { folder: DOCUMENTS });
    story.tell(Input::FolderForgotten { folder: DOCUMENTS });
    assert!(story.watched.is_empty());
    story.pass(Duration::from_secs(100_000));
    assert!(story.began.is_empty());
    assert_eq!(story.engine.wake_at(), None, "nothing is left to wake for");
}

#[test]
fn a_watch_that_is_refused_is_asked_for_again() {
    let mut story = Story::begin(&[(DOCUMENTS, Schedule::OnChange, Some(1_000))]);
    story.settle();
    let refused = ErrorCode::Unreadable;
    story.tell(Input::FolderUnwatchable {
        folder: DOCUMENTS,
        code: refused,
    });
    story.watched.clear();
    story.pass(story.policy.rescan_interval);
    assert_eq!(story.watched, [DOCUMENTS]);
}

#[test]
fn a_folder_that_could_not_be_read_is_tried_again_where_others_were() {
    let mut story = Story::begin(&[
        (DOCUMENTS, Schedule::OnChange, Some(1_000)),
        (PICTURES, Schedule::OnChange, Some(1_000)),
    ]);
    story.pass(story.policy.first_scan_after);
    assert_eq!(story.began, [vec![DOCUMENTS, PICTURES]]);
    let job = story.running.expect("a backup runs");
    story.tell(Input::ScanFinished {
        job,
        versions: vec![version(DOCUMENTS, false)],
    });
    assert_eq!(story.running, None, "nothing had changed");
    assert!(matches!(story.work(DOCUMENTS), FolderWork::Resting { .. }));
    let FolderWork::Retrying { retry_in, code } = story.work(PICTURES) else {
        panic!("it is not tried again: {:?}", story.work(PICTURES));
    };
    assert_eq!(code, ErrorCode::Unreadable);
    story.pass(retry_in);
    assert_eq!(story.began[1..], [vec![PICTURES]], "and nothing else");
}

#[test]
fn a_walk_that_is_over_chooses_no_versions_any_more() {
    let mut story = Story::begin(&[
        (DOCUMENTS, Schedule::OnChange, Some(1_000)),
        (PICTURES, Schedule::OnChange, Some(1_000)),
    ]);
    story.pass(story.policy.first_scan_after);
    let job = story.running.expect("a backup runs");
    story.tell(Input::Listening);
    story.tell(Input::PeerUp {
        device: SUPPLIER,
        identity: IdentityId(SUPPLIER.0),
    });
    let pack = PackId([5; 32]);
    story.tell(Input::PackSealed {
        job,
        pack,
        set: SET,
        kind: PackKind::Tree,
        shard_bytes: ByteCount(10),
    });
    let versions = vec![version(DOCUMENTS, true), version(PICTURES, false)];
    story.tell(Input::ScanFinished { job, versions });
    assert!(story.sealed.is_empty(), "the pack is nowhere yet");
    for again in [Vec::new(), vec![version(PICTURES, true)]] {
        story.tell(Input::ScanFinished {
            job,
            versions: again,
        });
    }
    let receipt = ReceiptFact {
        pack,
        position: Position(0),
        device: SUPPLIER,
        moved: None,
    };
    story.tell(Input::ShardsStored {
        receipts: vec![receipt],
    });
    story.tell(Input::PackCommitted { pack, moved: None });
    assert_eq!(story.sealed, [vec![DOCUMENTS]]);
}
