//! Records of the DHT: each good one beside a twin that lies about one thing.

use bitdust_crypto::{
    LocatorKey, Numbered, RecordError, SigningKey, dht_key, next_number, nickname_key, offers_key,
    validate_record,
};
use bitdust_model::limits::{ADDRESSES_MAX, SEQUENCE_JUMP_MAX};
use bitdust_model::locator::{
    Addresses, DhtRecord, KeyedRecord, NicknameClaim, Offer, RecordKind, is_newer,
};
use bitdust_model::{ByteCount, DhtKey, Sequence, UnixMillis, encode};

use crate::world::Person;

#[test]
fn a_locator_record_is_believed_under_its_own_key_only() {
    let key = LocatorKey::root(&Person::new().root, 0);
    let record = key.seal("net", Sequence(1), UnixMillis(1), b"plain");
    let good = KeyedRecord {
        key: key.dht_key(),
        record,
    };
    assert_eq!(
        validate_record(&good, "net").expect("it is good").sequence,
        Sequence(1)
    );

    let moved = KeyedRecord {
        key: DhtKey([0; 32]),
        ..good.clone()
    };
    assert_eq!(
        validate_record(&moved, "net"),
        Err(RecordError::WrongKey { key: moved.key })
    );
    let abroad = validate_record(&good, "other");
    assert_eq!(
        abroad,
        Err(RecordError::ForeignNetwork {
            network: "other".to_owned()
        })
    );
}

#[test]
fn a_locator_record_of_an_odd_length_is_refused() {
    let signer = SigningKey::generate();
    let check = |bytes: usize, believed: bool| {
        let record = keyed(&signer, RecordKind::Locator, vec![0; bytes]);
        assert_eq!(
            validate_record(&record, "net").is_ok(),
            believed,
            "{bytes} bytes"
        );
    };
    check(2048 + 28, true);
    check(8_960 + 28, true);
    check(8_192 + 28, false);
    check(2048, false);
    check(0, false);
}

#[test]
fn an_offer_is_believed_from_its_own_device() {
    let alice = Person::new();
    check(&alice, RecordKind::Offer, encode(&offer(&alice)), Ok(()));
}

#[test]
fn an_offer_that_speaks_for_others_is_refused() {
    let (alice, bob) = (Person::new(), Person::new());
    let lying = |change: fn(&mut Offer, &Person)| {
        let mut offer = offer(&alice);
        change(&mut offer, &bob);
        check(
            &alice,
            RecordKind::Offer,
            encode(&offer),
            Err(RecordError::WrongDevice),
        );
    };
    lying(|offer, bob| offer.contact.device = bob.home.device.device());
    lying(|offer, bob| offer.contact.identity = bob.root.identity());
    lying(|offer, bob| offer.certificate = bob.home.certificate.clone());
}

#[test]
fn an_offer_with_a_forged_certificate_is_refused() {
    let alice = Person::new();
    let mut forged = offer(&alice);
    forged.certificate.signature.0[5] ^= 1;
    let record = keyed(
        alice.home.device.signing(),
        RecordKind::Offer,
        encode(&forged),
    );
    assert!(matches!(
        validate_record(&record, "net"),
        Err(RecordError::Verify(_))
    ));
}

#[test]
fn addresses_are_believed_from_their_own_device_and_in_bounds() {
    let alice = Person::new();
    let mut contact = alice.contact();
    let encoded = |contact: &_| {
        encode(&Addresses {
            contact: Clone::clone(contact),
        })
    };
    check(&alice, RecordKind::Addresses, encoded(&contact), Ok(()));

    contact.addresses = vec!["/ip4/192.0.2.7".to_owned(); ADDRESSES_MAX + 1];
    let many = keyed(
        alice.home.device.signing(),
        RecordKind::Addresses,
        encoded(&contact),
    );
    assert!(matches!(
        validate_record(&many, "net"),
        Err(RecordError::Limit { .. })
    ));

    contact.addresses = vec!["x".repeat(257)];
    let long = keyed(
        alice.home.device.signing(),
        RecordKind::Addresses,
        encoded(&contact),
    );
    assert!(matches!(
        validate_record(&long, "net"),
        Err(RecordError::Limit { .. })
    ));

    let others = Person::new().contact();
    check(
        &alice,
        RecordKind::Addresses,
        encoded(&others),
        Err(RecordError::WrongDevice),
    );
}

#[test]
fn a_nickname_is_believed_under_its_name_and_slot_only() {
    let alice = Person::new();
    let good = claim(&alice, "alice", 1);
    assert!(validate_record(&good, "net").is_ok());
    for key in [
        nickname_key("alice", 0),
        nickname_key("alicf", 1),
        dht_key(RecordKind::Nickname, &good.record.signer),
    ] {
        let moved = KeyedRecord {
            key,
            ..good.clone()
        };
        assert_eq!(
            validate_record(&moved, "net"),
            Err(RecordError::WrongKey { key })
        );
    }
}

#[test]
fn a_nickname_needs_the_certificate_of_the_device_that_claims_it() {
    let (alice, bob) = (Person::new(), Person::new());
    let stolen = NicknameClaim {
        nickname: "alice".to_owned(),
        slot: 0,
        certificate: alice.home.certificate.clone(),
    };
    let mut record = keyed(
        bob.home.device.signing(),
        RecordKind::Nickname,
        encode(&stolen),
    );
    record.key = nickname_key("alice", 0);
    assert_eq!(
        validate_record(&record, "net"),
        Err(RecordError::WrongDevice)
    );

    let long = claim(&alice, &"a".repeat(65), 0);
    assert!(matches!(
        validate_record(&long, "net"),
        Err(RecordError::Limit { .. })
    ));
}

#[test]
fn an_altered_record_is_refused_whatever_is_altered() {
    let alice = Person::new();
    let good = claim(&alice, "alice", 1);
    for index in 0..good.record.bytes.len() {
        let mut altered = good.clone();
        altered.record.bytes[index] ^= 1;
        assert!(validate_record(&altered, "net").is_err(), "byte {index}");
    }
}

#[test]
fn a_body_of_another_kind_is_refused() {
    let alice = Person::new();
    let body = encode(&Addresses {
        contact: alice.contact(),
    });
    let record = keyed(alice.home.device.signing(), RecordKind::Offer, body);
    assert!(matches!(
        validate_record(&record, "net"),
        Err(RecordError::Body(_))
    ));
}

#[test]
fn newer_is_larger_without_absurd_jumps() {
    let check = |candidate: u64, known: u64, newer: bool| {
        assert_eq!(
            is_newer(Sequence(candidate), Sequence(known)),
            newer,
            "{candidate} {known}"
        );
    };
    check(2, 1, true);
    check(1, 1, false);
    check(1, 2, false);
    check(5 + SEQUENCE_JUMP_MAX, 5, true);
    check(6 + SEQUENCE_JUMP_MAX, 5, false);
    check(u64::MAX, 0, false);
    check(0, u64::MAX, false);
}

/// By a clock that leaps by 400 days, is right again, stands at 1970, and is right again, of a node that puts its
/// records each hour: whoever has one of the last 48 hours believes the next one.
#[test]
fn the_next_number_is_newer_by_any_clock() {
    const HOUR: u64 = 60 * 60;
    const DAY: u64 = 24 * HOUR;
    const START: u64 = 20_000 * DAY;
    let clock = |day: u64, time: u64| match day {
        3..6 => time + 400 * DAY,
        9..12 => 0,
        15..18 => time + 12 * DAY,
        _ => time,
    };
    let mut given: Vec<Numbered> = Vec::new();
    for hour in 0..21 * 24 {
        let next = next_number(given.last().copied(), clock(hour / 24, START + hour * HOUR));
        for known in given.iter().rev().take(48) {
            let (next, known) = (next.sequence, known.sequence);
            assert!(
                is_newer(next, known),
                "hour {hour}: {next:?} after {known:?}"
            );
        }
        given.push(next);
    }
    // Numbered by the clock alone, the right clock is refused after a wrong one.
    assert!(!is_newer(Sequence(START), Sequence(START + 400 * DAY)));
}

#[test]
fn numbers_follow_a_clock_that_goes_right() {
    let now = 1_000_000_000;
    let first = next_number(None, now);
    assert_eq!(
        first.sequence,
        Sequence(now),
        "as whoever forgot it would go on"
    );
    assert_eq!(next_number(Some(first), now).sequence, Sequence(now + 1));
    let later = next_number(Some(first), now + 40_000);
    assert_eq!(later.sequence, Sequence(now + 40_000));
    let weeks_later = next_number(Some(first), now + 3_000_000);
    assert_eq!(weeks_later.sequence, Sequence(now + SEQUENCE_JUMP_MAX / 2));
    let last = Numbered {
        sequence: Sequence(u64::MAX),
        at: 0,
    };
    assert_eq!(next_number(Some(last), now).sequence, Sequence(u64::MAX));
    assert_eq!(next_number(None, 0).sequence, Sequence(1));
}

#[test]
fn places_of_different_kinds_differ() {
    let keys = [
        dht_key(RecordKind::Locator, &[1; 32]),
        dht_key(RecordKind::Offer, &[1; 32]),
        dht_key(RecordKind::Addresses, &[1; 32]),
        nickname_key("a", 0),
        nickname_key("a", 1),
        offers_key(0),
        offers_key(1),
    ];
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

fn offer(person: &Person) -> Offer {
    Offer {
        contact: person.contact(),
        certificate: person.home.certificate.clone(),
        free: ByteCount(1),
    }
}

fn claim(person: &Person, nickname: &str, slot: u8) -> KeyedRecord {
    let nickname = nickname.to_owned();
    let key = nickname_key(&nickname, slot);
    let certificate = person.home.certificate.clone();
    let body = encode(&NicknameClaim {
        nickname,
        slot,
        certificate,
    });
    let record = keyed(person.home.device.signing(), RecordKind::Nickname, body);
    KeyedRecord { key, ..record }
}

/// A record under the key that its kind and signer give.
fn keyed(signer: &SigningKey, kind: RecordKind, body: Vec<u8>) -> KeyedRecord {
    let record = signer.sign(&DhtRecord {
        kind,
        network: "net".to_owned(),
        sequence: Sequence(1),
        written_at: UnixMillis(1),
        body,
    });
    KeyedRecord {
        key: dht_key(kind, &record.signer),
        record,
    }
}

fn check(person: &Person, kind: RecordKind, body: Vec<u8>, expected: Result<(), RecordError>) {
    let record = keyed(person.home.device.signing(), kind, body);
    assert_eq!(validate_record(&record, "net").map(|_| ()), expected);
}
