//! Segments split and merge within their bounds, and nonsense is refused.

use bitdust_model::limits::CHUNKS_PER_PACK_MAX;
use bitdust_model::manifest::{ChunkRecord, FolderRecord, PackKind, Retention};
use bitdust_model::tree::Meta;
use bitdust_model::{
    ChunkId, CodeVersion, DeviceId, Epoch, FolderId, PositionMask, Sequence, SetId, ShardId,
    SnapshotId, UnixMillis, encode,
};
use proptest::prelude::*;

use super::*;

#[test]
fn a_segment_comes_back_in_pieces() {
    let records: Vec<_> = (0..5000).map(|number| record(number, 30)).collect();
    let pieces = encode_segment(&records);
    assert!(pieces.len() > 1);
    assert!(pieces.iter().all(|piece| piece.len() <= CHUNK_BYTES_MAX));
    let read: Vec<_> = pieces.iter().flat_map(|piece| read(piece).packs).collect();
    assert!(read == records);
    assert_eq!(
        encode(&read_segment(&pieces[0]).expect("a segment")),
        pieces[0]
    );
}

#[test]
fn a_piece_describes_no_more_packs_than_it_may() {
    let records: Vec<_> = (0..5000).map(|number| record(number, 1)).collect();
    let pieces = encode_segment(&records);
    assert_eq!(read(&pieces[0]).packs.len(), SEGMENT_PACKS_MAX);
    assert_eq!(pieces.len(), 2);
}

#[test]
fn the_largest_record_fits() {
    let mut largest = record(1, CHUNKS_PER_PACK_MAX);
    largest.pack.shards = vec![ShardId([1; 32]); SUPPLIERS_PER_SET_MAX];
    for chunk in &mut largest.chunks {
        (chunk.stored_bytes, chunk.raw_bytes) = (300, 1 << 22);
    }
    largest.pack.pack_bytes = 24 << 20;
    let pieces = encode_segment(&[largest.clone(), largest.clone()]);
    assert_eq!(pieces.len(), 2);
    assert!(read(&pieces[1]).packs == [largest]);
}

#[test]
fn no_records_make_no_piece() {
    assert!(encode_segment(&[]).is_empty());
}

#[test]
fn segments_merge_geometrically() {
    let check = |existing: &[u64], new: u64, merged: usize| {
        assert_eq!(plan_segments(existing, new), merged, "{existing:?} + {new}");
    };
    check(&[], 10, 0);
    check(&[10], 10, 1);
    check(&[19], 10, 1);
    check(&[20], 10, 0);
    check(&[100, 20], 10, 0);
    check(&[100, 60, 19], 10, 1);
    check(&[100, 50, 19], 10, 3);
    check(&[0, 0], 0, 2);
    check(&[u64::MAX, u64::MAX], u64::MAX, 2);
    // No two of these would merge, but there are as many as there may be.
    let mut full: Vec<u64> = (0..32)
        .map(|place| 4_u64.saturating_pow(32 - place))
        .collect();
    check(&full, 1, 1);
    full.pop();
    check(&full, 1, 0);
}

#[test]
fn nonsense_about_packs_is_refused() {
    let check = |change: fn(&mut PackRecord)| {
        let mut record = record(1, 3);
        assert!(
            read_segment(&encode(&Segment {
                packs: vec![record.clone()],
                grown: Vec::new(),
            }))
            .is_ok()
        );
        change(&mut record);
        let bytes = encode(&Segment {
            packs: vec![record.clone()],
            grown: Vec::new(),
        });
        let refused = read_segment(&bytes).expect_err("nonsense was taken");
        assert!(matches!(refused, IndexError::BadPack { pack, .. } if pack == record.pack.pack));
    };
    check(|record| record.pack.k = 0);
    check(|record| record.pack.k = 4);
    check(|record| record.pack.shards.clear());
    check(|record| record.pack.shards = vec![ShardId([0; 32]); 31]);
    check(|record| record.pack.shards = vec![ShardId([0; 32]); 300]);
    check(|record| record.pack.pack_bytes = u32::MAX);
    check(|record| record.pack.pack_bytes = 100);
    check(|record| record.chunks.clear());
    check(|record| record.chunks[0].stored_bytes = 16);
    check(|record| record.chunks[1].stored_bytes = u32::MAX);
    check(|record| record.chunks[2].raw_bytes = u32::MAX);
    check(|record| record.chunks[2].raw_bytes = 0);
}

#[test]
fn few_snapshots_stand_in_the_manifest_itself() {
    let few: Vec<_> = (0..1000).map(|number| snapshot(number, 3)).collect();
    let paged = page_snapshots(few.clone());
    assert!(paged.pages.is_empty());
    assert!(paged.inline == few);
    assert!(page_snapshots(vec![]).inline.is_empty());
}

#[test]
fn as_many_large_snapshots_as_there_may_be_fit_a_manifest_with_pages() {
    // A folder with a million names has a thousand pages.
    let all: Vec<_> = (0..2_000).map(|number| snapshot(number, 1_000)).collect();
    let paged = page_snapshots(all.clone());
    assert!(paged.pages.len() > 10);
    assert!(paged.pages.iter().all(|page| page.len() <= CHUNK_BYTES_MAX));
    let manifest = Manifest {
        older: vec![manifest().segments[0][0]; paged.pages.len()],
        snapshots: paged.inline.clone(),
        ..manifest()
    };
    assert!(encode(&manifest).len() < 2 * SNAPSHOTS_INLINE_BYTES_MAX);
    let older = paged.pages.iter().flat_map(|page| {
        let page = read_snapshot_page(page).expect("the page is sound");
        page.snapshots
    });
    assert!(
        older.chain(paged.inline).eq(all),
        "in their order, each once"
    );
}

#[test]
fn a_snapshot_that_fills_the_manifest_alone_gets_a_page() {
    let paged = page_snapshots(vec![snapshot(1, 3), snapshot(2, 40_000), snapshot(3, 3)]);
    assert_eq!((paged.pages.len(), paged.inline.len()), (1, 1));
}

#[test]
fn nonsense_in_manifests_is_refused() {
    let check = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        assert!(read_manifest(&encode(&manifest)).as_ref() == Ok(&manifest));
        change(&mut manifest);
        assert!(read_manifest(&encode(&manifest)).is_err());
    };
    check(|manifest| manifest.segments = vec![vec![]; SEGMENTS_MAX + 1]);
    check(|manifest| manifest.segments[0][0].offset = u32::MAX);
    check(|manifest| manifest.segments[0][0].record.raw_bytes = u32::MAX);
    check(|manifest| manifest.older = vec![manifest.segments[0][0]; SNAPSHOTS_MAX + 1]);
    check(|manifest| {
        manifest.older = manifest.segments[0].clone();
        manifest.older[0].offset = u32::MAX;
    });
    check(|manifest| manifest.packs[0].k = 31);
    check(|manifest| manifest.folders = vec![manifest.folders[0].clone(); FOLDERS_MAX + 1]);
    check(|manifest| manifest.folders[0].excludes = vec![String::new(); EXCLUDES_MAX + 1]);
}

proptest! {
    #[test]
    fn the_log_stays_short_and_cheap(commits in prop::collection::vec(1_u64..1000, 1..400)) {
        let (mut live, mut written): (Vec<u64>, u64) = (Vec::new(), 0);
        for new in &commits {
            let merged: u64 = live.drain(live.len() - plan_segments(&live, *new)..).sum();
            live.push(merged + new);
            written += merged + new;
            prop_assert!(live.len() <= SEGMENTS_MAX);
        }
        let total: u64 = commits.iter().sum();
        prop_assert_eq!(live.iter().sum::<u64>(), total);
        // Each rewriting puts a record into a segment at least half as long again.
        let rewritings = u64::from(total.ilog2()) * 2 + 2;
        prop_assert!(written <= total * rewritings);
    }

    #[test]
    fn any_sizes_leave_at_most_the_limit(
        existing in prop::collection::vec(any::<u64>(), 0..100),
        new: u64,
    ) {
        let merged = plan_segments(&existing, new);
        prop_assert!(existing.len() - merged < SEGMENTS_MAX);
    }

    #[test]
    fn garbage_is_refused_or_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        is_refused_or_sound(&bytes);
        is_refused_or_sound(&[&[1], &bytes[..]].concat());
    }

    #[test]
    fn mutations_are_refused_or_within_bounds(at: prop::sample::Index, change in 1_u8..) {
        let segment = encode_segment(&[record(1, 3), record(2, 2)]).concat();
        let page = page_snapshots(vec![snapshot(1, 40_000)]).pages.concat();
        for mut bytes in [segment, encode(&manifest()), page] {
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            is_refused_or_sound(&bytes);
            is_refused_or_sound(&bytes[..at]);
        }
    }
}

/// The pieces of a segment with these records.
fn encode_segment(records: &[PackRecord]) -> Vec<Vec<u8>> {
    let mut writer = SegmentWriter::new();
    let mut pieces: Vec<_> = records
        .iter()
        .filter_map(|record| writer.push(record))
        .collect();
    pieces.extend(writer.finish());
    pieces
}

fn is_refused_or_sound(bytes: &[u8]) {
    if let Ok(segment) = read_segment(bytes) {
        for PackRecord { pack, chunks, .. } in segment.packs {
            let stored: u64 = chunks
                .iter()
                .map(|chunk| u64::from(chunk.stored_bytes))
                .sum();
            assert!(stored <= u64::from(pack.pack_bytes));
            assert!(pack.pack_bytes as usize <= PACK_BYTES_MAX);
        }
    }
    if let Ok(manifest) = read_manifest(bytes) {
        assert!(manifest.segments.len() <= SEGMENTS_MAX);
    }
    if let Ok(page) = read_snapshot_page(bytes) {
        assert!(page.snapshots.len() <= SNAPSHOTS_MAX);
    }
}

fn read(piece: &[u8]) -> Segment {
    read_segment(piece).expect("the piece is sound")
}

fn record(number: u32, chunks: usize) -> PackRecord {
    let mut pack = [0; 32];
    pack[..4].copy_from_slice(&number.to_le_bytes());
    let pack = PackRef {
        pack: PackId(pack),
        kind: PackKind::Data,
        epoch: Epoch(0),
        set: SetId([1; 32]),
        k: 2,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: 100_000,
        shards: vec![ShardId([2; 32]); 3],
    };
    let chunk = ChunkRecord {
        chunk: ChunkId([3; 32]),
        stored_bytes: 1000,
        raw_bytes: 2000,
        compressed: true,
    };
    PackRecord {
        pack,
        random: [9; 32],
        confirmed: PositionMask(0b11),
        chunks: vec![chunk; chunks],
    }
}

fn snapshot(number: u64, pages: usize) -> SnapshotRecord {
    SnapshotRecord {
        snapshot: SnapshotId([6; 32]),
        folder: FolderId([4; 32]),
        path: b"/home".to_vec(),
        device: DeviceId([5; 32]),
        order: number,
        taken_at: UnixMillis(number),
        is_clock_suspect: false,
        root: Meta::default(),
        pages: vec![ChunkId([7; 32]); pages],
        files: number,
        bytes: number,
        problems: 0,
    }
}

fn manifest() -> Manifest {
    let PackRecord { pack, chunks, .. } = record(9, 1);
    let blob = BlobRef {
        pack: pack.pack,
        offset: 42,
        counter: 0,
        record: chunks[0],
    };
    let folder = FolderRecord {
        folder: FolderId([4; 32]),
        path: b"/home".to_vec(),
        excludes: vec![],
        crosses_mounts: true,
        schedule: None,
        retention: Retention::KeepAll,
    };
    Manifest {
        lane: DeviceId([5; 32]),
        sequence: Sequence(3),
        device_label: "laptop".to_owned(),
        folders: vec![folder],
        older: vec![],
        snapshots: vec![],
        segments: vec![vec![blob]],
        packs: vec![pack],
        friends: vec![],
        tombstones: vec![],
    }
}
