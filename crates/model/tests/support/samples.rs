//! One value of every document, with every field and every variant in use.
//!
//! The values are part of the fixtures: a change here is a change of them. Signatures are
//! only shaped like some; real ones are frozen in the crypto crate. Each has a file in the folder of
//! its version (`v1`, `v2`, `v3`), and in those before it if it was read then.

use bitdust_model::HeadRef;
use bitdust_model::codec::Versioned;
use bitdust_model::contract::{
    Contract, ContractAcceptance, ContractEnd, ContractKind, ContractNotice, ContractRenewal,
    Succession,
};
use bitdust_model::deletion::{Deletion, DeletionGrant, Tombstone, TombstoneRef, Undeletion};
use bitdust_model::document::Signature;
use bitdust_model::head::{Head, HeadBundle, HeadReceipt, LaneHeads};
use bitdust_model::locator::{
    Addresses, Certificate, ClosedLane, Contact, DhtRecord, EpochGrant, Fence, HomeSet, Invitation,
    KeyedRecord, LaneRecord, NicknameClaim, Offer, RecordKind, RootRecord,
};
use bitdust_model::manifest::{
    BlobRef, ChunkRecord, FolderRecord, FolderSchedule, FriendRecord, GrownPack, Manifest,
    PackKind, PackRecord, PackRef, Retention, Segment, SnapshotPage, SnapshotRecord, Trailer,
};
use bitdust_model::message::{Body, Fetch, FetchTarget, Hello, Packet, Refusal};
use bitdust_model::set::{Holder, Mandate, PositionRecord, PositionState, SetRecord, SetVersion};
use bitdust_model::shard::{Receipt, SignedHeader, StoreHeader, StoreSupplement};
use bitdust_model::tree::{
    ChunkList, Content, Entry, FLAGS_ATTRIBUTE, Meta, Node, OwnerNames, TreePage,
};
use bitdust_model::{
    ByteCount, ChunkId, CodeVersion, ContractId, DeviceId, DhtKey, Document, Epoch, ErrorCode,
    FolderId, HeadHash, IdentityId, MandateHash, PackId, Position, PositionMask, Sequence, SetHash,
    SetId, ShardId, Signed, SnapshotId, TombstoneHash, UnixMillis, WriterId, encode,
};

/// Something that is done with a value of each kind.
pub(crate) trait Visitor {
    /// Does it.
    fn visit<T: Versioned + PartialEq + std::fmt::Debug>(&mut self, file: &'static str, value: &T);
}

/// Shows every value, with the name of its fixture, to a visitor.
pub(crate) fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit("addresses.bin", &addresses());
    visitor.visit("certificate.bin", &certificate());
    visitor.visit("chunk_list.bin", &chunk_list());
    visitor.visit("contract.bin", &contract());
    visitor.visit("contract_acceptance.bin", &contract_acceptance());
    visitor.visit("contract_end.bin", &contract_end());
    visitor.visit("contract_notice.bin", &contract_notice());
    visitor.visit("contract_renewal.bin", &contract_renewal());
    visitor.visit("deletion_grant.bin", &deletion_grant());
    visitor.visit("dht_record.bin", &dht_record());
    visitor.visit("epoch_grant.bin", &epoch_grant());
    visitor.visit("fence.bin", &fence());
    visitor.visit("head.bin", &head());
    visitor.visit("head_receipt.bin", &head_receipt());
    visitor.visit("invitation.bin", &invitation());
    visitor.visit("lane_record.bin", &lane_record());
    visitor.visit("mandate.bin", &mandate());
    visitor.visit("manifest.bin", &manifest());
    visitor.visit("nickname_claim.bin", &nickname_claim());
    visitor.visit("offer.bin", &offer());
    visitor.visit("receipt.bin", &receipt());
    visitor.visit("root_record.bin", &root_record());
    visitor.visit("segment.bin", &segment());
    visitor.visit("set_record.bin", &set_record());
    visitor.visit("snapshot_page.bin", &snapshot_page());
    visitor.visit("store_header.bin", &store_header());
    visitor.visit("store_supplement.bin", &store_supplement());
    visitor.visit("succession.bin", &succession());
    visitor.visit("tombstone.bin", &tombstone());
    visitor.visit("trailer.bin", &trailer());
    visitor.visit("tree_page.bin", &tree_page());
    visitor.visit("tree_page_flags.bin", &flagged_page());
    visitor.visit("undeletion.bin", &undeletion());
    for body in bodies() {
        visitor.visit(file_of(&body), &packet(body));
    }
}

/// The fixture of a packet; a new kind of body needs one.
pub(crate) fn file_of(body: &Body) -> &'static str {
    match body {
        Body::Hello(_) => "packet_00_hello.bin",
        Body::Refused(_) => "packet_01_refused.bin",
        Body::Done => "packet_02_done.bin",
        Body::SpaceAsk => "packet_03_space_ask.bin",
        Body::SpaceFree(_) => "packet_04_space_free.bin",
        Body::Befriend { .. } => "packet_05_befriend.bin",
        Body::Propose(_) => "packet_06_propose.bin",
        Body::ContractSigned(_) => "packet_07_contract_signed.bin",
        Body::Store { .. } => "packet_08_store.bin",
        Body::Stored(_) => "packet_09_stored.bin",
        Body::Fetch(_) => "packet_10_fetch.bin",
        Body::Fetched { .. } => "packet_11_fetched.bin",
        Body::List { .. } => "packet_12_list.bin",
        Body::Listing { .. } => "packet_13_listing.bin",
        Body::Delete { .. } => "packet_14_delete.bin",
        Body::Deleted { .. } => "packet_15_deleted.bin",
        Body::HeadPut { .. } => "packet_16_head_put.bin",
        Body::HeadKept(_) => "packet_17_head_kept.bin",
        Body::HeadsAsk { .. } => "packet_18_heads_ask.bin",
        Body::Heads { .. } => "packet_19_heads.bin",
        Body::Deposit(_) => "packet_20_deposit.bin",
        Body::Locate(_) => "packet_21_locate.bin",
        Body::Located(_) => "packet_22_located.bin",
        Body::FencePut(_) => "packet_23_fence_put.bin",
        Body::Identify(_) => "packet_24_identify.bin",
    }
}

/// One body of each kind, in the order of their numbers.
pub(crate) fn bodies() -> Vec<Body> {
    let token = [0x70; 16];
    let mut bodies = vec![
        Body::Hello(Hello {
            certificate: Some(signed(&certificate())),
            network: "main".to_owned(),
            addresses: contact().addresses,
        }),
        Body::Refused(Refusal {
            code: ErrorCode::QuotaExceeded,
            retry_after_ms: Some(1_500),
        }),
        Body::Done,
        Body::SpaceAsk,
        Body::SpaceFree(ByteCount(10_000_000_000)),
        Body::Befriend {
            token,
            contact: contact(),
            nickname: "alice".to_owned(),
        },
        Body::Propose(signed(&contract())),
        Body::ContractSigned(signed(&contract_acceptance())),
    ];
    bodies.extend(bulk_bodies());
    bodies.extend([
        Body::List {
            lane: device(),
            after: Some(ShardId([0x81; 32])),
        },
        Body::Listing {
            headers: vec![(Position(2), grown_header())],
            more: true,
        },
        Body::Delete {
            tombstone: signed(&tombstone()),
            grant: Some(signed(&deletion_grant())),
        },
        Body::Deleted {
            packs: vec![
                Deletion::Done,
                Deletion::Waits { days: 7 },
                Deletion::Refused {
                    code: ErrorCode::NotAllowed,
                },
            ],
            bytes: ByteCount(131_072),
        },
        Body::HeadPut {
            bundle: Box::new(head_bundle()),
            between: vec![signed(&head())],
            receipts: vec![signed(&head_receipt())],
        },
        Body::HeadKept(signed(&head_receipt())),
        Body::HeadsAsk {
            after: Some(device()),
        },
        Body::Heads {
            lanes: vec![LaneHeads {
                tips: vec![head_bundle()],
                are_lists_complete: true,
            }],
            more: true,
        },
        Body::Deposit(vec![keyed_record()]),
        Body::Locate(vec![DhtKey([0xd1; 32]), DhtKey([0xd2; 32])]),
        Body::Located(vec![keyed_record()]),
        Body::FencePut(signed(&fence())),
        Body::Identify(signed(&certificate())),
    ]);
    bodies
}

fn bulk_bodies() -> [Body; 4] {
    [
        Body::Store {
            header: signed(&store_header()).into(),
            position: Position(1),
        },
        Body::Stored(signed(&receipt())),
        Body::Fetch(Fetch {
            target: FetchTarget::Place {
                set: set_id(),
                pack: pack_id(),
                position: Position(2),
            },
            offset: 65_536,
            length: 131_072,
        }),
        Body::Fetched {
            header: grown_header(),
            offset: 65_536,
            length: 131_072,
        },
    ]
}

/// A packet that says something.
pub(crate) fn packet(body: Body) -> Packet {
    Packet {
        from: device(),
        to: DeviceId([0x12; 32]),
        challenge: [0xc4; 16],
        sequence: Sequence(300),
        sent_at: time(5),
        body,
    }
}

/// A directory with one of everything.
pub(crate) fn tree_page() -> TreePage {
    let entry = |name: &[u8], node| Entry {
        name: name.to_vec(),
        meta: meta(),
        node,
    };
    let file = |content, link_group| Node::File {
        size: 3_000_000,
        content,
        link_group,
        is_sparse: link_group.is_some(),
    };
    TreePage {
        owners: OwnerNames {
            users: vec![(1_000, b"alice".to_vec())],
            groups: vec![(100, b"users".to_vec())],
        },
        entries: vec![
            entry(b"a block device", device_node(true)),
            entry(b"b character device", device_node(false)),
            entry(
                b"c folder",
                Node::Directory {
                    pages: vec![chunk(1), chunk(2)],
                },
            ),
            entry(
                b"d file",
                file(Content::Chunks(vec![chunk(3), chunk(4)]), None),
            ),
            entry(
                b"e big file",
                file(Content::Lists(vec![chunk(5)]), Some(0x0102_0304_0506)),
            ),
            entry(b"f pipe", Node::Fifo),
            entry(b"g socket", Node::Socket),
            entry(
                b"h link \xff",
                Node::Symlink {
                    target: b"../elsewhere".to_vec(),
                },
            ),
        ],
    }
}

/// Things that may not be changed.
fn flagged_page() -> TreePage {
    let entry = |name: &[u8], flags: &[u8]| Entry {
        name: name.to_vec(),
        meta: Meta {
            xattrs: vec![
                (FLAGS_ATTRIBUTE.to_vec(), flags.to_vec()),
                (b"user.note".to_vec(), b"value".to_vec()),
            ],
            ..meta()
        },
        node: Node::Directory {
            pages: vec![chunk(1)],
        },
    };
    TreePage {
        owners: OwnerNames::default(),
        entries: vec![
            entry(b"append-only", b"a"),
            entry(b"both", b"ai"),
            entry(b"immutable", b"i"),
        ],
    }
}

fn device_node(block: bool) -> Node {
    Node::Device {
        block,
        rdev: 0x0801,
    }
}

fn chunk_list() -> ChunkList {
    ChunkList {
        chunks: vec![chunk(6), chunk(7), chunk(8)],
    }
}

fn segment() -> Segment {
    let record = |kind, chunks| PackRecord {
        pack: pack_ref(kind),
        random: [0x5a; 32],
        confirmed: PositionMask(0b11),
        chunks,
    };
    Segment {
        packs: vec![
            record(PackKind::Data, trailer().chunks),
            record(PackKind::Tree, vec![chunk_record(3)]),
        ],
        grown: vec![GrownPack {
            pack: PackId([0x42; 32]),
            first: Position(2),
            shards: vec![ShardId([0x85; 32])],
        }],
    }
}

fn trailer() -> Trailer {
    Trailer {
        chunks: vec![chunk_record(1), chunk_record(2)],
    }
}

pub(crate) fn manifest() -> Manifest {
    Manifest {
        lane: device(),
        sequence: Sequence(7),
        device_label: "alice".to_owned(),
        folders: vec![FolderRecord {
            folder: FolderId([0x31; 32]),
            path: b"/home/alice/Pictures".to_vec(),
            excludes: vec!["*.tmp".to_owned()],
            crosses_mounts: true,
            schedule: Some(FolderSchedule::Every { minutes: 60 }),
            retention: Retention::KeepAll,
        }],
        older: vec![blob(PackId([0; 32])), blob(pack_id())],
        snapshots: vec![snapshot()],
        segments: vec![
            vec![blob(PackId([0; 32]))],
            vec![blob(pack_id()), blob(pack_id())],
        ],
        packs: vec![pack_ref(PackKind::Commit)],
        friends: vec![FriendRecord {
            identity: IdentityId([0x22; 32]),
            device: DeviceId([0x23; 32]),
            nickname: "bob".to_owned(),
            addresses: contact().addresses,
        }],
        tombstones: vec![blob(pack_id())],
    }
}

fn snapshot() -> SnapshotRecord {
    SnapshotRecord {
        snapshot: SnapshotId([0x32; 32]),
        folder: FolderId([0x31; 32]),
        path: b"/home/alice/Pictures".to_vec(),
        device: device(),
        order: 12,
        taken_at: time(3),
        is_clock_suspect: true,
        root: meta(),
        pages: vec![chunk(1)],
        files: 12,
        bytes: 3_000_000,
        problems: 1,
    }
}

fn snapshot_page() -> SnapshotPage {
    SnapshotPage {
        snapshots: vec![snapshot(), snapshot()],
    }
}

fn set_record() -> SetRecord {
    let holder = |device| Holder {
        identity: IdentityId([0x22; 32]),
        device: DeviceId([device; 32]),
    };
    SetRecord {
        set: set_id(),
        owner: identity(),
        lane: device(),
        version: Sequence(2),
        previous: SetHash([0x62; 32]),
        k: 2,
        positions: vec![
            PositionRecord {
                state: PositionState::Filling,
                since: Sequence(2),
                current: Some(holder(0x23)),
                former: vec![holder(0x24)],
            },
            PositionRecord {
                state: PositionState::Active,
                since: Sequence(1),
                current: Some(holder(0x25)),
                former: Vec::new(),
            },
            PositionRecord {
                state: PositionState::Inactive,
                since: Sequence(2),
                current: Some(holder(0x26)),
                former: Vec::new(),
            },
            PositionRecord::default(),
        ],
        mandate: Some(MandateHash([0x63; 32])),
    }
}

fn mandate() -> Mandate {
    Mandate {
        owner: identity(),
        lane: device(),
        set: set_id(),
        repairer: Holder {
            identity: IdentityId([0x22; 32]),
            device: DeviceId([0x23; 32]),
        },
        secrets: vec![0x5e; 97],
        issued_at: time(9),
    }
}

const fn set_version() -> SetVersion {
    SetVersion {
        set: set_id(),
        version: Sequence(2),
        hash: SetHash([0x64; 32]),
    }
}

const fn head_ref() -> HeadRef {
    HeadRef {
        sequence: Sequence(7),
        hash: HeadHash([0x72; 32]),
    }
}

fn head() -> Head {
    Head {
        owner: identity(),
        lane: device(),
        writer: WriterId([0x77; 16]),
        epoch: Epoch(1),
        sequence: Sequence(7),
        previous: HeadHash([0x71; 32]),
        home: set_id(),
        sets: vec![set_version()],
        tombstone: Some(TombstoneRef {
            number: Sequence(3),
            hash: TombstoneHash([0x65; 32]),
        }),
        commit: pack_ref(PackKind::Commit),
        manifest: blob(pack_id()),
        written_at: time(4),
    }
}

fn tombstone() -> Tombstone {
    Tombstone {
        owner: identity(),
        lane: device(),
        number: Sequence(3),
        previous: TombstoneHash([0x66; 32]),
        packs: vec![pack_id(), PackId([0x42; 32])],
        written_at: time(4),
    }
}

fn deletion_grant() -> DeletionGrant {
    DeletionGrant {
        identity: identity(),
        lane: device(),
        last: Sequence(3),
        bytes: ByteCount(10_000_000_000),
        issued_at: time(7),
    }
}

fn undeletion() -> Undeletion {
    Undeletion {
        identity: identity(),
        lane: device(),
        first: Sequence(2),
        issued_at: time(7),
    }
}

fn head_receipt() -> HeadReceipt {
    HeadReceipt {
        supplier: DeviceId([0x23; 32]),
        lane: device(),
        sequence: Sequence(7),
        head: HeadHash([0x72; 32]),
        set_version: Sequence(2),
        are_lists_complete: true,
        own_days: Some(40),
        received_at: time(6),
    }
}

fn head_bundle() -> HeadBundle {
    HeadBundle {
        head: signed(&head()),
        sets: vec![signed(&set_record())],
        certificate: signed(&certificate()),
    }
}

fn store_header() -> StoreHeader {
    StoreHeader {
        owner: identity(),
        lane: device(),
        epoch: Epoch(1),
        set: set_id(),
        pack: pack_id(),
        kind: PackKind::Data,
        k: 2,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: 16_777_216,
        shard_bytes: 8_388_608,
        shards: vec![ShardId([0x81; 32]), ShardId([0x82; 32])],
    }
}

fn store_supplement() -> StoreSupplement {
    StoreSupplement {
        owner: identity(),
        lane: device(),
        pack: pack_id(),
        first: Position(2),
        shards: vec![ShardId([0x83; 32])],
    }
}

fn grown_header() -> SignedHeader {
    SignedHeader {
        header: signed(&store_header()),
        supplement: Some(signed(&store_supplement())),
    }
}

fn receipt() -> Receipt {
    Receipt {
        supplier: DeviceId([0x23; 32]),
        owner: identity(),
        lane: device(),
        pack: pack_id(),
        position: Position(2),
        shard: ShardId([0x82; 32]),
        shard_bytes: 8_388_608,
        stored_at: time(6),
    }
}

fn contract() -> Contract {
    Contract {
        customer: identity(),
        lane: device(),
        supplier_identity: IdentityId([0x22; 32]),
        supplier: DeviceId([0x23; 32]),
        kind: ContractKind::Friend,
        bytes: ByteCount(10_000_000_000),
        reserve: ByteCount(2_500_000_000),
        term_days: Some(30),
        patience_days: 180,
        replaces: Some(signed(&succession())),
        proposed_at: time(1),
        nonce: [0x4e; 16],
    }
}

fn contract_acceptance() -> ContractAcceptance {
    ContractAcceptance {
        contract: ContractId([0x43; 32]),
        supplier: DeviceId([0x23; 32]),
        accepted_at: time(2),
    }
}

fn succession() -> Succession {
    Succession {
        identity: identity(),
        old: DeviceId([0x13; 32]),
        new: device(),
        issued_at: time(7),
    }
}

fn contract_renewal() -> ContractRenewal {
    ContractRenewal {
        contract: ContractId([0x43; 32]),
        bytes: ByteCount(20_000_000_000),
        number: 3,
        renewed_at: time(9),
    }
}

fn contract_notice() -> ContractNotice {
    ContractNotice {
        contract: ContractId([0x43; 32]),
        days: 30,
        given_at: time(9),
    }
}

fn contract_end() -> ContractEnd {
    ContractEnd {
        contract: ContractId([0x43; 32]),
        ended_at: time(9),
    }
}

fn epoch_grant() -> EpochGrant {
    EpochGrant {
        identity: identity(),
        device: device(),
        epoch: Epoch(2),
        secrets: vec![0x5f; 225],
        issued_at: time(9),
    }
}

fn certificate() -> Certificate {
    Certificate {
        identity: identity(),
        device: device(),
        exchange: [0xe8; 32],
        epoch: Epoch(1),
        issued_at: time(0),
        nickname: "alice".to_owned(),
    }
}

fn fence() -> Fence {
    Fence {
        identity: identity(),
        lane: DeviceId([0x13; 32]),
        last: head_ref(),
        issued_at: time(7),
    }
}

fn root_record() -> RootRecord {
    RootRecord {
        identity: identity(),
        epoch: Epoch(1),
        sequence: Sequence(3),
        nickname: "alice".to_owned(),
        devices: vec![device()],
        fences: vec![ClosedLane {
            lane: DeviceId([0x13; 32]),
            last: head_ref(),
        }],
    }
}

fn lane_record() -> LaneRecord {
    LaneRecord {
        lane: device(),
        sequence: Sequence(9),
        certificate: signed(&certificate()),
        home: Some(HomeSet {
            version: set_version(),
            k: 2,
        }),
        published: Some(head_ref()),
        settled: Some(HeadRef {
            sequence: Sequence(6),
            hash: HeadHash([0x71; 32]),
        }),
        suppliers: vec![contact()],
    }
}

fn offer() -> Offer {
    Offer {
        contact: contact(),
        certificate: signed(&certificate()),
        free: ByteCount(50_000_000_000),
    }
}

fn addresses() -> Addresses {
    Addresses { contact: contact() }
}

fn nickname_claim() -> NicknameClaim {
    NicknameClaim {
        nickname: "alice".to_owned(),
        slot: 2,
        certificate: signed(&certificate()),
    }
}

fn invitation() -> Invitation {
    Invitation {
        network: "main".to_owned(),
        contact: contact(),
        nickname: "alice".to_owned(),
        certificate: signed(&certificate()),
        token: [0x70; 16],
    }
}

fn dht_record() -> DhtRecord {
    DhtRecord {
        kind: RecordKind::Addresses,
        network: "main".to_owned(),
        sequence: Sequence(1_795_000_000),
        written_at: time(8),
        body: encode(&addresses()),
    }
}

fn keyed_record() -> KeyedRecord {
    KeyedRecord {
        key: DhtKey([0xd1; 32]),
        record: signed(&dht_record()),
    }
}

fn contact() -> Contact {
    Contact {
        identity: identity(),
        device: device(),
        addresses: vec![
            "/ip4/192.0.2.1/tcp/4001".to_owned(),
            "/ip6/2001:db8::1/udp/4001/quic-v1".to_owned(),
        ],
    }
}

fn pack_ref(kind: PackKind) -> PackRef {
    PackRef {
        pack: pack_id(),
        kind,
        epoch: Epoch(1),
        set: set_id(),
        k: 1,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: 1_015_808,
        shards: vec![ShardId([0x83; 32]), ShardId([0x84; 32])],
    }
}

fn blob(pack: PackId) -> BlobRef {
    BlobRef {
        pack,
        offset: 42,
        counter: 0,
        record: chunk_record(1),
    }
}

fn chunk_record(number: u8) -> ChunkRecord {
    ChunkRecord {
        chunk: chunk(number),
        stored_bytes: 700_016,
        raw_bytes: 1_048_576,
        compressed: number.is_multiple_of(2),
    }
}

fn meta() -> Meta {
    Meta {
        mode: 0o4755,
        mtime_seconds: -86_400,
        mtime_nanos: 999_999_999,
        uid: 1_000,
        gid: 100,
        xattrs: vec![(b"user.note".to_vec(), b"\x00\xff".to_vec())],
    }
}

/// A document as it would travel, under a signature that is no real one.
fn signed<T: Document>(document: &T) -> Signed<T> {
    Signed::from_parts(encode(document), [0x51; 32], Signature([0x52; 64]))
}

const fn identity() -> IdentityId {
    IdentityId([0x10; 32])
}

const fn device() -> DeviceId {
    DeviceId([0x11; 32])
}

const fn set_id() -> SetId {
    SetId([0x61; 32])
}

const fn pack_id() -> PackId {
    PackId([0x41; 32])
}

const fn chunk(number: u8) -> ChunkId {
    ChunkId([number; 32])
}

const fn time(seconds: u64) -> UnixMillis {
    UnixMillis(1_795_000_000_000 + 1_000 * seconds)
}
