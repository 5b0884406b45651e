//! What of a lane is counted, and how long others are waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::{HeadHash, HeadRef, Policy, Sequence};

use super::*;
use crate::io::{HomeFact, ToldVersion};

const LANE: DeviceId = DeviceId([200; 32]);
const OTHER_LANE: DeviceId = DeviceId([201; 32]);

/// A recovery that has found lane records and asks whom they name; all are connected.
struct Run {
    state: State,
    policy: Policy,
    now: Tick,
    out: Vec<Action>,
}

fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

fn record(lane: DeviceId, suppliers: &[u8], k: u8, named: Option<u64>) -> LaneFact {
    LaneFact {
        lane,
        suppliers: suppliers.iter().copied().map(device).collect(),
        k,
        has_published: named.is_some(),
        named: named.map(Sequence),
    }
}

fn head(lane: DeviceId, sequence: u64) -> HeadFact {
    HeadFact {
        lane,
        head: HeadRef {
            sequence: Sequence(sequence),
            hash: HeadHash([1; 32]),
        },
        home: None,
    }
}

/// The same with a version of the home set.
fn head_in(lane: DeviceId, sequence: u64, version: u64, k: u8, holders: &[u8]) -> HeadFact {
    HeadFact {
        home: Some(HomeFact {
            version: Sequence(version),
            k,
            holders: holders.iter().copied().map(device).collect(),
        }),
        ..head(lane, sequence)
    }
}

impl Run {
    fn new(lanes: Vec<LaneFact>) -> Self {
        let mut run = Self {
            state: State::default(),
            policy: Policy::default(),
            now: Tick(1_000),
            out: Vec::new(),
        };
        let devices = lanes.iter().map(|record| record.lane).collect();
        run.happens(Event::Begin);
        run.happens(Event::RootFound { devices });
        let missing = Vec::new();
        run.happens(Event::LanesSought { missing, lanes });
        run
    }

    fn happens(&mut self, event: Event) {
        let at = Moment {
            now: self.now,
            policy: &self.policy,
            random: 0,
        };
        let online = (0..=255).map(device).collect::<BTreeSet<_>>();
        let state = std::mem::take(&mut self.state);
        self.state = step(state, event, &at, &online, &mut self.out);
    }

    fn hears(&mut self, from: u8, heads: &[HeadFact]) {
        let (device, heads) = (device(from), heads.to_vec());
        self.happens(Event::HeadsHeard { device, heads });
    }

    fn passes(&mut self, span: Duration) {
        self.now = self.now + span;
        self.happens(Event::Wake);
    }

    /// Which head it reads now.
    fn wanted(&self) -> Option<(DeviceId, u64, bool)> {
        let Some(Action::Rebuild { wanted }) = self.out.last() else {
            return None;
        };
        Some((wanted.lane, wanted.head.sequence.0, wanted.partly))
    }

    /// What it takes over, where all lists can be read.
    fn found(&mut self) -> Option<RecoveryFound> {
        while self.wanted().is_some() {
            let lists = ListsRead::Whole;
            self.happens(Event::Rebuilt { lists });
        }
        let Some(Action::Enter { found }) = self.out.last() else {
            return None;
        };
        Some(found.clone())
    }

    fn failure(&self) -> Option<ErrorCode> {
        match self.state {
            State::Failed { code } => Some(code),
            State::Asked
            | State::SeekingRoot { .. }
            | State::SeekingLanes { .. }
            | State::Pausing { .. }
            | State::AskingHeads { .. }
            | State::Rebuilding { .. }
            | State::Entering
            | State::Done
            | State::Cancelled => None,
        }
    }
}

/// How many confirmed the only head that was taken over, and of how many.
fn confirmed(run: &mut Run) -> (u64, u32, u32) {
    let found = run.found().expect("it goes on");
    let [told] = found.taken[..] else {
        panic!("one lane, not {found:?}");
    };
    (told.head.sequence.0, told.confirmed, told.of)
}

#[test]
fn whoever_told_nothing_is_no_answer() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3, 4], 2, None)]);
    run.hears(1, &[head(LANE, 5)]);
    run.hears(2, &[]);
    run.hears(3, &[]);
    run.passes(run.policy.head_wait);
    assert_eq!(run.found(), None, "two answers say nothing");
    run.hears(4, &[head(LANE, 5)]);
    assert_eq!(confirmed(&mut run), (5, 2, 4));
}

#[test]
fn empty_answers_are_not_waited_beside_for_ever() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3], 2, Some(5))]);
    run.hears(1, &[]);
    run.hears(2, &[]);
    run.passes(run.policy.recovery_timeout);
    assert_eq!(run.failure(), Some(ErrorCode::VersionsMissing));
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3], 2, Some(5))]);
    run.passes(run.policy.recovery_timeout);
    assert_eq!(
        run.failure(),
        Some(ErrorCode::TooFewSuppliers),
        "nobody said so"
    );
}

/// One has the only head that is left, another its part of the contents, and all others are dead.
#[test]
fn what_is_there_is_taken_where_nobody_else_comes() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3, 4, 5, 6], 2, None)]);
    run.hears(1, &[head(LANE, 5)]);
    run.hears(2, &[]);
    run.passes(run.policy.head_wait);
    assert_eq!(run.found(), None, "another may come");
    run.passes(run.policy.recovery_timeout);
    assert_eq!(confirmed(&mut run), (5, 1, 6));
    assert_eq!(run.found().map(|found| found.is_sure), Some(false));
}

#[test]
fn fewer_than_a_version_needs_are_too_few() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3, 4, 5, 6], 2, None)]);
    run.hears(1, &[head(LANE, 5)]);
    run.passes(run.policy.recovery_timeout);
    assert_eq!(run.failure(), Some(ErrorCode::TooFewSuppliers));
}

/// Its record may be older than its first version.
#[test]
fn one_of_several_cannot_say_that_there_is_no_version() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3], 1, None)]);
    run.hears(1, &[]);
    run.passes(run.policy.head_wait);
    assert!(matches!(run.state, State::AskingHeads { .. }));
    run.passes(run.policy.recovery_timeout);
    assert_eq!(run.failure(), Some(ErrorCode::VersionsMissing));
}

#[test]
fn a_machine_whose_record_is_missing_makes_nothing_sure() {
    let mut run = Run::new(Vec::new());
    run.happens(Event::PeerUp { device: device(1) });
    run.happens(Event::PeerUp { device: device(2) });
    let devices = vec![LANE, OTHER_LANE];
    run.happens(Event::RootFound { devices });
    for _ in 0..LANE_SEARCHES_MAX {
        let (missing, lanes) = (vec![OTHER_LANE], vec![record(LANE, &[1, 2], 2, Some(5))]);
        run.happens(Event::LanesSought { missing, lanes });
    }
    run.hears(1, &[head(LANE, 5)]);
    run.hears(2, &[head(LANE, 5)]);
    assert_eq!(run.found().map(|found| found.is_sure), Some(false));
}

#[test]
fn an_identity_without_versions_is_entered_where_that_is_known() {
    let never = record(LANE, &[1, 2], 2, None);
    let beyond_a_fence = LaneFact {
        has_published: true,
        ..never.clone()
    };
    let ends = |found: LaneFact, missing: &[DeviceId]| {
        let mut run = Run::new(Vec::new());
        run.happens(Event::PeerUp { device: device(1) });
        let devices = vec![LANE, OTHER_LANE];
        run.happens(Event::RootFound { devices });
        for _ in 0..LANE_SEARCHES_MAX {
            let (lanes, missing) = (vec![found.clone()], missing.to_vec());
            run.happens(Event::LanesSought { missing, lanes });
        }
        run.hears(1, &[]);
        assert!(matches!(run.state, State::AskingHeads { .. }), "one of two");
        run.hears(2, &[]);
        run.state
    };
    let code = ErrorCode::VersionsMissing;
    assert_eq!(ends(never.clone(), &[]), State::Entering);
    assert_eq!(ends(never, &[OTHER_LANE]), State::Failed { code });
    assert_eq!(ends(beyond_a_fence, &[]), State::Failed { code });
    let named = record(LANE, &[1, 2], 2, Some(3));
    assert_eq!(ends(named, &[]), State::Failed { code });
}

/// Nobody is asked who was never hired.
#[test]
fn an_identity_without_suppliers_is_entered_at_once() {
    let run = Run::new(vec![record(LANE, &[], 1, None)]);
    assert_eq!(run.state, State::Entering);
}

/// Nobody is left who could tell more: what there is is taken, and nothing is claimed of it.
#[test]
fn when_all_have_answered_what_they_told_is_taken() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3], 2, Some(5))]);
    run.hears(1, &[]);
    run.hears(2, &[head(LANE, 5)]);
    assert_eq!(run.found(), None);
    run.hears(3, &[]);
    assert_eq!(confirmed(&mut run), (5, 1, 3));
    assert_eq!(run.found().map(|found| found.is_sure), Some(false));
}

/// The lane record may be older than the set, and names others behind the holders.
#[test]
fn holders_of_the_newest_set_count_and_no_others() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3, 4, 5], 2, None)]);
    run.hears(1, &[head_in(LANE, 7, 1, 2, &[1, 2])]);
    assert_eq!(run.found(), None);
    run.hears(3, &[head_in(LANE, 7, 2, 2, &[3, 4, 5])]);
    run.passes(run.policy.head_wait);
    assert_eq!(run.found(), None, "the first holds no position any more");
    run.hears(4, &[head_in(LANE, 7, 2, 2, &[3, 4, 5])]);
    run.passes(run.policy.head_wait);
    assert_eq!(confirmed(&mut run), (7, 2, 3));
}

#[test]
fn only_who_told_exactly_that_head_confirms_it() {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3, 4], 2, None)]);
    run.hears(1, &[head(LANE, 6)]);
    run.hears(2, &[head(LANE, 7)]);
    let mut forked = head(LANE, 7);
    forked.head.hash = HeadHash([0; 32]);
    run.hears(3, &[forked]);
    run.hears(4, &[head(LANE, 5)]);
    let (sequence, confirmed, of) = confirmed(&mut run);
    assert_eq!((sequence, confirmed, of), (7, 1, 4));
}

/// An old machine whose suppliers are all gone stands in nobody's way, nor does one whose holders
/// answer stand for another.
#[test]
fn each_lane_has_its_own_holders() {
    let lanes = || {
        vec![
            record(LANE, &[1, 2], 1, Some(3)),
            record(OTHER_LANE, &[3, 4], 2, Some(9)),
        ]
    };
    let mut run = Run::new(lanes());
    run.hears(1, &[head(LANE, 3)]);
    run.hears(3, &[head(OTHER_LANE, 9)]);
    run.passes(Duration::from_secs(1));
    assert_eq!(run.found(), None, "one of two");
    run.passes(run.policy.head_wait);
    let found = run.found().expect("it goes on");
    assert_eq!(found.taken.len(), 2);
    assert!(!found.is_sure, "another may know more of the second lane");
    let mut run = Run::new(lanes());
    run.hears(3, &[head(OTHER_LANE, 9)]);
    run.hears(4, &[head(OTHER_LANE, 9)]);
    run.passes(run.policy.head_wait);
    let found = run.found().expect("it goes on");
    assert_eq!(found.taken.len(), 1);
    assert!(found.is_sure, "what it says nothing of, it names");
    assert_eq!(found.unheard, [(LANE, Sequence(3))]);
}

/// Three suppliers with different versions of one lane, all of which were told.
fn three_versions() -> Run {
    let mut run = Run::new(vec![record(LANE, &[1, 2, 3], 1, Some(7))]);
    run.hears(1, &[head(LANE, 5)]);
    run.hears(2, &[head(LANE, 7)]);
    run.hears(3, &[head(LANE, 6)]);
    run
}

#[test]
fn the_newest_head_whose_lists_can_be_read_is_taken() {
    let mut run = three_versions();
    assert_eq!(run.wanted(), Some((LANE, 7, false)));
    let lists = ListsRead::Nothing;
    run.happens(Event::Rebuilt { lists });
    assert_eq!(run.wanted(), Some((LANE, 6, false)));
    let found = run.found().expect("that one can be read");
    let numbers = |told: &[ToldVersion]| {
        let numbers = told.iter().map(|told| told.head.sequence.0);
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(numbers(&found.taken), [6]);
    assert_eq!(numbers(&found.unread), [7], "it is named");
    assert_eq!((found.taken[0].confirmed, found.taken[0].of), (1, 3));
}

/// A part of the newest is better than nothing, and not as good as all of an older one.
#[test]
fn a_part_is_taken_where_no_version_can_be_had_whole() {
    let mut run = three_versions();
    for (lists, then) in [
        (ListsRead::Partly, Some((LANE, 6, false))),
        (ListsRead::Nothing, Some((LANE, 5, false))),
        (ListsRead::Partly, Some((LANE, 7, true))),
        (ListsRead::Partly, None),
    ] {
        run.happens(Event::Rebuilt { lists });
        assert_eq!(run.wanted(), then);
    }
    assert_eq!(confirmed(&mut run), (7, 1, 3));
}

#[test]
fn without_any_lists_nothing_is_taken_over() {
    let mut run = three_versions();
    for _ in 0..3 {
        let lists = ListsRead::Nothing;
        run.happens(Event::Rebuilt { lists });
    }
    assert_eq!(run.failure(), Some(ErrorCode::TooFewShards));
}

/// What cannot be had of one lane takes nothing from another.
#[test]
fn a_lane_without_lists_is_named_beside_another() {
    let lanes = [LANE, OTHER_LANE].map(|lane| record(lane, &[1], 1, Some(4)));
    let mut run = Run::new(lanes.to_vec());
    run.hears(1, &[head(LANE, 4), head(OTHER_LANE, 4)]);
    let lists = ListsRead::Nothing;
    run.happens(Event::Rebuilt { lists });
    let found = run.found().expect("the other one");
    let lanes = [found.taken, found.unread].map(|told| told[0].lane);
    assert_eq!(lanes, [OTHER_LANE, LANE]);
}
