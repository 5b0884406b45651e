//! The reading half of a backup, on a blocking thread: walk, chunk, seal, announce.
//!
//! A file whose stamp is the one remembered, and whose chunks all lie in committed packs, is
//! not opened. A pack is recorded in the catalogue before anybody hears of it. Memory is
//! bounded: one chunk being read, two packs being gathered, `PACKS_IN_FLIGHT_MAX` being sent.

use std::collections::{HashSet, VecDeque};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::debug;

use bitdust_engine::{JobId, SetFact};
use bitdust_model::manifest::{FolderRecord, PackKind, PackRecord, PackRef, SnapshotRecord};
use bitdust_model::status::{Problem, Problems};
use bitdust_model::tree::{Content, Entry, Meta, Node};
use bitdust_model::{ChunkId, CodeVersion, ErrorCode, SnapshotId, UnixMillis, limits};
use bitdust_pipeline::content::{WholeContent, content_of};
use bitdust_pipeline::shard::{code_of, make_shards};
use bitdust_pipeline::tree::TreeWriter;
use bitdust_pipeline::{Chunker, PackBuilder};
use bitdust_source::{
    Accounts, Excludes, FileReader, FileSeen, Owners, Stamp, Stretch, Walk, WalkEvent, WalkOptions,
    open_file,
};

use crate::back::{Back, Flight};
use crate::cache::{FileCache, Remembered};
use crate::context::{Context, wall_clock};
use crate::job::{Counters, problem};

/// What a walk gave.
pub(crate) struct Scanned {
    /// One version a folder.
    pub(crate) snapshots: Vec<SnapshotRecord>,
    /// What could not be protected.
    pub(crate) problems: Problems,
}

/// What a scan works with.
pub(crate) struct ScanRequest {
    /// The job.
    pub(crate) job: JobId,
    /// What to walk.
    pub(crate) folders: Vec<FolderRecord>,
    /// The set that packs go to.
    pub(crate) set: SetFact,
    /// Where to count.
    pub(crate) counters: Arc<Counters>,
    /// Room for packs in flight.
    pub(crate) permits: Arc<Semaphore>,
    /// The home itself, which is never backed up.
    pub(crate) home: Option<(u64, u64)>,
}

/// Walks all folders of a request. Call on a blocking thread.
pub(crate) fn scan(
    context: &Context,
    request: ScanRequest,
    runtime: Handle,
) -> Result<Scanned, ErrorCode> {
    let folders = request.folders.clone();
    let mut scanner = Scanner {
        context,
        runtime,
        chunker: Chunker::new(context.current().gear_seed()),
        data: PackBuilder::new(PackKind::Data),
        tree: PackBuilder::new(PackKind::Tree),
        pending: Pending::default(),
        problems: Problems::default(),
        owners: Owners::default(),
        zeros: None,
        request,
    };
    let mut snapshots = Vec::with_capacity(folders.len());
    for folder in &folders {
        match scanner.folder(folder) {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(Stop::Folder(found)) => scanner.problems.push(found),
            Err(Stop::Job(code)) => return Err(code),
        }
    }
    if snapshots.is_empty() {
        return Err(ErrorCode::Unreadable);
    }
    scanner.seal(PackKind::Data)?;
    scanner.seal(PackKind::Tree)?;
    Ok(Scanned {
        snapshots,
        problems: scanner.problems,
    })
}

/// Why a folder could not be finished.
enum Stop {
    /// This folder cannot be walked; the others go on.
    Folder(Problem),
    /// Nothing can go on.
    Job(ErrorCode),
}

impl From<ErrorCode> for Stop {
    fn from(code: ErrorCode) -> Self {
        Self::Job(code)
    }
}

struct Scanner<'a> {
    context: &'a Context,
    request: ScanRequest,
    runtime: Handle,
    chunker: Chunker,
    data: PackBuilder,
    tree: PackBuilder,
    pending: Pending,
    problems: Problems,
    /// Whom the things in the folder under way belong to.
    owners: Owners,
    /// The longest chunk of zeros, once it lies in a pack.
    zeros: Option<ChunkId>,
}

/// A folder on the way down.
struct Level {
    meta: Meta,
    writer: TreeWriter,
    pages: Vec<ChunkId>,
}

/// What one version amounts to so far.
#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    problems: u64,
}

impl Scanner<'_> {
    fn folder(&mut self, folder: &FolderRecord) -> Result<SnapshotRecord, Stop> {
        let taken_at = wall_clock();
        self.owners = Owners::default();
        let walk = self.walk(folder)?;
        let mut cache = FileCache::new(&self.context.catalogue, folder.folder);
        let mut tally = Tally::default();
        let mut levels: Vec<Level> = Vec::new();
        let mut finished = None;
        for event in walk {
            if self.request.counters.is_cancelled() {
                return Err(Stop::Job(ErrorCode::Cancelled));
            }
            match event {
                WalkEvent::Enter { path, meta } => {
                    cache.enter(path.as_bytes()).map_err(Stop::Job)?;
                    levels.push(Level {
                        meta,
                        writer: TreeWriter::new(),
                        pages: Vec::new(),
                    });
                }
                WalkEvent::File(seen) => {
                    let entry = self.file(&seen, folder, &mut cache, &mut tally)?;
                    self.add(&mut levels, entry)?;
                }
                WalkEvent::Other { path, meta, node } => {
                    self.add(
                        &mut levels,
                        Some(Entry {
                            name: path.name().to_vec(),
                            meta,
                            node,
                        }),
                    )?;
                }
                WalkEvent::Leave { path, .. } => {
                    cache.leave().map_err(Stop::Job)?;
                    finished = self.leave(&mut levels, path.name())?.or(finished);
                }
                WalkEvent::Problem(found) => {
                    tally.problems += 1;
                    self.problems.push(found);
                }
            }
        }
        cache.finish().map_err(Stop::Job)?;
        let Some((root_meta, pages)) = finished else {
            return Err(unreadable(folder, "it could not be walked to its end"));
        };
        Ok(SnapshotRecord {
            snapshot: SnapshotId(bitdust_crypto::random()),
            folder: folder.folder,
            path: folder.path.clone(),
            device: self.context.device,
            taken_at,
            root: root_meta,
            pages,
            files: tally.files,
            bytes: tally.bytes,
            problems: tally.problems,
        })
    }

    fn walk(&self, folder: &FolderRecord) -> Result<Walk, Stop> {
        let root = Path::new(std::ffi::OsStr::from_bytes(&folder.path));
        let mut excludes =
            Excludes::new(&folder.excludes).map_err(|error| unreadable(folder, error))?;
        if let Some((device, inode)) = self.request.home {
            excludes = excludes.without_place(device, inode);
        }
        let options = WalkOptions {
            crosses_mounts: folder.crosses_mounts,
        };
        Walk::with_options(root, &excludes, options).map_err(|error| unreadable(folder, error))
    }

    /// Ends the folder the walk is in: an entry of the one above, or, for the outermost, its
    /// metadata and pages.
    fn leave(
        &mut self,
        levels: &mut Vec<Level>,
        name: &[u8],
    ) -> Result<Option<(Meta, Vec<ChunkId>)>, Stop> {
        let Some(level) = levels.pop() else {
            return Err(Stop::Job(ErrorCode::Internal));
        };
        if levels.is_empty() {
            return Ok(Some(self.outermost_page(level)?));
        }
        let (meta, pages) = self.last_page(level)?;
        let name = name.to_vec();
        let node = Node::Directory { pages };
        self.add(levels, Some(Entry { name, meta, node }))?;
        Ok(None)
    }

    /// Adds an entry to the folder the walk is in; pages that are full are stored.
    fn add(&mut self, levels: &mut [Level], entry: Option<Entry>) -> Result<(), Stop> {
        let (Some(level), Some(entry)) = (levels.last_mut(), entry) else {
            return Ok(());
        };
        self.owners.add(&entry.meta);
        let Ok(page) = level.writer.push(&entry) else {
            let name = entry.name;
            self.problems.push(problem(
                &name,
                ErrorCode::Malformed,
                "it has more metadata than can be kept",
            ));
            return Ok(());
        };
        if let Some(page) = page {
            let id = self.store(PackKind::Tree, &page)?;
            level.pages.push(id);
        }
        Ok(())
    }

    /// Ends the listing of the outermost folder, which names the owners of all.
    fn outermost_page(&mut self, level: Level) -> Result<(Meta, Vec<ChunkId>), Stop> {
        let mut owners = std::mem::take(&mut self.owners);
        owners.add(&level.meta);
        let names = owners.names(&Accounts::of_system());
        let page = level.writer.finish_outermost(&names);
        let mut pages = level.pages;
        pages.push(self.store(PackKind::Tree, &page)?);
        Ok((level.meta, pages))
    }

    /// Ends a folder's listing.
    fn last_page(&mut self, level: Level) -> Result<(Meta, Vec<ChunkId>), Stop> {
        let mut pages = level.pages;
        if let Some(page) = level.writer.finish() {
            pages.push(self.store(PackKind::Tree, &page)?);
        }
        Ok((level.meta, pages))
    }

    fn file(
        &mut self,
        seen: &FileSeen,
        folder: &FolderRecord,
        cache: &mut FileCache<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Entry>, Stop> {
        self.request.counters.saw_file(seen.stamp.size_bytes);
        let name = seen.path.name();
        let group_of = |stamp: &Stamp| {
            let group = stamp.inode ^ stamp.device.rotate_left(40);
            seen.has_other_names.then_some(group)
        };
        if let Some(chunks) = cache.unchanged(name, &seen.stamp)? {
            cache.keep(name);
            let node = Node::File {
                size: seen.stamp.size_bytes,
                content: self.content(&chunks)?,
                link_group: group_of(&seen.stamp),
                is_sparse: seen.is_sparse,
            };
            self.request.counters.did_file(seen.stamp.size_bytes);
            tally.files += 1;
            tally.bytes += seen.stamp.size_bytes;
            return Ok(Some(Entry {
                name: name.to_vec(),
                meta: seen.meta.clone(),
                node,
            }));
        }
        self.request
            .counters
            .works_on(seen.path.as_bytes(), seen.stamp.size_bytes);
        let Some(read) = self.read(seen, folder, tally)? else {
            return Ok(None);
        };
        self.request.counters.did_file(0);
        tally.files += 1;
        tally.bytes += read.stamp.size_bytes;
        let node = Node::File {
            size: read.bytes,
            content: self.content(&read.chunks)?,
            link_group: group_of(&read.stamp),
            is_sparse: read.is_sparse,
        };
        if read.is_whole && read.stamp.is_settled(seconds(wall_clock())) {
            cache.remember(
                name,
                Remembered {
                    stamp: read.stamp,
                    chunks: read.chunks,
                },
            );
        }
        Ok(Some(Entry {
            name: name.to_vec(),
            meta: read.meta,
            node,
        }))
    }

    /// Reads a file, again when it changes meanwhile.
    fn read(
        &mut self,
        seen: &FileSeen,
        folder: &FolderRecord,
        tally: &mut Tally,
    ) -> Result<Option<FileRead>, Stop> {
        let path = seen.path.below(&folder.path);
        let mut expected = seen.stamp;
        for retake in 0..=limits::FILE_RETAKES_MAX {
            let counts = retake == 0;
            match self.read_once(seen, &path, &expected, counts) {
                Ok(read) if read.is_whole || retake == limits::FILE_RETAKES_MAX => {
                    if !read.is_whole {
                        tally.problems += 1;
                        self.problems.push(problem(
                            &path,
                            ErrorCode::Changed,
                            "it changed each time it was read; the stored copy may mix older and newer parts, \
                             the next backup takes it again",
                        ));
                    }
                    return Ok(Some(read));
                }
                Ok(read) => expected = read.stamp,
                Err(ReadStop::File(found)) => {
                    tally.problems += 1;
                    self.problems.push(found);
                    return Ok(None);
                }
                Err(ReadStop::Job(code)) => return Err(Stop::Job(code)),
            }
        }
        Ok(None)
    }

    fn read_once(
        &mut self,
        seen: &FileSeen,
        path: &[u8],
        expected: &Stamp,
        counts: bool,
    ) -> Result<FileRead, ReadStop> {
        let as_problem =
            |error: bitdust_source::FileError| ReadStop::File(error.into_problem(path.to_vec()));
        let mut reader = open_file(&seen.folder, seen.path.name(), expected).map_err(as_problem)?;
        let meta = reader.meta().map_err(as_problem)?;
        let opened = reader.stamp();
        let is_sparse = reader.is_sparse();
        let mut taken = Taken {
            path,
            counts,
            ids: Vec::new(),
            bytes: 0,
        };
        if is_sparse {
            self.take_stretches(&mut reader, &mut taken)?;
        } else {
            self.take_bytes(&mut reader, &mut taken)?;
        }
        let Taken { ids, bytes, .. } = taken;
        match reader.finish() {
            Ok(stamp) => Ok(FileRead {
                meta,
                stamp,
                bytes,
                chunks: ids,
                is_whole: true,
                is_sparse,
            }),
            Err(changed) => {
                debug!("A file changed while it was read");
                let stamp = changed.after.unwrap_or(opened);
                Ok(FileRead {
                    meta,
                    stamp,
                    bytes,
                    chunks: ids,
                    is_whole: false,
                    is_sparse,
                })
            }
        }
    }

    /// Takes a file with holes; long ones cost neither reading nor space.
    fn take_stretches(
        &mut self,
        reader: &mut FileReader,
        taken: &mut Taken<'_>,
    ) -> Result<(), ReadStop> {
        const ZEROS: u64 = limits::CHUNK_BYTES_MAX as u64;
        while let Some(next) = reader
            .next_stretch(ZEROS)
            .map_err(|error| taken.failed(&error))?
        {
            match next {
                Stretch::Bytes(bytes) => {
                    let before = taken.bytes;
                    self.take_bytes(reader.by_ref().take(bytes), taken)?;
                    if taken.bytes - before < bytes {
                        // It became shorter, as its reader will say.
                        return Ok(());
                    }
                }
                Stretch::Hole(bytes) => {
                    let zeros = match self.zeros {
                        Some(zeros) => zeros,
                        None => self
                            .store(PackKind::Data, &vec![0; limits::CHUNK_BYTES_MAX])
                            .map_err(ReadStop::Job)?,
                    };
                    self.zeros = Some(zeros);
                    let count = bytes / ZEROS;
                    taken.ids.extend((0..count).map(|_| zeros));
                    taken.bytes += count * ZEROS;
                    reader
                        .pass_hole(count * ZEROS)
                        .map_err(|error| taken.failed(&error))?;
                    if taken.counts {
                        self.request.counters.did_bytes(count * ZEROS);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_bytes(&mut self, reader: impl Read, taken: &mut Taken<'_>) -> Result<(), ReadStop> {
        let chunker = self.chunker.clone();
        for chunk in chunker.chunks(reader) {
            if self.request.counters.is_cancelled() {
                return Err(ReadStop::Job(ErrorCode::Cancelled));
            }
            let chunk = chunk.map_err(|error| taken.failed(&error))?;
            taken.bytes += chunk.len() as u64;
            let id = self.store(PackKind::Data, &chunk).map_err(ReadStop::Job)?;
            taken.ids.push(id);
            if taken.counts {
                self.request.counters.did_bytes(chunk.len() as u64);
            }
        }
        Ok(())
    }

    /// The chunk list of a file, in list chunks where it is long.
    fn content(&mut self, chunks: &[ChunkId]) -> Result<Content, Stop> {
        match content_of(chunks) {
            WholeContent::Inline(content) => Ok(content),
            WholeContent::Lists(pages) => {
                let mut lists = Vec::with_capacity(pages.len());
                for page in pages {
                    lists.push(self.store(PackKind::Tree, &page)?);
                }
                Ok(Content::Lists(lists))
            }
        }
    }

    /// Makes sure that a chunk lies, or will lie, in a pack.
    fn store(&mut self, kind: PackKind, raw: &[u8]) -> Result<ChunkId, ErrorCode> {
        let id = self.context.current().chunk_id(raw);
        if self.pending.contains(&id) || self.is_known(id)? {
            return Ok(id);
        }
        let builder = match kind {
            PackKind::Data => &mut self.data,
            PackKind::Tree | PackKind::Commit => &mut self.tree,
        };
        builder.push(id, raw);
        let is_full = builder.is_full();
        if kind == PackKind::Data {
            self.request.counters.new_chunk(raw.len() as u64);
        }
        self.pending.insert(id);
        if is_full {
            self.seal(kind)?;
        }
        Ok(id)
    }

    fn is_known(&self, id: ChunkId) -> Result<bool, ErrorCode> {
        self.context
            .catalogue
            .known_chunk(id)
            .map_err(|error| error.code())
    }

    /// Seals the pack being gathered, records it, and announces it once there is room.
    fn seal(&mut self, kind: PackKind) -> Result<(), ErrorCode> {
        let builder = match kind {
            PackKind::Data => &mut self.data,
            PackKind::Tree | PackKind::Commit => &mut self.tree,
        };
        if builder.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(builder, PackBuilder::new(kind));
        let flight = seal_pack(
            self.context,
            full,
            &self.request.set,
            &self.request.permits,
            &self.runtime,
        )?;
        if kind == PackKind::Data {
            self.request
                .counters
                .sealed_pack(u64::from(flight.record.pack.pack_bytes));
        }
        self.pending.sealed();
        let job = self.request.job;
        let sealed = Back::Sealed {
            job,
            flight: Box::new(flight),
        };
        self.context
            .back
            .blocking_send(sealed)
            .map_err(|_| ErrorCode::Cancelled)
    }
}

/// Seals a pack, cuts it into masked shards and records it; waits for room first. Call on a
/// blocking thread.
pub(crate) fn seal_pack(
    context: &Context,
    builder: PackBuilder,
    set: &SetFact,
    permits: &Arc<Semaphore>,
    runtime: &Handle,
) -> Result<Flight, ErrorCode> {
    let permit = runtime
        .block_on(permits.clone().acquire_owned())
        .map_err(|_| ErrorCode::Cancelled)?;
    let secrets = context.current();
    let sealed = builder.seal(secrets, bitdust_crypto::random());
    let kind = sealed.kind;
    let code = code_of(kind, set.code);
    let shards = make_shards(secrets, set.set, &sealed, code);
    let record = PackRecord {
        pack: PackRef {
            pack: sealed.pack,
            kind,
            epoch: sealed.epoch,
            set: set.set,
            k: code.k(),
            code_version: CodeVersion::Vandermonde1,
            pack_bytes: u32::try_from(sealed.bytes.len()).map_err(|_| ErrorCode::Internal)?,
            shards: shards.iter().map(|shard| shard.shard).collect(),
        },
        chunks: sealed.chunks,
    };
    context
        .catalogue
        .record_pack(record.clone())
        .map_err(|error| error.code())?;
    let shards = shards
        .into_iter()
        .map(|shard| Bytes::from(shard.bytes))
        .collect();
    Ok(Flight {
        record: Arc::new(record),
        shards,
        _place: permit,
    })
}

/// A folder that cannot be walked.
fn unreadable(folder: &FolderRecord, reason: impl std::fmt::Display) -> Stop {
    Stop::Folder(problem(
        &folder.path,
        ErrorCode::Unreadable,
        reason.to_string(),
    ))
}

struct FileRead {
    meta: Meta,
    stamp: Stamp,
    bytes: u64,
    chunks: Vec<ChunkId>,
    is_whole: bool,
    is_sparse: bool,
}

/// What was taken of a file so far.
struct Taken<'a> {
    path: &'a [u8],
    counts: bool,
    ids: Vec<ChunkId>,
    bytes: u64,
}

impl Taken<'_> {
    fn failed(&self, error: &std::io::Error) -> ReadStop {
        let detail = format!("reading it failed: {error}");
        ReadStop::File(problem(self.path, ErrorCode::Unreadable, detail))
    }
}

enum ReadStop {
    File(Problem),
    Job(ErrorCode),
}

fn seconds(at: UnixMillis) -> i64 {
    i64::try_from(at.0 / 1000).unwrap_or(i64::MAX)
}

/// Chunks packed by this walk that the catalogue does not know yet. Bounded: the oldest are
/// forgotten, which costs a second copy and never data.
#[derive(Default)]
struct Pending {
    all: HashSet<ChunkId>,
    packs: VecDeque<Vec<ChunkId>>,
    current: Vec<ChunkId>,
}

impl Pending {
    fn contains(&self, id: &ChunkId) -> bool {
        self.all.contains(id)
    }

    fn insert(&mut self, id: ChunkId) {
        if self.all.insert(id) {
            self.current.push(id);
        }
    }

    fn sealed(&mut self) {
        self.packs.push_back(std::mem::take(&mut self.current));
        while self.all.len() > limits::CHUNKS_PENDING_MAX {
            let Some(oldest) = self.packs.pop_front() else {
                return;
            };
            for id in oldest {
                self.all.remove(&id);
            }
        }
    }
}
