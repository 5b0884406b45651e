//! The packing half of a backup, on a thread of its own: what the walk finds new is compressed,
//! packed, sealed, coded, recorded and announced while the walk goes on.
//!
//! Chunks cross over in batches, because most files are small and waking a thread is dear. A
//! pack is recorded in the catalogue before anybody hears of it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use bitdust_engine::{JobId, SetFact, Wait};
use bitdust_model::ledger::AtHand;
use bitdust_model::manifest::{PackKind, PackRecord, PackRef};
use bitdust_model::{ChunkId, CodeVersion, ErrorCode, PositionMask, limits};
use bitdust_pipeline::PackBuilder;
use bitdust_pipeline::shard::{code_of, make_shards};

use crate::shared::buffers::{Buffers, Lent};
use crate::shared::context::Context;
use crate::shared::job::Counters;
use crate::shared::task_event::{PackInFlight, TaskEvent};

/// Bytes after which a batch crosses over, and chunks, whatever comes first.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_CHUNKS: usize = 512;

/// What a packer works with.
pub(crate) struct PackRequest {
    pub(crate) job: JobId,
    /// The set that packs go to.
    pub(crate) set: SetFact,
    /// Whose lists count as known.
    pub(crate) at_hand: AtHand,
    /// Where to count.
    pub(crate) counters: Arc<Counters>,
    /// Room for packs in flight.
    pub(crate) permits: Arc<Semaphore>,
}

/// The walk's end of a packer.
pub(crate) struct Packing<'a> {
    context: &'a Context,
    at_hand: AtHand,
    counters: Arc<Counters>,
    messages: SyncSender<PackerMessage>,
    emptied: Receiver<ChunkBatch>,
    batch: ChunkBatch,
    pending: Pending,
}

/// The packer's end.
pub(crate) struct Packer<'a> {
    context: &'a Context,
    request: PackRequest,
    runtime: Handle,
    messages: Receiver<PackerMessage>,
    empty: SyncSender<ChunkBatch>,
    data: PackBuilder,
    tree: PackBuilder,
}

/// What crosses over.
enum PackerMessage {
    /// New chunks.
    ChunkBatch(ChunkBatch),
    /// The walk came to its end: half packs are sealed too.
    End,
}

/// Chunks, one behind the other.
#[derive(Default)]
struct ChunkBatch {
    bytes: Vec<u8>,
    chunks: Vec<(PackKind, ChunkId, usize)>,
}

/// Both ends of a packer.
pub(crate) fn packer<'a>(
    context: &'a Context,
    request: PackRequest,
    runtime: Handle,
) -> (Packing<'a>, Packer<'a>) {
    let (messages, received) = sync_channel(limits::BATCHES_WAITING_MAX);
    let (empty, emptied) = sync_channel(limits::BATCHES_WAITING_MAX + 1);
    let buffers = &context.buffers;
    let packing = Packing {
        context,
        at_hand: request.at_hand,
        counters: request.counters.clone(),
        messages,
        emptied,
        batch: ChunkBatch::default(),
        pending: Pending::default(),
    };
    let packer = Packer {
        context,
        request,
        runtime,
        data: PackBuilder::in_buffer(PackKind::Data, buffers.take_long()),
        tree: PackBuilder::in_buffer(PackKind::Tree, buffers.take_long()),
        messages: received,
        empty,
    };
    (packing, packer)
}

impl Packing<'_> {
    /// Makes sure that a chunk lies, or will lie, in a pack.
    pub(crate) fn store(&mut self, kind: PackKind, raw: &[u8]) -> Result<ChunkId, ErrorCode> {
        let id = self.context.current().chunk_id(raw);
        if self.pending.contains(&id) || self.is_known(kind, id)? {
            return Ok(id);
        }
        if kind == PackKind::Data {
            self.counters.new_chunk(raw.len() as u64);
        }
        self.pending.insert(id);
        self.batch.bytes.extend_from_slice(raw);
        self.batch.chunks.push((kind, id, raw.len()));
        if self.batch.bytes.len() >= BATCH_BYTES || self.batch.chunks.len() >= BATCH_CHUNKS {
            self.hand_over()?;
        }
        Ok(id)
    }

    /// The walk came to its end.
    pub(crate) fn finish(mut self) -> Result<(), ErrorCode> {
        self.hand_over()?;
        self.messages
            .send(PackerMessage::End)
            .map_err(|_| ErrorCode::Cancelled)
    }

    /// Gives the batch to the packer. One that has ended says itself why.
    fn hand_over(&mut self) -> Result<(), ErrorCode> {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.batch, empty);
        self.messages
            .send(PackerMessage::ChunkBatch(full))
            .map_err(|_| ErrorCode::Cancelled)
    }

    /// A list that only those have who are away is not: nobody may be able to read what leads to it.
    fn is_known(&self, kind: PackKind, id: ChunkId) -> Result<bool, ErrorCode> {
        let catalogue = &self.context.catalogue;
        let known = match kind {
            PackKind::Data => catalogue.known_chunk(id),
            PackKind::Tree | PackKind::Commit => catalogue.list_at_hand(id, self.at_hand),
        };
        known.map_err(|error| error.code())
    }
}

impl Packer<'_> {
    /// Packs until the walk has ended. A walk that failed leaves its half packs behind.
    pub(crate) fn run(mut self) -> Result<(), ErrorCode> {
        while let Ok(message) = self.messages.recv() {
            let PackerMessage::ChunkBatch(mut batch) = message else {
                self.seal(PackKind::Data)?;
                return self.seal(PackKind::Tree);
            };
            self.pack(&batch)?;
            batch.bytes.clear();
            batch.chunks.clear();
            // A walk that has enough of them needs no more.
            drop(self.empty.try_send(batch));
        }
        Ok(())
    }

    fn pack(&mut self, batch: &ChunkBatch) -> Result<(), ErrorCode> {
        let mut rest = batch.bytes.as_slice();
        for &(kind, id, length) in &batch.chunks {
            let (raw, after) = rest.split_at(length);
            rest = after;
            let builder = self.builder(kind);
            builder.push(id, raw);
            if builder.is_full() {
                self.seal(kind)?;
            }
        }
        Ok(())
    }

    const fn builder(&mut self, kind: PackKind) -> &mut PackBuilder {
        match kind {
            PackKind::Data => &mut self.data,
            PackKind::Tree | PackKind::Commit => &mut self.tree,
        }
    }

    /// Seals the pack being gathered, records it, and announces it once there is room.
    fn seal(&mut self, kind: PackKind) -> Result<(), ErrorCode> {
        if self.builder(kind).is_empty() {
            return Ok(());
        }
        let next = PackBuilder::in_buffer(kind, self.context.buffers.take_long());
        let full = std::mem::replace(self.builder(kind), next);
        let PackRequest {
            job,
            set,
            counters,
            at_hand: _,
            permits,
        } = &self.request;
        let flight = seal_pack(self.context, full, set, permits, counters, &self.runtime)?;
        if kind == PackKind::Data {
            counters.sealed_pack(u64::from(flight.record.pack.pack_bytes));
        }
        let sealed = TaskEvent::Sealed {
            job: *job,
            flight: Box::new(flight),
        };
        self.context
            .task_events
            .blocking_send(sealed)
            .map_err(|_| ErrorCode::Cancelled)
    }
}

/// Seals a pack, cuts it into masked shards and records it; waits for room first. Call on a
/// blocking thread.
pub(crate) fn seal_pack(
    context: &Context,
    builder: PackBuilder,
    set: &SetFact,
    permits: &Arc<Semaphore>,
    counters: &Counters,
    runtime: &Handle,
) -> Result<PackInFlight, ErrorCode> {
    let permit = counters
        .waiting(Wait::Pack, || {
            runtime.block_on(permits.clone().acquire_owned())
        })
        .map_err(|_| ErrorCode::Cancelled)?;
    let secrets = context.current();
    let random = bitdust_crypto::random();
    let mut sealed = builder.seal(secrets, random);
    let (pack, kind, epoch) = (sealed.pack, sealed.kind, sealed.epoch);
    let pack_bytes = sealed.pack_bytes();
    let code = code_of(kind, set.code);
    let chunks = std::mem::take(&mut sealed.chunks);
    let shards = make_shards(secrets, set.set, sealed, code, context.buffers.take_long());
    let record = PackRecord {
        pack: PackRef {
            pack,
            kind,
            epoch,
            set: set.set,
            k: code.k(),
            code_version: CodeVersion::Vandermonde1,
            pack_bytes,
            shards: shards.ids,
        },
        random,
        confirmed: PositionMask::default(),
        chunks,
    };
    context.disk_space.write_for_job(counters, runtime, || {
        let recorded = context.catalogue.record_pack(record.clone());
        recorded.map_err(|error| error.code())
    })?;
    let whole = [shards.data, shards.parity];
    let shards = whole
        .into_iter()
        .flat_map(|buffer| cut(buffer, shards.shard_bytes, &context.buffers))
        .collect();
    Ok(PackInFlight {
        record: Arc::new(record),
        shards,
        _place: permit,
    })
}

/// The shards in a buffer, which goes back once all of them are gone.
fn cut(buffer: Vec<u8>, shard_bytes: usize, home: &Arc<Buffers>) -> Vec<Bytes> {
    let mut rest = Bytes::from_owner(Lent::new(buffer, home.clone()));
    let mut shards = Vec::new();
    while !rest.is_empty() {
        shards.push(rest.split_to(shard_bytes));
    }
    shards
}

/// Chunks packed by this walk that the catalogue may not know yet. Bounded: the oldest are
/// forgotten, which costs a second copy and never data.
#[derive(Default)]
struct Pending {
    all: HashSet<ChunkId>,
    order: VecDeque<ChunkId>,
}

impl Pending {
    fn contains(&self, id: &ChunkId) -> bool {
        self.all.contains(id)
    }

    fn insert(&mut self, id: ChunkId) {
        if !self.all.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > limits::CHUNKS_PENDING_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}
