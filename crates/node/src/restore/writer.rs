//! The writing half of a restore, on a blocking thread: read trees, fetch chunks, write files.
//!
//! Files are taken in windows that are bounded in bytes and number; within a window the
//! chunks of one pack are fetched together. What cannot be had is listed and the rest goes
//! on; a second run leaves what is finished alone.

mod window;
mod windows;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::info;

use bitdust_engine::JobId;
use bitdust_model::status::Problems;
use bitdust_model::tree::{Entry, Meta, Node};
use bitdust_model::{ChunkId, ErrorCode};
use bitdust_source::{RelativePath, RestoreOptions, RestoreReport, RestoreTarget, Undone};

use crate::restore::reader::{Reader, StoredItem};
use crate::restore::writer::window::{
    File, FurtherName, OpenFile, WINDOW_FILES_MAX, Window, WindowInFlight,
};
use crate::shared::context::Context;
use crate::shared::job::{Counters, problem};
use crate::shared::restore_request::RestoreRequest;

/// Sealed bytes read ahead of pages when a whole folder is restored.
const FOLDER_READ_AHEAD: u32 = 1024 * 1024;

/// Restores what a request names. Call on a blocking thread.
pub(crate) fn restore(
    context: &Context,
    job: JobId,
    request: &RestoreRequest,
    counters: &Arc<Counters>,
    runtime: Handle,
) -> Result<NotDone, ErrorCode> {
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
        StoredItem::Folder { .. } => request.to.as_path(),
        StoredItem::Entry(_) => request.folder_of_file(),
    };
    let target = RestoreTarget::open(place, options).map_err(|error| error.code())?;
    if matches!(found, StoredItem::Folder { .. }) && request.only.is_empty() {
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
        Ok(()) if counters.finish() => Ok(not_done(writer.target.finish(), place)),
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

/// What a restore could not do.
pub(super) struct NotDone {
    /// What could not be restored, and owners that only root can give things back to.
    pub(super) problems: Problems,
    /// Whether all contents and names are here.
    pub(super) is_whole: bool,
}

fn not_done(report: RestoreReport, place: &Path) -> NotDone {
    let mut problems = report.problems;
    let is_whole = problems.is_empty();
    if report.owners_not_set > 0 {
        let detail = format!(
            "restored, but {} things belong to you and not to their former owners, and cannot run \
             as these: only root can give them back",
            report.owners_not_set
        );
        let path = place.as_os_str().as_bytes();
        problems.push(problem(path, ErrorCode::NotAllowed, detail));
    }
    NotDone { problems, is_whole }
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
    flight: Option<WindowInFlight>,
    /// Names of files that are being written under another name.
    further_names: Vec<FurtherName>,
    /// The longest chunk of zeros by the secrets of each epoch, once it is asked for.
    zeros: Option<Vec<ChunkId>>,
    context: &'a Context,
}

/// A folder on the way down: its path and the pages not read yet, the next one last.
struct OpenFolder {
    path: RelativePath,
    pages: Vec<ChunkId>,
    entries: std::vec::IntoIter<Entry>,
}

impl Writer<'_> {
    /// All that was asked for.
    fn all(&mut self, request: &RestoreRequest, found: StoredItem) -> Result<(), ErrorCode> {
        let root = RelativePath::root();
        self.name_owners(request)?;
        match found {
            StoredItem::Folder { meta, pages } if request.only.is_empty() => {
                self.folder(&root, &meta, &pages)?;
            }
            StoredItem::Folder { meta: _, pages: _ } => {
                for path in &request.only {
                    self.chosen(request, path)?;
                }
            }
            StoredItem::Entry(entry) => self.entry(&root, entry)?,
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
            Ok(StoredItem::Folder { meta, pages }) => self.folder(&place, &meta, &pages),
            Ok(StoredItem::Entry(entry)) => self.entry(&parent, entry),
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
        levels: &mut Vec<OpenFolder>,
        path: RelativePath,
        meta: &Meta,
        pages: &[ChunkId],
    ) {
        // Whatever came of it is in the report.
        let _placed = self.target.create_folder(&path, meta);
        let pages = pages.iter().rev().copied().collect();
        levels.push(OpenFolder {
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
}
