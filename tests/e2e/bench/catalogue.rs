//! A customer who has much: a catalogue of a million chunks, then of five million files with a
//! terabyte. The real catalogue is filled as backups fill it, and a real daemon starts on it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::witness::peak_memory_kib;
use bitdust_e2e_tests::{Random, Stage, Transport, World};
use bitdust_model::encode;
use bitdust_model::manifest::{
    BlobRef, ChunkRecord, FolderRecord, PackKind, PackRecord, PackRef, Retention, Segment,
    SnapshotRecord,
};
use bitdust_model::tree::{ChunkList, Meta};
use bitdust_model::{
    ChunkId, DeviceId, FolderId, PackId, PositionMask, ShardId, SnapshotId, UnixMillis,
};
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_store::catalogue::{CachedFile, Confirmation, NewSegment, Publication};
use bitdust_store::{Catalogue, HomePaths};

use crate::Choice;
use crate::jobs::{CODE, MEMORY_MIB_BAR, SUPPLIERS, account};
use crate::pass::let_pass;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

/// Every file is one chunk.
const FILE_BYTES: u32 = 200_000;
const MANY_FILES: u64 = 1_000_000;
const MOST_FILES: u64 = 5_000_000;
const CHUNKS_PER_PACK: u64 = 80;
const PACKS_PER_SEGMENT: u64 = 5_000;
const FILES_PER_FOLDER: u64 = 500;
/// What sealing adds to a chunk.
const TAG_BYTES: u32 = 16;
/// A piece of a segment, sealed.
const PIECE_BYTES: u32 = 4 << 20;
const PIECES_PER_SEGMENT: u32 = 5;
/// Rows written in one transaction.
const BATCH_PACKS: usize = 250;
const SMALL_FILES: u32 = 50;
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let world = World::over("bench-catalogue", Transport::Tcp)?;
    let mut stage = Stage::set_up(&world, SUPPLIERS, Some(CODE))?;
    let small = world.make_folder("small")?;
    let mut random = Random::new(6);
    add_files(&small, "first", &mut random)?;
    stage.back_up(&small)?;
    stage.customer.wait_until_spread()?;
    stage.customer.stop()?;

    let archive = world.make_folder("archive")?.canonicalize()?;
    let mut filling = Filling::begin(&stage.customer.home, &archive)?;
    filling.up_to(MANY_FILES)?;
    drop(filling.catalogue);
    let many = starts(&mut stage, choice.rounds)?;
    filling.catalogue = open(&stage.customer.home)?;
    filling.up_to(MOST_FILES)?;
    drop(filling.catalogue);
    let most = starts(&mut stage, choice.rounds)?;

    stage.customer.start()?;
    stage
        .customer
        .wait_until_connected(usize::from(SUPPLIERS))?;
    let process = stage.customer.process_id()?;
    let begun = Instant::now();
    stage.customer.status()?;
    let status = begun.elapsed().as_secs_f64();
    let_pass(SETTLE);
    let started = peak_memory_kib(process)? as f64 / 1024.0;
    add_files(&small, "second", &mut random)?;
    let backup = account(&stage, |customer| {
        customer.order(&["backup"]).argument(&small).run().map(drop)
    })?;
    let bytes = std::fs::metadata(HomePaths::new(&stage.customer.home).catalogue())?.len();
    Ok(Report {
        peers: ONE_PEER,
        title: "A large catalogue (one chunk a file of 200 KB, code 3/6)",
        rows: vec![
            Row::new(
                "start of the daemon, 1 million chunks",
                "s",
                Figure::of(&many),
            )
            .against(Bar::AtMost(1.0)),
            Row::new(
                "start of the daemon, 5 million files of 1 TB",
                "s",
                Figure::of(&most),
            ),
            Row::new("`bitdust status` then", "s", Figure::one(status)),
            Row::new("peak memory after the start", "MiB", Figure::one(started))
                .against(Bar::AtMost(MEMORY_MIB_BAR)),
            Row::new(
                "peak memory of a backup of 50 new files then",
                "MiB",
                Figure::one(backup.memory_mib),
            )
            .against(Bar::AtMost(MEMORY_MIB_BAR)),
            Row::new("that backup", "s", Figure::one(backup.seconds)),
            Row::new(
                "the catalogue on the disk",
                "MB",
                Figure::one(bytes as f64 / 1e6),
            ),
        ],
    })
}

fn add_files(folder: &Path, prefix: &str, random: &mut Random) -> Result<()> {
    for number in 0..SMALL_FILES {
        let file = folder.join(format!("{prefix}-{number}.bin"));
        random.write_file(&file, u64::from(FILE_BYTES))?;
    }
    Ok(())
}

/// Seconds from the command to the word that the daemon is ready.
fn starts(stage: &mut Stage, rounds: usize) -> Result<Vec<f64>> {
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        stage.customer.start()?;
        seconds.push(begun.elapsed().as_secs_f64());
        stage
            .customer
            .wait_until_connected(usize::from(SUPPLIERS))?;
        stage.customer.stop()?;
    }
    Ok(seconds)
}

fn open(home: &Path) -> Result<Catalogue> {
    let header = u32::try_from(HEADER_BYTES)?;
    Ok(Catalogue::open(&HomePaths::new(home).catalogue(), header)?)
}

/// A catalogue that is given files, each in a pack that all suppliers confirmed.
struct Filling {
    catalogue: Catalogue,
    random: Random,
    folder: FolderId,
    device: DeviceId,
    path: Vec<u8>,
    /// A pack of a real commit: its set, epoch and code are those of all.
    model: PackRef,
    /// Who confirmed that one, with receipts of their real length.
    holders: Vec<Confirmation>,
    files: u64,
}

impl Filling {
    fn begin(home: &Path, archive: &Path) -> Result<Self> {
        use std::os::unix::ffi::OsStrExt as _;
        let catalogue = open(home)?;
        let head = catalogue.newest_published_head()?.context("no backup")?;
        let head = bitdust_crypto::verify(&head.head)?;
        let mut filling = Self {
            holders: catalogue.confirmations(head.commit.pack)?,
            catalogue,
            random: Random::new(7),
            folder: FolderId([7; 32]),
            device: head.lane,
            path: archive.as_os_str().as_bytes().to_vec(),
            model: head.commit,
            files: 0,
        };
        filling.folder = FolderId(filling.id());
        filling.catalogue.add_folder(FolderRecord {
            folder: filling.folder,
            path: filling.path.clone(),
            excludes: vec![],
            crosses_mounts: true,
            schedule: None,
            retention: Retention::KeepAll,
        })?;
        Ok(filling)
    }

    /// Adds files until there are so many, and a version that has them.
    fn up_to(&mut self, files: u64) -> Result<()> {
        let begun = Instant::now();
        let mut packs = Vec::new();
        while self.files < files {
            let count = CHUNKS_PER_PACK.min(files - self.files);
            packs.push(self.data_pack(count)?);
            if packs.len() == BATCH_PACKS {
                self.enter(std::mem::take(&mut packs))?;
            }
        }
        self.enter(packs)?;
        let snapshot = SnapshotRecord {
            snapshot: SnapshotId(self.id()),
            folder: self.folder,
            path: self.path.clone(),
            device: self.device,
            order: files,
            taken_at: now()?,
            is_clock_suspect: false,
            root: root_meta(),
            pages: vec![ChunkId(self.id())],
            files,
            bytes: files * u64::from(FILE_BYTES),
            problems: 0,
        };
        self.catalogue.publish(Publication {
            snapshots: vec![snapshot],
            ..Publication::default()
        })?;
        eprintln!("{files} files: {:.0} s", begun.elapsed().as_secs_f64());
        Ok(())
    }

    /// A pack of so many files of the archive.
    fn data_pack(&mut self, count: u64) -> Result<PackRecord> {
        let first = self.files;
        self.files += count;
        let chunks = (first..self.files)
            .map(|number| ChunkRecord {
                chunk: self.chunk(number),
                stored_bytes: FILE_BYTES + TAG_BYTES,
                raw_bytes: FILE_BYTES,
                compressed: false,
            })
            .collect();
        let body = u32::try_from(count)? * (FILE_BYTES + TAG_BYTES);
        // The trailer and the padding come after the chunks.
        let pack = self.pack_ref(PackKind::Data, 3, body + body / 32);
        Ok(PackRecord {
            pack,
            random: self.id(),
            confirmed: PositionMask::default(),
            chunks,
        })
    }

    /// The chunk of a file: any bytes, but in the order of their numbers, so that filling
    /// takes a minute and not ten.
    fn chunk(&mut self, number: u64) -> ChunkId {
        let mut id = self.id();
        let stride = u64::MAX / MOST_FILES;
        let place = number * stride + self.random.next() % stride;
        id[..8].copy_from_slice(&place.to_be_bytes());
        ChunkId(id)
    }

    fn pack_ref(&mut self, kind: PackKind, k: u8, pack_bytes: u32) -> PackRef {
        PackRef {
            pack: PackId(self.id()),
            kind,
            k,
            pack_bytes,
            shards: self
                .model
                .shards
                .clone()
                .iter()
                .map(|_| ShardId(self.id()))
                .collect(),
            ..self.model.clone()
        }
    }

    /// Enters packs with their confirmations, a segment once there are enough, and the files.
    fn enter(&mut self, packs: Vec<PackRecord>) -> Result<()> {
        let ids: Vec<PackId> = packs.iter().map(|record| record.pack.pack).collect();
        let files = self.cached(&packs);
        self.catalogue.import_segment(Segment {
            packs,
            grown: vec![],
        })?;
        for pack in &ids {
            self.confirm(*pack)?;
        }
        let number = self.files.div_ceil(CHUNKS_PER_PACK * PACKS_PER_SEGMENT);
        let live = self.catalogue.segments()?;
        match live.get(usize::try_from(number)?) {
            Some(segment) => {
                self.catalogue.mark_published(segment.segment, ids)?;
            }
            None => {
                let blobs = self.pieces()?;
                let segment = NewSegment {
                    blobs,
                    packs: ids,
                    replaced: vec![],
                };
                self.catalogue.publish(Publication {
                    segment: Some(segment),
                    ..Publication::default()
                })?;
            }
        }
        Ok(self.catalogue.remember_files(self.folder, files)?)
    }

    fn confirm(&self, pack: PackId) -> Result<()> {
        for holder in &self.holders {
            let receipt = holder.receipt.as_ref();
            let (position, supplier) = (holder.position, holder.supplier);
            self.catalogue
                .confirm_shard(pack, position, supplier, receipt, holder.at)?;
        }
        Ok(())
    }

    /// Where the pieces of a segment lie: in a commit pack of their own.
    fn pieces(&mut self) -> Result<Vec<BlobRef>> {
        let pack_bytes = PIECES_PER_SEGMENT * PIECE_BYTES + (1 << 16);
        let pack = self.pack_ref(PackKind::Commit, 1, pack_bytes);
        let id = pack.pack;
        self.catalogue.import_pack_refs(vec![pack])?;
        self.confirm(id)?;
        let header = u32::try_from(HEADER_BYTES)?;
        let piece = |counter| BlobRef {
            pack: id,
            offset: header + counter * PIECE_BYTES,
            counter,
            record: ChunkRecord {
                chunk: ChunkId(self.id()),
                stored_bytes: PIECE_BYTES,
                raw_bytes: PIECE_BYTES - TAG_BYTES,
                compressed: false,
            },
        };
        Ok((0..PIECES_PER_SEGMENT).map(piece).collect())
    }

    /// What the file cache has of the files in packs.
    fn cached(&mut self, packs: &[PackRecord]) -> Vec<(Vec<u8>, CachedFile)> {
        let chunks: Vec<ChunkId> = packs
            .iter()
            .flat_map(|record| record.chunks.iter().map(|chunk| chunk.chunk))
            .collect();
        let first = self.files - chunks.len() as u64;
        (first..)
            .zip(chunks)
            .map(|(number, chunk)| {
                let folder = number / FILES_PER_FOLDER;
                let path = format!("archive/{}/{folder}/picture-{number}.jpg", folder / 100);
                (path.into_bytes(), cached(number, chunk))
            })
            .collect()
    }

    fn id(&mut self) -> [u8; 32] {
        let mut id = [0; 32];
        self.random.fill(&mut id);
        id
    }
}

fn cached(number: u64, chunk: ChunkId) -> CachedFile {
    CachedFile {
        size: u64::from(FILE_BYTES),
        mtime_s: 1_700_000_000,
        mtime_ns: 123_456_789,
        ctime_s: 1_700_000_000,
        ctime_ns: 123_456_789,
        inode: 1_000_000 + number,
        device: 2_049,
        entry: encode(&ChunkList {
            chunks: vec![chunk],
        }),
    }
}

const fn root_meta() -> Meta {
    Meta {
        mode: 0o755,
        mtime_seconds: 1_700_000_000,
        mtime_nanos: 0,
        uid: 0,
        gid: 0,
        xattrs: vec![],
    }
}

fn now() -> Result<UnixMillis> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(UnixMillis(u64::try_from(since.as_millis())?))
}
