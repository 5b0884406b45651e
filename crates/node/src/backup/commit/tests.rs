//! What a commit says, and what the catalogue knows of it before its head is published and after.

use bitdust_crypto::{PackCipher, ShardMask, verify_by};
use bitdust_engine::DraftFact;
use bitdust_model::intervals::CLOCK_EARLIEST;
use bitdust_model::manifest::{ChunkRecord, Retention};
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::tree::Meta;
use bitdust_model::{ChunkId, Code, DeviceId, FolderId, Position, PositionMask, SnapshotId};
use bitdust_pipeline::index::{read_manifest, read_segment};
use bitdust_pipeline::pack::open::open_chunk_within;
use bitdust_store::catalogue::Publication;

use super::*;
use crate::backup::commit_draft::{draft_of, record_commit};
use crate::shared::task::blocking;
use crate::shared::testing::{TestHome, pack_ref, set_record};

/// A commit with new versions, for a single supplier.
fn request(snapshots: Vec<SnapshotRecord>) -> CommitRequest {
    let code = Code::new(1, 1).expect("a code");
    let set = SetFact::formed(pack_ref().set, code, [DeviceId([2; 32])]);
    CommitRequest {
        job: JobId(1),
        snapshots,
        at_hand: AtHand {
            set: set.set,
            positions: [Position(0)].into_iter().collect(),
        },
        set,
        counters: Arc::default(),
        permits: Arc::new(Semaphore::new(1)),
        label: "laptop".to_owned(),
    }
}

async fn seal(home: &TestHome, snapshots: Vec<SnapshotRecord>) -> Result<Sequence, ErrorCode> {
    let (context, runtime) = (home.context.clone(), Handle::current());
    blocking(move || seal_commit(&context, request(snapshots), &runtime)).await?
}

/// The pack that the loop is told of.
async fn announced(home: &mut TestHome) -> Box<PackInFlight> {
    let Some(TaskEvent::Sealed { flight, .. }) = home.events.recv().await else {
        panic!("nothing else is told");
    };
    flight
}

/// The newest head, and how it was recorded.
fn newest(home: &TestHome) -> (Head, OwnHead) {
    let kept = home.context.catalogue.newest_head().expect("read");
    let kept = kept.expect("a head");
    let head = verify_by(&kept.head, &home.context.device.0).expect("signed by the device");
    (head, kept)
}

/// A piece of the only shard of a commit pack, as whoever recovers reads it.
fn read_piece(home: &TestHome, flight: &PackInFlight, blob: &BlobRef) -> Vec<u8> {
    let (pack, secrets) = (&flight.record.pack, home.context.current());
    let mut whole = flight.shards[0].to_vec();
    ShardMask::new(secrets, pack.set, pack.pack, Position(0)).apply(0, &mut whole);
    let start = blob.offset as usize;
    let mut piece = whole[start..start + blob.record.stored_bytes as usize].to_vec();
    let cipher = PackCipher::new(secrets, pack.kind, pack.pack);
    open_chunk_within(&cipher, secrets, blob, &mut piece, 0).expect("it opens");
    piece
}

fn read_own_manifest(home: &TestHome, flight: &PackInFlight) -> Manifest {
    let (head, _) = newest(home);
    read_manifest(&read_piece(home, flight, &head.manifest)).expect("a manifest")
}

/// A version of a folder that this device took.
fn version(home: &TestHome) -> SnapshotRecord {
    SnapshotRecord {
        device: home.context.device,
        ..plain_version()
    }
}

fn plain_version() -> SnapshotRecord {
    SnapshotRecord {
        snapshot: SnapshotId([1; 32]),
        folder: FolderId([1; 32]),
        path: b"/home/alice".to_vec(),
        device: DeviceId([2; 32]),
        order: 1,
        taken_at: CLOCK_EARLIEST,
        is_clock_suspect: false,
        root: Meta::default(),
        pages: Vec::new(),
        files: 3,
        bytes: 4_000,
        problems: 0,
    }
}

/// A data pack that is committed, and that no segment describes yet.
fn commit_data(home: &TestHome) -> PackRecord {
    let chunk = ChunkRecord {
        chunk: ChunkId([8; 32]),
        stored_bytes: 100,
        raw_bytes: 200,
        compressed: true,
    };
    let record = PackRecord {
        pack: PackRef {
            pack_bytes: 4_096,
            ..pack_ref()
        },
        random: [4; 32],
        confirmed: PositionMask::default(),
        chunks: vec![chunk],
    };
    let catalogue = &home.context.catalogue;
    catalogue.record_pack(record.clone()).expect("recorded");
    let positions = || (0..record.pack.k).map(Position);
    for position in positions() {
        let (pack, by) = (record.pack.pack, DeviceId([9; 32]));
        catalogue
            .confirm_shard(pack, position, by, None, CLOCK_EARLIEST)
            .expect("confirmed");
    }
    catalogue.commit_pack(record.pack.pack).expect("committed");
    PackRecord {
        confirmed: positions().collect(),
        ..record
    }
}

#[tokio::test]
async fn a_head_follows_the_one_before() {
    let mut home = TestHome::new().await;
    assert_eq!(seal(&home, Vec::new()).await, Ok(Sequence(1)));
    let (first, kept) = newest(&home);
    assert_eq!(first.previous, HeadHash([0; 32]), "there is none");
    assert_eq!(first.commit, announced(&mut home).await.record.pack);
    assert!(!kept.published, "nobody has it yet");
    assert_eq!(seal(&home, Vec::new()).await, Ok(Sequence(2)));
    let (second, _) = newest(&home);
    assert_eq!(second.previous, kept.hash);
    assert_eq!(second.commit, announced(&mut home).await.record.pack);
}

#[tokio::test]
async fn versions_are_known_once_their_own_head_is_published() {
    let home = TestHome::new().await;
    let version = version(&home);
    let sequence = seal(&home, vec![version.clone()]).await.expect("sealed");
    let known = || {
        home.context
            .catalogue
            .snapshots(wall_clock())
            .expect("read")
    };
    assert!(known().is_empty(), "before it is published");
    record_commit(&home.context, sequence.next()).expect("recorded");
    assert!(known().is_empty(), "another one is");
    record_commit(&home.context, sequence).expect("recorded");
    assert_eq!(known(), [version]);
    let (_, kept) = newest(&home);
    assert!(kept.published);
}

#[tokio::test]
async fn a_manifest_says_all_that_a_device_has() {
    let mut home = TestHome::new().await;
    let folder = FolderRecord {
        folder: FolderId([1; 32]),
        path: b"/home/alice".to_vec(),
        excludes: Vec::new(),
        crosses_mounts: false,
        schedule: None,
        retention: Retention::KeepAll,
    };
    let added = home.context.catalogue.add_folder(folder.clone());
    added.expect("added");
    let (data, version) = (commit_data(&home), version(&home));
    let sealed = seal(&home, vec![version.clone()]).await;
    let flight = announced(&mut home).await;
    let manifest = read_own_manifest(&home, &flight);
    let expected = Manifest {
        lane: home.context.device,
        sequence: sealed.expect("sealed"),
        device_label: "laptop".to_owned(),
        folders: vec![folder],
        older: Vec::new(),
        snapshots: vec![version],
        segments: manifest.segments.clone(),
        packs: Vec::new(),
        friends: Vec::new(),
        tombstones: Vec::new(),
    };
    assert_eq!(manifest, expected);
    let pieces: Vec<BlobRef> = manifest.segments.concat();
    let [segment] = &pieces[..] else {
        panic!("one piece of one segment");
    };
    assert_eq!(segment.pack, OWN_PACK, "its name is not known yet");
    let segment = read_segment(&read_piece(&home, &flight, segment));
    assert_eq!(segment.expect("a segment").packs, [data]);
}

#[tokio::test]
async fn a_segment_is_live_once_its_head_is_published() {
    let mut home = TestHome::new().await;
    commit_data(&home);
    let sequence = seal(&home, Vec::new()).await.expect("sealed");
    let own = announced(&mut home).await.record.pack.clone();
    let catalogue = home.context.catalogue.clone();
    let live = catalogue.segments().expect("read");
    assert!(live.is_empty(), "before it is published");
    let draft = DraftFact {
        sequence,
        lists: vec![own.pack],
    };
    assert_eq!(draft_of(&catalogue).expect("read"), Some(draft));
    let moved = record_commit(&home.context, sequence).expect("recorded");
    let [change] = &moved[..] else {
        panic!("the pack of contents is published: {moved:?}");
    };
    assert!(change.to.is_published && change.packs == 1);
    assert_eq!(draft_of(&catalogue).expect("read"), None);
    let again = record_commit(&home.context, sequence).expect("no error");
    assert!(again.is_empty(), "it is known already");
    let live = catalogue.segments().expect("read");
    let [segment] = &live[..] else {
        panic!("one segment");
    };
    assert_eq!(segment.packs, 1);
    assert!(segment.blobs.iter().all(|blob| blob.pack == own.pack));
    let left = catalogue.packs_to_publish(None).expect("read");
    assert!(left.is_empty(), "nothing is described twice");

    // Nobody who is there has it: it is made anew.
    seal(&home, Vec::new()).await.expect("sealed");
    let flight = announced(&mut home).await;
    let alone = read_own_manifest(&home, &flight);
    assert_eq!(alone.packs, [], "it leads to nothing older");
    let [[anew]] = &alone.segments.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
        panic!("one piece of one segment");
    };
    assert_eq!(anew.pack, OWN_PACK);
    assert_eq!(anew.record.chunk, segment.blobs[0].record.chunk);

    let supplier = DeviceId([2; 32]);
    place(&home, supplier);
    let position = Position(0);
    let kept = catalogue.confirm_shard(own.pack, position, supplier, None, CLOCK_EARLIEST);
    kept.expect("confirmed");
    seal(&home, Vec::new()).await.expect("sealed");
    let flight = announced(&mut home).await;
    let later = read_own_manifest(&home, &flight);
    assert_eq!(later.segments, std::slice::from_ref(&segment.blobs));
    assert_eq!(later.packs, [own], "so that it can be fetched");
}

/// Has a supplier hold the only position of the set.
fn place(home: &TestHome, supplier: DeviceId) {
    let holder = Holder {
        identity: home.context.identity,
        device: supplier,
    };
    let record = SetRecord {
        positions: vec![PositionRecord {
            state: PositionState::Active,
            since: Sequence(1),
            current: Some(holder),
            former: Vec::new(),
        }],
        ..set_record(home.context.identity, home.context.device, 1)
    };
    let set = OwnSet {
        set: record.set,
        version: record.version,
        record: home.context.secrets.device.signing().sign(&record),
    };
    home.context.catalogue.put_set(set).expect("written");
}

#[tokio::test]
async fn more_versions_than_can_be_kept_are_not_sealed() {
    let mut home = TestHome::new().await;
    let versions = vec![version(&home); limits::SNAPSHOTS_MAX + 1];
    assert_eq!(seal(&home, versions).await, Err(ErrorCode::TooMany));
    let head = home.context.catalogue.newest_head().expect("read");
    assert_eq!(head, None);
    assert!(home.events.try_recv().is_err(), "no pack is announced");
}

/// Nobody who has only that commit could read it.
#[tokio::test]
async fn a_version_that_names_what_no_segment_describes_is_not_sealed() {
    let mut home = TestHome::new().await;
    let record = commit_data(&home);
    let named = SnapshotRecord {
        pages: vec![record.chunks[0].chunk],
        ..version(&home)
    };
    let catalogue = home.context.catalogue.clone();
    catalogue
        .withdraw_all(DeviceId([9; 32]))
        .expect("taken back");
    let lost = seal(&home, vec![named.clone()]).await;
    assert_eq!(lost, Err(ErrorCode::TooFewShards), "it is sent anew then");
    assert!(!catalogue.is_damaged());
    let (pack, by) = (record.pack.pack, DeviceId([9; 32]));
    let confirmed = catalogue.confirm_shard(pack, Position(0), by, None, CLOCK_EARLIEST);
    confirmed.expect("confirmed");
    assert_eq!(seal(&home, vec![named]).await, Ok(Sequence(1)));
    announced(&mut home).await;
    let nowhere = SnapshotRecord {
        pages: vec![ChunkId([7; 32])],
        ..version(&home)
    };
    assert!(seal(&home, vec![nowhere]).await.is_err());
    assert!(catalogue.is_damaged());
    assert!(home.events.try_recv().is_err(), "no pack is announced");
}

/// A version that is out already, and whose lists can be found nowhere, is no reason to make no more.
#[tokio::test]
async fn a_version_that_lost_its_lists_stops_no_other() {
    let home = TestHome::new().await;
    let record = commit_data(&home);
    let broken = SnapshotRecord {
        pages: vec![record.chunks[0].chunk],
        ..version(&home)
    };
    let catalogue = &home.context.catalogue;
    let publication = Publication {
        snapshots: vec![broken],
        ..Publication::default()
    };
    catalogue.publish(publication).expect("published");
    catalogue
        .withdraw_all(DeviceId([9; 32]))
        .expect("taken back");
    assert_eq!(seal(&home, Vec::new()).await, Ok(Sequence(1)));
    assert!(!catalogue.is_damaged());
}
