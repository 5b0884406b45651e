//! The suppliers: being in the network, finding them, what each of them does.

use std::collections::BTreeSet;

use bitdust_model::limits::{LOSSES_IN_A_ROW_MAX, PROOFS_OF_TRUST};
use bitdust_model::{ByteCount, DeviceId, ErrorCode, IdentityId, PackId, Policy, Position};

use super::{ONE, check_page, flagged, moments, walk};
use crate::fsm::{
    check, contact, holder_set, lane, set_up, supplier_link, supplier_search, tip, unspool,
};
use crate::io::OfferFact;
use crate::rules::LaneStand;

#[test]
fn set_up_is_drawn() {
    use set_up::Event;
    let policy = Policy::default();
    let events = [
        Event::Listening,
        Event::LaneChanged,
        Event::RecordsChanged,
        Event::OfferChanged,
        Event::Published,
        Event::Failed,
        Event::Wake,
    ];
    let walk = walk(
        &[set_up::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| set_up::step(state, event, at, out),
    );
    let intro = "Being in the network: listen, put the own records, put them again in time.";
    check_page("set-up", "Set-up", intro, &walk);
}

#[test]
fn tip_is_drawn() {
    use tip::Event;
    let policy = Policy::default();
    let events = [
        Event::Online,
        Event::Gone,
        Event::Told {
            is_known: true,
            is_unlisted: false,
        },
        Event::Told {
            is_known: true,
            is_unlisted: true,
        },
        Event::Told {
            is_known: false,
            is_unlisted: false,
        },
        Event::NotTold,
        Event::Listed,
        Event::Forked,
        Event::CaughtUp,
        Event::Wake,
    ];
    let walk = walk(
        &[tip::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| tip::step(state, event, at, out),
    );
    let intro = "One supplier: what it keeps of the own lane, asked each time it is there, before it is \
                 given a head or what it is owed.";
    check_page("tip", "Tip", intro, &walk);
}

#[test]
fn lane_is_drawn() {
    use lane::Event;
    let policy = Policy::default();
    let stands = [LaneStand::Unheard, LaneStand::Abreast, LaneStand::Behind];
    let counted = stands
        .into_iter()
        .flat_map(|stand| [false, true].map(|is_awaited| Event::Counted { stand, is_awaited }));
    let caught_up = [
        Event::Began,
        Event::CaughtUp,
        Event::NotCaughtUp { is_final: false },
        Event::NotCaughtUp { is_final: true },
        Event::Wake,
    ];
    let events: Vec<_> = counted.chain(caught_up).collect();
    let walk = walk(
        &[lane::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| lane::step(state, event, at, out),
    );
    let intro = "The own lane: whether this machine may go on writing it.";
    check_page("lane", "Lane", intro, &walk);
}

#[test]
fn contact_is_drawn() {
    use contact::Event;
    let policy = Policy::default();
    let events = [
        Event::Hello,
        Event::Lost,
        Event::Recorded,
        Event::NotRecorded,
        Event::Wake,
    ];
    let walk = walk(
        &[contact::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| contact::step(state, event, at, out),
    );
    let intro = "One connected peer: when it said hello and where it is reached, in the catalogue.";
    check_page("contact", "Contact", intro, &walk);
}

#[test]
fn supplier_search_is_drawn() {
    use supplier_search::{Event, Fit};
    let policy = Policy::default();
    let offer = |id: u8| OfferFact {
        device: DeviceId([id; 32]),
        identity: IdentityId([id; 32]),
        free: ByteCount(10),
    };
    let events = [
        Event::Missing { count: 0 },
        Event::Missing { count: 2 },
        Event::OffersFound { offers: Vec::new() },
        Event::OffersFound {
            offers: vec![offer(7), offer(8)],
        },
        Event::OffersFound {
            offers: vec![offer(7)],
        },
        Event::Failed,
        Event::Reached,
        Event::Wake,
    ];
    let devices = BTreeSet::new();
    let identities = BTreeSet::new();
    let fit = Fit {
        bytes: ByteCount(10),
        devices: &devices,
        identities: &identities,
    };
    let first = supplier_search::State::default();
    let walk = walk(
        &[first],
        &events,
        &moments(&policy),
        |state, event, at, out| supplier_search::step(state, event, at, &fit, out),
    );
    let intro = "Finding strangers with space while suppliers are missing.";
    check_page("supplier-search", "Supplier search", intro, &walk);
}

#[test]
fn supplier_link_is_drawn() {
    use supplier_link::{Event, Role};
    let policy = Policy::default();
    let events = [
        Event::Adopt,
        Event::Start {
            contract: false,
            online: false,
        },
        Event::Start {
            contract: false,
            online: true,
        },
        Event::Start {
            contract: true,
            online: true,
        },
        Event::Connected,
        Event::Lost,
        Event::DialFailed,
        Event::Signed,
        Event::Refused {
            code: ErrorCode::Busy,
        },
        Event::Refused {
            code: ErrorCode::QuotaExceeded,
        },
        Event::SpaceUsedUp,
        Event::ContractUnknown,
        Event::Wake,
    ];
    let first = supplier_link::State::default();
    let roles = [Role::Stranger, Role::Friend, Role::Source];
    let moments = moments(&policy);
    let moments = moments.iter().flat_map(|at| roles.map(|role| (*at, role)));
    let walk = walk(
        &[first],
        &events,
        &moments.collect::<Vec<_>>(),
        |state, event, (at, role), out| supplier_link::step(state, event, at, *role, out),
    );
    let intro = "One supplier: connected or not, contract or not.";
    check_page("supplier-link", "Supplier link", intro, &walk);
}

#[test]
fn holder_set_is_drawn() {
    use holder_set::{Candidate, Census, Event};
    let census = Census {
        candidates: vec![Candidate {
            stranger: true,
            device: ONE,
            identity: IdentityId([1; 32]),
        }],
        backup_waits: true,
        friends_open: false,
        wanted: 1,
        code_wanted: None,
    };
    let short = Census {
        candidates: Vec::new(),
        ..census.clone()
    };
    let events = [
        Event::Counted { census },
        Event::Counted { census: short },
        Event::Recorded,
        Event::NotRecorded,
        Event::Wake,
    ];
    let policy = Policy::default();
    let walk = walk(
        &[holder_set::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| holder_set::step(state, event, at, out),
    );
    let intro = "The set: which suppliers hold which position, with which code.";
    check_page("holder-set", "Holder set", intro, &walk);
}

#[test]
fn check_is_drawn() {
    use check::Event;
    let policy = Policy::default();
    let events = [
        Event::Contracted { proved_ago: None },
        Event::Distrusted {
            emptied: 0,
            missed_ago: None,
        },
        Event::Online,
        Event::Passed,
        Event::Lost {
            code: ErrorCode::Corrupt,
            is_certain: true,
        },
        Event::Lost {
            code: ErrorCode::NotFound,
            is_certain: false,
        },
        Event::Failed,
        Event::Empty,
        Event::Recorded {
            withdrawn: 1,
            more: false,
        },
        Event::Recorded {
            withdrawn: 0,
            more: false,
        },
        Event::NotRecorded,
        Event::Cleared,
        Event::NotCleared,
        Event::Wake,
    ];
    // One proof, and one loss, before the end of a row: the way there is long.
    let doubt = check::Doubt {
        run: LOSSES_IN_A_ROW_MAX - 1,
        ..check::Doubt::default()
    };
    let late = check::State::Proving {
        doubt,
        row: check::Row {
            pick: 0,
            passed: PROOFS_OF_TRUST - 1,
            tries: 0,
        },
    };
    let mut walk = walk(
        &[check::State::default(), late],
        &events,
        &flagged(&policy),
        |state, event, (at, online), out| check::step(state, event, at, *online, out),
    );
    walk.begins = 1;
    let intro = "One supplier: a fresh proof in every interval that it keeps what it receipted, and many \
                 proofs of one that lost something.";
    check_page("check", "Check", intro, &walk);
}

#[test]
fn unspool_is_drawn() {
    use unspool::Event;
    let policy = Policy::default();
    let events = [
        Event::Ready,
        Event::Gone,
        Event::Loaded,
        Event::NothingLeft,
        Event::LoadFailed,
        Event::Damaged {
            pack: PackId([5; 32]),
            position: Position(0),
        },
        Event::Removed,
        Event::NotRemoved,
        Event::ShardSpooled,
        Event::ShardOwed,
        Event::Remade,
        Event::NothingOwed,
        Event::RemakeFailed,
        Event::Sent,
        Event::SendFailed,
        Event::Wake,
    ];
    let supply = |is_ready, is_owed| unspool::Supply { is_ready, is_owed };
    let situations: Vec<_> = flagged(&policy)
        .into_iter()
        .flat_map(|(at, ready)| [(at, supply(ready, false)), (at, supply(ready, true))])
        .collect();
    let first = unspool::State::default();
    let walk = walk(
        &[first],
        &events,
        &situations,
        |state, event, (at, supply), out| unspool::step(state, event, at, *supply, out),
    );
    let intro =
        "One supplier: the shards that it is owed, one after another, spooled ones before others.";
    check_page("unspool", "Unspool", intro, &walk);
}
