//! Bytes and texts from outside: whatever comes is refused with an error, never a panic,
//! and never believed.

use std::sync::LazyLock;

use bitdust_crypto::{
    KeyGuard, LocatorKey, PassphraseCost, Phrase, SigningKey, guard_of, invitation, open_home,
    seal_home_at_cost, validate_record, verify, verify_certificate,
};
use bitdust_model::document::Signature;
use bitdust_model::locator::{
    Certificate, DhtRecord, Fence, KeyedRecord, NicknameClaim, Offer, RecordKind, RootRecord,
};
use bitdust_model::message::Packet;
use bitdust_model::{DhtKey, Sequence, Signed, UnixMillis};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::invitation::invite;
use crate::world::Person;

const PASSPHRASE: KeyGuard<'_> = KeyGuard::Passphrase("correct horse");

static ALICE: LazyLock<Person> = LazyLock::new(Person::new);
static KEY_FILES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    [PASSPHRASE, KeyGuard::File].map(|guard| {
        seal_home_at_cost(&ALICE.home, guard, PassphraseCost::CHEAPEST).expect("it is sealed")
    })
});
static INVITATION: LazyLock<String> =
    LazyLock::new(|| invitation::to_text(&ALICE.home.device.signing().sign(&invite(&ALICE))));
static RECORD: LazyLock<KeyedRecord> = LazyLock::new(|| {
    let key = LocatorKey::root(&ALICE.root, 0);
    let record = key.seal("net", Sequence(1), UnixMillis(1), b"plain");
    KeyedRecord {
        key: key.dht_key(),
        record,
    }
});

/// One thing that happens to bytes on their way.
#[derive(Debug, Clone)]
enum Mutation {
    Flip { at: prop::sample::Index, bit: u8 },
    Cut { at: prop::sample::Index },
    Insert { at: prop::sample::Index, byte: u8 },
    Append(Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        at().prop_map(|at| Mutation::Cut { at }),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert { at, byte }),
        vec(any::<u8>(), 1..20).prop_map(Mutation::Append),
    ]
}

fn mutate(bytes: &[u8], mutation: &Mutation) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    match mutation {
        Mutation::Flip { at, bit } => mutated[at.index(bytes.len())] ^= 1 << bit,
        Mutation::Cut { at } => mutated.truncate(at.index(bytes.len())),
        Mutation::Insert { at, byte } => mutated.insert(at.index(bytes.len()), *byte),
        Mutation::Append(more) => mutated.extend_from_slice(more),
    }
    mutated
}

proptest! {
    #[test]
    fn any_text_is_a_phrase_or_an_error(text in "\\PC{0,300}") {
        if let Ok(phrase) = Phrase::parse(&text) {
            prop_assert_eq!(phrase.words().len(), 24);
        }
    }

    #[test]
    fn any_24_pieces_are_a_phrase_or_an_error(words in vec("[a-zA-Zäß\u{130}]{1,40}", 24)) {
        prop_assert!(Phrase::parse(&words.join(" ")).is_err(), "so many words cannot be right");
    }

    #[test]
    fn words_of_the_list_fit_together_or_fail_the_checksum(places in vec(0_usize..2048, 24)) {
        let list = bip39::Language::English.word_list();
        let words: Vec<&str> = places.into_iter().map(|place| list[place]).collect();
        match Phrase::parse(&words.join("\n")) {
            Ok(phrase) => prop_assert_eq!(phrase.words(), words),
            Err(error) => prop_assert_eq!(error, bitdust_crypto::PhraseError::Checksum),
        }
    }

    #[test]
    fn garbage_is_never_a_signed_document(
        bytes in vec(any::<u8>(), 0..700),
        signer in any::<[u8; 32]>(),
        halves in any::<([u8; 32], [u8; 32])>(),
    ) {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&halves.0);
        signature[32..].copy_from_slice(&halves.1);
        let signature = Signature(signature);
        let certificate: Signed<Certificate> =
            Signed::from_parts(bytes.clone(), signer, signature);
        prop_assert!(verify_certificate(&certificate).is_err());
        let packet: Signed<Packet> = Signed::from_parts(bytes, signer, signature);
        prop_assert!(verify(&packet).is_err());
    }

    #[test]
    fn signed_garbage_is_decoded_or_refused(body in vec(any::<u8>(), 0..700)) {
        // The signer is honest about garbage: what is left to refuse it is the decoder.
        let signed = sign_garbage::<Fence>(&body);
        prop_assert!(verify(&signed).is_ok() == bitdust_model::decode::<Fence>(&body).is_ok());
        for outcome in [
            verify(&sign_garbage::<Offer>(&body)).map(|_| ()),
            verify(&sign_garbage::<Packet>(&body)).map(|_| ()),
            verify(&sign_garbage::<RootRecord>(&body)).map(|_| ()),
            verify(&sign_garbage::<NicknameClaim>(&body)).map(|_| ()),
        ] {
            prop_assert!(outcome.is_ok() || outcome.is_err_and(|error| !error.to_string().is_empty()));
        }
    }

    #[test]
    fn garbage_is_never_a_key_file(bytes in vec(any::<u8>(), 0..600)) {
        prop_assert!(open_home(&bytes, KeyGuard::File).is_err());
        prop_assert!(open_home(&bytes, PASSPHRASE).is_err());
        let mut marked = b"BDKEY\x01\x02".to_vec();
        marked.extend_from_slice(&bytes);
        let covered = marked.len();
        let checksum = *blake3::hash(&marked[..covered]).as_bytes();
        marked.extend_from_slice(&checksum[..16]);
        prop_assert!(open_home(&marked, KeyGuard::File).is_err());
    }

    #[test]
    fn a_mutated_key_file_is_refused(which in 0_usize..2, mutation in mutation()) {
        let guard = [PASSPHRASE, KeyGuard::File][which];
        let mutated = mutate(&KEY_FILES[which], &mutation);
        prop_assert!(open_home(&mutated, guard).is_err());
        let _kind_or_error = guard_of(&mutated);
    }

    #[test]
    fn a_mutated_record_is_refused(mutation in mutation()) {
        let mut record = RECORD.clone();
        record.record.bytes = mutate(&record.record.bytes, &mutation);
        prop_assert!(validate_record(&record, "net").is_err());
    }

    #[test]
    fn honestly_signed_bodies_of_garbage_are_no_records(
        kind in 0_usize..4,
        body in vec(any::<u8>(), 0..700),
        key in any::<[u8; 32]>(),
    ) {
        use RecordKind::{Addresses, Locator, Nickname, Offer};
        let kind = [Locator, Offer, Addresses, Nickname][kind];
        let network = "net".to_owned();
        let (sequence, written_at) = (Sequence(1), UnixMillis(1));
        let record = ALICE
            .home
            .device
            .signing()
            .sign(&DhtRecord { kind, network, sequence, written_at, body });
        let record = KeyedRecord { key: DhtKey(key), record };
        prop_assert!(validate_record(&record, "net").is_err());
    }

    #[test]
    fn any_text_is_no_invitation(text in "\\PC{0,300}", code in "[a-zA-Z2-7 -]{0,300}") {
        prop_assert!(invitation::from_text(&text).is_err());
        let prefixed = format!("bitdust-{code}");
        prop_assert!(invitation::from_text(&prefixed).is_err());
    }

    #[test]
    fn a_mutated_invitation_is_refused_or_the_same(mutation in mutation()) {
        let mutated = mutate(INVITATION.as_bytes(), &mutation);
        let text = String::from_utf8_lossy(&mutated);
        match invitation::from_text(&text) {
            Ok(read) => prop_assert_eq!(read, invite(&ALICE), "case or white space changed"),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn bytes_with_a_right_checksum_are_no_invitation(bytes in vec(any::<u8>(), 0..600)) {
        let mut checked = bytes;
        let checksum = *blake3::hash(&checked).as_bytes();
        checked.extend_from_slice(&checksum[..4]);
        let text = format!("bitdust-{}", data_encoding::BASE32_NOPAD.encode(&checked));
        prop_assert!(invitation::from_text(&text).is_err());
    }

    #[test]
    fn garbage_is_never_a_sealed_box(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(ALICE.home.open_sealed(&bytes).is_err());
        let mut versioned = vec![1];
        versioned.extend_from_slice(&bytes);
        prop_assert!(ALICE.home.open_sealed(&versioned).is_err());
    }
}

/// A right signature over bytes that may be no document at all.
fn sign_garbage<T: bitdust_model::Document>(body: &[u8]) -> Signed<T> {
    use ed25519_dalek::Signer;
    let key = SigningKey::from_seed(&[1; 32]);
    let message = [b"bitdust/v1/", T::KIND.as_bytes(), &[0], body].concat();
    let signature = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).sign(&message);
    Signed::from_parts(body.to_vec(), key.public(), Signature(signature.to_bytes()))
}
