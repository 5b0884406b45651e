//! The search: every state that can be reached, the nearest first.
//!
//! The list of those that were reached ([`Found`]) is the queue too, so that what is found is reached in
//! the fewest steps. From which state one was reached is not kept: it is looked for again where it is
//! wanted, among those that are one step nearer.

use crate::check::Action;
use crate::found::{Found, STATES_MAX};
use crate::packed::{COUNT_MAX, DEVICES, Packed};
use crate::promises::{Kind, Promise};
use crate::protocol::{Budget, Protocol};
use crate::state::State;

/// What a search met.
#[derive(Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The most steps that it takes to reach one.
    pub depth: usize,
    /// Whether there was nothing left to look at.
    pub is_complete: bool,
    /// The first promise that was broken, and how.
    pub broken: Option<Broken>,
    /// What the model must reach and did not.
    pub unmet: Vec<&'static str>,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Broken {
    /// Which.
    pub promise: &'static str,
    /// The steps that lead there.
    pub steps: Vec<Action>,
    /// The state in which it is broken.
    pub state: State,
}

impl Protocol {
    /// Looks at every state, or at so many; stops at the first that breaks a promise.
    ///
    /// # Panics
    ///
    /// Where more may go wrong than is counted, or there may be more states than are numbered.
    #[must_use]
    pub fn search(&self, promises: &[Promise], states_max: usize) -> Report {
        let of_kind = |kind: Kind| promises.iter().filter(move |it| it.kind == kind);
        let always: Vec<_> = of_kind(Kind::Always).collect();
        let mut unmet: Vec<_> = of_kind(Kind::Sometimes).collect();
        let mut walk = Walk::new(self, states_max);
        let mut broken = None;
        while let Some(state) = walk.next() {
            if let Some(promise) = always.iter().find(|it| !(it.holds)(self, &state)) {
                broken = Some(walk.broken(promise.name, state));
                break;
            }
            unmet.retain(|it| !(it.holds)(self, &state));
            walk.go_on(&state);
        }
        Report {
            states: walk.found.count,
            steps: walk.steps,
            depth: walk.levels.len().saturating_sub(1),
            is_complete: walk.is_complete(),
            broken,
            unmet: unmet.into_iter().map(|it| it.name).collect(),
        }
    }

    /// The steps that lead from a state to another, and where each leads.
    fn steps_from(&self, state: &State, actions: &mut Vec<Action>, reached: &mut Vec<Packed>) {
        let from = self.packed(state);
        actions.clear();
        reached.clear();
        self.actions(state, actions);
        actions.retain(|action| {
            let to = self.packed(&self.next_state(state, *action));
            let is_step = to != from;
            reached.extend(is_step.then_some(to));
            is_step
        });
    }
}

/// A search on its way.
pub(crate) struct Walk<'a> {
    protocol: &'a Protocol,
    states_max: usize,
    /// What was reached.
    pub(crate) found: Found,
    /// The number of the state that is looked at next.
    next: usize,
    steps: usize,
    /// The number of the first state of each level: of those that take so many steps to reach.
    levels: Vec<usize>,
    /// The number of the first of the next.
    level_end: usize,
    actions: Vec<Action>,
    reached: Vec<Packed>,
}

impl<'a> Walk<'a> {
    /// Stands at the first state.
    pub(crate) fn new(protocol: &'a Protocol, states_max: usize) -> Self {
        assert!(states_max <= STATES_MAX, "states are numbered");
        let Budget { trips, losses, .. } = protocol.budget;
        assert!(trips <= COUNT_MAX || trips == u8::MAX, "trips are counted");
        assert!(losses <= COUNT_MAX, "losses are counted");
        let devices = usize::from(protocol.code.n()) + 1;
        assert!(devices <= DEVICES, "devices are told apart");
        let mut found = Found::default();
        found.add(&[protocol.packed(&State::default())]);
        Self {
            protocol,
            states_max,
            found,
            next: 0,
            steps: 0,
            levels: Vec::new(),
            level_end: 0,
            actions: Vec::new(),
            reached: Vec::new(),
        }
    }

    /// The nearest state that was not looked at, if there is one and there are not too many.
    pub(crate) fn next(&mut self) -> Option<State> {
        if self.is_complete() || self.found.count >= self.states_max {
            return None;
        }
        if self.next == self.level_end {
            self.levels.push(self.next);
            self.level_end = self.found.count;
        }
        Some(self.found.at(self.next).state())
    }

    /// Whether there is nothing left to look at.
    pub(crate) fn is_complete(&self) -> bool {
        self.next == self.found.count
    }

    /// Takes every step from the state that is looked at.
    pub(crate) fn go_on(&mut self, state: &State) {
        let Self {
            protocol,
            found,
            actions,
            reached,
            ..
        } = self;
        protocol.steps_from(state, actions, reached);
        self.steps += reached.len();
        if protocol.is_reduced {
            // Once all are back no more can happen than if nobody had gone away.
            reached.retain(|it| !it.before_trips().is_some_and(|before| found.has(before)));
        }
        found.add(reached);
        self.next += 1;
    }
    /// The way to the state that is looked at: each on it is the first of its level that leads to the
    /// next.
    fn broken(&mut self, promise: &'static str, state: State) -> Broken {
        let Self {
            protocol,
            found,
            actions,
            reached,
            ..
        } = self;
        let mut steps = Vec::new();
        let mut wanted = found.at(self.next);
        for level in self.levels.windows(2).rev() {
            let leads_there = |number: usize| {
                let before = found.at(number);
                protocol.steps_from(&before.state(), actions, reached);
                let step = reached.iter().position(|it| *it == wanted)?;
                Some((actions[step], before))
            };
            let Some((step, before)) = (level[0]..level[1]).find_map(leads_there) else {
                break;
            };
            steps.push(step);
            wanted = before;
        }
        steps.reverse();
        Broken {
            promise,
            steps,
            state,
        }
    }
}
