//! Packs, masks and names of chunks: bound to their secrets and to their place.

use bitdust_crypto::{EpochSecrets, OpenError, PackCipher, ShardMask, TAG_BYTES, pack_id};
use bitdust_model::manifest::PackKind;
use bitdust_model::{Epoch, PackId, Position, SetId};
use proptest::prelude::*;

use crate::world::Person;

const KINDS: [PackKind; 3] = [PackKind::Data, PackKind::Tree, PackKind::Commit];
const PACK: PackId = PackId([7; 32]);

#[test]
fn chunks_and_trailers_open_with_what_sealed_them() {
    let secrets = secrets();
    for kind in KINDS {
        let cipher = PackCipher::new(&secrets, kind, PACK);
        let mut chunk = b"plain".to_vec();
        let tag = cipher.seal_chunk(3, &mut chunk);
        chunk.extend_from_slice(&tag);
        assert_eq!(chunk.len(), 5 + TAG_BYTES);
        let opened = cipher.open_chunk(3, &mut chunk).expect("what was sealed");
        assert_eq!(opened, b"plain");
        let mut trailer = b"plain".to_vec();
        cipher.seal_trailer(&mut trailer);
        assert_eq!(cipher.open_trailer(&mut trailer), Ok(()));
        assert_eq!(trailer, b"plain");
    }
}

#[test]
fn a_chunk_opens_only_in_its_place() {
    let root = Person::new().root;
    let secrets = root.epoch(Epoch(0));
    let mut sealed = b"plain".to_vec();
    let tag = PackCipher::new(&secrets, PackKind::Data, PACK).seal_chunk(3, &mut sealed);
    sealed.extend_from_slice(&tag);
    let refused = |what: &str, secrets: &EpochSecrets, kind, pack, counter| {
        let mut bytes = sealed.clone();
        let opened = PackCipher::new(secrets, kind, pack).open_chunk(counter, &mut bytes);
        assert_eq!(opened, Err(OpenError::Forged { pack }), "{what}");
        assert!(
            !bytes.starts_with(b"plain"),
            "a refused chunk shows nothing"
        );
    };
    refused("counter", &secrets, PackKind::Data, PACK, 4);
    refused("kind", &secrets, PackKind::Tree, PACK, 3);
    refused("kind", &secrets, PackKind::Commit, PACK, 3);
    refused("pack", &secrets, PackKind::Data, PackId([8; 32]), 3);
    refused("epoch", &root.epoch(Epoch(1)), PackKind::Data, PACK, 3);
    refused(
        "identity",
        &Person::new().root.epoch(Epoch(0)),
        PackKind::Data,
        PACK,
        3,
    );
}

#[test]
fn tree_and_commit_packs_do_not_open_as_each_other() {
    let secrets = secrets();
    let mut sealed = b"plain".to_vec();
    let tag = PackCipher::new(&secrets, PackKind::Tree, PACK).seal_chunk(0, &mut sealed);
    sealed.extend_from_slice(&tag);
    let commit = PackCipher::new(&secrets, PackKind::Commit, PACK);
    assert!(commit.open_chunk(0, &mut sealed).is_err());
}

#[test]
fn a_trailer_is_no_chunk() {
    for kind in KINDS {
        let cipher = PackCipher::new(&secrets(), kind, PACK);
        let mut trailer = b"list".to_vec();
        cipher.seal_trailer(&mut trailer);
        assert!(cipher.open_chunk(0, &mut trailer.clone()).is_err());
        let mut chunk = b"list".to_vec();
        let tag = cipher.seal_chunk(0, &mut chunk);
        chunk.extend_from_slice(&tag);
        assert!(cipher.open_trailer(&mut chunk).is_err());
    }
}

#[test]
fn too_short_and_altered_chunks_are_refused() {
    let cipher = PackCipher::new(&secrets(), PackKind::Data, PACK);
    let mut sealed = b"plain".to_vec();
    let tag = cipher.seal_chunk(0, &mut sealed);
    sealed.extend_from_slice(&tag);
    for length in 0..sealed.len() {
        assert!(
            cipher
                .open_chunk(0, &mut sealed[..length].to_vec())
                .is_err()
        );
    }
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        assert!(cipher.open_chunk(0, &mut altered).is_err(), "byte {index}");
    }
}

#[test]
fn the_id_of_a_pack_depends_on_everything_in_it() {
    let root = Person::new().root;
    let secrets = root.epoch(Epoch(0));
    let usual: [&[u8]; 2] = [b"ab", b"c"];
    let ids = [
        pack_id(&secrets, &[1; 32], PackKind::Data, &usual),
        pack_id(&secrets, &[2; 32], PackKind::Data, &usual),
        pack_id(&secrets, &[1; 32], PackKind::Tree, &usual),
        pack_id(&secrets, &[1; 32], PackKind::Commit, &usual),
        pack_id(&secrets, &[1; 32], PackKind::Data, &[b"a", b"bc"]),
        pack_id(&secrets, &[1; 32], PackKind::Data, &[b"abc"]),
        pack_id(&secrets, &[1; 32], PackKind::Data, &[b"ab", b"c", b""]),
        pack_id(&root.epoch(Epoch(1)), &[1; 32], PackKind::Data, &usual),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "two different packs have one id");
    assert_eq!(ids[0], pack_id(&secrets, &[1; 32], PackKind::Data, &usual));
}

#[test]
fn chunk_ids_and_cuts_are_a_secret_of_the_epoch() {
    let root = Person::new().root;
    let (one, other) = (root.epoch(Epoch(0)), root.epoch(Epoch(1)));
    assert_eq!(
        one.chunk_id(b"same"),
        root.epoch(Epoch(0)).chunk_id(b"same")
    );
    assert_ne!(one.chunk_id(b"same"), one.chunk_id(b"other"));
    assert_ne!(one.chunk_id(b"same"), other.chunk_id(b"same"));
    assert_ne!(one.gear_seed(), other.gear_seed());
    assert_ne!(one.chunk_id(b"same").0, *blake3::hash(b"same").as_bytes());
}

#[test]
fn masks_differ_by_set_pack_position_and_epoch() {
    let root = Person::new().root;
    let secrets = root.epoch(Epoch(0));
    let stream = |secrets: &EpochSecrets, set: u8, pack: u8, position: u8| {
        let (set, pack) = (SetId([set; 32]), PackId([pack; 32]));
        let mut bytes = [0; 64];
        ShardMask::new(secrets, set, pack, Position(position)).apply(0, &mut bytes);
        bytes
    };
    let streams = [
        stream(&secrets, 1, 2, 3),
        stream(&secrets, 9, 2, 3),
        stream(&secrets, 1, 9, 3),
        stream(&secrets, 1, 2, 9),
        stream(&root.epoch(Epoch(1)), 1, 2, 3),
        [0; 64],
    ];
    let distinct: std::collections::BTreeSet<_> = streams.iter().collect();
    assert_eq!(
        distinct.len(),
        streams.len(),
        "two masks are equal, or one is none"
    );
}

proptest! {
    #[test]
    fn a_mask_can_be_applied_in_any_pieces(
        start in prop_oneof![0_u64..100, (1_u64 << 32) * 16 - 50..(1_u64 << 32) * 16 + 50],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 0_usize..300,
    ) {
        let mask = ShardMask::new(&secrets(), SetId([1; 32]), PACK, Position(0));
        let mut whole = bytes.clone();
        mask.apply(start, &mut whole);
        let mut pieces = bytes.clone();
        let (front, back) = pieces.split_at_mut(cut.min(bytes.len()));
        let back_start = start + front.len() as u64;
        mask.apply(back_start, back);
        mask.apply(start, front);
        prop_assert_eq!(&pieces, &whole);
        mask.apply(start, &mut whole);
        prop_assert_eq!(whole, bytes, "masking twice unmasks");
    }
}

fn secrets() -> EpochSecrets {
    Person::new().root.epoch(Epoch(0))
}
