//! Small requests of customers: listings, deletion, heads, fences, records to publish.

use std::collections::BTreeSet;

use bitdust_crypto::{
    head_hash, tombstone_hash, validate_record, verify, verify_by, verify_certificate,
};
use bitdust_model::deletion::{Deletion, Tombstone};
use bitdust_model::head::{Head, HeadBundle, HeadReceipt, LaneHeads};
use bitdust_model::locator::{Fence, KeyedRecord, RecordKind};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, DhtKey, ErrorCode, Sequence, ShardId, Signed, limits};
use bitdust_net::Peer;
use bitdust_store::ShardError;
use bitdust_store::supplier::{HeadChain, Vouchers};
use tracing::debug;

use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;

/// Answers a control request that the engine allowed.
pub(crate) async fn serve(context: &Context, from: Peer, body: Body) -> Result<Body, ErrorCode> {
    match body {
        Body::List { lane, after } => {
            list(context, from, lane, after, limits::LIST_ENTRIES_MAX).await
        }
        Body::Delete { tombstone, .. } => delete(context, from, tombstone).await,
        Body::HeadPut {
            bundle,
            between,
            receipts,
        } => {
            let chain = read_chain(from, between, &receipts)?;
            keep_head(context, from, *bundle, chain).await
        }
        Body::HeadsAsk { after } => {
            let shards = context.shards.clone();
            let heads = blocking(move || shards.heads(from.identity, after))
                .await?
                .map_err(|error| error.code())?;
            Ok(page_of_heads(heads))
        }
        Body::Deposit(records) => keep_records(context, from, records).await,
        Body::FencePut(fence) => keep_fence(context, from, fence).await,
        Body::Hello(_)
        | Body::Refused(_)
        | Body::Done
        | Body::SpaceAsk
        | Body::SpaceFree(_)
        | Body::Befriend { .. }
        | Body::Propose(_)
        | Body::ContractSigned(_)
        | Body::Store { .. }
        | Body::Stored(_)
        | Body::Fetch(_)
        | Body::Fetched { .. }
        | Body::Listing { .. }
        | Body::Deleted { .. }
        | Body::HeadKept(_)
        | Body::Heads { .. }
        | Body::Locate(_)
        | Body::Located(_)
        | Body::Identify(_) => Err(ErrorCode::Malformed),
    }
}

/// Any device of an identity sees what each of its lanes has here.
async fn list(
    context: &Context,
    from: Peer,
    lane: DeviceId,
    after: Option<ShardId>,
    limit: usize,
) -> Result<Body, ErrorCode> {
    let shards = context.shards.clone();
    let listing = blocking(move || shards.list(from.identity, lane, after, limit)).await?;
    let listing = listing.map_err(|error| error.code())?;
    Ok(Body::Listing {
        headers: listing.headers,
        more: listing.more,
    })
}

/// As many lanes as an answer has room for, at least one.
fn page_of_heads(mut lanes: Vec<LaneHeads>) -> Body {
    let mut bytes_left = limits::HEADS_PAGE_BYTES_MAX;
    let fits = |lane: &LaneHeads| {
        let bytes = postcard::experimental::serialized_size(lane).unwrap_or(usize::MAX);
        let rest = bytes_left.checked_sub(bytes);
        bytes_left = rest.unwrap_or(0);
        rest.is_some()
    };
    let count = lanes.iter().map(fits).take_while(|fits| *fits).count();
    let count = count.max(1).min(lanes.len());
    let more = count < lanes.len();
    lanes.truncate(count);
    Body::Heads { lanes, more }
}

/// Deletes the packs of a tombstone, if a head that is kept here has it: whoever deletes has said so
/// to all who keep the lane.
async fn delete(
    context: &Context,
    from: Peer,
    signed: Signed<Tombstone>,
) -> Result<Body, ErrorCode> {
    let tombstone = verify_by(&signed, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if tombstone.owner != from.identity || tombstone.lane != from.device {
        return Err(ErrorCode::NotAllowed);
    }
    let shards = context.shards.clone();
    blocking(move || {
        let is_fenced = shards.is_fenced(from.identity, from.device);
        if is_fenced.map_err(|error| error.code())? {
            return Err(ErrorCode::Fenced);
        }
        let head = shards.newest_head(from.identity, from.device);
        let newest = head.map_err(|error| error.code())?;
        let newest = newest.and_then(|head| head.tombstone);
        let is_published = newest.is_some_and(|newest| {
            newest.number > tombstone.number
                || (newest.number == tombstone.number && newest.hash == tombstone_hash(&signed))
        });
        if !is_published {
            return Err(ErrorCode::NotAllowed);
        }
        let packs = &tombstone.packs;
        let deleted = shards.delete(from.identity, from.device, packs, wall_clock());
        Ok(Body::Deleted {
            bytes: deleted.map_err(|error| error.code())?,
            packs: vec![Deletion::Done; packs.len()],
        })
    })
    .await?
}

/// What links a head to those before it, once all signatures are good.
fn read_chain(
    from: Peer,
    between: Vec<Signed<Head>>,
    receipts: &[Signed<HeadReceipt>],
) -> Result<HeadChain, ErrorCode> {
    let is_too_long = between.len() > limits::HEADS_BETWEEN_MAX;
    if is_too_long || receipts.len() > limits::SUPPLIERS_PER_SET_MAX {
        return Err(ErrorCode::Malformed);
    }
    let mut chain = HeadChain::default();
    for signed in between {
        let head = verify_by(&signed, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
        if head.owner != from.identity || head.lane != from.device {
            return Err(ErrorCode::NotAllowed);
        }
        let hash = head_hash(&signed);
        chain.between.push((signed, hash));
    }
    for signed in receipts {
        let receipt = verify(signed).map_err(|_| ErrorCode::NotAuthentic)?;
        let vouchers = chain.vouchers.get_or_insert_with(|| Vouchers {
            head: receipt.head,
            sequence: receipt.sequence,
            by: BTreeSet::new(),
        });
        let is_own_word = signed.signer == receipt.supplier.0;
        let is_of_it = receipt.head == vouchers.head && receipt.sequence == vouchers.sequence;
        if !is_own_word || receipt.lane != from.device || !is_of_it {
            return Err(ErrorCode::NotAuthentic);
        }
        vouchers.by.insert(receipt.supplier);
    }
    Ok(chain)
}

async fn keep_head(
    context: &Context,
    from: Peer,
    bundle: HeadBundle,
    chain: HeadChain,
) -> Result<Body, ErrorCode> {
    let head = verify_by(&bundle.head, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if head.owner != from.identity || head.lane != from.device {
        return Err(ErrorCode::NotAllowed);
    }
    let certificate =
        verify_certificate(&bundle.certificate).map_err(|_| ErrorCode::NotAuthentic)?;
    if certificate.device != from.device || certificate.identity != from.identity {
        return Err(ErrorCode::NotAllowed);
    }
    let bytes = postcard::experimental::serialized_size(&bundle).unwrap_or(usize::MAX);
    if bytes > limits::HEADS_PAGE_BYTES_MAX {
        return Err(ErrorCode::Malformed);
    }
    let mut set_version = Sequence(0);
    for signed in &bundle.sets {
        let set = verify_by(signed, &from.device.0).map_err(|_| ErrorCode::NotAuthentic)?;
        if set.owner != from.identity || set.lane != from.device {
            return Err(ErrorCode::NotAllowed);
        }
        if set.set == head.home {
            set_version = set_version.max(set.version);
        }
    }
    let hash = head_hash(&bundle.head);
    let shards = context.shards.clone();
    let are_lists_complete = blocking(move || {
        // As it was before this head: what is missing was not brought by it.
        let is_complete = shards.is_complete(from.identity, from.device)?;
        shards.put_head(&bundle, hash, &chain, wall_clock())?;
        Ok::<_, ShardError>(is_complete)
    })
    .await?
    .map_err(|error| error.code())?;
    let receipt = HeadReceipt {
        supplier: context.device,
        lane: head.lane,
        sequence: head.sequence,
        head: hash,
        set_version,
        are_lists_complete,
        own_days: None,
        received_at: wall_clock(),
    };
    Ok(Body::HeadKept(
        context.secrets.device.signing().sign(&receipt),
    ))
}

async fn keep_records(
    context: &Context,
    from: Peer,
    records: Vec<KeyedRecord>,
) -> Result<Body, ErrorCode> {
    if records.len() > limits::DEPOSITS_PER_CUSTOMER_MAX {
        return Err(ErrorCode::Malformed);
    }
    for record in &records {
        let read =
            validate_record(record, &context.network).map_err(|_| ErrorCode::NotAuthentic)?;
        if read.kind != RecordKind::Locator {
            return Err(ErrorCode::NotAllowed);
        }
    }
    let shards = context.shards.clone();
    let instead = blocking(move || {
        let mut instead = Vec::new();
        for record in records {
            instead.extend(shards.put_deposit(from.identity, &record)?);
        }
        Ok::<_, ShardError>(instead)
    });
    let instead = instead.await?.map_err(|error| error.code())?;
    Ok(Body::Located(instead))
}

async fn keep_fence(
    context: &Context,
    from: Peer,
    signed: Signed<Fence>,
) -> Result<Body, ErrorCode> {
    let fence = verify_by(&signed, &from.identity.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if fence.identity != from.identity {
        return Err(ErrorCode::NotAllowed);
    }
    let shards = context.shards.clone();
    blocking(move || shards.put_fence(&fence, &signed))
        .await?
        .map_err(|error| error.code())?;
    Ok(Body::Done)
}

/// Reads before it writes: where the DHT has a newer record than this node keeps, the newer
/// one is published again. Done when one was taken, or there is none.
pub(crate) async fn publish_deposits(context: &Context) -> Result<(), ErrorCode> {
    let mut after = None;
    let mut published = Ok(());
    let mut taken = 0;
    loop {
        let shards = context.shards.clone();
        let page = blocking(move || shards.deposits(after, limits::LIST_ENTRIES_MAX)).await?;
        let page = page.map_err(|error| error.code())?;
        let Some(last) = page.last() else {
            return if taken > 0 { Ok(()) } else { published };
        };
        after = Some(last.key);
        for kept in page {
            let record = newer_of(context, kept).await;
            match context.net.put_record(record).await {
                Ok(_) => taken += 1,
                Err(error) => {
                    debug!(%error, "A record kept for a customer was not put");
                    published = Err(error.code());
                }
            }
        }
    }
}

async fn newer_of(context: &Context, kept: KeyedRecord) -> KeyedRecord {
    let key = kept.key;
    let number = |record: &KeyedRecord| {
        validate_record(record, &context.network)
            .ok()
            .map(|read| read.sequence)
    };
    let found = context
        .net
        .get_record(key)
        .await
        .ok()
        .flatten()
        .map(|record| KeyedRecord { key, record });
    match found {
        Some(found) if number(&found) > number(&kept) => found,
        Some(_) | None => kept,
    }
}

/// What is kept under the keys, for whoever knows them.
pub(crate) async fn locate(context: &Context, keys: Vec<DhtKey>) -> Result<Body, ErrorCode> {
    let shards = context.shards.clone();
    let found = blocking(move || {
        let mut records = Vec::new();
        for key in keys {
            if let Some(record) = shards.deposit(key)? {
                records.push(record);
            }
        }
        Ok::<_, ShardError>(records)
    });
    let records = found.await?.map_err(|error| error.code())?;
    Ok(Body::Located(records))
}

#[cfg(test)]
mod tests;
