//! The way back: a restore, its fetches, a recovery.

use std::collections::BTreeSet;

use bitdust_model::{ErrorCode, HeadHash, HeadRef, Policy, Position, Sequence};

use super::{FIRST, ONE, SECOND, THREE, TWO, check_page, moments, walk};
use crate::fsm::{fetch, recovery, restore};
use crate::io::{HeadFact, LaneFact, ListsRead, PlaceFact};

#[test]
fn restore_is_drawn() {
    use restore::Event;
    let events = [
        Event::Begin,
        Event::PiecesMissing,
        Event::PiecesComing,
        Event::Written,
        Event::Failed {
            code: ErrorCode::Unreadable,
        },
        Event::Cancel,
    ];
    let first = restore::State::default();
    let walk = walk(&[first], &events, &[()], |state, event, (), out| {
        restore::step(state, event, out)
    });
    let intro = "One restore: the node plans and writes, the fetches bring the pieces.";
    check_page("restore", "Restore", intro, &walk);
}

#[test]
fn recovery_is_drawn() {
    use recovery::Event;
    let policy = Policy::default();
    let online = BTreeSet::from([ONE]);
    let sought = |missing: &[_], suppliers: &[_], k| Event::LanesSought {
        missing: missing.to_vec(),
        lanes: vec![LaneFact {
            lane: THREE,
            suppliers: suppliers.to_vec(),
            k,
            has_published: true,
            named: Some(FIRST),
        }],
    };
    let rebuilt = |lists| Event::Rebuilt { lists };
    let none_found = Event::LanesSought {
        missing: vec![THREE],
        lanes: Vec::new(),
    };
    let heard = |device, heads: &[Sequence]| Event::HeadsHeard {
        device,
        heads: heads.iter().map(|sequence| told(*sequence)).collect(),
    };
    let events = [
        Event::Begin,
        Event::RootFound {
            devices: vec![THREE],
        },
        Event::RootFound {
            devices: Vec::new(),
        },
        Event::RootMissing,
        sought(&[], &[ONE, TWO], 2),
        sought(&[THREE], &[ONE], 1),
        none_found,
        Event::SeekFailed {
            code: ErrorCode::Internal,
        },
        Event::PeerUp { device: TWO },
        Event::DialFailed { device: TWO },
        heard(ONE, &[FIRST]),
        heard(TWO, &[SECOND]),
        heard(TWO, &[]),
        Event::HeadsFailed { device: ONE },
        rebuilt(ListsRead::Whole),
        rebuilt(ListsRead::Partly),
        rebuilt(ListsRead::Nothing),
        Event::RebuildFailed {
            code: ErrorCode::TooFewShards,
        },
        Event::Entered,
        Event::NotEntered {
            code: ErrorCode::DiskFailed,
        },
        Event::Cancel,
        Event::Wake,
    ];
    let first = recovery::State::default();
    let walk = walk(
        &[first],
        &events,
        &moments(&policy),
        |state, event, at, out| recovery::step(state, event, at, &online, out),
    );
    let intro =
        "One recovery: find the identity's records, ask the suppliers, rebuild, enter the device.";
    check_page("recovery", "Recovery", intro, &walk);
}

/// A head of the lane of the third.
fn told(sequence: Sequence) -> HeadFact {
    let hash = HeadHash([0; 32]);
    HeadFact {
        lane: THREE,
        head: HeadRef { sequence, hash },
        home: None,
    }
}

#[test]
fn fetch_is_drawn() {
    use fetch::{Event, Wanted};
    let policy = Policy::default();
    let place = |position: u8, device| PlaceFact {
        position: Position(position),
        holders: vec![device],
    };
    let wanted = Wanted {
        k: 1,
        direct: vec![Position(0)],
        places: vec![place(0, ONE), place(1, TWO)],
    };
    let failed = |position: u8, device, code| Event::RangeFailed {
        position: Position(position),
        device,
        code,
    };
    let events = [
        Event::TurnCame,
        Event::RangeFetched {
            position: Position(0),
        },
        Event::RangeFetched {
            position: Position(1),
        },
        failed(0, ONE, ErrorCode::Interrupted),
        failed(0, ONE, ErrorCode::Corrupt),
        failed(1, TWO, ErrorCode::Interrupted),
        Event::Decoded,
        Event::DecodeFailed {
            code: ErrorCode::Corrupt,
        },
        Event::DecodeFailed {
            code: ErrorCode::Internal,
        },
        Event::PeerUp { device: ONE },
        Event::PeerUp { device: TWO },
        Event::Resumed,
        Event::Wake,
    ];
    let crowds = [
        BTreeSet::new(),
        BTreeSet::from([ONE]),
        BTreeSet::from([ONE, TWO]),
    ];
    let nobody = BTreeSet::new();
    let situations: Vec<_> = moments(&policy)
        .into_iter()
        .flat_map(|at| crowds.iter().map(move |online| (at, online)))
        .collect();
    let first = fetch::State::Queued { wanted };
    let walk = walk(
        &[first],
        &events,
        &situations,
        |state, event, (at, online), out| {
            let peers = fetch::Peers {
                online,
                late: &nobody,
                late_after: policy.late_first,
                may_hedge: true,
            };
            fetch::step(state, event, at, &peers, out)
        },
    );
    let intro = "One pack, or ranges of it, on the way back.";
    check_page("fetch", "Fetch", intro, &walk);
}
