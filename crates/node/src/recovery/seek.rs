//! Looking for the records of an identity: in the DHT, and at peers that may keep them for us.

use std::time::Duration;

use tracing::{debug, info};

use bitdust_crypto::{LocatorKey, RootSecrets, verify_by};
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, DhtKey, Document, Epoch, ErrorCode, Sequence, Signed, limits};

use crate::shared::answer::refusal;
use crate::shared::context::Context;

/// The devices that a root record names, those first whose lanes are closed: they are the older ones.
pub(super) fn devices_of(record: &RootRecord) -> Vec<DeviceId> {
    let closed = record.fences.iter().map(|fence| fence.lane);
    closed.chain(record.devices.iter().copied()).collect()
}

/// Looks for the newest root record. Fails where nobody could be asked.
pub(super) async fn seek_root(
    context: &Context,
    root: &RootSecrets,
) -> Result<Option<RootRecord>, ErrorCode> {
    let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::root(root, slot))
        .collect();
    let number = |record: &RootRecord| record.sequence;
    let found = gather(context, &keys, &root.identity().0, number).await?;
    if found.is_some() {
        info!("Found the identity's record");
    }
    Ok(found)
}

/// Looks for the lane records of these devices under the keys of all epochs up to the newest; gives
/// those it found, and the devices without, those among them for which nobody could be asked.
pub(super) async fn seek_lanes(
    context: &Context,
    root: &RootSecrets,
    newest: Epoch,
    devices: Vec<DeviceId>,
) -> (Vec<LaneRecord>, Vec<DeviceId>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for device in devices {
        match lane_of(context, root, newest, device).await {
            Ok(Some(lane)) => found.push(lane),
            Ok(None) | Err(_) => missing.push(device),
        }
    }
    if !missing.is_empty() {
        debug!(count = missing.len(), "Machines without a lane record");
    }
    (found, missing)
}

/// A device that slept through a new epoch still writes under the keys of the one before.
async fn lane_of(
    context: &Context,
    root: &RootSecrets,
    newest: Epoch,
    device: DeviceId,
) -> Result<Option<LaneRecord>, ErrorCode> {
    for epoch in (0..=newest.0).rev().map(Epoch) {
        let secrets = root.epoch(epoch);
        let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
            .map(|slot| LocatorKey::lane(&secrets, device, slot))
            .collect();
        let number = |lane: &LaneRecord| lane.sequence;
        if let Some(lane) = gather(context, &keys, &device.0, number).await? {
            return Ok(Some(lane));
        }
    }
    Ok(None)
}

/// What was found, and whether anybody answered at all.
struct Asked {
    records: Vec<KeyedRecord>,
    /// Why nobody answered; `None` once somebody did.
    unanswered: Option<ErrorCode>,
}

impl Asked {
    fn answered(&mut self, records: impl IntoIterator<Item = KeyedRecord>) {
        self.records.extend(records);
        self.unanswered = None;
    }

    fn failed(&mut self, code: ErrorCode) {
        if let Some(reason) = &mut self.unanswered {
            *reason = code;
        }
    }
}

/// What connected peers keep under the keys.
async fn ask_peers(context: &Context, keys: &[DhtKey], asked: &mut Asked) {
    let peers = context.net.peers().await.unwrap_or_default();
    let requests = peers.into_iter().map(|peer| {
        context
            .net
            .request(peer.device, Body::Locate(keys.to_vec()))
    });
    for answer in futures::future::join_all(requests).await {
        match answer {
            Ok(Body::Located(found)) => {
                asked.answered(found.into_iter().take(limits::LOCATE_KEYS_MAX));
            }
            Ok(answer) => asked.failed(refusal(&answer)),
            Err(error) => asked.failed(error.code()),
        }
    }
}

/// What the DHT has under the keys.
async fn ask_dht(context: &Context, keys: &[DhtKey], patience: Duration, asked: &mut Asked) {
    let queries = keys.iter().map(|key| {
        let query = tokio::time::timeout(patience, context.net.get_record(*key));
        async move { (*key, query.await) }
    });
    for (key, answer) in futures::future::join_all(queries).await {
        match answer {
            Ok(Ok(record)) => asked.answered(record.map(|record| KeyedRecord { key, record })),
            Ok(Err(error)) => asked.failed(error.code()),
            Err(_) => asked.failed(ErrorCode::TimedOut),
        }
    }
}

/// The newest believable document under any of the keys: from the DHT, and from connected
/// peers, who may keep it for us. Fails where nobody could be asked.
async fn gather<T: Document>(
    context: &Context,
    keys: &[LocatorKey],
    signer: &[u8; 32],
    number: impl Fn(&T) -> Sequence,
) -> Result<Option<T>, ErrorCode> {
    let ids: Vec<_> = keys.iter().map(LocatorKey::dht_key).collect();
    let mut asked = Asked {
        records: Vec::new(),
        unanswered: Some(ErrorCode::Unreachable),
    };
    ask_peers(context, &ids, &mut asked).await;
    // Peers that keep the records answer at once; the DHT may have newer ones, but a query
    // that meets many dead nodes takes long.
    let patience = if asked.records.is_empty() {
        context.policy.request_timeout
    } else {
        RECORDS_PATIENCE
    };
    ask_dht(context, &ids, patience, &mut asked).await;
    if let Some(code) = asked.unanswered {
        return Err(code);
    }
    let mut newest: Option<T> = None;
    for record in asked.records {
        let Some(document) = believed(context, keys, signer, &record) else {
            continue;
        };
        let is_newer = |known: &T| number(known) < number(&document);
        if newest.as_ref().is_none_or(is_newer) {
            newest = Some(document);
        }
    }
    Ok(newest)
}

/// The document in a record, if it was sealed under one of the keys and signed by whom it should.
fn believed<T: Document>(
    context: &Context,
    keys: &[LocatorKey],
    signer: &[u8; 32],
    record: &KeyedRecord,
) -> Option<T> {
    let key = keys.iter().find(|key| key.dht_key() == record.key)?;
    let plain = key.open(&record.record, &context.network).ok()?;
    let signed = postcard::from_bytes::<Signed<T>>(&plain).ok()?;
    verify_by(&signed, signer).ok()
}
