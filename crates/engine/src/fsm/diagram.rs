//! Draws the diagrams of `docs/fsm` from what the steps return, never from a second list.
//!
//! Each machine is walked from its first state with samples of all its events, early and
//! late, until nothing new is found. A state or event that the walk never meets fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::path::PathBuf;

use strum::VariantNames;

use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, IdentityId, Policy, Position, Sequence, Tick,
};

use super::{
    Moment, backup, check, customer_link, deposits, fetch, folder_watch, head, holder_set, name,
    pack, recovery, restore, schedule, set_up, supplier_link, supplier_search, transfer, unspool,
};
use crate::io::{Access, AskId, OfferFact, PlaceFact, Plan};

/// Rounds of the walk; every machine's longest way is shorter.
const ROUNDS: usize = 14;
/// States of one machine, data included, that are walked at most.
const STATES_MAX: usize = 1_500;

/// What a walk found.
struct Walk {
    edges: BTreeSet<(usize, &'static str, &'static str, String)>,
    order: Vec<&'static str>,
    /// The first so many of the order are where the machine begins.
    begins: usize,
}

/// Steps every state found so far with every event in every situation.
fn walk<S, E, A, C>(
    firsts: &[S],
    events: &[E],
    situations: &[C],
    step: impl Fn(S, E, &C, &mut Vec<A>) -> S,
) -> Walk
where
    S: Clone + Debug + VariantNames,
    E: Clone + Debug + VariantNames,
    for<'a> &'a S: Into<&'static str>,
    for<'a> &'a E: Into<&'static str>,
    for<'a> &'a A: Into<&'static str>,
{
    let mut order: Vec<_> = firsts.iter().map(|first| name(first)).collect();
    let begins = order.len();
    let mut seen: BTreeSet<_> = firsts.iter().map(|first| format!("{first:?}")).collect();
    let mut fresh = firsts.to_vec();
    let mut edges = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut found = Vec::new();
        for state in &fresh {
            for (event, situation) in events
                .iter()
                .flat_map(|event| situations.iter().map(move |it| (event, it)))
            {
                let mut out = Vec::new();
                let next = step(state.clone(), event.clone(), situation, &mut out);
                let (from, to) = (name(state), name(&next));
                if !order.contains(&to) {
                    order.push(to);
                }
                if from != to || !out.is_empty() {
                    edges.insert((place(&order, from), to, name(event), label(&out)));
                }
                if seen.len() < STATES_MAX && seen.insert(format!("{next:?}")) {
                    found.push(next);
                }
            }
        }
        fresh = found;
    }
    let missed: Vec<_> = S::VARIANTS
        .iter()
        .filter(|state| !order.contains(state))
        .collect();
    assert!(
        missed.is_empty(),
        "states that nothing leads to: {missed:?}"
    );
    let names: BTreeSet<_> = events.iter().map(|event| name(event)).collect();
    let missed: Vec<_> = E::VARIANTS
        .iter()
        .filter(|event| !names.contains(*event))
        .collect();
    assert!(missed.is_empty(), "events without a sample: {missed:?}");
    Walk {
        edges,
        order,
        begins,
    }
}

fn place(order: &[&'static str], state: &str) -> usize {
    order
        .iter()
        .position(|it| *it == state)
        .expect("every state is put in order when found")
}

/// The actions of a step, each kind once.
fn label<A>(out: &[A]) -> String
where
    for<'a> &'a A: Into<&'static str>,
{
    let mut actions: Vec<&'static str> = Vec::new();
    for action in out {
        let action = name(action);
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions.join(", ")
}

/// Compares a walk with its page, or writes it anew.
fn check_page(page: &str, title: &str, intro: &str, walk: &Walk) {
    let mut text = format!(
        "# {title}\n\n{intro}\n\nDrawn by a test from what `step` returns; `UPDATE=1 cargo test \
         -p bitdust-engine diagram` draws it anew. A label is the event and, after the slash, \
         what the machine wants done. Events that change nothing are left out.\n\n\
         ```mermaid\nstateDiagram-v2\n"
    );
    for first in &walk.order[..walk.begins] {
        writeln!(text, "    [*] --> {first}").expect("writing to a string");
    }
    let mut arrows: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    for (from, to, event, actions) in &walk.edges {
        let slash = if actions.is_empty() { "" } else { " / " };
        let ends = (*from, place(&walk.order, to));
        arrows
            .entry(ends)
            .or_default()
            .insert(format!("{event}{slash}{actions}"));
    }
    for ((from, to), labels) in arrows {
        for label in labels {
            writeln!(
                text,
                "    {} --> {}: {label}",
                walk.order[from], walk.order[to]
            )
            .expect("writing to a string");
        }
    }
    text.push_str("```\n");
    compare(page, &text);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that compares committed pages"
)]
fn compare(page: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/fsm");
    let path = folder.join(format!("{page}.md"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("docs/fsm can be written");
    }
    let committed = std::fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        committed == text,
        "docs/fsm/{page}.md is not what the machine does; UPDATE=1 draws it anew"
    );
}

/// Early: no deadline has passed. Late: all have.
fn moments(policy: &Policy) -> [Moment<'_>; 2] {
    [Tick(1_000), Tick(u64::MAX / 2)].map(|now| Moment {
        now,
        policy,
        random: 0,
    })
}

/// Each moment with a flag off and on.
fn flagged(policy: &Policy) -> Vec<(Moment<'_>, bool)> {
    moments(policy)
        .into_iter()
        .flat_map(|at| [(at, false), (at, true)])
        .collect()
}

const ONE: DeviceId = DeviceId([1; 32]);
const TWO: DeviceId = DeviceId([2; 32]);
const THREE: DeviceId = DeviceId([3; 32]);
const FIRST: Sequence = Sequence(1);
const SECOND: Sequence = Sequence(2);

#[test]
fn set_up_is_drawn() {
    use set_up::Event;
    let policy = Policy::default();
    let events = [
        Event::Listening,
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
    use supplier_link::Event;
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
    let walk = walk(
        &[first],
        &events,
        &flagged(&policy),
        |state, event, (at, friend), out| supplier_link::step(state, event, at, *friend, out),
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
        Event::Distrusted,
        Event::Online,
        Event::Passed,
        Event::Failed {
            code: ErrorCode::Corrupt,
        },
        Event::Failed {
            code: ErrorCode::NotFound,
        },
        Event::Failed {
            code: ErrorCode::TimedOut,
        },
        Event::Empty,
        Event::Recorded,
        Event::NotRecorded,
        Event::Wake,
    ];
    let first = check::State::default();
    let walk = walk(
        &[first],
        &events,
        &flagged(&policy),
        |state, event, (at, online), out| check::step(state, event, at, *online, out),
    );
    let intro = "One supplier: a fresh proof in every interval that it keeps what it receipted.";
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
        Event::ShardSpooled,
        Event::Sent,
        Event::SendFailed,
        Event::Wake,
    ];
    let first = unspool::State::default();
    let walk = walk(
        &[first],
        &events,
        &flagged(&policy),
        |state, event, (at, ready), out| unspool::step(state, event, at, *ready, out),
    );
    let intro = "One supplier: the shards that waited for it in the spool, one after another.";
    check_page("unspool", "Unspool", intro, &walk);
}

#[test]
fn deposits_are_drawn() {
    use deposits::Event;
    let policy = Policy::default();
    let events = [Event::Reached, Event::Published, Event::Failed, Event::Wake];
    let first = deposits::State::default();
    let walk = walk(
        &[first],
        &events,
        &flagged(&policy),
        |state, event, (at, customers), out| deposits::step(state, event, at, *customers, out),
    );
    let intro = "Records kept for customers: published again before they die in the DHT.";
    check_page("deposits", "Deposits", intro, &walk);
}

#[test]
fn folder_watch_is_drawn() {
    use folder_watch::Event;
    let policy = Policy::default();
    let events = [
        Event::Begin,
        Event::End,
        Event::Watched,
        Event::Unwatchable,
        Event::Changed,
        Event::Gone,
        Event::Wake,
    ];
    let walk = walk(
        &[folder_watch::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| folder_watch::step(state, event, at, out),
    );
    let intro = "One folder: being told of changes, and waiting until it has been still.";
    check_page("folder-watch", "Folder watch", intro, &walk);
}

#[test]
fn schedule_is_drawn() {
    use schedule::Event;
    let policy = Policy::default();
    let events = [
        Event::Planned {
            backed_up_ago_ms: None,
        },
        Event::Planned {
            backed_up_ago_ms: Some(1_000),
        },
        Event::ChangeSeen,
        Event::TurnCame,
        Event::Began,
        Event::Ended,
        Event::Failed {
            code: ErrorCode::Unreadable,
        },
        Event::Failed {
            code: ErrorCode::Cancelled,
        },
        Event::Resumed,
        Event::Wake,
    ];
    let situations: Vec<_> = [Plan::Manual, Plan::OnChange, Plan::Every { minutes: 60 }]
        .into_iter()
        .flat_map(|plan| moments(&policy).map(|at| (at, plan)))
        .collect();
    let walk = walk(
        &[schedule::State::default()],
        &events,
        &situations,
        |state, event, (at, plan), out| schedule::step(state, event, at, *plan, out),
    );
    let intro = "One folder: when it is backed up without being asked.";
    check_page("schedule", "Schedule", intro, &walk);
}

#[test]
fn pack_is_drawn() {
    use pack::{Event, Standing, State};
    let code = Code::new(2, 4).expect("a code");
    let stood = |confirmed: u8, kept: bool| Event::Stood {
        standing: Standing {
            confirmed,
            kept,
            complete: confirmed == 4,
        },
    };
    let events = [
        stood(0, false),
        stood(1, true),
        stood(3, false),
        stood(4, true),
        Event::Recorded,
        Event::NotRecorded,
        Event::Wake,
    ];
    let policy = Policy::default();
    let walk = walk(
        &[State::Placing { held: true }],
        &events,
        &moments(&policy),
        |state, event, at, out| pack::step(state, event, at, PackKind::Data, code, out),
    );
    let intro = "One pack: when its chunks count as known, and when its memory is free.";
    check_page("pack", "Pack", intro, &walk);
}

#[test]
fn transfer_is_drawn() {
    use transfer::{Event, State};
    let policy = Policy::default();
    let events = [
        Event::Begin,
        Event::SupplierReady,
        Event::SupplierGone,
        Event::Stored,
        Event::SendFailed {
            code: ErrorCode::Interrupted,
        },
        Event::SendFailed {
            code: ErrorCode::QuotaExceeded,
        },
        Event::Spooled,
        Event::SpoolFailed {
            code: ErrorCode::DiskFull,
        },
        Event::Loaded,
        Event::Wake,
    ];
    // A pack of an earlier run begins with what the catalogue and the spool have of it.
    let firsts = [State::Queued, State::Spooled, State::Confirmed, State::Owed];
    let walk = walk(
        &firsts,
        &events,
        &flagged(&policy),
        |state, event, (at, ready), out| transfer::step(state, event, at, *ready, out),
    );
    let intro = "One shard on its way to one supplier.";
    check_page("transfer", "Transfer", intro, &walk);
}

#[test]
fn head_is_drawn() {
    use head::{Event, Holders};
    let policy = Policy::default();
    let trusted = BTreeSet::from([ONE, TWO]);
    let online = BTreeSet::from([ONE]);
    let nobody = BTreeSet::new();
    let holders = Holders {
        trusted: &trusted,
        online: &online,
        quorum: 2,
    };
    let alone = Holders {
        trusted: &trusted,
        online: &nobody,
        quorum: 2,
    };
    let situations: Vec<_> = moments(&policy)
        .into_iter()
        .flat_map(|at| [(at, holders), (at, alone)])
        .collect();
    let declined = |code| Event::Declined {
        device: ONE,
        sequence: FIRST,
        code,
    };
    let events = [
        Event::Known { sequence: FIRST },
        Event::Signed { sequence: FIRST },
        Event::PackPlaced,
        Event::PackLost,
        Event::HolderOnline { device: ONE },
        Event::HoldersChanged,
        Event::Kept {
            device: ONE,
            sequence: FIRST,
        },
        Event::Kept {
            device: TWO,
            sequence: FIRST,
        },
        declined(ErrorCode::Interrupted),
        declined(ErrorCode::Stale),
        Event::Recorded { sequence: FIRST },
        Event::NotRecorded { sequence: FIRST },
        Event::Wake,
    ];
    let first = head::State::default();
    let walk = walk(
        &[first],
        &events,
        &situations,
        |state, event, (at, holders), out| head::step(state, event, at, holders, out),
    );
    let intro = "The newest head of the own lane: from draft to published, then to every holder.";
    check_page("head", "Head", intro, &walk);
}

#[test]
fn backup_is_drawn() {
    use backup::{Event, Standing};
    let short = Standing::Short {
        confirmed: 1,
        need: 2,
        moving: false,
    };
    let events = [
        Event::TurnCame,
        Event::SetFormed,
        Event::ScanFinished,
        Event::NothingChanged,
        Event::ScanFailed {
            code: ErrorCode::Unreadable,
        },
        Event::Counted {
            contents: short,
            lists: None,
        },
        Event::Counted {
            contents: Standing::Enough,
            lists: None,
        },
        Event::Counted {
            contents: Standing::Enough,
            lists: Some(Standing::Enough),
        },
        Event::MetadataSealed { sequence: FIRST },
        Event::MetadataFailed {
            code: ErrorCode::DiskFailed,
        },
        Event::HeadKept { sequence: FIRST },
        Event::HeadKept { sequence: SECOND },
        Event::HeadRefused {
            code: ErrorCode::Stale,
        },
        Event::CommitRecorded { sequence: FIRST },
        Event::Cancel,
    ];
    let first = backup::State::default();
    let walk = walk(&[first], &events, &[()], |state, event, (), out| {
        backup::step(state, event, out)
    });
    let intro = "One backup: read, place, settle, seal the lists, place them, publish, record.";
    check_page("backup", "Backup", intro, &walk);
}

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
    let events = [
        Event::Begin,
        Event::LanesFound {
            suppliers: vec![ONE, TWO],
            k: 2,
        },
        Event::LanesFound {
            suppliers: Vec::new(),
            k: 0,
        },
        Event::LanesMissing,
        Event::SeekFailed {
            code: ErrorCode::Internal,
        },
        Event::PeerUp { device: TWO },
        Event::DialFailed { device: TWO },
        Event::HeadsHeard {
            device: ONE,
            lanes: vec![(THREE, FIRST)],
        },
        Event::HeadsHeard {
            device: TWO,
            lanes: vec![(THREE, SECOND)],
        },
        Event::HeadsFailed { device: ONE },
        Event::Rebuilt,
        Event::RebuildFailed {
            code: ErrorCode::TooFewShards,
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
    let intro = "One recovery: find the identity's records, ask the suppliers, rebuild.";
    check_page("recovery", "Recovery", intro, &walk);
}

#[test]
fn fetch_is_drawn() {
    use fetch::{Event, Plan};
    let policy = Policy::default();
    let place = |position: u8, device| PlaceFact {
        position: Position(position),
        holders: vec![device],
    };
    let plan = Plan {
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
        Event::DecodeFailed,
        Event::PeerUp { device: ONE },
        Event::PeerUp { device: TWO },
        Event::Wake,
    ];
    let crowds = [
        BTreeSet::new(),
        BTreeSet::from([ONE]),
        BTreeSet::from([ONE, TWO]),
    ];
    let situations: Vec<_> = moments(&policy)
        .into_iter()
        .flat_map(|at| crowds.iter().map(move |online| (at, online)))
        .collect();
    let first = fetch::State::Queued { plan };
    let walk = walk(
        &[first],
        &events,
        &situations,
        |state, event, (at, online), out| fetch::step(state, event, at, online, out),
    );
    let intro = "One pack, or ranges of it, on the way back.";
    check_page("fetch", "Fetch", intro, &walk);
}

#[test]
fn customer_link_is_drawn() {
    use customer_link::Event;
    let ask = AskId(1);
    let access = |access, kin| Event::AccessAsked { ask, access, kin };
    let events = [
        Event::Known {
            agreed: ByteCount(10),
            used: ByteCount(4),
        },
        Event::Proposed {
            ask,
            bytes: ByteCount(10),
            room: ByteCount(10),
        },
        Event::Proposed {
            ask,
            bytes: ByteCount(11),
            room: ByteCount(10),
        },
        Event::Recorded { ask },
        Event::NotRecorded { ask },
        Event::StoreAsked {
            ask,
            bytes: ByteCount(2),
        },
        Event::StoreAsked {
            ask,
            bytes: ByteCount(20),
        },
        Event::ShardKept { ask },
        Event::StoreAborted { ask },
        access(Access::Read, true),
        access(Access::Write, false),
        Event::Released {
            bytes: ByteCount(1),
        },
    ];
    let first = customer_link::State::default();
    let walk = walk(&[first], &events, &[()], |state, event, (), out| {
        customer_link::step(state, event, out)
    });
    let intro = "One customer's lane: its contract, and the arithmetic of its space.";
    check_page("customer-link", "Customer link", intro, &walk);
}
