//! What a supplier keeps about its customers: contracts, heads, fences, deposits.

use bitdust_model::HeadRef;
use bitdust_model::contract::{Contract, ContractAcceptance, ContractKind};
use bitdust_model::head::HeadBundle;
use bitdust_model::limits::{
    DEPOSITS_PER_CUSTOMER_MAX, DEVICES_MAX, HEADS_PER_LANE_MAX, SEQUENCE_JUMP_MAX,
};
use bitdust_model::locator::{DhtRecord, Fence, KeyedRecord, RecordKind};
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{
    ByteCount, ContractId, DhtKey, ErrorCode, HeadHash, Sequence, SetHash, SetId, UnixMillis,
};
use bitdust_store::supplier::{HeadChain, ShardError, ShardStore, StoredContract, Vouchers};

use crate::support::{
    NOW, Supplier, device, head, head_bundle, header, id, identity, lane_heads, noise, pack_record,
    refusal, signed, store_bytes,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(crate) fn hash(lane: u64, sequence: u64) -> HeadHash {
    HeadHash(id("head", lane << 32 | sequence))
}

pub(crate) fn bundle(lane: u64, sequence: u64, sets: &[SetRecord]) -> HeadBundle {
    let head = head(
        identity(1),
        device(lane),
        sequence,
        hash(lane, sequence - 1),
    );
    head_bundle(&head, sets)
}

fn put(store: &ShardStore, lane: u64, sequence: u64) -> Result<(), ShardError> {
    store.put_head(
        &bundle(lane, sequence, &[]),
        hash(lane, sequence),
        &HeadChain::default(),
        NOW,
    )
}

pub(crate) fn set_record(number: u64, version: u64, k: u8) -> SetRecord {
    SetRecord {
        set: SetId(id("set", number)),
        owner: identity(1),
        lane: device(1),
        version: Sequence(version),
        previous: SetHash([0; 32]),
        k,
        positions: Vec::new(),
        mandate: None,
    }
}

pub(crate) fn deposit(key: u64, sequence: u64) -> KeyedRecord {
    let record = DhtRecord {
        kind: RecordKind::Locator,
        network: "test".to_owned(),
        sequence: Sequence(sequence),
        written_at: NOW,
        body: vec![7; 2_048],
    };
    KeyedRecord {
        key: DhtKey(id("key", key)),
        record: signed(&record),
    }
}

pub(crate) fn contract(lane: u64, bytes: u64) -> StoredContract {
    let contract = Contract {
        customer: identity(1),
        lane: device(lane),
        supplier_identity: identity(2),
        supplier: device(9),
        kind: ContractKind::Friend,
        bytes: ByteCount(bytes),
        reserve: ByteCount(0),
        term_days: None,
        patience_days: 180,
        replaces: None,
        proposed_at: NOW,
        nonce: [0; 16],
    };
    let acceptance = ContractAcceptance {
        contract: ContractId([1; 32]),
        supplier: device(9),
        accepted_at: NOW,
    };
    StoredContract {
        identity: identity(1),
        lane: device(lane),
        bytes: ByteCount(bytes),
        contract: signed(&contract),
        acceptance: signed(&acceptance),
    }
}

#[test]
fn contracts_are_kept_by_lane() {
    let home = Supplier::new();
    let (store, _) = home.open();
    store.put_contract(contract(1, 100)).expect("entered");
    store.put_contract(contract(2, 100)).expect("entered");
    store.put_contract(contract(1, 200)).expect("renewed");
    drop(store);
    let (store, _) = home.open();
    assert_eq!(store.contracts().expect("listed").len(), 2);
    assert_eq!(
        store.contract(identity(1), device(1)).expect("asked"),
        Some(contract(1, 200))
    );
    assert_eq!(store.contract(identity(1), device(3)).expect("asked"), None);
}

#[test]
fn heads_go_forward_and_follow_each_other() {
    let home = Supplier::new();
    let (store, _) = home.open();
    put(&store, 1, 3).expect("the first may be any");
    put(&store, 1, 3).expect("the same again");
    put(&store, 1, 4).expect("it follows");
    let refused = |bundle: &HeadBundle, hash: HeadHash, chain: &HeadChain| {
        let refused = store.put_head(bundle, hash, chain, NOW);
        refused.expect_err("refused").code()
    };
    let alone = HeadChain::default();
    let code = refused(&bundle(1, 3, &[]), hash(1, 3), &alone);
    assert_eq!(code, ErrorCode::Stale, "it was kept before the newest");
    for (sequence, previous, hash) in [
        (4, hash(1, 3), HeadHash([9; 32])),
        (3, hash(1, 2), HeadHash([9; 32])),
        (5, HeadHash([9; 32]), hash(1, 5)),
        // However often it tries with higher numbers.
        (6, hash(1, 5), hash(1, 6)),
        (99, hash(1, 98), hash(1, 99)),
    ] {
        let fork = head(identity(1), device(1), sequence, previous);
        let code = refused(&head_bundle(&fork, &[]), hash, &alone);
        assert_eq!(code, ErrorCode::Forked, "{sequence}");
    }
    let unlinked = between(1, [5, 7]);
    let code = refused(&bundle(1, 8, &[]), hash(1, 8), &unlinked);
    assert_eq!(code, ErrorCode::Forked, "one of them is missing");
    let unlinked = between(1, [5, 6]);
    let code = refused(&bundle(1, 8, &[]), hash(1, 8), &unlinked);
    assert_eq!(code, ErrorCode::Forked, "the last one is missing");
    let linked = between(1, 3..9);
    let ninth = bundle(1, 9, &[]);
    store
        .put_head(&ninth, hash(1, 9), &linked, NOW)
        .expect("some were missed");
    put(&store, 2, 1).expect("another lane");
    let heads = |owner: u64, after| store.heads(identity(owner), after).expect("listed");
    let mut expected = [ninth, bundle(2, 1, &[])].map(lane_heads);
    let mut lanes = [device(1), device(2)];
    if device(1) > device(2) {
        expected.reverse();
        lanes.reverse();
    }
    assert_eq!(heads(1, None), expected);
    assert_eq!(heads(1, Some(lanes[0])), expected[1..], "from there on");
    assert!(heads(1, Some(lanes[1])).is_empty());
    assert!(heads(2, None).is_empty());
    let newest = store.newest_head(identity(1), device(1)).expect("read");
    assert_eq!(newest.map(|head| head.sequence), Some(Sequence(9)));
    assert_eq!(
        store.newest_head(identity(2), device(1)).expect("read"),
        None
    );
    let fence = Fence {
        identity: identity(1),
        lane: device(1),
        last: HeadRef {
            sequence: Sequence(7),
            hash: hash(1, 7),
        },
        issued_at: NOW,
    };
    store.put_fence(&fence, &signed(&fence)).expect("closed");
    let closed = heads(1, None).into_iter().find(|lane| {
        let certificate = &lane.tips[0].certificate;
        *certificate == bundle(1, 1, &[]).certificate
    });
    let counts = closed.map(|lane| lane.tips[0].head.clone());
    assert_eq!(
        counts,
        Some(bundle(1, 7, &[]).head),
        "those between are kept"
    );
}

/// Heads between two, with their hashes.
fn between(lane: u64, sequences: impl IntoIterator<Item = u64>) -> HeadChain {
    let sequences = sequences.into_iter();
    let heads = sequences.map(|sequence| (bundle(lane, sequence, &[]).head, hash(lane, sequence)));
    HeadChain {
        between: heads.collect(),
        vouchers: None,
    }
}

/// Too many were missed to be sent: those who have the one before say so.
#[test]
fn a_quorum_of_holders_links_a_head_to_those_that_were_missed() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let mut set = set_record(1, 1, 2);
    let holders = (11..=15).map(|number| PositionRecord {
        state: if number == 15 {
            PositionState::Inactive
        } else {
            PositionState::Active
        },
        since: Sequence(1),
        current: Some(Holder {
            identity: identity(number),
            device: device(number),
        }),
        former: Vec::new(),
    });
    set.positions = holders.collect();
    assert_eq!(set.quorum(), Some(3), "of four that are active");
    let sets = [set];
    let first = bundle(1, 1, &sets);
    let alone = HeadChain::default();
    store
        .put_head(&first, hash(1, 1), &alone, NOW)
        .expect("any");
    let vouched = |of: u64, by: &[u64]| HeadChain {
        vouchers: Some(Vouchers {
            head: hash(1, of),
            sequence: Sequence(of),
            by: by.iter().map(|number| device(*number)).collect(),
        }),
        ..between(1, 801..803)
    };
    let next = bundle(1, 803, &sets);
    for (chain, why) in [
        (vouched(800, &[11, 12]), "too few"),
        (vouched(800, &[11, 12, 15]), "one does not count"),
        (vouched(800, &[11, 12, 16]), "one holds nothing"),
        (vouched(799, &[11, 12, 13]), "for another head"),
    ] {
        let refused = store.put_head(&next, hash(1, 803), &chain, NOW);
        assert_eq!(refused.expect_err(why).code(), ErrorCode::Forked, "{why}");
    }
    let chain = vouched(800, &[11, 12, 13]);
    let put =
        |sequence| store.put_head(&bundle(1, sequence, &sets), hash(1, sequence), &chain, NOW);
    put(803).expect("a quorum has the one before");
    let newest = store.newest_head(identity(1), device(1)).expect("read");
    assert_eq!(newest.map(|head| head.sequence), Some(Sequence(803)));
    // What was there before is not taken back.
    let old = HeadChain {
        vouchers: Some(Vouchers {
            head: HeadHash([8; 32]),
            sequence: Sequence(1),
            by: (11..=14).map(device).collect(),
        }),
        between: Vec::new(),
    };
    let fork = head(identity(1), device(1), 2, HeadHash([8; 32]));
    let refused = store.put_head(&head_bundle(&fork, &sets), HeadHash([9; 32]), &old, NOW);
    assert_eq!(refused.expect_err("older").code(), ErrorCode::Forked);
    // Not even under a number that is newer.
    let jump = head(identity(1), device(1), 900, HeadHash([8; 32]));
    let refused = store.put_head(&head_bundle(&jump, &sets), HeadHash([9; 32]), &old, NOW);
    let refused = refused.expect_err("its quorum is older");
    assert_eq!(refused.code(), ErrorCode::Forked);
}

/// What a quorum signed is the lane's, whatever came before it.
#[test]
fn a_head_that_a_quorum_keeps_is_taken() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let mut set = set_record(1, 1, 1);
    let holders = (11..=13).map(|number| PositionRecord {
        state: PositionState::Active,
        since: Sequence(1),
        current: Some(Holder {
            identity: identity(number),
            device: device(number),
        }),
        former: Vec::new(),
    });
    set.positions = holders.collect();
    let sets = [set];
    let put = |sequence, of: u64, by: &[u64]| {
        let chain = HeadChain {
            vouchers: Some(Vouchers {
                head: hash(1, of),
                sequence: Sequence(of),
                by: by.iter().map(|number| device(*number)).collect(),
            }),
            between: Vec::new(),
        };
        store.put_head(&bundle(1, sequence, &sets), hash(1, sequence), &chain, NOW)
    };
    put(7, 7, &[]).expect("the first may be any");
    put(20, 20, &[11]).expect_err("too few");
    put(20, 21, &[11, 12, 13]).expect_err("of another head");
    put(20, 5, &[11, 12, 13]).expect_err("of an older head");
    put(20, 20, &[11, 12]).expect("all others have it");
    put(20, 20, &[]).expect("again");
}

/// In a set of two the other one alone can say what the one that was away has missed.
#[test]
fn all_others_are_enough_where_a_quorum_would_need_the_one_itself() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let mut set = set_record(1, 1, 1);
    let holders = (11..=12).map(|number| PositionRecord {
        state: PositionState::Active,
        since: Sequence(1),
        current: Some(Holder {
            identity: identity(number),
            device: device(number),
        }),
        former: Vec::new(),
    });
    set.positions = holders.collect();
    assert_eq!(set.quorum(), Some(2));
    let sets = [set];
    let put = |sequence, by: &[u64]| {
        let chain = HeadChain {
            vouchers: Some(Vouchers {
                head: hash(1, sequence - 1),
                sequence: Sequence(sequence - 1),
                by: by.iter().map(|number| device(*number)).collect(),
            }),
            between: Vec::new(),
        };
        store.put_head(&bundle(1, sequence, &sets), hash(1, sequence), &chain, NOW)
    };
    put(1, &[]).expect("the first may be any");
    put(900, &[]).expect_err("nobody says so");
    put(900, &[13]).expect_err("a stranger says so");
    put(900, &[12]).expect("the other one says so");
}

/// A head that only led to another is not told: its lists are not here.
#[test]
fn the_newest_head_with_lists_is_told() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let told = || {
        let lanes = store.heads(identity(1), None).expect("listed");
        lanes[0].tips[0].head.clone()
    };
    put(&store, 1, 1).expect("kept");
    put(&store, 1, 2).expect("kept");
    assert_eq!(told(), bundle(1, 2, &[]).head, "where none has any");
    let bytes = noise(1, 1_000);
    let mut lists = header(identity(1), device(1), 1, &bytes);
    lists.pack = pack_record(2, &[]).pack.pack;
    store_bytes(&store, &lists, &bytes);
    put(&store, 1, 3).expect("kept");
    assert_eq!(told(), bundle(1, 2, &[]).head, "the one that can be read");
    let newest = store.newest_head(identity(1), device(1)).expect("read");
    assert_eq!(newest.map(|head| head.sequence), Some(Sequence(3)));
}

#[test]
fn set_records_are_served_in_their_newest_versions() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let sets = |store: &ShardStore| {
        let mut lanes = store.heads(identity(1), None).expect("listed");
        lanes.remove(0).tips.remove(0).sets
    };
    let first = [set_record(1, 5, 2), set_record(2, 1, 2)];
    store
        .put_head(
            &bundle(1, 1, &first),
            hash(1, 1),
            &HeadChain::default(),
            NOW,
        )
        .expect("kept");
    let second = [set_record(1, 4, 2), set_record(3, 1, 2)];
    store
        .put_head(
            &bundle(1, 2, &second),
            hash(1, 2),
            &HeadChain::default(),
            NOW,
        )
        .expect("kept");
    let mut expected = [signed(&set_record(1, 5, 2)), signed(&set_record(3, 1, 2))];
    if SetId(id("set", 1)) > SetId(id("set", 3)) {
        expected.reverse();
    }
    assert_eq!(sets(&store), expected);

    let mut foreign = set_record(1, 6, 2);
    foreign.owner = identity(2);
    let refused = store
        .put_head(
            &bundle(1, 3, &[foreign]),
            hash(1, 3),
            &HeadChain::default(),
            NOW,
        )
        .expect_err("not its own");
    assert_eq!(refused.code(), ErrorCode::Malformed);
    let many: Vec<_> = (0..17).map(|number| set_record(number, 1, 2)).collect();
    let refused = store
        .put_head(&bundle(1, 3, &many), hash(1, 3), &HeadChain::default(), NOW)
        .expect_err("too many");
    assert_eq!(refused.code(), ErrorCode::QuotaExceeded);
    assert_eq!(sets(&store), expected);
}

#[test]
fn heads_and_lanes_are_bounded() {
    let home = Supplier::new();
    let (store, _) = home.open();
    for lane in 0..DEVICES_MAX as u64 {
        put(&store, lane, 1).expect("kept");
    }
    assert_eq!(
        put(&store, 999, 1).expect_err("too many lanes").code(),
        ErrorCode::QuotaExceeded
    );
    for sequence in 2..HEADS_PER_LANE_MAX as u64 + 20 {
        put(&store, 1, sequence).expect("kept");
    }
    let late = UnixMillis(NOW.0 + 31 * DAY_MS);
    drop(store);
    let count = || {
        let connection = rusqlite::Connection::open(home.paths.supplier()).expect("opened");
        let sql = "SELECT count(*) FROM heads WHERE lane = ?1";
        connection
            .query_row(sql, [device(1).0], |row| row.get::<_, i64>(0))
            .expect("counted")
    };
    assert_eq!(count(), i64::try_from(HEADS_PER_LANE_MAX).expect("fits"));
    let (store, _) = home.open();
    let next = HEADS_PER_LANE_MAX as u64 + 20;
    store
        .put_head(
            &bundle(1, next, &[]),
            hash(1, next),
            &HeadChain::default(),
            late,
        )
        .expect("kept");
    drop(store);
    assert_eq!(count(), 1, "the others are older than thirty days");
}

#[test]
fn a_fence_ends_a_lane() {
    let home = Supplier::new();
    let (store, _) = home.open();
    for sequence in 1..=3 {
        put(&store, 1, sequence).expect("kept");
    }
    let bytes = noise(1, 1_000);
    store_bytes(&store, &header(identity(1), device(1), 99, &bytes), &bytes);
    let fence = |owner: u64, lane: u64, last: u64| {
        let fence = Fence {
            identity: identity(owner),
            lane: device(lane),
            last: HeadRef {
                sequence: Sequence(last),
                hash: hash(lane, last),
            },
            issued_at: NOW,
        };
        store.put_fence(&fence, &signed(&fence))
    };
    fence(2, 1, 1).expect("kept");
    put(&store, 1, 4).expect("somebody else's fence closes nothing of ours");
    fence(1, 1, 2).expect("kept");
    fence(1, 1, 8).expect("a later end does not count");
    assert!(store.is_fenced(identity(1), device(1)).expect("asked"));
    assert_eq!(
        put(&store, 1, 5).expect_err("closed").code(),
        ErrorCode::Fenced
    );
    assert_eq!(
        store.heads(identity(1), None).expect("listed"),
        [lane_heads(bundle(1, 2, &[]))],
        "the last one that counts"
    );
    let more = noise(2, 1_000);
    let refused = refusal(&store, &header(identity(1), device(1), 2, &more));
    assert_eq!(refused.code(), ErrorCode::Fenced);
    let first = header(identity(1), device(1), 1, &bytes);
    store
        .read_range(identity(1), first.shard, 0, 1, &mut Vec::new())
        .expect("what is here can be read");
    assert_eq!(store.fences(identity(1)).expect("listed").len(), 1);
    for lane in 2..=DEVICES_MAX as u64 {
        fence(1, lane, 1).expect("kept");
    }
    assert_eq!(
        fence(1, 999, 1).expect_err("too many").code(),
        ErrorCode::QuotaExceeded
    );
}

#[test]
fn the_newest_deposit_of_a_key_wins() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let jump = 6 + SEQUENCE_JUMP_MAX;
    for (owner, number, instead, what) in [
        (1, 5, None, "kept"),
        (1, 5, None, "the same again"),
        (1, 4, Some(5), "older"),
        (1, 6, None, "newer"),
        (1, jump + 1, Some(6), "too large a step"),
        (2, 3, None, "a copy somebody else left"),
    ] {
        let kept = store.put_deposit(identity(owner), &deposit(1, number));
        let instead = instead.map(|number| deposit(1, number));
        assert_eq!(kept.expect("asked"), instead, "{what}");
    }
    let mut other = deposit(1, 6);
    other.record.signature.0[0] ^= 1;
    let kept = store.put_deposit(identity(1), &other).expect("asked");
    assert_eq!(kept, Some(deposit(1, 6)), "another one of its number");
    assert_eq!(
        store.deposit(deposit(1, 0).key).expect("asked"),
        Some(deposit(1, 6))
    );
    assert_eq!(store.deposit(deposit(2, 0).key).expect("asked"), None);
}

#[test]
fn deposits_are_bounded_and_paged() {
    let home = Supplier::new();
    let (store, _) = home.open();
    for key in 0..DEPOSITS_PER_CUSTOMER_MAX as u64 {
        store
            .put_deposit(identity(1), &deposit(key, 1))
            .expect("kept");
        store
            .put_deposit(identity(2), &deposit(key, 2))
            .expect("kept");
    }
    let refused = store
        .put_deposit(identity(1), &deposit(1_000, 1))
        .expect_err("one too many");
    assert_eq!(refused.code(), ErrorCode::QuotaExceeded);
    store
        .put_deposit(identity(1), &deposit(0, 2))
        .expect("a newer one of a kept key");

    let mut listed = Vec::new();
    loop {
        let page = store
            .deposits(listed.last().map(|record: &KeyedRecord| record.key), 7)
            .expect("a page");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let mut expected: Vec<_> = (0..DEPOSITS_PER_CUSTOMER_MAX as u64)
        .map(|key| deposit(key, 2))
        .collect();
    expected.sort_by_key(|record| record.key);
    assert_eq!(listed, expected);
}

#[test]
fn absurd_sequences_are_refused() {
    let home = Supplier::new();
    let (store, _) = home.open();
    assert_eq!(
        put(&store, 1, u64::MAX).expect_err("refused").code(),
        ErrorCode::BadRequest
    );
    let refused = store
        .put_deposit(identity(1), &deposit(1, u64::MAX))
        .expect_err("refused");
    assert_eq!(refused.code(), ErrorCode::BadRequest);
}
