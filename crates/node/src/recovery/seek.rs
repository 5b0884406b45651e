//! Looking for the records of an identity: in the DHT, and at peers that may keep them for us.

use tracing::{debug, info};

use bitdust_crypto::{EpochSecrets, LocatorKey, RootSecrets, verify_by, verify_certificate};
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{Certificate, KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, DhtKey, Document, Epoch, Sequence, Signed, limits};

use super::found::FoundRoot;
use crate::shared::context::Context;

/// The devices that a root record names with a certificate of the identity.
pub(super) fn devices_of(found: &FoundRoot, root: &RootSecrets) -> Vec<DeviceId> {
    let devices = found.record.devices.iter();
    devices
        .filter_map(|signed| own_certificate(root, signed))
        .map(|certificate| certificate.device)
        .collect()
}

/// Looks for the newest root record.
pub(super) async fn seek_root(context: &Context, root: &RootSecrets) -> Option<FoundRoot> {
    let mut newest = None;
    for epoch in (0..).map(Epoch) {
        let secrets = root.epoch(epoch);
        let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
            .map(|slot| LocatorKey::root(&secrets, slot))
            .collect();
        let number = |record: &RootRecord| record.sequence;
        let Some(record) = gather(context, &keys, &root.identity().0, number).await else {
            break;
        };
        let reached = record.epoch;
        newest = Some(FoundRoot { epoch, record });
        if reached <= epoch {
            break;
        }
    }
    if newest.is_some() {
        info!("Found the identity's record");
    }
    newest
}

/// Looks for the lane records of these devices; gives those it found, and the devices without.
pub(super) async fn seek_lanes(
    context: &Context,
    secrets: &EpochSecrets,
    devices: Vec<DeviceId>,
) -> (Vec<LaneRecord>, Vec<DeviceId>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for device in devices {
        match lane_of(context, secrets, device).await {
            Some(lane) => found.push(lane),
            None => missing.push(device),
        }
    }
    if !missing.is_empty() {
        debug!(count = missing.len(), "Machines without a lane record");
    }
    (found, missing)
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
    let queries = ids.iter().map(|key| {
        let query = tokio::time::timeout(patience, context.net.get_record(*key));
        async move {
            query
                .await
                .ok()
                .and_then(Result::ok)
                .flatten()
                .map(|record| KeyedRecord { key: *key, record })
        }
    });
    records.extend(
        futures::future::join_all(queries)
            .await
            .into_iter()
            .flatten(),
    );
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
