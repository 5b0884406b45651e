//! One folder: when it is backed up without being asked.
//!
//! Soon after a change, after a while in any case, and again when it failed. What a person asks
//! for counts like a backup of its own. A machine that slept catches up.

use std::time::Duration;

use bitdust_model::{ErrorCode, Policy, Schedule, Tick};

use super::Moment;

/// Where the schedule stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Nothing happens by itself.
    #[default]
    Manual,
    /// Nothing is due.
    Resting {
        /// When it will be in any case.
        due_at: Tick,
    },
    /// A backup is due and waits for its turn.
    Due {
        /// How often it failed in a row.
        tries: u32,
    },
    /// A backup of it runs or waits.
    Running {
        /// Whether something changed since it began.
        again: bool,
        /// How often it failed in a row before.
        tries: u32,
    },
    /// The last one failed.
    Retrying {
        /// When it is tried again.
        retry_at: Tick,
        /// How often it failed in a row.
        tries: u32,
        /// Why.
        code: ErrorCode,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Manual | Self::Due { .. } | Self::Running { .. } => None,
            Self::Resting { due_at } => Some(due_at),
            Self::Retrying { retry_at, .. } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// The schedule is new or another one.
    Scheduled {
        /// Milliseconds since the newest version; `None`: there is none.
        backed_up_ago_ms: Option<u64>,
    },
    /// Something changed and has been still.
    ChangeSeen,
    /// No other backup runs.
    TurnCame,
    /// A backup of it began, whoever asked for it.
    Began,
    /// It ended well.
    Ended,
    /// It did not.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// The machine slept: clocks that count its waking hours missed that.
    Resumed,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Back the folder up.
    BackUp,
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    rule: Schedule,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Manual => in_manual(state, event, at, rule),
        State::Resting { due_at } => in_resting(state, due_at, event, at, rule),
        State::Due { tries } => in_due(state, tries, event, at, rule, out),
        State::Running { again, tries } => in_running(state, again, tries, event, at, rule),
        State::Retrying {
            retry_at, tries, ..
        } => in_retrying(state, retry_at, tries, event, at, rule),
    }
}

fn in_manual(state: State, event: Event, at: &Moment<'_>, rule: Schedule) -> State {
    match event {
        Event::Scheduled { backed_up_ago_ms } => begin(at, rule, backed_up_ago_ms),
        Event::Began => run(0),
        Event::ChangeSeen
        | Event::TurnCame
        | Event::Ended
        | Event::Failed { .. }
        | Event::Resumed
        | Event::Wake => state,
    }
}

fn in_resting(state: State, due_at: Tick, event: Event, at: &Moment<'_>, rule: Schedule) -> State {
    match event {
        Event::Scheduled { backed_up_ago_ms } => begin(at, rule, backed_up_ago_ms),
        Event::ChangeSeen if rule == Schedule::OnChange => State::Due { tries: 0 },
        Event::Wake if at.now >= due_at => State::Due { tries: 0 },
        Event::Resumed => State::Due { tries: 0 },
        Event::Began => run(0),
        Event::ChangeSeen | Event::Wake | Event::TurnCame | Event::Ended | Event::Failed { .. } => {
            state
        }
    }
}

fn in_due(
    state: State,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    rule: Schedule,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::TurnCame => {
            out.push(Action::BackUp);
            run(tries)
        }
        Event::Began => run(tries),
        Event::Scheduled { backed_up_ago_ms } => begin(at, rule, backed_up_ago_ms),
        Event::ChangeSeen | Event::Ended | Event::Failed { .. } | Event::Resumed | Event::Wake => {
            state
        }
    }
}

fn in_running(
    state: State,
    again: bool,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    rule: Schedule,
) -> State {
    match event {
        Event::ChangeSeen if rule == Schedule::OnChange => State::Running { again: true, tries },
        Event::Ended if again => State::Due { tries: 0 },
        Event::Ended => rest(at, rule),
        Event::Failed { code } => fail(at, rule, tries, code),
        Event::Scheduled { .. }
        | Event::ChangeSeen
        | Event::TurnCame
        | Event::Began
        | Event::Resumed
        | Event::Wake => state,
    }
}

fn in_retrying(
    state: State,
    retry_at: Tick,
    tries: u32,
    event: Event,
    at: &Moment<'_>,
    rule: Schedule,
) -> State {
    match event {
        Event::Wake if at.now >= retry_at => State::Due { tries },
        Event::Resumed => State::Due { tries },
        Event::Began => run(tries),
        Event::Scheduled { backed_up_ago_ms } => begin(at, rule, backed_up_ago_ms),
        Event::ChangeSeen | Event::Wake | Event::TurnCame | Event::Ended | Event::Failed { .. } => {
            state
        }
    }
}

const fn run(tries: u32) -> State {
    State::Running {
        again: false,
        tries,
    }
}

/// A folder that was changed while nobody looked is looked through soon after the start.
fn begin(at: &Moment<'_>, rule: Schedule, backed_up_ago_ms: Option<u64>) -> State {
    let soon = at.now + at.policy.first_scan_after;
    match rule {
        Schedule::Manual => State::Manual,
        Schedule::OnChange => State::Resting { due_at: soon },
        Schedule::Every { .. } => {
            let ago = Duration::from_millis(backed_up_ago_ms.unwrap_or(u64::MAX));
            let left = interval(rule, at.policy).saturating_sub(ago);
            State::Resting {
                due_at: soon.max(at.now + left),
            }
        }
    }
}

fn rest(at: &Moment<'_>, rule: Schedule) -> State {
    match rule {
        Schedule::Manual => State::Manual,
        Schedule::OnChange | Schedule::Every { .. } => State::Resting {
            due_at: at.now + interval(rule, at.policy),
        },
    }
}

/// A person who stopped it does not want it again at once.
fn fail(at: &Moment<'_>, rule: Schedule, tries: u32, code: ErrorCode) -> State {
    if rule == Schedule::Manual || code == ErrorCode::Cancelled {
        return rest(at, rule);
    }
    let policy = at.policy;
    let wait = crate::backoff::backoff(
        policy.backup_retry_min,
        policy.backup_retry_max,
        tries,
        at.random,
    );
    State::Retrying {
        retry_at: at.now + wait,
        tries: tries.saturating_add(1),
        code,
    }
}

/// How long a folder rests after a backup in which nothing failed.
fn interval(rule: Schedule, policy: &Policy) -> Duration {
    match rule {
        Schedule::Manual | Schedule::OnChange => policy.rescan_interval,
        Schedule::Every { minutes } => Duration::from_secs(u64::from(minutes) * 60),
    }
}
