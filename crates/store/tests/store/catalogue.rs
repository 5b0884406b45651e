//! The rest of the catalogue: settings, snapshots, heads, suppliers, friends, versions.

use std::fs;

use bitdust_model::contract::{Contract, ContractAcceptance, ContractKind};
use bitdust_model::limits::{ADDRESSES_MAX, HEADS_PER_LANE_MAX, META_BYTES_MAX};
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{
    ByteCount, ContractId, ErrorCode, HeadHash, Sequence, SetHash, SetId, UnixMillis,
};
use bitdust_store::catalogue::{
    Friend, Introduction, OwnHead, OwnSet, Redeemed, SignedContract, Supplier,
};
use bitdust_store::{Catalogue, CatalogueError};

use crate::support::{
    NOW, PACK_HEADER_BYTES, chunk, commit, device, head, id, identity, open_catalogue, pack,
    signed, snapshot, temporary_folder,
};

fn own_head(sequence: u64, version: u8) -> OwnHead {
    let content = head(identity(1), device(1), sequence, HeadHash([version; 32]));
    let mut hash = id("head", sequence);
    hash[0] = version;
    OwnHead {
        sequence: Sequence(sequence),
        hash: HeadHash(hash),
        head: signed(&content),
        published: false,
    }
}

fn supplier(number: u64) -> Supplier {
    let contract = Contract {
        customer: identity(1),
        lane: device(1),
        supplier_identity: identity(number),
        supplier: device(number),
        kind: ContractKind::Friend,
        bytes: ByteCount(1_000),
        reserve: ByteCount(0),
        term_days: None,
        patience_days: 180,
        replaces: None,
        proposed_at: NOW,
        nonce: [1; 16],
    };
    let acceptance = ContractAcceptance {
        contract: ContractId([1; 32]),
        supplier: device(number),
        accepted_at: NOW,
    };
    Supplier {
        device: device(number),
        identity: identity(number),
        friend: number == 1,
        addresses: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
        contract: Some(signed(&contract)),
        acceptance: Some(signed(&acceptance)),
        bytes: ByteCount(1_000),
        last_seen: Some(NOW),
        last_proof: Some(NOW),
        last_miss: None,
        suspect: None,
    }
}

#[test]
fn settings_are_kept_and_limited() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue.set_meta("epoch", b"1").expect("set");
    catalogue.set_meta("epoch", b"").expect("changed");
    drop(catalogue);
    let catalogue = open_catalogue(&dir);
    assert_eq!(catalogue.get_meta("epoch").expect("read"), Some(Vec::new()));
    assert_eq!(catalogue.get_meta("other").expect("read"), None);
    let long = ("long".to_owned(), vec![0; META_BYTES_MAX + 1]);
    let refused = catalogue
        .set_metas(vec![("short".to_owned(), vec![0]), long])
        .expect_err("too long");
    assert_eq!(refused.code(), ErrorCode::BadRequest);
    assert_eq!(catalogue.get_meta("short").expect("read"), None);
}

#[test]
fn a_number_is_given_once() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let counted = std::thread::scope(|scope| {
        let count = || catalogue.count_up_meta("number").expect("counted");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(count)).collect();
        let numbers = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        numbers.collect::<std::collections::BTreeSet<u64>>()
    });
    assert_eq!(counted, (1..=8).collect());
    drop(catalogue);
    let catalogue = open_catalogue(&dir);
    assert_eq!(catalogue.count_up_meta("number").expect("counted"), 9);
}

#[test]
fn snapshots_come_oldest_first() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue
        .import_snapshots([3, 1, 2].map(snapshot).to_vec())
        .expect("taken in");
    assert_eq!(
        catalogue.snapshots(NOW).expect("listed"),
        [1, 2, 3].map(snapshot)
    );
    assert_eq!(
        catalogue.snapshot(snapshot(2).snapshot).expect("read"),
        Some(snapshot(2))
    );
    assert_eq!(
        catalogue.snapshot(snapshot(4).snapshot).expect("read"),
        None
    );
}

#[test]
fn snapshots_of_devices_that_did_not_know_each_other_lie_as_they_were_taken() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let taken = |number: u64, by: u64, order: u64, at: u64| SnapshotRecord {
        device: device(by),
        order,
        taken_at: UnixMillis(NOW.0 + at),
        ..snapshot(number)
    };
    // The clock of the first was put back, and then it was nonsense.
    let back = taken(3, 1, 3, 5);
    let nonsense = SnapshotRecord {
        taken_at: UnixMillis(1),
        is_clock_suspect: true,
        ..taken(4, 1, 4, 0)
    };
    let expected = [
        taken(1, 1, 1, 10),
        taken(2, 1, 2, 20),
        back,
        nonsense,
        taken(5, 2, 1, 30),
        taken(6, 1, 5, 40),
        taken(7, 2, 2, 50),
    ];
    let mut mixed = expected.to_vec();
    mixed.reverse();
    catalogue.import_snapshots(mixed).expect("taken in");
    let listed = catalogue.snapshots(NOW).expect("listed");
    let numbers = |records: &[SnapshotRecord]| -> Vec<_> {
        records.iter().map(|it| (it.device, it.order)).collect()
    };
    assert_eq!(numbers(&listed), numbers(&expected));
}

/// A clock that was once 400 days ahead does not give a device the newest version for that long.
#[test]
fn a_time_in_the_future_of_the_reader_says_nothing() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let taken = |number: u64, by: u64, order: u64, day: u64| SnapshotRecord {
        device: device(by),
        order,
        taken_at: UnixMillis(NOW.0 + day * DAY_MS),
        ..snapshot(number)
    };
    let expected = [
        taken(1, 1, 1, 1),
        taken(2, 1, 2, 400),
        taken(3, 1, 3, 2),
        taken(4, 2, 1, 3),
    ];
    catalogue
        .import_snapshots(expected.to_vec())
        .expect("taken in");
    let today = UnixMillis(NOW.0 + 4 * DAY_MS);
    assert_eq!(catalogue.snapshots(today).expect("listed"), expected);
    // A reader whose own clock is far behind believes no time: the order is left.
    let listed = catalogue.snapshots(UnixMillis(0)).expect("listed");
    let orders: Vec<_> = listed.iter().map(|it| it.order).collect();
    assert_eq!(orders, [1, 1, 2, 3]);
    // Another day has not begun for all of the world.
    let suspect = expected.map(|it| it.is_time_suspect(NOW));
    assert_eq!(suspect, [false, true, true, true]);
}

#[test]
fn an_abandoned_draft_is_none_and_keeps_its_number() {
    let dir = temporary_folder();
    let draft = |catalogue: &Catalogue| catalogue.draft().expect("read");
    let catalogue = open_catalogue(&dir);
    assert_eq!(draft(&catalogue), None);
    catalogue.put_head(own_head(5, 1)).expect("recorded");
    assert_eq!(draft(&catalogue), Some(own_head(5, 1)));
    catalogue.abandon_draft(Sequence(5)).expect("noted");
    drop(catalogue);
    let catalogue = open_catalogue(&dir);
    assert_eq!(draft(&catalogue), None, "for good");
    assert_eq!(catalogue.newest_head().expect("read"), Some(own_head(5, 1)));
    catalogue.put_head(own_head(6, 1)).expect("recorded");
    assert_eq!(draft(&catalogue), Some(own_head(6, 1)), "a new one");
    let head = |sequence| catalogue.head(Sequence(sequence)).expect("read");
    assert_eq!(head(5), Some(own_head(5, 1)), "it is there still");
    assert_eq!(head(4), None);
    catalogue.mark_head_published(Sequence(6)).expect("marked");
    assert_eq!(draft(&catalogue), None);
}

#[test]
fn a_number_of_the_lane_is_never_given_twice() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue.put_head(own_head(4, 1)).expect("recorded");
    catalogue.put_head(own_head(4, 1)).expect("the same again");
    for refused in [own_head(4, 2), own_head(3, 1)] {
        assert_eq!(
            catalogue.put_head(refused).expect_err("refused").code(),
            ErrorCode::Stale
        );
    }
    assert_eq!(catalogue.newest_published_head().expect("read"), None);
    catalogue.mark_head_published(Sequence(4)).expect("marked");
    catalogue.put_head(own_head(4, 1)).expect("the same again");
    assert!(
        catalogue
            .newest_head()
            .expect("read")
            .expect("there")
            .published,
        "a publication is not taken back"
    );

    catalogue.put_head(own_head(5, 1)).expect("a draft");
    assert_eq!(catalogue.newest_head().expect("read"), Some(own_head(5, 1)));
    let published = catalogue
        .newest_published_head()
        .expect("read")
        .expect("there");
    assert_eq!(published.sequence, Sequence(4));
}

#[test]
fn old_heads_go_but_never_the_newest_published_one() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue
        .put_head(OwnHead {
            published: true,
            ..own_head(1, 1)
        })
        .expect("recorded");
    for sequence in 2..HEADS_PER_LANE_MAX as u64 + 10 {
        catalogue.put_head(own_head(sequence, 1)).expect("recorded");
    }
    let published = catalogue
        .newest_published_head()
        .expect("read")
        .expect("still there");
    assert_eq!(published.sequence, Sequence(1));
}

#[test]
fn set_records_only_go_forward() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let set = |number: u64, version: u64, k: u8| {
        let holder = Holder {
            identity: identity(2),
            device: device(2),
        };
        let record = SetRecord {
            set: SetId(id("set", number)),
            owner: identity(1),
            lane: device(1),
            version: Sequence(version),
            previous: SetHash([0; 32]),
            k,
            positions: vec![PositionRecord {
                state: PositionState::Active,
                since: Sequence(1),
                current: Some(holder),
                former: Vec::new(),
            }],
            mandate: None,
        };
        OwnSet {
            set: record.set,
            version: record.version,
            record: signed(&record),
        }
    };
    catalogue.put_set(set(1, 1, 1)).expect("recorded");
    catalogue.put_set(set(2, 1, 1)).expect("recorded");
    catalogue.put_set(set(1, 3, 1)).expect("newer");
    catalogue.put_set(set(1, 3, 1)).expect("the same again");
    for refused in [set(1, 2, 1), set(1, 3, 2)] {
        assert_eq!(
            catalogue.put_set(refused).expect_err("refused").code(),
            ErrorCode::Stale
        );
    }
    assert_eq!(
        catalogue.sets().expect("listed"),
        [set(1, 3, 1), set(2, 1, 1)]
    );
}

/// Writes all that a supplier's row can hold.
fn add_supplier(catalogue: &Catalogue, supplier: Supplier) -> Result<(), CatalogueError> {
    let (device, identity) = (supplier.device, supplier.identity);
    catalogue.introduce_supplier(Introduction {
        device,
        identity,
        friend: supplier.friend,
        addresses: supplier.addresses,
        seen: None,
    })?;
    let signed = supplier.contract.zip(supplier.acceptance);
    if let Some((contract, acceptance)) = signed {
        catalogue.record_contract(SignedContract {
            device,
            identity,
            bytes: supplier.bytes,
            contract,
            acceptance,
            at: NOW,
        })?;
    }
    if let Some(at) = supplier.last_proof {
        catalogue.mark_checked(device, at, true)?;
    }
    Ok(())
}

fn suspect(catalogue: &Catalogue, device: bitdust_model::DeviceId) {
    let withdrawn = catalogue.withdraw_shards(device, Vec::new(), true);
    withdrawn.expect("it is remembered");
}

/// Whoever learns of a supplier and whoever signs with it write at the same time.
#[test]
fn an_introduction_that_comes_late_takes_no_contract_and_no_suspicion_away() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let introduce = |friend, addresses: &[&str], seen| {
        let introduction = Introduction {
            device: device(1),
            identity: identity(1),
            friend,
            addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
            seen,
        };
        catalogue
            .introduce_supplier(introduction)
            .expect("introduced");
    };
    introduce(false, &["/ip4/10.0.0.1/tcp/1"], None);
    add_supplier(&catalogue, supplier(1)).expect("signed");
    suspect(&catalogue, device(1));
    introduce(false, &[], None);
    introduce(true, &["/ip4/10.0.0.2/tcp/2"], Some(UnixMillis(9)));
    introduce(false, &[], None);
    let known = catalogue.supplier(device(1)).expect("read").expect("there");
    let expected = Supplier {
        friend: true,
        addresses: vec!["/ip4/10.0.0.2/tcp/2".to_owned()],
        last_seen: Some(UnixMillis(9)),
        suspect: Some(0),
        ..supplier(1)
    };
    assert_eq!(known, expected);
}

#[test]
fn a_contract_takes_no_addresses_no_friendship_and_no_suspicion_away() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let introduction = Introduction {
        device: device(2),
        identity: identity(2),
        friend: true,
        addresses: vec!["/ip4/10.0.0.1/tcp/1".to_owned()],
        seen: Some(UnixMillis(3)),
    };
    catalogue
        .introduce_supplier(introduction)
        .expect("introduced");
    suspect(&catalogue, device(2));
    let signed = Supplier {
        addresses: Vec::new(),
        last_proof: None,
        ..supplier(2)
    };
    add_supplier(&catalogue, signed).expect("signed");
    let known = catalogue.supplier(device(2)).expect("read").expect("there");
    assert!(known.friend && known.suspect.is_some() && known.contract.is_some());
    assert_eq!(known.addresses, ["/ip4/10.0.0.1/tcp/1"]);
}

#[test]
fn a_friend_that_moved_keeps_name_and_time_and_nobody_else_becomes_one() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let friend = Friend {
        device: device(1),
        identity: identity(1),
        nickname: "ann".to_owned(),
        addresses: vec!["/ip4/10.0.0.1/tcp/1".to_owned()],
        since: NOW,
    };
    catalogue.put_friend(friend.clone()).expect("added");
    let seen = |number, addresses: &[&str]| {
        let addresses = addresses.iter().map(|it| (*it).to_owned()).collect();
        catalogue
            .mark_friend_seen(device(number), addresses)
            .expect("seen");
        catalogue.friends().expect("listed")
    };
    let unchanged = vec![friend.clone()];
    assert_eq!(seen(1, &[]), unchanged, "no addresses");
    assert_eq!(
        seen(2, &["/ip4/10.0.0.3/tcp/3"]),
        unchanged,
        "somebody else"
    );
    let moved = Friend {
        addresses: vec!["/ip4/10.0.0.2/tcp/2".to_owned()],
        ..friend
    };
    assert_eq!(seen(1, &["/ip4/10.0.0.2/tcp/2"]), [moved]);
}

#[test]
fn suppliers_are_remembered_and_checked() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    add_supplier(&catalogue, supplier(1)).expect("added");
    add_supplier(&catalogue, supplier(2)).expect("added");
    assert_eq!(
        catalogue.supplier(device(2)).expect("read"),
        Some(supplier(2))
    );

    catalogue
        .mark_supplier_seen(device(1), UnixMillis(7), Vec::new())
        .expect("seen");
    suspect(&catalogue, device(1));
    catalogue
        .mark_checked(device(1), UnixMillis(8), false)
        .expect("missed");
    let known = catalogue.supplier(device(1)).expect("read").expect("there");
    assert_eq!(
        (known.last_seen, known.last_proof, known.last_miss),
        (Some(UnixMillis(7)), Some(NOW), Some(UnixMillis(8)))
    );
    assert_eq!(known.suspect, Some(0));
    assert_eq!(known.addresses, supplier(1).addresses);
    catalogue
        .mark_checked(device(1), UnixMillis(9), true)
        .expect("proved");
    catalogue
        .mark_supplier_seen(
            device(1),
            UnixMillis(10),
            vec!["/ip4/10.0.0.1/tcp/2".to_owned()],
        )
        .expect("moved");
    let proved = catalogue.supplier(device(1)).expect("read").expect("there");
    assert_eq!(proved.last_proof, Some(UnixMillis(9)));
    assert_eq!(
        proved.suspect,
        Some(0),
        "a check that was under way changes nothing"
    );
    assert_eq!(proved.addresses, ["/ip4/10.0.0.1/tcp/2"]);
    assert_eq!(catalogue.suppliers().expect("listed").len(), 2);
}

#[test]
fn addresses_are_cut_to_their_number_and_refused_by_their_length() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let many = Supplier {
        addresses: vec!["a".to_owned(); 100],
        ..supplier(1)
    };
    add_supplier(&catalogue, many).expect("added");
    assert_eq!(
        catalogue
            .supplier(device(1))
            .expect("read")
            .expect("there")
            .addresses
            .len(),
        ADDRESSES_MAX
    );
    let long = Supplier {
        addresses: vec!["a".repeat(10_000)],
        ..supplier(2)
    };
    assert_eq!(
        add_supplier(&catalogue, long).expect_err("refused").code(),
        ErrorCode::BadRequest
    );
}

#[test]
fn an_invitation_is_used_by_one_person() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    catalogue.issue_invitation(&[1; 16], NOW).expect("issued");
    let redeem = |token: u8, by: u64| {
        catalogue
            .redeem_invitation(&[token; 16], identity(by), NOW)
            .expect("asked")
    };
    assert_eq!(redeem(2, 1), Redeemed::Unknown);
    assert_eq!(redeem(1, 1), Redeemed::Accepted);
    assert_eq!(
        redeem(1, 1),
        Redeemed::Accepted,
        "the answer may have been lost"
    );
    assert_eq!(redeem(1, 2), Redeemed::AlreadyUsed);
    catalogue
        .issue_invitation(&[1; 16], NOW)
        .expect("issued again by mistake");
    assert_eq!(
        redeem(1, 2),
        Redeemed::AlreadyUsed,
        "a used token stays used"
    );

    let friend = Friend {
        device: device(3),
        identity: identity(3),
        nickname: "zoë".to_owned(),
        addresses: Vec::new(),
        since: NOW,
    };
    catalogue.put_friend(friend.clone()).expect("added");
    assert_eq!(
        catalogue.friends().expect("listed"),
        std::slice::from_ref(&friend)
    );
    let long = Friend {
        nickname: "x".repeat(65),
        ..friend
    };
    assert_eq!(
        catalogue.put_friend(long).expect_err("refused").code(),
        ErrorCode::BadRequest
    );
}

#[test]
fn the_token_of_an_invitation_is_not_in_the_file() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    let token = *b"a very secret 16";
    catalogue.issue_invitation(&token, NOW).expect("issued");
    drop(catalogue);
    let file = fs::read(dir.path().join("catalogue.db")).expect("read");
    assert!(!file.windows(token.len()).any(|window| window == token));
}

#[test]
fn a_newer_catalogue_is_refused() {
    let dir = temporary_folder();
    drop(open_catalogue(&dir));
    let path = dir.path().join("catalogue.db");
    let connection = rusqlite::Connection::open(&path).expect("opened");
    connection
        .pragma_update(None, "user_version", 1_000)
        .expect("set");
    drop(connection);
    let Err(refused) = Catalogue::open(&path, PACK_HEADER_BYTES) else {
        panic!("it was opened")
    };
    assert_eq!(refused.code(), ErrorCode::Incompatible);
    assert!(refused.to_string().contains("newer program"), "{refused}");
}

#[test]
fn damaged_rows_are_errors() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    catalogue
        .import_snapshots(vec![snapshot(1)])
        .expect("taken in");
    add_supplier(&catalogue, supplier(1)).expect("added");
    drop(catalogue);
    let connection = rusqlite::Connection::open(dir.path().join("catalogue.db")).expect("opened");
    connection
        .execute_batch(
            "UPDATE packs SET record = x'01ffffffff'; UPDATE pack_chunks SET chunks = x'02';
             UPDATE snapshots SET record = x''; UPDATE suppliers SET bytes = -1;",
        )
        .expect("damaged");
    drop(connection);
    let catalogue = open_catalogue(&dir);
    let codes = [
        catalogue.locate(chunk(1)).expect_err("damaged").code(),
        catalogue.pack_record(pack(1)).expect_err("damaged").code(),
        catalogue.snapshots(NOW).expect_err("damaged").code(),
        catalogue.suppliers().expect_err("damaged").code(),
    ];
    assert_eq!(codes, [ErrorCode::DiskFailed; 4]);
    assert!(catalogue.is_damaged(), "and it is remembered");
    drop(catalogue);
    let catalogue = open_catalogue(&dir);
    assert!(!catalogue.is_damaged(), "nobody looked yet");
    // What is in the rows is not looked at.
    catalogue.check(|| true).expect("the structure is whole");
}

/// The header of a page is zeroed: the file opens, and a look through it says so.
#[test]
fn damage_of_the_structure_is_found_by_a_look_through_it() {
    let dir = temporary_folder();
    let path = dir.path().join("catalogue.db");
    let catalogue = open_catalogue(&dir);
    commit(&catalogue, 1, &[1]);
    catalogue.check(|| true).expect("whole");
    drop(catalogue);
    let whole = fs::read(&path).expect("read");
    let mut unseen = 0;
    for page in 1..whole.len() / 4_096 {
        let mut damaged = whole.clone();
        damaged[page * 4_096..][..64].fill(0);
        fs::write(&path, damaged).expect("overwritten");
        let catalogue = Catalogue::open_or_scratch(&path, PACK_HEADER_BYTES).expect("opened");
        if catalogue.is_damaged() {
            continue;
        }
        catalogue.check(|| false).expect("nobody wants to know");
        if catalogue.check(|| true).is_ok() {
            unseen += 1;
        } else {
            assert!(catalogue.is_damaged(), "page {page}");
        }
    }
    assert_eq!(unseen, 0, "of {} pages", whole.len() / 4_096);
}

/// Nothing of what does not open is believed, and none of it is touched.
#[test]
fn in_place_of_one_that_does_not_open_there_is_an_empty_one() {
    let dir = temporary_folder();
    let path = dir.path().join("catalogue.db");
    fs::write(&path, b"no database ".repeat(2_000)).expect("written");
    for _ in 0..2 {
        let catalogue = Catalogue::open_or_scratch(&path, PACK_HEADER_BYTES).expect("opened");
        assert!(catalogue.is_damaged());
        assert!(catalogue.folders().expect("listed").is_empty());
        catalogue.set_meta("greeting", b"hello").expect("set");
    }
    let left = fs::read(&path).expect("read");
    assert!(left == b"no database ".repeat(2_000), "it is as it was");
    let scratch = Catalogue::open(&dir.path().join("catalogue.db.scratch"), PACK_HEADER_BYTES);
    assert_eq!(
        scratch.expect("opened").get_meta("greeting").expect("read"),
        Some(b"hello".to_vec())
    );
    // Keys are made after the catalogue: one that is gone is no new one.
    for is_empty in [true, false] {
        if is_empty {
            fs::write(&path, []).expect("emptied");
        } else {
            fs::remove_file(&path).expect("removed");
        }
        let catalogue = Catalogue::open_or_scratch(&path, PACK_HEADER_BYTES).expect("opened");
        assert!(catalogue.is_damaged(), "empty: {is_empty}");
        assert!(path.exists() == is_empty, "nothing is made in its place");
    }
}

#[test]
fn many_threads_look_up_while_packs_are_committed() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    std::thread::scope(|scope| {
        for reader in 0..12_u64 {
            let catalogue = catalogue.clone();
            scope.spawn(move || {
                let mut known_before = 0;
                while known_before < 50 {
                    let ids: Vec<_> = (0..50).map(chunk).collect();
                    let known = catalogue.known_chunks(&ids).expect("looked up");
                    let count = known.iter().filter(|known| **known).count();
                    assert!(
                        count >= known_before,
                        "reader {reader} saw a chunk become unknown"
                    );
                    assert_eq!(count % 5, 0, "reader {reader} saw half a pack");
                    known_before = count;
                }
            });
        }
        for number in 0..10_u64 {
            let chunks: Vec<u64> = (number * 5..number * 5 + 5).collect();
            commit(&catalogue, number, &chunks);
        }
    });
}
