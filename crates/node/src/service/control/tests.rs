//! What customers are given, and of what they are refused.

use bitdust_crypto::{DeviceKeys, LocatorKey, Phrase, RootSecrets, dht_key};
use bitdust_model::HeadRef;
use bitdust_model::deletion::{Deletion, Tombstone, TombstoneRef};
use bitdust_model::head::Head;
use bitdust_model::locator::{Addresses, Certificate, Contact, DhtRecord};
use bitdust_model::set::SetRecord;
use bitdust_model::shard::SignedHeader;
use bitdust_model::{
    ByteCount, Document, Epoch, HeadHash, IdentityId, PackId, Position, TombstoneHash, encode,
};
use bitdust_pipeline::shard::shard_id;

use super::*;
use crate::shared::testing::{TestHome, forged, head, set_record};

/// A shard that is kept, and its header as it was signed.
type Kept = (ShardId, SignedHeader);

/// A device of a person, as the other end of a connection.
struct Customer {
    identity: IdentityId,
    device: DeviceKeys,
    certificate: Signed<Certificate>,
}

impl Customer {
    fn of(person: &RootSecrets) -> Self {
        let device = DeviceKeys::generate();
        Self {
            identity: person.identity(),
            certificate: person.certify(&device, Epoch(0), "", wall_clock()),
            device,
        }
    }

    fn lane(&self) -> DeviceId {
        self.device.device()
    }

    fn peer(&self) -> Peer {
        Peer {
            device: self.lane(),
            identity: self.identity,
        }
    }

    async fn ask(&self, home: &TestHome, body: Body) -> Result<Body, ErrorCode> {
        serve(&home.context, self.peer(), body).await
    }

    fn sign<T: Document>(&self, document: &T) -> Signed<T> {
        self.device.signing().sign(document)
    }

    fn head(&self, sequence: u64) -> Head {
        head(self.identity, self.lane(), sequence)
    }

    fn set(&self) -> SetRecord {
        set_record(self.identity, self.lane(), 2)
    }

    /// Its head with this number, and no sets.
    fn bundle(&self, sequence: u64) -> HeadBundle {
        HeadBundle {
            head: self.sign(&self.head(sequence)),
            sets: Vec::new(),
            certificate: self.certificate.clone(),
        }
    }

    /// Says which packs of its lane nobody needs.
    fn tombstone(&self, number: u64, packs: &[PackId]) -> Signed<Tombstone> {
        self.sign(&Tombstone {
            owner: self.identity,
            lane: self.lane(),
            number: Sequence(number),
            previous: TombstoneHash([0; 32]),
            packs: packs.to_vec(),
            written_at: wall_clock(),
        })
    }

    /// Its head with this number, which names a tombstone.
    fn head_with(&self, sequence: u64, tombstone: &Signed<Tombstone>) -> HeadBundle {
        let number = verify_by(tombstone, &self.lane().0)
            .expect("its own")
            .number;
        let hash = tombstone_hash(tombstone);
        let head = Head {
            tombstone: Some(TombstoneRef { number, hash }),
            ..self.head(sequence)
        };
        HeadBundle {
            head: self.sign(&head),
            ..self.bundle(sequence)
        }
    }

    fn keep_shard(&self, home: &TestHome, pack: u8, bytes: &[u8]) -> Kept {
        let header = home.keep_shard(self.identity, &self.device, pack, bytes);
        (shard_id(bytes), header)
    }

    /// All shards of its lane.
    async fn listed(&self, home: &TestHome) -> Result<Body, ErrorCode> {
        let (lane, after) = (self.lane(), None);
        self.ask(home, Body::List { lane, after }).await
    }
}

fn person() -> RootSecrets {
    RootSecrets::from_phrase(&Phrase::generate())
}

fn listing(kept: &[Kept], more: bool) -> Result<Body, ErrorCode> {
    let headers = kept.iter();
    let headers = headers.map(|(_, header)| (Position(0), header.clone()));
    Ok(Body::Listing {
        headers: headers.collect(),
        more,
    })
}

fn put(bundle: HeadBundle) -> Body {
    Body::HeadPut {
        bundle: Box::new(bundle),
        between: Vec::new(),
        receipts: Vec::new(),
    }
}

fn delete(tombstone: Signed<Tombstone>) -> Body {
    let grant = None;
    Body::Delete { tombstone, grant }
}

const ALL_HEADS: Body = Body::HeadsAsk { after: None };

/// Heads of lanes of which nothing was lost.
fn heads(bundles: Vec<HeadBundle>) -> Result<Body, ErrorCode> {
    let lanes = bundles.into_iter().map(|bundle| LaneHeads {
        tips: vec![bundle],
        are_lists_complete: true,
    });
    Ok(Body::Heads {
        lanes: lanes.collect(),
        more: false,
    })
}

#[tokio::test]
async fn a_device_deletes_its_own_packs_and_is_told_what_is_free() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let stranger = Customer::of(&person());
    let shards: [&[u8]; 2] = [b"of the laptop", b"also of the laptop"];
    for (pack, bytes) in (1..).zip(shards) {
        laptop.keep_shard(&home, pack, bytes);
    }
    let kept_bytes: u64 = shards.iter().map(|bytes| bytes.len() as u64).sum();
    let others = [
        (&desktop, desktop.keep_shard(&home, 3, b"of the desktop")),
        (&stranger, stranger.keep_shard(&home, 1, b"of a stranger")),
    ];
    let tombstone = laptop.tombstone(1, &[1, 2, 3].map(|pack| PackId([pack; 32])));
    let answer = laptop.ask(&home, put(laptop.head_with(1, &tombstone)));
    assert!(answer.await.is_ok());
    for (bytes, what) in [(kept_bytes, "what is the laptop's"), (0, "nothing is left")] {
        let deleted = laptop.ask(&home, delete(tombstone.clone())).await;
        let (bytes, packs) = (ByteCount(bytes), vec![Deletion::Done; 3]);
        assert_eq!(deleted, Ok(Body::Deleted { packs, bytes }), "{what}");
    }
    assert_eq!(laptop.listed(&home).await, listing(&[], false));
    for (other, kept) in others {
        assert_eq!(other.listed(&home).await, listing(&[kept], false));
    }
}

#[tokio::test]
async fn nothing_is_deleted_that_no_head_of_the_lane_gave_up() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let kept = laptop.keep_shard(&home, 1, b"of the laptop");
    let packs = [PackId([1; 32])];
    let [first, second] = [1, 2].map(|number| laptop.tombstone(number, &packs));
    let refused = laptop.ask(&home, delete(first.clone())).await;
    assert_eq!(refused, Err(ErrorCode::NotAllowed), "there is no head");
    let answer = laptop.ask(&home, put(laptop.head_with(1, &first)));
    assert!(answer.await.is_ok());
    let (not_authentic, not_allowed) = (ErrorCode::NotAuthentic, ErrorCode::NotAllowed);
    for (bad, code, what) in [
        (second, not_allowed, "a later one"),
        (
            laptop.tombstone(1, &[]),
            not_allowed,
            "another of its number",
        ),
        (
            desktop.tombstone(1, &packs),
            not_authentic,
            "another lane's",
        ),
        (forged(first.clone()), not_authentic, "nobody's word"),
    ] {
        let answer = laptop.ask(&home, delete(bad)).await;
        assert_eq!(answer, Err(code), "{what}");
    }
    assert_eq!(laptop.listed(&home).await, listing(&[kept], false));
    assert!(laptop.ask(&home, delete(first)).await.is_ok());
}

#[tokio::test]
async fn whoever_was_declared_gone_deletes_nothing() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let kept = laptop.keep_shard(&home, 1, b"of the laptop");
    let tombstone = laptop.tombstone(1, &[PackId([1; 32])]);
    let answer = laptop.ask(&home, put(laptop.head_with(1, &tombstone)));
    assert!(answer.await.is_ok());
    let last = HeadRef {
        sequence: Sequence(0),
        hash: HeadHash([0; 32]),
    };
    let fence = Body::FencePut(alice.fence(laptop.lane(), last, wall_clock()));
    assert_eq!(desktop.ask(&home, fence).await, Ok(Body::Done));
    let refused = laptop.ask(&home, delete(tombstone)).await;
    assert_eq!(refused, Err(ErrorCode::Fenced));
    assert_eq!(laptop.listed(&home).await, listing(&[kept], false));
}

#[tokio::test]
async fn a_listing_goes_on_where_it_was_cut() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let mut kept: Vec<Kept> = (1..=3)
        .map(|pack| laptop.keep_shard(&home, pack, &[pack; 9]))
        .collect();
    kept.sort_by_key(|(shard, _)| *shard);
    let of_desktop = desktop.keep_shard(&home, 4, b"of the desktop");
    let page = async |after: Option<ShardId>, limit: usize| {
        list(&home.context, desktop.peer(), laptop.lane(), after, limit).await
    };
    assert_eq!(page(None, 2).await, listing(&kept[..2], true));
    let after = Some(kept[1].0);
    assert_eq!(page(after, 2).await, listing(&kept[2..], false));
    assert_eq!(page(None, 3).await, listing(&kept, false), "no more");

    let asked = |after| {
        let lane = laptop.lane();
        Body::List { lane, after }
    };
    let whole = desktop.ask(&home, asked(None)).await;
    assert_eq!(whole, listing(&kept, false), "of any lane of hers");
    let rest = desktop.ask(&home, asked(after)).await;
    assert_eq!(rest, listing(&kept[2..], false));
    assert_eq!(desktop.listed(&home).await, listing(&[of_desktop], false));
    let stranger = Customer::of(&person());
    let nothing = stranger.ask(&home, asked(None)).await;
    assert_eq!(nothing, listing(&[], false), "nobody else's");
}

#[tokio::test]
async fn a_head_is_kept_in_the_lane_of_its_signer_only() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let stranger = person().identity();
    let (own, of_stranger) = (laptop.head(1), head(stranger, laptop.lane(), 1));
    let (not_authentic, not_allowed) = (ErrorCode::NotAuthentic, ErrorCode::NotAllowed);
    for (head, code, what) in [
        (desktop.sign(&own), not_authentic, "another device's word"),
        (forged(laptop.sign(&own)), not_authentic, "nobody's word"),
        (laptop.sign(&of_stranger), not_allowed, "another person's"),
        (laptop.sign(&desktop.head(1)), not_allowed, "another lane"),
    ] {
        let bundle = HeadBundle {
            head,
            ..laptop.bundle(1)
        };
        let answer = laptop.ask(&home, put(bundle));
        assert_eq!(answer.await, Err(code), "{what}");
    }
    for (certificate, code, what) in [
        (desktop.certificate.clone(), not_allowed, "another device's"),
        (forged(laptop.certificate.clone()), not_authentic, "forged"),
        (
            person().certify(&laptop.device, Epoch(0), "", wall_clock()),
            not_allowed,
            "of another person",
        ),
    ] {
        let bundle = HeadBundle {
            certificate,
            ..laptop.bundle(1)
        };
        let answer = laptop.ask(&home, put(bundle));
        assert_eq!(answer.await, Err(code), "{what}");
    }
    let (own, of_stranger) = (laptop.set(), set_record(stranger, laptop.lane(), 2));
    for (set, code, what) in [
        (desktop.sign(&own), not_authentic, "another device's set"),
        (forged(laptop.sign(&own)), not_authentic, "nobody's set"),
        (laptop.sign(&of_stranger), not_allowed, "a stranger's set"),
        (laptop.sign(&desktop.set()), not_allowed, "another lane's"),
    ] {
        let sets = vec![laptop.sign(&own), set];
        let bundle = HeadBundle {
            sets,
            ..laptop.bundle(1)
        };
        let answer = laptop.ask(&home, put(bundle)).await;
        assert_eq!(answer, Err(code), "{what}");
    }
    let kept = laptop.ask(&home, ALL_HEADS).await;
    assert_eq!(kept, heads(Vec::new()), "none of them");
}

#[tokio::test]
async fn a_head_that_is_kept_has_a_receipt_and_is_given_back() {
    let home = TestHome::new().await;
    let alice = person();
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let bundle = HeadBundle {
        sets: vec![laptop.sign(&laptop.set())],
        ..laptop.bundle(7)
    };
    let answer = laptop.ask(&home, put(bundle.clone())).await;
    let Ok(Body::HeadKept(signed)) = answer else {
        panic!("it is kept");
    };
    let receipt = verify_by(&signed, &home.context.device.0).expect("the supplier's word");
    let expected = HeadReceipt {
        supplier: home.context.device,
        lane: laptop.lane(),
        sequence: Sequence(7),
        head: head_hash(&bundle.head),
        set_version: laptop.set().version,
        are_lists_complete: true,
        own_days: None,
        received_at: receipt.received_at,
    };
    assert_eq!(receipt, expected);
    let told = desktop.ask(&home, ALL_HEADS).await;
    assert_eq!(told, heads(vec![bundle]), "to any of hers");
    let stranger = Customer::of(&person());
    let told = stranger.ask(&home, ALL_HEADS).await;
    assert_eq!(told, heads(Vec::new()), "to nobody else");
}

/// What links a head to those before it is believed only as far as its signatures go.
#[tokio::test]
async fn a_head_is_linked_by_what_the_right_ones_signed() {
    let home = TestHome::new().await;
    let alice = person();
    let [laptop, desktop] = [(); 2].map(|()| Customer::of(&alice));
    let chained = |sequence, previous: &Signed<Head>| {
        let head = Head {
            previous: head_hash(previous),
            ..laptop.head(sequence)
        };
        laptop.sign(&head)
    };
    let first = laptop.bundle(1);
    laptop.ask(&home, put(first.clone())).await.expect("kept");
    let second = chained(2, &first.head);
    let third = HeadBundle {
        head: chained(3, &second),
        ..first.clone()
    };
    let receipt = |by: &DeviceKeys, supplier: DeviceId, of: &Signed<Head>| {
        by.signing().sign(&HeadReceipt {
            supplier,
            lane: laptop.lane(),
            sequence: Sequence(2),
            head: head_hash(of),
            set_version: Sequence(1),
            are_lists_complete: true,
            own_days: None,
            received_at: wall_clock(),
        })
    };
    let [bob, carol] = [(); 2].map(|()| DeviceKeys::generate());
    let of_bob = receipt(&bob, bob.device(), &second);
    let foreign = desktop.sign(&desktop.head(2));
    let by_another = receipt(&bob, carol.device(), &second);
    let of_another = receipt(&carol, carol.device(), &first.head);
    let two = [of_bob.clone(), of_another];
    for (between, receipts, refused, why) in [
        (vec![], vec![], ErrorCode::Forked, "one is missing"),
        (vec![foreign], vec![], ErrorCode::NotAuthentic, "another's"),
        (
            vec![forged(second.clone())],
            vec![],
            ErrorCode::NotAuthentic,
            "forged",
        ),
        (
            vec![second.clone(); limits::HEADS_BETWEEN_MAX + 1],
            vec![],
            ErrorCode::Malformed,
            "too many",
        ),
        (
            vec![],
            vec![by_another],
            ErrorCode::NotAuthentic,
            "not its own word",
        ),
        (
            vec![],
            two.to_vec(),
            ErrorCode::NotAuthentic,
            "of two heads",
        ),
        (vec![], vec![of_bob], ErrorCode::Forked, "no quorum"),
    ] {
        let body = Body::HeadPut {
            bundle: Box::new(third.clone()),
            between,
            receipts,
        };
        assert_eq!(laptop.ask(&home, body).await, Err(refused), "{why}");
    }
    let body = Body::HeadPut {
        bundle: Box::new(third.clone()),
        between: vec![second],
        receipts: Vec::new(),
    };
    let answer = laptop.ask(&home, body).await;
    assert!(matches!(answer, Ok(Body::HeadKept(_))), "{answer:?}");
    assert_eq!(desktop.ask(&home, ALL_HEADS).await, heads(vec![third]));
    let older = laptop.ask(&home, put(first)).await;
    assert_eq!(older, Err(ErrorCode::Stale));
}

#[tokio::test]
async fn records_are_kept_for_a_customer_where_all_are_valid_locators() {
    let home = TestHome::new().await;
    let person = person();
    let alice = Customer::of(&person);
    let record = |slot: u8, network: &str| {
        let key = LocatorKey::root(&person, slot);
        let (sequence, now) = (Sequence(1), wall_clock());
        KeyedRecord {
            key: key.dht_key(),
            record: key.seal(network, sequence, now, b"who I am"),
        }
    };
    let network = &*home.context.network;
    let (good, other) = (record(0, network), record(1, network));
    let altered = KeyedRecord {
        record: forged(other.record.clone()),
        ..other
    };
    let moved = KeyedRecord {
        key: other.key,
        record: good.record.clone(),
    };
    let too_many = vec![good.clone(); limits::DEPOSITS_PER_CUSTOMER_MAX];
    let (not_authentic, not_allowed) = (ErrorCode::NotAuthentic, ErrorCode::NotAllowed);
    for (bad, code, what) in [
        (vec![altered], not_authentic, "nobody's word"),
        (vec![moved], not_authentic, "another place"),
        (vec![record(1, "else")], not_authentic, "another network"),
        (vec![addresses(&home, &alice)], not_allowed, "no locator"),
        (too_many, ErrorCode::Malformed, "one too many"),
    ] {
        let records = [vec![good.clone()], bad].concat();
        let answer = alice.ask(&home, Body::Deposit(records)).await;
        assert_eq!(answer, Err(code), "{what}");
    }
    let located = async || locate(&home.context, vec![good.key]).await;
    assert_eq!(located().await, Ok(Body::Located(Vec::new())), "none");
    let answer = alice.ask(&home, Body::Deposit(vec![good.clone()])).await;
    assert_eq!(answer, Ok(Body::Located(Vec::new())), "all are kept");
    assert_eq!(located().await, Ok(Body::Located(vec![good.clone()])));
    // Sealed again under its number.
    let another = alice.ask(&home, Body::Deposit(vec![record(0, network)]));
    assert_eq!(
        another.await,
        Ok(Body::Located(vec![good.clone()])),
        "kept instead"
    );
}

/// A record of another kind that is as it should be.
fn addresses(home: &TestHome, customer: &Customer) -> KeyedRecord {
    let contact = Contact {
        identity: customer.identity,
        device: customer.lane(),
        addresses: Vec::new(),
    };
    let record = DhtRecord {
        kind: RecordKind::Addresses,
        network: home.context.network.to_string(),
        sequence: Sequence(1),
        written_at: wall_clock(),
        body: encode(&Addresses { contact }),
    };
    KeyedRecord {
        key: dht_key(RecordKind::Addresses, &customer.lane().0),
        record: customer.sign(&record),
    }
}

#[tokio::test]
async fn a_lane_is_closed_by_the_root_key_of_its_identity_only() {
    let home = TestHome::new().await;
    let (alice, mallory) = (person(), person());
    let (laptop, desktop) = (Customer::of(&alice), Customer::of(&alice));
    let (lane, now) = (laptop.lane(), wall_clock());
    let last = HeadRef {
        sequence: Sequence(2),
        hash: head_hash(&laptop.bundle(2).head),
    };
    let fence = |identity: IdentityId| Fence {
        identity,
        lane,
        last,
        issued_at: now,
    };
    let good = alice.fence(lane, last, now);
    let of_device = desktop.sign(&fence(alice.identity()));
    let of_other = mallory.signing().sign(&fence(alice.identity()));
    let for_other = alice.signing().sign(&fence(mallory.identity()));
    let (not_authentic, not_allowed) = (ErrorCode::NotAuthentic, ErrorCode::NotAllowed);
    for (bad, code, what) in [
        (of_device, not_authentic, "a device's word"),
        (of_other, not_authentic, "another person's word"),
        (forged(good.clone()), not_authentic, "nobody's word"),
        (for_other, not_allowed, "another person's lane"),
    ] {
        let answer = desktop.ask(&home, Body::FencePut(bad)).await;
        assert_eq!(answer, Err(code), "{what}");
    }
    let kept = |person: &RootSecrets| home.context.shards.fences(person.identity());
    for person in [&alice, &mallory] {
        assert!(kept(person).expect("read").is_empty(), "none of them");
    }
    let answer = desktop.ask(&home, Body::FencePut(good.clone())).await;
    assert_eq!(answer, Ok(Body::Done));
    assert_eq!(kept(&alice).expect("read"), [good]);
    let beyond = laptop.ask(&home, put(laptop.bundle(3))).await;
    assert_eq!(beyond, Err(ErrorCode::Fenced));
    let before = laptop.ask(&home, put(laptop.bundle(2))).await;
    assert!(before.is_ok(), "the last one that counts");
}

#[tokio::test]
async fn what_is_no_request_to_a_store_is_malformed() {
    let home = TestHome::new().await;
    let alice = Customer::of(&person());
    for body in [
        Body::Done,
        Body::SpaceAsk,
        Body::SpaceFree(ByteCount(1)),
        Body::Deleted {
            packs: Vec::new(),
            bytes: ByteCount(1),
        },
        Body::Listing {
            headers: Vec::new(),
            more: false,
        },
        Body::Heads {
            lanes: Vec::new(),
            more: false,
        },
        Body::Locate(Vec::new()),
        Body::Located(Vec::new()),
    ] {
        let name = format!("{body:?}");
        let answer = alice.ask(&home, body).await;
        assert_eq!(answer, Err(ErrorCode::Malformed), "{name}");
    }
}
