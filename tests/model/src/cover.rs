//! Whether the states that are left out may be: each is looked for, or the one that stands for it.

use crate::found::Found;
use crate::protocol::Protocol;
use crate::search::Walk;
use crate::state::State;

/// A world that was looked at twice.
#[derive(Debug)]
pub struct Cover {
    /// States of it where none is left out.
    pub whole: usize,
    /// States of it where others stand for them.
    pub reduced: usize,
    /// The first for which none stands.
    pub missing: Option<State>,
}

impl Protocol {
    /// Looks at every state of a world as it is, or at so many, and whether one that is not left out
    /// stands for it.
    #[must_use]
    pub fn cover(&self, states_max: usize) -> Cover {
        let reduced = Self {
            is_reduced: true,
            ..*self
        };
        let found = reduced.reached(states_max);
        let whole = Self {
            is_reduced: false,
            ..*self
        };
        let whole = whole.reached(states_max);
        let mut states = (0..whole.count).map(|number| whole.at(number).state());
        Cover {
            whole: whole.count,
            reduced: found.count,
            missing: states.find(|state| !reduced.has_stand_in(&found, state)),
        }
    }

    fn reached(&self, states_max: usize) -> Found {
        let mut walk = Walk::new(self, states_max);
        while let Some(state) = walk.next() {
            walk.go_on(&state);
        }
        assert!(walk.is_complete(), "there are more states");
        walk.found
    }

    /// Whether one was found that differs at most in that more is promised, and less has gone wrong.
    fn has_stand_in(&self, found: &Found, state: &State) -> bool {
        let mut state = *state;
        self.stand_in(&mut state);
        (0..=state.trips).any(|trips| {
            (0..4).any(|settled| {
                let settled = state.settled | settled;
                let is_one = self.budget.losses == 0;
                let settled = if is_one { highest(settled) } else { settled };
                let stands = State {
                    trips,
                    settled,
                    ..state
                };
                found.has(self.packed(&stands))
            })
        })
    }
}

/// The highest bit alone.
fn highest(bits: u8) -> u8 {
    bits.checked_ilog2().map_or(0, |at| 1 << at)
}
