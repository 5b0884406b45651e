//! What holds in every state, and what must be met somewhere so that this means something.

use crate::protocol::{Change, Protocol, bit, each};
use crate::recovery::{Answers, Verdict, number};
use crate::state::{Devices, LaneRecord, SetStage, Stage, State};

/// A settled version is found by every recovery that hears k holders of the newest set.
pub const SETTLED_IS_FOUND: &str = "a settled version is found";
/// A published version is found by every recovery that hears a holder of it.
pub const PUBLISHED_IS_FOUND: &str = "a published version is found";
/// No recovery calls a version the newest when a record that it read names a newer one.
pub const NEWEST_IS_NEWEST: &str = "what is called the newest is";
/// No recovery calls a version the newest when a newer one has settled.
pub const NEWEST_IS_SETTLED: &str = "nothing newer has settled";
/// Nothing published is dropped, by the writer or by everybody.
pub const NOTHING_IS_DROPPED: &str = "nothing published is dropped";
/// What k confirmed is not sealed again.
pub const SEALED_ONCE: &str = "what k confirmed is sealed once";
/// A version is made where k are there.
pub const NOT_BLOCKED: &str = "a backup waits for nobody who is away";
/// No holder refuses an honest head for good.
pub const NO_HEAD_IS_REFUSED: &str = "no honest head is refused";

/// When a promise is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It holds in every state.
    Always,
    /// It holds in one state at least: else the model is smaller than it seems.
    Sometimes,
}

/// Something that is looked at in every state.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// Its name.
    pub name: &'static str,
    /// When it is kept.
    pub kind: Kind,
    /// Whether it holds in a state.
    pub holds: fn(&Protocol, &State) -> bool,
}

const fn always(name: &'static str, holds: fn(&Protocol, &State) -> bool) -> Promise {
    Promise {
        name,
        kind: Kind::Always,
        holds,
    }
}

const fn sometimes(name: &'static str, holds: fn(&Protocol, &State) -> bool) -> Promise {
    Promise {
        name,
        kind: Kind::Sometimes,
        holds,
    }
}

impl Protocol {
    /// All that is looked at in this world.
    #[must_use]
    pub fn promises(&self) -> Vec<Promise> {
        let mut all = vec![
            always(SETTLED_IS_FOUND, settled_is_found),
            always(PUBLISHED_IS_FOUND, published_is_found),
            always(NEWEST_IS_NEWEST, newest_is_newest),
            always(NEWEST_IS_SETTLED, newest_is_settled),
            always(NOTHING_IS_DROPPED, nothing_is_dropped),
            always(SEALED_ONCE, |_, state| !state.marks.resealed),
            always(NOT_BLOCKED, |protocol, state| !protocol.is_blocked(state)),
            always(NO_HEAD_IS_REFUSED, |_, state| !state.marks.refused),
        ];
        all.extend(reached());
        if self.change == Change::Replace {
            all.extend(reached_by_change());
        }
        all
    }
}

/// Every group of devices that may answer.
fn groups(protocol: &Protocol) -> impl Iterator<Item = Devices> {
    let everybody = protocol.everybody();
    (1..=everybody).filter(move |group| group & !everybody == 0)
}

/// Whether something holds of all that recoveries find and say, whoever answers and whatever lane
/// record they read.
fn in_all_recoveries(
    protocol: &Protocol,
    state: &State,
    holds: impl Fn(&Answers, &Verdict) -> bool,
) -> bool {
    let telling = protocol.telling(state);
    let lanes: Vec<_> = protocol.lane_records(state).collect();
    groups(protocol).all(|heard| {
        let answers = telling.hear(heard);
        let mut verdicts = lanes.iter().map(|lane| protocol.judge(&answers, *lane));
        verdicts.all(|verdict| holds(&answers, &verdict))
    })
}

fn settled_is_found(protocol: &Protocol, state: &State) -> bool {
    let settled = state.newest_settled();
    let is_in_force = state.set >= SetStage::InForce && protocol.change == Change::Replace;
    settled == 0
        || in_all_recoveries(protocol, state, |answers, verdict| {
            let hears_newest = is_in_force && answers.are_k_of_new;
            let must_find = verdict.heard_enough || hears_newest;
            !must_find || verdict.found >= settled
        })
}

fn published_is_found(protocol: &Protocol, state: &State) -> bool {
    (0..2).all(|index| {
        let version = &state.versions[index];
        let holders = version.head.kept & version.head.told;
        version.stage < Stage::Published
            || each(holders)
                .all(|device| protocol.recover(state, bit(device), None).found >= number(index))
    })
}

fn newest_is_newest(protocol: &Protocol, state: &State) -> bool {
    in_all_recoveries(protocol, state, |_, verdict| {
        !verdict.says_newest || verdict.named <= verdict.found
    })
}

fn newest_is_settled(protocol: &Protocol, state: &State) -> bool {
    let settled = state.newest_settled();
    settled == 0
        || in_all_recoveries(protocol, state, |_, verdict| {
            !verdict.says_newest || verdict.found >= settled
        })
}

fn nothing_is_dropped(protocol: &Protocol, state: &State) -> bool {
    let is_here = |index: usize| {
        let version = &state.versions[index];
        // One who loses everything may take the last copy of what is not settled with him.
        let is_owed = state.losses == 0 || state.settled >> index & 1 != 0;
        let mut data = state.data_of(index);
        let mut lists = state.lists_of(index);
        version.stage < Stage::Published
            || !version.omits_former
                && (!is_owed
                    || data.all(|of| protocol.is_k_of_shards(state.versions[of].data.kept))
                        && lists.all(|of| state.versions[of].lists.kept != 0))
    };
    !state.marks.dropped && (0..2).all(is_here)
}

/// What the model must reach; what it never reaches it does not check.
fn reached() -> Vec<Promise> {
    vec![
        sometimes("version 1 settles", |_, state| state.newest_settled() == 1),
        sometimes("version 2 settles", |_, state| state.newest_settled() == 2),
        sometimes("version 1 settles, then 2 is published", |_, state| {
            state.newest_settled() == 1 && state.versions[1].stage == Stage::Published
        }),
        sometimes("a crash between a head and its record", |_, state| {
            state.versions.iter().any(|version| {
                let untold = version.head.kept & !version.head.told;
                version.stage == Stage::Sent && !version.in_memory && untold != 0
            })
        }),
        sometimes("a head arrives that a former process sent", |_, state| {
            state.late != 0
        }),
        sometimes("who comes back waits to be asked", |_, state| {
            state.unasked & !state.away != 0
        }),
        sometimes(
            "who lost everything has the newest head again",
            |protocol, state| {
                let both = &state.versions[1];
                state.losses > 0
                    && both.head.told & protocol.old_members() == protocol.old_members()
            },
        ),
        sometimes(
            "a version stands on confirmations of who has lost it",
            |_, state| {
                let second = &state.versions[1];
                second.stage == Stage::Published && second.head.told & !second.head.kept != 0
            },
        ),
        sometimes(
            "the lane record names more than was heard",
            |protocol, state| {
                groups(protocol).any(|heard| {
                    let verdict = protocol.recover(state, heard, newest_record(state));
                    verdict.heard_enough && verdict.found > 0 && verdict.named > verdict.found
                })
            },
        ),
        sometimes("something is called the newest", |protocol, state| {
            let verdict = protocol.recover(state, protocol.old_members(), newest_record(state));
            verdict.says_newest && verdict.found == 2
        }),
        sometimes("contents are named again", |_, state| {
            let second = &state.versions[1];
            second.stage == Stage::Published && second.names_former && second.reaches_former
        }),
        sometimes("contents of too few are sealed again", |_, state| {
            let second = &state.versions[1];
            second.stage == Stage::Published && !second.names_former
        }),
    ]
}

fn newest_record(state: &State) -> Option<LaneRecord> {
    Some(LaneRecord {
        new_set: false,
        published: state.newest_published().map_or(0, number),
    })
}

/// What a change of the set must reach besides.
fn reached_by_change() -> Vec<Promise> {
    vec![
        sometimes("the new set is in force by the first head", |_, state| {
            state.set == SetStage::InForce && state.versions[1].stage == Stage::Unmade
        }),
        sometimes("the new set is in force by the second head", |_, state| {
            state.set == SetStage::InForce && !state.versions[0].names_new_set
        }),
        sometimes(
            "a version settles while the change is on its way",
            |_, state| state.set == SetStage::Recorded && state.newest_settled() == 2,
        ),
        sometimes(
            "the former holder is let go, and both versions are there",
            |_, state| state.set == SetStage::Released && state.newest_settled() == 2,
        ),
        sometimes(
            "the new device has only the older head",
            |protocol, state| {
                let new = bit(protocol.code.n());
                let [first, second] = &state.versions;
                first.head.kept & !second.head.kept & new != 0 && state.newest_settled() == 2
            },
        ),
    ]
}
