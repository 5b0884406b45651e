//! The search: every state that can be reached, the nearest first.
//!
//! States are kept whole and compared whole, so that nothing is passed over for a hash that two have
//! in common; the list of them is the queue too. What is found is therefore reached in the fewest
//! steps.

use std::hash::{Hash, Hasher};

use crate::check::Action;
use crate::promises::{Kind, Promise};
use crate::protocol::Protocol;
use crate::state::State;

/// No state has this number.
const NONE: u32 = u32::MAX;

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
    #[must_use]
    pub fn search(&self, promises: &[Promise], states_max: usize) -> Report {
        let mut found = Found::default();
        found.add(State::default(), NONE);
        let mut unmet: Vec<_> = promises
            .iter()
            .filter(|it| it.kind == Kind::Sometimes)
            .collect();
        let always: Vec<_> = promises
            .iter()
            .filter(|it| it.kind == Kind::Always)
            .collect();
        let (mut steps, mut actions, mut broken) = (0, Vec::new(), None);
        let (mut next, mut depth, mut level_end) = (0, 0, 1);
        while next < found.states.len() && found.states.len() < states_max {
            if next == level_end {
                (depth, level_end) = (depth + 1, found.states.len());
            }
            let state = found.states[next];
            if let Some(promise) = always.iter().find(|it| !(it.holds)(self, &state)) {
                broken = Some(self.broken(promise.name, &found, next));
                break;
            }
            unmet.retain(|it| !(it.holds)(self, &state));
            actions.clear();
            self.actions(&state, &mut actions);
            for action in &actions {
                if let Some(reached) = self.next_state(&state, *action) {
                    steps += 1;
                    found.add(reached, index(next));
                }
            }
            next += 1;
        }
        Report {
            states: found.states.len(),
            steps,
            depth,
            is_complete: next == found.states.len(),
            broken,
            unmet: unmet.into_iter().map(|it| it.name).collect(),
        }
    }

    fn broken(&self, promise: &'static str, found: &Found, at: usize) -> Broken {
        let (mut steps, mut child) = (Vec::new(), at);
        while found.parents[child] != NONE {
            let parent = found.parents[child] as usize;
            steps.extend(self.action_between(&found.states[parent], &found.states[child]));
            child = parent;
        }
        steps.reverse();
        Broken {
            promise,
            steps,
            state: found.states[at],
        }
    }

    fn action_between(&self, from: &State, to: &State) -> Option<Action> {
        let mut actions = Vec::new();
        self.actions(from, &mut actions);
        let leads_there = |action: &Action| self.next_state(from, *action).as_ref() == Some(to);
        actions.into_iter().find(leads_there)
    }
}

/// States that were reached, each with the one from which it was first.
#[derive(Default)]
struct Found {
    states: Vec<State>,
    parents: Vec<u32>,
    /// Numbers of states by their hash, with room between them; a power of two.
    table: Vec<u32>,
}

impl Found {
    fn add(&mut self, state: State, parent: u32) {
        if self.states.len() * 2 >= self.table.len() {
            self.grow();
        }
        let place = self.place_of(&state);
        if self.table[place] == NONE {
            self.table[place] = index(self.states.len());
            self.states.push(state);
            self.parents.push(parent);
        }
    }

    /// Where the number of a state is, or belongs.
    fn place_of(&self, state: &State) -> usize {
        let last = self.table.len() - 1;
        let mut place = hash(state) & last;
        while self.table[place] != NONE && self.states[self.table[place] as usize] != *state {
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        let room = (self.table.len() * 2).max(1 << 16);
        self.table = vec![NONE; room];
        for number in 0..self.states.len() {
            let place = self.place_of(&self.states[number]);
            self.table[place] = index(number);
        }
    }
}

/// The number of a state as it is kept.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

fn hash(state: &State) -> usize {
    let mut mixer = Mixer(0);
    state.hash(&mut mixer);
    // The upper bits are mixed best, and a table of states is smaller than they can count.
    usize::try_from(mixer.finish() >> 32).unwrap_or(0)
}

/// A hash for small numbers that come one by one; nobody chooses them to do harm.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u8(u8::try_from(number).unwrap_or(0));
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}
