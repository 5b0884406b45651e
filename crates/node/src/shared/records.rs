//! The records that lead to an identity's data: root and lanes, sealed under keys of the phrase.
//!
//! The root record is signed and sealed with keys that only the phrase gives, at set-up and at
//! recoveries; what was sealed then is kept and published as it is. Lane records are signed anew each
//! time, so that they carry the newest head and addresses.

use bitdust_crypto::{
    LocatorKey, Numbered, RootSecrets, RootSlot, next_number, set_hash, verify_by,
};
use bitdust_model::HeadRef;
use bitdust_model::codec::Versioned;
use bitdust_model::locator::{Contact, HomeSet, KeyedRecord, LaneRecord, RootRecord};
use bitdust_model::set::{SetRecord, SetVersion};
use bitdust_model::{ErrorCode, Sequence, Signed, encode, limits};
use bitdust_store::catalogue::OwnHead;
use bitdust_store::{Catalogue, CatalogueError};
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;

/// Where the signed root record is kept in the catalogue.
pub(crate) const ROOT_KEY: &str = "root_record";
/// Where the sealed root record is kept, slot by slot.
pub(super) const SEALED_ROOT_KEY: &str = "sealed_root_record";
/// Where the number of the newest lane record is kept.
const LANE_SEQUENCE_KEY: &str = "lane_record_sequence";
/// Where the number of the newest public records is kept, and when it was given.
const PUBLIC_SEQUENCE_KEY: &str = "public_record_sequence";

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
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = RootRecord::BYTES_MAX + 256;
}

/// The root record as it lies in the DHT. While one lives there, no other of the same number takes
/// its place, not even the same one sealed again; only the very same lives longer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedRoot {
    /// One for each slot.
    pub(super) records: Vec<KeyedRecord>,
}

impl Versioned for SealedRoot {
    const KIND: &'static str = "sealed root record";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

/// Signs and seals a root record; gives it as the catalogue keeps it, by names.
///
/// # Errors
/// If it is too long.
pub(crate) fn seal_root(
    root: &RootSecrets,
    network: &str,
    record: &RootRecord,
) -> Result<Vec<(String, Vec<u8>)>, ErrorCode> {
    let signed = root.signing().sign(record);
    let plain = signed_bytes(&signed)?;
    let slots = (0..limits::LOCATOR_SLOTS).map(|slot| {
        let key = LocatorKey::root(root, slot);
        sealed(network, &key, record.sequence, &plain)
    });
    let kept = KeptRoot {
        sequence: record.sequence,
        record: signed,
    };
    let sealed = SealedRoot {
        records: slots.collect::<Result<_, _>>()?,
    };
    Ok(vec![
        (ROOT_KEY.to_owned(), encode(&kept)),
        (SEALED_ROOT_KEY.to_owned(), encode(&sealed)),
    ])
}

/// Whether a machine only restores: without a root record that names it nothing would lead to what it writes.
pub(crate) fn is_restore_only(catalogue: &Catalogue) -> Result<bool, CatalogueError> {
    Ok(catalogue.get_meta(ROOT_KEY)?.is_none())
}

/// Makes all sealed records: root and lane, each under its keys. None where there is no root record, as in
/// the middle of a recovery, or where a machine only restores.
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
    let Some(bytes) = context.catalogue.get_meta(SEALED_ROOT_KEY).map_err(code)? else {
        return Ok(Vec::new());
    };
    let root: SealedRoot = bitdust_model::decode(&bytes).map_err(|_| ErrorCode::Internal)?;
    let slots = &context.secrets.root_slots;
    let is_ours = |record: &KeyedRecord| {
        let opens = |slot: &RootSlot| slot.open(&record.record, &context.network).is_ok();
        slots
            .iter()
            .any(|slot| slot.dht_key() == record.key && opens(slot))
    };
    if root.records.len() != slots.len() || !root.records.iter().all(is_ours) {
        return Err(ErrorCode::Internal);
    }
    let mut records = root.records;
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
            sealed(&context.network, &key, sequence, &plain)
        })
        .collect()
}

/// A signed document as the inside of a locator.
pub(crate) fn signed_bytes<T>(signed: &Signed<T>) -> Result<Vec<u8>, ErrorCode> {
    postcard::to_stdvec(signed).map_err(|_| ErrorCode::Internal)
}

fn sealed(
    network: &str,
    key: &LocatorKey,
    sequence: Sequence,
    plain: &[u8],
) -> Result<KeyedRecord, ErrorCode> {
    let record = key
        .try_seal(network, sequence, wall_clock(), plain)
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

/// Counts on from lane records of this machine that others keep, where their number is larger; says whether it is.
pub(crate) async fn count_past(
    context: &Context,
    records: Vec<KeyedRecord>,
) -> Result<bool, ErrorCode> {
    if records.is_empty() {
        return Ok(false);
    }
    let worker = context.clone();
    blocking(move || {
        let numbers = records
            .iter()
            .filter_map(|record| lane_number(&worker, record));
        let Some(Sequence(kept)) = numbers.max() else {
            return Ok(false);
        };
        let rule = move |before: Option<Vec<u8>>| {
            let before = before.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
            let before = before.unwrap_or(0);
            (before.max(kept).to_le_bytes().to_vec(), kept > before)
        };
        let counted = worker.catalogue.change_meta(LANE_SEQUENCE_KEY, rule);
        counted.map_err(|error| error.code())
    })
    .await?
}

/// The number of a lane record that this machine signed.
fn lane_number(context: &Context, record: &KeyedRecord) -> Option<Sequence> {
    let mut keys = (0..limits::LOCATOR_SLOTS)
        .map(|slot| LocatorKey::lane(context.current(), context.device, slot));
    let key = keys.find(|key| key.dht_key() == record.key)?;
    let plain = key.open(&record.record, &context.network).ok()?;
    let signed = postcard::from_bytes::<Signed<LaneRecord>>(&plain).ok()?;
    let lane = verify_by(&signed, &context.device.0).ok()?;
    Some(lane.sequence)
}

/// The next number for the public records of this device.
pub(crate) fn next_public_sequence(context: &Context) -> Result<Sequence, ErrorCode> {
    let seconds = wall_clock().0 / 1000;
    if context.catalogue.is_damaged() {
        // As whoever has forgotten how far it was.
        return Ok(next_number(None, seconds).sequence);
    }
    let rule = move |last: Option<Vec<u8>>| {
        let next = next_number(last.as_deref().and_then(numbered), seconds);
        let value = [next.sequence.0.to_le_bytes(), next.at.to_le_bytes()].concat();
        (value, next.sequence)
    };
    let number = context.catalogue.change_meta(PUBLIC_SEQUENCE_KEY, rule);
    number.map_err(|error| error.code())
}

/// A number and the seconds at which it was given, as the catalogue keeps them.
fn numbered(bytes: &[u8]) -> Option<Numbered> {
    let (number, at) = bytes.split_at_checked(8)?;
    Some(Numbered {
        sequence: Sequence(u64::from_le_bytes(number.try_into().ok()?)),
        at: u64::from_le_bytes(at.try_into().ok()?),
    })
}

fn lane_record(context: &Context, sequence: Sequence) -> Result<LaneRecord, ErrorCode> {
    let code = |error: CatalogueError| error.code();
    let catalogue = &context.catalogue;
    let newest = catalogue.newest_published_head().map_err(code)?;
    let settled = match catalogue.settled().map_err(code)? {
        Some(settled) => catalogue.head(settled).map_err(code)?,
        None => None,
    };
    let home = catalogue.sets().map_err(code)?.pop();
    let positions = home
        .as_ref()
        .and_then(|home| bitdust_crypto::verify(&home.record).ok())
        .map_or(Vec::new(), |record: SetRecord| record.positions);
    let suppliers = catalogue.suppliers().map_err(code)?;
    let mut contacts: Vec<_> = suppliers
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
        .collect();
    let place = |contact: &Contact| {
        let mut holders = positions.iter().map(|position| position.current);
        let is_theirs =
            holders.position(|holder| holder.is_some_and(|it| it.device == contact.device));
        is_theirs.unwrap_or(usize::MAX)
    };
    contacts.sort_by_key(place);
    contacts.truncate(limits::SUPPLIERS_PER_SET_MAX);
    Ok(fit(LaneRecord {
        lane: context.device,
        sequence,
        certificate: context.secrets.certificate.clone(),
        home: match home {
            Some(home) => Some(HomeSet {
                version: SetVersion {
                    set: home.set,
                    version: home.version,
                    hash: set_hash(&home.record),
                },
                k: bitdust_crypto::verify(&home.record)
                    .map_err(|_| ErrorCode::Internal)?
                    .k,
            }),
            None => None,
        },
        published: newest.as_ref().map(head_ref),
        settled: settled.as_ref().map(head_ref),
        suppliers: contacts,
    }))
}

const fn head_ref(head: &OwnHead) -> HeadRef {
    HeadRef {
        sequence: head.sequence,
        hash: head.hash,
    }
}

/// Bytes of a signature with its signer and the lengths around a signed document.
const SIGNED_ROOM: usize = 128;

/// Takes addresses, then suppliers, from the end of a lane record until it fits a locator.
/// A holder without addresses is looked up in the DHT.
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
    use bitdust_crypto::{DeviceKeys, Phrase};
    use bitdust_model::locator::{ClosedLane, DhtRecord};
    use bitdust_model::{DeviceId, Epoch, HeadHash, IdentityId, UnixMillis};

    use super::*;
    use crate::shared::testing::TestHome;

    fn root_record(root: &RootSecrets, sequence: u64) -> RootRecord {
        RootRecord {
            identity: root.identity(),
            epoch: Epoch(0),
            sequence: Sequence(sequence),
            nickname: "tester".to_owned(),
            devices: Vec::new(),
            fences: Vec::new(),
        }
    }

    fn keep_root(home: &TestHome, root: &RootSecrets, sequence: u64) {
        let record = root_record(root, sequence);
        let kept = seal_root(root, &home.context.network, &record).expect("short");
        home.context.catalogue.set_metas(kept).expect("it is kept");
    }

    /// Nobody in the DHT takes another record of the same number while one lives.
    #[tokio::test]
    async fn a_root_record_is_published_again_as_it_is_and_lanes_with_a_new_number() {
        let home = TestHome::new().await;
        let context = &home.context;
        assert_eq!(
            locators(context).await,
            Ok(Vec::new()),
            "nothing to lead to"
        );
        keep_root(&home, &home.root, 1);
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
        keep_root(&home, &home.root, 2);
        let changed = locators(context).await.expect("records");
        for (root, newer) in again[..slots].iter().zip(&changed[..slots]) {
            assert!(number(newer) > number(root), "one that changed is sealed");
        }
    }

    /// Whoever has the words alone could open it, and nobody would find it where it lies.
    #[tokio::test]
    async fn a_root_record_of_other_words_is_not_published() {
        let home = TestHome::new().await;
        keep_root(&home, &RootSecrets::from_phrase(&Phrase::generate()), 1);
        let refused = locators(&home.context).await.err();
        assert_eq!(refused, Some(ErrorCode::Internal));
    }

    #[tokio::test]
    async fn those_who_publish_at_the_same_time_number_their_lane_records_apart() {
        let home = TestHome::new().await;
        let context = &home.context;
        let all = futures::future::join_all((0..8).map(|_| lane_locators(context))).await;
        let all: Vec<_> = all.into_iter().map(|it| it.expect("records")).collect();
        let mut numbers = std::collections::BTreeSet::new();
        for records in &all {
            let lane: DhtRecord =
                bitdust_crypto::verify(&records[0].record).expect("it was just signed");
            numbers.insert(lane.sequence);
        }
        assert_eq!(numbers.len(), all.len(), "each lane record has its number");
    }

    /// As after an older copy of the disk was put back.
    #[tokio::test]
    async fn whoever_forgot_how_far_its_lane_records_were_goes_on_from_what_is_kept_of_them() {
        let home = TestHome::new().await;
        let context = &home.context;
        let number = |records: &[KeyedRecord]| {
            let lane: DhtRecord = bitdust_crypto::verify(&records[0].record).expect("signed");
            lane.sequence
        };
        for _ in 0..5 {
            lane_locators(context).await.expect("records");
        }
        let kept = lane_locators(context).await.expect("records");
        let again = count_past(context, kept.clone()).await;
        assert_eq!(again, Ok(false), "it is as far");
        let laid_back = context
            .catalogue
            .set_meta(LANE_SEQUENCE_KEY, &2_u64.to_le_bytes());
        laid_back.expect("kept");
        let elsewhere = KeyedRecord {
            key: kept[1].key,
            ..kept[0].clone()
        };
        let nobodys = count_past(context, vec![elsewhere]).await;
        assert_eq!(nobodys, Ok(false), "not what is sealed for another place");
        assert_eq!(count_past(context, kept.clone()).await, Ok(true));
        let next = lane_locators(context).await.expect("records");
        assert_eq!(number(&next), number(&kept).next());
    }

    #[tokio::test]
    async fn public_records_are_numbered_on_and_from_the_clock_where_none_was() {
        let home = TestHome::new().await;
        let seconds = wall_clock().0 / 1000;
        let first = next_public_sequence(&home.context).expect("a number");
        assert!(first.0 >= seconds);
        let second = next_public_sequence(&home.context).expect("a number");
        assert!(second > first);
        let [number, at] = [second.0 + 5_000_000, seconds + 5_000_000];
        let kept = [number.to_le_bytes(), at.to_le_bytes()].concat();
        let ahead = home.context.catalogue.set_meta(PUBLIC_SEQUENCE_KEY, &kept);
        ahead.expect("kept");
        let third = next_public_sequence(&home.context).expect("a number");
        assert_eq!(
            third,
            Sequence(number + 1),
            "the clock was wrong, or is now"
        );
    }

    #[test]
    fn as_many_closed_lanes_as_there_can_be_fit_a_locator() {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let lane = |number: u8| ClosedLane {
            lane: DeviceId([number; 32]),
            last: HeadRef {
                sequence: Sequence(2_000_000),
                hash: HeadHash([number; 32]),
            },
        };
        let record = RootRecord {
            nickname: "n".repeat(limits::NICKNAME_BYTES_MAX),
            devices: vec![DeviceId([0; 32])],
            fences: (1..).map(lane).take(limits::DEVICES_MAX - 1).collect(),
            ..root_record(&root, u64::from(u32::MAX))
        };
        assert!(seal_root(&root, "a-network-with-the-longest-name-", &record).is_ok());
    }

    #[test]
    fn thirty_suppliers_with_long_addresses_fit_a_locator() {
        let contact = |number: u8| Contact {
            identity: IdentityId([number; 32]),
            device: DeviceId([number; 32]),
            addresses: vec!["/ip6/2001:db8::1234/udp/40000/quic-v1/p2p/".repeat(3); 2],
        };
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let nickname = "n".repeat(limits::NICKNAME_BYTES_MAX);
        let record = LaneRecord {
            lane: DeviceId([0; 32]),
            sequence: Sequence(1),
            certificate: root.certify(&DeviceKeys::generate(), Epoch(0), &nickname, UnixMillis(1)),
            home: None,
            published: None,
            settled: None,
            suppliers: (0..30).map(contact).collect(),
        };
        let fitted = fit(record.clone());
        assert!(encode(&fitted).len() + SIGNED_ROOM <= limits::LOCATOR_PLAIN_BYTES_MAX);
        assert_eq!(fitted.suppliers.len(), 30, "one address each is enough");
        assert_ne!(fitted, record);
    }
}
