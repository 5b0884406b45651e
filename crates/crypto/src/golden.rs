//! Golden values: every derivation and format against values that other implementations
//! computed from the same secrets. What fails here has changed the format.

use bitdust_model::HeadRef;
use bitdust_model::locator::{Contact, Invitation};
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    DeviceId, Epoch, HeadHash, PackId, Position, Sequence, SetId, Signed, UnixMillis,
};
use data_encoding::HEXLOWER;

use crate::home_secrets::HomeSecrets;
use crate::identity::{DeviceKeys, EpochSecrets, RootSecrets};
use crate::keystore::{KeyGuard, open_home};
use crate::locator::LocatorKey;
use crate::mask::ShardMask;
use crate::pack::{PackCipher, pack_id};
use crate::phrase::Phrase;
use crate::record::{nickname_key, offers_key};
use crate::{derive, invitation};

const VALUES: &str = include_str!("../tests/data/golden.txt");
const PACK: PackId = PackId([4; 32]);

#[test]
fn the_phrase_gives_the_identity_and_the_secrets_of_its_epochs() {
    let root = root();
    let first = root.epoch(Epoch(0));
    check("identity", &root.identity().0);
    check("exchange", &root.exchange_public());
    check("epoch0_chunk", &first.chunk);
    check("epoch0_pack", &first.pack);
    check("epoch0_mask", &first.mask);
    check("epoch0_metadata", &first.metadata);
    check("epoch0_locator", &first.locator);
    check("epoch1_chunk", &root.epoch(Epoch(1)).chunk);
}

#[test]
fn a_device_and_its_certificate_are_what_they_were() {
    check("device", &device().device().0);
    let certificate = postcard::to_allocvec(&certificate()).expect("plain data");
    check("certificate", &certificate);
}

#[test]
fn names_of_chunks_and_packs_are_what_they_were() {
    let secrets = root().epoch(Epoch(0));
    check("chunk_id", &secrets.chunk_id(b"hello").0);
    check("gear", &secrets.gear_seed().to_le_bytes());
    let chunks: [&[u8]; 2] = [b"one", b"three"];
    check(
        "pack_id",
        &pack_id(&secrets, &[3; 32], PackKind::Data, &chunks).0,
    );
}

#[test]
fn packs_are_sealed_as_they_were() {
    let secrets = root().epoch(Epoch(1));
    let check_chunk = |name: &str, kind: PackKind| {
        let mut bytes = b"chunk".to_vec();
        let tag = PackCipher::new(&secrets, kind, PACK).seal_chunk(5, &mut bytes);
        bytes.extend_from_slice(&tag);
        check(name, &bytes);
    };
    check_chunk("sealed_data", PackKind::Data);
    check_chunk("sealed_tree", PackKind::Tree);
    check_chunk("sealed_commit", PackKind::Commit);
    let mut trailer = b"chunk".to_vec();
    PackCipher::new(&secrets, PackKind::Data, PACK).seal_trailer(&mut trailer);
    check("sealed_trailer", &trailer);
}

#[test]
fn shards_are_masked_as_they_were() {
    let secrets = root().epoch(Epoch(0));
    let mask = ShardMask::new(&secrets, SetId([5; 32]), PACK, Position(7));
    let check_mask = |name: &str, offset: u64| {
        let mut bytes = [0; 20];
        mask.apply(offset, &mut bytes);
        check(name, &bytes);
    };
    check_mask("mask_0", 0);
    check_mask("mask_far", 1_000_003);
}

#[test]
fn records_lie_where_they_lay_and_open() {
    let secrets = root().epoch(Epoch(0));
    let key = LocatorKey::root(&root(), 1);
    check("root_key", &key.dht_key().0);
    check(
        "lane_key",
        &LocatorKey::lane(&secrets, device().device(), 2).dht_key().0,
    );
    check("nickname_key", &nickname_key("alice", 2).0);
    check("offers_key", &offers_key(3).0);
    let record = postcard::from_bytes(&value("locator_record")).expect("a signed record");
    let plain = key.open(&record, "test").expect("the record opens");
    assert_eq!(plain.as_slice(), b"hello");
}

#[test]
fn sealed_boxes_open_as_they_did() {
    let plain = home()
        .open_sealed(&value("sealed_box"))
        .expect("the box opens");
    assert_eq!(plain.as_slice(), b"hello");
}

#[test]
fn key_files_open_as_they_did() {
    let check_file = |name: &str, guard: KeyGuard<'_>| {
        let opened = open_home(&value(name), guard).expect("the key file opens");
        assert_eq!(opened.identity(), root().identity());
        assert_eq!(opened.device.device(), device().device());
        assert_eq!(opened.exchange_public(), root().exchange_public());
        check("epoch0_locator", &opened.newest_epoch().locator);
        check("root_key", &opened.root_slots[1].dht_key().0);
    };
    check_file("keyfile_passphrase", KeyGuard::Passphrase("open sesame"));
    check_file("keyfile_file", KeyGuard::File);
}

#[test]
fn an_invitation_reads_as_it_did() {
    let device = device();
    let invitation = Invitation {
        network: "main".to_owned(),
        contact: Contact {
            identity: root().identity(),
            device: device.device(),
            addresses: vec!["/ip4/192.0.2.1/tcp/4001".to_owned()],
        },
        nickname: "alice".to_owned(),
        certificate: certificate(),
        token: [12; 16],
    };
    let text = invitation::to_text(&device.signing().sign(&invitation));
    assert_eq!(text, line("invitation"));
    assert_eq!(invitation::from_text(&text), Ok(invitation));
}

#[test]
fn a_fence_names_the_lane_and_is_signed_by_the_root() {
    let root = root();
    let last = HeadRef {
        sequence: Sequence(7),
        hash: HeadHash([2; 32]),
    };
    let fence = root.fence(DeviceId([1; 32]), last, UnixMillis(8));
    let believed = crate::verify_by(&fence, &root.identity().0).expect("the root signed it");
    assert_eq!((believed.lane, believed.last), (DeviceId([1; 32]), last));
}

#[test]
fn a_certificate_for_other_keys_makes_no_home() {
    let refused = HomeSecrets::of(&root(), DeviceKeys::generate(), certificate(), Epoch(0)).err();
    assert_eq!(refused, Some(crate::IdentityError::WrongDevice));
    let refused = HomeSecrets::of(&root(), device(), certificate(), Epoch(u32::MAX)).err();
    assert!(matches!(
        refused,
        Some(crate::IdentityError::TooManyEpochs { .. })
    ));
}

fn root() -> RootSecrets {
    let mut entropy = derive::Secret::default();
    for (byte, value) in entropy.iter_mut().zip(0..) {
        *byte = value;
    }
    RootSecrets::from_phrase(&Phrase::from_entropy(entropy))
}

fn device() -> DeviceKeys {
    DeviceKeys::from_parts(&[1; 32], &[2; 32])
}

fn certificate() -> Signed<bitdust_model::locator::Certificate> {
    root().certify(&device(), Epoch(0), "desk", UnixMillis(1000))
}

fn home() -> HomeSecrets {
    let home = HomeSecrets::of(&root(), device(), certificate(), Epoch(1)).expect("they match");
    let newest: &EpochSecrets = home.newest_epoch();
    assert_eq!(newest.epoch(), Epoch(1));
    home
}

fn line(name: &str) -> &'static str {
    let mut lines = VALUES.lines().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(key, _)| *key == name);
    found.expect("the value is in the file").1
}

fn value(name: &str) -> Vec<u8> {
    HEXLOWER
        .decode(line(name).as_bytes())
        .expect("values are hexadecimal")
}

fn check(name: &str, found: &[u8]) {
    assert_eq!(HEXLOWER.encode(found), line(name), "{name}");
}
