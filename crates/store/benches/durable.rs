//! What it takes to keep a shard: written, hashed, synced, named and entered.
//!
//! `cargo bench -p bitdust-store`. It measures the disk of the temporary folder.

use bitdust_model::document::{Signature, Signed};
use bitdust_model::manifest::PackKind;
use bitdust_model::shard::StoreHeader;
use bitdust_model::{
    CodeVersion, DeviceId, Epoch, IdentityId, PackId, Position, SetId, ShardId, UnixMillis, encode,
};
use bitdust_store::home::HomePaths;
use bitdust_store::{Begin, ShardStore};
use criterion::{Criterion, Throughput};

/// A third of a pack of 16 MiB, in whole steps of 64 KiB.
const SHARD_BYTES: usize = 5_636_096;
/// As they come from the network.
const PIECE_BYTES: usize = 256 << 10;
const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (store, _) = ShardStore::open(&HomePaths::new(folder.path()), NOW).expect("opened");
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Bytes(SHARD_BYTES as u64));
    let mut bytes = vec![0; SHARD_BYTES];
    let mut number: u64 = 0;
    group.bench_function("keep a shard", |bencher| {
        bencher.iter(|| {
            number += 1;
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            keep(&store, number, &bytes);
        });
    });
    group.finish();
    criterion.final_summary();
}

/// Hashes twice what a supplier hashes once: the id has to be known before.
fn keep(store: &ShardStore, number: u64, bytes: &[u8]) {
    let header = header(number, bytes);
    // Nobody checks a signature here.
    let signed = Signed::from_parts(encode(&header), [5; 32], Signature([6; 64]));
    let shard = header.at(Position(0)).expect("its only one");
    let Begin::Write(mut writer) = store.begin(&shard, &signed.into()).expect("begun") else {
        panic!("shard {number} is here already");
    };
    writer.fill(bytes.chunks(PIECE_BYTES)).expect("written");
    writer.finish(NOW).expect("finished");
}

fn header(number: u64, bytes: &[u8]) -> StoreHeader {
    let mut pack = [0; 32];
    pack[..8].copy_from_slice(&number.to_le_bytes());
    StoreHeader {
        owner: IdentityId([1; 32]),
        lane: DeviceId([1; 32]),
        epoch: Epoch(1),
        set: SetId([1; 32]),
        pack: PackId(pack),
        kind: PackKind::Data,
        k: 3,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: u32::try_from(3 * bytes.len()).expect("a pack is short"),
        shard_bytes: u32::try_from(bytes.len()).expect("a shard is short"),
        shards: vec![ShardId(blake3::hash(bytes).into())],
    }
}
