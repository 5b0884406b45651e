//! Steps that matter most, as tables: state, event, next state, what is wanted.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, FolderId, IdentityId, Policy, Position, Sequence, Tick,
};

use super::{
    Moment, backup, check, contact, customer_link, disk, fetch, head, holder_set, pack,
    supplier_link, transfer,
};
use crate::io::{AskId, PlaceFact, VersionFact};

fn at(policy: &Policy, now: u64) -> Moment<'_> {
    Moment {
        now: Tick(now),
        policy,
        random: 0,
    }
}

/// Peers none of whom was ever late.
fn peers(online: &BTreeSet<DeviceId>) -> fetch::Peers<'_> {
    const NOBODY: &BTreeSet<DeviceId> = &BTreeSet::new();
    fetch::Peers {
        online,
        late: NOBODY,
        late_after: Duration::from_secs(1),
        may_hedge: true,
    }
}

#[test]
fn a_shard_is_spooled_when_its_supplier_is_away_full_or_failed_thrice() {
    use transfer::{Action, Event, Source, State};
    let policy = Policy::default();
    let check = |state, event, is_ready, next, wanted: &[Action]| {
        let mut out = Vec::new();
        let way = transfer::Way {
            is_ready,
            is_committed: false,
        };
        let given = transfer::step(state, event, &at(&policy, 1_000), way, &mut out);
        assert_eq!(given, next, "{state:?} {event:?}");
        assert_eq!(out, wanted, "{state:?} {event:?}");
    };
    let failed = |code| Event::SendFailed { code };
    let sending = |tries| State::Sending {
        tries,
        source: Source::Memory,
    };
    let spooling = State::Spooling { refusals: None };
    check(
        State::Queued,
        Event::Begin,
        false,
        spooling,
        &[Action::Spool],
    );
    check(
        State::Queued,
        Event::Begin,
        true,
        sending(0),
        &[Action::Send],
    );
    let retry_at = Tick(1_750);
    let waiting = State::Waiting { retry_at, tries: 1 };
    check(sending(0), failed(ErrorCode::TimedOut), true, waiting, &[]);
    check(
        sending(0),
        failed(ErrorCode::Interrupted),
        false,
        spooling,
        &[Action::Spool],
    );
    check(
        sending(2),
        failed(ErrorCode::TimedOut),
        true,
        spooling,
        &[Action::Spool],
    );
    let code = ErrorCode::QuotaExceeded;
    let told = [Action::TellLink { code }, Action::Spool];
    check(sending(0), failed(code), true, spooling, &told);
    let unspooling = State::Sending {
        tries: 0,
        source: Source::Spool,
    };
    check(
        unspooling,
        failed(ErrorCode::TimedOut),
        true,
        State::Spooled,
        &[],
    );
    check(State::Owed, Event::Stored, true, State::Confirmed, &[]);
    let remade = State::Sending {
        tries: 0,
        source: Source::Remade,
    };
    check(State::Owed, Event::Remade, true, remade, &[Action::Send]);
    let again = failed(ErrorCode::TimedOut);
    check(remade, again, true, State::Owed, &[]);
    check(
        State::Spooled,
        Event::Remade,
        true,
        unspooling,
        &[Action::Send],
    );
    check(spooling, Event::Loaded, true, unspooling, &[Action::Send]);
    check(unspooling, Event::Spooled, true, unspooling, &[]);
}

/// In memory it holds up what comes behind it.
#[test]
fn what_the_spool_refuses_is_kept_in_memory_until_others_have_enough() {
    use transfer::{Event, Refusals, State};
    let policy = Policy::default();
    let after = |state, event, is_committed| {
        let way = transfer::Way {
            is_ready: false,
            is_committed,
        };
        transfer::step(state, event, &at(&policy, 0), way, &mut Vec::new())
    };
    let code = ErrorCode::QuotaExceeded;
    let spooling = State::Spooling { refusals: None };
    let held = after(spooling, Event::SpoolFailed { code }, false);
    let refusals = Refusals { count: 1, code };
    assert!(matches!(held, State::Held { refusals: of, .. } if of == refusals));
    assert_eq!(after(held, Event::Committed, true), State::Owed);
    let owed = after(spooling, Event::SpoolFailed { code }, true);
    assert_eq!(owed, State::Owed);
}

#[test]
fn a_version_waits_for_those_who_are_there_and_not_for_long() {
    use crate::safety::Quorum;
    use backup::{Action, Event, State};
    let until = Tick(700);
    let after = |now, contents| {
        let event = Event::Counted {
            contents,
            lists: None,
            published: Quorum::Reached,
            until,
        };
        let (before, mut out) = (State::Settling { until: None }, Vec::new());
        let policy = Policy::default();
        (
            backup::step(before, event, &at(&policy, now), &mut out),
            out,
        )
    };
    let enough = |moving| Quorum::Enough { moving };
    let (sealing, seal) = (State::SealingMetadata, Action::SealMetadata);
    assert_eq!(after(0, Quorum::Reached), (sealing, vec![seal]));
    assert_eq!(
        after(0, enough(false)),
        (sealing, vec![seal]),
        "all are away"
    );
    let waiting = State::Settling { until: Some(until) };
    assert_eq!(after(699, enough(true)), (waiting, Vec::new()));
    let passed = vec![Action::PassOver, seal];
    assert_eq!(after(700, enough(true)), (sealing, passed));
    let short = Quorum::Short {
        confirmed: 1,
        need: 2,
        moving: false,
    };
    let state = State::Settling { until: None };
    assert_eq!(after(9_000, short), (state, Vec::new()));
}

/// And no more than so long for those who catch up with what they missed.
#[test]
fn a_version_that_exists_is_waited_for_until_it_is_safe() {
    use crate::safety::Quorum;
    use backup::{Event, State};
    let policy = Policy::default();
    let sequence = Sequence(3);
    let recorded = Event::CommitRecorded { sequence };
    let state = State::Recording { sequence };
    let state = backup::step(state, recorded, &at(&policy, 0), &mut Vec::new());
    let longest = u64::try_from(policy.request_timeout.as_millis()).expect("short");
    let after = |now, published, until| {
        let event = Event::Counted {
            contents: Quorum::Reached,
            lists: None,
            published,
            until: Tick(until),
        };
        let mut out = Vec::new();
        let after = backup::step(state, event, &at(&policy, now), &mut out);
        after == State::Done && !out.is_empty()
    };
    let enough = |moving| Quorum::Enough { moving };
    assert!(after(0, Quorum::Reached, 700), "it is safe");
    assert!(after(0, enough(false), 700), "the others are away");
    assert!(!after(699, enough(true), 700));
    assert!(after(700, enough(true), 700));
    assert!(!after(longest - 1, enough(true), 10 * longest));
    assert!(after(longest, enough(true), 10 * longest));
}

/// Who refuses it for good may know something newer.
#[test]
fn a_head_is_published_by_two_unless_somebody_refuses_it() {
    use head::{Action, Event, Holders, State};
    let policy = Policy::default();
    let devices: Vec<_> = (1..=6).map(|number| DeviceId([number; 32])).collect();
    let trusted: BTreeSet<_> = devices.iter().copied().collect();
    let nobody = BTreeSet::new();
    let sequence = Sequence(7);
    let play = |online: &BTreeSet<DeviceId>, events: &[Event]| {
        let holders = Holders {
            trusted: &trusted,
            open: &trusted,
            is_behind: false,
            online,
            connected: online,
            passed_over: &nobody,
            code: Code::new(3, 6).expect("a code"),
            active: 6,
        };
        let (mut state, mut out) = (State::default(), Vec::new());
        for event in [Event::Signed { sequence }, Event::PackPlaced]
            .iter()
            .chain(events)
        {
            out.clear();
            state = head::step(state, *event, &at(&policy, 0), &holders, &mut out);
        }
        out.contains(&Action::Record { sequence })
    };
    let kept = |index: usize| Event::Kept {
        device: devices[index],
        sequence,
    };
    let refused = |index: usize| Event::Declined {
        device: devices[index],
        sequence,
        code: ErrorCode::Stale,
    };
    let two: BTreeSet<_> = devices[..2].iter().copied().collect();
    let one: BTreeSet<_> = devices[..1].iter().copied().collect();
    assert!(play(&one, &[kept(0)]), "nobody else is there");
    assert!(!play(&two, &[kept(0)]));
    assert!(play(&two, &[kept(0), kept(1)]));
    assert!(!play(&trusted, &[kept(0), kept(1)]), "others may follow");
    assert!(play(&trusted, &[kept(0), kept(1), kept(2), kept(3)]));
    let three: BTreeSet<_> = devices[..3].iter().copied().collect();
    assert!(!play(&three, &[refused(2), kept(0), kept(1)]));
    assert!(!play(&two, &[]), "nobody keeps it yet");
}

#[test]
fn a_pack_is_known_at_k_and_released_when_every_shard_is_kept() {
    use pack::{Action, Confirmations, Event, State};
    let policy = Policy::default();
    let code = Code::new(2, 6).expect("a code");
    let check = |kind, state, confirmed, kept, next, wanted: &[Action]| {
        let confirmations = Confirmations {
            confirmed,
            kept,
            complete: confirmed == 6,
            resting: false,
        };
        let mut out = Vec::new();
        let event = Event::ConfirmationsChanged { confirmations };
        let given = pack::step(state, event, &at(&policy, 0), kind, code, &mut out);
        assert_eq!(given, next, "{kind:?} {state:?} {confirmed}");
        assert_eq!(out, wanted, "{kind:?} {state:?} {confirmed}");
    };
    let (held, free) = (
        State::Placing { held: true },
        State::Placing { held: false },
    );
    check(PackKind::Data, held, 1, false, held, &[]);
    check(PackKind::Data, held, 1, true, free, &[Action::Release]);
    check(
        PackKind::Data,
        held,
        2,
        false,
        State::Committing {
            held: true,
            tries: 0,
        },
        &[Action::Commit],
    );
    let uncommitted = State::Uncommitted {
        held: false,
        retry_at: Tick(2_000),
        tries: 1,
    };
    check(PackKind::Data, uncommitted, 2, true, uncommitted, &[]);
    check(PackKind::Data, uncommitted, 1, true, free, &[]);
    check(PackKind::Commit, held, 0, false, held, &[]);
    check(
        PackKind::Tree,
        held,
        1,
        false,
        State::Committing {
            held: true,
            tries: 0,
        },
        &[Action::Commit],
    );
    check(
        PackKind::Data,
        State::Committed { held: false },
        6,
        true,
        State::Settled,
        &[],
    );
}

#[test]
fn space_is_reserved_before_it_is_used_and_never_exceeds_the_contract() {
    use customer_link::{Action, Event, State};
    let mut state = State::default();
    let mut feed = |event, wanted: &[Action]| {
        let mut out = Vec::new();
        state = customer_link::step(std::mem::take(&mut state), event, &mut out);
        assert_eq!(out, wanted, "{event:?}");
    };
    let ask = AskId;
    let bytes = ByteCount;
    let proposed = |id, wanted, room| Event::Proposed {
        ask: AskId(id),
        bytes: ByteCount(wanted),
        room: ByteCount(room),
    };
    let refused = |id, code| {
        [Action::Refuse {
            ask: AskId(id),
            code,
        }]
    };
    let store = |id, count| Event::StoreAsked {
        ask: AskId(id),
        bytes: ByteCount(count),
    };
    // Signed means recorded; until then no second contract is looked at.
    let sign = |feed: &mut dyn FnMut(Event, &[Action]), id, wanted| {
        feed(
            proposed(id, wanted, 100),
            &[Action::Accept { ask: ask(id) }],
        );
        feed(proposed(99, 1, 100), &refused(99, ErrorCode::Busy));
        let effect = [Action::TakeEffect { ask: ask(id) }];
        feed(Event::Recorded { ask: ask(id) }, &effect);
    };
    feed(store(1, 5), &refused(1, ErrorCode::NoContract));
    feed(proposed(2, 101, 100), &refused(2, ErrorCode::QuotaExceeded));
    feed(proposed(3, 100, 100), &[Action::Accept { ask: ask(3) }]);
    feed(Event::NotRecorded { ask: ask(3) }, &[]);
    feed(store(3, 60), &refused(3, ErrorCode::NoContract));
    sign(&mut feed, 3, 100);
    feed(store(4, 60), &[Action::AcceptStore { ask: ask(4) }]);
    feed(store(5, 41), &refused(5, ErrorCode::QuotaExceeded));
    feed(store(6, 40), &[Action::AcceptStore { ask: ask(6) }]);
    feed(Event::StoreAborted { ask: ask(6) }, &[]);
    feed(Event::ShardKept { ask: ask(4) }, &[]);
    feed(proposed(7, 59, 100), &refused(7, ErrorCode::QuotaExceeded));
    sign(&mut feed, 8, 60);
    feed(store(9, 1), &refused(9, ErrorCode::QuotaExceeded));
    let released = bytes(10);
    feed(Event::AccessGiven { released }, &[]);
    feed(Event::AccessFailed, &[]);
    feed(store(10, 10), &[Action::AcceptStore { ask: ask(10) }]);
}

#[test]
fn what_finds_no_room_while_others_are_tried_is_not_forgotten() {
    use disk::{Action, Event, State};
    let full = State::Full {
        retry_at: Tick(1_500),
    };
    let (first, again) = (
        State::Trying { again: false },
        State::Trying { again: true },
    );
    let check = |state, event, now, next, wanted: &[Action]| {
        let mut out = Vec::new();
        let given = disk::step(state, event, Tick(now), &mut out);
        assert_eq!(given, next, "{state:?} {event:?}");
        assert_eq!(out, wanted, "{state:?} {event:?}");
    };
    check(State::Spacious, Event::NoSpace, 1_000, full, &[]);
    check(full, Event::NoSpace, 1_200, full, &[]);
    check(full, Event::Wake, 1_499, full, &[]);
    check(full, Event::Wake, 1_500, first, &[Action::Retry]);
    check(first, Event::NoneWaits, 1_000, State::Spacious, &[]);
    check(first, Event::SomeWait, 1_000, full, &[]);
    check(first, Event::NoSpace, 1_000, again, &[]);
    check(again, Event::NoneWaits, 1_000, full, &[]);
    check(again, Event::SomeWait, 1_000, full, &[]);
}

#[test]
fn a_contact_is_recorded_at_each_hello_and_again_while_the_peer_is_there() {
    use contact::{Action, Event, State};
    let policy = Policy::default();
    let (fresh, again) = (
        State::Recording {
            tries: 0,
            again: false,
        },
        State::Recording {
            tries: 0,
            again: true,
        },
    );
    let waiting = State::Waiting {
        retry_at: Tick(1_750),
        tries: 1,
    };
    let check = |state, event, next, wanted: &[Action]| {
        let mut out = Vec::new();
        let given = contact::step(state, event, &at(&policy, 1_000), &mut out);
        assert_eq!(given, next, "{state:?} {event:?}");
        assert_eq!(out, wanted, "{state:?} {event:?}");
    };
    let record = [Action::Record];
    check(State::Away, Event::Hello, fresh, &record);
    check(State::Recorded, Event::Hello, fresh, &record);
    check(fresh, Event::Recorded, State::Recorded, &[]);
    check(fresh, Event::Hello, again, &[]);
    check(again, Event::Recorded, fresh, &record);
    check(fresh, Event::NotRecorded, waiting, &[]);
    check(waiting, Event::Wake, waiting, &[]);
    check(waiting, Event::Lost, State::Away, &[]);
    check(fresh, Event::Lost, State::Parting, &[]);
    check(State::Parting, Event::NotRecorded, State::Away, &[]);
    check(State::Parting, Event::Hello, again, &[]);
    let retried = State::Recording {
        tries: 1,
        again: false,
    };
    let due = State::Waiting {
        retry_at: Tick(1_000),
        tries: 1,
    };
    check(due, Event::Wake, retried, &record);
}

#[test]
fn the_next_check_comes_before_the_last_proof_ends() {
    use check::{Event, State};
    let policy = Policy::default();
    let mut out = Vec::new();
    let event = Event::Contracted {
        proved_ago: Some(Duration::from_secs(3_600)),
    };
    let random = u64::MAX;
    let moment = Moment {
        now: Tick(0),
        policy: &policy,
        random,
    };
    let State::Resting { due_at } = check::step(State::Idle, event, &moment, true, &mut out) else {
        panic!("a contract plans a check");
    };
    assert!(due_at <= Tick(23 * 3_600_000), "due at {due_at:?}");
}

#[test]
fn strangers_are_dropped_and_friends_are_asked_for_ever() {
    use supplier_link::{Event, Role, State};
    let policy = Policy::default();
    let refused = Event::Refused {
        code: ErrorCode::QuotaExceeded,
    };
    let step = |role, state, event| {
        supplier_link::step(state, event, &at(&policy, 0), role, &mut Vec::new())
    };
    let proposing = State::Proposing { tries: 0 };
    assert!(matches!(
        step(Role::Stranger, proposing, refused),
        State::Dropped { .. }
    ));
    assert!(matches!(
        step(Role::Friend, proposing, refused),
        State::Refused { .. }
    ));
    let dialing = State::Dialing {
        contract: false,
        tries: 2,
    };
    assert!(matches!(
        step(Role::Stranger, dialing, Event::DialFailed),
        State::Dropped { .. }
    ));
    assert!(matches!(
        step(Role::Friend, dialing, Event::DialFailed),
        State::Offline { .. }
    ));
    let hired = State::Dialing {
        contract: true,
        tries: 99,
    };
    assert!(matches!(
        step(Role::Stranger, hired, Event::DialFailed),
        State::Offline { .. }
    ));
}

#[test]
fn a_machine_that_only_restores_proposes_nothing() {
    use supplier_link::{Action, Event, Role, State};
    let policy = Policy::default();
    let greeted = |role| {
        let mut out = Vec::new();
        let event = Event::Start {
            contract: false,
            online: true,
        };
        let state = supplier_link::step(State::New, event, &at(&policy, 0), role, &mut out);
        (state, out)
    };
    let proposed = (State::Proposing { tries: 0 }, vec![Action::Propose]);
    assert_eq!(greeted(Role::Friend), proposed);
    assert_eq!(greeted(Role::Source), (State::Reading, Vec::new()));
}

#[test]
fn a_set_has_one_position_for_each_person_and_waits_for_friends() {
    use holder_set::{Action, Candidate, Census, Event, State};
    let policy = Policy::default();
    let candidate = |device: u8, identity: u8, stranger| Candidate {
        stranger,
        device: DeviceId([device; 32]),
        identity: IdentityId([identity; 32]),
    };
    let candidates = vec![
        candidate(1, 1, true),
        candidate(2, 2, false),
        candidate(3, 2, false),
        candidate(4, 4, false),
    ];
    let form_when = |backup_waits, friends_open, wanted, code_wanted| {
        let census = Census {
            candidates: candidates.clone(),
            backup_waits,
            friends_open,
            wanted,
            code_wanted,
        };
        let mut out = Vec::new();
        let event = Event::Counted { census };
        holder_set::step(State::Unformed, event, &at(&policy, 0), &mut out);
        out.pop()
    };
    let form = |friends_open, wanted, code| form_when(true, friends_open, wanted, code);
    let record = |code: &str, ids: &[u8]| {
        Some(Action::Record {
            code: code.parse().expect("a code"),
            holders: ids.iter().map(|id| DeviceId([*id; 32])).collect(),
        })
    };
    assert_eq!(form(false, 3, None), record("1/3", &[2, 4, 1]));
    assert_eq!(form(true, 3, None), None);
    assert_eq!(form_when(false, false, 3, None), record("1/3", &[2, 4, 1]));
    assert_eq!(
        form_when(false, false, 0, None),
        None,
        "others may still sign"
    );
    assert_eq!(form(false, 0, None), record("1/3", &[2, 4, 1]));
    assert_eq!(form(false, 4, None), None);
    assert_eq!(
        form(true, 0, Some("2/3".parse().expect("a code"))),
        record("2/3", &[2, 4, 1])
    );
    assert_eq!(form(false, 0, Some("2/4".parse().expect("a code"))), None);
}

#[test]
fn a_backup_that_nobody_asked_for_makes_no_version_that_would_be_the_same() {
    let version = |folder: u8, is_changed| VersionFact {
        folder: FolderId([folder; 32]),
        is_changed,
    };
    let found = [version(1, false), version(2, true), version(3, false)];
    let made = |is_scheduled, found: &[VersionFact]| -> Vec<u8> {
        let made = backup::to_be_made(is_scheduled, found);
        made.iter().map(|folder| folder.0[0]).collect()
    };
    assert_eq!(made(true, &found), [2]);
    assert_eq!(made(false, &found), [1, 2, 3], "a person asked for them");
    assert_eq!(made(true, &found[..1]), [0; 0]);
    assert_eq!(made(false, &[]), [0; 0], "nothing could be read");
}

#[test]
fn a_fetch_asks_direct_positions_first_and_then_any_others_whole() {
    use fetch::{Action, Event, State, Wanted};
    let policy = Policy::default();
    let device = |id: u8| DeviceId([id; 32]);
    let places = (0..4)
        .map(|id| PlaceFact {
            position: Position(id),
            holders: vec![device(id)],
        })
        .collect();
    let wanted = Wanted {
        k: 2,
        direct: vec![Position(0)],
        places,
    };
    let online: BTreeSet<_> = [0, 1, 3].map(device).into();
    let mut state = State::Queued { wanted };
    let mut feed = |event, wanted: &[Action]| {
        let mut out = Vec::new();
        let before = state.clone();
        state = fetch::step(before, event, &at(&policy, 0), &peers(&online), &mut out);
        assert_eq!(out, wanted, "{event:?}");
    };
    let ask = |id, whole| Action::Ask {
        position: Position(id),
        device: device(id),
        whole,
    };
    let decode = |ids: &[u8]| Action::Decode {
        positions: ids.iter().map(|id| Position(*id)).collect(),
    };
    feed(Event::TurnCame, &[ask(0, false)]);
    let code = ErrorCode::Corrupt;
    let failed = Event::RangeFailed {
        position: Position(0),
        device: device(0),
        code,
    };
    feed(failed, &[ask(1, true), ask(3, true)]);
    feed(
        Event::RangeFetched {
            position: Position(3),
        },
        &[],
    );
    feed(
        Event::RangeFetched {
            position: Position(1),
        },
        &[decode(&[1, 3])],
    );
    let failed = Event::DecodeFailed {
        code: ErrorCode::Corrupt,
    };
    feed(failed, &[Action::Dial { device: device(2) }]);
    feed(
        Event::PeerUp { device: device(2) },
        &[Action::Dial { device: device(2) }],
    );
    assert!(state.is_waiting(), "it waits for the last holder");
}

/// Pieces that this machine cannot put together are not wrong for that.
#[test]
fn a_fetch_that_fails_here_suspects_no_piece() {
    use fetch::{Action, Event, State, Wanted};
    let policy = Policy::default();
    let device = DeviceId([0; 32]);
    let wanted = Wanted {
        k: 1,
        direct: vec![Position(0)],
        places: vec![PlaceFact {
            position: Position(0),
            holders: vec![device],
        }],
    };
    let online = BTreeSet::from([device]);
    let mut state = State::Queued { wanted };
    let mut asked = Vec::new();
    let code = ErrorCode::Internal;
    for event in [
        Event::TurnCame,
        Event::RangeFetched {
            position: Position(0),
        },
        Event::DecodeFailed { code },
    ] {
        state = fetch::step(state, event, &at(&policy, 0), &peers(&online), &mut asked);
    }
    assert_eq!(state, State::GivenUp);
    assert_eq!(asked.last(), Some(&Action::GiveUp { code }));
    assert_eq!(asked.len(), 3, "asked once, put together once: {asked:?}");
}
