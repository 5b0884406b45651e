//! Answers that are late: who is asked in whose place, and what becomes of what comes later.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::Policy;

use super::*;
use crate::io::PlaceFact;

/// How long nobody is late.
const PATIENCE: u64 = 1_000;

/// A fetch, whom it may ask, and what it wants.
struct Scene {
    policy: Policy,
    state: State,
    online: BTreeSet<DeviceId>,
    late: BTreeSet<DeviceId>,
    may_hedge: bool,
    out: Vec<Action>,
}

const fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

fn devices(ids: impl IntoIterator<Item = u8>) -> BTreeSet<DeviceId> {
    ids.into_iter().map(device).collect()
}

fn ask(id: u8, whole: bool) -> Action {
    Action::Ask {
        position: Position(id),
        device: device(id),
        whole,
    }
}

fn whole(id: u8) -> Action {
    ask(id, true)
}

fn note(id: u8) -> Action {
    Action::NoteLate { device: device(id) }
}

fn decode(ids: &[u8]) -> Action {
    Action::Decode {
        positions: ids.iter().map(|id| Position(*id)).collect(),
    }
}

impl Scene {
    /// Any `k` of `n`, or these positions.
    fn new(k: u8, n: u8, direct: &[u8]) -> Self {
        let places = (0..n).map(|id| PlaceFact {
            position: Position(id),
            holders: vec![device(id)],
        });
        let wanted = Wanted {
            k,
            direct: direct.iter().map(|id| Position(*id)).collect(),
            places: places.collect(),
        };
        Self {
            policy: Policy::default(),
            state: State::Queued { wanted },
            online: devices(0..n),
            late: BTreeSet::new(),
            may_hedge: true,
            out: Vec::new(),
        }
    }

    /// What happens at a time, and what is wanted then.
    fn feed(&mut self, now: u64, event: Event, wanted: &[Action]) {
        let at = Moment {
            now: Tick(now),
            policy: &self.policy,
            random: 0,
        };
        let peers = Peers {
            online: &self.online,
            late: &self.late,
            late_after: Duration::from_millis(PATIENCE),
            may_hedge: self.may_hedge,
        };
        self.out.clear();
        self.state = step(self.state.clone(), event, &at, &peers, &mut self.out);
        assert_eq!(self.out, wanted, "{event:?} at {now}");
    }

    fn begin(&mut self, wanted: &[Action]) {
        self.feed(0, Event::TurnCame, wanted);
    }

    fn come(&mut self, now: u64, position: u8, wanted: &[Action]) {
        let position = Position(position);
        self.feed(now, Event::RangeFetched { position }, wanted);
    }

    fn fail(&mut self, now: u64, id: u8, wanted: &[Action]) {
        let event = Event::RangeFailed {
            position: Position(id),
            device: device(id),
            code: ErrorCode::TimedOut,
        };
        self.feed(now, event, wanted);
    }

    /// Wakes it when it wants to be woken.
    fn wake(&mut self, due: u64, wanted: &[Action]) {
        assert_eq!(self.state.deadline(), Some(Tick(due)));
        if !self.state.is_parked() {
            self.feed(due - 1, Event::Wake, &[]);
        }
        self.feed(due, Event::Wake, wanted);
    }

    fn sleeps(&self) {
        assert_eq!(self.state.deadline(), None, "{:?}", self.state);
    }
}

#[test]
fn when_a_direct_position_is_late_any_k_others_are_asked() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.come(10, 1, &[]);
    scene.wake(1_000, &[note(0), whole(1), whole(2)]);
    scene.come(1_010, 1, &[]);
    scene.come(1_020, 2, &[decode(&[1, 2])]);
    scene.come(1_030, 0, &[]);
    scene.feed(1_040, Event::Decoded, &[]);
    assert!(scene.state.is_over());
}

/// Asking others is never worse than waiting.
#[test]
fn direct_positions_that_come_late_win_if_they_come_first() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.wake(1_000, &[note(0), note(1), whole(2), whole(3)]);
    scene.come(1_010, 2, &[]);
    scene.come(1_020, 0, &[]);
    scene.come(1_030, 1, &[decode(&[0, 1])]);
    let code = ErrorCode::Corrupt;
    scene.feed(1_040, Event::DecodeFailed { code }, &[]);
    scene.come(1_050, 3, &[decode(&[2, 3])]);
}

/// A piece that is here stays here while more of it is asked for.
#[test]
fn direct_positions_win_also_while_they_are_asked_for_once_more() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.come(5, 1, &[]);
    scene.wake(1_000, &[note(0), whole(1), whole(2)]);
    scene.come(1_010, 0, &[decode(&[0, 1])]);
}

#[test]
fn in_the_place_of_all_pieces_that_are_late_others_are_asked() {
    let mut scene = Scene::new(2, 6, &[]);
    scene.begin(&[whole(0), whole(1)]);
    scene.wake(1_000, &[note(0), note(1), whole(2), whole(3)]);
    scene.late = devices([0, 1]);
    scene.come(1_005, 2, &[]);
    scene.wake(2_000, &[note(3), whole(4), whole(5)]);
    scene.come(2_005, 4, &[decode(&[2, 4])]);
    scene.come(2_006, 1, &[]);
    scene.fail(2_007, 0, &[]);
}

/// Three silent ones of six cost two such times, however they lie, also where one piece is enough.
#[test]
fn as_many_more_are_asked_as_were_silent_until_then() {
    for direct in [&[0][..], &[]] {
        let mut scene = Scene::new(1, 6, direct);
        scene.begin(&[ask(0, direct.is_empty())]);
        scene.wake(1_000, &[note(0), whole(1)]);
        scene.late = devices([0]);
        scene.wake(2_000, &[note(1), whole(2), whole(3)]);
        scene.come(2_005, 3, &[decode(&[3])]);
    }
}

/// Answers that come on time are waited for, and nobody is asked in vain.
#[test]
fn nobody_else_is_asked_as_long_as_nobody_is_late() {
    let mut scene = Scene::new(2, 4, &[]);
    scene.begin(&[whole(0), whole(1)]);
    scene.come(999, 0, &[]);
    scene.feed(999, Event::Wake, &[]);
    scene.come(999, 1, &[decode(&[0, 1])]);
    scene.sleeps();
}

#[test]
fn no_more_are_asked_than_there_are_positions() {
    let mut scene = Scene::new(1, 3, &[]);
    scene.begin(&[whole(0)]);
    scene.wake(1_000, &[note(0), whole(1)]);
    scene.wake(2_000, &[note(1), whole(2)]);
    scene.wake(3_000, &[note(2)]);
    scene.sleeps();
    scene.come(50_000, 1, &[decode(&[1])]);
}

/// One who is late too would not be faster: where everybody is slow nothing is asked twice.
#[test]
fn nobody_is_asked_in_their_place_who_is_late_too() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.late = devices([2]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.come(10, 0, &[]);
    // Of 0 and 3 there are enough.
    scene.wake(1_000, &[note(1), whole(0), whole(3)]);
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.late = devices([2, 3]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.wake(1_000, &[note(0), note(1)]);
    scene.fail(30_000, 0, &[whole(2), whole(3)]);
}

/// Who was late for a while may be fast again: then the one who hangs is not waited for.
#[test]
fn those_who_were_late_are_thought_of_again() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.late = devices([2, 3]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.wake(1_000, &[note(0), note(1)]);
    scene.late = devices([]);
    scene.wake(61_000, &[note(0), note(1), whole(2), whole(3)]);
}

/// A sleep in between is nobody's lateness, and uses up no patience.
#[test]
fn waiting_begins_anew_after_a_sleep() {
    let mut scene = Scene::new(2, 4, &[]);
    scene.begin(&[whole(0), whole(1)]);
    let slept = 3_600_000;
    scene.feed(slept, Event::Resumed, &[]);
    scene.come(slept + 1, 0, &[]);
    scene.wake(slept + 1_000, &[note(1), whole(2)]);
    let mut scene = Scene::new(1, 1, &[]);
    scene.online = devices([]);
    let dial = || Action::Dial { device: device(0) };
    scene.begin(&[dial()]);
    scene.feed(slept, Event::Resumed, &[]);
    scene.feed(slept, Event::Wake, &[dial()]);
    assert!(!scene.state.is_over(), "it is tried again");
    let mut scene = Scene::new(1, 1, &[]);
    scene.online = devices([]);
    scene.begin(&[dial()]);
    let code = ErrorCode::TooFewShards;
    scene.feed(slept, Event::Wake, &[Action::GiveUp { code }]);
}

/// The first of them shows whether the line is slow.
#[test]
fn a_fetch_waits_its_turn_to_ask_others() {
    let mut scene = Scene::new(1, 3, &[]);
    scene.begin(&[whole(0)]);
    scene.may_hedge = false;
    scene.wake(1_000, &[note(0)]);
    assert!(!scene.state.is_hedging(Tick(1_000)));
    assert!(scene.state.is_parked());
    scene.wake(1_250, &[note(0)]);
    scene.may_hedge = true;
    assert_eq!(scene.state.deadline(), Some(Tick(1_500)));
    // The other one is over before that.
    scene.feed(1_300, Event::Wake, &[note(0), whole(1)]);
    assert!(!scene.state.is_parked());
    assert!(scene.state.is_hedging(Tick(2_299)));
    assert!(!scene.state.is_hedging(Tick(2_300)), "it is late as well");
    scene.come(2_301, 1, &[decode(&[1])]);
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.wake(1_000, &[note(0), note(1), whole(2), whole(3)]);
    assert!(scene.state.is_hedging(Tick(1_010)));
    scene.come(1_010, 3, &[]);
    assert!(!scene.state.is_hedging(Tick(1_010)), "others are faster");
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    scene.come(5, 1, &[]);
    scene.wake(1_000, &[note(0), whole(1), whole(2)]);
    scene.come(1_000, 1, &[]);
    assert!(scene.state.is_hedging(Tick(1_000)), "it was fast before");
}

#[test]
fn who_was_late_is_asked_last() {
    let mut scene = Scene::new(2, 4, &[0, 1]);
    scene.late = devices([1]);
    scene.begin(&[whole(0), whole(2)]);
    let mut scene = Scene::new(2, 4, &[]);
    scene.late = devices([0, 2]);
    scene.begin(&[whole(1), whole(3)]);
    let mut scene = Scene::new(2, 3, &[0, 1]);
    scene.late = devices([1, 2]);
    scene.begin(&[ask(0, false), ask(1, false)]);
    let mut scene = Scene::new(2, 3, &[]);
    scene.late = devices([0, 1]);
    scene.begin(&[whole(2), whole(0)]);
}

#[test]
fn another_holder_of_a_position_is_asked_before_one_who_was_late() {
    let mut scene = Scene::new(1, 1, &[]);
    let places = vec![PlaceFact {
        position: Position(0),
        holders: vec![device(4), device(0)],
    }];
    let (k, direct) = (1, Vec::new());
    let wanted = Wanted { k, direct, places };
    scene.state = State::Queued { wanted };
    scene.online = devices([0, 4]);
    scene.late = devices([4]);
    scene.begin(&[whole(0)]);
}

/// Where everybody who is there was asked, those who are away are called, and asked when they come.
#[test]
fn who_is_away_is_dialed_when_those_who_are_there_are_late() {
    let mut scene = Scene::new(1, 2, &[]);
    scene.online = devices([0]);
    scene.begin(&[whole(0)]);
    let dial = Action::Dial { device: device(1) };
    scene.wake(1_000, &[note(0), dial]);
    scene.sleeps();
    scene.online = devices([0, 1]);
    scene.late = devices([0]);
    scene.feed(1_100, Event::PeerUp { device: device(1) }, &[]);
    scene.feed(1_100, Event::Wake, &[note(0), whole(1)]);
}

/// Garbage is no piece: it counts as little as no answer.
#[test]
fn only_what_is_proved_counts_among_the_k() {
    let mut scene = Scene::new(2, 4, &[]);
    scene.begin(&[whole(0), whole(1)]);
    let garbage = Event::RangeFailed {
        position: Position(0),
        device: device(0),
        code: ErrorCode::Corrupt,
    };
    scene.feed(5, garbage, &[whole(2)]);
    scene.come(10, 1, &[]);
    scene.wake(1_005, &[note(2), whole(3)]);
    scene.come(1_010, 3, &[decode(&[1, 3])]);
}

#[test]
fn who_is_asked_and_since_when_is_told() {
    let mut scene = Scene::new(1, 2, &[0]);
    assert_eq!(scene.state.asked(Position(0)), None);
    scene.begin(&[ask(0, false)]);
    assert_eq!(scene.state.asked(Position(0)), Some((device(0), Tick(0))));
    scene.wake(1_000, &[note(0), whole(1)]);
    assert_eq!(
        scene.state.asked(Position(1)),
        Some((device(1), Tick(1_000)))
    );
    scene.come(1_001, 1, &[decode(&[1])]);
    assert_eq!(scene.state.asked(Position(0)), Some((device(0), Tick(0))));
    assert_eq!(scene.state.asked(Position(1)), None);
}
