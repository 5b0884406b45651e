//! Reads chunks, trees and versions back from the network, on a blocking thread.
//!
//! Every chunk comes through a fetch that the engine directs. Pages are read ahead within
//! their pack, since neighbours in a tree are neighbours in a pack; what is read ahead is
//! bounded and dropped first.
//!
//! Invariant: of what is fetched ahead, `FETCHES_AHEAD_MAX` parts of at most `FETCH_BYTES_MAX` are
//! on their way or wait to be taken, in the order in which they were asked for.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use bitdust_engine::JobId;
use bitdust_model::manifest::{BlobRef, PackRef, SnapshotRecord};
use bitdust_model::tree::{Content, Entry, Meta, Node, OwnerNames};
use bitdust_model::{ChunkId, ErrorCode, PackId, limits};
use bitdust_pipeline::content::read_list;
use bitdust_pipeline::tree::read_page;

use crate::shared::context::Context;
use crate::shared::fetch_request::Plain;
use crate::shared::fetching::fetch_chunks;

/// Plain bytes that are fetched at once: most packs that were not compressed, as a whole. Those
/// of others come in several parts, because what is plain takes the memory.
const FETCH_BYTES_MAX: u64 = (limits::PACK_BYTES_TARGET + 2 * limits::MIB) as u64;

/// Plain bytes of pages kept for their neighbours.
const AHEAD_BYTES_MAX: usize = 32 * limits::MIB;

/// Where a chunk lies.
#[derive(Debug, Clone)]
pub(crate) struct ChunkPlace {
    pub(crate) pack: PackRef,
    /// The chunk in it.
    pub(crate) blob: BlobRef,
}

/// Reads what versions are made of.
pub(crate) struct Reader<'a> {
    context: &'a Context,
    runtime: Handle,
    job: JobId,
    /// Sealed bytes behind a wanted page that are fetched with it.
    read_ahead: u32,
    ahead: HashMap<ChunkId, Vec<u8>>,
    ahead_order: VecDeque<ChunkId>,
    ahead_bytes: usize,
    /// One for each pack that may be fetched ahead.
    turns: Arc<Semaphore>,
    /// Resolves once the last fetch that was begun has a turn for all its packs.
    begun: Option<oneshot::Receiver<()>>,
}

/// The chunks of some packs on their way.
pub(crate) struct PartStream {
    coming: mpsc::Receiver<FetchedPart>,
}

impl PartStream {
    /// The next chunks, all of one pack, or why they cannot be had; nothing once all are
    /// through. Call on a blocking thread.
    pub(crate) fn next(&mut self) -> Option<FetchedPart> {
        self.coming.blocking_recv()
    }
}

/// What came of a part of a pack; another one is fetched when it goes.
pub(crate) struct FetchedPart {
    /// What was asked for.
    pub(crate) blobs: Vec<BlobRef>,
    /// The chunks in that order, or why they cannot be had.
    pub(crate) chunks: Result<Plain, ErrorCode>,
    _turn: OwnedSemaphorePermit,
}

/// What a path leads to.
pub(crate) enum StoredItem {
    /// The folder of the version, or one inside it.
    Folder {
        /// Its metadata.
        meta: Meta,
        pages: Vec<ChunkId>,
    },
    /// Anything else.
    Entry(Entry),
}

impl<'a> Reader<'a> {
    /// A reader for one job; `read_ahead` bytes are fetched behind each page.
    pub(crate) fn new(context: &'a Context, runtime: Handle, job: JobId, read_ahead: u32) -> Self {
        Self {
            context,
            runtime,
            job,
            read_ahead,
            ahead: HashMap::new(),
            ahead_order: VecDeque::new(),
            ahead_bytes: 0,
            turns: Arc::new(Semaphore::new(limits::FETCHES_AHEAD_MAX)),
            begun: None,
        }
    }

    /// The entries of one page.
    pub(crate) fn page(&mut self, id: ChunkId) -> Result<Vec<Entry>, ErrorCode> {
        let bytes = self.metadata(id)?;
        Ok(read_page(&bytes).map_err(|_| ErrorCode::Corrupt)?.entries)
    }

    /// The names of the owners in a version.
    pub(crate) fn owners(&mut self, snapshot: &SnapshotRecord) -> Result<OwnerNames, ErrorCode> {
        let Some(last) = snapshot.pages.last() else {
            return Ok(OwnerNames::default());
        };
        let bytes = self.metadata(*last)?;
        Ok(read_page(&bytes).map_err(|_| ErrorCode::Corrupt)?.owners)
    }

    /// The chunk ids of one list of a big file.
    pub(crate) fn chunk_list(&mut self, id: ChunkId) -> Result<Vec<ChunkId>, ErrorCode> {
        let bytes = self.metadata(id)?;
        Ok(read_list(&bytes).map_err(|_| ErrorCode::Corrupt)?.chunks)
    }

    /// All chunk ids of a file; for files of moderate size.
    pub(crate) fn chunks_of(&mut self, content: &Content) -> Result<Vec<ChunkId>, ErrorCode> {
        match content {
            Content::Chunks(ids) => Ok(ids.clone()),
            Content::Lists(lists) => {
                let mut ids = Vec::new();
                for list in lists {
                    ids.extend(self.chunk_list(*list)?);
                }
                Ok(ids)
            }
        }
    }

    /// Follows a path from a version's root.
    pub(crate) fn find(
        &mut self,
        snapshot: &SnapshotRecord,
        path: &[u8],
    ) -> Result<StoredItem, ErrorCode> {
        let mut meta = snapshot.root.clone();
        let mut pages = snapshot.pages.clone();
        let mut names = path
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
            .peekable();
        while let Some(name) = names.next() {
            let entry = self.entry(&pages, name)?.ok_or(ErrorCode::NotFound)?;
            match entry.node {
                Node::Directory { pages: inner } => {
                    meta = entry.meta;
                    pages = inner;
                }
                Node::File { .. }
                | Node::Symlink { .. }
                | Node::Fifo
                | Node::Socket
                | Node::Device { .. } => {
                    return if names.peek().is_none() {
                        Ok(StoredItem::Entry(entry))
                    } else {
                        Err(ErrorCode::NotFound)
                    };
                }
            }
        }
        Ok(StoredItem::Folder { meta, pages })
    }

    fn entry(&mut self, pages: &[ChunkId], name: &[u8]) -> Result<Option<Entry>, ErrorCode> {
        for page in pages {
            let mut entries = self.page(*page)?;
            let is_behind = entries
                .last()
                .is_some_and(|last| last.name.as_slice() < name);
            if is_behind {
                continue;
            }
            let index = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name));
            return Ok(index.ok().map(|index| entries.swap_remove(index)));
        }
        Ok(None)
    }

    /// Where chunks lie; `None` for those that the catalogue does not know.
    pub(crate) fn places(&self, ids: &[ChunkId]) -> Result<Vec<Option<ChunkPlace>>, ErrorCode> {
        let located = self
            .context
            .catalogue
            .locate_many(ids)
            .map_err(|error| error.code())?;
        let place = |blob: BlobRef| {
            Some(ChunkPlace {
                pack: located.packs.get(&blob.pack)?.clone(),
                blob,
            })
        };
        Ok(located
            .blobs
            .iter()
            .map(|blob| blob.and_then(place))
            .collect())
    }

    /// Begins to fetch chunks of several packs, a few packs at a time and after those of
    /// fetches begun before; what came is taken while other things are done.
    pub(crate) fn begin_fetch(
        &mut self,
        wanted: BTreeMap<PackId, (PackRef, Vec<BlobRef>)>,
    ) -> PartStream {
        let (sender, coming) = mpsc::channel(limits::FETCHES_AHEAD_MAX);
        let (all_begun, begun) = oneshot::channel();
        let before = self.begun.replace(begun);
        let (context, job, turns) = (self.context.clone(), self.job, self.turns.clone());
        self.runtime.spawn(async move {
            if let Some(before) = before {
                // Nobody sends: it ends with its sender.
                drop(before.await);
            }
            let parts = wanted.into_values().flat_map(|(pack, blobs)| {
                parts(blobs)
                    .into_iter()
                    .map(move |part| (pack.clone(), part))
            });
            for (pack, blobs) in parts {
                let Ok(turn) = turns.clone().acquire_owned().await else {
                    return;
                };
                if sender.is_closed() {
                    return;
                }
                let (context, sender) = (context.clone(), sender.clone());
                tokio::spawn(async move {
                    let chunks = fetch_chunks(&context, job, pack, blobs.clone()).await;
                    let came = FetchedPart {
                        blobs,
                        chunks,
                        _turn: turn,
                    };
                    // Whoever no longer takes it has no use for it.
                    drop(sender.send(came).await);
                });
            }
            drop(all_begun);
        });
        PartStream { coming }
    }

    fn metadata(&mut self, id: ChunkId) -> Result<Vec<u8>, ErrorCode> {
        if let Some(bytes) = self.ahead.get(&id) {
            return Ok(bytes.clone());
        }
        let place = self
            .places(&[id])?
            .pop()
            .flatten()
            .ok_or(ErrorCode::NotFound)?;
        let blobs = self.with_neighbours(&place)?;
        let chunks = self.runtime.block_on(fetch_chunks(
            self.context,
            self.job,
            place.pack,
            blobs.clone(),
        ))?;
        let mut wanted = None;
        for (blob, bytes) in blobs.iter().zip(chunks.iter()) {
            if blob.record.chunk == id {
                wanted = Some(bytes.to_vec());
            }
            self.keep(blob.record.chunk, bytes);
        }
        wanted.ok_or(ErrorCode::Internal)
    }

    /// The chunk and those right behind it in the pack.
    fn with_neighbours(&self, place: &ChunkPlace) -> Result<Vec<BlobRef>, ErrorCode> {
        if self.read_ahead == 0 {
            return Ok(vec![place.blob]);
        }
        let end = place.blob.offset.saturating_add(self.read_ahead);
        let record = self
            .context
            .catalogue
            .pack_record(place.pack.pack)
            .map_err(|error| error.code())?;
        let Some(record) = record else {
            return Ok(vec![place.blob]);
        };
        let all = bitdust_pipeline::pack::blob_refs(place.pack.pack, &record.chunks);
        let near = all
            .into_iter()
            .filter(|blob| blob.offset >= place.blob.offset && blob.offset < end);
        Ok(near.collect())
    }

    fn keep(&mut self, id: ChunkId, bytes: &[u8]) {
        if self.ahead.contains_key(&id) {
            return;
        }
        self.ahead_bytes += bytes.len();
        self.ahead.insert(id, bytes.to_vec());
        self.ahead_order.push_back(id);
        while self.ahead_bytes > AHEAD_BYTES_MAX {
            let Some(oldest) = self.ahead_order.pop_front() else {
                return;
            };
            if let Some(bytes) = self.ahead.remove(&oldest) {
                self.ahead_bytes -= bytes.len();
            }
        }
    }
}

/// Cuts the wanted chunks of a pack into parts that are fetched each by itself.
fn parts(blobs: Vec<BlobRef>) -> Vec<Vec<BlobRef>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut bytes = 0;
    for blob in blobs {
        let raw_bytes = u64::from(blob.record.raw_bytes);
        if !part.is_empty() && bytes + raw_bytes > FETCH_BYTES_MAX {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += raw_bytes;
        part.push(blob);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::ChunkRecord;

    use super::*;

    #[test]
    fn a_pack_that_was_compressed_comes_in_parts() {
        let half = u32::try_from(FETCH_BYTES_MAX / 2).expect("it fits");
        let lengths = [half, half, 1, half, half, half];
        let blobs: Vec<_> = (0..).zip(lengths).map(blob).collect();
        let cut = parts(blobs.clone());
        let counts: Vec<_> = cut.iter().map(Vec::len).collect();
        assert_eq!(counts, [2, 2, 2]);
        assert_eq!(cut.concat(), blobs);
        assert!(parts(Vec::new()).is_empty());
    }

    fn blob((counter, raw_bytes): (u32, u32)) -> BlobRef {
        BlobRef {
            pack: PackId([1; 32]),
            offset: counter * 100,
            counter,
            record: ChunkRecord {
                chunk: ChunkId([2; 32]),
                stored_bytes: 100,
                raw_bytes,
                compressed: true,
            },
        }
    }
}
