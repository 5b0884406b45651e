//! The writing half of a restore, on a blocking thread: read trees, fetch chunks, write files.
//!
//! Files are taken in windows that are bounded in bytes and number; within a window the
//! chunks of one pack are fetched together. What cannot be had is listed and the rest goes
//! on; a second run leaves what is finished alone.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::info;

use bitdust_engine::JobId;
use bitdust_model::manifest::{BlobRef, PackRef, SnapshotRecord};
use bitdust_model::status::Problems;
use bitdust_model::tree::{Content, Entry, Meta, Node};
use bitdust_model::{ChunkId, ErrorCode, PackId, limits};
use bitdust_source::{
    Conflict, FileStart, FileWanted, FileWriter, RelativePath, RestoreError, RestoreOptions,
    RestoreReport, RestoreTarget, Undone,
};

use crate::restore::reader::{Coming, Found, Reader};
use crate::shared::context::Context;
use crate::shared::job::{Counters, problem};

/// Where a restore writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Back where it was.
    Original,
    /// Into a folder of its own.
    Into(PathBuf),
}

/// What to bring back, and where to.
#[derive(Debug, Clone)]
pub(crate) struct RestoreRequest {
    /// The version.
    pub(crate) snapshot: SnapshotRecord,
    /// A path inside it; empty: all of it.
    pub(crate) path: Vec<u8>,
    /// Paths below that one; empty: all of it.
    pub(crate) only: Vec<Vec<u8>>,
    /// The folder that stands for `path`, or, where that is no folder, for the one it is in.
    pub(crate) to: PathBuf,
    /// Whether `to` is where it was.
    is_original: bool,
    /// What to do with files that are there and differ.
    pub(crate) conflict: Conflict,
}

impl RestoreRequest {
    /// A request with its place worked out.
    pub(crate) fn new(
        snapshot: SnapshotRecord,
        path: Vec<u8>,
        only: Vec<Vec<u8>>,
        place: Place,
        conflict: Conflict,
    ) -> Self {
        let is_original = place == Place::Original;
        let to = match place {
            Place::Into(folder) => folder,
            Place::Original => {
                let mut folder = PathBuf::from(std::ffi::OsStr::from_bytes(&snapshot.path));
                let below = path.split(|byte| *byte == b'/');
                folder.extend(below.map(std::ffi::OsStr::from_bytes));
                folder
            }
        };
        Self {
            snapshot,
            path,
            only,
            to,
            is_original,
            conflict,
        }
    }

    /// The folder to write into when `path` is not a folder itself.
    fn folder_of_file(&self) -> &Path {
        match self.to.parent() {
            Some(parent) if self.is_original => parent,
            Some(_) | None => &self.to,
        }
    }
}

/// Sealed bytes read ahead of pages when a whole folder is restored.
const FOLDER_READ_AHEAD: u32 = 1024 * 1024;
/// Plain bytes of one window. One is being fetched while the one before is being written.
const WINDOW_BYTES_MAX: u64 = 36 * 1024 * 1024;
/// Plain bytes from which on a window ends with its last pack, so that packs are seldom fetched
/// in two parts: more than one pack of data that does not compress, less than two.
const WINDOW_BYTES_ENOUGH: u64 = 24 * 1024 * 1024;
/// Files of one window.
const WINDOW_FILES_MAX: usize = 512;

/// Restores what a request names. Call on a blocking thread.
pub(crate) fn restore(
    context: &Context,
    job: JobId,
    request: &RestoreRequest,
    counters: &Arc<Counters>,
    runtime: Handle,
) -> Result<Problems, ErrorCode> {
    let read_ahead = if request.path.is_empty() && request.only.is_empty() {
        FOLDER_READ_AHEAD
    } else {
        0
    };
    let mut reader = Reader::new(context, runtime.clone(), job, read_ahead);
    let found = reader.find(&request.snapshot, &request.path)?;
    let options = RestoreOptions {
        conflict: request.conflict,
        ..RestoreOptions::default()
    };
    let place = match found {
        Found::Folder { .. } => request.to.as_path(),
        Found::Other(_) => request.folder_of_file(),
    };
    let target = RestoreTarget::open(place, options).map_err(|error| error.code())?;
    if matches!(found, Found::Folder { .. }) && request.only.is_empty() {
        reader = Reader::new(context, runtime, job, FOLDER_READ_AHEAD);
    }
    let mut writer = Writer {
        reader,
        target,
        counters,
        files: BTreeMap::new(),
        latest: 0,
        window: Window::default(),
        flight: None,
        further_names: Vec::new(),
        zeros: None,
        context,
    };
    match writer.all(request, found) {
        Ok(()) if counters.settle() => Ok(problems_of(writer.target.finish(), place)),
        // What was asked for may fail in other ways when the job is stopped.
        Ok(()) | Err(_) if counters.is_taken_back() => {
            writer.take_back();
            Err(ErrorCode::Cancelled)
        }
        // What is there stays, for a second run to go on from.
        Ok(()) => Err(ErrorCode::Cancelled),
        Err(code) => Err(code),
    }
}

/// What could not be restored, and owners that only root can give things back to.
fn problems_of(report: RestoreReport, place: &Path) -> Problems {
    let mut problems = report.problems;
    if report.owners_not_set > 0 {
        let detail = format!(
            "restored, but {} things belong to you and not to their former owners, and cannot run \
             as these: only root can give them back",
            report.owners_not_set
        );
        let path = place.as_os_str().as_bytes();
        problems.push(problem(path, ErrorCode::NotAllowed, detail));
    }
    problems
}

struct Writer<'a> {
    reader: Reader<'a>,
    target: RestoreTarget,
    counters: &'a Arc<Counters>,
    /// Files that are being written, by their numbers.
    files: BTreeMap<u64, OpenFile>,
    /// The number of the last file.
    latest: u64,
    /// What will be fetched next.
    window: Window,
    /// What is being fetched.
    flight: Option<Flight>,
    /// Names of files that are being written under another name.
    further_names: Vec<FurtherName>,
    /// The longest chunk of zeros by the secrets of each epoch, once it is asked for.
    zeros: Option<Vec<ChunkId>>,
    context: &'a Context,
}

/// A name that waits until the file it belongs to is in its place.
struct FurtherName {
    path: RelativePath,
    file: File,
}

/// What an entry says about a file.
struct File {
    size: u64,
    content: Content,
    link_group: Option<u64>,
    is_sparse: bool,
    meta: Meta,
}

/// Pieces of files that are fetched together.
#[derive(Default)]
struct Window {
    /// Where each chunk goes.
    takers: BTreeMap<ChunkId, Vec<(u64, u64)>>,
    /// The files it has pieces of, or all of where they have none.
    files: BTreeSet<u64>,
    bytes: u64,
    /// Where the last piece comes from.
    last_pack: Option<PackId>,
}

/// A window on its way.
struct Flight {
    window: Window,
    coming: Coming,
}

struct OpenFile {
    writer: FileWriter,
    meta: Meta,
    size: u64,
    failure: Option<ErrorCode>,
    /// Windows with this file that are not through.
    windows: u32,
    /// Whether more windows follow for this file.
    is_open_ended: bool,
    is_sparse: bool,
}

/// A folder on the way down: its path and the pages not read yet, the next one last.
struct Level {
    path: RelativePath,
    pages: Vec<ChunkId>,
    entries: std::vec::IntoIter<Entry>,
}

impl Writer<'_> {
    /// All that was asked for.
    fn all(&mut self, request: &RestoreRequest, found: Found) -> Result<(), ErrorCode> {
        let root = RelativePath::root();
        self.name_owners(request)?;
        match found {
            Found::Folder { meta, pages } if request.only.is_empty() => {
                self.folder(&root, &meta, &pages)?;
            }
            Found::Folder { meta: _, pages: _ } => {
                for path in &request.only {
                    self.chosen(request, path)?;
                }
            }
            Found::Other(entry) => self.entry(&root, entry)?,
        }
        self.finish_names()?;
        self.target.flush();
        Ok(())
    }

    /// Owners are found by their names, where the version has them.
    fn name_owners(&mut self, request: &RestoreRequest) -> Result<(), ErrorCode> {
        match self.reader.owners(&request.snapshot) {
            Ok(names) => self.target.name_owners(&names),
            Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
            Err(code) => {
                let detail = "names of owners cannot be had; owners are set by their numbers";
                self.target
                    .add_problem(&RelativePath::root(), code, detail.to_owned());
            }
        }
        Ok(())
    }

    /// Somebody stopped it: what it made goes again.
    fn take_back(self) {
        let Self { target, files, .. } = self;
        // Files under way go by themselves.
        drop(files);
        let Undone { removed, stayed } = target.undo();
        info!(removed, stayed, "A restore was taken back");
    }

    /// One thing that was chosen, by its path below the request's; what lacks of the folders
    /// above it is made.
    fn chosen(&mut self, request: &RestoreRequest, path: &[u8]) -> Result<(), ErrorCode> {
        let mut place = RelativePath::root();
        let mut parent = place.clone();
        for name in path
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
        {
            parent = place.clone();
            match place.join(name) {
                Ok(below) => place = below,
                Err(error) => {
                    self.target
                        .add_problem(&parent, ErrorCode::BadPath, error.to_string());
                    return Ok(());
                }
            }
        }
        let mut whole = request.path.clone();
        whole.push(b'/');
        whole.extend_from_slice(path);
        match self.reader.find(&request.snapshot, &whole) {
            Ok(Found::Folder { meta, pages }) => self.folder(&place, &meta, &pages),
            Ok(Found::Other(entry)) => self.entry(&parent, entry),
            Err(ErrorCode::Cancelled) => Err(ErrorCode::Cancelled),
            Err(code) => {
                let detail = format!(
                    "it is not restored: {}",
                    crate::shared::words::failure(code)
                );
                self.target.add_problem(&place, code, detail);
                Ok(())
            }
        }
    }

    fn folder(
        &mut self,
        path: &RelativePath,
        meta: &Meta,
        pages: &[ChunkId],
    ) -> Result<(), ErrorCode> {
        let mut levels = Vec::new();
        self.enter(&mut levels, path.clone(), meta, pages);
        while let Some(level) = levels.last_mut() {
            if self.counters.is_cancelled() {
                return Err(ErrorCode::Cancelled);
            }
            if let Some(entry) = level.entries.next() {
                let parent = level.path.clone();
                match entry.node {
                    Node::Directory { pages } => match parent.join(&entry.name) {
                        Ok(path) => self.enter(&mut levels, path, &entry.meta, &pages),
                        Err(error) => {
                            self.target
                                .add_problem(&parent, ErrorCode::BadPath, error.to_string())
                        }
                    },
                    Node::File { .. }
                    | Node::Symlink { .. }
                    | Node::Fifo
                    | Node::Socket
                    | Node::Device { .. } => {
                        self.entry(&parent, entry)?;
                    }
                }
                continue;
            }
            let Some(page) = level.pages.pop() else {
                levels.pop();
                continue;
            };
            match self.reader.page(page) {
                Ok(entries) => level.entries = entries.into_iter(),
                Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
                Err(code) => {
                    let detail =
                        "a part of this folder's list cannot be had; what it names is not restored";
                    self.target
                        .add_problem(&level.path, code, detail.to_owned());
                }
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        levels: &mut Vec<Level>,
        path: RelativePath,
        meta: &Meta,
        pages: &[ChunkId],
    ) {
        // Whatever came of it is in the report.
        let _placed = self.target.create_folder(&path, meta);
        let pages = pages.iter().rev().copied().collect();
        levels.push(Level {
            path,
            pages,
            entries: Vec::new().into_iter(),
        });
    }

    fn entry(&mut self, parent: &RelativePath, entry: Entry) -> Result<(), ErrorCode> {
        let path = match parent.join(&entry.name) {
            Ok(path) => path,
            Err(error) => {
                self.target
                    .add_problem(parent, ErrorCode::BadPath, error.to_string());
                return Ok(());
            }
        };
        match entry.node {
            Node::File {
                size,
                content,
                link_group,
                is_sparse,
            } => {
                self.counters.saw_file(size);
                let file = File {
                    size,
                    content,
                    link_group,
                    is_sparse,
                    meta: entry.meta,
                };
                self.file(path, file)?;
                if self.further_names.len() >= WINDOW_FILES_MAX {
                    self.settle()?;
                    self.try_names_again()?;
                }
                Ok(())
            }
            node @ (Node::Symlink { .. } | Node::Fifo | Node::Socket | Node::Device { .. }) => {
                let _placed = self.target.create_other(&path, &node, &entry.meta);
                Ok(())
            }
            Node::Directory { .. } => Err(ErrorCode::Internal),
        }
    }

    fn file(&mut self, path: RelativePath, file: File) -> Result<(), ErrorCode> {
        let File {
            size,
            content,
            link_group,
            is_sparse,
            meta,
        } = &file;
        let (size, is_sparse) = (*size, *is_sparse);
        self.counters.works_on(path.as_bytes(), size);
        let wanted = FileWanted {
            size,
            meta,
            is_sparse,
            link_group: *link_group,
        };
        let mut start = self.target.begin_file(&path, wanted);
        if let FileStart::Compare(_) = start {
            // The options ask for no comparison of contents; treat it as different.
            start = self.target.rewrite_file(&path, size);
        }
        match start {
            FileStart::Write(writer) => {
                let file = OpenFile {
                    writer,
                    meta: meta.clone(),
                    size,
                    failure: None,
                    windows: 0,
                    is_open_ended: true,
                    is_sparse,
                };
                self.latest += 1;
                self.files.insert(self.latest, file);
                self.touch_latest();
            }
            FileStart::Later => {
                self.further_names.push(FurtherName { path, file });
                return Ok(());
            }
            FileStart::Kept | FileStart::Linked | FileStart::Failed | FileStart::Compare(_) => {
                self.counters.did_file(size);
                return Ok(());
            }
        }
        let mut offset = 0;
        match content {
            Content::Chunks(ids) => self.add_pieces(ids, &mut offset)?,
            Content::Lists(lists) => {
                for list in lists {
                    match self.reader.chunk_list(*list) {
                        Ok(ids) => self.add_pieces(&ids, &mut offset)?,
                        Err(code) => self.fail_last(code),
                    }
                }
            }
        }
        if let Some(file) = self.latest_file() {
            file.is_open_ended = false;
        }
        if self.window.is_full() {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Asks again for the names that waited: most become links now; where the first name of a
    /// file failed, the next one is written in its stead.
    fn try_names_again(&mut self) -> Result<(), ErrorCode> {
        self.target.flush();
        for FurtherName { path, file } in std::mem::take(&mut self.further_names) {
            self.file(path, file)?;
        }
        Ok(())
    }

    /// Ends the files under way and the names that wait for them. With no file under way at
    /// least one name of each group is dealt with in each round, so this ends.
    fn finish_names(&mut self) -> Result<(), ErrorCode> {
        self.settle()?;
        while !self.further_names.is_empty() {
            self.try_names_again()?;
            self.settle()?;
        }
        Ok(())
    }

    fn latest_file(&mut self) -> Option<&mut OpenFile> {
        self.files.get_mut(&self.latest)
    }

    /// The window has to do with the last file.
    fn touch_latest(&mut self) {
        let is_new = self.window.files.insert(self.latest);
        if let Some(file) = self.latest_file() {
            file.windows += u32::from(is_new);
        }
    }

    /// Adds chunks of the last file to the window; flushes it on the way when it is full.
    fn add_pieces(&mut self, ids: &[ChunkId], offset: &mut u64) -> Result<(), ErrorCode> {
        let is_sparse = self.latest_file().is_some_and(|file| file.is_sparse);
        for part in ids.chunks(limits::ENTRY_CHUNKS_INLINE_MAX) {
            if is_sparse && self.leave_holes(part, offset) {
                continue;
            }
            let places = self.reader.places(part)?;
            for (id, place) in part.iter().zip(places) {
                let Some(place) = place else {
                    self.fail_last(ErrorCode::NotFound);
                    continue;
                };
                let bytes = u64::from(place.blob.record.raw_bytes);
                let pack = Some(place.pack.pack);
                if self.window.bytes >= WINDOW_BYTES_ENOUGH && self.window.last_pack != pack {
                    self.flush()?;
                }
                self.window.last_pack = pack;
                self.touch_latest();
                let takers = self.window.takers.entry(*id).or_default();
                takers.push((self.latest, *offset));
                *offset += bytes;
                self.window.bytes += bytes;
                if self.window.bytes >= WINDOW_BYTES_MAX {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Leaves holes where all of these are chunks of zeros, without fetching any.
    fn leave_holes(&mut self, ids: &[ChunkId], offset: &mut u64) -> bool {
        let zeros = self.zeros.get_or_insert_with(|| {
            let epochs = self.context.secrets.epochs.iter();
            let zeros = vec![0; limits::CHUNK_BYTES_MAX];
            epochs.map(|epoch| epoch.chunk_id(&zeros)).collect()
        });
        if !ids.iter().all(|id| zeros.contains(id)) {
            return false;
        }
        let length = (ids.len() * limits::CHUNK_BYTES_MAX) as u64;
        if let Some(file) = self.latest_file()
            && let Err(error) = file.writer.leave_hole(*offset, length)
        {
            file.failure.get_or_insert(error.code());
        }
        self.counters.did_bytes(length);
        *offset += length;
        true
    }

    fn fail_last(&mut self, code: ErrorCode) {
        if let Some(file) = self.latest_file() {
            file.failure.get_or_insert(code);
        }
    }

    /// Lets the window be fetched; meanwhile what came of the one before is written.
    fn flush(&mut self) -> Result<(), ErrorCode> {
        let packs = self.window_packs()?;
        let coming = self.reader.begin_fetch(packs);
        let window = std::mem::take(&mut self.window);
        let before = self.flight.replace(Flight { window, coming });
        self.land(before)
    }

    /// The same until nothing is under way.
    fn settle(&mut self) -> Result<(), ErrorCode> {
        self.flush()?;
        let last = self.flight.take();
        self.land(last)
    }

    /// Writes a window as it comes and finishes its files.
    fn land(&mut self, flight: Option<Flight>) -> Result<(), ErrorCode> {
        let Some(Flight { window, mut coming }) = flight else {
            return Ok(());
        };
        while let Some(came) = coming.next() {
            if self.counters.is_cancelled() {
                return Err(ErrorCode::Cancelled);
            }
            let takers = |blob: &BlobRef| window.takers.get(&blob.record.chunk);
            let blobs = &came.blobs;
            match &came.chunks {
                Ok(chunks) => {
                    for (blob, bytes) in blobs.iter().zip(chunks.iter()) {
                        for (number, offset) in takers(blob).into_iter().flatten() {
                            self.counters.did_bytes(bytes.len() as u64);
                            if let Some(file) = self.files.get_mut(number) {
                                file.write(*offset, bytes);
                            }
                        }
                    }
                }
                Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
                Err(code) => {
                    for (number, _) in blobs.iter().filter_map(takers).flatten() {
                        if let Some(file) = self.files.get_mut(number) {
                            file.failure.get_or_insert(*code);
                        }
                    }
                }
            }
        }
        if self.counters.is_cancelled() {
            return Err(ErrorCode::Cancelled);
        }
        for number in window.files {
            self.finish_file(number);
        }
        Ok(())
    }

    fn window_packs(&self) -> Result<BTreeMap<PackId, (PackRef, Vec<BlobRef>)>, ErrorCode> {
        let ids: Vec<ChunkId> = self.window.takers.keys().copied().collect();
        let mut packs: BTreeMap<PackId, (PackRef, Vec<BlobRef>)> = BTreeMap::new();
        for place in self.reader.places(&ids)?.into_iter().flatten() {
            packs
                .entry(place.pack.pack)
                .or_insert_with(|| (place.pack, Vec::new()))
                .1
                .push(place.blob);
        }
        for (_, blobs) in packs.values_mut() {
            blobs.sort_unstable_by_key(|blob| blob.offset);
        }
        Ok(packs)
    }

    /// A window with this file is through: it has all its bytes unless more windows follow.
    fn finish_file(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else {
            return;
        };
        file.windows = file.windows.saturating_sub(1);
        if file.windows > 0 || file.is_open_ended {
            return;
        }
        let Some(file) = self.files.remove(&number) else {
            return;
        };
        match file.failure {
            None => {
                let _placed = self.target.finish_file(file.writer, &file.meta);
            }
            Some(code) => {
                let path = file.writer.path().clone();
                drop(file.writer);
                let detail = format!(
                    "it is not restored, {} bytes: {}",
                    file.size,
                    crate::shared::words::failure(code)
                );
                self.target.add_problem(&path, code, detail);
            }
        }
        self.counters.did_file(0);
    }
}

impl Window {
    fn is_full(&self) -> bool {
        self.bytes >= WINDOW_BYTES_MAX || self.files.len() >= WINDOW_FILES_MAX
    }
}

impl OpenFile {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        if let Err(error) = self.writer.write_at(offset, bytes) {
            self.failure.get_or_insert(RestoreError::code(&error));
        }
    }
}
