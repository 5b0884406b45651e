//! The records that lead to an identity's data: root and lanes, sealed under keys of the phrase.
//!
//! The root record is signed once with the root key and sealed once, and both are kept; lane
//! records are signed anew each time, so that they carry the newest head and addresses.

use bitdust_crypto::LocatorKey;
use bitdust_model::codec::Versioned;
use bitdust_model::locator::{Contact, KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::{ErrorCode, Sequence, Signed, encode, limits};
use bitdust_store::CatalogueError;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;

/// Where the signed root record is kept in the catalogue.
pub(crate) const ROOT_KEY: &str = "root_record";
/// Where the sealed root record is kept, slot by slot.
const SEALED_ROOT_KEY: &str = "sealed_root_record";
/// Where the number of the newest lane record is kept.
const LANE_SEQUENCE_KEY: &str = "lane_record_sequence";

/// Addresses of one supplier in a lane record, so that thirty of them fit.
const LANE_ADDRESSES_MAX: usize = 2;

/// A signed root record with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptRoot {
    /// The record's number.
    pub(crate) sequence: Sequence,
    pub(crate) record: Signed<RootRecord>,
}

impl Versioned for KeptRoot {
    const KIND: &'static str = "kept root record";
    const BYTES_MAX: usize = RootRecord::BYTES_MAX + 256;
}

/// The root record as it lies in the DHT. While one lives there, no other of the same number takes
/// its place, not even the same one sealed again; only the very same lives longer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SealedRoot {
    /// One for each slot.
    records: Vec<KeyedRecord>,
}

impl Versioned for SealedRoot {
    const KIND: &'static str = "sealed root record";
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// Makes all sealed records: root and lane, each under its keys.
pub(crate) async fn locators(context: &Context) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let worker = context.clone();
    blocking(move || locators_blocking(&worker)).await?
}

/// Makes the sealed records of the lane.
pub(crate) async fn lane_locators(context: &Context) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let worker = context.clone();
    blocking(move || sealed_lane(&worker)).await?
}

fn locators_blocking(context: &Context) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let code = |error: CatalogueError| error.code();
    let mut records = Vec::new();
    if let Some(bytes) = context.catalogue.get_meta(ROOT_KEY).map_err(code)? {
        let root: KeptRoot = bitdust_model::decode(&bytes).map_err(|_| ErrorCode::Internal)?;
        records.extend(sealed_root(context, &root)?);
    }
    records.extend(sealed_lane(context)?);
    Ok(records)
}

/// The lane record, with a number of its own, sealed for each slot.
fn sealed_lane(context: &Context) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let sequence = next_sequence(context)?;
    let lane = lane_record(context, sequence)?;
    let signed = context.secrets.device.signing().sign(&lane);
    let plain = signed_bytes(&signed)?;
    (0..limits::LOCATOR_SLOTS)
        .map(|slot| {
            let key = LocatorKey::lane(context.current(), context.device, slot);
            sealed(context, &key, sequence, &plain)
        })
        .collect()
}

/// The sealed root record of each slot, as it was published before if it was.
fn sealed_root(context: &Context, root: &KeptRoot) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let code = |error: CatalogueError| error.code();
    let plain = signed_bytes(&root.record)?;
    loop {
        let was = context.catalogue.get_meta(SEALED_ROOT_KEY).map_err(code)?;
        // What cannot be read is sealed again.
        let kept: SealedRoot = was
            .as_deref()
            .and_then(|bytes| bitdust_model::decode(bytes).ok())
            .unwrap_or_default();
        let now = seal_anew(context, root.sequence, &plain, &kept)?;
        let is_kept = now == kept
            || context
                .catalogue
                .replace_meta(SEALED_ROOT_KEY, was, &encode(&now))
                .map_err(code)?;
        // Where somebody else has sealed it meanwhile, theirs may be in the DHT already.
        if is_kept {
            return Ok(now.records);
        }
    }
}

/// Those of the sealed records that still say the same, and the others anew.
fn seal_anew(
    context: &Context,
    sequence: Sequence,
    plain: &[u8],
    kept: &SealedRoot,
) -> Result<SealedRoot, ErrorCode> {
    let mut now = SealedRoot::default();
    for slot in 0..limits::LOCATOR_SLOTS {
        let key = LocatorKey::root(context.current(), slot);
        let is_same = |record: &&KeyedRecord| {
            let opened = key.open(&record.record, &context.network);
            record.key == key.dht_key() && opened.is_ok_and(|opened| *opened == plain)
        };
        now.records.push(match kept.records.iter().find(is_same) {
            Some(record) => record.clone(),
            None => sealed(context, &key, sequence, plain)?,
        });
    }
    Ok(now)
}

/// A signed document as the inside of a locator.
pub(crate) fn signed_bytes<T>(signed: &Signed<T>) -> Result<Vec<u8>, ErrorCode> {
    postcard::to_stdvec(signed).map_err(|_| ErrorCode::Internal)
}

fn sealed(
    context: &Context,
    key: &LocatorKey,
    sequence: Sequence,
    plain: &[u8],
) -> Result<KeyedRecord, ErrorCode> {
    let record = key
        .try_seal(&context.network, sequence, wall_clock(), plain)
        .map_err(|error| {
            debug!(%error, "A locator record does not fit");
            ErrorCode::Internal
        })?;
    Ok(KeyedRecord {
        key: key.dht_key(),
        record,
    })
}

/// Two publications at the same time have numbers of their own.
fn next_sequence(context: &Context) -> Result<Sequence, ErrorCode> {
    let number = context.catalogue.count_up_meta(LANE_SEQUENCE_KEY);
    number.map(Sequence).map_err(|error| error.code())
}

fn lane_record(context: &Context, sequence: Sequence) -> Result<LaneRecord, ErrorCode> {
    let code = |error: CatalogueError| error.code();
    let head = context
        .catalogue
        .newest_head()
        .map_err(code)?
        .map(|head| head.head);
    let sets = context.catalogue.sets().map_err(code)?;
    let suppliers = context.catalogue.suppliers().map_err(code)?;
    let contacts = suppliers
        .into_iter()
        .filter(|supplier| supplier.contract.is_some())
        .map(|supplier| Contact {
            identity: supplier.identity,
            device: supplier.device,
            addresses: supplier
                .addresses
                .into_iter()
                .take(LANE_ADDRESSES_MAX)
                .collect(),
        })
        .take(limits::SUPPLIERS_PER_SET_MAX)
        .collect();
    Ok(fit(LaneRecord {
        lane: context.device,
        sequence,
        head,
        sets: sets.into_iter().map(|set| set.record).collect(),
        suppliers: contacts,
    }))
}

/// Bytes of a signature with its signer and the lengths around a signed document.
const SIGNED_ROOM: usize = 128;

/// Takes addresses, then suppliers, from the end of a lane record until it fits a locator.
/// The set records stay: a holder without addresses is looked up in the DHT.
fn fit(mut record: LaneRecord) -> LaneRecord {
    let bytes_max = limits::LOCATOR_PLAIN_BYTES_MAX.min(LaneRecord::BYTES_MAX) - SIGNED_ROOM;
    while postcard::experimental::serialized_size(&record).is_ok_and(|bytes| bytes > bytes_max) {
        let mut suppliers = record.suppliers.iter_mut().rev();
        if let Some(contact) = suppliers.find(|contact| contact.addresses.len() > 1) {
            contact.addresses.pop();
        } else if record.suppliers.pop().is_none() {
            break;
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::{Phrase, RootSecrets};
    use bitdust_model::locator::DhtRecord;
    use bitdust_model::{DeviceId, Epoch, IdentityId};

    use super::*;
    use crate::shared::testing::TestHome;

    fn keep_root(context: &Context, sequence: u64) {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let record = RootRecord {
            identity: root.identity(),
            epoch: Epoch(0),
            sequence: Sequence(sequence),
            nickname: "tester".to_owned(),
            devices: Vec::new(),
            fences: Vec::new(),
        };
        let kept = KeptRoot {
            sequence: record.sequence,
            record: root.signing().sign(&record),
        };
        let kept = context.catalogue.set_meta(ROOT_KEY, &encode(&kept));
        kept.expect("it is kept");
    }

    /// Nobody in the DHT takes another record of the same number while one lives.
    #[tokio::test]
    async fn a_root_record_is_published_again_as_it_is_and_lanes_with_a_new_number() {
        let home = TestHome::new().await;
        let context = &home.context;
        keep_root(context, 1);
        let slots = usize::from(limits::LOCATOR_SLOTS);
        let first = locators(context).await.expect("records");
        let again = locators(context).await.expect("records");
        assert_eq!(first.len(), 2 * slots);
        assert_eq!(first[..slots], again[..slots], "the same bytes");
        let number = |record: &KeyedRecord| {
            let believed: DhtRecord = bitdust_crypto::verify(&record.record).expect("signed");
            believed.sequence
        };
        for (lane, newer) in first[slots..].iter().zip(&again[slots..]) {
            assert!(number(newer) > number(lane));
        }
        keep_root(context, 2);
        let changed = locators(context).await.expect("records");
        for (root, newer) in again[..slots].iter().zip(&changed[..slots]) {
            assert!(number(newer) > number(root), "one that changed is sealed");
        }
    }

    /// Each of them would be in the way of the others in the DHT.
    #[tokio::test]
    async fn those_who_publish_at_the_same_time_publish_the_same_root_record() {
        let home = TestHome::new().await;
        let context = &home.context;
        keep_root(context, 1);
        let slots = usize::from(limits::LOCATOR_SLOTS);
        let all = futures::future::join_all((0..8).map(|_| locators(context))).await;
        let all: Vec<_> = all.into_iter().map(|it| it.expect("records")).collect();
        let again = locators(context).await.expect("records");
        let mut lanes = std::collections::BTreeSet::new();
        for records in &all {
            assert_eq!(records[..slots], again[..slots], "what is kept");
            let lane: DhtRecord =
                bitdust_crypto::verify(&records[slots].record).expect("it was just signed");
            lanes.insert(lane.sequence);
        }
        assert_eq!(lanes.len(), all.len(), "each lane record has its number");
    }

    #[test]
    fn thirty_suppliers_with_long_addresses_fit_a_locator() {
        let contact = |number: u8| Contact {
            identity: IdentityId([number; 32]),
            device: DeviceId([number; 32]),
            addresses: vec!["/ip6/2001:db8::1234/udp/40000/quic-v1/p2p/".repeat(3); 2],
        };
        let record = LaneRecord {
            lane: DeviceId([0; 32]),
            sequence: Sequence(1),
            head: None,
            sets: Vec::new(),
            suppliers: (0..30).map(contact).collect(),
        };
        let fitted = fit(record.clone());
        assert!(encode(&fitted).len() + SIGNED_ROOM <= limits::LOCATOR_PLAIN_BYTES_MAX);
        assert_eq!(fitted.suppliers.len(), 30, "one address each is enough");
        assert_ne!(fitted, record);
    }
}
