//! Signatures: what is believed, and that every altered part is noticed.

use bitdust_crypto::{
    SigningKey, VerifyError, contract_id, head_hash, verify, verify_by, verify_certificate,
    verify_header,
};
use bitdust_model::HeadRef;
use bitdust_model::codec::{DecodeError, Versioned};
use bitdust_model::contract::Contract;
use bitdust_model::head::Head;
use bitdust_model::locator::{Certificate, Fence};
use bitdust_model::manifest::PackKind;
use bitdust_model::shard::{SignedHeader, StoreHeader, StoreSupplement};
use bitdust_model::{
    CodeVersion, DeviceId, Document, Epoch, HeadHash, IdentityId, PackId, Position, Sequence,
    SetId, ShardId, Signed, UnixMillis, limits,
};
use serde::{Deserialize, Serialize};

use crate::world::Person;

#[test]
fn what_was_signed_is_believed() {
    let key = SigningKey::generate();
    let signed = key.sign(&fence());
    assert_eq!(verify(&signed), Ok(fence()));
    assert_eq!(verify_by(&signed, &key.public()), Ok(fence()));
    assert_eq!(signed.signer, key.public());
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let signed = SigningKey::generate().sign(&fence());
    for index in 0..signed.bytes.len() {
        let mut altered = signed.clone();
        altered.bytes[index] ^= 1;
        assert!(verify(&altered).is_err(), "byte {index} of the document");
    }
    for index in 0..32 {
        let mut altered = signed.clone();
        altered.signer[index] ^= 1;
        assert!(verify(&altered).is_err(), "byte {index} of the signer");
    }
    for index in 0..64 {
        let mut altered = signed.clone();
        altered.signature.0[index] ^= 1;
        assert!(verify(&altered).is_err(), "byte {index} of the signature");
    }
}

#[test]
fn a_change_of_any_field_needs_a_new_signature() {
    let signed = SigningKey::generate().sign(&fence());
    let changes: [fn(&mut Fence); 4] = [
        |fence| fence.identity = IdentityId([9; 32]),
        |fence| fence.lane = DeviceId([9; 32]),
        |fence| fence.last.sequence = Sequence(9),
        |fence| fence.issued_at = UnixMillis(9),
    ];
    for change in changes {
        let mut changed = fence();
        change(&mut changed);
        let bytes = bitdust_model::encode(&changed);
        let altered = Signed::<Fence>::from_parts(bytes, signed.signer, signed.signature);
        assert_eq!(verify(&altered), Err(VerifyError::Forged { kind: "fence" }));
    }
}

/// A document with the form of [`Fence`] and another kind.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Twin(Fence);

impl Versioned for Twin {
    const KIND: &'static str = "twin";
    const BYTES_MAX: usize = 256;
}
impl Document for Twin {}

#[test]
fn a_signature_of_one_kind_is_worth_nothing_for_another() {
    let signed = SigningKey::generate().sign(&fence());
    let twin = Signed::<Twin>::from_parts(signed.bytes, signed.signer, signed.signature);
    assert_eq!(verify(&twin), Err(VerifyError::Forged { kind: "twin" }));
    let honest = SigningKey::generate().sign(&Twin(fence()));
    assert_eq!(
        verify(&honest),
        Ok(Twin(fence())),
        "the form itself is fine"
    );
}

#[test]
fn another_signer_than_expected_is_refused() {
    let key = SigningKey::generate();
    let signed = key.sign(&fence());
    let other = SigningKey::generate().public();
    assert_eq!(
        verify_by(&signed, &other),
        Err(VerifyError::WrongSigner { kind: "fence" })
    );
}

#[test]
fn too_many_bytes_are_refused_before_anything_is_computed() {
    let key = SigningKey::generate();
    let mut signed = key.sign(&fence());
    signed.bytes.resize(Fence::BYTES_MAX + 1, 0);
    let refused = verify(&signed);
    assert!(matches!(
        refused,
        Err(VerifyError::Decode(DecodeError::TooLong { .. }))
    ));
}

#[test]
fn a_small_order_key_signs_nothing() {
    let signed = SigningKey::generate().sign(&fence());
    let mut identity_point = [0; 32];
    identity_point[0] = 1;
    let mut forged = Signed::<Fence>::from_parts(signed.bytes, identity_point, signed.signature);
    forged.signature.0 = [0; 64];
    forged.signature.0[0] = 1;
    assert_eq!(verify(&forged), Err(VerifyError::Forged { kind: "fence" }));
}

#[test]
fn a_certificate_must_be_signed_by_the_identity_it_names() {
    let alice = Person::new();
    let believed = verify_certificate(&alice.home.certificate).expect("the root signed it");
    assert_eq!(believed.device, alice.home.device.device());

    let forger = SigningKey::generate();
    let forged: Signed<Certificate> = forger.sign(&believed);
    let refused = verify_certificate(&forged);
    assert_eq!(
        refused,
        Err(VerifyError::WrongSigner {
            kind: "certificate"
        })
    );
}

#[test]
fn hashes_are_of_the_signed_bytes() {
    let expected = *blake3::hash(b"bytes").as_bytes();
    let signature = SigningKey::generate().sign(&fence()).signature;
    let head = Signed::<Head>::from_parts(b"bytes".to_vec(), [0; 32], signature);
    assert_eq!(head_hash(&head).0, expected);
    let contract = Signed::<Contract>::from_parts(b"bytes".to_vec(), [0; 32], signature);
    assert_eq!(contract_id(&contract).0, expected);
}

#[test]
fn a_seed_gives_its_key_again() {
    let key = SigningKey::generate();
    assert_eq!(SigningKey::from_seed(&key.seed()).public(), key.public());
    assert_ne!(SigningKey::generate().public(), key.public());
}

#[test]
fn epochs_of_a_home_go_up_to_the_newest() {
    let home = Person::new().home;
    assert!(home.epoch(Epoch(0)).is_some());
    assert_eq!(home.newest_epoch().epoch(), Epoch(1));
    assert!(home.epoch(Epoch(2)).is_none());
}

fn store_header(lane: &SigningKey, shards: usize) -> StoreHeader {
    StoreHeader {
        owner: IdentityId([1; 32]),
        lane: DeviceId(lane.public()),
        epoch: Epoch(0),
        set: SetId([2; 32]),
        pack: PackId([3; 32]),
        kind: PackKind::Data,
        k: 1,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: 5,
        shard_bytes: 5,
        shards: (0..shards).map(shard).collect(),
    }
}

fn shard(number: usize) -> ShardId {
    ShardId([u8::try_from(number).expect("few"); 32])
}

#[test]
fn the_header_of_a_pack_is_believed_with_what_its_lane_added() {
    let (laptop, mallory) = (SigningKey::generate(), SigningKey::generate());
    let plain = store_header(&laptop, 2);
    let supplement = |first: u8, shards: std::ops::Range<usize>| StoreSupplement {
        owner: plain.owner,
        lane: plain.lane,
        pack: plain.pack,
        first: Position(first),
        shards: shards.map(shard).collect(),
    };
    let with = |supplement: Signed<StoreSupplement>| SignedHeader {
        header: laptop.sign(&plain),
        supplement: Some(supplement),
    };
    let kind = StoreHeader::KIND;
    let inconsistent = Err(VerifyError::Inconsistent { kind });
    let wrong_signer = |kind| Err(VerifyError::WrongSigner { kind });
    for (signed, believed, what) in [
        (laptop.sign(&plain).into(), Ok(plain.clone()), "as it was"),
        (
            with(laptop.sign(&supplement(2, 2..4))),
            Ok(store_header(&laptop, 4)),
            "grown",
        ),
        (mallory.sign(&plain).into(), wrong_signer(kind), "another's"),
        (
            with(mallory.sign(&supplement(2, 2..4))),
            wrong_signer(StoreSupplement::KIND),
            "grown by another",
        ),
        (
            with(laptop.sign(&supplement(1, 1..3))),
            inconsistent.clone(),
            "a shard in place of another",
        ),
        (
            laptop
                .sign(&store_header(&laptop, limits::SUPPLIERS_PER_SET_MAX + 1))
                .into(),
            inconsistent,
            "more than a set has",
        ),
    ] {
        assert_eq!(verify_header(&signed), believed, "{what}");
    }
}

fn fence() -> Fence {
    Fence {
        identity: IdentityId([1; 32]),
        lane: DeviceId([2; 32]),
        last: HeadRef {
            sequence: Sequence(3),
            hash: HeadHash([3; 32]),
        },
        issued_at: UnixMillis(4),
    }
}
