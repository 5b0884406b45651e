//! Looking for the records of an identity: in the DHT, and at peers that may keep them for us.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use tracing::{debug, info};

use bitdust_crypto::{LocatorKey, RootSecrets, verify_by};
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::roots::united;
use bitdust_model::{DeviceId, DhtKey, Document, Epoch, ErrorCode, Sequence, Signed, limits};

use crate::shared::answer::refusal;
use crate::shared::context::Context;

/// The devices that a root record names, those first whose lanes are closed: they are the older ones.
pub(super) fn devices_of(record: &RootRecord) -> Vec<DeviceId> {
    let closed = record.fences.iter().map(|fence| fence.lane);
    closed.chain(record.devices.iter().copied()).collect()
}

/// A root record, and what was found beside it.
pub(super) struct FoundRoot {
    pub(super) record: RootRecord,
    /// Lane records of some of its devices.
    pub(super) lanes: Vec<LaneRecord>,
}

/// Looks for root records; gives what they say together. Fails where nobody could be asked. Connected peers answer at once;
/// while the DHT is asked whether it knows a newer one, the lanes of theirs are looked for already.
pub(super) async fn seek_root(
    context: &Context,
    root: &RootSecrets,
) -> Result<Option<FoundRoot>, ErrorCode> {
    let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::root(root, slot))
        .collect();
    let search = Search::new(context, &keys);
    let mut asked = search.ask_peers().await;
    // The newest alone may lack a device of somebody who recovered at the same time.
    let united_of = |asked: &Asked| united(search.believed(asked, &root.identity().0).collect());
    let told = united_of(&asked);
    let lanes = async {
        let Some(told) = &told else {
            return Vec::new();
        };
        let sought = Sought {
            root,
            newest: told.epoch,
            patience: RECORDS_PATIENCE,
        };
        sought.lanes(context, devices_of(told)).await.0
    };
    let (mut lanes, more) = futures::join!(
        lanes,
        search.ask_dht(asked.patience(context.policy.request_timeout))
    );
    asked.add(more);
    if let Some(code) = asked.unanswered {
        return Err(code);
    }
    let Some(record) = united_of(&asked) else {
        return Ok(None);
    };
    if told.is_none_or(|told| told.epoch != record.epoch) {
        // Under the keys of a newer epoch there may be newer ones.
        lanes.clear();
    }
    info!("Found the identity's record");
    Ok(Some(FoundRoot { record, lanes }))
}

/// The root records among what somebody keeps, as far as they are believable.
pub(super) fn roots_among(
    context: &Context,
    root: &RootSecrets,
    records: Vec<KeyedRecord>,
) -> Vec<RootRecord> {
    let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::root(root, slot))
        .collect();
    let mut told = Asked::nobody();
    told.answered(records);
    let search = Search::new(context, &keys);
    search.believed(&told, &root.identity().0).collect()
}

/// Looks for the lane records of these devices under the keys of all epochs up to the newest; gives
/// those it found, and the devices without, those among them for which nobody could be asked.
pub(super) async fn seek_lanes(
    context: &Context,
    root: &RootSecrets,
    newest: Epoch,
    devices: Vec<DeviceId>,
) -> (Vec<LaneRecord>, Vec<DeviceId>) {
    let patience = context.policy.request_timeout;
    let sought = Sought {
        root,
        newest,
        patience,
    };
    sought.lanes(context, devices).await
}

/// A search for lane records.
struct Sought<'a> {
    root: &'a RootSecrets,
    newest: Epoch,
    /// How long the DHT may take where nobody else has any.
    patience: Duration,
}

impl Sought<'_> {
    async fn lanes(
        &self,
        context: &Context,
        devices: Vec<DeviceId>,
    ) -> (Vec<LaneRecord>, Vec<DeviceId>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let searches = devices.into_iter().map(|device| async move {
            let lane = self.lane_of(context, device).await;
            lane.ok().flatten().ok_or(device)
        });
        // Each may have to wait for nodes of the DHT that are gone.
        let mut searches = stream::iter(searches).buffered(limits::LANES_SOUGHT_MAX);
        while let Some(lane) = searches.next().await {
            match lane {
                Ok(lane) => found.push(lane),
                Err(device) => missing.push(device),
            }
        }
        if !missing.is_empty() {
            debug!(count = missing.len(), "Machines without a lane record");
        }
        (found, missing)
    }

    /// A device that slept through a new epoch still writes under the keys of the one before.
    async fn lane_of(
        &self,
        context: &Context,
        device: DeviceId,
    ) -> Result<Option<LaneRecord>, ErrorCode> {
        for epoch in (0..=self.newest.0).rev().map(Epoch) {
            let secrets = self.root.epoch(epoch);
            let keys: Vec<_> = (0..limits::LOCATOR_SLOTS)
                .map(|slot| LocatorKey::lane(&secrets, device, slot))
                .collect();
            let search = Search::new(context, &keys);
            let mut asked = search.ask_peers().await;
            asked.add(search.ask_dht(asked.patience(self.patience)).await);
            if let Some(code) = asked.unanswered {
                return Err(code);
            }
            let number = |lane: &LaneRecord| lane.sequence;
            if let Some(lane) = search.newest(&asked, &device.0, number) {
                return Ok(Some(lane));
            }
        }
        Ok(None)
    }
}

/// What was found, and whether anybody answered at all.
struct Asked {
    records: Vec<KeyedRecord>,
    /// Why nobody answered; `None` once somebody did.
    unanswered: Option<ErrorCode>,
}

impl Asked {
    fn nobody() -> Self {
        Self {
            records: Vec::new(),
            unanswered: Some(ErrorCode::Unreachable),
        }
    }

    fn answered(&mut self, records: impl IntoIterator<Item = KeyedRecord>) {
        self.records.extend(records);
        self.unanswered = None;
    }

    fn failed(&mut self, code: ErrorCode) {
        if let Some(reason) = &mut self.unanswered {
            *reason = code;
        }
    }

    fn add(&mut self, more: Self) {
        match more.unanswered {
            None => self.answered(more.records),
            Some(code) => self.failed(code),
        }
    }

    /// How long the DHT may take, at most `longest`. Peers that keep the records answer at once; it may have
    /// newer ones, but a query that meets many dead nodes takes long.
    fn patience(&self, longest: Duration) -> Duration {
        if self.records.is_empty() {
            longest
        } else {
            RECORDS_PATIENCE
        }
    }
}

/// Looks for documents under some keys.
struct Search<'a> {
    context: &'a Context,
    keys: &'a [LocatorKey],
    ids: Vec<DhtKey>,
}

impl<'a> Search<'a> {
    fn new(context: &'a Context, keys: &'a [LocatorKey]) -> Self {
        let ids = keys.iter().map(LocatorKey::dht_key).collect();
        Self { context, keys, ids }
    }

    /// What connected peers keep under the keys.
    async fn ask_peers(&self) -> Asked {
        let mut asked = Asked::nobody();
        let peers = self.context.net.peers().await.unwrap_or_default();
        let requests = peers.into_iter().map(|peer| {
            let body = Body::Locate(self.ids.clone());
            self.context.net.request(peer.device, body)
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
        asked
    }

    /// What the DHT has under the keys.
    async fn ask_dht(&self, patience: Duration) -> Asked {
        let mut asked = Asked::nobody();
        let queries = self.ids.iter().map(|key| {
            let query = tokio::time::timeout(patience, self.context.net.get_record(*key));
            async move { (*key, query.await) }
        });
        for (key, answer) in futures::future::join_all(queries).await {
            match answer {
                Ok(Ok(record)) => asked.answered(record.map(|record| KeyedRecord { key, record })),
                Ok(Err(error)) => asked.failed(error.code()),
                Err(_) => asked.failed(ErrorCode::TimedOut),
            }
        }
        asked
    }

    /// The newest believable document; of several with one number the first.
    fn newest<T: Document>(
        &self,
        asked: &Asked,
        signer: &[u8; 32],
        number: impl Fn(&T) -> Sequence,
    ) -> Option<T> {
        self.believed(asked, signer).reduce(|known: T, other| {
            if number(&known) < number(&other) {
                other
            } else {
                known
            }
        })
    }

    /// The believable documents: sealed under one of the keys, and signed by whom they should.
    fn believed<T: Document>(&self, asked: &Asked, signer: &[u8; 32]) -> impl Iterator<Item = T> {
        let records = asked.records.iter();
        records.filter_map(|record| self.open(signer, record))
    }

    fn open<T: Document>(&self, signer: &[u8; 32], record: &KeyedRecord) -> Option<T> {
        let key = self.keys.iter().find(|key| key.dht_key() == record.key)?;
        let plain = key.open(&record.record, &self.context.network).ok()?;
        let signed = postcard::from_bytes::<Signed<T>>(&plain).ok()?;
        verify_by(&signed, signer).ok()
    }
}
