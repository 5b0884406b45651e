//! The way of a supplier that lost something, step by step.

use std::time::Duration;

use bitdust_model::limits::{LOSSES_IN_A_ROW_MAX, PROOFS_OF_TRUST};
use bitdust_model::{ErrorCode, Policy, Tick};

use super::{Event, State, step};
use crate::fsm::Moment;

const LOST: Event = Event::Lost {
    code: ErrorCode::Corrupt,
    is_certain: true,
};
const NOT_THERE: Event = Event::Lost {
    code: ErrorCode::NotFound,
    is_certain: false,
};
const ONE_RECORDED: Event = Event::Recorded {
    withdrawn: 1,
    more: false,
};
const NONE_RECORDED: Event = Event::Recorded {
    withdrawn: 0,
    more: false,
};

/// A supplier that is connected, with what was wanted since it was last asked.
struct Checked {
    state: State,
    now: Tick,
    online: bool,
    wanted: Vec<&'static str>,
}

impl Checked {
    fn new() -> Self {
        let mut checked = Self {
            state: State::default(),
            now: Tick(0),
            online: true,
            wanted: Vec::new(),
        };
        checked.on(Event::Contracted { proved_ago: None });
        checked
    }

    fn on(&mut self, event: Event) {
        let policy = Policy::default();
        let at = Moment {
            now: self.now,
            policy: &policy,
            random: 7,
        };
        let mut out = Vec::new();
        self.state = step(self.state, event, &at, self.online, &mut out);
        self.wanted.extend(out.iter().map(<&str>::from));
    }

    /// Lets time pass until it is due.
    fn wake(&mut self) -> Duration {
        let due = self.state.deadline().expect("time moves it");
        let waited = due.since(self.now);
        self.now = due;
        self.on(Event::Wake);
        waited
    }

    fn wanted(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.wanted)
    }

    fn prove(&mut self, proofs: u8) {
        for _ in 0..proofs {
            self.on(Event::Passed);
        }
    }

    /// Loses so much that all of it is taken back.
    fn lose_all(&mut self) {
        for _ in 0..LOSSES_IN_A_ROW_MAX {
            assert!(!self.is_telling_all());
            self.on(LOST);
            self.on(ONE_RECORDED);
        }
        assert!(self.is_telling_all());
        self.wanted.clear();
        self.on(NONE_RECORDED);
    }

    fn is_telling_all(&self) -> bool {
        matches!(self.state, State::Withdrawing { loss, .. } if loss.all)
    }
}

#[test]
fn one_lost_shard_costs_a_supplier_its_trust_until_it_has_proved_others() {
    let mut checked = Checked::new();
    checked.on(LOST);
    assert!(checked.state.is_suspect() && !checked.state.may_receive());
    assert_eq!(checked.wanted(), ["Suspect", "Withdraw"]);
    checked.on(ONE_RECORDED);
    assert_eq!(checked.wanted(), ["Check"]);
    checked.prove(PROOFS_OF_TRUST - 1);
    assert!(checked.state.is_suspect(), "one is missing");
    checked.wanted();
    checked.on(Event::Passed);
    assert_eq!(checked.wanted(), ["Clear"]);
    assert!(
        checked.state.is_suspect(),
        "the catalogue does not know yet"
    );
    checked.on(Event::Cleared);
    assert_eq!(checked.wanted(), ["Refresh", "Trust"]);
    assert!(!checked.state.is_suspect() && checked.state.may_receive());
}

#[test]
fn proofs_before_a_loss_do_not_count() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    checked.prove(PROOFS_OF_TRUST - 1);
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    checked.prove(PROOFS_OF_TRUST - 1);
    assert!(checked.state.is_suspect());
    checked.prove(1);
    checked.on(Event::Cleared);
    assert!(!checked.state.is_suspect());
}

/// Answers get lost, and it may be busy: that takes no proof back, and none is passed over.
#[test]
fn a_row_of_proofs_goes_on_where_it_was() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    for _ in 0..PROOFS_OF_TRUST - 1 {
        checked.prove(1);
        checked.on(Event::Failed);
        let State::Suspect { row, .. } = checked.state else {
            panic!("it is asked again later: {:?}", checked.state);
        };
        checked.wake();
        assert!(matches!(checked.state, State::Proving { row: now, .. } if now == row));
    }
    checked.prove(1);
    checked.on(Event::Cleared);
    assert!(!checked.state.is_suspect());
}

#[test]
fn what_a_supplier_may_never_have_had_casts_doubt_only_where_the_catalogue_says_so() {
    let mut checked = Checked::new();
    checked.on(NOT_THERE);
    assert_eq!(checked.wanted(), ["Withdraw"]);
    assert!(!checked.state.is_suspect() && checked.state.may_receive());
    checked.on(NONE_RECORDED);
    assert!(matches!(checked.state, State::Resting { .. }));
    checked.on(NOT_THERE);
    checked.on(ONE_RECORDED);
    assert!(checked.state.is_suspect());
    assert_eq!(checked.wanted(), ["Withdraw", "Suspect", "Check"]);
}

#[test]
fn what_the_catalogue_cannot_say_is_taken_for_lost() {
    let mut checked = Checked::new();
    checked.on(NOT_THERE);
    checked.on(Event::NotRecorded);
    assert!(checked.state.is_suspect());
    assert_eq!(checked.wanted(), ["Withdraw", "Suspect"]);
    checked.wake();
    assert_eq!(checked.wanted(), ["Withdraw"], "it is told again");
    checked.on(ONE_RECORDED);
    assert_eq!(checked.wanted(), ["Check"]);
}

#[test]
fn one_that_is_away_or_busy_is_neither_lost_nor_trusted() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.online = false;
    checked.on(ONE_RECORDED);
    assert_eq!(checked.state.deadline(), None, "it is waited for");
    checked.online = true;
    checked.wanted();
    checked.on(Event::Online);
    assert_eq!(checked.wanted(), ["Check"]);
    checked.on(Event::Failed);
    assert!(checked.state.is_suspect());
    checked.wake();
    assert_eq!(checked.wanted(), ["Check"]);
}

#[test]
fn all_is_taken_back_of_one_that_proves_nothing_and_it_counts_once_it_proves_that_again() {
    let mut checked = Checked::new();
    checked.lose_all();
    assert_eq!(checked.wake(), Duration::ZERO, "a disk may be new");
    assert_eq!(checked.wanted(), ["Check"]);
    assert!(!checked.state.may_receive());
    checked.on(Event::Empty);
    assert_eq!(checked.wanted(), ["Feed"]);
    assert!(checked.state.may_receive() && checked.state.is_suspect());
    checked.wake();
    checked.prove(PROOFS_OF_TRUST);
    checked.on(Event::Cleared);
    assert!(!checked.state.is_suspect());
    assert_eq!(checked.state.emptied(), 0);
}

#[test]
fn one_that_loses_all_again_and_again_is_given_it_ever_more_rarely() {
    let mut checked = Checked::new();
    let mut waits = Vec::new();
    for _ in 0..5 {
        checked.lose_all();
        waits.push(checked.wake());
        checked.on(Event::Empty);
        checked.wake();
        checked.wanted();
    }
    let day = Policy::default().check_interval;
    assert_eq!(waits, [Duration::ZERO, day, 2 * day, 4 * day, 8 * day]);
    assert_eq!(
        checked.state.emptied(),
        5,
        "somebody else may take its place"
    );
    checked.on(LOST);
    assert_eq!(checked.wanted(), ["Starve", "Withdraw"]);
}

#[test]
fn trust_that_was_not_recorded_is_not_given() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    checked.prove(PROOFS_OF_TRUST);
    checked.on(Event::NotCleared);
    assert!(checked.state.is_suspect());
    checked.wake();
    checked.prove(PROOFS_OF_TRUST);
    checked.on(Event::Cleared);
    assert!(!checked.state.is_suspect());
}

#[test]
fn one_that_was_suspect_before_the_start_has_to_prove_it_too() {
    let mut checked = Checked::new();
    checked.state = State::Idle;
    checked.on(Event::Distrusted {
        emptied: 0,
        missed_ago: None,
    });
    assert!(checked.state.is_suspect());
    checked.wake();
    checked.wanted();
    checked.prove(PROOFS_OF_TRUST);
    checked.on(Event::Cleared);
    assert!(!checked.state.is_suspect());
}

/// A restore asks for the same shard again and again: it is lost once.
#[test]
fn one_lost_shard_counts_once() {
    let mut checked = Checked::new();
    checked.on(LOST);
    for _ in 0..3 * LOSSES_IN_A_ROW_MAX {
        checked.on(NOT_THERE);
    }
    checked.on(ONE_RECORDED);
    assert!(matches!(checked.state, State::Proving { .. }));
}

/// What is lost while the catalogue is told of trust is told when it has answered: two writes at once
/// could end in any order.
#[test]
fn a_loss_while_trust_is_recorded_comes_after_it() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    checked.prove(PROOFS_OF_TRUST);
    checked.wanted();
    checked.on(NOT_THERE);
    assert_eq!(checked.wanted(), [""; 0]);
    checked.on(Event::Cleared);
    assert_eq!(checked.wanted(), ["Withdraw"]);
    assert!(checked.state.is_suspect());
}

/// Neither a start nor a restore that asks it for something makes the wait of a liar shorter, and what
/// it waited before the start counts.
#[test]
fn a_wait_outlives_a_start_and_questions() {
    let day = Policy::default().check_interval;
    let mut checked = Checked::new();
    checked.state = State::Idle;
    checked.on(Event::Distrusted {
        emptied: 3,
        missed_ago: Some(day / 2),
    });
    checked.on(NOT_THERE);
    checked.on(NONE_RECORDED);
    let due = checked.state.deadline().map(|due| due.since(checked.now));
    assert_eq!(due, Some(2 * day - day / 2));
    assert!(!checked.wanted().contains(&"Check"));
}

/// Whoever does not answer is asked more and more rarely, up to a point.
#[test]
fn questions_in_vain_become_rarer() {
    let mut checked = Checked::new();
    checked.on(LOST);
    checked.on(ONE_RECORDED);
    let mut waits = Vec::new();
    for _ in 0..8 {
        checked.on(Event::Failed);
        waits.push(checked.wake());
    }
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits[0] < waits[7] && waits[6] == waits[7], "{waits:?}");
    assert!(waits[7] < Duration::from_secs(60), "{waits:?}");
}
