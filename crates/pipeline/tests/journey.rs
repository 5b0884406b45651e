//! The whole way through what is public: a stream becomes chunks, packs and masked shards;
//! suppliers answer ranges with proofs; some of them are gone; the stream comes back.

use bao_tree::io::outboard::PreOrderOutboard;
use bao_tree::io::sync::{CreateOutboard, encode_ranges_validated};
use bao_tree::{BlockSize, ChunkNum, ChunkRanges};
use bitdust_crypto::{EpochSecrets, PackCipher, Phrase, RootSecrets, ShardMask};
use bitdust_model::manifest::{BlobRef, PackKind};
use bitdust_model::{Code, Epoch, Position, SetId};
use bitdust_pipeline::pack::open::open_chunk_within;
use bitdust_pipeline::plan::{ShardRange, shard_ranges, union};
use bitdust_pipeline::shard::make_shards;
use bitdust_pipeline::{Chunker, Cutter, Gathered, PackBuilder, RangeVerifier, SealedPack, Shards};

const SET: SetId = SetId([3; 32]);
const GONE: [u8; 3] = [0, 2, 5];

#[test]
fn a_stream_survives_the_loss_of_all_but_k_suppliers() {
    let secrets = secrets();
    let stream = stream(40 << 20);
    let packs = pack_stream(&secrets, &stream);
    assert!(packs.len() > 1, "the stream fills more than one pack");
    let code = Code::new(3, 6).expect("a code");

    let mut restored = Vec::with_capacity(stream.len());
    for (number, sealed) in packs.iter().enumerate() {
        let shards = make_shards(&secrets, SET, sealed.clone(), code, Vec::new());
        let blobs = sealed.blob_refs();
        // Whole packs, and in one case a chunk at a time.
        let parts = if number == 0 { 1 } else { blobs.len() };
        for wanted in blobs.chunks(parts) {
            restored.extend(restore(&secrets, sealed, &shards, wanted));
        }
    }
    assert!(restored == stream);
}

/// Fetches, proves, unmasks, decodes and opens some chunks of a pack.
fn restore(
    secrets: &EpochSecrets,
    sealed: &SealedPack,
    shards: &Shards,
    blobs: &[BlobRef],
) -> Vec<u8> {
    let mut gathered = Gathered::new(3, sealed.pack_bytes()).expect("a pack");
    for (position, range) in plan(sealed.pack_bytes(), blobs) {
        let (_, shard, stored) = shards
            .iter()
            .nth(usize::from(position.0))
            .expect("six shards");
        let (length, shard_bytes) = (range.end - range.start, stored.len() as u64);
        let slice = answer(stored, range.start, length);
        let mut verifier =
            RangeVerifier::new(shard, shard_bytes, range.start, length).expect("a range");
        let mut bytes = Vec::new();
        verifier
            .push(&slice, &mut bytes)
            .expect("the supplier is honest");
        verifier.finish().expect("and sends all of it");
        ShardMask::new(secrets, SET, sealed.pack, position).apply(range.start, &mut bytes);
        gathered
            .insert(position, range.start, bytes)
            .expect("it fits");
    }
    let cipher = PackCipher::new(secrets, sealed.kind, sealed.pack);
    blobs
        .iter()
        .flat_map(|blob| {
            let mut chunk = Vec::new();
            gathered
                .read_into(blob.offset, blob.record.stored_bytes, &mut chunk)
                .expect("planned");
            open_chunk_within(&cipher, secrets, blob, &mut chunk, 0).expect("the chunk is whole");
            chunk
        })
        .collect()
}

/// What to fetch for some chunks: the data shards that hold them, or where one is gone the
/// same ranges of all that are left.
fn plan(pack_bytes: u32, blobs: &[BlobRef]) -> Vec<ShardRange> {
    let wanted: Vec<_> = blobs
        .iter()
        .map(|blob| (blob.offset, blob.record.stored_bytes))
        .collect();
    let own = shard_ranges(3, pack_bytes, &wanted);
    if !own.iter().any(|(position, _)| GONE.contains(&position.0)) {
        return own;
    }
    let ranges = union(own.into_iter().map(|(_, range)| range));
    let left = (0..6).filter(|index| !GONE.contains(index)).map(Position);
    left.flat_map(|position| ranges.iter().map(move |range| (position, range.clone())))
        .collect()
}

fn pack_stream(secrets: &EpochSecrets, stream: &[u8]) -> Vec<SealedPack> {
    let mut cutter = Cutter::new(Chunker::new(secrets.gear_seed()));
    let mut packs = Vec::new();
    let mut builder = PackBuilder::new(PackKind::Data);
    let mut chunks = cutter.chunks(stream);
    while let Some(chunk) = chunks.next_chunk().expect("reading from memory") {
        builder.push(secrets.chunk_id(chunk), chunk);
        if builder.is_full() {
            let full = std::mem::replace(&mut builder, PackBuilder::new(PackKind::Data));
            packs.push(seal(full, secrets, packs.len()));
        }
    }
    if !builder.is_empty() {
        packs.push(seal(builder, secrets, packs.len()));
    }
    packs
}

fn seal(builder: PackBuilder, secrets: &EpochSecrets, number: usize) -> SealedPack {
    builder.seal(secrets, [u8::try_from(number).expect("few packs"); 32])
}

/// A supplier's answer.
fn answer(shard: &[u8], offset: u64, length: u64) -> Vec<u8> {
    let groups = BlockSize::from_chunk_log(4);
    let outboard = PreOrderOutboard::<Vec<u8>>::create(std::io::Cursor::new(shard), groups)
        .expect("hashing memory");
    let ranges =
        ChunkRanges::from(ChunkNum(offset / 1024)..ChunkNum((offset + length).div_ceil(1024)));
    let mut slice = Vec::new();
    encode_ranges_validated(shard, &outboard, &ranges, &mut slice).expect("reading memory");
    slice
}

fn secrets() -> EpochSecrets {
    let words = format!("{}art", "abandon ".repeat(23));
    RootSecrets::from_phrase(&Phrase::parse(&words).expect("a phrase")).epoch(Epoch(0))
}

/// Bytes of which one half shrinks and the other does not.
fn stream(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    (0..bytes)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [.., high] = state.to_le_bytes();
            if at / (3 << 20) % 2 == 0 {
                high
            } else {
                high & 3
            }
        })
        .collect()
}
