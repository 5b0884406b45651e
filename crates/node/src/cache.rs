//! What the catalogue remembers of a folder's files, one directory at a time.
//!
//! A remembered file is believed only when its stamp is unchanged and every chunk of it lies
//! in a committed pack; so the cache can be written at any moment and lost at any moment.

use std::collections::BTreeMap;

use bitdust_model::tree::ChunkList;
use bitdust_model::{ChunkId, ErrorCode, FolderId, decode, encode, limits};
use bitdust_source::Stamp;
use bitdust_store::Catalogue;
use bitdust_store::catalogue::CachedFile;

/// Rows written in one transaction.
const BATCH_ROWS: usize = 1_000;

/// What is kept of a file.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    /// Its stamp when it was read.
    pub(crate) stamp: Stamp,
    /// Its chunks in order.
    pub(crate) chunks: Vec<ChunkId>,
}

/// The cache of one folder during one walk.
pub(crate) struct FileCache<'a> {
    catalogue: &'a Catalogue,
    folder: FolderId,
    levels: Vec<Level>,
    batch: Vec<(Vec<u8>, CachedFile)>,
    gone: Vec<Vec<u8>>,
}

struct Level {
    path: Vec<u8>,
    files: BTreeMap<Vec<u8>, CachedFile>,
}

impl<'a> FileCache<'a> {
    /// Begins a walk; rows of files that are gone are forgotten on the way.
    pub(crate) const fn new(catalogue: &'a Catalogue, folder: FolderId) -> Self {
        Self {
            catalogue,
            folder,
            levels: Vec::new(),
            batch: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// The walk goes down into a directory.
    pub(crate) fn enter(&mut self, path: &[u8]) -> Result<(), ErrorCode> {
        let rows = self
            .catalogue
            .cached_files_under(self.folder, path)
            .map_err(|error| error.code())?;
        self.levels.push(Level {
            path: path.to_vec(),
            files: rows.into_iter().collect(),
        });
        Ok(())
    }

    /// The walk goes up again.
    pub(crate) fn leave(&mut self) -> Result<(), ErrorCode> {
        if let Some(level) = self.levels.pop() {
            self.gone
                .extend(level.files.keys().map(|name| join(&level.path, name)));
        }
        self.flush_when(BATCH_ROWS)
    }

    /// The remembered chunks of a file that is unchanged, if they can be relied on.
    pub(crate) fn unchanged(
        &self,
        name: &[u8],
        stamp: &Stamp,
    ) -> Result<Option<Vec<ChunkId>>, ErrorCode> {
        let Some(cached) = self.levels.last().and_then(|level| level.files.get(name)) else {
            return Ok(None);
        };
        if !stamp.is_unchanged_since(&stamp_of(cached)) {
            return Ok(None);
        }
        let Ok(ChunkList { chunks }) = decode(&cached.entry) else {
            return Ok(None);
        };
        let known = self
            .catalogue
            .known_chunks(&chunks)
            .map_err(|error| error.code())?;
        Ok(known.into_iter().all(|known| known).then_some(chunks))
    }

    /// The file was met and its row is right: it stays.
    pub(crate) fn keep(&mut self, name: &[u8]) {
        if let Some(level) = self.levels.last_mut() {
            level.files.remove(name);
        }
    }

    /// A file was read whole: its chunks are known by this stamp from now on. Files with very
    /// many chunks are read again each time.
    pub(crate) fn remember(&mut self, name: &[u8], file: Remembered) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        level.files.remove(name);
        if file.chunks.len() > limits::CACHED_CHUNKS_MAX {
            return;
        }
        let entry = encode(&ChunkList {
            chunks: file.chunks,
        });
        let cached = CachedFile {
            size: file.stamp.size_bytes,
            mtime_s: file.stamp.mtime_seconds,
            mtime_ns: file.stamp.mtime_nanos,
            ctime_s: file.stamp.ctime_seconds,
            ctime_ns: file.stamp.ctime_nanos,
            inode: file.stamp.inode,
            device: file.stamp.device,
            entry,
        };
        self.batch.push((join(&level.path, name), cached));
    }

    /// The walk is over: writes the rest.
    pub(crate) fn finish(mut self) -> Result<(), ErrorCode> {
        self.flush_when(1)
    }

    fn flush_when(&mut self, rows: usize) -> Result<(), ErrorCode> {
        if self.batch.len() + self.gone.len() < rows {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let gone = std::mem::take(&mut self.gone);
        self.catalogue
            .remember_files(self.folder, batch)
            .map_err(|error| error.code())?;
        self.catalogue
            .forget_files(self.folder, gone)
            .map_err(|error| error.code())
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        name.to_vec()
    } else {
        [folder, b"/", name].concat()
    }
}

const fn stamp_of(cached: &CachedFile) -> Stamp {
    Stamp {
        size_bytes: cached.size,
        mtime_seconds: cached.mtime_s,
        mtime_nanos: cached.mtime_ns,
        ctime_seconds: cached.ctime_s,
        ctime_nanos: cached.ctime_ns,
        inode: cached.inode,
        device: cached.device,
    }
}
