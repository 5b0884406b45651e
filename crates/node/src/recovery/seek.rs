//! Looking for the records of an identity: in the DHT, and at peers that may keep them for us.

use tracing::{debug, info};

use bitdust_crypto::{EpochSecrets, LocatorKey, RootSecrets, verify_by, verify_certificate};
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{Certificate, KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, DhtKey, Document, Epoch, Sequence, Signed, limits};

use crate::shared::context::Context;

/// Times a lane record is looked for: one query may miss it between its death and its next
/// publication, or on a busy machine.
const LANE_LOOKS: u32 = 2;

/// Finds the newest root record, and the lane records of the devices it names.
pub(super) async fn seek(
    context: &Context,
    root: &RootSecrets,
) -> Option<(RootRecord, Vec<LaneRecord>)> {
    let mut newest: Option<(Epoch, RootRecord)> = None;
    for epoch in 0.. {
        let secrets = root.epoch(Epoch(epoch));
        let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
            .map(|slot| LocatorKey::root(&secrets, slot))
            .collect();
        let found: Option<RootRecord> =
            gather(context, &keys, &root.identity().0, |record: &RootRecord| {
                record.sequence
            })
            .await;
        let Some(record) = found else {
            break;
        };
        let reached = record.epoch;
        newest = Some((Epoch(epoch), record));
        if reached <= Epoch(epoch) {
            break;
        }
    }
    let (epoch, record) = newest?;
    info!("Found the identity's record");
    let secrets = root.epoch(epoch);
    let mut lanes = Vec::new();
    let devices = record.devices.iter();
    let mut sought: Vec<DeviceId> = devices
        .filter_map(|signed| own_certificate(root, signed))
        .map(|certificate| certificate.device)
        .collect();
    for _ in 0..LANE_LOOKS {
        let mut missed = Vec::new();
        for device in sought {
            match lane_of(context, &secrets, device).await {
                Some(lane) => lanes.push(lane),
                None => missed.push(device),
            }
        }
        sought = missed;
    }
    if !sought.is_empty() {
        debug!(count = sought.len(), "Machines without a lane record");
    }
    // The root record alone leads to nobody: all of it is looked for again.
    (!lanes.is_empty()).then_some((record, lanes))
}

async fn lane_of(
    context: &Context,
    secrets: &EpochSecrets,
    device: DeviceId,
) -> Option<LaneRecord> {
    let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::lane(secrets, device, slot))
        .collect();
    gather(context, &keys, &device.0, |lane: &LaneRecord| lane.sequence).await
}

fn own_certificate(root: &RootSecrets, signed: &Signed<Certificate>) -> Option<Certificate> {
    verify_certificate(signed)
        .ok()
        .filter(|certificate| certificate.identity == root.identity())
}

/// What connected peers keep under the keys.
async fn located(context: &Context, keys: &[DhtKey]) -> Vec<KeyedRecord> {
    let peers = context.net.peers().await.unwrap_or_default();
    let asked = peers.into_iter().map(|peer| {
        context
            .net
            .request(peer.device, Body::Locate(keys.to_vec()))
    });
    let mut records = Vec::new();
    for answer in futures::future::join_all(asked).await {
        if let Ok(Body::Located(found)) = answer {
            records.extend(found.into_iter().take(limits::LOCATE_KEYS_MAX));
        }
    }
    records
}

/// The newest believable document under any of the keys: from the DHT, and from connected
/// peers, who may keep it for us.
async fn gather<T: Document>(
    context: &Context,
    keys: &[LocatorKey],
    signer: &[u8; 32],
    number: impl Fn(&T) -> Sequence,
) -> Option<T> {
    let ids: Vec<_> = keys.iter().map(LocatorKey::dht_key).collect();
    let mut records = located(context, &ids).await;
    // Peers that keep the records answer at once; the DHT may have newer ones, but a query
    // that meets many dead nodes takes long.
    let patience = if records.is_empty() {
        context.policy.request_timeout
    } else {
        RECORDS_PATIENCE
    };
    let looks = ids.iter().map(|key| {
        let look = tokio::time::timeout(patience, context.net.get_record(*key));
        async move {
            look.await
                .ok()
                .and_then(Result::ok)
                .flatten()
                .map(|record| KeyedRecord { key: *key, record })
        }
    });
    records.extend(futures::future::join_all(looks).await.into_iter().flatten());
    let mut newest: Option<T> = None;
    for record in records {
        let Some(key) = keys.iter().find(|key| key.dht_key() == record.key) else {
            continue;
        };
        let Ok(plain) = key.open(&record.record, &context.network) else {
            continue;
        };
        let Ok(signed) = postcard::from_bytes::<Signed<T>>(&plain) else {
            continue;
        };
        let Ok(document) = verify_by(&signed, signer) else {
            continue;
        };
        if newest
            .as_ref()
            .is_none_or(|known| number(known) < number(&document))
        {
            newest = Some(document);
        }
    }
    newest
}
