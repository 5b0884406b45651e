//! The reading half of a backup, on a blocking thread: walk, cut, name; what is new goes to the
//! packer, on another.
//!
//! A file whose stamp is the one remembered, and whose chunks all lie in committed packs, is
//! not opened. A long one is read and cut on a third thread. Memory is bounded: three buffers of
//! the chunker, some megabytes crossing over, two packs being gathered, `PACKS_IN_FLIGHT_MAX`
//! being sent.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use std::os::unix::ffi::OsStrExt;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::debug;

use bitdust_engine::{JobId, SetFact};
use bitdust_model::manifest::{FolderRecord, PackKind, SnapshotRecord};
use bitdust_model::status::{Problem, Problems};
use bitdust_model::tree::{Content, Entry, Meta, Node};
use bitdust_model::{ChunkId, ErrorCode, SnapshotId, UnixMillis, limits};
use bitdust_pipeline::content::{WholeContent, content_of};
use bitdust_pipeline::tree::TreeWriter;
use bitdust_pipeline::{Chunker, Cutter};
use bitdust_source::{
    Accounts, Excludes, FileReader, FileSeen, Owners, Stamp, Stretch, Walk, WalkEvent, WalkOptions,
    open_file,
};

use crate::backup::file_cache::{FileCache, Remembered};
use crate::backup::packer::{PackRequest, Packing, packer};
use crate::shared::context::{Context, wall_clock};
use crate::shared::job::{Counters, problem};
use crate::shared::task_event::Scanned;

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
    let ScanRequest {
        job,
        folders,
        set,
        counters,
        permits,
        home,
    } = request;
    let packing = PackRequest {
        job,
        set,
        counters: counters.clone(),
        permits,
    };
    let (packing, packer) = packer(context, packing, runtime);
    std::thread::scope(|threads| {
        let packer = threads.spawn(|| packer.run());
        let scanner = Scanner {
            context,
            cutter: Cutter::new(Chunker::new(context.current().gear_seed())),
            packing,
            problems: Problems::default(),
            owners: Owners::default(),
            zeros: None,
            counters,
            home,
        };
        let scanned = scanner.scan(&folders);
        // What stopped the packer is why the walk could not go on.
        packer.join().map_err(|_| ErrorCode::Internal)??;
        scanned
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
    cutter: Cutter,
    packing: Packing<'a>,
    problems: Problems,
    /// Whom the things in the folder under way belong to.
    owners: Owners,
    /// The longest chunk of zeros, once it lies in a pack.
    zeros: Option<ChunkId>,
    counters: Arc<Counters>,
    home: Option<(u64, u64)>,
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
    fn scan(mut self, folders: &[FolderRecord]) -> Result<Scanned, ErrorCode> {
        let mut snapshots = Vec::with_capacity(folders.len());
        for folder in folders {
            match self.folder(folder) {
                Ok(snapshot) => snapshots.push(snapshot),
                Err(Stop::Folder(found)) => self.problems.push(found),
                Err(Stop::Job(code)) => return Err(code),
            }
        }
        if snapshots.is_empty() {
            return Err(ErrorCode::Unreadable);
        }
        self.packing.finish()?;
        Ok(Scanned {
            snapshots,
            problems: self.problems,
        })
    }

    fn folder(&mut self, folder: &FolderRecord) -> Result<SnapshotRecord, Stop> {
        let taken_at = wall_clock();
        self.owners = Owners::default();
        let walk = self.walk(folder)?;
        let mut cache = FileCache::new(&self.context.catalogue, folder.folder);
        let mut tally = Tally::default();
        let mut levels: Vec<Level> = Vec::new();
        let mut finished = None;
        for event in walk {
            if self.counters.is_cancelled() {
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
        if let Some((device, inode)) = self.home {
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
            let id = self.packing.store(PackKind::Tree, &page)?;
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
        pages.push(self.packing.store(PackKind::Tree, &page)?);
        Ok((level.meta, pages))
    }

    /// Ends a folder's listing.
    fn last_page(&mut self, level: Level) -> Result<(Meta, Vec<ChunkId>), Stop> {
        let mut pages = level.pages;
        if let Some(page) = level.writer.finish() {
            pages.push(self.packing.store(PackKind::Tree, &page)?);
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
        self.counters.saw_file(seen.stamp.size_bytes);
        let name = seen.path.name();
        let group_of = |stamp: &Stamp| {
            let group = stamp.inode ^ stamp.device.rotate_left(40);
            seen.has_other_names.then_some(group)
        };
        if let Some(Remembered { chunks, meta, .. }) = cache.unchanged(name, &seen.stamp)? {
            let node = Node::File {
                size: seen.stamp.size_bytes,
                content: self.content(&chunks)?,
                link_group: group_of(&seen.stamp),
                is_sparse: seen.is_sparse,
            };
            self.counters.did_file(seen.stamp.size_bytes);
            tally.files += 1;
            tally.bytes += seen.stamp.size_bytes;
            return Ok(Some(Entry {
                name: name.to_vec(),
                meta,
                node,
            }));
        }
        self.counters
            .works_on(seen.path.as_bytes(), seen.stamp.size_bytes);
        let Some(read) = self.read(seen, folder, tally)? else {
            return Ok(None);
        };
        self.counters.did_file(0);
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
                    meta: read.meta.clone(),
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
            let bytes = opened.size_bytes;
            self.take_bytes(&mut reader, bytes, &mut taken)?;
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
                    self.take_bytes(reader.by_ref().take(bytes), bytes, taken)?;
                    if taken.bytes - before < bytes {
                        // It became shorter, as its reader will say.
                        return Ok(());
                    }
                }
                Stretch::Hole(bytes) => {
                    let zeros = match self.zeros {
                        Some(zeros) => zeros,
                        None => self
                            .packing
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
                        self.counters.did_bytes(count * ZEROS);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what a reader gives, probably so many bytes.
    fn take_bytes(
        &mut self,
        reader: impl Read + Send,
        bytes: u64,
        taken: &mut Taken<'_>,
    ) -> Result<(), ReadStop> {
        let (packing, counters) = (&mut self.packing, &self.counters);
        let mut take = |chunk: std::io::Result<&[u8]>| {
            if counters.is_cancelled() {
                return Err(ReadStop::Job(ErrorCode::Cancelled));
            }
            let chunk = chunk.map_err(|error| taken.failed(&error))?;
            let id = packing
                .store(PackKind::Data, chunk)
                .map_err(ReadStop::Job)?;
            taken.ids.push(id);
            taken.bytes += chunk.len() as u64;
            if taken.counts {
                counters.did_bytes(chunk.len() as u64);
            }
            Ok(())
        };
        if bytes > limits::CHUNKER_BUFFER_BYTES as u64 {
            return self.cutter.cut_ahead(reader, take);
        }
        let mut chunks = self.cutter.chunks(reader);
        while let Some(chunk) = chunks.next_chunk().transpose() {
            take(chunk)?;
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
                    lists.push(self.packing.store(PackKind::Tree, &page)?);
                }
                Ok(Content::Lists(lists))
            }
        }
    }
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
