//! One worker a supplier: owns the bulk stream to it and runs requests on it, several at once.
//!
//! The stream is opened when there is something to do and opened anew after it broke; a
//! request that fails is reported and never retried here: that is the engine's to decide.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tracing::debug;

use bitdust_crypto::{ShardMask, verify_by};
use bitdust_engine::{Input, ReceiptFact};
use bitdust_model::ledger::GroupChange;
use bitdust_model::manifest::{PackRecord, PackRef};
use bitdust_model::message::{Fetch, FetchTarget};
use bitdust_model::shard::{Receipt, ShardHeader};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, Signed, limits};
use bitdust_net::BulkClient;
use bitdust_pipeline::erasure::shard_bytes;
use bitdust_pipeline::proof::RangeVerifier;

use crate::shared::buffers::Lent;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::fetch_request::RangeBytes;
use crate::shared::job::Counters;
use crate::shared::supplier_request::{SupplierRequest, store_header};
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

/// Something to carry to or from a supplier, and its answer.
pub(crate) struct PendingSupplierRequest {
    /// What.
    pub(crate) request: SupplierRequest,
    /// What is answered.
    pub(crate) completion: Completion,
}

/// Runs requests until the sender is dropped.
pub(crate) async fn run(
    context: Context,
    device: DeviceId,
    mut requests: mpsc::Receiver<PendingSupplierRequest>,
) {
    let mut client: Option<BulkClient> = None;
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            request = requests.recv(), if under_way.len() < limits::BULK_OUTSTANDING_MAX => {
                let Some(request) = request else {
                    break;
                };
                if client.as_ref().is_none_or(BulkClient::is_closed) {
                    client = open(&context, device).await;
                }
                match &client {
                    Some(client) => under_way.push(carry(context.clone(), client.clone(), device, request)),
                    None => refuse(&context, device, request).await,
                }
            }
            Some(()) = under_way.next(), if !under_way.is_empty() => {}
        }
    }
    while under_way.next().await.is_some() {}
}

/// There is no stream: a check that cannot be made is one that was missed.
async fn refuse(context: &Context, device: DeviceId, request: PendingSupplierRequest) {
    if matches!(request.request, SupplierRequest::Check { .. })
        && let Err(code) = keep_outcome(context, device, false).await
    {
        debug!(code = code.name(), "A missed check was not recorded");
    }
    request.completion.tell(Err(ErrorCode::Unreachable)).await;
}

async fn open(context: &Context, device: DeviceId) -> Option<BulkClient> {
    match context.net.bulk(device).await {
        Ok(client) => Some(client),
        Err(error) => {
            debug!(%device, %error, "Could not open a bulk stream");
            None
        }
    }
}

async fn carry(
    context: Context,
    client: BulkClient,
    device: DeviceId,
    pending: PendingSupplierRequest,
) {
    let (request, completion) = (pending.request, pending.completion);
    let (context, client) = (&context, &client);
    match request {
        SupplierRequest::Store {
            record,
            position,
            shard,
            counters,
        } => {
            let counters = counters.as_deref();
            let stored = store(context, client, device, &record, position, shard, counters).await;
            match stored {
                Ok(receipt) => bring_receipt(completion, receipt).await,
                Err(code) => completion.tell(Err(code)).await,
            }
        }
        SupplierRequest::Fetch {
            fetch,
            pack,
            position,
            ranges,
            until_over,
            counters,
        } => match fetch_unless_over(context, client, &pack, position, ranges, until_over).await {
            Ok(pieces) => {
                count(counters.as_deref(), &pieces);
                let came = |completion| TaskEvent::Pieces {
                    completion,
                    fetch,
                    position,
                    pieces,
                };
                completion.bring(came).await;
            }
            Err(code) => completion.tell(Err(code)).await,
        },
        SupplierRequest::Check {
            pack,
            position,
            pick,
        } => {
            let told = check_and_record(context, client, device, &pack, position, pick).await;
            completion.tell(Ok(told)).await;
        }
    }
}

async fn bring_receipt(completion: Completion, receipt: ReceiptFact) {
    let came = |completion| TaskEvent::Receipt {
        completion,
        receipt,
    };
    completion.bring(came).await;
}

fn count(counters: Option<&Counters>, pieces: &[RangeBytes]) {
    if let Some(counters) = counters {
        counters.moved_bytes(pieces.iter().map(|piece| piece.bytes.len() as u64).sum());
    }
}

/// Checks a piece of a shard, and records how that ended. Gives what the engine is told.
async fn check_and_record(
    context: &Context,
    client: &BulkClient,
    device: DeviceId,
    pack: &PackRef,
    position: Position,
    pick: u64,
) -> Input {
    let checked = check(context, client, pack, position, pick).await;
    let kept = keep_outcome(context, device, checked.is_ok()).await;
    // A proof that was not recorded counts for nothing: it is asked for again.
    match checked.and(kept) {
        Ok(()) => Input::CheckPassed { device },
        Err(code) => Input::ProofFailed {
            device,
            pack: pack.pack,
            position,
            code,
        },
    }
}

/// Sends a shard, and records its receipt.
async fn store(
    context: &Context,
    client: &BulkClient,
    device: DeviceId,
    record: &PackRecord,
    position: Position,
    shard: Bytes,
    counters: Option<&Counters>,
) -> Result<ReceiptFact, ErrorCode> {
    let (pack, bytes) = (&record.pack, shard.len() as u64);
    let receipt = deliver(context, client, device, pack, position, shard).await?;
    let moved = confirm(context, pack.pack, position, receipt, counters).await?;
    if let Some(counters) = counters {
        counters.moved_bytes(bytes);
    }
    Ok(ReceiptFact {
        pack: pack.pack,
        position,
        device,
        moved,
    })
}

/// Sends a shard and checks the receipt.
async fn deliver(
    context: &Context,
    client: &BulkClient,
    device: DeviceId,
    pack: &PackRef,
    position: Position,
    shard: Bytes,
) -> Result<Signed<Receipt>, ErrorCode> {
    let header = store_header(context, pack, shard.len())?;
    let signed = context.secrets.device.signing().sign(&header);
    let storing = client.store(signed.into(), position, shard);
    let header = header.at(position).ok_or(ErrorCode::Internal)?;
    let receipt = storing.await.map_err(|error| {
        debug!(%device, %error, "A shard was not stored");
        error.code()
    })?;
    check_receipt(&receipt, device, &header)?;
    Ok(receipt)
}

/// Records a receipt, on a full disk once there is room: it counts only then, and the supplier
/// need not be asked again.
async fn confirm(
    context: &Context,
    pack: PackId,
    position: Position,
    receipt: Signed<Receipt>,
    counters: Option<&Counters>,
) -> Result<Option<GroupChange>, ErrorCode> {
    let device = DeviceId(receipt.signer);
    let receipt = Arc::new(receipt);
    let record = || {
        let (catalogue, receipt) = (context.catalogue.clone(), receipt.clone());
        async move {
            blocking(move || {
                catalogue.confirm_shard(pack, position, device, Some(&receipt), wall_clock())
            })
            .await?
            .map_err(|error| error.code())
        }
    };
    context.disk_space.write_anyway(counters, record).await
}

/// A receipt counts only if the supplier signed exactly this shard of this pack.
fn check_receipt(
    signed: &Signed<Receipt>,
    device: DeviceId,
    header: &ShardHeader,
) -> Result<(), ErrorCode> {
    let receipt = verify_by(signed, &device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    let is_ours = receipt.supplier == device
        && receipt.owner == header.owner
        && receipt.lane == header.lane
        && receipt.pack == header.pack
        && receipt.position == header.position
        && receipt.shard == header.shard
        && receipt.shard_bytes == header.shard_bytes;
    if is_ours {
        Ok(())
    } else {
        Err(ErrorCode::NotAuthentic)
    }
}

/// Ranges asked for at once within one request.
const RANGES_AT_ONCE: usize = 8;

/// Fetches ranges, unless the fetch they are for is over before: then the supplier is told that
/// they are not wanted, so that one that does not answer holds neither memory nor a place here.
async fn fetch_unless_over(
    context: &Context,
    client: &BulkClient,
    pack: &Arc<PackRef>,
    position: Position,
    ranges: Vec<Range<u64>>,
    mut until_over: watch::Receiver<()>,
) -> Result<Vec<RangeBytes>, ErrorCode> {
    tokio::select! {
        biased;
        // Nothing is ever sent: it ends when the sender is dropped.
        _ = until_over.changed() => Err(ErrorCode::Cancelled),
        fetched = fetch_ranges(context, client, pack, position, ranges) => fetched,
    }
}

async fn fetch_ranges(
    context: &Context,
    client: &BulkClient,
    pack: &Arc<PackRef>,
    position: Position,
    ranges: Vec<Range<u64>>,
) -> Result<Vec<RangeBytes>, ErrorCode> {
    let mut fetches = futures::stream::iter(ranges)
        .map(|range| fetch_range(context, client, pack, position, range))
        .buffered(RANGES_AT_ONCE);
    let mut pieces = Vec::new();
    while let Some(piece) = fetches.next().await {
        pieces.push(piece?);
    }
    Ok(pieces)
}

/// Gets a range, and proves and unmasks it while it comes.
async fn fetch_range(
    context: &Context,
    client: &BulkClient,
    pack: &PackRef,
    position: Position,
    range: Range<u64>,
) -> Result<RangeBytes, ErrorCode> {
    let shard = *pack
        .shards
        .get(usize::from(position.0))
        .ok_or(ErrorCode::Internal)?;
    let whole_bytes = shard_bytes(pack.pack_bytes, pack.k);
    let length = range.end - range.start;
    let ask = Fetch {
        target: FetchTarget::Shard(shard),
        offset: range.start,
        length,
    };
    let verifier = RangeVerifier::new(shard, whole_bytes, range.start, length);
    let mut verifier = verifier.map_err(|_| ErrorCode::Internal)?;
    let mut bytes = context
        .buffers
        .take(usize::try_from(length).unwrap_or(usize::MAX));
    bytes.clear();
    let secrets = context.epoch(pack.epoch).ok_or(ErrorCode::Internal)?;
    let mask = ShardMask::new(secrets, pack.set, pack.pack, position);
    let mut is_proved = true;
    let fetched = client
        .fetch(ask, |piece| {
            let start = bytes.len();
            is_proved = verifier.push(piece, &mut bytes).is_ok();
            mask.apply(range.start + start as u64, &mut bytes[start..]);
            is_proved
        })
        .await;
    if !is_proved {
        return Err(ErrorCode::Corrupt);
    }
    let got = fetched.map_err(|error| {
        debug!(%error, "A range was not fetched");
        error.code()
    })?;
    if got.offset != range.start || got.length != length {
        return Err(ErrorCode::Malformed);
    }
    verifier.finish().map_err(|_| ErrorCode::Corrupt)?;
    Ok(RangeBytes {
        offset: range.start,
        bytes: Bytes::from_owner(Lent::new(bytes, context.buffers.clone())),
    })
}

/// Bytes of one check: enough to need the disk, little enough for a slow line.
const CHECK_BYTES: u64 = limits::SHARD_ALIGN as u64;

/// Fetches a random piece of a shard and checks its proof.
pub(super) async fn check(
    context: &Context,
    client: &BulkClient,
    pack: &PackRef,
    position: Position,
    pick: u64,
) -> Result<(), ErrorCode> {
    let blocks = shard_bytes(pack.pack_bytes, pack.k)
        .div_ceil(CHECK_BYTES)
        .max(1);
    let start = (pick % blocks) * CHECK_BYTES;
    fetch_range(context, client, pack, position, start..start + CHECK_BYTES)
        .await
        .map(drop)
}

/// Records how a check ended. Where that fails it is this disk's fault and never counts against
/// the supplier, whatever the catalogue calls it.
async fn keep_outcome(context: &Context, device: DeviceId, ok: bool) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    blocking(move || catalogue.mark_checked(device, wall_clock(), ok))
        .await?
        .map_err(|_| ErrorCode::DiskFailed)
}
