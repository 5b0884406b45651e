//! A pack from its chunks to its bytes and back, and what happens when a byte changes.

use bitdust_crypto::PackCipher;
use proptest::prelude::*;

use super::layout::PackError;
use super::open::{OpenError, open_chunk_within, read_trailer};
use super::*;
use crate::testing::{noise, open_in_pack, secrets};

#[test]
fn a_pack_gives_its_chunks_back() {
    let secrets = secrets(3);
    let contents = [
        noise(1, 70_000),
        b"words ".repeat(9000),
        vec![0],
        noise(2, 300_000),
    ];
    let sealed = seal(&secrets, PackKind::Data, &contents);
    assert_eq!(sealed.epoch, Epoch(3));
    assert_eq!(layout::padded(sealed.bytes.len()), sealed.bytes.len());
    let trailer = read_trailer(&secrets, sealed.pack, &sealed.bytes).expect("it is a pack");
    assert_eq!(trailer.chunks, sealed.chunks);
    let cipher = PackCipher::new(&secrets, sealed.kind, sealed.pack);
    for (blob, raw) in sealed.blob_refs().iter().zip(&contents) {
        let opened = open_in_pack(&cipher, &secrets, blob, &sealed.bytes);
        assert!(opened.as_ref() == Ok(raw));
    }
}

#[test]
fn a_builder_counts_and_says_when_it_is_full() {
    let secrets = secrets(0);
    let mut builder = PackBuilder::new(PackKind::Data);
    assert!(builder.is_empty());
    let chunk = noise(7, 4 << 20);
    let mut pushed = 0;
    while !builder.is_full() {
        builder.push_stored(ChunkId([pushed; 32]), &chunk, false, 4 << 20);
        pushed += 1;
    }
    assert_eq!(pushed, 4);
    assert_eq!(builder.records().len(), 4);
    assert_eq!(builder.raw_bytes(), 16 << 20);
    assert_eq!(builder.stored_bytes(), (16 << 20) + 4 * TAG_BYTES as u64);
    assert!(builder.contains(ChunkId([3; 32])));
    assert!(!builder.contains(ChunkId([4; 32])));
    let sealed = builder.seal(&secrets, [1; 32]);
    assert!(sealed.bytes.len() <= PACK_BYTES_MAX);
    assert!(
        sealed.bytes.len() < (16 << 20) + 1000,
        "a full pack gets no padding"
    );
}

#[test]
fn a_pack_of_the_most_and_the_longest_chunks_stays_within_its_limit() {
    let mut builder = PackBuilder::new(PackKind::Data);
    let mut push = |bytes: usize| {
        builder.push_stored(ChunkId([0xff; 32]), &vec![1; bytes], false, 4 << 20);
    };
    for _ in 1..CHUNKS_PER_PACK_MAX {
        push(PACK_BYTES_TARGET / CHUNKS_PER_PACK_MAX - TAG_BYTES);
    }
    push(CHUNK_BYTES_MAX);
    assert!(builder.is_full());
    let sealed = builder.seal(&secrets(0), [1; 32]);
    assert!(sealed.bytes.len() > 22 << 20, "it is the worst case");
    let trailer = read_trailer(&secrets(0), sealed.pack, &sealed.bytes).expect("it is a pack");
    assert_eq!(trailer.chunks.len(), CHUNKS_PER_PACK_MAX);
}

#[test]
#[should_panic(expected = "an empty pack is never sealed")]
fn an_empty_pack_is_not_sealed() {
    let _ = PackBuilder::new(PackKind::Tree).seal(&secrets(0), [0; 32]);
}

#[test]
fn other_random_bytes_give_another_pack() {
    let secrets = secrets(0);
    let make = |random| {
        let mut builder = PackBuilder::new(PackKind::Data);
        builder.push(secrets.chunk_id(b"same"), b"same");
        builder.seal(&secrets, random)
    };
    assert_eq!(make([1; 32]), make([1; 32]));
    let (one, two) = (make([1; 32]), make([2; 32]));
    assert_ne!(one.pack, two.pack);
    assert_ne!(one.bytes[HEADER_BYTES..], two.bytes[HEADER_BYTES..]);
}

#[test]
fn the_wrong_secrets_open_nothing() {
    let sealed = seal(&secrets(0), PackKind::Tree, &[noise(3, 1000)]);
    let later = secrets(1);
    let found = read_trailer(&later, sealed.pack, &sealed.bytes);
    assert_eq!(found, Err(PackError::OtherEpoch { found: Epoch(0) }));
    let other = PackId([7; 32]);
    let found = read_trailer(&secrets(0), other, &sealed.bytes);
    assert_eq!(found, Err(PackError::Forged { pack: other }));
}

#[test]
fn a_chunk_under_another_name_is_refused() {
    let secrets = secrets(0);
    let mut builder = PackBuilder::new(PackKind::Data);
    let (chunk, found) = (
        secrets.chunk_id(b"promised"),
        secrets.chunk_id(b"delivered"),
    );
    builder.push(chunk, b"delivered");
    let sealed = builder.seal(&secrets, [1; 32]);
    let cipher = PackCipher::new(&secrets, sealed.kind, sealed.pack);
    let blob = sealed.blob_refs()[0];
    let pack = sealed.pack;
    let opened = open_in_pack(&cipher, &secrets, &blob, &sealed.bytes);
    assert_eq!(opened, Err(OpenError::OtherChunk { chunk, found, pack }));
    let opened = open_chunk_within(&cipher, &secrets, &blob, &mut vec![0; 3], 0);
    assert_eq!(
        opened,
        Err(OpenError::Length {
            chunk,
            bytes: 3,
            expected: 25
        })
    );
    let far = BlobRef {
        offset: u32::MAX,
        ..blob
    };
    assert!(open_in_pack(&cipher, &secrets, &far, &sealed.bytes).is_err());
    let later = BlobRef { counter: 1, ..blob };
    let opened = open_in_pack(&cipher, &secrets, &later, &sealed.bytes);
    assert_eq!(opened, Err(OpenError::Forged { chunk, pack }));
}

#[test]
fn every_changed_byte_of_a_small_pack_is_noticed() {
    let secrets = secrets(0);
    let sealed = seal(
        &secrets,
        PackKind::Data,
        &[b"first".to_vec(), b"second".to_vec()],
    );
    for at in 0..sealed.bytes.len() {
        let mut changed = sealed.bytes.clone();
        changed[at] ^= 0x10;
        // The random bytes of the header name the pack and open nothing; its id covers them.
        let is_covered_by_id = (10..HEADER_BYTES).contains(&at);
        assert_eq!(
            is_intact(&secrets, &sealed, &changed),
            is_covered_by_id,
            "byte {at}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chunks_come_back(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 1..20),
        random: [u8; 32],
    ) {
        let secrets = secrets(0);
        let mut builder = PackBuilder::new(PackKind::Tree);
        for raw in &contents {
            builder.push(secrets.chunk_id(raw), raw);
        }
        let sealed = builder.seal(&secrets, random);
        let trailer = read_trailer(&secrets, sealed.pack, &sealed.bytes).expect("it is a pack");
        let cipher = PackCipher::new(&secrets, sealed.kind, sealed.pack);
        for (blob, raw) in blob_refs(sealed.pack, &trailer.chunks).iter().zip(&contents) {
            let opened = open_in_pack(&cipher, &secrets, blob, &sealed.bytes);
            prop_assert_eq!(opened.as_ref(), Ok(raw));
        }
    }

    #[test]
    fn garbage_is_no_pack(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(read_trailer(&secrets(0), PackId([1; 32]), &bytes).is_err());
    }

    #[test]
    fn a_forged_footer_is_refused(offset: u32, length: u32) {
        let secrets = secrets(0);
        let sealed = seal(&secrets, PackKind::Data, &[noise(1, 5000)]);
        let genuine = Footer::read(&sealed.bytes, sealed.bytes.len()).expect("it is a pack");
        let mut bytes = sealed.bytes;
        let end = bytes.len() - FOOTER_BYTES;
        for (trailer_offset, trailer_bytes) in [
            (offset, length),
            (offset % 6000, length % 6000),
            (genuine.trailer_offset, length % 100),
        ] {
            let footer = Footer { trailer_offset, trailer_bytes };
            prop_assume!(footer != genuine);
            bytes[end..].copy_from_slice(&footer.encode());
            prop_assert!(read_trailer(&secrets, sealed.pack, &bytes).is_err());
        }
    }

    #[test]
    fn records_from_outside_never_overflow(
        sizes in prop::collection::vec((any::<u32>(), any::<u32>()), 0..50),
    ) {
        let chunks: Vec<_> = sizes
            .into_iter()
            .map(|(stored_bytes, raw_bytes)| {
                let chunk = ChunkId([0; 32]);
                ChunkRecord { chunk, stored_bytes, raw_bytes, compressed: true }
            })
            .collect();
        prop_assert_eq!(blob_refs(PackId([0; 32]), &chunks).len(), chunks.len());
        if let Ok(end) = open::check_chunks(&chunks) {
            prop_assert!(end <= PACK_BYTES_MAX);
        }
    }
}

fn is_intact(secrets: &EpochSecrets, sealed: &SealedPack, bytes: &[u8]) -> bool {
    let cipher = PackCipher::new(secrets, sealed.kind, sealed.pack);
    read_trailer(secrets, sealed.pack, bytes).is_ok_and(|trailer| {
        blob_refs(sealed.pack, &trailer.chunks)
            .iter()
            .all(|blob| open_in_pack(&cipher, secrets, blob, bytes).is_ok())
    })
}

fn seal(secrets: &EpochSecrets, kind: PackKind, contents: &[Vec<u8>]) -> SealedPack {
    let mut builder = PackBuilder::new(kind);
    for raw in contents {
        builder.push(secrets.chunk_id(raw), raw);
    }
    builder.seal(secrets, [0x42; 32])
}
