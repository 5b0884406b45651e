//! What a window is made of: pieces of files, and the files they belong to.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::tree::{Content, Meta};
use bitdust_model::{ChunkId, ErrorCode, PackId};
use bitdust_source::{FileWriter, RelativePath, RestoreError};

use crate::restore::reader::PartStream;

/// Plain bytes of one window. One is being fetched while the one before is being written.
pub(super) const WINDOW_BYTES_MAX: u64 = 36 * 1024 * 1024;
/// Plain bytes from which on a window ends with its last pack, so that packs are seldom fetched
/// in two parts: more than one pack of data that does not compress, less than two.
pub(super) const WINDOW_BYTES_ENOUGH: u64 = 24 * 1024 * 1024;
/// Files of one window.
pub(super) const WINDOW_FILES_MAX: usize = 512;

/// Pieces of files that are fetched together.
#[derive(Default)]
pub(super) struct Window {
    /// Where each chunk goes.
    pub(super) takers: BTreeMap<ChunkId, Vec<(u64, u64)>>,
    /// The files it has pieces of, or all of where they have none.
    pub(super) files: BTreeSet<u64>,
    pub(super) bytes: u64,
    /// Where the last piece comes from.
    pub(super) last_pack: Option<PackId>,
}

/// A window on its way.
pub(super) struct WindowInFlight {
    pub(super) window: Window,
    pub(super) coming: PartStream,
}

pub(super) struct OpenFile {
    pub(super) writer: FileWriter,
    pub(super) meta: Meta,
    pub(super) size: u64,
    pub(super) failure: Option<ErrorCode>,
    /// Windows with this file that are not through.
    pub(super) windows: u32,
    /// Whether more windows follow for this file.
    pub(super) is_open_ended: bool,
    pub(super) is_sparse: bool,
}

impl Window {
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= WINDOW_BYTES_MAX || self.files.len() >= WINDOW_FILES_MAX
    }
}

impl OpenFile {
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        if let Err(error) = self.writer.write_at(offset, bytes) {
            self.failure.get_or_insert(RestoreError::code(&error));
        }
    }
}

/// A name that waits until the file it belongs to is in its place.
pub(super) struct FurtherName {
    pub(super) path: RelativePath,
    pub(super) file: File,
}

/// What an entry says about a file.
pub(super) struct File {
    pub(super) size: u64,
    pub(super) content: Content,
    pub(super) link_group: Option<u64>,
    pub(super) is_sparse: bool,
    pub(super) meta: Meta,
}
