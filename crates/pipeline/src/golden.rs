//! A pack that was made once: the program must read it for ever, and make it again.
//!
//! The pack lies in `tests/fixtures/format/v1`, and what its shards are called in `v2`. When this test
//! fails, the format has changed, and packs that people have stored can no longer be read: change the
//! program back, or give the format a new version.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bitdust_crypto::{PackCipher, ShardMask};
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, SetId};

use crate::pack::open::read_trailer;
use crate::pack::{PackBuilder, SealedPack, blob_refs};
use crate::shard::make_shards;
use crate::testing::{decode, noise, open_in_pack, secrets};

const SET: SetId = SetId([0x11; 32]);

#[test]
fn the_pack_of_the_first_format_is_read() {
    let secrets = secrets(0);
    let pack = make_pack().pack;
    let bytes = fs::read(fixture("v1/pack.bin")).expect("the fixture is there");
    let trailer = read_trailer(&secrets, pack, &bytes).expect("a pack of the first format");
    let cipher = PackCipher::new(&secrets, PackKind::Data, pack);
    let contents: Vec<_> = blob_refs(pack, &trailer.chunks)
        .iter()
        .map(|blob| open_in_pack(&cipher, &secrets, blob, &bytes).expect("a chunk"))
        .collect();
    assert!(contents == [noise(1, 40_000), text(), vec![0x42]]);
}

#[test]
fn the_pack_of_the_first_format_is_made_again() {
    let bytes = fs::read(fixture("v1/pack.bin")).expect("the fixture is there");
    assert!(
        make_pack().bytes == bytes,
        "the same chunks made another pack"
    );
    let expected = fs::read_to_string(fixture("v2/pack.txt")).expect("the fixture is there");
    assert_eq!(describe(&make_pack()), expected);
}

#[test]
fn the_pack_of_the_first_format_comes_back_from_its_shards() {
    let (sealed, secrets) = (make_pack(), secrets(0));
    let mut present = vec![None; 4];
    let shards = make_shards(&secrets, SET, sealed.clone(), code(), Vec::new());
    for (position, _, masked) in shards.iter().skip(2) {
        let mut bytes = masked.to_vec();
        ShardMask::new(&secrets, SET, sealed.pack, position).apply(0, &mut bytes);
        present[usize::from(position.0)] = Some(bytes);
    }
    let bytes = fs::read(fixture("v1/pack.bin")).expect("the fixture is there");
    let decoded = decode(2, sealed.pack_bytes(), &present);
    assert!(decoded == Ok(bytes));
}

/// Run by hand, once for each version of the format. What is there was released and stays.
#[test]
#[ignore = "writes the fixtures instead of checking them"]
fn write_the_fixtures() {
    let sealed = make_pack();
    let description = describe(&sealed).into_bytes();
    for (name, bytes) in [("v1/pack.bin", sealed.bytes), ("v2/pack.txt", description)] {
        if !fixture(name).exists() {
            fs::write(fixture(name), bytes).expect("writing a fixture");
        }
    }
}

fn make_pack() -> SealedPack {
    let secrets = secrets(0);
    let mut builder = PackBuilder::new(PackKind::Data);
    // The second chunk brings its frame, so that another zstd makes no other pack.
    let chunks = [
        (noise(1, 40_000), noise(1, 40_000), false),
        (text(), FRAME.to_vec(), true),
        (vec![0x42], vec![0x42], false),
    ];
    for (raw, bytes, compressed) in chunks {
        let raw_bytes = u32::try_from(raw.len()).expect("short");
        builder.push_stored(secrets.chunk_id(&raw), &bytes, compressed, raw_bytes);
    }
    builder.seal(&secrets, [0x5a; 32])
}

fn describe(sealed: &SealedPack) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: String| {
        writeln!(lines, "{name} {value}").expect("writing to memory");
    };
    line(
        "phrase",
        "abandon (23 times) art; epoch 0; random 5a (32 times)".to_owned(),
    );
    line("pack", sealed.pack.to_hex());
    line("pack_bytes", sealed.bytes.len().to_string());
    line("blake3", blake3::hash(&sealed.bytes).to_string());
    for record in &sealed.chunks {
        let size = format!("{} of {}", record.stored_bytes, record.raw_bytes);
        line("chunk", format!("{} {size}", record.chunk.to_hex()));
    }
    line("set", format!("{} code {}", SET.to_hex(), code()));
    let shards = make_shards(&secrets(0), SET, sealed.clone(), code(), Vec::new());
    for (position, shard, _) in shards.iter() {
        line("shard", format!("{position} {}", shard.to_hex()));
    }
    lines
}

fn text() -> Vec<u8> {
    b"The quick brown fox jumps over the lazy dog. ".repeat(40)
}

fn code() -> Code {
    Code::new(2, 4).expect("a code")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/format")
        .join(name)
}

/// `text()` as zstd 1.5 compressed it.
const FRAME: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x08, 0x06, 0xb5, 0x01, 0x00, 0xd4, 0x02, 0x54, 0x68, 0x65, 0x20,
    0x71, 0x75, 0x69, 0x63, 0x6b, 0x20, 0x62, 0x72, 0x6f, 0x77, 0x6e, 0x20, 0x66, 0x6f, 0x78, 0x20,
    0x6a, 0x75, 0x6d, 0x70, 0x73, 0x20, 0x6f, 0x76, 0x65, 0x72, 0x20, 0x74, 0x68, 0x65, 0x20, 0x6c,
    0x61, 0x7a, 0x79, 0x20, 0x64, 0x6f, 0x67, 0x2e, 0x20, 0x01, 0x00, 0xc5, 0x16, 0xfe, 0xaa, 0x0c,
];
