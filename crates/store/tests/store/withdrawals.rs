//! Confirmations that are taken back, shard by shard or all at once.

use bitdust_model::{Position, PositionMask, SetId};
use bitdust_store::Catalogue;
use bitdust_store::catalogue::{Introduction, OwedPlace};

use crate::support::{NOW, commit, device, id, identity, open_catalogue, pack, temporary_folder};

fn set() -> SetId {
    SetId(id("set", 1))
}

fn introduce(catalogue: &Catalogue) {
    catalogue
        .introduce_supplier(Introduction {
            device: device(1),
            identity: identity(1),
            friend: true,
            addresses: Vec::new(),
            seen: None,
        })
        .expect("introduced");
}

/// What one lost of one pack says nothing of what it keeps of others, nor of what others keep of it.
#[test]
fn one_shard_is_taken_back_and_no_other() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    introduce(&catalogue);
    for number in 0..3 {
        commit(&catalogue, number, &[number]);
    }
    let suspect = || {
        let known = catalogue.supplier(device(1)).expect("read");
        known.expect("there").suspect
    };
    let lost = vec![
        (pack(1), Position(1)),
        (pack(1), Position(0)),
        (pack(9), Position(1)),
    ];
    let withdrawn = catalogue
        .withdraw_shards(device(1), lost.clone(), false)
        .expect("taken back");
    assert_eq!(withdrawn.shards, [(pack(1), Position(1))]);
    assert_eq!(withdrawn.moved.len(), 1);
    assert!(withdrawn.is_first);
    assert_eq!(suspect(), Some(0));
    let positions = |number| {
        let confirmed = catalogue.confirmations(pack(number)).expect("read");
        confirmed.iter().map(|it| it.position.0).collect::<Vec<_>>()
    };
    assert_eq!(positions(1), [0, 2]);
    assert_eq!(positions(0), [0, 1, 2]);
    let owed = catalogue.owed(
        &[OwedPlace {
            set: set(),
            position: Position(1),
            reachable: PositionMask::default(),
        }],
        9,
    );
    let owed = owed.expect("read");
    assert_eq!(owed, [pack(1)]);
    // It is given it again, and signs.
    catalogue.trust_supplier(device(1)).expect("trusted");
    assert_eq!(suspect(), None);
    catalogue
        .confirm_shard(pack(1), Position(1), device(1), None, NOW)
        .expect("confirmed");
    assert_eq!(positions(1), [0, 1, 2]);
}

#[test]
fn what_nobody_had_confirmed_makes_suspect_only_where_that_is_said() {
    let dir = temporary_folder();
    let catalogue = open_catalogue(&dir);
    introduce(&catalogue);
    let lost = vec![(pack(1), Position(1))];
    let suspect = |in_any_case| {
        let withdrawn = catalogue.withdraw_shards(device(1), lost.clone(), in_any_case);
        let withdrawn = withdrawn.expect("looked up");
        assert!(withdrawn.shards.is_empty() && withdrawn.moved.is_empty());
        let known = catalogue.supplier(device(1)).expect("read");
        known.expect("there").suspect
    };
    assert_eq!(suspect(false), None);
    assert_eq!(suspect(true), Some(0));
    catalogue.withdraw_all(device(1)).expect("taken back");
    assert_eq!(suspect(true), Some(1), "it is remembered how often");
}
