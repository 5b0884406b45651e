//! Things to store.

use bitdust_model::codec::encode;
use bitdust_model::document::{Document, Signature, Signed};
use bitdust_model::head::{Head, HeadBundle, LaneHeads};
use bitdust_model::locator::Certificate;
use bitdust_model::manifest::{
    BlobRef, ChunkRecord, PackKind, PackRecord, PackRef, SnapshotRecord,
};
use bitdust_model::set::SetRecord;
use bitdust_model::shard::{ShardHeader, SignedHeader, StoreHeader};
use bitdust_model::tree::Meta;
use bitdust_model::{
    ChunkId, CodeVersion, DeviceId, Epoch, FolderId, HeadHash, IdentityId, PackId, Position,
    PositionMask, Sequence, SetId, ShardId, SnapshotId, UnixMillis, WriterId,
};
use bitdust_store::Catalogue;
use bitdust_store::home::HomePaths;
use bitdust_store::supplier::{Begin, ShardError, ShardStore, ShardWriter, StoredShard, Swept};

/// Length of a pack's header in these tests.
pub(crate) const PACK_HEADER_BYTES: u32 = 40;
/// When everything happens.
pub(crate) const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

pub(crate) fn temporary_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(crate) fn open_catalogue(dir: &tempfile::TempDir) -> Catalogue {
    Catalogue::open(&dir.path().join("catalogue.db"), PACK_HEADER_BYTES)
        .expect("the catalogue opens")
}

/// 32 bytes that are the same for the same words.
pub(crate) fn id(kind: &str, number: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes()).update(&number.to_le_bytes());
    hasher.finalize().into()
}

pub(crate) fn chunk(number: u64) -> ChunkId {
    ChunkId(id("chunk", number))
}

pub(crate) fn pack(number: u64) -> PackId {
    PackId(id("pack", number))
}

pub(crate) fn device(number: u64) -> DeviceId {
    DeviceId(id("device", number))
}

pub(crate) fn identity(number: u64) -> IdentityId {
    IdentityId(id("identity", number))
}

pub(crate) fn folder(number: u64) -> FolderId {
    FolderId(id("folder", number))
}

/// Bytes without a pattern, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// A document with a signature that nobody here checks.
pub(crate) fn signed<T: Document>(value: &T) -> Signed<T> {
    Signed::from_parts(encode(value), [5; 32], Signature([6; 64]))
}

/// A data pack 2/4 with these chunks, a kilobyte each.
pub(crate) fn pack_record(number: u64, chunks: &[u64]) -> PackRecord {
    let records: Vec<_> = chunks
        .iter()
        .map(|number| ChunkRecord {
            chunk: chunk(*number),
            stored_bytes: 1_000,
            raw_bytes: 2_000,
            compressed: true,
        })
        .collect();
    let body = 1_000 * u32::try_from(chunks.len()).expect("few chunks");
    PackRecord {
        pack: PackRef {
            pack: pack(number),
            kind: PackKind::Data,
            epoch: Epoch(1),
            set: SetId(id("set", 1)),
            k: 2,
            code_version: CodeVersion::Vandermonde1,
            pack_bytes: PACK_HEADER_BYTES + body + 500,
            shards: (0..4)
                .map(|position| {
                    ShardId(id("shard", number.wrapping_mul(100).wrapping_add(position)))
                })
                .collect(),
        },
        random: id("random", number),
        confirmed: PositionMask::default(),
        chunks: records,
    }
}

/// Confirms the first positions of a pack, each by another supplier.
pub(crate) fn confirm(catalogue: &Catalogue, number: u64, positions: u8) {
    for position in 0..positions {
        catalogue
            .confirm_shard(
                pack(number),
                Position(position),
                device(position.into()),
                None,
                NOW,
            )
            .expect("confirmed");
    }
}

/// A pack that is recorded, confirmed by three of four, and committed.
pub(crate) fn commit(catalogue: &Catalogue, number: u64, chunks: &[u64]) {
    catalogue
        .record_pack(pack_record(number, chunks))
        .expect("recorded");
    confirm(catalogue, number, 3);
    catalogue.commit_pack(pack(number)).expect("committed");
}

pub(crate) fn blob(number: u64) -> BlobRef {
    BlobRef {
        pack: pack(number),
        offset: 40,
        counter: 0,
        record: ChunkRecord {
            chunk: chunk(number),
            stored_bytes: 10,
            raw_bytes: 20,
            compressed: false,
        },
    }
}

pub(crate) fn snapshot(number: u64) -> SnapshotRecord {
    SnapshotRecord {
        snapshot: SnapshotId(id("snapshot", number)),
        folder: folder(1),
        path: b"/home/alice/caf\xe9".to_vec(),
        device: device(1),
        order: number,
        taken_at: UnixMillis(NOW.0 + number),
        is_clock_suspect: false,
        root: Meta::default(),
        pages: vec![chunk(number)],
        files: 3,
        bytes: 4_000,
        problems: 0,
    }
}

/// Head number `sequence` of a lane, after the head with a hash.
pub(crate) fn head(owner: IdentityId, lane: DeviceId, sequence: u64, previous: HeadHash) -> Head {
    Head {
        owner,
        lane,
        writer: WriterId([3; 16]),
        epoch: Epoch(1),
        sequence: Sequence(sequence),
        previous,
        home: SetId(id("set", 1)),
        sets: Vec::new(),
        tombstone: None,
        commit: pack_record(sequence, &[]).pack,
        manifest: blob(sequence),
        written_at: NOW,
    }
}

/// A head as it travels.
pub(crate) fn head_bundle(head: &Head, sets: &[SetRecord]) -> HeadBundle {
    HeadBundle {
        head: signed(head),
        sets: sets.iter().map(signed).collect(),
        certificate: signed(&Certificate {
            identity: head.owner,
            device: head.lane,
            exchange: [9; 32],
            epoch: Epoch(1),
            issued_at: NOW,
            nickname: String::new(),
        }),
    }
}

/// What a supplier keeps of a lane of which it has one branch.
pub(crate) fn lane_heads(bundle: HeadBundle) -> LaneHeads {
    LaneHeads {
        tips: vec![bundle],
        are_lists_complete: true,
    }
}

/// A shard at position 0 of its own pack.
pub(crate) fn header(owner: IdentityId, lane: DeviceId, number: u64, bytes: &[u8]) -> ShardHeader {
    ShardHeader {
        owner,
        lane,
        epoch: Epoch(1),
        set: SetId(id("set", 1)),
        position: Position(0),
        pack: pack(number),
        kind: PackKind::Data,
        k: 2,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: u32::try_from(2 * bytes.len()).expect("short"),
        shard: ShardId(blake3::hash(bytes).into()),
        shard_bytes: u32::try_from(bytes.len()).expect("short"),
    }
}

/// The header of the pack of a shard, which has no shards behind that one.
pub(crate) fn signed_header(shard: &ShardHeader) -> SignedHeader {
    let others =
        (0..shard.position.0).map(|position| ShardId(id("another shard", u64::from(position))));
    let header = StoreHeader {
        owner: shard.owner,
        lane: shard.lane,
        epoch: shard.epoch,
        set: shard.set,
        pack: shard.pack,
        kind: shard.kind,
        k: shard.k,
        code_version: shard.code_version,
        pack_bytes: shard.pack_bytes,
        shard_bytes: shard.shard_bytes,
        shards: others.chain([shard.shard]).collect(),
    };
    signed(&header).into()
}

/// A home's folder with a store in it that can be closed and opened again.
pub(crate) struct Supplier {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) paths: HomePaths,
}

impl Supplier {
    pub(crate) fn new() -> Self {
        let dir = temporary_folder();
        let paths = HomePaths::new(dir.path());
        Self { dir, paths }
    }

    pub(crate) fn open(&self) -> (ShardStore, Swept) {
        self.open_at(wall_clock())
    }

    pub(crate) fn open_at(&self, now: UnixMillis) -> (ShardStore, Swept) {
        ShardStore::open(&self.paths, now).expect("the store opens")
    }

    /// Runs SQL behind the store's back, while it is closed.
    pub(crate) fn sql(&self, sql: &str) {
        let connection =
            rusqlite::Connection::open(self.paths.supplier()).expect("the database opens");
        connection.execute_batch(sql).expect("the statement runs");
    }

    /// The file of a shard.
    pub(crate) fn file(&self, header: &ShardHeader) -> std::path::PathBuf {
        let hex = header.shard.to_hex();
        self.paths
            .shards()
            .join(header.owner.to_hex())
            .join(&hex[..2])
            .join(hex)
    }

    /// A file beside a shard's.
    pub(crate) fn beside(&self, header: &ShardHeader, ending: &str) -> std::path::PathBuf {
        self.file(header).with_extension(ending)
    }
}

/// Files have the time of the machine, so the sweep needs it too.
pub(crate) fn wall_clock() -> UnixMillis {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    UnixMillis(u64::try_from(since.as_millis()).expect("before the year 500000000"))
}

pub(crate) fn begin_writing(store: &ShardStore, header: &ShardHeader) -> Box<ShardWriter> {
    match store.begin(header, &signed_header(header)).expect("begun") {
        Begin::Write(writer) => writer,
        Begin::Have { .. } => panic!("the shard is here already"),
    }
}

pub(crate) fn refusal(store: &ShardStore, header: &ShardHeader) -> ShardError {
    match store.begin(header, &signed_header(header)) {
        Err(error) => error,
        Ok(Begin::Write(_)) => panic!("it was taken"),
        Ok(Begin::Have { .. }) => panic!("it is here"),
    }
}

/// Stores bytes from wherever the store is.
pub(crate) fn store_bytes(store: &ShardStore, header: &ShardHeader, bytes: &[u8]) -> StoredShard {
    let mut writer = begin_writing(store, header);
    let offset = usize::try_from(writer.offset()).expect("short");
    writer
        .fill(bytes[offset..].chunks(30_000))
        .expect("written");
    writer.finish(NOW).expect("finished")
}

/// Stores bytes unless they are here.
pub(crate) fn keep_bytes(store: &ShardStore, header: &ShardHeader, bytes: &[u8]) {
    if store
        .stored_at(header.owner, header.shard)
        .expect("asked")
        .is_none()
    {
        store_bytes(store, header, bytes);
    }
}
