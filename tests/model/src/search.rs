//! The search: every state that can be reached, the nearest first.
//!
//! States are kept whole and compared whole ([`Packed`]), so that nothing is passed over for a hash
//! that two have in common; the list of them is the queue too. What is found is therefore reached in the
//! fewest steps. From which state one was reached first is not kept: those who lead to others stand in
//! the list in the order of these, so it is found again by looking once along it.

use crate::check::Action;
use crate::packed::{COUNT_MAX, DEVICES, Packed};
use crate::promises::{Kind, Promise};
use crate::protocol::{Budget, Protocol};
use crate::state::State;

/// States in a piece of the list, which grows by pieces so that it is never copied.
const PIECE: usize = 1 << 20;
/// Places of the smallest table.
const PLACES_MIN: usize = 1 << 16;
/// Bits of a place of the table that number a state; the others are of its hash.
const NUMBER_BITS: u32 = 29;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
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
    ///
    /// # Panics
    ///
    /// Where more may go wrong than is counted, or there may be more states than are numbered.
    #[must_use]
    pub fn search(&self, promises: &[Promise], states_max: usize) -> Report {
        self.assert_fits(states_max);
        let of_kind = |kind: Kind| promises.iter().filter(move |it| it.kind == kind);
        let always: Vec<_> = of_kind(Kind::Always).collect();
        let mut unmet: Vec<_> = of_kind(Kind::Sometimes).collect();
        let mut found = Found::default();
        found.add(&[self.packed(&State::default())]);
        let (mut steps, mut actions, mut reached) = (0, Vec::new(), Vec::new());
        let (mut next, mut levels, mut broken) = (0, vec![0], None);
        while next < found.count && found.count < states_max {
            if levels.last() == Some(&next) {
                levels.push(found.count);
            }
            let state = found.at(next).state();
            if let Some(promise) = always.iter().find(|it| !(it.holds)(self, &state)) {
                broken = Some(promise.name);
                break;
            }
            unmet.retain(|it| !(it.holds)(self, &state));
            self.steps_from(&state, &mut actions, &mut reached);
            steps += reached.len();
            found.add(&reached);
            next += 1;
        }
        Report {
            states: found.count,
            steps,
            depth: levels.len().saturating_sub(2),
            is_complete: next == found.count,
            broken: broken.map(|promise| self.broken(promise, &found, next, &levels)),
            unmet: unmet.into_iter().map(|it| it.name).collect(),
        }
    }

    fn assert_fits(&self, states_max: usize) {
        assert!(states_max < NUMBER as usize, "states are numbered");
        let Budget { trips, losses, .. } = self.budget;
        assert!(trips <= COUNT_MAX || trips == u8::MAX, "trips are counted");
        assert!(losses <= COUNT_MAX, "losses are counted");
        assert!(
            usize::from(self.code.n()) < DEVICES,
            "devices are told apart"
        );
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

    /// The way to a state: each that is on it is the first of its level that leads to the next.
    fn broken(&self, promise: &'static str, found: &Found, at: usize, levels: &[usize]) -> Broken {
        let (mut steps, mut actions, mut reached) = (Vec::new(), Vec::new(), Vec::new());
        let mut wanted = found.at(at);
        // The last two bounds are those of the level in which it is.
        for bounds in levels.windows(2).rev().skip(1) {
            for number in bounds[0]..bounds[1] {
                let before = found.at(number);
                self.steps_from(&before.state(), &mut actions, &mut reached);
                if let Some(step) = reached.iter().position(|it| *it == wanted) {
                    steps.push(actions[step]);
                    wanted = before;
                    break;
                }
            }
        }
        steps.reverse();
        let state = found.at(at).state();
        Broken {
            promise,
            steps,
            state,
        }
    }
}

/// States that were reached, in the order in which they were.
#[derive(Default)]
struct Found {
    pieces: Vec<Vec<Packed>>,
    count: usize,
    /// Numbers of states by their hash, with room between them, and some bits of the hash.
    table: Vec<u32>,
}

impl Found {
    fn at(&self, number: usize) -> Packed {
        self.pieces[number / PIECE][number % PIECE]
    }

    /// Adds those that are new.
    fn add(&mut self, reached: &[Packed]) {
        while (self.count + reached.len()) * 4 >= self.table.len() * 3 {
            self.grow();
        }
        // Where they belong is far apart in memory: what is there is called for all at once.
        let touched = reached.iter().map(|state| {
            let place = self.table[self.home_of(state.hash())];
            let number = (place & NUMBER) as usize;
            let piece = self.pieces.get(number / PIECE);
            piece.and_then(|piece| piece.get(number % PIECE)) == Some(state)
        });
        std::hint::black_box(touched.filter(|it| *it).count());
        for state in reached {
            let (place, entry) = self.place_of(*state);
            if self.table[place] == NONE {
                self.table[place] = entry;
                self.push(*state);
            }
        }
    }

    fn push(&mut self, state: Packed) {
        if self.count % PIECE == 0 {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        self.pieces[self.count / PIECE].push(state);
        self.count += 1;
    }

    /// Where the number of a state is, or belongs, and what is to be written there.
    fn place_of(&self, state: Packed) -> (usize, u32) {
        let hash = state.hash();
        let tag = low_half(hash) << NUMBER_BITS;
        let mut place = self.home_of(hash);
        loop {
            let entry = self.table[place];
            let is_free = entry == NONE;
            if is_free || (entry & !NUMBER == tag && self.at((entry & NUMBER) as usize) == state) {
                return (place, tag | index(self.count));
            }
            place += 1;
            if place == self.table.len() {
                place = 0;
            }
        }
    }

    /// The first place where the number of a state with this hash may be.
    fn home_of(&self, hash: u64) -> usize {
        let scaled = u128::from(hash) * self.table.len() as u128;
        usize::try_from(scaled >> 64).unwrap_or(0)
    }

    fn grow(&mut self) {
        let room = (self.table.len() / 2 * 3).max(PLACES_MIN);
        // The old table goes first.
        self.table = Vec::new();
        self.table = vec![NONE; room];
        let all = std::mem::take(&mut self.count);
        for number in 0..all {
            let (place, entry) = self.place_of(self.at(number));
            self.table[place] = entry;
            self.count += 1;
        }
    }
}

/// The number of a state as it is kept: there are fewer than the bits for it can say.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NUMBER)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low_half(hash: u64) -> u32 {
    hash as u32
}
