//! A root record that another machine of the identity wrote, learnt from suppliers: a recovery that joined, or one
//! that took the place of this machine.
//!
//! Only the words can sign one. This machine keeps it as it is, and publishes it in place of its own.

use bitdust_crypto::verify_by;
use bitdust_model::locator::{KeyedRecord, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, Signed, decode, encode, limits};
use bitdust_store::{Catalogue, CatalogueError};

use crate::shared::context::Context;
use crate::shared::records::{KeptRoot, ROOT_KEY, SEALED_ROOT_KEY, SealedRoot};
use crate::shared::task::blocking;

/// A root record as it lies in a slot.
struct Told {
    record: RootRecord,
    signed: Signed<RootRecord>,
    sealed: KeyedRecord,
}

/// Asks a supplier for the root record that it keeps, which takes the place of an older one. Says whether the
/// lane of this machine is closed.
pub(crate) async fn learn_root(context: &Context, device: DeviceId) -> Result<bool, ErrorCode> {
    let slots = context.secrets.root_slots.iter();
    let keys = slots.map(|slot| slot.dht_key()).collect();
    let answer = context.net.request(device, Body::Locate(keys)).await;
    let Body::Located(records) = answer.map_err(|error| error.code())? else {
        return Ok(false);
    };
    let worker = context.clone();
    let learnt = blocking(move || {
        let newer = newest(&worker, records)?;
        if !newer.is_empty() {
            worker.catalogue.set_metas(newer)?;
        }
        is_replaced(&worker)
    });
    learnt.await?.map_err(|error: CatalogueError| error.code())
}

/// Whether the root record that is kept closes the lane of this machine.
pub(crate) fn is_replaced(context: &Context) -> Result<bool, CatalogueError> {
    let root = kept(&context.catalogue, context)?;
    Ok(root.is_some_and(|root| closes(&root, context.device)))
}

fn closes(root: &RootRecord, device: DeviceId) -> bool {
    root.fences.iter().any(|fence| fence.lane == device)
}

/// One that does not read is none: a start says that it is damaged.
fn kept(catalogue: &Catalogue, context: &Context) -> Result<Option<RootRecord>, CatalogueError> {
    let bytes = catalogue.get_meta(ROOT_KEY)?;
    let kept = bytes.and_then(|bytes| decode::<KeptRoot>(&bytes).ok());
    Ok(kept.and_then(|kept| verify_by(&kept.record, &context.identity.0).ok()))
}

/// A root record that is newer than the one that is kept, as the catalogue keeps it; nothing: there is none. One that does not name this
/// machine would lead away from what it writes: of two recoveries that knew nothing of each other each keeps its own,
/// and readers unite them.
fn newest(
    context: &Context,
    records: Vec<KeyedRecord>,
) -> Result<Vec<(String, Vec<u8>)>, CatalogueError> {
    // A machine that only restores has none, and is named by none.
    let Some(own) = kept(&context.catalogue, context)? else {
        return Ok(Vec::new());
    };
    let slots = usize::from(limits::LOCATOR_SLOTS);
    let told = records.into_iter().take(slots);
    let mut told: Vec<_> = told.filter_map(|record| open(context, record)).collect();
    let device = context.device;
    told.retain(|told| {
        let root = &told.record;
        root.sequence > own.sequence && (root.devices.contains(&device) || closes(root, device))
    });
    let Some(sequence) = told.iter().map(|told| told.record.sequence).max() else {
        return Ok(Vec::new());
    };
    told.retain(|told| told.record.sequence == sequence);
    told.dedup_by_key(|told| told.sealed.key);
    // It is published as it is: with a slot missing nobody would find it there.
    let Some(signed) = told.first().map(|told| told.signed.clone()) else {
        return Ok(Vec::new());
    };
    if told.len() < slots {
        return Ok(Vec::new());
    }
    let records = told.into_iter().map(|told| told.sealed).collect();
    let kept = KeptRoot {
        sequence,
        record: signed,
    };
    Ok(vec![
        (ROOT_KEY.to_owned(), encode(&kept)),
        (SEALED_ROOT_KEY.to_owned(), encode(&SealedRoot { records })),
    ])
}

/// What lies in a slot of the identity, if the root key signed it.
fn open(context: &Context, sealed: KeyedRecord) -> Option<Told> {
    let mut slots = context.secrets.root_slots.iter();
    let slot = slots.find(|slot| slot.dht_key() == sealed.key)?;
    let plain = slot.open(&sealed.record, &context.network).ok()?;
    let signed = postcard::from_bytes::<Signed<RootRecord>>(&plain).ok()?;
    let record = verify_by(&signed, &context.identity.0).ok()?;
    Some(Told {
        record,
        signed,
        sealed,
    })
}

#[cfg(test)]
mod tests {
    use bitdust_model::locator::ClosedLane;
    use bitdust_model::{Epoch, HeadHash, HeadRef, Sequence};

    use super::*;
    use crate::shared::records::seal_root;
    use crate::shared::testing::TestHome;

    const OTHER: DeviceId = DeviceId([7; 32]);

    /// As the catalogue keeps it, and as it lies with suppliers.
    fn sealed(home: &TestHome, record: &RootRecord) -> (Vec<(String, Vec<u8>)>, Vec<KeyedRecord>) {
        let kept = seal_root(&home.root, &home.context.network, record).expect("short");
        let (_, bytes) = kept.last().expect("the sealed one");
        let records = decode::<SealedRoot>(bytes).expect("as written").records;
        (kept, records)
    }

    fn root(
        home: &TestHome,
        sequence: u64,
        devices: &[DeviceId],
        closed: &[DeviceId],
    ) -> RootRecord {
        let last = HeadRef {
            sequence: Sequence(1),
            hash: HeadHash([0; 32]),
        };
        let fences = closed.iter().map(|&lane| ClosedLane { lane, last });
        RootRecord {
            identity: home.context.identity,
            epoch: Epoch(0),
            sequence: Sequence(sequence),
            nickname: "alice".to_owned(),
            devices: devices.to_vec(),
            fences: fences.collect(),
        }
    }

    fn learn(home: &TestHome, records: Vec<KeyedRecord>) -> bool {
        let newer = newest(&home.context, records).expect("read");
        let is_newer = !newer.is_empty();
        home.context.catalogue.set_metas(newer).expect("kept");
        is_newer
    }

    #[tokio::test]
    async fn a_newer_root_record_takes_the_place_of_the_own_and_may_close_its_lane() {
        let home = TestHome::new().await;
        let own = home.context.device;
        let of = |sequence, devices: &[DeviceId], closed: &[DeviceId]| {
            sealed(&home, &root(&home, sequence, devices, closed))
        };
        let (_, joined) = of(3, &[own, OTHER], &[]);
        assert!(!learn(&home, joined.clone()), "it only restores");
        home.context
            .catalogue
            .set_metas(of(2, &[own], &[]).0)
            .expect("kept");
        assert!(!learn(&home, Vec::new()), "nobody keeps one");
        assert!(!learn(&home, of(2, &[own, OTHER], &[]).1), "not newer");
        assert!(
            !learn(&home, of(4, &[OTHER], &[]).1),
            "it leads away from here"
        );
        assert!(!learn(&home, joined[1..].to_vec()), "a slot is missing");
        assert!(!is_replaced(&home.context).expect("read"));
        assert!(learn(&home, joined.clone()));
        let published = crate::shared::records::locators(&home.context).await;
        assert_eq!(published.expect("made")[..joined.len()], joined, "as it is");
        assert!(!is_replaced(&home.context).expect("read"));
        assert!(learn(&home, of(5, &[OTHER], &[own]).1));
        assert!(is_replaced(&home.context).expect("read"));
    }

    /// Whoever knows where the slots are may put there what it likes.
    #[tokio::test]
    async fn what_the_root_key_did_not_sign_is_not_learnt() {
        let home = TestHome::new().await;
        let own = home.context.device;
        home.context
            .catalogue
            .set_metas(sealed(&home, &root(&home, 2, &[own], &[])).0)
            .expect("kept");
        let other = TestHome::new().await;
        let (_, foreign) = sealed(&other, &root(&home, 9, &[OTHER], &[own]));
        assert!(!learn(&home, foreign));
    }
}
