//! What the catalogue remembers of a folder's files, one directory at a time.
//!
//! A remembered file is believed only when its stamp is unchanged and every chunk of it lies
//! in a committed pack; so the cache can be written at any moment and lost at any moment.

use std::collections::BTreeMap;

use bitdust_model::codec::Versioned;
use bitdust_model::tree::Meta;
use bitdust_model::{ChunkId, ErrorCode, FolderId, decode, limits, try_encode};
use bitdust_source::Stamp;
use bitdust_store::Catalogue;
use bitdust_store::catalogue::CachedFile;
use serde::{Deserialize, Serialize};
use tracing::debug;

/// Rows written in one transaction.
const BATCH_ROWS: usize = 1_000;
/// Chunks that are looked up at one moment.
const LOOKUP_CHUNKS: usize = 4_096;

/// What is kept of a file.
#[derive(Debug, Clone)]
pub(crate) struct KnownFile {
    /// Its stamp when it was read.
    pub(crate) stamp: Stamp,
    /// Its metadata then, attributes included: whatever changes them changes the stamp.
    pub(crate) meta: Meta,
    /// Its chunks in order.
    pub(crate) chunks: Vec<ChunkId>,
}

/// The same in a row, but for the stamp.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    chunks: Vec<ChunkId>,
    meta: Meta,
}

impl Versioned for Row {
    const KIND: &'static str = "cached file";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::CACHED_ENTRY_BYTES_MAX;
}

/// The cache of one folder during one walk.
pub(crate) struct FileCache<'a> {
    catalogue: &'a Catalogue,
    folder: FolderId,
    levels: Vec<Listing>,
    batch: Vec<(Vec<u8>, CachedFile)>,
    gone: Vec<Vec<u8>>,
}

struct Listing {
    path: Vec<u8>,
    /// What was remembered and not met yet; nothing in it where it cannot be relied on.
    files: BTreeMap<Vec<u8>, Option<KnownFile>>,
    /// Whether all of the folder's files are there.
    is_complete: bool,
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
        let is_complete = rows.len() < limits::CACHED_FILES_PAGE_MAX;
        let (names, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let files = names.into_iter().zip(self.relied_on(&rows)?).collect();
        self.levels.push(Listing {
            path: path.to_vec(),
            files,
            is_complete,
        });
        Ok(())
    }

    /// What each row tells, if every chunk of it lies in a committed pack.
    fn relied_on(&self, rows: &[CachedFile]) -> Result<Vec<Option<KnownFile>>, ErrorCode> {
        let mut files: Vec<Option<KnownFile>> = rows.iter().map(read).collect();
        let mut start = 0;
        while start < files.len() {
            let mut chunks = Vec::new();
            let mut end = start;
            while end < files.len() && (chunks.len() < LOOKUP_CHUNKS) {
                chunks.extend(files[end].iter().flat_map(|file| &file.chunks).copied());
                end += 1;
            }
            let known = self.catalogue.known_chunks(&chunks);
            let mut known = known.map_err(|error| error.code())?.into_iter();
            for file in &mut files[start..end] {
                let count = file.as_ref().map_or(0, |file| file.chunks.len());
                let all_known = known
                    .by_ref()
                    .take(count)
                    .filter(|is_known| !is_known)
                    .count()
                    == 0;
                if !all_known {
                    *file = None;
                }
            }
            start = end;
        }
        Ok(files)
    }

    /// The walk goes up again.
    pub(crate) fn leave(&mut self) -> Result<(), ErrorCode> {
        if let Some(level) = self.levels.pop() {
            self.gone
                .extend(level.files.keys().map(|name| join(&level.path, name)));
        }
        self.flush_when(BATCH_ROWS)
    }

    /// What is remembered of a file that is unchanged, if it can be relied on; its row stays.
    pub(crate) fn unchanged(
        &mut self,
        name: &[u8],
        stamp: &Stamp,
    ) -> Result<Option<KnownFile>, ErrorCode> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(None);
        };
        let found = match level.files.get_mut(name) {
            Some(file) => file.take_if(|file| stamp.is_unchanged_since(&file.stamp)),
            None if level.is_complete => None,
            None => {
                let path = join(&level.path, name);
                let row = self.catalogue.cached_file(self.folder, &path);
                let row = row.map_err(|error| error.code())?;
                let mut files = self.relied_on(row.as_slice())?;
                files
                    .pop()
                    .flatten()
                    .filter(|file| stamp.is_unchanged_since(&file.stamp))
            }
        };
        if found.is_some()
            && let Some(level) = self.levels.last_mut()
        {
            level.files.remove(name);
        }
        Ok(found)
    }

    /// A file was read whole: its chunks are known by this stamp from now on. Files with very
    /// many chunks are read again each time.
    pub(crate) fn remember(&mut self, name: &[u8], file: KnownFile) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        level.files.remove(name);
        if file.chunks.len() > limits::CACHED_CHUNKS_MAX {
            return;
        }
        let row = Row {
            chunks: file.chunks,
            meta: file.meta,
        };
        let Ok(entry) = try_encode(&row) else {
            return;
        };
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
        let remembered = self.catalogue.remember_files(self.folder, batch);
        let forgotten = remembered.and_then(|()| self.catalogue.forget_files(self.folder, gone));
        match forgotten.map_err(|error| error.code()) {
            Err(ErrorCode::DiskFull) => {
                // The next walk reads these files again.
                debug!("The catalogue has no room to remember files");
                Ok(())
            }
            done => done,
        }
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        name.to_vec()
    } else {
        [folder, b"/", name].concat()
    }
}

/// What a row tells; nothing if another program wrote it.
fn read(cached: &CachedFile) -> Option<KnownFile> {
    let Row { chunks, meta } = decode(&cached.entry).ok()?;
    Some(KnownFile {
        stamp: stamp_of(cached),
        meta,
        chunks,
    })
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
