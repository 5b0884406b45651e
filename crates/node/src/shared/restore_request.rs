//! What a restore is to bring back, and where to.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::status::Problems;
use bitdust_source::Conflict;

/// Where a restore writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Back where it was.
    Original,
    /// Into a folder of its own.
    Into(PathBuf),
}

/// What came of a restore.
#[derive(Debug)]
pub(crate) struct Written {
    /// What could not be restored.
    pub(crate) problems: Problems,
    /// The path of a folder that waited to be restored and is here again.
    pub(crate) back: Option<Vec<u8>>,
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
        place: Destination,
        conflict: Conflict,
    ) -> Self {
        let is_original = place == Destination::Original;
        let to = match place {
            Destination::Into(folder) => folder,
            Destination::Original => {
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

    /// Whether it brings a whole folder back to where it was.
    pub(crate) fn brings_folder_back(&self) -> bool {
        let origin = Path::new(std::ffi::OsStr::from_bytes(&self.snapshot.path));
        self.path.is_empty() && self.only.is_empty() && self.to == origin
    }

    /// The folder to write into when `path` is not a folder itself.
    pub(crate) fn folder_of_file(&self) -> &Path {
        match self.to.parent() {
            Some(parent) if self.is_original => parent,
            Some(_) | None => &self.to,
        }
    }
}
