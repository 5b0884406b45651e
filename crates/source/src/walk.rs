//! A folder as a stream of events, depth first, each folder's entries sorted by raw name.
//!
//! `Leave` comes where the folder's own name stands among its siblings, so a listing is
//! complete when it is left and pages are built bottom-up. Memory is bounded by the names of
//! the folders on the way down; at most `WALK_HANDLES_MAX` of these are held open. Nothing
//! is opened but folders; what cannot be read becomes a problem and the walk goes on.

mod event;
mod names;

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bitdust_model::status::Problem;
use bitdust_model::tree::{Meta, Node};
use bitdust_model::{ErrorCode, limits};
use rustix::fs::{FileType, OFlags, Stat, fstat, readlinkat};
use rustix::io::Errno;
use tracing::debug;

use crate::attributes::{AttributeReader, Bearer};
use crate::excludes::{CACHE_TAG_NAME, CACHE_TAG_SIGNATURE, DropReason, Dropped, Excludes};
use crate::failure::FileError;
use crate::folder::{
    FolderHandle, identity_of, is_kernel_view, is_sparse, kind_name, meta_of, open_quietly,
    stamp_of,
};
use crate::relative::RelativePath;
use crate::walk::names::Names;

pub use crate::walk::event::{FileSeen, Tally, WalkEvent, WalkOptions};

/// A walk under way; an iterator of [`WalkEvent`].
#[derive(Debug)]
pub struct Walk {
    root_path: Vec<u8>,
    root: FolderHandle,
    root_device: u64,
    excludes: Excludes,
    options: WalkOptions,
    frames: Vec<Frame>,
    events: VecDeque<WalkEvent>,
    attributes: AttributeReader,
    tally: Tally,
    dropped: Dropped,
}

/// A folder on the way down.
#[derive(Debug)]
struct Frame {
    path: RelativePath,
    handle: Option<FolderHandle>,
    identity: (u64, u64),
    names: Names,
    is_complete: bool,
}

impl Walk {
    /// Starts at a folder; `root` itself may be a symbolic link to it.
    pub fn new(root: &Path, excludes: &Excludes) -> Result<Self, FileError> {
        Self::with_options(root, excludes, WalkOptions::default())
    }

    /// Starts at a folder, with options.
    pub fn with_options(
        root: &Path,
        excludes: &Excludes,
        options: WalkOptions,
    ) -> Result<Self, FileError> {
        let handle = FolderHandle::open(root)?;
        let stat = handle
            .stat()
            .map_err(|errno| FileError::of("reading the folder", errno))?;
        let mut walk = Self {
            root_path: root.as_os_str().as_bytes().to_vec(),
            root: handle.clone(),
            root_device: stat.st_dev,
            excludes: excludes.clone(),
            options,
            frames: Vec::new(),
            events: VecDeque::new(),
            attributes: AttributeReader::default(),
            tally: Tally::default(),
            dropped: Dropped::default(),
        };
        let (names, failure) = Names::read(&handle);
        walk.push_folder(RelativePath::root(), handle, &stat, names, failure);
        walk.check_attributes_can_be_read();
        Ok(walk)
    }

    /// The folder the walk started in.
    #[must_use]
    pub const fn root(&self) -> &FolderHandle {
        &self.root
    }

    /// What was seen so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// What was left out so far, and why.
    #[must_use]
    pub const fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    /// Attributes are read by paths through `/proc`, flags by a newer call: without these they
    /// would lack silently.
    fn check_attributes_can_be_read(&mut self) {
        let probe = FolderHandle::open(Path::new("/proc/self/fd"));
        if let Err(error) = probe {
            let problem = Problem {
                path: self.root_path.clone(),
                code: error.code(),
                detail: format!(
                    "extended attributes of files are left out, as /proc cannot be used: {error}"
                ),
            };
            self.events.push_back(WalkEvent::Problem(problem));
        }
        if let Err(errno @ Errno::NOSYS) = Bearer::Open(self.root.as_fd()).statx() {
            let problem = Problem {
                path: self.root_path.clone(),
                code: ErrorCode::Unreadable,
                detail: format!("flags of files (immutable, append-only) are left out: {errno}"),
            };
            self.events.push_back(WalkEvent::Problem(problem));
        }
    }

    /// Looks at the next name of the folder it is in.
    fn visit(&mut self, name: &[u8]) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let Some(folder) = frame.handle.clone() else {
            return;
        };
        let path = match frame.path.join(name) {
            Ok(path) => path,
            Err(error) => {
                let mut shown = frame.path.below(&self.root_path);
                shown.push(b'/');
                shown.extend_from_slice(name);
                return self.report_incomplete(shown, error.into());
            }
        };
        let stat = match folder.stat_of(name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                self.tally.vanished += 1;
                return;
            }
            Err(errno) => {
                let shown = path.below(&self.root_path);
                return self.report_incomplete(shown, FileError::of("looking at it", errno));
            }
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if let Some(reason) = self.excludes.matched(&path, kind == FileType::Directory) {
            return self.dropped.push(path, reason);
        }
        match kind {
            FileType::Directory => self.enter(&folder, path, &stat),
            FileType::RegularFile => self.see_file(folder, path, &stat),
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => self.see_other(&folder, path, &stat, kind),
        }
    }

    fn see_file(&mut self, folder: FolderHandle, path: RelativePath, stat: &Stat) {
        let stamp = stamp_of(stat);
        self.tally.files += 1;
        self.tally.file_bytes = self.tally.file_bytes.saturating_add(stamp.size_bytes);
        self.events.push_back(WalkEvent::File(FileSeen {
            path,
            stamp,
            has_other_names: stat.st_nlink > 1,
            is_sparse: is_sparse(stat),
            folder,
        }));
    }

    fn see_other(
        &mut self,
        folder: &FolderHandle,
        path: RelativePath,
        stat: &Stat,
        kind: FileType,
    ) {
        let node = match kind {
            FileType::Symlink => match readlinkat(folder, path.name(), Vec::new()) {
                Ok(target) if target.as_bytes().len() <= limits::LINK_BYTES_MAX => {
                    Ok(Node::Symlink {
                        target: target.into_bytes(),
                    })
                }
                Ok(_) => Err(FileError::TooMany {
                    what: "bytes of link target",
                    max: limits::LINK_BYTES_MAX,
                }),
                Err(errno) => Err(FileError::of("reading the link", errno)),
            },
            FileType::Fifo => Ok(Node::Fifo),
            FileType::Socket => Ok(Node::Socket),
            FileType::CharacterDevice => Ok(Node::Device {
                block: false,
                rdev: stat.st_rdev,
            }),
            FileType::BlockDevice => Ok(Node::Device {
                block: true,
                rdev: stat.st_rdev,
            }),
            FileType::RegularFile | FileType::Directory | FileType::Unknown => {
                Err(FileError::OtherKind {
                    wanted: "a thing that can be backed up",
                    found: kind_name(stat),
                })
            }
        };
        match node {
            Ok(node) => {
                let meta = self.meta_of_named(folder, &path, stat);
                self.tally.others += 1;
                self.events.push_back(WalkEvent::Other { path, meta, node });
            }
            Err(FileError::Vanished) => self.tally.vanished += 1,
            Err(error) => self.report_incomplete(path.below(&self.root_path), error),
        }
    }

    /// Goes down into a folder, or says why not.
    fn enter(&mut self, parent: &FolderHandle, path: RelativePath, seen: &Stat) {
        let handle = match parent.child(path.name()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => {
                self.tally.vanished += 1;
                return;
            }
            Err(errno) => {
                let meta = self.meta_of_named(parent, &path, seen);
                let problem = FileError::of("opening the folder", errno)
                    .into_problem(path.below(&self.root_path));
                return self.pass_folder(path, meta, Some(problem));
            }
        };
        // What was opened counts, not what was seen before: it may have been exchanged.
        let stat = match handle.stat() {
            Ok(stat) => stat,
            Err(errno) => {
                let shown = path.below(&self.root_path);
                return self.report_incomplete(shown, FileError::of("reading the folder", errno));
            }
        };
        let identity = identity_of(&stat);
        if self.excludes.has_place(identity.0, identity.1) {
            return self.dropped.push(path, DropReason::Place);
        }
        if let Some(reason) = self.reason_not_to_cross(&handle, &stat) {
            let meta = meta_of(&stat);
            self.dropped.push(path.clone(), reason);
            return self.pass_folder(path, meta, None);
        }
        if self.frames.iter().any(|frame| frame.identity == identity) {
            let error = FileError::OtherKind {
                wanted: "a folder below",
                found: "a folder above it again",
            };
            let shown = path.below(&self.root_path);
            return self.report_incomplete(shown, error);
        }
        let (names, failure) = Names::read(&handle);
        if self.excludes.honours_cache_tags()
            && names.contains(CACHE_TAG_NAME)
            && has_cache_tag(&handle)
        {
            return self.dropped.push(path, DropReason::CacheTag);
        }
        self.push_folder(path, handle, &stat, names, failure);
    }

    fn push_folder(
        &mut self,
        path: RelativePath,
        handle: FolderHandle,
        stat: &Stat,
        names: Names,
        failure: Option<FileError>,
    ) {
        let shown = || path.below(&self.root_path);
        let mut meta = meta_of(stat);
        let attributes = self.attributes.read(&Bearer::Open(handle.as_fd()));
        let mut problems: Vec<Problem> = Vec::new();
        match attributes {
            Ok(attributes) => meta.xattrs = attributes,
            Err(error) => problems.push(error.into_problem(shown())),
        }
        let is_complete = failure.is_none();
        problems.extend(failure.map(|error| error.into_problem(shown())));

        self.tally.folders += 1;
        self.events.push_back(WalkEvent::Enter {
            path: path.clone(),
            meta,
        });
        self.events
            .extend(problems.into_iter().map(WalkEvent::Problem));
        self.frames.push(Frame {
            path,
            handle: Some(handle),
            identity: identity_of(stat),
            names,
            is_complete,
        });
        if let Some(index) = self.frames.len().checked_sub(limits::WALK_HANDLES_MAX + 1) {
            self.frames[index].handle = None;
        }
    }

    /// A folder that is recorded but not gone into.
    fn pass_folder(&mut self, path: RelativePath, meta: Meta, problem: Option<Problem>) {
        let is_complete = problem.is_none();
        self.tally.folders += 1;
        self.events.push_back(WalkEvent::Enter {
            path: path.clone(),
            meta,
        });
        self.events.extend(problem.map(WalkEvent::Problem));
        self.events
            .push_back(WalkEvent::Leave { path, is_complete });
    }

    /// Goes up again, and opens the folder above if it was closed on the way down.
    fn leave(&mut self) {
        let Some(child) = self.frames.pop() else {
            return;
        };
        let found = match self.frames.last() {
            Some(parent) if parent.handle.is_none() => {
                Some(self.find_again(parent, child.handle.as_ref()))
            }
            Some(_) | None => None,
        };
        self.events.push_back(WalkEvent::Leave {
            path: child.path,
            is_complete: child.is_complete,
        });
        let Some(parent) = self.frames.last_mut() else {
            let dropped = self.dropped.count();
            debug!(
                folders = self.tally.folders,
                files = self.tally.files,
                dropped,
                "Walked a folder"
            );
            return;
        };
        match found {
            None => {}
            Some(Ok(handle)) => parent.handle = Some(handle),
            Some(Err(error)) => {
                parent.names.skip_rest();
                let shown = parent.path.below(&self.root_path);
                self.report_incomplete(shown, error);
            }
        }
    }

    fn find_again(
        &self,
        parent: &Frame,
        child: Option<&FolderHandle>,
    ) -> Result<FolderHandle, FileError> {
        let is_it = |folder: &FolderHandle| {
            folder
                .stat()
                .is_ok_and(|stat| identity_of(&stat) == parent.identity)
        };
        if let Some(Ok(above)) = child.map(FolderHandle::above)
            && is_it(&above)
        {
            return Ok(above);
        }
        let folder = self.root.descend(&parent.path)?;
        if !is_it(&folder) {
            return Err(FileError::Vanished);
        }
        Ok(folder)
    }

    fn reason_not_to_cross(&self, handle: &FolderHandle, stat: &Stat) -> Option<DropReason> {
        if stat.st_dev == self.root_device {
            return None;
        }
        if !self.options.crosses_mounts {
            return Some(DropReason::OtherFileSystem);
        }
        is_kernel_view(handle).then_some(DropReason::KernelView)
    }

    fn meta_of_named(&mut self, folder: &FolderHandle, path: &RelativePath, stat: &Stat) -> Meta {
        let mut meta = meta_of(stat);
        match self.attributes.read(&Bearer::named(folder, path.name())) {
            Ok(attributes) => meta.xattrs = attributes,
            // It is gone; whoever opens it will be told.
            Err(FileError::Vanished) => {}
            Err(error) => {
                let problem = error.into_problem(path.below(&self.root_path));
                self.events.push_back(WalkEvent::Problem(problem));
            }
        }
        meta
    }

    /// Something of the folder the walk is in was not seen.
    fn report_incomplete(&mut self, shown: Vec<u8>, error: FileError) {
        if let Some(frame) = self.frames.last_mut() {
            frame.is_complete = false;
        }
        self.events
            .push_back(WalkEvent::Problem(error.into_problem(shown)));
    }
}

impl Iterator for Walk {
    type Item = WalkEvent;

    fn next(&mut self) -> Option<WalkEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            match self.frames.last_mut()?.names.next() {
                Some(name) => self.visit(&name),
                None => self.leave(),
            }
        }
    }
}

/// Whether the tag in a folder is a real one. A tag that cannot be read excludes nothing.
fn has_cache_tag(folder: &FolderHandle) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(tag) = open_quietly(folder, CACHE_TAG_NAME, flags) else {
        return false;
    };
    let is_file = fstat(&tag)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    let mut start = [0; CACHE_TAG_SIGNATURE.len()];
    is_file
        && std::os::unix::fs::FileExt::read_exact_at(&std::fs::File::from(tag), &mut start, 0)
            .is_ok()
        && start == *CACHE_TAG_SIGNATURE
}
