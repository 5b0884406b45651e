//! Reads chunks, trees and versions back from the network, on a blocking thread.
//!
//! Every chunk comes through a fetch that the engine directs. Pages are read ahead within
//! their pack, since neighbours in a tree are neighbours in a pack; what is read ahead is
//! bounded and dropped first.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::{self, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use bitdust_engine::{FetchId, JobId};
use bitdust_model::manifest::{BlobRef, PackRef, SnapshotRecord};
use bitdust_model::tree::{Content, Entry, Meta, Node, OwnerNames};
use bitdust_model::{ChunkId, ErrorCode, PackId, limits};
use bitdust_pipeline::content::read_list;
use bitdust_pipeline::tree::read_page;

use crate::back::Back;
use crate::context::Context;
use crate::fetch::{FetchRequest, Plain};

/// Numbers fetches of all jobs; far above what the loop numbers itself.
static NEXT_FETCH: AtomicU64 = AtomicU64::new(1 << 32);

/// Plain bytes of pages kept for their neighbours.
const AHEAD_BYTES_MAX: usize = 32 * limits::MIB;

/// Where a chunk lies.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The pack.
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
}

/// The chunks of some packs on their way.
pub(crate) struct Coming {
    coming: mpsc::Receiver<(Vec<BlobRef>, Result<Plain, ErrorCode>)>,
}

impl Coming {
    /// The next pack's chunks, or why they cannot be had; nothing once all are through. Call on
    /// a blocking thread.
    pub(crate) fn next(&mut self) -> Option<(Vec<BlobRef>, Result<Plain, ErrorCode>)> {
        self.coming.blocking_recv()
    }
}

/// What a path leads to.
pub(crate) enum Found {
    /// The folder of the version, or one inside it.
    Folder {
        /// Its metadata.
        meta: Meta,
        /// Its pages.
        pages: Vec<ChunkId>,
    },
    /// Anything else.
    Other(Entry),
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
    ) -> Result<Found, ErrorCode> {
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
                        Ok(Found::Other(entry))
                    } else {
                        Err(ErrorCode::NotFound)
                    };
                }
            }
        }
        Ok(Found::Folder { meta, pages })
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
    pub(crate) fn places(&self, ids: &[ChunkId]) -> Result<Vec<Option<Place>>, ErrorCode> {
        let located = self
            .context
            .catalogue
            .locate_many(ids)
            .map_err(|error| error.code())?;
        let place = |blob: BlobRef| {
            Some(Place {
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

    /// Begins to fetch chunks of several packs, a few packs at a time; what came is taken while
    /// other things are done.
    pub(crate) fn begin_fetch(&self, wanted: BTreeMap<PackId, (PackRef, Vec<BlobRef>)>) -> Coming {
        let (sender, coming) = mpsc::channel(limits::FETCHES_IN_FLIGHT_MAX);
        let (context, job) = (self.context.clone(), self.job);
        self.runtime.spawn(async move {
            let mut fetches = stream::iter(wanted.into_values())
                .map(|(pack, blobs)| async {
                    let result = fetch(&context, job, pack, blobs.clone()).await;
                    (blobs, result)
                })
                .buffer_unordered(limits::FETCHES_IN_FLIGHT_MAX);
            while let Some(came) = fetches.next().await {
                if sender.send(came).await.is_err() {
                    return;
                }
            }
        });
        Coming { coming }
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
        let chunks =
            self.runtime
                .block_on(fetch(self.context, self.job, place.pack, blobs.clone()))?;
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
    fn with_neighbours(&self, place: &Place) -> Result<Vec<BlobRef>, ErrorCode> {
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

/// Fetches chunks of one pack through the loop.
pub(crate) async fn fetch(
    context: &Context,
    job: JobId,
    pack: PackRef,
    blobs: Vec<BlobRef>,
) -> Result<Plain, ErrorCode> {
    let fetch = FetchId(NEXT_FETCH.fetch_add(1, Ordering::Relaxed));
    let (reply, result) = oneshot::channel();
    let request = FetchRequest {
        fetch,
        job,
        pack,
        blobs,
        reply,
    };
    context
        .back
        .send(Back::FetchWanted(Box::new(request)))
        .await
        .map_err(|_| ErrorCode::Cancelled)?;
    result.await.map_err(|_| ErrorCode::Cancelled)?
}
