//! What each step of the way from bytes to shards takes, on one thread.
//!
//! `cargo bench -p bitdust-pipeline`; with `-- cut` one of them.

use std::hint::black_box;

use bitdust_crypto::{EpochSecrets, PackCipher, Phrase, RootSecrets};
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, Epoch, PackId, Position, SetId};
use bitdust_pipeline::compress::{compress_into, decompress_within};
use bitdust_pipeline::{Chunker, Cutter, erasure, shard};
use criterion::{BatchSize, Criterion, Throughput};

const MIB: usize = 1 << 20;
const CHUNK_BYTES: usize = MIB;
const PACK_BYTES: usize = 16 * MIB;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    chunks(&mut criterion);
    packs(&mut criterion);
    shards(&mut criterion);
    criterion.final_summary();
}

/// Steps that work on a chunk.
fn chunks(criterion: &mut Criterion) {
    let (secrets, bytes) = (secrets(), noise(PACK_BYTES));
    let mut group = criterion.benchmark_group("chunk");
    group.throughput(Throughput::Bytes(PACK_BYTES as u64));
    let mut cutter = Cutter::new(Chunker::new(secrets.gear_seed()));
    group.bench_function("cut", |bencher| {
        bencher.iter(|| {
            let mut chunks = cutter.chunks(bytes.as_slice());
            while let Ok(Some(chunk)) = chunks.next_chunk() {
                black_box(chunk);
            }
        });
    });
    group.throughput(Throughput::Bytes(CHUNK_BYTES as u64));
    let chunk = &bytes[..CHUNK_BYTES];
    group.bench_function("hash", |bencher| bencher.iter(|| secrets.chunk_id(chunk)));
    let mut target = Vec::with_capacity(2 * CHUNK_BYTES);
    let mut compress = |bytes: &[u8]| {
        target.clear();
        compress_into(bytes, &mut target)
    };
    group.bench_function("compress what does not compress", |bencher| {
        bencher.iter(|| compress(chunk));
    });
    let text = text(CHUNK_BYTES);
    group.bench_function("compress text", |bencher| bencher.iter(|| compress(&text)));
    let mut compressed = Vec::new();
    compress_into(&text, &mut compressed);
    let raw_bytes = u32::try_from(CHUNK_BYTES).expect("a chunk is short");
    group.bench_function("decompress text", |bencher| {
        bencher.iter_batched(
            || compressed.clone(),
            |mut bytes| decompress_within(&mut bytes, 0, true, raw_bytes),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Steps that work on a pack: sealing its chunks, coding it, getting it back.
fn packs(criterion: &mut Criterion) {
    let (secrets, bytes) = (secrets(), noise(PACK_BYTES));
    let cipher = PackCipher::new(&secrets, PackKind::Data, PackId([1; 32]));
    let mut group = criterion.benchmark_group("pack");
    group.throughput(Throughput::Bytes(CHUNK_BYTES as u64));
    let mut chunk = bytes[..CHUNK_BYTES].to_vec();
    group.bench_function("seal a chunk", |bencher| {
        bencher.iter(|| cipher.seal_chunk(0, &mut chunk));
    });
    let tag = cipher.seal_chunk(1, &mut chunk);
    chunk.extend_from_slice(&tag);
    group.bench_function("open a chunk", |bencher| {
        bencher.iter_batched(
            || chunk.clone(),
            |mut sealed| cipher.open_chunk(1, &mut sealed).is_ok(),
            BatchSize::LargeInput,
        );
    });
    group.throughput(Throughput::Bytes(PACK_BYTES as u64));
    let code = Code::new(3, 6).expect("a code");
    let (mut data, mut coded) = (bytes.clone(), Vec::new());
    let mut length = 0;
    group.bench_function("code 3/6", |bencher| {
        bencher.iter(|| length = erasure::encode_in_place(&mut data, code, &mut coded));
    });
    // The plain thirds are lost: everything has to be decoded.
    let parity: Vec<(u8, &[u8])> = (3..6).zip(coded.chunks(length.max(1))).collect();
    let mut plain = vec![0; 3 * length];
    group.bench_function("decode from parity", |bencher| {
        bencher.iter(|| {
            for (index, target) in (0..3).zip(plain.chunks_mut(length.max(1))) {
                erasure::decode_into(3, &parity, index, target).expect("k shards are at hand");
            }
        });
    });
    group.finish();
}

/// Steps that work on a shard, at both ends.
fn shards(criterion: &mut Criterion) {
    let secrets = secrets();
    let length = erasure::shard_bytes(u32::try_from(PACK_BYTES).expect("a pack is short"), 3);
    let bytes = noise(usize::try_from(length).expect("a shard is short"));
    let mut group = criterion.benchmark_group("shard");
    group.throughput(Throughput::Bytes(length));
    group.bench_function("mask and name", |bencher| {
        bencher.iter_batched(
            || bytes.clone(),
            |bytes| {
                let (set, pack) = (SetId([1; 32]), PackId([1; 32]));
                shard::mask(&secrets, set, pack, Position(0), bytes)
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("name", |bencher| {
        bencher.iter(|| shard::shard_id(black_box(&bytes)));
    });
    group.finish();
}

/// Secrets of a phrase that anybody may know.
fn secrets() -> EpochSecrets {
    let words = format!("{}art", "abandon ".repeat(23));
    let phrase = Phrase::parse(&words).expect("the phrase of 32 zero bytes");
    RootSecrets::from_phrase(&phrase).epoch(Epoch(0))
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// Words of a made-up language, frequent ones more often.
fn text(length: usize) -> Vec<u8> {
    let noise = noise(2 * length);
    let mut text = Vec::with_capacity(length + 16);
    for pair in noise.chunks_exact(2) {
        let word = u16::from(pair[0]) * u16::from(pair[1] % 16);
        text.extend_from_slice(format!("{word:x} ").as_bytes());
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}
